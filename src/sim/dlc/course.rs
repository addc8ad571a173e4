//! A job's course up to an instant: the stages that have begun, and what follows from them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::lifecycle::{self, JobStatus, Stage};
use crate::sim::reply::object;
use crate::sim::world::Job;

/// A job's stages up to an instant.
pub(super) struct Course<'a> {
    at: Timestamp,
    stages: Vec<Stage<'a>>,
}

impl<'a> Course<'a> {
    pub(super) fn new(job: &'a Job, at: Timestamp) -> Self {
        Self { at, stages: lifecycle::stages(job, at) }
    }

    /// The instant at which the job is looked at.
    pub(super) fn at(&self) -> Timestamp {
        self.at
    }

    pub(super) fn stages(&self) -> &[Stage<'a>] {
        &self.stages
    }

    /// The stage that the job is in.
    pub(super) fn last(&self) -> Option<&Stage<'a>> {
        self.stages.last()
    }

    pub(super) fn since(&self, status: JobStatus) -> Option<Timestamp> {
        self.stages.iter().find(|stage| stage.status == status).map(|stage| stage.from)
    }

    /// The stage that ended the last run, if one did.
    pub(super) fn after_running(&self) -> Option<&Stage<'a>> {
        let last = self.stages.iter().rposition(|stage| stage.status == JobStatus::Running)?;
        self.stages.get(last + 1)
    }

    /// The restarts: each with the instant at which the job runs again, if it does by now.
    pub(super) fn restarts(&self) -> impl Iterator<Item = (&Stage<'a>, Option<Timestamp>)> {
        let next = self.stages.iter().skip(1).map(|stage| Some(stage.from)).chain([None]);
        self.stages.iter().zip(next).filter(|(stage, _)| stage.status == JobStatus::Restarting)
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
