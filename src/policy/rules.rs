//! Judging: what each rule says of a call, and how a verdict comes of it.
//!
//! Every rule that binds the call rules on it; then the first of these decides: a refusal, the region's
//! confirmation, the policy's reads, what exists already, the arguments' confirmation. Nothing here does I/O
//! or reads a clock.

mod alone;
mod budget;
mod confirm;
mod instants;
mod precheck;
mod provenance;
mod secrets;
mod sequence;
mod state;
mod template;

use jiff::Timestamp;
use serde_json::Value;

use super::consent::Question;
use super::load::{Check, Confirm, Precheck, Rule, Subject, binds};
use super::refusal::Refusal;
use super::verdict::{Cleared, Existing, Finding, Judgement, Said, Verdict};
use super::{Knowledge, Policy};
use crate::spec::{Call, Origin};
pub(super) use alone::reveals;
pub(super) use budget::slot;
pub(super) use confirm::{arguments_question, made_before, setting};
pub(super) use instants::has_instants;
pub(super) use precheck::is_activated;
use provenance::Matter;
pub(super) use provenance::{needs_workspace, place_of};
pub(super) use sequence::{call_key, carried, question as sequence_question, turn};
pub(super) use state::{After, Looked, has_state, looked, reader};
use template::Taken;
pub(super) use template::makes_job;

/// What one rule says.
enum Ruling {
    Pass,
    Advise(String),
    Refuse(Refusal),
    Confirm(Question),
    Need(Vec<Call>),
    Exists(Existing),
}

impl Ruling {
    const fn said(&self) -> Said {
        match self {
            Self::Pass => Said::Passed,
            Self::Advise(_) => Said::Advised,
            Self::Refuse(_) => Said::Refused,
            Self::Confirm(_) => Said::Asked,
            Self::Need(_) => Said::Wants,
            Self::Exists(_) => Said::Exists,
        }
    }
}

/// A judgement in the making: the first ruling that isn't a pass decides, since rules are put in the order of
/// precedence.
#[derive(Default)]
struct Bench {
    decided: Option<Verdict>,
    wants: Vec<Call>,
    questions: Vec<Question>,
    findings: Vec<Finding>,
    advice: Vec<String>,
}

impl Bench {
    fn hear(&mut self, rule: &dyn Rule, path: Option<String>, ruling: Ruling) {
        self.findings.push(Finding {
            id: rule.id().to_owned(),
            kind: rule.kind().to_owned(),
            result: ruling.said(),
            path,
        });
        let verdict = match ruling {
            Ruling::Pass => return,
            Ruling::Advise(text) => {
                if !self.advice.contains(&text) {
                    self.advice.push(text);
                }
                return;
            }
            Ruling::Refuse(refusal) => Verdict::Refused(refusal),
            Ruling::Confirm(question) => {
                self.questions.push(question.clone());
                Verdict::Confirm(question)
            }
            Ruling::Need(calls) => {
                for call in &calls {
                    if !self.wants.iter().any(|wanted| wanted.is_same(call)) {
                        self.wants.push(call.clone());
                    }
                }
                Verdict::Need(calls)
            }
            Ruling::Exists(existing) => Verdict::Exists(existing),
        };
        match (&mut self.decided, verdict) {
            (Some(Verdict::Refused(first)), Verdict::Refused(more)) => {
                first.violations.extend(more.violations)
            }
            (Some(_), _) => {}
            (decided @ None, verdict) => *decided = Some(verdict),
        }
    }
}

pub(super) fn judge(policy: &Policy, call: &Call, knowledge: &Knowledge<'_>, now: Timestamp) -> Judgement {
    let own = is_own(call);
    let carried = carried(policy, call, knowledge.history, knowledge.consents, now);
    let (asked, call) = (call, carried.as_ref().unwrap_or(call));
    let mut bench = Bench::default();
    let mut grounds = Vec::new();
    let mut unverified: Vec<Unread<'_>> = Vec::new();
    // The arguments, with what their texts of JSON hold in the place of those.
    let given = call.tool().request().opened(Value::Object(call.arguments().clone()));
    for rule in &policy.rules.secret_argument {
        let (path, ruling) = secrets::found(rule, &given);
        bench.hear(rule, path, ruling);
    }
    let holds_credential = bench.decided.is_some();
    for rule in of_check(&policy.rules.precheck, Check::Ahead, call) {
        let (path, ruling) = instants::ahead(rule, call, &given, now);
        bench.hear(rule, path, ruling);
    }
    let template = of_check(&policy.rules.precheck, Check::Template, call).next();
    let (template, taken) = match template.filter(|_| !own) {
        Some(rule) => (Some(rule), template::taken(rule, call, knowledge.evidence)),
        None if own => (None, Taken::Nothing),
        None => (None, state::home(policy, call, knowledge.evidence)),
    };
    let matter = Matter { call, given: &given, taken: &taken };
    for rule in &policy.rules.provenance {
        match provenance::known(policy, rule, &matter, knowledge, now, &mut grounds) {
            None => {}
            Some((path, need @ Ruling::Need(_))) => unverified.push((rule, path, need)),
            Some((path, ruling)) => bench.hear(rule, path, ruling),
        }
    }
    for rule in &policy.rules.sequence {
        if let Some((path, ruling)) = sequence::local(policy, rule, asked, call, knowledge, now) {
            bench.hear(rule, path, ruling);
        }
    }
    // What is judged and shown, and what is sent: the same, but for a job that a template makes.
    let (mut shown, mut sent, mut unread) = (call, call, None);
    match (template, &taken) {
        (None, _) | (Some(_), Taken::Nothing) => {}
        (Some(rule), Taken::Unread(read)) => unread = Some((rule, read)),
        (Some(rule), Taken::Refused(refusal)) => {
            bench.hear(rule, Some("TemplateId".to_owned()), Ruling::Refuse(refusal.clone()));
        }
        (Some(rule), Taken::Home(_)) => bench.hear(rule, Some("TemplateId".to_owned()), Ruling::Pass),
        (Some(rule), Taken::Rest(merged)) => {
            (shown, sent) = (&merged.job, &merged.sent);
            bench.hear(rule, Some("TemplateId".to_owned()), Ruling::Pass);
        }
    }
    unverified.extend(alone(policy, &matter, knowledge, now, &mut bench));
    let mut consent = None;
    for rule in of(&policy.rules.confirm, Subject::Region) {
        let Some(region) = call.region() else { continue };
        let ruling = confirm::region(policy, rule, call, region, knowledge, now);
        bench.hear(rule, Some("RegionId".to_owned()), ruling);
    }
    for rule in &policy.rules.sequence {
        if let Some((path, ruling)) = sequence::asked(policy, rule, call, knowledge, now) {
            bench.hear(rule, path, ruling);
        }
    }
    for rule in of_check(&policy.rules.precheck, Check::Activation, call) {
        if !own && call.region().is_some() {
            bench.hear(rule, Some("RegionId".to_owned()), precheck::activated(rule, call, knowledge, now));
        }
    }
    for (rule, path, need) in unverified {
        bench.hear(rule, path, need);
    }
    if let Some((rule, read)) = unread {
        bench.hear(rule, Some("TemplateId".to_owned()), Ruling::Need(vec![read.clone()]));
    }
    for rule in of_check(&policy.rules.precheck, Check::UniqueName, call) {
        if let Some(unique) = call.spec().unique() {
            let ruling = precheck::name_free(rule, call, knowledge.evidence);
            bench.hear(rule, Some(unique.name.to_owned()), ruling);
        }
    }
    for rule in of_check(&policy.rules.precheck, Check::State, call).filter(|_| !own) {
        let (path, ruling) = state::allowed(rule, call, knowledge.evidence);
        bench.hear(rule, path, ruling);
    }
    for rule in of(&policy.rules.confirm, Subject::Arguments) {
        // Nobody is asked about a job of which the half isn't known.
        let half = unread.is_some() && makes_job(call);
        if !own && !half && rule.effects.contains(&call.spec().effect) {
            match confirm::arguments(policy, rule, shown, sent, knowledge, &bench.advice, now) {
                Ok(approval) => {
                    consent = Some(approval);
                    bench.hear(rule, None, Ruling::Pass);
                }
                Err(ruling) => bench.hear(rule, None, *ruling),
            }
        }
    }
    let Bench { decided, wants, mut questions, findings, advice } = bench;
    if holds_credential {
        // Such a call is never asked about, and the question would show the credential.
        questions.retain(|question| question.form().is_region());
    }
    let verdict = match decided {
        Some(Verdict::Refused(refusal)) => Verdict::Refused(refusal.bounded()),
        Some(verdict) => verdict,
        None => Verdict::Cleared(Cleared::new(sent.clone(), consent, advice.clone())),
    };
    Judgement { verdict, wants, questions, findings, advice, grounds }
}

/// A rule that must read, and about which argument.
type Unread<'p> = (&'p dyn Rule, Option<String>, Ruling);

/// Hears the rules that look at the call alone, and the budgets; what must read first is returned, for it waits until
/// the region is confirmed.
fn alone<'p>(
    policy: &'p Policy,
    matter: &Matter<'_>,
    knowledge: &Knowledge<'_>,
    now: Timestamp,
    bench: &mut Bench,
) -> Vec<Unread<'p>> {
    let rules = &policy.rules;
    let mut said: Vec<(&dyn Rule, alone::Said)> = Vec::new();
    if !is_own(matter.call) {
        said.extend(rules.forbid.iter().map(|rule| (rule as &dyn Rule, alone::forbidden(rule, matter))));
        said.extend(rules.requires.iter().map(|rule| (rule as &dyn Rule, alone::required(rule, matter))));
        said.extend(rules.exclusive.iter().map(|rule| (rule as &dyn Rule, alone::exclusive(rule, matter))));
        said.extend(rules.reveal.iter().map(|rule| (rule as &dyn Rule, alone::revealed(rule, matter.call))));
    }
    said.extend(
        rules.budget.iter().map(|rule| (rule as &dyn Rule, budget::within(rule, matter, knowledge, now))),
    );
    let mut unread = Vec::new();
    for (rule, said) in said {
        match said {
            None => {}
            Some((path, need @ Ruling::Need(_))) => unread.push((rule, path, need)),
            Some((path, ruling)) => bench.hear(rule, path, ruling),
        }
    }
    unread
}

/// Whether this is a read of the policy's own. What changes the world is never excused, whoever wants it.
fn is_own(call: &Call) -> bool {
    match call.origin() {
        Origin::Agent => false,
        Origin::Policy => !call.spec().effect.changes(),
    }
}

pub(super) fn of(rules: &[Confirm], subject: Subject) -> impl Iterator<Item = &Confirm> {
    rules.iter().filter(move |rule| rule.subject == subject)
}

/// The rule by which the name of what `call` makes is looked up; empty where there is none.
pub(super) fn name_rule<'p>(policy: &'p Policy, call: &Call) -> &'p str {
    of_check(&policy.rules.precheck, Check::UniqueName, call).next().map_or("", |rule| rule.id())
}

/// Whether the question about `call` shows what the policy has to read first.
pub(super) fn asks_what_is_read(call: &Call) -> bool {
    makes_job(call) || state::warns(call)
}

fn of_check<'r>(rules: &'r [Precheck], check: Check, call: &Call) -> impl Iterator<Item = &'r Precheck> {
    rules.iter().filter(move |rule| rule.check == check && binds(rule.tools.as_ref(), &rule.except, call))
}
