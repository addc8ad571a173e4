//! Limits that an operator sets.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::Tunable;
use crate::policy::load::example::Example;

rule! {
    /// How much may be asked for, and where.
    pub struct Budget {
        /// The tools bound; all when absent.
        pub tools: Option<BTreeSet<String>>,
        /// The limits.
        pub limits: Limits,
    }
}

/// The limits of a budget. Each binds the tools that ask for such a thing.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// The most GPUs that one call asks for, over all its pods.
    pub gpus: Option<u64>,
    /// The most pods of one job.
    pub pods: Option<u64>,
    /// The most jobs, tasks, sandboxes and instances, each counted for itself, that are under way in a region.
    pub running: Option<u64>,
    /// The most calls to the clouds within a minute, the policy's own reads among them.
    pub calls_per_minute: Option<u64>,
    /// The longest that what is started may run, in minutes; a limit must then be given.
    pub minutes: Option<u64>,
    /// The regions that may be called.
    pub regions: Option<BTreeSet<String>>,
    /// The workspaces that may be named.
    pub workspaces: Option<BTreeSet<String>>,
    /// What the addresses of images begin with: whole steps of them.
    pub images: Option<BTreeSet<String>>,
}

impl Limits {
    /// The limits that are numbers, by their names.
    pub const fn numbers(&self) -> [(&'static str, Option<u64>); 5] {
        [
            ("gpus", self.gpus),
            ("pods", self.pods),
            ("running", self.running),
            ("calls_per_minute", self.calls_per_minute),
            ("minutes", self.minutes),
        ]
    }

    /// The limits that are lists of what is allowed, by their names.
    pub const fn lists(&self) -> [(&'static str, Option<&BTreeSet<String>>); 3] {
        [
            ("regions", self.regions.as_ref()),
            ("workspaces", self.workspaces.as_ref()),
            ("images", self.images.as_ref()),
        ]
    }

    /// The same, with each limit replaced that `other` gives.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            gpus: other.gpus.or(self.gpus),
            pods: other.pods.or(self.pods),
            running: other.running.or(self.running),
            calls_per_minute: other.calls_per_minute.or(self.calls_per_minute),
            minutes: other.minutes.or(self.minutes),
            regions: other.regions.or(self.regions),
            workspaces: other.workspaces.or(self.workspaces),
            images: other.images.or(self.images),
        }
    }
}
