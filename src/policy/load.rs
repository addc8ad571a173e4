//! Reading policies: TOML files with a closed set of rule kinds.
//!
//! A policy that doesn't make sense stops the start: an unknown key or kind, a tool or an argument that
//! doesn't exist, a pattern that doesn't compile. The error says file, line and fix.

mod change;
mod check;
mod example;
mod kinds;
mod overlay;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use toml::de::DeTable;

pub use change::Change;
pub use example::{Example, Listed, NOON, ReadAnswer, Says};
pub use kinds::sequence;
pub use kinds::{
    Budget, Check, Confirm, Exclusive, Forbid, Highlight, Limits, Miss, Note, Pattern, Precheck, Provenance,
    Requires, Reveal, Rule, Rules, SecretArgument, Setting, Subject, Tunable, Variable, Verify, When, binds,
    hours,
};
pub use overlay::{Overlay, Proof};

/// What the sources forbid: locked.
const RED_LINES: (&str, &str) = ("red-lines.toml", include_str!("../../policies/red-lines.toml"));
/// What an operator may tune.
const DEFAULT: (&str, &str) = ("default.toml", include_str!("../../policies/default.toml"));

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

/// The rules of a launch, and where they come from.
#[derive(Debug)]
pub struct Loaded {
    /// The rules.
    pub rules: Rules,
    /// The fingerprint of all their files.
    pub sha256: String,
    /// The files, in the order in which they were read.
    pub files: Vec<PolicyFile>,
    /// What the overlays give to prove their rules.
    pub proofs: Vec<Proof>,
}

/// A file of rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFile {
    /// Its name.
    pub name: String,
    /// Its fingerprint.
    pub sha256: String,
    /// The ids of its rules.
    pub rules: Vec<String>,
    /// The ids of the rules that it changes.
    pub changes: Vec<String>,
}

/// The compiled-in rules, and those of `overlays` in their order.
///
/// # Errors
/// When a file isn't TOML with the keys of rules, or an overlay doesn't make sense, loosens what isn't tunable or gives
/// no examples. That the compiled-in files also make sense `cargo test` proves: to check them at each start would need
/// every tool's structure. Whether the examples come true, [`crate::policy::Policy::load`] finds out.
pub fn load(overlays: &[Overlay]) -> Result<Loaded, LoadError> {
    let mut loaded =
        Loaded { rules: Rules::default(), sha256: String::new(), files: Vec::new(), proofs: Vec::new() };
    let mut digest = Sha256::new();
    for (name, text) in [RED_LINES, DEFAULT] {
        let rules = read(name, text)?;
        loaded.files.push(PolicyFile::of(name, text, &rules));
        loaded.rules.extend(rules);
        digest.update(text);
        digest.update([0]);
    }
    for overlay in overlays {
        overlay.lay_over(&mut loaded)?;
        digest.update(&overlay.text);
        digest.update([0]);
    }
    loaded.sha256 = HEXLOWER.encode(&digest.finalize());
    Ok(loaded)
}

impl PolicyFile {
    fn of(name: &str, text: &str, rules: &Rules) -> Self {
        Self {
            name: name.to_owned(),
            sha256: HEXLOWER.encode(&Sha256::digest(text)),
            rules: rules.all().map(|rule| rule.id().to_owned()).collect(),
            changes: rules.change.iter().map(|change| change.rule.clone()).collect(),
        }
    }
}

impl LoadError {
    /// What is wrong with the rule called `rule`, or with a change of it, in `file`.
    fn about(file: &str, text: &str, rule: &str, reason: String) -> Self {
        let (file, line, rule) = (file.to_owned(), line_of_rule(text, rule), rule.to_owned());
        Self::Rule { file, line, rule, reason }
    }
}

/// The line of the last rule called `wanted`, of a change of it, or of the table of that name.
fn line_of_rule(text: &str, wanted: &str) -> usize {
    let Ok(file) = DeTable::parse(text) else { return 1 };
    let starts = file.get_ref().iter().flat_map(|(name, value)| {
        let rows = value.get_ref().as_array().into_iter().flat_map(|rows| rows.iter());
        let ids = rows.filter_map(|row| {
            let row = row.get_ref().as_table()?;
            row.get("id").or_else(|| row.get("rule")).filter(|id| id.get_ref().as_str() == Some(wanted))
        });
        let itself = Some(name).filter(|name| name.get_ref() == wanted);
        ids.map(|id| id.span().start).chain(itself.map(|name| name.span().start))
    });
    starts.max().map_or(1, |at| line_of(text, at))
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
