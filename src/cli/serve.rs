//! `redline-mcp serve`: MCP over stdio.

use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::CliError;
use super::stop::told_to_stop;
use crate::config::{ApprovalFlags, Launch};
use crate::policy::OnMiss;
use crate::server::{Server, Settings};

/// The flags of a server.
#[derive(Debug, Clone, Default, Args)]
pub struct Serve {
    /// How to launch.
    #[command(flatten)]
    pub launch: Launch,
    /// How to ask a human whose client can't.
    #[command(flatten)]
    pub approval: ApprovalFlags,
}

/// Serves until stdin ends or the process is told to stop. What is in flight has a few seconds to be answered, and what
/// was cleared to change the world ends first, with its record.
///
/// # Errors
/// When the launch can't be, or the transport fails.
pub async fn run(Serve { launch, approval }: &Serve) -> Result<ExitCode, CliError> {
    let settings = Settings { approval: approval.settings()?, ..Settings::default() };
    let gateway = launch.gateway(OnMiss::Refuse)?;
    let server = Server::new(Arc::clone(&gateway), settings);
    let stop = CancellationToken::new();
    let ending = async {
        let served = server.serve_stdio(stop.clone()).await;
        gateway.settled().await;
        served
    };
    let mut ending = pin!(ending);
    let served = tokio::select! {
        served = &mut ending => served,
        () = told_to_stop() => {
            stop.cancel();
            // Told once more, the process ends at once; the record's last decision says what may have happened.
            tokio::select! {
                served = &mut ending => served,
                () = told_to_stop() => Ok(()),
            }
        }
    };
    served?;
    Ok(ExitCode::SUCCESS)
}
