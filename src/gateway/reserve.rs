//! Reservations: what one call is about to create, no other call creates at the same time.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The keys that are held.
#[derive(Default)]
pub(super) struct Reservations {
    held: Mutex<HashSet<String>>,
    released: Notify,
}

impl Reservations {
    /// Holds `key`, once nobody else does.
    pub(super) async fn hold(reservations: &Arc<Self>, key: String) -> Held {
        loop {
            let released = reservations.released.notified();
            tokio::pin!(released);
            // Listening before looking: a release in between wakes this one too.
            released.as_mut().enable();
            if reservations.lock().insert(key.clone()) {
                return Held { reservations: Arc::clone(reservations), key };
            }
            released.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A key that is held until this is dropped.
pub(super) struct Held {
    reservations: Arc<Reservations>,
    key: String,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.reservations.lock().remove(&self.key);
        self.reservations.released.notify_waiters();
    }
}
