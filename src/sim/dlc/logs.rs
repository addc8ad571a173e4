//! GetPodLogs: what a pod's containers have printed by now.

mod tape;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::course::Course;
use super::lifecycle::JobStatus;
use super::pods::{self, Pod};
use super::window::Window;
use crate::sim::params::Query;
use crate::sim::reply::{CloudError, object};
use crate::sim::world::{Job, World};
use tape::Tape;

pub(super) use tape::exit_code;

/// How many lines are answered when the query doesn't say.
const DEFAULT_LINES: u64 = 2000;

/// How many lines are answered at most, whatever the query says, so that an answer has an end.
const MOST_LINES: u64 = 10_000;

/// The newest lines of the window, oldest first.
pub(in crate::sim) fn get_pod_logs(
    world: &World,
    region: &str,
    (id, pod): (&str, &str),
    query: &Query,
    at: Timestamp,
) -> Result<Map<String, Value>, CloudError> {
    let window = Window::read(query, at)?;
    let most = query.integer("MaxLines", 1, i32::MAX as u64)?.unwrap_or(DEFAULT_LINES).min(MOST_LINES);
    // There is no file to hand over: the answer is the same with and without it.
    query.flag("DownloadToFile", false)?;
    let job = super::find(world.region(region), id, "paidlc:GetPodLogs")?;
    let course = Course::new(job, at);
    let pod = pods::find(job, &course, pod, query.text("PodUid"))?;

    let (main, sidecars) = (main_container(job), sidecars(&pod));
    let wanted = query.list("Containers").unwrap_or_else(|| vec![main.as_str()]);
    if wanted.iter().any(|name| *name != main && !sidecars.iter().any(|sidecar| sidecar == name)) {
        return Err(CloudError::invalid("Containers", "must name containers of the pod, joined by commas"));
    }
    let mut lines: Vec<(Timestamp, String)> = Vec::new();
    if wanted.contains(&main.as_str())
        && let Some(tape) = Tape::new(job, &pod, &course)
    {
        lines.extend(tape.newest(&window, most));
    }
    if let Some(started) = course.since(JobStatus::Running).filter(|started| window.holds(*started)) {
        let named = sidecars.iter().filter(|name| wanted.contains(&name.as_str()));
        lines.extend(named.map(|name| (started, format!("{} {name} is ready", tape::clock(started)))));
    }
    lines.sort_by_key(|(at, _)| *at);
    let surplus = lines.len().saturating_sub(usize::try_from(most).unwrap_or(usize::MAX));
    let lines: Value = lines.into_iter().skip(surplus).map(|(_, line)| Value::String(line)).collect();
    Ok(object([
        ("JobId", Some(json!(job.id))),
        ("PodId", Some(json!(pod.id))),
        ("PodUid", Some(json!(pod.uid))),
        ("ContainerInfo", Some(json!({"MainContainer": main, "SidecarContainers": sidecars}))),
        ("Containers", Some(json!(wanted.join(",")))),
        ("Logs", Some(lines)),
    ]))
}

/// The container that runs the command, named after the job's type.
pub(super) fn main_container(job: &Job) -> String {
    let job_type = job.request.get("JobType").and_then(Value::as_str).unwrap_or_default();
    job_type.trim_end_matches("Job").to_lowercase()
}

/// The names of the containers that stand beside it.
fn sidecars(pod: &Pod<'_>) -> Vec<String> {
    let extra = pod.spec.get("ExtraPodSpec").and_then(|extra| extra.get("SideCarContainers"));
    let containers = extra.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let name = |(index, container)| match pods::text(container, "Name") {
        Some(name) => name.to_owned(),
        None => format!("sidecar-{index}"),
    };
    containers.iter().enumerate().map(name).collect()
}

#[cfg(test)]
mod tests;
