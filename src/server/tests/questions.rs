//! Questions and answers in both eras, with the library's own client.

use std::sync::{Mutex, PoisonError};

use rmcp::ClientHandler;
use rmcp::model::{
    CallToolResult, ClientCapabilities, ClientConfig, ElicitRequestParams, ElicitResult, ElicitationAction,
    Implementation, InputRequiredResult, InputResponses,
};
use rmcp::service::{ClientLifecycleMode, ClientServiceExt, RoleClient, RunningService};

use super::*;

/// A human: answers every question alike, and remembers what was asked.
#[derive(Clone)]
struct Human {
    answer: Option<ElicitResult>,
    asked: Arc<Mutex<Vec<ElicitRequestParams>>>,
}

impl Human {
    fn who(answer: Option<ElicitResult>) -> Self {
        Self { answer, asked: Arc::default() }
    }

    fn asked(&self) -> Vec<ElicitRequestParams> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ClientHandler for Human {
    fn get_info(&self) -> ClientConfig {
        let capabilities = ClientCapabilities::builder();
        let capabilities = if self.answer.is_some() {
            capabilities.enable_elicitation().build()
        } else {
            capabilities.build()
        };
        ClientConfig::new(capabilities, Implementation::new("human", "1"))
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(request);
        Ok(self.answer.clone().unwrap_or_else(|| ElicitResult::new(ElicitationAction::Cancel)))
    }
}

const CREATE: &str = "aiworkspace_create_workspace";

fn workspace(name: &str) -> Value {
    json!({ "RegionId": "cn-hangzhou", "WorkspaceName": name, "Description": "Models", "EnvTypes": ["prod"] })
}

#[derive(Debug, Clone, Copy)]
enum Era {
    Initialize,
    Discover,
}

const ERAS: [Era; 2] = [Era::Initialize, Era::Discover];

async fn connect(human: Human, era: Era) -> RunningService<RoleClient, Human> {
    connect_to(Settings::default(), human, era).await
}

async fn connect_to(settings: Settings, human: Human, era: Era) -> RunningService<RoleClient, Human> {
    let (ours, _) = serve(settings);
    let lifecycle = match era {
        Era::Initialize => ClientLifecycleMode::Initialize,
        Era::Discover => {
            ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] }
        }
    };
    human.serve_with_lifecycle(ours, lifecycle).await.unwrap()
}

fn call(tool: &'static str, arguments: Value) -> CallToolRequestParams {
    CallToolRequestParams::new(tool).with_arguments(arguments.as_object().unwrap().clone())
}

fn accept(content: Value) -> ElicitResult {
    ElicitResult::new(ElicitationAction::Accept).with_content(content)
}

fn text(result: &CallToolResult) -> &str {
    let content = &result.content;
    assert_eq!(content.len(), 1);
    content[0].as_text().unwrap().text.as_str()
}

/// The one field that a question asks for.
fn field(question: &ElicitRequestParams) -> String {
    let question = serde_json::to_value(question).unwrap();
    assert_eq!(question["mode"], "form");
    question["requestedSchema"]["required"][0].as_str().unwrap().to_owned()
}

/// The refusal that a result holds, checked to be in its text alone.
fn refusal(result: &CallToolResult) -> Value {
    assert_eq!(result.is_error, Some(true));
    assert_eq!(result.structured_content, None);
    serde_json::from_str(text(result)).unwrap()
}

#[tokio::test]
async fn an_answered_question_lets_the_call_through_in_both_eras() {
    for era in ERAS {
        let human = Human::who(Some(accept(json!({ "region": "cn-hangzhou" }))));
        let client = connect(human.clone(), era).await;
        let result = client.call_tool(call(ASKS, asks())).await.unwrap();
        assert_eq!(result.is_error, Some(false), "{era:?}: {result:?}");
        let shown: Value = serde_json::from_str(text(&result)).unwrap();
        assert_eq!(result.structured_content, Some(shown));
        assert_eq!(human.asked().len(), 1);
    }
}

/// R-WS-32, R-WS-44: the region first, then exactly these arguments.
#[tokio::test]
async fn a_create_asks_for_the_region_and_then_for_its_arguments() {
    for era in ERAS {
        let human = Human::who(Some(accept(json!({ "region": "cn-hangzhou", "approve": true }))));
        let client = connect(human.clone(), era).await;
        let result = client.call_tool(call(CREATE, workspace("vision_team"))).await.unwrap();
        assert_eq!(result.is_error, Some(false), "{era:?}: {result:?}");
        let fields: Vec<_> = human.asked().iter().map(field).collect();
        assert_eq!(fields, ["region", "approve"]);
    }
}

#[tokio::test]
async fn a_no_is_reported_as_one_that_perhaps_nobody_said() {
    for era in ERAS {
        let client = connect(Human::who(Some(ElicitResult::new(ElicitationAction::Decline))), era).await;
        let refusal = refusal(&client.call_tool(call(ASKS, asks())).await.unwrap());
        assert_eq!(refusal["error"], "the user declined, or the client showed no dialog", "{era:?}");
    }
}

#[tokio::test]
async fn an_accept_without_its_field_lets_nothing_through() {
    for era in ERAS {
        for answer in
            [ElicitResult::new(ElicitationAction::Accept), accept(json!({})), accept(json!({ "region": "" }))]
        {
            let client = connect(Human::who(Some(answer)), era).await;
            refusal(&client.call_tool(call(ASKS, asks())).await.unwrap());
        }
    }
}

#[tokio::test]
async fn a_client_that_cannot_ask_is_told_how_the_operator_can_allow_it() {
    for era in ERAS {
        let human = Human::who(None);
        let client = connect(human.clone(), era).await;
        let refusal = refusal(&client.call_tool(call(ASKS, asks())).await.unwrap());
        assert_eq!(
            refusal["error"], "this needs a human's yes, and the client has no way to ask for one",
            "{era:?}"
        );
        assert!(human.asked().is_empty());
    }
}

async fn once(client: &RunningService<RoleClient, Human>, call: CallToolRequestParams) -> CallToolResponse {
    client.call_tool_once(call).await.unwrap()
}

async fn asked(
    client: &RunningService<RoleClient, Human>,
    call: CallToolRequestParams,
) -> InputRequiredResult {
    match once(client, call).await {
        CallToolResponse::InputRequired(asked) => asked,
        other => panic!("no question: {other:?}"),
    }
}

async fn done(client: &RunningService<RoleClient, Human>, call: CallToolRequestParams) -> CallToolResult {
    match once(client, call).await {
        CallToolResponse::Complete(result) => result,
        other => panic!("not done: {other:?}"),
    }
}

fn yes() -> InputResponses {
    let yes = serde_json::to_value(accept(json!({ "region": "cn-hangzhou", "approve": true }))).unwrap();
    InputResponses::from([("answer".to_owned(), yes), ("unexpected".to_owned(), json!(1))])
}

async fn hand_driven() -> RunningService<RoleClient, Human> {
    connect(Human::who(Some(ElicitResult::new(ElicitationAction::Cancel))), Era::Discover).await
}

#[tokio::test]
async fn a_state_without_an_answer_is_asked_again_and_an_answer_counts_once() {
    let client = hand_driven().await;
    let first = asked(&client, call(ASKS, asks())).await;
    let state = first.request_state.clone().unwrap();
    let again = asked(&client, call(ASKS, asks()).with_request_state(state.clone())).await;
    assert_eq!(again.input_requests, first.input_requests);
    assert_ne!(again.request_state, first.request_state);
    let retry = call(ASKS, asks()).with_request_state(state).with_input_responses(yes());
    assert_eq!(done(&client, retry.clone()).await.is_error, Some(false));
    let refusal = refusal(&done(&client, retry).await);
    assert_eq!(refusal["error"], "this answer was used before; a yes counts once");
}

#[tokio::test]
async fn a_forged_state_and_a_state_of_another_tool_are_refused() {
    let client = hand_driven().await;
    let state = asked(&client, call(ASKS, asks())).await.request_state.unwrap();
    let mut forged = state.clone();
    forged.insert(8, 'A');
    for (tool, state) in [(ASKS, forged), (ASKS, "rs1.x.y".to_owned()), ("aiworkspace_list_products", state)]
    {
        let retry = call(tool, asks()).with_request_state(state).with_input_responses(yes());
        let refusal = refusal(&done(&client, retry).await);
        assert_eq!(
            refusal["error"], "the request state isn't one that this server made for this caller",
            "{tool}"
        );
    }
}

/// R-WS-32: a question waits only so long for its answer.
#[tokio::test]
async fn a_state_that_is_too_old_is_refused() {
    let settings = Settings { state_lifetime: Duration::ZERO, ..Settings::default() };
    let human = Human::who(Some(ElicitResult::new(ElicitationAction::Cancel)));
    let client = connect_to(settings, human, Era::Discover).await;
    let state = asked(&client, call(ASKS, asks())).await.request_state.unwrap();
    tokio::time::sleep(Duration::from_millis(5)).await;
    let retry = call(ASKS, asks()).with_request_state(state).with_input_responses(yes());
    let refusal = refusal(&done(&client, retry).await);
    assert_eq!(
        (&refusal["error"], &refusal["reason"]),
        (&json!("the question is too old to be answered"), &json!("expired"))
    );
}

#[tokio::test]
async fn an_answer_without_a_state_is_none() {
    let client = hand_driven().await;
    asked(&client, call(ASKS, asks()).with_input_responses(yes())).await;
}

/// R-WS-32: a yes is a yes to the arguments that were shown.
#[tokio::test]
async fn a_yes_does_not_carry_over_to_other_arguments() {
    let client = hand_driven().await;
    let region = asked(&client, call(CREATE, workspace("vision_team"))).await.request_state.unwrap();
    let retry = call(CREATE, workspace("vision_team")).with_request_state(region).with_input_responses(yes());
    let approval = asked(&client, retry).await.request_state.unwrap();
    let other =
        call(CREATE, workspace("other_team")).with_request_state(approval).with_input_responses(yes());
    let refusal = refusal(&done(&client, other).await);
    assert!(refusal["error"].as_str().unwrap().starts_with("the answer is to another question"), "{refusal}");
}
