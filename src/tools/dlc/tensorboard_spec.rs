//! What a TensorBoard is made of: its data and its machine.
//!
//! Field names, types and enums: the official SDK of PAI-DLC 2020-12-03, version 1.11.6.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::spec::marks::{Exact, Last4};
use crate::spec::value::{DatasetId, choices};

choices! {
    /// What data is named by.
    TensorboardSourceType { Dataset = "datasource", Job = "dlcjob" }
}

/// Data shown in a TensorBoard: a registered dataset, or where it is kept.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DataSourceItem {
    pub(crate) data_source_id: Option<DatasetId>,
    pub(crate) data_source_type: Option<Exact>,
    pub(crate) description: Option<String>,
    pub(crate) display_name: Option<String>,
    pub(crate) endpoint: Option<Exact>,
    pub(crate) file_system_id: Option<Exact>,
    pub(crate) gmt_create_time: Option<Exact>,
    pub(crate) gmt_modify_time: Option<Exact>,
    pub(crate) mount_path: Option<String>,
    pub(crate) options: Option<String>,
    pub(crate) path: Option<Exact>,
    pub(crate) user_id: Option<Last4>,
}

/// One of several sources that a TensorBoard compares.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct TensorboardDataSource {
    pub(crate) data_source_type: Option<Exact>,
    pub(crate) directory_name: Option<Exact>,
    pub(crate) full_summary_path: Option<Exact>,
    pub(crate) id: Option<Exact>,
    pub(crate) name: Option<String>,
    pub(crate) source_type: Option<TensorboardSourceType>,
    pub(crate) summary_path: Option<Exact>,
    pub(crate) uri: Option<Exact>,
}

impl TensorboardDataSource {
    /// Whether its id, if it has one, is said to be a job's.
    pub(super) fn names_no_dataset(&self) -> bool {
        self.id.is_none() || self.source_type == Some(TensorboardSourceType::Job)
    }
}

/// The machine of a TensorBoard that is paid as it runs, and its network.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct TensorboardSpec {
    pub(crate) ecs_type: Option<Exact>,
    pub(crate) security_group_id: Option<Exact>,
    pub(crate) switch_id: Option<Exact>,
    pub(crate) vpc_id: Option<Exact>,
}
