//! The doors: values that only the policy can make or open, and what it says of a call.
//!
//! A reply enters as [`Raw`] and leaves as [`super::mask::Masked`]; a call leaves for a cloud only as
//! [`Cleared`].
//!
//! Anyone may make a `Raw`; only the policy opens one:
//!
//! ```compile_fail,E0616
//! let raw = redline_mcp::policy::verdict::Raw::new(serde_json::json!({"UserId": "1095312831785714"}));
//! println!("{}", raw.0);
//! ```
//!
//! Nobody else can clear a call:
//!
//! ```compile_fail,E0451
//! fn forge(call: redline_mcp::spec::Call) -> redline_mcp::policy::verdict::Cleared {
//!     redline_mcp::policy::verdict::Cleared { call, consent: None, advice: Vec::new() }
//! }
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::consent::{Approval, Question};
use super::refusal::Refusal;
use super::remarks::Remarks;
use crate::spec::{Call, Tool};

/// What a cloud answered, before masking. It can't be printed, and only the policy looks inside.
pub struct Raw(Value);

impl Raw {
    /// Seals `reply`.
    pub const fn new(reply: Value) -> Self {
        Self(reply)
    }

    pub(super) const fn open(&self) -> &Value {
        &self.0
    }
}

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Raw(..)")
    }
}

/// A call that may be sent. Its one maker is [`super::Policy::judge`].
pub struct Cleared {
    call: Call,
    consent: Option<Approval>,
    advice: Vec<String>,
}

impl Cleared {
    pub(super) const fn new(call: Call, consent: Option<Approval>, advice: Vec<String>) -> Self {
        Self { call, consent, advice }
    }

    /// The call.
    pub const fn call(&self) -> &Call {
        &self.call
    }

    /// The yes that it rests on, if one was needed.
    pub const fn consent(&self) -> Option<&Approval> {
        self.consent.as_ref()
    }

    /// What the rules advise, for whoever reads the result.
    pub fn advice(&self) -> &[String] {
        &self.advice
    }
}

/// What became of a call that was sent.
#[derive(Debug)]
pub enum Outcome {
    /// The cloud did it and answered.
    Reply(Raw),
    /// The cloud answered with an error.
    Failed(CloudError),
    /// The cloud did a part of it, and answered with an error and with what became of each part.
    Partial(CloudError, Raw),
    /// Nothing reached the cloud: nothing changed. The text says what failed.
    NotSent(String),
    /// The request went out and no whole answer came: it may have been done. The text says what failed.
    Lost(String),
}

/// A cloud's own error. Its texts may name people, so they are shown only masked.
pub struct CloudError {
    /// The HTTP status.
    pub status: u16,
    /// The cloud's code, such as `100400027`.
    pub code: String,
    /// The cloud's words.
    pub message: Raw,
    /// The id to give to the cloud's support.
    pub request_id: Option<String>,
    /// The cloud's troubleshooting link.
    pub recommend: Option<String>,
    /// Which permission was denied, if one was.
    pub denial: Option<Denial>,
}

impl fmt::Debug for CloudError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudError")
            .field("status", &self.status)
            .field("code", &self.code)
            .finish_non_exhaustive()
    }
}

/// A refused permission, as RAM describes it.
pub struct Denial {
    /// The RAM action that was missing.
    pub action: Option<String>,
    /// Whether it was never granted or explicitly denied.
    pub reason: Option<String>,
    /// The principal's identity: what it says is kept to be swept out of every text.
    pub principal: Vec<Raw>,
}

/// Something that is there already, so that nothing was created.
#[derive(Debug)]
pub struct Existing {
    /// The tool whose reply describes it.
    pub tool: &'static Tool,
    /// That reply's field with its id.
    pub id: &'static str,
    /// That reply.
    pub reply: Raw,
    /// How it came to be there, as far as can be known.
    pub note: String,
}

/// What the policy says of a call.
pub enum Verdict {
    /// No, and why.
    Refused(Refusal),
    /// A human must say yes first.
    Confirm(Question),
    /// The policy must read first.
    Need(Vec<Call>),
    /// It is done already.
    Exists(Existing),
    /// Yes.
    Cleared(Cleared),
}

impl Verdict {
    /// The verdict's name in records and previews.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::Confirm(_) => "confirm",
            Self::Need(_) => "need",
            Self::Exists(_) => "exists",
            Self::Cleared(_) => "cleared",
        }
    }
}

/// What one rule said of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// What it said.
    pub result: Said,
    /// The argument that it is about, if one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// What a rule can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// The call keeps it.
    Passed,
    /// The call breaks it.
    Refused,
    /// The call keeps it, and whoever reads the result is told something.
    Advised,
    /// A human must say.
    Asked,
    /// It must read first.
    Wants,
    /// What the call asks for exists already.
    #[serde(rename = "answered")]
    Exists,
}

/// A verdict and how the rules came to it.
pub struct Judgement {
    /// What is said of the call: by the first rule that doesn't pass it.
    pub verdict: Verdict,
    /// Every read that the rules want now, also where an earlier rule decided.
    pub wants: Vec<Call>,
    /// Every question that a human would be asked, in that order, also where an earlier rule decided; none that
    /// would show a credential.
    pub questions: Vec<Question>,
    /// What each rule said that binds the call.
    pub findings: Vec<Finding>,
    /// What the rules advise, whatever was decided.
    pub advice: Vec<String>,
    /// The facts that the call rests on, with the audit number at which each was learned.
    pub grounds: Vec<Ground>,
}

/// A judgement made for show: all that it tells, and nothing that could be sent.
pub struct Rehearsal {
    /// The verdict's name.
    pub verdict: &'static str,
    /// Why the call would be refused, if it would be.
    pub refusal: Option<Refusal>,
    /// Every read that the policy would make.
    pub wants: Vec<Call>,
    /// Every question that a human would be asked, in that order.
    pub questions: Vec<Question>,
    /// What each rule said that binds the call.
    pub findings: Vec<Finding>,
    /// What the rules advise.
    pub advice: Vec<String>,
}

impl From<Judgement> for Rehearsal {
    fn from(judgement: Judgement) -> Self {
        let Judgement { verdict, wants, questions, findings, advice, grounds: _ } = judgement;
        let name = verdict.name();
        let refusal = match verdict {
            Verdict::Refused(refusal) => Some(refusal),
            Verdict::Confirm(_) | Verdict::Need(_) | Verdict::Exists(_) | Verdict::Cleared(_) => None,
        };
        Self { verdict: name, refusal, wants, questions, findings, advice }
    }
}

/// A fact that a call rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    /// What kind of fact.
    pub fact: crate::spec::marks::Fact,
    /// The value, for a keyed hash.
    pub value: String,
    /// The audit number of the call that taught it.
    pub learned_at: u64,
}

/// What the policy says of a call's outcome.
pub enum Review {
    /// The outcome stands.
    Done,
    /// The outcome stands, and this is told beside it.
    Told(Remarks),
    /// The policy must read to know what happened.
    Need(Vec<Call>),
    /// It is done, by this call or another.
    Exists(Existing),
    /// It isn't done, or nobody can know.
    Refused(Refusal),
}
