//! An instance edited, paused and resumed.

use jiff::Timestamp;
use serde_json::json;

use super::{RESOURCES, not_found};
use crate::sim::params::Query;
use crate::sim::pyromind::envelope::{Answer, Failure, Success};
use crate::sim::pyromind::params::{Fields, ResourceConfig, flag, parse_body};
use crate::sim::world::pyromind::{InstanceQuirk, InstanceStatus, PyroMind, Resources};

pub(in crate::sim::pyromind) fn edit(cloud: &mut PyroMind, id: &str, body: &[u8], at: Timestamp) -> Answer {
    let body = parse_body(body)?;
    let fields = Fields::new(&body);
    let name = fields.text("name")?;
    let config = ResourceConfig::read(fields, RESOURCES)?;
    let expires = fields.future_time("expire_time", at)?;
    let password = fields.text("password")?;
    let updated: Vec<&str> = [
        ("name", name.is_some()),
        ("resource_config", config.is_some()),
        ("expire_time", expires.is_some()),
        ("password", password.is_some()),
    ]
    .into_iter()
    .filter_map(|(field, given)| given.then_some(field))
    .collect();
    if updated.is_empty() {
        return Err(Failure::bad_request("no field to update"));
    }

    let current = cloud.instance(id).ok_or_else(not_found)?;
    let resources = match &config {
        Some(config) => {
            if config.cpu.is_some_and(|cpu| cpu <= current.resources.cpu) {
                let demand = format!("{RESOURCES}cpu must be greater than current {}", current.resources.cpu);
                return Err(Failure::bad_request(demand));
            }
            config.over(current.resources)
        }
        None => current.resources,
    };
    if name.is_some_and(|name| cloud.instances.iter().any(|other| other.name == name && other.id != id)) {
        return Err(Failure::conflict("new instance name already exists"));
    }
    let grown = resources.gpu.saturating_sub(current.resources.gpu);
    if current.holds_gpus(at) && grown > cloud.free_gpus(at) {
        return Err(Failure::failed("failed to update resource config: insufficient resources"));
    }

    let stopped = current.status(at) == InstanceStatus::Stopped;
    let instance = cloud.instance_mut(id).ok_or_else(not_found)?;
    if let Some(name) = name {
        instance.name = name.to_owned();
    }
    if config.is_some() {
        instance.resources = resources;
        instance.requested = resources;
    }
    if let Some(expires) = expires {
        // No operation brings a stopped instance back, nor does this one.
        if stopped && instance.stopped.is_none() {
            instance.stopped = Some(instance.expires);
        }
        instance.expires = expires;
    }
    if password.is_some() {
        instance.password_chosen = Some(at);
    }
    let data = json!({
        "instance_id": id,
        "name": instance.name,
        "updated_fields": updated,
        "resource_config": instance.resources,
        "expire_time": instance.expires,
        "update_time": at,
    });
    Ok(Success::ok("instance updated successfully", data))
}

pub(in crate::sim::pyromind) fn pause(
    cloud: &mut PyroMind,
    id: &str,
    query: &Query,
    at: Timestamp,
) -> Answer {
    let save = flag(query, "save_checkpoint", true)?;
    let instance = cloud.instance_mut(id).ok_or_else(not_found)?;
    let status = instance.status(at);
    match status {
        InstanceStatus::Running => {}
        InstanceStatus::Paused | InstanceStatus::Stopped => {
            return Err(Failure::bad_request("cannot pause instance in 'paused' or 'stopped' status"));
        }
        InstanceStatus::Pending | InstanceStatus::Error => {
            return Err(Failure::bad_request(format!(
                "cannot pause instance in '{}' status",
                status.as_str()
            )));
        }
    }
    if save {
        if instance.quirk == Some(InstanceQuirk::CheckpointStorageDown) {
            return Err(Failure::failed("failed to save checkpoints: storage error"));
        }
        instance.checkpoints = instance.checkpoints.saturating_add(1);
    }
    instance.paused = Some(at);
    let data = json!({
        "instance_id": id,
        "status": instance.status(at).as_str(),
        "pause_time": at,
        "save_checkpoint": save,
        "checkpoint_count": instance.checkpoints,
    });
    Ok(Success::ok("instance paused successfully", data))
}

pub(in crate::sim::pyromind) fn resume(
    cloud: &mut PyroMind,
    id: &str,
    query: &Query,
    body: &[u8],
    at: Timestamp,
) -> Answer {
    let restore = flag(query, "restore_checkpoint", false)?;
    let body = if body.is_empty() { serde_json::Map::new() } else { parse_body(body)? };
    let config = ResourceConfig::read(Fields::new(&body), RESOURCES)?;
    let free_gpus = cloud.free_gpus(at);
    let instance = cloud.instance_mut(id).ok_or_else(not_found)?;
    let status = instance.status(at);
    match status {
        InstanceStatus::Paused => {}
        InstanceStatus::Running | InstanceStatus::Stopped => {
            return Err(Failure::bad_request("cannot resume instance in 'running' or 'stopped' status"));
        }
        InstanceStatus::Pending | InstanceStatus::Error => {
            return Err(Failure::bad_request(format!(
                "cannot resume instance in '{}' status",
                status.as_str()
            )));
        }
    }
    let resources = config.map_or(instance.resources, |config| config.over(instance.resources));
    check_bounds(resources, instance.requested)?;
    if restore && instance.checkpoints == 0 {
        return Err(Failure::failed("failed to resume: no checkpoint to restore"));
    }
    if resources.gpu > free_gpus {
        return Err(Failure::failed("failed to resume: insufficient GPU resources"));
    }
    instance.resources = resources;
    instance.paused = None;
    instance.resumes = instance.resumes.saturating_add(1);
    let data = json!({
        "instance_id": id,
        "status": instance.status(at).as_str(),
        "resume_time": at,
        "restore_checkpoint": restore,
        "resource_config": instance.resources,
        "access_url": instance.access_url(),
    });
    Ok(Success::ok("instance resumed successfully", data))
}

/// A resume may ask for less than the instance was made for, never for more.
fn check_bounds(wanted: Resources, requested: Resources) -> Result<(), Failure> {
    let fields = [
        ("cpu", wanted.cpu, requested.cpu),
        ("memory", wanted.memory, requested.memory),
        ("gpu", wanted.gpu, requested.gpu),
    ];
    match fields.into_iter().find(|(_, wanted, requested)| wanted > requested) {
        Some((name, _, most)) => {
            Err(Failure::bad_request(format!("{RESOURCES}{name} must not exceed original request {most}")))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
