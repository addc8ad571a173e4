//! Code sources: registered repositories that jobs mount code from.
//!
//! Parameters, reply fields and enums: the official SDK of AIWorkSpace 2021-02-04, version 8.3.5. It alone says
//! that a list needs a workspace; the source documents agree (R-DLC-61).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::workspaces::SortOrder;
use crate::spec::marks::{Exact, Fact, First, Last4, Secret};
use crate::spec::value::{CodeSourceId, Detail, RegionId, WorkspaceId, choices};
use crate::spec::{Cloud, Effect, Operation, Route, Spec};

choices! {
    /// What code sources are sorted by.
    CodeSourceSortKey {
        Modified = "GmtModifyTime",
        Name = "DisplayName",
        Id = "CodeSourceId",
        Created = "GmtCreateTime",
    }
}

/// List a workspace's code sources. A job's CodeSourceId must be one from here.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListCodeSources {
    pub(crate) region_id: RegionId,
    pub(crate) workspace_id: WorkspaceId,
    pub(crate) display_name: Option<String>,
    pub(crate) sort_by: Option<CodeSourceSortKey>,
    pub(crate) order: Option<SortOrder>,
    #[schemars(range(min = 1))]
    pub(crate) page_number: Option<i64>,
    #[schemars(range(min = 1))]
    pub(crate) page_size: Option<i64>,
    #[serde(rename = "detail")]
    pub(crate) detail: Option<Detail>,
}

impl Operation for ListCodeSources {
    const SPEC: Spec = Spec {
        name: "aiworkspace_list_code_sources",
        title: "List code sources",
        cloud: Cloud::AiWorkspace,
        action: "ListCodeSources",
        effect: Effect::Read,
        route: Route::get("/api/v1/codesources"),
        makes: None,
    };
    type Reply = CodeSources;
}

/// Registered code sources.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct CodeSources {
    pub(crate) total_count: i64,
    pub(crate) code_sources: Vec<CodeSourceRow>,
    pub(crate) request_id: Exact,
}

/// A code source as a list shows it. The repository's access token never shows; its address may hold people's names,
/// so it is free text.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct CodeSourceRow {
    pub(crate) code_source_id: CodeSourceId,
    pub(crate) display_name: String,
    pub(crate) workspace_id: WorkspaceId,
    pub(crate) accessibility: Exact,
    pub(crate) code_repo: String,
    pub(crate) code_branch: String,
    #[schemars(extend("x-fact" = Fact::Commit.name()))]
    pub(crate) code_commit: Exact,
    pub(crate) mount_path: String,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) description: String,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) clone_type: i64,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) gmt_create_time: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) gmt_modify_time: Exact,
    #[schemars(title = "Repository Username", extend("x-full-only" = true))]
    pub(crate) code_repo_user_name: First,
    pub(crate) code_repo_access_token: Secret,
    #[schemars(title = "Creator ID", extend("x-full-only" = true))]
    pub(crate) user_id: Last4,
}

/// Get one code source: its repository, branch and commit.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetCodeSource {
    pub(crate) region_id: RegionId,
    #[schemars(length(min = 1))]
    pub(crate) code_source_id: Exact,
}

impl Operation for GetCodeSource {
    const SPEC: Spec = Spec {
        name: "aiworkspace_get_code_source",
        title: "Get a code source",
        cloud: Cloud::AiWorkspace,
        action: "GetCodeSource",
        effect: Effect::Read,
        route: Route::get("/api/v1/codesources/{CodeSourceId}"),
        makes: None,
    };
    type Reply = CodeSource;
}

/// One code source, whole. See [`CodeSourceRow`].
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct CodeSource {
    pub(crate) code_source_id: CodeSourceId,
    pub(crate) display_name: String,
    pub(crate) workspace_id: WorkspaceId,
    pub(crate) accessibility: Exact,
    pub(crate) code_repo: String,
    pub(crate) code_branch: String,
    #[schemars(extend("x-fact" = Fact::Commit.name()))]
    pub(crate) code_commit: Exact,
    pub(crate) mount_path: String,
    pub(crate) description: String,
    pub(crate) clone_type: i64,
    pub(crate) gmt_create_time: Exact,
    pub(crate) gmt_modify_time: Exact,
    #[schemars(title = "Repository Username")]
    pub(crate) code_repo_user_name: First,
    pub(crate) code_repo_access_token: Secret,
    #[schemars(title = "Creator ID")]
    pub(crate) user_id: Last4,
    pub(crate) request_id: Exact,
}
