//! Training jobs.
//!
//! Parameters, reply fields and enums: the official SDK of PAI-DLC 2020-12-03, version 1.11.6. What is narrower
//! than the SDK comes from the PAI-DLC skill; its rule stands beside it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};
use serde_with::skip_serializing_none;

use super::job_check::Parts;
use super::job_detail::{
    JobCodeSource, JobDataSource, JobReplicaStatus, JobVpc, Pod, RestartRecord, StatusTransition,
};
use super::job_settings::{
    CodeSource, CredentialConfig, CustomEnv, DataSource, ElasticSpec, JobSettings, UserVpc,
};
use super::job_spec::JobSpec;
use crate::error::Faults;
use crate::spec::marks::{EnvValues, Exact, Last4, Path};
use crate::spec::value::{RegionId, TemplateId, WorkspaceId, choices};
use crate::spec::{Cloud, Effect, Makes, Operation, Route, Spec};
use crate::tools::aiworkspace::assets::Accessibility;

choices! {
    /// A framework that runs a job.
    JobType {
        TfJob = "TFJob",
        PyTorchJob = "PyTorchJob",
        MpiJob = "MPIJob",
        XgBoostJob = "XGBoostJob",
        OneFlowJob = "OneFlowJob",
        ElasticBatchJob = "ElasticBatchJob",
        SlurmJob = "SlurmJob",
        RayJob = "RayJob",
        DataJuicerJob = "DataJuicerJob",
    }
    /// Whose success is the job's success.
    SuccessPolicy { ChiefWorker = "ChiefWorker", AllWorkers = "AllWorkers" }
}

impl JobType {
    /// Whether a job of this type can have the role `name`: the SDK's list where it has one, else the five of
    /// the skill (R-DLC-27).
    pub(super) fn has_role(self, name: &str) -> bool {
        match self {
            Self::TfJob => matches!(name, "Chief" | "PS" | "Worker" | "Evaluator" | "GraphLearn"),
            Self::PyTorchJob | Self::XgBoostJob | Self::OneFlowJob | Self::ElasticBatchJob => {
                matches!(name, "Worker" | "Master")
            }
            Self::RayJob => matches!(name, "Head" | "Worker") || name.starts_with("Worker-"),
            Self::MpiJob | Self::SlurmJob | Self::DataJuicerJob => {
                matches!(name, "Worker" | "PS" | "Master" | "Evaluator" | "Chief")
            }
        }
    }
}

/// Submit a training job. First list workspaces and images: WorkspaceId and every Image must come from there; the user
/// gives ResourceId. JobType, JobSpecs and UserCommand are required unless TemplateId is given.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateJob {
    pub(crate) region_id: RegionId,
    pub(crate) workspace_id: WorkspaceId,
    #[schemars(length(min = 1, max = 1024))]
    pub(crate) display_name: String,
    pub(crate) job_type: Option<JobType>,
    #[schemars(length(min = 1))]
    pub(crate) job_specs: Option<Vec<JobSpec>>,
    #[schemars(length(min = 1))]
    pub(crate) user_command: Option<String>,
    /// The quota of a dedicated resource group, from the user.
    pub(crate) resource_id: Option<Exact>,
    #[schemars(range(min = 1, max = 9))]
    pub(crate) priority: Option<i64>,
    #[schemars(range(min = 1))]
    pub(crate) job_max_running_time_minutes: Option<i64>,
    pub(crate) data_sources: Option<Vec<DataSource>>,
    pub(crate) code_source: Option<CodeSource>,
    pub(crate) envs: Option<EnvValues>,
    pub(crate) custom_envs: Option<Vec<CustomEnv>>,
    pub(crate) description: Option<String>,
    pub(crate) accessibility: Option<Accessibility>,
    pub(crate) success_policy: Option<SuccessPolicy>,
    pub(crate) scheduling_strategy: Option<Exact>,
    pub(crate) template_id: Option<TemplateId>,
    #[schemars(range(min = 1))]
    pub(crate) template_version: Option<i64>,
    pub(crate) settings: Option<JobSettings>,
    pub(crate) user_vpc: Option<UserVpc>,
    #[schemars(extend("x-folded" = true))]
    pub(crate) credential_config: Option<CredentialConfig>,
    #[schemars(extend("x-folded" = true))]
    pub(crate) elastic_spec: Option<ElasticSpec>,
    pub(crate) debugger_config_content: Option<String>,
    pub(crate) options: Option<String>,
    pub(crate) thirdparty_lib_dir: Option<String>,
    pub(crate) thirdparty_libs: Option<Vec<String>>,
}

impl Operation for CreateJob {
    const SPEC: Spec = Spec {
        name: "dlc_create_job",
        title: "Submit a training job",
        cloud: Cloud::Dlc,
        action: "CreateJob",
        effect: Effect::Create,
        route: Route::post("/api/v1/jobs"),
        makes: Some(Makes { id: "JobId", unique: None }),
    };
    type Reply = JobCreated;

    fn check(&self) -> Result<(), Faults> {
        let mut faults = Faults::default();
        if self.template_id.is_none() {
            for (name, given) in [
                ("JobType", self.job_type.is_some()),
                ("JobSpecs", self.job_specs.is_some()),
                ("UserCommand", self.user_command.is_some()),
            ] {
                faults.demand(given, name, "is required without TemplateId", "give it");
            }
        }
        faults.demand(
            self.template_version.is_none() || self.template_id.is_some(),
            "TemplateVersion",
            "is a version of no template",
            "give TemplateId too, or leave TemplateVersion out",
        );
        let parts = Parts {
            job_type: self.job_type,
            job_specs: self.job_specs.as_deref(),
            data_sources: self.data_sources.as_deref(),
            settings: self.settings.as_ref(),
        };
        parts.check(&Path::Root, &|_| self.template_id.is_some(), &mut faults);
        faults.into_result()
    }
}

/// The job submitted.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct JobCreated {
    pub(crate) job_id: Exact,
    pub(crate) request_id: Exact,
}

/// Get one job: its status, pods, history and what it was submitted with.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetJob {
    pub(crate) region_id: RegionId,
    #[schemars(length(min = 1))]
    pub(crate) job_id: Exact,
    /// false leaves out all but the basics; the service's default is true.
    pub(crate) need_detail: Option<bool>,
}

impl Operation for GetJob {
    const SPEC: Spec = Spec {
        name: "dlc_get_job",
        title: "Get a training job",
        cloud: Cloud::Dlc,
        action: "GetJob",
        effect: Effect::Read,
        route: Route::get("/api/v1/jobs/{JobId}"),
        makes: None,
    };
    type Reply = Job;
}

/// A job, whole.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Job {
    pub(crate) job_id: Exact,
    pub(crate) display_name: String,
    pub(crate) status: Exact,
    pub(crate) sub_status: Exact,
    pub(crate) reason_code: Exact,
    pub(crate) reason_message: String,
    pub(crate) job_type: Exact,
    pub(crate) workspace_id: Exact,
    pub(crate) workspace_name: String,
    pub(crate) accessibility: Exact,
    pub(crate) cluster_id: Exact,
    pub(crate) code_source: JobCodeSource,
    pub(crate) credential_config: CredentialConfig,
    pub(crate) custom_envs: Vec<CustomEnv>,
    pub(crate) data_sources: Vec<JobDataSource>,
    pub(crate) description: String,
    pub(crate) duration: i64,
    pub(crate) elastic_spec: ElasticSpec,
    pub(crate) enabled_debugger: bool,
    pub(crate) envs: EnvValues,
    pub(crate) gmt_create_time: Exact,
    pub(crate) gmt_failed_time: Exact,
    pub(crate) gmt_finish_time: Exact,
    pub(crate) gmt_running_time: Exact,
    pub(crate) gmt_stopped_time: Exact,
    pub(crate) gmt_submitted_time: Exact,
    pub(crate) gmt_successed_time: Exact,
    pub(crate) job_replica_statuses: Vec<JobReplicaStatus>,
    pub(crate) job_specs: Vec<JobSpec>,
    pub(crate) pods: Vec<Pod>,
    pub(crate) priority: i64,
    #[serde(rename = "RequestCPU")]
    pub(crate) request_cpu: i64,
    #[serde(rename = "RequestGPU")]
    pub(crate) request_gpu: Number,
    pub(crate) request_id: Exact,
    pub(crate) request_memory: Number,
    pub(crate) resource_id: Exact,
    pub(crate) resource_level: Exact,
    pub(crate) resource_type: Exact,
    pub(crate) restart_record: Vec<RestartRecord>,
    pub(crate) restart_times: Exact,
    pub(crate) role_system_envs: Map<String, Value>,
    pub(crate) scheduling_strategy: Exact,
    pub(crate) settings: JobSettings,
    pub(crate) status_history: Vec<StatusTransition>,
    #[schemars(title = "Tenant ID")]
    pub(crate) tenant_id: Last4,
    pub(crate) thirdparty_lib_dir: String,
    pub(crate) thirdparty_libs: Vec<String>,
    pub(crate) user_command: String,
    #[schemars(title = "User ID")]
    pub(crate) user_id: Last4,
    pub(crate) user_vpc: JobVpc,
    #[serde(rename = "supportedProfilingTypes")]
    pub(crate) supported_profiling_types: Exact,
}

/// Stop a job. It acts only on Running or Queuing; in another state it is refused, for the service would do nothing. The
/// job is read again afterwards: applied says whether the stop shows. Stop a job before anything else is done about its
/// state.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct StopJob {
    pub(crate) region_id: RegionId,
    #[schemars(length(min = 1))]
    pub(crate) job_id: Exact,
}

impl Operation for StopJob {
    const SPEC: Spec = Spec {
        name: "dlc_stop_job",
        title: "Stop a training job",
        cloud: Cloud::Dlc,
        action: "StopJob",
        effect: Effect::Act,
        route: Route::post_query("/api/v1/jobs/{JobId}/stop"),
        makes: None,
    };
    type Reply = JobStopped;
}

/// The job that was asked to stop.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct JobStopped {
    pub(crate) job_id: Exact,
    pub(crate) request_id: Exact,
}
