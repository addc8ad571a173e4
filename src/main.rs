//! The `redline-mcp` command.

use std::process::ExitCode;

use clap::Parser;
use redline_mcp::cli::Cli;
use redline_mcp::config::LogLevel;
use redline_mcp::server::panics;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

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
    let everything = match level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let at_most = |limit: LevelFilter| everything.min(limit);
    let filter = Targets::new().with_default(everything).with_targets([
        ("rmcp", at_most(LevelFilter::ERROR)),
        ("hyper", at_most(LevelFilter::WARN)),
        ("reqwest", at_most(LevelFilter::WARN)),
    ]);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    tracing_subscriber::registry().with(lines).with(filter).init();
}
