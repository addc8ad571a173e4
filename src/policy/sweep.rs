//! The last look at every text that leaves: access keys, tokens, and whatever personal or secret value
//! this scope has seen anywhere.
//!
//! Masks work by field. A cloud can put the same value where no field says so: into an error's words, a
//! name, a description. The sweep finds it there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, OnceLock};

use aho_corasick::AhoCorasick;
use regex::{Captures, Regex};
use serde_json::{Map, Value};

/// How many seen values are kept; past that the sweep keeps what it has.
const CAPACITY: usize = 10_000;
/// Shorter values stand inside ordinary words too, so that they are swept only where they stand alone.
const UNMISTAKABLE: usize = 12;

/// What takes the place of a value that must not leave.
const GONE: &str = "[masked]";

/// What secrets look like when nobody says that they are any.
static SECRETS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"LTAI[0-9A-Za-z]{12,}",
        r"|(?P<before>\b|_)(?:TMP\.[0-9A-Za-z]{12,}|STS\.[0-9A-Za-z]{16,})",
        r"|eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]*",
        r"|(?P<lead>(?i:Bearer\s+|(?:Signature|SecurityToken|security-token|OSSAccessKeyId|access_?token|token|password|AccessKeySecret)=))[^\s&,;]{8,}",
    ))
    .ok()
});

/// The personal and secret values that a scope has seen.
#[derive(Default)]
pub struct Seen {
    values: BTreeSet<String>,
    finder: OnceLock<Option<AhoCorasick>>,
}

impl Seen {
    /// Remembers a personal or secret value, to be swept out of every text from now on.
    pub fn note(&mut self, value: &str) {
        let shortest = if value.is_ascii() { 4 } else { 2 };
        if value.chars().count() >= shortest
            && self.values.len() < CAPACITY
            && self.values.insert(value.to_owned())
        {
            self.finder = OnceLock::new();
        }
    }

    /// Remembers the value of an environment variable, if it looks like a secret. A mode, a path or a region
    /// stands in other texts too, and isn't one.
    pub fn note_setting(&mut self, value: &str) {
        let mixed =
            value.contains(|c: char| c.is_ascii_digit()) && value.contains(|c: char| c.is_ascii_alphabetic());
        if value.len() >= 16 && mixed && !value.contains(['/', '.', ':', ' ']) {
            self.note(value);
        }
    }

    /// `text` without secrets and seen values. What was taken out is counted.
    pub fn sweep(&self, text: &str, redactions: &mut BTreeMap<String, u64>) -> String {
        let mut count = 0;
        let swept = match self.finder.get_or_init(|| self.build()) {
            Some(finder) => {
                let gone = spans(finder, text);
                count += u64::try_from(gone.len()).unwrap_or(u64::MAX);
                without(text, &gone)
            }
            None if self.values.is_empty() => text.to_owned(),
            None => return GONE.to_owned(),
        };
        let Some(secrets) = SECRETS.as_ref() else { return GONE.to_owned() };
        let swept = secrets.replace_all(&swept, |found: &Captures<'_>| {
            count += 1;
            let lead = found.name("lead").or_else(|| found.name("before"));
            format!("{}{GONE}", lead.map_or("", |lead| lead.as_str()))
        });
        if count > 0 {
            *redactions.entry("swept".to_owned()).or_default() += count;
        }
        swept.into_owned()
    }

    fn build(&self) -> Option<AhoCorasick> {
        if self.values.is_empty() {
            return None;
        }
        AhoCorasick::new(&self.values).ok()
    }

    /// Adds `value` to `object` under a key that somebody else chose. Keys that sweeping makes alike stay apart,
    /// so that no entry hides another.
    pub fn insert_free(
        &self,
        object: &mut Map<String, Value>,
        key: &str,
        value: Value,
        redactions: &mut BTreeMap<String, u64>,
    ) {
        let swept = self.sweep(key, redactions);
        let mut name = swept.clone();
        let mut nth = 2;
        while object.contains_key(&name) {
            name = format!("{swept} {nth}");
            nth += 1;
        }
        object.insert(name, value);
    }

    /// Sweeps every text in `value`, and every number long enough to be an identifier. Keys are the caller's:
    /// most are ours, and a person who has one for a name must not be able to take it out.
    pub fn sweep_value(&self, value: Value, redactions: &mut BTreeMap<String, u64>) -> Value {
        match value {
            Value::String(text) => Value::String(self.sweep(&text, redactions)),
            Value::Number(number) if number.to_string().len() >= UNMISTAKABLE => {
                let text = number.to_string();
                let swept = self.sweep(&text, redactions);
                if swept == text { Value::Number(number) } else { Value::String(swept) }
            }
            Value::Array(items) => {
                Value::Array(items.into_iter().map(|item| self.sweep_value(item, redactions)).collect())
            }
            Value::Object(object) => Value::Object(
                object.into_iter().map(|(key, value)| (key, self.sweep_value(value, redactions))).collect(),
            ),
            Value::Null | Value::Bool(_) | Value::Number(_) => value,
        }
    }
}

/// Where seen values stand in `text`, overlapping ones as one: a short value that begins before a longer one
/// must not hide it.
fn spans(finder: &AhoCorasick, text: &str) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = finder
        .find_overlapping_iter(text)
        .map(|found| (found.start(), found.end()))
        .filter(|&(start, end)| {
            let value = text.get(start..end).unwrap_or_default();
            value.chars().count() >= UNMISTAKABLE || !value.is_ascii() || stands_alone(text, start, end)
        })
        .collect();
    found.sort_unstable();
    let mut merged: Vec<(usize, usize)> = Vec::with_capacity(found.len());
    for (start, end) in found {
        match merged.last_mut() {
            Some((_, last)) if start < *last => *last = end.max(*last),
            Some(_) | None => merged.push((start, end)),
        }
    }
    merged
}

fn without(text: &str, gone: &[(usize, usize)]) -> String {
    let mut rest = 0;
    let mut swept = String::with_capacity(text.len());
    for (start, end) in gone {
        swept.push_str(text.get(rest..*start).unwrap_or_default());
        swept.push_str(GONE);
        rest = *end;
    }
    swept.push_str(text.get(rest..).unwrap_or_default());
    swept
}

/// Whether neither neighbour of a match continues a word.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let before = text.get(..start).and_then(|text| text.chars().next_back());
    let after = text.get(end..).and_then(|text| text.chars().next());
    !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
}

#[cfg(test)]
mod tests;
