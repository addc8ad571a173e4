//! Masking: what a reply, an answer, a refusal or an error may show.
//!
//! A reply is an allow-list: the [`Shape`] of the tool's reply type says which fields exist, how each is
//! masked and under which name it is shown. What isn't in the shape is dropped, and counted.
//!
//! A text of a reply is one of three. A personal or secret one is masked by its mark. An exact one, such as an
//! identifier, is shown as it is but for what has the form of a credential: a byte less and it wouldn't be the one
//! that was listed. All else is free text: stripped of what acts on a terminal or can't be seen, and swept of every
//! personal or secret value seen so far as well. What strangers may have written is bounded and labelled besides. A
//! refusal is words of many origins and swept whole.
//!
//! Nobody else makes a [`Masked`]:
//!
//! ```compile_fail,E0451
//! let forged = redline_mcp::policy::mask::Masked {
//!     body: serde_json::json!({"UserId": "1095312831785714"}),
//!     is_error: false,
//!     redactions: Default::default(),
//!     untrusted: Vec::new(),
//! };
//! ```

mod handing;
mod paging;
mod remarks;
mod request;
mod untrusted;
mod view;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::hand_over::Deposit;
use super::refusal::Refusal;
use super::remarks::Remarks;
use super::sweep::Seen;
use super::verdict::{CloudError, Existing, Raw};
use crate::spec::marks::{Kind, Mark, Shape};
use crate::spec::value::Detail;
use crate::spec::{Call, Tool};
use handing::{Hands, long_steps, may_grant};
use remarks::{readiness, with_remarks};
use untrusted::Texts;
use view::View;

/// What an empty or absent masked value shows (R-WS-27).
const EMPTY: &str = "N/A";
/// What a hidden value shows in requests.
const HIDDEN: &str = "****";

/// What may leave the process. Its one maker is `mask::mask`.
#[derive(Debug, PartialEq)]
pub struct Masked {
    body: Value,
    is_error: bool,
    redactions: BTreeMap<String, u64>,
    untrusted: Vec<String>,
}

impl Masked {
    /// The content: an object.
    pub const fn body(&self) -> &Value {
        &self.body
    }

    /// Whether it tells of a refusal or a failure.
    pub const fn is_error(&self) -> bool {
        self.is_error
    }

    /// How many values were masked, by mask; fields dropped as `dropped`, texts swept as `swept`, characters that
    /// act or can't be seen as `stripped`.
    pub const fn redactions(&self) -> &BTreeMap<String, u64> {
        &self.redactions
    }

    /// The paths of what strangers may have written, without indices.
    pub fn untrusted(&self) -> &[String] {
        &self.untrusted
    }
}

/// What may be shown, and the secrets whose handles it holds: they must be in the vault before it is shown.
#[derive(Debug)]
pub struct Shown {
    /// What may be shown.
    pub masked: Masked,
    /// The secrets that a person gets elsewhere.
    pub deposits: Vec<Deposit>,
}

/// What tells how a person gets what was handed over.
const HANDED_OVER: &str = "handed_over";
/// What holds a reply beside the failure that it tells of.
const RESULT: &str = "result";

/// What tells whom a link is for.
const FOR_THE_USER: &str = "for_the_user";

/// What is to be shown.
pub enum Disclosure<'d> {
    /// A cloud's reply to a call, and what is told beside it.
    Reply(&'d Call, &'d Raw, &'d Remarks),
    /// Something that exists already.
    Existing(&'d Existing),
    /// A refusal.
    Refusal(&'d Refusal),
    /// A failure, with the cloud's reply to the call that says what became of each part.
    Partial(&'d Call, &'d Refusal, &'d Raw),
    /// A failure of our own after the cloud's reply, whose secrets nobody can have.
    Unkept(&'d Call, &'d Refusal, &'d Raw),
}

/// A call's arguments as they may be shown: to the human who is asked, in previews and in the audit.
pub struct MaskedCall {
    tool: &'static Tool,
    arguments: Map<String, Value>,
}

impl MaskedCall {
    /// The tool called.
    pub const fn tool(&self) -> &'static Tool {
        self.tool
    }

    /// The arguments, secrets hidden.
    pub const fn arguments(&self) -> &Map<String, Value> {
        &self.arguments
    }
}

/// How secrets of a reply are handed over.
#[derive(Debug, Clone, Copy)]
pub struct HandOver<'h> {
    /// What handles are made with.
    pub key: &'h [u8],
    /// The command with which a person has one printed, `HANDLE` standing for it.
    pub command: &'h str,
}

/// Masks and sweeps what is to be shown, once it has learned from it what to sweep.
pub(super) fn mask(disclosure: &Disclosure<'_>, hand_over: HandOver<'_>, seen: &mut Seen) -> Shown {
    let mut redactions = BTreeMap::new();
    let mut deposits = Vec::new();
    let mut texts = Texts::default();
    let (body, is_error) = match disclosure {
        Disclosure::Reply(call, raw, remarks) => {
            texts = Texts::of(call.tool(), "");
            let shown = reply(call, raw, Some(hand_over), seen, &mut redactions, &mut deposits, &mut texts);
            (with_remarks(call, raw, shown, remarks, seen, &mut redactions), false)
        }
        Disclosure::Existing(existing) => {
            note(existing.tool.reply(), existing.reply.open(), seen);
            texts = Texts::of(existing.tool, label(existing).map_or("existing", |_| "Existing"));
            let mut shown = View::new(seen, true, &mut redactions, None, &mut texts)
                .show(existing.tool.reply(), existing.reply.open());
            if let Value::Object(shown) = &mut shown {
                readiness(existing.tool, existing.reply.open(), shown);
            }
            (already(existing, shown), false)
        }
        Disclosure::Refusal(refusal) => (words(refusal, seen, &mut redactions), true),
        Disclosure::Partial(call, refusal, raw) | Disclosure::Unkept(call, refusal, raw) => {
            texts = Texts::of(call.tool(), RESULT);
            let kept = match disclosure {
                Disclosure::Unkept(..) => None,
                Disclosure::Reply(..)
                | Disclosure::Existing(_)
                | Disclosure::Refusal(_)
                | Disclosure::Partial(..) => Some(hand_over),
            };
            let shown = reply(call, raw, kept, seen, &mut redactions, &mut deposits, &mut texts);
            let mut body = words(refusal, seen, &mut redactions);
            if let Value::Object(body) = &mut body {
                body.insert(RESULT.to_owned(), shown);
            }
            (body, true)
        }
    };
    let body = with_handles(body, hand_over.command, &deposits);
    let (body, untrusted) = texts.label(body);
    Shown { masked: Masked { body, is_error, redactions, untrusted }, deposits }
}

/// A reply as it may be shown; what is handed over goes to `deposits`, and is left out where nothing can be.
fn reply(
    call: &Call,
    raw: &Raw,
    hand_over: Option<HandOver<'_>>,
    seen: &mut Seen,
    redactions: &mut BTreeMap<String, u64>,
    deposits: &mut Vec<Deposit>,
    texts: &mut Texts,
) -> Value {
    let tool = call.tool();
    note(tool.reply(), raw.open(), seen);
    // A read hands nothing over: nobody agreed to it.
    let agreed = hand_over.filter(|_| tool.spec().effect.changes());
    let hands = agreed.map(|hand_over| Hands::new(hand_over.key, tool.name()));
    let mut view = View::new(seen, wants_full(call), redactions, hands, texts);
    let mut shown = view.show(tool.reply(), raw.open());
    deposits.extend(view.into_deposits());
    if let (Value::Object(shown), true) = (&mut shown, redactions.contains_key(Mark::Link.name())) {
        let text =
            "Whoever has this link gets in while it is good: give it to the user, and write it nowhere else.";
        shown.insert(FOR_THE_USER.to_owned(), text.into());
    }
    shown
}

/// `body`, with what its handles are for.
fn with_handles(mut body: Value, command: &str, deposits: &[Deposit]) -> Value {
    if let (Value::Object(body), false) = (&mut body, deposits.is_empty()) {
        let text = format!(
            "A handle stands for a secret that isn't shown here. The user reads it with `{command}` in a terminal on \
             the server's machine, within the hour; in this session, a tool takes the handle where it takes a secret."
        );
        body.insert(HANDED_OVER.to_owned(), text.into());
    }
    body
}

/// What exists already as an answer: in the words of its reply, which are either natural language or the wire's.
fn already(existing: &Existing, shown: Value) -> Value {
    let label = label(existing);
    let name = label.unwrap_or(existing.id);
    let id = shown.get(name).cloned().unwrap_or(Value::Null);
    let note = &existing.note;
    match label {
        Some(_) => json!({ name: id, "Already Existed": true, "Note": note, "Existing": shown }),
        None => json!({ name: id, "already_existed": true, "note": note, "existing": shown }),
    }
}

/// The natural-language name of the id of what exists, if its reply speaks so.
fn label(existing: &Existing) -> Option<&str> {
    existing.tool.reply().field(existing.id)?.label.as_deref()
}

fn words(refusal: &Refusal, seen: &Seen, redactions: &mut BTreeMap<String, u64>) -> Value {
    seen.sweep_value(serde_json::to_value(refusal).unwrap_or_default(), redactions)
}

fn wants_full(call: &Call) -> bool {
    let local = call.arguments().get("detail").cloned();
    matches!(local.and_then(|detail| serde_json::from_value(detail).ok()), Some(Detail::Full))
}

/// Notes whom a cloud's error names, so that they are swept out of its words too.
pub(super) fn note_principals(error: &CloudError, seen: &mut Seen) {
    for name in error.denial.iter().flat_map(|denial| &denial.principal) {
        each_scalar(name.open(), &mut |text| seen.note(text));
    }
}

/// Notes every personal and secret value of a reply, shown or not, so that it is swept elsewhere. Where a
/// reply doesn't have the form that `shape` has, all that stands in place of masked fields is noted.
pub(super) fn note(shape: &Shape, value: &Value, seen: &mut Seen) {
    if let Some((inner, value)) = shape.inside(value) {
        return note(inner, &value, seen);
    }
    match (shape.mark, &shape.kind, value) {
        (Some(Mark::Last4 | Mark::First), _, _) => each_scalar(value, &mut |text| seen.note(text)),
        (Some(Mark::Omit | Mark::HandOver), _, _) => {
            each_scalar(value, &mut |text| seen.note_secret(text));
        }
        (Some(Mark::UrlToken | Mark::Link), _, _) => each_scalar(value, &mut |link| note_link(link, seen)),
        (Some(Mark::PlainLink), _, _) => each_scalar(value, &mut |link| {
            if may_grant(link) {
                note_link(link, seen);
            }
        }),
        (Some(Mark::EnvValues | Mark::EnvValue), _, _) => {
            each_scalar(value, &mut |text| seen.note_setting(text));
        }
        (Some(Mark::Joined), _, _) => {}
        (None, Kind::Object(fields), Value::Object(object)) => {
            for (name, shape) in fields {
                if let Some(value) = object.get(name) {
                    note(shape, value, seen);
                }
            }
        }
        (None, Kind::List(item), Value::Array(items)) => {
            items.iter().for_each(|value| note(item, value, seen))
        }
        (None, Kind::Map(item), Value::Object(object)) => {
            object.values().for_each(|value| note(item, value, seen));
        }
        (None, Kind::List(item) | Kind::Map(item), _) => note(item, value, seen),
        (None, Kind::Object(_), Value::Array(items)) => {
            items.iter().for_each(|value| note(shape, value, seen))
        }
        (None, Kind::Object(fields), _) => fields.iter().for_each(|(_, shape)| note(shape, value, seen)),
        (None, Kind::Text | Kind::Integer | Kind::Number | Kind::Flag | Kind::Any, _) => {}
    }
}

/// Notes a link that grants access, and each value in it that is long enough to be what grants it.
fn note_link(link: &str, seen: &mut Seen) {
    const LEAST: usize = 8;
    seen.note_secret(link);
    let values =
        link.split(['?', '&', '#']).skip(1).map(|pair| pair.split_once('=').map_or(pair, |(_, value)| value));
    values
        .filter(|value| value.len() >= LEAST)
        .chain(long_steps(link))
        .for_each(|value| seen.note_secret(value));
}

fn each_scalar(value: &Value, visit: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => visit(text),
        Value::Number(number) => visit(&number.to_string()),
        Value::Array(items) => items.iter().for_each(|value| each_scalar(value, visit)),
        Value::Object(object) => object.values().for_each(|value| each_scalar(value, visit)),
        Value::Null | Value::Bool(_) => {}
    }
}

/// What a tool's masked reply looks like, as a JSON schema.
pub fn schema(tool: &Tool) -> Value {
    shown_schema(tool.reply())
}

fn shown_schema(shape: &Shape) -> Value {
    match (shape.mark, &shape.kind) {
        (
            Some(
                Mark::Last4
                | Mark::First
                | Mark::Joined
                | Mark::HandOver
                | Mark::UrlToken
                | Mark::Link
                | Mark::PlainLink,
            ),
            _,
        ) => json!({ "type": "string" }),
        (Some(Mark::EnvValues), _) => {
            json!({ "type": "object", "additionalProperties": { "type": "string" } })
        }
        (None, Kind::Any) if shape.open => json!({ "type": "object" }),
        (Some(Mark::Omit | Mark::EnvValue), _) | (None, Kind::Any) => Value::Null,
        (None, Kind::Text) => json!({ "type": "string" }),
        (None, Kind::Integer) => json!({ "type": "integer" }),
        (None, Kind::Number) => json!({ "type": "number" }),
        (None, Kind::Flag) => json!({ "type": "boolean" }),
        (None, Kind::List(item)) => json!({ "type": "array", "items": shown_schema(item) }),
        (None, Kind::Map(item)) => match shown_schema(item) {
            Value::Null => Value::Null,
            values => json!({ "type": "object", "additionalProperties": values }),
        },
        (None, Kind::Object(fields)) => {
            let mut properties: Map<String, Value> = fields
                .iter()
                .map(|(name, shape)| {
                    (shape.label.clone().unwrap_or_else(|| name.clone()), shown_schema(shape))
                })
                .filter(|(_, schema)| !schema.is_null())
                .collect();
            if fields.iter().any(|(_, shape)| shape.outcome) {
                properties.insert(view::OUTCOME.to_owned(), json!({ "type": "string" }));
            }
            json!({ "type": "object", "properties": properties })
        }
    }
}

/// The last four characters, or none of a text that short (R-WS-10).
fn last4(text: &str) -> String {
    let length = text.chars().count();
    match length {
        0 => EMPTY.to_owned(),
        1..=4 => HIDDEN.to_owned(),
        _ => text.chars().skip(length - 4).fold(HIDDEN.to_owned(), |mut shown, character| {
            shown.push(character);
            shown
        }),
    }
}

/// The first character; of an account, the domain goes too (R-WS-12, R-WS-13).
fn first(text: &str) -> String {
    text.chars().next().map_or_else(|| EMPTY.to_owned(), |character| format!("{character}***"))
}

/// The arguments of `call` as they may be recorded and previewed.
pub(super) fn mask_call(call: &Call, seen: &Seen) -> MaskedCall {
    masked_call(call, Some(seen))
}

/// The arguments of `call` as they are shown to the human who is asked: secret fields are hidden, and nothing is
/// swept. The agent wrote these texts, so they tell it nothing; a sweep would let it hide a part of a command
/// from the one who agrees to it, behind `token=` or somebody's name.
pub(super) fn ask_call(call: &Call) -> MaskedCall {
    masked_call(call, None)
}

fn masked_call(call: &Call, seen: Option<&Seen>) -> MaskedCall {
    let shown = request::hide(call.tool().request(), &Value::Object(call.arguments().clone()), seen);
    let arguments = match shown {
        Value::Object(arguments) => arguments,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    };
    MaskedCall { tool: call.tool(), arguments }
}
