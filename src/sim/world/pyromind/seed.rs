//! What exists when the default clock starts: sandboxes and instances here, tasks and jobs in [`jobs`].

mod jobs;

use jiff::{SignedDuration, Timestamp};

use super::{
    Instance, InstanceQuirk, Mount, Power, Resources, Sandbox, SandboxQuirk, Screen, Vnc, instance_id, later,
    sandbox_id,
};
use crate::sim::clock::DEFAULT_START;
use crate::sim::world::random::SplitMix64;
use crate::sim::world::seed::before_start;

pub(super) use jobs::{jobs, tasks};

/// How many `rollout-worker-NN` there are, so that a list has a second page; the last two are stopped.
const WORKERS: i64 = 16;

fn after_start(lasts: SignedDuration) -> Timestamp {
    later(DEFAULT_START, lasts)
}

/// Long after any run of the default clock.
fn far_off() -> Timestamp {
    after_start(SignedDuration::from_hours(365 * 24))
}

pub(super) fn sandboxes(seed: u64) -> Vec<Sandbox> {
    let mut random = SplitMix64::new(seed, "sandbox", 0);
    let mut sandbox = |name: &str, cpu, memory, gpu, hours_old| {
        let created = before_start(hours_old);
        Sandbox {
            id: sandbox_id(&mut random),
            name: name.to_owned(),
            sandbox_type: if gpu == 0 { "cpu-sandbox" } else { "gpu-sandbox" }.to_owned(),
            resources: Resources { cpu, memory, gpu },
            screen: Screen::default(),
            created,
            expires: far_off(),
            power: vec![Power::Started(created)],
            busy_until: None,
            vnc: Vnc { issued: created, refreshes: 0 },
            quirk: None,
        }
    };
    let mut sandboxes = vec![
        sandbox("ppo-lunar-dev", 16, 64, 2, 240),
        Sandbox {
            screen: Screen { width: 2560, height: 1440 },
            ..sandbox("desktop-agent-eval", 8, 32, 0, 200)
        },
        stopped(sandbox("reward-model-debug", 8, 32, 1, 180)),
        Sandbox { quirk: Some(SandboxQuirk::Unresponsive), ..sandbox("atari-render", 16, 64, 2, 150) },
        Sandbox { quirk: Some(SandboxQuirk::NeverStarts), ..sandbox("mujoco-queue", 32, 128, 8, 1) },
        Sandbox {
            expires: after_start(SignedDuration::from_mins(2)),
            ..sandbox("demo-expiring", 4, 16, 0, 167)
        },
        Sandbox { quirk: Some(SandboxQuirk::VncDown), ..sandbox("remote-desktop-lost", 4, 16, 0, 90) },
        Sandbox {
            busy_until: Some(after_start(SignedDuration::from_hours(1))),
            ..sandbox("long-rollout", 8, 32, 1, 60)
        },
    ];
    for number in 1..=WORKERS {
        let worker = sandbox(&format!("rollout-worker-{number:02}"), 4, 16, 0, 48 - number);
        sandboxes.push(if number > WORKERS - 2 { stopped(worker) } else { worker });
    }
    sandboxes
}

fn stopped(mut sandbox: Sandbox) -> Sandbox {
    sandbox.power.push(Power::Stopped(before_start(12)));
    sandbox
}

pub(super) fn instances(seed: u64) -> Vec<Instance> {
    let mut random = SplitMix64::new(seed, "instance", 0);
    let mut instance = |name: &str, cpu, memory, gpu, days_old: i64| {
        let resources = Resources { cpu, memory, gpu };
        Instance {
            id: instance_id(&mut random),
            name: name.to_owned(),
            resource_type: if gpu == 0 { "cpu" } else { "gpu" }.to_owned(),
            resources,
            requested: resources,
            image: "pyromind-instance:2.3.1".to_owned(),
            created: before_start(days_old * 24),
            expires: far_off(),
            stopped: None,
            mount: None,
            password_chosen: None,
            paused: None,
            resumes: 0,
            checkpoints: 0,
            quirk: None,
        }
    };
    let notebooks =
        Mount { bucket_name: "acme-rl-data".to_owned(), mount_path: "/home/jovyan/work".to_owned() };
    vec![
        Instance { mount: Some(notebooks), ..instance("rl-notebook", 16, 64, 4, 30) },
        instance("cpu-notebook", 8, 16, 0, 25),
        Instance {
            paused: Some(before_start(30)),
            checkpoints: 3,
            ..instance("paused-sweep", 12, 48, 2, 20)
        },
        Instance { expires: before_start(10 * 24), ..instance("archived-study", 4, 16, 0, 40) },
        Instance { quirk: Some(InstanceQuirk::Broken), ..instance("corrupt-image", 8, 32, 1, 10) },
        Instance { quirk: Some(InstanceQuirk::Busy), ..instance("nightly-train", 16, 64, 4, 8) },
        Instance {
            quirk: Some(InstanceQuirk::CheckpointStorageDown),
            ..instance("full-disk-lab", 4, 16, 0, 6)
        },
        Instance { quirk: Some(InstanceQuirk::AuthServiceDown), ..instance("auth-trouble", 4, 16, 0, 4) },
    ]
}
