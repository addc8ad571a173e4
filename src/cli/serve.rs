//! `redline-mcp serve`: MCP over stdio.

use std::process::ExitCode;

use super::CliError;
use crate::config::Launch;
use crate::policy::OnMiss;
use crate::server::{Server, Settings};

/// Serves until stdin ends.
///
/// # Errors
/// When the launch can't be, or the transport fails.
pub async fn run(launch: &Launch) -> Result<ExitCode, CliError> {
    let gateway = launch.gateway(OnMiss::Refuse)?;
    Server::new(gateway, Settings::default()).serve_stdio().await?;
    Ok(ExitCode::SUCCESS)
}
