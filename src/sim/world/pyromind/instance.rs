//! An instance, and its status at an instant.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{PENDING, Resources, later};

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct Instance {
    pub(in crate::sim) id: String,
    pub(in crate::sim) name: String,
    pub(in crate::sim) resource_type: String,
    pub(in crate::sim) resources: Resources,
    /// As its creator or its last editor asked: a resume may not exceed it.
    pub(in crate::sim) requested: Resources,
    pub(in crate::sim) image: String,
    pub(in crate::sim) created: Timestamp,
    /// From here on it is stopped.
    pub(in crate::sim) expires: Timestamp,
    /// When it stopped for good, if an edit has moved `expires` since.
    pub(in crate::sim) stopped: Option<Timestamp>,
    pub(in crate::sim) mount: Option<Mount>,
    /// When somebody chose its password; the password itself isn't kept. Never: it was generated.
    pub(in crate::sim) password_chosen: Option<Timestamp>,
    /// Since when it is paused, if it is.
    pub(in crate::sim) paused: Option<Timestamp>,
    pub(in crate::sim) resumes: u64,
    pub(in crate::sim) checkpoints: u64,
    pub(in crate::sim) quirk: Option<InstanceQuirk>,
}

impl Instance {
    pub(in crate::sim) fn status(&self, at: Timestamp) -> InstanceStatus {
        if self.quirk == Some(InstanceQuirk::Broken) {
            InstanceStatus::Error
        } else if self.stopped.is_some_and(|stopped| stopped <= at) || self.expires <= at {
            InstanceStatus::Stopped
        } else if self.paused.is_some() {
            InstanceStatus::Paused
        } else if at < self.started() {
            InstanceStatus::Pending
        } else {
            InstanceStatus::Running
        }
    }

    /// When it first runs.
    pub(in crate::sim) fn started(&self) -> Timestamp {
        later(self.created, PENDING)
    }

    pub(in crate::sim) fn has_running_tasks(&self, at: Timestamp) -> bool {
        self.quirk == Some(InstanceQuirk::Busy) && self.status(at) == InstanceStatus::Running
    }

    pub(in crate::sim) fn holds_gpus(&self, at: Timestamp) -> bool {
        match self.status(at) {
            InstanceStatus::Pending | InstanceStatus::Running | InstanceStatus::Error => true,
            InstanceStatus::Paused | InstanceStatus::Stopped => false,
        }
    }

    /// The address of its user interface; each resume makes a new one.
    pub(in crate::sim) fn access_url(&self) -> String {
        let base = format!("https://instances.pyromind.ai/{}", self.id);
        if self.resumes == 0 { base } else { format!("{base}-{}", self.resumes) }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum InstanceStatus {
    Pending,
    Running,
    Paused,
    Stopped,
    Error,
}

impl InstanceStatus {
    pub(in crate::sim) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
            Self::Error => "error",
        }
    }
}

/// Storage that an instance sees at a path.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct Mount {
    pub(in crate::sim) bucket_name: String,
    pub(in crate::sim) mount_path: String,
}

/// What is particular to a seeded instance, for good.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) enum InstanceQuirk {
    /// It is in error.
    Broken,
    /// While it runs, it has running tasks.
    Busy,
    /// Its checkpoints can't be saved.
    CheckpointStorageDown,
    /// No token can be had for it.
    AuthServiceDown,
}
