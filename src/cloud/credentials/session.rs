//! Session credentials: kept until shortly before they expire, asked for once however many wait.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use super::error::Trouble;
use super::key::AccessKey;
use super::source::Asked;

/// How long before its end a session is renewed, as the official SDKs do.
const AHEAD: SignedDuration = SignedDuration::from_secs(180);

/// A pair with an end, or, without one, a pair that holds for the moment.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) pair: AccessKey,
    pub(super) expires: Option<Timestamp>,
}

impl Session {
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|end| end.duration_since(now) > AHEAD)
    }

    fn is_valid(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|end| now < end)
    }
}

/// The session of a chain.
#[derive(Default)]
pub(super) struct Sessions {
    /// The last answer, and what was asked. Held while asking, so that everybody else waits for that answer.
    last: Mutex<Option<Last>>,
    /// How many answers there were.
    answers: AtomicU64,
}

struct Last {
    asked: Asked,
    answer: Result<Session, Trouble>,
}

impl Sessions {
    /// The pair that `asked` leads to at `now`: the one that is kept, or what `ask` answers. Whoever waited while
    /// somebody else asked takes that answer, be it a failure. If a session can't be renewed and hasn't ended, it is
    /// used to its end.
    pub(super) async fn pair(
        &self,
        asked: &Asked,
        now: Timestamp,
        ask: impl AsyncFnOnce() -> Result<Session, Trouble>,
    ) -> Result<AccessKey, Trouble> {
        let seen = self.answers.load(Ordering::Acquire);
        let mut last = self.last.lock().await;
        let answered_meanwhile = self.answers.load(Ordering::Acquire) != seen;
        let mut kept = None;
        if let Some(Last { asked: same, answer }) = &*last
            && same == asked
        {
            match answer {
                Ok(session) if session.is_fresh(now) || answered_meanwhile => {
                    return Ok(session.pair.clone());
                }
                Ok(session) => kept = Some(session.clone()).filter(|session| session.is_valid(now)),
                Err(trouble) if answered_meanwhile => return Err(trouble.clone()),
                Err(_) => {}
            }
        }
        let answer = match (ask().await, kept) {
            (Err(trouble), Some(kept)) => {
                tracing::warn!(%trouble, "session credentials can't be renewed yet; they are used to their end");
                Ok(kept)
            }
            (answer, _) => answer,
        };
        let pair = answer.as_ref().map(|session| session.pair.clone()).map_err(Clone::clone);
        *last = Some(Last { asked: asked.clone(), answer });
        self.answers.fetch_add(1, Ordering::Release);
        pair
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    use super::*;
    use crate::cloud::credentials::metadata::InstanceRole;

    fn asked() -> Asked {
        Asked::Instance(InstanceRole::any())
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn session(id: &str, expires: Option<i64>) -> Session {
        let pair = AccessKey::new(id.to_owned(), "a-secret".to_owned(), Some("a-token".to_owned())).unwrap();
        Session { pair, expires: expires.map(at) }
    }

    async fn id(sessions: &Sessions, now: i64, answer: Result<Session, Trouble>) -> Result<String, Trouble> {
        let pair = sessions.pair(&asked(), at(now), async || answer).await;
        pair.map(|pair| pair.access_key_id().to_owned())
    }

    #[tokio::test]
    async fn a_session_is_kept_until_180_seconds_before_its_end() {
        let sessions = Sessions::default();
        assert_eq!(id(&sessions, 0, Ok(session("one", Some(1_000)))).await, Ok("one".to_owned()));
        assert_eq!(id(&sessions, 819, Ok(session("two", Some(2_000)))).await, Ok("one".to_owned()));
        assert_eq!(id(&sessions, 820, Ok(session("two", Some(2_000)))).await, Ok("two".to_owned()));
    }

    #[tokio::test]
    async fn what_has_no_end_is_asked_for_each_time() {
        let sessions = Sessions::default();
        assert_eq!(id(&sessions, 0, Ok(session("one", None))).await, Ok("one".to_owned()));
        assert_eq!(id(&sessions, 0, Ok(session("two", None))).await, Ok("two".to_owned()));
    }

    #[tokio::test]
    async fn a_session_that_can_not_be_renewed_is_used_to_its_end() {
        let sessions = Sessions::default();
        id(&sessions, 0, Ok(session("one", Some(1_000)))).await.unwrap();
        assert_eq!(id(&sessions, 999, Err(Trouble::Expired)).await, Ok("one".to_owned()));
        assert_eq!(id(&sessions, 1_000, Err(Trouble::Expired)).await, Err(Trouble::Expired));
        assert_eq!(id(&sessions, 1_000, Ok(session("two", Some(2_000)))).await, Ok("two".to_owned()));
    }

    #[tokio::test]
    async fn another_source_has_another_session() {
        let sessions = Sessions::default();
        id(&sessions, 0, Ok(session("one", Some(1_000)))).await.unwrap();
        let other = Asked::Instance(InstanceRole::named("other"));
        let pair = sessions.pair(&other, at(0), async || Ok(session("two", Some(1_000)))).await.unwrap();
        assert_eq!(pair.access_key_id(), "two");
    }

    /// Many calls at once: one asks, the rest take its answer, a failure too.
    #[tokio::test(start_paused = true)]
    async fn all_who_wait_take_the_one_answer() {
        for answer in [Ok(session("one", None)), Err(Trouble::Answer("the role"))] {
            let (sessions, count) = (Sessions::default(), AtomicUsize::new(0));
            let one = || {
                let answer = answer.clone();
                let source = asked();
                let (sessions, count) = (&sessions, &count);
                async move {
                    let ask = async || {
                        count.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(Duration::from_secs(1)).await;
                        answer
                    };
                    sessions.pair(&source, at(0), ask).await.map(|pair| pair.access_key_id().to_owned())
                }
            };
            let (a, b, c) = tokio::join!(one(), one(), one());
            assert_eq!(a, answer.as_ref().map(|_| "one".to_owned()).map_err(Clone::clone));
            assert_eq!((&b, &c, count.load(Ordering::Relaxed)), (&a, &a, 1));
        }
    }

    /// A caller that goes away while it asks leaves the next one to ask.
    #[tokio::test(start_paused = true)]
    async fn whoever_gives_up_asking_holds_up_nobody() {
        let sessions = Sessions::default();
        let source = asked();
        let never = sessions.pair(&source, at(0), async || std::future::pending().await);
        assert!(tokio::time::timeout(Duration::from_secs(1), never).await.is_err());
        assert_eq!(id(&sessions, 0, Ok(session("one", None))).await, Ok("one".to_owned()));
    }
}
