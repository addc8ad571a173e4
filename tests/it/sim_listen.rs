//! The simulated cloud over HTTP, and its state in a file.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::thread;
use std::time::SystemTime;

use redline_mcp::sim::{
    ACCESS_KEY_ID, ACCESS_KEY_SECRET, STS_ACCESS_KEY_ID, STS_ACCESS_KEY_SECRET, STS_SECURITY_TOKEN,
};
use serde_json::{Value, json};

use crate::harness::simulation::Simulation;
use crate::harness::world::{
    CREATE_JOB, CREATE_WORKSPACE, DETECTOR, GET_JOB, GET_WORKSPACE, LIST_IMAGES, LIST_WORKSPACES, PRETRAIN,
    REGION, VISION, here, job, workspace,
};
use crate::harness::{Home, PROGRAM, Session};

const SIGNATURES: [&[&str]; 2] = [&[], &["--signature", "roa-hmac-sha1"]];

/// A home whose environment holds the simulator's own key, or another secret.
fn home(secret: &str) -> Home {
    Home::new()
        .with("ALIBABA_CLOUD_ACCESS_KEY_ID", ACCESS_KEY_ID)
        .with("ALIBABA_CLOUD_ACCESS_KEY_SECRET", secret)
}

const APPROVED: [&str; 2] = ["--approve", CREATE_WORKSPACE];

/// The names of the workspaces of the region.
fn names(ran: &crate::harness::Ran) -> BTreeSet<String> {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let workspaces = ran.json()["Workspaces"].as_array().unwrap().clone();
    workspaces.iter().map(|row| row["Workspace Name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn both_signatures_and_both_kinds_of_key_are_verified() {
    let plain = home(ACCESS_KEY_SECRET);
    let session = Home::new()
        .with("ALIBABA_CLOUD_ACCESS_KEY_ID", STS_ACCESS_KEY_ID)
        .with("ALIBABA_CLOUD_ACCESS_KEY_SECRET", STS_ACCESS_KEY_SECRET)
        .with("ALIBABA_CLOUD_SECURITY_TOKEN", STS_SECURITY_TOKEN);
    let cloud = Simulation::start(&plain, &[]);
    for home in [&plain, &session] {
        for signature in SIGNATURES {
            let found = cloud.call(home, signature, LIST_WORKSPACES, &here());
            assert!(names(&found).contains("vision_train"));
            let images =
                json!({"RegionId": REGION, "Name": "pytorch training+é", "Labels": "system.chipType=GPU"});
            let images = cloud.call(home, signature, LIST_IMAGES, &images);
            assert_eq!((images.code, &images.json()["TotalCount"]), (Some(0), &json!(0)), "{images:?}");
            let got = cloud.call(home, signature, GET_JOB, &json!({"RegionId": REGION, "JobId": PRETRAIN}));
            assert_eq!(got.json()["DisplayName"], "detector-pretrain", "{got:?}");
        }
    }
}

#[test]
fn what_creates_works_with_both_signatures() {
    let home = home(ACCESS_KEY_SECRET);
    let cloud = Simulation::start(&home, &[]);
    for (name, signature) in ["new_team", "other_team"].into_iter().zip(SIGNATURES) {
        let flags = [&APPROVED, signature].concat();
        let created = cloud.call(&home, &flags, CREATE_WORKSPACE, &workspace(name));
        assert_eq!(created.code, Some(0), "{created:?}");
        let id = created.json()["Workspace ID"].clone();
        let found =
            cloud.call(&home, signature, GET_WORKSPACE, &json!({"RegionId": REGION, "WorkspaceId": id}));
        assert_eq!(found.json()["Workspace Name"], name, "{found:?}");
        let flags = [&["--approve", CREATE_JOB], signature].concat();
        let submitted = cloud.call(&home, &flags, CREATE_JOB, &job(VISION, DETECTOR));
        assert!(submitted.json()["JobId"].is_string(), "{submitted:?}");
    }
}

#[test]
fn wrong_keys_are_refused_as_the_cloud_refuses_them() {
    let cloud = Simulation::start(&Home::new(), &[]);
    let key = |id: &str, secret: &str, token: &str| {
        Home::new()
            .with("ALIBABA_CLOUD_ACCESS_KEY_ID", id)
            .with("ALIBABA_CLOUD_ACCESS_KEY_SECRET", secret)
            .with("ALIBABA_CLOUD_SECURITY_TOKEN", token)
    };
    for (home, code) in [
        (key(ACCESS_KEY_ID, "another", ""), "SignatureDoesNotMatch"),
        (key("nobody", ACCESS_KEY_SECRET, ""), "InvalidAccessKeyId.NotFound"),
        (key(STS_ACCESS_KEY_ID, STS_ACCESS_KEY_SECRET, ""), "MissingSecurityToken"),
        (
            key(STS_ACCESS_KEY_ID, STS_ACCESS_KEY_SECRET, "another"),
            "InvalidSecurityToken.MismatchWithAccessKey",
        ),
    ] {
        for signature in SIGNATURES {
            let refused = cloud.call(&home, signature, LIST_WORKSPACES, &here());
            assert_eq!(
                (refused.code, &refused.json()["cloud"]["code"]),
                (Some(1), &json!(code)),
                "{refused:?}"
            );
        }
    }
}

/// What a bare client gets for these bytes, as the first line of the answer and its body.
fn exchange(address: &str, bytes: &str) -> (String, Value) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(bytes.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), serde_json::from_str(body).unwrap_or_default())
}

#[test]
fn a_bare_client_gets_an_error_and_the_cloud_lives_on() {
    let home = home(ACCESS_KEY_SECRET);
    let cloud = Simulation::start(&home, &[]);
    assert_eq!(exchange(cloud.address(), "nonsense\r\n\r\n").0, "HTTP/1.1 400 Bad Request");
    let unsigned = "GET /api/v1/workspaces HTTP/1.1\r\nhost: aiworkspace.cn-hangzhou.aliyuncs.com\r\nx-acs-version: 2021-02-04\r\nx-acs-action: ListWorkspaces\r\nconnection: close\r\n\r\n";
    let (status, body) = exchange(cloud.address(), unsigned);
    assert_eq!((status.as_str(), &body["Code"]), ("HTTP/1.1 400 Bad Request", &json!("IncompleteSignature")));
    let elsewhere = "GET / HTTP/1.1\r\nhost: ecs.cn-hangzhou.aliyuncs.com\r\nconnection: close\r\n\r\n";
    let (status, body) = exchange(cloud.address(), elsewhere);
    assert_eq!(
        (status.as_str(), &body["Code"]),
        ("HTTP/1.1 404 Not Found", &json!("InvalidProduct.NotFound"))
    );
    names(&cloud.call(&home, &[], LIST_WORKSPACES, &here()));
}

#[test]
fn many_clients_at_once_are_all_answered_while_one_says_nothing() {
    let home = home(ACCESS_KEY_SECRET);
    let cloud = Simulation::start(&home, &[]);
    let mut silent = TcpStream::connect(cloud.address()).unwrap();
    silent.write_all(b"GET / HT").unwrap();
    thread::scope(|scope| {
        let calls: Vec<_> = (0..12)
            .map(|number| {
                let (cloud, home) = (&cloud, &home);
                scope.spawn(move || {
                    let name = format!("team_{number}");
                    let audit = home.file(&format!("{number}.jsonl"));
                    let flags = [&APPROVED[..], &["--audit", audit.to_str().unwrap()]].concat();
                    cloud.call(home, &flags, CREATE_WORKSPACE, &workspace(&name))
                })
            })
            .collect();
        let ids: BTreeSet<String> =
            calls.into_iter().map(|call| call.join().unwrap().json()["Workspace ID"].to_string()).collect();
        assert_eq!(ids.len(), 12, "{ids:?}");
    });
    assert_eq!(names(&cloud.call(&home, &[], LIST_WORKSPACES, &here())).len(), 18);
}

#[test]
fn the_region_flag_names_the_region_of_hosts_that_name_none() {
    let home = home(ACCESS_KEY_SECRET);
    let cloud = Simulation::start(&home, &["--region", "cn-shanghai"]);
    assert!(names(&cloud.call(&home, &[], LIST_WORKSPACES, &here())).contains("speech_train"));
}

#[test]
fn faults_and_seeds_are_those_of_the_world() {
    let home = home(ACCESS_KEY_SECRET);
    let faults = r#"[{"tool": "aiworkspace_create_workspace", "nth": 1, "fault": "name-race"}]"#;
    let faults = home.write("faults.json", faults);
    let cloud = Simulation::start(&home, &["--seed", "2", "--faults", &faults]);
    let lost = cloud.call(&home, &APPROVED, CREATE_WORKSPACE, &workspace("new_team"));
    assert_eq!(lost.code, Some(1), "{lost:?}");
    let got = cloud.call(&home, &[], GET_JOB, &json!({"RegionId": REGION, "JobId": PRETRAIN}));
    assert_eq!(got.json()["cloud"]["code"], "NotFound.Job", "{got:?}");
}

#[test]
fn told_to_stop_it_ends_well() {
    let home = Home::new();
    let cloud = Simulation::start(&home, &[]);
    let idle = TcpStream::connect(cloud.address()).unwrap();
    let ended = cloud.stop();
    drop(idle);
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "", ""));
    assert!(!home.file("state").exists(), "it leaves nothing behind");
}

#[test]
fn it_says_where_it_listens_and_others_reach_it_only_on_purpose() {
    let home = Home::new();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80"] {
        let ran = home.run(&["sim", "--listen", address]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
        assert!(ran.stderr.contains("--expose"), "{ran:?}");
    }
    let cloud = Simulation::start(&home, &["--expose"]);
    let taken = home.run(&["sim", "--listen", cloud.address()]);
    assert_eq!((taken.code, taken.stdout.as_str()), (Some(1), ""), "{taken:?}");
    assert!(taken.stderr.contains(cloud.address()), "{taken:?}");
    let mut plain = home.command(PROGRAM);
    plain.args(["sim", "--listen", "127.0.0.1:0"]).stdout(std::process::Stdio::piped());
    let mut plain = plain.spawn().unwrap();
    let mut said = [0; 29];
    plain.stdout.take().unwrap().read_exact(&mut said).unwrap();
    plain.kill().unwrap();
    plain.wait().unwrap();
    assert_eq!(&said, b"listening on http://127.0.0.1");
}

fn flag(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// Makes the file look old, so that any later write shows.
fn age(path: &Path) {
    fs::File::options().append(true).open(path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
}

fn is_old(path: &Path) -> bool {
    fs::metadata(path).unwrap().modified().unwrap() == SystemTime::UNIX_EPOCH
}

#[test]
fn a_world_goes_on_from_its_file() {
    let home = home(ACCESS_KEY_SECRET);
    let state = home.file("state.json");
    let first = Simulation::start(&home, &["--seed", "3", "--state-out", &flag(&state)]);
    let seeded = fs::read_to_string(&state).unwrap();
    age(&state);
    names(&first.call(&home, &[], LIST_WORKSPACES, &here()));
    assert!(is_old(&state), "a read writes nothing");
    let created = first.call(&home, &APPROVED, CREATE_WORKSPACE, &workspace("new_team"));
    let id = created.json()["Workspace ID"].clone();
    assert!(!is_old(&state));
    first.stop();
    let kept = fs::read_to_string(&state).unwrap();
    assert!(kept != seeded && kept.ends_with("\n}\n"));

    age(&state);
    let second = Simulation::start(&home, &["--state-in", &flag(&state), "--state-out", &flag(&state)]);
    let found = second.call(&home, &[], GET_WORKSPACE, &json!({"RegionId": REGION, "WorkspaceId": id}));
    assert_eq!(found.json()["Workspace Name"], "new_team", "{found:?}");
    second.stop();
    assert!(is_old(&state), "what is up to date isn't written");
    assert_eq!(fs::read_to_string(&state).unwrap(), kept);
}

/// The clock of a resumed world goes on where its last change was, so the new workspace isn't in the future.
#[tokio::test]
async fn a_server_keeps_and_resumes_a_world_too() {
    let file = tempfile::tempdir().unwrap();
    let state = flag(&file.path().join("state.json"));
    let start = ["--clock", "2026-03-01T00:00:00Z", "--clock-step", "1m", "--state-out", &state];
    let first = Session::agreeable(&start).await;
    first.call(CREATE_WORKSPACE, workspace("new_team")).await.unwrap();
    first.end().await;
    let kept = fs::read_to_string(&state).unwrap();
    let created = "\"created\": \"2026-03-01T00:0";
    assert!(kept.contains(created), "{kept}");

    let second = Session::agreeable(&["--state-in", &state]).await;
    let rows = second.call(LIST_WORKSPACES, here()).await.unwrap();
    let new = rows["Workspaces"].as_array().unwrap().iter().find(|row| row["Workspace Name"] == "new_team");
    assert_eq!(new.unwrap()["Status"], "INITIALIZING");
    second.end().await;
    assert_eq!(fs::read_to_string(&state).unwrap(), kept, "without --state-out nothing is written");
}

#[test]
fn a_call_resumes_a_world_and_a_rehearsal_leaves_the_file_alone() {
    let home = Home::new();
    let state = flag(&home.file("state.json"));
    let call = |flags: &[&str], tool: &str, arguments: &Value| {
        home.run(&[&["call", "--json", "--region", REGION], flags, &[tool, &arguments.to_string()]].concat())
    };
    let out = [&APPROVED[..], &["--state-out", &state]].concat();
    let rehearsed = call(&[&out[..], &["--dry-run"]].concat(), CREATE_WORKSPACE, &workspace("new_team"));
    assert_eq!(rehearsed.code, Some(0), "{rehearsed:?}");
    assert!(!Path::new(&state).exists());
    assert_eq!(call(&out, CREATE_WORKSPACE, &workspace("new_team")).code, Some(0));
    assert!(names(&call(&["--state-in", &state], LIST_WORKSPACES, &here())).contains("new_team"));
}

#[test]
fn a_broken_state_is_a_wrong_command_line_and_says_where() {
    let home = Home::new();
    let broken = home.write("broken.json", "{\n  \"seed\": \"canary\"\n}\n");
    let arguments = here().to_string();
    let record = flag(&home.record_file());
    for command in [
        &["sim", "--listen", "127.0.0.1:0"][..],
        &["serve", "--audit", &record],
        &["call", "--audit", &record, LIST_WORKSPACES, &arguments],
    ] {
        let state = |more: &[&str]| home.run(&[command, more].concat());
        let refused = state(&["--state-in", &broken]);
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(2), ""), "{command:?} {refused:?}");
        assert!(refused.stderr.contains("line 2, column 18: expected u64"), "{}", refused.stderr);
        assert!(!refused.stderr.contains("canary"), "{}", refused.stderr);
        let both = state(&["--state-in", &broken, "--seed", "1"]);
        assert_eq!((both.code, both.stdout.as_str()), (Some(2), ""), "{command:?} {both:?}");
        assert!(both.stderr.contains("--seed"), "{}", both.stderr);
        let missing = state(&["--state-in", "no/such/file"]);
        assert_eq!((missing.code, missing.stdout.as_str()), (Some(1), ""), "{command:?} {missing:?}");
        let nowhere = state(&["--state-out", "no/such/file"]);
        assert_eq!((nowhere.code, nowhere.stdout.as_str()), (Some(1), ""), "{command:?} {nowhere:?}");
        assert!(nowhere.stderr.contains("--state-out no/such/file"), "{}", nowhere.stderr);
    }
}

#[test]
fn a_state_that_can_not_be_written_is_logged_once_and_the_change_stays() {
    let home = home(ACCESS_KEY_SECRET);
    let directory = home.file("world");
    fs::create_dir(&directory).unwrap();
    let cloud = Simulation::start(&home, &["--state-out", &flag(&directory.join("state.json"))]);
    fs::remove_dir_all(&directory).unwrap();
    let created = cloud.call(&home, &APPROVED, CREATE_WORKSPACE, &workspace("new_team"));
    assert_eq!(created.code, Some(0), "{created:?}");
    assert!(names(&cloud.call(&home, &[], LIST_WORKSPACES, &here())).contains("new_team"));
    let ended = cloud.stop();
    assert_eq!(ended.stderr.matches("can't write the state to").count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("world/state.json"), "{}", ended.stderr);
}
