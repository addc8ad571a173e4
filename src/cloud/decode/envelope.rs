//! PyroMind's answers: everything in an envelope, the error too.
//!
//! The documented envelope is `{code, message, data}`, its code equal to the HTTP status. Deployments of today
//! answer `{success, data, metadata}`, and errors as `{error: {code, message}}` or `{detail}`; both are read.
//! What is in the envelope comes before the status: a batch of which a part failed is a 500 that says of every
//! part what became of it (R-PM-038).

use std::time::Duration;

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{Response, StatusCode};
use serde_json::{Map, Value};

use super::{Answer, object, text, unreadable};
use crate::policy::verdict::{CloudError, Outcome, Raw};

/// The header with the id to give to PyroMind's support.
const TRACE_ID: &str = "x-trace-id";
/// The longest pause that a server can ask for.
const LONGEST_PAUSE: u64 = 3_600;

/// Reads `response` (R-PM-003): an error where the status or the envelope says so.
pub(super) fn answer(response: &Response<Bytes>) -> Answer {
    let status = response.status();
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let request_id = header(TRACE_ID).map(str::to_owned);
    let body = object(response);
    let outcome = match (status.is_success(), body) {
        (true, None) => unreadable(status),
        (_, body) => opened(status, body.unwrap_or_default(), request_id.clone()),
    };
    let retry_after = header(RETRY_AFTER.as_str())
        .and_then(|text| text.parse().ok())
        .map(|seconds: u64| Duration::from_secs(seconds.min(LONGEST_PAUSE)));
    Answer { outcome, status: status.as_u16(), request_id, retry_after }
}

fn opened(status: StatusCode, mut body: Map<String, Value>, request_id: Option<String>) -> Outcome {
    let code = body.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
    let code = code.filter(|code| *code >= 400).unwrap_or_else(|| status.as_u16());
    let failed = code >= 400
        || !status.is_success()
        || body.get("success") == Some(&Value::Bool(false))
        || body.get("error").is_some_and(|error| !error.is_null());
    if !failed {
        let is_envelope = body.contains_key("data");
        let data = body.remove("data").unwrap_or_default();
        return Outcome::Reply(Raw::new(match data {
            _ if !is_envelope => Value::Object(body),
            Value::Null => Value::Object(Map::new()),
            data => data,
        }));
    }
    let error = CloudError {
        status: status.as_u16(),
        code: code.to_string(),
        message: Raw::new(Value::String(message(&body))),
        request_id,
        recommend: None,
        denial: None,
    };
    let has_parts =
        |data: &Value| data.get("results").and_then(Value::as_array).is_some_and(|parts| !parts.is_empty());
    match body.remove("data") {
        Some(data) if code == 500 && has_parts(&data) => Outcome::Partial(error, Raw::new(data)),
        Some(_) | None => Outcome::Failed(error),
    }
}

/// The error's words, wherever they are.
fn message(body: &Map<String, Value>) -> String {
    let error = body.get("error").and_then(Value::as_object);
    text(body, &["message"])
        .or_else(|| text(error?, &["message", "code"]))
        .or_else(|| text(body, &["error", "detail"]))
        .or_else(|| Some(details(body.get("detail")?.as_array()?)))
        .unwrap_or_default()
}

/// What a validation found: its entries' messages.
fn details(entries: &[Value]) -> String {
    let messages: Vec<String> =
        entries.iter().filter_map(|entry| text(entry.as_object()?, &["msg", "message"])).collect();
    messages.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// What came of an answer, in words.
    fn read(status: u16, body: &Value) -> String {
        told(status, body.to_string())
    }

    fn told(status: u16, body: String) -> String {
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        response.headers_mut().insert(TRACE_ID, "trace-1".parse().unwrap());
        let answer = answer(&response);
        assert_eq!(answer.request_id.as_deref(), Some("trace-1"));
        match answer.outcome {
            Outcome::Reply(_) => "reply".to_owned(),
            Outcome::Partial(error, _) => format!("partial {} {}", error.status, error.code),
            Outcome::Failed(error) => format!("failed {} {}", error.status, error.code),
            Outcome::NotSent(_) => "not sent".to_owned(),
            Outcome::Lost(_) => "lost".to_owned(),
        }
    }

    /// R-PM-003: an error where the status or the envelope says so.
    #[test]
    fn the_envelope_counts_as_much_as_the_status() {
        for (status, body, expected) in [
            (200, json!({"code": 200, "message": "ok", "data": {"a": 1}}), "reply"),
            (201, json!({"code": 201, "message": "ok", "data": null}), "reply"),
            (200, json!({"code": 404, "message": "sandbox not found", "data": null}), "failed 200 404"),
            (409, json!({"code": 409, "message": "taken", "data": null}), "failed 409 409"),
            (409, json!({"code": 200, "message": "taken", "data": null}), "failed 409 409"),
            (200, json!({"success": true, "data": {"a": 1}, "metadata": {}}), "reply"),
            (200, json!({"success": false, "message": "no"}), "failed 200 200"),
            (422, json!({"detail": [{"loc": ["body"], "msg": "field required"}]}), "failed 422 422"),
            (500, json!({"error": {"code": "X", "message": "no"}}), "failed 500 500"),
            (200, json!({"sandbox_id": "sbx_1"}), "reply"),
        ] {
            assert_eq!(read(status, &body), expected, "{body}");
        }
        assert_eq!(told(200, "<html>".to_owned()), "lost");
        assert_eq!(told(502, "<html>".to_owned()), "failed 502 502");
        assert_eq!(told(204, String::new()), "reply");
    }

    /// R-PM-038: of a batch that fails in part, what became of each part is kept.
    #[test]
    fn a_failure_with_results_is_a_partial_one() {
        let data = json!({"total_actions": 2, "results": [{"action": "stop", "status": "failed"}]});
        let body = json!({"code": 500, "message": "some batch actions failed", "data": &data});
        assert_eq!(read(500, &body), "partial 500 500");
        for data in
            [json!({"sandbox_id": "sbx_1"}), json!({"results": []}), json!({"results": "none"}), json!([])]
        {
            let body = json!({"code": 500, "message": "failed", "data": data});
            assert_eq!(read(500, &body), "failed 500 500");
        }
        // Anything but a 500 says that none of it was done.
        for status in [401, 403, 409, 429] {
            let body = json!({"code": status, "message": "no", "data": data});
            assert_eq!(read(status, &body), format!("failed {status} {status}"));
        }
    }

    #[test]
    fn the_words_of_an_error_are_found_in_either_form() {
        let words = |body: Value| message(body.as_object().unwrap());
        assert_eq!(words(json!({"message": "a", "error": {"message": "b"}})), "a");
        assert_eq!(words(json!({"error": {"code": "X", "message": "b"}})), "b");
        assert_eq!(words(json!({"error": "c"})), "c");
        assert_eq!(words(json!({"detail": "d"})), "d");
        assert_eq!(words(json!({"detail": [{"msg": "e"}, {"msg": "f"}]})), "e; f");
        assert_eq!(words(json!({})), "");
    }
}
