//! Datasets of workspaces, and those that are there from the start.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::canaries::{CONTACT, CREATOR_A, CREATOR_B, PARENT, PARTNER, SHARER};
use super::random::SplitMix64;
use super::seed::before_start;
use super::state::{StateError, one_of};
use super::{Region, Workspace};

pub(in crate::sim) const ACCESSIBILITIES: &[&str] = &["PUBLIC", "PRIVATE", "ROLE_PUBLIC"];
pub(in crate::sim) const DATA_SOURCE_TYPES: &[&str] = &["NAS", "OSS"];
pub(in crate::sim) const DATA_TYPES: &[&str] = &["VIDEO", "COMMON", "TEXT", "PIC", "AUDIO"];
pub(in crate::sim) const PROPERTIES: &[&str] = &["DIRECTORY", "FILE"];
pub(in crate::sim) const EDITIONS: &[&str] = &["BASIC", "ADVANCED", "LOGICAL"];
pub(in crate::sim) const SOURCE_TYPES: &[&str] = &["PAI_PUBLIC_DATASET", "ITAG", "USER"];

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct Dataset {
    pub(in crate::sim) id: String,
    pub(in crate::sim) workspace_id: String,
    pub(in crate::sim) name: String,
    pub(in crate::sim) description: String,
    pub(in crate::sim) accessibility: String,
    /// The roles that see one that is `ROLE_PUBLIC`.
    pub(in crate::sim) roles: Vec<String>,
    pub(in crate::sim) data_source_type: String,
    pub(in crate::sim) data_type: String,
    pub(in crate::sim) property: String,
    pub(in crate::sim) uri: String,
    pub(in crate::sim) mount_path: String,
    pub(in crate::sim) edition: String,
    pub(in crate::sim) source_type: String,
    pub(in crate::sim) labels: Vec<(String, String)>,
    /// How many files its one version has, and how many bytes they have together.
    pub(in crate::sim) files: u32,
    pub(in crate::sim) bytes: u64,
    pub(in crate::sim) user_id: String,
    pub(in crate::sim) owner_id: String,
    pub(in crate::sim) created: Timestamp,
    pub(in crate::sim) modified: Timestamp,
    pub(in crate::sim) shared_from: Option<Sharing>,
    pub(in crate::sim) shared_to: Vec<Sharing>,
}

/// A dataset's being shared between accounts.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct Sharing {
    pub(in crate::sim) workspace_id: String,
    pub(in crate::sim) tenant_id: String,
    pub(in crate::sim) source_workspace_id: String,
    pub(in crate::sim) source_tenant_id: String,
    pub(in crate::sim) shared: Timestamp,
    pub(in crate::sim) extra: String,
}

impl Dataset {
    /// Whether it can stand at `path` of a state, among what is in `region`.
    pub(super) fn check(&self, path: &str, region: &Region) -> Result<(), StateError> {
        region.check_home(&self.workspace_id, path)?;
        for (field, value, allowed) in [
            ("accessibility", &self.accessibility, ACCESSIBILITIES),
            ("data_source_type", &self.data_source_type, DATA_SOURCE_TYPES),
            ("data_type", &self.data_type, DATA_TYPES),
            ("property", &self.property, PROPERTIES),
            ("edition", &self.edition, EDITIONS),
            ("source_type", &self.source_type, SOURCE_TYPES),
        ] {
            one_of(value, allowed, format!("{path}.{field}"))?;
        }
        Ok(())
    }
}

struct Row {
    region: &'static str,
    workspace: &'static str,
    name: &'static str,
    description: &'static str,
    accessibility: &'static str,
    storage: (&'static str, &'static str),
    data_type: &'static str,
    property: &'static str,
    labels: &'static [(&'static str, &'static str)],
    files: u32,
    bytes: u64,
    days_old: i64,
    user_id: &'static str,
}

const ROWS: [Row; 5] = [
    Row {
        region: "cn-hangzhou",
        workspace: "vision_train",
        name: "street-scenes",
        description: "Photographs for the detector",
        accessibility: "PUBLIC",
        storage: ("OSS", "oss://vision-data.oss-cn-hangzhou-internal.aliyuncs.com/street-scenes/"),
        data_type: "PIC",
        property: "DIRECTORY",
        labels: &[("task", "detection"), ("team", "vision")],
        files: 48_200,
        bytes: 96_400_000_000,
        days_old: 60,
        user_id: CREATOR_A,
    },
    Row {
        region: "cn-hangzhou",
        workspace: "vision_train",
        name: "street-scenes-labels",
        description: "Boxes for street-scenes",
        accessibility: "PRIVATE",
        storage: ("OSS", "oss://vision-data.oss-cn-hangzhou-internal.aliyuncs.com/labels/boxes.jsonl"),
        data_type: "TEXT",
        property: "FILE",
        labels: &[("task", "detection")],
        files: 1,
        bytes: 310_000_000,
        days_old: 55,
        user_id: CREATOR_B,
    },
    Row {
        region: "cn-hangzhou",
        workspace: "vision_train_eval",
        name: "holdout-2025",
        description: "Never train on this",
        accessibility: "ROLE_PUBLIC",
        storage: ("NAS", "nas://0c4a1491f2.cn-hangzhou/holdout-2025/"),
        data_type: "PIC",
        property: "DIRECTORY",
        labels: &[("task", "detection")],
        files: 5_000,
        bytes: 9_900_000_000,
        days_old: 50,
        user_id: CREATOR_B,
    },
    Row {
        region: "cn-hangzhou",
        workspace: "payroll_forecast",
        name: "salaries",
        description: "Finance only",
        accessibility: "PRIVATE",
        storage: ("OSS", "oss://finance-closed.oss-cn-hangzhou-internal.aliyuncs.com/salaries.parquet"),
        data_type: "COMMON",
        property: "FILE",
        labels: &[],
        files: 1,
        bytes: 7_000_000,
        days_old: 80,
        user_id: CREATOR_B,
    },
    Row {
        region: "cn-shanghai",
        workspace: "speech_train",
        name: "speech-corpus",
        description: "Recordings, shared by a partner",
        accessibility: "PUBLIC",
        storage: ("OSS", "oss://partner-speech.oss-cn-shanghai-internal.aliyuncs.com/corpus/"),
        data_type: "AUDIO",
        property: "DIRECTORY",
        labels: &[("language", "zh")],
        files: 120_000,
        bytes: 540_000_000_000,
        days_old: 100,
        user_id: CREATOR_B,
    },
];

/// The datasets that the workspaces of `region` have.
pub(super) fn seeded(seed: u64, region: &str, workspaces: &[Workspace]) -> Vec<Dataset> {
    let mut random = SplitMix64::new(seed, &format!("{region} datasets"), 0);
    let rows = ROWS.iter().filter(|row| row.region == region).filter_map(|row| {
        let workspace = workspaces.iter().find(|workspace| workspace.name == row.workspace)?;
        let created = before_start(row.days_old * 24);
        let (data_source_type, uri) = row.storage;
        let sharing = |there: &str, ours_is_source: bool| {
            let (here, there) = ((workspace.id.clone(), PARENT), ("771204".to_owned(), there));
            let (source, target) = if ours_is_source { (here, there) } else { (there, here) };
            Sharing {
                workspace_id: target.0,
                tenant_id: target.1.to_owned(),
                source_workspace_id: source.0,
                source_tenant_id: source.1.to_owned(),
                shared: created,
                extra: format!("{{\"Contact\":\"{CONTACT}\"}}"),
            }
        };
        let roles: &[&str] =
            if row.accessibility == "ROLE_PUBLIC" { &["PAI.AlgoDeveloper", "PAI.AlgoOperator"] } else { &[] };
        Some(Dataset {
            id: format!("d-{}", random.text(18)),
            workspace_id: workspace.id.clone(),
            name: row.name.to_owned(),
            description: row.description.to_owned(),
            accessibility: row.accessibility.to_owned(),
            roles: roles.iter().map(ToString::to_string).collect(),
            data_source_type: data_source_type.to_owned(),
            data_type: row.data_type.to_owned(),
            property: row.property.to_owned(),
            uri: uri.to_owned(),
            mount_path: "/mnt/data".to_owned(),
            edition: "BASIC".to_owned(),
            source_type: "USER".to_owned(),
            labels: row.labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            files: row.files,
            bytes: row.bytes,
            user_id: row.user_id.to_owned(),
            owner_id: PARENT.to_owned(),
            created,
            modified: created + SignedDuration::from_hours(row.days_old),
            shared_from: (row.name == "speech-corpus").then(|| sharing(SHARER, false)),
            shared_to: (row.name == "street-scenes").then(|| sharing(PARTNER, true)).into_iter().collect(),
        })
    });
    rows.collect()
}
