//! What a scenario's PyroMind holds: sandboxes, instances, inference tasks and training jobs, each in a state.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, json};

use super::{Lasting, Wrong, counted, names, one};
use crate::sim::clock::DEFAULT_START;
use crate::sim::world::pyromind::{
    InferenceTask, Input, Instance, InstanceQuirk, MOST_EPOCHS, ModelOutput, Output, PENDING, Pause, Power,
    PyroMind, Resources, Sandbox, SandboxQuirk, Screen, Stretch, TrainingData, TrainingJob, Vnc, later,
};

/// How many things a row may stand for.
const MOST: usize = 1_000;
/// How old anything is that doesn't say.
const AGE: SignedDuration = SignedDuration::from_hours(24);
/// Long after any run of the default clock.
const FAR: SignedDuration = SignedDuration::from_hours(365 * 24);
/// How many epochs a training job has that doesn't say.
const EPOCHS: u64 = 100;

/// What the namespace holds.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Clusters {
    /// Further sandboxes.
    #[serde(default)]
    sandboxes: Vec<SandboxRow>,
    /// Further instances.
    #[serde(default)]
    instances: Vec<InstanceRow>,
    /// Further inference tasks.
    #[serde(default)]
    inference: Vec<TaskRow>,
    /// Further training jobs.
    #[serde(default)]
    training: Vec<TrainingRow>,
}

/// A sandbox.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SandboxRow {
    /// Its name; `{n}` is its number.
    name: String,
    /// How many of them; 1 unless given.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1_000))]
    count: usize,
    /// The state that it is in; it runs unless given.
    #[serde(default)]
    status: SandboxState,
    /// What it computes with.
    #[serde(default)]
    resources: Amount,
    /// How long before the start of the default clock it was made; 24h unless given.
    #[serde(default)]
    age: Option<Lasting>,
    /// How long after the start of the default clock it is gone; a year unless given.
    #[serde(default)]
    expires: Option<Lasting>,
    /// How long after the start of the default clock its tasks run; it has none unless given.
    #[serde(default)]
    busy: Option<Lasting>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum SandboxState {
    Pending,
    #[default]
    Running,
    Stopped,
    Error,
}

/// CPUs, memory and GPUs.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Amount {
    /// CPUs; 4 unless given.
    cpu: u64,
    /// As the wire has it; 16 unless given.
    memory: u64,
    /// GPUs; none unless given.
    gpu: u64,
}

impl Default for Amount {
    fn default() -> Self {
        Self { cpu: 4, memory: 16, gpu: 0 }
    }
}

impl From<Amount> for Resources {
    fn from(Amount { cpu, memory, gpu }: Amount) -> Self {
        Self { cpu, memory, gpu }
    }
}

/// An instance.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct InstanceRow {
    /// Its name; `{n}` is its number.
    name: String,
    /// How many of them; 1 unless given.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1_000))]
    count: usize,
    /// The state that it is in; it runs unless given.
    #[serde(default)]
    status: InstanceState,
    /// What it computes with.
    #[serde(default)]
    resources: Amount,
    /// How long before the start of the default clock it was made; 24h unless given.
    #[serde(default)]
    age: Option<Lasting>,
    /// Whether it has running tasks while it runs.
    #[serde(default)]
    busy: bool,
    /// How many checkpoints it has.
    #[serde(default)]
    checkpoints: u64,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum InstanceState {
    #[default]
    Running,
    Paused,
    Stopped,
    Error,
}

/// An inference task.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TaskRow {
    /// Its name; `{n}` is its number.
    name: String,
    /// How many of them; 1 unless given.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1_000))]
    count: usize,
    /// The state that it is in; it runs unless given.
    #[serde(default)]
    status: TaskState,
    /// What it computes with.
    #[serde(default)]
    resources: Amount,
    /// How long before the start of the default clock it was made; 24h unless given.
    #[serde(default)]
    age: Option<Lasting>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum TaskState {
    Pending,
    #[default]
    Running,
    Success,
    Failed,
}

/// A training job.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TrainingRow {
    /// Its name; `{n}` is its number.
    name: String,
    /// How many of them; 1 unless given.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 1_000))]
    count: usize,
    /// The state that it is in; it runs unless given.
    #[serde(default)]
    status: TrainingState,
    /// What it computes with.
    #[serde(default)]
    resources: Amount,
    /// How long before the start of the default clock it was submitted; 24h unless given.
    #[serde(default)]
    age: Option<Lasting>,
    /// How many epochs it trains; 100 unless given.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100_000))]
    epochs: Option<u64>,
    /// Whether its log ends in an attack on whoever reads it, once it has ended.
    #[serde(default)]
    hostile: bool,
}

#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum TrainingState {
    Pending,
    #[default]
    Running,
    Paused,
    Success,
    Failed,
    Canceled,
}

fn age_of(age: Option<Lasting>) -> SignedDuration {
    age.map_or(AGE, |Lasting(age)| age)
}

fn before(age: SignedDuration) -> Timestamp {
    DEFAULT_START.checked_sub(age).unwrap_or(Timestamp::MIN)
}

/// A name must be there, and not yet be another's.
fn unused<'a>(name: &str, mut others: impl Iterator<Item = &'a String>) -> Result<(), Wrong> {
    if name.is_empty() || others.any(|other| other == name) {
        return Err(Wrong::new(format!("must be there, and only once; {name:?} is taken")).within("name"));
    }
    Ok(())
}

impl Clusters {
    pub(super) fn add_to(&self, cloud: &mut PyroMind) -> Result<(), Wrong> {
        for (index, row) in self.sandboxes.iter().enumerate() {
            row.add_to(cloud).map_err(|wrong| wrong.at("sandboxes", index))?;
        }
        for (index, row) in self.instances.iter().enumerate() {
            row.add_to(cloud).map_err(|wrong| wrong.at("instances", index))?;
        }
        for (index, row) in self.inference.iter().enumerate() {
            row.add_to(cloud).map_err(|wrong| wrong.at("inference", index))?;
        }
        for (index, row) in self.training.iter().enumerate() {
            row.add_to(cloud).map_err(|wrong| wrong.at("training", index))?;
        }
        Ok(())
    }
}

impl SandboxRow {
    fn add_to(&self, cloud: &mut PyroMind) -> Result<(), Wrong> {
        for name in names(&self.name, counted(self.count, MOST)?) {
            unused(&name, cloud.sandboxes.iter().map(|other| &other.name))?;
            let created = before(age_of(self.age));
            let mut power = vec![Power::Started(created)];
            let quirk = match self.status {
                SandboxState::Running => None,
                SandboxState::Pending => Some(SandboxQuirk::NeverStarts),
                SandboxState::Error => Some(SandboxQuirk::Unresponsive),
                SandboxState::Stopped => {
                    power.push(Power::Stopped(DEFAULT_START));
                    None
                }
            };
            let after = |lasting: Lasting| later(DEFAULT_START, lasting.0);
            let id = cloud.new_sandbox_id();
            cloud.sandboxes.push(Sandbox {
                id,
                name,
                sandbox_type: if self.resources.gpu == 0 { "cpu-sandbox" } else { "gpu-sandbox" }.to_owned(),
                resources: self.resources.into(),
                screen: Screen::default(),
                created,
                expires: self.expires.map_or(later(DEFAULT_START, FAR), after),
                power,
                busy_until: self.busy.map(after),
                vnc: Vnc { issued: created, refreshes: 0 },
                quirk,
            });
        }
        Ok(())
    }
}

impl InstanceRow {
    fn add_to(&self, cloud: &mut PyroMind) -> Result<(), Wrong> {
        for name in names(&self.name, counted(self.count, MOST)?) {
            unused(&name, cloud.instances.iter().map(|other| &other.name))?;
            let created = before(age_of(self.age));
            let (paused, expires, broken) = match self.status {
                InstanceState::Running => (None, later(DEFAULT_START, FAR), None),
                InstanceState::Paused => (Some(DEFAULT_START), later(DEFAULT_START, FAR), None),
                InstanceState::Stopped => (None, DEFAULT_START, None),
                InstanceState::Error => (None, later(DEFAULT_START, FAR), Some(InstanceQuirk::Broken)),
            };
            let id = cloud.new_instance_id();
            cloud.instances.push(Instance {
                id,
                name,
                resource_type: if self.resources.gpu == 0 { "cpu" } else { "gpu" }.to_owned(),
                resources: self.resources.into(),
                requested: self.resources.into(),
                image: "pyromind-instance:2.3.1".to_owned(),
                created,
                expires,
                stopped: None,
                mount: None,
                password_chosen: None,
                paused,
                resumes: 0,
                checkpoints: self.checkpoints,
                quirk: broken.or(self.busy.then_some(InstanceQuirk::Busy)),
            });
        }
        Ok(())
    }
}

impl TaskRow {
    fn add_to(&self, cloud: &mut PyroMind) -> Result<(), Wrong> {
        for name in names(&self.name, counted(self.count, MOST)?) {
            unused(&name, cloud.tasks.iter().map(|other| &other.name))?;
            let age = age_of(self.age);
            let run = match self.status {
                TaskState::Pending | TaskState::Running => age.saturating_add(FAR),
                TaskState::Success => age / 2,
                TaskState::Failed => SignedDuration::ZERO,
            };
            let part = if matches!(self.status, TaskState::Failed) { "/missing" } else { "" };
            let id = cloud.new_inference_id();
            cloud.tasks.push(InferenceTask {
                id,
                model_type: "cv".to_owned(),
                model_name: "shelf-detector".to_owned(),
                model_version: None,
                resources: self.resources.into(),
                input: Input {
                    data_source: format!("s3://acme-inputs{part}/{name}.csv"),
                    data_format: None,
                    batch_size: None,
                },
                output: Output {
                    output_bucket: "acme-results".to_owned(),
                    output_path: format!("/{name}"),
                    output_format: None,
                },
                params: Map::new(),
                priority: 5,
                created: before(age),
                run,
                input_missing: matches!(self.status, TaskState::Failed),
                never_starts: matches!(self.status, TaskState::Pending),
                name,
            });
        }
        Ok(())
    }
}

impl TrainingRow {
    fn add_to(&self, cloud: &mut PyroMind) -> Result<(), Wrong> {
        let epochs = self.epochs.unwrap_or(EPOCHS);
        if !(1..=MOST_EPOCHS).contains(&epochs) {
            return Err(Wrong::new(format!("is out of range; write 1 to {MOST_EPOCHS}")).within("epochs"));
        }
        let age = age_of(self.age);
        // Of what it has done by now: all of it twice over, or half.
        let whole = match self.status {
            TrainingState::Success => age.as_secs() / 2,
            TrainingState::Pending
            | TrainingState::Running
            | TrainingState::Paused
            | TrainingState::Failed
            | TrainingState::Canceled => age.as_secs().saturating_mul(2),
        };
        let epoch = (whole / i64::try_from(epochs).unwrap_or(i64::MAX)).max(1);
        for name in names(&self.name, counted(self.count, MOST)?) {
            unused(&name, cloud.jobs.iter().map(|other| &other.name))?;
            let created = before(age);
            let from = later(created, PENDING);
            let halfway = later(from, age / 2);
            let pause = matches!(self.status, TrainingState::Paused).then(|| {
                let done = (age / 2).as_secs() / epoch;
                Pause { at: halfway, checkpoint: Some(format!("pause-checkpoint-epoch-{done}")) }
            });
            let part = if matches!(self.status, TrainingState::Failed) { "/missing" } else { "" };
            let id = cloud.new_training_id();
            cloud.jobs.push(TrainingJob {
                id,
                framework: "pytorch".to_owned(),
                model_name: format!("{name}-model"),
                resources: self.resources.into(),
                data: TrainingData {
                    train_data_source: format!("s3://acme-train{part}/{name}"),
                    val_data_source: None,
                    data_format: None,
                },
                hyperparameters: Map::from_iter([
                    ("learning_rate".to_owned(), json!(0.001)),
                    ("epochs".to_owned(), json!(epochs)),
                ]),
                output: ModelOutput {
                    output_bucket: "acme-models".to_owned(),
                    output_path: format!("/{name}"),
                    save_frequency: None,
                },
                log: None,
                priority: 5,
                limit: age.saturating_add(FAR),
                created,
                epochs,
                epoch: SignedDuration::from_secs(epoch),
                stretches: vec![Stretch { from, epoch: 0, learning_rate: 0.001, checkpoint: None, pause }],
                canceled: matches!(self.status, TrainingState::Canceled).then_some(halfway),
                data_missing: matches!(self.status, TrainingState::Failed),
                never_starts: matches!(self.status, TrainingState::Pending),
                hostile: self.hostile,
                name,
            });
        }
        Ok(())
    }
}
