//! Sandboxes: list, create, read, delete; and the way in by VNC.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::envelope::{Answer, Failure, Success};
use super::params::{Fields, Page, ResourceConfig, choice, flag, parse_body};
use crate::sim::params::Query;
use crate::sim::world::pyromind::{
    Power, PyroMind, Resources, SANDBOX_TYPES, Sandbox, SandboxQuirk, SandboxStatus, Screen, Vnc,
    default_expiry, later,
};

const VNC_HOST: &str = "vnc.pyromind.ai";
const VNC_PORT: u16 = 5901;

/// How long a VNC password is good.
pub(super) const VNC_LIFETIME: SignedDuration = SignedDuration::from_hours(24);

pub(super) fn list(cloud: &PyroMind, query: &Query, at: Timestamp) -> Answer {
    let page = Page::read(query)?;
    let status = choice(query, "status", &["running", "stopped", "error"])?;
    let sandbox_type = query.text("sandbox_type");
    let found: Vec<Value> = cloud
        .living(at)
        .filter(|sandbox| {
            status.is_none_or(|status| sandbox.status(at).as_str() == status)
                && sandbox_type.is_none_or(|wanted| sandbox.sandbox_type == wanted)
        })
        .map(|sandbox| row(sandbox, at))
        .collect();
    let data = json!({
        "total": found.len(),
        "page": page.number,
        "page_size": page.size,
        "sandboxes": page.cut(found),
    });
    Ok(Success::ok("sandboxes listed successfully", data))
}

fn row(sandbox: &Sandbox, at: Timestamp) -> Value {
    json!({
        "sandbox_id": sandbox.id,
        "name": sandbox.name,
        "status": sandbox.status(at).as_str(),
        "sandbox_type": sandbox.sandbox_type,
        "create_time": sandbox.created,
        "expire_time": sandbox.expires,
        "resource_config": sandbox.resources,
    })
}

pub(super) fn get(cloud: &PyroMind, id: &str, at: Timestamp) -> Answer {
    let absent = || Failure::not_found("sandbox not found (check sandbox_id or expired)");
    let sandbox = cloud.sandbox(id, at).ok_or_else(absent)?;
    let mut data = row(sandbox, at);
    if let Some(fields) = data.as_object_mut() {
        fields.insert("screen_resolution".to_owned(), json!(sandbox.screen));
        if sandbox.status(at) == SandboxStatus::Running && sandbox.quirk != Some(SandboxQuirk::VncDown) {
            let password = cloud.vnc_password(sandbox);
            let vnc = json!({"host": VNC_HOST, "port": VNC_PORT, "password": password});
            fields.insert("vnc_info".to_owned(), vnc);
        }
    }
    Ok(Success::ok("sandbox details retrieved successfully", data))
}

/// What a valid create asks for.
struct Wish {
    name: String,
    sandbox_type: String,
    resources: Resources,
    screen: Screen,
    expires: Timestamp,
}

impl Wish {
    fn read(body: &[u8], at: Timestamp) -> Result<Self, Failure> {
        let body = parse_body(body)?;
        let fields = Fields::new(&body);
        let name = fields.required_text("name")?;
        if !is_name(name) {
            return Err(Failure::bad_request(
                "name must be 3-64 characters of letters, digits, hyphens and underscores",
            ));
        }
        let screen = match fields.object("screen_resolution", "screen_resolution.")? {
            Some(screen) => {
                let (width, height) = ("width", "height");
                Screen { width: screen.required_positive(width)?, height: screen.required_positive(height)? }
            }
            None => Screen::default(),
        };
        Ok(Self {
            name: name.to_owned(),
            sandbox_type: fields.required_choice("sandbox_type", &SANDBOX_TYPES)?.to_owned(),
            resources: ResourceConfig::read_whole(fields, "resource config ")?,
            screen,
            expires: fields.future_time("expire_time", at)?.unwrap_or_else(|| default_expiry(at)),
        })
    }

    /// The sandbox, in the world now.
    fn grant(self, cloud: &mut PyroMind, at: Timestamp) -> Result<Sandbox, Failure> {
        if cloud.living(at).any(|sandbox| sandbox.name == self.name) {
            return Err(Failure::conflict("sandbox name already exists in your namespace"));
        }
        if self.resources.gpu > cloud.free_gpus(at) {
            return Err(Failure::failed("failed to create sandbox due to resource shortage"));
        }
        let sandbox = Sandbox {
            id: cloud.new_sandbox_id(),
            name: self.name,
            sandbox_type: self.sandbox_type,
            resources: self.resources,
            screen: self.screen,
            created: at,
            expires: self.expires,
            power: vec![Power::Started(at)],
            busy_until: None,
            vnc: Vnc { issued: at, refreshes: 0 },
            quirk: None,
        };
        cloud.sandboxes.push(sandbox.clone());
        Ok(sandbox)
    }
}

fn is_name(name: &str) -> bool {
    (3..=64).contains(&name.len())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_')
}

pub(super) fn create(cloud: &mut PyroMind, body: &[u8], at: Timestamp) -> Answer {
    let sandbox = Wish::read(body, at)?.grant(cloud, at)?;
    Ok(Success::created("sandbox created successfully", row(&sandbox, at)))
}

/// Creates what `body` asks for, with `more_cpu`.
pub(super) fn rival(
    cloud: &mut PyroMind,
    body: &[u8],
    more_cpu: u64,
    at: Timestamp,
) -> Result<Sandbox, Failure> {
    let mut wish = Wish::read(body, at)?;
    wish.resources.cpu = wish.resources.cpu.saturating_add(more_cpu);
    wish.grant(cloud, at)
}

pub(super) fn delete(cloud: &mut PyroMind, id: &str, query: &Query, at: Timestamp) -> Answer {
    let force = flag(query, "force", false)?;
    let sandbox = cloud.sandbox(id, at).ok_or_else(not_found)?;
    if sandbox.has_running_tasks(at) && !force {
        return Err(Failure::conflict("sandbox has running tasks, use force=true to delete"));
    }
    cloud.sandboxes.retain(|sandbox| sandbox.id != id);
    let data = json!({"sandbox_id": id, "delete_time": at, "force": force});
    Ok(Success::ok("sandbox deleted successfully", data))
}

pub(super) fn not_found() -> Failure {
    Failure::not_found("sandbox not found")
}

/// Shows the password in force, past its time or not; a refresh puts a new one in force.
pub(super) fn get_vnc(cloud: &mut PyroMind, id: &str, query: &Query, at: Timestamp) -> Answer {
    let refresh = flag(query, "refresh", false)?;
    let sandbox = cloud
        .sandbox_mut(id, at)
        .filter(|sandbox| sandbox.status(at) == SandboxStatus::Running)
        .ok_or_else(|| Failure::not_found("sandbox not found or vnc not enabled"))?;
    if sandbox.quirk == Some(SandboxQuirk::VncDown) {
        return Err(Failure::failed("failed to retrieve vnc info"));
    }
    if refresh {
        sandbox.vnc = Vnc { issued: at, refreshes: sandbox.vnc.refreshes.saturating_add(1) };
    }
    let sandbox = sandbox.clone();
    let data = json!({
        "sandbox_id": sandbox.id,
        "vnc_host": VNC_HOST,
        "vnc_port": VNC_PORT,
        "vnc_password": cloud.vnc_password(&sandbox),
        "expire_time": later(sandbox.vnc.issued, VNC_LIFETIME),
        "refresh_time": sandbox.vnc.issued,
    });
    Ok(Success::ok("vnc connection info retrieved successfully", data))
}

#[cfg(test)]
mod tests;
