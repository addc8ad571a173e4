//! TensorBoards: looked at, started, stopped, changed and shared.
//!
//! `create` makes one and `list` finds several; what both show is in `view`.

mod create;
mod list;
mod view;

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use crate::sim::params::Query;
use crate::sim::reply::{CloudError, object};
use crate::sim::world::pyromind::later;
use crate::sim::world::{Region, Target, Tensorboard, TensorboardStatus, World};

pub(in crate::sim) use create::{check, create_tensorboard};
pub(in crate::sim) use list::list_tensorboards;

/// How long a shared link is good when nobody says, in seconds.
const DEFAULT_SHARE: i64 = 86_400;
/// The longest that a shared link is good, in seconds: a week.
const LONGEST_SHARE: i64 = 604_800;

/// The TensorBoard of this id, if RAM lets the caller do `action` in its workspace.
pub(super) fn find<'a>(
    place: &'a Region,
    id: &str,
    action: &'static str,
) -> Result<&'a Tensorboard, CloudError> {
    let board = place.tensorboards.iter().find(|board| board.id == id).ok_or_else(not_found)?;
    place.enter(&board.workspace_id, action)?;
    Ok(board)
}

fn not_found() -> CloudError {
    CloudError::new(
        StatusCode::NOT_FOUND,
        "NotFound.Tensorboard",
        "The TensorBoard does not exist.".to_owned(),
    )
}

/// The same, and it is where and of what the query says, if it says so.
fn asked_for<'a>(
    place: &'a Region,
    id: &str,
    query: &Query,
    action: &'static str,
) -> Result<&'a Tensorboard, CloudError> {
    let board = find(place, id, action)?;
    let here = query.text("WorkspaceId").is_none_or(|workspace| workspace == board.workspace_id);
    // The parameter's real name.
    let of_job = query.text("JodId").is_none_or(|job| board.text("JobId") == Some(job));
    if here && of_job { Ok(board) } else { Err(not_found()) }
}

/// With a sharing token, the address holds it.
pub(in crate::sim) fn get_tensorboard(
    world: &World,
    region: &str,
    id: &str,
    query: &Query,
    at: Timestamp,
) -> Result<Map<String, Value>, CloudError> {
    let board = asked_for(world.region(region), id, query, "paidlc:GetTensorboard")?;
    let mut shown = view::whole(board, region, at);
    if let Some(token) = query.text("Token") {
        if !world.admits(token, Target::Tensorboard, id, at) {
            return Err(CloudError::invalid(
                "Token",
                "must be a token of this TensorBoard that is still good",
            ));
        }
        shown.insert("Token".to_owned(), json!(token));
        if let Some(Value::String(url)) = shown.get_mut("TensorboardUrl") {
            url.push_str(&format!("?token={token}"));
        }
    }
    Ok(shown)
}

/// Starts a stopped one. Any other is left as it is, and the answer is the same.
pub(in crate::sim) fn start_tensorboard(
    world: &mut World,
    region: &str,
    id: &str,
    query: &Query,
    at: Timestamp,
) -> Result<Map<String, Value>, CloudError> {
    let board = asked_for(world.region(region), id, query, "paidlc:StartTensorboard")?;
    if board.status(at) == TensorboardStatus::Stopped {
        change(world, region, id, at, |board| {
            board.started = at;
            board.ended = None;
        });
    }
    Ok(answer(id))
}

/// Stops one that runs or is made ready. Any other is left as it is, and the answer is the same.
pub(in crate::sim) fn stop_tensorboard(
    world: &mut World,
    region: &str,
    id: &str,
    query: &Query,
    at: Timestamp,
) -> Result<Map<String, Value>, CloudError> {
    let board = asked_for(world.region(region), id, query, "paidlc:StopTensorboard")?;
    if board.status(at) != TensorboardStatus::Stopped {
        change(world, region, id, at, |board| board.ended = Some(crate::sim::world::End::ByUser(at)));
    }
    Ok(answer(id))
}

/// Everything is in the query, and the body is empty.
pub(in crate::sim) fn update_tensorboard(
    world: &mut World,
    region: &str,
    id: &str,
    query: &Query,
    at: Timestamp,
) -> Result<Map<String, Value>, CloudError> {
    asked_for(world.region(region), id, query, "paidlc:UpdateTensorboard")?;
    let accessibility = query.choice("Accessibility", create::ACCESSIBILITY)?;
    let minutes = query.integer("MaxRunningTimeMinutes", 1, i64::MAX)?;
    let priority = query.integer("Priority", 1, 9)?.map(|priority: i64| priority.to_string());
    let given = object([
        ("Accessibility", accessibility.map(|value| json!(value))),
        ("MaxRunningTimeMinutes", minutes.map(|value: i64| json!(value))),
        ("Priority", priority.map(|value| json!(value))),
    ]);
    if !given.is_empty() {
        change(world, region, id, at, |board| board.request.extend(given));
    }
    Ok(answer(id))
}

/// Changes a TensorBoard, once what time made of it is noted: a later limit must not bring back a run that is over.
fn change(world: &mut World, region: &str, id: &str, at: Timestamp, change: impl FnOnce(&mut Tensorboard)) {
    let boards = world.region_mut(region).map(|place| &mut place.tensorboards);
    if let Some(board) = boards.into_iter().flatten().find(|board| board.id == id) {
        board.ended = board.end(at);
        board.modified = at;
        change(board);
    }
}

fn answer(id: &str) -> Map<String, Value> {
    object([("TensorboardId", Some(json!(id)))])
}

/// The token is a part of the path, as in the documentation's example.
pub(in crate::sim) fn get_shared_url(
    world: &World,
    region: &str,
    id: &str,
    query: &Query,
    at: Timestamp,
) -> Result<Map<String, Value>, CloudError> {
    let lasts = query.integer("ExpireTimeSeconds", 1, LONGEST_SHARE)?.unwrap_or(DEFAULT_SHARE);
    let board = find(world.region(region), id, "paidlc:GetTensorboardSharedUrl")?;
    let until = later(at, SignedDuration::from_secs(lasts));
    let token = world.share_token(Target::Tensorboard, &board.id, &json!({}), at, until);
    let url = format!("{}{token}/", view::address(board, region));
    Ok(object([("TensorboardSharedUrl", Some(json!(url)))]))
}

#[cfg(test)]
mod tests;
