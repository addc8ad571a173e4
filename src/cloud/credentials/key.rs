//! Pairs and keys: what can't be printed and is cleared from memory when dropped.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// An access key pair, with a security token when it belongs to an STS session.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct AccessKey {
    access_key_id: String,
    access_key_secret: String,
    security_token: Option<String>,
    /// What the pair acts as, where pairs come and go: a role, or the place that gives them.
    principal: Option<String>,
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
        let pair = Self { access_key_id, access_key_secret, security_token, principal: None };
        (!pair.access_key_id.is_empty() && !pair.access_key_secret.is_empty()).then_some(pair)
    }

    /// The pair that the simulator takes. It opens nothing else.
    pub fn simulator() -> Self {
        Self {
            access_key_id: "redline-sim".to_owned(),
            access_key_secret: "redline-sim-secret".to_owned(),
            security_token: None,
            principal: None,
        }
    }

    /// The same pair, which acts as `principal` and will be replaced by another that does.
    pub(in crate::cloud) fn acting_as(mut self, principal: impl Into<String>) -> Self {
        self.principal = Some(principal.into());
        self
    }

    /// What stays the same while the account does.
    pub(in crate::cloud) fn identity(&self) -> &str {
        self.principal.as_deref().unwrap_or(&self.access_key_id)
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
