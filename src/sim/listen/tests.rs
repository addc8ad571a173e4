use std::collections::BTreeSet;
use std::sync::Mutex;

use super::*;
use crate::sim::faults::Faults;
use crate::sim::route;
use crate::sim::testkit::{AT, Call, DLC, WORKSPACE, simulator};
use crate::sim::world::World;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const SHORT: Duration = Duration::from_millis(50);

/// A server of the default world at [`AT`], a second further with each request.
struct Server {
    address: SocketAddr,
    simulator: Arc<Simulator>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    async fn start(patience: Patience) -> Self {
        Self::of(simulator(), patience).await
    }

    async fn of(simulator: Simulator, patience: Patience) -> Self {
        let simulator = Arc::new(simulator);
        let clock = Mutex::new(AT);
        let now = move || {
            let mut at = clock.lock().unwrap();
            *at += SignedDuration::from_millis(1300);
            *at
        };
        let cloud = HttpCloud {
            simulator: Arc::clone(&simulator),
            region: "cn-shanghai".to_owned(),
            now: Box::new(now),
        };
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.address();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let stop = async { stopped.await.unwrap_or_default() };
            listener.serve_within(patience, cloud, stop).await;
        });
        Self { address, simulator, stop, task }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes on a connection of their own and takes the answer apart.
    async fn exchange(&self, bytes: &[u8]) -> (u16, Value) {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.unwrap();
        answer(stream).await
    }

    /// Whether it still answers.
    async fn lives(&self) -> bool {
        self.exchange(&bytes(products(WORKSPACE))).await.0 == 200
    }

    async fn end(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap();
    }
}

/// The answer of a server that hangs up after it.
async fn answer(mut stream: TcpStream) -> (u16, Value) {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.strip_prefix("HTTP/1.1 ").unwrap().split(' ').next().unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or_default())
}

fn code((status, body): (u16, Value)) -> (u16, String) {
    (status, body["Code"].as_str().unwrap_or_default().to_owned())
}

fn products(host: &str) -> Request<Bytes> {
    Call::get(host, "/api/v1/products?ProductCodes=PAI_share&Verbose=true", "ListProducts").signed()
}

/// A request as it stands on the wire, from a client that says nothing of agents.
fn bytes(request: Request<Bytes>) -> Vec<u8> {
    let target = request.uri().path_and_query().unwrap();
    let mut text = format!(
        "{} {target} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n",
        request.method(),
        route::host(&request)
    );
    for (name, value) in request.headers().iter().filter(|(name, _)| *name != "user-agent") {
        text += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    text += &format!("content-length: {}\r\n\r\n", request.body().len());
    [text.as_bytes(), request.body()].concat()
}

#[tokio::test]
async fn the_host_or_the_flag_names_the_region() {
    let server = Server::start(PATIENCE).await;
    for (host, region) in [
        (WORKSPACE, "cn-hangzhou"),
        ("aiworkspace.cn-beijing.aliyuncs.com:8080", "cn-beijing"),
        ("aiworkspace.cn-beijing.localhost:8080", "cn-beijing"),
        ("127.0.0.1:8080", "cn-shanghai"),
        ("localhost", "cn-shanghai"),
    ] {
        let (status, body) = server.exchange(&bytes(products(host))).await;
        let url = format!("https://common-buy.aliyun.com/?commodityCode=learn&regionId={region}");
        assert_eq!((status, &body["Products"][0]["PurchaseUrl"]), (200, &json!(url)), "{host}");
    }
    server.end().await;
}

#[tokio::test]
async fn what_is_not_signed_for_this_host_and_time_is_refused() {
    let server = Server::start(PATIENCE).await;
    let mut elsewhere = bytes(products("localhost"));
    let at = elsewhere.windows(9).position(|window| window == b"localhost").unwrap();
    elsewhere[at..at + 9].copy_from_slice(b"localhosT");
    assert_eq!(code(server.exchange(&elsewhere).await), (400, "SignatureDoesNotMatch".to_owned()));
    let late = Call::get(DLC, "/api/v1/jobs/dlc1", "GetJob").at(AT + SignedDuration::from_hours(1)).signed();
    assert_eq!(code(server.exchange(&bytes(late)).await), (400, "InvalidTimeStamp.Expired".to_owned()));
    let bare = b"GET /api/v1/jobs HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    assert_eq!(code(server.exchange(bare).await), (404, "InvalidProduct.NotFound".to_owned()));
    server.end().await;
}

#[tokio::test]
async fn the_instant_of_a_request_comes_from_outside_in_whole_seconds() {
    let server = Server::start(PATIENCE).await;
    let wish = json!({"WorkspaceName": "new_team", "Description": "d", "EnvTypes": ["prod"]});
    let call = Call::post(WORKSPACE, "/api/v1/workspaces", "CreateWorkspace", &wish);
    let (status, body) = server.exchange(&bytes(call.signed())).await;
    assert_eq!(status, 200, "{body}");
    let path = format!("/api/v1/workspaces/{}", body["WorkspaceId"].as_str().unwrap());
    let (_, body) = server.exchange(&bytes(Call::get(WORKSPACE, &path, "GetWorkspace").signed())).await;
    assert_eq!(
        (&body["GmtCreateTime"], &body["Status"]),
        (&json!("2026-01-01T00:00:01Z"), &json!("INITIALIZING"))
    );
    for _ in 0..4 {
        assert!(server.lives().await);
    }
    let (_, body) = server.exchange(&bytes(Call::get(WORKSPACE, &path, "GetWorkspace").signed())).await;
    assert_eq!(body["Status"], "ENABLED");
    assert_eq!(server.simulator.journal(), [], "requests over HTTP aren't kept");
    server.end().await;
}

#[tokio::test]
async fn what_is_malformed_or_too_large_is_refused_and_the_server_lives_on() {
    let server = Server::start(PATIENCE).await;
    let head = "POST /api/v1/jobs HTTP/1.1\r\nhost: localhost\r\n";
    for (sent, expected) in [
        ("nonsense\r\n\r\n".to_owned(), (400, "")),
        (format!("{head}content-length: -1\r\n\r\n"), (400, "")),
        (format!("{head}x-acs-filler: {}\r\n\r\n", "a".repeat(2 * HEAD)), (431, "")),
        (format!("{head}{}\r\n", "a: b\r\n".repeat(200)), (431, "")),
        (format!("{head}content-length: {}\r\n\r\n", u64::MAX / 2), (413, "RequestBodyTooLarge")),
        (
            format!("{head}content-length: {}\r\n\r\n{}", BODY + 1, "a".repeat(BODY + 1)),
            (413, "RequestBodyTooLarge"),
        ),
        (
            format!("{head}connection: close\r\ncontent-length: {BODY}\r\n\r\n{}", "a".repeat(BODY)),
            (404, "InvalidProduct.NotFound"),
        ),
        (
            format!(
                "{head}transfer-encoding: chunked\r\n\r\n{:x}\r\n{}\r\n0\r\n\r\n",
                BODY + 1,
                "a".repeat(BODY + 1)
            ),
            (413, "RequestBodyTooLarge"),
        ),
    ] {
        let found = code(server.exchange(sent.as_bytes()).await);
        assert_eq!(
            found,
            (expected.0, expected.1.to_owned()),
            "{}",
            sent.chars().take(90).collect::<String>()
        );
        assert!(server.lives().await);
    }
    server.end().await;
}

#[tokio::test]
async fn pyromind_is_found_by_its_paths_and_refuses_in_its_own_words() {
    let server = Server::start(PATIENCE).await;
    let head = "GET /api/v1/sandboxes?status=error HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n";
    let (status, body) =
        server.exchange(format!("{head}authorization: Bearer redline-sim\r\n\r\n").as_bytes()).await;
    assert_eq!((status, &body["data"]["total"]), (200, &json!(1)));
    let refused = |code: u16, message: &str| (code, json!({"code": code, "message": message, "data": null}));
    let keyless = server.exchange(format!("{head}\r\n").as_bytes()).await;
    assert_eq!(keyless, refused(401, "missing or invalid api key"));
    let large = server.exchange(format!("{head}content-length: {}\r\n\r\n", u64::MAX / 2).as_bytes()).await;
    assert_eq!(large, refused(413, "The body must have at most 1048576 bytes."));
    server.end().await;
}

#[tokio::test]
async fn a_client_that_goes_away_in_the_middle_harms_nobody() {
    let server = Server::start(PATIENCE).await;
    for part in ["", "POST /api", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n1234"] {
        let mut stream = server.connect().await;
        stream.write_all(part.as_bytes()).await.unwrap();
        drop(stream);
        assert!(server.lives().await);
    }
    server.end().await;
}

#[tokio::test]
async fn a_slow_client_keeps_nobody_waiting_and_is_given_up() {
    let server = Server::start(Patience { head: SHORT, body: SHORT, ..PATIENCE }).await;
    let mut slow_head = server.connect().await;
    slow_head.write_all(b"GET /api/v1/jobs HT").await.unwrap();
    let mut slow_body = server.connect().await;
    slow_body.write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n1234").await.unwrap();
    assert!(server.lives().await);
    assert_eq!(code(answer(slow_body).await), (408, "RequestTimeout".to_owned()));
    let mut rest = Vec::new();
    slow_head.read_to_end(&mut rest).await.unwrap();
    assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 408"));
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_clients_at_once_are_all_answered() {
    let server = Arc::new(Server::start(PATIENCE).await);
    let mut calls = JoinSet::new();
    for number in 0..200 {
        let server = Arc::clone(&server);
        calls.spawn(async move {
            let wish =
                json!({"WorkspaceName": format!("team_{number}"), "Description": "d", "EnvTypes": ["prod"]});
            let call = Call::post(WORKSPACE, "/api/v1/workspaces", "CreateWorkspace", &wish).signed();
            server.exchange(&bytes(call)).await
        });
    }
    let answers = calls.join_all().await;
    let ids: BTreeSet<&str> = answers.iter().filter_map(|(_, body)| body["RequestId"].as_str()).collect();
    let created = answers.iter().filter(|(status, _)| *status == 200).count();
    // The world holds 50 workspaces in a region, six of them from the start.
    assert_eq!((ids.len(), created), (200, 44));
}

#[tokio::test]
async fn told_to_stop_the_server_answers_what_is_under_way_and_takes_nothing_new() {
    let server = Server::start(PATIENCE).await;
    let idle = server.connect().await;
    let wish = json!({"WorkspaceName": "new_team", "Description": "d", "EnvTypes": ["prod"]});
    let request = bytes(Call::post(WORKSPACE, "/api/v1/workspaces", "CreateWorkspace", &wish).signed());
    let (first, rest) = request.split_at(request.len() - 10);
    let mut under_way = server.connect().await;
    under_way.write_all(first).await.unwrap();
    assert!(server.lives().await);
    server.stop.send(()).unwrap();
    while TcpStream::connect(server.address).await.is_ok() {
        sleep(Duration::from_millis(1)).await;
    }
    under_way.write_all(rest).await.unwrap();
    assert_eq!(answer(under_way).await.0, 200);
    drop(idle);
    server.task.await.unwrap();
}

#[tokio::test]
async fn told_to_stop_the_server_does_not_wait_for_ever() {
    let server = Server::start(Patience { stop: SHORT, ..PATIENCE }).await;
    let mut stuck = server.connect().await;
    stuck.write_all(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n1234").await.unwrap();
    assert!(server.lives().await);
    server.end().await;
    let mut rest = Vec::new();
    drop(stuck.read_to_end(&mut rest).await);
    assert_eq!(rest, b"");
}

/// What a fault of the answer looks like from outside; a server that says nothing still stops in time.
#[tokio::test]
async fn a_fault_is_felt_on_the_wire() {
    let faults: Vec<Value> = [
        json!({"fault": "throttled", "retry_after_ms": 1500}),
        json!({"fault": "server-error", "status": 503}),
        json!({"fault": "malformed-json"}),
        json!({"fault": "wrong-content-type"}),
        json!({"fault": "huge-body", "bytes": 1_000_000}),
        json!({"fault": "truncated-body"}),
        json!({"fault": "lost-reply"}),
        json!({"fault": "timeout"}),
        json!({"fault": "timeout-after-commit"}),
    ]
    .into_iter()
    .enumerate()
    .map(|(index, mut fault)| {
        fault["tool"] = json!("aiworkspace_list_products");
        fault["nth"] = json!(index + 1);
        fault
    })
    .collect();
    let faults = Faults::parse(&Value::from(faults).to_string()).unwrap();
    let server =
        Server::of(Simulator::new(World::seeded(1), faults), Patience { stop: SHORT, ..PATIENCE }).await;
    let whole = server_text(&server).await;
    assert!(
        whole.starts_with("HTTP/1.1 429 ") && whole.contains("\r\nx-acs-retry-after: 1500\r\n"),
        "{whole}"
    );
    assert!(server_text(&server).await.starts_with("HTTP/1.1 503 "));
    let malformed = server_text(&server).await;
    assert!(malformed.contains("\r\n\r\n{'Products':"), "{malformed}");
    let page = server_text(&server).await;
    assert!(page.starts_with("HTTP/1.1 200 ") && page.contains("content-type: text/html\r\n"), "{page}");
    let huge = server_text(&server).await;
    let (head, body) = huge.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("content-length: 1000000"), "{head}");
    assert_eq!((body.len(), serde_json::from_str::<Value>(body).is_ok()), (1_000_000, true));
    let cut = server_text(&server).await;
    let (head, body) = cut.split_once("\r\n\r\n").unwrap();
    let promised = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    assert_eq!(promised.parse::<usize>().unwrap().div_euclid(2), body.len());
    assert_eq!(server_text(&server).await, "");
    let mut silent = Vec::new();
    for _ in 0..2 {
        let mut stream = server.connect().await;
        stream.write_all(&bytes(products(WORKSPACE))).await.unwrap();
        let answered = timeout(SHORT, stream.read_u8()).await;
        assert!(answered.is_err(), "{answered:?}");
        silent.push(stream);
    }
    assert!(server.lives().await, "past its faults it answers");
    server.end().await;
}

/// All that comes for a request on a connection of its own.
async fn server_text(server: &Server) -> String {
    let mut stream = server.connect().await;
    stream.write_all(&bytes(products(WORKSPACE))).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

/// Many clients at once, some of whose answers are lost: each retries until it hears, and everything is there once.
#[tokio::test]
async fn many_clients_with_faults_make_each_thing_once() {
    let faults = r#"[{"tool": "*", "every": 5, "fault": "lost-reply"},
        {"tool": "aiworkspace_create_workspace", "every": 7, "fault": "throttled"},
        {"tool": "aiworkspace_create_workspace", "every": 11, "fault": "truncated-body"}]"#;
    let faults = Faults::parse(faults).unwrap();
    let server = Server::of(Simulator::new(World::seeded(1), faults), PATIENCE).await;
    let address = server.address;
    let clients: Vec<_> = (0..40)
        .map(|number| {
            tokio::spawn(async move {
                let name = format!("team_{number}");
                let wish = json!({"WorkspaceName": name, "Description": "d", "EnvTypes": ["prod"]});
                loop {
                    let call = Call::post(WORKSPACE, "/api/v1/workspaces", "CreateWorkspace", &wish);
                    let mut stream = TcpStream::connect(address).await.unwrap();
                    stream.write_all(&bytes(call.signed())).await.unwrap();
                    let mut text = String::new();
                    stream.read_to_string(&mut text).await.unwrap();
                    match text.split(' ').nth(1) {
                        Some("409") => return,
                        Some("200") if text.ends_with('}') => return,
                        Some("200" | "429") | None => {}
                        Some(other) => panic!("{other}: {text}"),
                    }
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    let state = server.simulator.state().unwrap();
    let rows = state["regions"]["cn-hangzhou"]["workspaces"].as_array().unwrap();
    let names: BTreeSet<&str> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!((rows.len(), names.len()), (46, 46));
    server.end().await;
}
