//! What the policy itself costs: judging a `dlc_create_job` by all rules, with 10,000 facts known, and masking
//! what is shown of it.
//!
//! ```text
//! cargo bench --bench policy
//! ```

use std::collections::BTreeSet;
use std::error::Error;
use std::hint::black_box;

use criterion::Criterion;
use jiff::Timestamp;
use redline_mcp::policy::consent::{Consents, Operator, Waiver};
use redline_mcp::policy::evidence::Evidence;
use redline_mcp::policy::facts::{Facts, Known};
use redline_mcp::policy::history::History;
use redline_mcp::policy::sweep::Seen;
use redline_mcp::policy::verdict::{Outcome, Raw, Verdict};
use redline_mcp::policy::{Knowledge, OnMiss, Policy, Settings};
use redline_mcp::spec::Call;
use redline_mcp::spec::marks::Fact;
use redline_mcp::tools;
use serde_json::{Value, json};

const REGION: &str = "cn-hangzhou";
const WORKSPACE: &str = "200025";
const FACTS: usize = 10_000;
/// The people that a scope of that size has seen.
const PEOPLE: usize = 50;

fn main() -> Result<(), Box<dyn Error>> {
    let now: Timestamp = "2026-01-01T00:00:00Z".parse()?;
    let policy = Policy::compiled(Settings {
        on_miss: OnMiss::Refuse,
        operator: Operator {
            regions: BTreeSet::from([REGION.to_owned()]),
            approvals: BTreeSet::from([Waiver::Tool("dlc_create_job")]),
        },
        simulated: true,
        digest_key: vec![7; 32],
        secret_command: String::new(),
    })?;
    let facts = facts(now);
    let mut seen = Seen::default();
    (0..PEOPLE).for_each(|person| seen.note(&format!("10953128317{person:05}")));
    let evidence = Evidence::default();
    let consents = Consents::default();
    let history = History::default();
    let call = create_job()?;
    let reply = Outcome::Reply(Raw::new(json!({ "JobId": "dlc1k2v9x0q8m3wz", "RequestId": "7A2C-11" })));
    let knowledge = Knowledge {
        facts: &facts,
        evidence: &evidence,
        consents: &consents,
        history: &history,
        approval: None,
        account: "5e1c8d0b7a3f4e2d9c6b1a0f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d1f3a",
    };
    let judge = || policy.judge(black_box(&call), black_box(&knowledge), now);
    if !matches!(judge().verdict, Verdict::Cleared(_)) {
        return Err("the call isn't cleared, so a refusal would be measured".into());
    }

    let mut criterion = Criterion::default().configure_from_args();
    criterion.bench_function("judge", |bencher| bencher.iter(judge));
    criterion.bench_function("mask the arguments", |bencher| {
        bencher.iter(|| policy.mask_call(black_box(&call), &seen))
    });
    criterion.bench_function("judge and mask", |bencher| {
        bencher.iter(|| (judge(), policy.mask_reply(black_box(&call), black_box(&reply), &[], &mut seen)));
    });
    criterion.final_summary();
    Ok(())
}

fn facts(now: Timestamp) -> Facts {
    let mut facts = Facts::default();
    let known = Known { at: now, learned_at: 1 };
    facts.activate(REGION, known);
    facts.learn(Fact::Workspace, REGION, None, WORKSPACE, known);
    for number in 2..FACTS {
        facts.learn(Fact::Image, REGION, Some(WORKSPACE), &image(number), known);
    }
    facts
}

fn image(number: usize) -> String {
    format!("registry.{REGION}.cr.aliyuncs.com/team/train:{number}")
}

fn create_job() -> Result<Call, Box<dyn Error>> {
    let task = |kind: &str, pods: u32, number: usize| json!({ "Type": kind, "PodCount": pods, "Image": image(number), "EcsSpec": "ecs.gn6i-c4g1.xlarge" });
    let arguments: Value = json!({
        "RegionId": REGION,
        "WorkspaceId": WORKSPACE,
        "DisplayName": "bench-train",
        "JobType": "PyTorchJob",
        "JobSpecs": [task("Master", 1, 77), task("Worker", 4, 4_242)],
        "UserCommand": "cd /mnt/code && python train.py --epochs 3 --lr 3e-4 --out /mnt/out",
        "Envs": { "WANDB_MODE": "offline", "NCCL_DEBUG": "INFO" },
        "DataSources": [{ "Uri": "oss://bucket.oss-cn-hangzhou-internal.aliyuncs.com/data/", "MountPath": "/mnt/data" }],
        "JobMaxRunningTimeMinutes": 60,
        "Priority": 1,
        "Accessibility": "PRIVATE",
    });
    let tool = tools::find("dlc_create_job").ok_or("there is no such tool")?;
    let arguments = arguments.as_object().ok_or("the arguments are an object")?;
    tool.parse(arguments).map_err(|faults| format!("the arguments don't parse: {faults:?}").into())
}
