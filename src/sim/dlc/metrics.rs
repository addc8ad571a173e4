//! GetJobMetrics: how hard each pod works while it runs, made from pod, metric and instant when it is asked for.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::course::Course;
use super::lifecycle::JobStatus;
use super::pods::{self, Pod};
use super::window::Window;
use crate::sim::params::Query;
use crate::sim::reply::{CloudError, object};
use crate::sim::world::random::SplitMix64;
use crate::sim::world::{Job, World};

/// What is measured, and the least and greatest value that it has: percent, or bytes a second.
const METRICS: [(&str, u32, u32); 8] = [
    ("GpuCoreUsage", 70, 98),
    ("GpuMemoryUsage", 60, 66),
    ("CpuCoreUsage", 20, 55),
    ("MemoryUsage", 35, 41),
    ("NetworkInputRate", 2_000_000, 9_000_000),
    ("NetworkOutputRate", 1_000_000, 8_000_000),
    ("DiskReadRate", 500_000, 40_000_000),
    ("DiskWriteRate", 0, 3_000_000),
];

/// How far back values reach when the query doesn't say.
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// Between two values, when the query doesn't say.
const DEFAULT_STEP: i64 = 300;
/// How many values an answer holds at most, so that it has an end.
const MOST_VALUES: u64 = 100_000;

/// Values stand at whole multiples of the step since 1970, so that the same instant has the same value however it is
/// asked for.
pub(in crate::sim) fn get_job_metrics(
    world: &World,
    region: &str,
    id: &str,
    query: &Query,
    at: Timestamp,
) -> Result<Map<String, Value>, CloudError> {
    let window = Window::reaching(HOUR, query, at)?;
    let metric = metric(query)?;
    let step = step(query)?;
    let job = super::find(world.region(region), id, "paidlc:GetJobMetrics")?;
    let course = Course::new(job, at);
    let pods = measured(job, &course, metric.0);
    let (first, last) = multiples(&window, &course, step);
    let values = (last - first + 1).max(0).unsigned_abs();
    if values.saturating_mul(pods.len() as u64) > MOST_VALUES {
        let demand = format!("must be longer: the answer would hold more than {MOST_VALUES} values");
        return Err(CloudError::invalid("TimeStep", &demand));
    }
    let series = pods.iter().filter(|_| values > 0).map(|pod| {
        let metrics: Vec<Value> = (first..=last).map(|number| value(pod, metric, number * step)).collect();
        json!({"PodId": pod.id, "Metrics": metrics})
    });
    Ok(object([("JobId", Some(json!(job.id))), ("PodMetrics", Some(series.collect()))]))
}

fn metric(query: &Query) -> Result<(&'static str, u32, u32), CloudError> {
    let name = query.text("MetricType").ok_or_else(|| CloudError::missing("MetricType"))?;
    METRICS.into_iter().find(|(known, ..)| *known == name).ok_or_else(|| {
        let names: Vec<&str> = METRICS.iter().map(|(name, ..)| *name).collect();
        CloudError::invalid("MetricType", &format!("must be one of {}", names.join(", ")))
    })
}

/// A whole number and its unit, in seconds.
fn step(query: &Query) -> Result<i64, CloudError> {
    let Some(text) = query.text("TimeStep") else { return Ok(DEFAULT_STEP) };
    let units = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];
    let read = || {
        let (unit, seconds) = units.into_iter().find(|(unit, _)| text.ends_with(*unit))?;
        let number: u32 = text.strip_suffix(unit)?.parse().ok()?;
        (number > 0).then(|| i64::from(number) * seconds)
    };
    read().ok_or_else(|| CloudError::invalid("TimeStep", "must be a time such as 30s, 5m, 1h or 1d"))
}

/// The pods that have such values: only a job without a quota has any, and only a pod with GPUs has a GPU's.
fn measured<'a>(job: &'a Job, course: &Course, metric: &str) -> Vec<Pod<'a>> {
    let quota = job.request.get("ResourceId").and_then(Value::as_str).unwrap_or_default();
    if !quota.is_empty() {
        return Vec::new();
    }
    let mut pods = pods::existing(job, course);
    pods.retain(|pod| pod.gpu > 0 || !metric.starts_with("Gpu"));
    pods
}

/// The first and the last multiple of `step` in that part of the window in which the job ran.
fn multiples(window: &Window, course: &Course, step: i64) -> (i64, i64) {
    let Some(started) = course.since(JobStatus::Running) else { return (0, -1) };
    let ended = course.after_running().map_or(course.at(), |stage| stage.from);
    let (from, to) = (window.from.max(started), window.to.min(ended));
    // A later part of a second than its beginning is after it.
    let from = from.as_second() + i64::from(from.subsec_nanosecond() > 0);
    (from.div_euclid(step) + i64::from(from.rem_euclid(step) > 0), to.as_second().div_euclid(step))
}

/// With two decimals: that many every float holds that is near enough.
fn value(pod: &Pod<'_>, (name, least, most): (&str, u32, u32), second: i64) -> Value {
    let mut random = SplitMix64::new(pod.rank, &format!("{} {name}", pod.uid), second.unsigned_abs());
    let share = (random.next() % 10_001) as f64 / 10_000.0;
    let value = f64::from(least) + f64::from(most - least) * share;
    json!({"Time": second * 1000, "Value": (value * 100.0).round() / 100.0})
}

#[cfg(test)]
mod tests;
