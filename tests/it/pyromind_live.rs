//! PyroMind as a live cloud: the key, the headers, the address; against the simulated one over HTTP, and against a
//! listener that keeps what it hears.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

use serde_json::{Value, json};

use crate::harness::simulation::Simulation;
use crate::harness::{Home, Ran};

const LIST: &str = "pyromind_list_sandboxes";
const CREATE: &str = "pyromind_create_sandbox";

fn home(key: &str) -> Home {
    Home::new().with("PYROMIND_API_KEY", key)
}

fn live(home: &Home, url: &str, flags: &[&str], tool: &str, arguments: &Value) -> Ran {
    let endpoint = format!("pyromind={url}");
    let live = ["call", "--json", "--cloud", "live", "--endpoint", &endpoint];
    home.run(&[&live[..], flags, &[tool, &arguments.to_string()]].concat())
}

fn said(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"))
}

/// R-PM-001, R-PM-002: the key in the environment opens the cloud, at the address that the operator gives.
#[test]
fn a_sandbox_is_created_and_listed_over_http() {
    let home = home("redline-sim");
    let simulation = Simulation::start(&home, &[]);
    let wanted = json!({
        "name": "over-http", "sandbox_type": "cpu-sandbox", "resource_config": { "cpu": 2, "memory": 4, "gpu": 0 },
    });
    let approved = ["--approve", CREATE];
    let created = said(&live(&home, &simulation.url, &approved, CREATE, &wanted));
    let with_prefix = format!("{}/api/v1/", simulation.url);
    let again = said(&live(&home, &with_prefix, &approved, CREATE, &wanted));
    assert_eq!(again["sandbox_id"], created["sandbox_id"]);
    assert_eq!(again["already_existed"], json!(true));
}

/// R-PM-001: without a key nothing is sent; a wrong one is told as such, and shows nowhere.
#[test]
fn a_missing_or_wrong_key_is_told_and_never_shown() {
    let without = Home::new();
    let simulation = Simulation::start(&without, &[]);
    let refused = live(&without, &simulation.url, &[], LIST, &json!({}));
    assert_eq!((refused.code, said(&refused)["rule"].clone()), (Some(1), json!("credentials")));

    let wrong = home("a-wrong-key-4711");
    let refused = live(&wrong, &simulation.url, &["--log", "debug"], LIST, &json!({}));
    assert_eq!((refused.code, said(&refused)["rule"].clone()), (Some(1), json!("cloud-credentials")));
    assert!(!format!("{refused:?}").contains("4711"), "{refused:?}");
}

/// R-PM-002: the sources name no address, so there is no default one.
#[test]
fn without_an_address_nothing_is_sent() {
    let refused = home("redline-sim").run(&["call", "--json", "--cloud", "live", LIST]);
    assert_eq!(refused.code, Some(1));
    let text = said(&refused)["error"].as_str().unwrap().to_owned();
    assert!(text.contains("PYROMIND_BASE_URL") && text.contains("nothing was sent"), "{text}");
    let wrong = home("redline-sim").with("PYROMIND_BASE_URL", "http://portal.example/api/v1");
    assert_eq!(wrong.run(&["call", "--json", "--cloud", "live", LIST]).code, Some(2));
}

/// Answers one request with an empty list, and returns what it heard.
fn listen(listener: TcpListener) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut heard = Vec::new();
        while !heard.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            heard.extend(byte);
        }
        let body =
            r#"{"success":true,"data":{"total":0,"page":1,"page_size":20,"sandboxes":[]},"metadata":{}}"#;
        let length = body.len();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        String::from_utf8(heard).unwrap()
    })
}

/// R-PM-001, R-PM-003: what goes over the wire, byte for byte; and the envelope of today's deployments is read too.
#[test]
fn the_request_is_what_the_public_clients_send() {
    for (settings, expected) in [
        (&[][..], &["authorization: Bearer a-key"][..]),
        (
            &[
                ("PYROMIND_AUTH_HEADER", "X-Api-Key"),
                ("PYROMIND_AUTH_SCHEME", ""),
                ("PYROMIND_CLUSTER", "us-west-2"),
            ],
            &["x-cluster: us-west-2", "x-api-key: a-key"],
        ),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let heard = listen(listener);
        let home = settings.iter().fold(home("a-key"), |home, (name, value)| home.with(name, *value));
        let arguments = json!({ "status": "running", "page_size": 2 });
        let listed = said(&live(&home, &format!("http://{address}"), &[], LIST, &arguments));
        assert_eq!(listed, json!({ "total": 0, "page": 1, "page_size": 20, "sandboxes": [] }));
        let heard = heard.join().unwrap();
        let mut lines = heard.trim_end().lines();
        assert_eq!(lines.next(), Some("GET /api/v1/sandboxes?page_size=2&status=running HTTP/1.1"));
        let mut headers: Vec<&str> = lines.collect();
        headers.sort_unstable();
        let host = format!("host: {address}");
        let agent = format!("user-agent: redline-mcp/{}", env!("CARGO_PKG_VERSION"));
        let mut all: Vec<&str> = ["accept: application/json", &agent, &host].to_vec();
        all.extend(expected);
        all.sort_unstable();
        assert_eq!(headers, all);
    }
}
