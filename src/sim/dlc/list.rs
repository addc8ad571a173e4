//! ListJobs: the caller's jobs of the last seven days, unless the query asks for others.

mod filter;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::course::Course;
use super::view::{asked, code_source, data_sources, repeated, requested, summary};
use super::{lifecycle::JobStatus, pods};
use crate::sim::params::Query;
use crate::sim::reply::{CloudError, object};
use crate::sim::world::canaries::user_name;
use crate::sim::world::{Job, World};
use filter::Filter;

/// What a row repeats as it was submitted; unlike GetJob's reply it has no `CustomEnvs` and no `Description`.
const REPEATED: [&str; 14] = [
    "CredentialConfig",
    "DisplayName",
    "ElasticSpec",
    "Envs",
    "JobSpecs",
    "JobType",
    "ResourceId",
    "SchedulingStrategy",
    "Settings",
    "TemplateId",
    "ThirdpartyLibDir",
    "ThirdpartyLibs",
    "UserCommand",
    "UserVpc",
];

const SORT_KEYS: &[&str] = &["GmtCreateTime", "DisplayName", "JobType", "Status", "GmtFinishTime"];

const ACTION: &str = "paidlc:ListJobs";

pub(in crate::sim) fn list_jobs(
    world: &World,
    region: &str,
    query: &Query,
    at: Timestamp,
) -> Result<Map<String, Value>, CloudError> {
    let filter = Filter::read(query, at)?;
    let sort_by = query.choice("SortBy", SORT_KEYS)?.unwrap_or("GmtCreateTime");
    let ascending = query.choice("Order", &["desc", "asc"])? == Some("asc");
    let number = query.integer("PageNumber", 1_usize, 1000)?.unwrap_or(1);
    let size = query.integer("PageSize", 1, 100)?.unwrap_or(10);

    let place = world.region(region);
    if let Some(id) = filter.workspace() {
        place.enter(id, ACTION)?;
    }
    let mut found: Vec<(&Job, Course<'_>)> = place
        .jobs
        .iter()
        .filter(|job| place.enter(&job.workspace_id, ACTION).is_ok())
        .map(|job| (job, Course::new(job, at)))
        .filter(|(job, course)| filter.admits(job, course))
        .collect();
    found.sort_by_cached_key(|(job, course)| (sort_key(sort_by, job, course), job.id.clone()));
    if !ascending {
        found.reverse();
    }
    let total = found.len();
    let rows = found.into_iter().skip((number - 1).saturating_mul(size)).take(size).map(|(job, course)| {
        let mut row = row(job, &course, region);
        let workspace = place.workspace(&job.workspace_id);
        row.extend(object([("WorkspaceName", workspace.map(|workspace| json!(workspace.name)))]));
        Value::Object(row)
    });
    Ok(object([("Jobs", Some(rows.collect())), ("TotalCount", Some(json!(total)))]))
}

/// A job that hasn't finished counts as finishing after all that have.
fn sort_key(by: &str, job: &Job, course: &Course) -> (Option<Timestamp>, String) {
    let text = |name| job.request.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    match by {
        "GmtFinishTime" => (Some(course.finish().unwrap_or(Timestamp::MAX)), String::new()),
        "Status" => (None, course.last().map(|stage| stage.status.as_str()).unwrap_or_default().to_owned()),
        "DisplayName" | "JobType" => (None, text(by)),
        _ => (Some(job.submitted), String::new()),
    }
}

/// `RequestMemory` and `RequestGPU` are strings here and numbers in GetJob.
fn row(job: &Job, course: &Course, region: &str) -> Map<String, Value> {
    let (_, memory, gpu) = requested(job);
    let pods = pods::existing(job, course);
    let nodes: Vec<&str> = pods.iter().map(|pod| pod.node.as_str()).collect();
    let mut row = summary(job, course, region);
    row.extend(object([
        ("Username", user_name(&job.user_id).map(|name| json!(name))),
        ("RequestMemory", Some(json!(memory.to_string()))),
        ("RequestGPU", Some(json!(gpu.to_string()))),
        ("GmtModifiedTime", job.updated.max(course.last().map(|stage| stage.from)).map(|at| json!(at))),
        ("IsDeleted", Some(json!(false))),
        ("JobMaxRunningTimeMinutes", asked(job, "JobMaxRunningTimeMinutes")),
        ("NodeCount", Some(json!(nodes.len().to_string()))),
        ("NodeNames", course.since(JobStatus::EnvPreparing).map(|_| json!(nodes))),
        ("JobReplicaStatuses", Some(pods::replicas(job, course))),
        ("CodeSource", code_source(job)),
        ("DataSources", data_sources(job, &["DataSourceId", "MountPath"])),
    ]));
    row.extend(repeated(job, &REPEATED));
    row
}

#[cfg(test)]
mod tests;
