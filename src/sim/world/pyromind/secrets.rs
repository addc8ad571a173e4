//! Passwords and tokens, derived whenever they are shown and stored nowhere.

use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use serde_json::json;

use super::{PyroMind, Sandbox};
use crate::sim::world::random::SplitMix64;

/// Every secret that the simulated PyroMind makes up holds this, and has 16 characters or more. Nothing else of
/// PyroMind holds it, so seen in any output it is a leak.
pub const SECRET_MARK: &str = "canary";

impl PyroMind {
    /// The sandbox's VNC password in force.
    pub(in crate::sim) fn vnc_password(&self, sandbox: &Sandbox) -> String {
        let tail = self.text(&format!("vnc {}", sandbox.id), sandbox.vnc.refreshes, 12);
        format!("vnc-{SECRET_MARK}-{tail}")
    }

    /// The password of an instance whose creator chose none.
    pub(in crate::sim) fn generated_password(&self, instance_id: &str) -> String {
        format!("pw-{SECRET_MARK}-{}", self.text(&format!("password {instance_id}"), 0, 12))
    }

    /// A token for an instance: a JWT by its looks. Its instants stand for a counter, so getting one changes nothing.
    pub(in crate::sim) fn access_token(
        &self,
        instance_id: &str,
        from: Timestamp,
        until: Timestamp,
    ) -> String {
        let claims =
            json!({"sub": instance_id, "iat": from.as_second(), "exp": until.as_second()}).to_string();
        let header = BASE64URL_NOPAD.encode(br#"{"alg":"HS256","typ":"JWT"}"#);
        let signature = self.text(&format!("token {claims}"), 0, 37);
        format!("{header}.{}.{SECRET_MARK}{signature}", BASE64URL_NOPAD.encode(claims.as_bytes()))
    }

    fn text(&self, label: &str, ordinal: u64, length: usize) -> String {
        SplitMix64::new(self.seed, label, ordinal).text(length)
    }
}
