//! One call, one direction: parse, judge, record, send, review, learn, mask.
//!
//! [`Gateway::step`] never waits for a human. Unless a [`Script`] plays them, it ends with what may be shown, or with a question; whoever
//! serves the client brings the answer with the next step, and every step judges anew.
//!
//! ```text
//! Request ─▶ parse ─▶ hear ─▶ judge ─▶ (reads ─▶ judge)* ─▶ record ─▶ send ─▶ review ─▶ learn ─▶ mask ─▶ Step
//! ```
//!
//! A call that changes the world holds its reservation from before the first read until after the review, so
//! that of two identical creates the second finds what the first made. From the moment it is cleared it runs
//! in its own task: whoever asked may go away, the record and the review don't.

mod clock;
mod course;
mod ending;
mod human;
mod record;
mod reserve;
mod scope;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde_json::{Map, Value};
use tokio_util::task::TaskTracker;

use crate::audit::{Audit, AuditError, Entry, Key};
use crate::cloud::Client;
use crate::error::Fault;
use crate::policy::Policy;
use crate::policy::consent::{Answer, Question};
use crate::policy::hand_over::Deposit;
use crate::policy::mask::Masked;
use crate::policy::refusal::Refusal;
use crate::tools;
use crate::tools::selection::Selection;
use crate::vault::{Vault, VaultError};
pub use clock::Clock;
use course::{Caller, Course};
use ending::Ending;
use human::Asked;
pub use human::{Script, ScriptError};
use record::Record;
use reserve::Reservations;
pub use scope::Scope;

/// Who calls, for the record.
#[derive(Debug, Clone, Default)]
pub struct Peer {
    /// The client program's name.
    pub client: String,
    /// Its version.
    pub client_version: String,
    /// The protocol version in use.
    pub protocol: String,
    /// The id of the JSON-RPC request.
    pub request_id: String,
    /// The W3C trace context, if the client sent one.
    pub traceparent: Option<String>,
}

/// One step of a call.
#[derive(Clone)]
pub struct Request {
    /// The tool's name, as the client gave it.
    pub tool: String,
    /// The arguments, as the client gave them.
    pub arguments: Map<String, Value>,
    /// Whose knowledge and consents count.
    pub scope: Arc<Scope>,
    /// The answer to the question of an earlier step.
    pub answer: Option<Answer>,
    /// Who calls.
    pub peer: Peer,
}

/// How a step ends.
#[derive(Debug)]
pub enum Step {
    /// With what may be shown.
    Done(Masked),
    /// With a question to a human; the answer comes with the next step.
    Ask(Question),
}

impl Step {
    const fn name(&self) -> &'static str {
        match self {
            Self::Done(masked) if masked.is_error() => "refused",
            Self::Done(_) => "done",
            Self::Ask(_) => "asked",
        }
    }
}

/// Why there was no step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// No tool that is offered has this name.
    #[error("Unknown tool: {0}")]
    UnknownTool(String),
}

/// What a [`Gateway`] is made of.
pub struct Parts {
    /// The tools that can be called.
    pub selection: Selection,
    /// The rules.
    pub policy: Policy,
    /// The way to the cloud.
    pub client: Client,
    /// The record.
    pub audit: Audit,
    /// What identifying values are hashed with.
    pub key: Arc<Key>,
    /// Where secrets wait for the person they are meant for.
    pub vault: Vault,
    /// The time.
    pub clock: Clock,
}

/// The one way from a tool call to a cloud and back.
pub struct Gateway {
    selection: Selection,
    policy: Policy,
    client: Client,
    audit: Arc<Audit>,
    key: Arc<Key>,
    vault: Vault,
    clock: Clock,
    reservations: Arc<Reservations>,
    tasks: TaskTracker,
    human: Option<Script>,
}

/// The most questions that a scripted human is asked about one call.
const QUESTIONS: usize = 6;

impl Gateway {
    /// A gateway of these parts.
    pub fn new(parts: Parts) -> Self {
        let Parts { selection, policy, client, audit, key, vault, clock } = parts;
        let audit = Arc::new(audit);
        let (reservations, tasks) = (Arc::default(), TaskTracker::new());
        Self { selection, policy, client, audit, key, vault, clock, reservations, tasks, human: None }
    }

    /// The same, with a script in the place of every human: no step ends with a question.
    #[must_use]
    pub fn with_human(self, script: Script) -> Self {
        Self { human: Some(script), ..self }
    }

    /// The tools that can be called.
    pub const fn selection(&self) -> &Selection {
        &self.selection
    }

    /// The rules, to be shown.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// A scope that knows nothing yet.
    pub fn new_scope(&self) -> Arc<Scope> {
        Arc::default()
    }

    /// Whether the cloud is the simulator.
    pub const fn is_simulated(&self) -> bool {
        self.clock.is_logical()
    }

    /// Takes no new call, and waits until every call that was sent has ended, with its review and its record.
    pub async fn settled(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Makes one step. Dropping the future is safe: what changes the world runs to its end; a read is given up, its
    /// request with it; both have their record.
    ///
    /// # Errors
    /// When no tool that is offered has the name.
    pub async fn step(self: &Arc<Self>, mut request: Request) -> Result<Step, StepError> {
        let Some(script) = &self.human else { return self.one_step(request).await };
        for _ in 0..QUESTIONS {
            let mut next = Request { answer: None, ..request.clone() };
            let question = match self.one_step(request).await? {
                Step::Done(masked) => return Ok(Step::Done(masked)),
                Step::Ask(question) => question,
            };
            let asked = Asked { tool: &next.tool, arguments: &next.arguments, question: &question };
            next.answer = Some(script.answer(&asked));
            request = next;
        }
        let refusal =
            Refusal::new("confirmation", "too many questions were asked about one call").retryable();
        Ok(Step::Done(self.policy.mask_refusal(&refusal, &mut request.scope.lock().seen)))
    }

    async fn one_step(self: &Arc<Self>, request: Request) -> Result<Step, StepError> {
        let Request { tool: name, arguments, scope, answer, peer } = request;
        let tool = tools::find(&name).filter(|tool| self.selection.offers(tool));
        let tool = tool.ok_or(StepError::UnknownTool(name))?;
        let vendor = tool.spec().cloud.vendor();
        let parsed = match tool.parse(&arguments) {
            Ok(call) => {
                let credentials = self.client.credentials(vendor, Clock::wall()).await;
                let caller = credentials.map(|own| Caller {
                    account: self.key.hmac("account", own.identity().as_bytes()),
                    credentials: Arc::new(own),
                });
                Ok((call, caller))
            }
            Err(faults) => Err(faults),
        };
        // What could make a call wait comes before the instant is taken: a signature must not be old.
        let mut held = Vec::new();
        if let Ok((call, Ok(caller))) = &parsed {
            for name in self.policy.reservations(call, &caller.account) {
                held.push(Reservations::hold(&self.reservations, name).await);
            }
        }
        let now = self.clock.now();
        let record = Record::new(self, scope.id(), tool, &arguments, &peer, self.clock.logical(now));
        let mut ending = Ending::new(Arc::clone(self), scope, now, record);
        let (call, caller) = match parsed {
            Ok(parsed) => parsed,
            Err(faults) => return Ok(ending.refuse(Policy::refuse_arguments(faults)).await),
        };
        ending.is_about(&call);
        let caller = match caller {
            Ok(caller) => caller,
            Err(error) => return Ok(ending.refuse(no_credentials(&error)).await),
        };
        let step = Course::new(ending, caller, vendor, held).run(call, answer).await;
        tracing::debug!(tool = tool.name(), end = step.name(), "a step ended");
        Ok(step)
    }

    /// Puts what a reply hands over into the vault.
    async fn keep(&self, scope: &str, deposits: Vec<Deposit>) -> Result<(), VaultError> {
        if deposits.is_empty() {
            return Ok(());
        }
        let (scope, now) = (scope.to_owned(), Clock::wall());
        self.with_vault(move |vault| vault.deposit(&scope, &deposits, now)).await
    }

    /// Makes sure that the vault could keep something.
    async fn make_ready(&self) -> Result<(), VaultError> {
        self.with_vault(Vault::make_ready).await
    }

    async fn with_vault(
        &self,
        work: impl FnOnce(&Vault) -> Result<(), VaultError> + Send + 'static,
    ) -> Result<(), VaultError> {
        let vault = self.vault.clone();
        let done = tokio::task::spawn_blocking(move || work(&vault)).await;
        done.unwrap_or(Err(VaultError::Interrupted))
    }

    /// Writes one line: at once where nothing makes it wait, else off the runtime's threads. The way to such a
    /// thread and back takes longer than the line.
    async fn append(&self, mut entry: Entry) -> Result<u64, AuditError> {
        entry.ts = Clock::wall();
        if let Some(seq) = self.audit.append_at_once(&entry)? {
            return Ok(seq);
        }
        let audit = Arc::clone(&self.audit);
        let written = match tokio::task::spawn_blocking(move || audit.append(&entry)).await {
            Ok(result) => result,
            Err(_) => Err(AuditError::Interrupted),
        };
        written.inspect_err(|error| tracing::error!(%error, "the audit record can't be written"))
    }
}

fn no_credentials(error: &crate::cloud::credentials::CredentialsError) -> Refusal {
    Refusal::new("credentials", error.to_string()).with(Fault::new(
        "",
        "the server has no credentials for this cloud",
        "tell the user; never ask for the keys themselves",
    ))
}
