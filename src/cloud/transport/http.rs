//! The real network: HTTP/1.1 over TLS.
//!
//! What is unsafe for a signed request can't be switched on. A redirect is an answer like any other, for
//! a request that followed one would carry its session token to another host. Plain http reaches only
//! this machine, and never through a proxy. And the one question after a failed write, could it have
//! happened, is answered with yes unless the connection itself was never made.

use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;
use std::time::Duration;

use ::http::header::AUTHORIZATION;
use ::http::{Request, Response, Uri};
use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use reqwest::{Certificate, Client, redirect, retry};
use tokio::time::timeout;

use super::{Exchange, Transport, TransportError};
use crate::cloud::endpoint::{METADATA_HOST, UrlFault, is_loopback};
use crate::spec::Call;

/// How long an unused connection is kept. Short, since a write on a connection that the other side has
/// just closed ends as a lost answer.
const IDLE: Duration = Duration::from_secs(10);

/// How many unused connections to a host are kept. An agent makes a few calls at once, not hundreds.
const IDLE_PER_HOST: usize = 8;
/// How often the other side of a silent connection is asked whether it is still there, so that a long wait outlives
/// a firewall's memory.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// A time to wait, in whole seconds, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seconds(u32);

impl Seconds {
    /// So many seconds, or one.
    pub const fn at_least_one(seconds: u32) -> Self {
        Self(if seconds == 0 { 1 } else { seconds })
    }

    /// The time as a duration.
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0 as u64)
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.0)
    }
}

/// Not a time to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a timeout is a whole number of seconds, 1 or more")]
pub struct NotSeconds;

impl TryFrom<u32> for Seconds {
    type Error = NotSeconds;

    fn try_from(seconds: u32) -> Result<Self, Self::Error> {
        if seconds == 0 { Err(NotSeconds) } else { Ok(Self(seconds)) }
    }
}

impl FromStr for Seconds {
    type Err = NotSeconds;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<u32>().map_err(|_| NotSeconds)?.try_into()
    }
}

/// How long to wait for an answer. In the extensions of a request it overrides [`Limits::patience`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For the head of the answer, and then for each further piece.
    pub read: Seconds,
    /// For the whole exchange, connecting included.
    pub whole: Seconds,
}

impl Patience {
    /// So long for everything.
    pub const fn of(time: Seconds) -> Self {
        Self { read: time, whole: time }
    }

    /// The patience for a call: the usual; for one that says itself how many seconds the cloud may take at least
    /// those, and half a minute to answer (R-PM-024).
    #[must_use]
    pub fn for_call(self, call: &Call) -> Self {
        let shape = call.tool().request();
        let mut given =
            call.arguments().iter().filter(|(name, _)| shape.field(name).is_some_and(|it| it.waits));
        match given.next().and_then(|(_, seconds)| seconds.as_u64()) {
            Some(seconds) => {
                let least = Seconds(u32::try_from(seconds).unwrap_or(u32::MAX).saturating_add(30));
                Self { read: self.read.max(least), whole: self.whole.max(least) }
            }
            None => self,
        }
    }
}

impl Default for Patience {
    /// 30 s to read, 60 s in all.
    fn default() -> Self {
        Self { read: Seconds(30), whole: Seconds(60) }
    }
}

/// The bounds of every exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For a connection: name lookup, TCP and TLS.
    pub connect: Seconds,
    /// For an answer.
    pub patience: Patience,
    /// The largest reply body, in bytes.
    pub reply: usize,
}

impl Default for Limits {
    /// 5 s to connect, 30 s to read, 60 s in all, 16 MiB.
    fn default() -> Self {
        Self { connect: Seconds(5), patience: Patience::default(), reply: 16 * 1024 * 1024 }
    }
}

/// What was to be trusted can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it holds no certificates in PEM form")]
pub struct NoCertificates;

/// [`Transport`] over the network. Costs nothing until the first request.
///
/// Two pools, as there are two kinds of address: what isn't encrypted stays on this machine, so it takes no
/// proxy; and it needs no certificates, so it works where none are installed.
pub struct HttpTransport {
    limits: Limits,
    authorities: Vec<Certificate>,
    secure: OnceLock<Result<Client, String>>,
    plain: OnceLock<Result<Client, String>>,
}

impl HttpTransport {
    /// A transport within `limits`.
    pub fn new(limits: Limits) -> Self {
        Self { limits, authorities: Vec::new(), secure: OnceLock::new(), plain: OnceLock::new() }
    }

    /// The same, trusting the certificate authorities in `pem` too, beside those of the system.
    ///
    /// # Errors
    /// [`NoCertificates`] when `pem` holds none, or a broken one.
    pub fn trusting(self, pem: &[u8]) -> Result<Self, NoCertificates> {
        let authorities = Certificate::from_pem_bundle(pem).map_err(|_| NoCertificates)?;
        let transport = Self { authorities, ..self };
        // Whether they are certificates at all shows only when a client is made.
        if transport.authorities.is_empty() || transport.secure().is_err() {
            return Err(NoCertificates);
        }
        Ok(transport)
    }

    fn secure(&self) -> &Result<Client, String> {
        self.secure.get_or_init(|| secure(&self.limits, &self.authorities))
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Failure> {
        let is_signed = request.headers().contains_key(AUTHORIZATION);
        let client = self.client(request.uri(), is_signed)?;
        let patience = request.extensions().get().copied().unwrap_or(self.limits.patience);
        let request = outgoing(request)?;
        let answer = receive(client, request, patience.read, self.limits.reply);
        let in_time = timeout(patience.whole.duration(), answer).await;
        in_time.unwrap_or_else(|_| Err(late("whole", patience.whole)))
    }

    fn client(&self, uri: &Uri, is_signed: bool) -> Result<&Client, Failure> {
        let client = match (uri.scheme_str(), uri.host()) {
            (Some("https"), Some(_)) => self.secure(),
            (Some("http"), Some(host)) if is_loopback(host) || (host == METADATA_HOST && !is_signed) => {
                self.plain.get_or_init(|| plain(&self.limits))
            }
            _ => return Err(Failure::NotSent(UrlFault::Insecure.to_string())),
        };
        client.as_ref().map_err(|reason| Failure::NotSent(reason.clone()))
    }
}

impl Transport for HttpTransport {
    fn send<'a>(&'a self, request: Request<Bytes>, _at: Timestamp) -> Exchange<'a> {
        Box::pin(async move {
            let host = match (request.uri().host(), request.uri().port()) {
                (Some(host), Some(port)) => format!("{host}:{port}"),
                (Some(host), None) => host.to_owned(),
                (None, _) => "a host without a name".to_owned(),
            };
            self.exchange(request).await.map_err(|failure| match failure {
                Failure::NotSent(reason) => TransportError::NotSent { host, reason },
                Failure::Lost(reason) => TransportError::Lost { host, reason },
            })
        })
    }
}

/// A [`TransportError`] that doesn't know its host yet.
enum Failure {
    NotSent(String),
    Lost(String),
}

fn secure(limits: &Limits, authorities: &[Certificate]) -> Result<Client, String> {
    let builder = common(limits).https_only(true);
    let builder =
        if authorities.is_empty() { builder } else { builder.tls_certs_merge(authorities.iter().cloned()) };
    let client = builder.build();
    client.map_err(|error| format!("TLS can't be set up: {}", cause(&error)))
}

fn plain(limits: &Limits) -> Result<Client, String> {
    let client = common(limits).no_proxy().tls_certs_only([]).build();
    client.map_err(|error| format!("HTTP can't be set up: {}", cause(&error)))
}

fn common(limits: &Limits) -> reqwest::ClientBuilder {
    // reqwest brings no cryptography of its own here. An error says that a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .connect_timeout(limits.connect.duration())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(IDLE_PER_HOST)
        .tcp_keepalive(KEEP_ALIVE)
}

/// The same request in reqwest's terms, which reads the address anew. What it would change was signed
/// otherwise, or leads elsewhere.
fn outgoing(request: Request<Bytes>) -> Result<reqwest::Request, Failure> {
    let uri = request.uri().clone();
    reqwest::Request::try_from(request)
        .ok()
        .filter(|request| request.url().path() == uri.path() && request.url().query() == uri.query())
        .ok_or_else(|| Failure::NotSent("its address is not percent-encoded as it must be sent".to_owned()))
}

/// Sends, then reads no more than `cap` bytes of the answer.
async fn receive(
    client: &Client,
    request: reqwest::Request,
    read: Seconds,
    cap: usize,
) -> Result<Response<Bytes>, Failure> {
    let head = timeout(read.duration(), client.execute(request)).await;
    let mut answer = head.map_err(|_| late("read", read))?.map_err(|error| failed(&error))?;
    let mut body = BytesMut::new();
    loop {
        let chunk = timeout(read.duration(), answer.chunk()).await;
        match chunk.map_err(|_| late("read", read))?.map_err(|error| Failure::Lost(cause(&error)))? {
            Some(chunk) if chunk.len() > cap.saturating_sub(body.len()) => {
                return Err(Failure::Lost(format!("the reply is larger than {cap} bytes")));
            }
            Some(chunk) => body.extend_from_slice(&chunk),
            None => break,
        }
    }
    let mut response = Response::new(body.freeze());
    *response.status_mut() = answer.status();
    *response.headers_mut() = std::mem::take(answer.headers_mut());
    Ok(response)
}

fn late(which: &str, limit: Seconds) -> Failure {
    Failure::Lost(format!("it took longer than the {which} timeout of {limit}; a larger one may help"))
}

fn failed(error: &reqwest::Error) -> Failure {
    if error.is_connect() || error.is_builder() {
        Failure::NotSent(cause(error))
    } else {
        Failure::Lost(cause(error))
    }
}

/// The innermost error's own words: what went wrong, without the address that the outer ones repeat.
fn cause(error: &reqwest::Error) -> String {
    let mut innermost: Option<&dyn Error> = error.source();
    while let Some(inner) = innermost.and_then(Error::source) {
        innermost = Some(inner);
    }
    innermost.map_or_else(|| "the request failed".to_owned(), |inner| inner.to_string())
}

#[cfg(test)]
mod tests;
