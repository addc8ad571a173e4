//! What a launch decides: flags and environment in, a [`Gateway`] out.
//!
//! This is the only room that reads the environment. What decides about red lines (the cloud, regions,
//! approvals) is a flag, never a variable, so that it stands where the operator wrote it.

mod approval;
mod examine;
mod flags;
mod machine;
mod network;
mod places;
mod world;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::audit::{Audit, AuditError};
use crate::cloud::bearer::{Bearer, BearerError};
use crate::cloud::credentials::plan::Plan;
use crate::cloud::credentials::{Accounts, Chain, KeySource, Surroundings};
use crate::cloud::endpoint::{EndpointError, Endpoints};
use crate::cloud::sign::Signature;
use crate::cloud::skew::Skew;
use crate::cloud::transport::http::{HttpTransport, NoCertificates, Patience};
use crate::cloud::{self, Client};
use crate::gateway::{Clock, Gateway, Parts};
use crate::policy::consent::Operator;
use crate::policy::load::LoadError;
use crate::policy::{OnMiss, Policy, Settings};
use crate::sim::Simulator;
use crate::sim::clock::{DEFAULT_START, DEFAULT_STEP, LogicalClock};
use crate::sim::faults::FaultsError;
use crate::sim::world::StateError;
use crate::spec::value::{allow_regions, is_region};
use crate::vault::{LIFETIME, Vault};
use machine::Machine;

/// The environment variable of PyroMind's address, with or without `/api/v1`.
const PYROMIND_BASE_URL: &str = "PYROMIND_BASE_URL";
/// The environment variables of the header that holds PyroMind's key, of its scheme, and of the cluster.
const PYROMIND_SETTINGS: [&str; 3] = ["PYROMIND_AUTH_HEADER", "PYROMIND_AUTH_SCHEME", "PYROMIND_CLUSTER"];

pub use approval::{ApprovalFlags, ApprovalPage};
pub use examine::{PyroMindSettings, certificate_variables, proxy_variables};
pub use flags::{CloudKind, Launch, LiveFlags, LogLevel, OfferFlags, SimFlags};
pub use world::WorldFlags;

/// A launch that can't be.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A flag of the other cloud.
    #[error("{flag} is for --cloud {wanted}; leave it out, or choose that cloud")]
    WrongCloud {
        /// The flag.
        flag: &'static str,
        /// The cloud that it is for.
        wanted: &'static str,
    },
    /// The flags that choose tools contradict each other.
    #[error("--toolsets, --tools, --exclude-tools and --read-only leave no tool; see `redline-mcp tools`")]
    NoTool,
    /// A region that nobody knows.
    #[error(
        "--region: isn't a documented region, such as cn-hangzhou, cn-shanghai, cn-beijing, cn-shenzhen or \
         ap-southeast-1; with --cloud live, --allow-region NAME allows another"
    )]
    Region,
    /// A process allows regions once.
    #[error("--allow-region: other regions were allowed in this process already")]
    AllowedTwice,
    /// The certificates can't be read.
    #[error("can't read --ca-file {}: {source}", path.display())]
    ReadCertificates {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The certificates are none.
    #[error("--ca-file: {0}")]
    Certificates(#[from] NoCertificates),
    /// The clock wouldn't move forward.
    #[error("--clock-step must be longer than nothing, such as 1s or 5m")]
    ClockStep,
    /// The faults can't be read.
    #[error("can't read --faults {}: {source}", path.display())]
    ReadFaults {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The faults don't make sense.
    #[error("--faults: {0}")]
    Faults(#[from] FaultsError),
    /// The state can't be read.
    #[error("can't read --state-in {}: {source}", path.display())]
    ReadState {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The state doesn't make sense.
    #[error("--state-in {}: {source}; give a file that --state-out wrote", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// The place and what is wrong there.
        source: StateError,
    },
    /// The state can't be kept.
    #[error("can't write --state-out {}: {source}", path.display())]
    WriteState {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An endpoint doesn't make sense.
    #[error("--endpoint: {0}")]
    Endpoint(#[from] EndpointError),
    /// A setting of PyroMind's doesn't make sense.
    #[error("PYROMIND_AUTH_HEADER, PYROMIND_AUTH_SCHEME, PYROMIND_CLUSTER: {0}")]
    Bearer(#[from] BearerError),
    /// There is nowhere to keep state.
    #[error("the system names no directory for state; give --audit FILE, --audit-key FILE and --vault DIR")]
    NoStateDirectory,
    /// The system can't tell which program this is.
    #[error("can't tell where this program is: {0}")]
    Program(io::Error),
    /// The browser's command isn't there.
    #[error("--browser {}: there is no such program; give its whole path", .0.display())]
    NoBrowser(PathBuf),
    /// The audit record can't be used.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The policy doesn't make sense.
    #[error("policy {0}")]
    Policy(#[from] LoadError),
}

impl ConfigError {
    /// Whether the command line is at fault, rather than the machine.
    pub const fn is_usage(&self) -> bool {
        match self {
            Self::WrongCloud { .. }
            | Self::NoTool
            | Self::Region
            | Self::AllowedTwice
            | Self::Certificates(_)
            | Self::ClockStep
            | Self::Endpoint(_)
            | Self::Bearer(_)
            | Self::Faults(_)
            | Self::NoBrowser(_)
            | Self::State { .. } => true,
            Self::ReadFaults { .. }
            | Self::ReadCertificates { .. }
            | Self::ReadState { .. }
            | Self::WriteState { .. }
            | Self::NoStateDirectory
            | Self::Program(_)
            | Self::Audit(_)
            | Self::Policy(_) => false,
        }
    }
}

impl Launch {
    /// Refuses flags of the cloud that wasn't chosen, and regions that nobody allowed. From here on the regions of
    /// --allow-region are regions to this process.
    ///
    /// # Errors
    /// [`ConfigError::WrongCloud`], naming the first such flag; [`ConfigError::Region`];
    /// [`ConfigError::AllowedTwice`].
    pub fn check(&self) -> Result<(), ConfigError> {
        let clock = [("--clock", self.sim.clock.is_some()), ("--clock-step", self.sim.clock_step.is_some())];
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
    /// When a policy file doesn't make sense.
    pub fn policy(&self, on_miss: OnMiss, digest_key: Vec<u8>) -> Result<Policy, LoadError> {
        Policy::compiled(Settings {
            on_miss: self.provenance.unwrap_or(on_miss),
            operator: Operator {
                regions: self.regions.iter().cloned().collect(),
                approvals: self.approvals.iter().cloned().collect(),
            },
            simulated: self.cloud == CloudKind::Sim,
            digest_key,
            secret_command: self.secret_command(),
        })
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
        // Files are made last: a wrong command line leaves nothing behind.
        let key = Arc::new(self.audit_key()?);
        let policy = self.policy(on_miss, key.hmac("question", b"digest").into_bytes())?;
        let audit = Audit::open(&self.audit_file()?, Arc::clone(&key), self.audit_fsync)?;
        if let Some(simulator) = simulator {
            self.sim.world.save(&simulator)?;
        }
        Ok(Arc::new(Gateway::new(Parts { selection, policy, client, audit, key, vault, clock })))
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
