//! What serde can't check of a policy: that names are those of something, and that no rule is idle.

mod alone;

use std::collections::BTreeSet;

use super::{Check, Miss, Rules, Subject};
use crate::policy::consent::MAX_REGION_HOURS;
use crate::policy::grant::{MAX_CALLS, MAX_MINUTES};
use crate::policy::rules::{has_instants, has_state};
use crate::spec::Effect;
use crate::spec::marks::{Fact, Kind, Shape};
use crate::tools;

/// The longest that anything stays known: a year.
const MAX_LIFETIME_HOURS: i64 = 8_760;

/// The first rule that can't be, by its id, and why not.
pub(super) fn check(rules: &Rules) -> Result<(), (String, String)> {
    let mut ids = BTreeSet::new();
    if let Some(rule) = rules.all().find(|rule| !ids.insert(rule.id())) {
        return Err((rule.id().to_owned(), "two rules have this id".to_owned()));
    }
    if rules.all().any(|rule| rule.id().is_empty()) {
        return Err((String::new(), "a rule has an empty id; give it one".to_owned()));
    }
    for rule in &rules.confirm {
        let hours = rule.lifetime_hours.unwrap_or(0);
        let sound = match rule.subject {
            Subject::Region => (1..=MAX_REGION_HOURS).contains(&hours) && rule.effects.is_empty(),
            Subject::Arguments => rule.lifetime_hours.is_none() && !rule.effects.is_empty(),
        };
        if !sound {
            let reason = format!(
                "a region takes lifetime_hours from 1 to {MAX_REGION_HOURS} and no effects; arguments take effects and no lifetime"
            );
            return Err((rule.id.clone(), reason));
        }
        for highlight in &rule.highlight {
            if !tools::all().any(|tool| has_path(tool.request(), &highlight.path)) {
                return Err((rule.id.clone(), format!("no tool has an argument {}", highlight.path)));
            }
        }
        if rule.variable.iter().any(|variable| variable.names.is_empty()) {
            let reason = "names is empty, so it would point out nothing".to_owned();
            return Err((rule.id.clone(), reason));
        }
        for note in &rule.note {
            let Some(tool) = tools::find(&note.tool) else {
                return Err((rule.id.clone(), format!("there is no tool {}", note.tool)));
            };
            let when = note.when.iter().flat_map(|when| [Some(&when.path), when.above.as_ref()]).flatten();
            if let Some(name) =
                note.given.iter().chain(&note.missing).chain(when).find(|path| !leads(tool.request(), path))
            {
                return Err((rule.id.clone(), format!("{} has no argument {name}", note.tool)));
            }
        }
    }
    for rule in &rules.precheck {
        rule.tools.iter().try_for_each(|names| known_tools(&rule.id, names))?;
        known_tools(&rule.id, &rule.except)?;
        let sound = match rule.check {
            Check::Activation => {
                rule.lifetime_hours.is_some_and(|hours| (1..=MAX_LIFETIME_HOURS).contains(&hours))
            }
            Check::UniqueName => {
                let unique =
                    |name: &String| tools::find(name).is_some_and(|tool| tool.spec().unique().is_some());
                rule.lifetime_hours.is_none()
                    && rule.tools.as_ref().is_some_and(|tools| tools.iter().all(unique))
            }
            Check::Ahead => {
                let ahead =
                    |name: &String| tools::find(name).is_some_and(|tool| has_instants(tool.request()));
                rule.lifetime_hours.is_none()
                    && rule.tools.as_ref().is_some_and(|tools| tools.iter().all(ahead))
            }
            Check::Template => {
                let named = |name: &String| {
                    tools::find(name).is_some_and(|tool| has_fact(tool.request(), Fact::Template))
                };
                rule.lifetime_hours.is_none()
                    && rule.tools.as_ref().is_some_and(|tools| tools.iter().all(named))
            }
            Check::State => {
                rule.lifetime_hours.is_none()
                    && rule.tools.as_ref().is_some_and(|tools| tools.iter().all(|name| has_state(name)))
            }
        };
        if !sound {
            let reason = format!(
                "activation takes lifetime_hours from 1 to {MAX_LIFETIME_HOURS}; a unique name, what must lie ahead, a template and a state take none, for they are looked at each time, and name tools that have such an argument or subject"
            );
            return Err((rule.id.clone(), reason));
        }
    }
    for rule in &rules.provenance {
        rule.tools.iter().try_for_each(|names| known_tools(&rule.id, names))?;
        known_tools(&rule.id, &rule.learn)?;
        if let Some(verify) = &rule.verify
            && tools::find(&verify.tool).and_then(|tool| tool.request().field(&verify.filter)).is_none()
        {
            return Err((rule.id.clone(), format!("{} has no argument {}", verify.tool, verify.filter)));
        }
        if let Some(tool) = rule.verify.as_ref().and_then(|verify| tools::find(&verify.tool))
            && tool.spec().effect != Effect::Read
        {
            return Err((rule.id.clone(), format!("{} isn't a plain read; verify by one", tool.name())));
        }
        if rule.on_miss == Miss::Warn && rule.verify.is_some() {
            return Err((rule.id.clone(), "on_miss = \"warn\" asks no cloud: leave verify out".to_owned()));
        }
        if !(1..=MAX_LIFETIME_HOURS).contains(&rule.lifetime_hours) {
            return Err((rule.id.clone(), format!("lifetime_hours must be from 1 to {MAX_LIFETIME_HOURS}")));
        }
        for name in &rule.learn {
            if !tools::find(name).is_some_and(|tool| has_fact(tool.reply(), rule.fact)) {
                return Err((rule.id.clone(), format!("no reply of {name} teaches {}", rule.fact.name())));
            }
        }
    }
    for rule in &rules.secret_argument {
        if rule.patterns.is_empty() {
            return Err((rule.id.clone(), "patterns is empty, so the rule would bind nothing".to_owned()));
        }
    }
    for rule in &rules.sequence {
        if let Some(reason) = rule.fault() {
            return Err((rule.id.clone(), reason));
        }
    }
    if rules.grant.is_some_and(|grant| grant.minutes > MAX_MINUTES || grant.calls > MAX_CALLS) {
        let reason = format!(
            "minutes must be from 0 to {MAX_MINUTES}, calls from 0 to {MAX_CALLS}; 0 turns grants off"
        );
        return Err(("grant".to_owned(), reason));
    }
    alone::check(rules)
}

/// Whether there are tools of these names.
fn known_tools(id: &str, names: &BTreeSet<String>) -> Result<(), (String, String)> {
    match names.iter().find(|name| tools::find(name).is_none()) {
        Some(name) => Err((id.to_owned(), format!("there is no tool {name}; see `redline-mcp tools`"))),
        None => Ok(()),
    }
}

/// Whether `path`, dotted and without indices, leads from `shape` to something. Below a free map, and in open
/// settings, any key does.
fn leads(shape: &Shape, path: &str) -> bool {
    let (first, rest) = match path.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (path, None),
    };
    match &shape.inner().kind {
        Kind::Object(fields) => {
            fields.iter().any(|(name, shape)| name == first && rest.is_none_or(|rest| leads(shape, rest)))
        }
        Kind::List(item) => leads(item, path),
        Kind::Map(item) => rest.is_none_or(|rest| leads(item, rest)),
        Kind::Any => shape.inner().open,
        Kind::Text | Kind::Integer | Kind::Number | Kind::Flag => false,
    }
}

/// Whether the path of something in `shape` is `wanted`, or ends so. It begins with a field's name, for any
/// word is some map's key.
fn has_path(shape: &Shape, wanted: &str) -> bool {
    match &shape.inner().kind {
        Kind::Object(fields) => {
            leads(shape, wanted) || fields.iter().any(|(_, shape)| has_path(shape, wanted))
        }
        Kind::List(item) | Kind::Map(item) => has_path(item, wanted),
        Kind::Text | Kind::Integer | Kind::Number | Kind::Flag | Kind::Any => false,
    }
}

fn has_fact(shape: &Shape, fact: Fact) -> bool {
    shape.fact == Some(fact)
        || match &shape.inner().kind {
            Kind::Object(fields) => fields.iter().any(|(_, shape)| has_fact(shape, fact)),
            Kind::List(item) | Kind::Map(item) => has_fact(item, fact),
            Kind::Text | Kind::Integer | Kind::Number | Kind::Flag | Kind::Any => false,
        }
}
