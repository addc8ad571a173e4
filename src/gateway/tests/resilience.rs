//! What goes wrong on the way: clocks that disagree, and callers that go away.

use std::sync::atomic::{AtomicUsize, Ordering};

use http::Response;
use http::header::DATE;
use tokio::sync::Notify;

use super::*;
use crate::cloud::transport::TransportError;

/// How far the cloud's clock is ahead.
const AHEAD: SignedDuration = SignedDuration::from_hours(1);

/// The simulated cloud by another clock; and, for one path, one that answers when it is let.
#[derive(Clone)]
struct Away {
    simulator: Arc<Simulator>,
    ahead: SignedDuration,
    /// The method and path whose answer waits.
    held: Option<(&'static str, &'static str)>,
    arrived: Arc<Notify>,
    let_go: Arc<Notify>,
    /// Requests that were dropped before their answer.
    dropped: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<(String, u16)>>>,
}

struct Drops(Arc<AtomicUsize>, bool);

impl Drop for Drops {
    fn drop(&mut self) {
        if !self.1 {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl Away {
    fn new(ahead: SignedDuration, held: Option<(&'static str, &'static str)>) -> Self {
        Self {
            simulator: Arc::new(Simulator::new(World::seeded(1), Faults::default())),
            ahead,
            held,
            arrived: Arc::default(),
            let_go: Arc::default(),
            dropped: Arc::default(),
            seen: Arc::default(),
        }
    }

    fn seen(&self) -> Vec<(String, u16)> {
        self.seen.lock().unwrap().clone()
    }

    async fn answer(
        &self,
        request: http::Request<Bytes>,
        at: Timestamp,
    ) -> Result<Response<Bytes>, TransportError> {
        let line = format!("{} {}", request.method(), request.uri().path());
        let held = self.held.is_some_and(|(method, path)| line == format!("{method} {path}"));
        let mut drops = Drops(Arc::clone(&self.dropped), false);
        if held {
            self.arrived.notify_one();
            self.let_go.notified().await;
        }
        let mut response = self.simulator.send(request, at + self.ahead).await?;
        drops.1 = true;
        let date = (at + self.ahead).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        response.headers_mut().insert(DATE, date.parse().unwrap());
        self.seen.lock().unwrap().push((line, response.status().as_u16()));
        Ok(response)
    }
}

impl Transport for Away {
    fn send<'a>(&'a self, request: http::Request<Bytes>, at: Timestamp) -> Exchange<'a> {
        Box::pin(self.answer(request, at))
    }
}

fn bench_of(away: &Away) -> Bench {
    Bench { simulator: Arc::clone(&away.simulator), ..bench_by(Arc::new(away.clone())) }
}

fn bench_by(transport: Arc<dyn Transport>) -> Bench {
    let operator = Operator {
        regions: ["cn-hangzhou".to_owned()].into(),
        approvals: ["create".parse().unwrap()].into(),
    };
    let Bench { directory, simulator, .. } = bench();
    let key = Arc::new(Key::of_state_directory(directory.path()).unwrap());
    let policy = Policy::compiled(Settings {
        on_miss: OnMiss::Refuse,
        operator,
        simulated: true,
        digest_key: b"key".to_vec(),
        secret_command: "redline-mcp secret HANDLE".to_owned(),
    });
    let vault = Vault::new(directory.path().join("vault"), LIFETIME);
    let client = Client::new(cloud::Parts {
        transport,
        accounts: Accounts::simulator(),
        endpoints: Endpoints::simulator(),
        signature: Signature::default(),
        bearer: Bearer::default(),
        vault: vault.clone(),
        patience: Patience::default(),
        skew: Arc::default(),
    });
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let gateway = Arc::new(Gateway::new(Parts {
        selection: Selection::default(),
        policy: policy.unwrap(),
        client,
        audit: Audit::open(&directory.path().join("audit.jsonl"), Arc::clone(&key), false).unwrap(),
        key,
        vault,
        clock: Clock::Logical(LogicalClock::new(start, SignedDuration::from_secs(1))),
    }));
    Bench { scope: gateway.new_scope(), gateway, simulator, bodies: Arc::default(), directory }
}

/// The first read learns the cloud's time and is sent once more; what creates is sent once, signed right.
#[tokio::test]
async fn a_wrong_clock_is_corrected_by_a_read_and_a_write_goes_out_once() {
    let away = Away::new(AHEAD, None);
    let bench = bench_of(&away);
    let masked = bench.call("aiworkspace_create_workspace", &workspace()).await;
    assert!(!masked.is_error(), "{}", masked.body());
    let line = |line: &str, status| (line.to_owned(), status);
    assert_eq!(
        away.seen(),
        [
            line("GET /api/v1/products", 400),
            line("GET /api/v1/products", 200),
            line("GET /api/v1/workspaces", 200),
            line("POST /api/v1/workspaces", 200),
        ]
    );
    let record = bench.record();
    let attempts: Vec<&Value> = record[0]["cloud_calls"].as_array().unwrap().iter().collect();
    let told: Vec<(&Value, &Value)> =
        attempts.iter().map(|call| (&call["attempt"], &call["status"])).collect();
    assert_eq!(told, [(&json!(1), &json!(400)), (&json!(2), &json!(200))]);
}

/// Whoever asked goes away: the request of a read is dropped, and the record says so.
#[tokio::test]
async fn a_read_that_nobody_waits_for_is_given_up() {
    let away = Away::new(SignedDuration::ZERO, Some(("GET", "/api/v1/products")));
    let bench = bench_of(&away);
    {
        let arguments = json!({ "RegionId": "cn-hangzhou" });
        let step = bench.step("aiworkspace_list_products", &arguments, None);
        tokio::select! {
            _ = step => panic!("nothing answers"),
            () = away.arrived.notified() => {}
        }
    }
    bench.gateway.settled().await;
    assert_eq!((away.dropped.load(Ordering::SeqCst), away.seen()), (1, Vec::new()));
    let record = bench.record();
    let last = record.last().unwrap();
    assert_eq!((&last["tool"], &last["error"]), (&json!("aiworkspace_list_products"), &json!("cancelled")));
    let calls = last["cloud_calls"].as_array().unwrap();
    assert_eq!((calls.len(), &calls[0]["status"]), (1, &Value::Null));
}

/// A write goes on, with its record, whoever asked is there or not.
#[tokio::test]
async fn a_write_that_nobody_waits_for_runs_to_its_end() {
    let away = Away::new(SignedDuration::ZERO, Some(("POST", "/api/v1/workspaces")));
    let bench = bench_of(&away);
    {
        let arguments = workspace();
        let step = bench.step("aiworkspace_create_workspace", &arguments, None);
        tokio::select! {
            _ = step => panic!("nothing answers"),
            () = away.arrived.notified() => {}
        }
    }
    away.let_go.notify_one();
    bench.gateway.settled().await;
    assert_eq!(away.dropped.load(Ordering::SeqCst), 0);
    assert_eq!(away.seen().last(), Some(&("POST /api/v1/workspaces".to_owned(), 200)));
    let record = bench.record();
    let last = record.last().unwrap();
    assert_eq!((&last["phase"], &last["is_error"]), (&json!("outcome"), &json!(false)), "{last}");
}

/// Asks for a pause at first, and then says nothing more.
#[derive(Default)]
struct Silent(AtomicUsize);

impl Transport for Silent {
    fn send<'a>(&'a self, _: http::Request<Bytes>, _: Timestamp) -> Exchange<'a> {
        Box::pin(async move {
            if self.0.fetch_add(1, Ordering::SeqCst) > 0 {
                return std::future::pending().await;
            }
            let answer = Response::builder().status(429).header("x-acs-retry-after", "2000");
            Ok(answer.body(Bytes::from_static(br#"{"Code": "Throttling.User"}"#)).unwrap())
        })
    }
}

/// However often it is tried and whatever it waits for, a call is over in its time; and a host that asked for a pause
/// isn't asked by another call either.
#[tokio::test(start_paused = true)]
async fn a_call_with_its_retries_and_pauses_is_over_in_time() {
    let silent = Arc::new(Silent::default());
    let bench = bench_by(Arc::<Silent>::clone(&silent));
    let began = tokio::time::Instant::now();
    let arguments = json!({ "RegionId": "cn-hangzhou" });
    let masked = done(bench.step("aiworkspace_list_products", &arguments, None).await);
    assert_eq!(began.elapsed().as_secs(), 60);
    let text = masked.body()["error"].as_str().unwrap();
    assert!(text.contains("the call took longer than 60 s, its retries included"), "{text}");
    let record = bench.record();
    let statuses: Vec<&Value> =
        record[0]["cloud_calls"].as_array().unwrap().iter().map(|call| &call["status"]).collect();
    assert_eq!(statuses, [&json!(429), &Value::Null]);
}
