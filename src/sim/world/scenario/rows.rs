//! Regions, workspaces, images and jobs of a scenario.

use std::collections::HashSet;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Lasting, Wrong, counted, names, one};
use crate::sim::clock::DEFAULT_START;
use crate::sim::dlc;
use crate::sim::params::Fields;
use crate::sim::world::canaries::{ADMIN_LI, CALLER, CREATOR_A, CREATOR_B, PARENT, ZHANG};
use crate::sim::world::random::SplitMix64;
use crate::sim::world::seed::{DEFAULT_RESOURCE_GROUP, job_id, workspace_id};
use crate::sim::world::{
    Activation, Belongs, Image, Job, Outcome, Output, Reason, Region, Workspace, WorkspaceStatus,
};

/// How many jobs, or images, a row may stand for.
const MOST: usize = 100_000;
/// How old anything is that doesn't say.
const AGE: SignedDuration = SignedDuration::from_hours(24);
/// How long a job runs that doesn't say.
const RUN: SignedDuration = SignedDuration::from_secs(60);

/// What the account has in one region.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rows {
    /// Whether PAI is activated there. It is, where anything else is given.
    #[serde(default)]
    activation: Option<Activated>,
    /// Further workspaces.
    #[serde(default)]
    workspaces: Vec<WorkspaceRow>,
    /// Further images of workspaces.
    #[serde(default)]
    images: Vec<ImageRow>,
    /// Further jobs.
    #[serde(default)]
    jobs: Vec<JobRow>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Activated {
    /// It is activated.
    Active,
    /// It isn't, and the caller may activate it.
    Purchasable,
    /// It isn't, and the caller may not.
    Forbidden,
}

/// A workspace.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WorkspaceRow {
    /// Its name, once in the region.
    name: String,
    /// Its id; made from the seed unless given.
    #[serde(default)]
    id: Option<String>,
    /// The name that people see; its name unless given.
    #[serde(default)]
    display_name: Option<String>,
    /// What it is for.
    #[serde(default)]
    description: String,
    /// `prod`, or `dev` and `prod`. `prod` alone unless given.
    #[serde(default)]
    env_types: Option<Vec<String>>,
    /// A status that it keeps; ENABLED unless given.
    #[serde(default)]
    status: Option<Held>,
    /// Whether RAM denies the caller everything in it.
    #[serde(default)]
    closed: bool,
    /// Whether it is the region's default workspace.
    #[serde(default)]
    default: bool,
    /// How long before the start of the default clock it was made; 24h unless given.
    #[serde(default)]
    age: Option<Lasting>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Held {
    Enabled,
    Initializing,
    Failure,
    Disabled,
    Frozen,
    Updating,
}

/// An image of a workspace.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ImageRow {
    /// The name of a workspace of the region.
    workspace: String,
    /// Its address, such as `registry-vpc.cn-hangzhou.aliyuncs.com/team/model:1`. `{n}` is its number.
    uri: String,
    /// How many of them; 1 unless given.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 100_000))]
    count: usize,
    /// What it is for.
    #[serde(default)]
    description: String,
    /// Whether others see it; PUBLIC unless given.
    #[serde(default)]
    accessibility: Option<Access>,
    /// How long before the start of the default clock it was made; 24h unless given.
    #[serde(default)]
    age: Option<Lasting>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Access {
    Public,
    Private,
}

/// Jobs that were submitted before the clock starts.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct JobRow {
    /// The name of a workspace of the region.
    workspace: String,
    /// Its name; `{n}` is its number.
    name: String,
    /// How many of them; 1 unless given.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 100_000))]
    count: usize,
    /// How long before the start of the default clock it was submitted; 24h unless given.
    #[serde(default)]
    age: Option<Lasting>,
    /// How much later than the one before it each further one was submitted; not at all unless given.
    #[serde(default)]
    apart: Option<Lasting>,
    /// How long it runs; 60s unless given.
    #[serde(default)]
    runs: Option<Lasting>,
    /// How it ends; it succeeds unless given.
    #[serde(default)]
    ends: Ends,
    /// Why it failed; the usual reason unless given.
    #[serde(default)]
    reason: Option<ReasonRow>,
    /// Lines that each of its pods prints as it begins, whoever wrote them.
    #[serde(default)]
    log: Vec<String>,
    /// Events of the job as it begins to run, whoever wrote them.
    #[serde(default)]
    events: Vec<String>,
    /// What else its pods print.
    #[serde(default)]
    output: Prints,
    /// Whose it is; the caller's unless given.
    #[serde(default)]
    owner: Whose,
    /// Fields of its CreateJob, over those that a row has by itself: JobType, JobSpecs, UserCommand.
    #[serde(default)]
    request: Map<String, Value>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Ends {
    #[default]
    Succeeds,
    Fails,
    ImageMissing,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Prints {
    #[default]
    Ordinary,
    Hostile,
    Flood,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Whose {
    #[default]
    Caller,
    Other,
}

/// The words of a failure.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReasonRow {
    /// ReasonCode.
    code: String,
    /// ReasonMessage.
    message: String,
}

impl Rows {
    pub(super) fn activation(&self) -> Option<Activation> {
        self.activation.map(|activation| match activation {
            Activated::Active => Activation::Active,
            Activated::Purchasable => Activation::Purchasable,
            Activated::Forbidden => Activation::Forbidden,
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.workspaces.is_empty() && self.images.is_empty() && self.jobs.is_empty()
    }

    /// Adds all of them. `taken` are the ids of workspaces and jobs that exist anywhere.
    pub(super) fn add_to(
        &self,
        region: &mut Region,
        id: &str,
        seed: u64,
        mut taken: HashSet<String>,
    ) -> Result<(), Wrong> {
        if region.activation != Activation::Active && !self.is_empty() {
            let what = "holds things, but PAI isn't activated there; leave activation out, or write active";
            return Err(Wrong::new(what));
        }
        let mut random = SplitMix64::new(seed, id, 7);
        for (index, row) in self.workspaces.iter().enumerate() {
            let made = row.made(region, &mut random, &mut taken);
            region.workspaces.push(made.map_err(|wrong| wrong.at("workspaces", index))?);
        }
        for (index, row) in self.images.iter().enumerate() {
            row.add_to(region, &mut random).map_err(|wrong| wrong.at("images", index))?;
        }
        for (index, row) in self.jobs.iter().enumerate() {
            row.add_to(region, id, &mut random, &mut taken).map_err(|wrong| wrong.at("jobs", index))?;
        }
        Ok(())
    }
}

fn before(age: Option<Lasting>) -> jiff::Timestamp {
    let age = age.map_or(AGE, |Lasting(age)| age);
    DEFAULT_START.checked_sub(age).unwrap_or(jiff::Timestamp::MIN)
}

/// The id of the region's workspace of this name.
fn home(region: &Region, name: &str) -> Result<String, Wrong> {
    let found = region.workspaces.iter().find(|workspace| workspace.name == name);
    found.map(|workspace| workspace.id.clone()).ok_or_else(|| {
        let what = "names no workspace of this region; add one of this name under workspaces";
        Wrong::new(what).within("workspace")
    })
}

impl WorkspaceRow {
    fn made(
        &self,
        region: &Region,
        random: &mut SplitMix64,
        taken: &mut HashSet<String>,
    ) -> Result<Workspace, Wrong> {
        if self.name.is_empty() || region.workspaces.iter().any(|other| other.name == self.name) {
            return Err(Wrong::new("must be there, and only once in a region").within("name"));
        }
        let id = match &self.id {
            Some(id) if id.is_empty() || !taken.insert(id.clone()) => {
                return Err(Wrong::new("is another's; give another, or none").within("id"));
            }
            Some(id) => id.clone(),
            None => fresh(taken, || workspace_id(random)),
        };
        if self.default && region.workspaces.iter().any(|other| other.is_default) {
            let what = "the region has a default workspace already; leave it out";
            return Err(Wrong::new(what).within("default"));
        }
        let created = before(self.age);
        Ok(Workspace {
            id,
            name: self.name.clone(),
            display_name: self.display_name.clone().unwrap_or_else(|| self.name.clone()),
            description: self.description.clone(),
            env_types: self.env_types.clone().unwrap_or_else(|| vec!["prod".to_owned()]),
            resource_group_id: DEFAULT_RESOURCE_GROUP.to_owned(),
            is_default: self.default,
            created,
            modified: created,
            held: self.status.map(|status| match status {
                Held::Enabled => WorkspaceStatus::Enabled,
                Held::Initializing => WorkspaceStatus::Initializing,
                Held::Failure => WorkspaceStatus::Failure,
                Held::Disabled => WorkspaceStatus::Disabled,
                Held::Frozen => WorkspaceStatus::Frozen,
                Held::Updating => WorkspaceStatus::Updating,
            }),
            closed: self.closed,
            creator: CREATOR_A.to_owned(),
            owner: ZHANG.into(),
            admins: vec![ADMIN_LI.to_owned()],
            extra_infos: Map::new(),
        })
    }
}

/// An id that nothing has yet.
fn fresh(taken: &mut HashSet<String>, mut make: impl FnMut() -> String) -> String {
    loop {
        let id = make();
        if taken.insert(id.clone()) {
            return id;
        }
    }
}

impl ImageRow {
    fn add_to(&self, region: &mut Region, random: &mut SplitMix64) -> Result<(), Wrong> {
        let workspace_id = home(region, &self.workspace)?;
        let count = counted(self.count, MOST)?;
        if self.uri.is_empty() {
            return Err(Wrong::new("must be there").within("uri"));
        }
        for uri in names(&self.uri, count) {
            let name = uri.rsplit('/').next().unwrap_or(&uri).replace(':', "-");
            region.images.push(Image {
                id: format!("image-{}", random.text(20)),
                name,
                description: self.description.clone(),
                accessibility: match self.accessibility {
                    Some(Access::Private) => "PRIVATE",
                    Some(Access::Public) | None => "PUBLIC",
                }
                .to_owned(),
                size: 10,
                created: before(self.age),
                labels: vec![("system.origin".to_owned(), "Custom".to_owned())],
                belongs: Some(Belongs {
                    workspace_id: workspace_id.clone(),
                    user_id: CREATOR_B.to_owned(),
                    parent_user_id: PARENT.to_owned(),
                    source_id: format!("dsw-{}", random.text(16)),
                }),
                uri,
            });
        }
        Ok(())
    }
}

impl JobRow {
    fn add_to(
        &self,
        region: &mut Region,
        id: &str,
        random: &mut SplitMix64,
        taken: &mut HashSet<String>,
    ) -> Result<(), Wrong> {
        let workspace_id = home(region, &self.workspace)?;
        let count = counted(self.count, MOST)?;
        let apart = self.apart.map_or(SignedDuration::ZERO, |Lasting(apart)| apart);
        let mut submitted = before(self.age);
        for name in names(&self.name, count) {
            let request = self.request(id, name);
            dlc::check(&Fields::of_body(&request))
                .map_err(|error| Wrong::new(error.message).within("request"))?;
            region.jobs.push(Job {
                id: fresh(taken, || job_id(random)),
                workspace_id: workspace_id.clone(),
                user_id: match self.owner {
                    Whose::Caller => CALLER.user_id,
                    Whose::Other => CREATOR_B,
                }
                .to_owned(),
                submitted,
                updated: None,
                run: self.runs.map_or(RUN, |Lasting(runs)| runs),
                outcome: match self.ends {
                    Ends::Succeeds => Outcome::Succeeds,
                    Ends::Fails => Outcome::CommandFails,
                    Ends::ImageMissing => Outcome::ImageMissing,
                },
                stopped: None,
                output: match self.output {
                    Prints::Ordinary => Output::Ordinary,
                    Prints::Hostile => Output::Hostile,
                    Prints::Flood => Output::Flood,
                },
                reason: self.reason.as_ref().map(|ReasonRow { code, message }| Reason {
                    code: code.clone(),
                    message: message.clone(),
                }),
                log: self.log.clone(),
                events: self.events.clone(),
                request,
            });
            submitted = submitted.checked_add(apart).unwrap_or(jiff::Timestamp::MAX);
        }
        Ok(())
    }

    /// The body of its CreateJob.
    fn request(&self, region: &str, name: String) -> Map<String, Value> {
        let image = format!(
            "dsw-registry-vpc.{region}.cr.aliyuncs.com/pai/pytorch-training:2.3-cpu-py310-ubuntu22.04"
        );
        let spec = json!({"Type": "Worker", "Image": image, "PodCount": 1, "EcsSpec": "ecs.g6.large"});
        let mut request = Map::from_iter([
            ("DisplayName".to_owned(), json!(name)),
            ("JobType".to_owned(), json!("PyTorchJob")),
            ("JobSpecs".to_owned(), json!([spec])),
            ("UserCommand".to_owned(), json!("python train.py")),
        ]);
        request.extend(self.request.clone());
        request
    }
}
