//! The closed set of rule kinds, as policy files spell them.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use regex::Regex;
use serde::{Deserialize, Serialize, Serializer};

use super::change::Change;
use super::example::Example;
use crate::policy::grant;
use crate::spec::marks::Fact;
use crate::spec::{Call, Effect};
use sequence::Sequence;

/// A kind of rule: what every rule says of itself, and then what its kind says.
macro_rules! rule {
    ($(#[$doc:meta])* pub struct $name:ident { $($body:tt)* }) => {
        $(#[$doc])*
        #[derive(Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// The rule's id.
            pub id: String,
            /// The rules of the sources that it enforces.
            #[serde(default)]
            pub sources: Vec<String>,
            /// What it protects.
            pub why: String,
            /// What an overlay may loosen.
            #[serde(default)]
            pub tunable: BTreeSet<Tunable>,
            /// Calls, and what it says of each.
            #[serde(default, skip_serializing)]
            pub examples: Vec<Example>,
            $($body)*
        }
    };
}

mod alone;
mod limits;
pub mod sequence;
pub use alone::{Exclusive, Forbid, Requires, Reveal, Setting};
pub use limits::{Budget, Limits};

/// What an overlay may loosen of a rule, where `default.toml` says so. Tightening needs no leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tunable {
    /// It may be switched off.
    Off,
    /// Its limits may be raised.
    Limits,
    /// It may let further tools through.
    Tools,
}

impl Tunable {
    /// The name in policies.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Limits => "limits",
            Self::Tools => "tools",
        }
    }
}

/// What every rule says of itself.
pub trait Rule {
    /// The rule's kind.
    fn kind(&self) -> &'static str;
    /// The rule's id.
    fn id(&self) -> &str;
    /// The rules of the sources that it enforces; none for what the house or an operator wants.
    fn sources(&self) -> &[String];
    /// What it protects.
    fn why(&self) -> &str;
    /// What an overlay may loosen of it.
    fn tunable(&self) -> &BTreeSet<Tunable>;
    /// Calls, and what it says of each: an overlay's proof of its rule.
    fn examples(&self) -> &[Example];
    /// Whether an operator switched it off.
    fn is_off(&self) -> bool;
    /// The whole rule as it stands in its file, without its examples.
    ///
    /// # Errors
    /// When it can't be written as JSON.
    fn text(&self) -> serde_json::Result<serde_json::Value>;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $field:ident: $name:ident = $kind:literal, off: $off:expr;)+) => {
        /// Every rule of a policy.
        #[derive(Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct Rules {
            $($(#[$doc])* #[serde(default)] pub $field: Vec<$name>,)+
            /// What an overlay changes of rules that are there.
            #[serde(default)]
            pub change: Vec<Change>,
            /// How many further calls a human may let through at once; none when absent.
            pub grant: Option<grant::Limits>,
        }

        impl Rules {
            /// Adds the rules of another file, but not what it changes. Of grants the later file decides.
            pub fn extend(&mut self, more: Self) {
                let Self { $($field,)+ change: _, grant } = more;
                $(self.$field.extend($field);)+
                self.grant = grant.or(self.grant);
            }

            /// Every rule, whatever its kind.
            pub fn all(&self) -> impl Iterator<Item = &dyn Rule> {
                std::iter::empty()$(.chain(self.$field.iter().map(|rule| rule as &dyn Rule)))+
            }
        }

        $(impl Rule for $name {
            fn kind(&self) -> &'static str {
                $kind
            }
            fn id(&self) -> &str {
                &self.id
            }
            fn sources(&self) -> &[String] {
                &self.sources
            }
            fn why(&self) -> &str {
                &self.why
            }
            fn tunable(&self) -> &BTreeSet<Tunable> {
                &self.tunable
            }
            fn examples(&self) -> &[Example] {
                &self.examples
            }
            fn is_off(&self) -> bool {
                let off: fn(&Self) -> bool = $off;
                off(self)
            }
            fn text(&self) -> serde_json::Result<serde_json::Value> {
                serde_json::to_value(self)
            }
        })+
    };
}

kinds! {
    /// What no argument may hold.
    secret_argument: SecretArgument = "secret-argument", off: |_| false;
    /// What must have come from a cloud's own list.
    provenance: Provenance = "provenance", off: |_| false;
    /// What isn't called, or isn't asked for.
    forbid: Forbid = "forbid", off: |rule| rule.off;
    /// What must be given.
    requires: Requires = "requires", off: |rule| rule.off;
    /// What isn't given together.
    exclusive: Exclusive = "exclusive", off: |rule| rule.off;
    /// What secrets and links may be handed over.
    reveal: Reveal = "reveal", off: |_| false;
    /// How much may be asked for.
    budget: Budget = "budget", off: |_| false;
    /// What the calls before say of a call.
    sequence: Sequence = "sequence", off: |_| false;
    /// What is looked up before a call.
    precheck: Precheck = "precheck", off: |_| false;
    /// Who must say yes, and to what.
    confirm: Confirm = "confirm", off: |_| false;
}

rule! {
    /// A human says yes first.
    pub struct Confirm {
        /// What is confirmed.
        pub subject: Subject,
        /// How long a yes to a region holds, in hours.
        pub lifetime_hours: Option<i64>,
        /// The effects whose arguments are confirmed.
        #[serde(default)]
        pub effects: BTreeSet<Effect>,
        /// Settings that the question points out.
        #[serde(default)]
        pub highlight: Vec<Highlight>,
        /// Variables that the question points out.
        #[serde(default)]
        pub variable: Vec<Variable>,
        /// What the question adds.
        #[serde(default)]
        pub note: Vec<Note>,
    }
}

/// What a human confirms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// The region, once for a while.
    Region,
    /// The call's exact arguments, each time.
    Arguments,
}

/// A setting that the question points out.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Highlight {
    /// How the argument's path ends, without indices. Below a free map, such as `Envs`, any key is one.
    pub path: String,
    /// The values that matter; none for any.
    #[serde(default)]
    pub values: Vec<String>,
    /// What it means.
    pub say: String,
}

/// Environment variables that the question points out, wherever a tool takes variables.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// Their names, in any case: of `HTTP_PROXY`, programs read both.
    pub names: Vec<String>,
    /// What they do.
    pub say: String,
}

/// A sentence that the question adds, where all that it asks for is so.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// The tool that it is about.
    pub tool: String,
    /// Said when this argument is given: a path without indices.
    pub given: Option<String>,
    /// Said when this argument is missing: a path without indices.
    pub missing: Option<String>,
    /// Said when each of these arguments has such a value.
    #[serde(default)]
    pub when: Vec<When>,
    /// The sentence.
    pub say: String,
}

/// Values of an argument. Where lists lead to several, one such value is enough.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// The argument: a path without indices.
    pub path: String,
    /// The values, as text; none for any.
    #[serde(default)]
    pub is: Vec<String>,
    /// The values that it is none of.
    #[serde(default)]
    pub not: Vec<String>,
    /// The values of which none is among them.
    #[serde(default)]
    pub lacks: Vec<String>,
    /// How it begins, in any case; none for anyhow.
    #[serde(default)]
    pub starts: Vec<String>,
    /// Another argument with a number that it is above: a path without indices.
    pub above: Option<String>,
}

rule! {
    /// Something is looked up before the call.
    pub struct Precheck {
        /// What is looked up.
        pub check: Check,
        /// The tools bound; all when absent.
        pub tools: Option<BTreeSet<String>>,
        /// The tools not bound.
        #[serde(default)]
        pub except: BTreeSet<String>,
        /// How long a positive answer holds, in hours.
        pub lifetime_hours: Option<i64>,
    }
}

/// What a precheck looks up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// Whether PAI is activated in the region.
    Activation,
    /// Whether the name of what is to be made is free.
    UniqueName,
    /// Whether instants that must lie ahead do: at the clock alone.
    Ahead,
    /// What a job template brings.
    Template,
    /// Whether what the call is about is in a state that allows it; after a change, whether it shows.
    State,
}

rule! {
    /// A value must have come from a cloud's own list.
    pub struct Provenance {
        /// The kind of value.
        pub fact: Fact,
        /// The tools bound; all that take such a value when absent.
        pub tools: Option<BTreeSet<String>>,
        /// The tools whose replies teach it.
        pub learn: BTreeSet<String>,
        /// The read that can verify a value nobody listed.
        pub verify: Option<Verify>,
        /// How long it stays known, in hours.
        pub lifetime_hours: i64,
        /// What to do about an unknown value.
        pub fix: String,
        /// What becomes of a call with an unknown value.
        #[serde(default)]
        pub on_miss: Miss,
    }
}

/// What becomes of a call with a value that nobody listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Miss {
    /// What the launch decides: it is refused, or the value is looked up.
    #[default]
    Refuse,
    /// The human who is asked and whoever reads the result are told.
    Warn,
}

/// A read that asks the cloud for one value.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// The tool to call.
    pub tool: String,
    /// The argument that takes the value.
    pub filter: String,
}

rule! {
    /// Text that no argument may hold.
    pub struct SecretArgument {
        /// What the forbidden text looks like.
        pub patterns: Vec<Pattern>,
        /// What to do instead.
        pub fix: String,
    }
}

/// A compiled pattern.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern(pub Regex);

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

impl TryFrom<String> for Pattern {
    type Error = regex::Error;

    fn try_from(pattern: String) -> Result<Self, Self::Error> {
        Regex::new(&pattern).map(Self)
    }
}

/// A lifetime that a rule gives in hours.
pub const fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

/// Whether a rule for `tools` but not `except` binds `call`.
pub fn binds(tools: Option<&BTreeSet<String>>, except: &BTreeSet<String>, call: &Call) -> bool {
    let name = call.tool().name();
    tools.is_none_or(|tools| tools.contains(name)) && !except.contains(name)
}
