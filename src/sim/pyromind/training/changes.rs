//! A training job paused and resumed.

use jiff::Timestamp;
use serde_json::json;

use super::in_errors;
use crate::sim::params::Query;
use crate::sim::pyromind::envelope::{Answer, Failure, Success};
use crate::sim::pyromind::params::{flag, positive_number};
use crate::sim::world::pyromind::{JobStatus, Pause, PyroMind, Stretch, TrainingJob};

/// A checkpoint can't be written to a bucket of a name with this.
const FULL: &str = "full";
/// Nor can one of a name with this be loaded.
const CORRUPT: &str = "corrupt";

pub(in crate::sim::pyromind) fn pause(
    cloud: &mut PyroMind,
    id: &str,
    query: &Query,
    at: Timestamp,
) -> Answer {
    let save = flag(query, "save_checkpoint", true)?;
    let name = query.text("checkpoint_name");
    let job = cloud.job_mut(id).ok_or_else(|| Failure::not_found("training job not found"))?;
    let status = job.status(at);
    if status != JobStatus::Running {
        return Err(Failure::bad_request(format!("cannot pause job in '{}' status", in_errors(status))));
    }
    if save && job.output.output_bucket.contains(FULL) {
        return Err(Failure::failed("failed to save checkpoint: storage write error"));
    }
    let epoch = job.epochs_done(at);
    let made_up = || format!("pause-checkpoint-epoch-{epoch}");
    let checkpoint = save.then(|| name.map_or_else(made_up, str::to_owned));
    if let Some(last) = job.stretches.last_mut() {
        last.pause = Some(Pause { at, checkpoint: checkpoint.clone() });
    }
    let data = json!({
        "job_id": id,
        "status": job.status(at).as_str(),
        "pause_time": at,
        "checkpoint_name": checkpoint,
        "current_epoch": epoch,
    });
    Ok(Success::ok("training job paused successfully", data))
}

pub(in crate::sim::pyromind) fn resume(
    cloud: &mut PyroMind,
    id: &str,
    query: &Query,
    at: Timestamp,
) -> Answer {
    let wanted = query.text("resume_from_checkpoint");
    let reset = flag(query, "reset_learning_rate", false)?;
    let rate = positive_number(query, "new_learning_rate")?;
    if rate.is_some() && !reset {
        return Err(Failure::bad_request("new_learning_rate requires reset_learning_rate=true"));
    }
    let free_gpus = cloud.free_gpus(at);
    let absent = || Failure::not_found("training job or checkpoint not found");
    let job = cloud.job_mut(id).ok_or_else(absent)?;
    match job.status(at) {
        JobStatus::Paused => {}
        JobStatus::Running => return Err(Failure::bad_request("cannot resume running job")),
        status @ (JobStatus::Pending | JobStatus::Success | JobStatus::Failed | JobStatus::Canceled) => {
            let status = in_errors(status);
            return Err(Failure::bad_request(format!("cannot resume job in '{status}' status")));
        }
    }
    let mut saved = job.checkpoints(at);
    let checkpoint = match wanted {
        Some(name) => {
            let found = saved.iter().rposition(|checkpoint| checkpoint.name == name).ok_or_else(absent)?;
            Some(saved.swap_remove(found))
        }
        None => saved.pop(),
    };
    if checkpoint.as_ref().is_some_and(|checkpoint| checkpoint.name.contains(CORRUPT)) {
        return Err(Failure::failed("failed to load checkpoint: corrupted file"));
    }
    if job.resources.gpu > free_gpus {
        return Err(Failure::failed("failed to resume job: insufficient GPU resources"));
    }
    let learning_rate = rate_after(job, reset, rate);
    let name = checkpoint.as_ref().map(|checkpoint| checkpoint.name.clone());
    job.stretches.push(Stretch {
        from: at,
        epoch: checkpoint.map_or(0, |checkpoint| checkpoint.epoch),
        learning_rate,
        checkpoint: name.clone(),
        pause: None,
    });
    let data = json!({
        "job_id": id,
        "status": job.status(at).as_str(),
        "resume_time": at,
        "resumed_from_checkpoint": name,
        "current_learning_rate": learning_rate,
        "estimated_finish_time": job.ending().0,
    });
    Ok(Success::ok("training job resumed successfully", data))
}

/// The learning rate of the next stretch: a new one, after a reset without one the first, else the one before.
fn rate_after(job: &TrainingJob, reset: bool, new: Option<f64>) -> f64 {
    let before = if reset { job.stretches.first() } else { job.stretches.last() };
    new.or_else(|| before.map(|stretch| stretch.learning_rate)).unwrap_or_default()
}
