//! An inference task, and its state at an instant.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{JobStatus, PENDING, Resources, later};

/// The models on the platform, and the versions of each.
pub(in crate::sim) const MODELS: [(&str, &[&str]); 3] = [
    ("ppo-traffic-control-v3", &["v3.1", "v3.2"]),
    ("dispatch-planner", &["v1"]),
    ("shelf-detector", &["v2"]),
];

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct InferenceTask {
    pub(in crate::sim) id: String,
    pub(in crate::sim) name: String,
    pub(in crate::sim) model_type: String,
    pub(in crate::sim) model_name: String,
    pub(in crate::sim) model_version: Option<String>,
    pub(in crate::sim) resources: Resources,
    pub(in crate::sim) input: Input,
    pub(in crate::sim) output: Output,
    pub(in crate::sim) params: Map<String, Value>,
    pub(in crate::sim) priority: u64,
    pub(in crate::sim) created: Timestamp,
    /// How long it runs.
    pub(in crate::sim) run: SignedDuration,
    /// Whether there is nothing at its data source, so that it fails.
    pub(in crate::sim) input_missing: bool,
    /// Whether it waits for resources that never come.
    pub(in crate::sim) never_starts: bool,
}

/// What a task reads, as the wire has it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct Input {
    pub(in crate::sim) data_source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::sim) data_format: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::sim) batch_size: Option<u64>,
}

/// Where a task writes, as the wire has it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct Output {
    pub(in crate::sim) output_bucket: String,
    pub(in crate::sim) output_path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::sim) output_format: Option<String>,
}

impl InferenceTask {
    pub(in crate::sim) fn started(&self) -> Timestamp {
        later(self.created, PENDING)
    }

    pub(in crate::sim) fn ends(&self) -> Timestamp {
        later(self.started(), self.run)
    }

    pub(in crate::sim) fn status(&self, at: Timestamp) -> JobStatus {
        if self.never_starts || at < self.started() {
            JobStatus::Pending
        } else if at < self.ends() {
            JobStatus::Running
        } else if self.input_missing {
            JobStatus::Failed
        } else {
            JobStatus::Success
        }
    }

    /// In whole percent.
    pub(in crate::sim) fn progress(&self, at: Timestamp) -> i64 {
        match self.status(at) {
            JobStatus::Success => 100,
            JobStatus::Running if !self.input_missing => {
                let done = at.duration_since(self.started()).as_secs().saturating_mul(100);
                done.checked_div(self.run.as_secs()).unwrap_or_default()
            }
            JobStatus::Running
            | JobStatus::Pending
            | JobStatus::Failed
            | JobStatus::Canceled
            | JobStatus::Paused => 0,
        }
    }

    pub(super) fn holds_gpus(&self, at: Timestamp) -> bool {
        !self.never_starts && self.status(at).holds_gpus()
    }
}
