//! Names that a cloud takes once: whether one is free, or has what is wanted already.
//!
//! What is looked up, and compared, each operation says itself ([`Unique`]). The reads are the policy's own.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::evidence::Evidence;
use super::plain::plain;
use super::refusal::Refusal;
use super::review::{Read, id, look};
use super::verdict::{Existing, Raw};
use crate::error::Fault;
use crate::spec::marks::Place;
use crate::spec::unique::Unique;
use crate::spec::{Call, Origin};
use crate::tools;

/// The name that `call` gives to what it makes, where the cloud takes each name once.
pub fn unique_name(call: &Call) -> Option<&str> {
    call.text(call.spec().unique()?.name)
}

/// What a call holds while it is under way, so that no other call makes the same: the name, or being the same
/// call. Nothing for a call that changes nothing.
pub(super) fn reservation(call: &Call, account: &str) -> Option<String> {
    if !call.spec().effect.changes() {
        return None;
    }
    let same = match unique_name(call) {
        Some(name) => name.to_owned(),
        None => Value::Object(call.arguments().clone()).to_string(),
    };
    Some(format!("{account}/{}/{}/{same}", call.region().unwrap_or_default(), call.tool().name()))
}

/// Where a name stands.
pub(super) enum NameState {
    /// Reads are missing.
    Unknown(Vec<Call>),
    /// Nobody has it.
    Free,
    /// What has it is what is wanted.
    Same(Same),
    /// What has it isn't as it is wanted: the differences.
    Other(Vec<Fault>),
    /// It can't be used, or can't be looked up.
    Refused(Refusal),
}

/// What has the name, and is as it is wanted.
pub(super) struct Same {
    unique: &'static Unique,
    reply: Value,
    uncompared: Vec<String>,
    hands_over: bool,
}

impl Same {
    /// As an answer to a call that wasn't made, because it exists.
    pub(super) fn found(self) -> Option<Existing> {
        let how = format!(
            "{} of this name exists with these settings; nothing was created",
            with_article(self.unique.noun)
        );
        self.existing(&how)
    }

    /// As an answer that says how it came to be there.
    pub(super) fn existing(self, how: &str) -> Option<Existing> {
        let Self { unique, reply, uncompared, hands_over } = self;
        let mut note = how.to_owned();
        if !uncompared.is_empty() {
            note += &format!("; the cloud doesn't show {}, so that isn't compared", uncompared.join(", "));
        }
        if hands_over {
            note += "; the secret that its creation gave isn't given again";
        }
        let tool = tools::find(unique.get)?;
        Some(Existing { tool, id: unique.list.id, reply: Raw::new(reply), note })
    }
}

/// The refusal of a create whose name something else has (R-WS-63).
pub(super) fn conflict(rule: &str, call: &Call, differences: Vec<Fault>) -> Refusal {
    let noun = call.spec().unique().map_or("thing", |unique| unique.noun);
    let text =
        format!("the name is taken by {} with other settings; nothing was created", with_article(noun));
    let mut refusal = Refusal::new(rule, text);
    refusal.violations = differences;
    refusal
}

/// Where the name that `call` wants stands, as far as `evidence` shows; `None` where its names aren't unique.
/// Refusals are in the name of `rule` (R-WS-58 to R-WS-63, R-PM-011, R-PM-047).
pub(super) fn name_state(rule: &str, call: &Call, evidence: &Evidence) -> Option<NameState> {
    let unique = call.spec().unique()?;
    let name = call.text(unique.name)?;
    let lookup = Lookup { unique, call, name, rule, evidence };
    Some(match lookup.state() {
        Ok(state) | Err(state) => state,
    })
}

/// The most pages that a list is searched through in one step; the reads of a step are counted.
const MOST_PAGES: u64 = 18;
/// The most characters of a setting that a sentence shows.
const LONGEST_SETTING: usize = 200;

/// What one page of a list says.
struct Page {
    rows: u64,
    total: u64,
    found: Option<String>,
}

/// One name being looked up. Where it can't go on, the error is the state that it ends in.
struct Lookup<'l> {
    unique: &'static Unique,
    call: &'l Call,
    name: &'l str,
    rule: &'l str,
    evidence: &'l Evidence,
}

impl<'l> Lookup<'l> {
    fn state(&self) -> Result<NameState, NameState> {
        let mut found = None;
        if let Some(check) = &self.unique.check {
            let (argument, value) = check.with;
            let read = [(self.unique.name, self.name.into()), (argument, value.into())];
            let reply = self.read(check.tool, read)?;
            match self.total(reply) {
                Some(0) => return Ok(NameState::Free),
                Some(_) => found = self.id_in(reply),
                None => return Err(self.unreadable("can't be read")),
            }
        }
        let id = match found {
            Some(id) => Some(id),
            None => self.search()?,
        };
        match (id, self.unique.check) {
            (Some(id), _) => {
                let reply = self.read(self.unique.get, [(self.unique.list.id, id.into())])?;
                Ok(self.compare(reply))
            }
            (None, None) => Ok(NameState::Free),
            (None, Some(_)) => Ok(NameState::Refused(self.unseen())),
        }
    }

    /// The reply of a read of the policy's own.
    fn read<const N: usize>(
        &self,
        tool: &str,
        arguments: [(&str, Value); N],
    ) -> Result<&'l Value, NameState> {
        match look(self.asking(tool, arguments), self.evidence) {
            Read::Reply(reply) => Ok(reply),
            Read::Needed(call) => Err(NameState::Unknown(vec![call])),
            Read::Failed(refusal) => Err(NameState::Refused(refusal)),
        }
    }

    fn asking<const N: usize>(&self, tool: &str, arguments: [(&str, Value); N]) -> Option<Call> {
        let region = self.call.region().map(|region| ("RegionId", Value::from(region)));
        let arguments: Map<String, Value> =
            region.into_iter().chain(arguments).map(|(name, value)| (name.to_owned(), value)).collect();
        tools::find(tool)?.parse(&arguments).ok().map(|call| call.by(Origin::Policy))
    }

    /// The id of what is called exactly so: a list's filter finds parts of names too. Once the first page says
    /// how many there are, the others are read together. Where the list can't be read to its end, nobody can say
    /// that the name is free.
    fn search(&self) -> Result<Option<String>, NameState> {
        let first = self.page(self.read_page(1).map_err(|missing| NameState::Unknown(vec![missing]))?)?;
        if first.found.is_some() {
            return Ok(first.found);
        }
        let mut shown = first.rows;
        let mut missing = Vec::new();
        for page in 2..=self.pages(&first)? {
            match self.read_page(page) {
                Ok(reply) => {
                    let page = self.page(reply)?;
                    if page.found.is_some() {
                        return Ok(page.found);
                    }
                    shown = shown.saturating_add(page.rows);
                }
                Err(call) => missing.push(call),
            }
        }
        match missing.is_empty() {
            true if shown < first.total => Err(self.unreadable("shows fewer than it counts")),
            true => Ok(None),
            false => Err(NameState::Unknown(missing)),
        }
    }

    /// How many pages the list has: by the rows that a page holds, which may be fewer than were asked for.
    fn pages(&self, first: &Page) -> Result<u64, NameState> {
        if first.total <= first.rows {
            let more = first.total < first.rows || first.rows > self.unique.list.size;
            return if more { Err(self.unreadable("counts fewer than it shows")) } else { Ok(1) };
        }
        let pages = match first.rows {
            0 => return Err(self.unreadable("shows fewer than it counts")),
            rows => first.total.div_ceil(rows),
        };
        if pages <= MOST_PAGES {
            return Ok(pages);
        }
        let noun = self.unique.noun;
        let text = format!(
            "there are too many to look through: whether {} of this name exists can't be told",
            with_article(noun)
        );
        Err(NameState::Refused(Refusal::new(self.rule, text).with(Fault::new(
            self.unique.name,
            "can't be looked up",
            format!(
                "tell the user; they can create the {noun} themselves, or remove what isn't needed any more"
            ),
        ))))
    }

    /// One page of the list; the call itself where it has to be read first.
    fn read_page(&self, page: u64) -> Result<Result<&'l Value, Refusal>, Call> {
        let list = &self.unique.list;
        let (number, size) = list.page;
        let pages = [(number, page.into()), (size, list.size.into())];
        let call = if list.by_name {
            let [number, size] = pages;
            self.asking(list.tool, [(self.unique.name, self.name.into()), number, size])
        } else {
            self.asking(list.tool, pages)
        };
        match look(call, self.evidence) {
            Read::Reply(reply) => Ok(Ok(reply)),
            Read::Needed(call) => Err(call),
            Read::Failed(refusal) => Ok(Err(refusal)),
        }
    }

    /// What a page says, if it is one.
    fn page(&self, read: Result<&'l Value, Refusal>) -> Result<Page, NameState> {
        let reply = read.map_err(NameState::Refused)?;
        let rows = reply.get(self.unique.list.rows).and_then(Value::as_array).map(Vec::len);
        match (rows.and_then(|rows| u64::try_from(rows).ok()), self.total(reply)) {
            (Some(rows), Some(total)) => Ok(Page { rows, total, found: self.id_in(reply) }),
            (None, _) | (_, None) => Err(self.unreadable("can't be read")),
        }
    }

    fn unreadable(&self, how: &str) -> NameState {
        let text = format!("the cloud's answer about this name {how}");
        NameState::Refused(
            Refusal::new(self.rule, text)
                .with(Fault::new(
                    self.unique.name,
                    "can't be looked up",
                    "call again in a moment; if it stays so, tell the user",
                ))
                .retryable(),
        )
    }

    fn total(&self, reply: &Value) -> Option<u64> {
        let total = reply.get(self.unique.list.total)?;
        total.as_u64().or_else(|| total.as_str()?.parse().ok())
    }

    fn id_in(&self, reply: &Value) -> Option<String> {
        let list = &self.unique.list;
        let rows = reply.get(list.rows)?.as_array()?;
        let named = |row: &&Value| row.get(list.name).and_then(Value::as_str) == Some(self.name);
        id(rows.iter().find(named)?, list.id)
    }

    fn unseen(&self) -> Refusal {
        let text =
            format!("the name is taken by {} that this account can't see", with_article(self.unique.noun));
        Refusal::new(self.rule, text).with(Fault::new(
            self.unique.name,
            "is in use",
            "ask the user for another name",
        ))
    }

    /// Whether what has the name is what is wanted (R-WS-61): lists as sets, the rest exactly, and only what was
    /// given.
    fn compare(&self, existing: &Value) -> NameState {
        let Unique { noun, name, compared, get, .. } = *self.unique;
        let mut differences = Vec::new();
        let shape = tools::find(get).map(|tool| tool.reply());
        for argument in compared {
            let Some(wanted) = self.call.arguments().get(*argument) else { continue };
            let found = existing.get(*argument).unwrap_or(&Value::Null);
            if agrees(wanted, found) {
                continue;
            }
            let label = shape.and_then(|shape| shape.field(argument)?.label.as_deref()).unwrap_or(argument);
            let open = self.call.tool().request().field(argument).is_some_and(|shape| shape.open);
            let (found, wanted) = match open {
                true => differing(found, wanted),
                false => (in_words(&asked_for(wanted, found)), in_words(wanted)),
            };
            differences.push(Fault::new(
                *argument,
                format!("{label} is {found:?} in the existing {noun}, {wanted:?} was asked for"),
                format!("ask the user for another {name}, or for these settings"),
            ));
        }
        if differences.is_empty() {
            NameState::Same(Same {
                unique: self.unique,
                reply: existing.clone(),
                uncompared: self.uncompared(),
                hands_over: self.call.tool().reply().hands_over(),
            })
        } else {
            NameState::Other(differences)
        }
    }

    /// What was asked for and no reply shows.
    fn uncompared(&self) -> Vec<String> {
        let Unique { name, compared, .. } = *self.unique;
        let request = self.call.tool().request();
        let travels = |argument: &str| {
            request.field(argument).is_some_and(|shape| matches!(shape.place, Place::Wire | Place::Query))
        };
        let given = self.call.arguments().keys().map(String::as_str);
        given
            .filter(|argument| *argument != name && !compared.contains(argument) && travels(argument))
            .map(str::to_owned)
            .collect()
    }
}

fn with_article(noun: &str) -> String {
    let article = if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {noun}")
}

/// Whether `found` has everything that `wanted` asks for: lists as sets, objects by the fields given, instants as
/// instants. What was left empty agrees with nothing.
fn agrees(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::Array(wanted), Value::Array(found)) => {
            let set = |items: &[Value]| items.iter().map(Value::to_string).collect::<BTreeSet<_>>();
            set(wanted) == set(found)
        }
        (Value::Object(wanted), Value::Object(found)) => {
            wanted.iter().all(|(name, wanted)| found.get(name).is_some_and(|found| agrees(wanted, found)))
        }
        (Value::String(wanted), Value::String(found)) => {
            let instant = |text: &str| text.parse::<Timestamp>().ok();
            wanted == found || instant(wanted).is_some_and(|wanted| instant(found) == Some(wanted))
        }
        (Value::Number(wanted), Value::Number(found)) => wanted.as_f64() == found.as_f64(),
        (Value::String(wanted), Value::Null) => wanted.is_empty(),
        (Value::Bool(_) | Value::Null, _) => wanted == found,
        (Value::Array(_) | Value::Object(_) | Value::String(_) | Value::Number(_), _) => false,
    }
}

/// Settings that no type describes, as a sentence shows what is different in them: any text may be a secret.
fn differing(found: &Value, wanted: &Value) -> (String, String) {
    let word = |value: &Value| match value {
        Value::Null => "not set".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(_) | Value::Array(_) | Value::Object(_) => "something else".to_owned(),
    };
    let mut words = (Vec::new(), Vec::new());
    for (name, wanted) in wanted.as_object().into_iter().flatten() {
        let found = found.get(name).unwrap_or(&Value::Null);
        if !agrees(wanted, found) {
            words.0.push(format!("{name} {}", word(found)));
            words.1.push(format!("{name} {}", word(wanted)));
        }
    }
    (in_words(&words.0.join(", ").into()), in_words(&words.1.join(", ").into()))
}

/// What of `found` was asked for: a reply may hold more beside it, which nobody is to see here.
fn asked_for(wanted: &Value, found: &Value) -> Value {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => Value::Object(
            wanted
                .iter()
                .filter_map(|(name, wanted)| Some((name.clone(), asked_for(wanted, found.get(name)?))))
                .collect(),
        ),
        (Value::Array(_), Value::Array(found)) => {
            found.iter().filter(|item| !item.is_object() && !item.is_array()).cloned().collect()
        }
        (_, Value::Object(_) | Value::Array(_)) => Value::Null,
        (_, found) => found.clone(),
    }
}

/// A setting as a sentence shows it: plain, and no longer than can be read.
fn in_words(value: &Value) -> String {
    let words = words(value);
    let (plain, _) = plain(&words);
    let mut shown: String = plain.chars().take(LONGEST_SETTING).collect();
    if shown.len() < plain.len() {
        shown.push('…');
    }
    shown
}

fn words(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            items.iter().map(words).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ")
        }
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| format!("{name} {}", words(value)))
            .collect::<Vec<_>>()
            .join(", "),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}
