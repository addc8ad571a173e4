//! The simulated world of a launch: where it comes from, what goes wrong in it, where its state goes.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;

use super::ConfigError;
use crate::sim::Simulator;
use crate::sim::faults::Faults;
use crate::sim::world::World;

/// The seed of the world when none is given.
const DEFAULT_SEED: u64 = 1;

/// The flags of every command that holds a simulated world.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Simulator")]
pub struct WorldFlags {
    /// The seed of the world [default: 1]
    #[arg(long, value_name = "N", conflicts_with = "state_in")]
    pub seed: Option<u64>,
    /// A world described in a file, as docs/scenarios.md has it
    #[arg(long, value_name = "FILE", conflicts_with = "state_in")]
    pub scenario: Option<PathBuf>,
    /// Scripted faults, as docs/faults.md describes
    #[arg(long, value_name = "FILE")]
    pub faults: Option<PathBuf>,
    /// Resume the world that --state-out wrote
    #[arg(long, value_name = "FILE")]
    pub state_in: Option<PathBuf>,
    /// Keep the world's state in a file, written after every change
    #[arg(long, value_name = "FILE")]
    pub state_out: Option<PathBuf>,
}

impl WorldFlags {
    /// Each flag and whether it was given.
    pub(super) const fn given(&self) -> [(&'static str, bool); 5] {
        [
            ("--seed", self.seed.is_some()),
            ("--scenario", self.scenario.is_some()),
            ("--faults", self.faults.is_some()),
            ("--state-in", self.state_in.is_some()),
            ("--state-out", self.state_out.is_some()),
        ]
    }

    /// The world that the launch starts with, and the last instant at which something of it came about.
    ///
    /// # Errors
    /// When a file can't be read or doesn't make sense.
    pub fn simulator(&self) -> Result<(Simulator, Timestamp), ConfigError> {
        let world = self.world()?;
        let latest = world.latest();
        Ok((Simulator::new(world, self.scripted()?), latest))
    }

    /// Keeps the state of `simulator` from now on, if the launch says where. To be done last, as it may write.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn save(&self, simulator: &Simulator) -> Result<(), ConfigError> {
        let Some(path) = &self.state_out else { return Ok(()) };
        simulator
            .save_to(path.clone())
            .map_err(|source| ConfigError::WriteState { path: path.clone(), source })
    }

    fn world(&self) -> Result<World, ConfigError> {
        let seed = self.seed.unwrap_or(DEFAULT_SEED);
        if let Some(path) = &self.scenario {
            let text = fs::read_to_string(path)
                .map_err(|source| ConfigError::ReadScenario { path: path.clone(), source })?;
            return World::of_scenario(&text, seed)
                .map_err(|source| ConfigError::Scenario { path: path.clone(), source });
        }
        let Some(path) = &self.state_in else { return Ok(World::seeded(seed)) };
        let text = fs::read_to_string(path)
            .map_err(|source| ConfigError::ReadState { path: path.clone(), source })?;
        World::parse(&text).map_err(|source| ConfigError::State { path: path.clone(), source })
    }

    fn scripted(&self) -> Result<Faults, ConfigError> {
        let Some(path) = &self.faults else { return Ok(Faults::default()) };
        let text = fs::read_to_string(path)
            .map_err(|source| ConfigError::ReadFaults { path: path.clone(), source })?;
        Faults::parse(&text).map_err(|source| ConfigError::Faults { path: path.clone(), source })
    }
}
