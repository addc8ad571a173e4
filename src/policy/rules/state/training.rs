//! Training jobs of PyroMind. `completed` is another word for `success`.

use serde_json::Value;

use super::{After, Bar, one_of};
use crate::spec::Call;

/// States from which no training job comes back.
const ENDED: [&str; 4] = ["success", "completed", "failed", "canceled"];

/// R-PM-097: what hasn't ended goes to the service, which says why not.
pub(super) fn before_pause(_: &Call, job: &Value, bars: &mut Vec<Bar>) {
    if let Some(status) = one_of(job, "status", &ENDED) {
        bars.push(Bar::new(
            "job_id",
            format!("the job has ended ({status}), and only a running job can be paused"),
            "there is nothing to pause: tell the user how it ended",
        ));
    }
}

pub(super) fn after_pause(_: &Call, _: Option<&Value>, job: &Value, after: &mut After) {
    after.status("status", job, &["paused"]);
}

/// R-PM-100
pub(super) fn before_resume(_: &Call, job: &Value, bars: &mut Vec<Bar>) {
    if one_of(job, "status", &["running"]).is_some() {
        let message = "the job is running already; only a paused job can be resumed";
        bars.push(Bar::new("job_id", message, "there is nothing to do: tell the user"));
    } else if one_of(job, "status", &["pending"]).is_some() {
        let message = "the job is pending: it waits for resources and was never paused";
        let fix = "there is nothing to resume: look at it with pyromind_get_training_job";
        bars.push(Bar::new("job_id", message, fix));
    } else if let Some(status) = one_of(job, "status", &ENDED) {
        bars.push(Bar::new(
            "job_id",
            format!("the job has ended ({status}), and only a paused job can be resumed"),
            "ask the user whether it is to be submitted anew with pyromind_submit_training_job",
        ));
    }
}

pub(super) fn after_resume(_: &Call, _: Option<&Value>, job: &Value, after: &mut After) {
    after.status("status", job, &["running", "pending"]);
}
