//! `doctor` from outside: what it finds wrong, that it touches nothing by default, and that it shows no secret.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use redline_mcp::sim::{ACCESS_KEY_ID, ACCESS_KEY_SECRET};
use serde_json::{Value, json};

use crate::harness::simulation::Simulation;
use crate::harness::world::REGION;
use crate::harness::{Home, PROGRAM, Ran};

/// What is in the environment and must be in no output.
const SECRETS: [&str; 4] = [ACCESS_KEY_SECRET, "doctor-canary", "pyromind-canary", "proxy-canary"];

fn home(secret: &str) -> Home {
    Home::new()
        .with("ALIBABA_CLOUD_ACCESS_KEY_ID", ACCESS_KEY_ID)
        .with("ALIBABA_CLOUD_ACCESS_KEY_SECRET", secret)
}

/// Runs it in JSON, at everything that `url` serves.
fn live(home: &Home, url: &str, flags: &[&str]) -> Ran {
    let endpoints = ["pai-dlc", "aiworkspace", "sts", "pyromind"].map(|name| format!("{name}={url}"));
    let endpoints: Vec<&str> = endpoints.iter().flat_map(|endpoint| ["--endpoint", endpoint]).collect();
    let ran = home.run(&[&["doctor", "--json", "--cloud", "live"], &endpoints[..], flags].concat());
    assert_nothing_leaked(&ran);
    ran
}

fn assert_nothing_leaked(ran: &Ran) {
    for secret in SECRETS {
        assert!(!format!("{ran:?}").contains(secret), "{secret}: {ran:?}");
    }
}

/// The checks of an id, in order.
fn checks(ran: &Ran, id: &str) -> Vec<Value> {
    let report = ran.json();
    let all = report["checks"].as_array().unwrap().clone();
    all.into_iter().filter(|check| check["id"] == id).collect()
}

/// The statuses of an id, in order.
fn statuses(ran: &Ran, id: &str) -> Vec<String> {
    checks(ran, id).iter().map(|check| check["status"].as_str().unwrap().to_owned()).collect()
}

/// The ids that failed.
fn failures(ran: &Ran) -> Vec<String> {
    let report = ran.json();
    let failed = |check: &&Value| check["status"] == "failure";
    let checks = report["checks"].as_array().unwrap();
    for check in checks {
        assert!(check["status"] == "ok" || check["status"] == "skipped" || check["fix"] != "", "{check}");
    }
    checks.iter().filter(failed).map(|check| check["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn by_default_nothing_is_sent_and_nothing_is_made() {
    let home = home(ACCESS_KEY_SECRET).with("HTTPS_PROXY", "http://user:proxy-canary@127.0.0.1:9");
    let ran = home.run(&["doctor", "--json"]);
    assert_nothing_leaked(&ran);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let report = ran.json();
    assert_eq!((&report["status"], &report["cloud"]), (&json!("ok"), &json!("sim")));
    assert_eq!(statuses(&ran, "network"), ["skipped"]);
    assert_eq!(checks(&ran, "endpoint"), Vec::<Value>::new());
    assert_eq!(checks(&ran, "activation"), Vec::<Value>::new());
    let proxy = &checks(&ran, "proxy")[0];
    assert_eq!(
        proxy["message"],
        "set by HTTPS_PROXY, for https alone; nothing of it is used by the simulator"
    );
    assert!(!home.file("state").exists(), "a look makes nothing");
}

#[test]
fn clients_are_told_the_whole_path_and_the_same_flags() {
    let home = Home::new();
    let audit = home.file("a record.jsonl");
    let ran = home.run(&[
        "doctor",
        "--region",
        REGION,
        "--json",
        "--audit",
        audit.to_str().unwrap(),
        "--read-only",
    ]);
    let program = fs::canonicalize(PROGRAM).unwrap();
    let (program, audit) = (program.to_str().unwrap(), audit.to_str().unwrap());
    let start = json!({
        "command": program, "args": ["serve", "--region", REGION, "--read-only", "--audit", audit],
    });
    let report = ran.json();
    let client = |name: &str| {
        let clients = report["clients"].as_array().unwrap();
        clients.iter().find(|client| client["client"] == name).unwrap().clone()
    };
    for name in ["claude-desktop", "cursor"] {
        assert_eq!(client(name)["json"], json!({ "mcpServers": { "redline": start } }));
    }
    let mut typed = start.clone();
    typed["type"] = json!("stdio");
    assert_eq!(client("vscode")["json"], json!({ "servers": { "redline": typed } }));
    assert_eq!(
        client("claude-code")["command"],
        format!("claude mcp add redline -- {program} serve --region {REGION} --read-only --audit '{audit}'")
    );
}

#[test]
fn what_people_see_is_the_same_and_its_json_can_be_pasted() {
    let home = Home::new();
    let (text, report) = (home.run(&["doctor"]), home.run(&["doctor", "--json"]).json());
    assert_eq!(text.code, Some(0), "{text:?}");
    for check in report["checks"].as_array().unwrap() {
        let line = format!("{:<8} {}", check["status"].as_str().unwrap(), check["id"].as_str().unwrap());
        assert!(text.stdout.contains(&line), "{line}: {}", text.stdout);
    }
    for client in report["clients"].as_array().unwrap().iter().filter(|client| client["json"].is_object()) {
        let heading =
            format!("{}, in {}:\n", client["client"].as_str().unwrap(), client["place"].as_str().unwrap());
        let pasted = text.stdout.split(&heading).nth(1).unwrap().split("\n\n").next().unwrap();
        assert_eq!(serde_json::from_str::<Value>(pasted).unwrap(), client["json"]);
    }
}

#[test]
fn a_live_launch_that_works_has_no_failure_and_its_reads_are_recorded() {
    let home =
        home(ACCESS_KEY_SECRET).with("PYROMIND_API_KEY", "redline-sim").with("PYROMIND_CLUSTER", "west");
    let cloud = Simulation::start(&home, &[]);
    let record = home.record_file();
    let ran = live(&home, &cloud.url, &["--region", REGION, "--audit", record.to_str().unwrap()]);
    assert_eq!((ran.code, failures(&ran)), (Some(0), vec![]), "{ran:?}");
    for (id, expected) in [
        ("endpoint", 4),
        ("clock", 1),
        ("credentials.session", 1),
        ("activation", 1),
        ("pyromind.key", 1),
        ("audit.record", 1),
    ] {
        assert_eq!(statuses(&ran, id), vec!["ok"; expected], "{id}: {ran:?}");
    }
    let address = format!("address: {}", cloud.url);
    assert_eq!(
        checks(&ran, "credentials.pyromind")[0]["details"],
        json!([address, "cluster: west", "PYROMIND_CLUSTER is set"])
    );
    let mut calls = home.calls();
    calls.sort();
    assert_eq!(calls, ["ListProducts", "list_sandboxes"]);
    let again = live(&home, &cloud.url, &["--region", REGION, "--audit", record.to_str().unwrap()]);
    assert_eq!(statuses(&again, "audit.record"), ["ok"], "a record that is there goes on");
}

/// R-WS-03: a wrong secret is told by the cloud's own code, and shows nowhere; so is PyroMind's key.
#[test]
fn a_wrong_secret_fails_the_read_and_is_not_shown() {
    let home = home("doctor-canary").with("PYROMIND_API_KEY", "pyromind-canary");
    let cloud = Simulation::start(&home, &[]);
    let ran = live(&home, &cloud.url, &["--region", REGION, "--log", "debug"]);
    assert_eq!(
        (ran.code, failures(&ran)),
        (Some(1), vec!["activation".to_owned(), "pyromind.key".to_owned()])
    );
    let activation = &checks(&ran, "activation")[0];
    assert_eq!(activation["subject"], REGION);
    assert!(activation["details"].to_string().contains("SignatureDoesNotMatch"), "{activation}");
    assert_eq!(activation["fix"], "set the right key where the credentials come from");
}

#[test]
fn without_credentials_nothing_is_signed() {
    let home = Home::new();
    let cloud = Simulation::start(&home, &[]);
    let ran = live(&home, &cloud.url, &["--region", REGION]);
    assert_eq!((ran.code, failures(&ran).len()), (Some(1), 2), "{ran:?}");
    assert_eq!(failures(&ran), ["credentials.alibaba", "credentials.pyromind"]);
    assert_eq!(checks(&ran, "activation"), Vec::<Value>::new());
}

/// R-WS-46, R-WS-49: activation is told per region, with the way to it.
#[test]
fn a_region_without_pai_is_a_failure_with_the_way_to_activate_it() {
    let home = home(ACCESS_KEY_SECRET);
    for (region, fix) in [
        (
            "cn-beijing",
            "activate it at https://common-buy.aliyun.com/?commodityCode=learn&regionId=cn-beijing",
        ),
        ("ap-southeast-1", "ask who administers the account to activate PAI in this region"),
    ] {
        let cloud = Simulation::start(&home, &["--region", region]);
        let ran = live(&home, &cloud.url, &["--region", region]);
        let activation = &checks(&ran, "activation")[0];
        assert_eq!(
            (&activation["status"], &activation["subject"], &activation["fix"]),
            (&json!("failure"), &json!(region), &json!(fix)),
        );
    }
}

/// Answers everything with this text, and each connection once.
fn answering(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    // It ends with the test's process.
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

#[test]
fn a_clock_that_is_off_is_a_failure() {
    let home = home(ACCESS_KEY_SECRET);
    let late = answering(
        "HTTP/1.1 404 Not Found\r\ndate: Wed, 01 Jan 2020 00:00:00 GMT\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    );
    let ran = live(&home, &late, &["--region", REGION, "--timeout", "2"]);
    let clock = &checks(&ran, "clock")[0];
    assert_eq!(
        (&clock["status"], &clock["fix"]),
        (&json!("failure"), &json!("set this machine's clock, best by NTP"))
    );
    assert!(clock["message"].as_str().unwrap().contains(" s ahead of that of "), "{clock}");
}

#[test]
fn a_closed_port_and_a_silent_one_are_failures_in_time() {
    let home = home(ACCESS_KEY_SECRET);
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let unanswered = format!("http://{}", silent.local_addr().unwrap());
    for url in [closed, unanswered] {
        let ran = live(&home, &url, &["--region", REGION, "--read-timeout", "1", "--timeout", "2"]);
        assert_eq!(ran.code, Some(1));
        // STS is needed for roles alone.
        assert_eq!(statuses(&ran, "endpoint"), ["failure", "failure", "failure", "warning"], "{ran:?}");
        assert_eq!(statuses(&ran, "activation"), ["failure"], "{ran:?}");
        assert_eq!(statuses(&ran, "clock"), ["skipped"]);
    }
}

#[test]
fn a_name_is_looked_up_unless_a_proxy_does() {
    let home = home(ACCESS_KEY_SECRET);
    let cloud = Simulation::start(&home, &[]);
    let named = cloud.url.replace("127.0.0.1", "localhost");
    let ran = live(&home, &named, &["--region", REGION]);
    assert_eq!(
        (statuses(&ran, "dns"), statuses(&ran, "endpoint")),
        (vec!["ok".to_owned(); 4], vec!["ok".to_owned(); 4])
    );
    // What speaks no TLS is no endpoint.
    let secure = named.replace("http:", "https:");
    let ran = live(&home, &secure, &["--region", REGION, "--timeout", "2"]);
    assert_eq!(statuses(&ran, "endpoint"), ["failure", "failure", "failure", "warning"], "{ran:?}");
    let proxied =
        home.with("HTTPS_PROXY", "http://user:proxy-canary@127.0.0.1:1").with("NO_PROXY", "a.example");
    let ran = live(&proxied, &secure, &["--region", REGION, "--timeout", "2"]);
    assert_eq!((statuses(&ran, "dns"), ran.code), (vec!["skipped".to_owned(); 4], Some(1)), "{ran:?}");
    assert_eq!(checks(&ran, "proxy")[0]["message"], "set by HTTPS_PROXY, NO_PROXY, for https alone");
}

#[test]
fn a_place_that_can_not_be_written_is_a_failure_and_no_call_is_made() {
    let home = home(ACCESS_KEY_SECRET);
    // Not even the superuser makes a file within a file.
    let file = home.write("file", "");
    let (audit, vault) = (format!("{file}/audit.jsonl"), format!("{file}/vault"));
    let ran = home.run(&["doctor", "--json", "--audit", &audit, "--vault", &vault]);
    assert_eq!((ran.code, failures(&ran)), (Some(1), vec!["audit.record".to_owned(), "vault".to_owned()]));
    let cloud = Simulation::start(&home, &[]);
    let ran = live(&home, &cloud.url, &["--region", REGION, "--audit", &audit]);
    assert!(failures(&ran).contains(&"audit.record".to_owned()), "{ran:?}");
    assert_eq!(checks(&ran, "activation"), Vec::<Value>::new(), "what can't be recorded isn't sent");
}

#[cfg(unix)]
#[test]
fn modes_that_let_others_in_are_told() {
    use std::os::unix::fs::PermissionsExt;
    let home = home(ACCESS_KEY_SECRET);
    let cloud = Simulation::start(&home, &[]);
    assert_eq!(live(&home, &cloud.url, &["--region", REGION]).code, Some(1), "PyroMind has no key");
    let state = home.file("state/redline-mcp");
    let mode =
        |name: &str, mode| fs::set_permissions(state.join(name), fs::Permissions::from_mode(mode)).unwrap();
    let looked = |id: &str| statuses(&home.run(&["doctor", "--json"]), id);
    mode("audit.jsonl", 0o644);
    assert_eq!(
        (looked("audit.key"), looked("audit.record")),
        (vec!["ok".to_owned()], vec!["warning".to_owned()])
    );
    mode("audit.key", 0o604);
    assert_eq!(
        (looked("audit.key"), looked("audit.record")),
        (vec!["failure".to_owned()], vec!["failure".to_owned()])
    );
    fs::create_dir(state.join("vault")).unwrap();
    mode("vault", 0o777);
    assert_eq!(looked("vault"), ["failure"]);
}

#[test]
fn a_wrong_launch_is_a_usage_error_and_a_wrong_setting_a_failure() {
    let home = Home::new();
    for flags in [&["--vpc"][..], &["--region", "cn-nowhere"], &["--cloud", "live", "--clock-step", "1s"]] {
        assert_eq!(home.run(&[&["doctor"], flags].concat()).code, Some(2), "{flags:?}");
    }
    let set = Home::new().with("PYROMIND_BASE_URL", "http://user:pyromind-canary@example.com");
    let ran = set.run(&["doctor", "--json", "--cloud", "live"]);
    assert_nothing_leaked(&ran);
    assert!(failures(&ran).contains(&"endpoints".to_owned()), "{ran:?}");
    let missing = home.run(&["doctor", "--json", "--cloud", "live", "--ca-file", "/no/such/file"]);
    assert!(failures(&missing).contains(&"certificates".to_owned()), "{missing:?}");
}
