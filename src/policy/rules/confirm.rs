//! A human's yes: to the region, and to the call's exact arguments.

use jiff::Timestamp;

use super::Ruling;
use crate::policy::consent::{Approval, Channel, Question};
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

/// Whether a human, or the operator beforehand, said yes to exactly this call.
pub(super) fn arguments(
    policy: &Policy,
    rule: &Confirm,
    call: &Call,
    knowledge: &Knowledge<'_>,
) -> Result<Approval, Box<Ruling>> {
    let question = arguments_question(policy, rule, call, knowledge.account);
    if policy.settings.operator.approves(call) {
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
    account: &str,
) -> Question {
    question::arguments(rule, call, &ask_call(call), &setting(policy, account))
}

pub(in crate::policy) fn setting<'p>(policy: &'p Policy, account: &'p str) -> Setting<'p> {
    Setting {
        simulated: policy.settings.simulated,
        account,
        policy: &policy.sha256,
        key: &policy.settings.digest_key,
    }
}
