//! A TensorBoard, what time makes of it, and those that are there from the start.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::canaries::{CALLER, CREATOR_A, CREATOR_B};
use super::pyromind::later;
use super::random::SplitMix64;
use super::seed::before_start;
use super::{Job, Workspace};

/// How long a TensorBoard is made ready before it runs.
pub(in crate::sim) const CREATING: SignedDuration = SignedDuration::from_secs(5);

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct Tensorboard {
    pub(in crate::sim) id: String,
    pub(in crate::sim) workspace_id: String,
    pub(in crate::sim) user_id: String,
    pub(in crate::sim) created: Timestamp,
    /// When somebody last started, stopped or changed it.
    pub(in crate::sim) modified: Timestamp,
    /// When its last run began to be made ready.
    pub(in crate::sim) started: Timestamp,
    /// How that run was ended, if it was. A run that only time has ended isn't noted until the next change.
    pub(in crate::sim) ended: Option<End>,
    /// The body of its CreateTensorboard, with what was changed since.
    pub(in crate::sim) request: Map<String, Value>,
}

/// What ended a run, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sim) enum End {
    /// Somebody stopped it.
    ByUser(Timestamp),
    /// It had run for as long as it may.
    ByLimit(Timestamp),
}

impl End {
    pub(in crate::sim) const fn at(self) -> Timestamp {
        match self {
            Self::ByUser(at) | Self::ByLimit(at) => at,
        }
    }

    pub(in crate::sim) const fn reason(self) -> (&'static str, &'static str) {
        match self {
            Self::ByUser(_) => ("TensorboardStoppedByUser", "The TensorBoard was stopped by a user."),
            Self::ByLimit(_) => {
                ("MaxRunningTimeExceeded", "The TensorBoard reached its maximum running time.")
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum TensorboardStatus {
    Creating,
    Running,
    Stopped,
}

impl TensorboardStatus {
    pub(in crate::sim) const fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "Creating",
            Self::Running => "Running",
            Self::Stopped => "Stopped",
        }
    }
}

impl Tensorboard {
    /// When its last run ended, if it has by `at`.
    pub(in crate::sim) fn end(&self, at: Timestamp) -> Option<End> {
        self.ended.or_else(|| {
            let minutes = self.request.get("MaxRunningTimeMinutes").and_then(Value::as_i64)?;
            let lasts = SignedDuration::from_secs(minutes.saturating_mul(60));
            // A limit set during the run ends it no earlier than that.
            let limit = later(later(self.started, CREATING), lasts).max(self.modified);
            (limit <= at).then_some(End::ByLimit(limit))
        })
    }

    pub(in crate::sim) fn status(&self, at: Timestamp) -> TensorboardStatus {
        match self.end(at) {
            Some(_) => TensorboardStatus::Stopped,
            None if at < later(self.started, CREATING) => TensorboardStatus::Creating,
            None => TensorboardStatus::Running,
        }
    }

    pub(in crate::sim) fn text(&self, name: &str) -> Option<&str> {
        self.request.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    pub(in crate::sim) fn accessibility(&self) -> &str {
        self.text("Accessibility").unwrap_or("PRIVATE")
    }

    /// The instants at which something came about.
    pub(super) fn instants(&self) -> impl Iterator<Item = Timestamp> {
        [self.created, self.modified, self.started].into_iter().chain(self.ended.map(End::at))
    }
}

pub(super) fn tensorboard_id(random: &mut SplitMix64) -> String {
    format!("tb{}", random.text(14))
}

/// The TensorBoards of `region`: all in Hangzhou, and all but one in its workspace `vision_train`.
pub(super) fn seeded(seed: u64, region: &str, workspaces: &[Workspace], jobs: &[Job]) -> Vec<Tensorboard> {
    let mut random = SplitMix64::new(seed, region, 4);
    let home = |name| workspaces.iter().find(|w| w.name == name && region == "cn-hangzhou");
    let job = |name| jobs.iter().find(|job| job.request.get("DisplayName") == Some(&json!(name)));
    let (Some(vision), Some(payroll), Some(pretrain), Some(distill)) =
        (home("vision_train"), home("payroll_forecast"), job("detector-pretrain"), job("detector-distill"))
    else {
        return Vec::new();
    };
    let mut tensorboard = |workspace: &Workspace, user_id: &str, hours_old, request| {
        let created = before_start(hours_old);
        Tensorboard {
            id: tensorboard_id(&mut random),
            workspace_id: workspace.id.clone(),
            user_id: user_id.to_owned(),
            created,
            modified: created,
            started: created,
            ended: None,
            request,
        }
    };
    let of_job = |name: &str, job: &Job, accessibility: &str| {
        Map::from_iter([
            ("DisplayName".to_owned(), json!(name)),
            ("JobId".to_owned(), json!(job.id)),
            ("SummaryPath".to_owned(), json!("/root/data/summary")),
            ("Accessibility".to_owned(), json!(accessibility)),
        ])
    };
    let of_data = |name: &str, uri: &str| {
        Map::from_iter([
            ("DisplayName".to_owned(), json!(name)),
            ("DataSourceType".to_owned(), json!("OSS")),
            ("Uri".to_owned(), json!(uri)),
            ("MaxRunningTimeMinutes".to_owned(), json!(240)),
        ])
    };
    let running = tensorboard(vision, CREATOR_A, 2, of_job("detector-pretrain-board", pretrain, "PUBLIC"));
    let over = tensorboard(
        vision,
        CALLER.user_id,
        6,
        of_data("runs-board", "oss://vision-runs.oss-cn-hangzhou.aliyuncs.com/2025/"),
    );
    let stopped = tensorboard(vision, CALLER.user_id, 5, of_job("distill-board", distill, "PRIVATE"));
    let stop = before_start(4);
    let closed = tensorboard(
        payroll,
        CREATOR_B,
        3,
        of_data("payroll-board", "oss://payroll.oss-cn-hangzhou.aliyuncs.com/fit/"),
    );
    vec![running, over, Tensorboard { modified: stop, ended: Some(End::ByUser(stop)), ..stopped }, closed]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::testkit::AT;

    #[test]
    fn docs_world_md_shows_each_and_how_long_it_is_made_ready() {
        let docs = include_str!("../../../docs/world.md");
        assert!(
            docs.contains(&format!("A TensorBoard is Creating for {} s, then Running", CREATING.as_secs()))
        );
        let world = crate::sim::world::World::seeded(1);
        for board in &world.region("cn-hangzhou").tensorboards {
            let name = board.text("DisplayName").unwrap();
            let row = docs.lines().find(|line| line.starts_with(&format!("| {name} | `{}` |", board.id)));
            let hours = AT.duration_since(board.created).as_hours();
            let status = board.status(AT).as_str();
            assert!(row.is_some_and(|row| row.contains(&format!("| {hours} h |"))), "{name}");
            assert!(row.is_some_and(|row| row.contains(&format!("| {status} |"))), "{name}");
        }
    }

    fn board(request: Value) -> Tensorboard {
        Tensorboard {
            id: "tb1".to_owned(),
            workspace_id: "1".to_owned(),
            user_id: "1".to_owned(),
            created: AT,
            modified: AT,
            started: AT,
            ended: None,
            request: request.as_object().unwrap().clone(),
        }
    }

    fn later_by(seconds: i64) -> Timestamp {
        AT + SignedDuration::from_secs(seconds)
    }

    fn course(board: &Tensorboard, seconds: &[i64]) -> Vec<&'static str> {
        seconds.iter().map(|second| board.status(later_by(*second)).as_str()).collect()
    }

    #[test]
    fn it_is_made_ready_runs_and_ends_with_its_time() {
        assert_eq!(
            course(&board(json!({})), &[0, 4, 5, 10_000_000]),
            ["Creating", "Creating", "Running", "Running"]
        );
        let limited = board(json!({ "MaxRunningTimeMinutes": 1 }));
        assert_eq!(
            course(&limited, &[4, 5, 64, 65, 1000]),
            ["Creating", "Running", "Running", "Stopped", "Stopped"]
        );
        assert_eq!(limited.end(later_by(1000)), Some(End::ByLimit(later_by(65))));
        let endless = board(json!({ "MaxRunningTimeMinutes": i64::MAX }));
        assert_eq!(course(&endless, &[1_000_000]), ["Running"]);
    }

    #[test]
    fn a_limit_set_during_a_run_does_not_end_it_in_the_past() {
        let changed = Tensorboard { modified: later_by(100), ..board(json!({ "MaxRunningTimeMinutes": 1 })) };
        assert_eq!(changed.end(later_by(100)), Some(End::ByLimit(later_by(100))));
    }

    #[test]
    fn what_ended_it_is_kept_whatever_the_limit_says() {
        let stopped = Tensorboard {
            ended: Some(End::ByUser(later_by(9))),
            ..board(json!({ "MaxRunningTimeMinutes": 1 }))
        };
        assert_eq!(stopped.end(later_by(1000)), Some(End::ByUser(later_by(9))));
        assert_eq!(stopped.instants().max(), Some(later_by(9)));
    }
}
