//! What an overlay may say.

use super::*;

/// A rule that keeps itself to what is asked of one.
const SOUND: &str = r#"[[budget]]
id = "here"
why = "w"
limits = { regions = ["cn-hangzhou"] }
examples = [
    { tool = "dlc_list_jobs", arguments = { RegionId = "cn-hangzhou" }, says = "passed" },
    { tool = "dlc_list_jobs", arguments = { RegionId = "cn-beijing" }, says = "refused" },
]
"#;

fn laid(text: &str) -> Result<Loaded, LoadError> {
    load(&[Overlay { file: "o.toml".to_owned(), text: text.to_owned() }])
}

/// What is said of an overlay that can't be.
#[track_caller]
fn wrong(text: &str) -> String {
    match laid(text) {
        Ok(_) => panic!("it loads: {text}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn an_overlay_adds_to_what_is_there_and_to_the_fingerprint() {
    let (bare, with) = (load(&[]).unwrap(), laid(SOUND).unwrap());
    assert_eq!(with.rules.all().count(), bare.rules.all().count() + 1);
    assert_ne!(with.sha256, bare.sha256);
    let other = laid(&SOUND.replace("why = \"w\"", "why = \"v\"")).unwrap();
    assert_ne!(with.sha256, other.sha256);
    let overlay = with.files.last().unwrap();
    assert_eq!((overlay.name.as_str(), overlay.rules.as_slice()), ("o.toml", &["here".to_owned()][..]));
    assert_eq!(with.proofs.len(), 2);
    assert_eq!(
        with.proofs.iter().map(|proof| (proof.line, proof.number)).collect::<Vec<_>>(),
        [(2, 1), (2, 2)]
    );
}

#[test]
fn presets_load() {
    let preset = Overlay::preset("read-only").unwrap();
    assert!(load(&[preset]).is_ok());
    assert_eq!(Overlay::preset("write-only"), None);
}

/// Every way to tighten a rule that is there, one a line.
#[test]
fn tightening_is_taken() {
    for change in [
        "rule = \"region-confirmed\"\nlifetime_hours = 1",
        "rule = \"pai-activated\"\nlifetime_hours = 8",
        "rule = \"image-from-list\"\nlifetime_hours = 1",
        "rule = \"workspace-from-list\"\nadd_tools = [\"dlc_list_jobs\"]",
        "rule = \"no-credentials-in-arguments\"\nadd_patterns = ['corp-[0-9a-f]{8}']",
        "rule = \"arguments-confirmed\"\nadd_effects = [\"read\"]",
        "rule = \"arguments-confirmed\"\nadd_highlights = [{ path = \"Priority\", values = [\"9\"], say = \"s\" }]",
        "rule = \"no-local-mounts\"\nadd_settings = [{ path = \"SystemDisk\" }]",
        "rule = \"own-machines-name-their-quota\"\nadd_tools = [\"dlc_update_job\"]",
        "rule = \"revealed-by-these-alone\"\nremove_tools = [\"dlc_get_web_terminal\"]",
        "rule = \"job-of-a-sane-size\"\nlimits = { pods = 4, gpus = 8 }",
    ] {
        let loaded = laid(&format!("[[change]]\n{change}\n"));
        assert!(
            matches!((&loaded, change), (Ok(_), _)) || change.contains("own-machines"),
            "{change}: {:?}",
            loaded.err()
        );
    }
}

/// What `default.toml` declares tunable, and nothing else.
#[test]
fn what_is_declared_tunable_is_loosened() {
    for rule in [
        "no-privileged-containers",
        "no-further-rights",
        "no-local-mounts",
        "no-injected-credentials",
        "own-machines-name-their-quota",
        "public-machines-without-quota",
    ] {
        let loaded = laid(&format!("[[change]]\nrule = \"{rule}\"\noff = true\n")).unwrap();
        let off: Vec<&str> = loaded.rules.all().filter(|rule| rule.is_off()).map(Rule::id).collect();
        assert_eq!(off, [rule]);
    }
    let more = laid("[[change]]\nrule = \"job-of-a-sane-size\"\nlimits = { pods = 5000 }\n").unwrap();
    assert_eq!(more.rules.budget[0].limits, Limits { pods: Some(5000), ..Limits::default() });
}

/// Attack 15: each is refused with the place and the fix.
#[test]
fn loosening_is_refused() {
    for (change, expected) in [
        (
            "rule = \"region-confirmed\"\nlifetime_hours = 9",
            "rule region-confirmed: would loosen the rule: lifetime_hours is 8 and can only be lowered; give at most that",
        ),
        (
            "rule = \"image-from-list\"\nlifetime_hours = 25",
            "rule image-from-list: would loosen the rule: lifetime_hours is 24 and can only be lowered; give at most that",
        ),
        (
            "rule = \"image-from-list\"\noff = true",
            "rule image-from-list: a provenance rule has no off to change; it has lifetime_hours, add_tools",
        ),
        (
            "rule = \"no-credentials-in-arguments\"\noff = true",
            "rule no-credentials-in-arguments: a secret-argument rule has no off to change; it has add_patterns",
        ),
        (
            "rule = \"arguments-confirmed\"\noff = true",
            "rule arguments-confirmed: a confirm rule has no off to change; it has lifetime_hours, add_effects, add_highlights",
        ),
        (
            "rule = \"workspace-created-once\"\nlifetime_hours = 8",
            "rule workspace-created-once: is looked up each time, so it has no lifetime_hours; leave it out",
        ),
        (
            "rule = \"arguments-confirmed\"\nlifetime_hours = 8",
            "rule arguments-confirmed: is asked each time, so it has no lifetime_hours; leave it out",
        ),
        (
            "rule = \"image-from-list\"\nremove_tools = [\"dlc_create_job\"]",
            "rule image-from-list: a provenance rule has no remove_tools to change; it has lifetime_hours, add_tools",
        ),
        (
            "rule = \"image-from-list\"\nadd_tools = [\"dlc_create_job\"]",
            "rule image-from-list: binds every tool already; leave add_tools out",
        ),
        (
            "rule = \"revealed-by-these-alone\"\nadd_tools = [\"dlc_stop_job\"]",
            "rule revealed-by-these-alone: would loosen the rule: dlc_stop_job would be let through; it isn't declared \
             tunable (tools), so leave that out",
        ),
        (
            "rule = \"no-such-rule\"\noff = true",
            "rule no-such-rule: no rule that is compiled in, or came before, has this id; see `redline-mcp policy list`",
        ),
        (
            "rule = \"no-local-mounts\"",
            "rule no-local-mounts: changes nothing; give one of off, add_tools, add_effects, add_settings",
        ),
    ] {
        let expected = format!("o.toml, line 2, {expected}");
        assert_eq!(wrong(&format!("[[change]]\n{change}\n")), expected);
    }
    // What one overlay sets, a later one doesn't loosen.
    let second = "[[change]]\nrule = \"here\"\nlimits = { regions = [\"cn-hangzhou\", \"cn-beijing\"] }\n";
    let overlays = [SOUND, second].map(|text| Overlay { file: "o.toml".to_owned(), text: text.to_owned() });
    assert_eq!(
        load(&overlays).unwrap_err().to_string(),
        "o.toml, line 2, rule here: would loosen the rule: regions would allow what it doesn't now; it isn't declared \
         tunable (limits), so leave that out"
    );
}

#[test]
fn a_rule_that_cannot_be_added_says_what_to_do() {
    let examples = SOUND.split_once("examples").unwrap().1;
    let with =
        |kind: &str, body: &str| format!("[[{kind}]]\nid = \"x\"\nwhy = \"w\"\n{body}\nexamples{examples}");
    for (text, expected) in [
        (
            with("confirm", "subject = \"region\"\nlifetime_hours = 8"),
            "a question is asked by one rule: change that one instead, with [[change]], add_effects and add_highlights",
        ),
        (
            with("precheck", "check = \"activation\"\nlifetime_hours = 8"),
            "what is looked up is compiled in: change its rule instead, with [[change]], lifetime_hours and add_tools",
        ),
        (
            with(
                "provenance",
                "fact = \"image\"\nlearn = [\"dlc_get_job\"]\nlifetime_hours = 1\nfix = \"f\"",
            ),
            "would loosen other rules: what dlc_get_job shows isn't known to exist; learn from what the compiled-in rules do",
        ),
        (
            with("budget", "limits = { pods = 1 }\ntunable = [\"limits\"]"),
            "only default.toml declares what is tunable; leave tunable out",
        ),
        (with("budget", "limits = {}"), "limits is empty, so the rule would bind nothing"),
        (with("budget", "limits = { minutes = 0 }"), "minutes must be from 1 to 1000000"),
        (with("budget", "limits = { calls_per_minute = 10001 }"), "calls_per_minute must be from 1 to 10000"),
        (
            with("budget", "limits = { images = [] }"),
            "images is empty, or has an empty text in it; name what is allowed",
        ),
        (
            with("budget", "limits = { regions = [\"cn-nowhere\"] }"),
            "there is no documented region cn-nowhere",
        ),
        (
            with("budget", "tools = [\"dlc_make_job\"]\nlimits = { pods = 1 }"),
            "there is no tool dlc_make_job; see `redline-mcp tools`",
        ),
        (with("forbid", "fix = \"f\""), "would refuse every call; give tools, effects or settings"),
        (
            with("forbid", "settings = [{ path = \"Priviledged\" }]\nfix = \"f\""),
            "no tool that it binds has an argument Priviledged",
        ),
        (
            with("requires", "tools = [\"dlc_create_job\"]\nany_of = [\"Hurry\"]\nfix = \"f\""),
            "dlc_create_job has no argument Hurry",
        ),
        (
            with("requires", "tools = []\nany_of = [\"Priority\"]\nfix = \"f\""),
            "any_of or tools is empty, so the rule would bind nothing",
        ),
        (
            with("exclusive", "tools = [\"dlc_create_job\"]\none_of = [\"Priority\"]\nfix = \"f\""),
            "one_of has fewer than two arguments, or tools is empty, so the rule would bind nothing",
        ),
        (
            with("reveal", "tools = [\"dlc_list_jobs\"]\nfix = \"f\""),
            "dlc_list_jobs hands over nothing; leave it out",
        ),
    ] {
        assert_eq!(wrong(&text), format!("o.toml, line 2, rule x: {expected}"));
    }
}

#[test]
fn a_rule_proves_itself_both_ways() {
    for says in ["passed", "refused"] {
        let lines = SOUND.lines().filter(|line| !line.contains(says)).collect::<Vec<_>>().join("\n");
        let expected = "o.toml, line 2, rule here: a rule proves itself: give examples, at least one that says passed or \
                        unbound and one that says refused, asked or wants";
        assert_eq!(wrong(&lines), expected);
    }
}

#[test]
fn typos_are_pointed_at() {
    for (from, to, expected) in [
        ("[[budget]]", "[[budgets]]", "o.toml, line 1: unknown field `budgets`, expected one of "),
        ("why =", "reason =", "o.toml, line 3: unknown field `reason`, expected one of "),
        ("regions =", "region =", "o.toml, line 4: unknown field `region`, expected one of "),
        ("\"passed\"", "\"allowed\"", "o.toml, line 6: unknown variant `allowed`, expected one of "),
        (
            "tool = \"dlc_list_jobs\", arguments = { RegionId = \"cn-beijing\" }, ",
            "",
            "o.toml, line 7: missing field `tool`",
        ),
        ("id = \"here\"\n", "", "o.toml, line 1: missing field `id`"),
        (
            "id = \"here\"",
            "id='image-from-list'",
            "o.toml, line 2, rule image-from-list: two rules have this id",
        ),
    ] {
        assert_eq!(SOUND.matches(from).count().min(1), 1, "{from}");
        let error = wrong(&SOUND.replacen(from, to, 1));
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn grants_can_be_lowered_and_not_raised() {
    let grant = |minutes: u32, calls: u32| format!("[grant]\nminutes = {minutes}\ncalls = {calls}\n");
    assert_eq!(load(&[]).unwrap().rules.grant, Some(grant::Limits { minutes: 30, calls: 10 }));
    for (minutes, calls) in [(30, 10), (5, 1), (0, 0)] {
        let lowered = laid(&grant(minutes, calls)).unwrap().rules.grant;
        assert_eq!(lowered, Some(grant::Limits { minutes, calls }));
    }
    for (minutes, calls) in [(31, 10), (30, 11), (0, 11)] {
        assert_eq!(
            wrong(&grant(minutes, calls)),
            "o.toml, line 1, rule grant: would loosen grants: they last 30 minutes and 10 calls and can only be lowered; \
             give at most that"
        );
    }
}

#[test]
fn a_rule_has_an_id() {
    let text = wrong(&SOUND.replace("id = \"here\"", "id = \"\""));
    assert!(text.ends_with("a rule has an empty id; give it one"), "{text}");
}
