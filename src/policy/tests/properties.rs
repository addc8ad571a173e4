//! What holds whatever is called and whatever a cloud answers.

use proptest::prelude::*;

use super::*;
use crate::spec::marks::{Kind, Mark, Shape};

const CANARIES: [&str; 4] = ["canary-zq81-last", "canary-zq82-first", "canary-zq83-omit", "1095312831785714"];
/// A variable's value, and what is swept even where every byte matters.
const VARIABLE: &str = "canaryzq84env0000";
const ACCESS_KEY: &str = "LTAI5tCanaryZq85Key";

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(CANARIES.to_vec()).prop_map(|canary| Value::from(format!("by {canary}!"))),
        prop::sample::select(CANARIES.to_vec()).prop_map(Value::from),
        Just(Value::from(1_095_312_831_785_714_u64)),
    ]
}

fn anything() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 16, 4, |inner| {
        let key = prop_oneof![
            "[a-z]{1,8}",
            prop::sample::select(CANARIES.to_vec()).prop_map(str::to_owned),
            prop::sample::select(vec![
                "Workspaces",
                "Owner",
                "Creator",
                "AdminNames",
                "Images",
                "UserId",
                "Envs"
            ])
            .prop_map(str::to_owned),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..5)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// A reply of `shape` with a canary under each mask and in each free text, an access key in each exact one, and
/// whatever `odd` holds in some places that aren't exact.
fn planted(shape: &Shape, odd: &mut impl Iterator<Item = (u8, Value)>) -> Value {
    let (dice, other) = odd.next().unwrap_or((255, Value::Null));
    let exact = match &shape.kind {
        Kind::List(item) => item.exact,
        Kind::Object(_)
        | Kind::Map(_)
        | Kind::Text
        | Kind::Integer
        | Kind::Number
        | Kind::Flag
        | Kind::Any => shape.exact,
    };
    if let Some(inner) = &shape.json {
        // As text or, as leniently taken, as the object itself.
        let inside = planted(inner, odd);
        return if dice % 2 == 0 { inside.to_string().into() } else { inside };
    }
    if dice < 40 && shape.mark.is_none() && !exact {
        return other;
    }
    let number = CANARIES[3];
    match (shape.mark, &shape.kind) {
        (Some(Mark::Last4), _) if dice % 3 == 0 => json!(number.parse::<u64>().unwrap()),
        (Some(Mark::Last4), _) if dice % 3 == 1 => json!([CANARIES[0], number]),
        (Some(Mark::Last4), _) => json!(CANARIES[0]),
        (Some(Mark::First), _) if dice % 3 == 0 => json!({ "name": CANARIES[1] }),
        (Some(Mark::First), _) => json!(CANARIES[1]),
        (Some(Mark::Omit | Mark::HandOver), _) => json!(CANARIES[2]),
        (Some(Mark::Link), _) => json!("https://a.example/b?token=c"),
        (Some(Mark::UrlToken | Mark::PlainLink), _) => {
            json!(format!("https://a.example/b?token={}", CANARIES[2]))
        }
        (Some(Mark::EnvValues), _) => json!({ "A": VARIABLE }),
        (Some(Mark::EnvValue), _) => json!(VARIABLE),
        (Some(Mark::Joined), _) => json!(["dev", ACCESS_KEY]),
        (None, Kind::Object(fields)) => {
            Value::Object(fields.iter().map(|(name, shape)| (name.clone(), planted(shape, odd))).collect())
        }
        (None, Kind::List(item)) => json!([planted(item, odd)]),
        (None, Kind::Map(item)) => json!({ CANARIES[0]: planted(item, odd) }),
        (None, Kind::Text) if shape.exact => json!(format!("id-{ACCESS_KEY}")),
        (None, Kind::Text) => json!(format!("x{} {} {}", CANARIES[0], CANARIES[1], CANARIES[2])),
        (None, Kind::Integer | Kind::Number) => json!(number.parse::<u64>().unwrap()),
        (None, Kind::Flag) => json!(CANARIES[1]),
        (None, Kind::Any) => json!({ "k": CANARIES }),
    }
}

fn read_of(tool: &'static crate::spec::Tool) -> Call {
    let arguments = match tool.name() {
        "dlc_create_job" => job(),
        "aiworkspace_create_workspace" => workspace(),
        "aiworkspace_get_workspace" => json!({ "RegionId": "cn-hangzhou", "WorkspaceId": "1001" }),
        "dlc_get_job" => json!({ "RegionId": "cn-hangzhou", "JobId": "dlc1" }),
        other => Value::Object(crate::tools::tests::arguments::least(other)),
    };
    call(tool.name(), &arguments)
}

/// Of thousands of guesses, twenty are told, and how many there are beside.
#[test]
fn a_refusal_is_never_long() {
    let mut arguments = job();
    arguments["JobSpecs"] = Value::Array(vec![job()["JobSpecs"][0].clone(); 1_000]);
    let refusal = refused(judge(policy(), &call("dlc_create_job", &arguments), &World::default()));
    assert_eq!(refusal.violations.len(), 21);
    assert_eq!(refusal.violations[19].path, "JobSpecs[19].Image");
    // The workspace is unknown too, and the question would be too long.
    assert_eq!(refusal.violations[20].message, "further faults aren't listed: 982");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// R-WS-10 to R-WS-16, R-WS-90: a value under a mask shows nowhere, whatever surrounds it.
    #[test]
    fn masked_canaries_never_show(
        tool in 0..crate::tools::all().count(),
        odd in prop::collection::vec((any::<u8>(), anything()), 40),
    ) {
        let call = read_of(crate::tools::all().nth(tool).unwrap());
        let mut seen = Seen::default();
        // Another reply of the scope has named them all, as a workspace of its own does.
        let named = json!({
            "Creator": CANARIES[0],
            "Owner": { "UserId": CANARIES[3], "UserName": CANARIES[1], "UserKp": CANARIES[2] },
        });
        let get = read_of(find("aiworkspace_get_workspace").unwrap());
        policy().note(&get, &Outcome::Reply(Raw::new(named)), &mut seen);
        let reply = planted(call.tool().reply(), &mut odd.into_iter());
        let masked = policy().mask_reply(&call, &Outcome::Reply(Raw::new(reply)), &[], &mut seen).unwrap().masked;
        let text = masked.body().to_string();
        for canary in CANARIES.into_iter().chain([VARIABLE, ACCESS_KEY]) {
            prop_assert!(!text.contains(canary), "{} in {}", canary, text);
        }
        prop_assert!(masked.body().is_object());
    }

    /// A reply's own masks are enough: nothing need have been seen before.
    #[test]
    fn a_reply_sweeps_itself(creator in "[a-z0-9]{12,20}", text in ".{0,20}", extra in anything()) {
        let reply = json!({
            "Creator": [creator, extra],
            "Description": format!("{text}{creator}{text}"),
            "WorkspaceName": creator,
            "Owner": { "DisplayName": text },
        });
        let get = read_of(find("aiworkspace_get_workspace").unwrap());
        let masked = policy().mask_reply(&get, &Outcome::Reply(Raw::new(reply)), &[], &mut Seen::default()).unwrap().masked;
        prop_assert!(!masked.body().to_string().contains(&creator), "{}", masked.body());
    }

    /// Whatever a template stores: a job is made from it only of images that were listed, and the version is named.
    #[test]
    fn no_template_brings_what_was_never_listed(content in anything(), constraints in anything(), image in "[a-z/:]{1,12}") {
        let mut stored = job();
        stored.as_object_mut().unwrap().remove("RegionId");
        stored["JobSpecs"][0]["Image"] = json!(image);
        stored["Settings"] = content.clone();
        for (content, constraints) in [(stored, json!({})), (content, constraints)] {
            let mut world = World::ready();
            let known = Known { at: now(), learned_at: 1 };
            world.facts.learn(Fact::Template, "cn-hangzhou", None, "tpl1", known);
            let request = json!({ "RegionId": "cn-hangzhou", "TemplateId": "tpl1" });
            let read = call("dlc_get_job_template", &request).by(Origin::Policy);
            let versions = json!([{ "Version": 1, "Content": content, "Constraints": constraints }]);
            let reply = json!({ "TemplateId": "tpl1", "DefaultVersion": 1, "Versions": versions });
            policy().witness(read, Outcome::Reply(Raw::new(reply)), &mut world.evidence, known);
            let job = json!({ "RegionId": "cn-hangzhou", "WorkspaceId": "1001", "DisplayName": "d", "TemplateId": "tpl1" });
            match judge(policy(), &call("dlc_create_job", &job), &world) {
                Verdict::Refused(_) => {}
                other => {
                    let asked = question(other);
                    prop_assert!(asked.message().contains("JobSpecs[0].Image: \"registry/pytorch:2.3\""));
                    prop_assert!(asked.message().contains("TemplateVersion: 1"));
                }
            }
        }
    }

    #[test]
    fn nothing_a_cloud_answers_panics(tool in 0..crate::tools::all().count(), reply in anything(), status in 100_u16..600, code in ".{0,20}") {
        let call = read_of(crate::tools::all().nth(tool).unwrap());
        let error = json!({ "error": { "status": status, "code": code, "message": reply } });
        for described in [json!({ "reply": reply }), error] {
            let outcome = outcome(&described);
            let mut world = World::ready();
            policy().note(&call, &outcome, &mut world.seen);
            policy().learn(&call, &outcome, &mut world.facts, Known { at: now(), learned_at: 1 });
            policy().mask_reply(&call, &outcome, &[], &mut world.seen);
            policy().review(&call, &outcome, &world.evidence);
            world.evidence.add(call.clone().by(Origin::Policy), outcome);
            judge(policy(), &self::call("aiworkspace_create_workspace", &workspace()), &world);
        }
    }

    /// No argument makes judging panic, and none is cleared without what the rules ask for.
    #[test]
    fn nothing_is_cleared_by_arguments_alone(
        tool in 0..crate::tools::all().count(),
        names in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
        values in prop::collection::vec(anything(), 4),
    ) {
        let tool = crate::tools::all().nth(tool).unwrap();
        let mut arguments = read_of(tool).arguments().clone();
        if let Value::Object(properties) = &tool.schema().full["properties"] {
            for (index, value) in names.iter().zip(&values) {
                arguments.insert(index.get(&properties.keys().collect::<Vec<_>>()).to_string(), value.clone());
            }
        }
        if let Ok(call) = tool.parse(&arguments) {
            for origin in [Origin::Agent, Origin::Policy] {
                let verdict = judge(policy(), &call.clone().by(origin), &World::default());
                // What has no region and reads no secret needs no leave.
                if call.region().is_some() {
                    prop_assert!(!matches!(verdict, Verdict::Cleared(_) | Verdict::Exists(_) | Verdict::Need(_)));
                }
            }
            if call.spec().effect.changes() {
                let verdict = judge(policy(), &call, &World::ready());
                prop_assert!(!matches!(verdict, Verdict::Cleared(_) | Verdict::Exists(_)));
            }
        }
    }

    /// R-DLC-24: only the very text that was listed passes.
    #[test]
    fn only_the_listed_image_passes(image in "[ -~]{1,40}|.{1,10}") {
        prop_assume!(image != "registry/pytorch:2.3");
        let mut arguments = job();
        arguments["JobSpecs"][0]["Image"] = json!(image);
        let refusal = refused(judge(policy(), &call("dlc_create_job", &arguments), &World::ready()));
        prop_assert!(["image-from-list", "no-credentials-in-arguments"].contains(&refusal.rule.as_str()));
    }
}

/// The policy that is served and the one that records tell of are the same.
#[test]
fn the_fingerprint_is_of_the_files() {
    let again = Policy::compiled(settings()).unwrap();
    assert_eq!(policy().sha256(), again.sha256());
    assert_eq!(policy().sha256().len(), 64);
}

#[test]
fn a_refusal_of_arguments_keeps_every_fault() {
    let faults = find("aiworkspace_get_workspace").unwrap().parse(&serde_json::Map::new()).unwrap_err();
    let refusal = Policy::refuse_arguments(faults.clone());
    assert_eq!(refusal.rule, "arguments");
    assert_eq!(refusal.error, "the arguments don't fit the tool; nothing was sent");
    assert_eq!(refusal.violations, faults.into_iter().collect::<Vec<_>>());
    assert!(!refusal.retryable);
}
