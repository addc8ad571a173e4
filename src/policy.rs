//! The policy: what may be sent, what may be shown, and what an outcome means.
//!
//! Its front door is [`Policy`]. [`Policy::judge`] and [`Policy::review`] are pure: no I/O, no clock but the
//! instant they are given. What they need to know is [`Knowledge`]; what they want to read they ask for.
//!
//! | room | what is in it |
//! |---|---|
//! | [`verdict`] | the doors ([`verdict::Raw`], [`verdict::Cleared`]) and what the policy says |
//! | [`refusal`] | why a call isn't made |
//! | [`load`] | the rules, from `policies/*.toml` |
//! | `rules` | judging a call by them |
//! | [`evidence`] | what was read for one step |
//! | `unique` | names that a cloud takes once |
//! | [`review`] | what an outcome means |
//! | [`consent`], `question`, `digest` | a human's yes |
//! | [`history`] | what was made before |
//! | [`facts`] | what is known to exist |
//! | [`mask`], [`sweep`], `plain` | what may be shown ([`mask::Masked`]) |
//! | [`hand_over`] | what stands for a secret, and how the secret reaches the vault |
//! | `failure` | a cloud's error in words |

pub mod consent;
mod digest;
pub mod evidence;
pub mod facts;
mod failure;
pub mod hand_over;
pub mod history;
pub mod load;
pub mod mask;
mod plain;
mod question;
pub mod refusal;
pub mod review;
mod rules;
pub mod sweep;
mod unique;
pub mod verdict;

use jiff::Timestamp;
use serde_json::Value;

use crate::error::{Fault, Faults};
use crate::spec::marks::Home;
use crate::spec::{Call, Operation, Origin, Tool};
use crate::tools::aiworkspace::workspaces::ListProducts;
use consent::{Answer, Approval, Consents, Filled, Form, Heard, Operator, Question, Reply};
use evidence::Evidence;
use facts::{Facts, Known};
use history::History;
use load::{LoadError, Rule, Rules, Subject};
use mask::{Disclosure, HandOver, Masked, MaskedCall, Shown};
use refusal::Refusal;
use sweep::Seen;
pub use unique::{reservation, unique_name};
use verdict::{Existing, Judgement, Outcome, Raw, Rehearsal, Review};

/// What happens when a value that must come from a list was never listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnMiss {
    /// The call is refused; the refusal names the tool that lists.
    Refuse,
    /// The policy asks the cloud's own list for exactly that value.
    Verify,
}

/// What a launch decides.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What happens to values that were never listed.
    pub on_miss: OnMiss,
    /// What the operator agreed to beforehand.
    pub operator: Operator,
    /// Whether the cloud is the simulator.
    pub simulated: bool,
    /// What digests of questions, and handles, are keyed with.
    pub digest_key: Vec<u8>,
    /// The command with which a person has a secret printed that was handed over, HANDLE standing for its handle.
    pub secret_command: String,
}

/// What the policy knows when it judges.
pub struct Knowledge<'k> {
    /// What this scope has learned.
    pub facts: &'k Facts,
    /// The reads of this step.
    pub evidence: &'k Evidence,
    /// The regions confirmed in this scope.
    pub consents: &'k Consents,
    /// What was made before in this scope.
    pub history: &'k History,
    /// The yes that this step brought, if one.
    pub approval: Option<&'k Approval>,
    /// The account, by its keyed hash; empty where it isn't looked up.
    pub account: &'k str,
}

/// The rules of one launch.
pub struct Policy {
    rules: Rules,
    sha256: String,
    settings: Settings,
}

impl Policy {
    /// The compiled-in policy.
    ///
    /// # Errors
    /// When a policy file doesn't make sense.
    pub fn compiled(settings: Settings) -> Result<Self, LoadError> {
        let (rules, sha256) = load::compiled()?;
        Ok(Self { rules, sha256, settings })
    }

    /// The fingerprint of the policy files.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// What the rule called `id` says of itself.
    pub fn about(&self, id: &str) -> Option<&dyn Rule> {
        self.rules.all().find(|rule| rule.id() == id)
    }

    /// What is said of `call`.
    pub fn judge(&self, call: &Call, knowledge: &Knowledge<'_>, now: Timestamp) -> Judgement {
        rules::judge(self, call, knowledge, now)
    }

    /// What would be said of `call` by a policy that has learned nothing yet, for previews. No account is
    /// looked up, and nothing comes of it that could be sent.
    pub fn rehearse(&self, call: &Call, now: Timestamp) -> Rehearsal {
        let knowledge = Knowledge {
            facts: &Facts::default(),
            evidence: &Evidence::default(),
            consents: &Consents::default(),
            history: &History::default(),
            approval: None,
            account: "",
        };
        self.judge(call, &knowledge, now).into()
    }

    /// Weighs an answer to a question about `call`: the question is made anew, so an answer to anything else
    /// doesn't count. A confirmed region is remembered in `consents`.
    ///
    /// # Errors
    /// A refusal that says why the answer doesn't count.
    pub fn hear(
        &self,
        call: &Call,
        answer: &Answer,
        account: &str,
        history: &History,
        consents: &mut Consents,
        now: Timestamp,
    ) -> Result<Heard, Refusal> {
        for rule in rules::of(&self.rules.confirm, Subject::Region) {
            let Some(region) = call.region() else { continue };
            let question = question::region(rule, call, region, &rules::setting(self, account));
            if question.digest() == answer.digest {
                return hear_region(&question, answer, region, account, consents, now);
            }
        }
        let before = rules::made_before(self, call, history, now);
        for rule in rules::of(&self.rules.confirm, Subject::Arguments) {
            let question = rules::arguments_question(self, rule, call, history, before, account);
            // What a template brings is read anew before the call is judged, and only then is the question the one
            // that was answered, or another one: judging weighs the digest.
            if rules::makes_job(call) || question.digest() == answer.digest {
                return hear_arguments(&question, answer, call);
            }
        }
        match consent::refusal("confirmation", &answer.reply, "call again to be asked anew") {
            Some(refusal) => Err(refusal),
            None => {
                let text = "the answer is to another question: the arguments, the account, the policy or what was made before changed after it was asked";
                Err(Refusal::new("confirmation", text).with(Fault::new(
                    "",
                    "nothing was sent",
                    "call again without requestState, with the arguments that are meant, to be asked anew",
                )))
            }
        }
    }

    /// Remembers that `call` was made, or may have been, so that the same call again is asked about.
    pub fn remember(&self, call: &Call, outcome: &Outcome, history: &mut History, now: Timestamp) {
        if let Some(fingerprint) = history::fingerprint(&self.settings.digest_key, call)
            && history::may_be_made(outcome)
        {
            history.add(fingerprint, now);
        }
    }

    /// What `outcome` means for `call`, given the reads made since.
    pub fn review(&self, call: &Call, outcome: &Outcome, evidence: &Evidence) -> Review {
        review::review(rules::name_rule(self, call), call, outcome, evidence)
    }

    /// Learns from a permitted, successful reply: that PAI is activated, and what exists. What only the policy
    /// read is evidence of its step ([`Self::witness`]), not knowledge of the agent's.
    pub fn learn(&self, call: &Call, outcome: &Outcome, facts: &mut Facts, known: Known) {
        let (Outcome::Reply(raw), Some(region)) = (outcome, call.region()) else { return };
        let reply = raw.open();
        if call.tool().name() == ListProducts::SPEC.name && rules::is_activated(reply) {
            facts.activate(region, known);
        }
        match call.origin() {
            Origin::Agent => self.learn_claims(call.tool(), reply, region, call.workspace(), facts, known),
            Origin::Policy => {}
        }
    }

    /// Adds a read of the policy's own, and what it shows to exist, to the evidence of its step.
    pub fn witness(&self, call: Call, outcome: Outcome, evidence: &mut Evidence, known: Known) {
        if let (Outcome::Reply(raw), Some(region)) = (&outcome, call.region()) {
            let facts = evidence.facts_mut();
            self.learn_claims(call.tool(), raw.open(), region, call.workspace(), facts, known);
        }
        evidence.add(call, outcome);
    }

    fn learn_claims(
        &self,
        tool: &Tool,
        reply: &Value,
        region: &str,
        workspace: Option<&str>,
        facts: &mut Facts,
        known: Known,
    ) {
        tool.reply().claims(reply, &mut |claim| {
            let taught = self
                .rules
                .provenance
                .iter()
                .any(|rule| rule.fact == claim.fact && rule.learn.contains(tool.name()));
            let home = match claim.workspace {
                Home::Named(id) => Some(id),
                Home::Unnamed => workspace,
                Home::Unreadable => return,
            };
            let placed = home.is_some() || !rules::needs_workspace(claim.fact);
            if taught && placed && !claim.text.is_empty() {
                facts.learn(claim.fact, region, rules::place_of(claim.fact, home), claim.text, known);
            }
        });
    }

    /// Learns from something that exists already, as from a reply: the agent is shown it.
    pub fn learn_existing(&self, call: &Call, existing: &Existing, facts: &mut Facts, known: Known) {
        let Some(region) = call.region() else { return };
        self.learn_claims(existing.tool, existing.reply.open(), region, call.workspace(), facts, known);
    }

    /// From now on, nothing of `secrets` can be shown in this scope.
    pub fn pin(&self, secrets: &[Raw], seen: &mut Seen) {
        for secret in secrets.iter().filter_map(|secret| secret.open().as_str()) {
            seen.pin(secret);
        }
    }

    /// What may be shown of a cloud's reply to `call`; `None` where there is no reply.
    pub fn mask_reply(&self, call: &Call, outcome: &Outcome, seen: &mut Seen) -> Option<Shown> {
        match outcome {
            Outcome::Reply(raw) => Some(self.mask(&Disclosure::Reply(call, raw), seen)),
            Outcome::Partial(error, raw) => {
                let refusal = failure::explain_partial(error, raw, call);
                Some(self.mask(&Disclosure::Partial(call, &refusal, raw), seen))
            }
            Outcome::Failed(_) | Outcome::NotSent(_) | Outcome::Lost(_) => None,
        }
    }

    /// What may be shown of a reply whose secrets can't be handed over: why not, and the rest of it.
    pub fn mask_unkept(&self, call: &Call, outcome: &Outcome, refusal: &Refusal, seen: &mut Seen) -> Masked {
        let shown = match outcome {
            Outcome::Reply(raw) | Outcome::Partial(_, raw) => {
                self.mask(&Disclosure::Unkept(call, refusal, raw), seen)
            }
            Outcome::Failed(_) | Outcome::NotSent(_) | Outcome::Lost(_) => {
                self.mask(&Disclosure::Refusal(refusal), seen)
            }
        };
        shown.masked
    }

    /// What may be shown of something that exists already. Its secrets are left out: nobody agreed to their being
    /// handed over.
    pub fn mask_existing(&self, existing: &Existing, seen: &mut Seen) -> Masked {
        self.mask(&Disclosure::Existing(existing), seen).masked
    }

    /// What may be shown of a refusal.
    pub fn mask_refusal(&self, refusal: &Refusal, seen: &mut Seen) -> Masked {
        self.mask(&Disclosure::Refusal(refusal), seen).masked
    }

    fn mask(&self, disclosure: &Disclosure<'_>, seen: &mut Seen) -> Shown {
        let Settings { digest_key, secret_command, .. } = &self.settings;
        mask::mask(disclosure, HandOver { key: digest_key, command: secret_command }, seen)
    }

    /// The arguments of `call` as they may be shown.
    pub fn mask_call(&self, call: &Call, seen: &Seen) -> MaskedCall {
        mask::mask_call(call, seen)
    }

    /// Notes whom `outcome` names, in an error or in a reply that is never shown, so that they are swept out of
    /// every text from now on. Every outcome is noted before anything that is said of it is shown.
    pub fn note(&self, call: &Call, outcome: &Outcome, seen: &mut Seen) {
        match outcome {
            Outcome::Failed(error) => mask::note_principals(error, seen),
            Outcome::Reply(raw) => mask::note(call.tool().reply(), raw.open(), seen),
            Outcome::Partial(error, raw) => {
                mask::note_principals(error, seen);
                mask::note(call.tool().reply(), raw.open(), seen);
            }
            Outcome::NotSent(_) | Outcome::Lost(_) => {}
        }
    }

    /// The refusal of arguments that didn't parse.
    pub fn refuse_arguments(faults: Faults) -> Refusal {
        let mut refusal = Refusal::new("arguments", "the arguments don't fit the tool; nothing was sent");
        refusal.violations.extend(faults);
        refusal
    }
}

fn hear_region(
    question: &Question,
    answer: &Answer,
    region: &str,
    account: &str,
    consents: &mut Consents,
    now: Timestamp,
) -> Result<Heard, Refusal> {
    let how = format!("the operator can confirm a region at launch with --region {region}");
    if let Some(refusal) = consent::refusal(question.rule(), &answer.reply, &how) {
        return Err(refusal);
    }
    match accepted(question.form(), answer) {
        Filled::Region(chosen) => {
            consents.confirm(account, &chosen, now);
            if chosen == region {
                return Ok(Heard::Region);
            }
            let text = format!("the user chose {chosen}, not {region}");
            Err(Refusal::new(question.rule(), text).with(Fault::new(
                "RegionId",
                "isn't the region that the user chose",
                format!("use {chosen}"),
            )))
        }
        Filled::Yes | Filled::No | Filled::Mistyped | Filled::Blank => Err(blank(question)),
    }
}

fn hear_arguments(question: &Question, answer: &Answer, call: &Call) -> Result<Heard, Refusal> {
    let how = format!("the operator can approve the tool at launch with --approve {}", call.tool().name());
    if let Some(refusal) = consent::refusal(question.rule(), &answer.reply, &how) {
        return Err(refusal);
    }
    match accepted(question.form(), answer) {
        Filled::Yes => Ok(Heard::Arguments(Approval::new(answer.channel, answer.digest.clone()))),
        Filled::No => Err(Refusal::new(question.rule(), "the user answered no").with(Fault::new(
            "",
            "the user doesn't want this call",
            "ask them what they want instead",
        ))),
        Filled::Mistyped => {
            Err(Refusal::new(question.rule(), "the id that was typed isn't the one in the question")
                .with(Fault::new(
                    "",
                    "nothing was sent, since the user may have meant something else",
                    "ask the user which one they mean, then call again",
                ))
                .retryable())
        }
        Filled::Region(_) | Filled::Blank => Err(blank(question)),
    }
}

fn accepted(form: &Form, answer: &Answer) -> Filled {
    match &answer.reply {
        Reply::Accepted(content) => consent::filled(form, content),
        Reply::Declined
        | Reply::Cancelled
        | Reply::TimedOut
        | Reply::Pending { .. }
        | Reply::Crowded
        | Reply::NoChannel
        | Reply::Replayed
        | Reply::Tampered
        | Reply::Expired => Filled::Blank,
    }
}

fn blank(question: &Question) -> Refusal {
    let field = question.form().property();
    Refusal::new(question.rule(), format!("the question came back accepted, but without a valid {field}"))
        .with(Fault::new(
            "",
            format!("an accept without {field} is no yes"),
            "the user must fill the field in; call again",
        ))
}

#[cfg(test)]
mod tests;
