//! A human's yes: to the region, and to the call's exact arguments.

use jiff::Timestamp;

use super::Ruling;
use crate::policy::consent::{Approval, Channel, Question};
use crate::policy::history::{History, fingerprint};
use crate::policy::load::{Confirm, hours};
use crate::policy::mask::ask_call;
use crate::policy::question::{self, Setting};
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

/// Whether a human, or the operator beforehand, said yes to exactly this: to `shown`, which is what `sent` comes to.
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
    let question =
        arguments_question(policy, rule, shown, knowledge.history, before, advice, knowledge.account);
    if before.is_none() && policy.settings.operator.approves(sent) {
        return Ok(Approval::new(Channel::Operator, question.digest().to_owned()));
    }
    match knowledge.approval {
        Some(approval) if approval.digest() == question.digest() => Ok(approval.clone()),
        Some(_) | None => Err(Box::new(match question::readable(&question) {
            Ok(()) => Ruling::Confirm(question),
            Err(refusal) => Ruling::Refuse(refusal),
        })),
    }
}

pub(in crate::policy) fn arguments_question(
    policy: &Policy,
    rule: &Confirm,
    call: &Call,
    history: &History,
    before: Option<Timestamp>,
    advice: &[String],
    account: &str,
) -> Question {
    question::arguments(rule, call, &ask_call(call), history, before, advice, &setting(policy, account))
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
    }
}
