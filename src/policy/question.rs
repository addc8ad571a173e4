//! What a human reads before saying yes: everything that will be sent, what matters first.
//!
//! The text is made from the masked call, quoted so that nothing in it can pass for the question itself
//! ([`Quoted`]). A question too long to be read isn't shortened: the call is refused. What is asked because of calls
//! before stands in [`order`].

pub(super) mod order;

mod binding;

use std::fmt::Write;

use jiff::Timestamp;
use serde_json::Value;

use super::consent::{Form, Question, Quoted, UNDOCUMENTED, region_form, with_offer};
use super::grant::{Limits, Offer};
use super::history::History;
use super::load::{Confirm, Highlight, Variable, When};
use super::mask::MaskedCall;
use super::refusal::Refusal;
use super::rules::makes_job;
use crate::error::Fault;
use crate::spec::marks::{Kind, Mark, Shape};
use crate::spec::value::REGIONS;
use crate::spec::{Call, Effect};
pub(super) use binding::changed;
use binding::{Bound, digest_of};

/// The most characters that a person is asked to read.
const LONGEST: usize = 12_000;

/// What a question says beside the call itself.
pub(super) struct Setting<'s> {
    /// Whether nothing real can happen.
    pub simulated: bool,
    /// The account's keyed hash; empty where it isn't looked up.
    pub account: &'s str,
    /// The policy's fingerprint.
    pub policy: &'s str,
    /// What digests are keyed with: they travel, and must tell nothing of what they bind.
    pub key: &'s [u8],
    /// Which further calls may be offered.
    pub grant: Option<Limits>,
}

/// Whether this region is the right one.
pub(super) fn region(rule: &Confirm, call: &Call, region: &str, setting: &Setting<'_>) -> Question {
    let message = format!(
        "Which region should be used? The agent asks for {region} ({name}), for: {title}.\n\n{world}\nAccount: {account}\n\n\
         The choice holds for {hours} hours. Choosing another region refuses this call.",
        name = region_name(region),
        title = call.spec().title,
        world = world(setting),
        account = account(setting),
        hours = rule.lifetime_hours.unwrap_or_default(),
    );
    let digest = digest_of(setting, &Bound { subject: &["region", region], history: "", text: &message });
    Question::new(rule.id.clone(), message, region_form(region), None, digest)
}

/// What the human is told beside the arguments.
#[derive(Clone, Copy, Default)]
pub(super) struct Beside<'b> {
    /// What the present state of what the call is about gives to mind. A yes is to this, too.
    pub(super) mind: &'b [String],
    /// What the rules advise of the call. It may change until the answer comes, so a yes isn't bound to it.
    pub(super) advice: &'b [String],
}

/// Whether exactly this call should be made: once more, if it was made at `before`.
pub(super) fn arguments(
    rule: &Confirm,
    call: &Call,
    shown: &MaskedCall,
    beside: Beside<'_>,
    history: &History,
    before: Option<Timestamp>,
    setting: &Setting<'_>,
) -> Question {
    let spec = call.spec();
    let again = before.map(again).unwrap_or_default();
    let mut message = again.clone();
    let _ = writeln!(message, "{}: {}\n\n{}", verb(spec.effect), spec.title, world(setting));
    let _ = writeln!(message, "Account: {}", account(setting));
    if let Some(region) = call.region() {
        let _ = writeln!(message, "Region: {region} ({})", region_name(region));
    }
    // A text of JSON is read line by line, like everything else.
    let request = call.tool().request();
    let shown = request.opened(Value::Object(shown.arguments().clone()));
    let given = request.opened(Value::Object(call.arguments().clone()));
    let mut leaves = Vec::new();
    for (name, value) in shown.as_object().into_iter().flatten() {
        if name != "RegionId" {
            flatten(name, value, &mut leaves);
        }
    }
    let mut mind: Vec<String> =
        leaves.iter().flat_map(|(path, value)| highlights(&rule.highlight, path, value)).collect();
    variables(request, &given, "", &mut |path, name| {
        mind.extend(pointed_out(&rule.variable, name).map(|say| format!("{path}: {say}")));
    });
    let handed: Vec<String> =
        leaves.iter().filter_map(|(path, value)| handed_over(history, path, value)).collect();
    let done_before = format!("{again}{}", handed.join("\n"));
    mind.extend(handed);
    mind.extend_from_slice(beside.mind);
    let mut rest = String::new();
    section(&mut rest, "Mind", &mind);
    let lines: Vec<String> = leaves.iter().map(|(path, value)| format!("{path}: {value}")).collect();
    section(&mut rest, "Arguments", &lines);
    let said = rule
        .note
        .iter()
        .filter(|note| note.tool == spec.name)
        .filter(|note| note.given.as_ref().is_none_or(|path| holds(&given, path)))
        .filter(|note| note.missing.as_ref().is_none_or(|path| !holds(&given, path)))
        .filter(|note| note.when.iter().all(|when| is_so(&given, when)))
        .map(|note| note.say.clone());
    let notes: Vec<String> =
        kept_back(hidden(&given, &shown), makes_job(call)).into_iter().chain(said).collect();
    section(&mut rest, "Note", &notes);
    // What must not be missed is asked about each time.
    let offer = if mind.is_empty() && before.is_none() { Offer::of(call, setting) } else { None };
    let digest = digest_of(
        setting,
        &Bound {
            subject: &["arguments", spec.name, &given.to_string()],
            history: &done_before,
            text: &with_offer(&format!("{message}{rest}"), offer.as_ref()),
        },
    );
    section(&mut message, "Warning", beside.advice);
    message.push_str(&rest);
    Question::new(rule.id.clone(), message, form(call), offer.map(Box::new), digest)
}

/// What destroys or reveals is agreed to by typing the id of what it is about, where it is about one thing
/// (R-PM-020, R-PM-022).
fn form(call: &Call) -> Form {
    let spec = call.spec();
    let subject = call.tool().subject().and_then(|argument| Some((argument, call.text(argument)?)));
    match (spec.effect, subject) {
        (Effect::Destroy | Effect::Reveal, Some((argument, id))) => {
            Form::TypeId { argument, id: id.to_owned() }
        }
        (
            Effect::Destroy
            | Effect::Reveal
            | Effect::Read
            | Effect::Untrusted
            | Effect::Create
            | Effect::Update
            | Effect::Act,
            _,
        ) => Form::Approve,
    }
}

/// What an argument is that is a handle, for nobody can tell by looking at it.
fn handed_over(history: &History, path: &str, shown: &str) -> Option<String> {
    let handle = shown.trim_matches('"').parse().ok()?;
    Some(match history.about(&handle) {
        Some(about) => format!("{path}: the secret that this session got as {about}"),
        None => format!("{path}: a handle that this session didn't get; it won't be taken"),
    })
}

/// The instant itself, not how long ago it was: the question stays the same until it is answered.
fn again(before: Timestamp) -> String {
    let at = before.strftime("%Y-%m-%d %H:%M:%S");
    format!("The same call was made at {at} UTC; this makes another one.\n\n")
}

/// Whether a person can be expected to read `question`.
///
/// # Errors
/// A refusal, when it is too long.
pub(super) fn readable(question: &Question) -> Result<(), Refusal> {
    if question.message().chars().count() <= LONGEST {
        return Ok(());
    }
    let text =
        format!("the question would have more than {LONGEST} characters, too many for a person to read");
    Err(Refusal::new(question.rule(), text).with(Fault::new(
        "",
        "the arguments are too long to be confirmed",
        "shorten them: put long commands into a script that is mounted, long settings into a file",
    )))
}

const fn verb(effect: Effect) -> &'static str {
    match effect {
        Effect::Read | Effect::Untrusted => "Read",
        Effect::Reveal => "Reveal",
        Effect::Create => "Create",
        Effect::Update => "Change",
        Effect::Act => "Act",
        Effect::Destroy => "Destroy",
    }
}

const fn world(setting: &Setting<'_>) -> &'static str {
    if setting.simulated { "Cloud: simulated, nothing real happens" } else { "Cloud: LIVE" }
}

/// The account as it is shown: the last four of its keyed hash.
fn account(setting: &Setting<'_>) -> String {
    let length = setting.account.chars().count();
    match length {
        0 => "not looked up".to_owned(),
        _ => format!("****{}", setting.account.chars().skip(length.saturating_sub(4)).collect::<String>()),
    }
}

fn region_name(region: &str) -> &str {
    REGIONS.iter().find(|(id, _)| *id == region).map_or(UNDOCUMENTED, |(_, name)| name)
}

fn section(message: &mut String, title: &str, lines: &[String]) {
    if !lines.is_empty() {
        let _ = write!(message, "\n{title}:\n");
        for line in lines {
            let _ = writeln!(message, "- {line}");
        }
    }
}

/// Every scalar in `value` with its path, texts quoted. Keys of free maps come from the agent, so they are
/// quoted where they aren't plain.
fn flatten(path: &str, value: &Value, leaves: &mut Vec<(String, String)>) {
    match value {
        Value::Object(object) if !object.is_empty() => {
            for (name, value) in object {
                flatten(&step(path, name), value, leaves);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, value) in items.iter().enumerate() {
                flatten(&format!("{path}[{index}]"), value, leaves);
            }
        }
        Value::String(text) => leaves.push((path.to_owned(), Quoted(text).to_string())),
        Value::Object(_) | Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {
            leaves.push((path.to_owned(), value.to_string()));
        }
    }
}

/// The path of what is called `name` below `path`.
fn step(path: &str, name: &str) -> String {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    match (plain, path) {
        (true, "") => name.to_owned(),
        (true, path) => format!("{path}.{name}"),
        (false, path) => format!("{path}[{}]", Quoted(name)),
    }
}

/// Calls `visit` with the place and the name of every environment variable in `value`: the keys of a map of
/// variables, and what is written as a pair of Key or Name and Value.
fn variables(shape: &Shape, value: &Value, path: &str, visit: &mut impl FnMut(String, &str)) {
    let shape = shape.inner();
    match (&shape.kind, value) {
        (Kind::Map(_), Value::Object(object)) if shape.mark == Some(Mark::EnvValues) => {
            object.keys().for_each(|name| visit(step(path, name), name));
        }
        (Kind::Object(_), Value::Object(object)) => {
            for (name, value) in object {
                if let (Value::String(variable), "Key" | "Name", Some(_)) =
                    (value, name.as_str(), shape.field("Value"))
                {
                    visit(step(path, name), variable);
                }
                if let Some(shape) = shape.field(name) {
                    variables(shape, value, &step(path, name), visit);
                }
            }
        }
        (Kind::Map(item), Value::Object(object)) => {
            object.iter().for_each(|(name, value)| variables(item, value, &step(path, name), visit));
        }
        (Kind::List(item), Value::Array(items)) => {
            for (index, value) in items.iter().enumerate() {
                variables(item, value, &format!("{path}[{index}]"), visit);
            }
        }
        (
            Kind::Object(_)
            | Kind::List(_)
            | Kind::Map(_)
            | Kind::Text
            | Kind::Integer
            | Kind::Number
            | Kind::Flag
            | Kind::Any,
            _,
        ) => {}
    }
}

/// What must not be missed about a variable of this name.
fn pointed_out<'r>(rules: &'r [Variable], name: &str) -> impl Iterator<Item = &'r str> {
    rules
        .iter()
        .filter(move |rule| rule.names.iter().any(|known| known.eq_ignore_ascii_case(name)))
        .map(|rule| rule.say.as_str())
}

/// Whether `value` has something at `path`, a path without indices.
pub(super) fn holds(value: &Value, path: &str) -> bool {
    leads_to(value, path, &|_| true)
}

pub(super) fn is_so(value: &Value, when: &When) -> bool {
    leads_to(value, &when.path, &|found| {
        let text = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
        let lower = text.to_lowercase();
        (when.is.is_empty() || when.is.contains(&text))
            && !when.not.contains(&text)
            && (when.starts.is_empty() || when.starts.iter().any(|start| lower.starts_with(start)))
            && when.above.as_ref().is_none_or(|other| is_above(found, value, other))
    }) && !leads_to(value, &when.path, &|found| {
        found.as_str().is_some_and(|text| when.lacks.iter().any(|lack| lack == text))
    })
}

/// Whether `number` is above the one that `path` leads to in `value`.
fn is_above(number: &Value, value: &Value, path: &str) -> bool {
    number.as_f64().is_some_and(|number| {
        leads_to(value, path, &|other| other.as_f64().is_some_and(|other| number > other))
    })
}

/// Whether `path`, a path without indices, leads from `value` to something that is `wanted`.
fn leads_to(value: &Value, path: &str, wanted: &dyn Fn(&Value) -> bool) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| leads_to(item, path, wanted)),
        Value::Object(object) => match path.split_once('.') {
            Some((first, rest)) => object.get(first).is_some_and(|value| leads_to(value, rest, wanted)),
            None => object.get(path).is_some_and(|found| {
                wanted(found) || found.as_array().is_some_and(|items| items.iter().any(wanted))
            }),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// How many values of `given` aren't shown as they are.
fn hidden(given: &Value, shown: &Value) -> usize {
    match (given, shown) {
        (Value::Object(given), Value::Object(shown)) => {
            given.iter().map(|(name, value)| shown.get(name).map_or(1, |shown| hidden(value, shown))).sum()
        }
        (Value::Array(given), Value::Array(shown)) if given.len() == shown.len() => {
            given.iter().zip(shown).map(|(given, shown)| hidden(given, shown)).sum()
        }
        _ => usize::from(given != shown),
    }
}

fn kept_back(hidden: usize, from_template: bool) -> Option<String> {
    match hidden {
        0 => None,
        1 if from_template => Some(
            "1 value is hidden here and is used as the agent gave it, or as the template has it".to_owned(),
        ),
        many if from_template => Some(format!(
            "{many} values are hidden here and are used as the agent gave them, or as the template has them"
        )),
        1 => Some("1 value is hidden here and is sent as the agent gave it".to_owned()),
        many => Some(format!("{many} values are hidden here and are sent as the agent gave them")),
    }
}

/// What must not be missed about a setting.
fn highlights(rules: &[Highlight], path: &str, value: &str) -> Vec<String> {
    let plain = without_indices(path);
    rules
        .iter()
        .filter(|rule| {
            names(&plain, &rule.path)
                && (rule.values.is_empty()
                    || rule.values.iter().any(|known| value.trim_matches('"') == known))
        })
        .map(|rule| format!("{path}: {}", rule.say))
        .collect()
}

/// Whether the whole steps of `path` stand somewhere in `plain`. It is asked of each argument for each rule, so
/// it allocates nothing.
fn names(plain: &str, path: &str) -> bool {
    let mut rest = Some(plain);
    while let Some(steps) = rest {
        if steps.strip_prefix(path).is_some_and(|after| after.is_empty() || after.starts_with('.')) {
            return true;
        }
        rest = steps.split_once('.').map(|(_, rest)| rest);
    }
    false
}

fn without_indices(path: &str) -> String {
    let mut inside = false;
    path.chars()
        .filter(|character| match character {
            '[' => {
                inside = true;
                false
            }
            ']' => {
                inside = false;
                false
            }
            _ => !inside,
        })
        .collect()
}
