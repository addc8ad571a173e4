//! Reading policies: TOML files with a closed set of rule kinds.
//!
//! A policy that doesn't make sense stops the start: an unknown key or kind, a tool or an argument that
//! doesn't exist, a pattern that doesn't compile. The error says file, line and fix.

mod check;
pub mod sequence;

use std::collections::BTreeSet;

use data_encoding::HEXLOWER;
use jiff::SignedDuration;
use regex::Regex;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::spec::marks::Fact;
use crate::spec::{Call, Effect};
use sequence::Sequence;

/// What the sources forbid: locked.
const RED_LINES: &str = include_str!("../../policies/red-lines.toml");
/// What an operator may tune.
const DEFAULT: &str = include_str!("../../policies/default.toml");

/// Why a policy can't be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// It isn't TOML, or has a key that no rule has.
    #[error("{file}, line {line}: {reason}")]
    Syntax {
        /// The policy file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What the parser says.
        reason: String,
    },
    /// A rule says something that can't be.
    #[error("{file}, line {line}, rule {rule}: {reason}")]
    Rule {
        /// The policy file.
        file: String,
        /// The line of the rule's id, from 1.
        line: usize,
        /// The rule's id.
        rule: String,
        /// What is wrong, and the fix.
        reason: String,
    },
}

/// Every rule of a policy.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rules {
    /// Who must say yes, and to what.
    #[serde(default)]
    pub confirm: Vec<Confirm>,
    /// What is looked up before a call.
    #[serde(default)]
    pub precheck: Vec<Precheck>,
    /// What must have come from a cloud's own list.
    #[serde(default)]
    pub provenance: Vec<Provenance>,
    /// What no argument may hold.
    #[serde(default)]
    pub secret_argument: Vec<SecretArgument>,
    /// What the calls before say of a call.
    #[serde(default)]
    pub sequence: Vec<Sequence>,
}

impl Rules {
    /// Every rule, whatever its kind.
    pub fn all(&self) -> impl Iterator<Item = &dyn Rule> {
        let confirm = self.confirm.iter().map(|rule| rule as &dyn Rule);
        let precheck = self.precheck.iter().map(|rule| rule as &dyn Rule);
        let provenance = self.provenance.iter().map(|rule| rule as &dyn Rule);
        let secret_argument = self.secret_argument.iter().map(|rule| rule as &dyn Rule);
        let sequence = self.sequence.iter().map(|rule| rule as &dyn Rule);
        confirm.chain(precheck).chain(provenance).chain(secret_argument).chain(sequence)
    }
}

/// What every rule says of itself.
pub trait Rule {
    /// The rule's kind.
    fn kind(&self) -> &'static str;
    /// The rule's id.
    fn id(&self) -> &str;
    /// The rules of the sources that it enforces.
    fn sources(&self) -> &[String];
    /// What it protects.
    fn why(&self) -> &str;
}

macro_rules! rule {
    ($($name:ident = $kind:literal),+ $(,)?) => {$(
        impl Rule for $name {
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
        }
    )+};
}

rule! { Confirm = "confirm", Precheck = "precheck", Provenance = "provenance", SecretArgument = "secret-argument" }

/// A human says yes first.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirm {
    /// The rule's id.
    pub id: String,
    /// The rules of the sources that it enforces.
    pub sources: Vec<String>,
    /// What it protects.
    pub why: String,
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

/// What a human confirms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// The region, once for a while.
    Region,
    /// The call's exact arguments, each time.
    Arguments,
}

/// A setting that the question points out.
#[derive(Debug, Deserialize)]
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
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// Their names, in any case: of `HTTP_PROXY`, programs read both.
    pub names: Vec<String>,
    /// What they do.
    pub say: String,
}

/// A sentence that the question adds, where all that it asks for is so.
#[derive(Debug, Deserialize)]
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
#[derive(Debug, Deserialize)]
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
    /// How it begins, in any case; none for anyhow.
    #[serde(default)]
    pub starts: Vec<String>,
    /// Another argument with a number that it is above: a path without indices.
    pub above: Option<String>,
}

/// Something is looked up before the call.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Precheck {
    /// The rule's id.
    pub id: String,
    /// The rules of the sources that it enforces.
    pub sources: Vec<String>,
    /// What it protects.
    pub why: String,
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

/// What a precheck looks up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
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
}

/// A value must have come from a cloud's own list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// The rule's id.
    pub id: String,
    /// The rules of the sources that it enforces.
    pub sources: Vec<String>,
    /// What it protects.
    pub why: String,
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

/// What becomes of a call with a value that nobody listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Miss {
    /// What the launch decides: it is refused, or the value is looked up.
    #[default]
    Refuse,
    /// The human who is asked and whoever reads the result are told.
    Warn,
}

/// A read that asks the cloud for one value.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// The tool to call.
    pub tool: String,
    /// The argument that takes the value.
    pub filter: String,
}

/// Text that no argument may hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretArgument {
    /// The rule's id.
    pub id: String,
    /// The rules of the sources that it enforces.
    pub sources: Vec<String>,
    /// What it protects.
    pub why: String,
    /// What the forbidden text looks like.
    pub patterns: Vec<Pattern>,
    /// What to do instead.
    pub fix: String,
}

/// A compiled pattern.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Pattern(pub Regex);

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

/// The compiled-in rules and their fingerprint.
///
/// # Errors
/// When one of the files isn't TOML with the keys of rules. That they also make sense `cargo test` proves: to check it
/// at each start would need every tool's structure.
pub fn compiled() -> Result<(Rules, String), LoadError> {
    let mut rules = read("red-lines.toml", RED_LINES)?;
    let tunable = read("default.toml", DEFAULT)?;
    rules.confirm.extend(tunable.confirm);
    rules.precheck.extend(tunable.precheck);
    rules.provenance.extend(tunable.provenance);
    rules.secret_argument.extend(tunable.secret_argument);
    rules.sequence.extend(tunable.sequence);
    let mut digest = Sha256::new();
    digest.update(RED_LINES);
    digest.update([0]);
    digest.update(DEFAULT);
    Ok((rules, HEXLOWER.encode(&digest.finalize())))
}

/// The rules of one file.
///
/// # Errors
/// When it isn't TOML, has an unknown key, or names what doesn't exist.
pub fn parse(file: &str, text: &str) -> Result<Rules, LoadError> {
    let rules = read(file, text)?;
    let fault = |rule: &str, reason: String| LoadError::Rule {
        file: file.to_owned(),
        line: text.rfind(&format!("id = \"{rule}\"")).map_or(1, |at| line_of(text, at)),
        rule: rule.to_owned(),
        reason,
    };
    check::check(&rules).map_err(|(rule, reason)| fault(&rule, reason))?;
    Ok(rules)
}

fn read(file: &str, text: &str) -> Result<Rules, LoadError> {
    toml::from_str(text).map_err(|error| LoadError::Syntax {
        file: file.to_owned(),
        line: error.span().map_or(1, |span| line_of(text, span.start)),
        reason: error.message().to_owned(),
    })
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests;
