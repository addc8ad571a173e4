//! The stretch of time that `StartTime` and `EndTime` ask for.

use jiff::{SignedDuration, Timestamp};

use crate::sim::params::Query;
use crate::sim::reply::CloudError;

/// How far back a window of lists, events and logs reaches that names no start.
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Both ends belong to it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

impl Window {
    /// From seven days before `at` to `at`, unless the query says otherwise; each end by itself.
    pub(super) fn read(query: &Query, at: Timestamp) -> Result<Self, CloudError> {
        Self::reaching(WEEK, query, at)
    }

    /// The same, from `back` before `at`.
    pub(super) fn reaching(back: SignedDuration, query: &Query, at: Timestamp) -> Result<Self, CloudError> {
        let (from, to) = (query.instant("StartTime")?, query.instant("EndTime")?);
        if let (Some(from), Some(to)) = (from, to)
            && from > to
        {
            return Err(CloudError::invalid("StartTime", "must not be later than EndTime"));
        }
        let earliest = at.checked_sub(back).unwrap_or(Timestamp::MIN);
        Ok(Self { from: from.unwrap_or(earliest), to: to.unwrap_or(at) })
    }

    pub(super) fn holds(&self, instant: Timestamp) -> bool {
        (self.from..=self.to).contains(&instant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::testkit::AT;

    fn window(raw: &str) -> Result<(String, String), String> {
        let window = Window::read(&Query::parse(raw), AT).map_err(|error| error.message)?;
        Ok((window.from.to_string(), window.to.to_string()))
    }

    #[test]
    fn each_end_has_its_own_default() {
        let ends = |from: &str, to: &str| Ok((from.to_owned(), to.to_owned()));
        assert_eq!(window(""), ends("2025-12-25T00:00:00Z", "2026-01-01T00:00:00Z"));
        assert_eq!(
            window("StartTime=2025-12-31T08%3A00%3A00%2B08%3A00"),
            ends("2025-12-31T00:00:00Z", "2026-01-01T00:00:00Z")
        );
        assert_eq!(
            window("EndTime=2025-01-01T00:00:00Z"),
            ends("2025-12-25T00:00:00Z", "2025-01-01T00:00:00Z")
        );
    }

    #[test]
    fn an_end_that_is_no_instant_is_refused() {
        assert_eq!(
            window("StartTime=yesterday"),
            Err("StartTime must be a time such as 2020-11-08T16:00:00Z.".to_owned())
        );
        assert_eq!(
            window("StartTime=2026-01-02T00:00:00Z&EndTime=2026-01-01T00:00:00Z"),
            Err("StartTime must not be later than EndTime.".to_owned())
        );
    }

    #[test]
    fn both_ends_belong_to_it() {
        let second = SignedDuration::from_secs(1);
        let window = Window { from: AT, to: AT + second };
        let held = [AT - second, AT, AT + second, AT + second + second].map(|instant| window.holds(instant));
        assert_eq!(held, [false, true, true, false]);
    }
}
