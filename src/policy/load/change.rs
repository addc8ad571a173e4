//! What an overlay changes of rules that are there.
//!
//! Whatever tightens a rule is taken. What loosens one is taken only where the rule declares it tunable, and only
//! `default.toml` declares that.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::example::Example;
use super::kinds::sequence::Sequence;
use super::kinds::{
    Budget, Confirm, Exclusive, Forbid, Highlight, Limits, Pattern, Precheck, Provenance, Requires, Reveal,
    Rule, Rules, SecretArgument, Setting, Subject, Tunable,
};
use crate::spec::Effect;

/// A change of one rule.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The rule's id.
    pub rule: String,
    /// Whether it is switched off.
    #[serde(default)]
    pub off: bool,
    /// How long it holds what it knows, in hours.
    pub lifetime_hours: Option<i64>,
    /// Further tools: of a reveal rule, let through; of any other, bound.
    #[serde(default)]
    pub add_tools: BTreeSet<String>,
    /// Tools that a reveal rule no longer lets through.
    #[serde(default)]
    pub remove_tools: BTreeSet<String>,
    /// Further effects bound.
    #[serde(default)]
    pub add_effects: BTreeSet<Effect>,
    /// Further patterns of what no argument may hold.
    #[serde(default)]
    pub add_patterns: Vec<Pattern>,
    /// Further settings refused.
    #[serde(default)]
    pub add_settings: Vec<Setting>,
    /// Further settings that the question points out.
    #[serde(default)]
    pub add_highlights: Vec<Highlight>,
    /// The limits that are other ones.
    pub limits: Option<Limits>,
    /// Calls, and what the changed rule says of each.
    #[serde(default)]
    pub examples: Vec<Example>,
}

/// What a change of one kind of rule can say.
trait Changed: Rule {
    /// The keys of [`Change`] that such a rule has.
    const KEYS: &'static [&'static str];

    /// Makes the change.
    fn change(&mut self, change: Change) -> Result<(), String>;
}

impl Rules {
    /// Makes a change.
    ///
    /// # Errors
    /// What is wrong with it, and the fix: nothing has the id, or it would loosen what isn't tunable.
    pub(super) fn apply(&mut self, change: Change) -> Result<(), String> {
        let Self {
            secret_argument,
            provenance,
            forbid,
            requires,
            exclusive,
            reveal,
            budget,
            sequence,
            precheck,
            confirm,
            change: _,
            grant: _,
        } = self;
        let mut change = Some(change);
        let found = [
            one(secret_argument, &mut change),
            one(provenance, &mut change),
            one(forbid, &mut change),
            one(requires, &mut change),
            one(exclusive, &mut change),
            one(reveal, &mut change),
            one(budget, &mut change),
            one(sequence, &mut change),
            one(precheck, &mut change),
            one(confirm, &mut change),
        ];
        found.into_iter().flatten().next().unwrap_or_else(|| {
            Err("no rule that is compiled in, or came before, has this id; see `redline-mcp policy list`"
                .to_owned())
        })
    }
}

/// Makes the change if it is of one of these rules.
fn one<R: Changed>(rules: &mut [R], change: &mut Option<Change>) -> Option<Result<(), String>> {
    let wanted = change.as_ref()?.rule.clone();
    let rule = rules.iter_mut().find(|rule| rule.id() == wanted)?;
    let change = change.take()?;
    if let Some(key) = change.keys().find(|key| !R::KEYS.contains(key)) {
        let keys = R::KEYS.join(", ");
        return Some(Err(format!("a {} rule has no {key} to change; it has {keys}", rule.kind())));
    }
    if change.keys().next().is_none() {
        return Some(Err(format!("changes nothing; give one of {}", R::KEYS.join(", "))));
    }
    Some(rule.change(change))
}

impl Change {
    /// The keys that are given.
    fn keys(&self) -> impl Iterator<Item = &'static str> {
        [
            ("off", self.off),
            ("lifetime_hours", self.lifetime_hours.is_some()),
            ("add_tools", !self.add_tools.is_empty()),
            ("remove_tools", !self.remove_tools.is_empty()),
            ("add_effects", !self.add_effects.is_empty()),
            ("add_patterns", !self.add_patterns.is_empty()),
            ("add_settings", !self.add_settings.is_empty()),
            ("add_highlights", !self.add_highlights.is_empty()),
            ("limits", self.limits.is_some()),
        ]
        .into_iter()
        .filter_map(|(key, given)| given.then_some(key))
    }
}

/// Whether `rule` may be loosened so.
fn allowed(rule: &dyn Rule, tunable: Tunable, what: &str) -> Result<(), String> {
    if rule.tunable().contains(&tunable) {
        return Ok(());
    }
    Err(format!(
        "would loosen the rule: {what}; it isn't declared tunable ({}), so leave that out",
        tunable.name()
    ))
}

/// Lowers a lifetime.
fn shorten(hours: &mut i64, new: Option<i64>) -> Result<(), String> {
    let Some(new) = new else { return Ok(()) };
    if new > *hours {
        return Err(format!(
            "would loosen the rule: lifetime_hours is {hours} and can only be lowered; give at most that"
        ));
    }
    *hours = new;
    Ok(())
}

/// Binds further tools.
fn bind(tools: Option<&mut BTreeSet<String>>, more: BTreeSet<String>) -> Result<(), String> {
    match tools {
        Some(tools) => tools.extend(more),
        None if more.is_empty() => {}
        None => return Err("binds every tool already; leave add_tools out".to_owned()),
    }
    Ok(())
}

/// Binds further effects, or settings, of a rule that names some.
fn widen<T>(bound: &mut impl Extend<T>, none: bool, more: Vec<T>, key: &str) -> Result<(), String> {
    if none && !more.is_empty() {
        return Err(format!("binds whole calls, whatever they are; leave {key} out"));
    }
    bound.extend(more);
    Ok(())
}

impl Changed for SecretArgument {
    const KEYS: &'static [&'static str] = &["add_patterns"];

    fn change(&mut self, change: Change) -> Result<(), String> {
        self.patterns.extend(change.add_patterns);
        Ok(())
    }
}

impl Changed for Provenance {
    const KEYS: &'static [&'static str] = &["lifetime_hours", "add_tools"];

    fn change(&mut self, change: Change) -> Result<(), String> {
        shorten(&mut self.lifetime_hours, change.lifetime_hours)?;
        bind(self.tools.as_mut(), change.add_tools)
    }
}

impl Changed for Forbid {
    const KEYS: &'static [&'static str] = &["off", "add_tools", "add_effects", "add_settings"];

    fn change(&mut self, change: Change) -> Result<(), String> {
        if change.off {
            allowed(self, Tunable::Off, "it would bind nothing")?;
            self.off = true;
        }
        bind(self.tools.as_mut(), change.add_tools)?;
        let none = self.effects.is_empty();
        widen(&mut self.effects, none, change.add_effects.into_iter().collect(), "add_effects")?;
        let none = self.settings.is_empty();
        widen(&mut self.settings, none, change.add_settings, "add_settings")
    }
}

impl Changed for Requires {
    const KEYS: &'static [&'static str] = &["off", "add_tools"];

    fn change(&mut self, change: Change) -> Result<(), String> {
        if change.off {
            allowed(self, Tunable::Off, "it would bind nothing")?;
            self.off = true;
        }
        self.tools.extend(change.add_tools);
        Ok(())
    }
}

impl Changed for Exclusive {
    const KEYS: &'static [&'static str] = &["off", "add_tools"];

    fn change(&mut self, change: Change) -> Result<(), String> {
        if change.off {
            allowed(self, Tunable::Off, "it would bind nothing")?;
            self.off = true;
        }
        self.tools.extend(change.add_tools);
        Ok(())
    }
}

impl Changed for Reveal {
    const KEYS: &'static [&'static str] = &["add_tools", "remove_tools"];

    fn change(&mut self, change: Change) -> Result<(), String> {
        if let Some(name) = change.add_tools.iter().find(|name| !self.tools.contains(*name)) {
            allowed(self, Tunable::Tools, &format!("{name} would be let through"))?;
        }
        if let Some(name) = change.remove_tools.iter().find(|name| !self.tools.contains(*name)) {
            return Err(format!("{name} isn't let through anyway; leave it out of remove_tools"));
        }
        self.tools.extend(change.add_tools);
        self.tools.retain(|name| !change.remove_tools.contains(name));
        Ok(())
    }
}

impl Changed for Budget {
    const KEYS: &'static [&'static str] = &["add_tools", "limits"];

    fn change(&mut self, change: Change) -> Result<(), String> {
        bind(self.tools.as_mut(), change.add_tools)?;
        let Some(new) = change.limits else { return Ok(()) };
        for ((name, old), (_, new)) in self.limits.numbers().into_iter().zip(new.numbers()) {
            if let (Some(old), Some(new)) = (old, new)
                && new > old
            {
                allowed(self, Tunable::Limits, &format!("{name} is {old} and would be raised"))?;
            }
        }
        for ((name, old), (_, new)) in self.limits.lists().into_iter().zip(new.lists()) {
            if let (Some(old), Some(new)) = (old, new)
                && !new.is_subset(old)
            {
                allowed(self, Tunable::Limits, &format!("{name} would allow what it doesn't now"))?;
            }
        }
        self.limits = std::mem::take(&mut self.limits).with(new);
        Ok(())
    }
}

impl Changed for Sequence {
    const KEYS: &'static [&'static str] = &["add_tools"];

    fn change(&mut self, change: Change) -> Result<(), String> {
        bind(self.tools.as_mut(), change.add_tools)
    }
}

impl Changed for Precheck {
    const KEYS: &'static [&'static str] = &["lifetime_hours", "add_tools"];

    fn change(&mut self, change: Change) -> Result<(), String> {
        match &mut self.lifetime_hours {
            Some(hours) => shorten(hours, change.lifetime_hours)?,
            None if change.lifetime_hours.is_none() => {}
            None => {
                return Err("is looked up each time, so it has no lifetime_hours; leave it out".to_owned());
            }
        }
        bind(self.tools.as_mut(), change.add_tools)
    }
}

impl Changed for Confirm {
    const KEYS: &'static [&'static str] = &["lifetime_hours", "add_effects", "add_highlights"];

    fn change(&mut self, change: Change) -> Result<(), String> {
        match (self.subject, &mut self.lifetime_hours) {
            (Subject::Region, Some(hours)) => shorten(hours, change.lifetime_hours)?,
            (Subject::Region, None) | (Subject::Arguments, _) if change.lifetime_hours.is_none() => {}
            (Subject::Region, None) | (Subject::Arguments, _) => {
                return Err("is asked each time, so it has no lifetime_hours; leave it out".to_owned());
            }
        }
        self.effects.extend(change.add_effects);
        self.highlight.extend(change.add_highlights);
        Ok(())
    }
}
