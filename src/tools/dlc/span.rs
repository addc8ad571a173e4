//! Spans of time that reads are about.

use jiff::Timestamp;

use crate::error::Faults;
use crate::spec::marks::Exact;

/// Refuses a span whose end lies before its start (R-DLC-48). What doesn't read as an instant is left to the service.
///
/// # Errors
/// A fault at EndTime.
pub(super) fn in_order(start: Option<&Exact>, end: Option<&Exact>) -> Result<(), Faults> {
    let instant = |given: Option<&Exact>| given.and_then(|text| text.as_str().parse::<Timestamp>().ok());
    let mut faults = Faults::default();
    if let (Some(start), Some(end)) = (instant(start), instant(end)) {
        faults.demand(
            start <= end,
            "EndTime",
            "lies before StartTime",
            "give an EndTime after StartTime, or leave it out",
        );
    }
    faults.into_result()
}
