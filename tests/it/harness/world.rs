//! The default world, as docs/world.md has it, and calls that fit it.

use serde_json::{Value, json};

pub const LIST_PRODUCTS: &str = "aiworkspace_list_products";
pub const LIST_WORKSPACES: &str = "aiworkspace_list_workspaces";
pub const GET_WORKSPACE: &str = "aiworkspace_get_workspace";
pub const CREATE_WORKSPACE: &str = "aiworkspace_create_workspace";
pub const LIST_IMAGES: &str = "aiworkspace_list_images";
pub const GET_IMAGE: &str = "aiworkspace_get_image";
pub const LIST_DATASETS: &str = "aiworkspace_list_datasets";
pub const GET_DATASET: &str = "aiworkspace_get_dataset";
pub const LIST_CODE_SOURCES: &str = "aiworkspace_list_code_sources";
pub const GET_CODE_SOURCE: &str = "aiworkspace_get_code_source";
pub const CREATE_JOB: &str = "dlc_create_job";
pub const GET_JOB: &str = "dlc_get_job";
pub const GET_TENSORBOARD: &str = "dlc_get_tensorboard";
pub const LIST_TENSORBOARDS: &str = "dlc_list_tensorboards";
pub const LIST_JOBS: &str = "dlc_list_jobs";
pub const STOP_JOB: &str = "dlc_stop_job";
pub const GET_JOB_EVENTS: &str = "dlc_get_job_events";
pub const GET_POD_EVENTS: &str = "dlc_get_pod_events";
pub const GET_POD_LOGS: &str = "dlc_get_pod_logs";
pub const UPDATE_JOB: &str = "dlc_update_job";
pub const GET_JOB_METRICS: &str = "dlc_get_job_metrics";
pub const LIST_ECS_SPECS: &str = "dlc_list_ecs_specs";
pub const GET_SANITY_CHECK: &str = "dlc_get_job_sanity_check_result";
pub const LIST_SANITY_CHECKS: &str = "dlc_list_job_sanity_check_results";

pub const REGION: &str = "cn-hangzhou";

/// The workspaces of cn-hangzhou that tests use.
pub const VISION: &str = "200025";
pub const VISION_EVAL: &str = "905816";
/// Listed, but RAM denies the caller everything in it.
pub const PAYROLL: &str = "150630";

/// An image of [`VISION`].
pub const DETECTOR: &str = "registry-vpc.cn-hangzhou.aliyuncs.com/vision-team/detector:2025.11";
/// An image of [`VISION_EVAL`].
pub const DETECTOR_EVAL: &str = "registry-vpc.cn-hangzhou.aliyuncs.com/vision-team/detector-eval:2025.11";
/// An official image.
pub const PYTORCH: &str =
    "dsw-registry-vpc.cn-hangzhou.cr.aliyuncs.com/pai/pytorch-training:2.3-gpu-py310-cu121-ubuntu22.04";

/// The id of [`DETECTOR`].
pub const DETECTOR_ID: &str = "image-zw5q08yej4mpfx42360p";

/// A dataset and a code source of [`VISION`].
pub const SCENES: &str = "d-day3f9g7inf43or8gi";
pub const DETECTOR_CODE: &str = "code-1znqt9et7lb6u68j";
/// A dataset and a code source of [`VISION_EVAL`].
pub const HOLDOUT: &str = "d-pf178u62bifgcnpvwp";
pub const EVALUATION_CODE: &str = "code-n01la9xulo008i40";
/// A dataset and a code source of [`PAYROLL`].
pub const SALARIES: &str = "d-zon1dih7tceh3utjnl";
pub const PAYROLL_CODE: &str = "code-trcyoojzy6hydlk1";

/// The jobs that are there from the start.
pub const PRETRAIN: &str = "dlcc96hka00mba3f";
pub const FINETUNE: &str = "dlcv6op1rou7g08s";
pub const EVALUATION: &str = "dlc16o33nd5edgcl";
/// Its log and its events attack whoever reads them.
pub const HOSTILE: &str = "dlcsgs6503k0zttz";
/// Its log has ten megabytes.
pub const FLOOD: &str = "dlch4o8oftrndhey";
/// Its name is an attack.
pub const SWEEP: &str = "dlcu0o5dhk6y5c69";

/// A job with dashboards, in [`VISION_EVAL`].
pub const TUNE: &str = "dlch7ud1hjyani84";
/// A TensorBoard of the caller's, stopped.
pub const OWN_BOARD: &str = "tb3riis79wbiju9w";

/// Just a region.
pub fn here() -> Value {
    json!({ "RegionId": REGION })
}

/// A workspace to create.
pub fn workspace(name: &str) -> Value {
    json!({
        "RegionId": REGION,
        "WorkspaceName": name,
        "Description": "Vision models",
        "EnvTypes": ["prod"],
    })
}

/// A job to submit.
pub fn job(workspace: &str, image: &str) -> Value {
    json!({
        "RegionId": REGION,
        "WorkspaceId": workspace,
        "DisplayName": "train",
        "JobType": "PyTorchJob",
        "JobSpecs": [{ "Type": "Worker", "PodCount": 1, "Image": image, "EcsSpec": "ecs.gn6i-c4g1.xlarge" }],
        "UserCommand": "sleep 30",
    })
}

/// A job to look at.
pub fn job_id(id: &str) -> Value {
    json!({ "RegionId": REGION, "JobId": id })
}

/// The first pod of a job that has only workers.
pub fn pod(id: &str) -> Value {
    json!({ "RegionId": REGION, "JobId": id, "PodId": format!("{id}-worker-0") })
}

/// Images of a workspace.
pub fn images_of(workspace: &str) -> Value {
    json!({ "RegionId": REGION, "WorkspaceId": workspace })
}
