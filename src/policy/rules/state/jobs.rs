//! Jobs of PAI-DLC. What the service does with a stop, a priority and a job that is public: its public agent skill and
//! API documentation.

use serde_json::Value;

use super::{After, Bar, number, one_of, plain_number, word};
use crate::spec::Call;
use crate::tools::dlc::job_update::UpdateJob;

/// States from which no job comes back.
const ENDED: [&str; 3] = ["Succeeded", "Failed", "Stopped"];
/// States in which a stop is ignored, but not for ever.
const UNREADY: [&str; 4] = ["Creating", "Bidding", "EnvPreparing", "SanityChecking"];
/// States of a job that runs, or has run: a priority counts no more.
const STARTED: [&str; 5] = ["Running", "Stopping", "Succeeded", "Failed", "Stopped"];

/// A stop acts only on Running or Queuing; in any other state the service answers and does nothing.
pub(super) fn before_stop(_: &Call, job: &Value, bars: &mut Vec<Bar>) {
    if let Some(status) = one_of(job, "Status", &ENDED) {
        bars.push(Bar::new(
            "JobId",
            format!("the job has ended ({status}), so the service would answer and do nothing"),
            "there is nothing to stop: tell the user how it ended, as dlc_get_job shows",
        ));
    } else if one_of(job, "Status", &["Stopping"]).is_some() {
        bars.push(Bar::new(
            "JobId",
            "the job is being stopped already (Stopping)",
            "don't stop it again: dlc_get_job shows when it is Stopped",
        ));
    } else if let Some(status) = one_of(job, "Status", &UNREADY) {
        let message = format!(
            "the job is {status}, and a stop acts only on Queuing or Running: the service would do nothing"
        );
        let fix = "look with dlc_get_job, and stop it once its Status is Queuing or Running";
        bars.push(Bar::new("JobId", message, fix).passing());
    }
}

pub(super) fn after_stop(_: &Call, _: Option<&Value>, job: &Value, after: &mut After) {
    after.status("Status", job, &["Stopping", "Stopped"]);
}

/// What UpdateJob would drop in silence, or refuse.
pub(super) fn before_update(call: &Call, job: &Value, bars: &mut Vec<Bar>) {
    let Some(update) = call.request::<UpdateJob>() else { return };
    if let Some(wanted) = update.priority {
        priority(wanted, job, bars);
    }
    let narrowed = call.text("Accessibility") == Some("PRIVATE");
    if narrowed && one_of(job, "Accessibility", &["PUBLIC"]).is_some() {
        bars.push(Bar::new(
            "Accessibility",
            "the job is PUBLIC, and who sees a job can only be widened",
            "leave Accessibility out, and tell the user that it stays PUBLIC",
        ));
    }
    if let Some(status) = one_of(job, "Status", &["Stopping", "Succeeded", "Failed", "Stopped"]) {
        for (name, given) in [("UserCommand", update.user_command.is_some()), ("JobSpecs", has_roles(call))] {
            if given {
                bars.push(Bar::new(
                    name,
                    format!("the job is {status}: nothing of it runs any more"),
                    "submit another job with dlc_create_job, if the user wants one",
                ));
            }
        }
    }
}

/// A priority counts only with a quota, and only until the job runs.
fn priority(wanted: i64, job: &Value, bars: &mut Vec<Bar>) {
    let present = job.get("Priority").filter(|shown| number(shown).is_some()).map(plain_number);
    if present.as_deref() == Some(wanted.to_string().as_str()) {
        return;
    }
    let stays = present.map_or_else(String::new, |present| format!(" and leave it at {present}"));
    if !has_quota(job) {
        bars.push(Bar::new(
            "Priority",
            format!("the job has no quota, so the service would answer{stays}"),
            "leave Priority out: it counts only for a job that was submitted with a ResourceId",
        ));
    }
    if let Some(status) = one_of(job, "Status", &STARTED) {
        bars.push(Bar::new(
            "Priority",
            format!("the job is {status}, so the service would answer{stays}"),
            "leave Priority out: it counts only until a job runs",
        ));
    }
}

fn has_quota(job: &Value) -> bool {
    let named = |value: &Value, name: &str| {
        value.get(name).and_then(Value::as_str).is_some_and(|quota| !quota.is_empty())
    };
    named(job, "ResourceId")
        || job
            .get("JobSpecs")
            .and_then(Value::as_array)
            .is_some_and(|roles| roles.iter().any(|role| named(role, "QuotaId")))
}

/// Whether `call` changes a job's roles.
pub(super) fn has_roles(call: &Call) -> bool {
    call.request::<UpdateJob>().is_some_and(|update| update.job_specs.is_some())
}

pub(super) fn after_update(call: &Call, _: Option<&Value>, job: &Value, after: &mut After) {
    for (name, wanted) in call.arguments() {
        match name.as_str() {
            "RegionId" | "JobId" => {}
            "JobSpecs" => roles(wanted, job.get("JobSpecs"), after),
            name => after.compare(name, wanted, job.get(name)),
        }
    }
}

/// Roles as they were asked for, but for what pulls their images: no reply shows that.
fn roles(wanted: &Value, shown: Option<&Value>, after: &mut After) {
    let mut wanted = wanted.clone();
    for role in wanted.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        role.shift_remove("ImageConfig");
    }
    after.compare("JobSpecs", &wanted, shown);
}

/// Only a RayJob has a dashboard (R-DLC-45).
pub(super) fn before_dashboard(_: &Call, job: &Value, bars: &mut Vec<Bar>) {
    let kind = job.get("JobType").and_then(Value::as_str).filter(|kind| !kind.is_empty());
    if let Some(kind) = kind.filter(|kind| *kind != "RayJob") {
        bars.push(Bar::new(
            "JobId",
            format!("only a RayJob has a dashboard; this job is a {}", word(kind)),
            "look at its logs, events and metrics instead, or make a TensorBoard for it",
        ));
    }
}

/// A job has results of health checks only if it asked for them (R-DLC-52). A detail that doesn't say so proves nothing.
pub(super) fn before_checks(_: &Call, job: &Value, bars: &mut Vec<Bar>) {
    let enabled = job.get("Settings").and_then(|settings| settings.get("EnableSanityCheck"));
    if enabled.is_some_and(|enabled| *enabled == Value::Bool(false) || enabled.as_str() == Some("false")) {
        bars.push(Bar::new(
            "JobId",
            "the job was submitted with Settings.EnableSanityCheck false, so it has no results of health checks",
            "tell the user; a job that is submitted with Settings.EnableSanityCheck true has them",
        ));
    }
}
