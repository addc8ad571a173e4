//! `redline-mcp demo`: the main job, told as a story.
//!
//! This same program is started as a child that serves MCP over stdio; a real MCP client plays the agent, and
//! a scripted human answers what the server asks. Every step checks what it got: the story ends well only
//! if each did.

mod person;
mod pyromind;
mod story;

use std::process::ExitCode;

use rmcp::model::{CallToolRequestParams, CallToolResult};
use rmcp::service::{ClientInitializeError, RoleClient, RunningService, ServiceError, ServiceExt};
use rmcp::transport::TokioChildProcess;
use serde_json::Value;
use tokio::process::Command;

use super::{CliError, human, print};
use crate::audit::{AuditError, KEY_FILE, Key, Report, Style, header, show, verify};
use crate::config::{self, ConfigError};
use person::Human;

/// How far the world's clock moves with each step: far enough to watch a job in a few calls.
const CLOCK_STEP: &str = "15s";

/// Why the story broke off.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The child can't be started.
    #[error("can't start the server: {0}")]
    Start(#[from] std::io::Error),
    /// The child can't be found.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The child and the client don't understand each other.
    #[error("the server didn't introduce itself: {0}")]
    Initialize(Box<ClientInitializeError>),
    /// A call got no result.
    #[error("a call got no result: {0}")]
    Call(#[from] ServiceError),
    /// The record can't be read.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A step didn't do what it should.
    #[error("the story went wrong: {0}")]
    Unexpected(String),
}

/// Tells the story.
///
/// # Errors
/// When a step didn't do what it should.
pub async fn run() -> Result<ExitCode, CliError> {
    let state = tempfile::tempdir().map_err(DemoError::Start)?;
    let record = state.path().join("audit.jsonl");
    let key = Key::of_state_directory(state.path()).map_err(DemoError::Audit)?;
    let mut command = Command::new(config::this_program().map_err(DemoError::Config)?);
    command.args(["serve", "--clock-step", CLOCK_STEP, "--audit"]).arg(&record);
    command.arg("--audit-key").arg(state.path().join(KEY_FILE));
    command.arg("--vault").arg(state.path().join("vault"));
    let person = Human::default();
    let child = TokioChildProcess::new(command).map_err(DemoError::Start)?;
    let client = person.clone().serve(child).await.map_err(|error| DemoError::Initialize(Box::new(error)))?;
    let demo = Demo { client, human: person };
    demo.tell().await?;
    demo.tell_of_pyromind().await?;
    demo.client.cancel().await.map_err(|_| DemoError::Unexpected("the server didn't stop".to_owned()))?;

    heading("The record")?;
    print(&header())?;
    for line in show(&record, Style::Table).map_err(DemoError::Audit)? {
        print(&line.map_err(DemoError::Audit)?)?;
    }
    let report = verify(&record, &key).map_err(DemoError::Audit)?;
    print(&format!("\n{report}"))?;
    match report {
        Report::Whole(_) => {}
        Report::Broken { .. } => {
            return Err(DemoError::Unexpected("the record isn't whole".to_owned()).into());
        }
    }
    print("\nEverything went as it should. Nothing real was touched.")?;
    Ok(ExitCode::SUCCESS)
}

/// The agent's side of a conversation.
struct Demo {
    client: RunningService<RoleClient, Human>,
    human: Human,
}

/// What a call came to.
enum Said {
    /// Its content.
    Yes(Value),
    /// The refusal.
    No(Value),
}

impl Demo {
    /// Makes a call, and tells of it.
    async fn call(&self, tool: &'static str, arguments: Value) -> Result<Said, CliError> {
        print(&format!("  agent   {tool}"))?;
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        for (name, value) in &arguments {
            print(&format!("          {name}: {value}"))?;
        }
        let request = CallToolRequestParams::new(tool).with_arguments(arguments);
        let result: CallToolResult = self.client.call_tool(request).await.map_err(DemoError::Call)?;
        let text = result.content.iter().find_map(|content| content.as_text()).map(|text| text.text.as_str());
        let body: Value = text
            .and_then(|text| serde_json::from_str(text).ok())
            .ok_or_else(|| DemoError::Unexpected(format!("the result of {tool} isn't JSON text")))?;
        if result.is_error == Some(true) { Ok(Said::No(body)) } else { Ok(Said::Yes(body)) }
    }

    /// A call that must succeed.
    async fn succeed(&self, tool: &'static str, arguments: Value) -> Result<Value, CliError> {
        match self.call(tool, arguments).await? {
            Said::Yes(body) => Ok(body),
            Said::No(refusal) => Err(DemoError::Unexpected(format!("{tool} was refused: {refusal}")).into()),
        }
    }

    /// A call that `rule` must refuse; the refusal is told.
    async fn refused(&self, rule: &str, tool: &'static str, arguments: Value) -> Result<Value, CliError> {
        match self.call(tool, arguments).await? {
            Said::No(refusal) if refusal.get("rule").and_then(Value::as_str) == Some(rule) => {
                let mut told = human::refusal(&refusal).into_iter();
                print(&format!("  server  {}", told.next().unwrap_or_default()))?;
                for line in told {
                    print(&format!("        {line}"))?;
                }
                Ok(refusal)
            }
            Said::No(other) => {
                Err(DemoError::Unexpected(format!("{tool} was refused otherwise: {other}")).into())
            }
            Said::Yes(body) => Err(DemoError::Unexpected(format!("{tool} wasn't refused: {body}")).into()),
        }
    }
}

fn heading(text: &str) -> Result<(), CliError> {
    print(&format!("\n{text}\n{}", "-".repeat(text.chars().count())))
}

/// What must hold at this point of the story.
fn expect(holds: bool, what: impl FnOnce() -> String) -> Result<(), CliError> {
    if holds { Ok(()) } else { Err(DemoError::Unexpected(what()).into()) }
}
