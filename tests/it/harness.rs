//! Starting the built program, playing the human, and reading the record.
//!
//! A [`Home`] is a state directory of its own, so that nothing of the machine is read or left behind. In it run
//! commands ([`Home::run`]), servers with the library's own client ([`Session`]), and servers with a client
//! that writes whatever bytes it likes ([`Raw`]). The witness of what reached the cloud is the record:
//! [`Home::calls`].

pub mod human;
pub mod raw;
pub mod simulation;
pub mod world;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use rmcp::model::{CallToolRequestParams, CallToolResult, ProtocolVersion};
use rmcp::service::{ClientLifecycleMode, ClientServiceExt, RoleClient, RunningService, ServiceError};
use rmcp::transport::TokioChildProcess;
use serde_json::Value;
use tempfile::TempDir;

use human::Human;

/// The built program.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_redline-mcp");

/// How long a test waits for an answer before it fails rather than hang. Nothing is measured by it.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Whether committed data is to be written anew instead of compared: `UPDATE=1 cargo test`.
#[expect(clippy::disallowed_methods, reason = "a test's own switch is no setting of the program")]
pub fn updating() -> bool {
    std::env::var_os("UPDATE").is_some_and(|value| value == "1")
}

/// A state directory, and an environment with nothing else in it.
pub struct Home {
    directory: TempDir,
    variables: Vec<(&'static str, String)>,
}

impl Home {
    pub fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    /// The same, with one more variable in the environment.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// A file of this home.
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file of this home and returns its path, as an argument.
    pub fn write(&self, name: &str, content: &str) -> String {
        let path = self.file(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The audit record's file.
    pub fn record_file(&self) -> PathBuf {
        self.file("audit.jsonl")
    }

    /// `program` in this home.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("XDG_STATE_HOME", self.file("state")).env("HOME", self.directory.path());
        // Nothing but this machine is asked.
        command.env("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true");
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// `serve` with these flags, recording to [`Self::record_file`]. Unless a flag says so, it opens no browser.
    pub fn server(&self, flags: &[&str]) -> Command {
        let mut command = self.command(PROGRAM);
        let flags = if flags.iter().any(|flag| ["--approval-page", "--browser"].contains(flag)) {
            flags.to_vec()
        } else {
            [flags, &["--approval-page", "never"]].concat()
        };
        command.arg("serve").args(flags).arg("--audit").arg(self.record_file());
        command
    }

    /// Runs the program to its end, with nothing on its stdin.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.run_as(PROGRAM, arguments, "")
    }

    /// Runs `program` to its end with `input` on its stdin.
    pub fn run_as(&self, program: &str, arguments: &[&str], input: &str) -> Ran {
        let mut command = self.command(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A program that doesn't read its stdin may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
        Ran {
            code: status.code(),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr: String::from_utf8(stderr).unwrap(),
        }
    }

    /// The record's lines.
    pub fn record(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.record_file()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The actions that reached the cloud, in the order of the record.
    pub fn calls(&self) -> Vec<String> {
        let of = |line: &Value| line["cloud_calls"].as_array().cloned().unwrap_or_default();
        let calls = self.record();
        calls.iter().flat_map(of).map(|call| call["action"].as_str().unwrap().to_owned()).collect()
    }

    /// How often an action reached the cloud.
    pub fn count(&self, action: &str) -> usize {
        self.calls().iter().filter(|call| *call == action).count()
    }
}

/// What a command came to.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// What it printed, as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

/// A generation of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// Up to 2025-11-25: a handshake, and questions during the call.
    Initialize,
    /// From 2026-07-28: no handshake, and questions as results.
    Discover,
}

pub const ERAS: [Era; 2] = [Era::Initialize, Era::Discover];

/// A server with the library's own client.
pub struct Session {
    pub home: Home,
    pub human: Human,
    pub client: RunningService<RoleClient, Human>,
}

impl Session {
    /// A server in a home of its own, whose human says yes to everything in cn-hangzhou.
    pub async fn agreeable(flags: &[&str]) -> Self {
        Self::start(Home::new(), Era::Initialize, flags, Human::agreeable()).await
    }

    pub async fn start(home: Home, era: Era, flags: &[&str], human: Human) -> Self {
        let command = tokio::process::Command::from(home.server(flags));
        let (child, _) = TokioChildProcess::builder(command).stderr(Stdio::null()).spawn().unwrap();
        let lifecycle = match era {
            Era::Initialize => ClientLifecycleMode::Initialize,
            Era::Discover => {
                ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] }
            }
        };
        let client = human.clone().serve_with_lifecycle(child, lifecycle).await.unwrap();
        Self { home, human, client }
    }

    /// Makes a call and answers its questions: `Ok` with its content, `Err` with the refusal.
    pub async fn call(&self, tool: &'static str, arguments: Value) -> Result<Value, Value> {
        read(&self.try_call(tool, arguments).await.unwrap())
    }

    /// The same, with the protocol's own errors.
    pub async fn try_call(
        &self,
        tool: &'static str,
        arguments: Value,
    ) -> Result<CallToolResult, ServiceError> {
        let call = self.client.call_tool(request(tool, arguments));
        tokio::time::timeout(PATIENCE, call).await.expect("an answer")
    }

    /// A call that `rule` must refuse, and its refusal.
    pub async fn refused(&self, rule: &str, tool: &'static str, arguments: Value) -> Value {
        let refusal = self.call(tool, arguments).await.expect_err("a refusal");
        assert_eq!(refusal["rule"], rule, "{refusal}");
        refusal
    }

    /// Hangs up, and waits for the server to be gone.
    pub async fn end(self) -> Home {
        self.client.cancel().await.unwrap();
        self.home
    }
}

/// A call as the library has it.
pub fn request(tool: &'static str, arguments: Value) -> CallToolRequestParams {
    CallToolRequestParams::new(tool).with_arguments(arguments.as_object().unwrap().clone())
}

/// A result's content. A success says the same as text and as structured content; a refusal is text alone, for
/// some clients show only structured content where there is any.
pub fn read(result: &CallToolResult) -> Result<Value, Value> {
    assert_eq!(result.content.len(), 1, "{result:?}");
    let body: Value = serde_json::from_str(&result.content[0].as_text().unwrap().text).unwrap();
    match result.is_error {
        Some(true) => {
            assert_eq!(result.structured_content, None);
            Err(body)
        }
        Some(false) => {
            assert_eq!(result.structured_content.as_ref(), Some(&body));
            Ok(body)
        }
        None => panic!("neither a success nor a refusal: {result:?}"),
    }
}

/// The paths that a refusal points at.
pub fn paths(refusal: &Value) -> Vec<&str> {
    let violations = refusal["violations"].as_array().unwrap();
    violations.iter().map(|violation| violation["path"].as_str().unwrap()).collect()
}
