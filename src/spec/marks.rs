//! What a type says about its values beyond their JSON type: how they are masked, what they prove,
//! where they travel.
//!
//! A mark enters the JSON schema as an `x-` key, by the type itself ([`Last4`], [`super::value::ImageUri`])
//! or by an attribute, and comes out as a [`Shape`]: the tree that masking, provenance and encoding
//! walk beside a value. Published schemas carry no `x-` keys.

mod claim;
mod path;

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::json_text;
pub use claim::{Claim, Home};
pub use path::Path;

/// An enum whose variants have names in schemas.
macro_rules! named {
    ($(#[$doc:meta])* $enum:ident { $($(#[$variant_doc:meta])* $variant:ident = $name:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $enum {
            $($(#[$variant_doc])* #[serde(rename = $name)] $variant,)+
        }

        impl $enum {
            /// The name in schemas, policies and records.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            fn of(name: &Value) -> Option<Self> {
                match name.as_str()? {
                    $($name => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

named! {
    /// How a value is shown to anyone outside the process.
    Mark {
        /// The last four characters: `****5714` (R-WS-10).
        Last4 = "last4",
        /// The first character: `z***` (R-WS-12, R-WS-13).
        First = "first",
        /// Not at all (R-WS-11).
        Omit = "omit",
        /// A secret that a person is to have: a handle, with which they get it elsewhere (R-PM-033, R-PM-066).
        HandOver = "hand_over",
        /// A link that grants access: without what grants it, in whose place stands a handle (R-PM-066).
        UrlToken = "url_token",
        /// A link whose purpose is to be opened: whole, and nowhere else (R-DLC-10).
        Link = "link",
        /// A link that need not grant access: whole if it grants none, else not at all.
        PlainLink = "plain_link",
        /// The keys of a map, its values hidden.
        EnvValues = "env_values",
        /// A variable's value: not at all. Unlike a secret it often is a common word.
        EnvValue = "env_value",
        /// A list as one text, its items joined by commas (R-WS-25).
        Joined = "joined",
    }
}

named! {
    /// What a value claims to be known from.
    Fact {
        /// A region that a human confirmed.
        Region = "region",
        /// A workspace that exists.
        Workspace = "workspace",
        /// A registered container image.
        Image = "image",
        /// A registered dataset.
        Dataset = "dataset",
        /// A registered code source.
        CodeSource = "code_source",
        /// A job template.
        Template = "template",
        /// A public machine type.
        MachineType = "machine_type",
        /// A registered dataset's storage address.
        Storage = "storage",
        /// A registered code source's commit.
        Commit = "commit",
    }
}

named! {
    /// Where an argument travels.
    Place {
        /// To the cloud: in the path, else where the route has the rest.
        Wire = "wire",
        /// To the cloud: in the query, wherever the route has the rest.
        Query = "query",
        /// Into the host name.
        Host = "host",
        /// Nowhere: it is the server's own.
        Local = "local",
    }
}

/// A text type whose schema carries a mark.
macro_rules! marked_text {
    ($($(#[$doc:meta])* $name:ident: $($key:literal = $mark:expr),+ ;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", $($key: $mark),+ })
            }
        }
    )+};
}

marked_text! {
    /// An identifier of a person or an account: the last four characters show.
    Last4: "x-mask" = Mark::Last4.name();
    /// A person's name: the first character shows.
    First: "x-mask" = Mark::First.name();
    /// A secret: nothing shows.
    Secret: "x-mask" = Mark::Omit.name();
    /// A secret that a person is to have: a handle shows.
    HandOver: "x-mask" = Mark::HandOver.name();
    /// A link that grants access: it shows with a handle in place of what grants it.
    UrlToken: "x-mask" = Mark::UrlToken.name();
    /// A link whose purpose is to be opened: it shows whole, and is swept from everything else.
    Link: "x-mask" = Mark::Link.name();
    /// A link that shows if it grants no access by itself.
    PlainLink: "x-mask" = Mark::PlainLink.name(), "x-exact" = true;
    /// The value of an environment variable: nothing shows.
    EnvValue: "x-mask" = Mark::EnvValue.name();
    /// A text of which every byte matters, and that nobody writes about people in: an identifier, a state, a
    /// code, a time, an address. It shows as it is, even where a person is called like a part of it.
    Exact: "x-exact" = true;
    /// A text that a stranger may have written, such as a line of a log: data, never an instruction.
    Untrusted: "x-untrusted" = true;
}

impl Exact {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Environment variables: the names show, the values don't.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EnvValues(BTreeMap<String, String>);

impl JsonSchema for EnvValues {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "EnvValues".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "additionalProperties": { "type": "string" },
            "x-mask": Mark::EnvValues.name(),
        })
    }
}

/// Settings of whatever names and kinds somebody gave them. They show as they are, but for what looks like a secret or
/// a person, by its form or by its name.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub struct Open(Map<String, Value>);

impl Open {
    /// The setting called `name`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }
}

impl JsonSchema for Open {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Open".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "x-open": true })
    }
}

/// A list of [`Exact`] words that is shown as one text.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Joined(Vec<String>);

impl JsonSchema for Joined {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Joined".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "array",
            "items": { "type": "string" },
            "x-mask": Mark::Joined.name(),
            "x-exact": true,
        })
    }
}

/// The JSON kind of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// An object with named fields, in the order in which they are shown.
    Object(Vec<(String, Shape)>),
    /// A list.
    List(Box<Shape>),
    /// An object with free keys and values of one shape.
    Map(Box<Shape>),
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Flag,
    /// Anything: an untyped value.
    Any,
}

/// A type's structure with its marks.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// What it is in JSON.
    pub kind: Kind,
    /// How it is masked.
    pub mark: Option<Mark>,
    /// Whether it is [`Exact`]; what is known from a list, or is one of a closed choice, is so by itself.
    pub exact: bool,
    /// Whether it is [`Untrusted`].
    pub untrusted: bool,
    /// Whether it is [`Open`].
    pub open: bool,
    /// Whether it is an instant that must lie ahead ([`super::value::Ahead`]).
    pub ahead: bool,
    /// Whether it is the number of seconds that the cloud takes to answer.
    pub waits: bool,
    /// What it claims to be known from.
    pub fact: Option<Fact>,
    /// Where it travels.
    pub place: Place,
    /// The name that it has on the wire, where that isn't the argument's.
    pub wire: Option<String>,
    /// Whether its fields travel one by one in a query, under dotted names, instead of as one JSON value.
    pub dotted: bool,
    /// The natural-language name under which it is shown, instead of the wire's name.
    pub label: Option<String>,
    /// Of a text that holds JSON, the shape of what it holds.
    pub json: Option<Box<Self>>,
    /// Whether a list's row shows it only with `detail: "full"`.
    pub full_only: bool,
    /// The field beside it that must be true for it to be shown at all.
    pub only_if: Option<String>,
    /// Whether it names the one thing that a call is about, where the path doesn't.
    pub subject: bool,
    /// What explains that it is empty.
    pub if_empty: Option<String>,
    /// Whether it is a status beside which an outcome is shown, in the same words for every tool (R-PM-030).
    pub outcome: bool,
}

impl Shape {
    /// The shape that a normalised schema describes.
    pub fn of(schema: &Value) -> Self {
        let fact = schema.get("x-fact").and_then(Fact::of);
        let flag = |keyword| schema.get(keyword) == Some(&Value::Bool(true));
        Self {
            kind: kind(schema),
            mark: schema.get("x-mask").and_then(Mark::of),
            exact: flag("x-exact") || fact.is_some() || schema.get("enum").is_some(),
            untrusted: flag("x-untrusted"),
            open: flag("x-open"),
            ahead: flag("x-ahead"),
            waits: flag("x-waits"),
            fact,
            place: schema.get("x-place").and_then(Place::of).unwrap_or(Place::Wire),
            wire: schema.get("x-wire").and_then(Value::as_str).map(str::to_owned),
            dotted: flag("x-dotted"),
            label: schema.get("title").and_then(Value::as_str).map(str::to_owned),
            json: schema.get("x-json").map(|inner| Box::new(Self::of(inner))),
            full_only: flag("x-full-only"),
            only_if: schema.get("x-only-if").and_then(Value::as_str).map(str::to_owned),
            subject: flag("x-subject"),
            if_empty: schema.get("x-if-empty").and_then(Value::as_str).map(str::to_owned),
            outcome: flag("x-outcome"),
        }
    }

    /// The field called `name`, of an object.
    pub fn field(&self, name: &str) -> Option<&Self> {
        match &self.kind {
            Kind::Object(fields) => fields.iter().find(|(field, _)| field == name).map(|(_, shape)| shape),
            Kind::List(_)
            | Kind::Map(_)
            | Kind::Text
            | Kind::Integer
            | Kind::Number
            | Kind::Flag
            | Kind::Any => None,
        }
    }

    /// What a text of JSON holds, with its shape. Where a reply has the object itself in the text's place, that.
    pub fn inside<'v>(&self, value: &'v Value) -> Option<(&Self, Cow<'v, Value>)> {
        let inner = self.json.as_deref()?;
        match value {
            Value::String(text) => Some((inner, Cow::Owned(Value::Object(json_text::read(text).ok()?)))),
            Value::Object(_) => Some((inner, Cow::Borrowed(value))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
        }
    }

    /// The shape of what a text of JSON holds; of anything else, its own.
    pub fn inner(&self) -> &Self {
        self.json.as_deref().unwrap_or(self)
    }

    /// `value`, an object, with what its texts of JSON hold in their place. Texts of JSON stand at the top level
    /// of arguments; a test holds that.
    pub fn opened(&self, mut value: Value) -> Value {
        if let (Kind::Object(fields), Value::Object(object)) = (&self.kind, &mut value) {
            for (name, shape) in fields {
                if let Some(value) = object.get_mut(name)
                    && let Some((_, inside)) = shape.inside(value)
                {
                    *value = inside.into_owned();
                }
            }
        }
        value
    }

    /// Whether anything in it is handed over.
    pub fn hands_over(&self) -> bool {
        matches!(self.mark, Some(Mark::HandOver | Mark::UrlToken))
            || match &self.inner().kind {
                Kind::Object(fields) => fields.iter().any(|(_, shape)| shape.hands_over()),
                Kind::List(item) | Kind::Map(item) => item.hands_over(),
                Kind::Text | Kind::Integer | Kind::Number | Kind::Flag | Kind::Any => false,
            }
    }

    /// Calls `visit` for every text in `value` whose type claims a fact, outermost first. A number counts as the
    /// text that it is shown as.
    pub fn claims(&self, value: &Value, visit: &mut impl FnMut(Claim<'_>)) {
        self.walk(value, Home::Unnamed, &Path::Root, visit);
    }

    fn walk(&self, value: &Value, workspace: Home<'_>, path: &Path<'_>, visit: &mut impl FnMut(Claim<'_>)) {
        if let (Some(fact), Some(text)) = (self.fact, text_of(value)) {
            visit(Claim { fact, text: &text, workspace, path });
        }
        if let Some((inner, value)) = self.inside(value) {
            return inner.walk(&value, workspace, path, visit);
        }
        match (&self.kind, value) {
            (Kind::Object(fields), Value::Object(object)) => {
                let named = fields
                    .iter()
                    .filter(|(_, shape)| shape.fact == Some(Fact::Workspace))
                    .filter_map(|(name, _)| object.get(name))
                    .find(|value| !value.is_null() && value.as_str() != Some(""));
                let id = named.and_then(text_of);
                let workspace = match (named, &id) {
                    (None, _) => workspace,
                    (Some(_), Some(id)) => Home::Named(id),
                    (Some(_), None) => Home::Unreadable,
                };
                for (name, value) in object {
                    if let Some(shape) = self.field(name) {
                        shape.walk(value, workspace, &Path::Field(path, name), visit);
                    }
                }
            }
            (Kind::List(item), Value::Array(values)) => {
                for (index, value) in values.iter().enumerate() {
                    item.walk(value, workspace, &Path::Index(path, index), visit);
                }
            }
            (Kind::Map(item), Value::Object(object)) => {
                for (name, value) in object {
                    item.walk(value, workspace, &Path::Field(path, name), visit);
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
}

/// The text that `value` is, or is shown as.
fn text_of(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn kind(schema: &Value) -> Kind {
    match schema.get("type").and_then(Value::as_str) {
        Some("string") => Kind::Text,
        Some("integer") => Kind::Integer,
        Some("number") => Kind::Number,
        Some("boolean") => Kind::Flag,
        Some("array") => Kind::List(Box::new(Shape::of(schema.get("items").unwrap_or(&Value::Null)))),
        Some("object") => match (schema.get("properties"), schema.get("additionalProperties")) {
            (Some(Value::Object(properties)), _) => Kind::Object(
                properties.iter().map(|(name, schema)| (name.clone(), Shape::of(schema))).collect(),
            ),
            (_, Some(values @ Value::Object(_))) => Kind::Map(Box::new(Shape::of(values))),
            (_, _) => Kind::Any,
        },
        Some(_) | None => Kind::Any,
    }
}

#[cfg(test)]
mod tests;
