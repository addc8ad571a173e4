//! Many jobs at once, as a list shows them.
//!
//! Parameters, reply fields and enums: the official SDK of PAI-DLC 2020-12-03, version 1.11.6; ranges and defaults:
//! its public metadata. A row differs from the detail of a job in places, numbers that are texts among them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::job_detail::{JobCodeSource, JobReplicaStatus, JobVpc, PodNetworkInterface, StatusTransition};
use super::job_settings::{CredentialConfig, ElasticSpec, JobSettings};
use super::job_spec::JobSpec;
use super::span::in_order;
use crate::error::Faults;
use crate::spec::marks::{EnvValues, Exact, First, Last4};
use crate::spec::value::{Detail, RegionId, WorkspaceId, choices};
use crate::spec::{Cloud, Effect, Operation, Route, Spec};
use crate::tools::aiworkspace::assets::Accessibility;

choices! {
    /// The frameworks that jobs can be listed by: fewer than there are.
    ListedJobType {
        TfJob = "TFJob",
        PyTorchJob = "PyTorchJob",
        XgBoostJob = "XGBoostJob",
        OneFlowJob = "OneFlowJob",
        ElasticBatchJob = "ElasticBatchJob",
    }
    /// A job's state.
    JobStatus {
        Creating = "Creating",
        Queuing = "Queuing",
        Bidding = "Bidding",
        EnvPreparing = "EnvPreparing",
        SanityChecking = "SanityChecking",
        Running = "Running",
        Restarting = "Restarting",
        Stopping = "Stopping",
        SucceededReserving = "SucceededReserving",
        FailedReserving = "FailedReserving",
        Succeeded = "Succeeded",
        Failed = "Failed",
        Stopped = "Stopped",
    }
    /// How a job uses resources beyond a quota.
    OversoldInfo {
        Forbidden = "ForbiddenQuotaOverSold",
        Forced = "ForceQuotaOverSold",
        AcceptedAndUsed = "AcceptQuotaOverSold-true",
        AcceptedOnly = "AcceptQuotaOverSold-false",
    }
    /// How a job is paid for.
    PaymentType { PrePaid = "PrePaid", Spot = "Spot", PostPaid = "PostPaid" }
    /// What jobs are sorted by.
    JobSortKey {
        DisplayName = "DisplayName",
        JobType = "JobType",
        Status = "Status",
        Created = "GmtCreateTime",
        Finished = "GmtFinishTime",
    }
    /// A direction of sorting, which this service writes in lower case.
    JobOrder { Descending = "desc", Ascending = "asc" }
}

/// List training jobs: yours of the last 7 days, unless the arguments say otherwise. Status Bidding is for spot jobs
/// only. For one job use dlc_get_job.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListJobs {
    pub(crate) region_id: RegionId,
    pub(crate) workspace_id: Option<WorkspaceId>,
    pub(crate) status: Option<JobStatus>,
    pub(crate) job_type: Option<ListedJobType>,
    #[schemars(length(max = 1024))]
    pub(crate) display_name: Option<String>,
    pub(crate) display_name_search_mode: Option<String>,
    /// false: everybody's.
    pub(crate) show_own: Option<bool>,
    pub(crate) from_all_workspaces: Option<bool>,
    /// UTC, such as 2026-01-02T03:04:05Z.
    pub(crate) start_time: Option<Exact>,
    pub(crate) end_time: Option<Exact>,
    pub(crate) time_range_field: Option<Exact>,
    pub(crate) sort_by: Option<JobSortKey>,
    pub(crate) order: Option<JobOrder>,
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) page_number: Option<i64>,
    #[schemars(range(min = 1, max = 100))]
    pub(crate) page_size: Option<i64>,
    pub(crate) job_id: Option<Exact>,
    /// Comma-separated; JobId wins.
    pub(crate) job_ids: Option<Exact>,
    pub(crate) tags: Option<BTreeMap<String, String>>,
    pub(crate) accessibility: Option<Accessibility>,
    pub(crate) description: Option<String>,
    pub(crate) user_command_search: Option<String>,
    pub(crate) image_search: Option<String>,
    pub(crate) reason_search: Option<String>,
    pub(crate) resource_id: Option<Exact>,
    /// Comma-separated.
    pub(crate) resource_ids: Option<Exact>,
    pub(crate) resource_quota_name: Option<String>,
    pub(crate) payment_type: Option<PaymentType>,
    pub(crate) oversold_info: Option<OversoldInfo>,
    pub(crate) enable_assign_node: Option<Exact>,
    pub(crate) numeric_range_field: Option<Exact>,
    pub(crate) numeric_range_min: Option<i64>,
    pub(crate) numeric_range_max: Option<i64>,
    pub(crate) template_id: Option<Exact>,
    pub(crate) pipeline_id: Option<Exact>,
    pub(crate) business_user_id: Option<Last4>,
    pub(crate) caller: Option<First>,
    pub(crate) user_id_for_filter: Option<Last4>,
    pub(crate) username: Option<First>,
    #[serde(rename = "detail")]
    pub(crate) detail: Option<Detail>,
}

impl Operation for ListJobs {
    const SPEC: Spec = Spec {
        name: "dlc_list_jobs",
        title: "List training jobs",
        cloud: Cloud::Dlc,
        action: "ListJobs",
        effect: Effect::Read,
        route: Route::get("/api/v1/jobs"),
        makes: None,
    };
    type Reply = Jobs;

    fn check(&self) -> Result<(), Faults> {
        in_order(self.start_time.as_ref(), self.end_time.as_ref())
    }
}

/// Jobs.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Jobs {
    pub(crate) total_count: i64,
    pub(crate) jobs: Vec<JobRow>,
    pub(crate) request_id: Exact,
}

/// A job as a list shows it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct JobRow {
    pub(crate) job_id: Exact,
    pub(crate) display_name: String,
    pub(crate) status: Exact,
    pub(crate) reason_code: Exact,
    pub(crate) job_type: Exact,
    pub(crate) workspace_id: Exact,
    pub(crate) gmt_create_time: Exact,
    pub(crate) gmt_finish_time: Exact,
    pub(crate) duration: i64,
    #[serde(rename = "RequestGPU")]
    pub(crate) request_gpu: Exact,
    #[schemars(title = "User ID")]
    pub(crate) user_id: Last4,
    #[schemars(title = "Username")]
    pub(crate) username: First,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) sub_status: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) reason_message: String,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) workspace_name: String,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) accessibility: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) cluster_id: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) code_source: JobCodeSource,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) credential_config: CredentialConfig,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) data_sources: Vec<RowDataSource>,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) elastic_spec: ElasticSpec,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) enable_preemptible_job: bool,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) enabled_debugger: bool,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) envs: EnvValues,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) gmt_failed_time: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) gmt_modified_time: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) gmt_running_time: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) gmt_stopped_time: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) gmt_submitted_time: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) gmt_successed_time: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) is_deleted: bool,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) job_max_running_time_minutes: i64,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) job_replica_statuses: Vec<JobReplicaStatus>,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) job_specs: Vec<JobSpec>,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) node_count: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) node_names: Vec<Exact>,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) pods: Vec<RowPod>,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) priority: i64,
    #[serde(rename = "RequestCPU")]
    #[schemars(extend("x-full-only" = true))]
    pub(crate) request_cpu: i64,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) request_memory: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) resource_id: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) resource_level: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) resource_name: String,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) resource_quota_name: String,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) resource_type: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) restart_times: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) retry_count: i64,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) scheduling_strategy: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) settings: JobSettings,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) status_history: Vec<StatusTransition>,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) system_envs: EnvValues,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) template_id: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) template_name: String,
    #[schemars(title = "Tenant ID", extend("x-full-only" = true))]
    pub(crate) tenant_id: Last4,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) thirdparty_lib_dir: String,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) thirdparty_libs: Vec<String>,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) use_oversold_resource: bool,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) user_command: String,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) user_script: String,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) user_vpc: JobVpc,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) working_dir: String,
    #[serde(rename = "supportedProfilingTypes")]
    #[schemars(extend("x-full-only" = true))]
    pub(crate) supported_profiling_types: Exact,
}

/// Data mounted into the job.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct RowDataSource {
    pub(crate) data_source_id: Exact,
    pub(crate) mount_path: String,
}

/// A pod of the job.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct RowPod {
    pub(crate) gmt_create_time: Exact,
    pub(crate) gmt_finish_time: Exact,
    pub(crate) gmt_start_time: Exact,
    pub(crate) history_pods: Vec<RowHistoryPod>,
    pub(crate) ip: Exact,
    pub(crate) node_name: Exact,
    pub(crate) pod_id: Exact,
    pub(crate) pod_ip: Exact,
    pub(crate) pod_ips: Vec<PodNetworkInterface>,
    pub(crate) pod_uid: Exact,
    pub(crate) status: Exact,
    pub(crate) sub_status: Exact,
    pub(crate) r#type: Exact,
    #[serde(rename = "supportedProfilingTypes")]
    pub(crate) supported_profiling_types: Exact,
}

/// An earlier run of a pod.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct RowHistoryPod {
    pub(crate) gmt_create_time: Exact,
    pub(crate) gmt_finish_time: Exact,
    pub(crate) gmt_start_time: Exact,
    pub(crate) ip: Exact,
    pub(crate) node_name: Exact,
    pub(crate) pod_id: Exact,
    pub(crate) pod_ip: Exact,
    pub(crate) pod_ips: Vec<PodNetworkInterface>,
    pub(crate) pod_uid: Exact,
    pub(crate) status: Exact,
    pub(crate) sub_status: Exact,
    pub(crate) r#type: Exact,
    #[serde(rename = "supportedProfilingTypes")]
    pub(crate) supported_profiling_types: Exact,
}
