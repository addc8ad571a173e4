//! Panics: a bug in one call must neither end the server nor tell what the call held.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::pin::pin;
use std::task::Poll;

/// Runs `work`; `None` if it panicked.
///
/// The state that a call shares with others is behind locks that survive a panic, so nothing half-changed is
/// seen afterwards.
pub(super) async fn caught<F: Future>(work: F) -> Option<F::Output> {
    let mut work = pin!(work);
    std::future::poll_fn(move |cx| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
        Ok(Poll::Ready(output)) => Poll::Ready(Some(output)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(_) => Poll::Ready(None),
    })
    .await
}

/// From now on a panic tells stderr where it happened and not what its message says.
pub fn tell_place_only() {
    set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        // A closed stderr mustn't make a second panic of the first.
        let _ = writeln!(std::io::stderr(), "redline-mcp: internal error at {place}");
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_caught_also_after_waiting() {
        let panicking = async {
            tokio::task::yield_now().await;
            panic!("AKIDSECRET");
        };
        assert_eq!(caught::<_>(panicking).await, None::<()>);
        assert_eq!(caught(async { 7 }).await, Some(7));
    }
}
