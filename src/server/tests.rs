//! Whole conversations over memory, byte by byte where the library's own client would be too polite.

mod questions;

use std::path::Path;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf};
use tokio::task::JoinHandle;

use super::*;
use crate::audit::{Audit, Key};
use crate::cloud;
use crate::cloud::Client;
use crate::cloud::bearer::Bearer;
use crate::cloud::credentials::Accounts;
use crate::cloud::endpoint::Endpoints;
use crate::cloud::sign::Signature;
use crate::cloud::transport::http::Patience;
use crate::gateway::{Clock, Parts};
use crate::policy::consent::Operator;
use crate::policy::{self, OnMiss, Policy};
use crate::sim::Simulator;
use crate::sim::clock::{DEFAULT_START, DEFAULT_STEP, LogicalClock};
use crate::sim::faults::Faults;
use crate::sim::world::World;
use crate::tools::selection::Selection;
use crate::vault::{LIFETIME, Vault};

/// A call that puts the region to the user before anything else.
const ASKS: &str = "aiworkspace_list_workspaces";

fn asks() -> Value {
    json!({ "RegionId": "cn-hangzhou" })
}

/// A server in front of a simulated cloud, and the other end of its connection.
fn serve(settings: Settings) -> (DuplexStream, JoinHandle<Result<(), ServeError>>) {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let server = tokio::spawn(async move {
        let state = tempfile::tempdir().unwrap();
        Server::new(gateway(state.path()), settings).serve(theirs, CancellationToken::new()).await
    });
    (ours, server)
}

pub(super) fn gateway(state: &Path) -> Arc<Gateway> {
    let key = Arc::new(Key::of_state_directory(state).unwrap());
    let policy = Policy::compiled(policy::Settings {
        on_miss: OnMiss::Refuse,
        operator: Operator::default(),
        simulated: true,
        digest_key: b"digest".to_vec(),
        secret_command: "redline-mcp secret HANDLE".to_owned(),
    });
    let vault = Vault::new(state.join("vault"), LIFETIME);
    let client = Client::new(cloud::Parts {
        transport: Arc::new(Simulator::new(World::seeded(1), Faults::default())),
        accounts: Accounts::simulator(),
        endpoints: Endpoints::simulator(),
        signature: Signature::default(),
        bearer: Bearer::default(),
        vault: vault.clone(),
        patience: Patience::default(),
        skew: Arc::default(),
    });
    Arc::new(Gateway::new(Parts {
        selection: Selection::default(),
        policy: policy.unwrap(),
        client,
        audit: Audit::open(&state.join("audit.jsonl"), Arc::clone(&key), false).unwrap(),
        key,
        vault,
        clock: Clock::Logical(LogicalClock::new(DEFAULT_START, DEFAULT_STEP)),
    }))
}

/// A client that writes lines and reads lines.
struct Raw {
    lines: Lines<BufReader<ReadHalf<DuplexStream>>>,
    write: WriteHalf<DuplexStream>,
    server: JoinHandle<Result<(), ServeError>>,
}

impl Raw {
    fn connect(settings: Settings) -> Self {
        let (ours, server) = serve(settings);
        let (read, write) = tokio::io::split(ours);
        Self { lines: BufReader::new(read).lines(), write, server }
    }

    /// Connected, and past the handshake of the era with one.
    async fn legacy(settings: Settings) -> Self {
        let mut client = Self::connect(settings);
        client.initialize().await;
        client
    }

    async fn initialize(&mut self) -> Value {
        self.send(json!({ "jsonrpc": "2.0", "id": "init", "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": { "elicitation": {} },
            "clientInfo": { "name": "raw", "version": "1" } } }))
            .await;
        let answer = self.receive().await;
        self.send(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
        answer
    }

    async fn line(&mut self, line: &str) {
        self.write.write_all(line.as_bytes()).await.unwrap();
        self.write.write_all(b"\n").await.unwrap();
    }

    async fn send(&mut self, message: Value) {
        self.line(&message.to_string()).await;
    }

    async fn request(&mut self, id: u32, method: &str, params: Value) {
        self.send(json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).await;
    }

    async fn receive(&mut self) -> Value {
        let line = tokio::time::timeout(Duration::from_secs(60), self.lines.next_line()).await;
        serde_json::from_str(&line.expect("no answer came").unwrap().expect("the server hung up")).unwrap()
    }

    /// Stops writing, as a client does that closes the server's stdin, and returns all that still comes.
    async fn hang_up(mut self) -> (Vec<Value>, Result<(), ServeError>) {
        self.write.shutdown().await.unwrap();
        let mut rest = Vec::new();
        while let Some(line) = self.lines.next_line().await.unwrap() {
            rest.push(serde_json::from_str(&line).unwrap());
        }
        (rest, self.server.await.unwrap())
    }
}

/// What every request of the era without a handshake carries.
fn modern(mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": ProtocolVersion::V_2026_07_28.as_str(),
        "io.modelcontextprotocol/clientCapabilities": { "elicitation": {} },
        "io.modelcontextprotocol/clientInfo": { "name": "raw", "version": "1" },
    });
    params
}

fn code(answer: &Value) -> &Value {
    &answer["error"]["code"]
}

#[tokio::test]
async fn rubbish_ends_nothing_before_or_after_the_handshake() {
    let mut client = Raw::connect(Settings::default());
    let strays = [
        "not json",
        "{\"unfinished\":",
        "",
        "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":1}}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"$/setTrace\",\"params\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"action\":\"accept\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":1,\"message\":\"no\"}}",
    ];
    for line in strays {
        client.line(line).await;
    }
    let answer = client.initialize().await;
    assert_eq!(answer["result"]["serverInfo"]["name"], "redline-mcp");
    assert_eq!(answer["result"]["protocolVersion"], "2025-11-25");
    for line in strays {
        client.line(line).await;
    }
    client.line("[1,2]").await;
    assert_eq!(*code(&client.receive().await), -32600);
    client.request(1, "ping", json!({})).await;
    assert_eq!(client.receive().await, json!({ "jsonrpc": "2.0", "id": 1, "result": {} }));
    let (rest, ended) = client.hang_up().await;
    assert_eq!(rest, Vec::<Value>::new());
    assert!(ended.is_ok());
}

#[tokio::test]
async fn a_line_of_more_than_16_mib_is_dropped_and_the_next_is_served() {
    let mut client = Raw::legacy(Settings::default()).await;
    client.request(1, "tools/call", json!({ "name": "x".repeat(17 << 20) })).await;
    client.request(2, "ping", json!({})).await;
    assert_eq!(client.receive().await["id"], 2);
}

#[tokio::test]
async fn a_client_that_leaves_before_it_said_anything_is_no_error() {
    let (rest, ended) = Raw::connect(Settings::default()).hang_up().await;
    assert_eq!(rest, Vec::<Value>::new());
    assert!(ended.is_ok());
}

#[tokio::test]
async fn malformed_parameters_are_told_from_unknown_methods_in_each_era() {
    let mut client = Raw::legacy(Settings::default()).await;
    for (method, params, expected) in [
        ("tools/call", json!({ "name": 7 }), -32602),
        ("tools/call", json!({ "name": ASKS, "arguments": "text" }), -32602),
        ("resources/read", json!({}), -32602),
        ("tools/list", json!({ "cursor": "next" }), -32602),
        ("logging/setLevel", json!({ "level": "debug" }), -32601),
        ("logging/setLevel", json!({ "level": 7 }), -32601),
        ("resources/subscribe", json!({}), -32601),
        ("no/such", json!({}), -32601),
    ] {
        client.request(1, method, params.clone()).await;
        assert_eq!(*code(&client.receive().await), expected, "{method} {params}");
    }
    let mut client = Raw::connect(Settings::default());
    for (method, params, expected) in [
        ("tools/call", json!({ "name": 7 }), -32602),
        ("tools/list", json!({ "cursor": "next" }), -32602),
        ("logging/setLevel", json!({ "level": "debug" }), -32601),
        ("ping", json!([]), -32601),
        ("no/such", json!({}), -32601),
    ] {
        let params = if params.is_object() {
            modern(params)
        } else {
            json!({ "_meta": modern(json!({}))["_meta"], "x": params })
        };
        client.request(1, method, params.clone()).await;
        assert_eq!(*code(&client.receive().await), expected, "{method} {params}");
    }
}

#[tokio::test]
async fn an_unknown_tool_is_a_protocol_error() {
    let mut client = Raw::legacy(Settings::default()).await;
    client.request(1, "tools/call", json!({ "name": "dlc_nothing", "arguments": {} })).await;
    let expected = json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": -32602, "message": "Unknown tool: dlc_nothing" } });
    assert_eq!(client.receive().await, expected);
}

#[tokio::test]
async fn the_lists_are_the_same_bytes_each_time() {
    let mut client = Raw::connect(Settings::default());
    client.request(1, "server/discover", modern(json!({}))).await;
    let discovered = client.receive().await;
    assert_eq!(discovered["result"]["cacheScope"], "private");
    assert_eq!(discovered["result"]["capabilities"], json!({ "resources": {}, "tools": {} }));
    for method in ["tools/list", "resources/list"] {
        let mut seen = Vec::new();
        for _ in 0..2 {
            client.request(2, method, modern(json!({}))).await;
            seen.push(client.lines.next_line().await.unwrap().unwrap());
        }
        assert_eq!(seen[0], seen[1]);
        assert!(seen[0].contains("\"cacheScope\":\"private\""));
    }
}

#[tokio::test]
async fn hanging_up_answers_the_call_that_waits_for_a_human() {
    let mut client = Raw::legacy(Settings::default()).await;
    client.request(1, "tools/call", json!({ "name": ASKS, "arguments": asks() })).await;
    assert_eq!(client.receive().await["method"], "elicitation/create");
    let (rest, ended) = client.hang_up().await;
    assert_eq!(rest.len(), 1, "{rest:?}");
    assert_eq!(rest[0]["id"], 1);
    assert_eq!(rest[0]["result"]["isError"], true);
    assert!(ended.is_ok());
}

#[tokio::test]
async fn a_question_that_nobody_answers_is_withdrawn() {
    let settings = Settings { question_timeout: Duration::from_millis(10), ..Settings::default() };
    let mut client = Raw::legacy(settings).await;
    client.request(1, "tools/call", json!({ "name": ASKS, "arguments": asks() })).await;
    let question = client.receive().await;
    let withdrawn = client.receive().await;
    assert_eq!(withdrawn["method"], "notifications/cancelled");
    assert_eq!(withdrawn["params"]["requestId"], question["id"]);
    let answer = client.receive().await;
    assert_eq!(answer["result"]["isError"], true);
    let refusal = answer["result"]["content"][0]["text"].as_str().unwrap();
    let refusal: Value = serde_json::from_str(refusal).unwrap();
    assert_eq!(
        (&refusal["error"], &refusal["reason"]),
        (&json!("nobody answered the question in time"), &json!("timed-out"))
    );
}

#[tokio::test]
async fn a_cancelled_call_withdraws_its_question_and_gets_no_answer() {
    let mut client = Raw::legacy(Settings::default()).await;
    client.request(1, "tools/call", json!({ "name": ASKS, "arguments": asks() })).await;
    let question = client.receive().await;
    client
        .send(json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 1 } }))
        .await;
    let withdrawn = client.receive().await;
    assert_eq!(withdrawn["method"], "notifications/cancelled");
    assert_eq!(withdrawn["params"]["requestId"], question["id"]);
    client.request(2, "ping", json!({})).await;
    assert_eq!(client.receive().await["id"], 2);
    let (rest, ended) = client.hang_up().await;
    assert_eq!(rest, Vec::<Value>::new());
    assert!(ended.is_ok());
}

#[tokio::test]
async fn a_client_that_declares_forms_and_cannot_show_them_counts_as_one_that_cannot_ask() {
    let mut client = Raw::legacy(Settings::default()).await;
    client.request(1, "tools/call", json!({ "name": ASKS, "arguments": asks() })).await;
    let id = client.receive().await["id"].clone();
    client
        .send(json!({ "jsonrpc": "2.0", "id": id, "error": { "code": -32601, "message": "no such method" } }))
        .await;
    let answer = client.receive().await;
    assert_eq!(answer["result"]["isError"], true);
    assert!(answer["result"]["content"][0]["text"].as_str().unwrap().contains("no way to ask"), "{answer}");
}
