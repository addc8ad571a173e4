//! The protocol over stdio, byte by byte where a real client would be too polite.

use rmcp::service::ServiceError;
use serde_json::{Value, json};

use crate::harness::human::Human;
use crate::harness::raw::{Raw, modern};
use crate::harness::world::{CREATE_WORKSPACE, LIST_WORKSPACES, here};
use crate::harness::{ERAS, Home, Session, paths};

#[tokio::test]
async fn the_server_introduces_itself_in_both_eras() {
    let mut raw = Raw::connect(Home::new(), &[]);
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let introduced = Raw::connect(Home::new(), &[]).initialize(version).await["result"].clone();
        assert_eq!(introduced["protocolVersion"], version);
        assert_eq!(introduced["serverInfo"]["name"], "redline-mcp");
        assert_eq!(introduced["capabilities"], json!({ "resources": {}, "tools": {} }));
        assert!(introduced["instructions"].as_str().unwrap().contains("simulated cloud"));
    }
    let discovered = raw.ask(json!(1), "server/discover", modern(json!({}))).await["result"].clone();
    assert!(discovered["supportedVersions"].as_array().unwrap().contains(&json!("2026-07-28")));
    assert!(discovered["instructions"].as_str().unwrap().contains("simulated cloud"));
}

#[tokio::test]
async fn the_tools_are_the_same_bytes_each_time_and_in_both_eras() {
    let mut listed = Vec::new();
    for params in [json!({}), modern(json!({}))] {
        let mut raw = Raw::connect(Home::new(), &[]);
        if params == json!({}) {
            raw.initialize("2025-11-25").await;
        }
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": params });
        let mut lines = Vec::new();
        for _ in 0..2 {
            raw.send(&request).await;
            lines.push(raw.next_line().await.unwrap());
        }
        assert_eq!(lines[0], lines[1]);
        let answer: Value = serde_json::from_str(&lines[0]).unwrap();
        listed.push(answer["result"]["tools"].to_string());
    }
    assert_eq!(listed[0], listed[1]);
    let printed = Home::new().run(&["tools", "--json"]).json();
    assert_eq!(listed[0], printed.to_string());
    let names: Vec<&str> = printed.as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap()).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(names, sorted);
    let published = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tool-schemas")).unwrap().count();
    assert_eq!(names.len(), published);
}

/// R-DLC-25, R-DLC-54: what isn't in the catalogue can't be called, a generic call included.
#[tokio::test]
async fn an_unknown_tool_is_a_protocol_error() {
    for era in ERAS {
        let session = Session::start(Home::new(), era, &[], Human::agreeable()).await;
        for tool in ["dlc_nothing", "DLC_CREATE_JOB", "aliyun", "", "aiworkspace_delete_workspace"] {
            match session.try_call(tool, json!({})).await {
                Err(ServiceError::McpError(error)) => {
                    assert_eq!(
                        (error.code.0, error.message.as_ref()),
                        (-32602, &*format!("Unknown tool: {tool}"))
                    );
                }
                other => panic!("{era:?} {tool}: {other:?}"),
            }
        }
        assert!(session.home.calls().is_empty());
    }
}

/// R-WS-53: bad arguments are refused before anything, all faults at once, in words that don't repeat the value.
#[tokio::test]
async fn bad_arguments_are_refused_with_every_fault_and_without_the_values() {
    for era in ERAS {
        let session = Session::start(Home::new(), era, &[], Human::agreeable()).await;
        let arguments = json!({
            "RegionId": "eu-nowhere-canary",
            "WorkspaceName": "bad-name-canary",
            "Description": "x".repeat(81),
            "EnvTypes": ["dev"],
            "approve": true,
        });
        let refusal = session.refused("arguments", CREATE_WORKSPACE, arguments).await;
        let mut paths = paths(&refusal);
        paths.sort_unstable();
        assert_eq!(paths, ["Description", "RegionId", "WorkspaceName", "approve"]);
        assert!(!refusal.to_string().contains("canary"), "{refusal}");
        assert!(refusal["violations"].as_array().unwrap().iter().all(|fault| fault["fix"] != ""));
        assert_eq!(refusal["retryable"], false);
        assert_eq!(session.human.asked(), []);
        assert!(session.home.calls().is_empty());
    }
}

#[tokio::test]
async fn malformed_requests_get_the_protocols_own_errors() {
    let mut raw = Raw::legacy(Home::new(), &[]).await;
    for (method, params, code) in [
        ("tools/call", json!({}), -32602),
        ("tools/call", json!({ "name": 7 }), -32602),
        ("tools/call", json!({ "name": LIST_WORKSPACES, "arguments": [] }), -32602),
        ("tools/call", json!({ "name": LIST_WORKSPACES, "arguments": "RegionId" }), -32602),
        ("tools/call", json!([LIST_WORKSPACES]), -32600),
        ("tools/list", json!({ "cursor": "next" }), -32602),
        ("resources/read", json!({ "uri": "file:///etc/passwd" }), -32002),
        ("no/such", json!({}), -32601),
    ] {
        let answer = raw.ask(json!(1), method, params.clone()).await;
        assert_eq!(answer["error"]["code"], code, "{method} {params}: {answer}");
    }
    assert!(raw.hang_up().await.home.calls().is_empty());
}

#[tokio::test]
async fn rubbish_ends_nothing() {
    let mut raw = Raw::connect(Home::new(), &[]);
    let rubbish: [&[u8]; 9] = [
        b"",
        b"not json",
        b"{\"unfinished\":",
        b"\xff\xfe\x00\x80",
        b"\x00",
        b"null",
        b"7",
        b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":1}}",
        b"{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"action\":\"accept\",\"content\":{\"approve\":true}}}",
    ];
    for line in rubbish {
        raw.line(line).await;
    }
    let params = json!({
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "raw", "version": "1" },
    });
    let introduced = past_errors(&mut raw, "initialize", params).await;
    assert_eq!(introduced["protocolVersion"], "2025-11-25");
    raw.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
    for line in rubbish {
        raw.line(line).await;
    }
    assert_eq!(past_errors(&mut raw, "ping", json!({})).await, json!({}));
    let ended = raw.hang_up().await;
    assert_eq!((ended.code, ended.rest), (Some(0), vec![]));
}

/// The result of a request, past what the server says to the rubbish before it: errors, if anything.
async fn past_errors(raw: &mut Raw, method: &str, params: Value) -> Value {
    let mut answer = raw.ask(json!("past"), method, params).await;
    while answer["id"] != "past" {
        assert!(answer["error"]["code"].is_i64(), "{answer}");
        answer = raw.receive().await;
    }
    answer["result"].clone()
}

#[tokio::test]
async fn a_line_of_17_mib_is_dropped_and_the_next_is_served() {
    let mut raw = Raw::legacy(Home::new(), &[]).await;
    raw.line(&vec![b'x'; 17 << 20]).await;
    let answer = raw.ask(json!(2), "ping", json!({})).await;
    assert_eq!(answer, json!({ "jsonrpc": "2.0", "id": 2, "result": {} }));
    assert_eq!(raw.hang_up().await.code, Some(0));
}

#[tokio::test]
async fn the_end_of_input_ends_the_server_also_while_a_question_is_open() {
    let ended = Raw::connect(Home::new(), &[]).hang_up().await;
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), ""));

    let mut raw = Raw::legacy(Home::new(), &[]).await;
    let question =
        raw.ask(json!(1), "tools/call", json!({ "name": LIST_WORKSPACES, "arguments": here() })).await;
    assert_eq!(question["method"], "elicitation/create");
    let ended = raw.hang_up().await;
    assert_eq!(ended.code, Some(0));
    assert_eq!(ended.rest.len(), 1, "{:?}", ended.rest);
    assert_eq!(ended.rest[0]["result"]["isError"], true);
    assert!(ended.home.calls().is_empty());
}

#[tokio::test]
async fn nothing_that_a_stranger_sends_is_an_internal_error() {
    let mut raw = Raw::legacy(Home::new(), &["--log", "debug"]).await;
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    let text = "\u{202e}\u{0}\u{feff}\n".repeat(1000);
    let strange = [
        json!(null),
        json!(true),
        json!(-1),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!(text),
        json!([]),
        json!([null]),
        json!({}),
        json!({ "": "" }),
        deep,
    ];
    for tool in Home::new().run(&["tools", "--json"]).json().as_array().unwrap() {
        let fields: Vec<&String> = tool["inputSchema"]["properties"].as_object().unwrap().keys().collect();
        for value in &strange {
            let arguments: Value = fields.iter().map(|field| ((*field).clone(), value.clone())).collect();
            for arguments in [arguments, json!({ "RegionId": value, "__proto__": value, "": value })] {
                let name = &tool["name"];
                let result = raw.call(name.as_str().unwrap(), &arguments).await;
                assert_eq!(result["isError"], true, "{name} {arguments}");
                let text = result["content"][0]["text"].as_str().unwrap();
                let refusal: Value = serde_json::from_str(text).unwrap();
                assert_eq!(refusal["rule"], "arguments", "{name} {arguments}");
            }
        }
    }
    let ended = raw.hang_up().await;
    assert_eq!(ended.code, Some(0));
    assert!(
        !ended.stderr.contains("internal error") && !ended.stderr.contains("panicked"),
        "{}",
        ended.stderr
    );
    assert!(ended.home.calls().is_empty());
}

#[tokio::test]
async fn the_log_goes_to_stderr_and_only_messages_to_stdout() {
    let mut raw = Raw::legacy(Home::new(), &["--log", "debug"]).await;
    raw.call(LIST_WORKSPACES, &here()).await;
    let ended = raw.hang_up().await;
    // Each line of stdout was a message, or `receive` would have failed.
    assert_eq!(ended.stdout.lines().count(), 3, "{}", ended.stdout);
    assert!(!ended.stderr.contains("jsonrpc"), "{}", ended.stderr);
}
