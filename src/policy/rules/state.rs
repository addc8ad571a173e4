//! The present state of what a call is about: read with the cloud's own get, before the call and after it.
//!
//! Before: what the service would refuse, or answer and ignore, is refused with the reason. Only what is documented
//! counts: a state that nobody documented goes to the service. After: a change is looked at, so that the result says
//! whether it shows. How each tool's subject is looked at is a line of [`STATES`]; what is made of it stands in a file
//! for each kind of subject.

mod instances;
mod jobs;
mod training;

use serde_json::{Map, Value};

use super::template::Taken;
use super::{Ruling, of_check};
use crate::error::Fault;
use crate::policy::Policy;
use crate::policy::evidence::Evidence;
use crate::policy::load::{Check, Precheck};
use crate::policy::refusal::Refusal;
use crate::policy::review::{Read, id, look};
use crate::spec::{Call, Origin};
use crate::tools;

/// Of the call and its subject.
type Before = fn(&Call, &Value, &mut Vec<Bar>);
/// Of the call, its reply if it came, and the subject afterwards.
type Afterwards = fn(&Call, Option<&Value>, &Value, &mut After);

/// How the subject of a tool is looked at, and what is made of it.
struct State {
    /// The tool.
    tool: &'static str,
    /// What it is about.
    noun: &'static str,
    /// The tool that shows it, by the same argument.
    get: &'static str,
    /// The argument with which others' subjects are seen, which that tool may not show: given, nothing is looked at.
    unless: Option<&'static str>,
    /// What bars the call.
    before: Before,
    /// Whether what was asked for shows. None for what changes nothing.
    after: Option<Afterwards>,
}

const STATES: [State; 11] = [
    job("dlc_stop_job", None, jobs::before_stop, Some(jobs::after_stop)),
    job("dlc_update_job", None, jobs::before_update, Some(jobs::after_update)),
    job("dlc_get_dashboard", Some("token"), jobs::before_dashboard, None),
    job("dlc_get_ray_dashboard", Some("token"), jobs::before_dashboard, None),
    job("dlc_get_job_sanity_check_result", Some("Token"), jobs::before_checks, None),
    job("dlc_list_job_sanity_check_results", None, jobs::before_checks, None),
    instance("pyromind_edit_instance", instances::before_edit, instances::after_edit),
    instance("pyromind_pause_instance", instances::before_pause, instances::after_pause),
    instance("pyromind_resume_instance", instances::before_resume, instances::after_resume),
    training("pyromind_pause_training_job", training::before_pause, training::after_pause),
    training("pyromind_resume_training_job", training::before_resume, training::after_resume),
];

const fn job(
    tool: &'static str,
    unless: Option<&'static str>,
    before: Before,
    after: Option<Afterwards>,
) -> State {
    State { tool, noun: "job", get: "dlc_get_job", unless, before, after }
}

const fn instance(tool: &'static str, before: Before, after: Afterwards) -> State {
    State { tool, noun: "instance", get: "pyromind_get_instance", unless: None, before, after: Some(after) }
}

const fn training(tool: &'static str, before: Before, after: Afterwards) -> State {
    let (noun, get) = ("training job", "pyromind_get_training_job");
    State { tool, noun, get, unless: None, before, after: Some(after) }
}

/// What bars a call.
struct Bar {
    fault: Fault,
    /// Whether it goes away by itself.
    passes: bool,
}

impl Bar {
    fn new(path: &str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { fault: Fault::new(path, message, fix), passes: false }
    }

    /// The same, of what goes away by itself.
    fn passing(self) -> Self {
        Self { passes: true, ..self }
    }
}

/// What a look after a change says of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::policy) struct After {
    /// What isn't as it was asked for.
    pub(in crate::policy) differs: Vec<String>,
    /// What the look doesn't tell.
    pub(in crate::policy) untold: Vec<String>,
}

impl After {
    /// Whether the change shows; `None` where nobody can say.
    pub(in crate::policy) const fn applied(&self) -> Option<bool> {
        match (self.differs.is_empty(), self.untold.is_empty()) {
            (false, _) => Some(false),
            (true, true) => Some(true),
            (true, false) => None,
        }
    }

    /// A status that should be one of `wanted`, in the field called `name`.
    fn status(&mut self, name: &str, present: &Value, wanted: &[&str]) {
        match present.get(name).and_then(Value::as_str) {
            Some(status) if wanted.iter().any(|wanted| status.eq_ignore_ascii_case(wanted)) => {}
            Some(status) => self.differs.push(format!("{name} is {}", word(status))),
            None => self.untold.push(format!("{name} isn't shown")),
        }
    }

    /// What is `wanted` at `path`, where the look shows `shown`: objects by the fields that are wanted, lists by their
    /// places.
    fn compare(&mut self, path: &str, wanted: &Value, shown: Option<&Value>) {
        match (wanted, shown) {
            (_, None | Some(Value::Null)) => self.untold.push(format!("{path} isn't shown")),
            (Value::Object(wanted), Some(shown @ Value::Object(_))) => {
                for (name, wanted) in wanted {
                    self.compare(&format!("{path}.{name}"), wanted, shown.get(name));
                }
            }
            (Value::Array(wanted), Some(Value::Array(shown))) => {
                if wanted.len() != shown.len() {
                    self.differs.push(format!("{path} has {} items, not {}", shown.len(), wanted.len()));
                }
                for (index, (wanted, shown)) in wanted.iter().zip(shown).enumerate() {
                    self.compare(&format!("{path}[{index}]"), wanted, Some(shown));
                }
            }
            (wanted, Some(shown)) => self.scalar(path, wanted, shown),
        }
    }

    fn scalar(&mut self, path: &str, wanted: &Value, shown: &Value) {
        let same = match (number(wanted), number(shown)) {
            (Some(wanted), Some(shown)) => wanted.total_cmp(&shown).is_eq(),
            (_, _) => wanted == shown,
        };
        match (same, wanted, shown) {
            (true, ..) => {}
            (false, Value::Number(wanted), _) if number(shown).is_some() => {
                self.differs.push(format!("{path} is {}, not {wanted}", plain_number(shown)));
            }
            (false, ..) => self.differs.push(format!("{path} isn't as it was asked for")),
        }
    }
}

/// What a look after a change comes to.
pub(in crate::policy) enum Looked {
    /// It has to be made.
    Needed(Call),
    /// It was.
    Told(After),
}

/// Whether this tool has a subject whose state is known how to look at.
pub(in crate::policy) fn has_state(tool: &str) -> bool {
    STATES.iter().any(|state| state.tool == tool)
}

fn state_of(call: &Call) -> Option<&'static State> {
    STATES.iter().find(|state| state.tool == call.tool().name())
}

impl State {
    /// The read that shows the subject of `call`.
    fn read(&self, call: &Call) -> Option<Call> {
        let get = tools::find(self.get)?;
        let names = ["RegionId", get.subject()?];
        let arguments: Map<String, Value> = names
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), call.arguments().get(name)?.clone())))
            .collect();
        get.parse(&arguments).ok().map(|call| call.by(Origin::Policy))
    }

    /// The subject as a reply shows it, if it is this one.
    fn subject<'r>(&self, call: &Call, reply: &'r Value) -> Option<&'r Value> {
        let name = tools::find(self.get)?.subject()?;
        let shown = id(reply, name);
        (reply.is_object() && shown.is_none_or(|shown| call.text(name) == Some(&shown))).then_some(reply)
    }

    fn present<'e>(&self, call: &Call, evidence: &'e Evidence) -> Present<'e> {
        match look(self.read(call), evidence) {
            Read::Needed(read) => Present::Needed(read),
            Read::Failed(refusal) => Present::Failed(refusal),
            Read::Reply(reply) => match self.subject(call, reply) {
                Some(present) => Present::Shown(present),
                None => Present::Failed(self.unreadable()),
            },
        }
    }

    fn unreadable(&self) -> Refusal {
        let noun = self.noun;
        Refusal::new("cloud-unreadable", format!("the cloud's answer about this {noun} can't be read"))
            .with(Fault::new(
                "",
                format!("the {noun}'s present state isn't known"),
                "call again in a moment; if it stays so, tell the user",
            ))
            .retryable()
    }
}

/// What is known of a subject.
enum Present<'e> {
    Needed(Call),
    Failed(Refusal),
    Shown(&'e Value),
}

/// Whether the present state of what `call` is about allows it, and where the first argument is that it doesn't.
pub(super) fn allowed(rule: &Precheck, call: &Call, evidence: &Evidence) -> (Option<String>, Ruling) {
    let Some(state) = state_of(call) else { return (None, Ruling::Pass) };
    let subject = call.tool().subject().map(str::to_owned);
    if state.unless.is_some_and(|argument| call.arguments().contains_key(argument)) {
        return (subject, Ruling::Pass);
    }
    let present = match state.present(call, evidence) {
        Present::Needed(read) => return (subject, Ruling::Need(vec![read])),
        Present::Failed(refusal) => return (subject, Ruling::Refuse(refusal)),
        Present::Shown(present) => present,
    };
    let mut bars = Vec::new();
    (state.before)(call, present, &mut bars);
    let Some(first) = bars.first().map(|bar| bar.fault.path.clone()) else { return (subject, Ruling::Pass) };
    let text = format!("this doesn't fit the {} as it is now; nothing was sent", state.noun);
    let mut refusal = Refusal::new(&rule.id, text);
    refusal.retryable = bars.iter().all(|bar| bar.passes);
    refusal.violations.extend(bars.into_iter().map(|bar| bar.fault));
    (Some(first), Ruling::Refuse(refusal))
}

/// Where what `call` names is known: a change of a job's roles, in the job's own workspace (R-DLC-24).
pub(super) fn home(policy: &Policy, call: &Call, evidence: &Evidence) -> Taken {
    let Some(state) = bound(policy, call).filter(|_| jobs::has_roles(call)) else { return Taken::Nothing };
    match state.present(call, evidence) {
        Present::Needed(read) => Taken::Unread(read),
        // Whatever the job is, this can't be done to it: its state's rule says so.
        Present::Failed(refusal) => Taken::Refused(refusal),
        Present::Shown(present) => id(present, "WorkspaceId").map_or(Taken::Nothing, Taken::Home),
    }
}

/// What whoever is asked about `call` must not miss of the present state.
pub(super) fn warnings(policy: &Policy, call: &Call, evidence: &Evidence) -> Vec<String> {
    if !warns(call) {
        return Vec::new();
    }
    match bound(policy, call).map(|state| state.present(call, evidence)) {
        Some(Present::Shown(present)) => instances::warnings(call, present),
        Some(Present::Needed(_) | Present::Failed(_)) | None => Vec::new(),
    }
}

/// Whether the question about `call` can hold such a warning.
pub(super) fn warns(call: &Call) -> bool {
    instances::saves(call)
}

/// What a look after `call` says of it, where a rule wants one; `reply` is the cloud's, if it came.
pub(in crate::policy) fn looked(
    policy: &Policy,
    call: &Call,
    reply: Option<&Value>,
    evidence: &Evidence,
) -> Option<Looked> {
    let state = bound(policy, call)?;
    let compare = state.after?;
    let mut after = After::default();
    match state.present(call, evidence) {
        Present::Needed(read) => return Some(Looked::Needed(read)),
        Present::Shown(present) => compare(call, reply, present, &mut after),
        Present::Failed(refusal) => {
            after.untold.push(format!("the {} couldn't be read afterwards: {}", state.noun, refusal.error));
        }
    }
    Some(Looked::Told(after))
}

/// The tool that shows what `call` is about.
pub(in crate::policy) fn reader(call: &Call) -> Option<&'static str> {
    state_of(call).map(|state| state.get)
}

fn bound(policy: &Policy, call: &Call) -> Option<&'static State> {
    of_check(&policy.rules.precheck, Check::State, call).next()?;
    state_of(call)
}

/// A text of the cloud's in a sentence of ours: a word, or no text at all.
fn word(text: &str) -> &str {
    const LONGEST: usize = 40;
    let plain =
        text.len() <= LONGEST && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if plain && !text.is_empty() { text } else { "something undocumented" }
}

/// A number, also where it comes as text: replies are taken leniently.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).filter(|number| number.is_finite())
}

fn plain_number(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The text of a field, if it is one of `known`, in any case.
fn one_of<'k>(value: &Value, name: &str, known: &[&'k str]) -> Option<&'k str> {
    let text = value.get(name)?.as_str()?;
    known.iter().copied().find(|known| known.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests;
