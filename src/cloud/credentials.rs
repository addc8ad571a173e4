//! Who calls: credentials of each vendor, and where they are looked for.
//!
//! They come from outside the session and never from an argument, and nothing here can show them: no
//! `Display`, no `Serialize`, a `Debug` that says nothing, memory cleared when dropped. They are looked up
//! anew for every call, so mending their source is enough for the next call to work.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::policy::verdict::Raw;
use crate::spec::Vendor;

/// The environment variable of the access key id.
pub const ACCESS_KEY_ID: &str = "ALIBABA_CLOUD_ACCESS_KEY_ID";
/// The environment variable of the access key secret.
pub const ACCESS_KEY_SECRET: &str = "ALIBABA_CLOUD_ACCESS_KEY_SECRET";
/// The environment variable of the token that makes the pair a session's (STS).
pub const SECURITY_TOKEN: &str = "ALIBABA_CLOUD_SECURITY_TOKEN";

/// The environment variable of PyroMind's key.
pub const API_KEY: &str = "PYROMIND_API_KEY";

/// An access key pair, with a security token when it belongs to an STS session.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct AccessKey {
    access_key_id: String,
    access_key_secret: String,
    security_token: Option<String>,
}

impl AccessKey {
    /// A whole pair; `None` when the id or the secret is empty. An empty token is no token.
    pub fn new(
        access_key_id: String,
        access_key_secret: String,
        security_token: Option<String>,
    ) -> Option<Self> {
        let security_token = security_token.filter(|token| !token.is_empty());
        // Made before the check, so that a lone half is cleared from memory too.
        let pair = Self { access_key_id, access_key_secret, security_token };
        (!pair.access_key_id.is_empty() && !pair.access_key_secret.is_empty()).then_some(pair)
    }

    /// The pair that the simulator takes. It opens nothing else.
    pub fn simulator() -> Self {
        Self {
            access_key_id: "redline-sim".to_owned(),
            access_key_secret: "redline-sim-secret".to_owned(),
            security_token: None,
        }
    }

    pub(in crate::cloud) fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    pub(in crate::cloud) fn access_key_secret(&self) -> &str {
        &self.access_key_secret
    }

    pub(in crate::cloud) fn security_token(&self) -> Option<&str> {
        self.security_token.as_deref()
    }
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessKey").finish_non_exhaustive()
    }
}

/// PyroMind's key.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct ApiKey(String);

impl ApiKey {
    /// A key; `None` for an empty one.
    pub fn new(key: String) -> Option<Self> {
        (!key.is_empty()).then_some(Self(key))
    }

    /// The key that the simulator takes. It opens nothing else.
    pub fn simulator() -> Self {
        Self("redline-sim".to_owned())
    }

    pub(in crate::cloud) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey").finish_non_exhaustive()
    }
}

/// What a call is made with.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// Alibaba Cloud's.
    AccessKey(AccessKey),
    /// PyroMind's.
    ApiKey(ApiKey),
}

impl Credentials {
    /// What stays the same while the account does: the access key id, or PyroMind's key. Only a keyed hash of it
    /// may be shown.
    pub fn identity(&self) -> &str {
        match self {
            Self::AccessKey(pair) => &pair.access_key_id,
            Self::ApiKey(key) => key.as_str(),
        }
    }

    /// Everything that must never be shown, sealed.
    pub fn sealed(&self) -> Vec<Raw> {
        let texts = match self {
            Self::AccessKey(AccessKey { access_key_id, access_key_secret, security_token }) => {
                vec![Some(access_key_id), Some(access_key_secret), security_token.as_ref()]
            }
            Self::ApiKey(ApiKey(key)) => vec![Some(key)],
        };
        texts.into_iter().flatten().map(|text| Raw::new(text.as_str().into())).collect()
    }
}

/// Why there is nothing to call with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// No provider of the chain holds a whole pair.
    #[error(
        "no Alibaba Cloud credentials; nothing was sent. They are obtained in the Alibaba Cloud console and \
         set outside this session ({ACCESS_KEY_ID} and {ACCESS_KEY_SECRET}, with {SECURITY_TOKEN} for an STS \
         session); once they are set, make the call again"
    )]
    Missing,
    /// There is no key of PyroMind's (R-PM-001).
    #[error(
        "no PyroMind key; nothing was sent. It is made in the PyroMind console and set outside this session \
         ({API_KEY}); once it is set, make the call again"
    )]
    NoApiKey,
}

/// Answers the value of an environment variable, asked by name.
pub type Lookup = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// One place where an access key may be.
pub enum Provider {
    /// The environment, asked anew each time.
    Environment(Lookup),
    /// A key known beforehand: the simulator's.
    Fixed(AccessKey),
}

impl Provider {
    /// What this place holds now. Half a pair counts as none.
    fn access_key(&self) -> Option<AccessKey> {
        match self {
            Self::Environment(lookup) => AccessKey::new(
                lookup(ACCESS_KEY_ID).unwrap_or_default(),
                lookup(ACCESS_KEY_SECRET).unwrap_or_default(),
                lookup(SECURITY_TOKEN),
            ),
            Self::Fixed(pair) => Some(pair.clone()),
        }
    }
}

/// The providers in the order they are asked; the first that holds a pair answers.
pub struct Chain(Vec<Provider>);

impl Chain {
    /// Asks `providers` in this order.
    pub fn new(providers: Vec<Provider>) -> Self {
        Self(providers)
    }

    /// The pair of this moment; nothing is remembered from an earlier call.
    ///
    /// # Errors
    /// [`CredentialsError::Missing`] when no provider holds a whole pair.
    pub fn access_key(&self) -> Result<AccessKey, CredentialsError> {
        self.0.iter().find_map(Provider::access_key).ok_or(CredentialsError::Missing)
    }
}

/// The place where PyroMind's key is.
pub enum KeySource {
    /// The environment, asked anew each time.
    Environment(Lookup),
    /// A key known beforehand: the simulator's.
    Fixed(ApiKey),
}

impl KeySource {
    fn api_key(&self) -> Option<ApiKey> {
        match self {
            Self::Environment(lookup) => ApiKey::new(lookup(API_KEY)?),
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
            alibaba: Chain::new(vec![Provider::Fixed(AccessKey::simulator())]),
            pyromind: KeySource::Fixed(ApiKey::simulator()),
        }
    }

    /// The credentials of this moment for a service of `vendor`.
    ///
    /// # Errors
    /// When there are none, saying where they come from.
    pub fn credentials(&self, vendor: Vendor) -> Result<Credentials, CredentialsError> {
        match vendor {
            Vendor::Alibaba => self.alibaba.access_key().map(Credentials::AccessKey),
            Vendor::PyroMind => {
                self.pyromind.api_key().map(Credentials::ApiKey).ok_or(CredentialsError::NoApiKey)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::{Arc, Mutex};

    use super::*;

    type Variables = Arc<Mutex<HashMap<&'static str, &'static str>>>;

    fn environment(variables: &Variables) -> Provider {
        let variables = Arc::clone(variables);
        Provider::Environment(Box::new(move |name| {
            variables.lock().unwrap().get(name).map(|value| (*value).to_owned())
        }))
    }

    fn found(variables: &[(&'static str, &'static str)]) -> Option<(String, String, Option<String>)> {
        let variables = Arc::new(Mutex::new(variables.iter().copied().collect()));
        let credentials = Chain::new(vec![environment(&variables)]).access_key().ok()?;
        Some((
            credentials.access_key_id().to_owned(),
            credentials.access_key_secret().to_owned(),
            credentials.security_token().map(str::to_owned),
        ))
    }

    /// R-WS-07
    #[test]
    fn a_whole_pair_counts_with_or_without_a_token_and_half_a_pair_counts_as_none() {
        let (id, secret, token) = ("an-id", "a-secret", "a-token");
        assert_eq!(
            found(&[(ACCESS_KEY_ID, id), (ACCESS_KEY_SECRET, secret)]),
            Some((id.to_owned(), secret.to_owned(), None))
        );
        assert_eq!(
            found(&[(ACCESS_KEY_ID, id), (ACCESS_KEY_SECRET, secret), (SECURITY_TOKEN, token)]),
            Some((id.to_owned(), secret.to_owned(), Some(token.to_owned())))
        );
        assert_eq!(
            found(&[(ACCESS_KEY_ID, id), (ACCESS_KEY_SECRET, secret), (SECURITY_TOKEN, "")]),
            Some((id.to_owned(), secret.to_owned(), None))
        );
        for half in [
            &[(ACCESS_KEY_ID, id)][..],
            &[(ACCESS_KEY_SECRET, secret), (SECURITY_TOKEN, token)],
            &[(ACCESS_KEY_ID, id), (ACCESS_KEY_SECRET, "")],
            &[(ACCESS_KEY_ID, ""), (ACCESS_KEY_SECRET, secret)],
            &[],
        ] {
            assert_eq!(found(half), None, "{half:?}");
        }
    }

    /// R-WS-09: the error says where credentials come from, and mending the source is enough.
    #[test]
    fn without_credentials_the_error_says_what_to_do_and_the_next_call_looks_again() {
        let variables = Variables::default();
        let chain = Chain::new(vec![environment(&variables)]);
        assert_eq!(
            chain.access_key().unwrap_err().to_string(),
            "no Alibaba Cloud credentials; nothing was sent. They are obtained in the Alibaba Cloud console and \
             set outside this session (ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, with \
             ALIBABA_CLOUD_SECURITY_TOKEN for an STS session); once they are set, make the call again"
        );
        variables.lock().unwrap().extend([(ACCESS_KEY_ID, "an-id"), (ACCESS_KEY_SECRET, "a-secret")]);
        assert_eq!(chain.access_key().unwrap().access_key_id(), "an-id");
        variables.lock().unwrap().clear();
        assert_eq!(chain.access_key().unwrap_err(), CredentialsError::Missing);
    }

    #[test]
    fn the_first_provider_that_holds_a_pair_answers() {
        let variables = Variables::default();
        let chain = Chain::new(vec![environment(&variables), Provider::Fixed(AccessKey::simulator())]);
        assert_eq!(chain.access_key().unwrap().access_key_id(), "redline-sim");
        variables.lock().unwrap().extend([(ACCESS_KEY_ID, "an-id"), (ACCESS_KEY_SECRET, "a-secret")]);
        assert_eq!(chain.access_key().unwrap().access_key_id(), "an-id");
    }

    /// R-PM-001: the key comes from the environment only, and without one the error says so.
    #[test]
    fn pyromind_has_one_key_and_no_pair_stands_in_for_it() {
        let accounts = |key: &'static str| Accounts {
            alibaba: Chain::new(vec![Provider::Fixed(AccessKey::simulator())]),
            pyromind: KeySource::Environment(Box::new(move |name| {
                (name == "PYROMIND_API_KEY").then(|| key.to_owned())
            })),
        };
        let found = accounts("a-key").credentials(Vendor::PyroMind).unwrap();
        assert_eq!(found.identity(), "a-key");
        assert_eq!(
            accounts("").credentials(Vendor::PyroMind).unwrap_err().to_string(),
            "no PyroMind key; nothing was sent. It is made in the PyroMind console and set outside this session \
             (PYROMIND_API_KEY); once it is set, make the call again"
        );
    }

    /// R-WS-03
    #[test]
    fn debug_shows_nothing() {
        let pair = AccessKey::new("an-id".to_owned(), "a-secret".to_owned(), Some("a-token".to_owned()));
        assert_eq!(format!("{:?}", Credentials::AccessKey(pair.unwrap())), "AccessKey(AccessKey { .. })");
        let key = ApiKey::new("a-key".to_owned()).unwrap();
        assert_eq!(format!("{:?}", Credentials::ApiKey(key)), "ApiKey(ApiKey { .. })");
    }
}
