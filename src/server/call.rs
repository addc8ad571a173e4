//! One tool call: steps of the gateway, with a human between them.

use std::sync::Arc;

use rmcp::RoleServer;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ElicitResult, ErrorData,
    InputRequest, InputRequests, InputRequiredResult,
};
use rmcp::service::RequestContext;
use serde_json::Value;
use tokio::time::Instant;

use super::approval::{Approvals, Asked};
use super::{Handler, consent, is_modern};
use crate::gateway::{Peer, Request, Step};
use crate::policy::consent::{Answer, Channel, Question, Reply};
use crate::policy::mask::Masked;
use crate::policy::refusal::Refusal;

/// The most steps of one call. A region and its arguments need three; more are left for a policy whose
/// knowledge changes while somebody thinks.
const STEPS: usize = 6;
/// The name of the one input that an `input_required` asks for.
const INPUT: &str = "answer";

impl Handler {
    /// Takes a call through the gateway until it is done, refused, or waits for its retry.
    pub(super) async fn call(
        &self,
        request: CallToolRequestParams,
        cx: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let tool = request.name.as_ref();
        let peer = peer(cx);
        let mut answer = if is_modern(cx) { self.returned(&request) } else { None };
        let patience = self.approvals.as_ref().map_or_else(Instant::now, Approvals::patience);
        for _ in 0..STEPS {
            let request = Request {
                tool: tool.to_owned(),
                arguments: request.arguments.clone().unwrap_or_default(),
                scope: Arc::clone(&self.scope),
                answer: answer.take(),
                peer: peer.clone(),
            };
            let step = tokio::select! {
                step = self.gateway.step(request) => step,
                () = cx.ct.cancelled() => return Err(cancelled()),
            };
            let question = match step {
                Ok(Step::Done(masked)) => return Ok(render(&masked).into()),
                Ok(Step::Ask(question)) => question,
                Err(error) => return Err(ErrorData::invalid_params(error.to_string(), None)),
            };
            let (channel, reply) = match (is_modern(cx), consent::can_ask(cx)) {
                (true, true) => return self.input_required(tool, &question, cx).map(Into::into),
                (modern, false) => match (&self.approvals, modern) {
                    (Some(approvals), _) => {
                        match self.ask_in_browser(approvals, &question, patience, cx).await {
                            Asked::Reply(reply) => (Channel::ApprovalPage, reply),
                            Asked::Taken => continue,
                            Asked::Cancelled => return Err(cancelled()),
                        }
                    }
                    (None, true) => (Channel::InputRequired, Reply::NoChannel),
                    (None, false) => (Channel::Elicitation, Reply::NoChannel),
                },
                (false, true) => {
                    let elicitation = consent::elicitation(&question, cx.protocol_version().as_ref())?;
                    (Channel::Elicitation, self.ask(elicitation, cx).await.ok_or_else(cancelled)?)
                }
            };
            answer = Some(Answer { digest: question.digest().to_owned(), channel, reply });
        }
        Ok(failed("too many questions were asked about one call; call again").into())
    }

    /// The answer that a retry brings back. A state without an answer is no answer: the question is asked anew.
    fn returned(&self, request: &CallToolRequestParams) -> Option<Answer> {
        let sealed = request.request_state.as_deref()?;
        let channel = Channel::InputRequired;
        let opened = match self.seals.open(&request.name, sealed) {
            Ok(opened) => opened,
            Err(reply) => return Some(Answer { digest: String::new(), channel, reply }),
        };
        let response = request.input_responses.as_ref()?.get(INPUT)?;
        let reply = if self.seals.spend(&opened) {
            serde_json::from_value::<ElicitResult>(response.clone()).map_or(Reply::Cancelled, consent::reply)
        } else {
            Reply::Replayed
        };
        Some(Answer { digest: opened.digest().to_owned(), channel, reply })
    }

    fn input_required(
        &self,
        tool: &str,
        question: &Question,
        cx: &RequestContext<RoleServer>,
    ) -> Result<InputRequiredResult, ErrorData> {
        let elicitation = consent::elicitation(question, cx.protocol_version().as_ref())?;
        let state = self
            .seals
            .seal(tool, question.digest())
            .map_err(|_| ErrorData::internal_error("the question can't be sealed", None))?;
        let requests = InputRequests::from([(INPUT.to_owned(), InputRequest::Elicitation(elicitation))]);
        Ok(InputRequiredResult::new(Some(requests), Some(state)))
    }
}

fn peer(cx: &RequestContext<RoleServer>) -> Peer {
    let (client, client_version) = cx.client_info().map(|info| (info.name, info.version)).unwrap_or_default();
    Peer {
        client,
        client_version,
        protocol: cx.protocol_version().map(|version| version.to_string()).unwrap_or_default(),
        request_id: cx.id.to_string(),
        traceparent: cx.meta.get_traceparent().map(str::to_owned),
    }
}

/// Read only where the server itself cancels, because it is told to stop: a request that the client cancels gets
/// no response.
fn cancelled() -> ErrorData {
    let text =
        "the request was cancelled; what it changes may have been carried out, so look before repeating it";
    ErrorData::internal_error(text, None)
}

/// A result as the client gets it: compact JSON text, which is complete, and for a success the same as
/// structured content. An error has text alone, since some clients show only structured content where there is any.
fn render(masked: &Masked) -> CallToolResult {
    let text = vec![ContentBlock::text(masked.body().to_string())];
    if masked.is_error() {
        return CallToolResult::error(text);
    }
    let mut result = CallToolResult::success(text);
    result.structured_content = Some(masked.body().clone());
    result
}

/// What a call that broke the server gets.
pub(super) fn internal_error() -> CallToolResult {
    failed("internal error: the call may have been made; look before you repeat it, and report this as a bug")
}

/// A failure of the server itself, in the form of a refusal. It tells nothing of the call.
fn failed(error: &str) -> CallToolResult {
    let refusal = serde_json::to_value(Refusal::new("server", error)).unwrap_or(Value::Null);
    CallToolResult::error(vec![ContentBlock::text(refusal.to_string())])
}
