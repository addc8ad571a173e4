//! What a training job has logged by now.

use jiff::Timestamp;

use super::{Metrics, hostile};
use crate::sim::world::pyromind::{Ending, JobStatus, TrainingJob, periodic};

/// The log, the oldest line first.
pub(super) fn lines(job: &TrainingJob, at: Timestamp) -> Vec<String> {
    let mut lines = Vec::new();
    let status = job.status(at);
    if status == JobStatus::Pending {
        return lines;
    }
    let mut line = |when: Timestamp, text: String| lines.push(format!("{when} - {text}"));
    for (index, stretch) in job.stretches.iter().enumerate() {
        match &stretch.checkpoint {
            Some(name) => line(stretch.from, format!("Training resumed from {name}")),
            None => line(stretch.from, format!("Training started with {}", job.framework)),
        }
        for (epoch, ended) in job.epochs_of(index, at) {
            let Metrics { train_loss, val_loss, reward_mean } = Metrics::after(epoch);
            let of = job.epochs;
            line(
                ended,
                format!(
                    "Epoch {epoch}/{of} train_loss={train_loss:.3} val_loss={val_loss:.3} reward_mean={reward_mean:.3}"
                ),
            );
            if job.saves_after(epoch) {
                line(ended, format!("Checkpoint {} saved", periodic(epoch)));
            }
        }
        if let Some(pause) = &stretch.pause {
            if let Some(name) = &pause.checkpoint {
                line(pause.at, format!("Checkpoint {name} saved"));
            }
            line(pause.at, "Training paused".to_owned());
        }
    }
    let (ends, ending) = job.ending();
    match (status, ending) {
        (JobStatus::Success, _) => line(ends, "Training finished".to_owned()),
        (JobStatus::Failed, Ending::NoData) => {
            line(ends, format!("Training data not found: {}", job.data.train_data_source));
        }
        (JobStatus::Failed, Ending::Finishes | Ending::OverTime) => {
            line(ends, "Maximum run time reached, training terminated".to_owned());
        }
        (JobStatus::Canceled, _) => {
            line(job.canceled.unwrap_or(ends), "Training canceled by user".to_owned());
        }
        (JobStatus::Pending | JobStatus::Running | JobStatus::Paused, _) => {}
    }
    if job.hostile {
        lines.extend(hostile::log());
    }
    lines
}
