//! The seam between this process and a cloud: one signed request out, one answer back.
//!
//! Real HTTP and the simulator stand behind the same trait, so the client can't tell them apart.

pub mod http;

use std::future::Future;
use std::pin::Pin;

use ::http::{Request, Response};
use bytes::Bytes;
use jiff::Timestamp;

/// What [`Transport::send`] returns.
pub type Exchange<'a> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, TransportError>> + Send + 'a>>;

/// Carries one request to a cloud.
pub trait Transport: Send + Sync {
    /// Sends `request`, signed already, with an absolute URI. `at` is the instant of the step that sends it:
    /// the simulator lives at that instant, real HTTP ignores it.
    ///
    /// # Errors
    /// [`TransportError`] when no whole answer came back; an error status is an answer.
    fn send<'a>(&'a self, request: Request<Bytes>, at: Timestamp) -> Exchange<'a>;
}

/// Why no whole answer came back, split by the one question that matters after a write: can it have happened?
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The request never reached the cloud, so nothing changed.
    #[error("could not reach {host}: {reason}")]
    NotSent {
        /// Host name and port.
        host: String,
        /// What failed (name lookup, connection, TLS), without the request.
        reason: String,
    },
    /// The request went out and the answer was lost, so it may have been carried out.
    #[error("no whole answer from {host}: {reason}")]
    Lost {
        /// Host name and port.
        host: String,
        /// What failed (timeout, reset, size cap), without the request or the answer.
        reason: String,
    },
}
