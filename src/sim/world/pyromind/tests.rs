use serde_json::{Value, json};

use super::*;
use crate::sim::clock::DEFAULT_START;
use crate::sim::world::World;

const DOCS: &str = include_str!("../../../../docs/world.md");

fn row(name: &str, id: &str, kind: &str, resources: Resources, status: &str) -> String {
    let Resources { cpu, memory, gpu } = resources;
    format!("\n| `{name}` | `{id}` | {kind} | {cpu} / {memory} / {gpu} | {status} |")
}

#[test]
fn docs_world_md_shows_the_whole_namespace() {
    let cloud = PyroMind::seeded(1);
    let at = DEFAULT_START;
    let sandboxes = cloud.sandboxes.iter().map(|sandbox| {
        row(&sandbox.name, &sandbox.id, &sandbox.sandbox_type, sandbox.resources, sandbox.status(at).as_str())
    });
    let instances = cloud.instances.iter().map(|instance| {
        let status = instance.status(at).as_str();
        row(&instance.name, &instance.id, &instance.resource_type, instance.resources, status)
    });
    let tasks = cloud.tasks.iter().map(|task| {
        let status = format!("{}, {} %", task.status(at).as_str(), task.progress(at));
        row(&task.name, &task.id, &task.model_type, task.resources, &status)
    });
    let jobs = cloud.jobs.iter().map(|job| {
        let status = format!("{}, {} %", job.status(at).as_str(), job.progress(at));
        row(&job.name, &job.id, &job.framework, job.resources, &status)
    });
    let rows = sandboxes.chain(instances).chain(tasks).chain(jobs);
    let missing: Vec<String> = rows.filter(|row| !DOCS.contains(row.as_str())).collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn docs_world_md_states_the_numbers() {
    let free = PyroMind::seeded(1).free_gpus(DEFAULT_START);
    let gpus = format!("may hold {GPU_QUOTA} GPUs");
    let held = format!("At the start {} are held and {free} are free.", GPU_QUOTA - free);
    let pending = format!("is pending for {} s, then running", PENDING.as_secs());
    let models = MODELS.iter().map(|(name, versions)| format!("`{name}` ({})", versions.join(", ")));
    let numbers = [gpus, held, pending, format!("holds `{SECRET_MARK}`")];
    for text in models.chain(numbers) {
        assert!(DOCS.contains(&text), "{text}");
    }
}

#[test]
fn a_seed_changes_ids_and_only_ids() {
    let names = |cloud: &PyroMind| -> Vec<String> {
        let sandboxes = cloud.sandboxes.iter().map(|sandbox| sandbox.name.clone());
        let instances = cloud.instances.iter().map(|instance| instance.name.clone());
        let tasks = cloud.tasks.iter().map(|task| task.name.clone());
        let jobs = cloud.jobs.iter().map(|job| job.name.clone());
        sandboxes.chain(instances).chain(tasks).chain(jobs).collect()
    };
    let ids = |cloud: &PyroMind| -> Vec<String> {
        let sandboxes = cloud.sandboxes.iter().map(|sandbox| sandbox.id.clone());
        let instances = cloud.instances.iter().map(|instance| instance.id.clone());
        let tasks = cloud.tasks.iter().map(|task| task.id.clone());
        let jobs = cloud.jobs.iter().map(|job| job.id.clone());
        sandboxes.chain(instances).chain(tasks).chain(jobs).collect()
    };
    let (one, two) = (PyroMind::seeded(1), PyroMind::seeded(2));
    assert_eq!(names(&one), names(&two));
    assert!(ids(&one).iter().all(|id| !ids(&two).contains(id)));
}

#[test]
fn what_is_created_has_an_id_of_its_own() {
    let mut cloud = PyroMind::seeded(1);
    let next = cloud.clone().new_sandbox_id();
    assert!(next.starts_with("sbx_"));
    cloud.sandboxes[0].id = next.clone();
    assert_ne!(cloud.new_sandbox_id(), next);
    let next = cloud.clone().new_instance_id();
    assert!(next.starts_with("jp_"));
    cloud.instances[0].id = next.clone();
    assert_ne!(cloud.new_instance_id(), next);
    let next = cloud.clone().new_inference_id();
    assert!(next.starts_with("inf_"));
    cloud.tasks[0].id = next.clone();
    assert_ne!(cloud.new_inference_id(), next);
    let next = cloud.clone().new_training_id();
    assert!(next.starts_with("train_"));
    cloud.jobs[0].id = next.clone();
    assert_ne!(cloud.new_training_id(), next);
}

#[test]
fn the_last_instant_is_the_latest_that_has_come_about() {
    let mut cloud = PyroMind::seeded(1);
    let at = |second| later(DEFAULT_START, SignedDuration::from_secs(second));
    assert_eq!(cloud.latest(), at(-3600));
    cloud.sandboxes[0].power.push(Power::Stopped(at(1)));
    assert_eq!(cloud.latest(), at(1));
    cloud.sandboxes[1].vnc.issued = at(2);
    assert_eq!(cloud.latest(), at(2));
    cloud.instances[0].paused = Some(at(3));
    assert_eq!(cloud.latest(), at(3));
    cloud.instances[1].password_chosen = Some(at(4));
    assert_eq!(cloud.latest(), at(4));
    cloud.tasks[0].created = at(5);
    assert_eq!(cloud.latest(), at(5));
    cloud.jobs[0].stretches[0].pause = Some(Pause { at: at(6), checkpoint: None });
    assert_eq!(cloud.latest(), at(6));
    let next = Stretch { from: at(7), pause: None, ..cloud.jobs[0].stretches[0].clone() };
    cloud.jobs[0].stretches.push(next);
    assert_eq!(cloud.latest(), at(7));
    cloud.jobs[1].canceled = Some(at(8));
    assert_eq!(cloud.latest(), at(8));
    // The first stretch is a plan.
    cloud.jobs[2].stretches[0].from = at(9);
    cloud.jobs[2].created = at(9);
    assert_eq!(cloud.latest(), at(9));
}

#[test]
fn a_state_that_no_namespace_has_is_refused_with_its_path() {
    let refused = |change: fn(&mut Value)| {
        let mut state = serde_json::to_value(World::seeded(1)).unwrap();
        change(&mut state["pyromind"]);
        World::parse(&state.to_string()).map(drop).unwrap_err().to_string()
    };
    assert_eq!(
        refused(|state| state["created"] = json!(u64::MAX)),
        "pyromind.created: must be at most 9007199254740992"
    );
    assert_eq!(
        refused(|state| state["sandboxes"][3]["id"] = state["sandboxes"][0]["id"].clone()),
        "pyromind.sandboxes[3].id: must be there, and only once"
    );
    assert_eq!(
        refused(|state| state["sandboxes"][0]["sandbox_type"] = json!("tpu-sandbox")),
        "pyromind.sandboxes[0].sandbox_type: must be one of gpu-sandbox, cpu-sandbox"
    );
    assert_eq!(
        refused(|state| state["instances"][1]["name"] = json!("rl-notebook")),
        "pyromind.instances[1].name: must be there, and only once"
    );
    assert_eq!(
        refused(|state| state["instances"][1]["id"] = json!("")),
        "pyromind.instances[1].id: must be there, and only once"
    );
    assert_eq!(
        refused(|state| state["instances"][1]["resource_type"] = json!("tpu")),
        "pyromind.instances[1].resource_type: must be one of cpu, gpu"
    );
    for (change, expected) in [
        (
            (|state| state["tasks"][1]["name"] = json!("traffic-replay")) as fn(&mut Value),
            "tasks[1].name: must be there, and only once",
        ),
        (
            |state| state["tasks"][1]["model_type"] = json!("audio"),
            "tasks[1].model_type: must be one of rl, nlp, cv",
        ),
        (|state| state["tasks"][1]["run"] = json!("-PT1S"), "tasks[1].run: must not be negative"),
        (
            |state| state["jobs"][1]["id"] = state["tasks"][0]["id"].clone(),
            "jobs[1].id: must be there, and only once",
        ),
        (
            |state| state["jobs"][1]["framework"] = json!("jax"),
            "jobs[1].framework: must be one of pytorch, tensorflow, ray",
        ),
        (|state| state["jobs"][1]["epochs"] = json!(0), "jobs[1].epochs: must be from 1 to 100000"),
        (|state| state["jobs"][1]["epoch"] = json!("PT0.5S"), "jobs[1].epoch: must be a second or more"),
        (|state| state["jobs"][1]["limit"] = json!("-PT1S"), "jobs[1].limit: must not be negative"),
        (
            |state| state["jobs"][1]["output"]["save_frequency"] = json!(0),
            "jobs[1].output.save_frequency: must be 1 or more",
        ),
        (|state| state["jobs"][1]["stretches"] = json!([]), "jobs[1].stretches: must hold at least one"),
        (
            |state| state["jobs"][1]["stretches"][0]["from"] = json!("2020-01-01T00:00:00Z"),
            "jobs[1].stretches[0].from: must not lie before what it follows",
        ),
        (
            |state| state["jobs"][1]["stretches"][0]["epoch"] = json!(1001),
            "jobs[1].stretches[0].epoch: must be one of the job's epochs",
        ),
        (
            |state| state["jobs"][1]["stretches"][0]["learning_rate"] = json!(0.0),
            "jobs[1].stretches[0].learning_rate: must be greater than 0",
        ),
        (
            |state| {
                let stretch = state["jobs"][1]["stretches"][0].clone();
                state["jobs"][1]["stretches"] = json!([stretch, stretch]);
            },
            "jobs[1].stretches[0].pause: must be there, and not lie before it",
        ),
    ] {
        assert_eq!(refused(change), format!("pyromind.{expected}"));
    }
}
