//! The client of the clouds: encode, sign, send, decode.
//!
//! [`Client::send`] takes nothing but a [`Cleared`] call, so no request leaves that the policy didn't clear.
//! [`preview`] shows the request that a call would become; it has no transport and no credentials.
//!
//! | room | what is in it |
//! |---|---|
//! | [`encode`] | a call's arguments as path, query and body |
//! | [`endpoint`] | where a service is, per region |
//! | [`credentials`] | who signs |
//! | [`sign`] | signatures |
//! | [`transport`] | the seam: real HTTP, or the simulator |
//! | [`retry`] | whether to try again |
//! | [`decode`] | what an answer means |

pub mod credentials;
pub mod decode;
pub mod encode;
pub mod endpoint;
pub mod retry;
pub mod sign;
pub mod transport;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use http::header::{ACCEPT, HeaderValue, USER_AGENT};
use http::{HeaderName, Method as HttpMethod, Request};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::time::{Instant, sleep};

use crate::audit::CloudCall;
use crate::policy::mask::MaskedCall;
use crate::policy::verdict::{Cleared, CloudError, Outcome};
use crate::spec::{Call, Method, Spec, Tool};
use credentials::{Chain, Credentials, CredentialsError};
use encode::{EncodeError, Wire};
use endpoint::{EndpointError, Endpoints};
use retry::{Attempt, Decision, End};
use sign::{SignError, Signature};
use transport::{Transport, TransportError};

const ACTION: HeaderName = HeaderName::from_static("x-acs-action");
const VERSION: HeaderName = HeaderName::from_static("x-acs-version");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What a preview shows in place of what only a real request has.
const PLACEHOLDER: &str = "<set when the request is sent>";

/// Why a request couldn't be made. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// There is nothing to sign with.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The call can't travel.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// There is no address.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// It can't be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// Its parts don't make an HTTP request.
    #[error("the request can't be made: {0}")]
    Http(#[from] http::Error),
    /// The system gave no randomness for the nonce.
    #[error("the system gave no random bytes: {0}")]
    Random(#[from] getrandom::Error),
}

/// What became of a cleared call.
pub struct Sent {
    /// What the cloud made of it.
    pub outcome: Outcome,
    /// The requests that went out, for the record.
    pub calls: Vec<CloudCall>,
}

/// Sends cleared calls.
pub struct Client {
    transport: Arc<dyn Transport>,
    credentials: Chain,
    endpoints: Endpoints,
    signature: Signature,
    deadline: Duration,
}

impl Client {
    /// A client. `deadline` bounds a call with its retries.
    pub fn new(
        transport: Arc<dyn Transport>,
        credentials: Chain,
        endpoints: Endpoints,
        signature: Signature,
        deadline: Duration,
    ) -> Self {
        Self { transport, credentials, endpoints, signature, deadline }
    }

    /// The credentials that a call would be signed with.
    ///
    /// # Errors
    /// When no provider has any.
    pub fn credentials(&self) -> Result<Credentials, CredentialsError> {
        self.credentials.credentials()
    }

    /// Sends a call at the instant `at`. Reads are tried again where that can help; writes never are.
    ///
    /// # Errors
    /// [`RequestError`] when nothing could be sent.
    pub async fn send(&self, cleared: Cleared, at: Timestamp) -> Result<Sent, RequestError> {
        let call = cleared.call();
        let credentials = self.credentials()?;
        let began = Instant::now();
        let mut calls = Vec::new();
        for number in 1.. {
            let mut random = [0; 17];
            getrandom::fill(&mut random)?;
            let [jitter, nonce @ ..] = random;
            let request = self.request(call, &credentials, at, &HEXLOWER.encode(&nonce))?;
            let sent = Instant::now();
            let exchange = self.transport.send(request, at).await;
            let ms = u64::try_from(sent.elapsed().as_millis()).unwrap_or(u64::MAX);
            let answer = exchange.as_ref().map(decode::answer);
            let (end, status, request_id) = match &answer {
                Ok(answer) => (
                    End::Answered {
                        status: answer.status,
                        code: code(&answer.outcome),
                        retry_after: answer.retry_after,
                    },
                    Some(answer.status),
                    answer.request_id.clone(),
                ),
                Err(error) => (End::Failed(error), None, None),
            };
            calls.push(CloudCall {
                action: call.spec().action.to_owned(),
                status,
                request_id,
                ms,
                attempt: number,
            });
            let decision = retry::decide(&Attempt {
                read: !call.spec().effect.changes(),
                number,
                end,
                elapsed: began.elapsed(),
                deadline: self.deadline,
                jitter,
            });
            match (decision, answer) {
                (Decision::After(wait), _) => sleep(wait).await,
                (Decision::GiveUp, Ok(answer)) => return Ok(Sent { outcome: answer.outcome, calls }),
                (Decision::GiveUp, Err(error)) => return Ok(Sent { outcome: failed(error), calls }),
            }
        }
        Ok(Sent { outcome: Outcome::NotSent("no attempt was made".to_owned()), calls })
    }

    fn request(
        &self,
        call: &Call,
        credentials: &Credentials,
        at: Timestamp,
        nonce: &str,
    ) -> Result<Request<Bytes>, RequestError> {
        let wire = encode::wire(call.tool(), call.arguments())?;
        let base = self.endpoints.base(call.spec().cloud, call.region().unwrap_or_default())?;
        let mut request = unsigned(call.spec(), &address(base.as_str(), &wire), &wire)?;
        sign::sign(self.signature, credentials, &mut request, at, nonce)?;
        Ok(request)
    }
}

fn code(outcome: &Outcome) -> Option<&str> {
    match outcome {
        Outcome::Failed(CloudError { code, .. }) => Some(code),
        Outcome::Reply(_) | Outcome::NotSent(_) | Outcome::Lost(_) => None,
    }
}

fn failed(error: &TransportError) -> Outcome {
    match error {
        TransportError::NotSent { .. } => Outcome::NotSent(error.to_string()),
        TransportError::Lost { .. } => Outcome::Lost(error.to_string()),
    }
}

fn address(base: &str, wire: &Wire) -> String {
    let query = encode::query(&wire.query);
    let separator = if query.is_empty() { "" } else { "?" };
    format!("{base}{}{separator}{query}", wire.path)
}

fn unsigned(spec: &Spec, address: &str, wire: &Wire) -> Result<Request<Bytes>, http::Error> {
    let method = match spec.route.method {
        Method::Get => HttpMethod::GET,
        Method::Post => HttpMethod::POST,
        Method::Put => HttpMethod::PUT,
        Method::Delete => HttpMethod::DELETE,
    };
    let body = wire.body.as_ref().map(Value::to_string).unwrap_or_default();
    Request::builder()
        .method(method)
        .uri(address)
        .header(ACCEPT, JSON)
        .header(USER_AGENT, user_agent(spec))
        .header(ACTION, spec.action)
        .header(VERSION, spec.cloud.version())
        .body(Bytes::from(body))
}

fn user_agent(spec: &Spec) -> String {
    format!("{} redline-mcp/{}", spec.cloud.user_agent(), env!("CARGO_PKG_VERSION"))
}

/// The request that a call would become, secrets hidden, unsigned.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Preview {
    /// The HTTP method.
    pub method: &'static str,
    /// The whole address, query included.
    pub url: String,
    /// The path as it is sent.
    pub path: String,
    /// The query's names and values, decoded.
    pub query: Map<String, Value>,
    /// The headers; what only a real request has is a placeholder.
    pub headers: Map<String, Value>,
    /// The JSON body, or null.
    pub body: Value,
}

/// What `call` would be sent as.
///
/// # Errors
/// [`RequestError`] when the call can't travel or has no address.
pub fn preview(
    call: &MaskedCall,
    endpoints: &Endpoints,
    signature: Signature,
) -> Result<Preview, RequestError> {
    let tool: &Tool = call.tool();
    let spec = tool.spec();
    let wire = encode::wire(tool, call.arguments())?;
    let region = call.arguments().get("RegionId").and_then(Value::as_str).unwrap_or_default();
    let base = endpoints.base(spec.cloud, region)?;
    let url = address(base.as_str(), &wire);
    let request = unsigned(spec, &url, &wire)?;
    let mut headers: Map<String, Value> = request
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.into())))
        .collect();
    headers.insert(
        "host".to_owned(),
        request.uri().authority().map_or("", |authority| authority.as_str()).into(),
    );
    if wire.body.is_some() {
        headers.insert("content-type".to_owned(), "application/json; charset=utf-8".into());
    }
    let placeholders: &[&str] = match signature {
        Signature::Acs3HmacSha256 => {
            &["x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256", "authorization"]
        }
        Signature::RoaHmacSha1 => &["date", "x-acs-signature-nonce", "authorization"],
    };
    for name in placeholders {
        headers.insert((*name).to_owned(), PLACEHOLDER.into());
    }
    Ok(Preview {
        method: spec.route.method.name(),
        url,
        path: wire.path,
        query: wire.query.into_iter().map(|(name, value)| (name, Value::String(value))).collect(),
        headers,
        body: wire.body.unwrap_or_default(),
    })
}
