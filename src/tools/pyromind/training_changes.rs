//! Training jobs changed: paused, resumed, deleted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Number;
use serde_with::skip_serializing_none;

use super::Id;
use super::inference::JobDeleted;
use crate::error::Faults;
use crate::spec::marks::Exact;
use crate::spec::{Cloud, Effect, Operation, Route, Spec};

/// Delete a training job. Models, checkpoints and logs stay unless delete_output or delete_logs is true. Fails while it
/// runs, unless force is true; pausing first is safer. All three are only the user's to decide.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteTrainingJob {
    pub(crate) job_id: Id,
    /// Deletes models and checkpoints too.
    pub(crate) delete_output: Option<bool>,
    pub(crate) delete_logs: Option<bool>,
    /// Ends a running job at once; partial checkpoints may be corrupted.
    pub(crate) force: Option<bool>,
}

impl Operation for DeleteTrainingJob {
    const SPEC: Spec = Spec {
        name: "pyromind_delete_training_job",
        title: "Delete a training job",
        cloud: Cloud::PyroMind,
        action: "delete_training_job",
        effect: Effect::Destroy,
        route: Route::delete("/api/v1/training/jobs/{job_id}"),
        makes: None,
    };
    /// That logs were deleted isn't repeated.
    type Reply = JobDeleted;
}

/// Pause a running training job: it then uses no compute. A finished one (success, completed, failed, canceled) can't
/// be paused. applied says whether a look afterwards shows it paused.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseTrainingJob {
    pub(crate) job_id: Id,
    /// True when left out; false only if the user wants it.
    pub(crate) save_checkpoint: Option<bool>,
    /// Made up by the service when left out. Not with save_checkpoint false.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub(crate) checkpoint_name: Option<Exact>,
}

/// An empty name is none: the service makes one up (R-PM-098).
fn is_empty(name: &Option<Exact>) -> bool {
    name.as_ref().is_none_or(|name| name.as_str().is_empty())
}

impl Operation for PauseTrainingJob {
    const SPEC: Spec = Spec {
        name: "pyromind_pause_training_job",
        title: "Pause a training job",
        cloud: Cloud::PyroMind,
        action: "pause_training_job",
        effect: Effect::Act,
        route: Route::post_query("/api/v1/training/jobs/{job_id}/pause"),
        makes: None,
    };
    type Reply = TrainingPaused;

    fn check(&self) -> Result<(), Faults> {
        let mut faults = Faults::default();
        faults.demand(
            is_empty(&self.checkpoint_name) || self.save_checkpoint != Some(false),
            "checkpoint_name",
            "names a checkpoint that isn't saved",
            "leave save_checkpoint out to save one, or leave checkpoint_name out",
        );
        faults.into_result()
    }
}

/// The job paused. What the checkpoint is called is how a resume finds it.
#[derive(Serialize, JsonSchema)]
pub struct TrainingPaused {
    pub(crate) job_id: Id,
    pub(crate) status: Exact,
    pub(crate) pause_time: Exact,
    pub(crate) checkpoint_name: Exact,
    pub(crate) current_epoch: i64,
}

/// Resume a paused training job. A checkpoint's name comes from the user or from the pause; never make one up, and
/// never take another where it fails. applied says whether a look afterwards shows it.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResumeTrainingJob {
    pub(crate) job_id: Id,
    /// The latest when left out.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub(crate) resume_from_checkpoint: Option<Exact>,
    pub(crate) reset_learning_rate: Option<bool>,
    /// Greater than 0. Only with reset_learning_rate true.
    pub(crate) new_learning_rate: Option<Number>,
}

impl Operation for ResumeTrainingJob {
    const SPEC: Spec = Spec {
        name: "pyromind_resume_training_job",
        title: "Resume a training job",
        cloud: Cloud::PyroMind,
        action: "resume_training_job",
        effect: Effect::Act,
        route: Route::post_query("/api/v1/training/jobs/{job_id}/resume"),
        makes: None,
    };
    type Reply = TrainingResumed;

    /// R-PM-101, R-PM-102
    fn check(&self) -> Result<(), Faults> {
        let mut faults = Faults::default();
        faults.demand(
            self.new_learning_rate.is_none() || self.reset_learning_rate == Some(true),
            "new_learning_rate",
            "counts only with reset_learning_rate true",
            "set reset_learning_rate true, or leave new_learning_rate out",
        );
        let positive = |rate: &Number| rate.as_f64().is_some_and(|rate| rate > 0.0);
        faults.demand(
            self.new_learning_rate.as_ref().is_none_or(positive),
            "new_learning_rate",
            "isn't greater than 0",
            "give a positive number, such as 0.0002",
        );
        faults.into_result()
    }
}

/// The job resumed, from where and how.
#[derive(Serialize, JsonSchema)]
pub struct TrainingResumed {
    pub(crate) job_id: Id,
    pub(crate) status: Exact,
    pub(crate) resume_time: Exact,
    pub(crate) resumed_from_checkpoint: Exact,
    pub(crate) current_learning_rate: Number,
    pub(crate) estimated_finish_time: Exact,
}
