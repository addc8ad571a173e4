//! Whole steps, against the simulator, with its journal as the second witness of what was sent.

mod hand_over;
mod resilience;

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::*;
use crate::cloud;
use crate::cloud::bearer::Bearer;
use crate::cloud::credentials::{AccessKey, Accounts, Chain, Surroundings};
use crate::cloud::endpoint::Endpoints;
use crate::cloud::sign::Signature;
use crate::cloud::transport::http::Patience;
use crate::cloud::transport::{Exchange, Transport};
use crate::policy::consent::{Channel, Form, Operator, Reply};
use crate::policy::{OnMiss, Settings};
use crate::sim::Simulator;
use crate::sim::clock::LogicalClock;
use crate::sim::faults::Faults;
use crate::sim::world::{CANARIES, World};
use crate::tools::selection::Selection;
use crate::vault::{LIFETIME, Vault};

struct Bench {
    gateway: Arc<Gateway>,
    simulator: Arc<Simulator>,
    bodies: Arc<Mutex<Vec<Value>>>,
    scope: Arc<Scope>,
    directory: tempfile::TempDir,
}

/// What reached the simulator: the bodies, in order.
#[derive(Clone)]
struct Recorder {
    simulator: Arc<Simulator>,
    bodies: Arc<Mutex<Vec<Value>>>,
}

impl Transport for Recorder {
    fn send<'a>(&'a self, request: http::Request<Bytes>, at: Timestamp) -> Exchange<'a> {
        let body = serde_json::from_slice(request.body()).unwrap_or_default();
        self.bodies.lock().unwrap().push(body);
        self.simulator.send(request, at)
    }
}

fn bench() -> Bench {
    bench_with("[]", Operator::default(), Chain::Fixed(AccessKey::simulator()))
}

fn bench_with(faults: &str, operator: Operator, alibaba: Chain) -> Bench {
    let directory = tempfile::tempdir().unwrap();
    let key = Arc::new(Key::of_state_directory(directory.path()).unwrap());
    let simulator = Arc::new(Simulator::new(World::seeded(1), Faults::parse(faults).unwrap()));
    let policy = Policy::compiled(Settings {
        on_miss: OnMiss::Refuse,
        operator,
        simulated: true,
        digest_key: b"key".to_vec(),
        secret_command: "redline-mcp secret HANDLE".to_owned(),
    })
    .unwrap();
    let bodies = Arc::<Mutex<Vec<Value>>>::default();
    let vault = Vault::new(directory.path().join("vault"), LIFETIME);
    let client = Client::new(cloud::Parts {
        transport: Arc::new(Recorder { simulator: simulator.clone(), bodies: bodies.clone() }),
        accounts: Accounts { alibaba, ..Accounts::simulator() },
        endpoints: Endpoints::simulator(),
        signature: Signature::default(),
        bearer: Bearer::default(),
        vault: vault.clone(),
        patience: Patience::default(),
        skew: Arc::default(),
    });
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let gateway = Gateway::new(Parts {
        selection: Selection::default(),
        policy,
        client,
        audit: Audit::open(&directory.path().join("audit.jsonl"), Arc::clone(&key), false).unwrap(),
        key,
        vault,
        clock: Clock::Logical(LogicalClock::new(start, SignedDuration::from_secs(1))),
    });
    let gateway = Arc::new(gateway);
    Bench { scope: gateway.new_scope(), gateway, simulator, bodies, directory }
}

impl Bench {
    async fn step(&self, tool: &str, arguments: &Value, answer: Option<Answer>) -> Step {
        let request = Request {
            tool: tool.to_owned(),
            arguments: arguments.as_object().unwrap().clone(),
            scope: self.scope.clone(),
            answer,
            peer: Peer::default(),
        };
        self.gateway.step(request).await.unwrap()
    }

    /// Answers every question with yes until the call is done.
    async fn call(&self, tool: &str, arguments: &Value) -> Masked {
        let mut answer = None;
        loop {
            match self.step(tool, arguments, answer).await {
                Step::Done(masked) => return masked,
                Step::Ask(question) => answer = Some(yes(&question, arguments)),
            }
        }
    }

    /// What reached the simulator: actions and statuses.
    fn sent(&self) -> Vec<(String, u16)> {
        self.simulator.journal().into_iter().map(|entry| (entry.tool.unwrap(), entry.status)).collect()
    }

    fn record(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.directory.path().join("audit.jsonl")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn yes(question: &Question, arguments: &Value) -> Answer {
    let content = match question.form().property() {
        "region" => json!({ "region": arguments["RegionId"] }),
        "resource_id" => match question.form() {
            Form::TypeId { id, .. } => json!({ "resource_id": id }),
            Form::Region { .. } | Form::Approve => panic!("no id is asked for"),
        },
        property => json!({ property: true }),
    };
    Answer {
        digest: question.digest().to_owned(),
        channel: Channel::Elicitation,
        reply: Reply::Accepted(content),
    }
}

fn ask(step: Step) -> Question {
    match step {
        Step::Ask(question) => question,
        Step::Done(masked) => panic!("no question: {}", masked.body()),
    }
}

fn done(step: Step) -> Masked {
    match step {
        Step::Done(masked) => masked,
        Step::Ask(question) => panic!("a question: {}", question.message()),
    }
}

fn workspace() -> Value {
    json!({
        "RegionId": "cn-hangzhou",
        "WorkspaceName": "vision_team",
        "Description": "Vision models",
        "EnvTypes": ["prod"],
    })
}

/// R-WS-44, R-WS-46, R-WS-57, R-WS-58, R-WS-59: asked for the region, activation read, name read, asked for the
/// arguments, then one POST.
#[tokio::test]
async fn a_workspace_is_created_once_everything_is_agreed() {
    let bench = bench();
    let region = ask(bench.step("aiworkspace_create_workspace", &workspace(), None).await);
    assert_eq!(region.rule(), "region-confirmed");
    assert_eq!(bench.sent(), []);
    let answer = yes(&region, &workspace());
    let arguments = ask(bench.step("aiworkspace_create_workspace", &workspace(), Some(answer)).await);
    assert_eq!(arguments.rule(), "arguments-confirmed");
    let reads =
        [("aiworkspace_list_products".to_owned(), 200), ("aiworkspace_list_workspaces".to_owned(), 200)];
    assert_eq!(bench.sent(), reads);
    let answer = yes(&arguments, &workspace());
    let masked = done(bench.step("aiworkspace_create_workspace", &workspace(), Some(answer)).await);
    assert!(!masked.is_error(), "{}", masked.body());
    assert!(!masked.body()["Workspace ID"].as_str().unwrap().is_empty());
    let mut sent = reads.to_vec();
    sent.push(("aiworkspace_list_workspaces".to_owned(), 200));
    sent.push(("aiworkspace_create_workspace".to_owned(), 200));
    assert_eq!(bench.sent(), sent);
}

/// R-WS-62: the same again returns the existing one and sends no POST.
#[tokio::test]
async fn the_same_workspace_again_is_answered_with_the_existing_one() {
    let bench = bench();
    let first = bench.call("aiworkspace_create_workspace", &workspace()).await;
    let again = bench.call("aiworkspace_create_workspace", &workspace()).await;
    assert_eq!(again.body()["Workspace ID"], first.body()["Workspace ID"]);
    assert_eq!(again.body()["Already Existed"], json!(true));
    assert_eq!(posts(&bench), 1);
}

fn posts(bench: &Bench) -> usize {
    bench.simulator.journal().iter().filter(|entry| entry.method == "POST").count()
}

/// R-WS-63: the same name with other settings is refused with a diff, and nothing is created.
#[tokio::test]
async fn another_workspace_of_the_name_is_refused_with_the_difference() {
    let bench = bench();
    bench.call("aiworkspace_create_workspace", &workspace()).await;
    let mut other = workspace();
    other["EnvTypes"] = json!(["prod", "dev"]);
    let masked = bench.call("aiworkspace_create_workspace", &other).await;
    assert!(masked.is_error());
    assert_eq!(masked.body()["rule"], "workspace-created-once");
    assert_eq!(
        masked.body()["violations"],
        json!([{
            "path": "EnvTypes",
            "message": "Environment is \"prod\" in the existing workspace, \"dev, prod\" was asked for",
            "fix": "ask the user for another WorkspaceName, or for these settings",
        }])
    );
    assert_eq!(posts(&bench), 1);
}

/// R-WS-57: two at once make one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_identical_creates_at_once_make_one_workspace() {
    let bench = bench();
    bench.call("aiworkspace_list_workspaces", &json!({ "RegionId": "cn-hangzhou" })).await;
    let workspace = workspace();
    let (one, other) = tokio::join!(
        bench.call("aiworkspace_create_workspace", &workspace),
        bench.call("aiworkspace_create_workspace", &workspace),
    );
    assert_eq!(one.body()["Workspace ID"], other.body()["Workspace ID"]);
    assert_eq!(posts(&bench), 1);
}

/// R-WS-64: a race that is lost to the same settings ends with the existing one, without a second POST.
#[tokio::test]
async fn a_lost_race_is_settled_by_looking() {
    let faults =
        r#"[{"tool": "aiworkspace_create_workspace", "nth": 1, "fault": "name-race", "same": true}]"#;
    let bench = bench_with(faults, Operator::default(), Chain::Fixed(AccessKey::simulator()));
    let masked = bench.call("aiworkspace_create_workspace", &workspace()).await;
    assert!(!masked.is_error(), "{}", masked.body());
    assert_eq!(masked.body()["Already Existed"], json!(true));
    assert_eq!(posts(&bench), 1);
}

/// R-WS-64: a race that is lost to other settings is a conflict.
#[tokio::test]
async fn a_race_lost_to_other_settings_is_refused_with_the_difference() {
    let faults = r#"[{"tool": "aiworkspace_create_workspace", "nth": 1, "fault": "name-race"}]"#;
    let bench = bench_with(faults, Operator::default(), Chain::Fixed(AccessKey::simulator()));
    let masked = bench.call("aiworkspace_create_workspace", &workspace()).await;
    assert!(masked.is_error());
    assert_eq!(masked.body()["violations"][0]["path"], "Description");
    assert_eq!(posts(&bench), 1);
}

/// R-WS-32: a yes is to exactly these arguments.
#[tokio::test]
async fn arguments_changed_after_the_yes_are_refused() {
    let bench = bench();
    let region = ask(bench.step("aiworkspace_create_workspace", &workspace(), None).await);
    let answer = yes(&region, &workspace());
    let question = ask(bench.step("aiworkspace_create_workspace", &workspace(), Some(answer)).await);
    let before = bench.sent();
    let mut changed = workspace();
    changed["Description"] = json!("Something else");
    let answer = yes(&question, &changed);
    let masked = done(bench.step("aiworkspace_create_workspace", &changed, Some(answer)).await);
    assert_eq!(masked.body()["rule"], "confirmation");
    assert_eq!(bench.sent(), before);
}

/// R-WS-32: an accept without its field, or with something else there, is no yes.
#[tokio::test]
async fn an_accept_without_its_field_is_refused() {
    let bench = bench();
    let region = ask(bench.step("aiworkspace_create_workspace", &workspace(), None).await);
    let answer = yes(&region, &workspace());
    let question = ask(bench.step("aiworkspace_create_workspace", &workspace(), Some(answer)).await);
    let before = bench.sent();
    for content in [json!({}), json!({ "approve": "true" }), json!({ "approve": false }), json!(null)] {
        let answer = Answer { reply: Reply::Accepted(content), ..yes(&question, &workspace()) };
        let masked = done(bench.step("aiworkspace_create_workspace", &workspace(), Some(answer)).await);
        assert_eq!(masked.body()["rule"], "arguments-confirmed");
    }
    assert_eq!(bench.sent(), before);
}

/// R-WS-45: another region chosen is another call.
#[tokio::test]
async fn another_region_chosen_refuses_the_call() {
    let bench = bench();
    let question =
        ask(bench.step("aiworkspace_list_workspaces", &json!({ "RegionId": "cn-beijing" }), None).await);
    let answer = yes(&question, &json!({ "RegionId": "cn-shanghai" }));
    let step =
        bench.step("aiworkspace_list_workspaces", &json!({ "RegionId": "cn-beijing" }), Some(answer)).await;
    assert_eq!(done(step).body()["error"], "the user chose cn-shanghai, not cn-beijing");
    assert_eq!(bench.sent(), []);
}

/// R-DLC-24: a guessed image is refused before anybody is asked and before anything is sent.
#[tokio::test]
async fn a_guessed_image_is_refused_and_a_listed_one_runs() {
    let bench = bench();
    let guessed = job("registry.cn-hangzhou.aliyuncs.com/guess/pytorch:latest", "1");
    let masked = done(bench.step("dlc_create_job", &guessed, None).await);
    let paths: Vec<&Value> =
        masked.body()["violations"].as_array().unwrap().iter().map(|v| &v["path"]).collect();
    assert_eq!(paths, ["JobSpecs[0].Image", "WorkspaceId"]);
    assert_eq!(bench.sent(), []);

    let (image, id) = listed(&bench).await;
    let created = bench.call("dlc_create_job", &job(&image, &id)).await;
    assert!(!created.is_error(), "{}", created.body());
    let get = json!({ "RegionId": "cn-hangzhou", "JobId": created.body()["JobId"] });
    let got = bench.call("dlc_get_job", &get).await;
    assert_eq!(got.body()["DisplayName"], "train");
    assert_eq!(got.body()["Envs"], json!({ "WANDB_API_KEY": "****" }));
}

/// R-WS-32: an approval at launch is for calls made for the first time; the same again is put to a human, who is
/// told, and may take their time.
#[tokio::test]
async fn the_same_job_again_is_asked_about() {
    let operator = Operator {
        regions: ["cn-hangzhou".to_owned()].into(),
        approvals: ["create".parse().unwrap()].into(),
    };
    let bench = bench_with("[]", operator, Chain::Fixed(AccessKey::simulator()));
    let (image, id) = listed(&bench).await;
    let job = job(&image, &id);
    let first = done(bench.step("dlc_create_job", &job, None).await);
    assert!(!first.is_error(), "{}", first.body());
    let question = ask(bench.step("dlc_create_job", &job, None).await);
    assert!(
        question.message().starts_with("The same call was made at 2026-01-01 00:00:"),
        "{}",
        question.message()
    );
    for _ in 0..90 {
        bench.call("aiworkspace_list_products", &json!({ "RegionId": "cn-hangzhou" })).await;
    }
    let second = done(bench.step("dlc_create_job", &job, Some(yes(&question, &job))).await);
    assert!(!second.is_error(), "{}", second.body());
    assert_ne!(first.body(), second.body());
    let mut other = job.clone();
    other["DisplayName"] = json!("another");
    assert!(!done(bench.step("dlc_create_job", &other, None).await).is_error());
    assert_eq!(posts(&bench), 3);
}

/// The first image and the first workspace that are listed.
async fn listed(bench: &Bench) -> (String, String) {
    let workspaces = bench.call("aiworkspace_list_workspaces", &json!({ "RegionId": "cn-hangzhou" })).await;
    let id = workspaces.body()["Workspaces"][0]["Workspace ID"].as_str().unwrap().to_owned();
    let images = bench.call("aiworkspace_list_images", &json!({ "RegionId": "cn-hangzhou" })).await;
    let image = images.body()["Images"][0]["ImageUri"].as_str().unwrap().to_owned();
    (image, id)
}

fn job(image: &str, workspace: &str) -> Value {
    json!({
        "RegionId": "cn-hangzhou",
        "WorkspaceId": workspace,
        "DisplayName": "train",
        "JobType": "PyTorchJob",
        "JobSpecs": [{ "Type": "Worker", "PodCount": 1, "Image": image, "EcsSpec": "ecs.gn6i-c4g1.xlarge" }],
        "UserCommand": "python train.py",
        "Envs": { "WANDB_API_KEY": "0123456789abcdef0123456789abcdef" },
    })
}

/// R-WS-49, R-WS-50, R-WS-51: where PAI isn't activated nothing but the check is sent.
#[tokio::test]
async fn a_region_without_pai_is_refused_with_what_to_do() {
    let bench = bench();
    let masked = bench.call("aiworkspace_list_workspaces", &json!({ "RegionId": "cn-beijing" })).await;
    assert_eq!(masked.body()["rule"], "pai-activated");
    assert!(masked.body()["violations"][0]["fix"].as_str().unwrap().contains("https://"));
    let masked = bench.call("aiworkspace_list_workspaces", &json!({ "RegionId": "ap-southeast-1" })).await;
    let fix = masked.body()["violations"][0]["fix"].as_str().unwrap();
    assert!(fix.contains("pai:CreateOrder") && !fix.contains("https://"), "{fix}");
    assert!(bench.sent().iter().all(|(tool, _)| tool == "aiworkspace_list_products"));
}

/// A machine with no credentials on it.
struct Bare;

impl Surroundings for Bare {
    fn variable(&self, name: &str) -> Option<String> {
        (name == "ALIBABA_CLOUD_ECS_METADATA_DISABLED").then(|| "true".to_owned())
    }

    fn home(&self) -> Option<std::path::PathBuf> {
        None
    }

    fn read(&self, _: &std::path::Path) -> std::io::Result<Option<zeroize::Zeroizing<String>>> {
        Ok(None)
    }
}

/// R-WS-08: without credentials nothing is sent.
#[tokio::test]
async fn without_credentials_nothing_is_sent() {
    let simulator = Arc::new(Simulator::new(World::seeded(1), Faults::default()));
    let chain = Chain::machine(Arc::new(Bare), simulator, Endpoints::default(), Arc::default());
    let bench = bench_with("[]", Operator::default(), chain);
    let step = bench.step("aiworkspace_list_workspaces", &json!({ "RegionId": "cn-hangzhou" }), None).await;
    assert_eq!(done(step).body()["rule"], "credentials");
    assert_eq!(bench.sent(), []);
}

/// R-WS-10, R-WS-11, R-WS-12, R-WS-13, R-WS-14: identities appear neither in results nor in the record.
#[tokio::test]
async fn no_canary_leaves() {
    let bench = bench();
    let mut shown = String::new();
    let list = bench
        .call("aiworkspace_list_workspaces", &json!({ "RegionId": "cn-hangzhou", "detail": "full" }))
        .await;
    shown.push_str(&list.body().to_string());
    for row in list.body()["Workspaces"].as_array().unwrap() {
        let get = json!({ "RegionId": "cn-hangzhou", "WorkspaceId": row["Workspace ID"], "Verbose": true });
        shown.push_str(&bench.call("aiworkspace_get_workspace", &get).await.body().to_string());
        let images = json!({ "RegionId": "cn-hangzhou", "WorkspaceId": row["Workspace ID"], "detail": "full", "Verbose": true });
        shown.push_str(&bench.call("aiworkspace_list_images", &images).await.body().to_string());
    }
    let record = std::fs::read_to_string(bench.directory.path().join("audit.jsonl")).unwrap();
    for canary in CANARIES {
        assert!(!shown.contains(canary), "{canary} was shown");
        assert!(!record.contains(canary), "{canary} was recorded");
    }
}

/// What changes the world is recorded before it is sent and after; the file verifies.
#[tokio::test]
async fn a_create_is_recorded_before_and_after() {
    let bench = bench();
    bench.call("aiworkspace_create_workspace", &workspace()).await;
    let lines: Vec<(String, String, u64)> = bench
        .record()
        .iter()
        .map(|line| {
            let calls = line["cloud_calls"].as_array().map_or(0, Vec::len);
            (
                line["phase"].as_str().unwrap().to_owned(),
                line["tool"].as_str().unwrap().to_owned(),
                calls as u64,
            )
        })
        .collect();
    let line = |phase: &str, tool: &str, calls| (phase.to_owned(), tool.to_owned(), calls);
    assert_eq!(
        lines,
        [
            line("outcome", "aiworkspace_create_workspace", 0),
            line("outcome", "aiworkspace_list_products", 1),
            line("outcome", "aiworkspace_list_workspaces", 1),
            line("outcome", "aiworkspace_create_workspace", 0),
            line("outcome", "aiworkspace_list_workspaces", 1),
            line("decision", "aiworkspace_create_workspace", 0),
            line("outcome", "aiworkspace_create_workspace", 1),
        ]
    );
    let key = Key::of_state_directory(bench.directory.path()).unwrap();
    let report = crate::audit::verify(&bench.directory.path().join("audit.jsonl"), &key).unwrap();
    assert!(matches!(report, crate::audit::Report::Whole(_)), "{report}");
}
