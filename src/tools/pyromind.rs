//! PyroMind 1.0.0: sandboxes, instances, inference tasks and training jobs.
//!
//! Parameters, reply fields and messages come from its API document. Where that gives no bound, the one here is the
//! least that makes sense; what it leaves open, such as the kinds of sandboxes, stays open here.

pub mod inference;
pub mod instance_changes;
pub mod instances;
pub mod sandboxes;
pub mod training;
pub mod training_changes;

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_with::skip_serializing_none;

use crate::error::Faults;
use crate::spec::Tool;

/// Sandboxes.
pub static SANDBOXES: [Tool; 7] = [
    Tool::of::<sandboxes::CreateSandbox>(),
    Tool::of::<sandboxes::DeleteSandbox>(),
    Tool::of::<sandboxes::ExecuteSandboxAction>(),
    Tool::of::<sandboxes::ExecuteSandboxBatchActions>(),
    Tool::of::<sandboxes::GetSandbox>(),
    Tool::of::<sandboxes::GetSandboxVnc>(),
    Tool::of::<sandboxes::ListSandboxes>(),
];

/// Instances.
pub static INSTANCES: [Tool; 8] = [
    Tool::of::<instances::CreateInstance>(),
    Tool::of::<instance_changes::DeleteInstance>(),
    Tool::of::<instance_changes::EditInstance>(),
    Tool::of::<instances::GetInstance>(),
    Tool::of::<instances::GetInstanceAccessToken>(),
    Tool::of::<instances::ListInstances>(),
    Tool::of::<instance_changes::PauseInstance>(),
    Tool::of::<instance_changes::ResumeInstance>(),
];

/// Inference tasks.
pub static INFERENCE: [Tool; 4] = [
    Tool::of::<inference::CreateInferenceTask>(),
    Tool::of::<inference::DeleteInferenceTask>(),
    Tool::of::<inference::GetInferenceTask>(),
    Tool::of::<inference::ListInferenceTasks>(),
];

/// Training jobs.
pub static TRAINING: [Tool; 6] = [
    Tool::of::<training_changes::DeleteTrainingJob>(),
    Tool::of::<training::GetTrainingJob>(),
    Tool::of::<training::ListTrainingJobs>(),
    Tool::of::<training_changes::PauseTrainingJob>(),
    Tool::of::<training_changes::ResumeTrainingJob>(),
    Tool::of::<training::SubmitTrainingJob>(),
];

/// An id that PyroMind made up. It is opaque, but a slash or a blank is in none of them (R-PM-017).
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub struct Id(String);

impl JsonSchema for Id {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Id".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": r"^[^/\s]+$", "x-exact": true })
    }
}

/// A file format in which data is read and written (R-PM-108). The documented ones are lower-case on the wire, however
/// they were given; others are sent as they are.
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline, description = "")]
pub struct DataFormat(#[schemars(length(min = 1), extend("x-exact" = true))] String);

/// The documented formats.
const FORMATS: [&str; 5] = ["csv", "parquet", "tfrecord", "json", "numpy"];

impl<'de> Deserialize<'de> for DataFormat {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = String::deserialize(deserializer)?;
        let known = FORMATS.into_iter().find(|known| known.eq_ignore_ascii_case(&given));
        Ok(Self(known.map_or(given, str::to_owned)))
    }
}

/// Whether the number that `value` is, if it is one, is greater than 0.
fn is_positive(value: &Value) -> bool {
    value.as_f64().is_some_and(|number| number > 0.0)
}

/// Log lines are asked for only with the logs (R-PM-080).
fn check_logs(include_logs: Option<bool>, log_lines: Option<i64>) -> Result<(), Faults> {
    let mut faults = Faults::default();
    faults.demand(
        log_lines.is_none() || include_logs == Some(true),
        "log_lines",
        "counts only with include_logs true",
        "set include_logs true, or leave log_lines out",
    );
    faults.into_result()
}

/// The machine that is asked for, or was given (R-PM-010, R-PM-042). The document doesn't say which of the three
/// are needed: a machine without processors or memory makes no sense, one without GPUs does.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(description = "")]
pub struct ResourceConfig {
    #[schemars(range(min = 1))]
    pub(crate) cpu: i64,
    /// Presumably in GiB.
    #[schemars(range(min = 1))]
    pub(crate) memory: i64,
    #[schemars(range(min = 0))]
    pub(crate) gpu: Option<i64>,
}

/// What of a machine is to change; what isn't given stays. The document doesn't say that all three are needed.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(description = "")]
pub struct ResourceChange {
    #[schemars(range(min = 1))]
    pub(crate) cpu: Option<i64>,
    /// Presumably in GiB.
    #[schemars(range(min = 1))]
    pub(crate) memory: Option<i64>,
    #[schemars(range(min = 0))]
    pub(crate) gpu: Option<i64>,
}

impl ResourceChange {
    /// Finds that nothing is to change.
    fn check(&self, faults: &mut Faults) {
        let given = self.cpu.or(self.memory).or(self.gpu).is_some();
        faults.demand(given, "resource_config", "says nothing", "give cpu, memory or gpu, or leave it out");
    }
}
