//! The last look at every text that leaves: access keys, tokens, and whatever personal or secret value
//! this scope has seen anywhere.
//!
//! Masks work by field. A cloud can put the same value where no field says so: into an error's words, a
//! name, a description. The sweep finds it there. People are called `admin` and `vision`, though, and such words
//! stand in identifiers too, so that what is swept depends on what a [`Text`] is.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{LazyLock, OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::{Captures, Regex};
use serde_json::{Map, Value};

use super::plain::plain;
use crate::spec::value::is_region;

/// How many noted values are kept; the oldest go first.
const CAPACITY: usize = 10_000;
/// How many bytes they have in all: what searches for them takes time and memory by their length.
const ROOM: usize = 256 * 1024;
/// Up to so many bytes, they are searched for by the fastest automaton.
const FAST: usize = 16 * 1024;
/// The longest value that is kept whole; of a longer one this much of its beginning.
const LONGEST: usize = 16 * 1024;
/// Shorter values stand inside ordinary words too, so that they are swept only where they stand alone.
const UNMISTAKABLE: usize = 12;

/// What takes the place of a value that must not leave.
pub(super) const GONE: &str = "[masked]";

/// What secrets look like when nobody says that they are any. After a name, only what a credential is written
/// with is taken for one, for the rest may be a command that must be seen. For the same reason no blank follows `=`, and no
/// line break `:`: a shell would take what comes next for a command. In an address it stands before the host, after a user's
/// name or alone.
static SECRETS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"LTAI[0-9A-Za-z]{12,}",
        r"|(?P<before>\b|_)(?:TMP\.[0-9A-Za-z]{12,}|STS\.[0-9A-Za-z]{16,})",
        r"|eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]*",
        r"|(?P<user>://[^\s/?#@:]*:)[0-9A-Za-z._~!$*+%=-]{8,}(?P<host>@)",
        r"|(?P<scheme>://)[0-9A-Za-z_-]{20,}(?P<site>@)",
        r"|(?P<lead>(?i-u:Bearer[ \t]+|(?:signature|token|password|access[_-]?key[_-]?(?:id|secret))(?:=|:[ \t]*)))",
        r"(?:[0-9A-Za-z._~+/=-]|%[0-9A-Fa-f]{2}){16,}",
    ))
    .ok()
});
/// What else looks like a secret or a person where nothing needs to be seen: in what a program printed. There a value
/// may follow a flag's blank, be short and stand in quotes; other services' tokens, addresses and account ids go too.
static PRINTED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r#"(?P<lead>(?i-u:(?:secret|token|passw(?:or)?d|credential|api[_-]?key|access[_-]?key(?:[_-]?id)?)["']?[ \t]*[:=][ \t]*["']?))"#,
        r"[0-9A-Za-z._~+/=%-]{8,}",
        r#"|(?P<flag>(?i-u:--?[a-z-]*(?:secret|token|password|key)[a-z-]*[ \t]+["']?))[0-9A-Za-z._~+/=%-]{8,}"#,
        r#"|(?P<who>(?i-u:(?:user|account|owner|tenant|creator|operator)[ _-]?(?:id|uid|kp)?["']?[ \t]*[:=][ \t]*["']?))[0-9]{10,}"#,
        r"|gh[opsu]_[0-9A-Za-z]{20,}|github_pat_[0-9A-Za-z_]{20,}|glpat-[0-9A-Za-z_-]{20,}|hf_[0-9A-Za-z]{16,}",
        r"|sk-[0-9A-Za-z_-]{20,}|AKIA[0-9A-Z]{16}",
        r"|[0-9A-Za-z._%+-]+@[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)+",
    ))
    .ok()
});
/// No text shorter than this, in bytes, matches any of [`SECRETS`].
const SHORTEST_SECRET: usize = 13;

/// What a text is, and so which seen values are swept out of it. Credentials are swept out of every text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text {
    /// Words that somebody wrote: all of them, short ones where they stand alone.
    Free,
    /// What a program printed: the same, and whatever else looks like a secret or a person.
    Printed,
    /// An identifier, a state, a time, as a cloud gives it: secrets, where they don't stand in one by chance; no
    /// person.
    Exact,
    /// The same, as an agent gives it, who can write anything there: those that don't stand in one by chance.
    Given,
}

/// The personal and secret values that a scope has seen.
#[derive(Default)]
pub struct Seen {
    noted: BTreeSet<String>,
    order: VecDeque<String>,
    bytes: usize,
    secrets: BTreeSet<String>,
    pinned: BTreeSet<String>,
    finder: OnceLock<Option<AhoCorasick>>,
}

impl Seen {
    /// Remembers somebody's name or identifier, to be swept out of texts from now on, also as a text has it that what
    /// can't be seen was stripped from. Past a number of them, or of bytes, the oldest is forgotten. A region's id is
    /// nobody's name.
    pub fn note(&mut self, value: &str) {
        self.note_as_is(value);
        if let (Cow::Owned(plain), _) = plain(value) {
            self.note_as_is(&plain);
        }
    }

    /// Remembers a secret: it is swept out of identifiers too.
    pub fn note_secret(&mut self, value: &str) {
        for text in [Cow::Borrowed(value), plain(value).0] {
            if let Some(kept) = self.note_as_is(&text) {
                self.secrets.insert(kept);
            }
        }
    }

    /// What is kept of `value`, if anything.
    fn note_as_is(&mut self, value: &str) -> Option<String> {
        let value = value.get(..value.floor_char_boundary(LONGEST)).unwrap_or_default();
        let shortest = if value.is_ascii() { 4 } else { 2 };
        if value.chars().count() < shortest || is_region(value) || self.pinned.contains(value) {
            return None;
        }
        if self.noted.insert(value.to_owned()) {
            self.order.push_back(value.to_owned());
            self.bytes += value.len();
            while self.order.len() > CAPACITY || self.bytes > ROOM {
                let Some(oldest) = self.order.pop_front() else { break };
                self.bytes = self.bytes.saturating_sub(oldest.len());
                self.noted.remove(&oldest);
                self.secrets.remove(&oldest);
            }
            self.finder = OnceLock::new();
        }
        Some(value.to_owned())
    }

    /// Remembers a value of the process's own credentials, of four characters or more. It is never forgotten.
    pub fn pin(&mut self, value: &str) {
        if value.chars().count() >= 4 && self.pinned.insert(value.to_owned()) {
            self.finder = OnceLock::new();
        }
    }

    /// Remembers the value of an environment variable, if it looks like a secret. A mode, a path or a region
    /// stands in other texts too, and isn't one.
    pub fn note_setting(&mut self, value: &str) {
        let mixed =
            value.contains(|c: char| c.is_ascii_digit()) && value.contains(|c: char| c.is_ascii_alphabetic());
        if value.len() >= 16 && mixed && !value.contains(['/', '.', ':', ' ']) {
            self.note_secret(value);
        }
    }

    /// `text` without secrets and without the seen values that `kind` says. What was taken out is counted.
    pub fn sweep(&self, text: &str, kind: Text, redactions: &mut BTreeMap<String, u64>) -> String {
        self.sweep_until(text, text.len(), kind, redactions)
    }

    /// The first `end` bytes of `text`, swept of all that begins in them, wherever it ends.
    pub fn sweep_until(
        &self,
        text: &str,
        end: usize,
        kind: Text,
        redactions: &mut BTreeMap<String, u64>,
    ) -> String {
        let Some(mut gone) = self.seen_in(text, kind) else { return GONE.to_owned() };
        if text.len() >= SHORTEST_SECRET {
            let Some(secrets) = SECRETS.as_ref() else { return GONE.to_owned() };
            gone.extend(
                secrets
                    .captures_iter(text)
                    .filter_map(|found| without_lead(&found, &["lead", "before", "user", "scheme"])),
            );
        }
        if kind == Text::Printed {
            let Some(printed) = PRINTED.as_ref() else { return GONE.to_owned() };
            gone.extend(
                printed
                    .captures_iter(text)
                    .filter_map(|found| without_lead(&found, &["lead", "flag", "who"])),
            );
        }
        let shown = text.get(..end).unwrap_or_default();
        let mut gone = merged(gone);
        gone.retain(|(start, _)| *start < shown.len());
        if gone.is_empty() {
            return shown.to_owned();
        }
        *redactions.entry("swept".to_owned()).or_default() += u64::try_from(gone.len()).unwrap_or(u64::MAX);
        without(shown, &gone)
    }

    /// Whether a secret that was seen stands in `text`, or what looks like one.
    pub fn holds_secret(&self, text: &str) -> bool {
        self.sweep(text, Text::Exact, &mut BTreeMap::new()) != text
    }

    /// Where seen values stand in `text`; `None` when nobody can tell.
    fn seen_in(&self, text: &str, kind: Text) -> Option<Vec<(usize, usize)>> {
        if self.noted.is_empty() && self.pinned.is_empty() {
            return Some(Vec::new());
        }
        let finder = self.finder.get_or_init(|| {
            // The fastest automaton is the largest, by a multiple of the values' length.
            let kind = (self.bytes > FAST).then_some(AhoCorasickKind::ContiguousNFA);
            AhoCorasick::builder().kind(kind).build(self.pinned.iter().chain(&self.noted)).ok()
        });
        let found = finder.as_ref()?.find_overlapping_iter(text);
        let goes = |&(start, end): &(usize, usize)| {
            let value = text.get(start..end).unwrap_or_default();
            let unmistakable = value.chars().count() >= UNMISTAKABLE || !value.is_ascii();
            match kind {
                Text::Free | Text::Printed => unmistakable || stands_alone(text, start, end),
                Text::Given => unmistakable,
                Text::Exact => unmistakable && (self.pinned.contains(value) || self.secrets.contains(value)),
            }
        };
        Some(found.map(|found| (found.start(), found.end())).filter(goes).collect())
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
        let swept = self.sweep(key, Text::Free, redactions);
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
            Value::String(text) => Value::String(self.sweep(&text, Text::Free, redactions)),
            Value::Number(number) if number.to_string().len() >= UNMISTAKABLE => {
                let text = number.to_string();
                let swept = self.sweep(&text, Text::Free, redactions);
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

/// Where a secret stands, without the name before it and the `@` after it.
fn without_lead(found: &Captures<'_>, leads: &[&str]) -> Option<(usize, usize)> {
    let whole = found.get(0)?;
    let lead = leads.iter().find_map(|name| found.name(name));
    let at = found.name("host").or_else(|| found.name("site"));
    Some((lead.map_or(whole.start(), |lead| lead.end()), at.map_or(whole.end(), |at| at.start())))
}

/// The places in order, overlapping ones as one: a short value that begins before a longer one must not hide it.
fn merged(mut found: Vec<(usize, usize)>) -> Vec<(usize, usize)> {
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
