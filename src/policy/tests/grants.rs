//! A human's yes to further calls: what it offers, what it lets through, and what is asked about all the same.

use jiff::SignedDuration;

use std::sync::LazyLock;

use super::*;
use crate::error::Fault;
use crate::policy::grant::Standing;
use crate::policy::load::Overlay;

/// A policy whose operator refuses nothing dangerous, so that only the question stands before it.
fn policy() -> &'static Policy {
    static LENIENT: LazyLock<Policy> = LazyLock::new(|| {
        let off = |rule: &str| format!("[[change]]\nrule = \"{rule}\"\noff = true\n");
        let text =
            ["no-privileged-containers", "no-further-rights", "no-local-mounts", "no-injected-credentials"]
                .map(off)
                .concat();
        Policy::load(settings(), &[Overlay { file: "o.toml".to_owned(), text }]).unwrap()
    });
    &LENIENT
}

/// A world in which the jobs that are asked about run.
fn ready() -> World {
    let mut world = World::ready();
    let read = call("dlc_get_job", &json!({ "RegionId": "cn-hangzhou", "JobId": "dlc1" }));
    let running = json!({
        "JobId": "dlc1", "JobType": "PyTorchJob", "Status": "Queuing", "WorkspaceId": "1001",
        "ResourceId": "quota1", "Priority": 1,
    });
    world.evidence.add(read.by(Origin::Policy), Outcome::Reply(Raw::new(running)));
    world
}

fn minutes(minutes: i64) -> Timestamp {
    now() + SignedDuration::from_mins(minutes)
}

/// The job of [`job`], changed.
fn another(change: impl FnOnce(&mut Value)) -> Call {
    let mut arguments = job();
    change(&mut arguments);
    call("dlc_create_job", &arguments)
}

/// Puts a job on a quota's machines.
fn on_quota(job: &mut Value, quota: &str) {
    job["ResourceId"] = json!(quota);
    let role = job["JobSpecs"][0].as_object_mut().unwrap();
    role.remove("EcsSpec");
    role.insert("ResourceConfig".to_owned(), json!({ "CPU": "4", "Memory": "16Gi" }));
}

fn named(name: &str) -> Call {
    another(|job| job["DisplayName"] = json!(name))
}

fn offered(call: &Call, world: &World) -> Option<String> {
    question(judge(policy(), call, world)).offer().map(|offer| offer.text().to_owned())
}

/// Clears `call` with a yes that also lets `further` calls through, and settles it.
fn granting(world: &mut World, call: &Call, further: u32) -> Option<Standing> {
    let asked = question(judge(policy(), call, world));
    let reply = Reply::Accepted(json!({ "approve": true, "further_calls": further }));
    let heard =
        policy().hear(call, &answer(&asked, reply), ACCOUNT, &world.history, &mut world.consents, now());
    let Ok(Heard::Arguments(approval)) = heard else { panic!("no yes: {heard:?}") };
    world.approval = Some(approval);
    let settled = settle(world, call, now());
    world.approval = None;
    settled
}

fn settle(world: &mut World, call: &Call, at: Timestamp) -> Option<Standing> {
    match policy().judge(call, &world.knowledge(), at).verdict {
        Verdict::Cleared(cleared) => world.consents.settle_grant(&cleared, at),
        Verdict::Confirm(question) => panic!("asked: {}", question.message()),
        Verdict::Refused(refusal) => panic!("refused: {refusal:?}"),
        Verdict::Need(_) | Verdict::Exists(_) => panic!("not cleared"),
    }
}

/// A world in which three further jobs were let through.
fn granted() -> World {
    let mut world = ready();
    granting(&mut world, &call("dlc_create_job", &job()), 3).unwrap();
    world
}

#[track_caller]
fn asks(world: &World, call: &Call, at: Timestamp) {
    match policy().judge(call, &world.knowledge(), at).verdict {
        Verdict::Confirm(question) => assert_eq!(question.rule(), "arguments-confirmed"),
        verdict @ (Verdict::Cleared(_) | Verdict::Refused(_) | Verdict::Need(_) | Verdict::Exists(_)) => {
            panic!("not asked: {}", verdict.name())
        }
    }
}

fn standing(given: bool, left: u32) -> Standing {
    Standing { id: "grant-1".to_owned(), given, left, until: minutes(30) }
}

#[test]
fn an_offer_says_in_plain_words_what_would_go_through() {
    assert_eq!(
        offered(&call("dlc_create_job", &job()), &ready()).as_deref(),
        Some(
            "Further calls, only if you want: in further_calls you can say how many calls like this one, up to 10, are \
             let through without a question in the next 30 minutes. That means dlc_create_job (Submit a training job) in \
             cn-hangzhou in workspace \"1001\" with the same machines, sizes, storage and quota, whatever the other arguments say. You are still asked about dangerous \
             settings, and about making the same again. Leave it empty to be asked each time."
        )
    );
    let stop = call("dlc_stop_job", &json!({ "RegionId": "cn-hangzhou", "JobId": "dlc1" }));
    let text = offered(&stop, &ready()).unwrap();
    assert!(
        text.contains("That means dlc_stop_job (Stop a training job) in cn-hangzhou for any JobId, whatever"),
        "{text}"
    );
    let asked = question(judge(policy(), &stop, &ready()));
    assert_eq!(asked.message_with_offer(), format!("{}\n{text}\n", asked.message()));
}

/// R-WS-32: never for what makes a workspace, updates, destroys or reveals, nor for what is dangerous.
#[test]
fn what_must_be_seen_each_time_offers_nothing() {
    let region = "cn-hangzhou";
    let mut world = ready();
    world.evidence.add(
        call(
            "aiworkspace_list_workspaces",
            &json!({ "RegionId": region, "WorkspaceName": "vision_team", "Option": "CheckWorkspaceExists" }),
        )
        .by(Origin::Policy),
        Outcome::Reply(Raw::new(json!({ "TotalCount": 0 }))),
    );
    for (tool, arguments) in [
        ("aiworkspace_create_workspace", workspace()),
        ("dlc_update_job", json!({ "RegionId": region, "JobId": "dlc1", "Priority": 2 })),
        ("pyromind_delete_sandbox", json!({ "sandbox_id": "sbx_1" })),
        ("pyromind_delete_sandbox", json!({ "sandbox_id": "sbx_1", "force": true })),
        ("pyromind_get_sandbox_vnc", json!({ "sandbox_id": "sbx_1", "refresh": true })),
        ("dlc_get_token", json!({ "RegionId": region, "TargetType": "job", "TargetId": "dlc1" })),
    ] {
        assert_eq!(offered(&call(tool, &arguments), &world), None, "{tool}");
    }
    for call in dangerous() {
        assert_eq!(offered(&call, &world), None, "{call:?}");
    }
}

/// Jobs with a setting that the question points out.
fn dangerous() -> Vec<Call> {
    let pod = |spec: Value| another(|job| job["JobSpecs"][0]["ExtraPodSpec"] = spec);
    vec![
        pod(json!({ "MainContainerSecurityContext": { "Privileged": true } })),
        pod(json!({ "MainContainerSecurityContext": { "Capabilities": { "Add": ["SYS_ADMIN"] } } })),
        another(|job| {
            job["JobSpecs"][0]["LocalMountSpecs"] = json!([{ "LocalPath": "/", "MountPath": "/host" }])
        }),
        another(|job| job["Accessibility"] = json!("PUBLIC")),
        another(|job| job["Envs"] = json!({ "LD_PRELOAD": "/tmp/x.so" })),
        another(|job| job["CredentialConfig"] = json!({ "EnableCredentialInject": true })),
        another(|job| job["UserCommand"] = json!("handle:aeaqcaibaeaqcaibaeaqcaibae")),
    ]
}

/// Calls like the one that was asked about go through until they are used up; each takes one.
#[test]
fn further_calls_go_through_and_are_counted_down() {
    let mut world = ready();
    let first = call("dlc_create_job", &job());
    let digest = question(judge(policy(), &first, &world)).digest().to_owned();
    assert_eq!(granting(&mut world, &first, 2), Some(standing(true, 2)));
    let Verdict::Cleared(cleared) = judge(policy(), &named("second"), &world) else { panic!("not cleared") };
    let approval = cleared.consent().unwrap();
    assert_eq!((approval.channel(), approval.digest()), (Channel::Grant, &*digest));
    assert_eq!(settle(&mut world, &named("second"), now()), Some(standing(false, 1)));
    assert_eq!(settle(&mut world, &named("third"), minutes(29)), Some(standing(false, 0)));
    asks(&world, &named("fourth"), now());
}

/// A grant holds where it was given and no longer than was said.
#[test]
fn a_grant_is_bound_to_tool_region_workspace_account_policy_and_time() {
    let world = granted();
    assert!(matches!(judge(policy(), &named("more"), &world), Verdict::Cleared(_)));
    asks(&world, &named("more"), minutes(30));
    let stop = call("dlc_stop_job", &json!({ "RegionId": "cn-hangzhou", "JobId": "dlc1" }));
    asks(&world, &stop, now());
    // The clock goes back to before it was given.
    let mut world = granted();
    let known = Known { at: minutes(-60), learned_at: 1 };
    world.consents.confirm(ACCOUNT, "cn-hangzhou", minutes(-60));
    world.facts.activate("cn-hangzhou", known);
    world.facts.learn(Fact::Workspace, "cn-hangzhou", None, "1001", known);
    world.facts.learn(Fact::Image, "cn-hangzhou", None, "registry/pytorch:2.3", known);
    asks(&world, &named("more"), minutes(-1));
    // Everything is known in the other places, so that only the grant can be missing.
    let mut world = granted();
    let known = Known { at: now(), learned_at: 1 };
    for region in ["cn-hangzhou", "cn-shanghai"] {
        for account in [ACCOUNT, "0000"] {
            world.consents.confirm(account, region, now());
        }
        world.facts.activate(region, known);
        for (workspace, image) in [("1001", "registry/pytorch:2.3"), ("1002", "registry/pytorch:2.3")] {
            world.facts.learn(Fact::Workspace, region, None, workspace, known);
            world.facts.learn(Fact::Image, region, None, image, known);
        }
    }
    asks(&world, &another(|job| on_quota(job, "quota1")), now());
    asks(&world, &another(|job| job["JobSpecs"][0]["PodCount"] = json!(1000)), now());
    asks(&world, &another(|job| job["JobSpecs"][0]["EcsSpec"] = json!("ecs.gn7i-c8g1.2xlarge")), now());
    asks(
        &world,
        &another(|job| job["DataSources"] = json!([{ "Uri": "oss://other/", "MountPath": "/d" }])),
        now(),
    );
    asks(&world, &another(|job| job["Priority"] = json!(9)), now());
    asks(
        &world,
        &another(|job| {
            let role = job["JobSpecs"][0].clone();
            job["JobSpecs"].as_array_mut().unwrap().push(role);
        }),
        now(),
    );
    asks(&world, &another(|job| job["JobSpecs"][0]["QuotaId"] = json!("quota1")), now());
    asks(&world, &another(|job| job["WorkspaceId"] = json!("1002")), now());
    asks(&world, &another(|job| job["RegionId"] = json!("cn-shanghai")), now());
    let other_account = Knowledge { account: "0000", ..world.knowledge() };
    let verdict = policy().judge(&named("more"), &other_account, now()).verdict;
    assert!(matches!(verdict, Verdict::Confirm(_)));
    let live = Policy { sha256: "another".to_owned(), ..Policy::compiled(settings()).unwrap() };
    assert!(matches!(judge(&live, &named("more"), &world), Verdict::Confirm(_)));
}

/// R-DLC-33: the quota is the user's, for further calls as for the first.
#[test]
fn a_grant_is_for_the_same_quota() {
    let on = |quota: &str, name: &str| {
        another(|job| {
            on_quota(job, quota);
            job["DisplayName"] = json!(name);
        })
    };
    let mut world = ready();
    assert!(
        offered(&on("quota1", "first"), &world)
            .unwrap()
            .contains("in workspace \"1001\" with the same machines, sizes, storage and quota, whatever")
    );
    granting(&mut world, &on("quota1", "first"), 3).unwrap();
    assert!(matches!(judge(policy(), &on("quota1", "second"), &world), Verdict::Cleared(_)));
    asks(&world, &on("quota2", "second"), now());
    asks(&world, &named("second"), now());
}

/// R-DLC-24, R-WS-32: a grant excuses no rule, no dangerous setting, no repetition and no wall of text.
#[test]
fn a_grant_excuses_nothing_but_the_question() {
    let mut world = granted();
    for call in dangerous() {
        asks(&world, &call, now());
    }
    let guessed = another(|job| job["JobSpecs"][0]["Image"] = json!("registry/evil:1"));
    assert_eq!(refused(judge(policy(), &guessed, &world)).violations[0].path, "JobSpecs[0].Image");
    let long = another(|job| job["UserCommand"] = json!("x".repeat(12_000)));
    assert_eq!(refused(judge(policy(), &long, &world)).rule, "arguments-confirmed");
    policy().remember(&named("again"), &outcome(&json!({ "reply": {} })), &mut world.history, now());
    asks(&world, &named("again"), minutes(1));
}

/// R-WS-32: what a human was asked about is theirs to answer, whether they said no or nothing, before or after the grant.
#[test]
fn a_call_that_was_asked_about_is_no_further_call() {
    let asked_about = named("asked about");
    let put = |world: &mut World| {
        let question = question(judge(policy(), &asked_about, world));
        policy().asked(&asked_about, &question, ACCOUNT, &world.history, &mut world.consents, now());
    };
    let mut world = ready();
    put(&mut world);
    granting(&mut world, &call("dlc_create_job", &job()), 3).unwrap();
    asks(&world, &asked_about, now());
    asks(&world, &asked_about, minutes(29));
    assert!(matches!(judge(policy(), &named("more"), &world), Verdict::Cleared(_)));
}

/// What wasn't sent is given back; what was given for it is withdrawn.
#[test]
fn a_call_that_was_not_sent_changes_nothing() {
    let mut world = granted();
    let taken = settle(&mut world, &named("second"), now()).unwrap();
    world.consents.undo(&taken);
    assert_eq!(settle(&mut world, &named("third"), now()), Some(standing(false, 2)));
    world.consents.undo(&standing(true, 3));
    asks(&world, &named("fourth"), now());
}

/// The field may be left out; what stands in it must be a whole number within the offer.
#[test]
fn how_many_is_a_number_within_the_offer_or_nothing() {
    let policy = policy();
    let job = call("dlc_create_job", &job());
    let with = |number: Value| {
        let mut world = ready();
        let asked = question(judge(policy, &job, &world));
        let reply = answer(&asked, Reply::Accepted(json!({ "approve": true, "further_calls": number })));
        match policy.hear(&job, &reply, ACCOUNT, &History::default(), &mut world.consents, now())? {
            Heard::Arguments(approval) => world.approval = Some(approval),
            Heard::Region | Heard::Settled => panic!("the question was about the arguments"),
        }
        Ok(settle(&mut world, &job, now()).map(|standing| standing.left))
    };
    for none in [json!(null), json!(""), json!(0)] {
        assert_eq!(with(none), Ok(None));
    }
    assert_eq!((with(json!(1)), with(json!(10))), (Ok(Some(1)), Ok(Some(10))));
    for wrong in
        [json!(11), json!(-1), json!(1.5), json!("3"), json!(true), json!([3]), json!(4_294_967_297_u64)]
    {
        let text = "the question came back with a further_calls that isn't a whole number up to 10";
        let expected = Refusal::new("arguments-confirmed", text).because(Reason::Malformed).with(Fault::new(
            "",
            "what the user meant can't be known, so nothing was sent",
            "call again; the user can leave the field empty",
        ));
        assert_eq!(with(wrong), Err(expected));
    }
}

/// Where nothing was offered, the field is no part of the form and does nothing.
#[test]
fn what_was_not_offered_cannot_be_taken() {
    let mut world = ready();
    let privileged = dangerous().remove(0);
    assert_eq!(granting(&mut world, &privileged, 5), None);
    asks(&world, &named("more"), now());
    for off in ["minutes = 0\ncalls = 10", "minutes = 30\ncalls = 0"] {
        let mut policy = Policy::compiled(settings()).unwrap();
        policy.rules.grant = Some(toml::from_str(off).unwrap());
        let asked = question(judge(&policy, &named("more"), &ready()));
        assert_eq!(asked.offer(), None, "{off}");
    }
}

/// R-WS-32: the yes to a call without a grant is to that call alone.
#[test]
fn a_plain_yes_lets_nothing_else_through() {
    let mut world = ready();
    assert_eq!(granting(&mut world, &call("dlc_create_job", &job()), 0), None);
    asks(&world, &named("more"), now());
}
