//! What a namespace that was read back must hold to.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{PyroMind, RESOURCE_TYPES, SANDBOX_TYPES};
use crate::sim::world::state::{MOST_CREATED, StateError, once, value};

impl PyroMind {
    /// The last instant at which something of the namespace came about.
    pub(in crate::sim::world) fn latest(&self) -> Timestamp {
        let sandboxes = self.sandboxes.iter().flat_map(|sandbox| {
            let power = sandbox.power.iter().map(|power| power.instant());
            power.chain([sandbox.created, sandbox.vnc.issued])
        });
        let instances = self.instances.iter().flat_map(|instance| {
            let changed = [instance.paused, instance.password_chosen].into_iter().flatten();
            changed.chain([instance.created])
        });
        sandboxes.chain(instances).max().unwrap_or(Timestamp::MIN)
    }

    pub(in crate::sim::world) fn check(&self) -> Result<(), StateError> {
        if self.created > MOST_CREATED {
            return Err(value("pyromind.created", format!("must be at most {MOST_CREATED}")));
        }
        let one_of = |allowed: &[&str], text: &str, path: String| match allowed.contains(&text) {
            true => Ok(()),
            false => Err(value(path, format!("must be one of {}", allowed.join(", ")))),
        };
        let mut ids = BTreeSet::new();
        for (index, sandbox) in self.sandboxes.iter().enumerate() {
            let path = format!("pyromind.sandboxes[{index}]");
            once(&mut ids, &sandbox.id, format!("{path}.id"))?;
            one_of(&SANDBOX_TYPES, &sandbox.sandbox_type, format!("{path}.sandbox_type"))?;
        }
        let mut names = BTreeSet::new();
        for (index, instance) in self.instances.iter().enumerate() {
            let path = format!("pyromind.instances[{index}]");
            once(&mut ids, &instance.id, format!("{path}.id"))?;
            once(&mut names, &instance.name, format!("{path}.name"))?;
            one_of(&RESOURCE_TYPES, &instance.resource_type, format!("{path}.resource_type"))?;
        }
        Ok(())
    }
}
