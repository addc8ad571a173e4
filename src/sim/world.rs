//! What exists in the simulated clouds: PAI's regions, workspaces, their assets, jobs, job templates and TensorBoards, and
//! what PyroMind holds.
//!
//! `docs/world.md` shows the default world to people; a test holds the two together. State stores instants
//! and plans; statuses are derived from them at the instant of a request.

pub(super) mod canaries;
pub(super) mod code_sources;
pub(super) mod datasets;
pub(super) mod file;
pub(super) mod images;
mod jobs;
pub(super) mod pyromind;
pub(super) mod random;
mod scenario;
pub(super) mod seed;
mod shares;
mod state;
mod templates;
mod tensorboards;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::reply::CloudError;
use code_sources::CodeSource;
use datasets::Dataset;
use pyromind::PyroMind;
use random::SplitMix64;

pub use canaries::CANARIES;
pub use pyromind::SECRET_MARK;
pub use scenario::{Base, Scenario, ScenarioError, schema as scenario_schema};
pub(super) use shares::Target;
pub use state::StateError;
pub(super) use templates::{Template, TemplateVersion};
pub(super) use tensorboards::{End, Tensorboard, TensorboardStatus};

/// The regions that the simulated cloud has, for both products: the public ones of either.
pub const REGIONS: &[&str] = &[
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-3",
    "ap-southeast-5",
    "ap-southeast-7",
    "ap-southeast-8",
    "cn-beijing",
    "cn-guangzhou",
    "cn-hangzhou",
    "cn-heyuan",
    "cn-hongkong",
    "cn-shanghai",
    "cn-shanghai-finance-1",
    "cn-shenzhen",
    "cn-wulanchabu",
    "eu-central-1",
    "me-east-1",
    "na-south-1",
    "us-east-1",
    "us-southeast-1",
    "us-west-1",
];

/// How long a new workspace initializes.
pub(super) const WORKSPACE_INITIALIZING: SignedDuration = SignedDuration::from_secs(5);

/// The whole state of the simulated cloud.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct World {
    seed: u64,
    /// How many things requests have created; ids derive from it.
    created: u64,
    /// Regions in which the account has something; any other known region is empty and not activated.
    regions: BTreeMap<String, Region>,
    pub(super) pyromind: PyroMind,
}

impl World {
    /// The default world; its ids, and nothing else, vary with `seed`.
    pub fn seeded(seed: u64) -> Self {
        Self { seed, created: 0, regions: seed::regions(seed), pyromind: PyroMind::seeded(seed) }
    }

    pub(super) fn region(&self, id: &str) -> &Region {
        static NOWHERE: Region = Region::EMPTY;
        self.regions.get(id).unwrap_or(&NOWHERE)
    }

    /// The region to change; `None` where the account has nothing, so nothing can be created either.
    pub(super) fn region_mut(&mut self, id: &str) -> Option<&mut Region> {
        self.regions.get_mut(id)
    }

    pub(super) fn official_images(&self, region: &str) -> Vec<Image> {
        images::official(self.seed, region)
    }

    /// The id of the request that came after `earlier` others.
    pub(super) fn request_id(&self, earlier: usize) -> String {
        SplitMix64::new(self.seed, "request", earlier as u64).uuid()
    }

    /// A workspace id that no workspace of any region has.
    pub(super) fn new_workspace_id(&mut self) -> String {
        loop {
            self.created += 1;
            let id = seed::workspace_id(&mut SplitMix64::new(self.seed, "new workspace", self.created));
            if self.regions.values().all(|region| region.workspace(&id).is_none()) {
                return id;
            }
        }
    }

    /// A job id that no job of any region has.
    pub(super) fn new_job_id(&mut self) -> String {
        loop {
            self.created += 1;
            let id = seed::job_id(&mut SplitMix64::new(self.seed, "new job", self.created));
            if self.regions.values().flat_map(|region| &region.jobs).all(|job| job.id != id) {
                return id;
            }
        }
    }

    /// A template id that no template of any region has.
    pub(super) fn new_template_id(&mut self) -> String {
        loop {
            self.created += 1;
            let id = templates::template_id(&mut SplitMix64::new(self.seed, "new template", self.created));
            if self.regions.values().flat_map(|region| &region.templates).all(|template| template.id != id) {
                return id;
            }
        }
    }

    /// A TensorBoard id that no TensorBoard of any region has.
    pub(super) fn new_tensorboard_id(&mut self) -> String {
        loop {
            self.created += 1;
            let mut random = SplitMix64::new(self.seed, "new tensorboard", self.created);
            let id = tensorboards::tensorboard_id(&mut random);
            if self.regions.values().flat_map(|region| &region.tensorboards).all(|board| board.id != id) {
                return id;
            }
        }
    }
}

/// What the account has in one region.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Region {
    pub(super) activation: Activation,
    pub(super) workspaces: Vec<Workspace>,
    /// Images that belong to workspaces; official ones are the same everywhere and aren't state.
    pub(super) images: Vec<Image>,
    pub(super) datasets: Vec<Dataset>,
    pub(super) code_sources: Vec<CodeSource>,
    pub(super) jobs: Vec<Job>,
    pub(super) templates: Vec<Template>,
    pub(super) tensorboards: Vec<Tensorboard>,
}

impl Region {
    const EMPTY: Self = Self {
        activation: Activation::Forbidden,
        workspaces: Vec::new(),
        images: Vec::new(),
        datasets: Vec::new(),
        code_sources: Vec::new(),
        jobs: Vec::new(),
        templates: Vec::new(),
        tensorboards: Vec::new(),
    };

    pub(super) fn workspace(&self, id: &str) -> Option<&Workspace> {
        self.workspaces.iter().find(|workspace| workspace.id == id)
    }

    /// The workspace, if it exists and RAM lets the caller do `action` in it.
    pub(super) fn enter(&self, id: &str, action: &'static str) -> Result<&Workspace, CloudError> {
        let workspace = self.workspace(id).ok_or_else(CloudError::workspace_not_found)?;
        if workspace.closed { Err(CloudError::denied(action)) } else { Ok(workspace) }
    }

    /// PAI must be activated before anything is created.
    pub(super) fn require_activated(&self) -> Result<(), CloudError> {
        match self.activation {
            Activation::Active => Ok(()),
            Activation::Purchasable | Activation::Forbidden => Err(CloudError::not_activated()),
        }
    }
}

/// Whether PAI is activated in a region.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Activation {
    /// Activated.
    Active,
    /// Not activated, and the caller may activate it.
    Purchasable,
    /// Not activated, and the caller may not activate it.
    Forbidden,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Workspace {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) display_name: String,
    pub(super) description: String,
    pub(super) env_types: Vec<String>,
    pub(super) resource_group_id: String,
    pub(super) is_default: bool,
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
    /// A status that time doesn't change; without one the workspace initializes and is then enabled.
    pub(super) held: Option<WorkspaceStatus>,
    /// RAM denies the caller this workspace: it's listed, and no more.
    pub(super) closed: bool,
    pub(super) creator: String,
    pub(super) owner: Owner,
    pub(super) admins: Vec<String>,
    pub(super) extra_infos: Map<String, Value>,
}

/// A person as the cloud describes the owner of a workspace.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Owner {
    pub(super) user_id: String,
    pub(super) user_kp: String,
    pub(super) user_name: String,
    pub(super) display_name: String,
}

impl Workspace {
    pub(super) fn status(&self, at: Timestamp) -> WorkspaceStatus {
        match self.held {
            Some(status) => status,
            None if at.duration_since(self.created) < WORKSPACE_INITIALIZING => WorkspaceStatus::Initializing,
            None => WorkspaceStatus::Enabled,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum WorkspaceStatus {
    Enabled,
    Initializing,
    Failure,
    Disabled,
    Frozen,
    Updating,
}

impl WorkspaceStatus {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "ENABLED",
            Self::Initializing => "INITIALIZING",
            Self::Failure => "FAILURE",
            Self::Disabled => "DISABLED",
            Self::Frozen => "FROZEN",
            Self::Updating => "UPDATING",
        }
    }
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Image {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) uri: String,
    pub(super) description: String,
    pub(super) accessibility: String,
    /// GB.
    pub(super) size: u32,
    pub(super) created: Timestamp,
    pub(super) labels: Vec<(String, String)>,
    /// Who made it and where; an official image has none.
    pub(super) belongs: Option<Belongs>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Belongs {
    pub(super) workspace_id: String,
    pub(super) user_id: String,
    pub(super) parent_user_id: String,
    pub(super) source_id: String,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Job {
    pub(super) id: String,
    pub(super) workspace_id: String,
    pub(super) user_id: String,
    pub(super) submitted: Timestamp,
    /// When somebody last changed it.
    pub(super) updated: Option<Timestamp>,
    /// How long it runs if nothing cuts it short.
    pub(super) run: SignedDuration,
    pub(super) outcome: Outcome,
    /// When somebody stopped it.
    pub(super) stopped: Option<Timestamp>,
    pub(super) output: Output,
    /// Why it failed, where the usual reason isn't the one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<Reason>,
    /// Lines that each of its pods prints as it begins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) log: Vec<String>,
    /// Its events as it begins to run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) events: Vec<String>,
    /// The body of its CreateJob, with what was changed since.
    pub(super) request: Map<String, Value>,
}

/// The cloud's words for a failure.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reason {
    pub(super) code: String,
    pub(super) message: String,
}

/// How a job ends if nothing cuts it short.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Outcome {
    Succeeds,
    CommandFails,
    /// Its image can't be pulled, so it never runs.
    ImageMissing,
}

/// What a job's containers print.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum Output {
    /// What a training loop prints.
    Ordinary,
    /// A training loop that ends in an attack on whoever reads it.
    Hostile,
    /// A training loop whose lines are about 5 KB long.
    Flood,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::testkit::canaries_in;

    const DOCS: &str = include_str!("../../docs/world.md");

    #[test]
    fn docs_world_md_names_everything_in_the_default_world() {
        let world = World::seeded(1);
        let mut missing: Vec<String> = Vec::new();
        let mut demand = |text: &str| {
            if !DOCS.contains(&format!("`{text}`")) {
                missing.push(text.to_owned());
            }
        };
        CANARIES.iter().for_each(|canary| demand(canary));
        for region in world.regions.values() {
            for workspace in &region.workspaces {
                demand(&workspace.name);
                demand(&workspace.id);
            }
            for image in &region.images {
                demand(&image.uri);
                demand(&image.id);
            }
            for dataset in &region.datasets {
                demand(&dataset.name);
                demand(&dataset.id);
            }
            for source in &region.code_sources {
                demand(&source.display_name);
                demand(&source.id);
            }
            region.jobs.iter().for_each(|job| demand(&job.id));
            region.templates.iter().for_each(|template| demand(&template.id));
            region.tensorboards.iter().for_each(|board| demand(&board.id));
        }
        for image in world.official_images("{region}") {
            demand(&image.uri);
        }
        REGIONS.iter().for_each(|region| demand(region));
        assert_eq!(missing, Vec::<String>::new());
    }

    #[test]
    fn a_seed_changes_ids_and_only_ids() {
        let names = |world: &World| -> Vec<String> {
            world.regions.values().flat_map(|region| &region.workspaces).map(|w| w.name.clone()).collect()
        };
        let ids = |world: &World| -> Vec<String> {
            world.regions.values().flat_map(|region| &region.workspaces).map(|w| w.id.clone()).collect()
        };
        let (one, again, two) = (World::seeded(1), World::seeded(1), World::seeded(2));
        assert_eq!(serde_json::to_string(&one).unwrap(), serde_json::to_string(&again).unwrap());
        assert_eq!(names(&one), names(&two));
        assert!(ids(&one).iter().all(|id| !ids(&two).contains(id)));
    }

    #[test]
    fn every_canary_is_planted_and_every_planted_identity_is_a_canary() {
        let world = World::seeded(1);
        let state = serde_json::to_string(&world).unwrap();
        // Those that no seeded thing holds appear in denials, in what requests create, or in what jobs answer.
        let elsewhere = [
            canaries::PRINCIPAL_NAME,
            canaries::PRINCIPAL_OWNER_ID,
            canaries::DIAGNOSTIC_MESSAGE,
            canaries::RIVAL,
            canaries::TENANT,
            canaries::CALLER.user_kp,
            canaries::CALLER.user_name,
            canaries::CALLER.display_name,
            canaries::CREATOR_A_NAME,
            canaries::CREATOR_B_NAME,
            canaries::LOG_ACCESS_KEY,
            canaries::LOG_SECRET,
            canaries::LOG_BEARER,
            canaries::LOG_PERSON,
        ];
        for canary in CANARIES {
            assert_eq!(canaries_in(&state).contains(canary), !elsewhere.contains(canary), "{canary}");
        }
        for workspace in world.regions.values().flat_map(|region| &region.workspaces) {
            let Owner { user_id, user_kp, user_name, display_name } = &workspace.owner;
            let planted = [&workspace.creator, user_id, user_kp, user_name, display_name];
            let mut identities = planted.into_iter().chain(&workspace.admins);
            assert!(identities.all(|identity| CANARIES.contains(&identity.as_str())));
        }
        for region in world.regions.values() {
            let datasets = region.datasets.iter().flat_map(|dataset| {
                let shared = dataset.shared_from.iter().chain(&dataset.shared_to);
                let accounts = shared.flat_map(|shared| [&shared.tenant_id, &shared.source_tenant_id]);
                accounts.chain([&dataset.user_id, &dataset.owner_id])
            });
            let code = region.code_sources.iter().flat_map(|source| {
                let login = source.login.iter().flat_map(|login| [&login.user_name, &login.access_token]);
                login.chain([&source.user_id])
            });
            assert!(datasets.chain(code).all(|identity| CANARIES.contains(&identity.as_str())));
        }
    }

    #[test]
    fn workspace_ids_and_names_are_unique_where_they_must_be() {
        let world = World::seeded(1);
        let all: Vec<&Workspace> = world.regions.values().flat_map(|region| &region.workspaces).collect();
        let ids: std::collections::BTreeSet<&str> = all.iter().map(|w| w.id.as_str()).collect();
        assert_eq!(ids.len(), all.len());
        for region in world.regions.values() {
            let names: std::collections::BTreeSet<&str> =
                region.workspaces.iter().map(|w| w.name.as_str()).collect();
            assert_eq!(names.len(), region.workspaces.len());
        }
    }
}
