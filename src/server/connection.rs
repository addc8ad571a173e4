//! The connection to the client, watched.
//!
//! Three things that the protocol library leaves open are closed here. A server that is told to stop takes it as if
//! the client had hung up: what is in flight is still answered, and no message is left half written. A call that waits for a human must learn
//! at once that the client has hung up, or the process would outlive its client. And a stray notification or
//! response before the client has introduced itself is dropped instead of ending the server.

use rmcp::RoleServer;
use rmcp::model::{ClientRequest, GetMeta, JsonRpcMessage, ProtocolVersion};
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A transport that tells when the client has hung up, and ends when it is told to.
pub(super) struct Connection<T> {
    transport: T,
    stop: CancellationToken,
    introduced: bool,
    hung_up: watch::Sender<bool>,
}

impl<T> Connection<T> {
    /// `transport` until `stop` is cancelled, and what turns true when it ends.
    pub(super) fn new(transport: T, stop: CancellationToken) -> (Self, watch::Receiver<bool>) {
        let (hung_up, watched) = watch::channel(false);
        (Self { transport, stop, introduced: false, hung_up }, watched)
    }
}

impl<T: Transport<RoleServer>> Transport<RoleServer> for Connection<T> {
    type Error = T::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        self.transport.send(item)
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        loop {
            let message = tokio::select! {
                biased;
                () = self.stop.cancelled() => None,
                message = self.transport.receive() => message,
            };
            match &message {
                None => {
                    self.hung_up.send_replace(true);
                }
                Some(JsonRpcMessage::Request(request)) => {
                    self.introduced = self.introduced || introduces(&request.request);
                }
                Some(_) if !self.introduced => continue,
                Some(_) => {}
            }
            return message;
        }
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.transport.close().await
    }
}

/// Whether a request begins the conversation: `initialize`, or one that carries all that a request must carry
/// where there is no `initialize`. A ping and a discovery leave it open which of both comes.
fn introduces(request: &ClientRequest) -> bool {
    match request {
        ClientRequest::InitializeRequest(_) => true,
        ClientRequest::PingRequest(_) | ClientRequest::DiscoverRequest(_) => false,
        request => {
            let meta = request.get_meta();
            meta.missing_required_keys(&ProtocolVersion::NO_INITIALIZE).is_empty()
                && meta
                    .protocol_version()
                    .is_some_and(|version| ProtocolVersion::KNOWN_VERSIONS.contains(&version))
        }
    }
}
