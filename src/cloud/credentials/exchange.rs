//! Asking for credentials over the network: one request, one bounded answer, no repetition.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, HeaderValue, USER_AGENT};
use http::{Method, Request, Response};
use jiff::Timestamp;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::error::Trouble;
use super::key::AccessKey;
use super::session::Session;
use super::surroundings::Surroundings;
use crate::cloud::OWN_AGENT;
use crate::cloud::endpoint::Endpoints;
use crate::cloud::skew::Skew;
use crate::cloud::transport::Transport;
use crate::cloud::transport::http::Patience;

/// What asking needs.
pub(super) struct Exchange {
    pub(super) surroundings: Arc<dyn Surroundings>,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) endpoints: Endpoints,
    pub(super) skew: Arc<Skew>,
}

impl Exchange {
    /// Sends a request, once.
    pub(super) async fn answer(
        &self,
        mut request: Request<Bytes>,
        at: Timestamp,
        patience: Patience,
    ) -> Result<Response<Bytes>, Trouble> {
        request.extensions_mut().insert(patience);
        self.transport.send(request, at).await.map_err(|error| Trouble::Unreachable(error.to_string()))
    }

    /// Reads a file off the runtime's threads.
    pub(super) async fn read(&self, path: PathBuf, file: &'static str) -> Result<Zeroizing<String>, Trouble> {
        let surroundings = Arc::clone(&self.surroundings);
        let read = tokio::task::spawn_blocking(move || surroundings.read(&path)).await;
        match read.unwrap_or_else(|_| Err(io::ErrorKind::Interrupted.into())) {
            Ok(Some(text)) => Ok(text),
            Ok(None) => Err(Trouble::Unreadable { file, kind: io::ErrorKind::NotFound }),
            Err(error) => Err(Trouble::Unreadable { file, kind: error.kind() }),
        }
    }
}

/// A request that asks for credentials.
pub(super) fn request(
    method: Method,
    address: &str,
    headers: &[(&'static str, &str)],
    body: Bytes,
) -> Result<Request<Bytes>, Trouble> {
    let mut request = Request::builder().method(method).uri(address).header(USER_AGENT, OWN_AGENT);
    request = request.header(ACCEPT, "application/json");
    for (name, value) in headers {
        // Some of these are credentials; printing a request must not show them.
        let mut value = HeaderValue::from_str(value).map_err(|error| Trouble::Request(error.to_string()))?;
        value.set_sensitive(true);
        request = request.header(*name, value);
    }
    request.body(body).map_err(|error| Trouble::Request(error.to_string()))
}

/// Credentials as STS, the instance and addresses answer them.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Answer {
    code: Option<String>,
    access_key_id: Zeroizing<String>,
    access_key_secret: Zeroizing<String>,
    security_token: Option<Zeroizing<String>>,
    expiration: Option<String>,
}

/// The same as STS wraps it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wrapped {
    credentials: Answer,
}

/// The code of an error.
#[derive(Deserialize)]
struct Refusal {
    #[serde(alias = "Code")]
    code: String,
}

/// The answer to `what`, if it is one.
pub(super) fn accepted(what: &'static str, response: &Response<Bytes>) -> Result<(), Trouble> {
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let code = serde_json::from_slice::<Refusal>(response.body()).ok().map(|refusal| refusal.code);
    let code = code.filter(|code| is_plain(code));
    Err(Trouble::Refused { what, status: status.as_u16(), code })
}

/// Whether a code is one, and not something that only stands in its place.
fn is_plain(code: &str) -> bool {
    (1..=64).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// The session in an answer of STS.
pub(super) fn of_sts(what: &'static str, response: &Response<Bytes>) -> Result<Session, Trouble> {
    accepted(what, response)?;
    let answer = serde_json::from_slice::<Wrapped>(response.body()).ok().map(|wrapped| wrapped.credentials);
    answer.and_then(session).filter(|session| session.expires.is_some()).ok_or(Trouble::Answer(what))
}

/// The session in an answer of an instance or an address.
pub(super) fn of_flat(what: &'static str, response: &Response<Bytes>) -> Result<Session, Trouble> {
    accepted(what, response)?;
    let answer = serde_json::from_slice::<Answer>(response.body()).ok();
    let answer = answer.filter(|answer| answer.code.as_deref().is_none_or(|code| code == "Success"));
    answer.and_then(session).ok_or(Trouble::Answer(what))
}

fn session(answer: Answer) -> Option<Session> {
    let expires = match answer.expiration.as_deref().filter(|text| !text.is_empty()) {
        Some(text) => Some(text.parse().ok()?),
        None => None,
    };
    let pair = AccessKey::new(
        answer.access_key_id.to_string(),
        answer.access_key_secret.to_string(),
        answer.security_token.map(|token| token.to_string()),
    )?;
    Some(Session { pair, expires })
}
