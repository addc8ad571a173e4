//! Answers on the wire: what went well, and what went wrong in the words of the cloud's gateway.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use serde_json::{Map, Value, json};

use super::world::canaries;

/// An error of the cloud.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CloudError {
    pub(super) status: StatusCode,
    pub(super) code: String,
    pub(super) message: String,
    /// The RAM action that was denied.
    pub(super) denied: Option<&'static str>,
}

impl CloudError {
    pub(super) fn new(status: StatusCode, code: impl Into<String>, message: String) -> Self {
        Self { status, code: code.into(), message, denied: None }
    }

    pub(super) fn bad_request(code: impl Into<String>, message: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// A parameter that is there but wrong; the code ends in its name, the message holds its whole path.
    pub(super) fn invalid(path: &str, demand: &str) -> Self {
        Self::bad_request(format!("InvalidParameter.{}", leaf(path)), format!("{path} {demand}."))
    }

    /// A parameter that must be there.
    pub(super) fn missing(path: &str) -> Self {
        Self::bad_request(
            format!("MissingParameter.{}", leaf(path)),
            format!("{path} is mandatory for this action."),
        )
    }

    pub(super) fn workspace_not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "100400027", "Workspace not exists".to_owned())
    }

    pub(super) fn not_activated() -> Self {
        Self::bad_request("ServiceNotActivated", "PAI is not activated in this region.".to_owned())
    }

    /// A denial by RAM, which names the principal as the real one does.
    pub(super) fn denied(action: &'static str) -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            code: "Forbidden.RAM".to_owned(),
            message: format!(
                "User {} not authorized to operate on the specified resource: {action}.",
                canaries::PRINCIPAL_NAME
            ),
            denied: Some(action),
        }
    }

    fn body(&self, request_id: &str, host: &str) -> Map<String, Value> {
        let mut body = Map::new();
        body.insert("Code".to_owned(), json!(self.code));
        body.insert("Message".to_owned(), json!(self.message));
        body.insert("RequestId".to_owned(), json!(request_id));
        body.insert("HostId".to_owned(), json!(host));
        let recommend = format!("https://api.aliyun.com/troubleshoot?q={}&requestId={request_id}", self.code);
        body.insert("Recommend".to_owned(), json!(recommend));
        if let Some(action) = self.denied {
            let detail = json!({
                "AuthAction": action,
                "AuthPrincipalDisplayName": canaries::PRINCIPAL_NAME,
                "AuthPrincipalOwnerId": canaries::PRINCIPAL_OWNER_ID,
                "AuthPrincipalType": "SubUser",
                "NoPermissionType": "ImplicitDeny",
                "PolicyType": "AccountLevelIdentityBasedPolicy",
                "EncodedDiagnosticMessage": canaries::DIAGNOSTIC_MESSAGE,
            });
            body.insert("AccessDeniedDetail".to_owned(), detail);
        }
        body
    }
}

fn leaf(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// What went well.
pub(super) struct Answer {
    pub(super) body: Map<String, Value>,
    /// Whether the body names the request. Dashboards leave that to a header.
    pub(super) names_request: bool,
}

/// The HTTP answer; a success gets its `RequestId` here.
pub(super) fn render(result: Result<Answer, CloudError>, request_id: &str, host: &str) -> Response<Bytes> {
    let (status, body) = match result {
        Ok(Answer { mut body, names_request }) => {
            if names_request {
                // Some replies have another place for it.
                let name = if body.contains_key("RequestID") { "RequestID" } else { "RequestId" };
                body.insert(name.to_owned(), json!(request_id));
            }
            (StatusCode::OK, body)
        }
        Err(error) => (error.status, error.body(request_id, host)),
    };
    let mut response = Response::new(Bytes::from(Value::Object(body).to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json;charset=utf-8"));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("x-acs-request-id", id);
    }
    response
}

/// A JSON object from its fields; those without a value are left out, as the cloud does.
pub(super) fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Map<String, Value> {
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}
