//! `redline-mcp policy`: the rules, and what they say of a call.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{CliError, Target, human, print, violations};
use crate::config::{Laid, Launch};
use crate::gateway::Clock;
use crate::policy::load::{Overlay, Proof, Rule};
use crate::policy::refusal::Refusal;
use crate::policy::verdict::Finding;
use crate::policy::{OnMiss, Policy, Tried};

/// Looking at the rules.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// List every rule: its id, its kind, what it protects, and whether an overlay may loosen it
    #[command(after_help = "Example: redline-mcp policy list --policy read-only")]
    List(List),
    /// Try an overlay: whether it loads, and whether each of its examples comes true
    #[command(after_help = "Example: redline-mcp policy check team.toml")]
    Check(Check),
    /// Tell what every rule that binds a call says of it, with nothing listed or confirmed yet
    #[command(
        after_help = "Example: redline-mcp policy explain dlc_get_job '{\"RegionId\": \"cn-hangzhou\", \"JobId\": \"dlc1\"}'"
    )]
    Explain(Explain),
}

/// Which rules to list.
#[derive(Debug, Args)]
pub struct List {
    /// Print compact JSON
    #[arg(long)]
    pub json: bool,
    /// How to launch.
    #[command(flatten)]
    pub launch: Launch,
}

impl List {
    fn run(&self) -> Result<ExitCode, CliError> {
        self.launch.check()?;
        let policy = self.launch.policy(OnMiss::Refuse, Vec::new())?;
        let files: Vec<Value> =
            policy.files().iter().map(|file| json!({ "file": file.name, "sha256": file.sha256 })).collect();
        let result = json!({ "sha256": policy.sha256(), "files": files, "rules": policy.list() });
        print(&if self.json { result.to_string() } else { human::rules(&result).join("\n") })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// An overlay to try.
#[derive(Debug, Args)]
pub struct Check {
    /// The overlay's file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Print compact JSON
    #[arg(long)]
    pub json: bool,
    /// How to launch: --policy lays others below.
    #[command(flatten)]
    pub launch: Launch,
}

impl Check {
    fn run(&self) -> Result<ExitCode, CliError> {
        self.launch.check()?;
        let file = self.file.display().to_string();
        let text = std::fs::read_to_string(&self.file)
            .map_err(|error| CliError::Usage(format!("can't read {file}: {error}")))?;
        let mut overlays = self.launch.policies.iter().map(Laid::overlay).collect::<Result<Vec<_>, _>>()?;
        overlays.push(Overlay { file: file.clone(), text });
        let policy = Policy::untried(self.launch.settings(OnMiss::Refuse, Vec::new()), &overlays);
        let (error, tried) = match policy {
            Ok(policy) => (None, policy.prove()),
            Err(error) => (Some(error.to_string()), Vec::new()),
        };
        let tried: Vec<Tried> = tried.into_iter().filter(|tried| tried.proof.file == file).collect();
        let sound = error.is_none() && tried.iter().all(Tried::is_true);
        let examples: Vec<Value> = tried
            .iter()
            .map(|tried| {
                let Proof { rule, line, number, example, .. } = &tried.proof;
                json!({
                    "rule": rule,
                    "line": line,
                    "example": number,
                    "tool": example.tool,
                    "expects": example.says,
                    "says": tried.said.as_ref().ok(),
                    "ok": tried.is_true(),
                    "problem": tried.fault().map(|fault| fault.to_string()),
                })
            })
            .collect();
        let result = json!({ "file": file, "ok": sound, "error": error, "examples": examples });
        print(&if self.json { result.to_string() } else { human::checked(&result).join("\n") })?;
        Ok(ExitCode::from(u8::from(!sound)))
    }
}

/// A call to explain.
#[derive(Debug, Args)]
pub struct Explain {
    /// What to call.
    #[command(flatten)]
    pub target: Target,
    /// Print compact JSON
    #[arg(long)]
    pub json: bool,
    /// How to launch.
    #[command(flatten)]
    pub launch: Launch,
}

impl PolicyCommand {
    /// Does it.
    ///
    /// # Errors
    /// [`CliError`] when the call doesn't parse as a command line. A refused call is explained, not an error.
    pub fn run(&self) -> Result<ExitCode, CliError> {
        match self {
            Self::List(list) => list.run(),
            Self::Check(check) => check.run(),
            Self::Explain(explain) => explain.run(),
        }
    }
}

impl Explain {
    fn run(&self) -> Result<ExitCode, CliError> {
        let tool = self.target.tool()?;
        let arguments = self.target.arguments()?;
        self.launch.check()?;
        let policy = self.launch.policy(OnMiss::Refuse, Vec::new())?;
        let call = match tool.parse(&arguments) {
            Ok(call) => call,
            Err(faults) => {
                return self.show(&policy, "refused", &[], Some(&Policy::refuse_arguments(faults)));
            }
        };
        let rehearsal = policy.rehearse(&call, Clock::wall());
        self.show(&policy, rehearsal.verdict, &rehearsal.findings, rehearsal.refusal.as_ref())
    }

    fn show(
        &self,
        policy: &Policy,
        verdict: &str,
        findings: &[Finding],
        refusal: Option<&Refusal>,
    ) -> Result<ExitCode, CliError> {
        let rules: Vec<Value> = findings
            .iter()
            .map(|finding| {
                let about = policy.about(&finding.id);
                json!({
                    "id": finding.id,
                    "kind": finding.kind,
                    "result": finding.result,
                    "path": finding.path,
                    "why": about.map(Rule::why),
                    "sources": about.map(Rule::sources),
                })
            })
            .collect();
        let violations = violations(policy, refusal);
        let result = json!({ "verdict": verdict, "rules": rules, "violations": violations });
        print(&if self.json { result.to_string() } else { human::explanation(&result).join("\n") })?;
        Ok(ExitCode::SUCCESS)
    }
}
