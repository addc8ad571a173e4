//! Why a call isn't made, in the one form that every refusal has.

use serde::{Deserialize, Serialize};

use crate::error::{Fault, Faults};

/// Why a call isn't made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// What happened, in a sentence.
    pub error: String,
    /// The rule that refused, or the stage that failed.
    pub rule: String,
    /// Why an answer was no yes, where one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// What is wrong where, and the fix of each.
    pub violations: Vec<Fault>,
    /// Whether the same call can succeed later, unchanged.
    pub retryable: bool,
    /// The cloud's own error, where one is behind the refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud: Option<Box<CloudFailure>>,
}

/// Why an answer to a question was no yes. Results and the record call it by these names, in kebab-case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The human, or the client for them, declined.
    Declined,
    /// The form came back with a no in it.
    AnsweredNo,
    /// The question was closed.
    Cancelled,
    /// Nobody answered in time.
    TimedOut,
    /// Nobody has answered yet; the question stays open.
    Pending,
    /// Too many questions wait already.
    Crowded,
    /// Nobody could be asked.
    NoChannel,
    /// What came back isn't the form filled in.
    Malformed,
    /// The answer was used before.
    Replayed,
    /// The state that carried the question isn't this server's.
    Tampered,
    /// The question was too old.
    Expired,
    /// The arguments changed after the question.
    ArgumentsChanged,
    /// The account changed after the question.
    AccountChanged,
    /// The policy, or the cloud, changed after the question.
    PolicyChanged,
    /// What was done before changed after the question.
    HistoryChanged,
    /// The question itself would be another one now.
    QuestionChanged,
    /// The human chose something else.
    OtherChoice,
    /// The id that was typed is another one.
    WrongId,
}

/// The part of a cloud's error that may be shown, once swept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CloudFailure {
    /// The HTTP status.
    pub status: u16,
    /// The cloud's code.
    pub code: String,
    /// The cloud's words.
    pub message: String,
    /// The id to give to the cloud's support.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The cloud's troubleshooting link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recommend: Option<String>,
}

impl Refusal {
    /// A refusal by `rule` with nothing to point at.
    pub fn new(rule: impl Into<String>, error: impl Into<String>) -> Self {
        Self {
            error: error.into(),
            rule: rule.into(),
            reason: None,
            violations: Vec::new(),
            retryable: false,
            cloud: None,
        }
    }

    /// The same, with the place and the fix.
    #[must_use]
    pub fn with(mut self, fault: Fault) -> Self {
        self.violations.push(fault);
        self
    }

    /// The same, with why the answer was no yes.
    #[must_use]
    pub const fn because(mut self, reason: Reason) -> Self {
        self.reason = Some(reason);
        self
    }

    /// The same, with no more faults than can be read.
    #[must_use]
    pub(super) fn bounded(mut self) -> Self {
        let mut faults = Faults::default();
        faults.extend(self.violations);
        self.violations = faults.into_iter().collect();
        self
    }

    /// The same, for a call that can be repeated as it is.
    #[must_use]
    pub const fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }
}
