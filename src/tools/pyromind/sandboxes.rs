//! Sandboxes, what is run in them, and the way to their screens.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{Id, ResourceConfig};
use crate::error::Faults;
use crate::spec::marks::{Exact, HandOver, Path, Secret, Untrusted};
use crate::spec::unique::{List, Unique};
use crate::spec::value::{Ahead, choices};
use crate::spec::{Cloud, Effect, Makes, Operation, Route, Spec};

choices! {
    /// The states that a list of sandboxes can be narrowed to. A sandbox may be in others, such as `pending`.
    StatusFilter { Running = "running", Stopped = "stopped", Error = "error" }
    /// What can be done to a sandbox, or in it.
    Action {
        Start = "start",
        Stop = "stop",
        Restart = "restart",
        Reboot = "reboot",
        InstallPackage = "install_package",
        RunScript = "run_script",
    }
}

/// List sandboxes; status and sandbox_type combine.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListSandboxes {
    #[schemars(range(min = 1))]
    pub(crate) page: Option<i64>,
    #[schemars(range(min = 1))]
    pub(crate) page_size: Option<i64>,
    pub(crate) status: Option<StatusFilter>,
    /// Such as gpu-sandbox, cpu-sandbox.
    #[schemars(length(min = 1))]
    pub(crate) sandbox_type: Option<Exact>,
}

impl Operation for ListSandboxes {
    const SPEC: Spec = Spec {
        name: "pyromind_list_sandboxes",
        title: "List sandboxes",
        cloud: Cloud::PyroMind,
        action: "list_sandboxes",
        effect: Effect::Read,
        route: Route::get("/api/v1/sandboxes"),
        makes: None,
    };
    type Reply = Sandboxes;
}

/// One page of sandboxes.
#[derive(Serialize, JsonSchema)]
pub struct Sandboxes {
    pub(crate) total: i64,
    pub(crate) page: i64,
    pub(crate) page_size: i64,
    pub(crate) sandboxes: Vec<SandboxRow>,
}

/// A sandbox as a list shows it, and as it is when it was made.
#[derive(Serialize, JsonSchema)]
pub struct SandboxRow {
    pub(crate) sandbox_id: Id,
    pub(crate) name: String,
    pub(crate) status: Exact,
    pub(crate) sandbox_type: Exact,
    pub(crate) resource_config: ResourceConfig,
    pub(crate) create_time: Exact,
    pub(crate) expire_time: Exact,
}

/// Names are unique in the user's namespace, and no list finds them by name (R-PM-011).
const SANDBOX_NAME: Unique = Unique {
    noun: "sandbox",
    name: "name",
    check: None,
    list: List {
        tool: ListSandboxes::SPEC.name,
        by_name: false,
        page: ("page", "page_size"),
        size: 50,
        rows: "sandboxes",
        total: "total",
        name: "name",
        id: "sandbox_id",
    },
    get: GetSandbox::SPEC.name,
    compared: &["sandbox_type", "resource_config", "screen_resolution", "expire_time"],
    taken: "409",
};

/// Create a sandbox, or return the existing one of the same name and settings; the check is built in.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateSandbox {
    /// 3 to 64 letters, digits, hyphens or underscores.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]{3,64}$"))]
    pub(crate) name: String,
    /// One that the platform has, such as gpu-sandbox, cpu-sandbox.
    #[schemars(length(min = 1))]
    pub(crate) sandbox_type: Exact,
    pub(crate) resource_config: ResourceConfig,
    /// 1920 x 1080 when left out.
    pub(crate) screen_resolution: Option<ScreenResolution>,
    /// An instant ahead with its zone, such as 2026-01-15T00:00:00Z; in 7 days when left out.
    pub(crate) expire_time: Option<Ahead>,
}

/// The size of a sandbox's screen (R-PM-015).
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(description = "")]
pub struct ScreenResolution {
    #[schemars(range(min = 1))]
    pub(crate) width: i64,
    #[schemars(range(min = 1))]
    pub(crate) height: i64,
}

impl Operation for CreateSandbox {
    const SPEC: Spec = Spec {
        name: "pyromind_create_sandbox",
        title: "Create a sandbox",
        cloud: Cloud::PyroMind,
        action: "create_sandbox",
        effect: Effect::Create,
        route: Route::post("/api/v1/sandboxes"),
        makes: Some(Makes { id: "sandbox_id", unique: Some(&SANDBOX_NAME) }),
    };
    type Reply = SandboxRow;
}

/// Get one sandbox: its state, settings and screen. vnc_info is there only while it runs.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetSandbox {
    pub(crate) sandbox_id: Id,
}

impl Operation for GetSandbox {
    const SPEC: Spec = Spec {
        name: "pyromind_get_sandbox",
        title: "Get a sandbox",
        cloud: Cloud::PyroMind,
        action: "get_sandbox",
        effect: Effect::Read,
        route: Route::get("/api/v1/sandboxes/{sandbox_id}"),
        makes: None,
    };
    type Reply = Sandbox;
}

/// A sandbox, whole.
#[derive(Serialize, JsonSchema)]
pub struct Sandbox {
    pub(crate) sandbox_id: Id,
    pub(crate) name: String,
    pub(crate) status: Exact,
    pub(crate) sandbox_type: Exact,
    pub(crate) resource_config: ResourceConfig,
    pub(crate) screen_resolution: ScreenResolution,
    pub(crate) create_time: Exact,
    pub(crate) expire_time: Exact,
    pub(crate) vnc_info: VncInfo,
}

/// Where a sandbox's screen is. Its password comes from `pyromind_get_sandbox_vnc` (R-PM-019).
#[derive(Serialize, JsonSchema)]
pub struct VncInfo {
    pub(crate) host: Exact,
    pub(crate) port: i64,
    pub(crate) password: Secret,
}

/// Delete a sandbox for good; have the user back up first. Fails while tasks run in it, unless force is true,
/// which only the user decides.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteSandbox {
    pub(crate) sandbox_id: Id,
    /// Ends running tasks.
    pub(crate) force: Option<bool>,
}

impl Operation for DeleteSandbox {
    const SPEC: Spec = Spec {
        name: "pyromind_delete_sandbox",
        title: "Delete a sandbox",
        cloud: Cloud::PyroMind,
        action: "delete_sandbox",
        effect: Effect::Destroy,
        route: Route::delete("/api/v1/sandboxes/{sandbox_id}"),
        makes: None,
    };
    type Reply = SandboxDeleted;
}

/// The sandbox deleted.
#[derive(Serialize, JsonSchema)]
pub struct SandboxDeleted {
    pub(crate) sandbox_id: Id,
    pub(crate) delete_time: Exact,
    pub(crate) force: bool,
}

/// What an action needs beside its name: a package's name, or a script's path and its arguments.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(description = "")]
pub struct ActionParams {
    /// For install_package.
    #[schemars(length(min = 1))]
    pub(crate) name: Option<String>,
    /// For run_script; in the sandbox.
    #[schemars(length(min = 1))]
    pub(crate) path: Option<String>,
    /// For run_script.
    pub(crate) args: Option<Vec<String>>,
}

impl Action {
    /// What of `params`, which stand at `path`, is missing or belongs to another action (R-PM-025 to R-PM-027).
    fn check(self, params: Option<&ActionParams>, path: &Path<'_>, faults: &mut Faults) {
        let [name, script, args] = params.map_or([false; 3], |params| {
            [params.name.is_some(), params.path.is_some(), params.args.is_some()]
        });
        let (installs, runs) = (self == Self::InstallPackage, self == Self::RunScript);
        faults.demand(
            name || !installs,
            Path::Field(path, "name"),
            "is required by install_package",
            "give the package's name",
        );
        faults.demand(
            script || !runs,
            Path::Field(path, "path"),
            "is required by run_script",
            "give the script's path in the sandbox",
        );
        for (field, given, belongs) in
            [("name", name, installs), ("path", script, runs), ("args", args, runs)]
        {
            faults.demand(
                !given || belongs,
                Path::Field(path, field),
                "isn't a parameter of this action",
                "leave it out: name is for install_package, path and args are for run_script",
            );
        }
    }
}

/// Do one thing to a sandbox, or run a package's installer or a script in it. Afterwards pyromind_get_sandbox shows
/// how it went. outcome is succeeded, failed or unknown; status is the service's own word.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExecuteSandboxAction {
    pub(crate) sandbox_id: Id,
    pub(crate) action: Action,
    /// Seconds; 30 when left out.
    #[schemars(range(min = 1), extend("x-waits" = true))]
    pub(crate) timeout: Option<i64>,
    /// Required by install_package and run_script.
    pub(crate) params: Option<ActionParams>,
}

impl Operation for ExecuteSandboxAction {
    const SPEC: Spec = Spec {
        name: "pyromind_execute_sandbox_action",
        title: "Execute an action on a sandbox",
        cloud: Cloud::PyroMind,
        action: "execute_sandbox_action",
        effect: Effect::Act,
        route: Route::post("/api/v1/sandboxes/{sandbox_id}/actions"),
        makes: None,
    };
    type Reply = ActionExecuted;

    fn check(&self) -> Result<(), Faults> {
        let mut faults = Faults::default();
        let path = Path::Field(&Path::Root, "params");
        self.action.check(self.params.as_ref(), &path, &mut faults);
        faults.into_result()
    }
}

/// What became of an action.
#[derive(Serialize, JsonSchema)]
pub struct ActionExecuted {
    pub(crate) sandbox_id: Id,
    pub(crate) action: Exact,
    #[schemars(extend("x-outcome" = true))]
    pub(crate) status: Exact,
    pub(crate) execute_time: Exact,
    pub(crate) timeout: i64,
}

/// Do several things to a sandbox in one call. One that fails doesn't stop the others: read the outcome of each in
/// results, succeeded, failed or unknown.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExecuteSandboxBatchActions {
    pub(crate) sandbox_id: Id,
    #[schemars(length(min = 1))]
    pub(crate) actions: Vec<BatchAction>,
    /// Only for actions that don't depend on each other.
    pub(crate) parallel: Option<bool>,
}

/// One of several actions. It has no time limit of its own.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(description = "")]
pub struct BatchAction {
    pub(crate) action: Action,
    /// Required by install_package and run_script.
    pub(crate) params: Option<ActionParams>,
}

impl Operation for ExecuteSandboxBatchActions {
    const SPEC: Spec = Spec {
        name: "pyromind_execute_sandbox_batch_actions",
        title: "Execute several actions on a sandbox",
        cloud: Cloud::PyroMind,
        action: "execute_sandbox_batch_actions",
        effect: Effect::Act,
        route: Route::post("/api/v1/sandboxes/{sandbox_id}/actions/batch"),
        makes: None,
    };
    type Reply = BatchExecuted;

    fn check(&self) -> Result<(), Faults> {
        let mut faults = Faults::default();
        let list = Path::Field(&Path::Root, "actions");
        for (index, step) in self.actions.iter().enumerate() {
            let path = Path::Index(&list, index);
            step.action.check(step.params.as_ref(), &Path::Field(&path, "params"), &mut faults);
        }
        faults.into_result()
    }
}

/// What became of each action.
#[derive(Serialize, JsonSchema)]
pub struct BatchExecuted {
    pub(crate) sandbox_id: Id,
    pub(crate) total_actions: i64,
    pub(crate) success_count: i64,
    pub(crate) failed_count: i64,
    pub(crate) results: Vec<BatchResult>,
}

/// What became of one action.
#[derive(Serialize, JsonSchema)]
pub struct BatchResult {
    pub(crate) action: Exact,
    #[schemars(extend("x-outcome" = true))]
    pub(crate) status: Exact,
    pub(crate) message: Untrusted,
}

/// Get the address and password of a running sandbox's screen, for a VNC client. The password expires (the result says so
/// with expired); set refresh only when the user wants a new one.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetSandboxVnc {
    pub(crate) sandbox_id: Id,
    /// Makes a new password.
    pub(crate) refresh: Option<bool>,
}

impl Operation for GetSandboxVnc {
    const SPEC: Spec = Spec {
        name: "pyromind_get_sandbox_vnc",
        title: "Get VNC access to a sandbox",
        cloud: Cloud::PyroMind,
        action: "get_sandbox_vnc",
        effect: Effect::Reveal,
        route: Route::get("/api/v1/sandboxes/{sandbox_id}/vnc"),
        makes: None,
    };
    type Reply = SandboxVnc;
}

/// The way to a sandbox's screen.
#[derive(Serialize, JsonSchema)]
pub struct SandboxVnc {
    pub(crate) sandbox_id: Id,
    pub(crate) vnc_host: Exact,
    pub(crate) vnc_port: i64,
    pub(crate) vnc_password: HandOver,
    pub(crate) expire_time: Exact,
    pub(crate) refresh_time: Exact,
}
