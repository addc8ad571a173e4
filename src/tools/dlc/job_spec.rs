//! One role of a job: its image, machines and scheduling.
//!
//! Field names, types and enums: the official SDK of PAI-DLC 2020-12-03, version 1.11.6.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Number;
use serde_with::skip_serializing_none;

use super::pod_spec::ExtraPodSpec;
use crate::spec::marks::{Exact, Fact, First, Secret};
use crate::spec::value::{ImageUri, choices};

choices! {
    /// When a failed pod is started again.
    RestartPolicy { Always = "Always", Never = "Never", OnFailure = "OnFailure", ExitCode = "ExitCode" }
    /// Which spot machines are taken first.
    ElasticSpotStrategy { LowestPrice = "LowestPrice", CapacityOptimized = "CapacityOptimized" }
    /// Whether each pod or each role gets a service.
    ServiceMode { PerRole = "PerRole", PerPod = "PerPod" }
    /// How spot machines are bid for.
    SpotStrategy { SpotWithPriceLimit = "SpotWithPriceLimit" }
}

/// One role of a job: how many pods, of which image, on what machines.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct JobSpec {
    #[schemars(extend("x-folded" = true))]
    pub(crate) assign_node_spec: Option<AssignNodeSpec>,
    #[schemars(extend("x-folded" = true))]
    pub(crate) auto_scaling_spec: Option<AutoScalingSpec>,
    pub(crate) consider_in_success_policy: Option<bool>,
    pub(crate) driver: Option<Exact>,
    /// Public machine type, from dlc_list_ecs_specs; not together with ResourceConfig.
    #[schemars(length(min = 1), extend("x-fact" = Fact::MachineType.name()))]
    pub(crate) ecs_spec: Option<Exact>,
    #[schemars(extend("x-folded" = true))]
    pub(crate) elastic_spot_specs: Option<Vec<ElasticSpotSpec>>,
    #[schemars(extend("x-folded" = true))]
    pub(crate) extra_pod_spec: Option<ExtraPodSpec>,
    #[schemars(extend("x-folded" = true))]
    pub(crate) hyper_node_scheduling_config: Option<HyperNodeSchedulingConfig>,
    /// An ImageUri that aiworkspace_list_images returned, unchanged.
    pub(crate) image: Option<ImageUri>,
    pub(crate) image_config: Option<ImageConfig>,
    pub(crate) is_cheif: Option<bool>,
    pub(crate) is_chief: Option<bool>,
    pub(crate) local_mount_specs: Option<Vec<LocalMountSpec>>,
    pub(crate) oversold_type: Option<Exact>,
    #[schemars(range(min = 1))]
    pub(crate) pod_count: Option<i64>,
    pub(crate) quota_id: Option<Exact>,
    /// For a dedicated resource group; not together with EcsSpec.
    pub(crate) resource_config: Option<ResourceConfig>,
    pub(crate) restart_policy: Option<RestartPolicy>,
    #[schemars(extend("x-folded" = true))]
    pub(crate) service_spec: Option<ServiceSpec>,
    pub(crate) spot_spec: Option<SpotSpec>,
    #[schemars(extend("x-folded" = true))]
    pub(crate) startup_dependencies: Option<Vec<StartupDependency>>,
    pub(crate) system_disk: Option<SystemDisk>,
    /// Role: Worker, Master, PS, Chief, Evaluator; Head for RayJob.
    pub(crate) r#type: Option<Exact>,
    pub(crate) use_spot_instance: Option<bool>,
    pub(crate) user_command: Option<String>,
}

/// Processor, memory and GPU of each pod, for a dedicated resource group.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ResourceConfig {
    /// Such as "4".
    #[serde(rename = "CPU")]
    pub(crate) cpu: Option<Exact>,
    #[serde(rename = "GPU")]
    pub(crate) gpu: Option<Exact>,
    #[serde(rename = "GPUType")]
    pub(crate) gpu_type: Option<Exact>,
    /// Such as 16Gi.
    pub(crate) memory: Option<Exact>,
    pub(crate) shared_memory: Option<Exact>,
}

/// How a private registry is reached.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ImageConfig {
    pub(crate) auth: Option<Secret>,
    pub(crate) docker_registry: Option<String>,
    pub(crate) password: Option<Secret>,
    #[schemars(title = "Registry Username")]
    pub(crate) username: Option<First>,
}

/// The price limit of spot machines.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct SpotSpec {
    pub(crate) spot_discount_limit: Option<Number>,
    pub(crate) spot_price_limit: Option<Number>,
    pub(crate) spot_strategy: Option<SpotStrategy>,
}

/// A spot machine type that may take part, with its price limit.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ElasticSpotSpec {
    pub(crate) instance_type: Option<Exact>,
    pub(crate) spot_discount_limit: Option<Number>,
    pub(crate) spot_price_limit: Option<Number>,
    pub(crate) spot_strategy: Option<ElasticSpotStrategy>,
}

/// The system disk of each pod.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct SystemDisk {
    pub(crate) category: Option<Exact>,
    pub(crate) performance_level: Option<Exact>,
    pub(crate) size: Option<i64>,
}

/// The network service in front of the pods.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ServiceSpec {
    pub(crate) default_port: Option<i64>,
    pub(crate) extra_ports: Option<Vec<i64>>,
    pub(crate) service_mode: Option<ServiceMode>,
}

/// A directory of the node, mounted into the pods.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct LocalMountSpec {
    pub(crate) local_path: Option<String>,
    pub(crate) mount_mode: Option<Exact>,
    pub(crate) mount_path: Option<String>,
}

/// Another role that must be up first.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct StartupDependency {
    pub(crate) min_replicas: Option<Exact>,
    pub(crate) on_phase: Option<Exact>,
    pub(crate) r#type: Option<Exact>,
}

/// Which nodes the pods must, or must not, run on.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct AssignNodeSpec {
    pub(crate) anti_affinity_hyper_nodes: Option<Vec<HyperNodeSpec>>,
    pub(crate) anti_affinity_node_names: Option<Exact>,
    pub(crate) enable_assign_node: Option<bool>,
    pub(crate) hyper_nodes: Option<Vec<HyperNodeSpec>>,
    pub(crate) node_names: Option<Exact>,
}

/// A group of nodes.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct HyperNodeSpec {
    pub(crate) hyper_node_name: Option<Exact>,
    pub(crate) node_names: Option<Exact>,
}

/// How pods spread over groups of nodes.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct HyperNodeSchedulingConfig {
    pub(crate) min_available: Option<i64>,
    pub(crate) quality_policy: Option<Exact>,
}

/// How the number of pods follows a metric.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct AutoScalingSpec {
    pub(crate) autoscaling_metric_spec: Option<AutoscalingMetricSpec>,
    pub(crate) max_replicas: Option<i64>,
    pub(crate) min_replicas: Option<i64>,
    pub(crate) pods_to_delete: Option<Vec<Exact>>,
    pub(crate) scaling_strategy: Option<Exact>,
}

/// The metric that scales.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct AutoscalingMetricSpec {
    pub(crate) metric_name: Option<Exact>,
    pub(crate) stabilization_window_seconds: Option<i64>,
    pub(crate) target_value: Option<i64>,
    pub(crate) tolerance: Option<Exact>,
}
