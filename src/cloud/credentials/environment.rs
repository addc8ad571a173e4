//! An access key in the environment: the first place, as with the official SDKs.

use super::key::AccessKey;
use super::plan::Look;
use super::source::Source;
use super::surroundings::{Surroundings, set};

/// The environment variable of the access key id.
pub const ACCESS_KEY_ID: &str = "ALIBABA_CLOUD_ACCESS_KEY_ID";
/// The environment variable of the access key secret.
pub const ACCESS_KEY_SECRET: &str = "ALIBABA_CLOUD_ACCESS_KEY_SECRET";
/// The environment variable of the token that makes the pair a session's (STS).
pub const SECURITY_TOKEN: &str = "ALIBABA_CLOUD_SECURITY_TOKEN";

/// A whole pair, with a token or without. Half a pair counts as none (R-WS-07).
pub(super) fn look(surroundings: &dyn Surroundings) -> Look {
    let [id, secret] = [ACCESS_KEY_ID, ACCESS_KEY_SECRET].map(|name| set(surroundings, name));
    let token = set(surroundings, SECURITY_TOKEN);
    let how = if token.is_some() { "an STS session" } else { "an access key" };
    let pair = AccessKey::new(id.unwrap_or_default(), secret.unwrap_or_default(), token);
    match pair {
        Some(pair) => Look::Found(Source::Pair(pair), how),
        None => {
            Look::Absent("ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET aren't both set")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::credentials::testkit::Machine;

    fn found(variables: &[(&str, &str)]) -> Option<(AccessKey, &'static str)> {
        let machine = variables.iter().fold(Machine::default(), |all, (name, value)| all.with(name, value));
        match look(&machine) {
            Look::Found(Source::Pair(pair), how) => Some((pair, how)),
            Look::Found(..) | Look::Absent(_) | Look::Broken(_) => None,
        }
    }

    fn pair(token: Option<&str>) -> AccessKey {
        AccessKey::new("an-id".to_owned(), "a-secret".to_owned(), token.map(str::to_owned)).unwrap()
    }

    /// R-WS-07
    #[test]
    fn a_whole_pair_counts_with_or_without_a_token_and_half_a_pair_counts_as_none() {
        let (id, secret) = ((ACCESS_KEY_ID, "an-id"), (ACCESS_KEY_SECRET, "a-secret"));
        let token = (SECURITY_TOKEN, "a-token");
        assert!(found(&[id, secret]) == Some((pair(None), "an access key")));
        assert!(found(&[id, secret, token]) == Some((pair(Some("a-token")), "an STS session")));
        assert!(found(&[id, secret, (SECURITY_TOKEN, "")]) == Some((pair(None), "an access key")));
        for half in
            [&[id][..], &[secret, token], &[id, (ACCESS_KEY_SECRET, "")], &[(ACCESS_KEY_ID, ""), secret], &[]]
        {
            assert!(found(half).is_none(), "{half:?}");
        }
    }
}
