//! Overlays: an operator's own files of rules, laid over what is compiled in.
//!
//! An overlay adds rules and changes rules. Since every rule can only refuse, ask or read, a further one never lets
//! through what was refused before; what could, adding to what others know or ask, an overlay can't.

use super::{Example, LoadError, Loaded, PolicyFile, Rule, Rules, check, read};

/// The presets, by their names.
const PRESETS: [(&str, &str); 1] = [("read-only", include_str!("../../../policies/read-only.toml"))];

/// A file of an operator's rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlay {
    /// What the file is called in messages.
    pub file: String,
    /// What stands in it.
    pub text: String,
}

/// An example that an overlay gives, and where.
#[derive(Debug, Clone)]
pub struct Proof {
    /// The overlay's file.
    pub file: String,
    /// The line of its rule.
    pub line: usize,
    /// The rule.
    pub rule: String,
    /// Which example of the rule it is, from 1.
    pub number: usize,
    /// The example.
    pub example: Example,
}

impl Overlay {
    /// The preset called `name`.
    pub fn preset(name: &str) -> Option<Self> {
        PRESETS
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, text)| Self { file: format!("{name}.toml"), text: (*text).to_owned() })
    }

    /// Adds the overlay's rules, and makes its changes.
    pub(super) fn lay_over(&self, loaded: &mut Loaded) -> Result<(), LoadError> {
        let mut rules = read(&self.file, &self.text)?;
        loaded.files.push(PolicyFile::of(&self.file, &self.text, &rules));
        let fault =
            |(rule, reason): (String, String)| LoadError::about(&self.file, &self.text, &rule, reason);
        addable(&rules, &loaded.rules).map_err(fault)?;
        if let (Some(new), Some(old)) = (rules.grant, loaded.rules.grant)
            && (new.minutes > old.minutes || new.calls > old.calls)
        {
            let reason = format!(
                "would loosen grants: they last {} minutes and {} calls and can only be lowered; give at most that",
                old.minutes, old.calls
            );
            return Err(fault(("grant".to_owned(), reason)));
        }
        for rule in rules.all() {
            loaded.proofs.extend(self.proofs(rule.id(), rule.examples()));
        }
        let changes = std::mem::take(&mut rules.change);
        loaded.rules.extend(rules);
        for change in changes {
            let rule = change.rule.clone();
            loaded.proofs.extend(self.proofs(&rule, &change.examples));
            loaded.rules.apply(change).map_err(|reason| fault((rule, reason)))?;
        }
        check::check(&loaded.rules).map_err(fault)
    }

    fn proofs(&self, rule: &str, examples: &[Example]) -> Vec<Proof> {
        let line = super::line_of_rule(&self.text, rule);
        examples
            .iter()
            .zip(1..)
            .map(|(example, number)| Proof {
                file: self.file.clone(),
                line,
                rule: rule.to_owned(),
                number,
                example: example.clone(),
            })
            .collect()
    }
}

/// Whether each of these rules can be added to those that are there.
fn addable(rules: &Rules, there: &Rules) -> Result<(), (String, String)> {
    let fault = |rule: &dyn Rule, reason: String| Err((rule.id().to_owned(), reason));
    if let Some(rule) = rules.confirm.first() {
        let fix = "a question is asked by one rule: change that one instead, with [[change]], add_effects and add_highlights";
        return fault(rule, fix.to_owned());
    }
    if let Some(rule) = rules.precheck.first() {
        let fix = "what is looked up is compiled in: change its rule instead, with [[change]], lifetime_hours and add_tools";
        return fault(rule, fix.to_owned());
    }
    if let Some(rule) = rules.sequence.first() {
        let fix = "what the calls before say is compiled in: change its rule instead, with [[change]] and add_tools";
        return fault(rule, fix.to_owned());
    }
    for rule in &rules.provenance {
        // What one rule learns, all of its kind know.
        let known = |name: &String| {
            there.provenance.iter().any(|known| known.fact == rule.fact && known.learn.contains(name))
        };
        if let Some(name) = rule.learn.iter().find(|name| !known(name)) {
            let reason = format!(
                "would loosen other rules: what {name} shows isn't known to exist; learn from what the compiled-in rules do"
            );
            return fault(rule, reason);
        }
    }
    for rule in rules.all() {
        if !rule.tunable().is_empty() {
            let reason = "only default.toml declares what is tunable; leave tunable out";
            return fault(rule, reason.to_owned());
        }
        let [passing, stopping] = [true, false]
            .map(|lets_go| rule.examples().iter().any(|example| example.says.lets_go() == lets_go));
        if !(passing && stopping) {
            let reason = "a rule proves itself: give examples, at least one that says passed or unbound and one that \
                          says refused, asked or wants";
            return fault(rule, reason.to_owned());
        }
    }
    Ok(())
}
