//! A training job, and its course up to an instant.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{JobStatus, Resources, later};

pub(in crate::sim) const FRAMEWORKS: [&str; 3] = ["pytorch", "tensorflow", "ray"];

/// How many epochs a job trains whose hyperparameters don't say.
pub(in crate::sim) const DEFAULT_EPOCHS: u64 = 10;
/// More than any job trains.
pub(in crate::sim) const MOST_EPOCHS: u64 = 100_000;
/// How many epochs lie between checkpoints when nobody says.
const DEFAULT_SAVE_FREQUENCY: u64 = 10;
/// How long a job runs that finds no data.
const FAILING: SignedDuration = SignedDuration::from_secs(10);

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct TrainingJob {
    pub(in crate::sim) id: String,
    pub(in crate::sim) name: String,
    pub(in crate::sim) framework: String,
    pub(in crate::sim) model_name: String,
    pub(in crate::sim) resources: Resources,
    pub(in crate::sim) data: TrainingData,
    pub(in crate::sim) hyperparameters: Map<String, Value>,
    pub(in crate::sim) output: ModelOutput,
    pub(in crate::sim) log: Option<LogConfig>,
    pub(in crate::sim) priority: u64,
    /// How long it may run, its pauses not counted.
    pub(in crate::sim) limit: SignedDuration,
    pub(in crate::sim) created: Timestamp,
    pub(in crate::sim) epochs: u64,
    /// How long an epoch takes: whole seconds.
    pub(in crate::sim) epoch: SignedDuration,
    /// The first begins when it first runs, each other with a resume.
    pub(in crate::sim) stretches: Vec<Stretch>,
    /// When somebody canceled it, if somebody did.
    pub(in crate::sim) canceled: Option<Timestamp>,
    /// Whether there is nothing at its data source, so that it fails.
    pub(in crate::sim) data_missing: bool,
    /// Whether it waits for resources that never come.
    pub(in crate::sim) never_starts: bool,
    /// Whether its log ends in an attack on whoever reads it.
    pub(in crate::sim) hostile: bool,
}

/// What a job trains on.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct TrainingData {
    pub(in crate::sim) train_data_source: String,
    pub(in crate::sim) val_data_source: Option<String>,
    pub(in crate::sim) data_format: Option<String>,
}

/// Where models and checkpoints go.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct ModelOutput {
    pub(in crate::sim) output_bucket: String,
    pub(in crate::sim) output_path: String,
    pub(in crate::sim) save_frequency: Option<u64>,
}

/// How a job logs.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct LogConfig {
    pub(in crate::sim) log_tool: Option<String>,
    pub(in crate::sim) log_path: Option<String>,
}

/// Training without a break.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct Stretch {
    pub(in crate::sim) from: Timestamp,
    /// How many epochs were done when it began.
    pub(in crate::sim) epoch: u64,
    pub(in crate::sim) learning_rate: f64,
    /// The checkpoint that it began with; none for a beginning from nothing.
    pub(in crate::sim) checkpoint: Option<String>,
    /// What ended it, unless the job itself has ended.
    pub(in crate::sim) pause: Option<Pause>,
}

/// A pause, and the checkpoint that was saved for it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct Pause {
    pub(in crate::sim) at: Timestamp,
    pub(in crate::sim) checkpoint: Option<String>,
}

/// What a job can be resumed from.
pub(in crate::sim) struct Checkpoint {
    pub(in crate::sim) name: String,
    /// How many epochs were done.
    pub(in crate::sim) epoch: u64,
}

/// How the last stretch ends if nobody interferes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum Ending {
    Finishes,
    NoData,
    OverTime,
}

impl TrainingJob {
    pub(in crate::sim) fn status(&self, at: Timestamp) -> JobStatus {
        let Some(last) = self.stretches.last().filter(|last| last.from <= at && !self.never_starts) else {
            return JobStatus::Pending;
        };
        let (ends, ending) = self.ending();
        if self.canceled.is_some_and(|canceled| canceled <= at) {
            JobStatus::Canceled
        } else if last.pause.as_ref().is_some_and(|pause| pause.at <= at) {
            JobStatus::Paused
        } else if at < ends {
            JobStatus::Running
        } else {
            match ending {
                Ending::Finishes => JobStatus::Success,
                Ending::NoData | Ending::OverTime => JobStatus::Failed,
            }
        }
    }

    /// When and how the last stretch ends, if nobody pauses or cancels it.
    pub(in crate::sim) fn ending(&self) -> (Timestamp, Ending) {
        let Some(last) = self.stretches.last() else { return (Timestamp::MAX, Ending::Finishes) };
        let ran = self
            .stretches
            .iter()
            .filter_map(|stretch| stretch.pause.as_ref().map(|pause| pause.at.duration_since(stretch.from)));
        // A pause of the last stretch doesn't count as time that it had before.
        let before = match last.pause {
            Some(_) => ran.take(self.stretches.len() - 1).sum::<SignedDuration>(),
            None => ran.sum(),
        };
        let left = i64::try_from(self.epochs.saturating_sub(last.epoch)).unwrap_or(i64::MAX);
        let finish = later(last.from, SignedDuration::from_secs(self.epoch.as_secs().saturating_mul(left)));
        let over = later(last.from, self.limit.saturating_sub(before).max(SignedDuration::ZERO));
        if self.data_missing {
            (later(last.from, FAILING), Ending::NoData)
        } else if over < finish {
            (over, Ending::OverTime)
        } else {
            (finish, Ending::Finishes)
        }
    }

    /// Until when the stretch at `index` trains, seen at `at`.
    fn until(&self, index: usize, at: Timestamp) -> Timestamp {
        let pause = self.stretches.get(index).and_then(|stretch| stretch.pause.as_ref());
        let own = match pause {
            Some(pause) => pause.at,
            None => self.ending().0,
        };
        own.min(at).min(self.canceled.unwrap_or(Timestamp::MAX))
    }

    /// How many epochs are done at `at`.
    pub(in crate::sim) fn epochs_done(&self, at: Timestamp) -> u64 {
        let running = self.stretches.len().saturating_sub(1);
        self.stretches.get(running).map_or(0, |last| self.done_in(last, running, at))
    }

    fn done_in(&self, stretch: &Stretch, index: usize, at: Timestamp) -> u64 {
        if self.data_missing || self.never_starts {
            return stretch.epoch;
        }
        let trained = self.until(index, at).duration_since(stretch.from).as_secs().max(0);
        let more = trained.checked_div(self.epoch.as_secs()).unwrap_or_default();
        stretch.epoch.saturating_add(more.unsigned_abs()).min(self.epochs)
    }

    /// In whole percent of the epochs.
    pub(in crate::sim) fn progress(&self, at: Timestamp) -> u64 {
        self.epochs_done(at).saturating_mul(100).checked_div(self.epochs).unwrap_or_default()
    }

    /// The epochs done in each stretch with the instants at which they ended.
    pub(in crate::sim) fn epochs_of(
        &self,
        index: usize,
        at: Timestamp,
    ) -> impl Iterator<Item = (u64, Timestamp)> {
        let stretch = self.stretches.get(index);
        let done = stretch.map_or(0, |stretch| self.done_in(stretch, index, at));
        let (from, first) = stretch.map_or((at, 0), |stretch| (stretch.from, stretch.epoch));
        let lasts = self.epoch.as_secs();
        (first + 1..=done).zip(1..).map(move |(epoch, nth): (u64, i64)| {
            (epoch, later(from, SignedDuration::from_secs(lasts.saturating_mul(nth))))
        })
    }

    /// Whether a checkpoint is saved after this epoch.
    pub(in crate::sim) fn saves_after(&self, epoch: u64) -> bool {
        epoch.is_multiple_of(self.output.save_frequency.unwrap_or(DEFAULT_SAVE_FREQUENCY))
    }

    /// The checkpoints saved by `at`, the latest last.
    pub(in crate::sim) fn checkpoints(&self, at: Timestamp) -> Vec<Checkpoint> {
        let mut saved = Vec::new();
        for (index, stretch) in self.stretches.iter().enumerate() {
            saved.extend(
                self.epochs_of(index, at)
                    .filter(|(epoch, _)| self.saves_after(*epoch))
                    .map(|(epoch, _)| Checkpoint { name: periodic(epoch), epoch }),
            );
            if let Some(Pause { checkpoint: Some(name), .. }) = &stretch.pause {
                let epoch = self.done_in(stretch, index, at);
                saved.push(Checkpoint { name: name.clone(), epoch });
            }
        }
        saved
    }

    pub(super) fn holds_gpus(&self, at: Timestamp) -> bool {
        !self.never_starts && self.status(at).holds_gpus()
    }
}

/// The name of the checkpoint that is saved after an epoch.
pub(in crate::sim) fn periodic(epoch: u64) -> String {
    format!("checkpoint-epoch-{epoch}")
}
