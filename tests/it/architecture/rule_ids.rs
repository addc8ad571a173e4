//! Rules are named by ids, such as `R-WS-44`. A name that means nothing would pass for a proof.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use regex::Regex;

use super::source::{files, name, root};

/// Every rule's id and kind.
fn rules() -> BTreeMap<String, String> {
    let text = fs::read_to_string(root().join("tests/data/rules/ids.txt")).unwrap();
    let mut rules = BTreeMap::new();
    for line in text.lines() {
        let (id, kind) = line.split_once(' ').unwrap();
        assert_eq!(rules.insert(id.to_owned(), kind.to_owned()), None, "{id} is listed twice");
    }
    rules
}

/// The ids in a text, and the line of each.
fn ids(text: &str) -> Vec<(usize, String)> {
    let id = Regex::new(r"\bR-[A-Z]+-[0-9]+\b").unwrap();
    let lines = text.lines().enumerate();
    lines
        .flat_map(|(at, line)| id.find_iter(line).map(move |found| (at + 1, found.as_str().to_owned())))
        .collect()
}

#[test]
fn the_list_has_every_rule_of_the_three_sources() {
    let rules = rules();
    let of = |source: &str| rules.keys().filter(|id| id.starts_with(source)).count();
    assert_eq!((of("R-DLC-"), of("R-WS-"), of("R-PM-"), rules.len()), (87, 97, 108, 292));
}

#[test]
fn every_rule_that_is_named_exists() {
    let rules = rules();
    let mut named = BTreeSet::new();
    let mut unknown = Vec::new();
    for directory in ["src", "tests", "policies"] {
        for file in files(directory, &["rs", "toml", "jsonl"]) {
            if file.ends_with("rule_ids.rs") {
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

#[test]
fn every_rule_of_the_policy_names_its_sources() {
    let rules = rules();
    let mut faults = Vec::new();
    for file in files("policies", &["toml"]) {
        let policy: toml::Table = fs::read_to_string(&file).unwrap().parse().unwrap();
        // What isn't a list of rules, such as the table of permissions, is data.
        let rules_of = |declared: &toml::Value| declared.as_array().cloned();
        for (kind, declared) in policy.iter().filter_map(|(kind, declared)| Some((kind, rules_of(declared)?)))
        {
            for rule in &declared {
                let id = rule["id"].as_str().unwrap();
                let sources: Vec<&str> = rule["sources"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|source| source.as_str().unwrap())
                    .collect();
                if sources.is_empty() || sources.iter().any(|source| !rules.contains_key(*source)) {
                    faults.push(format!("{}: {kind} {id}: {sources:?}", name(&file)));
                }
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn ids_are_found_with_their_lines() {
    let found = ids("/// R-WS-44, R-WS-45:\n/// XR-WS-1 isn't one, R-PM-108 is.");
    let expected = [(1, "R-WS-44"), (1, "R-WS-45"), (2, "R-PM-108")];
    assert_eq!(found, expected.map(|(line, id)| (line, id.to_owned())));
}
