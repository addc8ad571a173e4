//! The transport against a small server on loopback that says exactly what a test wants it to say.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use super::*;

const CAP: usize = 64;

fn limits() -> Limits {
    Limits { reply: CAP, ..Limits::default() }
}

/// Answers one connection with `reply` and closes it, or stays silent until the client leaves when there is
/// none. Gives the address, and the request as it came over the wire.
async fn server(reply: Option<String>) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = read_request(&mut stream).await;
        match reply {
            Some(reply) => stream.write_all(reply.as_bytes()).await.unwrap(),
            None => {
                let left = stream.read(&mut [0]).await.unwrap();
                assert_eq!(left, 0, "the client only leaves");
            }
        }
        request
    });
    (address, served)
}

async fn read_request(stream: &mut TcpStream) -> String {
    let mut request = String::new();
    let mut piece = [0; 1024];
    loop {
        let read = stream.read(&mut piece).await.unwrap();
        request += std::str::from_utf8(&piece[..read]).unwrap();
        if let Some((head, body)) = request.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() == length.map_or(0, |length| length.parse().unwrap()) {
                return request;
            }
        }
    }
}

fn get(uri: impl fmt::Display) -> Request<Bytes> {
    Request::get(uri.to_string()).body(Bytes::new()).unwrap()
}

async fn send(request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
    HttpTransport::new(limits()).send(request, Timestamp::UNIX_EPOCH).await
}

fn not_sent(host: impl fmt::Display, reason: &str) -> TransportError {
    TransportError::NotSent { host: host.to_string(), reason: reason.to_owned() }
}

fn lost(host: impl fmt::Display, reason: &str) -> TransportError {
    TransportError::Lost { host: host.to_string(), reason: reason.to_owned() }
}

#[tokio::test]
async fn a_request_arrives_as_it_was_signed_and_the_answer_comes_back_whole() {
    let reply =
        "HTTP/1.1 404 Not Found\r\nx-acs-request-id: r-1\r\ncontent-length: 11\r\n\r\n{\"Code\":\"\"}";
    let (address, served) = server(Some(reply.to_owned())).await;
    let request = Request::post(format!("http://{address}/api/dlc%20a%2Fb/~%2A?A=&b=%27x%7C%20%2B"))
        .header("host", "signed.example")
        .header("accept", "application/json")
        .body(Bytes::from_static(b"{}"))
        .unwrap();
    let answer = send(request).await.unwrap();
    assert_eq!(answer.status(), 404);
    assert_eq!(answer.headers().get("x-acs-request-id").unwrap(), "r-1");
    assert_eq!(answer.body(), "{\"Code\":\"\"}");
    assert_eq!(
        served.await.unwrap(),
        "POST /api/dlc%20a%2Fb/~%2A?A=&b=%27x%7C%20%2B HTTP/1.1\r\n\
         host: signed.example\r\naccept: application/json\r\ncontent-length: 2\r\n\r\n{}"
    );
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let (elsewhere, visited) = server(Some("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned())).await;
    let reply = format!("HTTP/1.1 307 Go\r\nlocation: http://{elsewhere}/\r\ncontent-length: 0\r\n\r\n");
    let (address, served) = server(Some(reply)).await;
    let answer = send(get(format_args!("http://{address}/"))).await.unwrap();
    assert_eq!(answer.status(), 307);
    served.await.unwrap();
    assert!(!visited.is_finished());
}

#[tokio::test]
async fn a_reply_up_to_the_cap_is_read_and_a_larger_one_is_cut() {
    let body = "x".repeat(CAP);
    let (address, _) = server(Some(format!("HTTP/1.1 200 OK\r\n\r\n{body}"))).await;
    assert_eq!(send(get(format_args!("http://{address}/"))).await.unwrap().body(), body.as_bytes());

    let announced = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}y", CAP + 1);
    let chunk = format!("{CAP:x}\r\n{body}\r\n");
    let chunked = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{chunk}{chunk}");
    for reply in [announced, chunked] {
        let (address, _) = server(Some(reply)).await;
        let error = send(get(format_args!("http://{address}/"))).await.unwrap_err();
        assert_eq!(error, lost(address, "the reply is larger than 64 bytes"));
    }
}

#[tokio::test]
async fn a_refused_connection_means_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = send(get(format_args!("http://{address}/path?token=hidden"))).await.unwrap_err();
    let TransportError::NotSent { host, reason } = error else { panic!("{error:?}") };
    assert_eq!(host, address.to_string());
    // The number that follows is the operating system's.
    assert_eq!(reason.split(" (").next(), Some("Connection refused"));
}

#[tokio::test]
async fn a_failed_handshake_means_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    });
    let error = send(get(format_args!("https://{address}/path?token=hidden"))).await.unwrap_err();
    let TransportError::NotSent { host, reason } = error else { panic!("{error:?}") };
    assert_eq!(host, address.to_string());
    assert!(!reason.contains("hidden") && !reason.contains("path"), "{reason}");
}

#[tokio::test]
async fn a_connection_closed_after_the_request_means_lost() {
    let whole = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n";
    for (reply, reason) in [
        ("", "connection closed before message completed"),
        ("HTTP/1.1 200 OK\r\nx: ", "connection closed before message completed"),
        (whole, "end of file before message length reached"),
    ] {
        let (address, _) = server(Some(reply.to_owned())).await;
        let error = send(get(format_args!("http://{address}/path?token=hidden"))).await.unwrap_err();
        assert_eq!(error, lost(address, reason));
    }
}

/// R-WS-43: a timeout says that a larger one may help. R-WS-42: a request's own patience wins.
#[tokio::test]
async fn a_silent_server_is_left_after_the_patience_of_the_call() {
    let patient = Patience::of(Seconds(60));
    for (patience, reason) in [
        (
            Patience { read: Seconds(1), ..patient },
            "it took longer than the read timeout of 1 s; a larger one may help",
        ),
        (
            Patience { whole: Seconds(1), ..patient },
            "it took longer than the whole timeout of 1 s; a larger one may help",
        ),
    ] {
        let (address, served) = server(None).await;
        let mut request = get(format_args!("http://{address}/"));
        request.extensions_mut().insert(patience);
        assert_eq!(send(request).await.unwrap_err(), lost(address, reason));
        served.await.unwrap();
    }
}

#[tokio::test]
async fn an_unsafe_address_is_never_called() {
    let insecure = "it must use https; plain http is only for a loopback host";
    let bent = "its address is not percent-encoded as it must be sent";
    for (uri, host, reason) in [
        ("http://example.invalid/", "example.invalid", insecure),
        ("ftp://127.0.0.1:1/", "127.0.0.1:1", insecure),
        ("/path", "a host without a name", insecure),
        ("http://127.0.0.1:1/a/../b", "127.0.0.1:1", bent),
        ("http://127.0.0.1:1/a/%2e%2e/b", "127.0.0.1:1", bent),
        ("http://127.0.0.1:1/?a='", "127.0.0.1:1", bent),
    ] {
        assert_eq!(send(get(uri)).await.unwrap_err(), not_sent(host, reason), "{uri}");
    }
}

/// R-WS-42, R-PM-024: the seconds that a call gives the cloud, and half a minute to answer, where that is longer than what
/// the operator set, or the usual.
#[test]
fn the_calls_own_time_comes_first() {
    let usual = Patience::default();
    let action = |change: Value| {
        let mut arguments = json!({ "sandbox_id": "sbx_1", "action": "restart" });
        arguments.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let tool = crate::tools::find("pyromind_execute_sandbox_action").unwrap();
        usual.for_call(&tool.parse(arguments.as_object().unwrap()).unwrap())
    };
    let patience = |read: u32, whole: u32| Patience { read: Seconds(read), whole: Seconds(whole) };
    assert_eq!(action(json!({ "timeout": 60 })), patience(90, 90));
    assert_eq!(action(json!({ "timeout": 10 })), patience(40, 60));
    assert_eq!(action(json!({})), usual);
}

/// An instance's metadata service is reached in clear text; what is signed is not sent there.
#[tokio::test]
async fn nothing_signed_leaves_in_clear_text() {
    let mut request = get("http://100.100.100.200/latest");
    request.headers_mut().insert(AUTHORIZATION, "signed".parse().unwrap());
    let insecure = "it must use https; plain http is only for a loopback host";
    assert_eq!(send(request).await.unwrap_err(), not_sent("100.100.100.200", insecure));
}

const AUTHORITY: &[u8] = include_bytes!("../../../../tests/data/tls/ca.pem");

/// Answers one connection over TLS, by a certificate of the test's own authority.
fn secure_server() -> SocketAddr {
    use std::io::{Read, Write};

    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};

    let certificate = include_bytes!("../../../../tests/data/tls/server.pem");
    let key = include_bytes!("../../../../tests/data/tls/server.key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(certificate).unwrap()],
            PrivateKeyDer::from_pem_slice(key).unwrap(),
        )
        .unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let connection = rustls::ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = rustls::StreamOwned::new(connection, stream);
        // A client that trusts no such authority leaves.
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    });
    address
}

#[tokio::test]
async fn an_authority_of_the_operators_own_is_trusted_beside_the_systems() {
    let ask = |transport: HttpTransport| async move {
        let address = secure_server();
        transport.send(get(format_args!("https://{address}/")), Timestamp::UNIX_EPOCH).await
    };
    let trusting = HttpTransport::new(limits()).trusting(AUTHORITY).unwrap();
    assert_eq!(ask(trusting).await.unwrap().body(), "ok");
    let stranger = ask(HttpTransport::new(limits())).await;
    assert!(matches!(stranger, Err(TransportError::NotSent { .. })), "{stranger:?}");
}

#[test]
fn what_holds_no_certificate_is_refused() {
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for pem in ["", "junk", broken] {
        assert_eq!(
            HttpTransport::new(limits()).trusting(pem.as_bytes()).err(),
            Some(NoCertificates),
            "{pem}"
        );
    }
}

/// R-WS-41
#[test]
fn timeouts_are_whole_seconds_and_never_zero() {
    assert_eq!("60".parse(), Ok(Seconds(60)));
    assert_eq!(Seconds::try_from(1), Ok(Seconds(1)));
    assert_eq!(Seconds::try_from(0), Err(NotSeconds));
    for text in ["0", "-1", "1.5", "", "ten"] {
        assert_eq!(text.parse::<Seconds>(), Err(NotSeconds), "{text}");
    }
    let limits = Limits::default();
    assert_eq!(
        (limits.connect, limits.patience.read, limits.patience.whole),
        (Seconds(5), Seconds(30), Seconds(60))
    );
}
