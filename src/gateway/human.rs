//! A human from a file, for evaluations: the same questions always get the same answers.
//!
//! The file is read once, at launch. Nothing that a call says can add to it, and what it says is weighed by the policy
//! like any other answer. docs/scripted-human.md describes it.

use std::sync::{Mutex, PoisonError};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use toml::Spanned;

use crate::policy::Policy;
use crate::policy::consent::{Answer, Channel, Form, Question, Reply};
use crate::policy::grant::FURTHER;
use crate::policy::load::Pattern;
use crate::spec::value::is_region;
use crate::tools;

/// Why a file can't play the human.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// It isn't TOML, or has a key that no answer has.
    #[error("line {line}: {reason}")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// What the parser says.
        reason: String,
    },
    /// An answer that can't be.
    #[error("answer {number}, line {line}: {reason}")]
    Answer {
        /// Which answer, from 1.
        number: usize,
        /// The line where it begins, from 1.
        line: usize,
        /// What is wrong, and the fix.
        reason: String,
    },
}

/// What answers questions in a human's place.
#[derive(Debug)]
pub struct Script {
    rows: Vec<Row>,
    /// How often each row may still answer.
    left: Mutex<Vec<u64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    answer: Vec<Spanned<Row>>,
}

/// One answer, and the questions that it is for: those of which all that is given is so.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    rule: Option<String>,
    tool: Option<String>,
    form: Option<FormName>,
    region: Option<String>,
    workspace: Option<String>,
    shows: Option<Pattern>,
    say: Say,
    choose: Option<String>,
    #[serde(rename = "type")]
    typed: Option<String>,
    further_calls: Option<u32>,
    times: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum FormName {
    Region,
    Approve,
    TypeId,
}

impl FormName {
    const fn of(form: &Form) -> Self {
        match form {
            Form::Region { .. } => Self::Region,
            Form::Approve => Self::Approve,
            Form::TypeId { .. } => Self::TypeId,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Say {
    Accept,
    Decline,
    Cancel,
    Timeout,
    Malformed,
}

impl Row {
    /// Why it makes no sense, if it doesn't.
    fn fault(&self, policy: &Policy) -> Option<String> {
        if let Some(rule) = self.rule.as_ref().filter(|rule| policy.about(rule).is_none()) {
            return Some(format!("there is no rule {rule}; see `redline-mcp policy`"));
        }
        if let Some(tool) = self.tool.as_ref().filter(|tool| tools::find(tool).is_none()) {
            return Some(format!("there is no tool {tool}; see `redline-mcp tools`"));
        }
        let regions = [&self.region, &self.choose];
        if let Some(region) = regions.into_iter().flatten().find(|region| !is_region(region)) {
            return Some(format!("{region} isn't a documented region"));
        }
        if self.times == Some(0) {
            return Some("times is 0, so it would never answer; leave it out for always".to_owned());
        }
        let most = policy.most_further_calls();
        if let Some(calls) = self.further_calls.filter(|calls| *calls > most) {
            return Some(format!("further_calls is {calls}, and a question offers {most} at most"));
        }
        let fillings = [
            ("choose", self.choose.is_some(), FormName::Region, "region"),
            ("type", self.typed.is_some(), FormName::TypeId, "type-id"),
            (FURTHER, self.further_calls.is_some(), FormName::Approve, "approve"),
        ];
        let misplaced = fillings
            .into_iter()
            .find(|(_, given, form, _)| *given && (self.say != Say::Accept || self.form != Some(*form)));
        misplaced
            .map(|(key, _, _, form)| format!("{key} takes say = \"accept\" and form = \"{form}\" beside it"))
    }

    fn is_for(&self, asked: &Asked<'_>) -> bool {
        let text = |name: &str| asked.arguments.get(name).and_then(Value::as_str);
        let question = asked.question;
        self.rule.as_ref().is_none_or(|rule| rule == question.rule())
            && self.tool.as_ref().is_none_or(|tool| tool == asked.tool)
            && self.form.is_none_or(|form| form == FormName::of(question.form()))
            && self.region.as_deref().is_none_or(|region| text("RegionId") == Some(region))
            && self.workspace.as_deref().is_none_or(|workspace| text("WorkspaceId") == Some(workspace))
            && self.shows.as_ref().is_none_or(|Pattern(pattern)| pattern.is_match(question.message()))
    }

    fn reply(&self, asked: &Asked<'_>) -> Reply {
        let form = asked.question.form();
        match self.say {
            Say::Decline => Reply::Declined,
            Say::Cancel => Reply::Cancelled,
            Say::Timeout => Reply::TimedOut,
            Say::Malformed => Reply::Accepted(json!({ form.property(): {} })),
            Say::Accept => {
                let mut filled = Map::new();
                let value = match form {
                    Form::Region { .. } => match &self.choose {
                        Some(region) => json!(region),
                        None => asked.arguments.get("RegionId").cloned().unwrap_or_default(),
                    },
                    Form::Approve => json!(true),
                    Form::TypeId { id, .. } => json!(self.typed.as_ref().unwrap_or(id)),
                };
                filled.insert(form.property().to_owned(), value);
                // Where nothing is offered, the form has no such field.
                if let (Some(calls), Some(_)) = (self.further_calls, asked.question.offer()) {
                    filled.insert(FURTHER.to_owned(), json!(calls));
                }
                Reply::Accepted(Value::Object(filled))
            }
        }
    }
}

/// A question and the call that it is about.
pub(super) struct Asked<'a> {
    pub(super) tool: &'a str,
    pub(super) arguments: &'a Map<String, Value>,
    pub(super) question: &'a Question,
}

impl Script {
    /// Reads a script: TOML with a list of `[[answer]]`.
    ///
    /// # Errors
    /// [`ScriptError`]: the line and what is wrong there.
    pub fn parse(text: &str, policy: &Policy) -> Result<Self, ScriptError> {
        let line_of = |at: usize| text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
        let file: File = toml::from_str(text).map_err(|error| ScriptError::Syntax {
            line: error.span().map_or(1, |span| line_of(span.start)),
            reason: error.message().to_owned(),
        })?;
        let mut rows = Vec::new();
        for (number, row) in (1..).zip(file.answer) {
            let line = line_of(row.span().start);
            let row = row.into_inner();
            if let Some(reason) = row.fault(policy) {
                return Err(ScriptError::Answer { number, line, reason });
            }
            rows.push(row);
        }
        let left = rows.iter().map(|row| row.times.unwrap_or(u64::MAX)).collect();
        Ok(Self { rows, left: Mutex::new(left) })
    }

    /// What the human answers: as the first row says that is for such a question and isn't used up; a no if none is.
    pub(super) fn answer(&self, asked: &Asked<'_>) -> Answer {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let row = self.rows.iter().zip(left.iter_mut()).find(|(row, left)| **left > 0 && row.is_for(asked));
        let reply = match row {
            Some((row, left)) => {
                *left -= 1;
                row.reply(asked)
            }
            None => {
                tracing::warn!(tool = asked.tool, "--human has no answer to a question, so it is declined");
                Reply::Declined
            }
        };
        Answer { digest: asked.question.digest().to_owned(), channel: Channel::Scripted, reply }
    }
}

#[cfg(test)]
mod tests;
