use super::*;
use crate::sim::testkit::{Call, WORKSPACE, code, simulator, workspace_id};

const SHANGHAI: &str = "aiworkspace.cn-shanghai.aliyuncs.com";

fn list(host: &str, query: &str) -> (u16, Value) {
    Call::get(host, &format!("/api/v1/datasets{query}"), "ListDatasets").send(&simulator())
}

fn get(host: &str, id: &str) -> (u16, Value) {
    Call::get(host, &format!("/api/v1/datasets/{id}"), "GetDataset").send(&simulator())
}

fn dataset(region: &str, name: &str) -> Dataset {
    let world = World::seeded(1);
    world.region(region).datasets.iter().find(|dataset| dataset.name == name).unwrap().clone()
}

#[test]
fn a_workspace_lists_its_datasets_whole() {
    let workspace = workspace_id("vision_train");
    let (status, listed) = list(WORKSPACE, &format!("?WorkspaceId={workspace}"));
    let id = dataset("cn-hangzhou", "street-scenes").id;
    let uri = "oss://vision-data.oss-cn-hangzhou-internal.aliyuncs.com/street-scenes/";
    let labels = json!([{"Key": "task", "Value": "detection"}, {"Key": "team", "Value": "vision"}]);
    let row = json!({
        "DatasetId": id,
        "WorkspaceId": workspace,
        "Name": "street-scenes",
        "Description": "Photographs for the detector",
        "Accessibility": "PUBLIC",
        "DataSourceType": "OSS",
        "DataType": "PIC",
        "Property": "DIRECTORY",
        "Uri": uri,
        "Edition": "BASIC",
        "Labels": labels,
        "LatestVersion": {
            "VersionName": "v1",
            "Description": "Photographs for the detector",
            "DataSourceType": "OSS",
            "Property": "DIRECTORY",
            "Uri": uri,
            "DataCount": 48_200,
            "DataSize": 96_400_000_000_u64,
            "Labels": labels,
            "MountAccess": "RO",
            "Options": "{\"mountPath\":\"/mnt/data\"}",
            "SourceType": "USER",
            "DatasetTaskRamRole": "acs:ram::1622847590316642:role/dataset-task",
            "UserMetricsEndpoints": [],
            "GmtCreateTime": "2025-11-02T00:00:00Z",
            "GmtModifiedTime": "2025-11-04T12:00:00Z",
        },
        "MountAccess": "RO",
        "Options": "{\"mountPath\":\"/mnt/data\"}",
        "ProviderType": "Ecs",
        "SourceType": "USER",
        "IsShared": true,
        "SharingConfig": {"SharedTo": [{
            "WorkspaceId": "771204",
            "TenantId": "1745906612830497",
            "SourceWorkspaceId": workspace,
            "SourceTenantId": "1622847590316642",
            "Status": "ACTIVE",
            "AllowedMountAccessLevels": ["RO"],
            "IsSecureMode": false,
            "SharedAt": "2025-11-02T00:00:00Z",
            "Extra": "{\"Contact\":\"zhao.min-canary-e2@acme-train.example\"}",
        }]},
        "UserId": "203918475562018833",
        "OwnerId": "1622847590316642",
        "GmtCreateTime": "2025-11-02T00:00:00Z",
        "GmtModifiedTime": "2025-11-04T12:00:00Z",
    });
    assert_eq!((status, &listed["Datasets"][0], &listed["TotalCount"]), (200, &row, &json!(2)));
    let (status, mut got) = get(WORKSPACE, &id);
    got.as_object_mut().unwrap().remove("RequestId");
    assert_eq!((status, got), (200, row));
}

#[test]
fn filters_narrow_the_list() {
    let names = |host: &str, query: &str| -> Vec<String> {
        let (status, body) = list(host, query);
        assert_eq!(status, 200, "{body}");
        let rows = body["Datasets"].as_array().unwrap().iter();
        rows.map(|row| row["Name"].as_str().unwrap().to_owned()).collect()
    };
    let vision =
        |query: &str| names(WORKSPACE, &format!("?WorkspaceId={}{query}", workspace_id("vision_train")));
    let (scenes, labels) = ("street-scenes", "street-scenes-labels");
    assert_eq!(vision("&Name=SCENES"), [scenes, labels]);
    assert_eq!(vision("&Name=labels"), [labels]);
    for (query, found) in [
        ("&DataTypes=PIC", vec![scenes]),
        ("&DataTypes=PIC,TEXT", vec![scenes, labels]),
        ("&Properties=FILE", vec![labels]),
        ("&DataSourceTypes=NAS", vec![]),
        ("&DataSourceTypes=NAS,OSS", vec![scenes, labels]),
        ("&SourceTypes=USER,ITAG", vec![scenes, labels]),
        ("&SourceTypes=PAI_PUBLIC_DATASET", vec![]),
        ("&Edition=ADVANCED", vec![]),
        ("&Accessibility=PRIVATE", vec![labels]),
        ("&Label=team", vec![scenes]),
        ("&Label=task%3Ddetection", vec![scenes, labels]),
        ("&Label=detection", vec![]),
        ("&ShareScope=BY_ME", vec![scenes]),
        ("&ShareScope=TO_ME", vec![]),
        ("&Provider=Ecs", vec![]),
        ("&SourceId=x", vec![]),
        ("&SourceDatasetId=x", vec![]),
        ("&Order=DESC", vec![labels, scenes]),
        ("&SortBy=GmtModifiedTime&PageSize=1&PageNumber=2", vec![labels]),
    ] {
        assert_eq!(vision(query), found, "{query}");
    }
    let id = dataset("cn-hangzhou", labels).id;
    assert_eq!(vision(&format!("&DatasetIds=d-none,{id}")), [labels]);
    let other = dataset("cn-hangzhou", "holdout-2025").id;
    assert_eq!(vision(&format!("&DatasetIds={other}")), Vec::<String>::new());
    let shanghai = dataset("cn-shanghai", "speech-corpus").workspace_id;
    assert_eq!(names(SHANGHAI, &format!("?WorkspaceId={shanghai}&ShareScope=TO_ME")), ["speech-corpus"]);
}

/// The service does this silently, which is why ours wants a workspace.
#[test]
fn without_a_workspace_the_default_one_is_listed() {
    let (status, body) = list(WORKSPACE, "");
    assert_eq!((status, &body["Datasets"], &body["TotalCount"]), (200, &json!([]), &json!(0)));
    assert_eq!(code(list("aiworkspace.cn-beijing.aliyuncs.com", "")), (404, "100400027".to_owned()));
}

#[test]
fn pages_have_ten_rows_by_default() {
    let mut world = World::seeded(1);
    let workspace = workspace_id("vision_train");
    let model = dataset("cn-hangzhou", "street-scenes");
    let more = (0..20).map(|number| Dataset { id: format!("d-{number}"), ..model.clone() });
    world.region_mut("cn-hangzhou").unwrap().datasets.extend(more);
    let query = Query::parse(&format!("WorkspaceId={workspace}"));
    let body = list_datasets(&world, "cn-hangzhou", &query).unwrap();
    assert_eq!((body["Datasets"].as_array().unwrap().len(), &body["TotalCount"]), (10, &json!(22)));
}

#[test]
fn wrong_questions_are_refused() {
    let id = workspace_id("vision_train");
    for (query, status, expected) in [
        ("?WorkspaceId=1".to_owned(), 404, "100400027"),
        (format!("?WorkspaceId={}", workspace_id("payroll_forecast")), 403, "Forbidden.RAM"),
        (format!("?WorkspaceId={id}&DataTypes=PIC,pic"), 400, "InvalidParameter.DataTypes"),
        (format!("?WorkspaceId={id}&DataSourceTypes=CPFS"), 400, "InvalidParameter.DataSourceTypes"),
        (format!("?WorkspaceId={id}&Properties=dir"), 400, "InvalidParameter.Properties"),
        (format!("?WorkspaceId={id}&SourceTypes=OTHER"), 400, "InvalidParameter.SourceTypes"),
        (format!("?WorkspaceId={id}&Edition=basic"), 400, "InvalidParameter.Edition"),
        (format!("?WorkspaceId={id}&ShareScope=ME"), 400, "InvalidParameter.ShareScope"),
        (format!("?WorkspaceId={id}&Accessibility=ROLE_PUBLIC"), 400, "InvalidParameter.Accessibility"),
        (format!("?WorkspaceId={id}&SortBy=Name"), 400, "InvalidParameter.SortBy"),
        (format!("?WorkspaceId={id}&Order=desc"), 400, "InvalidParameter.Order"),
        (format!("?WorkspaceId={id}&PageSize=0"), 400, "InvalidParameter.PageSize"),
    ] {
        assert_eq!(code(list(WORKSPACE, &query)), (status, expected.to_owned()), "{query}");
    }
    assert_eq!(code(get(WORKSPACE, "d-none")), (404, "201300003".to_owned()));
    let elsewhere = dataset("cn-shanghai", "speech-corpus");
    assert_eq!(code(get(WORKSPACE, &elsewhere.id)), (404, "201300003".to_owned()));
    let (status, body) = get(SHANGHAI, &elsewhere.id);
    assert_eq!((status, &body["SharedFrom"]["SourceTenantId"]), (200, &json!("1530288471659034")));
    let closed = dataset("cn-hangzhou", "salaries").id;
    assert_eq!(code(get(WORKSPACE, &closed)), (403, "Forbidden.RAM".to_owned()));
}
