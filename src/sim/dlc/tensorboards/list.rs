//! ListTensorboards: the caller's of the last seven days, unless the query asks for others.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::create::ACCESSIBILITY;
use super::view;
use crate::sim::dlc::window::Window;
use crate::sim::params::Query;
use crate::sim::reply::{CloudError, object};
use crate::sim::world::canaries::{CALLER, user_name};
use crate::sim::world::{Tensorboard, World};

const STATUSES: &[&str] = &["Creating", "Running", "Stopped", "Succeeded", "Failed"];

const ACTION: &str = "paidlc:ListTensorboards";

/// The conditions of a query, read strictly; a TensorBoard must meet them all.
struct Filter<'a> {
    query: &'a Query,
    window: Window,
    own: bool,
    status: Option<&'static str>,
    accessibility: Option<&'static str>,
    payment: Option<&'static str>,
}

impl<'a> Filter<'a> {
    fn read(query: &'a Query, at: Timestamp) -> Result<Self, CloudError> {
        query.flag("Verbose", false)?;
        Ok(Self {
            query,
            window: Window::read(query, at)?,
            own: query.flag("ShowOwn", true)?,
            status: query.choice("Status", STATUSES)?,
            accessibility: query.choice("Accessibility", ACCESSIBILITY)?,
            payment: query.choice("PaymentType", &["Free", "Postpaid"])?,
        })
    }

    fn admits(&self, board: &Tensorboard, at: Timestamp) -> bool {
        let is =
            |name: &str, value: Option<&str>| self.query.text(name).is_none_or(|asked| value == Some(asked));
        let holds = |name: &str, value: &str| {
            let part = self.query.text(name).unwrap_or_default().to_lowercase();
            value.to_lowercase().contains(&part)
        };
        let payment = if board.request.contains_key("TensorboardSpec") { "Postpaid" } else { "Free" };
        self.window.holds(board.created)
            && (!self.own || board.user_id == CALLER.user_id)
            && is("WorkspaceId", Some(&board.workspace_id))
            && is("TensorboardId", Some(&board.id))
            && is("UserId", Some(&board.user_id))
            && ["JobId", "QuotaId", "SourceId", "SourceType"]
                .into_iter()
                .all(|name| is(name, board.text(name)))
            && holds("DisplayName", board.text("DisplayName").unwrap_or_default())
            && holds("Username", user_name(&board.user_id).unwrap_or_default())
            && self.status.is_none_or(|status| board.status(at).as_str() == status)
            && self.accessibility.is_none_or(|wanted| board.accessibility() == wanted)
            && self.payment.is_none_or(|wanted| payment == wanted)
    }
}

pub(in crate::sim) fn list_tensorboards(
    world: &World,
    region: &str,
    query: &Query,
    at: Timestamp,
) -> Result<Map<String, Value>, CloudError> {
    let filter = Filter::read(query, at)?;
    let by_name = query.choice("SortBy", &["GmtCreateTime", "DisplayName"])? == Some("DisplayName");
    let ascending = query.choice("Order", &["desc", "asc"])? == Some("asc");
    let number = query.integer("PageNumber", 1_usize, 1000)?.unwrap_or(1);
    let size = query.integer("PageSize", 1, 100)?.unwrap_or(10);
    let place = world.region(region);
    if let Some(id) = query.text("WorkspaceId") {
        place.enter(id, ACTION)?;
    }
    let mut found: Vec<&Tensorboard> = place
        .tensorboards
        .iter()
        .filter(|board| place.enter(&board.workspace_id, ACTION).is_ok() && filter.admits(board, at))
        .collect();
    found.sort_by_cached_key(|board| {
        let name = by_name.then(|| board.text("DisplayName").unwrap_or_default().to_owned());
        (name, board.created, board.id.clone())
    });
    if !ascending {
        found.reverse();
    }
    let total = found.len();
    let page = found.into_iter().skip((number - 1).saturating_mul(size)).take(size);
    let rows = page.map(|board| Value::Object(view::whole(board, region, at)));
    Ok(object([("Tensorboards", Some(rows.collect())), ("TotalCount", Some(json!(total)))]))
}
