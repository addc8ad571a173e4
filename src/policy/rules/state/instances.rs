//! Instances of PyroMind.

use jiff::Timestamp;
use serde_json::Value;

use super::{After, Bar, number, one_of, plain_number};
use crate::spec::Call;
use crate::tools::pyromind::instance_changes::PauseInstance;

/// What else an instance can be than running or paused (R-PM-055, R-PM-059).
const OTHERS: [&str; 3] = ["pending", "stopped", "error"];
/// What of a machine can be asked for.
const RESOURCES: [&str; 3] = ["cpu", "memory", "gpu"];

fn asked<'c>(call: &'c Call, name: &str) -> Option<&'c Value> {
    call.arguments().get("resource_config")?.get(name)
}

fn has<'p>(instance: &'p Value, name: &str) -> Option<&'p Value> {
    instance.get("resource_config")?.get(name).filter(|shown| number(shown).is_some())
}

/// R-PM-053: of the three, the document bounds only the processors.
pub(super) fn before_edit(call: &Call, instance: &Value, bars: &mut Vec<Bar>) {
    let (Some(wanted), Some(present)) = (asked(call, "cpu"), has(instance, "cpu")) else { return };
    if number(wanted) <= number(present) {
        let present = plain_number(present);
        bars.push(Bar::new(
            "resource_config.cpu",
            format!("must be greater than it is now, and it is {present}"),
            format!("ask the user for more than {present}, or leave cpu out to keep it"),
        ));
    }
}

pub(super) fn after_edit(call: &Call, reply: Option<&Value>, instance: &Value, after: &mut After) {
    for (name, wanted) in call.arguments() {
        match name.as_str() {
            "instance_id" => {}
            // Nothing shows a password but the list of what was changed.
            "password" => {
                let fields = reply.and_then(|reply| reply.get("updated_fields")).and_then(Value::as_array);
                match fields.map(|fields| fields.iter().any(|field| field == "password")) {
                    Some(true) => {}
                    Some(false) => after.differs.push("password isn't among what was changed".to_owned()),
                    None => after.untold.push("password isn't shown".to_owned()),
                }
            }
            "expire_time" => {
                let instant = |value: &Value| value.as_str()?.parse::<Timestamp>().ok();
                let shown = instance.get("expire_time");
                if instant(wanted).is_none() || instant(wanted) != shown.and_then(instant) {
                    after.compare("expire_time", wanted, shown);
                }
            }
            name => after.compare(name, wanted, instance.get(name)),
        }
    }
}

/// R-PM-055
pub(super) fn before_pause(_: &Call, instance: &Value, bars: &mut Vec<Bar>) {
    if one_of(instance, "status", &["paused"]).is_some() {
        let message = "the instance is paused already; only a running instance can be paused";
        bars.push(Bar::new("instance_id", message, "there is nothing to do: tell the user"));
    }
    if let Some(status) = one_of(instance, "status", &OTHERS) {
        bars.push(unfit(status, "only a running instance can be paused"));
    }
}

pub(super) fn after_pause(_: &Call, _: Option<&Value>, instance: &Value, after: &mut After) {
    after.status("status", instance, &["paused"]);
}

/// R-PM-059, R-PM-061. What an instance was made with shows only until a resume with less: the document knows no other
/// place.
pub(super) fn before_resume(call: &Call, instance: &Value, bars: &mut Vec<Bar>) {
    if one_of(instance, "status", &["running"]).is_some() {
        let message = "the instance is running already; only a paused instance can be resumed";
        bars.push(Bar::new("instance_id", message, "there is nothing to do: tell the user"));
    }
    if let Some(status) = one_of(instance, "status", &OTHERS) {
        bars.push(unfit(status, "only a paused instance can be resumed"));
    }
    for name in RESOURCES {
        let (Some(wanted), Some(present)) = (asked(call, name), has(instance, name)) else { continue };
        if number(wanted) > number(present) {
            let present = plain_number(present);
            bars.push(Bar::new(
                &format!("resource_config.{name}"),
                format!("is more than the {present} that the instance has, and a resume can't ask for more"),
                format!("ask for at most {present}, or leave {name} out; pyromind_edit_instance raises what there is"),
            ));
        }
    }
}

pub(super) fn after_resume(call: &Call, _: Option<&Value>, instance: &Value, after: &mut After) {
    after.status("status", instance, &["running", "pending"]);
    if let Some(wanted) = call.arguments().get("resource_config") {
        after.compare("resource_config", wanted, instance.get("resource_config"));
    }
}

fn unfit(status: &str, rule: &str) -> Bar {
    let message = format!("the instance is {status}; {rule}");
    match status {
        "pending" => {
            Bar::new("instance_id", message, "wait until pyromind_get_instance shows that it runs").passing()
        }
        "stopped" => {
            Bar::new("instance_id", message, "tell the user: no call brings a stopped instance back")
        }
        _ => Bar::new("instance_id", message, "look at it with pyromind_get_instance, and tell the user"),
    }
}

/// Whether `call` saves a checkpoint of an instance.
pub(super) fn saves(call: &Call) -> bool {
    call.request::<PauseInstance>().is_some_and(|pause| pause.save_checkpoint != Some(false))
}

/// R-PM-057: checkpoints go to the mounted workspace.
pub(super) fn warnings(_: &Call, instance: &Value) -> Vec<String> {
    let mount = instance.get("workspace_mount").and_then(|mount| mount.get("bucket_name"));
    match mount.and_then(Value::as_str) {
        Some(bucket) if !bucket.is_empty() => Vec::new(),
        Some(_) | None => {
            vec![
                "no workspace is mounted: the document doesn't say where the checkpoint goes then".to_owned(),
            ]
        }
    }
}
