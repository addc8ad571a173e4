//! ListImages, official images without a workspace and a workspace's own with one; GetImage, either by its id.

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::sim::params::Query;
use crate::sim::reply::{CloudError, object};
use crate::sim::world::{Image, World};

pub(in crate::sim) fn list_images(
    world: &World,
    region: &str,
    query: &Query,
) -> Result<Map<String, Value>, CloudError> {
    let verbose = query.flag("Verbose", false)?;
    let accessibility = query.choice("Accessibility", &["PUBLIC", "PRIVATE"])?;
    let exact = query.choice("Options", &["ExactMatchName"])?.is_some();
    let descending = query.choice("Order", &["ASC", "DESC"])? == Some("DESC");
    query.choice("SortBy", &["GmtCreateTime"])?;
    let labels = labels(query)?;

    let mut images = match query.text("WorkspaceId") {
        None => world.official_images(region),
        Some(id) => {
            let place = world.region(region);
            let workspace = place.enter(id, "paiimage:ListImages")?;
            place.images.iter().filter(|image| belongs_to(image, &workspace.id)).cloned().collect()
        }
    };
    images.retain(|image| {
        let name = query.text("Name").is_none_or(|name| match exact {
            true => image.name == name,
            false => contains(&image.name, name),
        });
        let searched = query
            .text("Query")
            .is_none_or(|text| contains(&image.name, text) || contains(&image.description, text));
        name && searched
            && query.text("ImageUri").is_none_or(|uri| image.uri.contains(uri))
            && accessibility.is_none_or(|wanted| image.accessibility == wanted)
            && labels.iter().all(|wanted| {
                image.labels.iter().any(|(key, value)| (key.as_str(), value.as_str()) == *wanted)
            })
    });
    images.sort_by(|a, b| a.created.cmp(&b.created).then_with(|| a.id.cmp(&b.id)));
    if descending {
        images.reverse();
    }
    let total = images.len();
    let rows = query.page(images)?.iter().map(|image| Value::Object(row(image, verbose))).collect();
    Ok(object([("Images", Some(rows)), ("TotalCount", Some(json!(total)))]))
}

pub(in crate::sim) fn get_image(
    world: &World,
    region: &str,
    id: &str,
    query: &Query,
) -> Result<Map<String, Value>, CloudError> {
    let verbose = query.flag("Verbose", false)?;
    let place = world.region(region);
    let official = world.official_images(region);
    let image = official.iter().chain(&place.images).find(|image| image.id == id).ok_or_else(|| {
        CloudError::new(StatusCode::NOT_FOUND, "NotFound.Image", "The image does not exist.".to_owned())
    })?;
    if let Some(belongs) = &image.belongs {
        place.enter(&belongs.workspace_id, "paiimage:GetImage")?;
    }
    let mut body = row(image, verbose);
    body.remove("ImageId");
    Ok(body)
}

fn belongs_to(image: &Image, workspace_id: &str) -> bool {
    image.belongs.as_ref().is_some_and(|belongs| belongs.workspace_id == workspace_id)
}

fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}

/// `Key=Value` conditions, comma-joined; all of them must hold.
fn labels(query: &Query) -> Result<Vec<(&str, &str)>, CloudError> {
    let conditions = query.list("Labels").unwrap_or_default();
    let each = conditions.into_iter().map(|condition| {
        condition
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| CloudError::invalid("Labels", "must be Key=Value conditions joined by commas"))
    });
    each.collect()
}

fn row(image: &Image, verbose: bool) -> Map<String, Value> {
    let belongs = image.belongs.as_ref();
    let labels = || image.labels.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    object([
        ("ImageId", Some(json!(image.id))),
        ("Name", Some(json!(image.name))),
        ("ImageUri", Some(json!(image.uri))),
        ("Description", Some(json!(image.description))),
        ("Accessibility", Some(json!(image.accessibility))),
        ("Size", Some(json!(image.size))),
        ("GmtCreateTime", Some(json!(image.created))),
        ("GmtModifiedTime", Some(json!(image.created))),
        ("Labels", verbose.then(labels)),
        ("WorkspaceId", belongs.map(|belongs| json!(belongs.workspace_id))),
        ("UserId", belongs.map(|belongs| json!(belongs.user_id))),
        ("ParentUserId", belongs.map(|belongs| json!(belongs.parent_user_id))),
        ("SourceType", belongs.map(|_| json!("dsw"))),
        ("SourceId", belongs.map(|belongs| json!(belongs.source_id))),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::testkit::{Call, WORKSPACE, code, simulator, workspace_id};

    fn images(query: &str) -> (u16, Value) {
        Call::get(WORKSPACE, &format!("/api/v1/images{query}"), "ListImages").send(&simulator())
    }

    fn names(query: &str) -> Vec<String> {
        let (status, body) = images(query);
        assert_eq!(status, 200, "{body}");
        let rows = body["Images"].as_array().unwrap();
        rows.iter().map(|row| row["Name"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn official_images_come_without_a_workspace_and_name_none() {
        let (_, body) = images("?PageSize=50");
        let rows = body["Images"].as_array().unwrap();
        assert_eq!((rows.len(), &body["TotalCount"]), (6, &json!(6)));
        for row in rows {
            let uri = row["ImageUri"].as_str().unwrap();
            assert!(uri.starts_with("dsw-registry-vpc.cn-hangzhou.cr.aliyuncs.com/pai/"), "{uri}");
            for absent in ["WorkspaceId", "UserId", "ParentUserId", "Labels"] {
                assert_eq!(row.get(absent), None);
            }
        }
    }

    #[test]
    fn a_workspace_lists_its_own_images_with_their_owners() {
        let id = workspace_id("vision_train_eval");
        let (_, body) = images(&format!("?WorkspaceId={id}&Verbose=true"));
        let image_id = body["Images"][0]["ImageId"].clone();
        let source_id = body["Images"][0]["SourceId"].clone();
        let row = json!({
            "ImageId": image_id,
            "Name": "detector-eval-2025.11",
            "ImageUri": "registry-vpc.cn-hangzhou.aliyuncs.com/vision-team/detector-eval:2025.11",
            "Description": "Detector evaluation",
            "Accessibility": "PUBLIC",
            "Size": 9,
            "GmtCreateTime": "2025-11-24T00:00:00Z",
            "GmtModifiedTime": "2025-11-24T00:00:00Z",
            "Labels": [
                {"Key": "system.chipType", "Value": "GPU"},
                {"Key": "system.framework", "Value": "PyTorch"},
                {"Key": "system.origin", "Value": "Custom"},
                {"Key": "system.supported.dlc", "Value": "true"},
            ],
            "WorkspaceId": id,
            "UserId": "208846120937745106",
            "ParentUserId": "1622847590316642",
            "SourceType": "dsw",
            "SourceId": source_id,
        });
        assert_eq!((&body["Images"], &body["TotalCount"]), (&json!([row]), &json!(1)));
    }

    #[test]
    fn filters_narrow_the_list() {
        assert_eq!(
            names("?Labels=system.chipType=CPU,system.framework=PyTorch"),
            ["pytorch-training:2.3-cpu-py310-ubuntu22.04"]
        );
        assert_eq!(names("?Name=PyTorch&Labels=system.officialReleased%3Dtrue").len(), 3);
        assert_eq!(names("?Name=pytorch-training&Options=ExactMatchName"), Vec::<String>::new());
        assert_eq!(names("?Query=deepspeed"), ["deepspeed-training:0.14-gpu-py310-cu121-ubuntu22.04"]);
        assert_eq!(
            names(
                "?ImageUri=dsw-registry-vpc.cn-hangzhou.cr.aliyuncs.com/pai/tensorflow-training:2.15-gpu-py311-cu122-ubuntu22.04"
            ),
            ["tensorflow-training:2.15-gpu-py311-cu122-ubuntu22.04"]
        );
        assert_eq!(
            names("?SortBy=GmtCreateTime&Order=DESC&PageSize=1&PageNumber=2"),
            ["deepspeed-training:0.14-gpu-py310-cu121-ubuntu22.04"]
        );
        let private = format!("?WorkspaceId={}&Accessibility=PRIVATE", workspace_id("vision_train"));
        assert_eq!(names(&private), ["segmenter-1.4.2"]);
    }

    /// R-DLC-58: an image by its id is the one of the list, without the id.
    #[test]
    fn an_image_by_its_id_is_the_one_of_the_list() {
        let id = workspace_id("vision_train");
        for list in ["?Verbose=true".to_owned(), format!("?Verbose=true&WorkspaceId={id}")] {
            let (_, body) = images(&list);
            for row in body["Images"].as_array().unwrap() {
                let path = format!("/api/v1/images/{}", row["ImageId"].as_str().unwrap());
                let get = |query: &str| {
                    Call::get(WORKSPACE, &format!("{path}{query}"), "GetImage").send(&simulator())
                };
                let mut expected = row.clone();
                expected.as_object_mut().unwrap().remove("ImageId");
                for (query, labels) in [("?Verbose=true", true), ("", false)] {
                    let (status, mut got) = get(query);
                    got.as_object_mut().unwrap().remove("RequestId");
                    if !labels {
                        expected.as_object_mut().unwrap().remove("Labels");
                    }
                    assert_eq!((status, &got), (200, &expected));
                }
                assert_eq!(code(get("?Verbose=yes")), (400, "InvalidParameter.Verbose".to_owned()));
            }
        }
        let elsewhere = images("?Verbose=true").1["Images"][0]["ImageId"].clone();
        let host = "aiworkspace.cn-shanghai.aliyuncs.com";
        for (host, id) in [(WORKSPACE, "image-none"), (host, elsewhere.as_str().unwrap())] {
            let missing = Call::get(host, &format!("/api/v1/images/{id}"), "GetImage").send(&simulator());
            assert_eq!(code(missing), (404, "NotFound.Image".to_owned()));
        }
    }

    #[test]
    fn wrong_questions_are_refused() {
        for (query, status, expected) in [
            ("?Labels=GPU".to_owned(), 400, "InvalidParameter.Labels"),
            ("?Order=desc".to_owned(), 400, "InvalidParameter.Order"),
            ("?WorkspaceId=1".to_owned(), 404, "100400027"),
            (format!("?WorkspaceId={}", workspace_id("payroll_forecast")), 403, "Forbidden.RAM"),
        ] {
            assert_eq!(code(images(&query)), (status, expected.to_owned()), "{query}");
        }
    }
}
