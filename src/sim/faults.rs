//! Scripted misfortune: what happens at the nth call of a tool.
//!
//! A fault is one of three kinds. Some befall the request before it is carried out (`throttled`, `timeout`): then
//! nothing changes. Some befall the answer (`lost-reply`, `malformed-json`): then whatever the request asked for has
//! been done, and its sender can't tell. And `name-race` befalls the world. `parse` reads the file, `tools` knows what
//! it may name; `delivery` does to an answer what a fault says.

mod parse;
mod tools;

use std::collections::BTreeMap;

use http::StatusCode;

pub use parse::{FaultsError, Row, schema};

/// What a scripted fault does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Just before the call is handled, somebody else creates a thing of the name that it asks for.
    NameRace {
        /// Whether the other's is configured as the call asks; if not, a workspace's description differs, or a
        /// sandbox or an instance has one CPU more, an inference task other data, a training job one epoch more.
        same: bool,
    },
    /// Nothing is done; the answer is a 429 that asks for a pause.
    Throttled {
        /// The pause, in milliseconds.
        retry_after_ms: u32,
    },
    /// The answer is an error of the cloud's own.
    ServerError {
        /// 500, 502, 503 or 504.
        status: u16,
        /// Whether the request was carried out all the same.
        committed: bool,
    },
    /// Nothing is done, and no answer comes.
    Timeout,
    /// The request is carried out, and no answer comes.
    TimeoutAfterCommit,
    /// The request is carried out, and the connection is closed before the answer.
    LostReply,
    /// A list's rows are left out of its answer; its count of them all stays.
    EmptyPage,
    /// The answer comes late.
    Slow {
        /// How late, in seconds.
        seconds: u32,
    },
    /// The request is carried out, and the connection is closed in the middle of the answer.
    TruncatedBody,
    /// The request is carried out, and the answer's body isn't JSON, though it says so.
    MalformedJson,
    /// The request is carried out, and a page of HTML comes in place of the answer, with its status.
    WrongContentType,
    /// The request is carried out, and the answer's body is filled up with blanks.
    HugeBody {
        /// The size of the whole body, in bytes.
        bytes: u64,
    },
}

/// An error that a fault puts in place of an answer.
pub(super) struct Instead {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: &'static str,
}

impl Kind {
    /// The name of this kind in a faults file.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NameRace { .. } => "name-race",
            Self::Throttled { .. } => "throttled",
            Self::ServerError { .. } => "server-error",
            Self::Timeout => "timeout",
            Self::TimeoutAfterCommit => "timeout-after-commit",
            Self::LostReply => "lost-reply",
            Self::EmptyPage => "empty-page",
            Self::Slow { .. } => "slow",
            Self::TruncatedBody => "truncated-body",
            Self::MalformedJson => "malformed-json",
            Self::WrongContentType => "wrong-content-type",
            Self::HugeBody { .. } => "huge-body",
        }
    }

    /// Whether the request that this befalls is carried out.
    pub const fn is_carried_out(&self) -> bool {
        match self {
            Self::Throttled { .. } | Self::ServerError { committed: false, .. } | Self::Timeout => false,
            Self::NameRace { .. }
            | Self::ServerError { committed: true, .. }
            | Self::TimeoutAfterCommit
            | Self::LostReply
            | Self::EmptyPage
            | Self::Slow { .. }
            | Self::TruncatedBody
            | Self::MalformedJson
            | Self::WrongContentType
            | Self::HugeBody { .. } => true,
        }
    }

    /// The error that is answered in place of what came of the request, if one is.
    pub(super) fn instead(&self) -> Option<Instead> {
        let (status, code, message) = match self {
            Self::Throttled { .. } => {
                (429, "Throttling.User", "Request was denied due to user flow control.")
            }
            Self::ServerError { status, .. } => match status {
                502 => (502, "BadGateway", "The gateway got no valid answer."),
                503 => (
                    503,
                    "ServiceUnavailable",
                    "The request has failed due to a temporary failure of the server.",
                ),
                504 => (504, "GatewayTimeout", "The gateway got no answer in time."),
                _ => (500, "InternalError", "The request processing has failed due to some unknown error."),
            },
            // Nobody gets to read it.
            Self::Timeout => (504, "GatewayTimeout", "The gateway got no answer in time."),
            Self::NameRace { .. }
            | Self::TimeoutAfterCommit
            | Self::LostReply
            | Self::EmptyPage
            | Self::Slow { .. }
            | Self::TruncatedBody
            | Self::MalformedJson
            | Self::WrongContentType
            | Self::HugeBody { .. } => return None,
        };
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Some(Instead { status, code, message })
    }
}

/// The faults of a run and how many calls of each tool have come so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    /// By tool, or [`parse::ANY`], and the number of the call.
    nth: BTreeMap<(String, u64), Kind>,
    /// By tool, or [`parse::ANY`]: at each call whose number is a multiple, in the order of the file.
    every: Vec<(String, u64, Kind)>,
    calls: BTreeMap<String, u64>,
    all: u64,
}

impl Faults {
    /// Counts one more call of `tool` and says what befalls it: what is scripted for that very call, else for every so
    /// many, and a rule for the tool before one for any.
    pub(super) fn strike(&mut self, tool: &str) -> Option<Kind> {
        self.all += 1;
        let calls = self.calls.entry(tool.to_owned()).or_default();
        *calls += 1;
        let counted = [(tool, *calls), (parse::ANY, self.all)];
        let nth = counted.iter().find_map(|(tool, call)| self.nth.get(&((*tool).to_owned(), *call)));
        let every = |(tool, call): &(&str, u64)| {
            let due =
                self.every.iter().find(|(whose, every, _)| whose == tool && call.is_multiple_of(*every));
            due.map(|(_, _, kind)| kind)
        };
        nth.or_else(|| counted.iter().find_map(every)).copied()
    }
}

#[cfg(test)]
mod tests;
