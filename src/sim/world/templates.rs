//! Job templates: what one is, and those that exist before the default clock starts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Workspace;
use super::canaries::{CALLER, CREATOR_A, CREATOR_B, TEMPLATE_ENV_SECRET};
use super::random::SplitMix64;
use super::seed::before_start;
use super::state::{StateError, value};
use crate::sim::dlc;

/// A template of jobs.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct Template {
    pub(in crate::sim) id: String,
    pub(in crate::sim) workspace_id: String,
    pub(in crate::sim) name: String,
    pub(in crate::sim) description: String,
    pub(in crate::sim) metadata: Map<String, Value>,
    pub(in crate::sim) created: Timestamp,
    pub(in crate::sim) modified: Timestamp,
    /// When a job was last made from it.
    pub(in crate::sim) last_used: Option<Timestamp>,
    pub(in crate::sim) user_id: String,
    pub(in crate::sim) modified_by: String,
    pub(in crate::sim) default_version: u64,
    /// The first has the number 1.
    pub(in crate::sim) versions: Vec<TemplateVersion>,
}

/// One version of a template. It never changes.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct TemplateVersion {
    /// The text of JSON, as it came.
    pub(in crate::sim) content: String,
    pub(in crate::sim) constraints: Map<String, Value>,
    pub(in crate::sim) created: Timestamp,
    pub(in crate::sim) user_id: String,
}

impl Template {
    /// The version of this number.
    pub(in crate::sim) fn version(&self, number: u64) -> Option<&TemplateVersion> {
        self.versions.get(usize::try_from(number.checked_sub(1)?).ok()?)
    }

    /// The number of the newest version.
    pub(in crate::sim) fn newest(&self) -> u64 {
        self.versions.len() as u64
    }

    /// When something about it came about.
    pub(super) fn instants(&self) -> impl Iterator<Item = Timestamp> {
        let versions = self.versions.iter().map(|version| version.created);
        [self.created, self.modified].into_iter().chain(self.last_used).chain(versions)
    }

    /// Whether some world holds such a template at `path` of its state.
    pub(super) fn check(&self, path: &str) -> Result<(), StateError> {
        if self.name.is_empty() || self.name.chars().count() > 1024 {
            return Err(value(format!("{path}.name"), "must have from 1 to 1024 characters"));
        }
        if self.version(self.default_version).is_none() {
            return Err(value(format!("{path}.default_version"), "must be the number of a version"));
        }
        for (index, version) in self.versions.iter().enumerate() {
            dlc::check_template(&version.content, &version.constraints)
                .map_err(|error| value(format!("{path}.versions[{index}]"), error.message))?;
        }
        Ok(())
    }
}

pub(super) fn template_id(random: &mut SplitMix64) -> String {
    format!("tpl{}", random.text(13))
}

/// An image that the vision team once had: no list has it.
const GONE: &str = "registry-vpc.cn-hangzhou.aliyuncs.com/vision-team/detector:2023.02";
const DETECTOR: &str = "registry-vpc.cn-hangzhou.aliyuncs.com/vision-team/detector:2025.11";
const OFFICIAL: &str =
    "dsw-registry-vpc.cn-hangzhou.cr.aliyuncs.com/pai/pytorch-training:2.3-gpu-py310-cu121-ubuntu22.04";

/// The templates of `region`: all in Hangzhou, and all but one in its workspace `vision_train`.
pub(super) fn seeded(seed: u64, region: &str, workspaces: &[Workspace]) -> Vec<Template> {
    let mut random = SplitMix64::new(seed, region, 4);
    let home = |name| workspaces.iter().find(|w| w.name == name && region == "cn-hangzhou");
    let (Some(vision), Some(payroll)) = (home("vision_train"), home("payroll_forecast")) else {
        return Vec::new();
    };
    let mut template =
        |workspace: &Workspace, name: &str, user_id: &str, versions: Vec<(i64, Value, Value)>| {
            let versions: Vec<TemplateVersion> = versions
                .into_iter()
                .map(|(days_old, content, constraints)| TemplateVersion {
                    content: content.to_string(),
                    constraints: constraints.as_object().cloned().unwrap_or_default(),
                    created: before_start(days_old * 24),
                    user_id: user_id.to_owned(),
                })
                .collect();
            let instants = || versions.iter().map(|version| version.created);
            Template {
                id: template_id(&mut random),
                workspace_id: workspace.id.clone(),
                name: name.to_owned(),
                description: format!("Jobs like {name}"),
                metadata: Map::from_iter([("team".to_owned(), json!("vision"))]),
                created: instants().min().unwrap_or(before_start(0)),
                modified: instants().max().unwrap_or(before_start(0)),
                last_used: None,
                user_id: user_id.to_owned(),
                modified_by: user_id.to_owned(),
                default_version: versions.len() as u64,
                versions,
            }
        };
    let locked = json!({"JobSpecs[0].Image": "locked", "JobType": "locked", "UserCommand": "overridable"});
    let trained = vec![
        (400, job("detector-train", spec(GONE)), locked.clone()),
        (30, with_secret(job("detector-train", spec(DETECTOR))), locked),
    ];
    let required = json!({"UserCommand": "required", "JobSpecs[0].PodCount": "required"});
    let mut sweep = job(
        "segmenter-sweep",
        json!({"Type": "Worker", "Image": OFFICIAL, "EcsSpec": "ecs.gn6i-c4g1.xlarge"}),
    );
    if let Some(sweep) = sweep.as_object_mut() {
        sweep.remove("UserCommand");
    }
    vec![
        template(vision, "detector-train", CREATOR_A, trained),
        template(
            vision,
            "detector-legacy",
            CREATOR_B,
            vec![(700, job("detector-legacy", spec(GONE)), json!({}))],
        ),
        template(vision, "segmenter-sweep", CALLER.user_id, vec![(60, sweep, required)]),
        template(
            payroll,
            "payroll-fit",
            CREATOR_B,
            vec![(80, job("payroll-fit", spec(OFFICIAL)), json!({}))],
        ),
    ]
}

fn spec(image: &str) -> Value {
    json!({"Type": "Worker", "Image": image, "PodCount": 1, "EcsSpec": "ecs.gn6i-c4g1.xlarge"})
}

fn job(name: &str, spec: Value) -> Value {
    json!({
        "DisplayName": name,
        "JobType": "PyTorchJob",
        "JobSpecs": [spec],
        "UserCommand": format!("python train.py --config {name}.yaml"),
    })
}

fn with_secret(mut job: Value) -> Value {
    if let Some(job) = job.as_object_mut() {
        job.insert("Envs".to_owned(), json!({"WANDB_API_KEY": TEMPLATE_ENV_SECRET, "EPOCHS": "10"}));
    }
    job
}
