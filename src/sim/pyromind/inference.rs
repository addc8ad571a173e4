//! Inference tasks: create, list, read, delete.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::envelope::{Answer, Failure, Success};
use super::params::{Fields, Page, ResourceConfig, choice, flag, instant, parse_body, positive};
use super::{DENIED, MISSING};
use crate::sim::params::Query;
use crate::sim::world::pyromind::{
    InferenceTask, Input, JobStatus, MODEL_TYPES, MODELS, Output, PyroMind, Resources,
};

/// How long a task runs, and how long one that finds no data.
const RUNNING: SignedDuration = SignedDuration::from_secs(60);
const FAILING: SignedDuration = SignedDuration::from_secs(10);
/// How many rows a task has for each percent of its progress.
const ROWS: i64 = 1000;
/// How many lines of a log are answered when the query doesn't say.
pub(super) const DEFAULT_LINES: u64 = 100;

pub(super) fn list(cloud: &PyroMind, query: &Query, at: Timestamp) -> Answer {
    let page = Page::read(query)?;
    let status = choice(query, "status", &["pending", "running", "success", "failed"])?;
    let model_type = choice(query, "model_type", &MODEL_TYPES)?;
    let start = instant(query, "start_time")?;
    let found: Vec<Value> = cloud
        .tasks
        .iter()
        .filter(|task| {
            status.is_none_or(|status| task.status(at).as_str() == status)
                && model_type.is_none_or(|wanted| task.model_type == wanted)
                && start.is_none_or(|start| task.created >= start)
        })
        .map(|task| row(task, at))
        .collect();
    let data = json!({
        "total": found.len(),
        "page": page.number,
        "page_size": page.size,
        "jobs": page.cut(found),
    });
    Ok(Success::ok("inference tasks listed successfully", data))
}

fn row(task: &InferenceTask, at: Timestamp) -> Value {
    json!({
        "job_id": task.id,
        "name": task.name,
        "status": task.status(at).as_str(),
        "progress": task.progress(at),
        "create_time": task.created,
    })
}

pub(super) fn get(cloud: &PyroMind, id: &str, query: &Query, at: Timestamp) -> Answer {
    let with_logs = flag(query, "include_logs", false)?;
    let lines = positive(query, "log_lines", DEFAULT_LINES)?;
    let task = cloud.task(id).ok_or_else(not_found)?;
    let mut data = json!({
        "job_id": task.id,
        "name": task.name,
        "status": task.status(at).as_str(),
        "progress": task.progress(at),
        "resource_usage": usage(task, at),
        "input_config": task.input,
        "output_config": task.output,
    });
    if let (true, Some(fields)) = (with_logs, data.as_object_mut()) {
        fields.insert("logs".to_owned(), newest(logs(task, at), lines).into());
    }
    Ok(Success::ok("inference task details retrieved successfully", data))
}

/// The last so many lines.
pub(super) fn newest(mut lines: Vec<String>, most: u64) -> Vec<String> {
    let surplus = lines.len().saturating_sub(usize::try_from(most).unwrap_or(usize::MAX));
    lines.drain(..surplus);
    lines
}

/// Half of everything while it runs, else nothing.
fn usage(task: &InferenceTask, at: Timestamp) -> Value {
    let share = if task.status(at) == JobStatus::Running { 0.5 } else { 0.0 };
    let Resources { cpu, memory, gpu } = task.resources;
    let used = |number: u64| number as f64 * share;
    json!({"gpu_used": used(gpu), "cpu_used": used(cpu), "memory_used": used(memory)})
}

fn logs(task: &InferenceTask, at: Timestamp) -> Vec<String> {
    let (started, ends) = (task.started(), task.ends());
    let mut lines = Vec::new();
    let line =
        |lines: &mut Vec<String>, when: Timestamp, text: String| lines.push(format!("{when} - {text}"));
    match task.status(at) {
        JobStatus::Pending | JobStatus::Canceled | JobStatus::Paused => {}
        JobStatus::Running => {
            line(&mut lines, started, "Inference started".to_owned());
            if !task.input_missing {
                line(&mut lines, at, format!("Processed {} rows", task.progress(at).saturating_mul(ROWS)));
            }
        }
        JobStatus::Success => {
            line(&mut lines, started, "Inference started".to_owned());
            line(&mut lines, ends, format!("Processed {} rows", ROWS.saturating_mul(100)));
            line(&mut lines, ends, "Inference finished".to_owned());
        }
        JobStatus::Failed => {
            line(&mut lines, started, "Inference started".to_owned());
            line(&mut lines, ends, format!("Input not found: {}", task.input.data_source));
        }
    }
    lines
}

/// What a valid create asks for.
struct Wish {
    name: String,
    model_type: String,
    model_name: String,
    model_version: Option<String>,
    resources: Resources,
    input: Input,
    output: Output,
    params: Map<String, Value>,
    priority: u64,
}

impl Wish {
    fn read(body: &[u8]) -> Result<Self, Failure> {
        let body = parse_body(body)?;
        let fields = Fields::new(&body);
        let name = fields.required_text("name")?;
        let model_type = fields.required_choice("model_type", &MODEL_TYPES)?;
        let model_name = fields.required_text("model_name")?;
        let resources = ResourceConfig::read_whole(fields, "resource_config.")?;
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let input = fields.required_object("input_config", "input_config.")?;
        let output = fields.required_object("output_config", "output_config.")?;
        Ok(Self {
            name: name.to_owned(),
            model_type: model_type.to_owned(),
            model_name: model_name.to_owned(),
            model_version: owned(fields.text("model_version")?),
            resources,
            input: Input {
                data_source: input.required_text("data_source")?.to_owned(),
                data_format: owned(input.text("data_format")?),
                batch_size: input.positive("batch_size")?,
            },
            output: Output {
                output_bucket: output.required_text("output_bucket")?.to_owned(),
                output_path: output.required_text("output_path")?.to_owned(),
                output_format: owned(output.text("output_format")?),
            },
            params: fields.map("inference_params")?.cloned().unwrap_or_default(),
            priority: fields.priority()?,
        })
    }

    /// The task, in the world now.
    fn grant(self, cloud: &mut PyroMind, at: Timestamp) -> Result<InferenceTask, Failure> {
        let version = self.model_version.as_deref();
        if !is_uploaded(&self.model_name, version) {
            let version = version.unwrap_or("latest");
            return Err(Failure::not_found(&format!("model {} ({version}) not found", self.model_name)));
        }
        if cloud.tasks.iter().any(|task| task.name == self.name) {
            return Err(Failure::conflict("inference task name already exists"));
        }
        if self.output.output_bucket.contains(DENIED) {
            return Err(Failure::failed("failed to create task: invalid output bucket permission"));
        }
        if self.resources.gpu > cloud.free_gpus(at) {
            return Err(Failure::failed("failed to create task: insufficient GPU resources"));
        }
        let input_missing = self.input.data_source.contains(MISSING);
        let task = InferenceTask {
            id: cloud.new_inference_id(),
            name: self.name,
            model_type: self.model_type,
            model_name: self.model_name,
            model_version: self.model_version,
            resources: self.resources,
            input: self.input,
            output: self.output,
            params: self.params,
            priority: self.priority,
            created: at,
            run: if input_missing { FAILING } else { RUNNING },
            input_missing,
            never_starts: false,
        };
        cloud.tasks.push(task.clone());
        Ok(task)
    }
}

/// Whether the platform has the model, in this version if one is asked for.
fn is_uploaded(model: &str, version: Option<&str>) -> bool {
    let has = |versions: &[&str]| version.is_none_or(|version| versions.contains(&version));
    MODELS.iter().any(|(name, versions)| *name == model && has(versions))
}

pub(super) fn create(cloud: &mut PyroMind, body: &[u8], at: Timestamp) -> Answer {
    let task = Wish::read(body)?.grant(cloud, at)?;
    let data = json!({
        "job_id": task.id,
        "name": task.name,
        "status": task.status(at).as_str(),
        "model_type": task.model_type,
        "model_name": task.model_name,
        "create_time": at,
        "priority": task.priority,
        "task_url": format!("https://pyromind.ai/tasks/{}", task.id),
    });
    Ok(Success::created("inference task created successfully", data))
}

/// Creates what `body` asks for, or the same with other data where it is to be `other`.
pub(super) fn rival(cloud: &mut PyroMind, body: &[u8], other: bool, at: Timestamp) -> Result<(), Failure> {
    let mut wish = Wish::read(body)?;
    if other {
        wish.input.data_source.push_str("-other");
    }
    wish.grant(cloud, at)?;
    Ok(())
}

/// A deletion that fails leaves the task as it was.
pub(super) fn delete(cloud: &mut PyroMind, id: &str, query: &Query, at: Timestamp) -> Answer {
    let delete_output = flag(query, "delete_output", false)?;
    let force = flag(query, "force", false)?;
    let task = cloud.task(id).ok_or_else(not_found)?;
    let status = task.status(at);
    if status == JobStatus::Running && !force {
        return Err(Failure::conflict("inference task is running, use force=true to delete"));
    }
    if delete_output && task.output.output_bucket.contains(DENIED) {
        return Err(Failure::failed("failed to delete output: bucket access denied"));
    }
    cloud.tasks.retain(|task| task.id != id);
    let data = json!({
        "job_id": id,
        "delete_time": at,
        "delete_output": delete_output,
        "status_before_delete": status.as_str(),
    });
    Ok(Success::ok("inference task deleted successfully", data))
}

fn not_found() -> Failure {
    Failure::not_found("inference task not found")
}

#[cfg(test)]
mod tests;
