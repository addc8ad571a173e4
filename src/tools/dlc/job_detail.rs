//! What a job's detail tells: its pods, history and restarts.
//!
//! Field names and types: the official SDK of PAI-DLC 2020-12-03, version 1.11.6.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Number;

use super::job_spec::{AutoScalingSpec, ResourceConfig};
use crate::spec::marks::Exact;

/// A pod of the job.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Pod {
    pub(crate) duration: Number,
    pub(crate) gmt_create_time: Exact,
    pub(crate) gmt_finish_time: Exact,
    pub(crate) gmt_start_time: Exact,
    pub(crate) history_pods: Vec<HistoryPod>,
    pub(crate) ip: Exact,
    pub(crate) node_name: Exact,
    pub(crate) pod_id: Exact,
    pub(crate) pod_ips: Vec<PodNetworkInterface>,
    pub(crate) pod_uid: Exact,
    pub(crate) resource_type: Exact,
    pub(crate) status: Exact,
    pub(crate) sub_status: Exact,
    pub(crate) r#type: Exact,
    #[serde(rename = "supportedProfilingTypes")]
    pub(crate) supported_profiling_types: Exact,
}

/// An earlier run of a pod.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct HistoryPod {
    pub(crate) duration: Number,
    pub(crate) gmt_create_time: Exact,
    pub(crate) gmt_finish_time: Exact,
    pub(crate) gmt_start_time: Exact,
    pub(crate) ip: Exact,
    pub(crate) node_name: Exact,
    pub(crate) pod_id: Exact,
    pub(crate) pod_ips: Vec<PodNetworkInterface>,
    pub(crate) pod_uid: Exact,
    pub(crate) resource_type: Exact,
    pub(crate) status: Exact,
    pub(crate) sub_status: Exact,
    pub(crate) r#type: Exact,
    #[serde(rename = "supportedProfilingTypes")]
    pub(crate) supported_profiling_types: Exact,
}

/// A network address of a pod.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct PodNetworkInterface {
    pub(crate) interface_name: Exact,
    pub(crate) ip: Exact,
}

/// One step of the job's life.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct StatusTransition {
    pub(crate) end_time: Exact,
    pub(crate) reason_code: Exact,
    pub(crate) reason_message: String,
    pub(crate) start_time: Exact,
    pub(crate) status: Exact,
}

/// How many pods of a role are in which state.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct JobReplicaStatus {
    pub(crate) active: i64,
    pub(crate) current_spot_instance_type: Exact,
    pub(crate) dequeued: i64,
    pub(crate) estimated_auto_scaling_spec: AutoScalingSpec,
    pub(crate) estimated_pod_count: i64,
    pub(crate) estimated_resource_config: ResourceConfig,
    pub(crate) queuing: i64,
    pub(crate) r#type: Exact,
}

/// One restart of the job.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct RestartRecord {
    pub(crate) detail_error_info_list: Vec<RestartError>,
    pub(crate) job_restart_count: i64,
    pub(crate) occur_phase: Exact,
    pub(crate) occur_time: Exact,
    pub(crate) reason: String,
    pub(crate) restart_duration_in_sec: i64,
    pub(crate) restart_fail_reason: String,
    pub(crate) restart_level_type: Exact,
    pub(crate) restart_status: Exact,
    #[serde(rename = "TriggerID")]
    pub(crate) trigger_id: Exact,
}

/// What made a restart necessary.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct RestartError {
    pub(crate) add_job_level_blacklist: bool,
    pub(crate) add_node_to_blacklist: bool,
    pub(crate) detail_error_msg: String,
    pub(crate) error_code: Exact,
    pub(crate) error_msg: String,
    pub(crate) error_source: Exact,
    pub(crate) node: Exact,
    pub(crate) pod: Exact,
    pub(crate) trigger_restart: bool,
}

/// Code mounted into the job.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct JobCodeSource {
    pub(crate) branch: String,
    pub(crate) code_source_id: Exact,
    pub(crate) commit: Exact,
    pub(crate) mount_path: String,
}

/// Data mounted into the job.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct JobDataSource {
    pub(crate) data_source_id: Exact,
    pub(crate) mount_path: String,
    pub(crate) uri: Exact,
}

/// The network that the pods joined.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct JobVpc {
    pub(crate) default_route: Exact,
    pub(crate) extended_cidrs: Vec<Exact>,
    pub(crate) security_group_id: Exact,
    pub(crate) switch_id: Exact,
    pub(crate) vpc_id: Exact,
}
