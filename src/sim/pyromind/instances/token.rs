//! Tokens that open an instance.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::not_found;
use crate::sim::params::Query;
use crate::sim::pyromind::envelope::{Answer, Failure, Success};
use crate::sim::pyromind::params::positive;
use crate::sim::world::pyromind::{InstanceQuirk, InstanceStatus, PyroMind, later};

/// How long a token is good when nobody says, in seconds.
const DEFAULT_TTL: u64 = 3600;

pub(in crate::sim::pyromind) fn get_access_token(
    cloud: &PyroMind,
    id: &str,
    query: &Query,
    at: Timestamp,
) -> Answer {
    let ttl = positive(query, "token_ttl", DEFAULT_TTL)?;
    let instance = cloud.instance(id).ok_or_else(not_found)?;
    if instance.status(at) != InstanceStatus::Running {
        return Err(Failure::bad_request("cannot generate token for non-running instance"));
    }
    if instance.quirk == Some(InstanceQuirk::AuthServiceDown) {
        return Err(Failure::failed("token generation failed: auth service error"));
    }
    let expires = later(at, SignedDuration::from_secs(i64::try_from(ttl).unwrap_or(i64::MAX)));
    let token = cloud.access_token(id, at, expires);
    let data = json!({
        "instance_id": id,
        "access_token": token,
        "token_ttl": ttl,
        "expire_time": expires,
        "access_url": format!("{}?token={token}", instance.access_url()),
    });
    Ok(Success::ok("access token generated successfully", data))
}

#[cfg(test)]
mod tests;
