//! Jobs that were submitted before the default clock starts.

use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::canaries::{
    ASSUMED_KEY_ID, ASSUMED_TOKEN, CREATOR_A, CREATOR_B, CUSTOM_ENV_SECRET, ENV_SECRET, REGISTRY_AUTH,
    REGISTRY_PASSWORD, REGISTRY_USER,
};
use super::random::SplitMix64;
use super::seed::{before_start, job_id};
use super::{Job, Outcome, Workspace};

/// The jobs of `region`: all of them in the Hangzhou workspace `vision_train`.
pub(super) fn seeded(seed: u64, region: &str, workspaces: &[Workspace]) -> Vec<Job> {
    let mut random = SplitMix64::new(seed, region, 3);
    let home = (region == "cn-hangzhou").then(|| workspaces.iter().find(|w| w.name == "vision_train"));
    let Some(workspace) = home.flatten() else { return Vec::new() };
    let mut job = |user_id: &str, hours_old, run, outcome, request| Job {
        id: job_id(&mut random),
        workspace_id: workspace.id.clone(),
        user_id: user_id.to_owned(),
        submitted: before_start(hours_old),
        run,
        outcome,
        request: fields(request),
    };
    let day = 24;
    vec![
        job(CREATOR_A, 3, SignedDuration::from_hours(1000 * day), Outcome::Succeeds, pretrain()),
        job(CREATOR_A, 2 * day, SignedDuration::from_mins(90), Outcome::Succeeds, finetune()),
        job(CREATOR_B, day, SignedDuration::from_secs(340), Outcome::CommandFails, evaluation()),
    ]
}

fn fields(request: Value) -> Map<String, Value> {
    match request {
        Value::Object(fields) => fields,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    }
}

fn pretrain() -> Value {
    let image = "registry-vpc.cn-hangzhou.aliyuncs.com/vision-team/detector:2025.11";
    let registry = json!({
        "DockerRegistry": "registry-vpc.cn-hangzhou.aliyuncs.com",
        "Username": REGISTRY_USER,
        "Password": REGISTRY_PASSWORD,
        "Auth": REGISTRY_AUTH,
    });
    let spec = |role: &str, pods: u32| {
        json!({
            "Type": role,
            "Image": image,
            "ImageConfig": registry,
            "PodCount": pods,
            "EcsSpec": "ecs.gn7i-c8g1.2xlarge",
        })
    };
    json!({
        "DisplayName": "detector-pretrain",
        "Description": "Nightly pretraining of the detector",
        "JobType": "PyTorchJob",
        "JobSpecs": [spec("Master", 1), spec("Worker", 2)],
        "UserCommand": "torchrun train.py --config detector.yaml",
        "Envs": {"WANDB_API_KEY": ENV_SECRET, "NCCL_DEBUG": "WARN"},
        "CustomEnvs": [{"Key": "HF_TOKEN", "Value": CUSTOM_ENV_SECRET, "Visible": "false"}],
        "Priority": 5,
        "Accessibility": "PUBLIC",
    })
}

fn finetune() -> Value {
    json!({
        "DisplayName": "segmenter-finetune",
        "JobType": "PyTorchJob",
        "JobSpecs": [{
            "Type": "Worker",
            "Image": "dsw-registry-vpc.cn-hangzhou.cr.aliyuncs.com/pai/pytorch-training:2.3-gpu-py310-cu121-ubuntu22.04",
            "PodCount": 1,
            "EcsSpec": "ecs.gn6i-c4g1.xlarge",
            "SpotSpec": {"SpotStrategy": "SpotWithPriceLimit", "SpotDiscountLimit": 0.5},
        }],
        "UserCommand": "python finetune.py --epochs 3",
        "Settings": {"EnableSanityCheck": true, "Tags": {"team": "vision"}},
    })
}

fn evaluation() -> Value {
    json!({
        "DisplayName": "detector-eval",
        "JobType": "PyTorchJob",
        "JobSpecs": [{
            "Type": "Worker",
            "Image": "registry-vpc.cn-hangzhou.aliyuncs.com/vision-team/detector:2025.11",
            "PodCount": 2,
            "EcsSpec": "ecs.gn6i-c4g1.xlarge",
        }],
        "UserCommand": "python evaluate.py --split val",
        "CredentialConfig": {
            "EnableCredentialInject": true,
            "CredentialConfigItems": [{
                "Key": "0",
                "Type": "Role",
                "Roles": [{
                    "RoleType": "service",
                    "AssumeUserInfo": {
                        "Type": "sub",
                        "Id": CREATOR_B,
                        "AccessKeyId": ASSUMED_KEY_ID,
                        "SecurityToken": ASSUMED_TOKEN,
                    },
                }],
            }],
        },
    })
}
