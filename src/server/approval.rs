//! The approval page: a question put to a human in their own browser, for clients that can't ask.
//!
//! ```text
//! call ─▶ question ─▶ a page on loopback ◀─ link ─ browser ◀─ started by this server
//!   │                      │
//!   ├─ waits a while ◀─────┤ an answer
//!   └─ refused: pending    └─▶ kept for some minutes, for the same call made again
//! ```
//!
//! The link is the only way to the page. It goes from this process to the browser's command and nowhere else: not into
//! a result, a log or the record, and here only its hash stays. The short code is for people alone: the agent, its
//! conversation, the log and the page show it, so that a human who has several pages open can tell which call each is
//! about. It opens nothing and answers nothing.
//!
//! `questions` holds what is open, `page` shows it, `door` says which requests count, `listen` speaks HTTP, `neighbour`
//! turns other users of the machine away, `browser` starts the command. A question is bound to its call by its digest,
//! as in every other channel: an answer to it counts for the call that was shown, once, and the policy weighs it as it
//! weighs any.

mod browser;
mod door;
mod listen;
mod neighbour;
mod page;
mod questions;
#[cfg(test)]
mod tests;

use std::process::ExitStatus;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::ProgressNotificationParam;
use rmcp::service::RequestContext;
use tokio::process::Child;
use tokio::sync::{Notify, OnceCell};
use tokio::time::{Instant, sleep_until};

use super::Handler;
use crate::policy::consent::{Question, Reply};
pub use browser::Browser;
use listen::Listening;
use questions::{Lifetimes, Place, Put, Questions};

/// How long a page takes an answer, and how long the answer waits for its call.
const LIFETIMES: Lifetimes = Lifetimes { open: Duration::from_secs(600), kept: Duration::from_secs(300) };

/// What an operator may set about the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What opens it.
    pub browser: Browser,
    /// How long one call waits for its answers.
    pub wait: Duration,
}

/// What the page and the calls share.
struct Shared {
    lifetimes: Lifetimes,
    questions: Mutex<Questions>,
    answered: Notify,
}

impl Shared {
    fn new(lifetimes: Lifetimes) -> Self {
        Self { lifetimes, questions: Mutex::new(Questions::new(lifetimes)), answered: Notify::new() }
    }

    /// The questions. A panic elsewhere leaves each of them whole.
    fn lock(&self) -> MutexGuard<'_, Questions> {
        self.questions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The approval page of one server, which listens once there is something to ask.
pub(super) struct Approvals {
    settings: Settings,
    shared: Arc<Shared>,
    listening: OnceCell<Listening>,
}

/// A call that waits for the answer to one question. Dropped, it withdraws the question, unless others wait for it.
struct Waiter<'a> {
    shared: &'a Shared,
    place: Place,
    leaves: bool,
}

impl<'a> Waiter<'a> {
    const fn new(shared: &'a Shared, place: Place) -> Self {
        Self { shared, place, leaves: false }
    }

    /// The answer, once it is there; `None` when another call took it.
    async fn answer(&self) -> Option<Reply> {
        loop {
            let answered = self.shared.answered.notified();
            tokio::pin!(answered);
            // Listening before looking: an answer in between wakes this one too.
            answered.as_mut().enable();
            {
                let questions = &mut *self.shared.lock();
                if let Some(reply) = questions.take(self.place.number, Instant::now()) {
                    // Whoever else waits for it finds it gone.
                    self.shared.answered.notify_waiters();
                    return Some(reply);
                }
                questions.shown(self.place.number)?;
            }
            answered.await;
        }
    }

    /// Stops waiting and leaves the question open, for the same call made again.
    fn leave(mut self) -> Reply {
        self.leaves = true;
        match self.shared.lock().shown(self.place.number) {
            Some(_) => Reply::Pending { code: self.place.code.clone() },
            None => Reply::TimedOut,
        }
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let questions = &mut *self.shared.lock();
        if self.leaves {
            questions.leave(self.place.number);
        } else {
            questions.withdraw(self.place.number);
        }
    }
}

impl Approvals {
    /// A page that nothing listens for yet.
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, shared: Arc::new(Shared::new(LIFETIMES)), listening: OnceCell::new() }
    }

    /// When a call that begins now stops waiting for its answers.
    pub(super) fn patience(&self) -> Instant {
        Instant::now() + self.settings.wait
    }

    /// Puts a question, and has the browser show it if it has to. The error is the reply that it amounts to.
    async fn put(&self, question: &Question) -> Result<(Waiter<'_>, Option<Child>), Reply> {
        let listening = self.listening.get_or_try_init(|| Listening::start(Arc::clone(&self.shared))).await;
        let listening = listening.map_err(|error| {
            tracing::error!(%error, "the approval page can't listen on this machine");
            Reply::NoChannel
        })?;
        let put = self.shared.lock().put(question, Instant::now()).map_err(|error| {
            tracing::error!(%error, "no random bytes for the approval page");
            Reply::NoChannel
        })?;
        match put {
            Put::Answered(reply) => Err(reply),
            Put::Crowded => Err(Reply::Crowded),
            Put::Open(place) => Ok((Waiter::new(&self.shared, place), None)),
            Put::New(place, link) => {
                let waiter = Waiter::new(&self.shared, place);
                match self.settings.browser.open(listening.origin(), &link) {
                    Ok(browser) => Ok((waiter, Some(browser))),
                    Err(error) => {
                        tracing::error!(kind = %error.kind(), "the browser's command can't be started");
                        Err(Reply::NoChannel)
                    }
                }
            }
        }
    }
}

/// What came of asking in the browser.
pub(super) enum Asked {
    /// A reply.
    Reply(Reply),
    /// An answer that another, equal call took. It counts once, so this call is to be judged anew.
    Taken,
    /// Nothing: the client has cancelled the call.
    Cancelled,
}

impl Handler {
    /// Asks in the human's browser until `patience` ends; the question stays open then. When the call is cancelled, it
    /// is withdrawn.
    pub(super) async fn ask_in_browser(
        &self,
        approvals: &Approvals,
        question: &Question,
        patience: Instant,
        cx: &RequestContext<RoleServer>,
    ) -> Asked {
        let mut hung_up = self.hung_up.clone();
        let (waiter, mut browser) = match approvals.put(question).await {
            Ok(put) => put,
            Err(reply) => return Asked::Reply(reply),
        };
        tell(&waiter.place.code, cx).await;
        loop {
            tokio::select! {
                answer = waiter.answer() => return answer.map_or(Asked::Taken, Asked::Reply),
                ended = ended(&mut browser) => {
                    browser = None;
                    let shown = approvals.shared.lock().shown(waiter.place.number);
                    if !ended.is_some_and(|status| status.success()) && shown == Some(false) {
                        tracing::error!("the browser's command failed");
                        return Asked::Reply(Reply::NoChannel);
                    }
                }
                _ = hung_up.wait_for(|hung_up| *hung_up) => return Asked::Reply(Reply::Cancelled),
                () = sleep_until(patience) => return Asked::Reply(waiter.leave()),
                () = cx.ct.cancelled() => return Asked::Cancelled,
            }
        }
    }
}

/// Tells the log and, if it wants to know, the client under which code a human is asked.
async fn tell(code: &str, cx: &RequestContext<RoleServer>) {
    let text = format!("a page with the code {code} waits in the user's browser for an answer");
    tracing::warn!("{text}");
    if let Some(token) = cx.meta.get_progress_token() {
        // A client that can't be told is about to be gone.
        let _ = cx.peer.notify_progress(ProgressNotificationParam::new(token, 0.0).with_message(text)).await;
    }
}

/// How the browser's command ended, once it did. Many go on as long as the browser does.
async fn ended(browser: &mut Option<Child>) -> Option<ExitStatus> {
    match browser {
        Some(browser) => browser.wait().await.ok(),
        None => std::future::pending().await,
    }
}
