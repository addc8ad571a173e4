//! What a sandbox is told to do: one action, or a batch of them.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::MISSING;
use super::envelope::{Answer, Failure, Success};
use super::params::{Fields, parse_body};
use super::sandboxes::not_found;
use crate::sim::world::pyromind::{PENDING, Power, PyroMind, Sandbox, SandboxStatus, later};

/// How long an action that nobody limits may take, in seconds.
const DEFAULT_TIMEOUT: u64 = 30;

/// The actions by name, as messages list them.
const ACTIONS: [&str; 6] = ["start", "stop", "restart", "reboot", "install_package", "run_script"];

const INSTALLING: SignedDuration = SignedDuration::from_secs(10);
const SCRIPT_RUNNING: SignedDuration = SignedDuration::from_secs(20);

/// Scripts are found here, unless their names hold [`MISSING`].
const SCRIPTS: &str = "/home/user/";
/// A package of a name with this doesn't exist either.
const UNKNOWN: &str = "unknown";

/// An action with what it needs.
#[derive(Debug, PartialEq, Eq)]
enum Action {
    Start,
    Stop,
    Restart,
    Reboot,
    InstallPackage { name: String },
    RunScript { path: String },
}

impl Action {
    /// Reads `action` and `params`.
    fn read(fields: Fields<'_>) -> Result<Self, Failure> {
        let name = fields.required_text("action")?;
        let params = fields.object("params", "params.")?;
        let needed = || params.ok_or_else(|| Failure::bad_request(format!("params is required for {name}")));
        match name {
            "start" => Ok(Self::Start),
            "stop" => Ok(Self::Stop),
            "restart" => Ok(Self::Restart),
            "reboot" => Ok(Self::Reboot),
            "install_package" => {
                Ok(Self::InstallPackage { name: needed()?.required_text("name")?.to_owned() })
            }
            "run_script" => {
                let params = needed()?;
                params.texts("args")?;
                Ok(Self::RunScript { path: params.required_text("path")?.to_owned() })
            }
            _ => Err(Failure::bad_request(format!("invalid action type (allowed: {})", ACTIONS.join("/")))),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Reboot => "reboot",
            Self::InstallPackage { .. } => "install_package",
            Self::RunScript { .. } => "run_script",
        }
    }

    fn lasts(&self) -> SignedDuration {
        match self {
            Self::Start | Self::Restart | Self::Reboot => PENDING,
            Self::Stop => SignedDuration::ZERO,
            Self::InstallPackage { .. } => INSTALLING,
            Self::RunScript { .. } => SCRIPT_RUNNING,
        }
    }

    fn success(&self) -> &'static str {
        match self {
            Self::Start => "sandbox started",
            Self::Stop => "sandbox stopped",
            Self::Restart => "sandbox restarted",
            Self::Reboot => "sandbox rebooted",
            Self::InstallPackage { .. } => "package installed",
            Self::RunScript { .. } => "script executed successfully",
        }
    }

    /// Does it from `from` on; the error is why it can't be done, and then nothing has changed.
    fn run(
        &self,
        sandbox: &mut Sandbox,
        from: Timestamp,
        timeout: SignedDuration,
        free_gpus: u64,
    ) -> Result<(), &'static str> {
        match (self, sandbox.status(from)) {
            (_, SandboxStatus::Error) => return Err("sandbox unresponsive"),
            (Self::Start, SandboxStatus::Pending | SandboxStatus::Running) => {
                return Err("sandbox is not stopped");
            }
            (Self::Start, SandboxStatus::Stopped) if sandbox.resources.gpu > free_gpus => {
                return Err("insufficient GPU resources");
            }
            (Self::Start, SandboxStatus::Stopped) | (_, SandboxStatus::Running) => {}
            (_, SandboxStatus::Pending | SandboxStatus::Stopped) => return Err("sandbox is not running"),
        }
        self.find()?;
        if self.lasts() > timeout {
            return Err("action timed out");
        }
        match self {
            Self::Start => sandbox.power.push(Power::Started(from)),
            Self::Stop => {
                sandbox.power.push(Power::Stopped(from));
                end_tasks(sandbox, from);
            }
            Self::Restart | Self::Reboot => {
                sandbox.power.push(Power::Started(from));
                end_tasks(sandbox, from);
            }
            Self::InstallPackage { .. } | Self::RunScript { .. } => {
                sandbox.busy_until = sandbox.busy_until.max(Some(later(from, self.lasts())));
            }
        }
        Ok(())
    }

    /// What the action names must exist.
    fn find(&self) -> Result<(), &'static str> {
        match self {
            Self::InstallPackage { name } if name.contains(MISSING) || name.contains(UNKNOWN) => {
                Err("package not found")
            }
            Self::RunScript { path }
                if !path.starts_with(SCRIPTS)
                    || path.contains(MISSING)
                    || path.split('/').any(|segment| segment == "..") =>
            {
                Err("script file not found")
            }
            Self::Start
            | Self::Stop
            | Self::Restart
            | Self::Reboot
            | Self::InstallPackage { .. }
            | Self::RunScript { .. } => Ok(()),
        }
    }
}

fn end_tasks(sandbox: &mut Sandbox, at: Timestamp) {
    sandbox.busy_until = sandbox.busy_until.map(|until| until.min(at));
}

pub(super) fn execute(cloud: &mut PyroMind, id: &str, body: &[u8], at: Timestamp) -> Answer {
    let body = parse_body(body)?;
    let fields = Fields::new(&body);
    let action = Action::read(fields)?;
    let timeout = fields.positive("timeout")?.unwrap_or(DEFAULT_TIMEOUT);
    let free_gpus = cloud.free_gpus(at);
    let sandbox = cloud.sandbox_mut(id, at).ok_or_else(not_found)?;
    action
        .run(sandbox, at, seconds(timeout), free_gpus)
        .map_err(|why| Failure::failed(format!("failed to execute action: {why}")))?;
    let data = json!({
        "sandbox_id": id,
        "action": action.name(),
        "status": "completed",
        "execute_time": at,
        "timeout": timeout,
    });
    Ok(Success::ok("sandbox action executed successfully", data))
}

fn seconds(number: u64) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(number).unwrap_or(i64::MAX))
}

/// Reads `actions`: one that can't be understood refuses the whole batch.
fn read_actions(fields: Fields<'_>) -> Result<Vec<Action>, Failure> {
    let items = fields.array("actions")?.ok_or_else(|| fields.missing("actions"))?;
    if items.is_empty() {
        return Err(Failure::bad_request("actions must be non-empty array"));
    }
    let each = items.iter().map(|item| {
        let map = item.as_object().filter(|map| map.contains_key("action"));
        let map = map.ok_or_else(|| {
            Failure::bad_request("invalid actions format: each action must have 'action' field")
        })?;
        Action::read(Fields::new(map))
    });
    each.collect()
}

/// In sequence each action begins when the one before has ended; in parallel all begin now. Either way they take
/// effect in the order given, and a failure stops nothing.
pub(super) fn execute_batch(cloud: &mut PyroMind, id: &str, body: &[u8], at: Timestamp) -> Answer {
    let body = parse_body(body)?;
    let fields = Fields::new(&body);
    let actions = read_actions(fields)?;
    let parallel = fields.flag("parallel")?;
    let mut from = at;
    let mut failed: usize = 0;
    let mut results: Vec<Value> = Vec::new();
    for action in &actions {
        let free_gpus = cloud.free_gpus(from);
        let sandbox = cloud.sandbox_mut(id, at).ok_or_else(not_found)?;
        let (status, message) = match action.run(sandbox, from, seconds(DEFAULT_TIMEOUT), free_gpus) {
            Ok(()) => {
                from = if parallel { at } else { later(from, action.lasts()) };
                ("success", action.success())
            }
            Err(why) => {
                failed += 1;
                ("failed", why)
            }
        };
        results.push(json!({"action": action.name(), "status": status, "message": message}));
    }
    let data = json!({
        "sandbox_id": id,
        "total_actions": actions.len(),
        "success_count": actions.len() - failed,
        "failed_count": failed,
        "results": results,
    });
    if failed == 0 {
        Ok(Success::ok("batch actions executed successfully", data))
    } else {
        Err(Failure::in_part("some batch actions failed", data))
    }
}

#[cfg(test)]
mod tests;
