//! Ways into a job, and tokens to share one: what they answer lets in whoever has it.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::course::Course;
use super::lifecycle::JobStatus;
use super::{pods, tensorboards};
use crate::sim::params::Query;
use crate::sim::reply::{CloudError, object};
use crate::sim::world::pyromind::later;
use crate::sim::world::{Job, Target, World};

/// How long a token is good when nobody says, in seconds: a week.
const DEFAULT_TOKEN: i64 = 604_800;

const SETTINGS: [&str; 2] = ["EnableCrossAccountAccess", "EnableLogDownloadJob"];

pub(in crate::sim) fn get_token(
    world: &World,
    region: &str,
    query: &Query,
    at: Timestamp,
) -> Result<Map<String, Value>, CloudError> {
    const ACTION: &str = "paidlc:GetToken";
    let kind = query.choice("TargetType", &["job", "tensorboard"])?;
    let kind = kind.ok_or_else(|| CloudError::missing("TargetType"))?;
    let id = query.text("TargetId").ok_or_else(|| CloudError::missing("TargetId"))?;
    let lasts = query.integer("ExpireTime", 0, i64::MAX)?.unwrap_or(DEFAULT_TOKEN);
    let mut settings = Map::new();
    for name in SETTINGS {
        settings.insert(name.to_owned(), json!(query.flag(&format!("TokenSettings.{name}"), false)?));
    }
    let place = world.region(region);
    let target = match kind {
        "job" => super::find(place, id, ACTION).map(|_| Target::Job)?,
        _ => tensorboards::find(place, id, ACTION).map(|_| Target::Tensorboard)?,
    };
    let until = later(at, SignedDuration::from_secs(lasts));
    let token = world.share_token(target, id, &Value::Object(settings), at, until);
    Ok(object([("Token", Some(json!(token)))]))
}

/// A link that is good once and for 30 seconds. One that isn't to be shared asks whoever opens it to sign in.
pub(in crate::sim) fn get_web_terminal(
    world: &World,
    region: &str,
    (id, pod): (&str, &str),
    query: &Query,
    at: Timestamp,
) -> Result<Map<String, Value>, CloudError> {
    let shared = query.flag("IsShared", false)?;
    let job = super::find(world.region(region), id, "paidlc:GetWebTerminal")?;
    let course = Course::new(job, at);
    let pod = pods::find(job, &course, pod, query.text("PodUid"))?;
    if !runs(&course) {
        return Err(CloudError::bad_request("PodNotRunning", "The pod is not running.".to_owned()));
    }
    let parameter = if shared { "token" } else { "ticket" };
    let ticket = world.ticket(&format!("terminal {} {shared}", pod.id), at);
    let proxy = proxy(region);
    let url = format!("wss://{proxy}/terminal/{}/{}?{parameter}={ticket}", job.id, pod.id);
    Ok(object([("WebTerminalUrl", Some(json!(url)))]))
}

pub(in crate::sim) fn get_dashboard(
    world: &World,
    region: &str,
    id: &str,
    query: &Query,
    at: Timestamp,
) -> Result<Map<String, Value>, CloudError> {
    let url = dashboard(world, region, id, ("dashboard", "paidlc:GetDashboard"), query, at)?;
    Ok(object([("url", Some(json!(url)))]))
}

pub(in crate::sim) fn get_ray_dashboard(
    world: &World,
    region: &str,
    id: &str,
    query: &Query,
    at: Timestamp,
) -> Result<Map<String, Value>, CloudError> {
    let url = dashboard(world, region, id, ("ray/dashboard", "paidlc:GetRayDashboard"), query, at)?;
    let metrics = (!url.is_empty()).to_string();
    Ok(object([("url", Some(json!(url))), ("metricsEnabled", Some(json!(metrics)))]))
}

/// The link to a dashboard; empty for a job that has none.
fn dashboard(
    world: &World,
    region: &str,
    id: &str,
    (path, action): (&str, &'static str),
    query: &Query,
    at: Timestamp,
) -> Result<String, CloudError> {
    let shared = query.flag("isShared", false)?;
    let job = super::find(world.region(region), id, action)?;
    let grant = match (shared, query.text("token")) {
        (true, None) => return Err(CloudError::missing("token")),
        (_, Some(token)) if !world.admits(token, Target::Job, id, at) => {
            return Err(CloudError::invalid("token", "must be a token of this job that is still good"));
        }
        (true, Some(token)) => format!("token={token}"),
        (false, _) => format!("ticket={}", world.ticket(&format!("{path} {id}"), at)),
    };
    if !is_ray(job) || !runs(&Course::new(job, at)) {
        return Ok(String::new());
    }
    Ok(format!("https://{}/{path}/{id}?{grant}", proxy(region)))
}

fn is_ray(job: &Job) -> bool {
    job.request.get("JobType").and_then(Value::as_str) == Some("RayJob")
}

fn runs(course: &Course) -> bool {
    course.last().is_some_and(|stage| stage.status == JobStatus::Running)
}

fn proxy(region: &str) -> String {
    format!("pai-dlc-proxy-{region}.aliyun.com")
}

#[cfg(test)]
mod tests;
