//! The time of a step: the wall's with a live cloud, the world's own with the simulator.

use jiff::Timestamp;

use crate::sim::clock::LogicalClock;

/// Where a step's one instant comes from.
pub enum Clock {
    /// The machine's clock.
    Wall,
    /// The simulated world's clock, which moves with each step.
    Logical(LogicalClock),
}

impl Clock {
    /// The instant of the next step.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::Wall => Self::wall(),
            Self::Logical(clock) => clock.tick(),
        }
    }

    /// The machine's time, whatever the cloud.
    #[expect(clippy::disallowed_methods, reason = "this is the one place where the wall clock is read")]
    pub fn wall() -> Timestamp {
        Timestamp::now()
    }

    /// `now`, if it is the simulated world's.
    pub const fn logical(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Wall => None,
            Self::Logical(_) => Some(now),
        }
    }

    /// Whether the time is the simulated world's.
    pub const fn is_logical(&self) -> bool {
        match self {
            Self::Wall => false,
            Self::Logical(_) => true,
        }
    }
}
