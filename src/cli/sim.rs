//! `redline-mcp sim`: the simulated cloud over HTTP.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::json;

use super::stop::told_to_stop;
use super::{CliError, print};
use crate::config::{LogLevel, WorldFlags};
use crate::gateway::Clock;
use crate::sim::listen::{HttpCloud, Listener};
use crate::sim::world::REGIONS;

/// The simulated cloud over HTTP.
#[derive(Debug, Args)]
pub struct Sim {
    /// The address, such as 127.0.0.1:8080; port 0 takes any that is free
    #[arg(long, value_name = "ADDR")]
    pub listen: SocketAddr,
    /// Let other machines reach it. Its keys are public: whoever reaches it may read and change its world
    #[arg(long)]
    pub expose: bool,
    /// The region of requests whose host names none
    #[arg(long, default_value = "cn-hangzhou", value_parser = PossibleValuesParser::new(REGIONS), hide_possible_values = true)]
    pub region: String,
    /// Print the address as JSON
    #[arg(long)]
    pub json: bool,
    /// What the log on stderr tells
    #[arg(long, value_enum, default_value_t)]
    pub log: LogLevel,
    /// The world.
    #[command(flatten)]
    pub world: WorldFlags,
}

impl Sim {
    /// Prints where it listens, then serves until the process is told to stop.
    ///
    /// # Errors
    /// When the world can't be, or the address can't be had.
    pub async fn run(self) -> Result<ExitCode, CliError> {
        if !self.expose && !self.listen.ip().to_canonical().is_loopback() {
            return Err(CliError::Usage(format!(
                "{} can be reached by other machines, and the simulator's keys are public; listen on 127.0.0.1, or \
                 give --expose if that is meant",
                self.listen.ip()
            )));
        }
        let (simulator, _) = self.world.simulator()?;
        let listener = Listener::bind(self.listen)
            .await
            .map_err(|source| CliError::Io { what: format!("can't listen on {}", self.listen), source })?;
        self.world.save(&simulator)?;
        let stop = told_to_stop();
        let url = format!("http://{}", listener.address());
        print(&if self.json {
            json!({"listening": url}).to_string()
        } else {
            format!("listening on {url}")
        })?;
        let cloud =
            HttpCloud { simulator: Arc::new(simulator), region: self.region, now: Box::new(Clock::wall) };
        listener.serve(cloud, stop).await;
        Ok(ExitCode::SUCCESS)
    }
}
