//! Who calls: credentials of each vendor, and where they are looked for.
//!
//! They come from outside the session and never from an argument, and nothing here can show them: no
//! `Display`, no `Serialize`, a `Debug` that says nothing, memory cleared when dropped.
//!
//! Alibaba Cloud's come from the first place of the [`Chain`] that is set up. What is read on this machine is read
//! anew for every call, so mending it is enough for the next call to work; what is asked for over the network is
//! kept until shortly before it expires, and asked for once however many calls wait for it.
//!
//! | room | what is in it |
//! |---|---|
//! | [`key`] | pairs and keys |
//! | [`error`] | why there are none |
//! | [`surroundings`] | what a launch lets its providers read |
//! | [`chain`] | the order, and the pair of this moment |
//! | [`plan`] | which place would be used, and why not the others |
//! | `source` | where a pair comes from, once the machine was read |
//! | `environment`, `oidc`, `cli_profile`, `ini`, `metadata`, `uri` | the places, in their order |
//! | `sts`, `external` | what profiles lead to |
//! | `session`, `exchange` | keeping and asking |

pub mod chain;
mod cli_profile;
mod environment;
pub mod error;
mod exchange;
mod external;
mod ini;
pub mod key;
mod metadata;
mod oidc;
pub mod plan;
mod session;
mod source;
mod sts;
pub mod surroundings;
#[cfg(test)]
mod testkit;
mod uri;

use std::sync::Arc;

use jiff::Timestamp;

use crate::policy::verdict::Raw;
use crate::spec::Vendor;
pub use chain::Chain;
pub use environment::{ACCESS_KEY_ID, ACCESS_KEY_SECRET, SECURITY_TOKEN};
pub use error::CredentialsError;
pub use key::{AccessKey, ApiKey};
pub use surroundings::Surroundings;

/// The environment variable of PyroMind's key.
pub const API_KEY: &str = "PYROMIND_API_KEY";

/// What a call is made with.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// Alibaba Cloud's.
    AccessKey(AccessKey),
    /// PyroMind's.
    ApiKey(ApiKey),
}

impl Credentials {
    /// What stays the same while the account does: the access key id, the role or the place that gives session
    /// pairs, or PyroMind's key. Only a keyed hash of it may be shown.
    pub fn identity(&self) -> &str {
        match self {
            Self::AccessKey(pair) => pair.identity(),
            Self::ApiKey(key) => key.as_str(),
        }
    }

    /// Everything that must never be shown, sealed.
    pub fn sealed(&self) -> Vec<Raw> {
        let texts = match self {
            Self::AccessKey(pair) => {
                vec![Some(pair.access_key_id()), Some(pair.access_key_secret()), pair.security_token()]
            }
            Self::ApiKey(key) => vec![Some(key.as_str())],
        };
        texts.into_iter().flatten().map(|text| Raw::new(text.into())).collect()
    }
}

/// The place where PyroMind's key is.
pub enum KeySource {
    /// The environment, asked anew each time.
    Environment(Arc<dyn Surroundings>),
    /// A key known beforehand: the simulator's.
    Fixed(ApiKey),
}

impl KeySource {
    fn api_key(&self) -> Option<ApiKey> {
        match self {
            Self::Environment(surroundings) => ApiKey::new(surroundings.variable(API_KEY)?),
            Self::Fixed(key) => Some(key.clone()),
        }
    }
}

/// The credentials of every vendor.
pub struct Accounts {
    /// Alibaba Cloud's.
    pub alibaba: Chain,
    /// PyroMind's.
    pub pyromind: KeySource,
}

impl Accounts {
    /// Those that the simulator takes.
    pub fn simulator() -> Self {
        Self {
            alibaba: Chain::Fixed(AccessKey::simulator()),
            pyromind: KeySource::Fixed(ApiKey::simulator()),
        }
    }

    /// The credentials of this moment for a service of `vendor`; `wall` is the machine's time, by which sessions
    /// expire.
    ///
    /// # Errors
    /// When there are none, saying where they come from.
    pub async fn credentials(
        &self,
        vendor: Vendor,
        wall: Timestamp,
    ) -> Result<Credentials, CredentialsError> {
        match vendor {
            Vendor::Alibaba => self.alibaba.access_key(wall).await.map(Credentials::AccessKey),
            Vendor::PyroMind => {
                self.pyromind.api_key().map(Credentials::ApiKey).ok_or(CredentialsError::NoApiKey)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testkit::Machine;
    use super::*;

    /// R-PM-001: the key comes from the environment only, and without one the error says so.
    #[tokio::test]
    async fn pyromind_has_one_key_and_no_pair_stands_in_for_it() {
        let accounts = |key: &str| Accounts {
            pyromind: KeySource::Environment(Arc::new(Machine::default().with("PYROMIND_API_KEY", key))),
            ..Accounts::simulator()
        };
        let at = Timestamp::UNIX_EPOCH;
        let found = accounts("a-key").credentials(Vendor::PyroMind, at).await.unwrap();
        assert_eq!(found.identity(), "a-key");
        assert_eq!(
            accounts("").credentials(Vendor::PyroMind, at).await.unwrap_err().to_string(),
            "no PyroMind key; nothing was sent. It is made in the PyroMind console and set outside this session \
             (PYROMIND_API_KEY); once it is set, make the call again"
        );
    }

    /// R-WS-03
    #[test]
    fn debug_shows_nothing() {
        let pair = AccessKey::new("an-id".to_owned(), "a-secret".to_owned(), Some("a-token".to_owned()));
        let pair = pair.unwrap().acting_as("a-role");
        assert_eq!(format!("{:?}", Credentials::AccessKey(pair)), "AccessKey(AccessKey { .. })");
        let key = ApiKey::new("a-key".to_owned()).unwrap();
        assert_eq!(format!("{:?}", Credentials::ApiKey(key)), "ApiKey(ApiKey { .. })");
    }
}
