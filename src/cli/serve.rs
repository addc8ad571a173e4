//! `redline-mcp serve`: MCP over stdio.

use std::process::ExitCode;
use std::sync::Arc;

use super::CliError;
use super::stop::told_to_stop;
use crate::config::Launch;
use crate::policy::OnMiss;
use crate::server::{Server, Settings};

/// Serves until stdin ends or the process is told to stop. What was cleared to change the world ends first, with
/// its record.
///
/// # Errors
/// When the launch can't be, or the transport fails.
pub async fn run(launch: &Launch) -> Result<ExitCode, CliError> {
    let gateway = launch.gateway(OnMiss::Refuse)?;
    let server = Server::new(Arc::clone(&gateway), Settings::default());
    let served = tokio::select! {
        served = server.serve_stdio() => served,
        () = told_to_stop() => Ok(()),
    };
    // Told once more, the process ends at once; the record's last decision says what may have happened.
    tokio::select! {
        () = gateway.settled() => {}
        () = told_to_stop() => {}
    }
    served?;
    Ok(ExitCode::SUCCESS)
}
