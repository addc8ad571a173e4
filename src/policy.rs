//! The policy: what may be sent, what may be shown, and what an outcome means.
//!
//! Its front door is [`Policy`]. [`Policy::judge`] and [`Policy::review`] are pure: no I/O, no clock but the
//! instant they are given. What they need to know is [`Knowledge`]; what they want to read they ask for.
//!
//! | room | what is in it |
//! |---|---|
//! | [`verdict`] | the doors ([`verdict::Raw`], [`verdict::Cleared`]) and what the policy says |
//! | [`refusal`] | why a call isn't made |
//! | [`load`] | the rules, from `policies/*.toml` and an operator's overlays |
//! | `rules` | judging a call by them |
//! | `proof` | what the examples of overlays come to |
//! | [`listing`] | the rules as they are shown |
//! | [`evidence`] | what was read for one step |
//! | `unique` | names that a cloud takes once |
//! | `batch` | several ids asked for at once |
//! | [`review`], [`remarks`] | what an outcome means, and what is told beside it |
//! | [`consent`], `question`, `hear`, `digest` | a human's yes |
//! | [`grant`] | a human's yes to further calls |
//! | [`history`] | what was made and called before |
//! | [`facts`] | what is known to exist |
//! | [`mask`], [`sweep`], `plain` | what may be shown ([`mask::Masked`]) |
//! | [`hand_over`] | what stands for a secret, and how the secret reaches the vault |
//! | `failure`, `permissions` | a cloud's error in words; what RAM must allow |

mod batch;
pub mod consent;
mod digest;
pub mod evidence;
pub mod facts;
mod failure;
pub mod grant;
pub mod hand_over;
mod hear;
pub mod history;
pub mod listing;
pub mod load;
pub mod mask;
mod permissions;
mod plain;
mod proof;
mod question;
pub mod refusal;
pub mod remarks;
pub mod review;
mod rules;
pub mod sweep;
mod unique;
pub mod verdict;

use jiff::Timestamp;
use serde_json::Value;

use crate::error::Faults;
use crate::spec::marks::Home;
use crate::spec::{Call, Operation, Origin, Tool};
use crate::tools::aiworkspace::workspaces::ListProducts;
use consent::{Approval, Consents, Operator};
use evidence::Evidence;
use facts::{Facts, Known};
use history::History;
use load::{LoadError, Loaded, Overlay, PolicyFile, Proof, Rule, Rules};
use mask::{Disclosure, HandOver, Masked, MaskedCall, Shown};
pub use proof::Tried;
use refusal::Refusal;
use remarks::Remarks;
use sweep::Seen;
pub use unique::unique_name;
use verdict::{Existing, Judgement, Outcome, Raw, Rehearsal, Review, Verdict};

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
    /// What a human agreed to in this scope: regions, and further calls.
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
    files: Vec<PolicyFile>,
    proofs: Vec<Proof>,
    settings: Settings,
}

impl Policy {
    /// The compiled-in policy alone.
    ///
    /// # Errors
    /// When a policy file doesn't make sense.
    pub fn compiled(settings: Settings) -> Result<Self, LoadError> {
        Self::load(settings, &[])
    }

    /// The compiled-in policy with `overlays`, in their order.
    ///
    /// # Errors
    /// When an overlay doesn't make sense, would loosen what isn't tunable, or has an example that doesn't come true.
    pub fn load(settings: Settings, overlays: &[Overlay]) -> Result<Self, LoadError> {
        let policy = Self::untried(settings, overlays)?;
        match policy.prove().into_iter().find_map(|tried| tried.fault()) {
            Some(fault) => Err(fault),
            None => Ok(policy),
        }
    }

    /// The same, its examples not tried yet: to try them one by one, with [`Self::prove`].
    ///
    /// # Errors
    /// When an overlay doesn't make sense, or would loosen what isn't tunable.
    pub fn untried(settings: Settings, overlays: &[Overlay]) -> Result<Self, LoadError> {
        let Loaded { rules, sha256, files, proofs } = load::load(overlays)?;
        Ok(Self { rules, sha256, files, proofs, settings })
    }

    /// The fingerprint of the policy files, overlays included.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The policy files, in the order in which they were read.
    pub fn files(&self) -> &[PolicyFile] {
        &self.files
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

    /// The most further calls that a question offers.
    pub fn most_further_calls(&self) -> u32 {
        self.rules.grant.filter(|grant| grant.minutes > 0).map_or(0, |grant| grant.calls)
    }

    /// Counts a call that is about to be sent: each that was cleared, the policy's own reads among them.
    pub fn count(&self, judgement: &Judgement, history: &mut History, now: Timestamp) {
        match judgement.verdict {
            Verdict::Cleared(_) => history.count(now),
            Verdict::Refused(_) | Verdict::Confirm(_) | Verdict::Need(_) | Verdict::Exists(_) => {}
        }
    }

    /// What `call` holds while it is under way, in this order, so that no other call makes the same, and none that is
    /// counted is counted twice, and none that others come before goes at once with them. Nothing for most reads.
    pub fn reservations(&self, call: &Call, account: &str) -> Vec<String> {
        rules::slot(&self.rules.budget, call, account)
            .into_iter()
            .chain(unique::reservation(call, account))
            .chain(rules::turn(&self.rules.sequence, call, account))
            .collect()
    }

    /// Remembers `call` and how it ended; and that it was made, or may have been, so that the same call again is
    /// asked about.
    pub fn remember(&self, call: &Call, outcome: &Outcome, history: &mut History, now: Timestamp) {
        history.calls.add(&self.rules.sequence, &self.settings.digest_key, call, outcome, now);
        if let Some(fingerprint) = history::fingerprint(&self.settings.digest_key, call)
            && history::may_be_made(outcome)
        {
            history.add(fingerprint, now);
        }
    }

    /// What `outcome` means for `call` at `now`, given the reads made since.
    pub fn review(&self, call: &Call, outcome: &Outcome, evidence: &Evidence, now: Timestamp) -> Review {
        review::review(self, call, outcome, evidence, now)
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
        self.mask_remarked(call, outcome, &Remarks::default(), seen)
    }

    /// The same, with what is told beside it.
    pub fn mask_remarked(
        &self,
        call: &Call,
        outcome: &Outcome,
        remarks: &Remarks,
        seen: &mut Seen,
    ) -> Option<Shown> {
        match outcome {
            Outcome::Reply(raw) => Some(self.mask(&Disclosure::Reply(call, raw, remarks), seen)),
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

#[cfg(test)]
pub(crate) mod tests;
