//! Questions that the client holds while a human thinks.
//!
//! A 2026-07-28 client gets a question with a `requestState` and calls again with both that and the answer.
//! The state is signed with a key that lives as long as the server, bound to the tool, and expires. It can be
//! read by whoever holds it, so it holds no more than the question's digest, which binds the arguments. A state
//! counts once: its number is kept from when it is handed out until it is answered.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rmcp::model::{RequestStateCodec, RequestStateError, SealOptions};
use serde::{Deserialize, Serialize};

use crate::policy::consent::Reply;

/// The most questions that wait for an answer at once. The oldest give way: a late answer to one of them is
/// refused, never counted twice.
const WAITING: usize = 1024;

/// What a state says.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct State {
    digest: String,
    number: u64,
}

/// A state that proved genuine and in time.
#[derive(Debug, PartialEq)]
pub(super) struct Opened(State);

impl Opened {
    /// The digest of the question that was asked.
    pub(super) fn digest(&self) -> &str {
        &self.0.digest
    }
}

/// Seals questions and opens them once.
pub(super) struct Seals {
    codec: RequestStateCodec,
    lifetime: Duration,
    next: AtomicU64,
    waiting: Mutex<BTreeSet<u64>>,
}

impl Seals {
    /// Seals with a fresh key.
    pub(super) fn new(lifetime: Duration) -> Result<Self, getrandom::Error> {
        let mut key = [0; RequestStateCodec::MIN_KEY_LENGTH];
        getrandom::fill(&mut key)?;
        Ok(Self {
            codec: RequestStateCodec::new_unchecked(key),
            lifetime,
            next: AtomicU64::new(0),
            waiting: Mutex::default(),
        })
    }

    /// The state of a question about a call of `tool`.
    pub(super) fn seal(&self, tool: &str, digest: &str) -> Result<String, RequestStateError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let options = SealOptions::new().associated_data(tool.as_bytes()).ttl(self.lifetime);
        let sealed = self.codec.seal_json_with(&State { digest: digest.to_owned(), number }, &options)?;
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.insert(number);
        if waiting.len() > WAITING {
            waiting.pop_first();
        }
        Ok(sealed)
    }

    /// Opens a state that came back with a call of `tool`; the error is the reply that it amounts to.
    pub(super) fn open(&self, tool: &str, sealed: &str) -> Result<Opened, Reply> {
        match self.codec.open_json_with(sealed, tool.as_bytes()) {
            Ok(state) => Ok(Opened(state)),
            Err(RequestStateError::Expired) => Err(Reply::Expired),
            Err(_) => Err(Reply::Tampered),
        }
    }

    /// Spends a state: true the first time, false ever after.
    pub(super) fn spend(&self, opened: &Opened) -> bool {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&opened.0.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn seals() -> Seals {
        Seals::new(MINUTE).expect("random bytes")
    }

    #[test]
    fn a_state_opens_for_its_tool_and_counts_once() {
        let seals = seals();
        let sealed = seals.seal("dlc_create_job", "d1").unwrap();
        let opened = seals.open("dlc_create_job", &sealed).unwrap();
        assert_eq!(opened.digest(), "d1");
        assert!(seals.spend(&opened));
        let again = seals.open("dlc_create_job", &sealed).unwrap();
        assert!(!seals.spend(&again));
    }

    #[test]
    fn a_state_of_another_tool_or_server_is_tampered() {
        let seals = seals();
        let sealed = seals.seal("dlc_create_job", "d1").unwrap();
        assert_eq!(seals.open("aiworkspace_create_workspace", &sealed), Err(Reply::Tampered));
        assert_eq!(self::seals().open("dlc_create_job", &sealed), Err(Reply::Tampered));
    }

    #[test]
    fn a_changed_state_is_tampered() {
        let seals = seals();
        let sealed = seals.seal("dlc_create_job", "d1").unwrap();
        let (rest, tag) = sealed.rsplit_once('.').unwrap();
        let (version, body) = rest.split_once('.').unwrap();
        let mut payload = data_encoding::BASE64URL_NOPAD.decode(body.as_bytes()).unwrap();
        let digit = payload.iter().rposition(u8::is_ascii_digit).unwrap();
        payload[digit] ^= 1;
        let forged = format!("{version}.{}.{tag}", data_encoding::BASE64URL_NOPAD.encode(&payload));
        for bad in [forged.as_str(), "", "rs1", "rs1..", "....", rest] {
            assert_eq!(seals.open("dlc_create_job", bad), Err(Reply::Tampered), "{bad}");
        }
    }

    #[test]
    fn an_old_state_is_expired() {
        let seals = Seals::new(Duration::ZERO).expect("random bytes");
        let sealed = seals.seal("dlc_create_job", "d1").unwrap();
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(seals.open("dlc_create_job", &sealed), Err(Reply::Expired));
    }

    #[test]
    fn the_oldest_question_gives_way_and_stays_refused() {
        let seals = seals();
        let states: Vec<_> = (0..=WAITING).map(|_| seals.seal("t", "d").unwrap()).collect();
        let spend = |sealed: &String| seals.spend(&seals.open("t", sealed).unwrap());
        assert!(!spend(&states[0]));
        assert!(spend(&states[1]));
        assert!(spend(&states[WAITING]));
    }
}
