//! Code sources of workspaces, and those that are there from the start.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::canaries::{CODE_PASSWORD, CODE_TOKEN, CODE_USER, CREATOR_A, CREATOR_B, PAYROLL_TOKEN};
use super::random::SplitMix64;
use super::seed::before_start;
use super::state::{StateError, one_of};
use super::{Region, Workspace};

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct CodeSource {
    pub(in crate::sim) id: String,
    pub(in crate::sim) workspace_id: String,
    pub(in crate::sim) display_name: String,
    pub(in crate::sim) description: String,
    pub(in crate::sim) accessibility: String,
    pub(in crate::sim) repo: String,
    pub(in crate::sim) branch: String,
    pub(in crate::sim) commit: String,
    /// Whose access token clones it; a public repository needs none.
    pub(in crate::sim) login: Option<Login>,
    pub(in crate::sim) mount_path: String,
    pub(in crate::sim) user_id: String,
    pub(in crate::sim) created: Timestamp,
    pub(in crate::sim) modified: Timestamp,
}

/// What opens a repository.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct Login {
    pub(in crate::sim) user_name: String,
    pub(in crate::sim) access_token: String,
}

impl CodeSource {
    /// Whether it can stand at `path` of a state, among what is in `region`.
    pub(super) fn check(&self, path: &str, region: &Region) -> Result<(), StateError> {
        region.check_home(&self.workspace_id, path)?;
        one_of(&self.accessibility, &["PUBLIC", "PRIVATE"], format!("{path}.accessibility"))
    }
}

struct Row {
    region: &'static str,
    workspace: &'static str,
    name: &'static str,
    description: &'static str,
    accessibility: &'static str,
    /// `{password}` stands for [`CODE_PASSWORD`].
    repo: &'static str,
    branch: &'static str,
    commit: &'static str,
    token: Option<&'static str>,
    days_old: i64,
    user_id: &'static str,
}

const ROWS: [Row; 5] = [
    Row {
        region: "cn-hangzhou",
        workspace: "vision_train",
        name: "detector",
        description: "Detector training code",
        accessibility: "PUBLIC",
        repo: "https://codeup.aliyun.com/acme-train/detector.git",
        branch: "main",
        commit: "8c2f14d09b6e7a35c1d0f4482e9ab7c65d3f1e20",
        token: Some(CODE_TOKEN),
        days_old: 200,
        user_id: CREATOR_A,
    },
    Row {
        region: "cn-hangzhou",
        workspace: "vision_train",
        name: "segmenter",
        description: "Segmenter, from a public repository",
        accessibility: "PRIVATE",
        repo: "https://code.example/open/segmenter.git",
        branch: "release-1.4",
        commit: "",
        token: None,
        days_old: 30,
        user_id: CREATOR_B,
    },
    Row {
        region: "cn-hangzhou",
        workspace: "vision_train_eval",
        name: "evaluation",
        description: "Scores detectors",
        accessibility: "PUBLIC",
        repo: "https://codeup.aliyun.com/acme-train/evaluation.git",
        branch: "main",
        commit: "",
        token: Some(CODE_TOKEN),
        days_old: 110,
        user_id: CREATOR_B,
    },
    Row {
        region: "cn-hangzhou",
        workspace: "payroll_forecast",
        name: "payroll",
        description: "Finance only",
        accessibility: "PRIVATE",
        repo: "https://codeup.aliyun.com/acme-finance/payroll.git",
        branch: "main",
        commit: "",
        token: Some(PAYROLL_TOKEN),
        days_old: 85,
        user_id: CREATOR_B,
    },
    Row {
        region: "cn-shanghai",
        workspace: "speech_train",
        name: "conformer",
        description: "Conformer training code, its password in the address",
        accessibility: "PUBLIC",
        repo: "https://ci:{password}@codeup.aliyun.com/acme-train/conformer.git",
        branch: "develop",
        commit: "",
        token: None,
        days_old: 70,
        user_id: CREATOR_B,
    },
];

/// The code sources that the workspaces of `region` have.
pub(super) fn seeded(seed: u64, region: &str, workspaces: &[Workspace]) -> Vec<CodeSource> {
    let mut random = SplitMix64::new(seed, &format!("{region} code sources"), 0);
    let rows = ROWS.iter().filter(|row| row.region == region).filter_map(|row| {
        let workspace = workspaces.iter().find(|workspace| workspace.name == row.workspace)?;
        let created = before_start(row.days_old * 24);
        Some(CodeSource {
            id: format!("code-{}", random.text(16)),
            workspace_id: workspace.id.clone(),
            display_name: row.name.to_owned(),
            description: row.description.to_owned(),
            accessibility: row.accessibility.to_owned(),
            repo: row.repo.replace("{password}", CODE_PASSWORD),
            branch: row.branch.to_owned(),
            commit: row.commit.to_owned(),
            login: row
                .token
                .map(|token| Login { user_name: CODE_USER.to_owned(), access_token: token.to_owned() }),
            mount_path: "/mnt/code".to_owned(),
            user_id: row.user_id.to_owned(),
            created,
            modified: created + SignedDuration::from_hours(row.days_old),
        })
    });
    rows.collect()
}
