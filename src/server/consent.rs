//! Carrying a question to a human, and the answer back.
//!
//! Both eras show the same form. What counts as a yes is for the policy to say: a filled form is handed on as
//! it came, whatever it holds.

use rmcp::RoleServer;
use rmcp::model::{
    ClientResult, ElicitRequest, ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationSchema,
    EnumSchema, ErrorData, LegacyEnumSchema, ProtocolVersion, ServerRequest,
};
use rmcp::service::{PeerRequestOptions, RequestContext, ServiceError};
use serde_json::Value;

use super::Handler;
use crate::policy::consent::{Form, Question, Reply};
use crate::policy::grant::{FURTHER, Offer};

/// Whether the client can show a form. A capability that names no mode means forms.
pub(super) fn can_ask(cx: &RequestContext<RoleServer>) -> bool {
    cx.client_capabilities()
        .and_then(|capabilities| capabilities.elicitation)
        .is_some_and(|elicitation| elicitation.form.is_some() || elicitation.url.is_none())
}

/// The request that shows `question`, for a client that speaks `version`.
pub(super) fn elicitation(
    question: &Question,
    version: Option<&ProtocolVersion>,
) -> Result<ElicitRequest, ErrorData> {
    let requested_schema = schema(question.form(), question.offer(), version)
        .map_err(|_| ErrorData::internal_error("the question's form can't be built", None))?;
    let message = question.message_with_offer();
    Ok(ElicitRequest::new(ElicitRequestParams::FormElicitationParams {
        meta: None,
        message,
        requested_schema,
    }))
}

/// One required property without a default, so that an empty accept is no yes; and where further calls are offered, how
/// many, which may be left out and has no default either.
fn schema(
    form: &Form,
    offer: Option<&Offer>,
    version: Option<&ProtocolVersion>,
) -> Result<ElicitationSchema, String> {
    let builder = ElicitationSchema::builder();
    let builder = match form {
        Form::Approve => {
            builder.required_bool_with(form.property(), |field| field.title("Approve exactly this call"))
        }
        Form::TypeId { argument, .. } => builder.required_string_with(form.property(), |field| {
            field.title(format!("Type the {argument} to approve exactly this call"))
        }),
        Form::Region { options } => {
            let (ids, names): (Vec<_>, Vec<_>) = options.iter().cloned().unzip();
            let names: Vec<_> = names.iter().zip(&ids).map(|(name, id)| format!("{id}: {name}")).collect();
            let choice = if version.is_some_and(|version| *version < ProtocolVersion::V_2025_11_25) {
                // Before 2025-11-25 a choice had its titles beside its values.
                let mut choice = LegacyEnumSchema::new(ids);
                choice.title = Some("Region".into());
                choice.enum_names = Some(names);
                EnumSchema::Legacy(choice)
            } else {
                EnumSchema::builder(ids).title("Region").enum_titles(names)?.build()
            };
            builder.required_enum_schema(form.property(), choice)
        }
    };
    let builder = match offer {
        Some(offer) => builder.integer_property(FURTHER, |field| {
            let title = format!(
                "Further calls like this one without a question, for {} minutes (empty for none)",
                offer.minutes()
            );
            field.title(title).minimum(0).maximum(offer.calls().into())
        }),
        None => builder,
    };
    builder.build().map_err(str::to_owned)
}

/// What an elicitation came to.
pub(super) fn reply(result: ElicitResult) -> Reply {
    match result.action {
        ElicitationAction::Accept => Reply::Accepted(result.content.unwrap_or(Value::Null)),
        ElicitationAction::Decline => Reply::Declined,
        ElicitationAction::Cancel => Reply::Cancelled,
        _ => Reply::Malformed,
    }
}

impl Handler {
    /// Asks while the call waits; `None` once the client has cancelled the call.
    pub(super) async fn ask(&self, request: ElicitRequest, cx: &RequestContext<RoleServer>) -> Option<Reply> {
        let request = ServerRequest::ElicitRequest(request);
        let Ok(mut asked) = cx.peer.send_request_with_option(request, PeerRequestOptions::no_options()).await
        else {
            return Some(Reply::NoChannel);
        };
        let mut hung_up = self.hung_up.clone();
        let given_up = tokio::select! {
            // An answer that came counts, whatever came after it.
            biased;
            answer = &mut asked.rx => return Some(match answer {
                Ok(Ok(ClientResult::ElicitResult(result))) => reply(result),
                // The client declared that it can ask, and answers that it can't.
                Ok(Err(ServiceError::McpError(_))) => Reply::NoChannel,
                Ok(Ok(_)) => Reply::Malformed,
                Ok(Err(_)) | Err(_) => Reply::Cancelled,
            }),
            _ = hung_up.wait_for(|hung_up| *hung_up) => return Some(Reply::Cancelled),
            () = tokio::time::sleep(self.question_timeout) => Some(Reply::TimedOut),
            () = cx.ct.cancelled() => None,
        };
        // The dialog goes away; if it can't be told so, the client is gone too.
        let _ = asked.cancel(Some("the question is no longer open".to_owned())).await;
        given_up
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::consent::Operator;
    use crate::policy::{OnMiss, Policy, Settings};
    use serde_json::json;

    fn form(form: &Form, version: ProtocolVersion) -> Value {
        serde_json::to_value(schema(form, None, Some(&version)).unwrap()).unwrap()
    }

    #[test]
    fn an_approval_is_one_required_field_without_a_default() {
        let expected = json!({
            "type": "object",
            "properties": { "approve": { "type": "boolean", "title": "Approve exactly this call" } },
            "required": ["approve"],
        });
        assert_eq!(form(&Form::Approve, ProtocolVersion::V_2025_06_18), expected);
        assert_eq!(form(&Form::Approve, ProtocolVersion::V_2026_07_28), expected);
    }

    /// A client that shows only what is required leaves the second field out; nobody is granted anything by a default.
    #[test]
    fn an_offer_is_one_more_field_that_may_be_left_out() {
        let policy = Policy::compiled(Settings {
            on_miss: OnMiss::Refuse,
            operator: Operator::default(),
            simulated: true,
            digest_key: Vec::new(),
            secret_command: String::new(),
        })
        .unwrap();
        let stop = json!({ "RegionId": "cn-hangzhou", "JobId": "dlc1" });
        let stop = crate::tools::find("dlc_stop_job").unwrap().parse(stop.as_object().unwrap()).unwrap();
        let questions = policy.rehearse(&stop, "2026-03-01T12:00:00Z".parse().unwrap()).questions;
        let question = questions.iter().find(|question| question.offer().is_some()).unwrap();
        for version in [ProtocolVersion::V_2025_06_18, ProtocolVersion::V_2026_07_28] {
            let request = serde_json::to_value(elicitation(question, Some(&version)).unwrap()).unwrap();
            assert_eq!(request["params"]["message"], question.message_with_offer());
            assert_eq!(
                request["params"]["requestedSchema"],
                json!({
                    "type": "object",
                    "properties": {
                        "approve": { "type": "boolean", "title": "Approve exactly this call" },
                        "further_calls": {
                            "type": "integer",
                            "title": "Further calls like this one without a question, for 30 minutes (empty for none)",
                            "minimum": 0,
                            "maximum": 10,
                        },
                    },
                    "required": ["approve"],
                })
            );
        }
    }

    /// R-PM-022: the id is typed, not offered.
    #[test]
    fn what_destroys_asks_for_its_id_without_giving_it() {
        let expected = json!({
            "type": "object",
            "properties": { "resource_id": {
                "type": "string", "title": "Type the sandbox_id to approve exactly this call",
            } },
            "required": ["resource_id"],
        });
        let typed = Form::TypeId { argument: "sandbox_id", id: "sbx_1".to_owned() };
        assert_eq!(form(&typed, ProtocolVersion::V_2025_06_18), expected);
        assert_eq!(form(&typed, ProtocolVersion::V_2026_07_28), expected);
    }

    /// R-WS-45
    #[test]
    fn a_region_is_a_required_choice_with_none_preselected() {
        let regions = Form::Region {
            options: vec![("cn-hangzhou".into(), "Hangzhou".into()), ("cn-beijing".into(), "Beijing".into())],
        };
        let titled = json!({
            "type": "object",
            "properties": { "region": { "type": "string", "title": "Region", "oneOf": [
                { "const": "cn-hangzhou", "title": "cn-hangzhou: Hangzhou" },
                { "const": "cn-beijing", "title": "cn-beijing: Beijing" },
            ] } },
            "required": ["region"],
        });
        assert_eq!(form(&regions, ProtocolVersion::V_2025_11_25), titled);
        assert_eq!(form(&regions, ProtocolVersion::V_2026_07_28), titled);
        let named = json!({
            "type": "object",
            "properties": { "region": { "type": "string", "title": "Region", "enum": ["cn-hangzhou", "cn-beijing"],
                "enumNames": ["cn-hangzhou: Hangzhou", "cn-beijing: Beijing"] } },
            "required": ["region"],
        });
        assert_eq!(form(&regions, ProtocolVersion::V_2025_06_18), named);
    }

    #[test]
    fn an_accept_is_handed_on_as_it_came() {
        let filled = json!({ "approve": "yes", "more": 1 });
        assert_eq!(
            reply(ElicitResult::new(ElicitationAction::Accept).with_content(filled.clone())),
            Reply::Accepted(filled)
        );
        assert_eq!(reply(ElicitResult::new(ElicitationAction::Accept)), Reply::Accepted(Value::Null));
        assert_eq!(reply(ElicitResult::new(ElicitationAction::Decline)), Reply::Declined);
        assert_eq!(reply(ElicitResult::new(ElicitationAction::Cancel)), Reply::Cancelled);
    }
}
