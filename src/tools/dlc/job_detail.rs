//! What a job's detail tells: its pods, history and restarts.
//!
//! Field names and types: the official SDK of PAI-DLC 2020-12-03, version 1.11.6.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Number;

use super::job_spec::{AutoScalingSpec, ResourceConfig};

/// A pod of the job.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Pod {
    pub(crate) duration: Number,
    pub(crate) gmt_create_time: String,
    pub(crate) gmt_finish_time: String,
    pub(crate) gmt_start_time: String,
    pub(crate) history_pods: Vec<HistoryPod>,
    pub(crate) ip: String,
    pub(crate) node_name: String,
    pub(crate) pod_id: String,
    pub(crate) pod_ips: Vec<PodNetworkInterface>,
    pub(crate) pod_uid: String,
    pub(crate) resource_type: String,
    pub(crate) status: String,
    pub(crate) sub_status: String,
    pub(crate) r#type: String,
    #[serde(rename = "supportedProfilingTypes")]
    pub(crate) supported_profiling_types: String,
}

/// An earlier run of a pod.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct HistoryPod {
    pub(crate) duration: Number,
    pub(crate) gmt_create_time: String,
    pub(crate) gmt_finish_time: String,
    pub(crate) gmt_start_time: String,
    pub(crate) ip: String,
    pub(crate) node_name: String,
    pub(crate) pod_id: String,
    pub(crate) pod_ips: Vec<PodNetworkInterface>,
    pub(crate) pod_uid: String,
    pub(crate) resource_type: String,
    pub(crate) status: String,
    pub(crate) sub_status: String,
    pub(crate) r#type: String,
    #[serde(rename = "supportedProfilingTypes")]
    pub(crate) supported_profiling_types: String,
}

/// A network address of a pod.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct PodNetworkInterface {
    pub(crate) interface_name: String,
    pub(crate) ip: String,
}

/// One step of the job's life.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct StatusTransition {
    pub(crate) end_time: String,
    pub(crate) reason_code: String,
    pub(crate) reason_message: String,
    pub(crate) start_time: String,
    pub(crate) status: String,
}

/// How many pods of a role are in which state.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct JobReplicaStatus {
    pub(crate) active: i64,
    pub(crate) current_spot_instance_type: String,
    pub(crate) dequeued: i64,
    pub(crate) estimated_auto_scaling_spec: AutoScalingSpec,
    pub(crate) estimated_pod_count: i64,
    pub(crate) estimated_resource_config: ResourceConfig,
    pub(crate) queuing: i64,
    pub(crate) r#type: String,
}

/// One restart of the job.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct RestartRecord {
    pub(crate) detail_error_info_list: Vec<RestartError>,
    pub(crate) job_restart_count: i64,
    pub(crate) occur_phase: String,
    pub(crate) occur_time: String,
    pub(crate) reason: String,
    pub(crate) restart_duration_in_sec: i64,
    pub(crate) restart_fail_reason: String,
    pub(crate) restart_level_type: String,
    pub(crate) restart_status: String,
    #[serde(rename = "TriggerID")]
    pub(crate) trigger_id: String,
}

/// What made a restart necessary.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct RestartError {
    pub(crate) add_job_level_blacklist: bool,
    pub(crate) add_node_to_blacklist: bool,
    pub(crate) detail_error_msg: String,
    pub(crate) error_code: String,
    pub(crate) error_msg: String,
    pub(crate) error_source: String,
    pub(crate) node: String,
    pub(crate) pod: String,
    pub(crate) trigger_restart: bool,
}

/// Code mounted into the job.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct JobCodeSource {
    pub(crate) branch: String,
    pub(crate) code_source_id: String,
    pub(crate) commit: String,
    pub(crate) mount_path: String,
}

/// Data mounted into the job.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct JobDataSource {
    pub(crate) data_source_id: String,
    pub(crate) mount_path: String,
    pub(crate) uri: String,
}

/// The network that the pods joined.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct JobVpc {
    pub(crate) default_route: String,
    pub(crate) extended_cidrs: Vec<String>,
    pub(crate) security_group_id: String,
    pub(crate) switch_id: String,
    pub(crate) vpc_id: String,
}
