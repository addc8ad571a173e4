//! `redline-mcp call`: one call through the same gateway, its yes taken on a terminal.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Write};
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::{CliError, Target, human, print, violations};
use crate::cloud;
use crate::config::Launch;
use crate::error::Fault;
use crate::gateway::{Clock, Peer, Request, Step, StepError};
use crate::policy::consent::{Answer, Channel, Form, Question, Reply};
use crate::policy::sweep::Seen;
use crate::policy::{OnMiss, Policy};

/// One call.
#[derive(Debug, Args)]
pub struct Call {
    /// What to call.
    #[command(flatten)]
    pub target: Target,
    /// Print the verdict and the request; load no credential, send nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print compact JSON
    #[arg(long)]
    pub json: bool,
    /// How to launch.
    #[command(flatten)]
    pub launch: Launch,
}

impl Call {
    /// Makes the call, or rehearses it.
    ///
    /// # Errors
    /// [`CliError`] when there was no call. A refused call is exit code 1.
    pub async fn run(&self) -> Result<ExitCode, CliError> {
        let (result, failed) = if self.dry_run { self.rehearse()? } else { self.call().await? };
        print(&match (self.json, self.dry_run, failed) {
            (true, _, _) => result.to_string(),
            (false, true, _) => human::rehearsal(&result).join("\n"),
            (false, false, true) => human::refusal(&result).join("\n"),
            (false, false, false) => human::pretty(&result),
        })?;
        Ok(ExitCode::from(u8::from(failed)))
    }

    async fn call(&self) -> Result<(Value, bool), CliError> {
        let tool = self.target.tool()?;
        let arguments = self.target.arguments()?;
        let gateway = self.launch.gateway(OnMiss::Verify)?;
        let scope = gateway.new_scope();
        let mut answer = None;
        loop {
            let request = Request {
                tool: tool.name().to_owned(),
                arguments: arguments.clone(),
                scope: scope.clone(),
                answer: answer.take(),
                peer: Peer { client: "redline-mcp call".to_owned(), ..Peer::default() },
            };
            match gateway.step(request).await {
                Ok(Step::Done(masked)) => return Ok((masked.body().clone(), masked.is_error())),
                Ok(Step::Ask(question)) => answer = Some(ask(&question)),
                Err(StepError::UnknownTool(_)) => {
                    return Err(CliError::Usage("there is no such tool".to_owned()));
                }
            }
        }
    }

    /// What would be said of the call, and what would be sent.
    fn rehearse(&self) -> Result<(Value, bool), CliError> {
        let tool = self.target.tool()?;
        let arguments = self.target.arguments()?;
        self.launch.check()?;
        let policy = self.launch.policy(OnMiss::Verify, Vec::new())?;
        let call = match tool.parse(&arguments) {
            Ok(call) => call,
            Err(faults) => {
                let violations = violations(&policy, Some(&Policy::refuse_arguments(faults)));
                let result = json!({
                    "verdict": "refused", "violations": violations, "needs": [], "confirm": [], "request": null,
                });
                return Ok((result, true));
            }
        };
        let masked = policy.mask_call(&call, &Seen::default());
        let preview = cloud::preview(
            &masked,
            &self.launch.endpoints()?,
            self.launch.signature(),
            &self.launch.bearer()?,
        );
        let rehearsal = policy.rehearse(&call, Clock::wall());
        let needs: Vec<Value> = rehearsal
            .wants
            .iter()
            .map(|read| json!({ "tool": read.tool().name(), "arguments": policy.mask_call(read, &Seen::default()).arguments() }))
            .collect();
        let confirm: Vec<Value> = rehearsal.questions.iter().map(describe).collect();
        let refusal = rehearsal.refusal.as_ref();
        let (verdict, violations, request, failed) = match preview {
            Ok(preview) => {
                let request = serde_json::to_value(preview).unwrap_or_default();
                (rehearsal.verdict, violations(&policy, refusal), request, refusal.is_some())
            }
            Err(error) => {
                let fault = Fault::new("", error.to_string(), "mend the arguments");
                ("refused", json!([fault]), Value::Null, true)
            }
        };
        let result = json!({
            "verdict": verdict, "violations": violations, "needs": needs, "confirm": confirm, "request": request,
        });
        Ok((result, failed))
    }
}

fn describe(question: &Question) -> Value {
    let form = match question.form() {
        Form::Region { options } => {
            json!({ "region": options.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>() })
        }
        Form::Approve => json!({ "approve": [true] }),
        Form::TypeId { id } => json!({ "resource_id": [id] }),
    };
    json!({ "rule": question.rule(), "question": question.message(), "form": form })
}

/// Puts a question to whoever sits at the terminal. What is piped into stdin is no answer.
fn ask(question: &Question) -> Answer {
    let reply = match terminal() {
        Some((input, output)) => match prompt(question, input, output) {
            Ok(reply) => reply,
            Err(_) => Reply::Cancelled,
        },
        None => Reply::NoChannel,
    };
    Answer { digest: question.digest().to_owned(), channel: Channel::Terminal, reply }
}

/// The terminal itself, which a pipe can't stand in for.
fn terminal() -> Option<(Box<dyn BufRead>, Box<dyn Write>)> {
    if cfg!(unix) {
        let output = File::options().write(true).open("/dev/tty").ok()?;
        let input = File::open("/dev/tty").ok()?;
        return Some((Box::new(BufReader::new(input)), Box::new(output)));
    }
    let at_terminal = io::stdin().is_terminal() && io::stderr().is_terminal();
    at_terminal.then(|| -> (Box<dyn BufRead>, Box<dyn Write>) {
        (Box::new(io::stdin().lock()), Box::new(io::stderr()))
    })
}

fn prompt(question: &Question, mut input: impl BufRead, mut output: impl Write) -> io::Result<Reply> {
    writeln!(output, "\n{}\n", question.message())?;
    let hint = match question.form() {
        Form::Region { options } => {
            for (id, name) in options {
                writeln!(output, "  {id:<24} {name}")?;
            }
            "Type the region to use, or nothing to cancel: "
        }
        Form::Approve => "Type yes to approve, anything else to decline: ",
        Form::TypeId { .. } => "Type the id of what this is about to approve, or nothing to decline: ",
    };
    write!(output, "{hint}")?;
    output.flush()?;
    let mut line = String::new();
    input.read_line(&mut line)?;
    let typed = line.trim();
    Ok(match question.form() {
        Form::Region { .. } if typed.is_empty() => Reply::Cancelled,
        Form::Region { .. } => Reply::Accepted(json!({ "region": typed })),
        Form::Approve if typed.eq_ignore_ascii_case("yes") => Reply::Accepted(json!({ "approve": true })),
        Form::Approve => Reply::Declined,
        Form::TypeId { .. } if typed.is_empty() => Reply::Declined,
        Form::TypeId { .. } => Reply::Accepted(json!({ "resource_id": typed })),
    })
}
