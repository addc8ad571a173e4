//! Tests of the whole, from outside: one binary, a module a subject.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should fail there and then"
)]

mod harness;

mod access;
mod answers;
mod approval;
mod architecture;
mod assets;
mod attacks;
mod audit;
mod canaries;
mod command_line;
mod conduct;
mod consent;
mod credentials;
mod doctor;
mod dry_run;
mod endpoints;
mod every_tool;
mod faults;
mod grants;
mod hand_over;
mod human;
mod insight;
mod job_updates;
mod jobs;
mod new_workspaces;
mod overlays;
mod pyromind;
mod pyromind_instances;
mod pyromind_live;
mod pyromind_tasks;
mod scenarios;
mod secret;
mod selection;
mod sequence;
mod sim_listen;
mod soak;
mod state;
mod stdio;
mod templates;
mod tensorboards;
mod workspaces;
