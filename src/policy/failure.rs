//! A cloud's error in words that an agent can act on: what happened, whose turn it is, what to do next.

mod pyromind;
mod template;

use serde_json::Value;

use super::load::sequence::Ended;
use super::permissions;
use super::plain::plain;
use super::refusal::{CloudFailure, Refusal};
use super::verdict::{CloudError, Outcome, Raw};
use crate::error::Fault;
use crate::spec::{Call, Vendor};

/// The codes by which AIWorkSpace says that a workspace doesn't exist: R-WS-74, and the two that the public
/// Terraform provider knows.
const NO_WORKSPACE: [&str; 3] = ["100400027", "100400008", "100700008"];

/// The codes by which AIWorkSpace says that an asset doesn't exist, as the public Terraform provider knows them;
/// what it is, the argument that names it, and where those that exist are listed.
const NO_ASSET: [(&str, &str, &str, &str); 2] = [
    ("201300003", "dataset", "DatasetId", "aiworkspace_list_datasets"),
    ("201400002", "code source", "CodeSourceId", "aiworkspace_list_code_sources"),
];

/// The refusal that `error` becomes.
pub(super) fn explain(error: &CloudError, call: &Call) -> Refusal {
    let message = error.message.open().as_str().unwrap_or_default();
    let (rule, text, fault, retryable) = match (error.status, call.spec().cloud.vendor()) {
        (300..400, _) => redirected(error),
        _ if is_from_between(error) => from_between(error),
        (_, Vendor::Alibaba) => diagnose(error, call),
        (_, Vendor::PyroMind) => pyromind::diagnose(error, call),
    };
    Refusal {
        reason: None,
        error: text,
        rule: rule.to_owned(),
        violations: vec![fault],
        retryable,
        cloud: Some(Box::new(CloudFailure {
            status: error.status,
            code: readable(&error.code),
            message: readable(message),
            request_id: error.request_id.as_deref().map(readable),
            recommend: error.recommend.as_deref().map(readable),
        })),
    }
}

/// The most characters of a cloud's words that are shown.
const LONGEST: usize = 2_000;

/// A cloud's words, which may repeat what a stranger wrote: plain, and no more than can be read.
fn readable(words: &str) -> String {
    let (plain, _) = plain(words);
    let mut shown: String = plain.chars().take(LONGEST).collect();
    if shown.len() < plain.len() {
        shown.push('…');
    }
    shown
}

fn redirected(error: &CloudError) -> (&'static str, String, Fault, bool) {
    let text = format!("the cloud answered with a redirect ({}), and none is followed", error.status);
    let fix = "tell the operator: the address of this service is wrong, see --endpoint";
    ("cloud-redirect", text.clone(), Fault::new("", text, fix), false)
}

/// The refusal that tells of a failure of a part (R-PM-037, R-PM-038). The result stands beside it.
pub(super) fn explain_partial(error: &CloudError, result: &Raw, call: &Call) -> Refusal {
    let parts = result.open().get("results").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let done =
        |part: &&Value| matches!(part.get("status").and_then(Value::as_str), Some("success" | "completed"));
    let failed = parts.len() - parts.iter().filter(done).count();
    let text = format!("of {} parts, {failed} failed", parts.len());
    let fault = Fault::new(
        "",
        text.clone(),
        "read in the result what became of each part; what succeeded is done, so repeat only what failed, once its cause is mended",
    );
    Refusal {
        error: text,
        rule: "cloud-partial-failure".to_owned(),
        violations: vec![fault],
        retryable: false,
        ..explain(error, call)
    }
}

fn diagnose(error: &CloudError, call: &Call) -> (&'static str, String, Fault, bool) {
    if error.status == 404 && NO_WORKSPACE.contains(&error.code.as_str()) {
        let id = call.workspace().unwrap_or_default();
        let text = format!("workspace {id} does not exist in {}", call.region().unwrap_or_default());
        let fix = "tell the user that this workspace id doesn't exist; don't search for another";
        return ("cloud-not-found", text.clone(), Fault::new("WorkspaceId", text, fix), false);
    }
    if let Some((_, noun, argument, list)) = NO_ASSET.iter().find(|(code, ..)| *code == error.code) {
        let text = format!("there is no such {noun} in {}", call.region().unwrap_or_default());
        let fix = format!("call {list} and use an id that it returns, or ask the user");
        return ("cloud-not-found", text.clone(), Fault::new(*argument, text, fix), false);
    }
    if is_denied(error) {
        return denied(error, call);
    }
    if error.code.starts_with("Throttling") || error.status == 429 {
        let text = "the cloud asks for fewer calls".to_owned();
        return (
            "cloud-throttled",
            text.clone(),
            Fault::new("", text, "wait a little, then call again"),
            true,
        );
    }
    if error.code.starts_with("InvalidAccessKeyId")
        || error.code.starts_with("Signature")
        || error.code.contains("SecurityToken")
    {
        let text = "the cloud doesn't accept the server's credentials".to_owned();
        let fix = "ask the user to check the credentials that the server was started with; never ask for their values";
        return ("cloud-credentials", text.clone(), Fault::new("", text, fix), false);
    }
    if error.code.starts_with("InvalidTimeStamp") {
        let text = "the cloud says that this machine's clock is off".to_owned();
        return (
            "cloud-clock",
            text.clone(),
            Fault::new(
                "",
                text,
                "ask the user to set the machine's clock; the cloud did nothing, and if it told its time, the same \
                 call again is signed by that",
            ),
            true,
        );
    }
    if let Some(known) = template::diagnose(error, call) {
        return known;
    }
    if error.status >= 500 {
        let text = format!("the cloud failed on its side ({})", error.status);
        return (
            "cloud-failure",
            text.clone(),
            Fault::new("", text, next_step(call)),
            !call.spec().effect.changes(),
        );
    }
    let text = format!("the cloud refused the call ({})", error.status);
    (
        "cloud-refused",
        text.clone(),
        Fault::new("", text, "read the cloud's message, mend the arguments, call again"),
        false,
    )
}

/// How a call ended, for what rules of sequence go by.
pub(super) fn ended(outcome: &Outcome) -> Ended {
    match outcome {
        Outcome::Reply(_) => Ended::Answered,
        Outcome::Failed(error) if is_denied(error) => Ended::Denied,
        Outcome::Failed(error) if is_missing(error) => Ended::Missing,
        Outcome::Failed(_) | Outcome::Partial(..) | Outcome::NotSent(_) | Outcome::Lost(_) => Ended::Failed,
    }
}

/// Whether what the call named doesn't exist.
fn is_missing(error: &CloudError) -> bool {
    let code = error.code.as_str();
    (error.status == 404 && !code.starts_with("InvalidAccessKeyId"))
        || code == "404"
        || NO_WORKSPACE.contains(&code)
}

/// After a failure of the cloud a write may have been carried out all the same.
fn next_step(call: &Call) -> &'static str {
    if call.spec().effect.changes() {
        "it may have been carried out: look before trying again"
    } else {
        "call again in a moment"
    }
}

/// Whether the answer comes from something between this machine and the cloud, such as a proxy: the clouds' own
/// refusals have a code or words, and an id.
fn is_from_between(error: &CloudError) -> bool {
    let says = error.message.open().as_str().is_some_and(|message| !message.is_empty());
    error.status == 407 || (matches!(error.status, 403 | 511) && !says && error.request_id.is_none())
}

fn from_between(error: &CloudError) -> (&'static str, String, Fault, bool) {
    let text = format!(
        "something between this machine and the cloud, such as a proxy, answered {} in its place",
        error.status
    );
    let fix = "tell the user: it isn't a permission of the account that is missing; the operator has the proxy let this \
               address through";
    ("cloud-proxy", text.clone(), Fault::new("", text, fix), false)
}

/// Whether RAM refused the call.
pub(super) fn is_denied(error: &CloudError) -> bool {
    if is_from_between(error) {
        return false;
    }
    error.denial.is_some()
        || error.code.starts_with("Forbidden")
        || error.code.starts_with("NoPermission")
        || error.code.contains("AccessDenied")
        || (error.status == 403 && !error.code.starts_with("Throttling"))
}

/// Every permission that the product's tools need, the missing one first (R-WS-29, R-DLC-63, R-DLC-87).
fn denied(error: &CloudError, call: &Call) -> (&'static str, String, Fault, bool) {
    let spec = call.spec();
    let missing = error
        .denial
        .as_ref()
        .and_then(|denial| denial.action.as_deref())
        .filter(|action| !action.is_empty())
        .or_else(|| permissions::of(spec));
    let needed = permissions::of_product(spec);
    let product = spec.cloud.title();
    let text = match missing {
        Some(action) => format!("the account lacks the permission {action}"),
        None => format!("the account lacks the permission for {}", spec.action),
    };
    let denied = error.denial.as_ref().and_then(|denial| denial.reason.as_deref()) == Some("ExplicitDeny");
    let explicitly =
        if denied { "; a RAM policy denies it explicitly, so a grant alone won't do" } else { "" };
    let fix = format!(
        "ask the user to have it granted in RAM, and wait until they say it is; the {product} tools need {}; the \
         ram-permission-diagnose skill can guide the request",
        needed.join(", ")
    );
    let text = format!("{text}{explicitly}");
    ("cloud-permission", text.clone(), Fault::new("", text, fix), false)
}
