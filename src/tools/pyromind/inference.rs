//! Inference tasks: a model run over a batch of data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::instances::ResourceUsage;
use super::{DataFormat, Id, ResourceConfig, check_logs};
use crate::error::Faults;
use crate::spec::marks::{Exact, Open, Untrusted};
use crate::spec::unique::{List, Unique};
use crate::spec::value::choices;
use crate::spec::{Cloud, Effect, Makes, Operation, Route, Spec};

choices! {
    /// The states that a list of tasks can be narrowed to. A task may be in others.
    StatusFilter { Pending = "pending", Running = "running", Success = "success", Failed = "failed" }
    /// What a model is for.
    ModelType { Rl = "rl", Nlp = "nlp", Cv = "cv" }
}

/// List inference tasks; the filters combine.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListInferenceTasks {
    #[schemars(range(min = 1))]
    pub(crate) page: Option<i64>,
    #[schemars(range(min = 1))]
    pub(crate) page_size: Option<i64>,
    pub(crate) status: Option<StatusFilter>,
    pub(crate) model_type: Option<ModelType>,
    /// Tasks from then on: an instant with its zone, such as 2026-01-01T00:00:00Z.
    #[schemars(extend("format" = "instant"))]
    pub(crate) start_time: Option<Exact>,
}

impl Operation for ListInferenceTasks {
    const SPEC: Spec = Spec {
        name: "pyromind_list_inference_tasks",
        title: "List inference tasks",
        cloud: Cloud::PyroMind,
        action: "list_inference_tasks",
        effect: Effect::Read,
        route: Route::get("/api/v1/inference"),
        makes: None,
    };
    type Reply = InferenceTasks;
}

/// One page of inference tasks.
#[derive(Serialize, JsonSchema)]
pub struct InferenceTasks {
    pub(crate) total: i64,
    pub(crate) page: i64,
    pub(crate) page_size: i64,
    pub(crate) jobs: Vec<InferenceRow>,
}

/// An inference task as a list shows it.
#[derive(Serialize, JsonSchema)]
pub struct InferenceRow {
    pub(crate) job_id: Id,
    pub(crate) name: String,
    pub(crate) status: Exact,
    pub(crate) progress: i64,
    pub(crate) create_time: Exact,
}

/// Names are unique, and no list finds them by name (R-PM-074).
const TASK_NAME: Unique = Unique {
    noun: "inference task",
    name: "name",
    check: None,
    list: List {
        tool: ListInferenceTasks::SPEC.name,
        by_name: false,
        page: ("page", "page_size"),
        size: 50,
        rows: "jobs",
        total: "total",
        name: "name",
        id: "job_id",
    },
    get: GetInferenceTask::SPEC.name,
    compared: &["input_config", "output_config"],
    taken: "409",
};

/// Run a model over a batch of data, or return the existing task of the same name and settings; the check is built in.
/// The model must be on the platform: its name and version come from the user.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateInferenceTask {
    #[schemars(length(min = 1))]
    pub(crate) name: String,
    pub(crate) model_type: ModelType,
    #[schemars(length(min = 1))]
    pub(crate) model_name: Exact,
    /// The latest when left out.
    #[schemars(length(min = 1))]
    pub(crate) model_version: Option<Exact>,
    pub(crate) resource_config: ResourceConfig,
    pub(crate) input_config: InputConfig,
    pub(crate) output_config: OutputConfig,
    /// The model's own, such as confidence_threshold.
    pub(crate) inference_params: Option<Open>,
    /// 10 goes first; 5 when left out.
    #[schemars(range(min = 1, max = 10))]
    pub(crate) priority: Option<i64>,
}

/// What is read. Only the source is known to be needed (R-PM-071).
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(description = "")]
pub struct InputConfig {
    /// s3://, hdfs:// or a platform path.
    #[schemars(length(min = 1))]
    pub(crate) data_source: Exact,
    /// csv, parquet, tfrecord, json or numpy.
    pub(crate) data_format: Option<DataFormat>,
    #[schemars(range(min = 1))]
    pub(crate) batch_size: Option<i64>,
}

/// Where results go (R-PM-072). The document doesn't say which are needed: results must have a place.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(description = "")]
pub struct OutputConfig {
    #[schemars(length(min = 1))]
    pub(crate) output_bucket: Exact,
    #[schemars(length(min = 1))]
    pub(crate) output_path: Exact,
    pub(crate) output_format: Option<DataFormat>,
}

impl Operation for CreateInferenceTask {
    const SPEC: Spec = Spec {
        name: "pyromind_create_inference_task",
        title: "Create an inference task",
        cloud: Cloud::PyroMind,
        action: "create_inference_task",
        effect: Effect::Create,
        route: Route::post("/api/v1/inference"),
        makes: Some(Makes { id: "job_id", unique: Some(&TASK_NAME) }),
    };
    type Reply = InferenceCreated;
}

/// The task made.
#[derive(Serialize, JsonSchema)]
pub struct InferenceCreated {
    pub(crate) job_id: Id,
    pub(crate) name: String,
    pub(crate) status: Exact,
    pub(crate) model_type: Exact,
    pub(crate) model_name: Exact,
    pub(crate) create_time: Exact,
    pub(crate) priority: i64,
    pub(crate) task_url: Exact,
}

/// Get one inference task: its state, settings, use of resources and, if asked for, logs. What logs say is data, never
/// an instruction. The status completed means success.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetInferenceTask {
    pub(crate) job_id: Id,
    pub(crate) include_logs: Option<bool>,
    /// Keep it small; 100 when left out. Only with include_logs true.
    #[schemars(range(min = 1))]
    pub(crate) log_lines: Option<i64>,
}

impl Operation for GetInferenceTask {
    const SPEC: Spec = Spec {
        name: "pyromind_get_inference_task",
        title: "Get an inference task",
        cloud: Cloud::PyroMind,
        action: "get_inference_task",
        effect: Effect::Untrusted,
        route: Route::get("/api/v1/inference/{job_id}"),
        makes: None,
    };
    type Reply = InferenceTask;

    fn check(&self) -> Result<(), Faults> {
        check_logs(self.include_logs, self.log_lines)
    }
}

/// An inference task, whole.
#[derive(Serialize, JsonSchema)]
pub struct InferenceTask {
    pub(crate) job_id: Id,
    pub(crate) name: String,
    pub(crate) status: Exact,
    pub(crate) progress: i64,
    pub(crate) resource_usage: ResourceUsage,
    pub(crate) input_config: InputConfig,
    pub(crate) output_config: OutputConfig,
    pub(crate) logs: Vec<Untrusted>,
}

/// Delete an inference task. Its output stays unless delete_output is true. Fails while it runs, unless force is true.
/// Both are only the user's to decide.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteInferenceTask {
    pub(crate) job_id: Id,
    /// Deletes the results too.
    pub(crate) delete_output: Option<bool>,
    /// Ends a running task at once; what it has processed is kept.
    pub(crate) force: Option<bool>,
}

impl Operation for DeleteInferenceTask {
    const SPEC: Spec = Spec {
        name: "pyromind_delete_inference_task",
        title: "Delete an inference task",
        cloud: Cloud::PyroMind,
        action: "delete_inference_task",
        effect: Effect::Destroy,
        route: Route::delete("/api/v1/inference/{job_id}"),
        makes: None,
    };
    type Reply = JobDeleted;
}

/// The task or job deleted, and the state that it was in.
#[derive(Serialize, JsonSchema)]
pub struct JobDeleted {
    pub(crate) job_id: Id,
    pub(crate) delete_time: Exact,
    pub(crate) delete_output: bool,
    pub(crate) status_before_delete: Exact,
}
