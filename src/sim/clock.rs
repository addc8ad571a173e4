//! Logical time: instants handed out in arrival order, so that a run repeats to the second.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// 2026-01-01T00:00:00Z, the first instant of the default world.
pub const DEFAULT_START: Timestamp = Timestamp::constant(1_767_225_600, 0);

/// One second between two steps.
pub const DEFAULT_STEP: SignedDuration = SignedDuration::from_secs(1);

/// A clock that moves by one step whenever it is asked.
#[derive(Debug)]
pub struct LogicalClock {
    next: Mutex<Timestamp>,
    step: SignedDuration,
}

impl LogicalClock {
    /// A clock whose first [`tick`](Self::tick) is `start`, and each later one `step` further.
    pub fn new(start: Timestamp, step: SignedDuration) -> Self {
        Self { next: Mutex::new(start), step }
    }

    /// The instant of the step that asks. It stays at the last representable instant rather than overflow.
    pub fn tick(&self) -> Timestamp {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let now = *next;
        *next = now.checked_add(self.step).unwrap_or(Timestamp::MAX);
        now
    }
}

impl Default for LogicalClock {
    fn default() -> Self {
        Self::new(DEFAULT_START, DEFAULT_STEP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_start_at_the_start_and_step_on() {
        let clock = LogicalClock::default();
        let ticks: Vec<String> = (0..3).map(|_| clock.tick().to_string()).collect();
        assert_eq!(ticks, ["2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", "2026-01-01T00:00:02Z"]);
    }

    #[test]
    fn the_clock_stays_at_the_end_of_time() {
        let clock = LogicalClock::new(Timestamp::MAX, DEFAULT_STEP);
        assert_eq!([clock.tick(), clock.tick()], [Timestamp::MAX, Timestamp::MAX]);
    }
}
