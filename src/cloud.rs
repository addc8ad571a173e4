//! The client of the clouds: encode, sign, send, decode.
//!
//! [`Client::send`] takes nothing but a [`Cleared`] call, so no request leaves that the policy didn't clear.
//! [`preview`] shows the request that a call would become; it has no transport and no credentials.
//!
//! | room | what is in it |
//! |---|---|
//! | [`encode`] | a call's arguments as path, query and body |
//! | [`endpoint`] | where a service is, per region |
//! | [`credentials`] | who calls |
//! | `redeem` | handles that stand for secrets |
//! | [`sign`] | Alibaba Cloud's signatures |
//! | [`bearer`] | PyroMind's key |
//! | [`transport`] | the seam: real HTTP, or the simulator |
//! | `pressure` | going easy on a host |
//! | [`probe`] | whether a service is there |
//! | [`skew`] | this machine's clock and theirs |
//! | [`retry`] | whether to try again |
//! | [`decode`] | what an answer means |

pub mod bearer;
pub mod credentials;
pub mod decode;
pub mod encode;
pub mod endpoint;
mod pressure;
pub mod probe;
mod redeem;
pub mod retry;
pub mod sign;
pub mod skew;
pub mod transport;

use std::sync::Arc;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use http::header::{ACCEPT, HeaderValue, USER_AGENT};
use http::{HeaderName, Method as HttpMethod, Request};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::audit::CloudCall;
use crate::policy::mask::MaskedCall;
use crate::policy::verdict::{Cleared, CloudError, Outcome};
use crate::spec::{Acs, Call, Method, Spec, Tool, Vendor};
use crate::vault::Vault;
use bearer::{Bearer, BearerError};
use credentials::{Accounts, Credentials, CredentialsError};
use encode::{EncodeError, Wire};
use endpoint::{EndpointError, Endpoints};
use pressure::Pressure;
pub use redeem::RedeemError;
use retry::{Attempt, Decision, End};
use sign::{SignError, Signature};
use skew::Skew;
use transport::http::Patience;
use transport::{Transport, TransportError};

const ACTION: HeaderName = HeaderName::from_static("x-acs-action");
const VERSION: HeaderName = HeaderName::from_static("x-acs-version");
/// The product token of this program.
const OWN_AGENT: &str = concat!("redline-mcp/", env!("CARGO_PKG_VERSION"));
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// What a preview shows in place of what only a real request has.
const PLACEHOLDER: &str = "<set when the request is sent>";

/// Why a request couldn't be made. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// A secret argument can't be had.
    #[error(transparent)]
    Redeem(#[from] RedeemError),
    /// The call can't travel.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// There is no address.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// It can't be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The key can't be sent.
    #[error(transparent)]
    Bearer(#[from] BearerError),
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
    /// Whether the call was given up because nobody waits for it any more.
    pub is_cancelled: bool,
}

/// For whom, and when, a call is sent.
#[derive(Debug, Clone, Copy)]
pub struct Errand<'e> {
    /// What it is made with.
    pub credentials: &'e Credentials,
    /// Whose handles count.
    pub scope: &'e str,
    /// The instant of the step.
    pub at: Timestamp,
    /// The same by the wall clock, which the vault keeps to.
    pub wall: Timestamp,
    /// Ends a read that nobody waits for any more. A write runs to its end.
    pub cancel: &'e CancellationToken,
}

/// What a [`Client`] is made of.
pub struct Parts {
    /// The way out: real HTTP, or the simulator.
    pub transport: Arc<dyn Transport>,
    /// Who calls.
    pub accounts: Accounts,
    /// Where the services are.
    pub endpoints: Endpoints,
    /// How requests to Alibaba Cloud are signed.
    pub signature: Signature,
    /// How PyroMind is told who calls.
    pub bearer: Bearer,
    /// Where the secrets are that handles stand for.
    pub vault: Vault,
    /// What bounds a call with its retries.
    pub patience: Patience,
    /// This machine's clock and the clouds'; the accounts know it too.
    pub skew: Arc<Skew>,
}

/// Sends cleared calls.
pub struct Client {
    parts: Parts,
    pressure: Pressure,
}

impl Client {
    /// A client of these parts.
    pub fn new(parts: Parts) -> Self {
        Self { parts, pressure: Pressure::default() }
    }

    /// The credentials that a call to a service of `vendor` would be made with; `wall` is the machine's time.
    ///
    /// # Errors
    /// When there are none.
    pub async fn credentials(
        &self,
        vendor: Vendor,
        wall: Timestamp,
    ) -> Result<Credentials, CredentialsError> {
        self.parts.accounts.credentials(vendor, wall).await
    }

    /// Sends a call. Reads are tried again where that can help; writes never are.
    ///
    /// # Errors
    /// [`RequestError`] when nothing could be sent.
    pub async fn send(&self, cleared: Cleared, errand: Errand<'_>) -> Result<Sent, RequestError> {
        let call = cleared.call();
        let redeemed = redeem::redeemed(&self.parts.vault, call, errand.scope, errand.wall).await?;
        let arguments = redeemed.as_ref().unwrap_or(call.arguments());
        let (vendor, read) = (call.spec().cloud.vendor(), !call.spec().effect.changes());
        let patience = self.parts.patience.for_call(call);
        let began = Instant::now();
        let deadline = began + patience.whole.duration();
        let mut calls = Vec::new();
        let mut is_corrected = false;
        for number in 1.. {
            let mut random = [0; 17];
            getrandom::fill(&mut random)?;
            let [jitter, nonce @ ..] = random;
            let request = self.request(call, arguments, errand, &HEXLOWER.encode(&nonce))?;
            let host = request.uri().authority().map(ToString::to_string).unwrap_or_default();
            let entered = unless_left(read, errand.cancel, self.pressure.enter(&host, deadline)).await;
            let slot = match entered {
                Some(Ok(slot)) => slot,
                Some(Err(busy)) => return Ok(Sent::ended(Outcome::NotSent(busy.to_string()), calls)),
                None => return Ok(Sent::cancelled(calls)),
            };
            let sent = Instant::now();
            let exchange = within(deadline, patience, &host, self.parts.transport.send(request, errand.at));
            let exchange = unless_left(read, errand.cancel, exchange).await;
            drop(slot);
            let ms = u64::try_from(sent.elapsed().as_millis()).unwrap_or(u64::MAX);
            let answer = exchange.as_ref().map(|exchange| {
                exchange.as_ref().map(|response| (decode::answer(vendor, response), response.headers()))
            });
            let (status, request_id) = match &answer {
                Some(Ok((answer, _))) => (Some(answer.status), answer.request_id.clone()),
                Some(Err(_)) | None => (None, None),
            };
            calls.push(CloudCall {
                action: call.spec().action.to_owned(),
                status,
                request_id,
                ms,
                attempt: number,
            });
            let end = match &answer {
                Some(Ok((answer, headers))) => {
                    if let Some(pause) = answer.retry_after {
                        self.pressure.pause(&host, pause);
                    }
                    // By now it is so much later than when the step began.
                    let local = errand.at.checked_add(began.elapsed()).unwrap_or(errand.at);
                    let code = code(&answer.outcome);
                    if self.parts.skew.learn(code.unwrap_or_default(), local, headers)
                        && read
                        && !is_corrected
                    {
                        is_corrected = true;
                        continue;
                    }
                    End::Answered { status: answer.status, code, retry_after: answer.retry_after }
                }
                Some(Err(error)) => End::Failed(error),
                None => return Ok(Sent::cancelled(calls)),
            };
            let decision = retry::decide(&Attempt {
                read,
                number,
                end,
                elapsed: began.elapsed(),
                deadline: patience.whole.duration(),
                jitter,
            });
            match (decision, answer) {
                (Decision::After(wait), _) => {
                    if unless_left(read, errand.cancel, sleep(wait)).await.is_none() {
                        return Ok(Sent::cancelled(calls));
                    }
                }
                (Decision::GiveUp, Some(Ok((answer, _)))) => return Ok(Sent::ended(answer.outcome, calls)),
                (Decision::GiveUp, Some(Err(error))) => return Ok(Sent::ended(failed(error), calls)),
                (Decision::GiveUp, None) => return Ok(Sent::cancelled(calls)),
            }
        }
        Ok(Sent::ended(Outcome::NotSent("no attempt was made".to_owned()), calls))
    }

    fn request(
        &self,
        call: &Call,
        arguments: &Map<String, Value>,
        errand: Errand<'_>,
        nonce: &str,
    ) -> Result<Request<Bytes>, RequestError> {
        let Parts { endpoints, signature, bearer, patience, skew, .. } = &self.parts;
        let wire = encode::wire(call.tool(), arguments)?;
        let base = endpoints.base(call.spec().cloud, call.region())?;
        let mut request = unsigned(call.spec(), &address(base.as_str(), &wire), &wire)?;
        match errand.credentials {
            Credentials::AccessKey(pair) => {
                sign::sign(*signature, pair, &mut request, skew.correct(errand.at), nonce)?;
            }
            Credentials::ApiKey(key) => {
                bearer.prepare(&mut request, wire.body.is_some());
                bearer.authorize(key, &mut request)?;
            }
        }
        request.extensions_mut().insert(patience.for_call(call));
        Ok(request)
    }
}

impl Sent {
    const fn ended(outcome: Outcome, calls: Vec<CloudCall>) -> Self {
        Self { outcome, calls, is_cancelled: false }
    }

    fn cancelled(calls: Vec<CloudCall>) -> Self {
        let outcome = Outcome::Lost("nobody waited for the answer any more".to_owned());
        Self { outcome, calls, is_cancelled: true }
    }
}

/// What `work` comes to; `None` if it is a read's and nobody waits for it any more. It is dropped then, and with it
/// the request and its connection.
async fn unless_left<T>(read: bool, cancel: &CancellationToken, work: impl Future<Output = T>) -> Option<T> {
    if read { cancel.run_until_cancelled(work).await } else { Some(work.await) }
}

/// An exchange that is over by `deadline`, which may come before its own limits are reached.
async fn within(
    deadline: Instant,
    patience: Patience,
    host: &str,
    exchange: transport::Exchange<'_>,
) -> Result<http::Response<Bytes>, TransportError> {
    let late = |_| {
        let reason = format!("the call took longer than {}, its retries included", patience.whole);
        Err(TransportError::Lost { host: host.to_owned(), reason })
    };
    timeout_at(deadline, exchange).await.unwrap_or_else(late)
}

fn code(outcome: &Outcome) -> Option<&str> {
    match outcome {
        Outcome::Failed(CloudError { code, .. }) | Outcome::Partial(CloudError { code, .. }, _) => Some(code),
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
    let mut request = Request::builder().method(method).uri(address).header(ACCEPT, JSON);
    request = match spec.cloud.acs() {
        Some(Acs { version, user_agent }) => request
            .header(USER_AGENT, format!("{user_agent} {OWN_AGENT}"))
            .header(ACTION, spec.action)
            .header(VERSION, version),
        None => request.header(USER_AGENT, OWN_AGENT),
    };
    request.body(Bytes::from(body))
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
    bearer: &Bearer,
) -> Result<Preview, RequestError> {
    let tool: &Tool = call.tool();
    let spec = tool.spec();
    let wire = encode::wire(tool, call.arguments())?;
    let region = call.arguments().get("RegionId").and_then(Value::as_str);
    let base = endpoints.base(spec.cloud, region)?;
    let url = address(base.as_str(), &wire);
    let mut request = unsigned(spec, &url, &wire)?;
    let vendor = spec.cloud.vendor();
    match vendor {
        Vendor::Alibaba => {}
        Vendor::PyroMind => bearer.prepare(&mut request, wire.body.is_some()),
    }
    let mut headers: Map<String, Value> = request
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.into())))
        .collect();
    headers.insert(
        "host".to_owned(),
        request.uri().authority().map_or("", |authority| authority.as_str()).into(),
    );
    let placeholders: &[&str] = match (vendor, signature) {
        (Vendor::Alibaba, Signature::Acs3HmacSha256) => {
            &["x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256", "authorization"]
        }
        (Vendor::Alibaba, Signature::RoaHmacSha1) => &["date", "x-acs-signature-nonce", "authorization"],
        (Vendor::PyroMind, _) => &[bearer.header()],
    };
    if vendor == Vendor::Alibaba && wire.body.is_some() {
        headers.insert("content-type".to_owned(), "application/json; charset=utf-8".into());
    }
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
