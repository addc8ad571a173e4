//! Training jobs: submit, list, read, delete.

mod changes;
mod hostile;
mod logs;
mod submit;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::DENIED;
use super::envelope::{Answer, Failure, Success};
use super::inference::{DEFAULT_LINES, newest};
use super::params::{Page, choice, flag, instant, positive};
use crate::sim::params::Query;
use crate::sim::world::pyromind::{FRAMEWORKS, JobStatus, PyroMind, TrainingJob};

pub(super) use changes::{pause, resume};
pub(super) use submit::{rival, submit};

pub(super) fn list(cloud: &PyroMind, query: &Query, at: Timestamp) -> Answer {
    let page = Page::read(query)?;
    let statuses = ["pending", "running", "success", "failed", "canceled", "paused"];
    let status = choice(query, "status", &statuses)?;
    let framework = choice(query, "training_framework", &FRAMEWORKS)?;
    let start = instant(query, "start_time")?;
    let found: Vec<Value> = cloud
        .jobs
        .iter()
        .filter(|job| {
            status.is_none_or(|status| job.status(at).as_str() == status)
                && framework.is_none_or(|wanted| job.framework == wanted)
                && start.is_none_or(|start| job.created >= start)
        })
        .map(|job| row(job, at))
        .collect();
    let data = json!({
        "total": found.len(),
        "page": page.number,
        "page_size": page.size,
        "jobs": page.cut(found),
    });
    Ok(Success::ok("training jobs listed successfully", data))
}

fn row(job: &TrainingJob, at: Timestamp) -> Value {
    json!({
        "job_id": job.id,
        "name": job.name,
        "status": job.status(at).as_str(),
        "progress": job.progress(at),
        "create_time": job.created,
    })
}

pub(super) fn get(cloud: &PyroMind, id: &str, query: &Query, at: Timestamp) -> Answer {
    let with_logs = flag(query, "include_logs", false)?;
    let lines = positive(query, "log_lines", DEFAULT_LINES)?;
    let with_metrics = flag(query, "include_metrics", false)?;
    let job = cloud.job(id).ok_or_else(|| Failure::not_found("training job not found"))?;
    let mut data = json!({
        "job_id": job.id,
        "name": job.name,
        "status": job.status(at).as_str(),
        "progress": job.progress(at),
        "resource_usage": usage(job, at),
        "hyperparameters": job.hyperparameters,
    });
    if let Some(fields) = data.as_object_mut() {
        if with_metrics {
            let done = job.epochs_done(at);
            let metrics = if done == 0 { json!({}) } else { json!(Metrics::after(done)) };
            fields.insert("metrics".to_owned(), metrics);
        }
        if with_logs {
            fields.insert("logs".to_owned(), newest(logs::lines(job, at), lines).into());
        }
    }
    Ok(Success::ok("training job details retrieved successfully", data))
}

/// Half of everything while it runs, else nothing.
fn usage(job: &TrainingJob, at: Timestamp) -> Value {
    let share = if job.status(at) == JobStatus::Running { 0.5 } else { 0.0 };
    let used = |number: u64| number as f64 * share;
    json!({"gpu_used": used(job.resources.gpu), "cpu_used": used(job.resources.cpu)})
}

/// What the last of so many epochs came to: losses fall, the reward rises.
#[derive(Serialize)]
struct Metrics {
    train_loss: f64,
    val_loss: f64,
    reward_mean: f64,
}

impl Metrics {
    fn after(epoch: u64) -> Self {
        let rest = epoch.saturating_add(10);
        let thousandths = |number: u64| number as f64 / 1000.0;
        Self {
            train_loss: thousandths(6000 / rest),
            val_loss: thousandths(8000 / rest),
            reward_mean: thousandths(300_000 - 3_000_000 / rest),
        }
    }
}

/// What errors call a state: a success is `completed`, as in PyroMind's own reference.
fn in_errors(status: JobStatus) -> &'static str {
    match status {
        JobStatus::Success => "completed",
        JobStatus::Pending
        | JobStatus::Running
        | JobStatus::Failed
        | JobStatus::Canceled
        | JobStatus::Paused => status.as_str(),
    }
}

/// A deletion that fails leaves the job as it was.
pub(super) fn delete(cloud: &mut PyroMind, id: &str, query: &Query, at: Timestamp) -> Answer {
    let delete_output = flag(query, "delete_output", false)?;
    let delete_logs = flag(query, "delete_logs", false)?;
    let force = flag(query, "force", false)?;
    let job = cloud.job(id).ok_or_else(|| Failure::not_found("training job not found"))?;
    let status = job.status(at);
    if status == JobStatus::Running && !force {
        return Err(Failure::conflict("training job is running, use force=true to delete"));
    }
    let log_path = job.log.as_ref().and_then(|log| log.log_path.as_deref());
    if delete_logs && log_path.is_some_and(|path| path.contains(DENIED)) {
        return Err(Failure::failed("failed to delete logs: bucket access denied"));
    }
    if delete_output && job.output.output_bucket.contains(DENIED) {
        return Err(Failure::failed("failed to delete output: bucket access denied"));
    }
    cloud.jobs.retain(|job| job.id != id);
    let data = json!({
        "job_id": id,
        "delete_time": at,
        "delete_output": delete_output,
        "status_before_delete": status.as_str(),
    });
    Ok(Success::ok("training job deleted successfully", data))
}

#[cfg(test)]
mod tests;
