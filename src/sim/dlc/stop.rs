//! StopJob: it asks, and doesn't say whether anything stopped.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::course::Course;
use super::lifecycle::JobStatus;
use crate::sim::reply::{CloudError, object};
use crate::sim::world::{Job, World};

/// Acts only on a job that runs or waits in the queue; any other is left as it is, and the answer is the same.
pub(in crate::sim) fn stop_job(
    world: &mut World,
    region: &str,
    id: &str,
    at: Timestamp,
) -> Result<Map<String, Value>, CloudError> {
    let stops = stops(super::find(world.region(region), id, "paidlc:StopJob")?, at);
    if stops
        && let Some(place) = world.region_mut(region)
        && let Some(job) = place.jobs.iter_mut().find(|job| job.id == id)
    {
        job.stopped = Some(at);
    }
    Ok(object([("JobId", Some(json!(id)))]))
}

/// Whether a stop at this instant does anything.
pub(in crate::sim) fn stops(job: &Job, at: Timestamp) -> bool {
    match Course::new(job, at).last().map(|stage| stage.status) {
        Some(JobStatus::Queuing | JobStatus::Running) => true,
        None
        | Some(
            JobStatus::Creating
            | JobStatus::Bidding
            | JobStatus::EnvPreparing
            | JobStatus::SanityChecking
            | JobStatus::Restarting
            | JobStatus::Stopping
            | JobStatus::SucceededReserving
            | JobStatus::FailedReserving
            | JobStatus::Succeeded
            | JobStatus::Failed
            | JobStatus::Stopped,
        ) => false,
    }
}

#[cfg(test)]
mod tests;
