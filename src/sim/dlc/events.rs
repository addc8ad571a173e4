//! GetJobEvents and GetPodEvents: what the system says of a job and of its pods, a string for each event.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::course::Course;
use super::lifecycle::{JobStatus, Stage};
use super::pods::{self, Pod};
use super::window::Window;
use super::{hostile, logs};
use crate::sim::params::Query;
use crate::sim::reply::{CloudError, object};
use crate::sim::world::{Job, Output, World};

/// How many events are answered when the query doesn't say.
const DEFAULT_MOST: usize = 2000;

struct Event {
    at: Timestamp,
    text: String,
}

impl Event {
    fn new(at: Timestamp, kind: &str, reason: &str, message: &str) -> Self {
        Self { at, text: format!("{at} {kind} {reason} {message}") }
    }
}

pub(in crate::sim) fn get_job_events(
    world: &World,
    region: &str,
    id: &str,
    query: &Query,
    at: Timestamp,
) -> Result<Map<String, Value>, CloudError> {
    let asked = Asked::read(query, at)?;
    let job = super::find(world.region(region), id, "paidlc:GetJobEvents")?;
    let events = asked.pick(of_job(job, &Course::new(job, at)));
    Ok(object([("JobId", Some(json!(job.id))), ("Events", Some(events))]))
}

pub(in crate::sim) fn get_pod_events(
    world: &World,
    region: &str,
    (id, pod): (&str, &str),
    query: &Query,
    at: Timestamp,
) -> Result<Map<String, Value>, CloudError> {
    let asked = Asked::read(query, at)?;
    let job = super::find(world.region(region), id, "paidlc:GetPodEvents")?;
    let course = Course::new(job, at);
    let pod = pods::find(job, &course, pod, query.text("PodUid"))?;
    let events = asked.pick(of_pod(job, &pod, &course));
    Ok(object([
        ("JobId", Some(json!(job.id))),
        ("PodId", Some(json!(pod.id))),
        ("PodUid", Some(json!(pod.uid))),
        ("Events", Some(events)),
    ]))
}

/// How many events, and from when.
struct Asked {
    window: Window,
    most: usize,
}

impl Asked {
    fn read(query: &Query, at: Timestamp) -> Result<Self, CloudError> {
        let most = query.integer("MaxEventsNum", 1, 10_000)?.unwrap_or(DEFAULT_MOST);
        Ok(Self { window: Window::read(query, at)?, most })
    }

    /// The newest that are asked for, oldest first.
    fn pick(&self, mut events: Vec<Event>) -> Value {
        events.retain(|event| self.window.holds(event.at));
        let surplus = events.len().saturating_sub(self.most);
        events.into_iter().skip(surplus).map(|event| Value::String(event.text)).collect()
    }
}

fn of_job(job: &Job, course: &Course) -> Vec<Event> {
    let mut events = Vec::new();
    for Stage { status, from, code, message } in course.stages() {
        let is_failure =
            matches!(status, JobStatus::Failed | JobStatus::FailedReserving | JobStatus::Restarting);
        let kind = if is_failure { "Warning" } else { "Normal" };
        events.push(Event::new(*from, kind, code, message));
        if *status == JobStatus::EnvPreparing {
            let created = pods::existing(job, course).into_iter().map(|pod| {
                Event::new(*from, "Normal", "SuccessfulCreatePod", &format!("Created pod: {}", pod.id))
            });
            events.extend(created);
        }
    }
    if let Some(at) = course.since(JobStatus::Running) {
        let place = events.iter().position(|event| event.at > at).unwrap_or(events.len());
        events.splice(place..place, job.events.iter().map(|text| Event::new(at, "Normal", "Notice", text)));
    }
    if job.output == Output::Hostile
        && let Some(end) = course.finish()
    {
        let attack = hostile::job_events();
        events.extend(attack.iter().map(|text| Event::new(end, "Warning", "Notice", text)));
    }
    events
}

fn of_pod(job: &Job, pod: &Pod<'_>, course: &Course) -> Vec<Event> {
    let container = logs::main_container(job);
    let image = pods::text(pod.spec, "Image").unwrap_or_default();
    let mut events = Vec::new();
    let mut normal = |at, reason, message: String| events.push(Event::new(at, "Normal", reason, &message));
    if let Some(at) = course.since(JobStatus::EnvPreparing) {
        normal(at, "Scheduled", format!("Successfully assigned {} to {}", pod.id, pod.node));
        normal(at, "Pulling", format!("Pulling image \"{image}\""));
    }
    if let Some(at) = course.since(JobStatus::SanityChecking).or(course.since(JobStatus::Running)) {
        normal(at, "Pulled", format!("Successfully pulled image \"{image}\""));
    }
    if let Some(at) = course.since(JobStatus::Running) {
        normal(at, "Created", format!("Created container {container}"));
        normal(at, "Started", format!("Started container {container}"));
    }
    if let Some(at) = course.since(JobStatus::Stopping)
        && course.since(JobStatus::Running).is_some()
    {
        normal(at, "Killing", format!("Stopping container {container}"));
    }
    if let Some(at) = course.since(JobStatus::Failed) {
        let (reason, message) = match course.since(JobStatus::Running) {
            Some(_) => ("Error", format!("Container {container} exited with code {}", logs::exit_code(job))),
            // Which of the job's images is missing, the world doesn't know.
            None => ("Failed", "Failed to pull an image of the job".to_owned()),
        };
        events.push(Event::new(at, "Warning", reason, &message));
        if job.output == Output::Hostile {
            let attack = hostile::pod_events();
            events.extend(attack.iter().map(|text| Event::new(at, "Warning", "Notice", text)));
        }
    }
    events
}

#[cfg(test)]
mod tests;
