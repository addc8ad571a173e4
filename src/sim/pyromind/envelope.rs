//! The envelope of every answer: `{code, message, data}`, the code being the HTTP status.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use serde_json::{Value, json};

/// What an operation comes to.
pub(in crate::sim) type Answer = Result<Success, Failure>;

#[derive(Debug)]
pub(in crate::sim) struct Success {
    status: StatusCode,
    message: &'static str,
    data: Value,
}

impl Success {
    pub(super) fn ok(message: &'static str, data: Value) -> Self {
        Self { status: StatusCode::OK, message, data }
    }

    pub(super) fn created(message: &'static str, data: Value) -> Self {
        Self { status: StatusCode::CREATED, message, data }
    }
}

#[derive(Debug)]
pub(in crate::sim) struct Failure {
    status: StatusCode,
    message: String,
    /// Null, but for a batch that failed in part.
    data: Value,
}

impl Failure {
    pub(in crate::sim) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), data: Value::Null }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "missing or invalid api key")
    }

    pub(super) fn not_found(message: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// No operation has this method and path.
    pub(in crate::sim) fn no_endpoint() -> Self {
        Self::not_found("endpoint not found")
    }

    pub(super) fn conflict(message: &str) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    /// What PyroMind calls a server error: shortages and denied buckets too.
    pub(super) fn failed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    /// Some actions of a batch failed: the one failure that has data.
    pub(super) fn in_part(message: &str, data: Value) -> Self {
        Self { data, ..Self::failed(message) }
    }
}

/// The HTTP answer.
pub(in crate::sim) fn render(answer: Answer, trace_id: &str) -> Response<Bytes> {
    let (status, message, data) = match answer {
        Ok(Success { status, message, data }) => (status, message.to_owned(), data),
        Err(Failure { status, message, data }) => (status, message, data),
    };
    let envelope = json!({"code": status.as_u16(), "message": message, "data": data});
    let mut response = Response::new(Bytes::from(envelope.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(id) = HeaderValue::from_str(trace_id) {
        headers.insert("x-trace-id", id);
    }
    response
}
