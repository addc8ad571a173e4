//! GetJob: what was submitted, and all that follows from it at this instant.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::course::Course;
use super::lifecycle::JobStatus;
use super::machines::{ECS, Machine};
use super::pods;
use crate::sim::params::Query;
use crate::sim::reply::{CloudError, object};
use crate::sim::world::canaries::TENANT;
use crate::sim::world::{Job, World};

/// What GetJob repeats as it was submitted.
const REPEATED: [&str; 15] = [
    "CredentialConfig",
    "CustomEnvs",
    "Description",
    "DisplayName",
    "ElasticSpec",
    "Envs",
    "JobSpecs",
    "JobType",
    "ResourceId",
    "SchedulingStrategy",
    "Settings",
    "ThirdpartyLibDir",
    "ThirdpartyLibs",
    "UserCommand",
    "UserVpc",
];

/// Without `NeedDetail` (the default has it) pods, replica statuses and the history are left out.
pub(in crate::sim) fn get_job(
    world: &World,
    region: &str,
    id: &str,
    query: &Query,
    at: Timestamp,
) -> Result<Map<String, Value>, CloudError> {
    let detailed = query.flag("NeedDetail", true)?;
    let place = world.region(region);
    let job = super::find(place, id, "paidlc:GetJob")?;
    let course = Course::new(job, at);
    let mut body = summary(job, &course, region);
    let workspace = place.workspace(&job.workspace_id);
    body.extend(object([("WorkspaceName", workspace.map(|workspace| json!(workspace.name)))]));
    let (_, memory, gpu) = requested(job);
    body.extend(object([("RequestMemory", Some(json!(memory))), ("RequestGPU", Some(json!(gpu)))]));
    body.extend(repeated(job, &REPEATED));
    body.extend(object([
        ("CodeSource", code_source(job)),
        ("DataSources", data_sources(job, &["DataSourceId", "MountPath", "Uri"])),
    ]));
    if detailed {
        body.insert("StatusHistory".to_owned(), course.history());
        body.insert("Pods".to_owned(), pods::items(job, &course));
        body.insert("JobReplicaStatuses".to_owned(), pods::replicas(job, &course));
        body.insert("RestartRecord".to_owned(), restarts(&course));
    }
    Ok(body)
}

/// What the job's request holds under `names`. Replies spell one field of `UserVpc` otherwise than requests.
pub(super) fn repeated(job: &Job, names: &[&str]) -> Map<String, Value> {
    let repeat = |(name, value): (&String, &Value)| {
        let mut value = value.clone();
        if name == "UserVpc"
            && let Some(cidrs) = value.as_object_mut().and_then(|vpc| vpc.remove("ExtendedCIDRs"))
            && let Some(vpc) = value.as_object_mut()
        {
            vpc.insert("ExtendedCidrs".to_owned(), cidrs);
        }
        (name.clone(), value)
    };
    job.request.iter().filter(|(name, _)| names.contains(&name.as_str())).map(repeat).collect()
}

/// The code that the job asked for; replies have fewer of its fields than requests.
pub(super) fn code_source(job: &Job) -> Option<Value> {
    asked(job, "CodeSource")
        .map(|source| narrowed(source, &["Branch", "CodeSourceId", "Commit", "MountPath"]))
}

/// The data that the job asked for, with the fields of `names` only: each reply has its own few.
pub(super) fn data_sources(job: &Job, names: &[&str]) -> Option<Value> {
    let sources = asked(job, "DataSources")?;
    Some(sources.as_array()?.iter().map(|source| narrowed(source.clone(), names)).collect())
}

fn narrowed(value: Value, names: &[&str]) -> Value {
    match value {
        Value::Object(fields) => {
            fields.into_iter().filter(|(name, _)| names.contains(&name.as_str())).collect()
        }
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            other
        }
    }
}

/// CPUs, GiB and GPUs of all pods together.
pub(super) fn requested(job: &Job) -> (u64, u64, u64) {
    let (mut cpu, mut memory, mut gpu) = (0_u64, 0_u64, 0_u64);
    for role in pods::roles(job) {
        let each = role.resources();
        cpu = cpu.saturating_add(each.0.saturating_mul(role.pods));
        memory = memory.saturating_add(each.1.saturating_mul(role.pods));
        gpu = gpu.saturating_add(each.2.saturating_mul(role.pods));
    }
    (cpu, memory, gpu)
}

/// What the job asked for under `name`.
pub(super) fn asked(job: &Job, name: &str) -> Option<Value> {
    job.request.get(name).filter(|value| !value.is_null()).cloned()
}

/// A job on machines of both kinds counts as one on Lingjun's.
fn resource_type(job: &Job) -> &'static str {
    let machines = pods::roles(job).into_iter().filter_map(|role| role.machine());
    machines.map(Machine::resource_type).max().unwrap_or(ECS)
}

pub(super) fn accessibility(job: &Job) -> &str {
    job.request.get("Accessibility").and_then(Value::as_str).unwrap_or("PRIVATE")
}

/// `RestartRecord`: each restart, why it came and how long it took.
fn restarts(course: &Course<'_>) -> Value {
    let items = course.restarts().enumerate().map(|(index, (stage, again))| {
        let took = again.map(|again| json!(again.duration_since(stage.from).as_secs()));
        Value::Object(object([
            ("JobRestartCount", Some(json!(index + 1))),
            ("OccurPhase", Some(json!("Running"))),
            ("OccurTime", Some(json!(stage.from))),
            ("Reason", Some(json!(stage.message))),
            ("RestartDurationInSec", took),
            ("RestartLevelType", Some(json!("Job"))),
            ("RestartStatus", Some(json!(if again.is_some() { "Succeeded" } else { "Restarting" }))),
        ]))
    });
    items.collect()
}

/// What GetJob and ListJobs say in the same words.
pub(super) fn summary(job: &Job, course: &Course, region: &str) -> Map<String, Value> {
    let time = |status| course.since(status).map(|from| json!(from));
    let last = course.last();
    object([
        ("JobId", Some(json!(job.id))),
        ("WorkspaceId", Some(json!(job.workspace_id))),
        ("UserId", Some(json!(job.user_id))),
        ("TenantId", Some(json!(TENANT))),
        ("ClusterId", Some(json!(format!("pai-dlc-{region}")))),
        ("Accessibility", Some(json!(accessibility(job)))),
        ("Priority", Some(asked(job, "Priority").unwrap_or_else(|| json!(1)))),
        ("Status", last.map(|stage| json!(stage.status.as_str()))),
        ("ReasonCode", last.map(|stage| json!(stage.code))),
        ("ReasonMessage", last.map(|stage| json!(stage.message))),
        ("GmtCreateTime", Some(json!(job.submitted))),
        ("GmtSubmittedTime", time(JobStatus::Queuing)),
        ("GmtRunningTime", time(JobStatus::Running)),
        ("GmtSuccessedTime", time(JobStatus::Succeeded)),
        ("GmtFailedTime", time(JobStatus::Failed)),
        ("GmtStoppedTime", time(JobStatus::Stopped)),
        ("GmtFinishTime", course.finish().map(|finish| json!(finish))),
        ("Duration", Some(json!(course.lasted(job.submitted)))),
        ("EnabledDebugger", Some(json!(false))),
        ("RequestCPU", Some(json!(requested(job).0))),
        ("ResourceType", Some(json!(resource_type(job)))),
        ("RestartTimes", Some(json!(course.restarts().count().to_string()))),
    ])
}

#[cfg(test)]
mod tests;
