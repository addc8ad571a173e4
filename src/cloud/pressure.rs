//! Going easy on a host: how many requests it gets at once, and the pauses that it asks for.
//!
//! There is no circuit breaker. A call to a host that is down ends after the connect timeout, and a breaker would
//! refuse, for the sake of few calls, some that could succeed. What helps a host that is too busy is fewer
//! requests: those that it throttled are not the only ones that wait.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until, timeout_at};

/// The most requests that a host has to answer at once.
const AT_ONCE: usize = 32;
/// The longest that a pause is kept, whatever the host asks for.
const LONGEST: Duration = Duration::from_secs(60);

/// What each host is spared.
#[derive(Default)]
pub(super) struct Pressure(Mutex<HashMap<String, Arc<Host>>>);

struct Host {
    slots: Arc<Semaphore>,
    /// No request before this.
    paused: Mutex<Option<Instant>>,
}

/// A request may go out while this is held.
pub(super) struct Slot {
    _permit: Option<OwnedSemaphorePermit>,
}

/// Why no request goes out before its deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Busy {
    /// The host asked for a pause that ends too late.
    #[error("the cloud asked for a pause of {0} s more; nothing was sent")]
    Paused(u64),
    /// Too many other requests are under way.
    #[error("{AT_ONCE} requests to this service are under way already; nothing was sent")]
    Full,
}

impl Pressure {
    /// Waits until a request may go to `host`.
    ///
    /// # Errors
    /// [`Busy`] when that isn't before `deadline`.
    pub(super) async fn enter(&self, host: &str, deadline: Instant) -> Result<Slot, Busy> {
        let host = self.host(host);
        let slot = timeout_at(deadline, Arc::clone(&host.slots).acquire_owned());
        let slot = slot.await.map_err(|_| Busy::Full)?;
        loop {
            let (now, paused) = (Instant::now(), *locked(&host.paused));
            match paused.filter(|until| *until > now) {
                Some(until) if until >= deadline => {
                    let rest = until.duration_since(now);
                    return Err(Busy::Paused(rest.as_secs() + u64::from(rest.subsec_nanos() > 0)));
                }
                Some(until) => sleep_until(until).await,
                None => return Ok(Slot { _permit: slot.ok() }),
            }
        }
    }

    /// Sends nothing to `host` for `pause`.
    pub(super) fn pause(&self, host: &str, pause: Duration) {
        let until = Instant::now() + pause.min(LONGEST);
        let host = self.host(host);
        let mut paused = locked(&host.paused);
        *paused = Some(paused.map_or(until, |before| before.max(until)));
    }

    /// Hosts are few: a service's addresses in the regions there are.
    fn host(&self, name: &str) -> Arc<Host> {
        let mut hosts = locked(&self.0);
        let host = hosts.entry(name.to_owned()).or_insert_with(|| {
            let slots = Arc::new(Semaphore::new(AT_ONCE));
            Arc::new(Host { slots, paused: Mutex::new(None) })
        });
        Arc::clone(host)
    }
}

/// Nothing is left half done under these locks.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "host";

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_up_every_request_to_its_host_and_no_other() {
        let pressure = Pressure::default();
        pressure.pause(HOST, seconds(5));
        pressure.pause(HOST, seconds(2));
        let began = Instant::now();
        let deadline = began + seconds(60);
        pressure.enter("another", deadline).await.ok().unwrap();
        assert_eq!(began.elapsed(), Duration::ZERO);
        pressure.enter(HOST, deadline).await.ok().unwrap();
        assert_eq!(began.elapsed(), seconds(5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_beyond_the_deadline_is_told_at_once_and_none_is_kept_for_long() {
        let pressure = Pressure::default();
        pressure.pause(HOST, seconds(3_600));
        let began = Instant::now();
        assert_eq!(pressure.enter(HOST, began + seconds(60)).await.err(), Some(Busy::Paused(60)));
        assert_eq!(began.elapsed(), Duration::ZERO);
        assert!(pressure.enter(HOST, began + seconds(61)).await.is_ok());
        assert_eq!(began.elapsed(), seconds(60));
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_answers_so_many_at_once_and_the_rest_wait() {
        let pressure = Pressure::default();
        let deadline = Instant::now() + seconds(10);
        let mut slots = Vec::new();
        for _ in 0..AT_ONCE {
            slots.push(pressure.enter(HOST, deadline).await.ok().unwrap());
        }
        let (last, ()) = tokio::join!(pressure.enter(HOST, deadline), async {
            tokio::time::sleep(seconds(1)).await;
            slots.pop();
        });
        assert!(last.is_ok());
        assert_eq!(pressure.enter(HOST, deadline).await.err(), Some(Busy::Full));
    }
}
