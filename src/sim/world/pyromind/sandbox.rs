//! A sandbox, and its status at an instant.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{PENDING, Resources, later};

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct Sandbox {
    pub(in crate::sim) id: String,
    pub(in crate::sim) name: String,
    pub(in crate::sim) sandbox_type: String,
    pub(in crate::sim) resources: Resources,
    pub(in crate::sim) screen: Screen,
    pub(in crate::sim) created: Timestamp,
    /// From here on it isn't there any more.
    pub(in crate::sim) expires: Timestamp,
    /// Starts and stops. A batch in sequence plans some that are yet to come.
    pub(in crate::sim) power: Vec<Power>,
    /// Its tasks run until then.
    pub(in crate::sim) busy_until: Option<Timestamp>,
    pub(in crate::sim) vnc: Vnc,
    pub(in crate::sim) quirk: Option<SandboxQuirk>,
}

impl Sandbox {
    pub(in crate::sim) fn status(&self, at: Timestamp) -> SandboxStatus {
        match self.quirk {
            Some(SandboxQuirk::NeverStarts) => return SandboxStatus::Pending,
            Some(SandboxQuirk::Unresponsive) => return SandboxStatus::Error,
            Some(SandboxQuirk::VncDown) | None => {}
        }
        let past = self.power.iter().filter(|power| power.instant() <= at);
        match past.max_by_key(|power| power.instant()) {
            Some(Power::Stopped(_)) => SandboxStatus::Stopped,
            Some(Power::Started(from)) if at >= later(*from, PENDING) => SandboxStatus::Running,
            Some(Power::Started(_)) | None => SandboxStatus::Pending,
        }
    }

    pub(in crate::sim) fn has_running_tasks(&self, at: Timestamp) -> bool {
        self.busy_until.is_some_and(|until| at < until)
    }

    /// One that waits for resources forever holds none.
    pub(super) fn holds_gpus(&self, at: Timestamp) -> bool {
        self.quirk != Some(SandboxQuirk::NeverStarts) && self.status(at) != SandboxStatus::Stopped
    }
}

/// A start or a stop, and its instant.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(in crate::sim) enum Power {
    Started(Timestamp),
    Stopped(Timestamp),
}

impl Power {
    pub(super) fn instant(self) -> Timestamp {
        match self {
            Self::Started(at) | Self::Stopped(at) => at,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum SandboxStatus {
    Pending,
    Running,
    Stopped,
    Error,
}

impl SandboxStatus {
    pub(in crate::sim) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Error => "error",
        }
    }
}

/// Pixels, as the wire has them.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct Screen {
    pub(in crate::sim) width: u64,
    pub(in crate::sim) height: u64,
}

impl Default for Screen {
    fn default() -> Self {
        Self { width: 1920, height: 1080 }
    }
}

/// Which VNC password is in force: the password itself derives from this.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct Vnc {
    pub(in crate::sim) issued: Timestamp,
    pub(in crate::sim) refreshes: u64,
}

/// What is particular to a seeded sandbox, for good.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) enum SandboxQuirk {
    /// It waits for resources that never come.
    NeverStarts,
    /// It is in error and answers to no action.
    Unresponsive,
    /// It runs, but its VNC information can't be had.
    VncDown,
}
