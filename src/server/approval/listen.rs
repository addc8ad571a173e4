//! HTTP/1.1 on a port of this machine that the system chooses.
//!
//! Only loopback can reach it, and what comes is bounded: a head of 16 KiB, a body of 8 KiB, some seconds for each, 64
//! connections at once, one request a connection.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::Shared;
use super::door::Door;
use super::neighbour::is_stranger;

/// The largest head of a request, in bytes.
const HEAD: usize = 16 * 1024;
/// The largest body, in bytes. Forms have some hundred.
const BODY: usize = 8 * 1024;
/// Connections at once.
const CONNECTIONS: usize = 64;
/// For a whole head, and for a whole body.
const PATIENCE: Duration = Duration::from_secs(10);
/// Before accepting again when the system couldn't.
const PAUSE: Duration = Duration::from_millis(100);

/// A listener, for as long as this is kept.
pub(super) struct Listening {
    origin: String,
    _task: AbortOnDropHandle<()>,
}

impl Listening {
    /// Listens from now on.
    ///
    /// # Errors
    /// What the system says.
    pub(super) async fn start(shared: Arc<Shared>) -> io::Result<Self> {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let host = socket.local_addr()?.to_string();
        let origin = format!("http://{host}");
        let task = tokio::spawn(serve(socket, Arc::from(host), shared));
        Ok(Self { origin, _task: AbortOnDropHandle::new(task) })
    }

    /// `http://127.0.0.1:PORT`.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }
}

async fn serve(socket: TcpListener, host: Arc<str>, shared: Arc<Shared>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        // It is never closed, so there is always a place some time.
        let place = Arc::clone(&places).acquire_owned().await.ok();
        match socket.accept().await {
            Ok((stream, client)) => {
                tokio::spawn(connection(stream, client, place, Arc::clone(&host), Arc::clone(&shared)));
            }
            Err(error) => {
                tracing::warn!(%error, "the approval page can't accept a connection");
                sleep(PAUSE).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    client: SocketAddr,
    place: Option<OwnedSemaphorePermit>,
    host: Arc<str>,
    shared: Arc<Shared>,
) {
    if let Ok(server) = stream.local_addr()
        && is_stranger(client, server).await
    {
        tracing::warn!("another user of this machine was turned away from the approval page");
        return;
    }
    let service = service_fn(|request| answer(request, &host, &shared));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(HEAD)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    // Whoever goes away or talks nonsense harms themselves alone.
    drop(connection.await);
    drop(place);
}

async fn answer(
    request: Request<Incoming>,
    host: &str,
    shared: &Shared,
) -> io::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = match timeout(PATIENCE, Limited::new(body, BODY).collect()).await {
        Ok(Ok(body)) => Some(body.to_bytes()),
        Ok(Err(_)) => None,
        Err(elapsed) => return Err(elapsed.into()),
    };
    let request = Request::from_parts(head, body);
    Ok(Door { host, shared }.answer(&request, Instant::now()).map(Full::new))
}
