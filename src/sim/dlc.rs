//! PAI-DLC 2020-12-03: jobs, from submission to their end.

mod lifecycle;
mod machines;
mod submit;
mod view;

pub(super) use submit::{check, create_job};
pub(super) use view::get_job;
