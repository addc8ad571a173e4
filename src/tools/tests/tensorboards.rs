//! What is said of TensorBoards, links and tokens that can't be asked for as they are.

use serde_json::{Value, json};

use super::arguments::{TYPE, accepted, refused};
use crate::spec::marks::{Fact, Path, Shape};
use crate::tools::find;

const CREATE: &str = "dlc_create_tensorboard";
const SHARE: &str = "dlc_get_tensorboard_shared_url";
const DATA: [(&str, &str); 4] = [
    ("DataSources", r#"[{ "DataSourceId": "d-1", "MountPath": "/root/data" }]"#),
    ("DataSourceId", r#""d-1""#),
    ("Uri", r#""oss://bucket.oss-cn-hangzhou.aliyuncs.com/logs/""#),
    ("TensorboardDataSources", r#"[{ "SourceType": "dlcjob", "Id": "dlc1" }]"#),
];

/// R-DLC-15, R-DLC-41: of a job or of data, never of both, never of neither.
#[test]
fn a_tensorboard_is_of_a_job_or_of_data() {
    accepted(CREATE, json!({}));
    for (name, value) in DATA {
        let value: Value = serde_json::from_str(value).unwrap();
        accepted(CREATE, json!({ "JobId": null, name: value }));
        let both = format!(
            "{name}: stands beside JobId; a TensorBoard is of a job or of data: give JobId or data sources"
        );
        refused(CREATE, json!({ name: value }), &[&both]);
    }
    refused(
        CREATE,
        json!({ "JobId": null, "SourceType": "job", "SourceId": "dlc1" }),
        &["JobId: is missing, and so are data sources; give JobId or DataSources"],
    );
    refused(
        CREATE,
        json!({ "JobId": null, "DataSources": [] }),
        &["DataSources: has too few items; give at least 1"],
    );
    refused(CREATE, json!({ "JobId": "" }), &["JobId: is too short; give at least 1 characters"]);
}

/// R-DLC-31: an id that may be a dataset's stands only where its type says so.
#[test]
fn no_dataset_comes_under_another_name() {
    let mut guarded = Vec::new();
    let shape: &Shape = find(CREATE).unwrap().request();
    let everywhere = json!({
        "WorkspaceId": "123",
        "DataSourceId": "d-1",
        "DataSources": [{ "DataSourceId": "d-2" }],
        "SourceId": "d-3",
        "TensorboardDataSources": [{ "Id": "d-4" }],
    });
    shape.claims(&everywhere, &mut |claim| guarded.push((claim.fact, claim.path.to_string())));
    let path = |text: &str| text.to_owned();
    assert_eq!(
        guarded,
        [
            (Fact::Workspace, path("WorkspaceId")),
            (Fact::Dataset, path("DataSourceId")),
            (Fact::Dataset, path("DataSources[0].DataSourceId")),
        ]
    );
    let fix = "a dataset goes into DataSources[].DataSourceId";
    let source = format!("SourceId: isn't said to be a job's; give SourceType job with it; {fix}");
    accepted(CREATE, json!({ "SourceType": "job", "SourceId": "dlc1" }));
    for change in [json!({ "SourceId": "d-1" }), json!({ "SourceId": "d-1", "SourceType": "datasource" })] {
        refused(CREATE, change, &[&source]);
    }
    let list = Path::Field(&Path::Root, "TensorboardDataSources");
    let id = Path::Index(&list, 1);
    let compared = format!("{id}.Id: isn't said to be a job's; give SourceType dlcjob with it; {fix}");
    for second in [json!({ "Id": "d-1" }), json!({ "Id": "d-1", "SourceType": "datasource" })] {
        let sources = json!([{ "Uri": "oss://bucket/a/", "SourceType": "datasource" }, second]);
        refused(CREATE, json!({ "JobId": null, "TensorboardDataSources": sources }), &[&compared]);
    }
}

/// A TensorBoard's priority is a text, unlike a job's.
#[test]
fn a_priority_is_a_text_from_1_to_9() {
    let form = "Priority: doesn't have the documented form; it must match ^[1-9]$";
    for tool in [CREATE, "dlc_update_tensorboard"] {
        for priority in ["1", "9"] {
            accepted(tool, json!({ "Priority": priority }));
        }
        for priority in ["0", "10", "", "high"] {
            refused(tool, json!({ "Priority": priority }), &[form]);
        }
        refused(tool, json!({ "Priority": 5 }), &[&format!("Priority: must be a string; {TYPE}")]);
    }
}

/// R-DLC-16: each is about one TensorBoard.
#[test]
fn what_is_about_a_tensorboard_names_it() {
    for tool in [
        "dlc_get_tensorboard",
        "dlc_start_tensorboard",
        "dlc_stop_tensorboard",
        "dlc_update_tensorboard",
        SHARE,
    ] {
        refused(tool, json!({ "TensorboardId": null }), &["TensorboardId: is required; give it"]);
    }
}

/// R-DLC-42: refused, not cut to size.
#[test]
fn a_shared_link_is_good_for_a_week_at_most() {
    accepted(SHARE, json!({ "ExpireTimeSeconds": 1 }));
    accepted(SHARE, json!({ "ExpireTimeSeconds": 604_800 }));
    refused(
        SHARE,
        json!({ "ExpireTimeSeconds": 604_801 }),
        &["ExpireTimeSeconds: is too large; give at most 604800"],
    );
    refused(SHARE, json!({ "ExpireTimeSeconds": 0 }), &["ExpireTimeSeconds: is too small; give at least 1"]);
}

/// R-DLC-07, R-DLC-08: what is shared, by its kind and its id.
#[test]
fn a_token_is_for_one_job_or_tensorboard() {
    let tool = "dlc_get_token";
    accepted(tool, json!({ "TargetType": "tensorboard", "ExpireTime": 0 }));
    accepted(tool, json!({ "TokenSettings": { "EnableLogDownloadJob": true } }));
    refused(tool, json!({ "TargetId": null }), &["TargetId: is required; give it"]);
    refused(tool, json!({ "TargetId": "" }), &["TargetId: is too short; give at least 1 characters"]);
    refused(tool, json!({ "TargetType": null }), &["TargetType: is required; give it"]);
    refused(
        tool,
        json!({ "TargetType": "pod" }),
        &[
            "TargetType: isn't one of the documented values; give one of [\"job\",\"tensorboard\"], in this case",
        ],
    );
    refused(tool, json!({ "ExpireTime": -1 }), &["ExpireTime: is too small; give at least 0"]);
}

/// R-DLC-44: a dashboard is a job's; one to share needs a token.
#[test]
fn a_dashboard_to_share_needs_a_token() {
    let missing = "token: is required when isShared is true; call dlc_get_token for the job and give the handle that \
                   it returns";
    for tool in ["dlc_get_dashboard", "dlc_get_ray_dashboard"] {
        refused(tool, json!({ "JobId": null }), &["JobId: is required; give it"]);
        accepted(tool, json!({ "isShared": false }));
        accepted(tool, json!({ "isShared": true, "token": "handle:aeaqcaibaeaqcaibaeaqcaibae" }));
        refused(tool, json!({ "isShared": true }), &[missing]);
        refused(
            tool,
            json!({ "IsShared": true }),
            &["IsShared: isn't an argument of this tool; the name is isShared"],
        );
    }
}
