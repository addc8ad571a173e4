//! Whose knowledge counts: over stdio the process, for it serves one local user.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use data_encoding::HEXLOWER;

use crate::policy::consent::Consents;
use crate::policy::facts::Facts;
use crate::policy::history::History;
use crate::policy::sweep::Seen;
use crate::spec::Vendor;

/// What one user's calls have in common.
pub struct Scope {
    id: String,
    state: Mutex<State>,
}

/// What is known, agreed to, and must not be shown, within a scope.
#[derive(Default)]
pub(super) struct State {
    accounts: BTreeMap<Vendor, String>,
    pub(super) facts: Facts,
    pub(super) consents: Consents,
    pub(super) history: History,
    pub(super) seen: Seen,
}

impl State {
    /// Forgets what another account of this vendor could see, when the credentials are another's now. What must not
    /// be shown stays known, and regions are confirmed per account anyway. Facts are Alibaba Cloud's alone.
    pub(super) fn of_account(&mut self, vendor: Vendor, account: &str) {
        if self.accounts.get(&vendor).is_none_or(|known| known != account) {
            self.accounts.insert(vendor, account.to_owned());
            match vendor {
                Vendor::Alibaba => {
                    self.facts = Facts::default();
                    self.history.forget_calls();
                }
                Vendor::PyroMind => {}
            }
        }
    }
}

impl Default for Scope {
    fn default() -> Self {
        let mut random = [0; 8];
        // An id that repeats would only make two scopes look like one in the record.
        let _ = getrandom::fill(&mut random);
        Self { id: HEXLOWER.encode(&random), state: Mutex::default() }
    }
}

impl Scope {
    /// The scope's name in the record.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The state. A panic elsewhere leaves it as it was, for every change to it is a single insertion.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
