//! `redline-mcp audit`: look at a record.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{CliError, print};
use crate::audit::{Report, Style, header, show, verify};
use crate::config::Launch;

/// Looking at a record.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Check that nothing was cut, edited, moved or forged
    #[command(after_help = "Example: redline-mcp audit verify audit.jsonl")]
    Verify(Verify),
    /// Print a record, a line a call
    #[command(after_help = "Example: redline-mcp audit show audit.jsonl")]
    Show(Show),
}

/// A record to check.
#[derive(Debug, Args)]
pub struct Verify {
    /// The record [default: audit.jsonl in the state directory]
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Its key [default: audit.key in the state directory]
    #[arg(long, value_name = "FILE")]
    pub audit_key: Option<PathBuf>,
}

/// A record to print.
#[derive(Debug, Args)]
pub struct Show {
    /// The record [default: audit.jsonl in the state directory]
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Print the records as they are, a JSON object a line
    #[arg(long)]
    pub json: bool,
}

impl AuditCommand {
    /// Does it.
    ///
    /// # Errors
    /// When the record or its key can't be read. A record that isn't whole is exit code 1.
    pub fn run(&self) -> Result<ExitCode, CliError> {
        match self {
            Self::Verify(command) => {
                let launch = Launch {
                    audit: command.file.clone(),
                    audit_key: command.audit_key.clone(),
                    ..Launch::default()
                };
                let report = verify(&launch.audit_file()?, &launch.audit_key()?)?;
                print(&report.to_string())?;
                Ok(match report {
                    Report::Whole(_) => ExitCode::SUCCESS,
                    Report::Broken { .. } => ExitCode::FAILURE,
                })
            }
            Self::Show(command) => {
                let launch = Launch { audit: command.file.clone(), ..Launch::default() };
                let style = if command.json { Style::Json } else { Style::Table };
                if style == Style::Table {
                    print(&header())?;
                }
                for line in show(&launch.audit_file()?, style)? {
                    print(&line?)?;
                }
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}
