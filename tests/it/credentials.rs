//! Where Alibaba Cloud's credentials come from, from outside: each place, asked over loopback, gives what the simulated
//! cloud verifies; and no secret is in any output.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use redline_mcp::sim::{
    ACCESS_KEY_ID, ACCESS_KEY_SECRET, STS_ACCESS_KEY_ID, STS_ACCESS_KEY_SECRET, STS_SECURITY_TOKEN,
};
use serde_json::{Value, json};

use crate::harness::simulation::Simulation;
use crate::harness::world::{LIST_WORKSPACES, here};
use crate::harness::{Home, Ran};

/// What must be in no output, beside the keys themselves.
const SECRETS: [&str; 4] = ["oidc-canary", "imds-canary", "external-canary", "uri-canary"];

/// STS, the metadata service and an address that answers credentials, all at one address. It answers the simulator's
/// own session, and keeps the first lines of what it was asked.
struct Giver {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Giver {
    /// `expiration` is when the session ends.
    fn start(expiration: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let heard = Arc::clone(&asked);
        // It ends with the test's process.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = Vec::new();
                let mut byte = [0];
                while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
                    request.extend(byte);
                }
                let head = String::from_utf8(request).unwrap();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
                stream.read_exact(&mut body).unwrap();
                let (status, answer) = answer(&head, &String::from_utf8(body).unwrap(), expiration);
                let line = head.lines().next().unwrap_or_default();
                heard.lock().unwrap().push(line.split(['?', '&']).next().unwrap().to_owned());
                let length = answer.len();
                write!(
                    stream,
                    "HTTP/1.1 {status} S\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{answer}"
                )
                .unwrap();
            }
        });
        Self { url, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn answer(head: &str, body: &str, expiration: &str) -> (u16, String) {
    let session = json!({
        "Code": "Success", "AccessKeyId": STS_ACCESS_KEY_ID, "AccessKeySecret": STS_ACCESS_KEY_SECRET,
        "SecurityToken": STS_SECURITY_TOKEN, "Expiration": expiration,
    });
    let path = head.split(' ').nth(1).unwrap();
    let header = |line: &str| head.lines().any(|found| found == line);
    match path.split('?').next().unwrap() {
        "/latest/api/token" => (200, "imds-canary".to_owned()),
        "/latest/meta-data/ram/security-credentials/"
            if header("x-aliyun-ecs-metadata-token: imds-canary") =>
        {
            (200, "box".to_owned())
        }
        "/latest/meta-data/ram/security-credentials/box" | "/uri-canary" => (200, session.to_string()),
        "/" if header("x-acs-action: AssumeRole") || body.contains("OIDCToken=oidc-canary") => {
            (200, json!({ "Credentials": session }).to_string())
        }
        _ => (403, json!({ "Code": "NoPermission", "Message": "redline-sim-secret" }).to_string()),
    }
}

fn list(cloud: &Simulation, giver: &Giver, home: &Home) -> Ran {
    let (sts, metadata) = (format!("sts={}", giver.url), format!("metadata={}", giver.url));
    let record = home.record_file();
    let flags =
        ["--endpoint", &sts, "--endpoint", &metadata, "--log", "debug", "--audit", record.to_str().unwrap()];
    cloud.call(home, &flags, LIST_WORKSPACES, &here())
}

/// Fails if a secret is in what the run printed, logged or recorded.
fn assert_nothing_leaked(home: &Home, ran: &Ran) {
    let record = std::fs::read_to_string(home.record_file()).unwrap();
    let keys = [ACCESS_KEY_SECRET, STS_ACCESS_KEY_ID, STS_ACCESS_KEY_SECRET, STS_SECURITY_TOKEN];
    for secret in keys.iter().chain(&SECRETS) {
        for text in [&ran.stdout, &ran.stderr, &record] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

/// A home with one CLI profile of these fields, and one named base with the simulator's key.
fn profile(fields: Value) -> Home {
    let home = Home::new();
    let mut profile = json!({ "name": "mine", "region_id": "cn-beijing" });
    profile.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let base = json!({
        "name": "base", "mode": "AK", "access_key_id": ACCESS_KEY_ID, "access_key_secret": ACCESS_KEY_SECRET,
    });
    let config = json!({ "current": "mine", "profiles": [profile, base] });
    std::fs::create_dir(home.file(".aliyun")).unwrap();
    home.write(".aliyun/config.json", &config.to_string());
    home
}

fn ini(lines: &str) -> Home {
    let home = Home::new();
    std::fs::create_dir(home.file(".alibabacloud")).unwrap();
    home.write(".alibabacloud/credentials", &format!("[default]\n{lines}\n"));
    home
}

/// R-WS-03, R-WS-07: every place and every mode of a profile; what each asked for, and that nothing leaked.
#[test]
fn each_place_gives_what_the_cloud_verifies_and_shows_nothing() {
    let giver = Giver::start("2099-01-01T00:00:00Z");
    let key = json!({ "access_key_id": ACCESS_KEY_ID, "access_key_secret": ACCESS_KEY_SECRET });
    let session = json!({
        "access_key_id": STS_ACCESS_KEY_ID, "access_key_secret": STS_ACCESS_KEY_SECRET,
        "sts_token": STS_SECURITY_TOKEN, "sts_expiration": 4_070_908_800_u64,
    });
    let mode = |mode: &str, base: &Value, more: Value| {
        let mut fields = base.clone();
        fields["mode"] = json!(mode);
        fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        profile(fields)
    };
    let none = json!({});
    let oidc = Home::new();
    let token = oidc.write("token", "oidc-canary");
    let printer = Home::new();
    let printed = json!({
        "mode": "StsToken", "access_key_id": STS_ACCESS_KEY_ID, "access_key_secret": STS_ACCESS_KEY_SECRET,
        "sts_token": STS_SECURITY_TOKEN,
    });
    let program = printer.write("keys.json", &printed.to_string());
    let uri = format!("{}/uri-canary", giver.url);
    let keys = format!("access_key_id = {ACCESS_KEY_ID}\naccess_key_secret = {ACCESS_KEY_SECRET}");
    let exchange: &[&str] = &["POST /"];
    let role = json!({ "ram_role_arn": "r", "external_id": "external-canary" });
    let metadata = [
        "PUT /latest/api/token HTTP/1.1",
        "GET /latest/meta-data/ram/security-credentials/ HTTP/1.1",
        "GET /latest/meta-data/ram/security-credentials/box HTTP/1.1",
    ];
    let cases: Vec<(&str, Home, &[&str])> = vec![
        (
            "OIDC",
            Home::new()
                .with("ALIBABA_CLOUD_ROLE_ARN", "r")
                .with("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "p")
                .with("ALIBABA_CLOUD_OIDC_TOKEN_FILE", token.clone()),
            exchange,
        ),
        ("AK", mode("AK", &key, none.clone()), &[]),
        ("StsToken", mode("StsToken", &session, none.clone()), &[]),
        ("RamRoleArn", mode("RamRoleArn", &key, role.clone()), exchange),
        (
            "ChainableRamRoleArn",
            mode("ChainableRamRoleArn", &role, json!({ "source_profile": "base" })),
            exchange,
        ),
        ("EcsRamRole", mode("EcsRamRole", &none, none.clone()), &metadata),
        (
            "OIDC profile",
            mode("OIDC", &role, json!({ "oidc_provider_arn": "p", "oidc_token_file": token })),
            exchange,
        ),
        (
            "CredentialsURI",
            mode("CredentialsURI", &none, json!({ "credentials_uri": uri })),
            &["GET /uri-canary HTTP/1.1"],
        ),
        (
            "External",
            mode("External", &none, json!({ "process_command": format!("/bin/cat {program}") })),
            &[],
        ),
        ("CloudSSO", mode("CloudSSO", &session, none.clone()), &[]),
        ("OAuth", mode("OAuth", &session, none.clone()), &[]),
        ("INI access_key", ini(&format!("type = access_key\n{keys}")), &[]),
        ("INI ram_role_arn", ini(&format!("type = ram_role_arn\n{keys}\nrole_arn = r")), exchange),
        ("metadata", Home::new().with("ALIBABA_CLOUD_ECS_METADATA_DISABLED", ""), &metadata),
        (
            "URI",
            Home::new().with("ALIBABA_CLOUD_CREDENTIALS_URI", uri.clone()),
            &["GET /uri-canary HTTP/1.1"],
        ),
    ];
    let cloud = Simulation::start(&Home::new(), &[]);
    for (name, home, asked) in cases {
        giver.asked.lock().unwrap().clear();
        let ran = list(&cloud, &giver, &home);
        assert_eq!(ran.code, Some(0), "{name}: {ran:?}");
        assert!(ran.json()["Workspaces"].is_array(), "{name}: {ran:?}");
        assert_eq!(giver.asked(), asked, "{name}");
        assert_nothing_leaked(&home, &ran);
    }
}

/// R-WS-08, R-WS-09: what is set up and fails is told by its name, nothing stands in for it, and nothing was sent.
#[test]
fn a_place_that_fails_is_named_and_its_answer_is_not_repeated() {
    let giver = Giver::start("2099-01-01T00:00:00Z");
    let cloud = Simulation::start(&Home::new(), &[]);
    let key = json!({ "access_key_id": ACCESS_KEY_ID, "access_key_secret": ACCESS_KEY_SECRET });
    let failing = Home::new().write("failing", "redline-sim-secret");
    let refused =
        profile(json!({ "mode": "CredentialsURI", "credentials_uri": format!("{}/no", giver.url) }));
    let silent = profile(json!({ "mode": "External", "process_command": format!("/bin/cat {failing}") }));
    let unknown = profile(json!({ "mode": ACCESS_KEY_SECRET }));
    let mut lacking = key;
    lacking["mode"] = json!("RamRoleArn");
    for (home, words) in [
        (
            refused,
            "the CLI profile gives no Alibaba Cloud credentials; nothing was sent: the credentials URI was refused with status 403 (NoPermission)",
        ),
        (
            silent,
            "the CLI profile gives no Alibaba Cloud credentials; nothing was sent: its process_command failed",
        ),
        (unknown, "its mode isn't one of"),
        (profile(lacking), "its ram_role_arn is missing"),
    ] {
        let home = home.with("ALIBABA_CLOUD_CREDENTIALS_URI", format!("{}/uri-canary", giver.url));
        let ran = list(&cloud, &giver, &home);
        assert_eq!((ran.code, &ran.json()["rule"]), (Some(1), &json!("credentials")), "{ran:?}");
        assert!(ran.stdout.contains(words), "{words}: {ran:?}");
        assert_nothing_leaked(&home, &ran);
        assert!(home.calls().is_empty());
        assert!(!giver.asked().iter().any(|line| line.contains("uri-canary")), "nothing stands in");
    }
}

/// A call that can't be made asks nobody for credentials.
#[test]
fn a_malformed_call_asks_for_nothing() {
    let giver = Giver::start("2099-01-01T00:00:00Z");
    let cloud = Simulation::start(&Home::new(), &[]);
    let uri = format!("{}/uri-canary", giver.url);
    let home = Home::new().with("ALIBABA_CLOUD_CREDENTIALS_URI", uri);
    let refused = cloud.call(&home, &[], LIST_WORKSPACES, &json!({ "RegionId": 7 }));
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert_eq!(giver.asked(), Vec::<String>::new());
}
