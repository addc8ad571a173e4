//! Datasets, code sources and single images: what they show, what they keep, and which jobs may use them.

use serde_json::{Value, json};

use crate::harness::human::Human;
use crate::harness::world::{
    CREATE_JOB, DETECTOR, DETECTOR_CODE, DETECTOR_ID, EVALUATION_CODE, GET_CODE_SOURCE, GET_DATASET,
    GET_IMAGE, HOLDOUT, LIST_CODE_SOURCES, LIST_DATASETS, LIST_IMAGES, LIST_WORKSPACES, PAYROLL,
    PAYROLL_CODE, PYTORCH, REGION, SALARIES, SCENES, VISION, VISION_EVAL, here, job,
};
use crate::harness::{Era, Home, Session, paths};

const FLAGS: [&str; 4] = ["--region", REGION, "--approve", "create"];

/// A server whose operator approved creations, and that listed the workspaces and the official images.
async fn listed(flags: &[&str]) -> Session {
    let flags = [&FLAGS[..], flags].concat();
    let session = Session::start(Home::new(), Era::Initialize, &flags, Human::absent()).await;
    session.call(LIST_WORKSPACES, here()).await.unwrap();
    session.call(LIST_IMAGES, here()).await.unwrap();
    session
}

/// A job that mounts a dataset and code.
fn mounting(workspace: &str, dataset: &str, code: &str) -> Value {
    let mut job = job(workspace, PYTORCH);
    job["DataSources"] = json!([{ "DataSourceId": dataset, "MountPath": "/data" }]);
    job["CodeSource"] = json!({ "CodeSourceId": code, "MountPath": "/code" });
    job
}

/// What a list lists of a workspace.
fn assets_of(workspace: &str) -> Value {
    json!({ "RegionId": REGION, "WorkspaceId": workspace })
}

fn dataset(id: &str) -> Value {
    json!({ "RegionId": REGION, "DatasetId": id })
}

fn code_source(id: &str) -> Value {
    json!({ "RegionId": REGION, "CodeSourceId": id })
}

const PLACES: [&str; 2] = ["DataSources[0].DataSourceId", "CodeSource.CodeSourceId"];

/// R-DLC-28, R-DLC-31, R-DLC-32: a guess is refused; what the refusal says mends it.
#[tokio::test]
async fn a_guess_is_refused_and_mended_by_listing() {
    let session = listed(&[]).await;
    let refusal =
        session.refused("dataset-from-list", CREATE_JOB, mounting(VISION, SCENES, DETECTOR_CODE)).await;
    assert_eq!(paths(&refusal), PLACES);
    for (index, tool) in [LIST_DATASETS, LIST_CODE_SOURCES].into_iter().enumerate() {
        assert!(refusal["violations"][index]["fix"].as_str().unwrap().contains(tool), "{refusal}");
    }
    assert_eq!(session.home.count("CreateJob"), 0);
    let datasets = session.call(LIST_DATASETS, assets_of(VISION)).await.unwrap();
    assert_eq!(datasets["Datasets"][0]["DatasetId"], SCENES);
    let sources = session.call(LIST_CODE_SOURCES, assets_of(VISION)).await.unwrap();
    assert_eq!(sources["CodeSources"][0]["CodeSourceId"], DETECTOR_CODE);
    session.call(CREATE_JOB, mounting(VISION, SCENES, DETECTOR_CODE)).await.unwrap();
    assert_eq!(session.home.count("CreateJob"), 1);
}

/// R-DLC-31, R-DLC-32: what one workspace has, another has not; and byte for byte.
#[tokio::test]
async fn what_another_workspace_has_is_not_known_here() {
    let session = listed(&[]).await;
    for workspace in [VISION, VISION_EVAL] {
        session.call(LIST_DATASETS, assets_of(workspace)).await.unwrap();
        session.call(LIST_CODE_SOURCES, assets_of(workspace)).await.unwrap();
    }
    let before = session.home.calls();
    for (data, code, expected) in [
        (HOLDOUT, EVALUATION_CODE, &PLACES[..]),
        (HOLDOUT, DETECTOR_CODE, &PLACES[..1]),
        (SCENES, EVALUATION_CODE, &PLACES[1..]),
        (DETECTOR_CODE, SCENES, &PLACES[..]),
        ("street-scenes", "detector", &PLACES[..]),
        (&format!("{SCENES} "), &DETECTOR_CODE.to_uppercase(), &PLACES[..]),
    ] {
        let refusal = session.call(CREATE_JOB, mounting(VISION, data, code)).await.unwrap_err();
        assert_eq!(paths(&refusal), expected, "{data} {code}");
    }
    assert_eq!(session.home.calls(), before);
    session.call(CREATE_JOB, mounting(VISION_EVAL, HOLDOUT, EVALUATION_CODE)).await.unwrap();
}

/// R-DLC-31, R-DLC-32, R-DLC-59, R-DLC-60: looking one up is a way to know it, and needs no list first.
#[tokio::test]
async fn what_was_looked_up_is_known_in_its_workspace() {
    let session = listed(&[]).await;
    let shown = session.call(GET_DATASET, dataset(SCENES)).await.unwrap();
    let uri = "oss://vision-data.oss-cn-hangzhou-internal.aliyuncs.com/street-scenes/";
    assert_eq!((&shown["Uri"], &shown["WorkspaceId"]), (&json!(uri), &json!(VISION)));
    let shown = session.call(GET_CODE_SOURCE, code_source(DETECTOR_CODE)).await.unwrap();
    assert_eq!((&shown["CodeBranch"], &shown["WorkspaceId"]), (&json!("main"), &json!(VISION)));
    session.refused("dataset-from-list", CREATE_JOB, mounting(VISION_EVAL, SCENES, DETECTOR_CODE)).await;
    session.call(CREATE_JOB, mounting(VISION, SCENES, DETECTOR_CODE)).await.unwrap();
}

/// R-DLC-31, R-DLC-32: with `--provenance verify` the cloud is asked, and believed only about that workspace.
#[tokio::test]
async fn on_a_miss_the_cloud_can_be_asked() {
    let session = listed(&["--provenance", "verify"]).await;
    let before = session.home.calls().len();
    session.call(CREATE_JOB, mounting(VISION, SCENES, DETECTOR_CODE)).await.unwrap();
    assert_eq!(session.home.calls()[before..], ["GetDataset", "GetCodeSource", "CreateJob"]);
    session.refused("dataset-from-list", CREATE_JOB, mounting(VISION, HOLDOUT, DETECTOR_CODE)).await;
    session.refused("dataset-from-list", CREATE_JOB, mounting(VISION, "d-none", DETECTOR_CODE)).await;
    session.refused("code-source-from-list", CREATE_JOB, mounting(VISION, SCENES, "code-none")).await;
    session.refused("cloud-permission", CREATE_JOB, mounting(VISION, SALARIES, DETECTOR_CODE)).await;
    assert_eq!(session.home.count("CreateJob"), 1);
}

/// R-DLC-24, R-DLC-58, R-DLC-62: an image that was got by its id may run, in its workspace; its id is no image.
#[tokio::test]
async fn an_image_that_was_got_by_its_id_may_run() {
    let session = listed(&[]).await;
    let get = json!({ "RegionId": REGION, "ImageId": DETECTOR_ID });
    session.refused("image-from-list", CREATE_JOB, job(VISION, DETECTOR)).await;
    let shown = session.call(GET_IMAGE, get).await.unwrap();
    assert_eq!(shown["ImageUri"], DETECTOR);
    assert_eq!((&shown["Owner ID"], &shown["Account ID"]), (&json!("****8833"), &json!("****6642")));
    session.refused("image-from-list", CREATE_JOB, job(VISION, DETECTOR_ID)).await;
    session.refused("image-from-list", CREATE_JOB, job(VISION_EVAL, DETECTOR)).await;
    session.call(CREATE_JOB, job(VISION, DETECTOR)).await.unwrap();
}

/// R-DLC-61: a list of datasets or code sources is one workspace's.
#[tokio::test]
async fn a_list_needs_its_workspace() {
    let session = listed(&[]).await;
    let before = session.home.calls();
    for tool in [LIST_DATASETS, LIST_CODE_SOURCES] {
        assert_eq!(paths(&session.refused("arguments", tool, here()).await), ["WorkspaceId"]);
    }
    assert_eq!(session.home.calls(), before);
}

/// R-DLC-63: a denial names the permission; what isn't there is told with its list.
#[tokio::test]
async fn a_denial_names_the_permission_and_a_missing_asset_its_list() {
    let session = listed(&[]).await;
    for (tool, arguments, permission) in [
        (LIST_DATASETS, assets_of(PAYROLL), "paidataset:ListDatasets"),
        (LIST_CODE_SOURCES, assets_of(PAYROLL), "paicodesource:ListCodeSources"),
        (GET_DATASET, dataset(SALARIES), "paidataset:GetDataset"),
        (GET_CODE_SOURCE, code_source(PAYROLL_CODE), "paicodesource:GetCodeSource"),
    ] {
        let refusal = session.refused("cloud-permission", tool, arguments).await;
        assert_eq!(refusal["error"], format!("the account lacks the permission {permission}"));
    }
    for (tool, arguments, list) in [
        (GET_DATASET, dataset("d-none"), LIST_DATASETS),
        (GET_CODE_SOURCE, code_source("code-none"), LIST_CODE_SOURCES),
    ] {
        let refusal = session.refused("cloud-not-found", tool, arguments).await;
        assert!(refusal["violations"][0]["fix"].as_str().unwrap().contains(list), "{refusal}");
    }
    let refusal = session.refused("cloud-not-found", LIST_DATASETS, assets_of("999999")).await;
    assert_eq!(refusal["error"], "workspace 999999 does not exist in cn-hangzhou");
}

/// R-WS-10, R-WS-12, R-WS-14, R-WS-24: an access token never shows, whoever it belongs to shows masked.
#[tokio::test]
async fn a_code_source_keeps_its_token() {
    let session = listed(&["--region", "cn-shanghai"]).await;
    let mut list = assets_of(VISION);
    list["detail"] = json!("full");
    let row = session.call(LIST_CODE_SOURCES, list).await.unwrap()["CodeSources"][0].clone();
    let expected = json!({
        "CodeSourceId": DETECTOR_CODE,
        "DisplayName": "detector",
        "WorkspaceId": VISION,
        "Accessibility": "PUBLIC",
        "CodeRepo": "https://codeup.aliyun.com/acme-train/detector.git",
        "CodeBranch": "main",
        "CodeCommit": "8c2f14d09b6e7a35c1d0f4482e9ab7c65d3f1e20",
        "MountPath": "/mnt/code",
        "Description": "Detector training code",
        "CloneType": 0,
        "GmtCreateTime": "2025-06-15T00:00:00Z",
        "GmtModifyTime": "2025-06-23T08:00:00Z",
        "Repository Username": "g***",
        "Creator ID": "****8833",
    });
    assert_eq!(row, expected);
    let mut shown = session.call(GET_CODE_SOURCE, code_source(DETECTOR_CODE)).await.unwrap();
    shown.as_object_mut().unwrap().remove("RequestId");
    assert_eq!(shown, expected);
    let workspaces = session.call(LIST_WORKSPACES, json!({ "RegionId": "cn-shanghai" })).await.unwrap();
    let rows = workspaces["Workspaces"].as_array().unwrap();
    let speech = rows.iter().find(|row| row["Workspace Name"] == "speech_train").unwrap();
    let list = json!({ "RegionId": "cn-shanghai", "WorkspaceId": speech["Workspace ID"] });
    let shown = session.call(LIST_CODE_SOURCES, list).await.unwrap();
    assert_eq!(
        shown["CodeSources"][0]["CodeRepo"],
        "https://ci:[masked]@codeup.aliyun.com/acme-train/conformer.git"
    );
}

/// R-WS-10, R-WS-14, R-WS-24: accounts show masked, in a role's name too; what nobody documents doesn't show.
#[tokio::test]
async fn a_dataset_shows_its_accounts_masked() {
    let session = listed(&[]).await;
    let summary = session.call(LIST_DATASETS, assets_of(VISION)).await.unwrap()["Datasets"][0].clone();
    let uri = "oss://vision-data.oss-cn-hangzhou-internal.aliyuncs.com/street-scenes/";
    assert_eq!(
        summary,
        json!({
            "DatasetId": SCENES,
            "Name": "street-scenes",
            "WorkspaceId": VISION,
            "DataSourceType": "OSS",
            "DataType": "PIC",
            "Property": "DIRECTORY",
            "Uri": uri,
            "Accessibility": "PUBLIC",
        })
    );
    let mut list = assets_of(VISION);
    list["detail"] = json!("full");
    let row = session.call(LIST_DATASETS, list).await.unwrap()["Datasets"][0].clone();
    let mut shown = session.call(GET_DATASET, dataset(SCENES)).await.unwrap();
    shown.as_object_mut().unwrap().remove("RequestId");
    assert_eq!(shown, row);
    assert_eq!((&shown["Creator ID"], &shown["Account ID"]), (&json!("****8833"), &json!("****6642")));
    let role = &shown["LatestVersion"]["DatasetTaskRamRole"];
    assert_eq!(role, "acs:ram::[masked]:role/dataset-task");
    assert_eq!(
        shown["SharingConfig"]["SharedTo"],
        json!([{
            "WorkspaceId": "771204",
            "SourceWorkspaceId": VISION,
            "Status": "ACTIVE",
            "AllowedMountAccessLevels": ["RO"],
            "IsSecureMode": false,
            "SharedAt": "2025-11-02T00:00:00Z",
            "Account ID": "****0497",
            "Source Account ID": "****6642",
        }])
    );
}
