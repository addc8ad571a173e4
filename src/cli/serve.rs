//! `redline-mcp serve`: MCP over stdio.

use std::process::ExitCode;
use std::sync::Arc;

use super::CliError;
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

/// Ends when the process gets a signal to stop. Where signals can't be listened to, never.
async fn told_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let (Ok(mut interrupt), Ok(mut terminate)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_ok() {
        return;
    }
    std::future::pending().await
}
