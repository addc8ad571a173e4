//! What `doctor` asks of a launch, beside what every command does.

use super::{ConfigError, Launch, PYROMIND_BASE_URL, PYROMIND_SETTINGS, environment};
use crate::cloud::Client;
use crate::cloud::credentials::API_KEY;
use crate::vault::{LIFETIME, Vault};

/// The variables that choose a proxy for https.
const PROXIES: [&str; 6] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"];
/// The variables that replace the system's certificate authorities.
const CERTIFICATES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// What the environment says of PyroMind. The key isn't part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PyroMindSettings {
    /// Whether there is a key.
    pub has_key: bool,
    /// Whether there is an address, there or in an `--endpoint`.
    pub has_address: bool,
    /// Which of the variables beside the key are set.
    pub variables: Vec<&'static str>,
}

impl Launch {
    /// What the environment says of PyroMind.
    pub fn pyromind(&self) -> PyroMindSettings {
        let is_given = self.live.endpoints.iter().any(|endpoint| endpoint.starts_with("pyromind="));
        let all = [PYROMIND_BASE_URL].into_iter().chain(PYROMIND_SETTINGS);
        PyroMindSettings {
            has_key: is_set(API_KEY),
            has_address: is_given || is_set(PYROMIND_BASE_URL),
            variables: all.filter(|name| is_set(name)).collect(),
        }
    }

    /// The client of the live clouds that this launch would make; it sends nothing that no policy cleared.
    ///
    /// # Errors
    /// [`ConfigError`]: what is wrong with the flags or the machine.
    pub fn live_client(&self) -> Result<Client, ConfigError> {
        self.live(Vault::new(self.vault_directory()?, LIFETIME))
    }
}

/// Which variables that choose a proxy are set. Their values may hold passwords.
pub fn proxy_variables() -> Vec<&'static str> {
    PROXIES.into_iter().filter(|name| is_set(name)).collect()
}

/// Which variables that replace the system's certificate authorities are set, where the system is one that has them.
pub fn certificate_variables() -> Vec<&'static str> {
    let counts = cfg!(unix) && !cfg!(target_vendor = "apple");
    CERTIFICATES.into_iter().filter(|name| counts && is_set(name)).collect()
}

fn is_set(name: &str) -> bool {
    environment(name).is_some_and(|value| !value.is_empty())
}
