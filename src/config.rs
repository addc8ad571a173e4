//! What a launch decides: flags and environment in, a [`Gateway`] out.
//!
//! This is the only room that reads the environment. What decides about red lines (the cloud, regions,
//! approvals) is a flag, never a variable, so that it stands where the operator wrote it.

mod approval;
mod error;
mod examine;
mod flags;
mod machine;
mod network;
mod places;
mod policies;
mod world;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::audit::Audit;
use crate::cloud::bearer::Bearer;
use crate::cloud::credentials::plan::Plan;
use crate::cloud::credentials::{Accounts, Chain, KeySource, Surroundings};
use crate::cloud::endpoint::Endpoints;
use crate::cloud::sign::Signature;
use crate::cloud::skew::Skew;
use crate::cloud::transport::http::{HttpTransport, Patience};
use crate::cloud::{self, Client};
use crate::gateway::{Clock, Gateway, Parts, Script};
use crate::policy::consent::Operator;
use crate::policy::{OnMiss, Policy, Settings};
use crate::sim::Simulator;
use crate::sim::clock::{DEFAULT_START, DEFAULT_STEP, LogicalClock};
use crate::spec::value::{allow_regions, is_region};
use crate::vault::{LIFETIME, Vault};
use machine::Machine;

/// The environment variable of PyroMind's address, with or without `/api/v1`.
const PYROMIND_BASE_URL: &str = "PYROMIND_BASE_URL";
/// The environment variables of the header that holds PyroMind's key, of its scheme, and of the cluster.
const PYROMIND_SETTINGS: [&str; 3] = ["PYROMIND_AUTH_HEADER", "PYROMIND_AUTH_SCHEME", "PYROMIND_CLUSTER"];

pub use approval::{ApprovalFlags, ApprovalPage};
pub use error::ConfigError;
pub use examine::{PyroMindSettings, certificate_variables, proxy_variables};
pub use flags::{CloudKind, Launch, LiveFlags, LogLevel, OfferFlags, SimFlags};
pub use policies::Laid;
pub use world::WorldFlags;

impl Launch {
    /// Refuses flags of the cloud that wasn't chosen, and regions that nobody allowed. From here on the regions of
    /// --allow-region are regions to this process.
    ///
    /// # Errors
    /// [`ConfigError::WrongCloud`], naming the first such flag; [`ConfigError::Region`];
    /// [`ConfigError::AllowedTwice`].
    pub fn check(&self) -> Result<(), ConfigError> {
        let clock = [
            ("--clock", self.sim.clock.is_some()),
            ("--clock-step", self.sim.clock_step.is_some()),
            ("--human", self.sim.human.is_some()),
        ];
        let sim: Vec<_> = self.sim.world.given().into_iter().chain(clock).collect();
        let live = [
            ("--endpoint", !self.live.endpoints.is_empty()),
            ("--signature", self.live.signature.is_some()),
            ("--vpc", self.live.vpc),
            ("--allow-region", !self.live.allowed_regions.is_empty()),
            ("--ca-file", self.live.ca_file.is_some()),
            ("--connect-timeout", self.live.connect_timeout.is_some()),
            ("--read-timeout", self.live.read_timeout.is_some()),
            ("--timeout", self.live.timeout.is_some()),
        ];
        let (strange, wanted): (&[_], _) = match self.cloud {
            CloudKind::Sim => (&live, "live"),
            CloudKind::Live => (&sim, "sim"),
        };
        if let Some((flag, _)) = strange.iter().find(|(_, given)| *given) {
            return Err(ConfigError::WrongCloud { flag, wanted });
        }
        if !allow_regions(&self.live.allowed_regions) {
            return Err(ConfigError::AllowedTwice);
        }
        if self.regions.iter().all(|region| is_region(region)) { Ok(()) } else { Err(ConfigError::Region) }
    }

    /// The policy of this launch. `digest_key` binds questions to this process.
    ///
    /// # Errors
    /// When an overlay can't be read, doesn't make sense, or would loosen what isn't tunable.
    pub fn policy(&self, on_miss: OnMiss, digest_key: Vec<u8>) -> Result<Policy, ConfigError> {
        let overlays = self.policies.iter().map(Laid::overlay).collect::<Result<Vec<_>, _>>()?;
        let settings = self.settings(on_miss, digest_key);
        Ok(Policy::load(settings, &overlays)?)
    }

    /// What this launch decides about the policy.
    pub fn settings(&self, on_miss: OnMiss, digest_key: Vec<u8>) -> Settings {
        Settings {
            on_miss: self.provenance.unwrap_or(on_miss),
            operator: Operator {
                regions: self.regions.iter().cloned().collect(),
                approvals: self.approvals.iter().cloned().collect(),
            },
            simulated: self.cloud == CloudKind::Sim,
            digest_key,
            secret_command: self.secret_command(),
        }
    }

    /// Everything that a call needs. `on_miss` is the command's default for `--provenance`.
    ///
    /// # Errors
    /// [`ConfigError`]: what is wrong with the flags or the machine.
    pub fn gateway(&self, on_miss: OnMiss) -> Result<Arc<Gateway>, ConfigError> {
        self.check()?;
        let selection = self.offer.selection()?;
        let vault = Vault::new(self.vault_directory()?, LIFETIME);
        let (client, clock, simulator) = match self.cloud {
            CloudKind::Sim => {
                let (simulator, clock) = self.simulator()?;
                let client = simulated(Arc::clone(&simulator), vault.clone());
                (client, Clock::Logical(clock), Some(simulator))
            }
            CloudKind::Live => (self.live(vault.clone())?, Clock::Wall, None),
        };
        let human = self.human()?;
        // Files are made last: a wrong command line leaves nothing behind.
        let key = Arc::new(self.audit_key()?);
        let policy = self.policy(on_miss, key.hmac("question", b"digest").into_bytes())?;
        let audit = Audit::open(&self.audit_file()?, Arc::clone(&key), self.audit_fsync)?;
        if let Some(simulator) = simulator {
            self.sim.world.save(&simulator)?;
        }
        let gateway = Gateway::new(Parts { selection, policy, client, audit, key, vault, clock });
        Ok(Arc::new(match human {
            Some(script) => gateway.with_human(script),
            None => gateway,
        }))
    }

    /// Who answers questions in a human's place, if somebody does.
    fn human(&self) -> Result<Option<Script>, ConfigError> {
        let Some(path) = &self.sim.human else { return Ok(None) };
        if !path.is_absolute() {
            return Err(ConfigError::HumanPath);
        }
        let text = fs::read_to_string(path)
            .map_err(|source| ConfigError::ReadHuman { path: path.clone(), source })?;
        let policy = self.policy(OnMiss::Refuse, Vec::new())?;
        Script::parse(&text, &policy)
            .map(Some)
            .map_err(|source| ConfigError::Human { path: path.clone(), source })
    }

    fn simulator(&self) -> Result<(Arc<Simulator>, LogicalClock), ConfigError> {
        let step = self.sim.clock_step.unwrap_or(DEFAULT_STEP);
        if step <= SignedDuration::ZERO {
            return Err(ConfigError::ClockStep);
        }
        let (simulator, latest) = self.sim.world.simulator()?;
        // Nothing that a resumed world holds lies in the future.
        let resumed = latest.checked_add(step).unwrap_or(Timestamp::MAX);
        let clock = LogicalClock::new(self.sim.clock.unwrap_or(DEFAULT_START.max(resumed)), step);
        Ok((Arc::new(simulator), clock))
    }

    fn live(&self, vault: Vault) -> Result<Client, ConfigError> {
        let (limits, transport) = (self.limits(), Arc::new(self.transport()?));
        let (machine, skew): (Arc<dyn Surroundings>, _) = (Arc::new(Machine), Arc::new(Skew::default()));
        let endpoints = self.endpoints()?;
        Ok(Client::new(cloud::Parts {
            accounts: Accounts {
                alibaba: Chain::machine(
                    Arc::clone(&machine),
                    Arc::<HttpTransport>::clone(&transport),
                    endpoints.clone(),
                    Arc::clone(&skew),
                ),
                pyromind: KeySource::Environment(machine),
            },
            transport,
            endpoints,
            signature: self.signature(),
            bearer: self.bearer()?,
            vault,
            patience: limits.patience,
            skew,
        }))
    }

    /// Which place would give Alibaba Cloud's credentials, and why not the others. Nothing is asked over the
    /// network, and no value is shown.
    pub fn credentials_plan() -> Plan {
        Chain::plan(&Machine)
    }

    /// Where the services are.
    ///
    /// # Errors
    /// When an `--endpoint`, or PyroMind's address in the environment, doesn't make sense.
    pub fn endpoints(&self) -> Result<Endpoints, ConfigError> {
        match self.cloud {
            CloudKind::Sim => Ok(Endpoints::simulator()),
            CloudKind::Live => {
                let given = self.live.endpoints.iter().map(String::as_str);
                let is_given = given.clone().any(|endpoint| endpoint.starts_with("pyromind="));
                let set = environment(PYROMIND_BASE_URL).filter(|url| !url.is_empty() && !is_given);
                let set = set.map(|url| format!("pyromind={url}"));
                let endpoints = Endpoints::parse(given.chain(set.as_deref()))?;
                Ok(endpoints.within_private_network(self.live.vpc))
            }
        }
    }

    /// How PyroMind is told who calls.
    ///
    /// # Errors
    /// When a setting in the environment can't be part of a request.
    pub fn bearer(&self) -> Result<Bearer, ConfigError> {
        match self.cloud {
            CloudKind::Sim => Ok(Bearer::default()),
            CloudKind::Live => {
                let [header, scheme, cluster] = PYROMIND_SETTINGS.map(environment);
                Ok(Bearer::parse(header.as_deref(), scheme.as_deref(), cluster.as_deref())?)
            }
        }
    }

    /// How requests are signed.
    pub fn signature(&self) -> Signature {
        self.live.signature.unwrap_or_default()
    }

    /// The command with which a person has a secret printed from this launch's vault.
    fn secret_command(&self) -> String {
        match &self.vault {
            Some(directory) => format!("redline-mcp secret HANDLE --vault {}", directory.display()),
            None => "redline-mcp secret HANDLE".to_owned(),
        }
    }
}

fn simulated(simulator: Arc<Simulator>, vault: Vault) -> Client {
    Client::new(cloud::Parts {
        transport: simulator,
        accounts: Accounts::simulator(),
        endpoints: Endpoints::simulator(),
        signature: Signature::default(),
        bearer: Bearer::default(),
        vault,
        patience: Patience::default(),
        skew: Arc::default(),
    })
}

/// This program's own file, to start it again.
///
/// # Errors
/// When the system can't tell.
pub fn this_program() -> Result<PathBuf, ConfigError> {
    std::env::current_exe().map_err(ConfigError::Program)
}

#[expect(clippy::disallowed_methods, reason = "this is the one place where the environment is read")]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Where programs are looked for by name.
fn search_path() -> Vec<PathBuf> {
    environment("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default()
}
