//! What a namespace that was read back must hold to.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{FRAMEWORKS, MODEL_TYPES, MOST_EPOCHS, PyroMind, RESOURCE_TYPES, SANDBOX_TYPES, TrainingJob};
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
        let tasks = self.tasks.iter().map(|task| task.created);
        let jobs = self.jobs.iter().flat_map(|job| {
            let resumed = job.stretches.iter().skip(1).map(|stretch| stretch.from);
            let paused =
                job.stretches.iter().filter_map(|stretch| stretch.pause.as_ref()).map(|pause| pause.at);
            resumed.chain(paused).chain(job.canceled).chain([job.created])
        });
        sandboxes.chain(instances).chain(tasks).chain(jobs).max().unwrap_or(Timestamp::MIN)
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
        let mut names = BTreeSet::new();
        for (index, task) in self.tasks.iter().enumerate() {
            let path = format!("pyromind.tasks[{index}]");
            once(&mut ids, &task.id, format!("{path}.id"))?;
            once(&mut names, &task.name, format!("{path}.name"))?;
            one_of(&MODEL_TYPES, &task.model_type, format!("{path}.model_type"))?;
            if task.run.is_negative() {
                return Err(value(format!("{path}.run"), "must not be negative"));
            }
        }
        let mut names = BTreeSet::new();
        for (index, job) in self.jobs.iter().enumerate() {
            let path = format!("pyromind.jobs[{index}]");
            once(&mut ids, &job.id, format!("{path}.id"))?;
            once(&mut names, &job.name, format!("{path}.name"))?;
            one_of(&FRAMEWORKS, &job.framework, format!("{path}.framework"))?;
            check_course(job, &path)?;
        }
        Ok(())
    }
}

/// A job's stretches follow each other, with a pause between them, and lead no further than its epochs.
fn check_course(job: &TrainingJob, path: &str) -> Result<(), StateError> {
    if !(1..=MOST_EPOCHS).contains(&job.epochs) {
        return Err(value(format!("{path}.epochs"), format!("must be from 1 to {MOST_EPOCHS}")));
    }
    if job.epoch.as_secs() < 1 {
        return Err(value(format!("{path}.epoch"), "must be a second or more"));
    }
    if job.limit.is_negative() {
        return Err(value(format!("{path}.limit"), "must not be negative"));
    }
    if job.output.save_frequency == Some(0) {
        return Err(value(format!("{path}.output.save_frequency"), "must be 1 or more"));
    }
    if job.stretches.is_empty() {
        return Err(value(format!("{path}.stretches"), "must hold at least one"));
    }
    let last = job.stretches.len() - 1;
    let mut from = job.created;
    for (index, stretch) in job.stretches.iter().enumerate() {
        let path = format!("{path}.stretches[{index}]");
        if stretch.from < from {
            return Err(value(format!("{path}.from"), "must not lie before what it follows"));
        }
        if stretch.epoch > job.epochs {
            return Err(value(format!("{path}.epoch"), "must be one of the job's epochs"));
        }
        if !stretch.learning_rate.is_finite() || stretch.learning_rate <= 0.0 {
            return Err(value(format!("{path}.learning_rate"), "must be greater than 0"));
        }
        from = match &stretch.pause {
            Some(pause) if pause.at >= stretch.from => pause.at,
            None if index == last => stretch.from,
            Some(_) | None => {
                return Err(value(format!("{path}.pause"), "must be there, and not lie before it"));
            }
        };
    }
    Ok(())
}
