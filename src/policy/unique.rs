//! What two calls must not make twice.

use serde_json::Value;

use crate::spec::Call;
use crate::tools::aiworkspace::workspaces::CreateWorkspace;

/// The name that `call` gives to what it makes, where the cloud takes each name once.
pub fn unique_name(call: &Call) -> Option<&str> {
    call.request::<CreateWorkspace>().map(|request| request.workspace_name.as_str())
}

/// What a call holds while it is under way, so that no other call makes the same: the name, or being the same
/// call. Nothing for a call that changes nothing.
pub fn reservation(call: &Call, account: &str) -> Option<String> {
    if !call.spec().effect.changes() {
        return None;
    }
    let same = match unique_name(call) {
        Some(name) => name.to_owned(),
        None => Value::Object(call.arguments().clone()).to_string(),
    };
    Some(format!("{account}/{}/{}/{same}", call.region().unwrap_or_default(), call.tool().name()))
}
