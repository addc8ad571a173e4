//! Rules that look at one call alone, and budgets.

use std::collections::BTreeSet;

use super::{has_path, known_tools, leads};
use crate::policy::load::{Budget, Forbid, Reveal, Rules};
use crate::policy::rules::reveals;
use crate::spec::value::is_region;
use crate::tools;

/// The most of anything that a budget counts.
const MOST: u64 = 1_000_000;
/// The most calls a minute: so many are remembered.
pub const MOST_CALLS: u64 = 10_000;

type Fault = (String, String);

pub(super) fn check(rules: &Rules) -> Result<(), Fault> {
    rules.forbid.iter().try_for_each(forbid)?;
    for rule in &rules.requires {
        let fault = |reason: String| (rule.id.clone(), reason);
        if rule.any_of.is_empty() || rule.tools.is_empty() {
            return Err(fault("any_of or tools is empty, so the rule would bind nothing".to_owned()));
        }
        let paths = rule.any_of.iter().chain(rule.when.iter().map(|when| &when.path));
        lead(&rule.id, &rule.tools, paths)?;
    }
    for rule in &rules.exclusive {
        if rule.one_of.len() < 2 || rule.tools.is_empty() {
            let reason =
                "one_of has fewer than two arguments, or tools is empty, so the rule would bind nothing";
            return Err((rule.id.clone(), reason.to_owned()));
        }
        lead(&rule.id, &rule.tools, rule.one_of.iter().chain(&rule.unless))?;
    }
    rules.reveal.iter().try_for_each(reveal)?;
    rules.budget.iter().try_for_each(budget)
}

/// Whether each of `paths` is an argument of each tool.
fn lead<'p>(
    id: &str,
    names: &BTreeSet<String>,
    paths: impl Iterator<Item = &'p String>,
) -> Result<(), Fault> {
    known_tools(id, names)?;
    let paths: Vec<&String> = paths.collect();
    for tool in names.iter().filter_map(|name| tools::find(name)) {
        if let Some(path) = paths.iter().find(|path| !leads(tool.request(), path)) {
            return Err((id.to_owned(), format!("{} has no argument {path}", tool.name())));
        }
    }
    Ok(())
}

fn forbid(rule: &Forbid) -> Result<(), Fault> {
    let fault = |reason: String| (rule.id.clone(), reason);
    rule.tools.iter().try_for_each(|names| known_tools(&rule.id, names))?;
    if rule.tools.as_ref().is_some_and(BTreeSet::is_empty) {
        return Err(fault("tools is empty, so the rule would bind nothing".to_owned()));
    }
    if rule.tools.is_none() && rule.effects.is_empty() && rule.settings.is_empty() {
        return Err(fault("would refuse every call; give tools, effects or settings".to_owned()));
    }
    for setting in &rule.settings {
        let bound = |name: &str| rule.tools.as_ref().is_none_or(|tools| tools.contains(name));
        if !tools::all().any(|tool| bound(tool.name()) && has_path(tool.request(), &setting.path)) {
            return Err(fault(format!("no tool that it binds has an argument {}", setting.path)));
        }
    }
    Ok(())
}

fn reveal(rule: &Reveal) -> Result<(), Fault> {
    known_tools(&rule.id, &rule.tools)?;
    match rule.tools.iter().find(|name| !tools::find(name).is_some_and(reveals)) {
        Some(name) => Err((rule.id.clone(), format!("{name} hands over nothing; leave it out"))),
        None => Ok(()),
    }
}

fn budget(rule: &Budget) -> Result<(), Fault> {
    let fault = |reason: String| (rule.id.clone(), reason);
    rule.tools.iter().try_for_each(|names| known_tools(&rule.id, names))?;
    let (numbers, lists) = (rule.limits.numbers(), rule.limits.lists());
    if numbers.iter().all(|(_, limit)| limit.is_none()) && lists.iter().all(|(_, list)| list.is_none()) {
        return Err(fault("limits is empty, so the rule would bind nothing".to_owned()));
    }
    for (name, limit) in numbers {
        let (least, most) = match name {
            "calls_per_minute" => (1, MOST_CALLS),
            "minutes" => (1, MOST),
            _ => (0, MOST),
        };
        if limit.is_some_and(|limit| !(least..=most).contains(&limit)) {
            return Err(fault(format!("{name} must be from {least} to {most}")));
        }
    }
    for (name, list) in lists {
        if list.is_some_and(|list| list.is_empty() || list.contains("")) {
            return Err(fault(format!("{name} is empty, or has an empty text in it; name what is allowed")));
        }
    }
    match rule.limits.regions.iter().flatten().find(|region| !is_region(region)) {
        Some(region) => Err(fault(format!("there is no documented region {region}"))),
        None => Ok(()),
    }
}
