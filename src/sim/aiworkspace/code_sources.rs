//! ListCodeSources and GetCodeSource, access tokens included, as the service answers them.

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::sim::params::Query;
use crate::sim::reply::{CloudError, object};
use crate::sim::world::World;
use crate::sim::world::code_sources::CodeSource;

pub(in crate::sim) fn list_code_sources(
    world: &World,
    region: &str,
    query: &Query,
) -> Result<Map<String, Value>, CloudError> {
    let descending = query.choice("Order", &["ASC", "DESC"])? == Some("DESC");
    let key = query.choice("SortBy", &["GmtCreateTime", "GmtModifyTime", "DisplayName", "CodeSourceId"])?;
    let id = query.text("WorkspaceId").ok_or_else(|| CloudError::missing("WorkspaceId"))?;
    let place = world.region(region);
    let workspace = place.enter(id, "paicodesource:ListCodeSources")?;
    let name = query.text("DisplayName").map(str::to_lowercase);
    let mut found: Vec<&CodeSource> = place
        .code_sources
        .iter()
        .filter(|source| {
            source.workspace_id == workspace.id
                && name.as_ref().is_none_or(|name| source.display_name.to_lowercase().contains(name))
        })
        .collect();
    found.sort_by(|a, b| {
        let first = match key {
            Some("GmtModifyTime") => a.modified.cmp(&b.modified),
            Some("DisplayName") => a.display_name.cmp(&b.display_name),
            Some("CodeSourceId") => a.id.cmp(&b.id),
            _ => a.created.cmp(&b.created),
        };
        first.then_with(|| a.id.cmp(&b.id))
    });
    if descending {
        found.reverse();
    }
    let total = found.len();
    let rows = query.page(found)?.into_iter().map(|source| Value::Object(body(source))).collect();
    Ok(object([("CodeSources", Some(rows)), ("TotalCount", Some(json!(total)))]))
}

pub(in crate::sim) fn get_code_source(
    world: &World,
    region: &str,
    id: &str,
) -> Result<Map<String, Value>, CloudError> {
    let place = world.region(region);
    let source = place.code_sources.iter().find(|source| source.id == id).ok_or_else(|| {
        CloudError::new(StatusCode::NOT_FOUND, "201400002", "CodeSource not exists".to_owned())
    })?;
    place.enter(&source.workspace_id, "paicodesource:GetCodeSource")?;
    Ok(body(source))
}

fn body(source: &CodeSource) -> Map<String, Value> {
    let some = |text: &str| (!text.is_empty()).then(|| json!(text));
    let login = source.login.as_ref();
    object([
        ("CodeSourceId", Some(json!(source.id))),
        ("WorkspaceId", Some(json!(source.workspace_id))),
        ("DisplayName", Some(json!(source.display_name))),
        ("Description", Some(json!(source.description))),
        ("Accessibility", Some(json!(source.accessibility))),
        ("CodeRepo", Some(json!(source.repo))),
        ("CodeBranch", Some(json!(source.branch))),
        ("CodeCommit", some(&source.commit)),
        ("CodeRepoUserName", login.map(|login| json!(login.user_name))),
        ("CodeRepoAccessToken", login.map(|login| json!(login.access_token))),
        ("CloneType", Some(json!(0))),
        ("MountPath", Some(json!(source.mount_path))),
        ("UserId", Some(json!(source.user_id))),
        ("GmtCreateTime", Some(json!(source.created))),
        ("GmtModifyTime", Some(json!(source.modified))),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::testkit::{Call, WORKSPACE, code, simulator, workspace_id};

    fn list(query: &str) -> (u16, Value) {
        Call::get(WORKSPACE, &format!("/api/v1/codesources{query}"), "ListCodeSources").send(&simulator())
    }

    fn get(id: &str) -> (u16, Value) {
        Call::get(WORKSPACE, &format!("/api/v1/codesources/{id}"), "GetCodeSource").send(&simulator())
    }

    fn id(region: &str, name: &str) -> String {
        let world = World::seeded(1);
        let found = world.region(region).code_sources.iter().find(|source| source.display_name == name);
        found.unwrap().id.clone()
    }

    #[test]
    fn a_workspace_lists_its_code_sources_with_their_tokens() {
        let workspace = workspace_id("vision_train");
        let (status, listed) = list(&format!("?WorkspaceId={workspace}"));
        let row = json!({
            "CodeSourceId": id("cn-hangzhou", "detector"),
            "WorkspaceId": workspace,
            "DisplayName": "detector",
            "Description": "Detector training code",
            "Accessibility": "PUBLIC",
            "CodeRepo": "https://codeup.aliyun.com/acme-train/detector.git",
            "CodeBranch": "main",
            "CodeCommit": "8c2f14d09b6e7a35c1d0f4482e9ab7c65d3f1e20",
            "CodeRepoUserName": "git-puller-canary-9d",
            "CodeRepoAccessToken": "glpat-canaryVq83LzT1nK",
            "CloneType": 0,
            "MountPath": "/mnt/code",
            "UserId": "203918475562018833",
            "GmtCreateTime": "2025-06-15T00:00:00Z",
            "GmtModifyTime": "2025-06-23T08:00:00Z",
        });
        assert_eq!((status, &listed["CodeSources"][0], &listed["TotalCount"]), (200, &row, &json!(2)));
        let (status, mut got) = get(&id("cn-hangzhou", "detector"));
        got.as_object_mut().unwrap().remove("RequestId");
        assert_eq!((status, got), (200, row));
        let public = &listed["CodeSources"][1];
        for absent in ["CodeRepoUserName", "CodeRepoAccessToken", "CodeCommit"] {
            assert_eq!(public.get(absent), None);
        }
    }

    #[test]
    fn filters_and_order_are_applied() {
        let names = |query: &str| -> Vec<String> {
            let (_, body) = list(&format!("?WorkspaceId={}{query}", workspace_id("vision_train")));
            let rows = body["CodeSources"].as_array().unwrap().iter();
            rows.map(|row| row["DisplayName"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names(""), ["detector", "segmenter"]);
        assert_eq!(names("&DisplayName=SEG"), ["segmenter"]);
        for key in ["GmtCreateTime", "GmtModifyTime", "DisplayName"] {
            assert_eq!(names(&format!("&SortBy={key}&Order=DESC")), ["segmenter", "detector"]);
        }
        let mut by_id = ["detector", "segmenter"];
        by_id.sort_by_key(|name| id("cn-hangzhou", name));
        assert_eq!(names("&SortBy=CodeSourceId"), by_id);
        assert_eq!(names("&PageSize=1&PageNumber=2"), ["segmenter"]);
    }

    #[test]
    fn wrong_questions_are_refused() {
        let closed = workspace_id("payroll_forecast");
        for (query, status, expected) in [
            (String::new(), 400, "MissingParameter.WorkspaceId"),
            ("?WorkspaceId=1".to_owned(), 404, "100400027"),
            (format!("?WorkspaceId={closed}"), 403, "Forbidden.RAM"),
            (format!("?WorkspaceId={closed}&Order=asc"), 400, "InvalidParameter.Order"),
            (format!("?WorkspaceId={closed}&SortBy=GmtModifiedTime"), 400, "InvalidParameter.SortBy"),
        ] {
            assert_eq!(code(list(&query)), (status, expected.to_owned()), "{query}");
        }
        assert_eq!(code(get("code-none")), (404, "201400002".to_owned()));
        assert_eq!(code(get(&id("cn-shanghai", "conformer"))), (404, "201400002".to_owned()));
        assert_eq!(code(get(&id("cn-hangzhou", "payroll"))), (403, "Forbidden.RAM".to_owned()));
    }
}
