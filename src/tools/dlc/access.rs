//! Ways into a running job, and tokens to share one.
//!
//! Parameters and reply fields: the official SDK of PAI-DLC 2020-12-03, version 1.11.6; how long a link is good, and
//! for whom: its public documentation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::error::Faults;
use crate::spec::marks::{Exact, HandOver, Link, Secret};
use crate::spec::value::{RegionId, choices};
use crate::spec::{Cloud, Effect, Operation, Route, Spec};

choices! {
    /// What a token shares.
    TargetType { Job = "job", Tensorboard = "tensorboard" }
}

/// Get a token with which anyone can see a job or a TensorBoard until it expires. The result holds a handle that other
/// tools take as a token.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetToken {
    pub(crate) region_id: RegionId,
    pub(crate) target_type: TargetType,
    #[schemars(length(min = 1), extend("x-subject" = true))]
    pub(crate) target_id: Exact,
    /// Seconds; the service's default is 604800.
    #[schemars(range(min = 0))]
    pub(crate) expire_time: Option<i64>,
    #[schemars(extend("x-dotted" = true))]
    pub(crate) token_settings: Option<TokenSettings>,
}

/// What else a token lets its holder do.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[schemars(description = "")]
pub struct TokenSettings {
    pub(crate) enable_cross_account_access: Option<bool>,
    pub(crate) enable_log_download_job: Option<bool>,
}

impl Operation for GetToken {
    const SPEC: Spec = Spec {
        name: "dlc_get_token",
        title: "Get a sharing token",
        cloud: Cloud::Dlc,
        action: "GetToken",
        effect: Effect::Reveal,
        route: Route::get("/api/v1/tokens"),
        makes: None,
    };
    type Reply = Token;
}

/// The token.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Token {
    pub(crate) token: HandOver,
    pub(crate) request_id: Exact,
}

/// Get a link to a terminal in a running pod: a WebSocket address, good for about 30 seconds. Give it to the user alone.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetWebTerminal {
    pub(crate) region_id: RegionId,
    #[schemars(length(min = 1))]
    pub(crate) job_id: Exact,
    #[schemars(length(min = 1))]
    pub(crate) pod_id: Exact,
    pub(crate) pod_uid: Option<Exact>,
    /// true: whoever opens it first gets in, without signing in.
    pub(crate) is_shared: Option<bool>,
}

impl Operation for GetWebTerminal {
    const SPEC: Spec = Spec {
        name: "dlc_get_web_terminal",
        title: "Get a terminal in a pod",
        cloud: Cloud::Dlc,
        action: "GetWebTerminal",
        effect: Effect::Reveal,
        route: Route::get("/api/v1/jobs/{JobId}/pods/{PodId}/webterminal"),
        makes: None,
    };
    type Reply = WebTerminal;
}

/// The link.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct WebTerminal {
    pub(crate) web_terminal_url: Link,
    pub(crate) request_id: Exact,
}

/// Get the link to a job's dashboard. Only a RayJob has one. Give it to the user alone.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetDashboard {
    pub(crate) region_id: RegionId,
    #[schemars(length(min = 1))]
    pub(crate) job_id: Exact,
    /// true needs token: the link then opens without signing in.
    #[serde(rename = "isShared")]
    pub(crate) is_shared: Option<bool>,
    /// The handle that dlc_get_token gave.
    #[serde(rename = "token")]
    #[schemars(length(min = 1))]
    pub(crate) token: Option<Secret>,
}

impl Operation for GetDashboard {
    const SPEC: Spec = Spec {
        name: "dlc_get_dashboard",
        title: "Get a job's dashboard",
        cloud: Cloud::Dlc,
        action: "GetDashboard",
        effect: Effect::Reveal,
        route: Route::get("/api/v1/jobs/{JobId}/dashboard"),
        makes: None,
    };
    type Reply = Dashboard;

    fn check(&self) -> Result<(), Faults> {
        shared_by_token(self.is_shared, self.token.as_ref())
    }
}

/// The link.
#[derive(Serialize, JsonSchema)]
pub struct Dashboard {
    #[schemars(extend("x-if-empty" = "no link: only a RayJob has a dashboard; dlc_get_job shows the job's type and status"))]
    pub(crate) url: Link,
}

/// Get the link to a job's Ray dashboard, and whether it shows metrics. Only a RayJob has one. Give it to the user alone.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetRayDashboard {
    pub(crate) region_id: RegionId,
    #[schemars(length(min = 1))]
    pub(crate) job_id: Exact,
    /// true needs token: the link then opens without signing in.
    #[serde(rename = "isShared")]
    pub(crate) is_shared: Option<bool>,
    /// The handle that dlc_get_token gave.
    #[serde(rename = "token")]
    #[schemars(length(min = 1))]
    pub(crate) token: Option<Secret>,
}

impl Operation for GetRayDashboard {
    const SPEC: Spec = Spec {
        name: "dlc_get_ray_dashboard",
        title: "Get a job's Ray dashboard",
        cloud: Cloud::Dlc,
        action: "GetRayDashboard",
        effect: Effect::Reveal,
        route: Route::get("/api/v1/jobs/{JobId}/rayDashboard"),
        makes: None,
    };
    type Reply = RayDashboard;

    fn check(&self) -> Result<(), Faults> {
        shared_by_token(self.is_shared, self.token.as_ref())
    }
}

/// The link, and whether the dashboard shows metrics.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RayDashboard {
    #[schemars(extend("x-if-empty" = "no link: only a RayJob has a dashboard; dlc_get_job shows the job's type and status"))]
    pub(crate) url: Link,
    pub(crate) metrics_enabled: Exact,
}

/// A link to share is made of a token.
fn shared_by_token(is_shared: Option<bool>, token: Option<&Secret>) -> Result<(), Faults> {
    let mut faults = Faults::default();
    faults.demand(
        is_shared != Some(true) || token.is_some(),
        "token",
        "is required when isShared is true",
        "call dlc_get_token for the job and give the handle that it returns",
    );
    faults.into_result()
}
