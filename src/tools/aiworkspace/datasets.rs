//! Datasets: registered storage that jobs mount data from.
//!
//! Parameters, reply fields and enums: the official SDK of AIWorkSpace 2021-02-04, version 8.3.5. That a list needs
//! a workspace comes from the source documents (R-DLC-61); the service itself would take the default one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::assets::{Accessibility, Label};
use super::workspaces::SortOrder;
use crate::spec::marks::{Exact, Fact, Last4, Secret};
use crate::spec::value::{DatasetId, Detail, RegionId, WorkspaceId, choices};
use crate::spec::{Cloud, Effect, Operation, Route, Spec};

choices! {
    /// How much management a dataset has.
    Edition { Basic = "BASIC", Advanced = "ADVANCED", Logical = "LOGICAL" }
    /// Which side of a sharing the workspace is on.
    ShareScope { ToMe = "TO_ME", ByMe = "BY_ME" }
}

/// List a workspace's datasets. A job's DataSourceId must be a DatasetId from here.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListDatasets {
    pub(crate) region_id: RegionId,
    pub(crate) workspace_id: WorkspaceId,
    /// Comma-separated, like all lists here.
    #[schemars(regex(pattern = r"^[^,\s]+(,[^,\s]+)*$"))]
    pub(crate) dataset_ids: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) label: Option<String>,
    #[schemars(regex(pattern = "^(NAS|OSS)(,(NAS|OSS))*$"))]
    pub(crate) data_source_types: Option<String>,
    #[schemars(regex(pattern = "^(VIDEO|COMMON|TEXT|PIC|AUDIO)(,(VIDEO|COMMON|TEXT|PIC|AUDIO))*$"))]
    pub(crate) data_types: Option<String>,
    #[schemars(regex(pattern = "^(DIRECTORY|FILE)(,(DIRECTORY|FILE))*$"))]
    pub(crate) properties: Option<String>,
    #[schemars(regex(pattern = "^(PAI_PUBLIC_DATASET|ITAG|USER)(,(PAI_PUBLIC_DATASET|ITAG|USER))*$"))]
    pub(crate) source_types: Option<String>,
    pub(crate) source_id: Option<String>,
    pub(crate) source_dataset_id: Option<String>,
    pub(crate) edition: Option<Edition>,
    pub(crate) provider: Option<String>,
    pub(crate) accessibility: Option<Accessibility>,
    pub(crate) share_scope: Option<ShareScope>,
    pub(crate) sort_by: Option<String>,
    pub(crate) order: Option<SortOrder>,
    #[schemars(range(min = 1))]
    pub(crate) page_number: Option<i64>,
    #[schemars(range(min = 1))]
    pub(crate) page_size: Option<i64>,
    #[serde(rename = "detail")]
    pub(crate) detail: Option<Detail>,
}

impl Operation for ListDatasets {
    const SPEC: Spec = Spec {
        name: "aiworkspace_list_datasets",
        title: "List datasets",
        cloud: Cloud::AiWorkspace,
        action: "ListDatasets",
        effect: Effect::Read,
        route: Route::get("/api/v1/datasets"),
        makes: None,
    };
    type Reply = Datasets;
}

/// Registered datasets.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Datasets {
    pub(crate) total_count: i64,
    pub(crate) datasets: Vec<DatasetRow>,
    pub(crate) request_id: Exact,
}

/// A dataset as a list shows it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct DatasetRow {
    pub(crate) dataset_id: DatasetId,
    pub(crate) name: String,
    pub(crate) workspace_id: WorkspaceId,
    pub(crate) data_source_type: Exact,
    pub(crate) data_type: Exact,
    pub(crate) property: Exact,
    #[schemars(extend("x-fact" = Fact::Storage.name()))]
    pub(crate) uri: Exact,
    pub(crate) accessibility: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) description: String,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) edition: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) labels: Vec<Label>,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) latest_version: DatasetVersion,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) accessible_role_id_list: Vec<Exact>,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) mount_access: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) mount_access_read_write_role_id_list: Vec<Exact>,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) options: String,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) import_info: String,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) provider_type: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) is_shared: bool,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) shared_from: DatasetSharing,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) sharing_config: DatasetSharingConfig,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) source_type: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) source_id: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) source_dataset_id: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) source_dataset_version: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) tag_template_type: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) gmt_create_time: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) gmt_modified_time: Exact,
    #[schemars(title = "Creator ID", extend("x-full-only" = true))]
    pub(crate) user_id: Last4,
    #[schemars(title = "Account ID", extend("x-full-only" = true))]
    pub(crate) owner_id: Last4,
}

/// Get one dataset: its storage, latest version and sharing.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetDataset {
    pub(crate) region_id: RegionId,
    #[schemars(length(min = 1))]
    pub(crate) dataset_id: Exact,
}

impl Operation for GetDataset {
    const SPEC: Spec = Spec {
        name: "aiworkspace_get_dataset",
        title: "Get a dataset",
        cloud: Cloud::AiWorkspace,
        action: "GetDataset",
        effect: Effect::Read,
        route: Route::get("/api/v1/datasets/{DatasetId}"),
        makes: None,
    };
    type Reply = Dataset;
}

/// One dataset, whole.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Dataset {
    pub(crate) dataset_id: DatasetId,
    pub(crate) name: String,
    pub(crate) workspace_id: WorkspaceId,
    pub(crate) data_source_type: Exact,
    pub(crate) data_type: Exact,
    pub(crate) property: Exact,
    #[schemars(extend("x-fact" = Fact::Storage.name()))]
    pub(crate) uri: Exact,
    pub(crate) accessibility: Exact,
    pub(crate) description: String,
    pub(crate) edition: Exact,
    pub(crate) labels: Vec<Label>,
    pub(crate) latest_version: DatasetVersion,
    pub(crate) accessible_role_id_list: Vec<Exact>,
    pub(crate) mount_access: Exact,
    pub(crate) mount_access_read_write_role_id_list: Vec<Exact>,
    pub(crate) options: String,
    pub(crate) import_info: String,
    pub(crate) provider: Exact,
    pub(crate) provider_type: Exact,
    pub(crate) is_shared: bool,
    pub(crate) shared_from: DatasetSharing,
    pub(crate) sharing_config: DatasetSharingConfig,
    pub(crate) source_type: Exact,
    pub(crate) source_id: Exact,
    pub(crate) source_dataset_id: Exact,
    pub(crate) source_dataset_version: Exact,
    pub(crate) tag_template_type: Exact,
    pub(crate) gmt_create_time: Exact,
    pub(crate) gmt_modified_time: Exact,
    #[schemars(title = "Creator ID")]
    pub(crate) user_id: Last4,
    #[schemars(title = "Account ID")]
    pub(crate) owner_id: Last4,
    pub(crate) request_id: Exact,
}

/// A version of a dataset. The role that manages it holds the account's id in its name.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct DatasetVersion {
    pub(crate) version_name: Exact,
    pub(crate) description: String,
    pub(crate) data_source_type: Exact,
    pub(crate) property: Exact,
    #[schemars(extend("x-fact" = Fact::Storage.name()))]
    pub(crate) uri: Exact,
    pub(crate) data_count: i64,
    pub(crate) data_size: i64,
    pub(crate) labels: Vec<Label>,
    pub(crate) mount_access: Exact,
    pub(crate) options: String,
    pub(crate) import_info: String,
    pub(crate) source_type: Exact,
    pub(crate) source_id: Exact,
    pub(crate) dataset_task_ram_role: String,
    pub(crate) user_metrics_endpoints: Vec<MetricsEndpoint>,
    pub(crate) gmt_create_time: Exact,
    pub(crate) gmt_modified_time: Exact,
}

/// Where a dataset's metrics can be read.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct MetricsEndpoint {
    pub(crate) path: Exact,
    pub(crate) port: i64,
}

/// With whom a dataset is shared.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct DatasetSharingConfig {
    pub(crate) shared_to: Vec<DatasetSharing>,
}

/// One sharing of a dataset. Nobody documents what Extra holds, so it never shows. The workspaces prove nothing
/// about where the dataset can be used.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct DatasetSharing {
    pub(crate) workspace_id: Exact,
    pub(crate) source_workspace_id: Exact,
    pub(crate) status: Exact,
    pub(crate) allowed_mount_access_levels: Vec<Exact>,
    pub(crate) is_secure_mode: bool,
    pub(crate) shared_at: Exact,
    pub(crate) expires_at: Exact,
    pub(crate) extra: Secret,
    #[schemars(title = "Account ID")]
    pub(crate) tenant_id: Last4,
    #[schemars(title = "Source Account ID")]
    pub(crate) source_tenant_id: Last4,
}
