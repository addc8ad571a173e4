//! The `redline-mcp` command.

use std::process::ExitCode;

use clap::Parser;
use redline_mcp::cli::Cli;
use redline_mcp::config::LogLevel;
use redline_mcp::server::panics;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    panics::tell_place_only();
    let cli = Cli::parse();
    log(cli.log());
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("redline-mcp: can't start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(cli.run());
    // A thread that waits for a line of stdin can't be told to stop; it ends with the process.
    runtime.shutdown_background();
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("redline-mcp: {error}");
            error.exit_code()
        }
    }
}

/// Logs go to stderr; stdout belongs to the protocol. rmcp's own detail would print whole requests.
fn log(level: LogLevel) {
    let filter = match level {
        LogLevel::Off | LogLevel::Error => EnvFilter::new(level.name()),
        LogLevel::Warn | LogLevel::Info | LogLevel::Debug => {
            EnvFilter::new(format!("{},rmcp=error,hyper=warn,reqwest=warn", level.name()))
        }
    };
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).init();
}
