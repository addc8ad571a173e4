//! The inference tasks and training jobs that exist when the default clock starts.

use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use crate::sim::world::pyromind::{
    InferenceTask, Input, LogConfig, ModelOutput, Output, PENDING, Pause, Resources, Stretch, TrainingData,
    TrainingJob, inference_id, later, training_id,
};
use crate::sim::world::random::SplitMix64;
use crate::sim::world::seed::before_start;

/// How many `sweep-NN` there are, so that a list has a second page.
const SWEEPS: i64 = 16;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// A thousand hours each, of which all but the running one has seen the end.
pub(in crate::sim::world::pyromind) fn tasks(seed: u64) -> Vec<InferenceTask> {
    let mut random = SplitMix64::new(seed, "inference", 0);
    let mut task = |name: &str, model: (&str, &str), gpu, hours_old, hours| InferenceTask {
        id: inference_id(&mut random),
        name: name.to_owned(),
        model_type: model.0.to_owned(),
        model_name: model.1.to_owned(),
        model_version: None,
        resources: Resources { cpu: 8, memory: 32, gpu },
        input: Input {
            data_source: format!("s3://acme-inputs/{name}.csv"),
            data_format: Some("csv".to_owned()),
            batch_size: Some(64),
        },
        output: Output {
            output_bucket: "acme-results".to_owned(),
            output_path: format!("/{name}"),
            output_format: Some("parquet".to_owned()),
        },
        params: Map::new(),
        priority: 5,
        created: before_start(hours_old),
        run: SignedDuration::from_hours(hours),
        input_missing: false,
        never_starts: false,
    };
    let (traffic, planner) = (("rl", "ppo-traffic-control-v3"), ("nlp", "dispatch-planner"));
    let shelf = ("cv", "shelf-detector");
    let mut locked = task("shelf-audit", shelf, 1, 70, 2);
    locked.output.output_bucket = "acme-denied-results".to_owned();
    let mut lost = task("dispatch-replay", planner, 0, 50, 0);
    lost.input.data_source = "s3://acme-inputs/missing/dispatch-replay.csv".to_owned();
    lost.run = SignedDuration::from_secs(10);
    vec![
        task("traffic-replay", traffic, 2, 651, 1000),
        task("dispatch-nightly", planner, 0, 30, 3),
        locked,
        InferenceTask { input_missing: true, ..lost },
        InferenceTask { never_starts: true, ..task("shelf-backlog", shelf, 8, 3, 1) },
    ]
}

pub(in crate::sim::world::pyromind) fn jobs(seed: u64) -> Vec<TrainingJob> {
    let mut random = SplitMix64::new(seed, "training", 0);
    let mut job = |name: &str, framework: &str, gpu, hours_old: i64, epochs: u64| {
        let created = before_start(hours_old);
        TrainingJob {
            id: training_id(&mut random),
            name: name.to_owned(),
            framework: framework.to_owned(),
            model_name: format!("{name}-model"),
            resources: Resources { cpu: 16, memory: 64, gpu },
            data: TrainingData {
                train_data_source: "s3://acme-train/rollouts".to_owned(),
                val_data_source: Some("s3://acme-train/held-out".to_owned()),
                data_format: Some("tfrecord".to_owned()),
            },
            hyperparameters: hyperparameters(epochs),
            output: ModelOutput {
                output_bucket: "acme-models".to_owned(),
                output_path: format!("/{name}"),
                save_frequency: Some(10),
            },
            log: None,
            priority: 5,
            limit: SignedDuration::from_hours(10_000),
            created,
            epochs,
            epoch: HOUR,
            stretches: vec![Stretch {
                from: later(created, PENDING),
                epoch: 0,
                learning_rate: 0.0003,
                checkpoint: None,
                pause: None,
            }],
            canceled: None,
            data_missing: false,
            never_starts: false,
            hostile: false,
        }
    };
    let mut full = job("walker-full-disk", "pytorch", 0, 30, 1000);
    full.output.output_bucket = "acme-full-models".to_owned();
    let mut locked = job("hopper-locked-logs", "ray", 2, 90, 20);
    let log_path = Some("s3://acme-denied-logs/hopper".to_owned());
    locked.log = Some(LogConfig { log_tool: Some("tensorboard".to_owned()), log_path });
    locked.output.output_bucket = "acme-denied-models".to_owned();
    let mut lost = job("reacher-no-data", "pytorch", 1, 40, 50);
    lost.data.train_data_source = "s3://acme-train/missing/reacher".to_owned();
    let mut jobs = vec![
        job("lander-ppo", "pytorch", 4, 59, 100),
        full,
        paused(job("atari-dqn", "tensorflow", 2, 100, 200), 41, "pause-checkpoint-epoch-40"),
        paused(job("cheetah-sac", "pytorch", 4, 80, 100), 25, "pause-corrupt-epoch-24"),
        locked,
        TrainingJob { data_missing: true, ..lost },
        TrainingJob { canceled: Some(before_start(60)), ..job("humanoid-abandoned", "ray", 8, 85, 500) },
        TrainingJob { hostile: true, ..job("ant-distill", "pytorch", 1, 48, 20) },
        TrainingJob { never_starts: true, ..job("impala-queue", "ray", 16, 5, 100) },
        TrainingJob { limit: SignedDuration::from_hours(12), ..job("pusher-overtime", "pytorch", 1, 60, 40) },
    ];
    for number in 1..=SWEEPS {
        jobs.push(job(&format!("sweep-{number:02}"), "pytorch", 1, 47 - number, 5));
    }
    jobs
}

/// The job, paused that many hours after its creation.
fn paused(mut job: TrainingJob, hours: i64, checkpoint: &str) -> TrainingJob {
    let at = later(job.created, SignedDuration::from_hours(hours));
    for stretch in &mut job.stretches {
        stretch.pause = Some(Pause { at, checkpoint: Some(checkpoint.to_owned()) });
    }
    job
}

fn hyperparameters(epochs: u64) -> Map<String, Value> {
    [
        ("learning_rate", json!(0.0003)),
        ("batch_size", json!(256)),
        ("epochs", json!(epochs)),
        ("gamma", json!(0.99)),
        ("optimizer", json!("adam")),
        ("net_arch", json!([64, 64])),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}
