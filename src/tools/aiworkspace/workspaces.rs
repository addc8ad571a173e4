//! Workspaces, and whether PAI is activated in a region.
//!
//! Parameters, reply fields and enums: the official SDK of AIWorkSpace 2021-02-04, version 8.3.5. What is
//! narrower than the SDK comes from the PAI workspace skill; its rule stands beside it.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use serde_with::skip_serializing_none;

use crate::error::{Fault, Faults};
use crate::spec::marks::{Exact, First, Joined, Last4, Secret};
use crate::spec::unique::{Check, List, Unique};
use crate::spec::value::{Detail, RegionId, WorkspaceId, choices};
use crate::spec::{Cloud, Effect, Makes, Operation, Route, Spec};

choices! {
    /// An environment of a workspace.
    EnvType { Dev = "dev", Prod = "prod" }
    /// What ListWorkspaces answers.
    ListOption {
        GetWorkspaces = "GetWorkspaces",
        GetResourceLimits = "GetResourceLimits",
        CheckWorkspaceExists = "CheckWorkspaceExists",
    }
    /// The fields that ListWorkspaces can be narrowed to.
    ListField { Id = "Id" }
    /// A direction of sorting.
    SortOrder { Ascending = "ASC", Descending = "DESC" }
    /// What workspaces are sorted by.
    SortKey { Created = "GmtCreateTime", Modified = "GmtModifiedTime" }
    /// A workspace's state.
    Status {
        Enabled = "ENABLED",
        Initializing = "INITIALIZING",
        Failure = "FAILURE",
        Disabled = "DISABLED",
        Frozen = "FROZEN",
        Updating = "UPDATING",
    }
}

/// Check whether PAI and the products it depends on are activated in a region. ProductCodes PAI_share tells
/// about PAI itself.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListProducts {
    pub(crate) region_id: RegionId,
    /// Comma-separated, such as PAI_share.
    pub(crate) product_codes: Option<String>,
    /// Comma-separated.
    pub(crate) service_codes: Option<String>,
    pub(crate) verbose: Option<bool>,
}

impl Operation for ListProducts {
    const SPEC: Spec = Spec {
        name: "aiworkspace_list_products",
        title: "Check PAI activation",
        cloud: Cloud::AiWorkspace,
        action: "ListProducts",
        effect: Effect::Read,
        route: Route::get("/api/v1/products"),
        makes: None,
    };
    type Reply = Products;
}

/// Which products and services are activated.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Products {
    pub(crate) products: Vec<Product>,
    pub(crate) services: Vec<Service>,
    pub(crate) request_id: Exact,
}

/// A product and whether it is activated.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Product {
    pub(crate) product_code: Exact,
    pub(crate) product_id: Exact,
    pub(crate) is_purchased: bool,
    pub(crate) has_permission_to_purchase: bool,
    #[schemars(extend("x-only-if" = "HasPermissionToPurchase"))]
    pub(crate) purchase_url: Exact,
}

/// A service and whether it is open.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Service {
    pub(crate) service_code: Exact,
    pub(crate) is_open: bool,
    pub(crate) open_url: Exact,
}

/// List workspaces, or look several up by id in one call. For one workspace use aiworkspace_get_workspace.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListWorkspaces {
    pub(crate) region_id: RegionId,
    /// Matches parts of names.
    pub(crate) workspace_name: Option<String>,
    /// Two or more ids, comma-separated: 123,456.
    #[schemars(regex(pattern = r"^[0-9]+(,[0-9]+)*$"))]
    pub(crate) workspace_ids: Option<String>,
    pub(crate) status: Option<Status>,
    /// CheckWorkspaceExists needs WorkspaceName.
    pub(crate) option: Option<ListOption>,
    pub(crate) sort_by: Option<SortKey>,
    pub(crate) order: Option<SortOrder>,
    #[schemars(range(min = 1))]
    pub(crate) page_number: Option<i64>,
    #[schemars(range(min = 1))]
    pub(crate) page_size: Option<i64>,
    pub(crate) resource_group_id: Option<String>,
    pub(crate) module_list: Option<String>,
    pub(crate) fields: Option<ListField>,
    pub(crate) user_id: Option<Last4>,
    pub(crate) verbose: Option<bool>,
    #[serde(rename = "detail")]
    pub(crate) detail: Option<Detail>,
}

impl Operation for ListWorkspaces {
    const SPEC: Spec = Spec {
        name: "aiworkspace_list_workspaces",
        title: "List workspaces",
        cloud: Cloud::AiWorkspace,
        action: "ListWorkspaces",
        effect: Effect::Read,
        route: Route::get("/api/v1/workspaces"),
        makes: None,
    };
    type Reply = Workspaces;

    fn check(&self) -> Result<(), Faults> {
        let mut faults = Faults::default();
        if let Some(ids) = &self.workspace_ids {
            let listed: Vec<&str> = ids.split(',').collect();
            faults.demand(
                listed.len() > 1,
                "WorkspaceIds",
                "holds a single id",
                "call aiworkspace_get_workspace for one workspace",
            );
            faults.demand(
                listed.iter().collect::<BTreeSet<_>>().len() == listed.len(),
                "WorkspaceIds",
                "repeats an id",
                "give each id once",
            );
            faults.demand(
                self.option != Some(ListOption::GetResourceLimits),
                "WorkspaceIds",
                "goes with a list of workspaces, not with resource limits",
                "leave WorkspaceIds or Option out",
            );
        }
        faults.demand(
            self.option != Some(ListOption::CheckWorkspaceExists) || self.workspace_name.is_some(),
            "WorkspaceName",
            "is required by Option CheckWorkspaceExists",
            "give the name to check",
        );
        faults.into_result()
    }
}

/// Workspaces, or an account's limits.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Workspaces {
    #[schemars(title = "Total Count")]
    pub(crate) total_count: i64,
    #[schemars(title = "Workspaces")]
    pub(crate) workspaces: Vec<WorkspaceRow>,
    #[schemars(title = "Resource Limits")]
    pub(crate) resource_limits: BTreeMap<String, i64>,
    #[schemars(title = "Request ID")]
    pub(crate) request_id: Exact,
}

/// A workspace as a list shows it. The creator and the administrators come with every row.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WorkspaceRow {
    #[schemars(title = "Workspace Name")]
    pub(crate) workspace_name: String,
    #[schemars(title = "Workspace ID")]
    pub(crate) workspace_id: WorkspaceId,
    #[schemars(title = "Status")]
    pub(crate) status: Exact,
    #[schemars(title = "Environment")]
    pub(crate) env_types: Joined,
    #[schemars(title = "Created")]
    pub(crate) gmt_create_time: Exact,
    #[schemars(title = "Creator ID")]
    pub(crate) creator: Last4,
    #[schemars(title = "Administrators")]
    pub(crate) admin_names: Vec<First>,
    #[schemars(title = "Display Name", extend("x-full-only" = true))]
    pub(crate) display_name: String,
    #[schemars(title = "Description", extend("x-full-only" = true))]
    pub(crate) description: String,
    #[schemars(title = "Modified", extend("x-full-only" = true))]
    pub(crate) gmt_modified_time: Exact,
    #[schemars(title = "Default Workspace", extend("x-full-only" = true))]
    pub(crate) is_default: bool,
    #[serde(rename = "resourceGroupId")]
    #[schemars(title = "Resource Group ID", extend("x-full-only" = true))]
    pub(crate) resource_group_id: Exact,
    #[schemars(title = "Extra Information", extend("x-full-only" = true))]
    pub(crate) extra_infos: Map<String, Value>,
}

/// Get one workspace. Set Verbose only when the user asks about the owner, administrators or creator
/// (所有者, 拥有者, 创建者, 管理员, 负责人, 归属, owner, admin). After a 404, tell the user; don't search.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetWorkspace {
    pub(crate) region_id: RegionId,
    pub(crate) workspace_id: WorkspaceId,
    /// Adds Owner and AdminNames.
    pub(crate) verbose: Option<bool>,
}

impl Operation for GetWorkspace {
    const SPEC: Spec = Spec {
        name: "aiworkspace_get_workspace",
        title: "Get a workspace",
        cloud: Cloud::AiWorkspace,
        action: "GetWorkspace",
        effect: Effect::Read,
        route: Route::get("/api/v1/workspaces/{WorkspaceId}"),
        makes: None,
    };
    type Reply = Workspace;
}

/// One workspace, whole. The owner and the administrators come with Verbose.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Workspace {
    #[schemars(title = "Workspace Name")]
    pub(crate) workspace_name: String,
    #[schemars(title = "Workspace ID")]
    pub(crate) workspace_id: WorkspaceId,
    #[schemars(title = "Status")]
    pub(crate) status: Exact,
    #[schemars(title = "Environment")]
    pub(crate) env_types: Joined,
    #[schemars(title = "Created")]
    pub(crate) gmt_create_time: Exact,
    #[schemars(title = "Creator ID")]
    pub(crate) creator: Last4,
    #[schemars(title = "Owner")]
    pub(crate) owner: Owner,
    #[schemars(title = "Administrators")]
    pub(crate) admin_names: Vec<First>,
    #[schemars(title = "Display Name")]
    pub(crate) display_name: String,
    #[schemars(title = "Description")]
    pub(crate) description: String,
    #[schemars(title = "Modified")]
    pub(crate) gmt_modified_time: Exact,
    #[schemars(title = "Default Workspace")]
    pub(crate) is_default: bool,
    #[schemars(title = "Resource Group ID")]
    pub(crate) resource_group_id: Exact,
    #[schemars(title = "Extra Information")]
    pub(crate) extra_infos: Map<String, Value>,
    #[schemars(title = "Request ID")]
    pub(crate) request_id: Exact,
}

/// A workspace's owner.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Owner {
    #[schemars(title = "Username")]
    pub(crate) user_name: First,
    #[schemars(title = "Owner ID")]
    pub(crate) user_id: Last4,
    #[schemars(title = "Display Name")]
    pub(crate) display_name: First,
    #[schemars(title = "Owner Key")]
    pub(crate) user_kp: Secret,
}

/// Names are unique within a region and an account (R-WS-58 to R-WS-63).
const WORKSPACE_NAME: Unique = Unique {
    noun: "workspace",
    name: "WorkspaceName",
    check: Some(Check { tool: ListWorkspaces::SPEC.name, with: ("Option", "CheckWorkspaceExists") }),
    list: List {
        tool: ListWorkspaces::SPEC.name,
        by_name: true,
        page: ("PageNumber", "PageSize"),
        size: 100,
        rows: "Workspaces",
        total: "TotalCount",
        name: "WorkspaceName",
        id: "WorkspaceId",
    },
    get: GetWorkspace::SPEC.name,
    compared: &["EnvTypes", "Description", "DisplayName", "ResourceGroupId"],
    taken: "WorkspaceNameAlreadyExists",
};

/// Create a workspace, or return the existing one of the same name and settings; the check is built in. Ask the
/// user for every argument first. Names take a team's or project's prefix, with underscores. A new one is ready once
/// aiworkspace_get_workspace shows it ENABLED.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateWorkspace {
    pub(crate) region_id: RegionId,
    /// 3 to 23 letters, digits or underscores, a letter first; unique within the region.
    #[schemars(regex(pattern = r"^[A-Za-z][A-Za-z0-9_]{2,22}$"))]
    pub(crate) workspace_name: String,
    /// Its purpose, team or project.
    #[schemars(length(min = 1, max = 80))]
    pub(crate) description: String,
    /// `["prod"]` (simple mode) or `["dev","prod"]` (standard mode).
    #[schemars(length(min = 1, max = 2))]
    pub(crate) env_types: BTreeSet<EnvType>,
    /// The service takes WorkspaceName when it is left out.
    pub(crate) display_name: Option<String>,
    /// Can't be changed later.
    pub(crate) resource_group_id: Option<String>,
}

impl Operation for CreateWorkspace {
    const SPEC: Spec = Spec {
        name: "aiworkspace_create_workspace",
        title: "Create a workspace",
        cloud: Cloud::AiWorkspace,
        action: "CreateWorkspace",
        effect: Effect::Create,
        route: Route::post("/api/v1/workspaces"),
        makes: Some(Makes { id: "WorkspaceId", unique: Some(&WORKSPACE_NAME) }),
    };
    type Reply = WorkspaceCreated;

    fn check(&self) -> Result<(), Faults> {
        if self.env_types.contains(&EnvType::Prod) {
            Ok(())
        } else {
            Err(Fault::new(
                "EnvTypes",
                "leaves the production environment out",
                "give [\"prod\"] for simple mode or [\"dev\",\"prod\"] for standard mode",
            )
            .into())
        }
    }
}

/// The workspace made.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WorkspaceCreated {
    #[schemars(title = "Workspace ID")]
    pub(crate) workspace_id: WorkspaceId,
    #[schemars(title = "Request ID")]
    pub(crate) request_id: Exact,
}
