//! Instances: list, create, read, delete.

mod changes;
mod token;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::DENIED;
use super::envelope::{Answer, Failure, Success};
use super::params::{Fields, Page, ResourceConfig, choice, flag, parse_body};
use crate::sim::params::Query;
use crate::sim::world::pyromind::{
    Instance, InstanceStatus, Mount, PyroMind, RESOURCE_TYPES, Resources, default_expiry,
};

pub(super) use changes::{edit, pause, resume};
pub(super) use token::get_access_token;

/// The image of whoever names none.
const DEFAULT_IMAGE: &str = "pyromind-instance:latest";

/// What messages say before the fields of a `resource_config`.
const RESOURCES: &str = "resource_config.";

pub(super) fn list(cloud: &PyroMind, query: &Query, at: Timestamp) -> Answer {
    let page = Page::read(query)?;
    let status = choice(query, "status", &["running", "paused", "stopped", "error"])?;
    let resource_type = choice(query, "resource_type", &RESOURCE_TYPES)?;
    let found: Vec<Value> = cloud
        .instances
        .iter()
        .filter(|instance| {
            status.is_none_or(|status| instance.status(at).as_str() == status)
                && resource_type.is_none_or(|wanted| instance.resource_type == wanted)
        })
        .map(|instance| row(instance, at))
        .collect();
    let data = json!({
        "total": found.len(),
        "page": page.number,
        "page_size": page.size,
        "instances": page.cut(found),
    });
    Ok(Success::ok("instances listed successfully", data))
}

fn row(instance: &Instance, at: Timestamp) -> Value {
    json!({
        "instance_id": instance.id,
        "name": instance.name,
        "status": instance.status(at).as_str(),
        "resource_type": instance.resource_type,
        "resource_config": instance.resources,
        "create_time": instance.created,
        "expire_time": instance.expires,
    })
}

/// A row and the image and address that only some replies have.
fn details(instance: &Instance, at: Timestamp) -> Value {
    let mut data = row(instance, at);
    if let Some(fields) = data.as_object_mut() {
        fields.insert("image".to_owned(), json!(instance.image));
        fields.insert("access_url".to_owned(), json!(instance.access_url()));
    }
    data
}

pub(super) fn get(cloud: &PyroMind, id: &str, at: Timestamp) -> Answer {
    let instance = cloud.instance(id).ok_or_else(not_found)?;
    let mut data = details(instance, at);
    if let Some(fields) = data.as_object_mut() {
        if let Some(Mount { bucket_name, mount_path }) = &instance.mount {
            let mount = json!({"bucket_name": bucket_name, "mount_path": mount_path, "status": "bound"});
            fields.insert("workspace_mount".to_owned(), mount);
        }
        fields.insert("resource_usage".to_owned(), usage(instance, at));
        fields.insert("logs".to_owned(), json!(logs(instance, at)));
    }
    Ok(Success::ok("instance details retrieved successfully", data))
}

/// Half of everything while it runs, else nothing.
fn usage(instance: &Instance, at: Timestamp) -> Value {
    let Resources { cpu, memory, gpu } = instance.resources;
    let used = |number: u64| match instance.status(at) {
        InstanceStatus::Running => number as f64 / 2.0,
        InstanceStatus::Pending
        | InstanceStatus::Paused
        | InstanceStatus::Stopped
        | InstanceStatus::Error => 0.0,
    };
    json!({"cpu_used": used(cpu), "memory_used": used(memory), "gpu_used": used(gpu)})
}

fn logs(instance: &Instance, at: Timestamp) -> String {
    let started = instance.started();
    if started <= at { format!("{started} - Instance started successfully") } else { String::new() }
}

/// What a valid create asks for.
struct Wish {
    name: String,
    resource_type: String,
    resources: Resources,
    image: String,
    expires: Timestamp,
    password: Option<String>,
    mount: Option<Mount>,
}

impl Wish {
    fn read(body: &[u8], at: Timestamp) -> Result<Self, Failure> {
        let body = parse_body(body)?;
        let fields = Fields::new(&body);
        let mount = match fields.object("workspace_mount", "workspace_mount.")? {
            Some(mount) => {
                let bucket_name = mount.required_text("bucket_name")?.to_owned();
                let mount_path = mount.required_text("mount_path")?.to_owned();
                if !mount_path.starts_with('/') {
                    return Err(Failure::bad_request("workspace_mount.mount_path must be absolute path"));
                }
                Some(Mount { bucket_name, mount_path })
            }
            None => None,
        };
        Ok(Self {
            name: fields.required_text("name")?.to_owned(),
            resource_type: fields.required_choice("resource_type", &RESOURCE_TYPES)?.to_owned(),
            resources: ResourceConfig::read_whole(fields, RESOURCES)?,
            image: fields.text("image")?.unwrap_or(DEFAULT_IMAGE).to_owned(),
            expires: fields.future_time("expire_time", at)?.unwrap_or_else(|| default_expiry(at)),
            password: fields.text("password")?.map(str::to_owned),
            mount,
        })
    }

    /// The instance, in the world now, and the password that opens it.
    fn grant(self, cloud: &mut PyroMind, at: Timestamp) -> Result<(Instance, String), Failure> {
        if cloud.instances.iter().any(|instance| instance.name == self.name) {
            return Err(Failure::conflict("instance name already exists"));
        }
        if self.resources.gpu > cloud.free_gpus(at) {
            return Err(Failure::failed("failed to create instance: insufficient GPU resources"));
        }
        let instance = Instance {
            id: cloud.new_instance_id(),
            name: self.name,
            resource_type: self.resource_type,
            resources: self.resources,
            requested: self.resources,
            image: self.image,
            created: at,
            expires: self.expires,
            stopped: None,
            mount: self.mount,
            password_chosen: self.password.is_some().then_some(at),
            paused: None,
            resumes: 0,
            checkpoints: 0,
            quirk: None,
        };
        cloud.instances.push(instance.clone());
        let password = self.password.unwrap_or_else(|| cloud.generated_password(&instance.id));
        Ok((instance, password))
    }
}

pub(super) fn create(cloud: &mut PyroMind, body: &[u8], at: Timestamp) -> Answer {
    let (instance, password) = Wish::read(body, at)?.grant(cloud, at)?;
    let mut data = details(&instance, at);
    if let Some(fields) = data.as_object_mut() {
        fields.insert("password".to_owned(), json!(password));
    }
    Ok(Success::created("instance created successfully", data))
}

/// Creates what `body` asks for, with `more_cpu`.
pub(super) fn rival(cloud: &mut PyroMind, body: &[u8], more_cpu: u64, at: Timestamp) -> Result<(), Failure> {
    let mut wish = Wish::read(body, at)?;
    wish.resources.cpu = wish.resources.cpu.saturating_add(more_cpu);
    wish.grant(cloud, at)?;
    Ok(())
}

/// A backup that fails leaves the instance as it was.
pub(super) fn delete(cloud: &mut PyroMind, id: &str, query: &Query, at: Timestamp) -> Answer {
    let backup = flag(query, "backup_workspace", false)?;
    let bucket = query.text("backup_bucket").filter(|_| backup);
    if backup && bucket.is_none() {
        return Err(Failure::bad_request("backup_bucket is required when backup_workspace is true"));
    }
    let instance = cloud.instance(id).ok_or_else(not_found)?;
    if instance.has_running_tasks(at) {
        return Err(Failure::conflict("instance has running tasks, stop first or use force=true"));
    }
    if bucket.is_some_and(|bucket| bucket.contains(DENIED)) {
        return Err(Failure::failed("failed to backup workspace: bucket access denied"));
    }
    cloud.instances.retain(|instance| instance.id != id);
    let day = at.strftime("%Y%m%d");
    let path = bucket.map(|_| format!("/instance-backups/{id}_{day}"));
    let data = json!({
        "instance_id": id,
        "delete_time": at,
        "backup_workspace": backup,
        "backup_bucket": bucket,
        "backup_path": path,
    });
    Ok(Success::ok("instance deleted successfully", data))
}

fn not_found() -> Failure {
    Failure::not_found("instance not found")
}

#[cfg(test)]
mod tests;
