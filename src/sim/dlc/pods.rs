//! The pods of a job: one for each of a task type's `PodCount`, named `{job}-{type}-{index}`.
//!
//! They appear when the environment is prepared and end with the job. Name, uid, node and address follow
//! from the job and the pod's place in it, so no state holds them.

use http::StatusCode;
use serde_json::{Value, json};

use super::course::Course;
use super::lifecycle::{self, JobStatus};
use super::machines::{self, Machine};
use crate::sim::reply::{CloudError, object};
use crate::sim::world::Job;
use crate::sim::world::random::SplitMix64;

/// A task type's pods within a job.
pub(super) struct Role<'a> {
    name: &'a str,
    pub(super) pods: u64,
    pub(super) spec: &'a Value,
}

pub(super) fn roles(job: &Job) -> Vec<Role<'_>> {
    let role = |spec| Role {
        name: text(spec, "Type").unwrap_or("Worker"),
        pods: spec.get("PodCount").and_then(Value::as_u64).unwrap_or(1),
        spec,
    };
    lifecycle::specs(job).map(role).collect()
}

pub(super) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

impl Role<'_> {
    /// The public machine that each pod has to itself, if it has one.
    pub(super) fn machine(&self) -> Option<&'static Machine> {
        text(self.spec, "EcsSpec").and_then(machines::find)
    }

    /// CPUs, GiB and GPUs of one pod of the role.
    pub(super) fn resources(&self) -> (u64, u64, u64) {
        if let Some(machine) = self.machine() {
            return (machine.cpu, machine.memory, machine.gpu);
        }
        let config = self.spec.get("ResourceConfig");
        let amount = |name| {
            let digits = config.and_then(|config| text(config, name)).unwrap_or_default();
            digits.trim_end_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or(0)
        };
        (amount("CPU"), amount("Memory"), amount("GPU"))
    }
}

/// One pod of a job.
pub(super) struct Pod<'a> {
    pub(super) id: String,
    pub(super) uid: String,
    pub(super) node: String,
    /// Its place among all pods of the job, from 0.
    pub(super) rank: u64,
    /// The spec that it was made from.
    pub(super) spec: &'a Value,
    /// How many GPUs it has.
    pub(super) gpu: u64,
    role: &'a str,
    ip: String,
}

/// Every pod of the job, whether or not it exists yet.
fn planned(job: &Job) -> Vec<Pod<'_>> {
    let mut pods: Vec<Pod<'_>> = Vec::new();
    for (position, role) in roles(job).into_iter().enumerate() {
        // Two specs of one type share its numbers.
        let taken = pods.iter().filter(|pod| pod.role == role.name).count() as u64;
        for number in taken..taken.saturating_add(role.pods) {
            let id = format!("{}-{}-{number}", job.id, role.name.to_lowercase());
            let mut random = SplitMix64::new(position as u64, &id, number);
            let (host, address) = (random.next() % 0xffff, random.next() % 0xffff);
            pods.push(Pod {
                uid: random.uuid().to_lowercase(),
                node: format!("cn-node-10-224-{}-{}", host >> 8, host & 0xff),
                ip: format!("10.{}.{}.{}", 16 + position % 200, address >> 8, address & 0xff),
                rank: pods.len() as u64,
                spec: role.spec,
                gpu: role.resources().2,
                role: role.name,
                id,
            });
        }
    }
    pods
}

/// The pods that exist; none before the environment is prepared.
pub(super) fn existing<'a>(job: &'a Job, course: &Course) -> Vec<Pod<'a>> {
    match course.since(JobStatus::EnvPreparing) {
        Some(_) => planned(job),
        None => Vec::new(),
    }
}

/// The pod of this name, and of this uid if one is given: no pod of this world ever had another.
pub(super) fn find<'a>(
    job: &'a Job,
    course: &Course,
    id: &str,
    uid: Option<&str>,
) -> Result<Pod<'a>, CloudError> {
    let mut pods = existing(job, course).into_iter();
    pods.find(|pod| pod.id == id && uid.is_none_or(|uid| pod.uid == uid)).ok_or_else(|| {
        CloudError::new(StatusCode::NOT_FOUND, "NotFound.Pod", "The pod does not exist.".to_owned())
    })
}

/// `Pods` as GetJob shows them.
pub(super) fn items(job: &Job, course: &Course) -> Value {
    let created = course.since(JobStatus::EnvPreparing);
    let started = course.since(JobStatus::Running);
    let finished = course.finish();
    let status = match (started, course.last().map(|stage| stage.status)) {
        (_, Some(JobStatus::Succeeded)) => "Succeeded",
        // A container that is told to stop doesn't end with code 0.
        (_, Some(JobStatus::Failed | JobStatus::Stopped)) => "Failed",
        (Some(_), _) => "Running",
        (None, _) => "Pending",
    };
    let resource_type = if lifecycle::is_spot(job) { "Spot" } else { "Normal" };
    let items = existing(job, course).into_iter().map(|pod| {
        Value::Object(object([
            ("PodId", Some(json!(pod.id))),
            ("PodUid", Some(json!(pod.uid))),
            ("Type", Some(json!(pod.role))),
            ("Status", Some(json!(status))),
            ("SubStatus", Some(json!("Normal"))),
            ("ResourceType", Some(json!(resource_type))),
            ("NodeName", Some(json!(pod.node))),
            ("Ip", Some(json!(pod.ip))),
            ("PodIps", Some(json!([{"InterfaceName": "eth0", "Ip": pod.ip}]))),
            ("GmtCreateTime", created.map(|created| json!(created))),
            ("GmtStartTime", started.map(|started| json!(started))),
            ("GmtFinishTime", finished.map(|finished| json!(finished))),
            ("Duration", started.map(|started| json!(course.lasted(started)))),
            ("HistoryPods", Some(json!([]))),
        ]))
    });
    items.collect()
}

/// `JobReplicaStatuses`: how many pods of each role wait, have left the queue and are at work.
pub(super) fn replicas(job: &Job, course: &Course) -> Value {
    let dequeued = course.since(JobStatus::EnvPreparing).is_some();
    let queuing = !dequeued && course.since(JobStatus::Stopping).is_none();
    let active = dequeued && course.finish().is_none();
    let count = |pods, holds: bool| if holds { pods } else { 0 };
    let items = roles(job).into_iter().map(|role| {
        json!({
            "Type": role.name,
            "Queuing": count(role.pods, queuing),
            "Dequeued": count(role.pods, dequeued),
            "Active": count(role.pods, active),
        })
    });
    items.collect()
}
