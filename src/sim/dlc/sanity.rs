//! GetJobSanityCheckResult and ListJobSanityCheckResults: what the health check before a run found.
//!
//! A job that asked for one is checked once, for as long as it is SanityChecking. The parts of the check take turns,
//! each as long as the next; those that need two nodes are for jobs of several pods.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::course::Course;
use super::lifecycle::{JobStatus, SANITY_CHECKING};
use super::pods;
use crate::sim::params::Query;
use crate::sim::reply::{CloudError, object};
use crate::sim::world::{Job, World};

const PHASES: [&str; 5] =
    ["CheckInit", "DeviceCheck", "SingleNodeCommCheck", "TwoNodeCommCheck", "AllNodeCommCheck"];

/// How many of them are for a single pod.
const ALONE: usize = 3;

/// The only check that a job of this world has.
const NUMBER: u64 = 1;

/// The results of one check. A number that the job has no check of finds none.
pub(in crate::sim) fn get_job_sanity_check_result(
    world: &World,
    region: &str,
    id: &str,
    query: &Query,
    at: Timestamp,
) -> Result<Map<String, Value>, CloudError> {
    let number = query
        .integer("SanityCheckNumber", 1, i32::MAX as u64)?
        .ok_or_else(|| CloudError::missing("SanityCheckNumber"))?;
    let phase = query.choice("SanityCheckPhase", &PHASES)?;
    let job = super::find(world.region(region), id, "paidlc:GetJobSanityCheckResult")?;
    let found = results(job, &Course::new(job, at)).into_iter();
    let found = found
        .filter(|result| number == NUMBER && phase.is_none_or(|phase| result.phase == phase))
        .map(|result| result.item(job))
        .collect();
    Ok(object([
        ("JobId", Some(json!(job.id))),
        ("SanityCheckResult", Some(found)),
        // Its name here; the value comes later.
        ("RequestID", Some(Value::Null)),
    ]))
}

/// The results of every check, a list for each: none or one, so that there is nothing to order.
pub(in crate::sim) fn list_job_sanity_check_results(
    world: &World,
    region: &str,
    id: &str,
    query: &Query,
    at: Timestamp,
) -> Result<Map<String, Value>, CloudError> {
    query.choice("Order", &["desc", "asc"])?;
    let job = super::find(world.region(region), id, "paidlc:ListJobSanityCheckResults")?;
    let found: Vec<Value> =
        results(job, &Course::new(job, at)).iter().map(|result| result.item(job)).collect();
    let checks = if found.is_empty() { json!([]) } else { json!([found]) };
    Ok(object([
        ("TotalCount", Some(json!(checks.as_array().map(Vec::len)))),
        ("SanityCheckResults", Some(checks)),
        ("RequestID", Some(Value::Null)),
    ]))
}

/// What a part of the check found.
struct PhaseResult {
    phase: &'static str,
    started: Timestamp,
    /// `None` while it goes on.
    finished: Option<Timestamp>,
    pods: u64,
}

/// The parts that have begun, in their order.
fn results(job: &Job, course: &Course) -> Vec<PhaseResult> {
    let Some(begun) = course.since(JobStatus::SanityChecking) else { return Vec::new() };
    let pods = pods::roles(job).iter().fold(0_u64, |sum, role| sum.saturating_add(role.pods));
    let phases = PHASES.get(..ALONE).filter(|_| pods == 1).unwrap_or(&PHASES);
    let each = SANITY_CHECKING.as_secs() / i64::try_from(phases.len()).unwrap_or(1);
    let after =
        |parts: i64| begun.checked_add(SignedDuration::from_secs(each * parts)).unwrap_or(Timestamp::MAX);
    (0..)
        .zip(phases)
        .map(|(place, phase)| {
            let (started, finished) = (after(place), after(place + 1));
            PhaseResult { phase, started, finished: (finished <= course.at()).then_some(finished), pods }
        })
        .filter(|result| result.started <= course.at())
        .collect()
}

impl PhaseResult {
    /// A message of the first part repeats what arguments the job's submitter chose.
    fn item(&self, job: &Job) -> Value {
        let settings = job.request.get("Settings");
        let arguments = settings.and_then(|settings| pods::text(settings, "SanityCheckArgs"));
        let message = match (self.finished, self.phase, arguments) {
            (None, ..) => format!("{} is running", self.phase),
            (Some(_), "CheckInit", Some(arguments)) => {
                format!("CheckInit passed on {} of {} nodes, arguments: {arguments}", self.pods, self.pods)
            }
            (Some(_), phase, _) => format!("{phase} passed on {} of {} nodes", self.pods, self.pods),
        };
        Value::Object(object([
            ("CheckNumber", Some(json!(NUMBER))),
            ("Phase", Some(json!(self.phase))),
            ("Status", Some(json!(if self.finished.is_some() { "Succeeded" } else { "Running" }))),
            ("StartedAt", Some(json!(self.started))),
            ("FinishedAt", self.finished.map(|finished| json!(finished))),
            ("Message", Some(json!(message))),
        ]))
    }
}

#[cfg(test)]
mod tests;
