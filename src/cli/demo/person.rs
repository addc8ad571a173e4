//! The human of the story: reads every question aloud and answers as the story wants.

use std::sync::{Arc, Mutex, PoisonError};

use rmcp::ClientHandler;
use rmcp::model::{
    ClientCapabilities, ClientConfig, ElicitRequestParams, ElicitResult, ElicitationAction, ErrorData,
    Implementation,
};
use rmcp::service::{RequestContext, RoleClient};
use serde_json::{Value, json};

use super::print;

/// What the human will do.
#[derive(Debug, Clone, Default)]
struct Mind {
    region: String,
    means: String,
    declines: bool,
    asked: usize,
    read: Vec<String>,
}

/// The human, as the MCP client's elicitation handler.
#[derive(Debug, Clone, Default)]
pub(super) struct Human(Arc<Mutex<Mind>>);

impl Human {
    /// From now on the human wants this region.
    pub(super) fn wants(&self, region: &str) {
        self.with(|mind| region.clone_into(&mut mind.region));
    }

    /// From now on, what the human has in mind to destroy or to see is this.
    pub(super) fn means(&self, id: &str) {
        self.with(|mind| id.clone_into(&mut mind.means));
    }

    /// Whether the human says no from now on.
    pub(super) fn declines(&self, declines: bool) {
        self.with(|mind| mind.declines = declines);
    }

    /// How many questions there were since the last time.
    pub(super) fn asked(&self) -> usize {
        self.with(|mind| std::mem::take(&mut mind.asked))
    }

    fn with<T>(&self, change: impl FnOnce(&mut Mind) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether this very question was put before.
    fn has_read(&self, message: &str) -> bool {
        self.with(|mind| {
            let known = mind.read.iter().any(|read| read == message);
            if !known {
                mind.read.push(message.to_owned());
            }
            known
        })
    }

    /// The answer to a form that asks for `property`.
    fn answer(&self, property: Option<&str>) -> Option<(String, Value)> {
        self.with(|mind| {
            mind.asked += 1;
            match property {
                Some("region") => {
                    Some((format!("chooses {}", mind.region), json!({ "region": mind.region })))
                }
                Some(_) if mind.declines => None,
                Some("resource_id") => {
                    Some((format!("types {}", mind.means), json!({ "resource_id": mind.means })))
                }
                Some(property) => Some(("approves".to_owned(), json!({ property: true }))),
                None => None,
            }
        })
    }
}

impl ClientHandler for Human {
    fn get_info(&self) -> ClientConfig {
        let capabilities = ClientCapabilities::builder().enable_elicitation().build();
        ClientConfig::new(capabilities, Implementation::new("redline-mcp demo", env!("CARGO_PKG_VERSION")))
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let ElicitRequestParams::FormElicitationParams { message, requested_schema, .. } = request else {
            return Ok(ElicitResult::new(ElicitationAction::Decline));
        };
        let told = if self.has_read(&message) {
            "        | the same as before".to_owned()
        } else {
            message
                .lines()
                .map(|line| format!("        | {line}").trim_end().to_owned())
                .collect::<Vec<_>>()
                .join("\n")
        };
        let property = requested_schema.properties.keys().next().map(String::as_str);
        let (says, result) = match self.answer(property) {
            Some((says, content)) => {
                (says, ElicitResult::new(ElicitationAction::Accept).with_content(content))
            }
            None => ("declines".to_owned(), ElicitResult::new(ElicitationAction::Decline)),
        };
        print(&format!("  asked\n{told}\n  human   {says}"))
            .map_err(|_| ErrorData::internal_error("the question can't be shown", None))?;
        Ok(result)
    }
}
