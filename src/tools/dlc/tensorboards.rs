//! TensorBoards: made, looked at, started, stopped, changed and shared.
//!
//! Parameters, reply fields and enums: the official SDK of PAI-DLC 2020-12-03, version 1.11.6; ranges and permissions:
//! its public documentation. What is narrower comes from the PAI-DLC skill; its rule stands beside it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::span::in_order;
use super::tensorboard_spec::{
    DataSourceItem, Tensorboard, TensorboardDataSource, TensorboardRow, TensorboardSpec,
};
use crate::error::Faults;
use crate::spec::marks::{Exact, First, Last4, Link, Path, Secret};
use crate::spec::value::{DatasetId, Detail, RegionId, WorkspaceId, choices};
use crate::spec::{Cloud, Effect, Makes, Operation, Route, Spec};
use crate::tools::aiworkspace::assets::Accessibility;

choices! {
    /// Where a dataset is kept.
    StorageType { Oss = "OSS", Nas = "NAS" }
    /// The states that a list of TensorBoards can be narrowed to.
    TensorboardStatus {
        Creating = "Creating",
        Running = "Running",
        Stopped = "Stopped",
        Succeeded = "Succeeded",
        Failed = "Failed",
    }
    /// Whether what a TensorBoard runs on is paid for.
    TensorboardPayment { Free = "Free", Postpaid = "Postpaid" }
    /// What TensorBoards are sorted by.
    TensorboardSortKey { DisplayName = "DisplayName", Created = "GmtCreateTime" }
    /// A direction of sorting, which this service writes in lower case.
    TensorboardOrder { Descending = "desc", Ascending = "asc" }
}

/// The one source of data that can be told from a dataset: a job.
const JOB: &str = "job";

/// Create a TensorBoard, of one job (JobId) or of data (DataSources, or DataSourceId or Uri), never of both.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateTensorboard {
    pub(crate) region_id: RegionId,
    /// Needed to name datasets.
    pub(crate) workspace_id: Option<WorkspaceId>,
    pub(crate) display_name: Option<String>,
    #[schemars(length(min = 1))]
    pub(crate) job_id: Option<Exact>,
    /// DataSourceId and MountPath each.
    #[schemars(length(min = 1), extend("x-folded" = true))]
    pub(crate) data_sources: Option<Vec<DataSourceItem>>,
    pub(crate) data_source_id: Option<DatasetId>,
    pub(crate) data_source_type: Option<StorageType>,
    #[schemars(length(min = 1))]
    pub(crate) uri: Option<Exact>,
    /// To compare several, by Uri, or a job's by Id with SourceType dlcjob.
    #[schemars(length(min = 1), extend("x-folded" = true))]
    pub(crate) tensorboard_data_sources: Option<Vec<TensorboardDataSource>>,
    pub(crate) summary_path: Option<Exact>,
    pub(crate) summary_relative_path: Option<Exact>,
    pub(crate) source_type: Option<Exact>,
    /// A job's, with SourceType job.
    pub(crate) source_id: Option<Exact>,
    #[schemars(range(min = 1))]
    pub(crate) max_running_time_minutes: Option<i64>,
    pub(crate) accessibility: Option<Accessibility>,
    /// From the user.
    pub(crate) quota_id: Option<Exact>,
    /// 1 to 9, as text.
    #[schemars(regex(pattern = "^[1-9]$"))]
    pub(crate) priority: Option<Exact>,
    #[schemars(range(min = 1))]
    pub(crate) cpu: Option<i64>,
    /// GB.
    #[schemars(range(min = 1))]
    pub(crate) memory: Option<i64>,
    /// Pay-as-you-go.
    pub(crate) tensorboard_spec: Option<TensorboardSpec>,
    /// JSON.
    pub(crate) options: Option<String>,
}

impl Operation for CreateTensorboard {
    const SPEC: Spec = Spec {
        name: "dlc_create_tensorboard",
        title: "Create a TensorBoard",
        cloud: Cloud::Dlc,
        action: "CreateTensorboard",
        effect: Effect::Create,
        route: Route::post("/api/v1/tensorboards"),
        makes: Some(Makes { id: "TensorboardId", unique: None }),
    };
    type Reply = TensorboardCreated;

    /// A job or data, exactly one (R-DLC-15, R-DLC-41); and no id of which nobody can tell whether it is a dataset's,
    /// for datasets come from a list (R-DLC-31).
    fn check(&self) -> Result<(), Faults> {
        let mut faults = Faults::default();
        let data = [
            ("DataSources", self.data_sources.is_some()),
            ("DataSourceId", self.data_source_id.is_some()),
            ("Uri", self.uri.is_some()),
            ("TensorboardDataSources", self.tensorboard_data_sources.is_some()),
        ];
        for (name, given) in data {
            faults.demand(
                !given || self.job_id.is_none(),
                name,
                "stands beside JobId",
                "a TensorBoard is of a job or of data: give JobId or data sources",
            );
        }
        faults.demand(
            self.job_id.is_some() || data.iter().any(|(_, given)| *given),
            "JobId",
            "is missing, and so are data sources",
            "give JobId or DataSources",
        );
        faults.demand(
            self.source_id.is_none() || self.source_type.as_ref().is_some_and(|kind| kind.as_str() == JOB),
            "SourceId",
            "isn't said to be a job's",
            "give SourceType job with it; a dataset goes into DataSources[].DataSourceId",
        );
        let list = Path::Field(&Path::Root, "TensorboardDataSources");
        for (index, source) in self.tensorboard_data_sources.iter().flatten().enumerate() {
            faults.demand(
                source.names_no_dataset(),
                Path::Field(&Path::Index(&list, index), "Id"),
                "isn't said to be a job's",
                "give SourceType dlcjob with it; a dataset goes into DataSources[].DataSourceId",
            );
        }
        faults.into_result()
    }
}

/// The TensorBoard made.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct TensorboardCreated {
    pub(crate) tensorboard_id: Exact,
    pub(crate) job_id: Exact,
    pub(crate) data_source_id: Exact,
    pub(crate) request_id: Exact,
}

/// Get one TensorBoard: its status, settings and address.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetTensorboard {
    pub(crate) region_id: RegionId,
    #[schemars(length(min = 1))]
    pub(crate) tensorboard_id: Exact,
    pub(crate) workspace_id: Option<WorkspaceId>,
    // The wire has a slip of the pen.
    #[schemars(extend("x-wire" = "JodId"))]
    pub(crate) job_id: Option<Exact>,
    /// A sharing token's handle, to see what others shared.
    pub(crate) token: Option<Secret>,
}

impl Operation for GetTensorboard {
    const SPEC: Spec = Spec {
        name: "dlc_get_tensorboard",
        title: "Get a TensorBoard",
        cloud: Cloud::Dlc,
        action: "GetTensorboard",
        effect: Effect::Read,
        route: Route::get("/api/v1/tensorboards/{TensorboardId}"),
        makes: None,
    };
    type Reply = Tensorboard;
}

/// List TensorBoards: yours of the last 7 days, unless the arguments say otherwise.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListTensorboards {
    pub(crate) region_id: RegionId,
    pub(crate) workspace_id: Option<WorkspaceId>,
    pub(crate) status: Option<TensorboardStatus>,
    pub(crate) display_name: Option<String>,
    pub(crate) tensorboard_id: Option<Exact>,
    pub(crate) job_id: Option<Exact>,
    pub(crate) source_id: Option<Exact>,
    pub(crate) source_type: Option<Exact>,
    /// false: everybody's.
    pub(crate) show_own: Option<bool>,
    /// UTC, such as 2026-01-02T03:04:05Z.
    pub(crate) start_time: Option<Exact>,
    pub(crate) end_time: Option<Exact>,
    pub(crate) accessibility: Option<Accessibility>,
    pub(crate) payment_type: Option<TensorboardPayment>,
    pub(crate) quota_id: Option<Exact>,
    pub(crate) user_id: Option<Last4>,
    pub(crate) username: Option<First>,
    pub(crate) sort_by: Option<TensorboardSortKey>,
    pub(crate) order: Option<TensorboardOrder>,
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) page_number: Option<i64>,
    #[schemars(range(min = 1, max = 100))]
    pub(crate) page_size: Option<i64>,
    pub(crate) verbose: Option<bool>,
    #[serde(rename = "detail")]
    pub(crate) detail: Option<Detail>,
}

impl Operation for ListTensorboards {
    const SPEC: Spec = Spec {
        name: "dlc_list_tensorboards",
        title: "List TensorBoards",
        cloud: Cloud::Dlc,
        action: "ListTensorboards",
        effect: Effect::Read,
        route: Route::get("/api/v1/tensorboards"),
        makes: None,
    };
    type Reply = Tensorboards;

    fn check(&self) -> Result<(), Faults> {
        in_order(self.start_time.as_ref(), self.end_time.as_ref())
    }
}

/// One page of TensorBoards.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Tensorboards {
    pub(crate) total_count: i64,
    pub(crate) tensorboards: Vec<TensorboardRow>,
    pub(crate) request_id: Exact,
}

/// Start a stopped TensorBoard.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct StartTensorboard {
    pub(crate) region_id: RegionId,
    #[schemars(length(min = 1))]
    pub(crate) tensorboard_id: Exact,
    pub(crate) workspace_id: Option<WorkspaceId>,
}

impl Operation for StartTensorboard {
    const SPEC: Spec = Spec {
        name: "dlc_start_tensorboard",
        title: "Start a TensorBoard",
        cloud: Cloud::Dlc,
        action: "StartTensorboard",
        effect: Effect::Act,
        route: Route::put_query("/api/v1/tensorboards/{TensorboardId}/start"),
        makes: None,
    };
    type Reply = TensorboardChanged;
}

/// Stop a TensorBoard. Its settings stay, and it can be started again.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct StopTensorboard {
    pub(crate) region_id: RegionId,
    #[schemars(length(min = 1))]
    pub(crate) tensorboard_id: Exact,
    pub(crate) workspace_id: Option<WorkspaceId>,
}

impl Operation for StopTensorboard {
    const SPEC: Spec = Spec {
        name: "dlc_stop_tensorboard",
        title: "Stop a TensorBoard",
        cloud: Cloud::Dlc,
        action: "StopTensorboard",
        effect: Effect::Act,
        route: Route::put_query("/api/v1/tensorboards/{TensorboardId}/stop"),
        makes: None,
    };
    type Reply = TensorboardChanged;
}

/// Change who can see a TensorBoard, how long it may run, or its priority.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct UpdateTensorboard {
    pub(crate) region_id: RegionId,
    #[schemars(length(min = 1))]
    pub(crate) tensorboard_id: Exact,
    pub(crate) workspace_id: Option<WorkspaceId>,
    pub(crate) accessibility: Option<Accessibility>,
    #[schemars(range(min = 1))]
    pub(crate) max_running_time_minutes: Option<i64>,
    /// 1 to 9, as text.
    #[schemars(regex(pattern = "^[1-9]$"))]
    pub(crate) priority: Option<Exact>,
}

impl Operation for UpdateTensorboard {
    const SPEC: Spec = Spec {
        name: "dlc_update_tensorboard",
        title: "Update a TensorBoard",
        cloud: Cloud::Dlc,
        action: "UpdateTensorboard",
        effect: Effect::Update,
        route: Route::put_query("/api/v1/tensorboards/{TensorboardId}"),
        makes: None,
    };
    type Reply = TensorboardChanged;
}

/// The TensorBoard that was started, stopped or changed.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct TensorboardChanged {
    pub(crate) tensorboard_id: Exact,
    pub(crate) request_id: Exact,
}

/// Get a link with which anyone can open a TensorBoard until it expires. Give it to the user alone.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetTensorboardSharedUrl {
    pub(crate) region_id: RegionId,
    #[schemars(length(min = 1))]
    pub(crate) tensorboard_id: Exact,
    #[schemars(range(min = 1, max = 604_800))]
    pub(crate) expire_time_seconds: Option<i64>,
}

impl Operation for GetTensorboardSharedUrl {
    const SPEC: Spec = Spec {
        name: "dlc_get_tensorboard_shared_url",
        title: "Get a shared link to a TensorBoard",
        cloud: Cloud::Dlc,
        action: "GetTensorboardSharedUrl",
        effect: Effect::Reveal,
        route: Route::get("/api/v1/tensorboards/{TensorboardId}/sharedurl"),
        makes: None,
    };
    type Reply = TensorboardShared;
}

/// The link.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct TensorboardShared {
    pub(crate) tensorboard_shared_url: Link,
    pub(crate) request_id: Exact,
}
