//! Modules import only from those before them, so that each can be read knowing only what came before.

use std::collections::BTreeSet;

use super::source::{Found, Source};

/// Each may name itself and what stands before it.
const ORDER: [&str; 14] = [
    "error", "spec", "tools", "policy", "audit", "vault", "cloud", "sim", "gateway", "server", "eval",
    "config", "cli", "main",
];

/// What is wrong with one path, if anything is.
fn fault(found: &Found<Vec<String>>) -> Option<String> {
    let from = found.place.top();
    let path: Vec<&str> = found.what.iter().map(String::as_str).collect();
    let (top, rest) = match path.as_slice() {
        ["crate", top, rest @ ..] => (*top, rest),
        _ => return None,
    };
    let rank = |module: &str| ORDER.iter().position(|known| *known == module);
    let why = match (rank(from), rank(top)) {
        _ if from.is_empty() || from == top => return None,
        (None, _) => format!("{from} has no place in the order"),
        (_, None) => format!("{top} has no place in the order"),
        (Some(_), Some(_)) if from == "sim" => match (top, rest.first()) {
            ("error", _) | ("cloud", Some(&"transport")) => return None,
            _ => "the simulator may import only error and cloud::transport".to_owned(),
        },
        (Some(here), Some(there)) if there > here => format!("{top} comes after {from}"),
        (Some(_), Some(_)) => return None,
    };
    Some(format!("{}: {}: {why}", found.place, path.join("::")))
}

fn faults(source: &Source) -> Vec<String> {
    source.paths.iter().filter_map(fault).collect()
}

#[test]
fn imports_point_only_left() {
    let faults = faults(Source::read());
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn every_module_has_a_place_in_the_order() {
    let source = Source::read();
    let tops: BTreeSet<String> = source.functions.iter().map(|found| found.place.top().to_owned()).collect();
    let strange: Vec<&String> = tops.iter().filter(|top| !ORDER.contains(&top.as_str())).collect();
    assert_eq!(strange, Vec::<&String>::new());
    assert!(tops.contains("policy") && tops.contains("main"), "the walk found only {tops:?}");
}

#[test]
fn a_path_that_points_right_is_found_wherever_it_stands() {
    for planted in [
        "use crate::cloud::Client;",
        "use crate::{error::Fault, gateway::Gateway};",
        "use super::super::server;",
        "fn f() { use crate::config::Launch; }",
        "fn f(x: &crate::audit::Audit) {}",
        "fn f() -> bool { matches!(x(), Some(crate::audit::Phase::Decision)) }",
        "fn f() { format!(\"{}\", crate::cli::pretty(&v)); }",
        "fn f() { json!({ \"a\": crate::sim::A }); }",
        "macro_rules! m { () => { $crate::sim::A } }",
        "#[serde(with = \"crate::audit::wire\")] struct S;",
        "struct S { field: Option<crate::audit::Entry> }",
        "mod inner { use super::super::super::audit; }",
        "fn f() { redline_mcp::audit::verify(); }",
        "use crate::somewhere::Else;",
    ] {
        assert_eq!(faults(&Source::of("policy::rules", planted)).len(), 1, "{planted}");
    }
}

#[test]
fn what_points_left_or_is_a_test_is_let_through() {
    for planted in [
        "use crate::spec::Call; use super::facts; use crate::policy::mask; use crate::tools;",
        "#[cfg(test)] mod tests { use crate::sim::Simulator; }",
        "#[cfg(test)] use crate::sim::Simulator;",
        "struct S; impl S { #[cfg(test)] fn f() { crate::sim::A; } }",
        "/// See [`crate::gateway`].\nstruct S;",
    ] {
        assert_eq!(faults(&Source::of("policy::rules", planted)), Vec::<String>::new(), "{planted}");
    }
}

#[test]
fn the_simulator_knows_nothing_of_the_client() {
    for planted in ["use crate::spec::Tool;", "use crate::cloud::sign;", "use crate::policy::Policy;"] {
        assert_eq!(faults(&Source::of("sim::route", planted)).len(), 1, "{planted}");
    }
    let allowed =
        "use crate::cloud::transport::{Exchange, Transport}; use crate::error::Fault; use super::world;";
    assert_eq!(faults(&Source::of("sim::route", allowed)), Vec::<String>::new());
}
