//! Overlays, as an operator lays them: what they add, what they may not loosen, and what is said of them.

use rmcp::model::ReadResourceRequestParams;
use serde_json::{Value, json};

use crate::harness::human::Human;
use crate::harness::{ERAS, Home, Session};

/// An overlay of a team: the one that the manual shows.
const TEAM: &str = include_str!("../data/policy/team.toml");

/// A list of jobs in a region.
fn listing(region: &str) -> Value {
    json!({ "RegionId": region })
}

/// Attack 15: a policy that can't be stops the start, before anything is made or asked, and the error says file, line and
/// fix.
#[test]
fn a_policy_that_cannot_be_stops_the_start() {
    for (text, expected) in [
        (
            "[[change]]\nrule = \"region-confirmed\"\nlifetime_hours = 9000\n",
            "line 2, rule region-confirmed: would loosen the rule: lifetime_hours is 8 and can only be lowered",
        ),
        (
            "\n[[change]]\nrule = \"image-from-list\"\noff = true\n",
            "line 3, rule image-from-list: a provenance rule has no off to change",
        ),
        ("[[provenence]]\nid = \"x\"\n", "line 1: unknown field `provenence`, expected one of"),
        (
            "[[provenance]]\nid = \"image-from-list\"\nwhy = \"w\"\nfact = \"image\"\nlearn = [\"dlc_get_pod_logs\"]\n\
             lifetime_hours = 24\nfix = \"f\"\n",
            "line 2, rule image-from-list: would loosen other rules: what dlc_get_pod_logs shows isn't known to exist",
        ),
        (
            "[[forbid]]\nid = \"x\"\nwhy = \"w\"\neffects = [\"destroy\"]\nfix = \"f\"\n",
            "line 2, rule x: a rule proves itself: give examples",
        ),
        ("[[forbid]\n", "line 1: "),
        ("\u{0}", "line 1: "),
    ] {
        let home = Home::new();
        let file = home.write("overlay.toml", text);
        let ran = home.run(&["serve", "--policy", &file]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{ran:?}");
        assert!(ran.stderr.contains(&format!("policy {file}, {expected}")), "{ran:?}");
        // Calls aren't made either.
        let ran = home.run(&["call", "pyromind_list_sandboxes", "--policy", &file]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{ran:?}");
    }
}

/// Attack 15: a file that isn't there, or that depends on where the server is started.
#[test]
fn a_policy_that_is_not_there_stops_the_start() {
    let home = Home::new();
    let missing = home.file("missing.toml").to_str().unwrap().to_owned();
    let ran = home.run(&["serve", "--policy", &missing]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{ran:?}");
    assert!(ran.stderr.contains(&format!("can't read --policy {missing}")), "{ran:?}");
    let ran = home.run(&["serve", "--policy", "overlay.toml"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
    assert!(ran.stderr.contains("isn't an absolute path, nor the preset read-only"), "{ran:?}");
}

/// The manual's overlay binds: nothing that it refuses reaches the cloud.
#[tokio::test]
async fn an_overlay_binds_what_is_called() {
    for era in ERAS {
        let home = Home::new();
        let file = home.write("team.toml", TEAM);
        let session =
            Session::start(home, era, &["--policy", &file, "--region", "cn-hangzhou"], Human::agreeable())
                .await;
        let refusal = session.refused("team-limits", "dlc_list_jobs", listing("cn-shanghai")).await;
        assert_eq!(refusal["violations"][0]["path"], "RegionId");
        let sandbox = |gpu: u64| {
            json!({
                "name": "box-1",
                "sandbox_type": "gpu-sandbox",
                "resource_config": { "cpu": 4, "memory": 16, "gpu": gpu },
                "expire_time": "2026-01-01T06:00:00Z",
            })
        };
        session.refused("team-limits", "pyromind_create_sandbox", sandbox(9)).await;
        session
            .refused(
                "no-terminals",
                "dlc_get_web_terminal",
                json!({
                    "RegionId": "cn-hangzhou", "JobId": "dlc1", "PodId": "dlc1-worker-0",
                }),
            )
            .await;
        session.call("dlc_list_jobs", listing("cn-hangzhou")).await.unwrap();
        let home = session.end().await;
        assert_eq!(home.calls(), ["ListProducts", "ListJobs"]);
        // The record says under which policy.
        let listed = home.run(&["policy", "list", "--json", "--policy", &file]).json();
        assert!(home.record().iter().all(|line| line["policy_sha256"] == listed["sha256"]));
        assert_ne!(listed["sha256"], home.run(&["policy", "list", "--json"]).json()["sha256"]);
    }
}

/// What is under way is counted by the cloud's own lists, each time; of two that start at once only one goes through.
#[tokio::test]
async fn the_last_free_place_is_given_once() {
    let home = Home::new();
    let text = "[[budget]]\nid = \"few\"\nwhy = \"w\"\nlimits = { running = 3 }\nexamples = [\n\
        { tool = \"pyromind_list_sandboxes\", says = \"unbound\" },\n\
        { tool = \"pyromind_create_instance\", arguments = { name = \"n\", resource_type = \"cpu\", resource_config = { cpu = 1, \
        memory = 1 } }, says = \"wants\" },\n]\n";
    let file = home.write("few.toml", text);
    let flags = ["--policy", &file, "--approve", "create"];
    let session = Session::start(home, ERAS[0], &flags, Human::agreeable()).await;
    let instance = |name: String| json!({ "name": name, "resource_type": "cpu", "resource_config": { "cpu": 1, "memory": 1 } });
    let all: Vec<_> = (0..6)
        .map(|number| session.call("pyromind_create_instance", instance(format!("i-{number}"))))
        .collect();
    let ended = futures_of(all).await;
    let home = session.end().await;
    let made = ended.iter().filter(|ended| ended.is_ok()).count();
    assert_eq!(home.count("create_instance"), made);
    assert!(made <= 3, "{made}");
    for refusal in ended.iter().filter_map(|ended| ended.as_ref().err()) {
        assert_eq!((&refusal["rule"], &refusal["retryable"]), (&json!("few"), &json!(true)), "{refusal}");
    }
    assert!(ended.iter().any(Result::is_err));
}

/// Waits for all of them, in whatever order they end.
async fn futures_of<F: Future>(all: Vec<F>) -> Vec<F::Output> {
    let mut all: Vec<_> = all.into_iter().map(Box::pin).collect();
    let mut ended: Vec<Option<F::Output>> = all.iter().map(|_| None).collect();
    std::future::poll_fn(|cx| {
        for (one, end) in all.iter_mut().zip(&mut ended) {
            if end.is_none()
                && let std::task::Poll::Ready(output) = one.as_mut().poll(cx)
            {
                *end = Some(output);
            }
        }
        if ended.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    ended.into_iter().map(Option::unwrap).collect()
}

/// A minute's calls are counted, the policy's own reads among them; a minute later there is room again.
#[tokio::test]
async fn calls_are_paced() {
    let home = Home::new();
    let text = "[[budget]]\nid = \"pace\"\nwhy = \"w\"\nlimits = { calls_per_minute = 3 }\nexamples = [\n\
        { tool = \"pyromind_list_sandboxes\", sent = 2, says = \"passed\" },\n\
        { tool = \"pyromind_list_sandboxes\", sent = 3, says = \"refused\" },\n]\n";
    let file = home.write("pace.toml", text);
    let flags = ["--policy", &file, "--clock-step", "10s"];
    let session = Session::start(home, ERAS[0], &flags, Human::agreeable()).await;
    let mut said = Vec::new();
    for _ in 0..8 {
        said.push(match session.call("pyromind_list_sandboxes", json!({})).await {
            Ok(_) => "done".to_owned(),
            Err(refusal) => format!("{} {}", refusal["rule"], refusal["retryable"]),
        });
    }
    let late = "\"pace\" true".to_owned();
    let done = || "done".to_owned();
    assert_eq!(said, [done(), done(), done(), late.clone(), late.clone(), late, done(), done()]);
    assert_eq!(session.end().await.count("list_sandboxes"), 5);
}

/// `--policy read-only`: everything is offered, nothing that changes goes through, and no question is asked.
#[tokio::test]
async fn the_read_only_preset_refuses_what_changes() {
    let flags = ["--policy", "read-only", "--approve", "create"];
    let session = Session::start(Home::new(), ERAS[0], &flags, Human::agreeable()).await;
    session.refused("read-only", "pyromind_delete_sandbox", json!({ "sandbox_id": "sb-1" })).await;
    session.call("pyromind_list_sandboxes", json!({})).await.unwrap();
    assert_eq!(session.end().await.calls(), ["list_sandboxes"]);
}

/// The rules are resources in both eras of the protocol, and a tool list knows nothing of them.
#[tokio::test]
async fn the_rules_can_be_read_as_resources() {
    for era in ERAS {
        let home = Home::new();
        let file = home.write("team.toml", TEAM);
        let session = Session::start(home, era, &["--policy", &file], Human::agreeable()).await;
        let text = async |uri: &str| -> Value {
            let read = session.client.read_resource(ReadResourceRequestParams::new(uri)).await.unwrap();
            let read = serde_json::to_value(read).unwrap();
            serde_json::from_str(read["contents"][0]["text"].as_str().unwrap()).unwrap()
        };
        let rules = text("redline://policy/rules").await;
        let listed = session.home.run(&["policy", "list", "--json", "--policy", &file]).json();
        assert_eq!((&rules["sha256"], &rules["rules"]), (&listed["sha256"], &listed["rules"]));
        let one = text("redline://policy/rules/team-limits").await;
        assert_eq!(one["rule"]["limits"]["regions"], json!(["cn-hangzhou"]));
        let tools = serde_json::to_string(&session.client.list_all_tools().await.unwrap()).unwrap();
        session.end().await;
        let bare = Session::start(Home::new(), era, &[], Human::agreeable()).await;
        assert_eq!(tools, serde_json::to_string(&bare.client.list_all_tools().await.unwrap()).unwrap());
        bare.end().await;
    }
}

#[test]
fn the_rules_are_listed() {
    let home = Home::new();
    let list = home.run(&["policy", "list", "--json", "--policy", "read-only"]).json();
    let files: Vec<&Value> = list["files"].as_array().unwrap().iter().map(|file| &file["file"]).collect();
    assert_eq!(files, ["red-lines.toml", "default.toml", "read-only.toml"]);
    let of =
        |id: &str| list["rules"].as_array().unwrap().iter().find(|rule| rule["id"] == id).unwrap().clone();
    let image = of("image-from-list");
    assert_eq!(
        (&image["kind"], &image["locked"], &image["tunable"]),
        (&json!("provenance"), &json!(true), &json!([]))
    );
    let mounts = of("no-local-mounts");
    assert_eq!((&mounts["locked"], &mounts["tunable"]), (&json!(false), &json!(["off"])));
    let text = home.run(&["policy", "list"]);
    assert_eq!(text.code, Some(0));
    assert!(
        text.stdout.contains("image-from-list (provenance, locked)\n    A guessed image runs"),
        "{}",
        text.stdout
    );
    assert!(text.stdout.contains("no-local-mounts (forbid, tunable: off)"), "{}", text.stdout);
}

/// `policy check`: 0 for an overlay that holds what it says, 1 for one that doesn't, 2 for none.
#[test]
fn an_overlay_is_checked() {
    let home = Home::new();
    let sound = home.write("team.toml", TEAM);
    let ran = home.run(&["policy", "check", &sound, "--json"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let checked = ran.json();
    assert_eq!((&checked["ok"], &checked["error"]), (&json!(true), &Value::Null));
    let examples = checked["examples"].as_array().unwrap();
    assert!(examples.len() >= 6 && examples.iter().all(|example| example["ok"] == true), "{checked}");

    let wrong = home.write("wrong.toml", &TEAM.replacen("says = \"refused\"", "says = \"passed\"", 1));
    let ran = home.run(&["policy", "check", &wrong]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.stdout.contains("FAILED  ") && ran.stdout.contains("expects passed, and the rule says refused"),
        "{ran:?}"
    );
    assert!(ran.stdout.ends_with("wrong.toml\": not usable\n"), "{ran:?}");
    // Such a policy isn't served.
    assert_eq!(home.run(&["serve", "--policy", &wrong]).code, Some(1));

    let loose = home.write("loose.toml", "[[change]]\nrule = \"region-confirmed\"\nlifetime_hours = 9\n");
    let ran = home.run(&["policy", "check", &loose, "--json"]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.json()["error"].as_str().unwrap().contains("line 2, rule region-confirmed: would loosen"),
        "{ran:?}"
    );

    let ran = home.run(&["policy", "check", "missing.toml"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
}

/// `policy explain` tells what an overlay's rules say too.
#[test]
fn an_explanation_has_the_rules_of_overlays() {
    let home = Home::new();
    let file = home.write("team.toml", TEAM);
    let arguments = r#"{"RegionId": "cn-shanghai"}"#;
    let ran = home.run(&["policy", "explain", "dlc_list_jobs", arguments, "--json", "--policy", &file]);
    let explained = ran.json();
    assert_eq!(explained["verdict"], "refused");
    let rules = explained["rules"].as_array().unwrap();
    let rule = rules.iter().find(|rule| rule["id"] == "team-limits").unwrap();
    assert_eq!(
        (&rule["kind"], &rule["result"], &rule["path"]),
        (&json!("budget"), &json!("refused"), &json!("RegionId"))
    );
}

/// The manual's example is the one that these tests load.
#[test]
fn the_manual_shows_an_overlay_that_loads() {
    let manual = include_str!("../../docs/policy.md");
    assert!(
        manual.contains(&format!("```toml\n{TEAM}```")),
        "docs/policy.md doesn't show tests/data/policy/team.toml"
    );
}
