//! The MCP server: the catalogue and the gateway, spoken over a transport.
//!
//! One [`Server`] speaks both eras of the protocol. It decides nothing: [`listing`] shows the catalogue,
//! `call` takes a tool call through the gateway step by step, `consent` carries a question to a human and
//! the answer back, [`approval`] asks in the human's browser where the client can't ask, `seal` keeps a question safe while the client holds it, and `connection` knows when
//! the client has hung up. Nothing is ever written to stdout but the protocol, and nothing that a call said
//! or returned is ever logged.
//!
//! | | up to 2025-11-25 | 2026-07-28 |
//! |---|---|---|
//! | a question | `elicitation/create`, while the call waits | the call's result is `input_required` |
//! | its answer | the response | the call's retry: `requestState` and `inputResponses` |

pub mod approval;
mod call;
mod connection;
mod consent;
pub mod listing;
pub mod panics;
mod seal;

use std::sync::Arc;
use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CustomRequest, CustomResult, ErrorCode, ErrorData,
    ListResourcesResult, ListToolsResult, PaginatedRequestParams, ProtocolVersion, ReadResourceRequestParams,
    ReadResourceResponse, ServerConfig,
};
use rmcp::service::{QuitReason, RequestContext, ServerInitializeError, serve_server};
use rmcp::transport::IntoTransport;
use rmcp::transport::io::stdio_pipes;
use rmcp::{RoleServer, ServerHandler};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::gateway::{Gateway, Scope};
use approval::Approvals;
use connection::Connection;
use seal::Seals;

/// What an operator may set about serving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How long a call waits for a human while the client shows the question.
    pub question_timeout: Duration,
    /// How long a question that the client holds as sealed state can be answered.
    pub state_lifetime: Duration,
    /// How a human is asked whose client can't ask; `None` for not at all.
    pub approval: Option<approval::Settings>,
}

impl Default for Settings {
    /// Five minutes for a dialog, ten for a sealed question, no approval page.
    fn default() -> Self {
        Self {
            question_timeout: Duration::from_secs(300),
            state_lifetime: Duration::from_secs(600),
            approval: None,
        }
    }
}

/// Why serving ended other than by the client hanging up. No variant holds anything that the client sent.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The system gave no random bytes for the key that seals questions.
    #[error("no random bytes for the key that seals questions: {0}; check the system's random source")]
    Random(getrandom::Error),
    /// The connection broke, or the client broke the protocol, before anything was agreed.
    #[error(
        "the connection failed before the client had introduced itself; check how the client starts the server"
    )]
    Handshake,
    /// The task that reads the connection failed.
    #[error("the server's own loop failed; this is a bug, please report it")]
    Loop,
}

/// An MCP server in front of a gateway. One server is one scope: what its client learned and was allowed.
pub struct Server {
    gateway: Arc<Gateway>,
    settings: Settings,
}

impl Server {
    /// A server in front of `gateway`.
    pub const fn new(gateway: Arc<Gateway>, settings: Settings) -> Self {
        Self { gateway, settings }
    }

    /// Serves stdin and stdout until the client hangs up or `stop` is cancelled. Calls in flight then have five seconds to
    /// answer.
    ///
    /// # Errors
    /// If the connection fails before the client has introduced itself, or the server itself fails.
    pub async fn serve_stdio(self, stop: CancellationToken) -> Result<(), ServeError> {
        self.serve(stdio_pipes(), stop).await
    }

    /// Serves one client over `transport` until it hangs up or `stop` is cancelled.
    ///
    /// # Errors
    /// As [`Self::serve_stdio`].
    pub async fn serve<T, E, A>(self, transport: T, stop: CancellationToken) -> Result<(), ServeError>
    where
        T: IntoTransport<RoleServer, E, A>,
        E: std::error::Error + Send + Sync + 'static,
    {
        let (connection, hung_up) = Connection::new(transport.into_transport(), stop);
        let handler = Handler {
            scope: self.gateway.new_scope(),
            seals: Seals::new(self.settings.state_lifetime).map_err(ServeError::Random)?,
            gateway: self.gateway,
            question_timeout: self.settings.question_timeout,
            approvals: self.settings.approval.map(Approvals::new),
            hung_up,
        };
        let running = match serve_server(handler, connection).await {
            Ok(running) => running,
            Err(ServerInitializeError::ConnectionClosed(_)) => return Ok(()),
            Err(_) => return Err(ServeError::Handshake),
        };
        match running.waiting().await {
            Ok(QuitReason::Closed | QuitReason::Cancelled) => Ok(()),
            Ok(_) | Err(_) => Err(ServeError::Loop),
        }
    }
}

/// What answers the requests of one connection.
struct Handler {
    gateway: Arc<Gateway>,
    scope: Arc<Scope>,
    seals: Seals,
    question_timeout: Duration,
    approvals: Option<Approvals>,
    hung_up: watch::Receiver<bool>,
}

/// Whether the request belongs to the era without `initialize`.
fn is_modern(cx: &RequestContext<RoleServer>) -> bool {
    cx.protocol_version().is_some_and(|version| version >= ProtocolVersion::NO_INITIALIZE)
}

/// Every list is one page.
fn one_page(request: Option<PaginatedRequestParams>) -> Result<(), ErrorData> {
    match request.and_then(|request| request.cursor) {
        None => Ok(()),
        Some(_) => Err(ErrorData::invalid_params("unknown cursor: every list is one page", None)),
    }
}

impl ServerHandler for Handler {
    fn get_info(&self) -> ServerConfig {
        listing::info(self.gateway.is_simulated())
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        one_page(request).map(|()| listing::tools(self.gateway.selection()))
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        one_page(request).map(|()| listing::resources(self.gateway.selection(), self.gateway.policy()))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        listing::resource(&request.uri, self.gateway.policy()).map(Into::into)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        match panics::caught(self.call(request, &cx)).await {
            Some(answered) => answered,
            None => Ok(call::internal_error().into()),
        }
    }

    /// A method that is served ends here only if its parameters are malformed.
    async fn on_custom_request(
        &self,
        request: CustomRequest,
        cx: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        let served = match request.method.as_str() {
            "tools/list"
            | "tools/call"
            | "resources/list"
            | "resources/read"
            | "resources/templates/list"
            | "prompts/list"
            | "completion/complete"
            | "server/discover" => true,
            "initialize" | "ping" => !is_modern(&cx),
            _ => false,
        };
        if served {
            Err(ErrorData::invalid_params(format!("malformed parameters of {}", request.method), None))
        } else {
            Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, request.method, None))
        }
    }
}

#[cfg(test)]
mod tests;
