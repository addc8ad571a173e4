//! The body of an answer on the wire, broken off or blown up where a fault says so.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// Blanks are sent so many at a time.
const BLANKS: &[u8] = &[b' '; 64 * 1024];

/// Blanks, and then what was to be said, or only half of it.
#[derive(Debug)]
pub(super) struct WireBody {
    blanks: u64,
    rest: Option<Bytes>,
    /// What the head promises beyond what comes.
    broken_off: u64,
    /// Whether what there is has had the time to be sent before the connection breaks.
    is_sent: bool,
}

impl WireBody {
    pub(super) fn whole(body: Bytes) -> Self {
        Self::padded(body, 0)
    }

    /// With so many blanks before it.
    pub(super) fn padded(body: Bytes, blanks: u64) -> Self {
        Self { blanks, rest: Some(body), broken_off: 0, is_sent: false }
    }

    /// The first half, and then the end of the connection.
    pub(super) fn cut(body: &Bytes) -> Self {
        let half = body.len() / 2;
        let broken_off = (body.len() - half) as u64;
        Self { blanks: 0, rest: Some(body.slice(..half)), broken_off, is_sent: false }
    }

    fn next(&mut self) -> Option<io::Result<Bytes>> {
        if self.blanks > 0 {
            let size = usize::try_from(self.blanks).unwrap_or(usize::MAX).min(BLANKS.len());
            self.blanks -= size as u64;
            return Some(Ok(Bytes::from_static(BLANKS.get(..size).unwrap_or_default())));
        }
        match self.rest.take() {
            Some(rest) if !rest.is_empty() => Some(Ok(rest)),
            _ if self.broken_off > 0 => Some(Err(io::ErrorKind::ConnectionAborted.into())),
            Some(_) | None => None,
        }
    }
}

impl Body for WireBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let body = self.get_mut();
        if body.broken_off > 0 && body.rest.is_none() && !body.is_sent {
            // A server that has nothing more to send for now sends what it has; an error would make it forget that.
            body.is_sent = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(body.next().map(|data| data.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.blanks == 0 && self.broken_off == 0 && self.rest.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.as_ref().map_or(0, |rest| rest.len() as u64);
        SizeHint::with_exact(self.blanks + rest + self.broken_off)
    }
}
