//! Rules are named by ids, such as `R-WS-44`. Each has a test that names it, or a reason why none can; docs/rules.md
//! tells them all. `UPDATE=1 cargo test --test it` writes that page anew.
//!
//! | room | what is in it |
//! |---|---|
//! | `proofs` | which tests name which rules |
//! | `page` | the page, from the table and the proofs |

mod page;
mod proofs;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use regex::Regex;
use serde::Deserialize;

use self::proofs::Proofs;
use super::source::{files, name, root};

/// `tests/data/rules/rules.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    /// Rules that nothing proves yet.
    pending: BTreeSet<String>,
    rules: BTreeMap<String, Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    what: String,
    #[serde(default, rename = "where")]
    places: Vec<Place>,
    /// Why no server can see to it.
    unenforceable: Option<String>,
}

/// Where a rule is seen to.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
enum Place {
    Schema,
    Check,
    Policy,
    Client,
    Reply,
    Mask,
    Server,
}

impl Table {
    fn read() -> Self {
        toml::from_str(&fs::read_to_string(root().join("tests/data/rules/rules.toml")).unwrap()).unwrap()
    }
}

/// The ids in a text, and the line of each.
fn ids(text: &str) -> Vec<(usize, String)> {
    let id = Regex::new(r"\bR-[A-Z]+-[0-9]+\b").unwrap();
    let lines = text.lines().enumerate();
    lines
        .flat_map(|(at, line)| id.find_iter(line).map(move |found| (at + 1, found.as_str().to_owned())))
        .collect()
}

/// The rules of `policies/*.toml` by their sources.
fn policy_rules() -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in files("policies", &["toml"]) {
        let policy: toml::Table = fs::read_to_string(&file).unwrap().parse().unwrap();
        for rule in policy.values().filter_map(toml::Value::as_array).flatten() {
            for source in rule.get("sources").and_then(toml::Value::as_array).into_iter().flatten() {
                let id = rule["id"].as_str().unwrap().to_owned();
                found.entry(source.as_str().unwrap().to_owned()).or_default().insert(id);
            }
        }
    }
    found
}

#[test]
fn the_list_has_every_rule_of_the_three_sources() {
    let rules = Table::read().rules;
    let of = |source: &str| rules.keys().filter(|id| id.starts_with(source)).count();
    assert_eq!((of("R-DLC-"), of("R-WS-"), of("R-PM-"), rules.len()), (87, 97, 108, 292));
    assert_eq!(rules.values().filter(|rule| rule.unenforceable.is_some()).count(), 31);
}

#[test]
fn every_rule_that_is_named_exists() {
    let rules = Table::read().rules;
    let mut named = BTreeSet::new();
    let mut unknown = Vec::new();
    for directory in ["src", "tests", "policies", "docs"] {
        for file in files(directory, &["rs", "toml", "jsonl", "md"]) {
            if name(&file).starts_with("tests/it/architecture/rules") {
                continue;
            }
            for (line, id) in ids(&fs::read_to_string(&file).unwrap()) {
                if !rules.contains_key(&id) {
                    unknown.push(format!("{}:{line}: {id}", name(&file)));
                }
                named.insert(id);
            }
        }
    }
    assert_eq!(unknown, Vec::<String>::new());
    assert!(!named.is_empty(), "the search finds none at all");
}

/// What no document demands, and the house or an operator wants all the same.
const OWN: [&str; 5] =
    ["job-of-a-sane-size", "no-further-rights", "no-local-mounts", "no-privileged-containers", "read-only"];

#[test]
fn every_rule_of_the_policy_names_its_sources() {
    let rules = Table::read().rules;
    let mut faults = Vec::new();
    for file in files("policies", &["toml"]) {
        let policy: toml::Table = fs::read_to_string(&file).unwrap().parse().unwrap();
        for (kind, declared) in &policy {
            for rule in declared.as_array().into_iter().flatten() {
                let sources: Vec<&str> = rule.get("sources").map_or_else(Vec::new, |sources| {
                    sources.as_array().unwrap().iter().map(|source| source.as_str().unwrap()).collect()
                });
                let id = rule["id"].as_str().unwrap();
                if sources.is_empty() != OWN.contains(&id)
                    || sources.iter().any(|source| !rules.contains_key(*source))
                {
                    faults.push(format!("{}: {kind} {id}: {sources:?}", name(&file)));
                }
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn every_rule_that_a_server_can_hold_is_held_and_shown_by_a_test() {
    let (table, proofs, policy) = (Table::read(), Proofs::read(), policy_rules());
    let mut lacking = Vec::new();
    for (id, rule) in &table.rules {
        if rule.unenforceable.is_some() || table.pending.contains(id) {
            continue;
        }
        if !proofs.of.contains_key(id) {
            lacking.push(format!("{id}: no test names it"));
        }
        if rule.places.is_empty() && !policy.contains_key(id) {
            lacking.push(format!("{id}: nothing holds it"));
        }
    }
    assert_eq!(lacking, Vec::<String>::new());
}

#[test]
fn what_is_pending_has_no_proof() {
    let (table, proofs) = (Table::read(), Proofs::read());
    let shown: Vec<&String> = table
        .pending
        .iter()
        .filter(|id| proofs.of.contains_key(*id) || table.rules[*id].unenforceable.is_some())
        .collect();
    assert_eq!(shown, Vec::<&String>::new(), "take them off the list of tests/data/rules/rules.toml");
}

/// A range names its ends alone; what lies between would pass for proven, or be overlooked.
#[test]
fn no_test_names_a_range() {
    assert_eq!(Proofs::read().ranges, Vec::<String>::new());
}

/// docs/rules.md is what the table, the policies and the tests say. `UPDATE=1 cargo test` writes it anew.
#[test]
fn the_page_of_rules_is_up_to_date() {
    let file = root().join("docs/rules.md");
    let page = page::write(&Table::read(), Proofs::read(), &policy_rules());
    if crate::harness::updating() {
        fs::write(&file, page).unwrap();
    } else {
        let written = fs::read_to_string(&file).unwrap_or_default();
        let (written, page): (BTreeSet<&str>, BTreeSet<&str>) =
            (written.lines().collect(), page.lines().collect());
        let stale: Vec<_> = written.symmetric_difference(&page).collect();
        assert_eq!(stale, Vec::<&&str>::new(), "docs/rules.md is stale: UPDATE=1 cargo test --test it");
    }
}

#[test]
fn ids_are_found_with_their_lines() {
    let found = ids("/// R-WS-44, R-WS-45:\n/// XR-WS-1 isn't one, R-PM-108 is.");
    let expected = [(1, "R-WS-44"), (1, "R-WS-45"), (2, "R-PM-108")];
    assert_eq!(found, expected.map(|(line, id)| (line, id.to_owned())));
}
