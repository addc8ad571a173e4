//! Reading policies: TOML files with a closed set of rule kinds.
//!
//! A policy that doesn't make sense stops the start: an unknown key or kind, a tool or an argument that
//! doesn't exist, a pattern that doesn't compile. The error says file, line and fix.

mod check;
mod kinds;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

pub use kinds::{
    Check, Confirm, Highlight, Note, Pattern, Precheck, Provenance, Rule, Rules, SecretArgument, Subject,
    Variable, Verify, When, binds, hours,
};

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

/// The compiled-in rules and their fingerprint.
///
/// # Errors
/// When one of the files isn't TOML with the keys of rules. That they also make sense `cargo test` proves: to check it
/// at each start would need every tool's structure.
pub fn compiled() -> Result<(Rules, String), LoadError> {
    let mut rules = read("red-lines.toml", RED_LINES)?;
    rules.extend(read("default.toml", DEFAULT)?);
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
