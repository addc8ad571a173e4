//! GetJob: what was submitted, and all that follows from it at this instant.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::lifecycle::{self, JobStatus, Stage};
use super::machines;
use crate::sim::params::Query;
use crate::sim::reply::{CloudError, object};
use crate::sim::world::canaries::TENANT;
use crate::sim::world::random::SplitMix64;
use crate::sim::world::{Job, World};

/// What GetJob repeats as it was submitted.
const REPEATED: [&str; 17] = [
    "CodeSource",
    "CredentialConfig",
    "CustomEnvs",
    "DataSources",
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
    let job = place.jobs.iter().find(|job| job.id == id).ok_or_else(|| {
        CloudError::new(StatusCode::NOT_FOUND, "NotFound.Job", "The job does not exist.".to_owned())
    })?;
    let course = Course::new(job, at);
    let mut body = course.summary(job, region);
    let workspace = place.workspace(&job.workspace_id);
    body.extend(object([("WorkspaceName", workspace.map(|workspace| json!(workspace.name)))]));
    body.extend(job.request.iter().filter(|(name, _)| REPEATED.contains(&name.as_str())).map(repeat));
    if detailed {
        body.insert("StatusHistory".to_owned(), course.history());
        body.insert("Pods".to_owned(), course.pods(job));
        body.insert("JobReplicaStatuses".to_owned(), course.replicas(job));
        body.insert("RestartRecord".to_owned(), json!([]));
    }
    Ok(body)
}

/// Replies spell one field of `UserVpc` otherwise than requests do.
fn repeat((name, value): (&String, &Value)) -> (String, Value) {
    let mut value = value.clone();
    if name == "UserVpc"
        && let Some(cidrs) = value.as_object_mut().and_then(|vpc| vpc.remove("ExtendedCIDRs"))
        && let Some(vpc) = value.as_object_mut()
    {
        vpc.insert("ExtendedCidrs".to_owned(), cidrs);
    }
    (name.clone(), value)
}

/// A role's pods within a job.
struct Role<'a> {
    name: &'a str,
    pods: u64,
    spec: &'a Value,
}

fn roles(job: &Job) -> Vec<Role<'_>> {
    let specs = job.request.get("JobSpecs").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let role = |spec| Role {
        name: text(spec, "Type").unwrap_or("Worker"),
        pods: spec.get("PodCount").and_then(Value::as_u64).unwrap_or(1),
        spec,
    };
    specs.iter().map(role).collect()
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

/// CPUs, GiB and GPUs of one pod of the role.
fn resources(role: &Role<'_>) -> (u64, u64, u64) {
    if let Some(machine) = text(role.spec, "EcsSpec").and_then(machines::find) {
        return (machine.cpu, machine.memory, machine.gpu);
    }
    let config = role.spec.get("ResourceConfig");
    let amount = |name| {
        let digits = config.and_then(|config| text(config, name)).unwrap_or_default();
        digits.trim_end_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or(0)
    };
    (amount("CPU"), amount("Memory"), amount("GPU"))
}

/// A job's stages up to an instant.
struct Course {
    at: Timestamp,
    stages: Vec<Stage>,
}

impl Course {
    fn new(job: &Job, at: Timestamp) -> Self {
        Self { at, stages: lifecycle::stages(job, at) }
    }

    fn since(&self, status: JobStatus) -> Option<Timestamp> {
        self.stages.iter().find(|stage| stage.status == status).map(|stage| stage.from)
    }

    /// When the last stage began, if no other can follow.
    fn finish(&self) -> Option<Timestamp> {
        self.stages.last().filter(|stage| stage.status.is_final()).map(|stage| stage.from)
    }

    /// Whole seconds from `from` to the end, or to now.
    fn lasted(&self, from: Timestamp) -> i64 {
        self.finish().unwrap_or(self.at).duration_since(from).as_secs().max(0)
    }

    fn summary(&self, job: &Job, region: &str) -> Map<String, Value> {
        let time = |status| self.since(status).map(|from| json!(from));
        let last = self.stages.last();
        let (mut cpu, mut memory, mut gpu) = (0_u64, 0_u64, 0_u64);
        for role in roles(job) {
            let each = resources(&role);
            cpu = cpu.saturating_add(each.0.saturating_mul(role.pods));
            memory = memory.saturating_add(each.1.saturating_mul(role.pods));
            gpu = gpu.saturating_add(each.2.saturating_mul(role.pods));
        }
        let asked = |name| job.request.get(name).filter(|value| !value.is_null()).cloned();
        object([
            ("JobId", Some(json!(job.id))),
            ("WorkspaceId", Some(json!(job.workspace_id))),
            ("UserId", Some(json!(job.user_id))),
            ("TenantId", Some(json!(TENANT))),
            ("ClusterId", Some(json!(format!("pai-dlc-{region}")))),
            ("Accessibility", Some(asked("Accessibility").unwrap_or_else(|| json!("PRIVATE")))),
            ("Priority", Some(asked("Priority").unwrap_or_else(|| json!(1)))),
            ("Status", last.map(|stage| json!(stage.status.as_str()))),
            ("ReasonCode", last.map(|stage| json!(stage.code))),
            ("ReasonMessage", last.map(|stage| json!(stage.message))),
            ("GmtCreateTime", Some(json!(job.submitted))),
            ("GmtSubmittedTime", time(JobStatus::Queuing)),
            ("GmtRunningTime", time(JobStatus::Running)),
            ("GmtSuccessedTime", time(JobStatus::Succeeded)),
            ("GmtFailedTime", time(JobStatus::Failed)),
            ("GmtStoppedTime", time(JobStatus::Stopped)),
            ("GmtFinishTime", self.finish().map(|finish| json!(finish))),
            ("Duration", Some(json!(self.lasted(job.submitted)))),
            ("EnabledDebugger", Some(json!(false))),
            ("RequestCPU", Some(json!(cpu))),
            ("RequestMemory", Some(json!(memory))),
            ("RequestGPU", Some(json!(gpu))),
            ("ResourceType", Some(json!("ECS"))),
            ("RestartTimes", Some(json!("0"))),
        ])
    }

    fn history(&self) -> Value {
        let ends = self.stages.iter().skip(1).map(|next| Some(json!(next.from))).chain([None]);
        let items = self.stages.iter().zip(ends).map(|(stage, end)| {
            Value::Object(object([
                ("Status", Some(json!(stage.status.as_str()))),
                ("StartTime", Some(json!(stage.from))),
                ("EndTime", end),
                ("ReasonCode", Some(json!(stage.code))),
                ("ReasonMessage", Some(json!(stage.message))),
            ]))
        });
        items.collect()
    }

    /// Pods appear when the environment is prepared, and end with the job.
    fn pods(&self, job: &Job) -> Value {
        let Some(created) = self.since(JobStatus::EnvPreparing) else { return json!([]) };
        let started = self.since(JobStatus::Running);
        let failed = self.since(JobStatus::Failed).is_some();
        let status = match (started, self.finish()) {
            (_, Some(_)) if failed => "Failed",
            (_, Some(_)) => "Succeeded",
            (Some(_), None) => "Running",
            (None, None) => "Pending",
        };
        let pods = roles(job).into_iter().enumerate().flat_map(|(position, role)| {
            let kind = role.name.to_lowercase();
            (0..role.pods).map(move |number| {
                let name = format!("{}-{kind}-{number}", job.id);
                let mut random = SplitMix64::new(position as u64, &name, number);
                let (host, address) = (random.next() % 0xffff, random.next() % 0xffff);
                let ip = format!("10.{}.{}.{}", 16 + position % 200, address >> 8, address & 0xff);
                let node = format!("cn-node-10-224-{}-{}", host >> 8, host & 0xff);
                Value::Object(object([
                    ("PodId", Some(json!(name))),
                    ("PodUid", Some(json!(random.uuid().to_lowercase()))),
                    ("Type", Some(json!(role.name))),
                    ("Status", Some(json!(status))),
                    ("SubStatus", Some(json!("Normal"))),
                    ("ResourceType", Some(json!(if lifecycle::is_spot(job) { "Spot" } else { "Normal" }))),
                    ("NodeName", Some(json!(node))),
                    ("Ip", Some(json!(ip))),
                    ("PodIps", Some(json!([{"InterfaceName": "eth0", "Ip": ip}]))),
                    ("GmtCreateTime", Some(json!(created))),
                    ("GmtStartTime", started.map(|started| json!(started))),
                    ("GmtFinishTime", self.finish().map(|finish| json!(finish))),
                    ("Duration", started.map(|started| json!(self.lasted(started)))),
                    ("HistoryPods", Some(json!([]))),
                ]))
            })
        });
        pods.collect()
    }

    fn replicas(&self, job: &Job) -> Value {
        let (queuing, active) = match self.stages.last().map(|stage| stage.status) {
            None | Some(JobStatus::Creating | JobStatus::Queuing | JobStatus::Bidding) => (true, false),
            Some(
                JobStatus::EnvPreparing
                | JobStatus::SanityChecking
                | JobStatus::Running
                | JobStatus::Stopping,
            ) => (false, true),
            Some(JobStatus::Succeeded | JobStatus::Failed | JobStatus::Stopped) => (false, false),
        };
        let count = |pods, holds: bool| if holds { pods } else { 0 };
        let items = roles(job).into_iter().map(|role| {
            json!({
                "Type": role.name,
                "Queuing": count(role.pods, queuing),
                "Dequeued": count(role.pods, !queuing),
                "Active": count(role.pods, active),
            })
        });
        items.collect()
    }
}

#[cfg(test)]
mod tests;
