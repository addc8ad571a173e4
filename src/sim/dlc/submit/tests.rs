use super::*;
use crate::sim::Simulator;
use crate::sim::testkit::{Call, DLC, code, simulator, workspace_id};

const IMAGE: &str =
    "dsw-registry-vpc.cn-hangzhou.cr.aliyuncs.com/pai/pytorch-training:2.3-gpu-py310-cu121-ubuntu22.04";

fn wish() -> Value {
    json!({
        "DisplayName": "train",
        "JobType": "PyTorchJob",
        "WorkspaceId": workspace_id("vision_train"),
        "JobSpecs": [{"Type": "Worker", "Image": IMAGE, "PodCount": 1, "EcsSpec": "ecs.gn6i-c4g1.xlarge"}],
        "UserCommand": "python train.py",
    })
}

fn create(simulator: &Simulator, body: &Value) -> (u16, Value) {
    Call::post(DLC, "/api/v1/jobs", "CreateJob", body).send(simulator)
}

fn stored(simulator: &Simulator) -> Value {
    let state = simulator.state().unwrap();
    state["regions"]["cn-hangzhou"]["jobs"].as_array().unwrap().last().unwrap().clone()
}

#[test]
fn a_submitted_job_is_stored_as_it_came() {
    let simulator = simulator();
    let (status, body) = create(&simulator, &wish());
    assert_eq!(status, 200, "{body}");
    let expected = json!({
        "id": body["JobId"],
        "workspace_id": workspace_id("vision_train"),
        "user_id": "204771836620915547",
        "submitted": "2026-01-01T00:00:00Z",
        "updated": null,
        "run": "PT1M",
        "outcome": "Succeeds",
        "stopped": null,
        "output": "Ordinary",
        "request": wish(),
    });
    assert_eq!(stored(&simulator), expected);
}

/// The service does this silently, which is why nobody should rely on it.
#[test]
fn a_job_without_a_workspace_falls_into_the_default_one() {
    let simulator = simulator();
    let mut body = wish();
    body.as_object_mut().unwrap().remove("WorkspaceId");
    assert_eq!(create(&simulator, &body).0, 200);
    assert_eq!(stored(&simulator)["workspace_id"], json!(workspace_id("default_hangzhou")));
}

/// R-DLC-24: the service takes an image that nobody listed, and the job fails for it.
#[test]
fn an_unknown_image_is_taken_and_fails_later() {
    let simulator = simulator();
    for image in [
        "docker.io/library/pytorch:latest".to_owned(),
        format!("{IMAGE} "),
        // Own image of another workspace.
        "registry-vpc.cn-hangzhou.aliyuncs.com/vision-team/detector-eval:2025.11".to_owned(),
    ] {
        let mut body = wish();
        body["JobSpecs"][0]["Image"] = json!(image);
        assert_eq!(create(&simulator, &body).0, 200);
        assert_eq!(stored(&simulator)["outcome"], json!("ImageMissing"), "{image}");
    }
}

#[test]
fn workspaces_are_checked() {
    let workspace = |id: &str| {
        let mut body = wish();
        body["WorkspaceId"] = json!(id);
        code(create(&simulator(), &body))
    };
    assert_eq!(workspace("999"), (404, "100400027".to_owned()));
    assert_eq!(workspace(&workspace_id("recsys_archive")), (400, "WorkspaceNotEnabled".to_owned()));
    assert_eq!(workspace(&workspace_id("payroll_forecast")), (403, "Forbidden.RAM".to_owned()));
    let host = "pai-dlc.ap-southeast-1.aliyuncs.com";
    let inactive = Call::post(host, "/api/v1/jobs", "CreateJob", &wish()).send(&simulator());
    assert_eq!(code(inactive), (400, "ServiceNotActivated".to_owned()));
}

/// R-DLC-02, R-DLC-20, R-DLC-21, R-DLC-27
#[test]
fn a_malformed_job_is_refused_by_name() {
    let simulator = simulator();
    let before = simulator.state().unwrap();
    let resources = json!({"CPU": "4", "Memory": "16Gi"});
    for (pointer, value, expected) in [
        ("/DisplayName", Value::Null, "MissingParameter.DisplayName"),
        ("/DisplayName", json!("n".repeat(1025)), "InvalidParameter.DisplayName"),
        ("/JobType", Value::Null, "MissingParameter.JobType"),
        ("/JobType", json!("pytorchjob"), "InvalidParameter.JobType"),
        ("/UserCommand", json!(""), "MissingParameter.UserCommand"),
        ("/JobSpecs", json!([]), "MissingParameter.JobSpecs"),
        ("/JobSpecs/0", json!("Worker"), "InvalidParameter.JobSpecs[0]"),
        ("/JobSpecs/0/Type", json!("Head"), "InvalidParameter.Type"),
        ("/JobSpecs/0/Image", Value::Null, "MissingParameter.Image"),
        ("/JobSpecs/0/PodCount", json!(0), "InvalidParameter.PodCount"),
        ("/JobSpecs/0/PodCount", Value::Null, "MissingParameter.PodCount"),
        ("/JobSpecs/0/EcsSpec", Value::Null, "MissingParameter.EcsSpec"),
        ("/JobSpecs/0/EcsSpec", json!("ecs.none.large"), "InvalidParameter.EcsSpec"),
        ("/JobSpecs/0/ResourceConfig", resources, "InvalidParameter.EcsSpec"),
        ("/JobSpecs/0/RestartPolicy", json!("Sometimes"), "InvalidParameter.RestartPolicy"),
        ("/Priority", json!(0), "InvalidParameter.Priority"),
        ("/Priority", json!(10), "InvalidParameter.Priority"),
        ("/Accessibility", json!("public"), "InvalidParameter.Accessibility"),
        ("/JobMaxRunningTimeMinutes", json!(0), "InvalidParameter.JobMaxRunningTimeMinutes"),
        ("/Envs", json!({"DEBUG": 1}), "InvalidParameter.Envs"),
        ("/Settings", json!({"EnableSanityCheck": "true"}), "InvalidParameter.EnableSanityCheck"),
        ("/DataSources", json!([{"MountPath": "/mnt"}]), "MissingParameter.DataSourceId"),
    ] {
        let mut body = wish();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        match body.pointer_mut(parent).unwrap() {
            Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
            object => object[name] = value,
        }
        assert_eq!(code(create(&simulator, &body)), (400, expected.to_owned()), "{pointer}");
    }
    let mut templated = wish();
    templated["TemplateId"] = json!("tpl-1");
    assert_eq!(code(create(&simulator, &templated)), (404, "NotFound.JobTemplate".to_owned()));
    assert_eq!(simulator.state().unwrap(), before);
}

/// R-DLC-20: the two resource forms exclude each other within a spec, not within a job.
#[test]
fn each_spec_may_have_its_own_resource_form() {
    let mut body = wish();
    body["ResourceId"] = json!("quota1");
    body["JobSpecs"] = json!([
        {"Type": "Master", "Image": IMAGE, "PodCount": 1, "EcsSpec": "ecs.g6.large"},
        {"Type": "Worker", "Image": IMAGE, "PodCount": 1, "ResourceConfig": {"CPU": "4", "Memory": "16Gi"}},
    ]);
    assert_eq!(create(&simulator(), &body).0, 200);
}

/// R-DLC-31, R-DLC-32: what a job mounts must be there, in its own workspace.
#[test]
fn datasets_and_code_sources_are_those_of_the_workspace() {
    let world = World::seeded(1);
    let place = world.region("cn-hangzhou");
    let dataset = |name: &str| place.datasets.iter().find(|dataset| dataset.name == name).unwrap().id.clone();
    let source =
        |name: &str| place.code_sources.iter().find(|source| source.display_name == name).unwrap().id.clone();
    let simulator = simulator();
    let mounts = |data: &str, code: &str| {
        let mut body = wish();
        body["DataSources"] =
            json!([{"Uri": "oss://bucket/a/"}, {"DataSourceId": data, "MountPath": "/data"}]);
        body["CodeSource"] = json!({"CodeSourceId": code, "MountPath": "/code"});
        create(&simulator, &body)
    };
    let (data, code_id) = (dataset("street-scenes"), source("detector"));
    assert_eq!(mounts(&data, &code_id).0, 200);
    let unknown = |name: &str| (400, format!("InvalidParameter.{name}"));
    let others = [dataset("holdout-2025"), format!("{data} "), data.to_uppercase(), code_id.clone()];
    for other in others {
        let refused = mounts(&other, &code_id);
        let message = "DataSources[1].DataSourceId must be a dataset of the job's workspace.";
        assert_eq!(refused.1["Message"], message);
        assert_eq!(code(refused), unknown("DataSourceId"));
    }
    for other in [source("evaluation"), format!("{code_id} "), data.clone()] {
        assert_eq!(code(mounts(&data, &other)), unknown("CodeSourceId"));
    }
}
