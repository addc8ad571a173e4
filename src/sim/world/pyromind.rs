//! PyroMind's part of the world: one namespace, its sandboxes and instances, and what time makes of them.

mod instance;
mod sandbox;
mod secrets;
mod seed;
mod state;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::random::SplitMix64;

pub(in crate::sim) use instance::{Instance, InstanceQuirk, InstanceStatus, Mount};
pub(in crate::sim) use sandbox::{Power, Sandbox, SandboxQuirk, SandboxStatus, Screen, Vnc};
pub use secrets::SECRET_MARK;

/// How many GPUs the namespace's sandboxes and instances may hold together.
pub(in crate::sim) const GPU_QUOTA: u64 = 32;

pub(in crate::sim) const SANDBOX_TYPES: [&str; 2] = ["gpu-sandbox", "cpu-sandbox"];
pub(in crate::sim) const RESOURCE_TYPES: [&str; 2] = ["cpu", "gpu"];

/// How long a sandbox or an instance is pending before it runs.
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
}

impl PyroMind {
    /// The default namespace; its ids and secrets, and nothing else, vary with `seed`.
    pub(super) fn seeded(seed: u64) -> Self {
        Self { seed, created: 0, sandboxes: seed::sandboxes(seed), instances: seed::instances(seed) }
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

    /// How many GPUs of the quota nobody holds.
    pub(in crate::sim) fn free_gpus(&self, at: Timestamp) -> u64 {
        let sandboxes = self.living(at).filter(|sandbox| sandbox.holds_gpus(at));
        let instances = self.instances.iter().filter(|instance| instance.holds_gpus(at));
        let held = sandboxes
            .map(|sandbox| sandbox.resources.gpu)
            .chain(instances.map(|instance| instance.resources.gpu))
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
}

fn sandbox_id(random: &mut SplitMix64) -> String {
    format!("sbx_{}", 100_000_000 + random.next() % 900_000_000)
}

fn instance_id(random: &mut SplitMix64) -> String {
    format!("jp_{}", 10_000_000 + random.next() % 90_000_000)
}

/// When something that is created at `at` expires by itself.
pub(in crate::sim) fn default_expiry(at: Timestamp) -> Timestamp {
    later(at, LIFETIME)
}

/// `at` and a while; the end of time at most.
pub(in crate::sim) fn later(at: Timestamp, lasts: SignedDuration) -> Timestamp {
    at.checked_add(lasts).unwrap_or(Timestamp::MAX)
}

/// What a sandbox or an instance is given, as the wire has it.
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
