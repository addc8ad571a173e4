//! A job's course up to an instant: the stages that have begun, and what follows from them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::lifecycle::{self, JobStatus, Stage};
use crate::sim::reply::object;
use crate::sim::world::Job;

/// A job's stages up to an instant.
pub(super) struct Course {
    at: Timestamp,
    stages: Vec<Stage>,
}

impl Course {
    pub(super) fn new(job: &Job, at: Timestamp) -> Self {
        Self { at, stages: lifecycle::stages(job, at) }
    }

    /// The instant at which the job is looked at.
    pub(super) fn at(&self) -> Timestamp {
        self.at
    }

    pub(super) fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// The stage that the job is in.
    pub(super) fn last(&self) -> Option<&Stage> {
        self.stages.last()
    }

    pub(super) fn since(&self, status: JobStatus) -> Option<Timestamp> {
        self.stages.iter().find(|stage| stage.status == status).map(|stage| stage.from)
    }

    /// The stage that ended the run, if one did.
    pub(super) fn after_running(&self) -> Option<&Stage> {
        self.stages.iter().skip_while(|stage| stage.status != JobStatus::Running).nth(1)
    }

    /// When the last stage began, if no other can follow.
    pub(super) fn finish(&self) -> Option<Timestamp> {
        self.stages.last().filter(|stage| stage.status.is_final()).map(|stage| stage.from)
    }

    /// Whole seconds from `from` to the end, or to now.
    pub(super) fn lasted(&self, from: Timestamp) -> i64 {
        self.finish().unwrap_or(self.at).duration_since(from).as_secs().max(0)
    }

    /// `StatusHistory` as GetJob shows it.
    pub(super) fn history(&self) -> Value {
        let ends = self.stages.iter().skip(1).map(|next| Some(json!(next.from))).chain([None]);
        let items = self.stages.iter().zip(ends).map(|(stage, end)| {
            Value::Object(object([
                ("Status", Some(json!(stage.status.as_str()))),
                ("StartTime", Some(json!(stage.from))),
                ("EndTime", end),
                ("ReasonCode", Some(json!(stage.code))),
                ("ReasonMessage", Some(json!(stage.message))),
            ]))
        });
        items.collect()
    }
}
