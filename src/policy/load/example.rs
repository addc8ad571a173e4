//! Examples: calls, and what a rule says of each.
//!
//! A rule of an overlay proves itself by them when the server starts. What they need to be known stands in them;
//! their instant is [`NOON`].

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::policy::verdict::Said;
use crate::spec::marks::Fact;

/// The instant of every example: 2026-01-01T12:00:00Z.
pub const NOON: Timestamp = Timestamp::constant(1_767_268_800, 0);

/// A call, and what the rule says of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// The tool called.
    pub tool: String,
    /// Its arguments.
    #[serde(default)]
    pub arguments: Map<String, Value>,
    /// What the rule says.
    pub says: Says,
    /// What was listed before.
    #[serde(default)]
    pub listed: Vec<Listed>,
    /// What the clouds answer to the policy's reads.
    #[serde(default)]
    pub answers: Vec<ReadAnswer>,
    /// How many calls were sent in the minute before.
    #[serde(default)]
    pub sent: u64,
}

/// Something that a list showed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// What it is.
    pub fact: Fact,
    /// The region.
    pub region: String,
    /// The workspace, of what is known within one.
    pub workspace: Option<String>,
    /// The value.
    pub value: String,
}

/// The answer to one read of the policy's own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadAnswer {
    /// The tool.
    pub tool: String,
    /// Its arguments.
    #[serde(default)]
    pub arguments: Map<String, Value>,
    /// The reply.
    pub reply: Value,
}

/// What a rule says of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    /// Nothing: it doesn't bind such a call.
    Unbound,
    /// The call keeps it.
    Passed,
    /// The call is made, with a word of advice beside its result.
    Advised,
    /// The call breaks it.
    Refused,
    /// A human must say.
    Asked,
    /// It must read first.
    Wants,
    /// What the call asks for exists already.
    Answered,
}

impl Says {
    /// Whether the rule lets the call go on.
    pub const fn lets_go(self) -> bool {
        match self {
            Self::Unbound | Self::Passed | Self::Advised => true,
            Self::Refused | Self::Asked | Self::Wants | Self::Answered => false,
        }
    }

    /// What comes of several findings of one rule: the one that weighs most.
    pub(in crate::policy) fn of(findings: impl Iterator<Item = Said>) -> Self {
        let weight = |says: &Self| match says {
            Self::Unbound => 0,
            Self::Passed => 1,
            Self::Advised => 2,
            Self::Answered => 3,
            Self::Asked => 4,
            Self::Wants => 5,
            Self::Refused => 6,
        };
        let says = findings.map(|said| match said {
            Said::Passed => Self::Passed,
            Said::Refused => Self::Refused,
            Said::Asked => Self::Asked,
            Said::Wants => Self::Wants,
            Said::Advised => Self::Advised,
            Said::Exists => Self::Answered,
        });
        says.max_by_key(weight).unwrap_or(Self::Unbound)
    }
}

impl fmt::Display for Says {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unbound => "unbound",
            Self::Passed => "passed",
            Self::Advised => "advised",
            Self::Refused => "refused",
            Self::Asked => "asked",
            Self::Wants => "wants",
            Self::Answered => "answered",
        })
    }
}
