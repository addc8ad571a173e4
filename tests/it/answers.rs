//! Every answer that is no yes: its own words, its own reason, and nothing sent.

use rmcp::model::{CallToolResponse, InputResponses};
use serde_json::{Value, json};

use crate::harness::human::{Human, Says};
use crate::harness::raw::Raw;
use crate::harness::world::{
    CREATE_JOB, LIST_IMAGES, LIST_PRODUCTS, LIST_WORKSPACES, PYTORCH, REGION, VISION, here, job,
};
use crate::harness::{ERAS, Era, Home, Session, read, request};

const DELETE: &str = "pyromind_delete_sandbox";

/// The error and the reason of a refusal.
fn told(refusal: &Value) -> (&str, &str) {
    (refusal["error"].as_str().unwrap(), refusal["reason"].as_str().unwrap())
}

/// R-WS-32, R-WS-45, R-PM-022: in both eras.
#[tokio::test]
async fn each_answer_that_is_no_yes_is_told_apart() {
    let accepts = Says::Accepts;
    let blank = "the question came back accepted, but without a valid";
    let sandbox = json!({ "sandbox_id": "sbx_345741474" });
    for era in ERAS {
        for (says, tool, arguments, error, reason) in [
            (
                Says::Declines,
                LIST_WORKSPACES,
                here(),
                "the user declined, or the client showed no dialog",
                "declined",
            ),
            (
                Says::Cancels,
                LIST_WORKSPACES,
                here(),
                "the user closed the question without an answer",
                "cancelled",
            ),
            (Says::AcceptsNothing, LIST_WORKSPACES, here(), &*format!("{blank} region"), "malformed"),
            (
                accepts(json!({ "region": 7 })),
                LIST_WORKSPACES,
                here(),
                &*format!("{blank} region"),
                "malformed",
            ),
            (
                accepts(json!({ "region": "cn-beijing" })),
                LIST_WORKSPACES,
                here(),
                "the user chose cn-beijing, not cn-hangzhou",
                "other-choice",
            ),
            (
                accepts(json!({ "resource_id": "sbx_1" })),
                DELETE,
                sandbox.clone(),
                "the id that was typed isn't the one in the question",
                "wrong-id",
            ),
            (
                accepts(json!({ "approve": true })),
                DELETE,
                sandbox.clone(),
                &*format!("{blank} resource_id"),
                "malformed",
            ),
        ] {
            let session = Session::start(Home::new(), era, &[], Human::who_says([says.clone()])).await;
            let refusal = session.call(tool, arguments).await.unwrap_err();
            assert_eq!(told(&refusal), (error, reason), "{era:?} {says:?}");
            assert!(session.home.calls().is_empty(), "{era:?} {says:?}");
            assert_eq!(session.home.record().last().unwrap()["confirmation"]["reason"], reason);
        }
    }
}

/// R-WS-32: a no in the form, and a number of further calls that nobody offered.
#[tokio::test]
async fn a_form_with_a_no_or_with_too_much_in_it_is_no_yes() {
    for era in ERAS {
        let session = Session::start(Home::new(), era, &["--region", REGION], Human::agreeable()).await;
        listed(&session).await;
        for (content, error, reason) in [
            (json!({ "approve": false }), "the user answered no", "answered-no"),
            (
                json!({ "approve": true, "further_calls": 11 }),
                "the question came back with a further_calls that isn't a whole number up to 10",
                "malformed",
            ),
            (
                json!({ "approve": true, "further_calls": "all" }),
                "the question came back with a further_calls that isn't a whole number up to 10",
                "malformed",
            ),
        ] {
            session.human.says([Says::Accepts(content)]);
            let refusal = session.refused("arguments-confirmed", CREATE_JOB, job(VISION, PYTORCH)).await;
            assert_eq!(told(&refusal), (error, reason), "{era:?}");
        }
        assert_eq!(session.home.count("CreateJob"), 0);
    }
}

async fn listed(session: &Session) {
    session.call(LIST_WORKSPACES, here()).await.unwrap();
    session.call(LIST_IMAGES, here()).await.unwrap();
}

/// What isn't the result of an elicitation is told apart from a closed dialog.
#[tokio::test]
async fn a_response_that_is_no_answer_is_malformed() {
    for result in [json!({}), json!({ "action": "yes" }), json!({ "tools": [] })] {
        let mut raw = Raw::legacy(Home::new(), &[]).await;
        let call = json!({ "name": LIST_WORKSPACES, "arguments": here() });
        let question = raw.ask(json!(1), "tools/call", call).await;
        raw.send(&json!({ "jsonrpc": "2.0", "id": question["id"], "result": result })).await;
        let ended = raw.hang_up().await;
        let text = ended.rest[0]["result"]["content"][0]["text"].as_str().unwrap();
        let refusal: Value = serde_json::from_str(text).unwrap();
        assert_eq!(
            told(&refusal),
            ("what the client sent back isn't an answer to the question", "malformed"),
            "{result}"
        );
        assert!(ended.home.calls().is_empty());
    }
}

/// A retry of the era without a handshake, with whatever it brings.
async fn retry(
    session: &Session,
    tool: &'static str,
    arguments: Value,
    state: &str,
    answer: Value,
) -> Result<Value, Value> {
    let call = request(tool, arguments)
        .with_request_state(state)
        .with_input_responses(InputResponses::from([("answer".to_owned(), answer)]));
    match session.client.call_tool_once(call).await.unwrap() {
        CallToolResponse::Complete(result) => read(&result),
        other => panic!("not done: {other:?}"),
    }
}

async fn state(session: &Session, tool: &'static str, arguments: Value) -> String {
    match session.client.call_tool_once(request(tool, arguments)).await.unwrap() {
        CallToolResponse::InputRequired(asked) => asked.request_state.unwrap(),
        other => panic!("no question: {other:?}"),
    }
}

/// R-WS-32: replayed, tampered, malformed, and given to what changed since.
#[tokio::test]
async fn a_state_that_no_longer_fits_says_why() {
    let session = Session::start(Home::new(), Era::Discover, &["--region", REGION], Human::agreeable()).await;
    listed(&session).await;
    let yes = || json!({ "action": "accept", "content": { "region": REGION, "approve": true } });
    let wanted = job(VISION, PYTORCH);

    let open = state(&session, CREATE_JOB, wanted.clone()).await;
    for malformed in [json!({}), json!({ "action": "yes" }), json!([]), json!("accept")] {
        let open = state(&session, CREATE_JOB, wanted.clone()).await;
        let refusal = retry(&session, CREATE_JOB, wanted.clone(), &open, malformed).await.unwrap_err();
        assert_eq!(
            told(&refusal),
            ("what the client sent back isn't an answer to the question", "malformed")
        );
    }
    let refusal = retry(&session, CREATE_JOB, wanted.clone(), &open[1..], yes()).await.unwrap_err();
    let foreign = ("the request state isn't one that this server made for this caller", "tampered");
    assert_eq!(told(&refusal), foreign);
    let refusal = retry(&session, LIST_PRODUCTS, here(), &open, yes()).await.unwrap_err();
    assert_eq!(told(&refusal), foreign);

    let mut other = wanted.clone();
    other["UserCommand"] = json!("sleep 31");
    let refusal = retry(&session, CREATE_JOB, other, &open, yes()).await.unwrap_err();
    let changed = "the answer is to another question: the arguments changed after it was asked";
    assert_eq!(told(&refusal), (changed, "arguments-changed"));
    assert_eq!(session.home.count("CreateJob"), 0);

    // Two questions about the same job are open; the yes to one makes the other one stale.
    let (one, late) = (
        state(&session, CREATE_JOB, wanted.clone()).await,
        state(&session, CREATE_JOB, wanted.clone()).await,
    );
    retry(&session, CREATE_JOB, wanted.clone(), &one, yes()).await.unwrap();
    let refusal = retry(&session, CREATE_JOB, wanted.clone(), &late, yes()).await.unwrap_err();
    let changed = "the answer is to another question: what was made before changed after it was asked";
    assert_eq!(told(&refusal), (changed, "history-changed"));
    let refusal = retry(&session, CREATE_JOB, wanted, &one, yes()).await.unwrap_err();
    assert_eq!(told(&refusal), ("this answer was used before; a yes counts once", "replayed"));
    assert_eq!(session.home.count("CreateJob"), 1);
}
