use std::pin::pin;
use std::task::{Context, Poll, Waker};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::cloud::transport::{Transport, TransportError};
use crate::sim::Simulator;
use crate::sim::faults::Faults;
use crate::sim::testkit::{AT, Call, WORKSPACE};
use crate::sim::world::World;

fn simulator(fault: Value) -> Simulator {
    let mut fault = fault;
    fault["tool"] = json!("*");
    fault["nth"] = json!(1);
    Simulator::new(World::seeded(1), Faults::parse(&json!([fault]).to_string()).unwrap())
}

fn send(
    simulator: &Simulator,
    request: http::Request<Bytes>,
    at: Timestamp,
) -> Result<Response<Bytes>, TransportError> {
    let mut answer = pin!(simulator.send(request, at));
    match answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("the simulator never waits"),
    }
}

fn create() -> http::Request<Bytes> {
    let wish = json!({"WorkspaceName": "new_team", "Description": "d", "EnvTypes": ["prod"]});
    Call::post(WORKSPACE, "/api/v1/workspaces", "CreateWorkspace", &wish).signed()
}

/// How the exchange ended, whether the workspace was made, and what the journal says of it.
fn told(fault: Value) -> (String, bool, u16, Option<&'static str>) {
    let simulator = simulator(fault);
    let end = match send(&simulator, create(), AT) {
        Ok(answer) => {
            let body: Option<Value> = serde_json::from_slice(answer.body()).ok();
            let what = match &body {
                Some(body) if body.get("Code").is_some() => body["Code"].as_str().unwrap().to_owned(),
                Some(body) => format!("made {}", body["WorkspaceId"].is_string()),
                None => format!("no JSON, {}", answer.headers()[CONTENT_TYPE].to_str().unwrap()),
            };
            format!("{} {what}", answer.status().as_u16())
        }
        Err(TransportError::Lost { host, reason }) => {
            assert_eq!(host, WORKSPACE);
            reason
        }
        Err(error @ TransportError::NotSent { .. }) => panic!("{error}"),
    };
    let state = simulator.state().unwrap().to_string();
    let journal = simulator.journal();
    let [entry] = journal.as_slice() else { panic!("{journal:?}") };
    (end, state.contains("new_team"), entry.status, entry.fault.map(|fault| fault.name()))
}

/// Each fault: what the client is told, and whether the request was carried out.
#[test]
fn a_fault_is_told_as_the_real_transport_tells_it() {
    let late = "it took longer than the read timeout of 30 s; a larger one may help";
    for (fault, end, done, status) in [
        (json!({"fault": "throttled"}), "429 Throttling.User", false, 429),
        (json!({"fault": "server-error"}), "500 InternalError", false, 500),
        (json!({"fault": "server-error", "status": 502}), "502 BadGateway", false, 502),
        (json!({"fault": "server-error", "status": 504}), "504 GatewayTimeout", false, 504),
        (
            json!({"fault": "server-error", "status": 503, "committed": true}),
            "503 ServiceUnavailable",
            true,
            503,
        ),
        (json!({"fault": "timeout"}), late, false, 504),
        (json!({"fault": "timeout-after-commit"}), late, true, 200),
        (json!({"fault": "lost-reply"}), "connection closed before message completed", true, 200),
        (json!({"fault": "slow", "seconds": 29}), "200 made true", true, 200),
        (json!({"fault": "slow", "seconds": 30}), late, true, 200),
        (json!({"fault": "truncated-body"}), "end of file before message length reached", true, 200),
        (json!({"fault": "malformed-json"}), "200 no JSON, application/json;charset=utf-8", true, 200),
        (json!({"fault": "wrong-content-type"}), "200 no JSON, text/html", true, 200),
        (json!({"fault": "huge-body", "bytes": 100_000}), "200 made true", true, 200),
        (json!({"fault": "huge-body"}), "the reply is larger than 16777216 bytes", true, 200),
    ] {
        let name = fault["fault"].as_str().unwrap().to_owned();
        let (told_end, told_done, told_status, told_name) = told(fault.clone());
        assert_eq!(
            (told_end.as_str(), told_done, told_status, told_name),
            (end, done, status, Some(name.as_str())),
            "{fault}"
        );
    }
}

#[test]
fn a_pause_is_asked_for_in_the_header_of_each_cloud() {
    let answer =
        send(&simulator(json!({"fault": "throttled", "retry_after_ms": 1500})), create(), AT).unwrap();
    assert_eq!(answer.headers()[PAI_RETRY_AFTER], "1500");
    let request = http::Request::get("https://api-portal.pyromind.ai/api/v1/sandboxes")
        .header("authorization", format!("Bearer {}", crate::sim::PYROMIND_API_KEY))
        .body(Bytes::new())
        .unwrap();
    let answer =
        send(&simulator(json!({"fault": "throttled", "retry_after_ms": 1500})), request, AT).unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()[RETRY_AFTER]), (429, &HeaderValue::from(2)));
}

#[test]
fn an_empty_page_keeps_its_count() {
    let page = |tool: &str, request| {
        let faults = json!([{"tool": tool, "nth": 1, "fault": "empty-page"}]).to_string();
        let simulator = Simulator::new(World::seeded(1), Faults::parse(&faults).unwrap());
        let answer = send(&simulator, request, AT).unwrap();
        serde_json::from_slice::<Value>(answer.body()).unwrap()
    };
    let workspaces = page(
        "aiworkspace_list_workspaces",
        Call::get(WORKSPACE, "/api/v1/workspaces", "ListWorkspaces").signed(),
    );
    assert_eq!((&workspaces["Workspaces"], &workspaces["TotalCount"]), (&json!([]), &json!(6)));
    let request = http::Request::get("https://api-portal.pyromind.ai/api/v1/sandboxes")
        .header("authorization", format!("Bearer {}", crate::sim::PYROMIND_API_KEY))
        .body(Bytes::new())
        .unwrap();
    let sandboxes = page("pyromind_list_sandboxes", request);
    let data = sandboxes["data"].as_object().unwrap();
    assert!(data.values().any(|value| *value == json!([])), "{data:?}");
    assert!(data.values().all(|value| value.as_array().is_none_or(Vec::is_empty)), "{data:?}");
}
