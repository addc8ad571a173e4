//! What is told beside a reply: whether a change shows, that a password is over, what the rules advise.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::rules::After;
use crate::spec::Call;
use crate::tools::pyromind::sandboxes::GetSandboxVnc;

/// What tells whether a look afterwards shows the change: true, false, or null where nobody can say.
const APPLIED: &str = "applied";
/// What isn't as it was asked for.
const DIFFERS: &str = "differs";
/// What the look doesn't tell.
const UNKNOWN: &str = "unknown";
/// What the rules advise.
const ADVICE: &str = "advice";
/// What tells that a password is over.
const EXPIRED: &str = "expired";
/// What to do then.
const NEXT_STEP: &str = "next_step";

/// What is told beside a reply, by name. Its texts are swept like all others before they are shown.
#[derive(Debug, Default, PartialEq)]
pub struct Remarks(Vec<(&'static str, Value)>);

impl Remarks {
    /// What a look after a change says; `look` is the tool that looks.
    pub(super) fn of_look(after: After, look: &str) -> Self {
        let mut remarks = vec![(APPLIED, json!(after.applied()))];
        if !after.differs.is_empty() {
            let next = format!("it may show later: look with {look} before anything is tried again");
            remarks.extend([(DIFFERS, json!(after.differs)), (NEXT_STEP, next.into())]);
        }
        if !after.untold.is_empty() {
            remarks.push((UNKNOWN, json!(after.untold)));
        }
        Self(remarks)
    }

    /// That the password in a reply is over (R-PM-032). A new one is made only when the user wants it.
    pub(super) fn of_expiry(call: &Call, reply: &Value, now: Timestamp) -> Self {
        let expires = reply.get("expire_time").and_then(Value::as_str);
        let over = expires.and_then(|text| text.parse::<Timestamp>().ok()).filter(|instant| *instant <= now);
        match over {
            Some(_) if call.request::<GetSandboxVnc>().is_some() => {
                let next = "the password is over: ask the user whether a new one is to be made, which makes the old one \
                            void; if so, call again with refresh true";
                Self(vec![(EXPIRED, true.into()), (NEXT_STEP, next.into())])
            }
            Some(_) | None => Self::default(),
        }
    }

    /// The same, and what the rules advise.
    #[must_use]
    pub fn with_advice(mut self, advice: &[String]) -> Self {
        if !advice.is_empty() {
            self.0.push((ADVICE, json!(advice)));
        }
        self
    }

    /// Whether nothing is told.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }
}
