//! Why a launch can't be.

use std::io;
use std::path::PathBuf;

use crate::audit::AuditError;
use crate::cloud::bearer::BearerError;
use crate::cloud::endpoint::EndpointError;
use crate::cloud::transport::http::NoCertificates;
use crate::gateway::ScriptError;
use crate::policy::load::LoadError;
use crate::sim::faults::FaultsError;
use crate::sim::world::{ScenarioError, StateError};

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
    #[error("--faults {}: {source}", path.display())]
    Faults {
        /// The file.
        path: PathBuf,
        /// The line and what is wrong there.
        source: FaultsError,
    },
    /// The scenario can't be read.
    #[error("can't read --scenario {}: {source}", path.display())]
    ReadScenario {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The scenario doesn't make sense.
    #[error("--scenario {}: {source}", path.display())]
    Scenario {
        /// The file.
        path: PathBuf,
        /// The line, the path and what is wrong there.
        source: ScenarioError,
    },
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
    /// The scripted human is somewhere that depends on where the program is started.
    #[error("--human must be an absolute path")]
    HumanPath,
    /// The scripted human can't be read.
    #[error("can't read --human {}: {source}", path.display())]
    ReadHuman {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The scripted human doesn't make sense.
    #[error("--human {}: {source}; docs/scripted-human.md describes the file", path.display())]
    Human {
        /// The file.
        path: PathBuf,
        /// The place and what is wrong there.
        source: ScriptError,
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
    /// An overlay can't be read.
    #[error("can't read --policy {}: {source}", path.display())]
    ReadPolicy {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
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
            | Self::Faults { .. }
            | Self::NoBrowser(_)
            | Self::Scenario { .. }
            | Self::HumanPath
            | Self::Human { .. }
            | Self::State { .. } => true,
            Self::ReadFaults { .. }
            | Self::ReadScenario { .. }
            | Self::ReadCertificates { .. }
            | Self::ReadHuman { .. }
            | Self::ReadState { .. }
            | Self::WriteState { .. }
            | Self::NoStateDirectory
            | Self::Program(_)
            | Self::Audit(_)
            | Self::ReadPolicy { .. }
            | Self::Policy(_) => false,
        }
    }
}
