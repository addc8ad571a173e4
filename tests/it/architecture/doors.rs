//! The door types: who makes them, opens them, hands them on and keeps them.
//!
//! A call leaves only as `Cleared`, a reply enters only as `Raw` and is shown only as `Masked`; a secret in it goes
//! to the vault only as a `Deposit` and leaves it only as `Redeemed`. That holds as long as each has one maker. A test here that fails isn't in the way: it says that a new way round the policy
//! has been built, or that a new function belongs to those that are looked at with care.

use std::collections::{BTreeMap, BTreeSet};

use super::source::{Found, Place, Source};

/// The doors, where each is declared, what it derives, and what else is implemented for it.
const DOORS: [(&str, &str, &[&str], &[&str]); 8] = [
    ("Raw", "policy::verdict", &[], &["Debug"]),
    ("Cleared", "policy::verdict", &[], &[]),
    ("Masked", "policy::mask", &["Debug", "PartialEq"], &[]),
    ("MaskedCall", "policy::mask", &[], &[]),
    ("Approval", "policy::consent", &["Clone", "Debug", "Eq", "PartialEq"], &[]),
    ("Question", "policy::consent", &["Clone", "Debug", "Eq", "PartialEq"], &[]),
    ("Deposit", "policy::hand_over", &[], &["Debug"]),
    ("Redeemed", "vault", &[], &["From", "Debug"]),
];

fn is_door(name: &str) -> bool {
    DOORS.iter().any(|(door, ..)| *door == name)
}

/// The functions around what `pick` picks, without repeats, sorted.
fn within<T>(all: &[Found<T>], pick: impl Fn(&T, &Place) -> bool) -> Vec<String> {
    let mut found: Vec<String> = all
        .iter()
        .filter(|found| pick(&found.what, &found.place))
        .map(|found| found.place.within())
        .collect();
    found.sort();
    found.dedup();
    found
}

/// Struct literals of `door`, by function; once each time.
fn literals(source: &Source, door: &str) -> Vec<String> {
    let mut made: Vec<String> =
        source.literals.iter().filter(|found| found.what == door).map(|found| found.place.within()).collect();
    made.sort();
    made
}

fn calls_of(source: &Source, path: &[&str]) -> Vec<String> {
    within(&source.calls, |called, _| {
        called.ends_with(&path.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>())
    })
}

fn returning(source: &Source, door: &str) -> Vec<String> {
    within(&source.functions, |function, _| function.returns.contains(door))
}

fn holding(source: &Source, door: &str) -> Vec<String> {
    let mut held: Vec<String> = source
        .types
        .iter()
        .filter(|found| found.what.holds.contains(door))
        .map(|found| format!("{}::{}", found.place.module, found.what.name))
        .collect();
    held.sort();
    held
}

#[test]
fn doors_are_sealed_and_cannot_be_copied_or_read_in() {
    let source = Source::read();
    for (door, module, derives, implemented) in DOORS {
        let declared: Vec<_> = source.types.iter().filter(|found| found.what.name == door).collect();
        assert_eq!(declared.len(), 1, "{door} is declared once");
        assert_eq!(declared[0].place.module, module, "{door}");
        assert!(declared[0].what.sealed, "{}: every field of {door} is private", declared[0].place);
        assert_eq!(
            declared[0].what.derives.iter().map(String::as_str).collect::<Vec<_>>(),
            derives,
            "{door}"
        );
        let written: Vec<&str> = source
            .impls
            .iter()
            .filter(|found| found.what.1 == door)
            .map(|found| found.what.0.as_str())
            .collect();
        assert_eq!(written, implemented, "{door}");
    }
}

#[test]
fn doors_go_by_one_name() {
    let source = Source::read();
    let renamed: Vec<String> = source
        .aliases
        .iter()
        .filter(|found| found.what.iter().any(|name| is_door(name)))
        .map(|found| found.place.to_string())
        .collect();
    assert_eq!(renamed, Vec::<String>::new());
}

#[test]
fn doors_have_one_maker_each() {
    let source = Source::read();
    let made: BTreeMap<&str, Vec<String>> = DOORS
        .iter()
        .map(|(door, ..)| (*door, literals(source, door)))
        .filter(|(door, _)| *door != "Raw")
        .collect();
    let one = |maker: &str| vec![maker.to_owned()];
    assert_eq!(
        made,
        BTreeMap::from([
            ("Approval", one("policy::consent::Approval::new")),
            ("Cleared", one("policy::verdict::Cleared::new")),
            ("Deposit", one("policy::hand_over::Deposit::new")),
            ("Masked", one("policy::mask::mask")),
            ("MaskedCall", one("policy::mask::masked_call")),
            ("Question", one("policy::consent::Question::new")),
            ("Redeemed", one("vault::Redeemed::from")),
        ])
    );
    assert_eq!(calls_of(source, &["Raw"]), ["policy::verdict::Raw::new"]);
}

#[test]
fn only_a_judgement_clears_a_call() {
    let source = Source::read();
    assert_eq!(calls_of(source, &["Cleared", "new"]), ["policy::rules::judge"]);
    assert_eq!(returning(source, "Cleared"), ["policy::verdict::Cleared::new"]);
    assert_eq!(holding(source, "Cleared"), ["policy::verdict::Verdict"]);
    // The record has a Verdict of its own.
    let own = ["audit::record::Entry", "policy::rules::Bench", "policy::verdict::Judgement"];
    assert_eq!(holding(source, "Verdict"), own);
    assert_eq!(returning(source, "Verdict"), Vec::<String>::new());
    assert_eq!(
        returning(source, "Judgement"),
        ["gateway::course::Course::judge", "policy::Policy::judge", "policy::rules::judge"]
    );
}

#[test]
fn only_the_mask_makes_what_is_shown() {
    let source = Source::read();
    assert_eq!(
        returning(source, "Masked"),
        ["policy::Policy::mask_existing", "policy::Policy::mask_refusal", "policy::Policy::mask_unkept"]
    );
    assert_eq!(
        returning(source, "Shown"),
        [
            "policy::Policy::mask",
            "policy::Policy::mask_remarked",
            "policy::Policy::mask_reply",
            "policy::mask::mask",
        ]
    );
    assert_eq!(calls_of(source, &["mask", "mask"]), ["policy::Policy::mask"]);
    assert_eq!(holding(source, "Masked"), ["gateway::Step", "policy::mask::Shown"]);
    assert_eq!(
        returning(source, "MaskedCall"),
        [
            "policy::Policy::mask_call",
            "policy::mask::ask_call",
            "policy::mask::mask_call",
            "policy::mask::masked_call"
        ]
    );
}

#[test]
fn only_the_policy_takes_an_answer_for_a_yes() {
    let source = Source::read();
    assert_eq!(
        calls_of(source, &["Approval", "new"]),
        ["policy::hear::hear_arguments", "policy::rules::confirm::arguments"]
    );
    assert_eq!(
        calls_of(source, &["Question", "new"]),
        ["policy::question::arguments", "policy::question::order::order", "policy::question::region"]
    );
}

#[test]
fn only_the_policy_opens_what_a_cloud_answered() {
    let source = Source::read();
    let open: Vec<_> =
        source.functions.iter().filter(|found| found.place.within().ends_with("Raw::open")).collect();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].what.visibility, "pub(super)");
    let outside = within(&source.methods, |(name, count), place| {
        name == "open" && *count == 0 && place.top() != "policy"
    });
    assert_eq!(outside, Vec::<String>::new());
    let inside = within(&source.methods, |(name, count), place| {
        name == "open" && *count == 0 && place.top() == "policy"
    });
    assert!(!inside.is_empty(), "the search finds none at all");
}

/// R-WS-18: an answer as it came lives no longer than its step. Nothing that a scope remembers holds one, however deep
/// inside; what a step reads for itself does, and goes with it.
#[test]
fn nothing_remembers_what_a_cloud_answered() {
    let source = Source::read();
    let within = |root: &'static str| {
        let mut held = BTreeSet::from([root]);
        loop {
            let parts = source.types.iter().filter(|found| {
                ["policy", "gateway", "vault"].contains(&found.place.top())
                    && held.contains(&*found.what.name)
            });
            let more: BTreeSet<&str> =
                parts.flat_map(|found| &found.what.holds).map(String::as_str).collect();
            if more.is_subset(&held) {
                return held;
            }
            held.extend(more);
        }
    };
    let remembered = within("Scope");
    for part in ["State", "Facts", "Consents", "History", "Seen"] {
        assert!(remembered.contains(part), "{remembered:?}");
    }
    for raw in ["Raw", "Outcome", "CloudError", "Evidence", "Existing"] {
        assert!(!remembered.contains(raw) && !within("Vault").contains(raw), "a {raw} is remembered");
    }
    assert!(within("Evidence").contains("Raw"), "the search is blind");
}

/// Whether a secret may be looked at there, once it is in the vault.
fn may_see_secrets(place: &Place) -> bool {
    ["vault", "cloud"].contains(&place.top()) || place.module == "cli::secret"
}

#[test]
fn only_the_policy_makes_deposits_and_only_the_vault_looks_into_them() {
    let source = Source::read();
    let visible = |function: &str| {
        let found: Vec<_> =
            source.functions.iter().filter(|found| found.place.within().ends_with(function)).collect();
        assert_eq!(found.len(), 1, "{function}");
        found[0].what.visibility.as_str()
    };
    assert_eq!(visible("hand_over::Deposit::new"), "pub(super)");
    assert_eq!(visible("hand_over::Handle::of"), "pub(super)");
    assert_eq!(visible("hand_over::Deposit::expose"), "pub(crate)");
    assert_eq!(visible("vault::Redeemed::expose"), "pub(crate)");

    let exposes = |(name, count): &(String, usize)| name == "expose" && *count == 0;
    let outside = within(&source.methods, |called, place| exposes(called) && !may_see_secrets(place));
    assert_eq!(outside, Vec::<String>::new());
    let by_path = within(&source.paths, |path, _| path.len() > 1 && path.ends_with(&["expose".to_owned()]));
    assert_eq!(by_path, Vec::<String>::new());
    // In the vault, a deposit is looked into where it is written, and nothing that was redeemed is.
    let inside = within(&source.methods, |called, place| exposes(called) && place.top() == "vault");
    assert_eq!(inside, ["vault::entry::write"]);
    // Whoever else exposes anything has no deposit at hand, so it is what was redeemed.
    let strangers = within(&source.paths, |path, place| {
        path.iter().any(|step| step == "Deposit") && !["policy", "vault", "gateway"].contains(&place.top())
    });
    assert_eq!(strangers, Vec::<String>::new());
}

#[test]
fn only_the_vault_gives_secrets_back() {
    let source = Source::read();
    assert_eq!(
        returning(source, "Redeemed"),
        ["vault::Redeemed::from", "vault::Vault::read_for_owner", "vault::Vault::redeem"]
    );
    assert_eq!(holding(source, "Redeemed"), Vec::<String>::new());
    let readers = within(&source.methods, |(name, _), _| name == "read_for_owner");
    assert_eq!(readers, ["cli::secret::Secret::run"]);
}

#[test]
fn only_a_cleared_call_is_sent() {
    let source = Source::read();
    let sends: Vec<_> =
        source.functions.iter().filter(|found| found.place.within() == "cloud::Client::send").collect();
    assert_eq!(sends.len(), 1);
    assert_eq!(sends[0].what.takes, ["Cleared", "Errand"]);
    let senders = within(&source.methods, |(name, _), place| name == "send" && place.top() == "cloud");
    // The second carries what asks for credentials, to whoever gives them, and no call; the third carries nothing.
    assert_eq!(
        senders,
        ["cloud::Client::send", "cloud::credentials::exchange::Exchange::answer", "cloud::probe::Probe::ask"]
    );
    let by_path = within(&source.paths, |path, _| {
        path.ends_with(&["Transport", "send"].map(str::to_owned))
            || path.ends_with(&["Client", "send"].map(str::to_owned))
    });
    assert_eq!(by_path, Vec::<String>::new());
}

#[test]
fn the_network_has_one_room() {
    let source = Source::read();
    let elsewhere = within(&source.paths, |path, place| {
        path.iter().any(|step| step == "reqwest") && place.module != "cloud::transport::http"
    });
    assert_eq!(elsewhere, Vec::<String>::new());
    let users = within(&source.paths, |path, place| {
        path.starts_with(&["crate", "cloud", "transport"].map(str::to_owned))
            && !["cloud", "sim", "config"].contains(&place.top())
    });
    assert_eq!(users, Vec::<String>::new());
}

#[test]
fn only_a_parsed_call_exists() {
    let source = Source::read();
    let declared: Vec<_> = source
        .types
        .iter()
        .filter(|found| found.what.name == "Call" && found.place.module == "spec")
        .collect();
    assert_eq!(declared.len(), 1);
    assert!(declared[0].what.sealed, "{}: every field of Call is private", declared[0].place);
    assert_eq!(declared[0].what.derives.iter().map(String::as_str).collect::<Vec<_>>(), ["Clone"]);
    let made: Vec<String> =
        literals(source, "Call").into_iter().filter(|place| place.starts_with("spec::")).collect();
    assert_eq!(made, ["spec::Tool::call", "spec::Tool::parse"]);
}

#[test]
fn the_server_never_names_what_it_must_not_touch() {
    let source = Source::read();
    let named = within(&source.paths, |path, place| {
        place.top() == "server"
            && path.iter().any(|step| ["Raw", "Outcome", "Cleared"].contains(&step.as_str()))
    });
    assert_eq!(named, Vec::<String>::new());
    assert!(source.functions.iter().any(|found| found.place.top() == "server"), "there is no server to read");
}

#[test]
fn a_second_maker_is_found_however_it_is_written() {
    let planted = "
        fn a() -> Masked { Masked { body, is_error: false, redactions } }
        impl Masked { fn b() -> Option<Self> { Some(Self { body, is_error: false, redactions }) } }
        fn c() { let x = vec![Masked { body, is_error, redactions }]; }
        fn d() { select! { x = y => Masked { body, is_error, redactions } } }
        fn e() { ask().open(); println!(\"{}\", ask().open()); }
    ";
    let source = Source::of("server::call", planted);
    assert_eq!(
        literals(&source, "Masked"),
        ["server::call::Masked::b", "server::call::a", "server::call::c", "server::call::d"]
    );
    assert_eq!(returning(&source, "Masked"), ["server::call::Masked::b", "server::call::a"]);
    assert_eq!(within(&source.methods, |(name, _), _| name == "open"), ["server::call::e"]);
}
