//! What `doctor` asks of a launch, beside what every command does.

use std::sync::Arc;

use super::{CloudKind, ConfigError, Launch, PYROMIND_BASE_URL, PYROMIND_SETTINGS, environment};
use crate::cloud::Client;
use crate::cloud::credentials::API_KEY;
use crate::cloud::endpoint::BaseUrl;
use crate::cloud::probe::Probe;
use crate::cloud::transport::http::Seconds;
use crate::spec::Cloud;
use crate::vault::{LIFETIME, Vault};

/// How long to connect, to wait for a piece of an answer, and for a whole call.
const TIMES: [Seconds; 3] = [Seconds::at_least_one(5), Seconds::at_least_one(10), Seconds::at_least_one(15)];
/// The variables that choose a proxy for https.
const PROXIES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
/// The variables that exempt hosts from it.
const EXEMPT: [&str; 2] = ["NO_PROXY", "no_proxy"];
/// The variables that replace the system's certificate authorities.
const CERTIFICATES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// What the environment says of PyroMind. The key isn't part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PyroMindSettings {
    /// Whether there is a key.
    pub has_key: bool,
    /// Whether there is an address, there or in an `--endpoint`.
    pub has_address: bool,
    /// The address that calls go to, if it is one that is used.
    pub address: Option<BaseUrl>,
    /// The cluster, if one is chosen.
    pub cluster: Option<String>,
    /// Which of the variables beside the key are set.
    pub variables: Vec<&'static str>,
}

impl Launch {
    /// What the environment says of PyroMind.
    pub fn pyromind(&self) -> PyroMindSettings {
        let is_given = self.live.endpoints.iter().any(|endpoint| endpoint.starts_with("pyromind="));
        let [header, scheme, cluster] = PYROMIND_SETTINGS;
        let all = [PYROMIND_BASE_URL, header, scheme, cluster].into_iter();
        PyroMindSettings {
            has_key: is_set(API_KEY),
            has_address: is_given || is_set(PYROMIND_BASE_URL),
            address: match self.cloud {
                CloudKind::Sim => None,
                CloudKind::Live => self.endpoints().and_then(|all| Ok(all.base(Cloud::PyroMind, None)?)).ok(),
            },
            cluster: environment(cluster).filter(|name| !name.is_empty()),
            variables: all.filter(|name| is_set(name)).collect(),
        }
    }

    /// The same launch, less patient where no flag says how patient: somebody waits for all of its checks.
    #[must_use]
    pub fn hurried(&self) -> Self {
        let mut launch = self.clone();
        let [connect, read, whole] = TIMES;
        launch.live.connect_timeout.get_or_insert(connect);
        launch.live.read_timeout.get_or_insert(read);
        launch.live.timeout.get_or_insert(whole);
        launch
    }

    /// What looks for services, by way of this launch's transport.
    ///
    /// # Errors
    /// When `--ca-file` can't be read, or holds no certificates.
    pub fn probe(&self) -> Result<Probe, ConfigError> {
        Ok(Probe::new(Arc::new(self.transport()?)))
    }

    /// The client of the live clouds that this launch would make; it sends nothing that no policy cleared.
    ///
    /// # Errors
    /// [`ConfigError`]: what is wrong with the flags or the machine.
    pub fn live_client(&self) -> Result<Client, ConfigError> {
        self.live(Vault::new(self.vault_directory()?, LIFETIME))
    }
}

/// Which variables that choose a proxy are set, and those that exempt hosts from it; none without a proxy. Their values
/// may hold passwords.
pub fn proxy_variables() -> Vec<&'static str> {
    let set = |names: &[&'static str]| names.iter().copied().filter(|name| is_set(name)).collect::<Vec<_>>();
    let proxies = set(&PROXIES);
    if proxies.is_empty() { proxies } else { [proxies, set(&EXEMPT)].concat() }
}

/// Which variables that replace the system's certificate authorities are set, where the system is one that has them.
pub fn certificate_variables() -> Vec<&'static str> {
    let counts = cfg!(unix) && !cfg!(target_vendor = "apple");
    CERTIFICATES.into_iter().filter(|name| counts && is_set(name)).collect()
}

fn is_set(name: &str) -> bool {
    environment(name).is_some_and(|value| !value.is_empty())
}
