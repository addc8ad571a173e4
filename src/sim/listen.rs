//! The simulated cloud over real HTTP/1.1, for clients in any language.
//!
//! Each connection has a task of its own, so a slow client keeps nobody waiting; the requests themselves are
//! handled one at a time. What a client may send is bounded: a head of 64 KiB, a body of 1 MiB, a time for
//! each, and 1024 connections at once, beyond which new ones wait to be accepted. There is no TLS and the keys
//! are public, so an address that others reach is for whoever means it.

mod wire;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONNECTION, HOST, HeaderValue};
use http::{Request, Response, StatusCode, Version};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use jiff::Timestamp;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::delivery::{Delivery, blanks};
use super::reply::CloudError;
use super::{Simulator, Via};
use wire::WireBody;

/// The largest head of a request, in bytes.
const HEAD: usize = 64 * 1024;
/// The largest body, in bytes.
const BODY: usize = 1024 * 1024;
/// How much of a body that is too large is read and dropped, so that its sender comes to hear the answer.
const DROPPED: u64 = 16 * 1024 * 1024;
/// Connections at once.
const CONNECTIONS: usize = 1024;
/// The longest silence after a fault that answers nothing. Clients give up long before.
const SILENCE: Duration = Duration::from_secs(3600);
/// Before accepting again when the system couldn't.
const PAUSE: Duration = Duration::from_millis(100);

/// How long the server waits.
#[derive(Clone, Copy)]
struct Patience {
    /// For a whole head, the wait for the next one included.
    head: Duration,
    /// For a whole body.
    body: Duration,
    /// For connections to end once the server is told to stop.
    stop: Duration,
}

const PATIENCE: Patience =
    Patience { head: Duration::from_secs(30), body: Duration::from_secs(30), stop: Duration::from_secs(5) };

/// A simulator, and what real HTTP adds to it.
pub struct HttpCloud {
    /// The cloud itself.
    pub simulator: Arc<Simulator>,
    /// The region of requests whose host names none: one of [`REGIONS`](super::world::REGIONS).
    pub region: String,
    /// The instant of each request. Signatures are judged by it, so it should be the clients' time.
    pub now: Box<dyn Fn() -> Timestamp + Send + Sync>,
}

/// An address that is listened on.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Listens on `address`; port 0 takes any that is free.
    ///
    /// # Errors
    /// What the system says, such as that the address is in use.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = TcpListener::bind(address).await?;
        let address = socket.local_addr()?;
        Ok(Self { socket, address })
    }

    /// Where clients find it.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves `cloud` until `stop` ends. Requests under way are then answered, for at most five seconds.
    pub async fn serve(self, cloud: HttpCloud, stop: impl Future<Output = ()>) {
        self.serve_within(PATIENCE, cloud, stop).await;
    }

    async fn serve_within(self, patience: Patience, cloud: HttpCloud, stop: impl Future<Output = ()>) {
        let cloud = Arc::new(cloud);
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        let graceful = GracefulShutdown::new();
        let mut connections = JoinSet::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            let (stream, place) = tokio::select! {
                () = &mut stop => break,
                Some(_) = connections.join_next() => continue,
                accepted = accept(&self.socket, &places) => accepted,
            };
            let cloud = Arc::clone(&cloud);
            let service = service_fn(move |request| {
                let cloud = Arc::clone(&cloud);
                async move { cloud.answer(request, patience.body).await }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(patience.head)
                .max_buf_size(HEAD)
                .serve_connection(TokioIo::new(stream), service);
            let connection = graceful.watch(connection);
            connections.spawn(async move {
                // A client that goes away or talks nonsense harms itself alone; hyper has answered what it could.
                drop(connection.await);
                drop(place);
            });
        }
        drop(self.socket);
        // What is left after that is cut off with the tasks.
        let ended = timeout(patience.stop, graceful.shutdown()).await;
        if ended.is_err() {
            tracing::warn!("connections that were still open are cut off");
        }
    }
}

/// The next client, once there is a place for it.
async fn accept(socket: &TcpListener, places: &Arc<Semaphore>) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    // It is never closed, so there is always a place some time.
    let place = Arc::clone(places).acquire_owned().await.ok();
    loop {
        match socket.accept().await {
            Ok((stream, _)) => {
                // Answers are small and written whole. Without this they are only later.
                drop(stream.set_nodelay(true));
                return (stream, place);
            }
            Err(error) => {
                tracing::warn!("can't accept a connection: {error}");
                sleep(PAUSE).await;
            }
        }
    }
}

impl HttpCloud {
    async fn answer(
        &self,
        request: Request<Incoming>,
        time: Duration,
    ) -> Result<Response<WireBody>, io::Error> {
        let (head, body) = request.into_parts();
        if head.version == Version::HTTP_11 && !head.headers.contains_key(HOST) {
            let message = "The request must name its host.".to_owned();
            let error = CloudError::new(StatusCode::BAD_REQUEST, "MissingHost", message);
            return Ok(self.refuse(error, &Request::from_parts(head, ())).map(WireBody::whole));
        }
        let delivery = match timeout(time, read(body)).await {
            Ok(Ok(Some(body))) => {
                let region = self.region.as_str();
                let request = Request::from_parts(head, body);
                self.simulator.answer(&request, Via::Http { region }, || whole_seconds((self.now)()))
            }
            Ok(Ok(None)) => {
                let message = format!("The body must have at most {BODY} bytes.");
                let error = CloudError::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestBodyTooLarge", message);
                Delivery::Whole(self.refuse(error, &Request::from_parts(head, ())))
            }
            Ok(Err(error)) => return Err(io::Error::other(error)),
            Err(_) => {
                let message = "The body did not arrive in time.".to_owned();
                let error = CloudError::new(StatusCode::REQUEST_TIMEOUT, "RequestTimeout", message);
                Delivery::Whole(self.refuse(error, &Request::from_parts(head, ())))
            }
        };
        deliver(delivery).await
    }

    /// Refuses what never became a request, and hangs up.
    fn refuse(&self, error: CloudError, head: &Request<()>) -> Response<Bytes> {
        let mut answer = self.simulator.lock().refuse(error, head);
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        answer
    }
}

/// Sends an answer as it is to arrive. An error ends the connection; so does a client that hangs up.
async fn deliver(delivery: Delivery) -> Result<Response<WireBody>, io::Error> {
    match delivery {
        Delivery::Whole(answer) => Ok(answer.map(WireBody::whole)),
        Delivery::Late(answer, after) => {
            sleep(after).await;
            Ok(answer.map(WireBody::whole))
        }
        Delivery::Padded(answer, bytes) => Ok(answer.map(|body| {
            let blanks = blanks(&body, bytes);
            WireBody::padded(body, blanks)
        })),
        Delivery::Cut(answer) => Ok(answer.map(|body| WireBody::cut(&body))),
        Delivery::Closed => Err(io::ErrorKind::ConnectionAborted.into()),
        Delivery::Silent => {
            sleep(SILENCE).await;
            Err(io::ErrorKind::TimedOut.into())
        }
    }
}

/// The cloud's own times have no smaller parts, and some clients can't read any.
fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// A whole body; `None` for one that is too large.
async fn read(mut body: Incoming) -> Result<Option<Bytes>, hyper::Error> {
    if body.size_hint().lower() > DROPPED {
        return Ok(None);
    }
    let mut kept = BytesMut::new();
    let mut size = 0_u64;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        size += data.len() as u64;
        if size > DROPPED {
            break;
        }
        if size <= BODY as u64 {
            kept.extend_from_slice(&data);
        }
    }
    Ok((size <= BODY as u64).then(|| kept.freeze()))
}

#[cfg(test)]
mod tests;
