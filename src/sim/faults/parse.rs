//! The faults file: strictly read, every error with its line and what to write instead.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{Faults, Kind, tools};
use crate::sim::place::{Step, line};

/// Stands for any tool.
pub(super) const ANY: &str = "*";

const RETRY_AFTER_MS: u32 = 1_000;
const STATUS: u16 = 500;
const SECONDS: u32 = 5;
/// More than any client of ours takes.
const BYTES: u64 = 32 * 1024 * 1024;
const MOST_BYTES: u64 = 1024 * 1024 * 1024;
const MOST_SECONDS: u32 = 3_600;

/// Why a faults file can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultsError {
    /// It isn't JSON, or not an array of entries.
    #[error(
        "line {line}, column {column}: {what}; a faults file is a JSON array of entries such as \
         {{\"tool\": \"dlc_create_job\", \"nth\": 1, \"fault\": \"timeout\"}}"
    )]
    Form {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What the parser found.
        what: String,
    },
    /// An entry doesn't make sense.
    #[error("line {line}, faults[{index}]{field}: {what}; {fix}")]
    Entry {
        /// The line on which it, or its field, stands.
        line: usize,
        /// Position in the array, from 0.
        index: usize,
        /// The field with a dot before it; empty where the whole entry is meant.
        field: String,
        /// What is wrong.
        what: String,
        /// What to write instead.
        fix: String,
    },
}

/// One entry of a faults file: what happens, and to which call.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "A fault")]
pub struct Row {
    /// The tool whose calls are meant, such as `dlc_create_job`, or `*` for any. Either this or `action`.
    pub tool: Option<String>,
    /// The same by the name that the cloud has for the operation: `CreateJob`, or `create_sandbox` of PyroMind.
    pub action: Option<String>,
    /// Which call of that tool, from 1. Either this or `every`.
    #[schemars(range(min = 1))]
    pub nth: Option<u64>,
    /// Every so many calls: with 10 the 10th, the 20th and so on; with 1 all of them.
    #[schemars(range(min = 1))]
    pub every: Option<u64>,
    /// What happens.
    pub fault: Mishap,
    /// Of `name-race`: whether the other's thing is configured as the call asks. False unless given.
    pub same: Option<bool>,
    /// Of `throttled`: the pause asked for, in milliseconds. 1000 unless given.
    pub retry_after_ms: Option<u32>,
    /// Of `server-error`: 500 (the default), 502, 503 or 504.
    pub status: Option<u16>,
    /// Of `server-error`: whether the request is carried out all the same. False unless given.
    pub committed: Option<bool>,
    /// Of `slow`: how late the answer comes, in seconds. 5 unless given.
    #[schemars(range(min = 1, max = 3600))]
    pub seconds: Option<u32>,
    /// Of `huge-body`: the size of the body, in bytes. 33554432 unless given.
    #[schemars(range(min = 1, max = 1_073_741_824))]
    pub bytes: Option<u64>,
}

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mishap {
    /// Just before the call, somebody else creates a thing of its name.
    NameRace,
    /// Nothing is done: a 429 that asks for a pause.
    Throttled,
    /// A 5xx.
    ServerError,
    /// Nothing is done, and no answer comes.
    Timeout,
    /// It is done, and no answer comes.
    TimeoutAfterCommit,
    /// It is done, and the connection is closed before the answer.
    LostReply,
    /// A list without its rows.
    EmptyPage,
    /// It is done, and the answer comes late.
    Slow,
    /// It is done, and the connection is closed in the middle of the answer.
    TruncatedBody,
    /// It is done, and the answer isn't JSON, though it says so.
    MalformedJson,
    /// It is done, and the answer is a page of HTML.
    WrongContentType,
    /// It is done, and the answer is filled up with blanks.
    HugeBody,
}

/// The JSON schema of a faults file.
pub fn schema() -> Value {
    let mut generator = schemars::generate::SchemaSettings::draft2020_12()
        .with(|it| it.inline_subschemas = true)
        .into_generator();
    generator.root_schema_for::<Vec<Row>>().to_value()
}

impl Faults {
    /// Reads a faults file: a JSON array such as
    /// `[{"tool": "aiworkspace_create_workspace", "nth": 1, "fault": "name-race", "same": true}]`.
    ///
    /// # Errors
    /// [`FaultsError`] names the line, the entry, what is wrong with it and what to write instead.
    pub fn parse(text: &str) -> Result<Self, FaultsError> {
        let rows: Vec<Row> = serde_json::from_str(text).map_err(|error| {
            let what = error.to_string();
            let what = what.rsplit_once(" at line ").map_or(what.as_str(), |(what, _)| what).to_owned();
            FaultsError::Form { line: error.line(), column: error.column(), what }
        })?;
        let mut faults = Self::default();
        let mut every: BTreeMap<(String, u64), usize> = BTreeMap::new();
        for (index, row) in rows.iter().enumerate() {
            let told = |Wrong { field, what, fix }: Wrong| {
                let path = [Step::Element(index), Step::Field(field)];
                let line =
                    line(text, if field.is_empty() { path.get(..1).unwrap_or_default() } else { &path });
                let field = if field.is_empty() { String::new() } else { format!(".{field}") };
                FaultsError::Entry { line, index, field, what, fix }
            };
            let tool = row.tool().map_err(told)?;
            let kind = row.kind(tool).map_err(told)?;
            let number = row.number().map_err(told)?;
            let earlier = match number {
                Number::Nth(nth) => faults.nth.insert((tool.to_owned(), nth), kind).is_some(),
                Number::Every(many) => {
                    faults.every.push((tool.to_owned(), many, kind));
                    every.insert((tool.to_owned(), many), index).is_some()
                }
            };
            if earlier {
                let what = "an earlier entry is for the same calls";
                return Err(told(wrong("", what, "give each call one fault")));
            }
        }
        Ok(faults)
    }
}

/// Which calls.
enum Number {
    Nth(u64),
    Every(u64),
}

/// What is wrong with an entry, at which of its fields.
struct Wrong {
    field: &'static str,
    what: String,
    fix: String,
}

fn wrong(field: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Wrong {
    Wrong { field, what: what.into(), fix: fix.into() }
}

impl Row {
    /// The tool whose calls are meant, or [`ANY`].
    fn tool(&self) -> Result<&'static str, Wrong> {
        let (field, name, found) = match (&self.tool, &self.action) {
            (Some(tool), None) if tool == ANY => return Ok(ANY),
            (Some(tool), None) => ("tool", tool, tools::find(tool)),
            (None, Some(action)) => ("action", action, tools::of_action(action)),
            (Some(_), Some(_)) => return Err(wrong("action", "stands beside tool", "give one of the two")),
            (None, None) => return Err(wrong("", "names no call", "give tool, or action")),
        };
        found.ok_or_else(|| {
            let like = tools::like(name);
            let like = like
                .and_then(|tool| if field == "tool" { Some(tool.to_owned()) } else { tools::action(tool) });
            let fix = match like {
                Some(like) => format!("did you mean {like}? `redline-mcp tools` lists them, and * is any"),
                None => "`redline-mcp tools` lists them, and * is any".to_owned(),
            };
            wrong(field, format!("there is no such {field}"), fix)
        })
    }

    fn number(&self) -> Result<Number, Wrong> {
        match (self.nth, self.every) {
            (Some(0), None) => {
                Err(wrong("nth", "is 0, but calls are counted from 1", "write 1 for the first call"))
            }
            (None, Some(0)) => Err(wrong("every", "is 0", "write 1 for all calls")),
            (Some(nth), None) => Ok(Number::Nth(nth)),
            (None, Some(every)) => Ok(Number::Every(every)),
            (Some(_), Some(_)) => Err(wrong("every", "stands beside nth", "give one of the two")),
            (None, None) => Err(wrong("", "doesn't say which call", "give nth, or every")),
        }
    }

    fn kind(&self, tool: &str) -> Result<Kind, Wrong> {
        let kind = match self.fault {
            Mishap::NameRace => Kind::NameRace { same: self.same.unwrap_or(false) },
            Mishap::Throttled => {
                Kind::Throttled { retry_after_ms: self.retry_after_ms.unwrap_or(RETRY_AFTER_MS) }
            }
            Mishap::ServerError => Kind::ServerError {
                status: self.status.unwrap_or(STATUS),
                committed: self.committed.unwrap_or(false),
            },
            Mishap::Timeout => Kind::Timeout,
            Mishap::TimeoutAfterCommit => Kind::TimeoutAfterCommit,
            Mishap::LostReply => Kind::LostReply,
            Mishap::EmptyPage => Kind::EmptyPage,
            Mishap::Slow => Kind::Slow { seconds: self.seconds.unwrap_or(SECONDS) },
            Mishap::TruncatedBody => Kind::TruncatedBody,
            Mishap::MalformedJson => Kind::MalformedJson,
            Mishap::WrongContentType => Kind::WrongContentType,
            Mishap::HugeBody => Kind::HugeBody { bytes: self.bytes.unwrap_or(BYTES) },
        };
        let name = kind.name();
        for (setting, given, whose) in [
            ("same", self.same.is_some(), Mishap::NameRace),
            ("retry_after_ms", self.retry_after_ms.is_some(), Mishap::Throttled),
            ("status", self.status.is_some(), Mishap::ServerError),
            ("committed", self.committed.is_some(), Mishap::ServerError),
            ("seconds", self.seconds.is_some(), Mishap::Slow),
            ("bytes", self.bytes.is_some(), Mishap::HugeBody),
        ] {
            if given && whose != self.fault {
                return Err(wrong(setting, format!("isn't a setting of {name}"), "leave it out"));
            }
        }
        let misplaced = |only: Vec<&str>| {
            let what = format!("{name} can't happen to this tool");
            Err(wrong(
                if self.tool.is_some() { "tool" } else { "action" },
                what,
                format!("it happens to {}", only.join(", ")),
            ))
        };
        let among = |fits: fn(&str) -> bool| tools::TOOLS.iter().copied().filter(|tool| fits(tool)).collect();
        match kind {
            Kind::NameRace { .. } if !tools::races(tool) => misplaced(among(tools::races)),
            Kind::EmptyPage if !tools::lists(tool) => misplaced(among(tools::lists)),
            Kind::ServerError { status, .. } if !matches!(status, 500 | 502 | 503 | 504) => {
                Err(wrong("status", "isn't one that the clouds answer", "write 500, 502, 503 or 504"))
            }
            Kind::Slow { seconds } if !(1..=MOST_SECONDS).contains(&seconds) => {
                Err(wrong("seconds", "is out of range", format!("write 1 to {MOST_SECONDS}")))
            }
            Kind::HugeBody { bytes } if !(1..=MOST_BYTES).contains(&bytes) => {
                Err(wrong("bytes", "is out of range", format!("write 1 to {MOST_BYTES}")))
            }
            Kind::NameRace { .. }
            | Kind::Throttled { .. }
            | Kind::ServerError { .. }
            | Kind::Timeout
            | Kind::TimeoutAfterCommit
            | Kind::LostReply
            | Kind::EmptyPage
            | Kind::Slow { .. }
            | Kind::TruncatedBody
            | Kind::MalformedJson
            | Kind::WrongContentType
            | Kind::HugeBody { .. } => Ok(kind),
        }
    }
}
