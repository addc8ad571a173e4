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
    let missing: Vec<String> =
        sandboxes.chain(instances).filter(|row| !DOCS.contains(row.as_str())).collect();
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn docs_world_md_states_the_numbers() {
    let free = PyroMind::seeded(1).free_gpus(DEFAULT_START);
    let gpus = format!("may hold {GPU_QUOTA} GPUs");
    let held = format!("At the start {} are held and {free} are free.", GPU_QUOTA - free);
    let pending = format!("is pending for {} s, then running", PENDING.as_secs());
    for text in [gpus, held, pending, format!("holds `{SECRET_MARK}`")] {
        assert!(DOCS.contains(&text), "{text}");
    }
}

#[test]
fn a_seed_changes_ids_and_only_ids() {
    let names = |cloud: &PyroMind| -> Vec<String> {
        let sandboxes = cloud.sandboxes.iter().map(|sandbox| sandbox.name.clone());
        sandboxes.chain(cloud.instances.iter().map(|instance| instance.name.clone())).collect()
    };
    let ids = |cloud: &PyroMind| -> Vec<String> {
        let sandboxes = cloud.sandboxes.iter().map(|sandbox| sandbox.id.clone());
        sandboxes.chain(cloud.instances.iter().map(|instance| instance.id.clone())).collect()
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
}
