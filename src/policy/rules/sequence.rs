//! What the calls before say of a call: refused, asked about, given a flag of theirs, or advised.
//!
//! The policy's own reads are not bound: they follow from the rules, not from what an agent tries.

use jiff::Timestamp;
use serde_json::Value;

use super::{Ruling, setting};
use crate::error::Fault;
use crate::policy::consent::{Consents, Question};
use crate::policy::history::History;
use crate::policy::history::calls::Sent;
use crate::policy::load::binds;
use crate::policy::load::sequence::{Sequence, Then};
use crate::policy::mask::ask_call;
use crate::policy::refusal::Refusal;
use crate::policy::{Knowledge, Policy, digest, question};
use crate::spec::{Call, Origin};

/// A question, and the calls before because of which it is asked.
pub(in crate::policy) struct Asked {
    pub(in crate::policy) question: Question,
    /// Their numbers.
    pub(in crate::policy) because: Vec<u64>,
}

/// Whether `rule` has a say about `call` at all.
fn bound(rule: &Sequence, call: &Call) -> bool {
    call.origin() == Origin::Agent && binds(rule.tools.as_ref(), &rule.except, call)
}

fn before<'h>(
    policy: &Policy,
    rule: &Sequence,
    call: &Call,
    history: &'h History,
    consents: &Consents,
    now: Timestamp,
) -> Vec<&'h Sent> {
    history.calls.before(rule, &policy.settings.digest_key, call, consents, now)
}

/// What `rule` says of `call` without asking anybody; `None` where it doesn't bind it, or asks. What is carried over
/// isn't in `given` yet.
pub(super) fn local(
    policy: &Policy,
    rule: &Sequence,
    given: &Call,
    call: &Call,
    knowledge: &Knowledge<'_>,
    now: Timestamp,
) -> Option<(Option<String>, Ruling)> {
    let rules = match rule.then {
        Then::Refuse | Then::Advise | Then::Carry => bound(rule, call),
        Then::Ask => false,
    };
    if !rules {
        return None;
    }
    let before = before(policy, rule, call, knowledge.history, knowledge.consents, now);
    let ruling = match (before.first(), rule.then) {
        (None, _) => Ruling::Pass,
        (Some(last), Then::Carry) if taken_over(rule, given, last).next().is_none() => Ruling::Pass,
        (Some(_), Then::Carry | Then::Advise) => Ruling::Advise(rule.say.clone()),
        (Some(_), Then::Refuse | Then::Ask) => {
            let fix = rule.fix.clone().unwrap_or_default();
            let path = rule.ids.clone().unwrap_or_default();
            Ruling::Refuse(Refusal::new(rule.id.clone(), rule.say.clone()).with(Fault::new(
                path,
                rule.say.clone(),
                fix,
            )))
        }
    };
    Some((rule.ids.clone(), ruling))
}

/// What `rule` says of `call` if it is one that asks and binds it.
pub(super) fn asked(
    policy: &Policy,
    rule: &Sequence,
    call: &Call,
    knowledge: &Knowledge<'_>,
    now: Timestamp,
) -> Option<(Option<String>, Ruling)> {
    if rule.then != Then::Ask || !bound(rule, call) {
        return None;
    }
    let Knowledge { history, consents, account, .. } = *knowledge;
    let ruling = match question(policy, rule, call, history, consents, account, now) {
        None => Ruling::Pass,
        Some(Asked { question, .. }) => match question::readable(&question) {
            Ok(()) => Ruling::Confirm(question),
            Err(refusal) => Ruling::Refuse(refusal),
        },
    };
    Some((rule.ids.clone(), ruling))
}

/// What `rule` asks of `call`, if it asks.
pub(in crate::policy) fn question(
    policy: &Policy,
    rule: &Sequence,
    call: &Call,
    history: &History,
    consents: &Consents,
    account: &str,
    now: Timestamp,
) -> Option<Asked> {
    if rule.then != Then::Ask || !bound(rule, call) {
        return None;
    }
    if let Some((question, because)) = consents.open(&rule.id, || call_key(policy, call), now) {
        return Some(Asked { question: question.clone(), because: because.to_vec() });
    }
    let before = before(policy, rule, call, history, consents, now);
    if before.is_empty() {
        return None;
    }
    let question = question::order::order(rule, call, &ask_call(call), &before, &setting(policy, account));
    Some(Asked { question, because: before.iter().map(|sent| sent.number).collect() })
}

/// What calls of one order hold, so that each is judged by how the one before it ended: those that a rule asks about or
/// refuses, and those that it goes by. A rule for every tool makes none wait.
pub(in crate::policy) fn turn(rules: &[Sequence], call: &Call, account: &str) -> Option<String> {
    let name = call.tool().name();
    let stops = |rule: &&Sequence| match rule.then {
        Then::Refuse | Then::Ask => rule.tools.is_some(),
        Then::Carry | Then::Advise => false,
    };
    let is_in = |rule: &Sequence| binds(rule.tools.as_ref(), &rule.except, call) || rule.precedes(name);
    let region = call.region().unwrap_or_default();
    (call.origin() == Origin::Agent && rules.iter().filter(stops).any(is_in))
        .then(|| format!("sequence {account} {region}"))
}

/// What tells a call from others, for the questions that are kept open about it.
pub(in crate::policy) fn call_key(policy: &Policy, call: &Call) -> String {
    let arguments = Value::Object(call.arguments().clone()).to_string();
    digest::keyed(&policy.settings.digest_key, ["call", call.tool().name(), &arguments])
}

/// `call` with the flags that it takes over from the last call before, where it gives none itself (R-WS-77).
pub(in crate::policy) fn carried(
    policy: &Policy,
    call: &Call,
    history: &History,
    consents: &Consents,
    now: Timestamp,
) -> Option<Call> {
    let mut arguments = call.arguments().clone();
    for rule in policy.rules.sequence.iter().filter(|rule| rule.then == Then::Carry && bound(rule, call)) {
        let before = before(policy, rule, call, history, consents, now);
        let Some(last) = before.first() else { continue };
        for (name, flag) in taken_over(rule, call, last) {
            arguments.insert(name.to_owned(), Value::Bool(flag));
        }
    }
    if &arguments == call.arguments() {
        return None;
    }
    call.tool().parse(&arguments).ok().map(|carried| carried.by(call.origin()))
}

/// The flags that `call` doesn't give and `last` had set.
fn taken_over<'r>(rule: &'r Sequence, call: &Call, last: &Sent) -> impl Iterator<Item = (&'r str, bool)> {
    let missing = rule.carry.iter().filter(|name| !call.arguments().contains_key(*name));
    missing.filter_map(|name| Some((name.as_str(), last.flag(name).filter(|set| *set)?)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::policy::Policy;
    use crate::policy::tests::{call, settings};

    /// R-WS-74, R-WS-86: what goes by the call before waits for it; what doesn't, doesn't.
    #[test]
    fn calls_of_one_order_go_one_after_the_other() {
        let policy = Policy::compiled(settings()).unwrap();
        let turn = |tool, arguments| policy.reservations(&call(tool, &arguments), "account");
        let here = json!({ "RegionId": "cn-hangzhou" });
        let get = turn("aiworkspace_get_workspace", json!({ "RegionId": "cn-hangzhou", "WorkspaceId": "1" }));
        assert_eq!(get, ["sequence account cn-hangzhou"]);
        assert_eq!(turn("aiworkspace_list_workspaces", here.clone()), get);
        assert_eq!(turn("dlc_list_jobs", here.clone()), [""; 0]);
        assert_ne!(turn("aiworkspace_list_workspaces", json!({ "RegionId": "cn-shanghai" })), get);
    }
}
