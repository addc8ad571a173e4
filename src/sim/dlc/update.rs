//! UpdateJob: it takes what it is told, and says nothing of what it leaves as it was.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::course::Course;
use super::lifecycle::JobStatus;
use super::submit::{check, plan};
use super::view::accessibility;
use crate::sim::params::{Fields, parse_body};
use crate::sim::reply::{CloudError, object};
use crate::sim::world::{Job, World};

/// All of a change, or none of it, but for a priority that doesn't count: that is dropped, and the answer is the same.
pub(in crate::sim) fn update_job(
    world: &mut World,
    region: &str,
    id: &str,
    body: &[u8],
    at: Timestamp,
) -> Result<Map<String, Value>, CloudError> {
    let change = parse_body(body)?;
    let fields = Fields::of_body(&change);
    let job = super::find(world.region(region), id, "paidlc:UpdateJob")?;
    let status = Course::new(job, at).last().map(|stage| stage.status);
    let mut changed = job.clone();
    let mut set = |name: &str, value: Value| changed.request.insert(name.to_owned(), value);
    if let Some(priority) = fields.integer("Priority", 1, 9)?
        && minds_priority(job, status)
    {
        set("Priority", json!(priority));
    }
    if let Some(wanted) = fields.choice("Accessibility", &["PUBLIC", "PRIVATE"])? {
        match (accessibility(job), wanted) {
            ("PUBLIC", "PRIVATE") => {
                return Err(CloudError::invalid("Accessibility", "can't be narrowed from PUBLIC to PRIVATE"));
            }
            (current, wanted) if current == wanted => {}
            (_, wanted) => drop(set("Accessibility", json!(wanted))),
        }
    }
    if let Some(description) = fields.text("Description")? {
        set("Description", json!(description));
    }
    let command = fields.text("UserCommand")?.map(|command| json!(command));
    let specs = fields.array("JobSpecs")?;
    let specs = (!specs.is_empty()).then(|| json!(specs));
    if command.is_some() || specs.is_some() {
        if !is_open(status) {
            return Err(CloudError::new(
                StatusCode::BAD_REQUEST,
                "InvalidJobStatus",
                "UserCommand and JobSpecs can be changed only while the job is Creating or Queuing."
                    .to_owned(),
            ));
        }
        for (name, value) in [("UserCommand", command), ("JobSpecs", specs)] {
            if let Some(value) = value {
                set(name, value);
            }
        }
        let whole = Fields::of_body(&changed.request);
        check(&whole)?;
        (changed.run, changed.outcome) = plan(world, region, &job.workspace_id, &whole)?;
    }
    let reply = object([("JobId", Some(json!(id)))]);
    if changed.request == job.request {
        return Ok(reply);
    }
    changed.updated = Some(at);
    if let Some(place) = world.region_mut(region)
        && let Some(job) = place.jobs.iter_mut().find(|job| job.id == id)
    {
        *job = changed;
    }
    Ok(reply)
}

/// Whether a priority counts: for a job with a quota, until it runs.
fn minds_priority(job: &Job, status: Option<JobStatus>) -> bool {
    let quota = job.request.get("ResourceId").and_then(Value::as_str).unwrap_or_default();
    !quota.is_empty()
        && match status {
            Some(JobStatus::Creating | JobStatus::Queuing | JobStatus::EnvPreparing) => true,
            None
            | Some(
                JobStatus::Bidding
                | JobStatus::SanityChecking
                | JobStatus::Running
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

/// Whether nothing has been made yet of what the job asks for.
fn is_open(status: Option<JobStatus>) -> bool {
    match status {
        Some(JobStatus::Creating | JobStatus::Queuing) => true,
        None
        | Some(
            JobStatus::Bidding
            | JobStatus::EnvPreparing
            | JobStatus::SanityChecking
            | JobStatus::Running
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
