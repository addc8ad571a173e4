//! A training job submitted.

use jiff::fmt::temporal::SpanParser;
use jiff::{SignedDuration, SpanRelativeTo, Timestamp};
use serde_json::{Map, Value, json};

use crate::sim::pyromind::envelope::{Answer, Failure, Success};
use crate::sim::pyromind::params::{Fields, ResourceConfig, parse_body};
use crate::sim::pyromind::{DENIED, MISSING};
use crate::sim::world::pyromind::{
    DEFAULT_EPOCHS, FRAMEWORKS, LogConfig, MOST_EPOCHS, ModelOutput, PENDING, PyroMind, Resources, Stretch,
    TrainingData, TrainingJob, later,
};

/// How long an epoch takes.
const EPOCH: SignedDuration = SignedDuration::from_secs(10);
/// How long a job may run when nobody says.
const DEFAULT_LIMIT: SignedDuration = SignedDuration::from_hours(72);
/// The learning rate of whoever gives none.
const DEFAULT_RATE: f64 = 0.001;

/// What a valid submission asks for.
struct Wish {
    name: String,
    framework: String,
    model_name: String,
    resources: Resources,
    data: TrainingData,
    hyperparameters: Map<String, Value>,
    learning_rate: f64,
    epochs: u64,
    output: ModelOutput,
    log: Option<LogConfig>,
    priority: u64,
    limit: SignedDuration,
}

impl Wish {
    fn read(body: &[u8]) -> Result<Self, Failure> {
        let body = parse_body(body)?;
        let fields = Fields::new(&body);
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let name = fields.required_text("name")?;
        let framework = fields.required_choice("training_framework", &FRAMEWORKS)?;
        let model_name = fields.required_text("model_name")?;
        let resources = ResourceConfig::read_whole(fields, "resource_config.")?;
        let data = fields.required_object("data_config", "data_config.")?;
        let data = TrainingData {
            train_data_source: data.required_text("train_data_source")?.to_owned(),
            val_data_source: owned(data.text("val_data_source")?),
            data_format: owned(data.text("data_format")?),
        };
        let given = fields.required_object("hyperparameters", "hyperparameters.")?;
        let epochs = given.positive("epochs")?.unwrap_or(DEFAULT_EPOCHS);
        if epochs > MOST_EPOCHS {
            return Err(Failure::bad_request(format!(
                "hyperparameters.epochs must be at most {MOST_EPOCHS}"
            )));
        }
        let output = fields.required_object("output_config", "output_config.")?;
        let log = match fields.object("log_config", "log_config.")? {
            Some(log) => {
                let (log_tool, log_path) = (log.text("log_tool")?, log.text("log_path")?);
                Some(LogConfig { log_tool: owned(log_tool), log_path: owned(log_path) })
            }
            None => None,
        };
        Ok(Self {
            name: name.to_owned(),
            framework: framework.to_owned(),
            model_name: model_name.to_owned(),
            resources,
            data,
            learning_rate: given.positive_number("learning_rate")?.unwrap_or(DEFAULT_RATE),
            epochs,
            hyperparameters: given.all().clone(),
            output: ModelOutput {
                output_bucket: output.required_text("output_bucket")?.to_owned(),
                output_path: output.required_text("output_path")?.to_owned(),
                save_frequency: output.positive("save_frequency")?,
            },
            log,
            priority: fields.priority()?,
            limit: limit(fields.text("max_run_time")?)?,
        })
    }

    /// The job, in the world now.
    fn grant(self, cloud: &mut PyroMind, at: Timestamp) -> Result<TrainingJob, Failure> {
        if cloud.jobs.iter().any(|job| job.name == self.name) {
            return Err(Failure::conflict("training job name already exists"));
        }
        if self.output.output_bucket.contains(DENIED) {
            return Err(Failure::failed("failed to submit job: invalid output bucket permission"));
        }
        if self.resources.gpu > cloud.free_gpus(at) {
            return Err(Failure::failed("failed to submit job: insufficient GPU resources"));
        }
        let first = Stretch {
            from: later(at, PENDING),
            epoch: 0,
            learning_rate: self.learning_rate,
            checkpoint: None,
            pause: None,
        };
        let job = TrainingJob {
            id: cloud.new_training_id(),
            name: self.name,
            framework: self.framework,
            model_name: self.model_name,
            resources: self.resources,
            data_missing: self.data.train_data_source.contains(MISSING),
            data: self.data,
            hyperparameters: self.hyperparameters,
            output: self.output,
            log: self.log,
            priority: self.priority,
            limit: self.limit,
            created: at,
            epochs: self.epochs,
            epoch: EPOCH,
            stretches: vec![first],
            canceled: None,
            never_starts: false,
            hostile: false,
        };
        cloud.jobs.push(job.clone());
        Ok(job)
    }
}

/// An ISO 8601 duration of some length, whose days have 24 hours.
fn limit(text: Option<&str>) -> Result<SignedDuration, Failure> {
    static PARSER: SpanParser = SpanParser::new();
    let Some(text) = text else { return Ok(DEFAULT_LIMIT) };
    let span = PARSER.parse_span(text).ok();
    let lasts = span.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok());
    lasts
        .filter(SignedDuration::is_positive)
        .ok_or_else(|| Failure::bad_request("max_run_time must be ISO 8601 duration"))
}

pub(in crate::sim::pyromind) fn submit(cloud: &mut PyroMind, body: &[u8], at: Timestamp) -> Answer {
    let job = Wish::read(body)?.grant(cloud, at)?;
    let data = json!({
        "job_id": job.id,
        "name": job.name,
        "status": job.status(at).as_str(),
        "create_time": at,
        "task_url": format!("https://pyromind.ai/training/jobs/{}", job.id),
    });
    Ok(Success::created("training job submitted successfully", data))
}

/// Submits what `body` asks for, or the same with one epoch more where it is to be `other`.
pub(in crate::sim::pyromind) fn rival(
    cloud: &mut PyroMind,
    body: &[u8],
    other: bool,
    at: Timestamp,
) -> Result<(), Failure> {
    let mut wish = Wish::read(body)?;
    if other {
        wish.epochs += 1;
        wish.hyperparameters.insert("epochs".to_owned(), json!(wish.epochs));
    }
    wish.grant(cloud, at)?;
    Ok(())
}
