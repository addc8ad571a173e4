//! PAI-DLC 2020-12-03: jobs, from submission to their end, and TensorBoards.
//!
//! `submit` stores a job as it came, with a plan of how it goes; `update` changes what may still be changed, and `stop`
//! adds the instant at which somebody stopped it. `lifecycle` lays the plan out in stages, and `course` is the part of
//! them that has begun: `view` and `list` show it, `pods` derives the pods from it, `events` and `logs` what they tell,
//! `metrics` how hard they work and `sanity` what was found on their machines, of whose types `machines` has the list.
//! `hostile` writes what an attacker would. `tensorboards` shows what jobs leave behind, and `access` opens both to
//! others.

mod access;
mod course;
mod events;
mod hostile;
mod lifecycle;
mod list;
mod logs;
mod machines;
mod metrics;
mod pods;
mod sanity;
mod stop;
mod submit;
mod tensorboards;
mod update;
mod view;
mod window;

pub(super) use access::{get_dashboard, get_ray_dashboard, get_token, get_web_terminal};
pub(super) use events::{get_job_events, get_pod_events};
pub(super) use list::list_jobs;
pub(super) use logs::get_pod_logs;
pub(super) use machines::list_ecs_specs;
pub(super) use metrics::get_job_metrics;
pub(super) use sanity::{get_job_sanity_check_result, list_job_sanity_check_results};
pub(super) use stop::{stop_job, stops};
pub(super) use submit::{check, create_job};
pub(super) use tensorboards::{
    check as check_tensorboard, create_tensorboard, get_shared_url, get_tensorboard, list_tensorboards,
    start_tensorboard, stop_tensorboard, update_tensorboard,
};
pub(super) use update::update_job;
pub(super) use view::get_job;

use http::StatusCode;

use super::reply::CloudError;
use super::world::{Job, Region};

/// The job of this id, if RAM lets the caller do `action` in its workspace.
fn find<'a>(place: &'a Region, id: &str, action: &'static str) -> Result<&'a Job, CloudError> {
    let job = place.jobs.iter().find(|job| job.id == id).ok_or_else(|| {
        CloudError::new(StatusCode::NOT_FOUND, "NotFound.Job", "The job does not exist.".to_owned())
    })?;
    place.enter(&job.workspace_id, action)?;
    Ok(job)
}
