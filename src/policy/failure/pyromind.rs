//! PyroMind's errors. It has a status for each kind of refusal and says the rest in its message: a 500 may be a
//! shortage, a bucket that it may not use, or a true failure, and none of them goes away by itself (R-PM-016,
//! R-PM-076).

use serde_json::Value;

use super::next_step;
use crate::error::Fault;
use crate::policy::verdict::CloudError;
use crate::spec::marks::Path;
use crate::spec::{Call, Cloud, Effect, Method, Tool};
use crate::tools;

/// What an error is: the rule in whose name it is told, the sentence, the fault, and whether the same call can
/// succeed later.
type Diagnosis = (&'static str, String, Fault, bool);

pub(super) fn diagnose(error: &CloudError, call: &Call) -> Diagnosis {
    let code = error.code.parse().unwrap_or(error.status);
    let message = error.message.open().as_str().unwrap_or_default().to_lowercase();
    match code {
        401 => told(
            "cloud-credentials",
            "PyroMind doesn't accept the server's key",
            "ask the user to check the key that the server was started with; never ask for its value",
        ),
        403 => told(
            "cloud-permission",
            "PyroMind doesn't allow this with the server's key",
            "ask the user what the key is allowed to do, and wait until they say that it is granted; never ask for its \
             value",
        ),
        404 => missing(call, &message),
        429 => {
            let text = "the cloud asks for fewer calls";
            ("cloud-throttled", text.into(), Fault::new("", text, "wait a little, then call again"), true)
        }
        409 => conflict(call, &message),
        _ if is_shortage(&message) => {
            let less = match call.tool().request().field("resource_config") {
                Some(_) => "less in resource_config, or another time",
                None => "another time, or less in use elsewhere",
            };
            let fix = format!(
                "tell the user: {less}; GPUs are shared, and no call shows the quota; {}",
                look(call)
            );
            told("cloud-capacity", "PyroMind doesn't have, or doesn't grant, the resources for it", fix)
        }
        _ if has(&message, &["bucket", "storage"])
            && has(&message, &["denied", "permission", "forbidden"]) =>
        {
            storage(call)
        }
        500.. if call.tool().reply().hands_over() && has(&message, &["token", "auth service"]) => told(
            "cloud-token-service",
            "PyroMind couldn't make a token",
            "the instance itself may be well: tell the user, and call again only when they want it",
        ),
        500.. if has(&message, &["unresponsive"]) => told(
            "cloud-unresponsive",
            "the sandbox doesn't respond; it may have been carried out in part",
            format!("{}; a restart is the user's decision", look(call)),
        ),
        500.. if has(&message, &["backup"]) => told(
            "cloud-backup",
            format!("the backup failed; whether {} is still there isn't known", subject(call)),
            format!("{}{NO_OTHER_WAY}", look(call)),
        ),
        500.. if message.contains("checkpoint") && message.contains("corrupt") => told(
            "cloud-checkpoint",
            "the checkpoint can't be loaded: its file is corrupted",
            format!("{}; tell the user: only they choose another checkpoint", look(call)),
        ),
        500.. if has(&message, &["checkpoint"]) => told(
            "cloud-checkpoint",
            "PyroMind couldn't save or load the checkpoint; what state it left isn't known",
            format!("{}; going on without a checkpoint, or from another, is the user's decision", look(call)),
        ),
        500.. => {
            let text = format!("the cloud failed on its side ({code})");
            let changes = call.spec().effect.changes();
            let fix = if changes { look(call) } else { next_step(call).to_owned() };
            ("cloud-failure", text.clone(), Fault::new("", text, fix), !changes)
        }
        _ if has(&message, &["cannot "]) => told(
            "cloud-state",
            format!("it can't be done in the state that {} is in", subject(call)),
            format!("{}; {}", look(call), state_needed(call)),
        ),
        _ => told(
            "cloud-refused",
            format!("the cloud refused the arguments ({code})"),
            "read the cloud's message, mend the arguments, call again",
        ),
    }
}

/// A failure of which nothing says that the same call could succeed by itself.
fn told(rule: &'static str, text: impl Into<String>, fix: impl Into<String>) -> Diagnosis {
    let text = text.into();
    (rule, text.clone(), Fault::new("", text, fix), false)
}

fn has(message: &str, words: &[&str]) -> bool {
    words.iter().any(|word| message.contains(word))
}

fn is_shortage(message: &str) -> bool {
    has(message, &["shortage", "quota"])
        || (message.contains("insufficient") && has(message, &["resource", "gpu", "cpu", "memory"]))
}

/// What the call is about: `sandbox sbx_1`, or `it` where it is about no single thing.
fn subject(call: &Call) -> String {
    match (reader(call), call.tool().subject().and_then(|argument| call.text(argument))) {
        (Some(get), Some(id)) => format!("{} {id}", noun(get)),
        (_, _) => "it".to_owned(),
    }
}

/// `training job` for `pyromind_get_training_job`.
fn noun(get: &Tool) -> String {
    get.name().strip_prefix("pyromind_get_").unwrap_or(get.name()).replace('_', " ")
}

/// The tool that shows what the call is about.
fn reader(call: &Call) -> Option<&'static Tool> {
    let (before, _) = call.spec().route.path.split_once('}')?;
    tools::all().find(|tool| is_read(tool) && tool.spec().route.path.strip_suffix('}') == Some(before))
}

/// The tool that lists such things as the call is about.
fn lister(call: &Call) -> Option<&'static Tool> {
    let (before, _) = call.spec().route.path.split_once("/{")?;
    tools::all().find(|tool| is_read(tool) && tool.spec().route.path == before)
}

fn is_read(tool: &Tool) -> bool {
    tool.spec().cloud == Cloud::PyroMind && tool.spec().route.method == Method::Get
}

/// Where to look before anything is tried again.
fn look(call: &Call) -> String {
    if let Some(unique) = call.spec().unique() {
        return format!("look with {} whether it was made after all, before trying again", unique.list.tool);
    }
    match reader(call) {
        Some(get) => format!("look at its state with {} before trying again", get.name()),
        None => next_step(call).to_owned(),
    }
}

/// What is never tried instead of a backup (R-PM-051).
const NO_OTHER_WAY: &str = "; deleting without a backup is the user's decision";

/// The state that a call needs (R-PM-055, R-PM-059, R-PM-097, R-PM-100).
fn state_needed(call: &Call) -> &'static str {
    let (path, needs_instance) = (call.spec().route.path, call.tool().subject() == Some("instance_id"));
    match path.rsplit('/').next() {
        Some("pause") if needs_instance => "only a running instance can be paused",
        Some("pause") => {
            "only a running job can be paused; one in success, completed, failed or canceled has ended for good"
        }
        Some("resume") if needs_instance => {
            "only a paused instance can be resumed; no call brings a stopped one back"
        }
        Some("resume") => "only a paused job can be resumed; one that has ended can be submitted anew",
        Some(_) | None => "the cloud's message says which state it would have to be in",
    }
}

/// One message stands for several causes, and none of them is that somebody deleted it (R-PM-014, R-PM-034,
/// R-PM-103).
fn missing(call: &Call, message: &str) -> Diagnosis {
    let rule = "cloud-not-found";
    let Some(argument) = call.tool().subject() else {
        return missing_model(call, message);
    };
    let subject = subject(call);
    let path = call.spec().route.path;
    let list = lister(call).map_or("a list", Tool::name);
    let (text, fix) = if path.ends_with("/vnc") {
        (
            format!(
                "{subject} wasn't found, or has no VNC: it isn't enabled, or the sandbox doesn't run; the cloud doesn't say \
                 which"
            ),
            "call pyromind_get_sandbox to tell the two apart; VNC is there only while the status is running"
                .to_owned(),
        )
    } else if message.contains("checkpoint") {
        (
            format!("{subject} wasn't found, or the checkpoint wasn't; the cloud doesn't say which"),
            format!(
                "compare the id with {list}; a checkpoint's name comes from the user or from the result of a pause: \
                 don't make one up or take another"
            ),
        )
    } else {
        (
            format!("{subject} wasn't found: the id is wrong, or it has expired or been deleted"),
            format!("compare the id with {list} and ask the user; don't take another"),
        )
    };
    (rule, text.clone(), Fault::new(argument, text, fix), false)
}

/// A create that isn't found names a model that isn't (R-PM-069); anything else has another address.
fn missing_model(call: &Call, message: &str) -> Diagnosis {
    let rule = "cloud-not-found";
    match call.text("model_name").filter(|_| message.contains("model")) {
        Some(model) => {
            let version = call.text("model_version").unwrap_or("latest");
            let text = format!("PyroMind has no model {model} of version {version}; nothing was created");
            let fix = "ask the user for a model that was uploaded to the platform; don't take another";
            (rule, text.clone(), Fault::new("model_name", text, fix), false)
        }
        None => told(
            rule,
            "there is nothing at this address",
            "ask the user to check the endpoint that the server was started with",
        ),
    }
}

fn conflict(call: &Call, message: &str) -> Diagnosis {
    let rule = "cloud-conflict";
    match (call.spec().unique(), call.spec().effect) {
        (Some(unique), _) => {
            let text = format!("the name is taken by another {}; nothing was created", unique.noun);
            let fix = "ask the user for another name; never make one up";
            (rule, text.clone(), Fault::new(unique.name, text, fix), false)
        }
        (None, Effect::Destroy) if message.contains("running") => {
            let text = if message.contains("tasks") {
                format!("tasks run in {}, so it wasn't deleted", subject(call))
            } else {
                format!("{} runs, so it wasn't deleted", subject(call))
            };
            told(rule, text, busy(call))
        }
        (None, Effect::Update) if message.contains("name") => {
            let text = "the new name is taken by another instance; nothing was changed";
            let fix = "ask the user for another name; never make one up";
            (rule, text.to_owned(), Fault::new("name", text, fix), false)
        }
        (None, _) => {
            told(rule, format!("the cloud says that this conflicts with {}", subject(call)), look(call))
        }
    }
}

/// What to do about what runs. The server never takes the harder way by itself (R-PM-021, R-PM-050, R-PM-082,
/// R-PM-095).
fn busy(call: &Call) -> &'static str {
    let request = call.tool().request();
    match (request.field("force"), request.field("delete_logs"), request.field("delete_output")) {
        (None, _, _) => {
            "tell the user: pause it, then delete it; force, which the cloud's message may name, is no documented parameter \
             here"
        }
        (Some(_), Some(_), _) => {
            "tell the user: pause it first, wait until it has ended, or delete with force true, which ends it at once and \
             may corrupt partial checkpoints; that is the user's decision"
        }
        (Some(_), None, Some(_)) => {
            "tell the user: wait until it has ended, or delete with force true, which ends it at once and keeps what it \
             has processed; that is the user's decision"
        }
        (Some(_), None, None) => {
            "tell the user: wait until they have ended, or delete with force true, which kills them for good; that is the \
             user's decision"
        }
    }
}

fn storage(call: &Call) -> Diagnosis {
    let arguments = Value::Object(call.arguments().clone());
    let mut named = Vec::new();
    buckets(&arguments, &Path::Root, &mut named);
    let (path, bucket) = named.pop().unwrap_or_default();
    let text = match bucket.as_str() {
        "" => "PyroMind may not use a bucket that this needs; what state it left isn't known".to_owned(),
        bucket => format!("PyroMind may not use the bucket {bucket}; what state it left isn't known"),
    };
    let other = if call.text("backup_bucket").is_some() { NO_OTHER_WAY } else { "" };
    let fix = format!("ask the user to grant PyroMind access to it; {}{other}", look(call));
    ("cloud-storage-permission", text.clone(), Fault::new(path, text, fix), false)
}

/// The buckets that are named in `value`, and where.
fn buckets(value: &Value, path: &Path<'_>, found: &mut Vec<(String, String)>) {
    let Value::Object(object) = value else { return };
    for (name, value) in object {
        let path = Path::Field(path, name);
        match value {
            Value::String(bucket) if name.ends_with("bucket") || name == "bucket_name" => {
                found.push((path.to_string(), bucket.clone()));
            }
            value => buckets(value, &path, found),
        }
    }
}

#[cfg(test)]
mod tests;
