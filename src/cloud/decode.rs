//! What an answer of a cloud means.
//!
//! Lenient where the clouds are inconsistent: codes that are numbers, keys in either case. A body is sealed
//! ([`Raw`]) as soon as it is parsed.

mod envelope;

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Map, Value};

use crate::policy::verdict::{CloudError, Denial, Outcome, Raw};
use crate::spec::Vendor;

/// The header that holds the id of the request.
const REQUEST_ID: &str = "x-acs-request-id";
/// The header that asks for a pause, in milliseconds.
const RETRY_AFTER: &str = "x-acs-retry-after";

/// An answer, decoded.
pub struct Answer {
    /// What became of the call.
    pub outcome: Outcome,
    /// The HTTP status.
    pub status: u16,
    /// The cloud's id of the request.
    pub request_id: Option<String>,
    /// The pause that the cloud asks for.
    pub retry_after: Option<Duration>,
}

/// Reads a response of a service of `vendor`.
pub fn answer(vendor: Vendor, response: &Response<Bytes>) -> Answer {
    match vendor {
        Vendor::Alibaba => acs(response),
        Vendor::PyroMind => envelope::answer(response),
    }
}

/// What stands for a success whose body isn't a JSON object: it was done, and nobody can say what came of it.
fn unreadable(status: StatusCode) -> Outcome {
    Outcome::Lost(format!("the cloud answered {} with a body that isn't a JSON object", status.as_u16()))
}

/// The body, if it is a JSON object; an empty one counts as an empty object.
fn object(response: &Response<Bytes>) -> Option<Map<String, Value>> {
    match response.body() {
        body if body.is_empty() => Some(Map::new()),
        body => serde_json::from_slice(body).ok(),
    }
}

/// Reads a response of Alibaba Cloud.
fn acs(response: &Response<Bytes>) -> Answer {
    let status = response.status();
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let body = object(response);
    let request_id = body
        .as_ref()
        .and_then(|body| text(body, &["RequestId", "requestId", "requestid"]))
        .or_else(|| header(REQUEST_ID).map(str::to_owned));
    let outcome = match body {
        Some(body) if status.is_success() => Outcome::Reply(Raw::new(Value::Object(body))),
        None if status.is_success() => unreadable(status),
        body => Outcome::Failed(error(status.as_u16(), &body.unwrap_or_default(), request_id.clone())),
    };
    let retry_after = header(RETRY_AFTER).and_then(|text| text.parse().ok()).map(Duration::from_millis);
    Answer { outcome, status: status.as_u16(), request_id, retry_after }
}

fn error(status: u16, body: &Map<String, Value>, request_id: Option<String>) -> CloudError {
    let message = text(body, &["Message", "message"]).unwrap_or_default();
    let denial = ["AccessDeniedDetail", "accessDeniedDetail"]
        .iter()
        .find_map(|key| body.get(*key)?.as_object())
        .map(|detail| Denial {
            action: text(detail, &["AuthAction"]),
            reason: text(detail, &["NoPermissionType"]),
            principal: ["AuthPrincipalDisplayName", "AuthPrincipalOwnerId", "EncodedDiagnosticMessage"]
                .iter()
                .filter_map(|key| text(detail, &[key]))
                .map(|name| Raw::new(Value::String(name)))
                .collect(),
        });
    CloudError {
        status,
        code: text(body, &["Code", "code"]).unwrap_or_default(),
        message: Raw::new(Value::String(message)),
        request_id,
        recommend: text(body, &["Recommend", "recommend"]),
        denial,
    }
}

/// The first of `keys` that holds text or a number.
fn text(object: &Map<String, Value>, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| match object.get(*key)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
    })
}
