//! How a step ends: masked, recorded, shown.

use std::sync::Arc;

use jiff::Timestamp;

use super::record::Record;
use super::{Gateway, Scope, Step};
use crate::audit::AuditError;
use crate::error::Fault;
use crate::policy::facts::Known;
use crate::policy::mask::{Masked, Shown};
use crate::policy::refusal::Refusal;
use crate::policy::remarks::Remarks;
use crate::policy::verdict::{Existing, Outcome};
use crate::spec::Call;

/// What the record calls a failure that shows what became of each part.
const PARTIAL: &str = "cloud-partial-failure";

/// What the end of a step needs to know of it.
pub(super) struct Ending {
    pub(super) gateway: Arc<Gateway>,
    pub(super) scope: Arc<Scope>,
    pub(super) now: Timestamp,
    pub(super) record: Record,
    pub(super) reached: Reached,
    /// What the rules advise, for whoever reads the result.
    pub(super) advice: Vec<String>,
}

/// How far the call itself has come. What is said of a failure depends on it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reached {
    /// Nothing was sent.
    Nothing,
    /// A read was sent.
    Read,
    /// What changes the world was sent, and may have been carried out.
    Write,
}

impl Reached {
    /// How far a call came that was sent.
    pub(super) const fn by(call: &Call, outcome: &Outcome) -> Self {
        match (outcome, call.spec().effect.changes()) {
            (Outcome::NotSent(_), _) => Self::Nothing,
            (Outcome::Reply(_) | Outcome::Failed(_) | Outcome::Partial(..) | Outcome::Lost(_), true) => {
                Self::Write
            }
            (Outcome::Reply(_) | Outcome::Failed(_) | Outcome::Partial(..) | Outcome::Lost(_), false) => {
                Self::Read
            }
        }
    }
}

impl Ending {
    /// The end of a step of which nothing was sent.
    pub(super) const fn new(
        gateway: Arc<Gateway>,
        scope: Arc<Scope>,
        now: Timestamp,
        record: Record,
    ) -> Self {
        Self { gateway, scope, now, record, reached: Reached::Nothing, advice: Vec::new() }
    }

    /// The step is about `call`.
    pub(super) fn is_about(&mut self, call: &Call) {
        self.record.call(&self.gateway.policy.mask_call(call, &self.scope.lock().seen));
    }

    /// Ends with the cloud's reply and what is told beside it. What it hands over is in the vault before anything of it
    /// is shown.
    pub(super) async fn done(self, call: &Call, outcome: &Outcome, remarks: Remarks) -> Step {
        let remarks = remarks.with_advice(&self.advice);
        let shown = self.gateway.policy.mask_remarked(call, outcome, &remarks, &mut self.scope.lock().seen);
        let Some(Shown { masked, deposits }) = shown else { return self.refuse(broken()).await };
        self.scope.lock().history.hand_over(&deposits);
        if let Err(error) = self.gateway.keep(self.scope.id(), deposits).await {
            tracing::error!(%error, "secrets can't be handed over");
            let refusal = unkept();
            let masked =
                self.gateway.policy.mask_unkept(call, outcome, &refusal, &mut self.scope.lock().seen);
            return self.refused(&refusal, masked).await;
        }
        let error = masked.is_error().then_some(PARTIAL);
        let record = self.record.clone().showing(&masked);
        match self.gateway.append(record.ended(error, masked.redactions().clone())).await {
            Ok(seq) => {
                let known = Known { at: self.now, learned_at: seq };
                self.gateway.policy.learn(call, outcome, &mut self.scope.lock().facts, known);
                Step::Done(masked)
            }
            Err(error) => self.unrecorded(&error),
        }
    }

    pub(super) async fn exists(self, call: &Call, existing: &Existing) -> Step {
        let masked = self.gateway.policy.mask_existing(existing, &mut self.scope.lock().seen);
        let record = self.record.clone().showing(&masked);
        let entry = record.answered_by_existing(masked.redactions().clone());
        match self.gateway.append(entry).await {
            Ok(seq) => {
                let known = Known { at: self.now, learned_at: seq };
                self.gateway.policy.learn_existing(call, existing, &mut self.scope.lock().facts, known);
                Step::Done(masked)
            }
            Err(error) => self.unrecorded(&error),
        }
    }

    /// Refuses because something of our own went wrong or said no. After a write was sent, that isn't the whole
    /// truth, and the refusal says so.
    pub(super) async fn refuse(self, refusal: Refusal) -> Step {
        let refusal = match self.reached {
            Reached::Nothing | Reached::Read => refusal,
            Reached::Write => after_write(&refusal),
        };
        self.tell(refusal).await
    }

    /// Records and shows a refusal as it is.
    pub(super) async fn tell(self, refusal: Refusal) -> Step {
        let masked = self.gateway.policy.mask_refusal(&refusal, &mut self.scope.lock().seen);
        self.refused(&refusal, masked).await
    }

    async fn refused(self, refusal: &Refusal, masked: Masked) -> Step {
        let entry = self.record.clone().showing(&masked).refused(&refusal.rule, masked.redactions().clone());
        match self.gateway.append(entry).await {
            Ok(_) => Step::Done(masked),
            Err(error) => self.unrecorded(&error),
        }
    }

    /// What is shown when the record can't be written.
    pub(super) fn unrecorded(&self, error: &AuditError) -> Step {
        let refusal = match self.reached {
            Reached::Nothing => unrecorded(error),
            Reached::Read => Refusal::new(
                "audit",
                format!("what the cloud answered can't be recorded, so it isn't shown: {error}"),
            )
            .with(Fault::new("", "the audit record can't be written", "tell the operator")),
            Reached::Write => {
                after_write(&Refusal::new("audit", format!("the outcome can't be recorded: {error}")))
            }
        };
        Step::Done(self.gateway.policy.mask_refusal(&refusal, &mut self.scope.lock().seen))
    }
}

fn after_write(refusal: &Refusal) -> Refusal {
    let text = format!("the call was sent and may have been carried out; then: {}", refusal.error);
    Refusal::new(refusal.rule.clone(), text).with(Fault::new(
        "",
        "nobody can know yet whether the cloud did it",
        "look before trying again",
    ))
}

/// What is said of secrets that couldn't be kept: the cloud did what was asked, and nobody has them.
fn unkept() -> Refusal {
    let text = "the call was carried out, but what it hands over can't be kept, so it isn't shown";
    Refusal::new("vault", text).with(Fault::new(
        "",
        "nobody has the secret that the cloud gave",
        "tell the operator to look into the log and mend the vault; then have a new secret made",
    ))
}

/// What is said of a step that broke.
pub(super) fn broken() -> Refusal {
    Refusal::new("internal", "the call ended in an internal error").with(Fault::new(
        "",
        "the server has a bug",
        "report it",
    ))
}

/// What is said of a call that wasn't made because it can't be recorded.
pub(super) fn unrecorded(error: &AuditError) -> Refusal {
    Refusal::new("audit", format!("the call can't be recorded, so nothing was sent: {error}"))
        .with(Fault::new("", "the audit record can't be written", "tell the operator"))
        .retryable()
}
