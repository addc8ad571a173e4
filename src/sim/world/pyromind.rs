//! PyroMind's part of the world: one namespace, its sandboxes, instances, inference tasks and training jobs, and what
//! time makes of them.

mod instance;
mod sandbox;
mod secrets;
mod seed;
mod state;
mod task;
mod training;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::random::SplitMix64;

pub(in crate::sim) use instance::{Instance, InstanceQuirk, InstanceStatus, Mount};
pub(in crate::sim) use sandbox::{Power, Sandbox, SandboxQuirk, SandboxStatus, Screen, Vnc};
pub use secrets::SECRET_MARK;
pub(in crate::sim) use task::{InferenceTask, Input, MODELS, Output};
pub(in crate::sim) use training::{
    DEFAULT_EPOCHS, Ending, FRAMEWORKS, LogConfig, MOST_EPOCHS, ModelOutput, Pause, Stretch, TrainingData,
    TrainingJob, periodic,
};

/// How many GPUs all that the namespace has may hold together.
pub(in crate::sim) const GPU_QUOTA: u64 = 38;

pub(in crate::sim) const SANDBOX_TYPES: [&str; 2] = ["gpu-sandbox", "cpu-sandbox"];
pub(in crate::sim) const MODEL_TYPES: [&str; 3] = ["rl", "nlp", "cv"];
pub(in crate::sim) const RESOURCE_TYPES: [&str; 2] = ["cpu", "gpu"];

/// How long anything is pending before it runs.
pub(in crate::sim) const PENDING: SignedDuration = SignedDuration::from_secs(5);

/// How long a sandbox or an instance lives when nobody says.
const LIFETIME: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What the namespace holds.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct PyroMind {
    /// Ids and secrets derive from it; no secret is ever stored.
    seed: u64,
    /// How many things requests have created; ids derive from it.
    created: u64,
    /// In order of creation, those that have expired too.
    pub(in crate::sim) sandboxes: Vec<Sandbox>,
    /// In order of creation.
    pub(in crate::sim) instances: Vec<Instance>,
    /// In order of creation.
    pub(in crate::sim) tasks: Vec<InferenceTask>,
    /// In order of creation.
    pub(in crate::sim) jobs: Vec<TrainingJob>,
}

impl PyroMind {
    /// The default namespace; its ids and secrets, and nothing else, vary with `seed`.
    pub(super) fn seeded(seed: u64) -> Self {
        Self {
            seed,
            created: 0,
            sandboxes: seed::sandboxes(seed),
            instances: seed::instances(seed),
            tasks: seed::tasks(seed),
            jobs: seed::jobs(seed),
        }
    }

    /// A namespace without anything.
    pub(super) fn empty(seed: u64) -> Self {
        Self {
            seed,
            created: 0,
            sandboxes: Vec::new(),
            instances: Vec::new(),
            tasks: Vec::new(),
            jobs: Vec::new(),
        }
    }

    /// The sandboxes that haven't expired.
    pub(in crate::sim) fn living(&self, at: Timestamp) -> impl Iterator<Item = &Sandbox> {
        self.sandboxes.iter().filter(move |sandbox| at < sandbox.expires)
    }

    pub(in crate::sim) fn sandbox(&self, id: &str, at: Timestamp) -> Option<&Sandbox> {
        self.living(at).find(|sandbox| sandbox.id == id)
    }

    pub(in crate::sim) fn sandbox_mut(&mut self, id: &str, at: Timestamp) -> Option<&mut Sandbox> {
        self.sandboxes.iter_mut().find(|sandbox| sandbox.id == id && at < sandbox.expires)
    }

    pub(in crate::sim) fn instance(&self, id: &str) -> Option<&Instance> {
        self.instances.iter().find(|instance| instance.id == id)
    }

    pub(in crate::sim) fn instance_mut(&mut self, id: &str) -> Option<&mut Instance> {
        self.instances.iter_mut().find(|instance| instance.id == id)
    }

    pub(in crate::sim) fn task(&self, id: &str) -> Option<&InferenceTask> {
        self.tasks.iter().find(|task| task.id == id)
    }

    pub(in crate::sim) fn job(&self, id: &str) -> Option<&TrainingJob> {
        self.jobs.iter().find(|job| job.id == id)
    }

    pub(in crate::sim) fn job_mut(&mut self, id: &str) -> Option<&mut TrainingJob> {
        self.jobs.iter_mut().find(|job| job.id == id)
    }

    /// How many GPUs of the quota nobody holds.
    pub(in crate::sim) fn free_gpus(&self, at: Timestamp) -> u64 {
        let sandboxes = self.living(at).filter(|sandbox| sandbox.holds_gpus(at));
        let instances = self.instances.iter().filter(|instance| instance.holds_gpus(at));
        let tasks = self.tasks.iter().filter(|task| task.holds_gpus(at));
        let jobs = self.jobs.iter().filter(|job| job.holds_gpus(at));
        let held = sandboxes
            .map(|sandbox| sandbox.resources.gpu)
            .chain(instances.map(|instance| instance.resources.gpu))
            .chain(tasks.map(|task| task.resources.gpu))
            .chain(jobs.map(|job| job.resources.gpu))
            .fold(0, u64::saturating_add);
        GPU_QUOTA.saturating_sub(held)
    }

    pub(in crate::sim) fn new_sandbox_id(&mut self) -> String {
        loop {
            self.created += 1;
            let id = sandbox_id(&mut SplitMix64::new(self.seed, "new sandbox", self.created));
            if self.sandboxes.iter().all(|sandbox| sandbox.id != id) {
                return id;
            }
        }
    }

    pub(in crate::sim) fn new_instance_id(&mut self) -> String {
        loop {
            self.created += 1;
            let id = instance_id(&mut SplitMix64::new(self.seed, "new instance", self.created));
            if self.instance(&id).is_none() {
                return id;
            }
        }
    }

    pub(in crate::sim) fn new_inference_id(&mut self) -> String {
        loop {
            self.created += 1;
            let id = inference_id(&mut SplitMix64::new(self.seed, "new inference", self.created));
            if self.task(&id).is_none() {
                return id;
            }
        }
    }

    pub(in crate::sim) fn new_training_id(&mut self) -> String {
        loop {
            self.created += 1;
            let id = training_id(&mut SplitMix64::new(self.seed, "new training", self.created));
            if self.job(&id).is_none() {
                return id;
            }
        }
    }
}

fn sandbox_id(random: &mut SplitMix64) -> String {
    format!("sbx_{}", 100_000_000 + random.next() % 900_000_000)
}

fn instance_id(random: &mut SplitMix64) -> String {
    format!("jp_{}", 10_000_000 + random.next() % 90_000_000)
}

fn inference_id(random: &mut SplitMix64) -> String {
    format!("inf_{}", 100_000_000 + random.next() % 900_000_000)
}

fn training_id(random: &mut SplitMix64) -> String {
    format!("train_{}", 100_000_000 + random.next() % 900_000_000)
}

/// The state of an inference task or a training job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum JobStatus {
    Pending,
    Running,
    Success,
    Failed,
    Canceled,
    Paused,
}

impl JobStatus {
    pub(in crate::sim) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Success => "success",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Paused => "paused",
        }
    }

    fn holds_gpus(self) -> bool {
        match self {
            Self::Pending | Self::Running => true,
            Self::Success | Self::Failed | Self::Canceled | Self::Paused => false,
        }
    }
}

/// When something that is created at `at` expires by itself.
pub(in crate::sim) fn default_expiry(at: Timestamp) -> Timestamp {
    later(at, LIFETIME)
}

/// `at` and a while; the end of time at most.
pub(in crate::sim) fn later(at: Timestamp, lasts: SignedDuration) -> Timestamp {
    at.checked_add(lasts).unwrap_or(Timestamp::MAX)
}

/// What anything is given to compute with, as the wire has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::sim) struct Resources {
    pub(in crate::sim) cpu: u64,
    /// The reference names no unit.
    pub(in crate::sim) memory: u64,
    pub(in crate::sim) gpu: u64,
}

#[cfg(test)]
mod tests;
