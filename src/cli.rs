//! The command line: one room a command.
//!
//! Human text goes to a terminal, JSON comes with `--json`. Exit codes: 0 done, 1 refused or failed, 2 usage.

pub mod audit;
pub mod call;
pub mod demo;
pub mod doctor;
mod human;
pub mod policy;
pub mod schemas;
pub mod secret;
pub mod serve;
pub mod sim;
mod stop;
pub mod tools;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use serde_json::{Map, Value};

use crate::config::ConfigError;
use crate::policy::Policy;
use crate::policy::refusal::Refusal;
use crate::policy::sweep::Seen;

/// A Model Context Protocol server in front of Alibaba Cloud PAI and PyroMind, with the red lines enforced.
///
/// Without a command it serves MCP over stdio, on the embedded simulator.
#[derive(Debug, Parser)]
#[command(
    version,
    args_conflicts_with_subcommands = true,
    after_help = "Example: redline-mcp serve --region cn-hangzhou"
)]
pub struct Cli {
    /// What to do; `serve` when left out.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The flags of `serve`.
    #[command(flatten)]
    pub serve: serve::Serve,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve MCP over stdio
    #[command(after_help = "Example: redline-mcp serve --region cn-hangzhou --approve dlc_create_job")]
    Serve(serve::Serve),
    /// Tell a whole story through a real MCP client and the simulator
    #[command(after_help = "Example: redline-mcp demo")]
    Demo,
    /// Look whether a launch would work: credentials, clock, endpoints, rules, clients
    #[command(after_help = "Example: redline-mcp doctor --cloud live --region cn-hangzhou")]
    Doctor(doctor::Doctor),
    /// Make one call, its yes taken on this terminal
    #[command(
        after_help = "Example: redline-mcp call aiworkspace_list_workspaces '{\"RegionId\": \"cn-hangzhou\"}'"
    )]
    Call(call::Call),
    /// Serve the simulated cloud over HTTP, for the official SDKs and other clients
    #[command(after_help = "Example: redline-mcp sim --listen 127.0.0.1:8080")]
    Sim(sim::Sim),
    /// List the catalogue
    #[command(after_help = "Example: redline-mcp tools --size")]
    Tools(tools::Tools),
    /// Write or check the published schemas
    #[command(after_help = "Example: redline-mcp schemas --check")]
    Schemas(schemas::Schemas),
    /// Look at the rules
    #[command(
        subcommand,
        after_help = "Example: redline-mcp policy explain aiworkspace_list_workspaces '{\"RegionId\": \"cn-hangzhou\"}'"
    )]
    Policy(policy::PolicyCommand),
    /// Look at an audit record
    #[command(subcommand, after_help = "Example: redline-mcp audit verify audit.jsonl")]
    Audit(audit::AuditCommand),
    /// Print a secret that was handed over, on this terminal
    #[command(after_help = "Example: redline-mcp secret handle:aeaqcaibaeaqcaibaeaqcaibae --delete")]
    Secret(secret::Secret),
}

/// Why a command ended early.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The command line is wrong.
    #[error("{0}")]
    Usage(String),
    /// The launch can't be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The audit record can't be used.
    #[error(transparent)]
    Audit(#[from] crate::audit::AuditError),
    /// The vault gives nothing.
    #[error(transparent)]
    Vault(#[from] crate::vault::VaultError),
    /// A secret was to be printed elsewhere.
    #[error(
        "a secret is printed only to a terminal, and stdout isn't one; run the command by hand, without a pipe"
    )]
    NoTerminal,
    /// Something can't be read or written.
    #[error("{what}: {source}")]
    Io {
        /// What was being done.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// The server ended badly.
    #[error(transparent)]
    Serve(#[from] crate::server::ServeError),
    /// The demo didn't go as it should.
    #[error(transparent)]
    Demo(#[from] demo::DemoError),
}

impl CliError {
    /// 2 for a wrong command line, 1 for the rest.
    pub fn exit_code(&self) -> ExitCode {
        let usage = match self {
            Self::Usage(_) => true,
            Self::Config(error) => error.is_usage(),
            Self::Audit(_)
            | Self::Vault(_)
            | Self::NoTerminal
            | Self::Io { .. }
            | Self::Serve(_)
            | Self::Demo(_) => false,
        };
        ExitCode::from(if usage { 2 } else { 1 })
    }
}

impl Cli {
    /// The level of the log on stderr.
    pub fn log(&self) -> crate::config::LogLevel {
        match &self.command {
            None => self.serve.launch.log,
            Some(Command::Serve(serve)) => serve.launch.log,
            Some(Command::Doctor(doctor)) => doctor.relaunch.serve.launch.log,
            Some(Command::Call(call)) => call.launch.log,
            Some(Command::Sim(sim)) => sim.log,
            Some(
                Command::Demo
                | Command::Tools(_)
                | Command::Schemas(_)
                | Command::Policy(_)
                | Command::Audit(_)
                | Command::Secret(_),
            ) => crate::config::LogLevel::default(),
        }
    }

    /// Does what the command line says.
    ///
    /// # Errors
    /// [`CliError`], to be shown on stderr.
    pub async fn run(self) -> Result<ExitCode, CliError> {
        match self.command {
            None => serve::run(&self.serve).await,
            Some(Command::Serve(serve)) => serve::run(&serve).await,
            Some(Command::Demo) => demo::run().await,
            Some(Command::Doctor(command)) => command.run().await,
            Some(Command::Call(command)) => command.run().await,
            Some(Command::Sim(command)) => command.run().await,
            Some(Command::Tools(command)) => command.run(),
            Some(Command::Schemas(command)) => command.run(),
            Some(Command::Policy(command)) => command.run(),
            Some(Command::Audit(command)) => command.run(),
            Some(Command::Secret(command)) => command.run(),
        }
    }
}

/// A tool and its arguments, as `call` and `policy explain` take them.
#[derive(Debug, Args)]
pub struct Target {
    /// The tool; see `redline-mcp tools`
    #[arg(value_name = "TOOL")]
    pub tool: String,
    /// Its arguments, as a JSON object; - reads them from stdin
    #[arg(value_name = "JSON", default_value = "{}")]
    pub arguments: String,
}

impl Target {
    /// The tool of that name.
    ///
    /// # Errors
    /// A usage error that names the closest tools.
    pub fn tool(&self) -> Result<&'static crate::spec::Tool, CliError> {
        crate::tools::find(&self.tool).ok_or_else(|| {
            let mut names: Vec<&str> = crate::tools::all().map(crate::spec::Tool::name).collect();
            names.sort_by(|one, other| {
                strsim::jaro_winkler(other, &self.tool).total_cmp(&strsim::jaro_winkler(one, &self.tool))
            });
            names.truncate(3);
            CliError::Usage(format!("there is no such tool; the closest are {}", names.join(", ")))
        })
    }

    /// The arguments.
    ///
    /// # Errors
    /// A usage error for what isn't a JSON object.
    pub fn arguments(&self) -> Result<Map<String, Value>, CliError> {
        let text = match self.arguments.as_str() {
            "-" => io::read_to_string(io::stdin()).map_err(|source| CliError::Io {
                what: "can't read the arguments from stdin".to_owned(),
                source,
            })?,
            given => given.to_owned(),
        };
        serde_json::from_str(&text).map_err(|error| {
            CliError::Usage(format!(
                "the arguments are not a JSON object (line {}, column {}); quote them as one word: '{{\"RegionId\": \"cn-hangzhou\"}}'",
                error.line(),
                error.column(),
            ))
        })
    }
}

/// What is wrong with a call that nothing was sent for, as it may be shown; an empty list for no refusal.
pub(crate) fn violations(policy: &Policy, refusal: Option<&Refusal>) -> Value {
    refusal
        .map(|refusal| policy.mask_refusal(refusal, &mut Seen::default()))
        .and_then(|masked| masked.body().get("violations").cloned())
        .unwrap_or_else(|| Value::Array(Vec::new()))
}

/// Writes to stdout. A reader that has gone away is no failure. Control characters are written out, so that
/// nothing a cloud said can drive a terminal; JSON has none.
///
/// # Errors
/// When stdout can't be written for another reason.
pub(crate) fn print(text: &str) -> Result<(), CliError> {
    let mut shown = String::with_capacity(text.len() + 1);
    for character in text.chars() {
        if character.is_control() && character != '\n' {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown.push('\n');
    let mut stdout = io::stdout().lock();
    match stdout.write_all(shown.as_bytes()).and_then(|()| stdout.flush()) {
        Err(source) if source.kind() != io::ErrorKind::BrokenPipe => {
            Err(CliError::Io { what: "can't write to stdout".to_owned(), source })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
