//! Whether to try again, and when. A pure decision: no clock, no randomness, no request.
//!
//! Only reads are repeated. None of these clouds' create calls has a client token, so a write that is
//! sent twice may happen twice.

use std::time::Duration;

use super::transport::TransportError;

/// How often one call is sent at most, the first time included, as the official clients do.
const ATTEMPTS: u32 = 3;
/// The longest wait after the first attempt; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// One attempt that has just ended, seen from its call.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// Whether the call's effect is a read, the only kind that may be repeated.
    pub read: bool,
    /// Which attempt this was, from 1.
    pub number: u32,
    /// How it ended.
    pub end: End<'a>,
    /// Since the call's first attempt began.
    pub elapsed: Duration,
    /// When the call must be over, on the same scale as `elapsed`.
    pub deadline: Duration,
    /// A random byte, so that clients that failed together don't return together.
    pub jitter: u8,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy)]
pub enum End<'a> {
    /// The cloud answered.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The error code of the body, if it has one.
        code: Option<&'a str>,
        /// The header `x-acs-retry-after`: milliseconds. Its presence means throttling, whatever the status.
        retry_after: Option<Duration>,
    },
    /// No whole answer came back.
    Failed(&'a TransportError),
}

/// What to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Report how the attempt ended.
    GiveUp,
    /// Send the call once more after this wait.
    After(Duration),
}

/// Decides on `attempt`.
pub fn decide(attempt: &Attempt<'_>) -> Decision {
    if !attempt.read || attempt.number >= ATTEMPTS || !passing(&attempt.end) {
        return Decision::GiveUp;
    }
    let longest = FIRST_WAIT.saturating_mul(1 << attempt.number.saturating_sub(1));
    let jittered = longest / 2 + longest / 2 * u32::from(attempt.jitter) / u32::from(u8::MAX);
    let wait = match attempt.end {
        End::Answered { retry_after: Some(asked), .. } => asked.saturating_add(jittered),
        End::Answered { retry_after: None, .. } | End::Failed(_) => jittered,
    };
    if attempt.elapsed.saturating_add(wait) < attempt.deadline {
        Decision::After(wait)
    } else {
        Decision::GiveUp
    }
}

/// Whether the same request may fare better a little later.
fn passing(end: &End<'_>) -> bool {
    match end {
        End::Answered { status, code, retry_after } => {
            retry_after.is_some()
                || matches!(status, 429 | 500 | 502 | 503 | 504)
                || code.is_some_and(|code| {
                    matches!(code, "Throttling" | "ServiceUnavailable" | "InternalError")
                        || code.starts_with("Throttling.")
                })
        }
        End::Failed(TransportError::NotSent { .. } | TransportError::Lost { .. }) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLINE: Duration = Duration::from_secs(60);

    fn answered(status: u16, code: Option<&str>) -> End<'_> {
        End::Answered { status, code, retry_after: None }
    }

    fn throttled(status: u16, milliseconds: u64) -> End<'static> {
        End::Answered { status, code: None, retry_after: Some(Duration::from_millis(milliseconds)) }
    }

    fn first(end: End<'_>) -> Attempt<'_> {
        Attempt { read: true, number: 1, end, elapsed: Duration::ZERO, deadline: DEADLINE, jitter: 0 }
    }

    fn after(milliseconds: u64) -> Decision {
        Decision::After(Duration::from_millis(milliseconds))
    }

    /// A permission failure is among what is never repeated.
    #[test]
    fn only_what_may_pass_by_itself_is_repeated() {
        for (status, code, expected) in [
            (400, Some("Throttling"), after(250)),
            (400, Some("Throttling.User"), after(250)),
            (400, Some("Throttling.Api"), after(250)),
            (400, Some("ThrottlingElsewhere"), Decision::GiveUp),
            (400, Some("ServiceUnavailable"), after(250)),
            (400, Some("InternalError"), after(250)),
            (429, None, after(250)),
            (500, None, after(250)),
            (502, None, after(250)),
            (503, None, after(250)),
            (504, None, after(250)),
            (501, None, Decision::GiveUp),
            (200, None, Decision::GiveUp),
            (400, Some("InvalidParameter"), Decision::GiveUp),
            (403, Some("Forbidden.RAM"), Decision::GiveUp),
            (404, Some("100400027"), Decision::GiveUp),
        ] {
            assert_eq!(decide(&first(answered(status, code))), expected, "{status} {code:?}");
        }
        let (host, reason) = ("host".to_owned(), "reset".to_owned());
        let not_sent = TransportError::NotSent { host: host.clone(), reason: reason.clone() };
        let lost = TransportError::Lost { host, reason };
        assert_eq!(decide(&first(End::Failed(&not_sent))), after(250));
        assert_eq!(decide(&first(End::Failed(&lost))), after(250));
    }

    /// R-WS-43: not after a timeout either, nor after a 500 that may have done half of the work.
    #[test]
    fn a_write_is_never_repeated() {
        let lost = TransportError::Lost { host: "host".to_owned(), reason: "reset".to_owned() };
        for end in
            [answered(500, None), answered(400, Some("Throttling")), throttled(429, 10), End::Failed(&lost)]
        {
            assert_eq!(decide(&Attempt { read: false, ..first(end) }), Decision::GiveUp, "{end:?}");
        }
    }

    #[test]
    fn waits_double_and_are_jittered_and_end_after_three_attempts() {
        let end = answered(503, None);
        for (number, jitter, expected) in [
            (1, 0, after(250)),
            (1, 51, after(300)),
            (1, 255, after(500)),
            (2, 0, after(500)),
            (2, 255, after(1000)),
            (3, 0, Decision::GiveUp),
            (u32::MAX, 0, Decision::GiveUp),
        ] {
            assert_eq!(
                decide(&Attempt { number, jitter, ..first(end) }),
                expected,
                "attempt {number}, jitter {jitter}"
            );
        }
    }

    #[test]
    fn the_wait_that_the_cloud_asks_for_is_kept_whatever_the_status() {
        assert_eq!(decide(&first(throttled(429, 2_000))), after(2_250));
        assert_eq!(decide(&first(throttled(403, 2_000))), after(2_250));
        assert_eq!(decide(&Attempt { jitter: 255, ..first(throttled(400, 1)) }), after(501));
    }

    #[test]
    fn no_wait_reaches_the_deadline() {
        let elapsed = DEADLINE - Duration::from_millis(251);
        assert_eq!(decide(&Attempt { elapsed, ..first(answered(503, None)) }), after(250));
        let elapsed = DEADLINE - Duration::from_millis(250);
        assert_eq!(decide(&Attempt { elapsed, ..first(answered(503, None)) }), Decision::GiveUp);
        assert_eq!(decide(&first(throttled(429, 60_000))), Decision::GiveUp);
        assert_eq!(decide(&first(throttled(429, u64::MAX))), Decision::GiveUp);
    }
}
