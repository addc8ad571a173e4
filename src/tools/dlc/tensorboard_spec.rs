//! What a TensorBoard is made of, its data and its machine, and what is shown of one.
//!
//! Field names, types and enums: the official SDK of PAI-DLC 2020-12-03, version 1.11.6.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::spec::marks::{Exact, First, Last4, PlainLink, Secret};
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

/// A TensorBoard, whole. Its address shows unless it lets in whoever has it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Tensorboard {
    pub(crate) tensorboard_id: Exact,
    pub(crate) display_name: String,
    pub(crate) status: Exact,
    pub(crate) reason_code: Exact,
    pub(crate) reason_message: String,
    pub(crate) tensorboard_url: PlainLink,
    pub(crate) job_id: Exact,
    pub(crate) workspace_id: Exact,
    pub(crate) accessibility: Exact,
    pub(crate) cpu: i64,
    pub(crate) data_source_id: Exact,
    pub(crate) data_source_type: Exact,
    pub(crate) duration: Exact,
    pub(crate) gmt_create_time: Exact,
    pub(crate) gmt_finish_time: Exact,
    pub(crate) gmt_modify_time: Exact,
    pub(crate) max_running_time_minutes: i64,
    pub(crate) memory: i64,
    pub(crate) options: String,
    pub(crate) priority: Exact,
    pub(crate) quota_id: Exact,
    pub(crate) quota_name: String,
    pub(crate) request_id: Exact,
    pub(crate) summary_path: Exact,
    pub(crate) summary_relative_path: Exact,
    pub(crate) tensorboard_data_sources: Vec<TensorboardDataSource>,
    pub(crate) tensorboard_spec: TensorboardSpec,
    pub(crate) token: Secret,
    #[schemars(title = "User ID")]
    pub(crate) user_id: Last4,
    #[schemars(title = "Username")]
    pub(crate) username: First,
}

/// A TensorBoard as a list shows it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct TensorboardRow {
    pub(crate) tensorboard_id: Exact,
    pub(crate) display_name: String,
    pub(crate) status: Exact,
    pub(crate) job_id: Exact,
    pub(crate) workspace_id: Exact,
    pub(crate) accessibility: Exact,
    pub(crate) gmt_create_time: Exact,
    #[schemars(title = "Username")]
    pub(crate) username: First,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) tensorboard_url: PlainLink,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) reason_code: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) reason_message: String,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) cpu: i64,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) data_source_id: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) data_source_type: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) duration: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) gmt_finish_time: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) gmt_modify_time: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) max_running_time_minutes: i64,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) memory: i64,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) options: String,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) priority: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) quota_id: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) quota_name: String,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) request_id: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) summary_path: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) summary_relative_path: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) tensorboard_data_sources: Vec<TensorboardDataSource>,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) tensorboard_spec: TensorboardSpec,
    pub(crate) token: Secret,
    #[schemars(title = "User ID", extend("x-full-only" = true))]
    pub(crate) user_id: Last4,
}
