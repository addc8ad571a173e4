//! `redline-mcp policy`: the rules, and what they say of a call.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{CliError, Target, human, print, violations};
use crate::config::Launch;
use crate::gateway::Clock;
use crate::policy::load::Rule;
use crate::policy::refusal::Refusal;
use crate::policy::verdict::Finding;
use crate::policy::{OnMiss, Policy};

/// Looking at the rules.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Tell what every rule that binds a call says of it, with nothing listed or confirmed yet
    #[command(
        after_help = "Example: redline-mcp policy explain dlc_get_job '{\"RegionId\": \"cn-hangzhou\", \"JobId\": \"dlc1\"}'"
    )]
    Explain(Explain),
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
