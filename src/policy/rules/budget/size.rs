//! How large a job is: its pods, and the GPUs of all of them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Limited;
use crate::error::Fault;
use crate::policy::evidence::Evidence;
use crate::policy::load::Limits;
use crate::policy::review::{Read, look};
use crate::policy::rules::provenance::Matter;
use crate::spec::Origin;
use crate::tools;

/// The list of machines.
const MACHINES: &str = "dlc_list_ecs_specs";

/// The roles of a job that is made or changed.
fn roles<'v>(matter: &Matter<'v>) -> Option<&'v [Value]> {
    match matter.call.tool().name() {
        "dlc_create_job" | "dlc_update_job" => {
            Some(matter.whole()?.get("JobSpecs")?.as_array().map_or(&[][..], Vec::as_slice))
        }
        _ => None,
    }
}

/// The pods that a role may have: as many as it starts with, or may grow to.
fn pods_of(role: &Value) -> Option<u64> {
    let start = role.get("PodCount").and_then(Value::as_u64);
    let grown = role.get("AutoScalingSpec").and_then(|spec| spec.get("MaxReplicas")).and_then(Value::as_u64);
    start.max(grown)
}

/// The pods that elastic training may grow to.
fn elastic(matter: &Matter<'_>) -> u64 {
    let spec = matter.whole().and_then(|whole| whole.get("ElasticSpec"));
    let most = ["MaxParallelism", "EDPMaxParallelism", "PSMaxParallelism"]
        .iter()
        .filter_map(|name| spec?.get(name)?.as_u64());
    most.fold(0, u64::saturating_add)
}

/// How many pods a job has.
pub(super) fn pods(limits: &Limits, matter: &Matter<'_>) -> Limited {
    let (Some(most), Some(roles)) = (limits.pods, roles(matter)) else { return Limited::Unbound };
    let pods = roles.iter().filter_map(pods_of).fold(0, u64::saturating_add).max(elastic(matter));
    if pods <= most {
        return Limited::Kept;
    }
    let message = format!("the job would have {pods} pods; the operator allows {most}");
    Limited::Broken(vec![Fault::new(
        "JobSpecs",
        message,
        "ask for fewer; tell the user if that isn't enough",
    )])
}

/// How many GPUs a call asks for (R-PM-012).
pub(super) fn gpus(limits: &Limits, matter: &Matter<'_>, evidence: &Evidence) -> Limited {
    let Some(most) = limits.gpus else { return Limited::Unbound };
    let over = |path: &str, gpus: u64| {
        let message = format!("{gpus} GPUs are asked for; the operator allows {most}");
        Limited::Broken(vec![Fault::new(path, message, "ask for fewer; tell the user if that isn't enough")])
    };
    if let Some(machine) = matter.given.get("resource_config") {
        return match machine.get("gpu").map(Value::as_u64) {
            None => Limited::Kept,
            Some(Some(gpus)) if gpus <= most => Limited::Kept,
            Some(Some(gpus)) => over("resource_config.gpu", gpus),
            Some(None) => uncounted(vec![("resource_config.gpu".to_owned(), "isn't a whole number")]),
        };
    }
    let Some(roles) = roles(matter) else { return Limited::Unbound };
    let names: BTreeSet<&str> = roles.iter().flat_map(machines).collect();
    let machines = match known(matter, &names, evidence) {
        Ok(rows) => rows,
        Err(limited) => return limited,
    };
    let (mut gpus, mut largest, mut faults) = (0_u64, 0, Vec::new());
    for (index, role) in roles.iter().enumerate() {
        let changes_size = ["EcsSpec", "ResourceConfig", "PodCount", "AutoScalingSpec", "ElasticSpotSpecs"]
            .iter()
            .any(|name| role.get(name).is_some());
        let path = format!("JobSpecs[{index}]");
        match (in_pod(role, machines), pods_of(role)) {
            (Ok(each), Some(pods)) => {
                gpus = gpus.saturating_add(each.saturating_mul(pods));
                largest = largest.max(each);
            }
            (Err(why), _) if changes_size => faults.push((path, why)),
            (Ok(_), None) if changes_size => faults.push((path, "has no PodCount")),
            (Ok(_) | Err(_), _) => {}
        }
    }
    if !faults.is_empty() {
        return uncounted(faults);
    }
    let gpus = gpus.max(elastic(matter).saturating_mul(largest));
    if gpus <= most { Limited::Kept } else { over("JobSpecs", gpus) }
}

/// What is said of what can't be counted.
fn uncounted(faults: Vec<(String, &str)>) -> Limited {
    let fix = "give PodCount with an EcsSpec that dlc_list_ecs_specs returns, or with a ResourceConfig whose GPU is a \
               whole number; its GPUs are limited by the operator, so they must be known";
    Limited::Broken(faults.into_iter().map(|(path, why)| Fault::new(path, why, fix)).collect())
}

/// The machine types that a role may run on.
fn machines(role: &Value) -> Vec<&str> {
    let spots = role.get("ElasticSpotSpecs").and_then(Value::as_array).into_iter().flatten();
    let spots = spots.filter_map(|spot| spot.get("InstanceType"));
    role.get("EcsSpec").into_iter().chain(spots).filter_map(Value::as_str).collect()
}

/// The rows of the cloud's list for these machine types.
fn known<'e>(
    matter: &Matter<'_>,
    names: &BTreeSet<&str>,
    evidence: &'e Evidence,
) -> Result<&'e [Value], Limited> {
    let Some(region) = matter.call.region().filter(|_| !names.is_empty()) else { return Ok(&[]) };
    let types = names.iter().copied().collect::<Vec<_>>().join(",");
    let arguments = json!({ "RegionId": region, "InstanceTypes": types, "PageSize": 100 });
    let read = tools::find(MACHINES).zip(arguments.as_object());
    let read = read.and_then(|(tool, arguments)| tool.parse(arguments).ok());
    match look(read.map(|call| call.by(Origin::Policy)), evidence) {
        Read::Needed(call) => Err(Limited::Needs(vec![call])),
        Read::Failed(refusal) => Err(Limited::Failed(refusal)),
        Read::Reply(reply) => {
            Ok(reply.get("EcsSpecs").and_then(Value::as_array).map_or(&[][..], Vec::as_slice))
        }
    }
}

/// The GPUs of one pod of a role.
fn in_pod(role: &Value, rows: &[Value]) -> Result<u64, &'static str> {
    let extra = role.get("ExtraPodSpec");
    let containers =
        ["InitContainers", "SideCarContainers"].iter().filter_map(|name| extra?.get(name)?.as_array());
    for resources in containers.flatten().filter_map(|container| container.get("Resources")) {
        let asked = ["Limits", "Requests"].iter().filter_map(|name| resources.get(name)?.as_object());
        if asked.flat_map(|asked| asked.keys()).any(|name| name.to_lowercase().contains("gpu")) {
            return Err("has a container with GPUs of its own, which can't be counted");
        }
    }
    if let Some(machine) = role.get("ResourceConfig") {
        return match machine.get("GPU").and_then(Value::as_str) {
            None if machine.get("GPU").is_some() => Err("has a GPU that isn't a whole number"),
            None | Some("") if machine.get("GPUType").is_some() => {
                Err("names a GPUType without a number of GPUs")
            }
            None | Some("") => Ok(0),
            Some(text) => text.parse().map_err(|_| "has a GPU that isn't a whole number"),
        };
    }
    let mut most = None;
    for name in machines(role) {
        let row = rows.iter().find(|row| row.get("InstanceType").and_then(Value::as_str) == Some(name));
        let gpus = row.and_then(|row| row.get("Gpu")).and_then(Value::as_u64);
        most = most.max(Some(gpus.ok_or("has a machine type that the cloud's list doesn't show")?));
    }
    most.ok_or("names no machine")
}
