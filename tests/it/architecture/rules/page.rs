//! The page of rules, docs/rules.md.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::proofs::{Proofs, Tests};
use super::{Place, Rule, Table};

const HEAD: &str = "\
<!-- Written by `UPDATE=1 cargo test --test it`; a test compares it. Change tests/data/rules/rules.toml instead. -->

# The rules, where each is held, and what shows it

The project follows three source documents: the references of PAI-DLC (`R-DLC`) and of PAI workspaces (`R-WS`), and that of
PyroMind (`R-PM`). Every rule in them has an id, is said here in our own words, and has a test that names the id, or a reason
why no server can hold it. Tests of the simulator don't count: a cloud that refuses shows nothing about the server before it.

*Held by*:

| word | what holds it |
|---|---|
| schema | the tool's schema: such arguments can't be given, or must be; or its description says so |
| check | the tool's own check of its arguments, for what a schema can't say |
| `rule-id` | that rule of [red-lines.toml](../policies/red-lines.toml) or [default.toml](../policies/default.toml) |
| policy | code of the policy layer, without a rule of its own there |
| client | how requests are built, signed, sent and repeated |
| reply | what the server makes of the cloud's answer or error |
| mask | the masks and the sweep that everything passes on its way out |
| server | what the server offers at all, and what it never does |

";

/// The whole page.
pub fn write(table: &Table, proofs: &Proofs, policy: &BTreeMap<String, BTreeSet<String>>) -> String {
    let mut page = HEAD.to_owned();
    let unenforceable = table.rules.values().filter(|rule| rule.unenforceable.is_some()).count();
    let (all, pending) = (table.rules.len(), table.pending.len());
    let _ = write!(page, "{all} rules: {} that a server can hold, ", all - unenforceable);
    if pending > 0 {
        let _ = write!(page, "{pending} of them without a proof yet, ");
    }
    let _ = writeln!(page, "{unenforceable} that it can't.");
    for (title, source) in [("PAI-DLC", "R-DLC-"), ("Workspaces", "R-WS-"), ("PyroMind", "R-PM-")] {
        let _ =
            write!(page, "\n## {title}\n\n| rule | what it says | held by | shown by |\n|---|---|---|---|\n");
        for (id, rule) in table.rules.iter().filter(|(id, _)| id.starts_with(source)) {
            let held = held(rule, policy.get(id));
            let shown = if table.pending.contains(id) {
                "*pending*".to_owned()
            } else {
                proofs.of.get(id).map_or_else(String::new, shown)
            };
            let _ = writeln!(page, "| {id} | {} | {held} | {shown} |", rule.what);
        }
    }
    page
}

fn held(rule: &Rule, policy: Option<&BTreeSet<String>>) -> String {
    let word = |place: &Place| match place {
        Place::Schema => "schema",
        Place::Check => "check",
        Place::Policy => "policy",
        Place::Client => "client",
        Place::Reply => "reply",
        Place::Mask => "mask",
        Place::Server => "server",
    };
    let places: BTreeSet<Place> = rule.places.iter().copied().collect();
    let mut words: Vec<String> = places.iter().map(|place| word(place).to_owned()).collect();
    words.extend(policy.into_iter().flatten().map(|id| format!("`{id}`")));
    let words = words.join(", ");
    match &rule.unenforceable {
        None => words,
        Some(why) if words.is_empty() => format!("*can't be held*: {why}"),
        Some(why) => format!("*can't be held*: {why} ({words})"),
    }
}

fn shown(tests: &Tests) -> String {
    let files = tests.iter().map(|(file, tests)| {
        let short = file.trim_start_matches("src/").trim_start_matches("tests/").trim_end_matches(".rs");
        let names = if file.ends_with(".jsonl") {
            let more = match tests.len() - 1 {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            format!("“{}”{more}", tests[0])
        } else {
            let names: Vec<String> = tests.iter().map(|test| format!("`{test}`")).collect();
            names.join(", ")
        };
        format!("[{short}](../{file}): {names}")
    });
    files.collect::<Vec<_>>().join("<br>")
}
