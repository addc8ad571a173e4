//! A human with a script.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rmcp::ClientHandler;
use rmcp::model::{
    ClientCapabilities, ClientConfig, ElicitRequestParams, ElicitResult, ElicitationAction, ErrorData,
    Implementation,
};
use rmcp::service::{RequestContext, RoleClient};
use serde_json::{Value, json};

/// What the human does about a question.
#[derive(Debug, Clone)]
pub enum Says {
    /// Fills the form in as it wants: the region that the human has in mind, or a yes.
    Yes,
    /// Presses accept with this in the form.
    Accepts(Value),
    /// Presses accept, and the client sends no form at all.
    AcceptsNothing,
    /// Says no.
    Declines,
    /// Closes the dialog.
    Cancels,
    /// The client can't show the dialog after all.
    Fails,
}

/// A question as the human saw it.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// Its text.
    pub message: String,
    /// The form's one field.
    pub field: String,
}

struct Mind {
    region: String,
    script: VecDeque<Says>,
    asked: Vec<Asked>,
}

/// Answers questions by a script; past its end, as its last line says.
#[derive(Clone)]
pub struct Human {
    mind: Arc<Mutex<Mind>>,
    present: bool,
}

impl Human {
    pub fn who_says(script: impl IntoIterator<Item = Says>) -> Self {
        let mind = Mind {
            region: "cn-hangzhou".to_owned(),
            script: script.into_iter().collect(),
            asked: Vec::new(),
        };
        Self { mind: Arc::new(Mutex::new(mind)), present: true }
    }

    /// Says yes to everything in cn-hangzhou.
    pub fn agreeable() -> Self {
        Self::who_says([Says::Yes])
    }

    /// A client that can't ask anybody.
    pub fn absent() -> Self {
        Self { present: false, ..Self::who_says([Says::Fails]) }
    }

    fn mind(&self) -> MutexGuard<'_, Mind> {
        self.mind.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on the human wants this region.
    pub fn wants(&self, region: &str) {
        region.clone_into(&mut self.mind().region);
    }

    /// From now on the human says this.
    pub fn says(&self, script: impl IntoIterator<Item = Says>) {
        self.mind().script = script.into_iter().collect();
    }

    /// The questions since the last time.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.mind().asked)
    }

    /// The fields asked for since the last time.
    pub fn fields(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.field).collect()
    }

    fn next(&self, question: Asked) -> (Says, Value) {
        let mind = &mut *self.mind();
        let wanted = match question.field.as_str() {
            "region" => json!({ "region": mind.region }),
            field => json!({ field: true }),
        };
        mind.asked.push(question);
        let says = match mind.script.len() {
            0 => panic!("nobody expected a question"),
            1 => mind.script[0].clone(),
            _ => mind.script.pop_front().unwrap(),
        };
        (says, wanted)
    }
}

impl ClientHandler for Human {
    fn get_info(&self) -> ClientConfig {
        let capabilities = ClientCapabilities::builder();
        let capabilities =
            if self.present { capabilities.enable_elicitation().build() } else { capabilities.build() };
        ClientConfig::new(capabilities, Implementation::new("scripted human", "1"))
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let request = serde_json::to_value(request).unwrap();
        assert_eq!(request["mode"], "form");
        let required = request["requestedSchema"]["required"].as_array().unwrap();
        assert_eq!(required.len(), 1, "one field, required");
        let field = required[0].as_str().unwrap().to_owned();
        assert_eq!(request["requestedSchema"]["properties"][&field].get("default"), None, "no default");
        let message = request["message"].as_str().unwrap().to_owned();
        let accepts = |content| Ok(ElicitResult::new(ElicitationAction::Accept).with_content(content));
        match self.next(Asked { message, field }) {
            (Says::Yes, wanted) => accepts(wanted),
            (Says::Accepts(content), _) => accepts(content),
            (Says::AcceptsNothing, _) => Ok(ElicitResult::new(ElicitationAction::Accept)),
            (Says::Declines, _) => Ok(ElicitResult::new(ElicitationAction::Decline)),
            (Says::Cancels, _) => Ok(ElicitResult::new(ElicitationAction::Cancel)),
            (Says::Fails, _) => Err(ErrorData::internal_error("no dialog", None)),
        }
    }
}
