//! The calls that were sent in a scope, and how they ended: what rules of sequence go by.
//!
//! Of a call is kept which it was, when, and the few arguments that some rule looks at; of its reply, only about
//! which of the ids that were asked for it is final.

use std::collections::{BTreeSet, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::{CAPACITY, is_recent};
use crate::policy::batch;
use crate::policy::consent::Consents;
use crate::policy::digest::keyed;
use crate::policy::failure;
use crate::policy::load::binds;
use crate::policy::load::sequence::{About, Ended, Flag, Sequence};
use crate::policy::verdict::Outcome;
use crate::spec::{Call, Spec};

/// The calls that were sent, the newest last.
#[derive(Debug, Default)]
pub(in crate::policy) struct Calls {
    sent: VecDeque<Sent>,
    count: u64,
}

/// One of them.
#[derive(Debug)]
pub(in crate::policy) struct Sent {
    /// Its number in this scope.
    pub(in crate::policy) number: u64,
    /// What was called.
    pub(in crate::policy) spec: &'static Spec,
    /// When.
    pub(in crate::policy) at: Timestamp,
    /// How it ended.
    pub(in crate::policy) ended: Ended,
    /// The id of the one thing that it was about.
    pub(in crate::policy) subject: Option<String>,
    /// The arguments that rules look at.
    arguments: Map<String, Value>,
    region: Option<String>,
    workspace: Option<String>,
    fingerprint: String,
}

impl Sent {
    /// A flag as the call had it; `None` where it wasn't given.
    pub(in crate::policy) fn flag(&self, name: &str) -> Option<bool> {
        self.arguments.get(name).and_then(Value::as_bool)
    }
}

fn ids<'a>(arguments: &'a Map<String, Value>, argument: &str) -> Vec<&'a str> {
    let text = arguments.get(argument).and_then(Value::as_str).unwrap_or_default();
    text.split(',').filter(|id| !id.is_empty()).collect()
}

impl Calls {
    /// Remembers a call that was sent, as far as `rules` look at it.
    pub(in crate::policy) fn add(
        &mut self,
        rules: &[Sequence],
        key: &[u8],
        call: &Call,
        outcome: &Outcome,
        now: Timestamp,
    ) {
        if !rules.iter().any(|rule| rule.precedes(call.tool().name())) {
            return;
        }
        self.count += 1;
        let watched: BTreeSet<&str> =
            rules.iter().flat_map(|rule| rule.watched(call.tool().name())).collect();
        let mut arguments: Map<String, Value> = call
            .arguments()
            .iter()
            .filter(|(name, _)| watched.contains(name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        if let Some(ids) = arguments.get_mut(batch::IDS) {
            *ids = batch::settled(call, outcome).join(",").into();
        }
        self.sent.push_back(Sent {
            number: self.count,
            spec: call.spec(),
            at: now,
            ended: failure::ended(outcome),
            arguments,
            region: call.region().map(str::to_owned),
            workspace: call.workspace().map(str::to_owned),
            subject: subject(call).map(str::to_owned),
            fingerprint: fingerprint(key, call),
        });
        self.sent.retain(|sent| is_recent(sent.at, now));
        while self.sent.len() > CAPACITY {
            self.sent.pop_front();
        }
    }

    /// The calls because of which `rule` has something to say of `call`, the newest first; none where it has nothing
    /// to say.
    pub(in crate::policy) fn before(
        &self,
        rule: &Sequence,
        key: &[u8],
        call: &Call,
        consents: &Consents,
        now: Timestamp,
    ) -> Vec<&Sent> {
        if !binds(rule.tools.as_ref(), &rule.except, call) || !stands(rule.flag.as_ref(), call.arguments()) {
            return Vec::new();
        }
        let given = rule.ids.as_deref().map(|name| ids(call.arguments(), name)).unwrap_or_default();
        let within = SignedDuration::from_secs(rule.within_seconds);
        let same = match rule.after.about {
            About::SameCall => fingerprint(key, call),
            About::Anything | About::SameIds | About::OtherIds | About::SameTarget => String::new(),
        };
        let candidates = self.sent.iter().rev().filter(|sent| {
            now.duration_since(sent.at) < within
                && match &rule.after.tools {
                    Some(tools) => tools.contains(sent.spec.name),
                    None => sent.spec.name == call.spec().name,
                }
                && sent.region.as_deref() == call.region()
                && stands(rule.after.flag.as_ref(), &sent.arguments)
        });
        let is_about = |sent: &&Sent| match rule.after.about {
            About::Anything => true,
            About::SameIds => sent.names(rule).iter().any(|id| given.contains(id)),
            About::OtherIds => {
                let ids = sent.names(rule);
                !ids.is_empty() && !ids.iter().any(|id| given.contains(id))
            }
            About::SameTarget => {
                sent.workspace.as_deref() == call.workspace() && sent.subject.as_deref() == subject(call)
            }
            About::SameCall => sent.fingerprint == same,
        };
        let counts =
            |sent: &&Sent| sent.ended == rule.after.ended && !consents.is_settled(&rule.id, sent.number);
        let before: Vec<&Sent> = match (rule.after.in_a_row, rule.after.about) {
            // What was found breaks a row of misses, whatever it was about.
            (true, About::OtherIds) => candidates.take_while(counts).filter(is_about).collect(),
            (true, About::Anything | About::SameIds | About::SameTarget | About::SameCall) => {
                candidates.filter(is_about).take_while(counts).collect()
            }
            (false, _) => candidates.filter(counts).filter(is_about).collect(),
        };
        let times = match rule.after.about {
            About::OtherIds => before.iter().flat_map(|sent| sent.names(rule)).collect::<BTreeSet<_>>().len(),
            About::Anything | About::SameIds | About::SameTarget | About::SameCall => before.len(),
        };
        if times < rule.after.times { Vec::new() } else { before }
    }
}

impl Sent {
    fn names(&self, rule: &Sequence) -> Vec<&str> {
        rule.after.ids.as_deref().map(|argument| ids(&self.arguments, argument)).unwrap_or_default()
    }
}

fn stands(flag: Option<&Flag>, arguments: &Map<String, Value>) -> bool {
    flag.is_none_or(|flag| (arguments.get(&flag.name) == Some(&Value::Bool(true))) == flag.set)
}

/// What the call is about, where it is about one thing.
fn subject(call: &Call) -> Option<&str> {
    call.text(call.tool().subject()?)
}

fn fingerprint(key: &[u8], call: &Call) -> String {
    keyed(key, ["sent", call.spec().name, &Value::Object(call.arguments().clone()).to_string()])
}
