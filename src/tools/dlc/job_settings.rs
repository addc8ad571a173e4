//! What a whole job is given: data, code, variables, network, credentials and settings.
//!
//! Field names, types and enums: the official SDK of PAI-DLC 2020-12-03, version 1.11.6.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use serde_with::skip_serializing_none;

use crate::spec::marks::{EnvValue, Exact, Fact, First, Last4};
use crate::spec::value::{CodeSourceId, DatasetId, ImageUri, choices};

choices! {
    /// Whether a mount can be written.
    MountAccess { ReadOnly = "RO", ReadWrite = "RW" }
    /// The interface of the default route.
    NetworkInterface { Eth0 = "eth0", Eth1 = "eth1" }
    /// After which end the pods are kept for a while.
    ReservedPolicy { Always = "Always", OnFailure = "OnFailure", OnSucceed = "OnSucceed" }
    /// How a DataJuicer job is told what to do.
    CommandType { Shell = "shell", Config = "config" }
    /// Whether a DataJuicer job runs on one pod or several.
    ExecutionMode { Standalone = "standalone", Distributed = "distributed" }
}

/// Data mounted into the job: a registered dataset, or a storage URI.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DataSource {
    pub(crate) access_point_id: Option<Exact>,
    pub(crate) data_source_id: Option<DatasetId>,
    pub(crate) data_source_version: Option<Exact>,
    pub(crate) enable_cache: Option<bool>,
    pub(crate) mount_access: Option<MountAccess>,
    pub(crate) mount_path: Option<String>,
    pub(crate) options: Option<String>,
    pub(crate) role_arn: Option<String>,
    pub(crate) role_chain: Option<String>,
    #[schemars(extend("x-fact" = Fact::Storage.name()))]
    pub(crate) uri: Option<Exact>,
}

/// Code mounted into the job.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct CodeSource {
    pub(crate) branch: Option<String>,
    pub(crate) code_source_id: Option<CodeSourceId>,
    #[schemars(extend("x-fact" = Fact::Commit.name()))]
    pub(crate) commit: Option<Exact>,
    pub(crate) is_shared_mount_path: Option<bool>,
    pub(crate) mount_path: Option<String>,
}

/// An environment variable that can be hidden.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct CustomEnv {
    pub(crate) key: Option<String>,
    pub(crate) value: Option<EnvValue>,
    pub(crate) visible: Option<Exact>,
}

/// The network that the pods join.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct UserVpc {
    pub(crate) default_route: Option<NetworkInterface>,
    #[serde(rename = "ExtendedCIDRs")]
    pub(crate) extended_cidrs: Option<Vec<Exact>>,
    pub(crate) security_group_id: Option<Exact>,
    pub(crate) switch_id: Option<Exact>,
    pub(crate) vpc_id: Option<Exact>,
}

/// Roles whose temporary credentials are injected into the pods.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct CredentialConfig {
    pub(crate) aliyun_env_role_key: Option<String>,
    pub(crate) credential_config_items: Option<Vec<CredentialConfigItem>>,
    pub(crate) enable_credential_inject: Option<bool>,
}

/// One credential to inject.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct CredentialConfigItem {
    pub(crate) key: Option<String>,
    pub(crate) roles: Option<Vec<CredentialRole>>,
    pub(crate) r#type: Option<Exact>,
}

/// A role to assume.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct CredentialRole {
    pub(crate) assume_role_for: Option<String>,
    pub(crate) policy: Option<String>,
    pub(crate) role_arn: Option<String>,
    pub(crate) role_type: Option<Exact>,
}

/// Elastic training, by the older settings.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ElasticSpec {
    #[serde(rename = "AIMasterDockerImage")]
    pub(crate) ai_master_docker_image: Option<ImageUri>,
    #[serde(rename = "AIMasterType")]
    pub(crate) ai_master_type: Option<Exact>,
    #[serde(rename = "EDPMaxParallelism")]
    pub(crate) edp_max_parallelism: Option<i64>,
    #[serde(rename = "EDPMinParallelism")]
    pub(crate) edp_min_parallelism: Option<i64>,
    pub(crate) elastic_strategy: Option<Exact>,
    #[serde(rename = "EnableAIMaster")]
    pub(crate) enable_ai_master: Option<bool>,
    #[serde(rename = "EnableEDP")]
    pub(crate) enable_edp: Option<bool>,
    pub(crate) enable_elastic_training: Option<bool>,
    #[serde(rename = "EnablePsJobElasticPS")]
    pub(crate) enable_ps_job_elastic_ps: Option<bool>,
    pub(crate) enable_ps_job_elastic_worker: Option<bool>,
    pub(crate) enable_ps_resource_estimate: Option<bool>,
    pub(crate) max_parallelism: Option<i64>,
    pub(crate) min_parallelism: Option<i64>,
    #[serde(rename = "PSMaxParallelism")]
    pub(crate) ps_max_parallelism: Option<i64>,
    #[serde(rename = "PSMinParallelism")]
    pub(crate) ps_min_parallelism: Option<i64>,
}

/// Further settings of a job.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct JobSettings {
    pub(crate) advanced_settings: Option<Map<String, Value>>,
    #[serde(rename = "AllocateAllRDMADevices")]
    pub(crate) allocate_all_rdma_devices: Option<bool>,
    pub(crate) allow_unschedulable_nodes: Option<bool>,
    #[schemars(title = "Business User ID")]
    pub(crate) business_user_id: Option<Last4>,
    #[schemars(title = "Calling User")]
    pub(crate) caller: Option<First>,
    #[schemars(extend("x-folded" = true))]
    pub(crate) data_juicer_config: Option<DataJuicerConfig>,
    pub(crate) disable_ecs_stock_check: Option<bool>,
    pub(crate) driver: Option<Exact>,
    pub(crate) elastic_spot_job_max_restart_times: Option<i64>,
    #[serde(rename = "EnableCPUAffinity")]
    pub(crate) enable_cpu_affinity: Option<bool>,
    #[serde(rename = "EnableDSWDev")]
    pub(crate) enable_dsw_dev: Option<bool>,
    #[serde(rename = "EnableErrorMonitoringInAIMaster")]
    pub(crate) enable_error_monitoring_in_ai_master: Option<bool>,
    pub(crate) enable_oss_append: Option<bool>,
    #[serde(rename = "EnableRDMA")]
    pub(crate) enable_rdma: Option<bool>,
    /// Checks the machines' health before the run.
    pub(crate) enable_sanity_check: Option<bool>,
    pub(crate) enable_tide_resource: Option<bool>,
    pub(crate) error_monitoring_args: Option<String>,
    pub(crate) job_reserved_minutes: Option<i64>,
    pub(crate) job_reserved_policy: Option<ReservedPolicy>,
    #[schemars(extend("x-folded" = true))]
    pub(crate) model_config: Option<ModelConfig>,
    pub(crate) oversold_type: Option<Exact>,
    pub(crate) pipeline_id: Option<Exact>,
    pub(crate) sanity_check_args: Option<String>,
    pub(crate) shell: Option<String>,
    pub(crate) tags: Option<BTreeMap<String, String>>,
    pub(crate) termination_grace_period_seconds: Option<i64>,
}

/// Settings of a DataJuicer job.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DataJuicerConfig {
    pub(crate) command_type: Option<CommandType>,
    pub(crate) enable_resource_estimation: Option<bool>,
    pub(crate) execution_mode: Option<ExecutionMode>,
    pub(crate) resource_limit: Option<ResourceLimit>,
}

/// The most that a DataJuicer job may use.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ResourceLimit {
    #[serde(rename = "CPU")]
    pub(crate) cpu: Option<Exact>,
    #[serde(rename = "GPU")]
    pub(crate) gpu: Option<Exact>,
    pub(crate) memory: Option<Exact>,
}

/// The model that the job is about.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ModelConfig {
    pub(crate) model_name: Option<String>,
    pub(crate) model_template: Option<ModelTemplate>,
}

/// Where that model comes from.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ModelTemplate {
    pub(crate) collections: Option<String>,
    pub(crate) model_name: Option<String>,
    pub(crate) provider: Option<String>,
}
