//! The course of one step, from a parsed call to what may be shown.

use std::sync::Arc;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::ending::{Ending, Reached, broken, unrecorded};
use super::record::Record;
use super::reserve::Held;
use super::{Clock, Gateway, Scope, Step};
use crate::cloud::credentials::Credentials;
use crate::cloud::{Errand, RequestError, Sent};
use crate::error::Fault;
use crate::policy::Knowledge;
use crate::policy::consent::{Answer, Approval, Heard, Question};
use crate::policy::evidence::Evidence;
use crate::policy::facts::Known;
use crate::policy::grant::Standing;
use crate::policy::refusal::Refusal;
use crate::policy::remarks::Remarks;
use crate::policy::verdict::{Cleared, Judgement, Outcome, Review, Verdict};
use crate::spec::{Call, Vendor};

/// The most rounds of reading and judging in a step.
const ROUNDS: usize = 6;
/// The most reads of the policy's own in a step.
const READS: usize = 20;

/// What the record calls a read that nobody waited for.
const CANCELLED: &str = "cancelled";

/// Whose call it is.
pub(super) struct Caller {
    /// The account's keyed hash.
    pub(super) account: String,
    /// What the call and the policy's reads are made with.
    pub(super) credentials: Arc<Credentials>,
}

/// One step under way.
pub(super) struct Course {
    ending: Ending,
    caller: Caller,
    /// Gives up the reads of a step that nobody waits for any more.
    cancel: CancellationToken,
    /// What the call's yes has to do with a grant, once it is cleared.
    grant: Option<Standing>,
    /// Held until the step ends; nobody asks for it.
    _held: Vec<Held>,
}

impl Course {
    /// A step for `caller`. From here on, nothing of their credentials can be shown.
    pub(super) fn new(ending: Ending, caller: Caller, vendor: Vendor, held: Vec<Held>) -> Self {
        {
            let state = &mut *ending.scope.lock();
            ending.gateway.policy.pin(&caller.credentials.sealed(), &mut state.seen);
            state.of_account(vendor, &caller.account);
        }
        Self { ending, caller, cancel: CancellationToken::new(), grant: None, _held: held }
    }

    /// Weighs the answer, if one came; then judges, reads what the judgement needs, and judges again, until it
    /// says something final.
    pub(super) async fn run(mut self, call: Call, answer: Option<Answer>) -> Step {
        // Whoever waits for the step drops this with it.
        let _left = self.cancel.clone().drop_guard();
        let mut approval = None;
        if let Some(answer) = answer {
            match self.hear(&call, &answer) {
                Ok(Heard::Region | Heard::Settled) => {}
                Ok(Heard::Arguments(yes)) => approval = Some(yes),
                Err(refusal) => return self.ending.refuse(refusal).await,
            }
        }
        let mut evidence = Evidence::default();
        for _ in 0..ROUNDS {
            let judgement = self.judge(&call, &evidence, approval.as_ref());
            self.ending.record.judged(&self.ending.gateway.key, &call, &judgement);
            match judgement.verdict {
                Verdict::Refused(refusal) => return self.ending.refuse(refusal).await,
                Verdict::Confirm(question) => {
                    self.asked(&call, &question);
                    return match self.ending.gateway.append(self.ending.record.clone().asked()).await {
                        Ok(_) => Step::Ask(question),
                        Err(error) => self.ending.unrecorded(&error),
                    };
                }
                Verdict::Need(reads) => {
                    if let Err(refusal) = self.look(reads, &mut evidence).await {
                        return self.ending.refuse(refusal).await;
                    }
                }
                Verdict::Exists(existing) => return self.ending.exists(&call, &existing).await,
                Verdict::Cleared(cleared) => {
                    if !cleared.call().is_same(&call) {
                        self.ending.is_about(cleared.call());
                    }
                    return self.go(cleared).await;
                }
            }
        }
        self.ending.refuse(endless()).await
    }

    fn hear(&mut self, call: &Call, answer: &Answer) -> Result<Heard, Refusal> {
        let heard = {
            let state = &mut *self.ending.scope.lock();
            self.ending.gateway.policy.hear(
                call,
                answer,
                &self.caller.account,
                &state.history,
                &mut state.consents,
                self.ending.now,
            )
        };
        self.ending.record.answered(answer, heard.as_ref().err());
        heard
    }

    fn asked(&self, call: &Call, question: &Question) {
        let state = &mut *self.ending.scope.lock();
        self.ending.gateway.policy.asked(
            call,
            question,
            &self.caller.account,
            &state.history,
            &mut state.consents,
            self.ending.now,
        );
    }

    /// What is said of `call`. Once it is cleared, its grant is settled before anybody else is judged.
    fn judge(&mut self, call: &Call, evidence: &Evidence, approval: Option<&Approval>) -> Judgement {
        let state = &mut *self.ending.scope.lock();
        let knowledge = Knowledge {
            facts: &state.facts,
            evidence,
            consents: &state.consents,
            history: &state.history,
            approval,
            account: &self.caller.account,
        };
        let policy = &self.ending.gateway.policy;
        let judgement = policy.judge(call, &knowledge, self.ending.now);
        // Under the same lock: of calls that are judged at once, each counts the others.
        policy.count(&judgement, &mut state.history, self.ending.now);
        if let Verdict::Cleared(cleared) = &judgement.verdict
            && let Some(grant) = state.consents.settle_grant(cleared, self.ending.now)
        {
            self.grant = Some(grant);
        }
        judgement
    }

    /// Nothing was sent: what the call took from a grant is given back, and a grant that it gave is none.
    fn undo(&mut self) {
        if let Some(grant) = self.grant.take() {
            self.ending.scope.lock().consents.undo(&grant);
        }
    }

    /// Makes the policy's own reads. Each is judged, sent and recorded like any call.
    async fn look(&mut self, reads: Vec<Call>, evidence: &mut Evidence) -> Result<(), Refusal> {
        for call in reads {
            if evidence.len() >= READS {
                return Err(endless());
            }
            let shown = self.ending.gateway.policy.mask_call(&call, &self.ending.scope.lock().seen);
            let mut record = self.ending.record.of_read(&self.ending.gateway.key, &call, &shown);
            let judgement = self.judge(&call, evidence, None);
            record.judged(&self.ending.gateway.key, &call, &judgement);
            let cleared = match judgement.verdict {
                Verdict::Cleared(cleared) => cleared,
                Verdict::Refused(refusal) => return Err(refusal),
                Verdict::Confirm(_) | Verdict::Need(_) | Verdict::Exists(_) => return Err(endless()),
            };
            let reader = Reader {
                gateway: Arc::clone(&self.ending.gateway),
                scope: Arc::clone(&self.ending.scope),
                now: self.ending.now,
                record,
                credentials: Arc::clone(&self.caller.credentials),
                cancel: self.cancel.clone(),
            };
            let task = self.ending.gateway.tasks.spawn(reader.read(cleared));
            let (outcome, known) = task.await.map_err(|_| broken())??;
            self.ending.gateway.policy.witness(call, outcome, evidence, known);
        }
        Ok(())
    }

    /// Sends what is cleared, in its own task: whoever asked may go away, the review and the record don't.
    async fn go(mut self, cleared: Cleared) -> Step {
        if self.ending.gateway.tasks.is_closed() {
            self.undo();
            let refusal = Refusal::new("server", "the server is stopping; nothing was sent").retryable();
            return self.ending.refuse(refusal).await;
        }
        let Ending { gateway, scope, now, record, .. } = &self.ending;
        let gateway = Arc::clone(gateway);
        let mut broken_off = Ending::new(Arc::clone(&gateway), Arc::clone(scope), *now, record.clone());
        let changes = cleared.call().spec().effect.changes();
        if changes {
            self.cancel = CancellationToken::new();
        }
        broken_off.reached = if changes { Reached::Write } else { Reached::Read };
        match gateway.tasks.spawn(self.carry_out(cleared)).await {
            Ok(step) => step,
            Err(_) => broken_off.refuse(broken()).await,
        }
    }

    async fn carry_out(mut self, cleared: Cleared) -> Step {
        let call = cleared.call().clone();
        self.ending.record.consented(cleared.consent(), self.grant.as_ref());
        self.ending.advice = cleared.advice().to_vec();
        if call.spec().effect.changes()
            && call.tool().reply().hands_over()
            && let Err(error) = self.ending.gateway.make_ready().await
        {
            tracing::error!(%error, "secrets can't be handed over");
            self.undo();
            return self.ending.refuse(unready()).await;
        }
        if call.spec().effect.changes()
            && let Err(error) = self.ending.gateway.append(self.ending.record.decided()).await
        {
            self.undo();
            return self.ending.unrecorded(&error);
        }
        let Ending { gateway, scope, now, .. } = &self.ending;
        match gateway.client.send(cleared, errand(&self.caller.credentials, scope, *now, &self.cancel)).await
        {
            Ok(Sent { calls, is_cancelled: true, .. }) => {
                self.ending.record.sent(calls);
                self.ending.refuse(cancelled()).await
            }
            Ok(Sent { outcome, calls, is_cancelled: false }) => {
                self.ending.reached = Reached::by(&call, &outcome);
                // A grant that came with a call which the cloud refused was for calls like one that can't be.
                let fails = self.grant.as_ref().is_some_and(|grant| grant.given)
                    && matches!(outcome, Outcome::Failed(_));
                if fails || self.ending.reached == Reached::Nothing {
                    self.undo();
                }
                self.ending.record.sent(calls);
                {
                    let state = &mut *self.ending.scope.lock();
                    self.ending.gateway.policy.note(&call, &outcome, &mut state.seen);
                    self.ending.gateway.policy.remember(&call, &outcome, &mut state.history, self.ending.now);
                }
                self.settle(&call, outcome).await
            }
            Err(error) => {
                self.undo();
                self.ending.refuse(unsent(&error)).await
            }
        }
    }

    /// Finds out what the outcome means, learns from it and shows it.
    async fn settle(mut self, call: &Call, outcome: Outcome) -> Step {
        let mut evidence = Evidence::default();
        for _ in 0..ROUNDS {
            match self.ending.gateway.policy.review(call, &outcome, &evidence, self.ending.now) {
                Review::Done => return self.ending.done(call, &outcome, Remarks::default()).await,
                Review::Told(remarks) => return self.ending.done(call, &outcome, remarks).await,
                Review::Need(reads) => {
                    if let Err(refusal) = self.look(reads.clone(), &mut evidence).await {
                        match outcome {
                            // What was done was done, whatever keeps us from looking at it.
                            Outcome::Reply(_) => evidence.missed(reads, &refusal.error),
                            Outcome::Failed(_)
                            | Outcome::Partial(..)
                            | Outcome::NotSent(_)
                            | Outcome::Lost(_) => return self.ending.refuse(refusal).await,
                        }
                    }
                }
                Review::Exists(existing) => return self.ending.exists(call, &existing).await,
                Review::Refused(refusal) => return self.ending.tell(refusal).await,
            }
        }
        self.ending.refuse(endless()).await
    }
}

/// One read of the policy's own, in a task of its own.
struct Reader {
    gateway: Arc<Gateway>,
    scope: Arc<Scope>,
    now: Timestamp,
    record: Record,
    credentials: Arc<Credentials>,
    cancel: CancellationToken,
}

impl Reader {
    async fn read(mut self, cleared: Cleared) -> Result<(Outcome, Known), Refusal> {
        let call = cleared.call().clone();
        let errand = errand(&self.credentials, &self.scope, self.now, &self.cancel);
        let sent = self.gateway.client.send(cleared, errand).await;
        let Sent { outcome, calls, is_cancelled } = sent.map_err(|error| unsent(&error))?;
        self.record.sent(calls);
        let error = match &outcome {
            Outcome::Reply(_) => None,
            _ if is_cancelled => Some(CANCELLED),
            Outcome::Failed(_) | Outcome::Partial(..) | Outcome::NotSent(_) | Outcome::Lost(_) => {
                Some("cloud")
            }
        };
        let entry = self.record.ended(error, Default::default());
        let seq = self.gateway.append(entry).await.map_err(|error| unrecorded(&error))?;
        let known = Known { at: self.now, learned_at: seq };
        let state = &mut *self.scope.lock();
        self.gateway.policy.note(&call, &outcome, &mut state.seen);
        self.gateway.policy.learn(&call, &outcome, &mut state.facts, known);
        Ok((outcome, known))
    }
}

/// What is said of a call whose secrets could be handed to nobody.
fn unready() -> Refusal {
    Refusal::new("vault", "what this call hands over couldn't be kept, so nothing was sent").with(Fault::new(
        "",
        "the vault can't be used",
        "tell the operator, whose log says why; then call again",
    ))
}

fn unsent(error: &RequestError) -> Refusal {
    let refusal = Refusal::new("request", format!("{error}; nothing was sent"));
    match error {
        RequestError::Redeem(error) => refusal.with(error.fault()),
        RequestError::Encode(_)
        | RequestError::Endpoint(_)
        | RequestError::Sign(_)
        | RequestError::Bearer(_)
        | RequestError::Http(_)
        | RequestError::Random(_) => refusal,
    }
}

fn errand<'e>(
    credentials: &'e Credentials,
    scope: &'e Scope,
    at: Timestamp,
    cancel: &'e CancellationToken,
) -> Errand<'e> {
    Errand { credentials, scope: scope.id(), at, wall: Clock::wall(), cancel }
}

/// What the record says of a read that was given up. Nobody is there to be told.
fn cancelled() -> Refusal {
    Refusal::new(CANCELLED, "nobody waited for the answer any more, so the request was given up")
}

fn endless() -> Refusal {
    Refusal::new("internal", "the policy couldn't come to an end about this call")
        .with(Fault::new(
            "",
            "too many reads were needed",
            "make the call more specific, or call again later",
        ))
        .retryable()
}
