//! What GetTensorboard and ListTensorboards show.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::sim::reply::object;
use crate::sim::world::canaries::user_name;
use crate::sim::world::{Tensorboard, TensorboardStatus};

/// What is shown as it was asked for.
const REPEATED: [&str; 13] = [
    "Cpu",
    "DataSourceId",
    "DataSourceType",
    "DisplayName",
    "JobId",
    "MaxRunningTimeMinutes",
    "Memory",
    "Options",
    "QuotaId",
    "SummaryPath",
    "SummaryRelativePath",
    "TensorboardDataSources",
    "TensorboardSpec",
];

/// Where the TensorBoard is. Whoever opens it must sign in.
pub(super) fn address(board: &Tensorboard, region: &str) -> String {
    format!("https://pai-dlc-proxy-{region}.aliyun.com/tensorboard/{}/", board.id)
}

/// A TensorBoard at an instant; it has an address while it runs.
pub(super) fn whole(board: &Tensorboard, region: &str, at: Timestamp) -> Map<String, Value> {
    let status = board.status(at);
    let end = board.end(at);
    let runs = status == TensorboardStatus::Running;
    let (code, message) = match end {
        Some(end) => end.reason(),
        None if runs => ("TensorboardRunning", "The TensorBoard is running."),
        None => ("TensorboardCreating", "The TensorBoard is being created."),
    };
    let until = end.map_or(at, |end| end.at());
    let lasted = until.duration_since(board.started).as_secs().max(0);
    let mut shown: Map<String, Value> = board
        .request
        .iter()
        .filter(|(name, _)| REPEATED.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    shown.extend(object([
        ("TensorboardId", Some(json!(board.id))),
        ("WorkspaceId", Some(json!(board.workspace_id))),
        ("UserId", Some(json!(board.user_id))),
        ("Username", user_name(&board.user_id).map(|name| json!(name))),
        ("Accessibility", Some(json!(board.accessibility()))),
        ("Priority", Some(json!(board.text("Priority").unwrap_or("1")))),
        ("Status", Some(json!(status.as_str()))),
        ("ReasonCode", Some(json!(code))),
        ("ReasonMessage", Some(json!(message))),
        ("GmtCreateTime", Some(json!(board.created))),
        ("GmtModifyTime", Some(json!(board.modified))),
        ("GmtFinishTime", end.map(|end| json!(end.at()))),
        ("Duration", Some(json!(lasted.to_string()))),
        ("TensorboardUrl", runs.then(|| json!(address(board, region)))),
    ]));
    shown
}
