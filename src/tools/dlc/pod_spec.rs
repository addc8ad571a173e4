//! What the pods of a role hold beside the main container.
//!
//! Field names, types and enums: the official SDK of PAI-DLC 2020-12-03, version 1.11.6.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::spec::marks::{EnvValue, Exact};
use crate::spec::value::{ImageUri, choices};

choices! {
    /// Where the profile of allowed system calls comes from.
    SeccompType { Localhost = "Localhost", RuntimeDefault = "RuntimeDefault", Unconfined = "Unconfined" }
}

/// Init and sidecar containers, volumes, lifecycle hooks and security settings of the pods.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ExtraPodSpec {
    pub(crate) init_containers: Option<Vec<ContainerSpec>>,
    pub(crate) lifecycle: Option<Lifecycle>,
    pub(crate) main_container_security_context: Option<SecurityContext>,
    pub(crate) pod_annotations: Option<BTreeMap<String, String>>,
    pub(crate) pod_labels: Option<BTreeMap<String, String>>,
    pub(crate) shared_volume_mount_paths: Option<Vec<String>>,
    pub(crate) side_car_containers: Option<Vec<ContainerSpec>>,
}

/// An init or sidecar container.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ContainerSpec {
    pub(crate) args: Option<Vec<String>>,
    pub(crate) command: Option<Vec<String>>,
    pub(crate) env: Option<Vec<EnvVar>>,
    pub(crate) image: Option<ImageUri>,
    pub(crate) name: Option<String>,
    pub(crate) resources: Option<ResourceRequirements>,
    pub(crate) security_context: Option<SecurityContext>,
    pub(crate) working_dir: Option<String>,
}

/// An environment variable.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct EnvVar {
    pub(crate) name: Option<String>,
    pub(crate) value: Option<EnvValue>,
}

/// What a container may use and is promised.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ResourceRequirements {
    pub(crate) limits: Option<BTreeMap<String, Exact>>,
    pub(crate) requests: Option<BTreeMap<String, Exact>>,
}

/// Privileges of a container.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct SecurityContext {
    pub(crate) capabilities: Option<Capabilities>,
    pub(crate) privileged: Option<bool>,
    pub(crate) run_as_group: Option<i64>,
    pub(crate) run_as_user: Option<i64>,
    pub(crate) seccomp_profile: Option<SeccompProfile>,
}

/// Linux capabilities added and dropped.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Capabilities {
    pub(crate) add: Option<Vec<Exact>>,
    pub(crate) drop: Option<Vec<Exact>>,
}

/// The system calls that a container may make.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct SeccompProfile {
    pub(crate) localhost_profile: Option<String>,
    pub(crate) r#type: Option<SeccompType>,
}

/// Commands run when a container starts and before it stops.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Lifecycle {
    pub(crate) post_start: Option<LifecycleHandler>,
    pub(crate) pre_stop: Option<LifecycleHandler>,
}

/// What a lifecycle hook does.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct LifecycleHandler {
    pub(crate) exec: Option<ExecAction>,
}

/// A command.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ExecAction {
    pub(crate) command: Option<Vec<String>>,
}
