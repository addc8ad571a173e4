//! Whether a service is there at all: a look for its name, and a bare request for its root.
//!
//! What is sent is neither signed nor carries a key or an argument, so no policy judges it; whatever the answer says, it
//! is one. Only people ask for it, with `redline-mcp doctor`.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Uri};
use jiff::Timestamp;
use tokio::net::lookup_host;

use super::endpoint::BaseUrl;
use super::skew::seconds_ahead;
use super::transport::{Transport, TransportError};

/// Looks for services.
#[derive(Clone)]
pub struct Probe(Arc<dyn Transport>);

/// What a service answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Presence {
    /// The HTTP status.
    pub status: u16,
    /// By how many seconds its clock is ahead of the time that was handed in; `None` if it doesn't say.
    pub ahead: Option<i64>,
}

impl Probe {
    /// One that looks by way of `transport`.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self(transport)
    }

    /// The addresses that the host's name stands for, each once; none where the host is an address itself.
    ///
    /// # Errors
    /// When the name isn't found.
    pub async fn look_up(&self, base: &BaseUrl) -> io::Result<Vec<IpAddr>> {
        let uri: Uri = base.as_str().parse().map_err(io::Error::other)?;
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        if host.parse::<IpAddr>().is_ok() {
            return Ok(Vec::new());
        }
        // Names are asked for with a port; the answer doesn't depend on it.
        let mut addresses: Vec<IpAddr> =
            lookup_host((host, uri.port_u16().unwrap_or(443))).await?.map(|address| address.ip()).collect();
        addresses.sort();
        addresses.dedup();
        Ok(addresses)
    }

    /// Asks for the root of the service. `wall` is the machine's time, asked once the answer is there.
    ///
    /// # Errors
    /// Why nobody answers.
    pub async fn ask(&self, base: &BaseUrl, wall: fn() -> Timestamp) -> Result<Presence, String> {
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = format!("{base}/").parse().map_err(|_| "its address can't be asked for")?;
        let sent = self.0.send(request, wall()).await;
        let answer = sent.map_err(|error| match error {
            TransportError::NotSent { reason, .. } | TransportError::Lost { reason, .. } => reason,
        })?;
        Ok(Presence { status: answer.status().as_u16(), ahead: seconds_ahead(wall(), answer.headers()) })
    }
}

#[cfg(test)]
mod tests {
    use http::Response;

    use super::*;
    use crate::cloud::transport::Exchange;

    /// Answers with a fixed date what is bare; refuses the rest.
    struct Bare;

    impl Transport for Bare {
        fn send<'a>(&'a self, request: Request<Bytes>, _: Timestamp) -> Exchange<'a> {
            assert_eq!(
                (request.uri().to_string().as_str(), request.headers().len()),
                ("https://a.example/", 0)
            );
            let date = "Thu, 01 Jan 1970 00:01:30 GMT";
            let answer = Response::builder().status(403).header("date", date).body(Bytes::new()).unwrap();
            Box::pin(async { Ok(answer) })
        }
    }

    #[tokio::test]
    async fn a_refusal_is_a_presence_and_tells_the_time() {
        let base = BaseUrl::parse("https://a.example").unwrap();
        let found = Probe::new(Arc::new(Bare)).ask(&base, || Timestamp::UNIX_EPOCH).await;
        assert_eq!(found, Ok(Presence { status: 403, ahead: Some(90) }));
    }

    #[tokio::test]
    async fn an_address_has_no_name_to_look_up() {
        for text in ["http://127.0.0.1:8080", "http://[::1]:8080"] {
            let base = BaseUrl::parse(text).unwrap();
            assert_eq!(Probe::new(Arc::new(Bare)).look_up(&base).await.unwrap(), Vec::<IpAddr>::new());
        }
    }
}
