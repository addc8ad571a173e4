//! The whole catalogue, held to what every client takes and to what the clouds document.

mod api;
pub(crate) mod arguments;
mod catalogue;
mod effects;
mod jobs;
mod properties;
mod pyromind;
mod pyromind_tasks;
mod templates;
mod tensorboards;
mod workspaces;
