//! The default world's regions and workspaces.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, json};

use super::canaries::{ADMIN_CHEN, ADMIN_LI, ADMIN_WANG, CONTACT, CREATOR_A, CREATOR_B, LIU, Person, ZHANG};
use super::random::SplitMix64;
use super::{
    Activation, Region, Workspace, WorkspaceStatus, code_sources, datasets, images, jobs, tensorboards,
};
use crate::sim::clock::DEFAULT_START;

/// The resource group of whatever doesn't name one.
pub(in crate::sim) const DEFAULT_RESOURCE_GROUP: &str = "rg-acfmxjq2e7r3kby";

/// `hours` before the default clock starts.
pub(super) fn before_start(hours: i64) -> Timestamp {
    DEFAULT_START - SignedDuration::from_hours(hours)
}

pub(super) fn workspace_id(random: &mut SplitMix64) -> String {
    (100_000 + random.next() % 900_000).to_string()
}

fn fresh_workspace_id(random: &mut SplitMix64, taken: &mut BTreeSet<String>) -> String {
    loop {
        let id = workspace_id(random);
        if taken.insert(id.clone()) {
            return id;
        }
    }
}

pub(super) fn job_id(random: &mut SplitMix64) -> String {
    format!("dlc{}", random.text(13))
}

struct Row {
    name: &'static str,
    display_name: &'static str,
    description: &'static str,
    env_types: &'static [&'static str],
    held: Option<WorkspaceStatus>,
    closed: bool,
    days_old: i64,
    creator: &'static str,
}

const HANGZHOU: [Row; 6] = [
    Row {
        name: "default_hangzhou",
        display_name: "Default workspace",
        description: "Default workspace of the account",
        env_types: &["prod"],
        held: None,
        closed: false,
        days_old: 640,
        creator: CREATOR_A,
    },
    Row {
        name: "vision_train",
        display_name: "Vision training",
        description: "Image models of the vision team",
        env_types: &["dev", "prod"],
        held: None,
        closed: false,
        days_old: 300,
        creator: CREATOR_A,
    },
    Row {
        name: "vision_train_eval",
        display_name: "Vision evaluation",
        description: "Evaluation runs of the vision team",
        env_types: &["prod"],
        held: None,
        closed: false,
        days_old: 120,
        creator: CREATOR_B,
    },
    Row {
        name: "nlp_lab",
        display_name: "Language lab",
        description: "Language model experiments",
        env_types: &["dev", "prod"],
        held: Some(WorkspaceStatus::Initializing),
        closed: false,
        days_old: 1,
        creator: CREATOR_B,
    },
    Row {
        name: "recsys_archive",
        display_name: "Recommenders, archived",
        description: "Frozen after the 2025 migration",
        env_types: &["prod"],
        held: Some(WorkspaceStatus::Frozen),
        closed: false,
        days_old: 510,
        creator: CREATOR_A,
    },
    Row {
        name: "payroll_forecast",
        display_name: "Payroll forecast",
        description: "Finance only",
        env_types: &["prod"],
        held: None,
        closed: true,
        days_old: 90,
        creator: CREATOR_B,
    },
];

const SHANGHAI: [Row; 6] = [
    Row {
        name: "default_shanghai",
        display_name: "Default workspace",
        description: "Default workspace of the account",
        env_types: &["prod"],
        held: None,
        closed: false,
        days_old: 610,
        creator: CREATOR_B,
    },
    Row {
        name: "speech_train",
        display_name: "Speech training",
        description: "Recognition models of the speech team",
        env_types: &["dev", "prod"],
        held: None,
        closed: false,
        days_old: 210,
        creator: CREATOR_B,
    },
    Row {
        name: "vision_train",
        display_name: "Vision training, Shanghai",
        description: "Shanghai copy of the vision team's workspace",
        env_types: &["prod"],
        held: None,
        closed: false,
        days_old: 45,
        creator: CREATOR_A,
    },
    Row {
        name: "ad_ranking",
        display_name: "Ad ranking",
        description: "Ranking models, being upgraded",
        env_types: &["dev", "prod"],
        held: Some(WorkspaceStatus::Updating),
        closed: false,
        days_old: 400,
        creator: CREATOR_A,
    },
    Row {
        name: "robotics_pilot",
        display_name: "Robotics pilot",
        description: "Set-up failed, kept for support",
        env_types: &["dev", "prod"],
        held: Some(WorkspaceStatus::Failure),
        closed: false,
        days_old: 30,
        creator: CREATOR_B,
    },
    Row {
        name: "sandbox_old",
        display_name: "Old sandbox",
        description: "Disabled by the account owner",
        env_types: &["prod"],
        held: Some(WorkspaceStatus::Disabled),
        closed: false,
        days_old: 580,
        creator: CREATOR_A,
    },
];

pub(super) fn regions(seed: u64) -> BTreeMap<String, Region> {
    let taken = &mut BTreeSet::new();
    let purchasable = Region { activation: Activation::Purchasable, ..Region::EMPTY };
    let regions = [
        ("cn-hangzhou", region(seed, taken, "cn-hangzhou", HANGZHOU, ZHANG, &[ADMIN_LI, ADMIN_WANG])),
        ("cn-shanghai", region(seed, taken, "cn-shanghai", SHANGHAI, LIU, &[ADMIN_WANG, ADMIN_CHEN])),
        ("cn-beijing", purchasable),
    ];
    regions.into_iter().map(|(id, region)| (id.to_owned(), region)).collect()
}

fn region<const N: usize>(
    seed: u64,
    taken: &mut BTreeSet<String>,
    id: &str,
    rows: [Row; N],
    owner: Person,
    admins: &[&str],
) -> Region {
    let mut random = SplitMix64::new(seed, id, 0);
    let workspaces: Vec<Workspace> = rows
        .into_iter()
        .enumerate()
        .map(|(index, row)| {
            let created = before_start(row.days_old * 24);
            Workspace {
                id: fresh_workspace_id(&mut random, taken),
                name: row.name.to_owned(),
                display_name: row.display_name.to_owned(),
                description: row.description.to_owned(),
                env_types: row.env_types.iter().map(ToString::to_string).collect(),
                resource_group_id: DEFAULT_RESOURCE_GROUP.to_owned(),
                is_default: index == 0,
                created,
                modified: created + SignedDuration::from_hours(row.days_old * 6),
                held: row.held,
                closed: row.closed,
                creator: row.creator.to_owned(),
                owner: owner.into(),
                admins: admins.iter().map(ToString::to_string).collect(),
                extra_infos: Map::from_iter([
                    ("CostCenter".to_owned(), json!("ml-platform")),
                    ("ContactEmail".to_owned(), json!(CONTACT)),
                ]),
            }
        })
        .collect();
    let images = images::own(seed, id, &workspaces);
    let datasets = datasets::seeded(seed, id, &workspaces);
    let code_sources = code_sources::seeded(seed, id, &workspaces);
    let jobs = jobs::seeded(seed, id, &workspaces);
    let tensorboards = tensorboards::seeded(seed, id, &workspaces, &jobs);
    let activation = Activation::Active;
    Region { activation, workspaces, images, datasets, code_sources, jobs, tensorboards }
}
