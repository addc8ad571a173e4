//! Attacks 15 and a part of 18: launches that loosen, dry runs that leak, and requests that go astray.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;

use serde_json::{Value, json};

use super::UNLISTED;
use crate::harness::Home;
use crate::harness::world::{CREATE_JOB, LIST_WORKSPACES, REGION, VISION, here, job};

const KEYS: [(&str, &str); 2] = [
    ("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAI5tCanaryCanaryCanary"),
    ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "secret-canary-7717"),
];

fn live() -> Home {
    KEYS.into_iter().fold(Home::new(), |home, (name, value)| home.with(name, value))
}

/// Attack 18: what a dry run prints can't be sent: it has no signature, no nonce and no key, however it is launched.
#[test]
fn a_dry_run_that_signs() {
    for flags in
        [&["--cloud", "sim"][..], &["--cloud", "live"], &["--cloud", "live", "--signature", "roa-hmac-sha1"]]
    {
        let home = live();
        let arguments = here().to_string();
        let ran = home.run(&[&["call", "--dry-run", "--json", LIST_WORKSPACES, &arguments], flags].concat());
        let headers = &ran.json()["request"]["headers"];
        assert_eq!(headers["authorization"], "<set when the request is sent>");
        assert!(!ran.stdout.to_lowercase().contains("canary"), "{}", ran.stdout);
        assert!(!home.file("state").exists());
    }
    let arguments = job(VISION, UNLISTED).to_string();
    let ran = live().run(&[
        "call",
        "--dry-run",
        "--json",
        "--provenance",
        "refuse",
        "--region",
        REGION,
        CREATE_JOB,
        &arguments,
    ]);
    assert_eq!((ran.code, &ran.json()["verdict"]), (Some(1), &json!("refused")));
}

/// A cloud that answers every request with a redirect, and tells of each connection.
fn redirecting(to: String) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            if tell.send(answer(stream, &to)).is_err() {
                return;
            }
        }
    });
    (url, told)
}

fn answer(mut stream: TcpStream, to: &str) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        head.push(byte[0]);
    }
    let answer = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    let _ = stream.write_all(answer.as_bytes());
    String::from_utf8_lossy(&head).into_owned()
}

/// Attack 18: a redirect isn't followed, so a signed request goes to nobody else.
#[test]
fn a_redirect_goes_nowhere() {
    let (elsewhere, strangers) = redirecting("http://127.0.0.1:9/".to_owned());
    let (cloud, asked) = redirecting(format!("{elsewhere}/stolen"));
    let home = live();
    let endpoint = format!("aiworkspace={cloud}");
    let ran = home.run(&[
        "call",
        "--json",
        "--cloud",
        "live",
        "--endpoint",
        &endpoint,
        "--region",
        REGION,
        LIST_WORKSPACES,
        &here().to_string(),
    ]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(asked.try_recv().unwrap().starts_with("GET /api/v1/"), "the cloud was asked");
    assert!(strangers.try_recv().is_err(), "nobody else was");
}

/// Attack 18: no argument becomes a host name: a region is one of the documented ones, or nothing is sent.
#[test]
fn a_host_name_from_arguments() {
    let home = live();
    for region in [
        "evil.example/",
        "cn-hangzhou.evil.example",
        "cn-hangzhou@evil.example",
        "127.0.0.1",
        "cn-hangzhou#",
        "../..",
        "cn-hangzhou\r\nHost: evil.example",
        "",
        "CN-HANGZHOU",
    ] {
        let arguments = json!({ "RegionId": region }).to_string();
        let ran = home.run(&["call", "--json", "--cloud", "live", LIST_WORKSPACES, &arguments]);
        assert_eq!(ran.code, Some(1), "{region:?}");
        let refusal: Value = ran.json();
        assert_eq!(
            (&refusal["rule"], &refusal["violations"][0]["path"]),
            (&json!("arguments"), &json!("RegionId"))
        );
    }
    // Path parameters stay one segment of the path.
    for id in ["../workspaces", "a/b", "..", ".", "x?y=z", "x#y", "%2e%2e"] {
        let arguments = json!({ "RegionId": REGION, "JobId": id }).to_string();
        let ran = home.run(&["call", "--dry-run", "--json", "dlc_get_job", &arguments]);
        let path = &ran.json()["request"]["path"];
        if let Some(path) = path.as_str() {
            let id = path.strip_prefix("/api/v1/jobs/").unwrap_or_else(|| panic!("{path}"));
            assert!(!id.contains(['/', '?', '#']) && id != ".." && id != ".", "{path}");
        } else {
            assert_eq!(ran.code, Some(1), "{id}: {ran:?}");
        }
    }
}
