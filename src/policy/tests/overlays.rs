//! Overlays: their examples, and that a further rule never lets through what was refused.

use proptest::prelude::*;

use super::*;
use crate::policy::load::{LoadError, Overlay, Says};

fn overlay(text: String) -> Overlay {
    Overlay { file: "o.toml".to_owned(), text }
}

#[test]
fn an_example_that_does_not_come_true_stops_the_start() {
    let text = |says: &str, arguments: &str| {
        format!(
            "[[forbid]]\nid = \"x\"\nwhy = \"w\"\ntools = [\"dlc_stop_job\"]\nfix = \"f\"\nexamples = [\n\
             {{ tool = \"dlc_get_job\", arguments = {{ RegionId = \"cn-hangzhou\", JobId = \"j\" }}, says = \"unbound\" }},\n\
             {{ tool = \"dlc_stop_job\", arguments = {arguments}, says = \"{says}\" }},\n]\n"
        )
    };
    let sound = r#"{ RegionId = "cn-hangzhou", JobId = "j" }"#;
    assert!(Policy::load(settings(), &[overlay(text("refused", sound))]).is_ok());
    for (says, arguments, expected) in [
        (
            "asked",
            sound,
            "example 2, dlc_stop_job, expects asked, and the rule says refused; mend the one or the other",
        ),
        (
            "refused",
            r#"{ RegionId = "cn-hangzhou" }"#,
            "example 2, dlc_stop_job: the arguments don't fit dlc_stop_job: JobId is required",
        ),
    ] {
        let error = Policy::load(settings(), &[overlay(text(says, arguments))]).err().unwrap();
        assert_eq!(
            error,
            LoadError::Rule {
                file: "o.toml".to_owned(),
                line: 2,
                rule: "x".to_owned(),
                reason: expected.to_owned(),
            }
        );
    }
}

/// The preset refuses each tool that changes or reveals something, and nothing else.
#[test]
fn the_read_only_preset_only_reads() {
    let policy = Policy::load(settings(), &[Overlay::preset("read-only").unwrap()]).unwrap();
    for tool in crate::tools::all() {
        let arguments = Value::Object(crate::tools::tests::arguments::least(tool.name()));
        let judgement = policy.judge(&call(tool.name(), &arguments), &World::default().knowledge(), now());
        let said =
            Says::of(judgement.findings.iter().filter(|one| one.id == "read-only").map(|one| one.result));
        let expected = if tool.spec().effect.changes() { Says::Refused } else { Says::Unbound };
        assert_eq!(said, expected, "{}", tool.name());
    }
}

/// What the limits of two rules come to: each binds.
#[test]
fn the_lower_of_two_limits_binds() {
    let budget = |id: &str, pods: u64| {
        format!(
            "[[budget]]\nid = \"{id}\"\nwhy = \"w\"\nlimits = {{ pods = {pods} }}\nexamples = [\n\
             {{ tool = \"pyromind_list_sandboxes\", says = \"unbound\" }},\n\
             {{ tool = \"dlc_update_job\", arguments = {{ RegionId = \"cn-hangzhou\", JobId = \"j\", JobSpecs = [{{ Type = \
             \"Worker\", PodCount = {} }}] }}, says = \"refused\" }},\n]\n",
            pods + 1
        )
    };
    let policy = Policy::load(settings(), &[overlay(budget("a", 9)), overlay(budget("b", 2))]).unwrap();
    let mut arguments = job();
    arguments["JobSpecs"][0]["PodCount"] = json!(3);
    let refusal = refused(judge(&policy, &call("dlc_create_job", &arguments), &World::ready()));
    assert_eq!((refusal.rule.as_str(), refusal.violations.len()), ("b", 1));
}

/// A change of a rule that is there, or a further rule: whatever an overlay may say that isn't declared tunable.
fn tightening() -> impl Strategy<Value = String> {
    let effects =
        prop::sample::subsequence(vec!["read", "untrusted", "reveal", "create", "update", "act"], 1..4);
    let tools = prop::sample::subsequence(
        vec!["dlc_create_job", "dlc_list_jobs", "dlc_get_web_terminal", "pyromind_create_sandbox"],
        1..3,
    );
    let numbers = prop::sample::select(vec!["gpus", "pods", "running", "calls_per_minute", "minutes"]);
    let lists = prop::sample::select(vec![
        r#"regions = ["cn-shanghai"]"#,
        r#"regions = ["cn-hangzhou"]"#,
        r#"workspaces = ["1001"]"#,
        r#"workspaces = ["9"]"#,
        r#"images = ["registry/pytorch"]"#,
        r#"images = ["evil.example"]"#,
    ]);
    prop_oneof![
        (prop::sample::select(vec!["image-from-list", "workspace-from-list"]), 1..24_i64)
            .prop_map(|(rule, hours)| format!("[[change]]\nrule = \"{rule}\"\nlifetime_hours = {hours}\n")),
        (1..8_i64)
            .prop_map(|hours| format!("[[change]]\nrule = \"region-confirmed\"\nlifetime_hours = {hours}\n")),
        effects.clone().prop_map(|effects| {
            format!("[[change]]\nrule = \"arguments-confirmed\"\nadd_effects = {effects:?}\n")
        }),
        (0..1000_u64)
            .prop_map(|pods| format!("[[change]]\nrule = \"job-of-a-sane-size\"\nlimits = {{ pods = {pods} }}\n")),
        Just("[[change]]\nrule = \"no-credentials-in-arguments\"\nadd_patterns = ['res']\n".to_owned()),
        Just("[[change]]\nrule = \"no-local-mounts\"\nadd_settings = [{ path = \"Priority\" }]\n".to_owned()),
        Just(
            "[[change]]\nrule = \"revealed-by-these-alone\"\nremove_tools = [\"dlc_get_web_terminal\"]\n".to_owned()
        ),
        effects.prop_map(|effects| format!(
            "[[forbid]]\nid = \"ID\"\nwhy = \"w\"\nfix = \"f\"\neffects = {effects:?}\nEXAMPLES"
        )),
        tools.prop_map(|tools| format!(
            "[[forbid]]\nid = \"ID\"\nwhy = \"w\"\nfix = \"f\"\ntools = {tools:?}\nEXAMPLES"
        )),
        (numbers, 1..50_u64)
            .prop_map(|(name, most)| format!(
                "[[budget]]\nid = \"ID\"\nwhy = \"w\"\nlimits = {{ {name} = {most} }}\nEXAMPLES"
            )),
        lists.prop_map(|list| format!("[[budget]]\nid = \"ID\"\nwhy = \"w\"\nlimits = {{ {list} }}\nEXAMPLES")),
        Just("[[requires]]\nid = \"ID\"\nwhy = \"w\"\nfix = \"f\"\ntools = [\"dlc_create_job\"]\nany_of = [\"Priority\"]\nEXAMPLES".to_owned()),
        Just("[[exclusive]]\nid = \"ID\"\nwhy = \"w\"\nfix = \"f\"\ntools = [\"dlc_create_job\"]\none_of = [\"Priority\", \"Envs\"]\nEXAMPLES".to_owned()),
        Just("[[reveal]]\nid = \"ID\"\nwhy = \"w\"\nfix = \"f\"\ntools = [\"dlc_get_token\"]\nEXAMPLES".to_owned()),
        Just("[[secret-argument]]\nid = \"ID\"\nwhy = \"w\"\nfix = \"f\"\npatterns = ['wor']\nEXAMPLES".to_owned()),
        Just("[[provenance]]\nid = \"ID\"\nwhy = \"w\"\nfix = \"f\"\nfact = \"image\"\nlearn = [\"aiworkspace_list_images\"]\nlifetime_hours = 1\nEXAMPLES".to_owned()),
    ]
}

/// Calls of which some are refused, some asked about and some go through.
fn calls() -> Vec<Call> {
    let mut private = job();
    private["JobSpecs"][0]["ExtraPodSpec"] =
        json!({ "MainContainerSecurityContext": { "Privileged": true } });
    let mut guessed = job();
    guessed["JobSpecs"][0]["Image"] = json!("evil.example/miner:1");
    let mut many = job();
    many["JobSpecs"][0]["PodCount"] = json!(2000);
    let mut secret = job();
    secret["UserCommand"] = json!("LTAI5tCanaryZq85Keyyyy");
    let pod = json!({ "RegionId": "cn-hangzhou", "JobId": "dlc1", "PodId": "p" });
    let sandbox =
        json!({ "name": "box", "sandbox_type": "t", "resource_config": { "cpu": 1, "memory": 1, "gpu": 9 } });
    vec![
        call("dlc_create_job", &job()),
        call("dlc_create_job", &private),
        call("dlc_create_job", &guessed),
        call("dlc_create_job", &many),
        call("dlc_create_job", &secret),
        call("dlc_list_jobs", &json!({ "RegionId": "cn-hangzhou" })),
        call("dlc_list_jobs", &json!({ "RegionId": "cn-beijing" })),
        call("dlc_list_jobs", &json!({ "RegionId": "cn-hangzhou" })).by(Origin::Policy),
        call("dlc_get_web_terminal", &pod),
        call("pyromind_create_sandbox", &sandbox),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Adding a rule, or tightening one, never turns a refusal into a pass, nor a question into none: whatever is known.
    #[test]
    fn a_further_rule_never_lets_through_what_was_stopped(
        overlays in prop::collection::vec(tightening(), 1..4),
        listed in any::<bool>(),
        approved in any::<bool>(),
        hours in 0..30_i64,
        sent in 0..60_usize,
    ) {
        let mut settings = settings();
        if approved {
            settings.operator.approvals = ["create", "act"].map(|text| Waiver::from_str(text).unwrap()).into();
        }
        // What proves a rule isn't what is asked about here: the examples aren't tried.
        let proof = "examples = [{ tool = \"dlc_list_jobs\", says = \"passed\" }, { tool = \"dlc_list_jobs\", says = \"refused\" }]\n";
        let laid: Vec<Overlay> = overlays
            .iter()
            .enumerate()
            .map(|(index, text)| overlay(text.replace("ID", &format!("rule-{index}")).replace("EXAMPLES", proof)))
            .collect();
        let bare = Policy::load(settings.clone(), &[]).unwrap();
        // Two changes of one rule may contradict each other: the second then would loosen the first.
        let Ok(strict) = Policy::untried(settings, &laid) else { return Ok(()) };
        let mut world = if listed { World::ready() } else { World::default() };
        let later = now() + jiff::SignedDuration::from_hours(hours);
        for _ in 0..sent {
            world.history.count(later);
        }
        for call in calls() {
            let [before, after] = [&bare, &strict].map(|policy| policy.judge(&call, &world.knowledge(), later).verdict);
            match (&before, &after) {
                (Verdict::Refused(_), Verdict::Refused(_)) => {}
                (Verdict::Refused(_), other) => {
                    prop_assert!(false, "{:?}: refused, and with {:?} {}", call, overlays, other.name());
                }
                (Verdict::Confirm(_) | Verdict::Need(_) | Verdict::Exists(_), Verdict::Cleared(_)) => {
                    prop_assert!(false, "{:?}: {}, and with {:?} cleared", call, before.name(), overlays);
                }
                (_, _) => {}
            }
        }
    }
}
