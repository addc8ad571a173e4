//! The hand-over of secrets: what an agent gets in their place, and how they reach the vault.
//!
//! A password or a token in a cloud's reply is meant for a human, or for the next call, and never for the agent
//! between them. The agent gets a [`Handle`]; the secret goes to the vault as a [`Deposit`], which only the
//! policy makes and only the vault looks into:
//!
//! ```compile_fail,E0451
//! fn forge(handle: redline_mcp::policy::hand_over::Handle) -> redline_mcp::policy::hand_over::Deposit {
//!     redline_mcp::policy::hand_over::Deposit { handle, secret: String::new().into(), about: String::new() }
//! }
//! ```
//!
//! ```compile_fail,E0624
//! fn peek(deposit: &redline_mcp::policy::hand_over::Deposit) -> &str {
//!     deposit.expose()
//! }
//! ```

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE32_NOPAD;
use zeroize::Zeroizing;

use super::digest;

/// What every handle begins with.
const PREFIX: &str = "handle:";
/// How many bytes of the digest a handle shows: enough that none is ever guessed.
const LENGTH: usize = 16;

/// What stands for a secret: `handle:` and 26 characters of base32 (RFC 4648, lower case, unpadded), which are
/// 128 bits of a keyed digest. It tells nothing of the secret.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(String);

impl Handle {
    /// The handle of what `parts` name, under `key`: the same each time, and nobody else can work it out.
    pub(super) fn of<'p>(key: &[u8], parts: impl IntoIterator<Item = &'p str>) -> Self {
        let digest = digest::bytes(key, std::iter::once("handle").chain(parts));
        let (shown, _) = digest.split_at(LENGTH);
        Self(format!("{PREFIX}{}", BASE32_NOPAD.encode(shown).to_ascii_lowercase()))
    }

    /// The whole text, `handle:` included.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The 26 characters alone, which are fit for a file's name on every system.
    pub fn code(&self) -> &str {
        self.0.strip_prefix(PREFIX).unwrap_or_default()
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that isn't a handle. It doesn't repeat the text, which may be a secret put in the wrong place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this isn't a handle; one is handle: and 26 characters of a-z and 2-7, as the result gave it")]
pub struct HandleError;

impl FromStr for Handle {
    type Err = HandleError;

    /// Reads a handle as it is displayed, and nothing else: no other case, no space around it.
    fn from_str(text: &str) -> Result<Self, HandleError> {
        let code = text.strip_prefix(PREFIX).ok_or(HandleError)?;
        if code.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(HandleError);
        }
        match BASE32_NOPAD.decode(code.to_ascii_uppercase().as_bytes()) {
            Ok(bytes) if bytes.len() == LENGTH => Ok(Self(text.to_owned())),
            Ok(_) | Err(_) => Err(HandleError),
        }
    }
}

/// A secret on its way to the vault, under the handle that the agent is shown. It can't be printed or copied, and
/// its memory is cleared when it is dropped.
pub struct Deposit {
    handle: Handle,
    secret: Zeroizing<String>,
    about: String,
}

impl Deposit {
    /// Seals `secret`. `about` says for people what it is, the tool and the field, and nothing of the secret.
    pub(super) fn new(handle: Handle, secret: Zeroizing<String>, about: String) -> Self {
        Self { handle, secret, about }
    }

    /// A deposit as the policy would make it.
    #[cfg(test)]
    pub(crate) fn of_test(secret: &str, about: &str) -> Self {
        let handle = Handle::of(b"a key of tests", [secret]);
        Self::new(handle, Zeroizing::new(secret.to_owned()), about.to_owned())
    }

    /// What the agent is shown instead.
    pub const fn handle(&self) -> &Handle {
        &self.handle
    }

    /// What it is: tool and field.
    pub fn about(&self) -> &str {
        &self.about
    }

    /// The secret itself, for the vault alone.
    pub(crate) fn expose(&self) -> &str {
        &self.secret
    }
}

impl fmt::Debug for Deposit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Deposit(..)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_handle_is_the_first_half_of_the_digest_in_lower_case_base32() {
        let handle = Handle::of(b"key", ["scope", "secret"]);
        let digest = digest::bytes(b"key", ["handle", "scope", "secret"]);
        let upper = handle.code().to_ascii_uppercase();
        assert_eq!(BASE32_NOPAD.decode(upper.as_bytes()).unwrap(), digest[..16]);
        assert_eq!(handle.as_str(), format!("handle:{}", handle.code()));
        assert_eq!(handle.code().len(), 26);
    }

    #[test]
    fn the_same_secret_has_one_handle_under_one_key_and_another_under_another() {
        let of = |key: &[u8], secret| Handle::of(key, [secret]);
        assert_eq!(of(b"key", "one"), of(b"key", "one"));
        assert_ne!(of(b"key", "one"), of(b"key", "two"));
        assert_ne!(of(b"key", "one"), of(b"yek", "one"));
    }

    #[test]
    fn what_is_no_handle_is_refused_and_not_repeated() {
        let good = "handle:aeaqcaibaeaqcaibaeaqcaibae";
        assert_eq!(good.parse::<Handle>().unwrap().to_string(), good);
        for text in [
            "",
            "handle:",
            "aeaqcaibaeaqcaibaeaqcaibae",
            "Handle:aeaqcaibaeaqcaibaeaqcaibae",
            "handle:AEAQCAIBAEAQCAIBAEAQCAIBAE",
            "handle:aeaqcaibaeaqcaibaeaqcaibaE",
            "handle:aeaqcaibaeaqcaibaeaqcaiba",
            "handle:aeaqcaibaeaqcaibaeaqcaibaea",
            "handle:aeaqcaibaeaqcaibaeaqcaibae======",
            // The last character has two bits to spare, which must be zero.
            "handle:aeaqcaibaeaqcaibaeaqcaibaf",
            "handle:aeaqcaibaeaqcaibaeaqcaiba1",
            "handle:aeaqcaibaeaqcaibaeaqcaib/e",
            "handle:aeaqcaibaeaqcaibaeaqcaib\u{e9}",
            " handle:aeaqcaibaeaqcaibaeaqcaibae",
            "handle:aeaqcaibaeaqcaibaeaqcaibae\n",
        ] {
            assert_eq!(text.parse::<Handle>(), Err(HandleError), "{text:?}");
        }
        assert_eq!(
            HandleError.to_string(),
            "this isn't a handle; one is handle: and 26 characters of a-z and 2-7, as the result gave it"
        );
    }

    #[test]
    fn a_deposit_shows_nothing_of_its_secret() {
        let deposit = Deposit::of_test("canary-secret", "Password of a tool");
        assert_eq!(format!("{deposit:?}"), "Deposit(..)");
        assert!(!deposit.handle().as_str().contains("canary"));
        assert_eq!((deposit.about(), deposit.expose()), ("Password of a tool", "canary-secret"));
    }

    proptest! {
        #[test]
        fn a_handle_is_read_as_it_is_displayed(key: Vec<u8>, parts: Vec<String>) {
            let handle = Handle::of(&key, parts.iter().map(String::as_str));
            prop_assert_eq!(handle.to_string().parse::<Handle>(), Ok(handle));
        }

        #[test]
        fn nothing_else_is_read(text in prop_oneof![
            any::<String>(),
            "handle:\\PC{0,30}",
            "handle:[a-z2-7]{24,28}",
            "(?i)handle:[a-z2-7]{26}",
            "handle:[a-z2-7]{25}[aeimquy4]",
        ]) {
            let code = text.strip_prefix("handle:").filter(|code| code.len() == 26);
            let is_handle = code.is_some_and(|code| {
                code.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7')) && code.ends_with(['a', 'e', 'i', 'm', 'q', 'u', 'y', '4'])
            });
            match text.parse::<Handle>() {
                Ok(handle) => prop_assert!(is_handle && handle.to_string() == text),
                Err(HandleError) => prop_assert!(!is_handle),
            }
        }
    }
}
