//! Tokens and tickets that let in whoever has them: derived whenever they are shown, stored nowhere.

use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::random::SplitMix64;
use super::{SECRET_MARK, World};

/// What a token shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum Target {
    Job,
    Tensorboard,
}

impl Target {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Job => "job",
            Self::Tensorboard => "tensorboard",
        }
    }
}

impl World {
    /// A token for `id`: a JWT by its looks. Its instants stand for a counter, so getting one changes nothing.
    pub(in crate::sim) fn share_token(
        &self,
        target: Target,
        id: &str,
        settings: &Value,
        from: Timestamp,
        until: Timestamp,
    ) -> String {
        let claims = json!({
            "target_type": target.as_str(),
            "target_id": id,
            "settings": settings,
            "iat": from.as_second(),
            "exp": until.as_second(),
        });
        self.signed(&claims.to_string())
    }

    /// Whether `token` is one of this cloud's for `id`, and still good.
    pub(in crate::sim) fn admits(&self, token: &str, target: Target, id: &str, at: Timestamp) -> bool {
        let claims = token.split('.').nth(1).and_then(|part| BASE64URL_NOPAD.decode(part.as_bytes()).ok());
        let Some(text) = claims.and_then(|bytes| String::from_utf8(bytes).ok()) else { return false };
        let claims: Value = serde_json::from_str(&text).unwrap_or_default();
        let is = |name, wanted: &str| claims.get(name).and_then(Value::as_str) == Some(wanted);
        token == self.signed(&text)
            && is("target_type", target.as_str())
            && is("target_id", id)
            && claims.get("exp").and_then(Value::as_i64).is_some_and(|until| at.as_second() < until)
    }

    /// A ticket that is good once, for what `label` names.
    pub(in crate::sim) fn ticket(&self, label: &str, at: Timestamp) -> String {
        let text = SplitMix64::new(self.seed, &format!("ticket {label} {at}"), 0).text(24);
        format!("{SECRET_MARK}-{text}")
    }

    fn signed(&self, claims: &str) -> String {
        let header = BASE64URL_NOPAD.encode(br#"{"alg":"HS256","typ":"JWT"}"#);
        let signature = SplitMix64::new(self.seed, &format!("share {claims}"), 0).text(37);
        format!("{header}.{}.{SECRET_MARK}{signature}", BASE64URL_NOPAD.encode(claims.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::sim::testkit::AT;

    #[test]
    fn a_token_lets_in_to_one_thing_until_it_expires() {
        let (world, other) = (World::seeded(1), World::seeded(2));
        let until = AT + SignedDuration::from_secs(60);
        let token = world.share_token(Target::Job, "dlc1", &json!({}), AT, until);
        let last = until - SignedDuration::from_secs(1);
        let admits = |world: &World, target, id, at| world.admits(&token, target, id, at);
        assert!(admits(&world, Target::Job, "dlc1", AT) && admits(&world, Target::Job, "dlc1", last));
        assert!(!admits(&world, Target::Job, "dlc1", until));
        assert!(!admits(&world, Target::Job, "dlc2", AT));
        assert!(!admits(&world, Target::Tensorboard, "dlc1", AT));
        assert!(!admits(&other, Target::Job, "dlc1", AT));
        for forged in ["", "a.b.c", &token.replace(SECRET_MARK, "canarx"), &format!("{token}x")] {
            assert!(!world.admits(forged, Target::Job, "dlc1", AT), "{forged}");
        }
        assert!(token.contains(SECRET_MARK));
    }

    #[test]
    fn a_ticket_is_another_at_every_instant() {
        let world = World::seeded(1);
        let (one, again) = (world.ticket("a", AT), world.ticket("a", AT));
        assert_eq!(one, again);
        assert_ne!(one, world.ticket("a", AT + SignedDuration::from_secs(1)));
        assert_ne!(one, world.ticket("b", AT));
        assert!(one.contains(SECRET_MARK));
    }
}
