//! The assets that jobs are made of: images.
//!
//! Parameters, reply fields and enums: the official SDK of AIWorkSpace 2021-02-04, version 8.3.5.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::workspaces::SortOrder;
use crate::spec::marks::{Exact, Last4};
use crate::spec::value::{Detail, ImageUri, RegionId, WorkspaceId, choices};
use crate::spec::{Cloud, Effect, Operation, Route, Spec};

choices! {
    /// Who can see an asset.
    Accessibility { Public = "PUBLIC", Private = "PRIVATE" }
    /// How Name is compared.
    ImageOptions { ExactMatchName = "ExactMatchName" }
    /// What images are sorted by.
    ImageSortKey { Created = "GmtCreateTime" }
}

/// List container images. A job's Image must be an ImageUri from here, unchanged. Leave WorkspaceId out for official
/// images, give it for the workspace's own.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListImages {
    pub(crate) region_id: RegionId,
    pub(crate) workspace_id: Option<WorkspaceId>,
    pub(crate) name: Option<String>,
    pub(crate) options: Option<ImageOptions>,
    /// Comma-separated Key=Value: system.chipType=GPU,system.framework=PyTorch,system.officialReleased=true.
    #[schemars(regex(pattern = r"^[^=,\s]+=[^=,\s]+(,[^=,\s]+=[^=,\s]+)*$"))]
    pub(crate) labels: Option<String>,
    /// Finds the image of exactly this address.
    pub(crate) image_uri: Option<String>,
    /// Matches parts of names and descriptions.
    pub(crate) query: Option<String>,
    pub(crate) accessibility: Option<Accessibility>,
    /// Adds labels.
    pub(crate) verbose: Option<bool>,
    pub(crate) sort_by: Option<ImageSortKey>,
    pub(crate) order: Option<SortOrder>,
    #[schemars(range(min = 1))]
    pub(crate) page_number: Option<i64>,
    #[schemars(range(min = 1))]
    pub(crate) page_size: Option<i64>,
    #[serde(rename = "detail")]
    pub(crate) detail: Option<Detail>,
}

impl Operation for ListImages {
    const SPEC: Spec = Spec {
        name: "aiworkspace_list_images",
        title: "List images",
        cloud: Cloud::AiWorkspace,
        action: "ListImages",
        effect: Effect::Read,
        route: Route::get("/api/v1/images"),
        makes: None,
    };
    type Reply = Images;
}

/// Get one image by its ImageId, such as to verify an ImageUri.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetImage {
    pub(crate) region_id: RegionId,
    /// From aiworkspace_list_images.
    #[schemars(length(min = 1))]
    pub(crate) image_id: Exact,
    /// Adds labels.
    pub(crate) verbose: Option<bool>,
}

impl Operation for GetImage {
    const SPEC: Spec = Spec {
        name: "aiworkspace_get_image",
        title: "Get an image",
        cloud: Cloud::AiWorkspace,
        action: "GetImage",
        effect: Effect::Read,
        route: Route::get("/api/v1/images/{ImageId}"),
        makes: None,
    };
    type Reply = ImageDetail;
}

/// One image, whole, but for its ImageId. An official one carries no WorkspaceId.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ImageDetail {
    pub(crate) image_uri: ImageUri,
    pub(crate) name: String,
    pub(crate) workspace_id: WorkspaceId,
    pub(crate) accessibility: Exact,
    pub(crate) labels: Vec<Label>,
    pub(crate) description: String,
    pub(crate) size: i64,
    pub(crate) gmt_create_time: Exact,
    pub(crate) gmt_modified_time: Exact,
    pub(crate) source_type: Exact,
    pub(crate) source_id: Exact,
    #[schemars(title = "Owner ID")]
    pub(crate) user_id: Last4,
    #[schemars(title = "Account ID")]
    pub(crate) parent_user_id: Last4,
    pub(crate) request_id: Exact,
}

/// Registered images.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Images {
    pub(crate) total_count: i64,
    pub(crate) images: Vec<Image>,
    pub(crate) request_id: Exact,
}

/// A registered image. An official one carries no WorkspaceId.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Image {
    pub(crate) image_uri: ImageUri,
    pub(crate) name: String,
    pub(crate) image_id: Exact,
    pub(crate) workspace_id: WorkspaceId,
    pub(crate) accessibility: Exact,
    pub(crate) labels: Vec<Label>,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) description: String,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) size: i64,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) gmt_create_time: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) gmt_modified_time: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) source_type: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) source_id: Exact,
    #[schemars(title = "Owner ID", extend("x-full-only" = true))]
    pub(crate) user_id: Last4,
    #[schemars(title = "Account ID", extend("x-full-only" = true))]
    pub(crate) parent_user_id: Last4,
}

/// A label of an asset.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Label {
    pub(crate) key: String,
    pub(crate) value: String,
}
