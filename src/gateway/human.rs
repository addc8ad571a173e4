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
mod tests {
    use super::*;
    use crate::policy::consent::Operator;
    use crate::policy::{OnMiss, Settings};

    fn policy() -> Policy {
        Policy::compiled(Settings {
            on_miss: OnMiss::Refuse,
            operator: Operator::default(),
            simulated: true,
            digest_key: Vec::new(),
            secret_command: String::new(),
        })
        .unwrap()
    }

    fn script(text: &str) -> Script {
        Script::parse(text, &policy()).unwrap()
    }

    /// The questions about a call that knows nothing: about its region, and about its arguments.
    fn questions(tool: &str, arguments: &Value) -> Vec<Question> {
        let call = tools::find(tool).unwrap().parse(arguments.as_object().unwrap()).unwrap();
        policy().rehearse(&call, "2026-03-01T12:00:00Z".parse().unwrap()).questions
    }

    #[track_caller]
    fn says(script: &Script, tool: &str, arguments: &Value, form: &str) -> Reply {
        let questions = questions(tool, arguments);
        let question = questions.iter().find(|question| question.form().property() == form).unwrap();
        let asked = Asked { tool, arguments: arguments.as_object().unwrap(), question };
        let answer = script.answer(&asked);
        assert_eq!((&*answer.digest, answer.channel), (question.digest(), Channel::Scripted));
        answer.reply
    }

    fn workspace(name: &str) -> Value {
        json!({ "RegionId": "cn-hangzhou", "WorkspaceName": name, "Description": "Models", "EnvTypes": ["prod"] })
    }

    const CREATE: &str = "aiworkspace_create_workspace";
    const STOP: &str = "dlc_stop_job";
    const DELETE: &str = "pyromind_delete_sandbox";

    fn stop(region: &str) -> Value {
        json!({ "RegionId": region, "JobId": "dlc1" })
    }

    fn accepted(content: Value) -> Reply {
        Reply::Accepted(content)
    }

    #[test]
    fn each_answer_is_what_a_client_would_send() {
        let all = script("[[answer]]\nsay = \"accept\"\n");
        assert_eq!(
            says(&all, CREATE, &workspace("team_a"), "region"),
            accepted(json!({ "region": "cn-hangzhou" }))
        );
        assert_eq!(says(&all, CREATE, &workspace("team_a"), "approve"), accepted(json!({ "approve": true })));
        let sandbox = json!({ "sandbox_id": "sbx_1" });
        assert_eq!(says(&all, DELETE, &sandbox, "resource_id"), accepted(json!({ "resource_id": "sbx_1" })));
        for (say, reply) in
            [("decline", Reply::Declined), ("cancel", Reply::Cancelled), ("timeout", Reply::TimedOut)]
        {
            assert_eq!(
                says(&script(&format!("[[answer]]\nsay = \"{say}\"\n")), DELETE, &sandbox, "resource_id"),
                reply
            );
        }
        let malformed = script("[[answer]]\nsay = \"malformed\"\n");
        assert_eq!(
            says(&malformed, CREATE, &workspace("team_a"), "region"),
            accepted(json!({ "region": {} }))
        );
        assert_eq!(
            says(&malformed, CREATE, &workspace("team_a"), "approve"),
            accepted(json!({ "approve": {} }))
        );
        assert_eq!(says(&malformed, DELETE, &sandbox, "resource_id"), accepted(json!({ "resource_id": {} })));
    }

    #[test]
    fn what_is_filled_in_can_be_set() {
        let script = script(
            r#"
            [[answer]]
            form = "region"
            say = "accept"
            choose = "cn-shanghai"
            [[answer]]
            form = "type-id"
            say = "accept"
            type = "sbx_2"
            [[answer]]
            form = "approve"
            say = "accept"
            further_calls = 3
            "#,
        );
        assert_eq!(
            says(&script, STOP, &stop("cn-hangzhou"), "region"),
            accepted(json!({ "region": "cn-shanghai" }))
        );
        let sandbox = json!({ "sandbox_id": "sbx_1" });
        assert_eq!(
            says(&script, DELETE, &sandbox, "resource_id"),
            accepted(json!({ "resource_id": "sbx_2" }))
        );
        assert_eq!(
            says(&script, STOP, &stop("cn-hangzhou"), "approve"),
            accepted(json!({ "approve": true, "further_calls": 3 }))
        );
        // No workspace is made without a question, so its form has no such field.
        assert_eq!(
            says(&script, CREATE, &workspace("team_a"), "approve"),
            accepted(json!({ "approve": true }))
        );
    }

    #[test]
    fn the_first_that_fits_and_is_left_answers_and_the_rest_is_declined() {
        let script = script(
            r#"
            [[answer]]
            rule = "arguments-confirmed"
            tool = "aiworkspace_create_workspace"
            shows = 'WorkspaceName: "team_a+"'
            say = "accept"
            times = 2
            [[answer]]
            tool = "dlc_stop_job"
            form = "approve"
            region = "cn-shanghai"
            say = "cancel"
            [[answer]]
            workspace = "1001"
            say = "timeout"
            "#,
        );
        let yes = accepted(json!({ "approve": true }));
        assert_eq!(says(&script, CREATE, &workspace("team_aaa"), "approve"), yes);
        assert_eq!(says(&script, CREATE, &workspace("team_aaa"), "region"), Reply::Declined);
        assert_eq!(says(&script, CREATE, &workspace("team_b"), "approve"), Reply::Declined);
        assert_eq!(says(&script, CREATE, &workspace("team_aa"), "approve"), yes);
        assert_eq!(says(&script, CREATE, &workspace("team_aa"), "approve"), Reply::Declined);
        assert_eq!(says(&script, STOP, &stop("cn-shanghai"), "approve"), Reply::Cancelled);
        assert_eq!(says(&script, STOP, &stop("cn-shanghai"), "region"), Reply::Declined);
        assert_eq!(says(&script, STOP, &stop("cn-hangzhou"), "approve"), Reply::Declined);
        let images = json!({ "RegionId": "cn-hangzhou", "WorkspaceId": "1001" });
        assert_eq!(says(&script, "aiworkspace_list_images", &images, "region"), Reply::TimedOut);
    }

    #[test]
    fn an_empty_script_declines_everything() {
        assert_eq!(says(&script(""), CREATE, &workspace("team_a"), "approve"), Reply::Declined);
    }

    #[test]
    fn what_makes_no_sense_is_said_with_its_line() {
        for (text, error) in [
            ("[[answers]]\n", "line 1: unknown field `answers`, expected `answer`"),
            (
                "\n[[answer]]\nsay = \"yes\"\n",
                "line 3: unknown variant `yes`, expected one of `accept`, `decline`, `cancel`, `timeout`, `malformed`",
            ),
            ("[[answer]]\nform = \"region\"\n", "line 1: missing field `say`"),
            (
                "[[answer]]\nsay = \"decline\"\n[[answer]]\ntool = \"dlc_\"\nsay = \"accept\"\n",
                "answer 2, line 3: there is no tool dlc_; see `redline-mcp tools`",
            ),
            (
                "[[answer]]\nrule = \"region\"\nsay = \"accept\"\n",
                "answer 1, line 1: there is no rule region; see `redline-mcp policy`",
            ),
            (
                "[[answer]]\nregion = \"hangzhou\"\nsay = \"accept\"\n",
                "answer 1, line 1: hangzhou isn't a documented region",
            ),
            (
                "[[answer]]\nsay = \"accept\"\ntimes = 0\n",
                "answer 1, line 1: times is 0, so it would never answer; leave it out for always",
            ),
            (
                "[[answer]]\nsay = \"accept\"\nchoose = \"cn-beijing\"\n",
                "answer 1, line 1: choose takes say = \"accept\" and form = \"region\" beside it",
            ),
            (
                "[[answer]]\nform = \"approve\"\nsay = \"decline\"\nfurther_calls = 2\n",
                "answer 1, line 1: further_calls takes say = \"accept\" and form = \"approve\" beside it",
            ),
            (
                "[[answer]]\nform = \"region\"\nsay = \"accept\"\ntype = \"x\"\n",
                "answer 1, line 1: type takes say = \"accept\" and form = \"type-id\" beside it",
            ),
        ] {
            assert_eq!(Script::parse(text, &policy()).unwrap_err().to_string(), error, "{text}");
        }
        let pattern = Script::parse("[[answer]]\nshows = \"(\"\nsay = \"accept\"\n", &policy()).unwrap_err();
        assert!(pattern.to_string().starts_with("line 2: regex parse error"), "{pattern}");
    }

    #[test]
    fn the_example_of_the_documentation_is_a_script() {
        let page = include_str!("../../docs/scripted-human.md");
        let (_, rest) = page.split_once("```toml\n").unwrap();
        let (example, _) = rest.split_once("```").unwrap();
        assert_eq!(script(example).rows.len(), 5);
    }
}
