//! Instances changed: edited, paused, resumed, deleted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::{Id, ResourceChange, ResourceConfig};
use crate::error::Faults;
use crate::spec::marks::{Exact, Secret};
use crate::spec::value::Ahead;
use crate::spec::{Cloud, Effect, Operation, Route, Spec};

/// Delete an instance for good. Without backup_workspace its workspace is lost. Fails while tasks run in it: pause it
/// first.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteInstance {
    pub(crate) instance_id: Id,
    /// Needs backup_bucket.
    pub(crate) backup_workspace: Option<bool>,
    /// Only with backup_workspace true.
    #[schemars(length(min = 1))]
    pub(crate) backup_bucket: Option<Exact>,
}

impl Operation for DeleteInstance {
    const SPEC: Spec = Spec {
        name: "pyromind_delete_instance",
        title: "Delete an instance",
        cloud: Cloud::PyroMind,
        action: "delete_instance",
        effect: Effect::Destroy,
        route: Route::delete("/api/v1/instances/{instance_id}"),
        makes: None,
    };
    type Reply = InstanceDeleted;

    /// R-PM-048
    fn check(&self) -> Result<(), Faults> {
        let mut faults = Faults::default();
        let backup = self.backup_workspace == Some(true);
        faults.demand(
            !backup || self.backup_bucket.is_some(),
            "backup_bucket",
            "is required with backup_workspace true",
            "ask the user which bucket takes the backup",
        );
        faults.demand(
            backup || self.backup_bucket.is_none(),
            "backup_bucket",
            "counts only with backup_workspace true",
            "set backup_workspace true for a backup, or leave backup_bucket out",
        );
        faults.into_result()
    }
}

/// The instance deleted, and where its workspace was backed up.
#[derive(Serialize, JsonSchema)]
pub struct InstanceDeleted {
    pub(crate) instance_id: Id,
    pub(crate) delete_time: Exact,
    pub(crate) backup_workspace: bool,
    pub(crate) backup_bucket: Exact,
    pub(crate) backup_path: Exact,
}

/// Change an instance: what isn't given stays. cpu can only grow. A password is better set by the user. applied says
/// whether a look afterwards shows the change.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EditInstance {
    pub(crate) instance_id: Id,
    /// A new name that no other instance has.
    #[schemars(length(min = 1))]
    pub(crate) name: Option<String>,
    pub(crate) resource_config: Option<ResourceChange>,
    /// An instant ahead with its zone, such as 2026-01-15T00:00:00Z.
    pub(crate) expire_time: Option<Ahead>,
    #[schemars(length(min = 1))]
    pub(crate) password: Option<Secret>,
}

impl Operation for EditInstance {
    const SPEC: Spec = Spec {
        name: "pyromind_edit_instance",
        title: "Edit an instance",
        cloud: Cloud::PyroMind,
        action: "edit_instance",
        effect: Effect::Update,
        route: Route::put("/api/v1/instances/{instance_id}"),
        makes: None,
    };
    type Reply = InstanceEdited;

    /// R-PM-052
    fn check(&self) -> Result<(), Faults> {
        let mut faults = Faults::default();
        let given = self.name.is_some()
            || self.resource_config.is_some()
            || self.expire_time.is_some()
            || self.password.is_some();
        faults.demand(
            given,
            "",
            "nothing is to change",
            "give name, resource_config, expire_time or password",
        );
        self.resource_config.iter().for_each(|config| config.check(&mut faults));
        faults.into_result()
    }
}

/// The instance as it is now, and what of it is new.
#[derive(Serialize, JsonSchema)]
pub struct InstanceEdited {
    pub(crate) instance_id: Id,
    pub(crate) name: String,
    pub(crate) updated_fields: Vec<Exact>,
    pub(crate) resource_config: ResourceConfig,
    pub(crate) expire_time: Exact,
    pub(crate) update_time: Exact,
}

/// Pause a running instance: it then uses no compute and keeps its storage. Checkpoints go to the mounted workspace.
/// applied says whether a look afterwards shows it paused.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseInstance {
    pub(crate) instance_id: Id,
    /// True when left out; false only if the user wants it.
    pub(crate) save_checkpoint: Option<bool>,
}

impl Operation for PauseInstance {
    const SPEC: Spec = Spec {
        name: "pyromind_pause_instance",
        title: "Pause an instance",
        cloud: Cloud::PyroMind,
        action: "pause_instance",
        effect: Effect::Act,
        route: Route::post_query("/api/v1/instances/{instance_id}/pause"),
        makes: None,
    };
    type Reply = InstancePaused;
}

/// The instance paused.
#[derive(Serialize, JsonSchema)]
pub struct InstancePaused {
    pub(crate) instance_id: Id,
    pub(crate) status: Exact,
    pub(crate) pause_time: Exact,
    pub(crate) save_checkpoint: bool,
    pub(crate) checkpoint_count: i64,
}

/// Resume a paused instance. Its access_url is a new one: use that of the result, the old is void. applied says whether a
/// look afterwards shows it.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResumeInstance {
    pub(crate) instance_id: Id,
    /// From the latest checkpoint; false when left out.
    #[schemars(extend("x-place" = "query"))]
    pub(crate) restore_checkpoint: Option<bool>,
    /// Never more than was asked for originally.
    pub(crate) resource_config: Option<ResourceChange>,
}

impl Operation for ResumeInstance {
    const SPEC: Spec = Spec {
        name: "pyromind_resume_instance",
        title: "Resume an instance",
        cloud: Cloud::PyroMind,
        action: "resume_instance",
        effect: Effect::Act,
        route: Route::post("/api/v1/instances/{instance_id}/resume"),
        makes: None,
    };
    type Reply = InstanceResumed;

    fn check(&self) -> Result<(), Faults> {
        let mut faults = Faults::default();
        self.resource_config.iter().for_each(|config| config.check(&mut faults));
        faults.into_result()
    }
}

/// The instance resumed, and its new address (R-PM-062).
#[derive(Serialize, JsonSchema)]
pub struct InstanceResumed {
    pub(crate) instance_id: Id,
    pub(crate) status: Exact,
    pub(crate) resume_time: Exact,
    pub(crate) restore_checkpoint: bool,
    pub(crate) resource_config: ResourceConfig,
    pub(crate) access_url: Exact,
}
