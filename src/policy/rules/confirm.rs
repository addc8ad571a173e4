//! A human's yes: to the region, and to the call's exact arguments.

use jiff::Timestamp;

use super::{Ruling, state};
use crate::policy::consent::{Approval, Channel, Question};
use crate::policy::grant::Granting;
use crate::policy::history::{History, fingerprint};
use crate::policy::load::{Confirm, hours};
use crate::policy::mask::ask_call;
use crate::policy::question::{self, Beside, Setting};
use crate::policy::{Knowledge, Policy};
use crate::spec::Call;

/// Whether a human confirmed the region (R-WS-44).
pub(super) fn region(
    policy: &Policy,
    rule: &Confirm,
    call: &Call,
    region: &str,
    knowledge: &Knowledge<'_>,
    now: Timestamp,
) -> Ruling {
    let lifetime = hours(rule.lifetime_hours.unwrap_or_default());
    let confirmed = policy.settings.operator.regions.contains(region)
        || knowledge.consents.confirmed(knowledge.account, region, now, lifetime);
    if confirmed {
        Ruling::Pass
    } else {
        Ruling::Confirm(question::region(rule, call, region, &setting(policy, knowledge.account)))
    }
}

/// Whether a human, now or when they were asked about an earlier call, or the operator beforehand, said yes to exactly
/// this: to `shown`, which is what `sent` comes to.
/// What the operator said beforehand was of calls that are made for the first time.
pub(super) fn arguments(
    policy: &Policy,
    rule: &Confirm,
    shown: &Call,
    sent: &Call,
    knowledge: &Knowledge<'_>,
    advice: &[String],
    now: Timestamp,
) -> Result<Approval, Box<Ruling>> {
    let before = made_before(policy, sent, knowledge.history, now);
    let mind = state::warnings(policy, sent, knowledge.evidence);
    let beside = Beside { mind: &mind, advice };
    let question =
        arguments_question(policy, rule, shown, beside, knowledge.history, before, knowledge.account);
    if before.is_none() && policy.settings.operator.approves(sent) {
        return Ok(Approval::new(Channel::Operator, question.digest().to_owned(), Granting::Nothing));
    }
    if let Some(approval) = knowledge.approval.filter(|approval| approval.digest() == question.digest()) {
        let granting = approval.granting().taking_up(question.offer());
        return Ok(Approval::new(approval.channel(), question.digest().to_owned(), granting));
    }
    // A grant is for what could have been asked about, too.
    question::readable(&question).map_err(|refusal| Box::new(Ruling::Refuse(refusal)))?;
    // What a human was asked about only they answer.
    let asked = knowledge.consents.was_put(question.digest(), now);
    match question.offer().filter(|_| !asked).and_then(|offer| knowledge.consents.grants.found(offer, now)) {
        Some((digest, granting)) => Ok(Approval::new(Channel::Grant, digest, granting)),
        None => Err(Box::new(Ruling::Confirm(question))),
    }
}

pub(in crate::policy) fn arguments_question(
    policy: &Policy,
    rule: &Confirm,
    call: &Call,
    beside: Beside<'_>,
    history: &History,
    before: Option<Timestamp>,
    account: &str,
) -> Question {
    question::arguments(rule, call, &ask_call(call), beside, history, before, &setting(policy, account))
}

/// When the same call was made a short while ago, if it was.
pub(in crate::policy) fn made_before(
    policy: &Policy,
    call: &Call,
    history: &History,
    now: Timestamp,
) -> Option<Timestamp> {
    history.last(&fingerprint(&policy.settings.digest_key, call)?, now)
}

pub(in crate::policy) fn setting<'p>(policy: &'p Policy, account: &'p str) -> Setting<'p> {
    Setting {
        simulated: policy.settings.simulated,
        account,
        policy: &policy.sha256,
        key: &policy.settings.digest_key,
        grant: policy.rules.grant,
    }
}
