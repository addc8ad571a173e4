use super::*;
use crate::sim::Simulator;
use crate::sim::testkit::{AT, Call, DLC, code, simulator, workspace_id};
use jiff::SignedDuration;

const IMAGE: &str =
    "dsw-registry-vpc.cn-hangzhou.cr.aliyuncs.com/pai/pytorch-training:2.3-gpu-py310-cu121-ubuntu22.04";
const TEMPLATES: &str = "/api/v1/jobtemplates";

fn content() -> Value {
    json!({
        "JobType": "PyTorchJob",
        "JobSpecs": [{"Type": "Worker", "Image": IMAGE, "PodCount": 1, "EcsSpec": "ecs.g6.large"}],
        "UserCommand": "sleep 5",
    })
}

fn wish() -> Value {
    json!({
        "TemplateName": "train",
        "WorkspaceId": workspace_id("vision_train"),
        "Content": content().to_string(),
    })
}

fn with(mut wish: Value, change: Value) -> Value {
    wish.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    wish
}

fn create(simulator: &Simulator, change: Value) -> (u16, Value) {
    Call::post(DLC, TEMPLATES, "CreateJobTemplate", &with(wish(), change)).send(simulator)
}

fn made(simulator: &Simulator, change: Value) -> String {
    create(simulator, change).1["TemplateId"].as_str().unwrap().to_owned()
}

fn get(simulator: &Simulator, id: &str, query: &str) -> (u16, Value) {
    Call::get(DLC, &format!("{TEMPLATES}/{id}{query}"), "GetJobTemplate").send(simulator)
}

fn update(simulator: &Simulator, id: &str, body: &Value) -> (u16, Value) {
    let path = format!("{TEMPLATES}/{id}");
    Call::replace(DLC, &path, "UpdateJobTemplate", body).at(AT + SignedDuration::from_secs(9)).send(simulator)
}

fn set_default(simulator: &Simulator, id: &str, body: &Value) -> (u16, Value) {
    let path = format!("{TEMPLATES}/{id}/defaultversion");
    Call::replace(DLC, &path, "SetJobTemplateDefaultVersion", body).send(simulator)
}

/// The id of a template that is there from the start.
fn seeded(name: &str) -> String {
    let world = World::seeded(1);
    let templates = &world.region("cn-hangzhou").templates;
    templates.iter().find(|template| template.name == name).unwrap().id.clone()
}

fn without_id(mut body: Value) -> Value {
    body.as_object_mut().unwrap().remove("RequestId");
    body
}

/// R-DLC-64
#[test]
fn a_template_is_stored_as_it_came() {
    let simulator = simulator();
    let constraints = json!({"JobSpecs[0].Image": "locked"});
    let change = json!({"Constraints": constraints, "Description": "d", "Metadata": {"a": [1]}});
    let (status, created) = create(&simulator, change);
    assert_eq!(status, 200, "{created}");
    let id = created["TemplateId"].as_str().unwrap();
    let same = json!({
        "TemplateId": id,
        "TemplateName": "train",
        "WorkspaceId": workspace_id("vision_train"),
        "DefaultVersion": 1,
        "Description": "d",
        "Metadata": {"a": [1]},
        "GmtCreateTime": "2026-01-01T00:00:00Z",
        "GmtModifyTime": "2026-01-01T00:00:00Z",
        "UserId": "204771836620915547",
        "TenantId": "1377620948851203",
    });
    assert_eq!(without_id(created.clone()), with(same.clone(), json!({"Version": 1})));
    let version = json!({
        "Version": 1,
        "Content": content().to_string(),
        "Constraints": constraints,
        "GmtCreateTime": "2026-01-01T00:00:00Z",
        "CreatedBy": "204771836620915547",
    });
    let more = json!({"ModifiedBy": "204771836620915547", "TotalCount": 1, "Versions": [version]});
    assert_eq!(without_id(get(&simulator, id, "").1), with(same, more));
    let state = simulator.state().unwrap().to_string();
    assert_eq!(serde_json::to_string(&World::parse(&state).unwrap()).unwrap(), state);
}

/// R-DLC-82, R-DLC-83, R-DLC-85
#[test]
fn what_cannot_be_stored_is_refused() {
    let simulator = simulator();
    let refused = |change| code(create(&simulator, change));
    for name in ["", &"训".repeat(1025)] {
        let found = refused(json!({"TemplateName": name}));
        assert_eq!(found, (400, "InvalidParameter.TemplateName".to_owned()));
    }
    assert_eq!(create(&simulator, json!({"TemplateName": "训".repeat(1024)})).0, 200);
    for wrong in ["", "{bad", "[]", "{}", r#"{"JobType": "PyTorchJob"}"#] {
        let found = refused(json!({"Content": wrong}));
        assert_eq!(found, (400, "InvalidParameter.Content".to_owned()), "{wrong}");
    }
    assert_eq!(refused(json!({"Content": content()})).1, "InvalidParameter.Content");
    let mut both = content();
    both["JobSpecs"][0]["ResourceConfig"] = json!({});
    assert_eq!(refused(json!({"Content": both.to_string()})).1, "InvalidParameter.Content");
    for wrong in
        [json!({"JobType": "readonly"}), json!({"$.JobType": "locked"}), json!([]), json!({"JobType": 1})]
    {
        let found = refused(json!({"Constraints": wrong}));
        assert_eq!(found, (400, "InvalidParameter.Constraints".to_owned()), "{wrong}");
    }
    let alone = json!({"Content": null, "Constraints": {"JobType": "locked"}});
    assert_eq!(refused(alone).1, "InvalidParameter.Constraints");
    assert_eq!(refused(json!({"WorkspaceId": "999"})), (404, "100400027".to_owned()));
    let closed = workspace_id("payroll_forecast");
    assert_eq!(refused(json!({"WorkspaceId": closed})), (403, "Forbidden.RAM".to_owned()));
}

/// R-DLC-21: what a job must give, the content may lack.
#[test]
fn content_may_lack_what_is_required() {
    let lacking = |field: &str, path: &str| {
        let mut content = content();
        content["JobSpecs"][0].as_object_mut().unwrap().remove(field);
        create(&simulator(), json!({"Content": content.to_string(), "Constraints": {path: "required"}})).0
    };
    assert_eq!(lacking("Image", "JobSpecs[0].Image"), 200);
    assert_eq!(lacking("EcsSpec", "JobSpecs[0].ResourceConfig"), 200);
    assert_eq!(lacking("Image", "JobSpecs[0].PodCount"), 400);
}

/// R-DLC-74, R-DLC-77, R-DLC-78
#[test]
fn content_makes_a_version_and_nothing_else_does() {
    let simulator = simulator();
    let id = made(&simulator, json!({}));
    let (_, body) = update(&simulator, &id, &json!({"Description": "new"}));
    let modified = "2026-01-01T00:00:09Z";
    assert_eq!(
        without_id(body),
        json!({"DefaultVersion": 1, "GmtModifyTime": modified, "Version": 1, "VersionCreated": false})
    );
    let more = json!({"Content": content().to_string(), "Constraints": {}});
    assert_eq!(
        without_id(update(&simulator, &id, &more).1),
        json!({"DefaultVersion": 1, "GmtModifyTime": modified, "Version": 2, "VersionCreated": true})
    );
    let third = with(more.clone(), json!({"SetAsDefault": true}));
    assert_eq!(update(&simulator, &id, &third).1["DefaultVersion"], 3);
    for alone in [json!({"Content": content().to_string()}), json!({"Constraints": {}})] {
        assert_eq!(code(update(&simulator, &id, &alone)).1, "InvalidParameter.Constraints");
    }
    let versions = |query: &str| -> Vec<u64> {
        let body = get(&simulator, &id, query).1;
        assert_eq!(body["TotalCount"], body["Versions"].as_array().unwrap().len());
        body["Versions"].as_array().unwrap().iter().map(|v| v["Version"].as_u64().unwrap()).collect()
    };
    assert_eq!(versions(""), [3]);
    assert_eq!(versions("?Version=2"), [2]);
    assert_eq!(versions("?Version=all"), [3, 2, 1]);
}

/// R-DLC-80, R-DLC-86
#[test]
fn versions_are_switched_to_what_there_is() {
    let simulator = simulator();
    let id = seeded("detector-train");
    assert_eq!(get(&simulator, &id, "").1["DefaultVersion"], 2);
    let (status, body) = set_default(&simulator, &id, &json!({"Version": 1}));
    assert_eq!((status, &body["DefaultVersion"]), (200, &json!(1)));
    assert_eq!(get(&simulator, &id, "").1["DefaultVersion"], 1);
    let no_version = (404, "NotFound.JobTemplateVersion".to_owned());
    assert_eq!(code(set_default(&simulator, &id, &json!({"Version": 3}))), no_version);
    assert_eq!(code(get(&simulator, &id, "?Version=3")), no_version);
    assert_eq!(code(get(&simulator, &id, "?Version=0")), no_version);
    assert_eq!(code(get(&simulator, &id, "?Version=latest")).1, "InvalidParameter.Version");
    assert_eq!(code(set_default(&simulator, &id, &json!({}))).1, "MissingParameter.Version");
    let none = (404, "NotFound.JobTemplate".to_owned());
    assert_eq!(code(get(&simulator, "tpl-none", "")), none);
    assert_eq!(code(update(&simulator, "tpl-none", &json!({"Description": "d"}))), none);
    assert_eq!(code(set_default(&simulator, "tpl-none", &json!({"Version": 1}))), none);
    assert_eq!(code(get(&simulator, &seeded("payroll-fit"), "")), (403, "Forbidden.RAM".to_owned()));
}

/// R-DLC-61
#[test]
fn templates_are_listed_by_workspace() {
    let simulator = simulator();
    let list = |query: &str| {
        let path = format!("{TEMPLATES}?WorkspaceId={}{query}", workspace_id("vision_train"));
        let (status, body) = Call::get(DLC, &path, "ListJobTemplates").send(&simulator);
        assert_eq!(status, 200, "{body}");
        let rows = body["JobTemplates"].as_array().unwrap();
        let names: Vec<_> = rows.iter().map(|row| row["TemplateName"].as_str().unwrap().to_owned()).collect();
        (names, body["TotalCount"].as_u64().unwrap())
    };
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(list("").0, names(&["segmenter-sweep", "detector-train", "detector-legacy"]));
    assert_eq!(
        list("&SortBy=TemplateName&Order=asc&PageSize=1&PageNumber=2"),
        (names(&["detector-train"]), 3)
    );
    assert_eq!(list("&TemplateName=DETECTOR").1, 2);
    assert_eq!(list("&UserId=204771836620915547").0, names(&["segmenter-sweep"]));
    assert_eq!(list(&format!("&TemplateId={}", seeded("detector-legacy"))).0, names(&["detector-legacy"]));
    assert_eq!(list("&Description=nothing").1, 0);
    let list = Call::get(DLC, TEMPLATES, "ListJobTemplates").send(&simulator);
    assert_eq!(code(list).1, "MissingParameter.WorkspaceId");
}

fn submit(simulator: &Simulator, change: Value) -> (u16, Value) {
    let job = json!({"DisplayName": "mine", "WorkspaceId": workspace_id("vision_train")});
    Call::post(DLC, "/api/v1/jobs", "CreateJob", &with(job, change)).send(simulator)
}

fn stored(simulator: &Simulator) -> Value {
    let state = simulator.state().unwrap();
    state["regions"]["cn-hangzhou"]["jobs"].as_array().unwrap().last().unwrap().clone()
}

/// R-DLC-70, R-DLC-71, R-DLC-81: the template's, with what is given over it, but for what is locked.
#[test]
fn a_job_is_its_templates_with_what_it_gives() {
    let simulator = simulator();
    let constraints =
        json!({"JobSpecs[0].Image": "locked", "Priority": "locked", "UserCommand": "overridable"});
    let id = made(&simulator, json!({"Constraints": constraints}));
    let change = json!({
        "TemplateId": id,
        "UserCommand": "exit 3",
        "Priority": 7,
        "Envs": {"A": "1"},
        "JobSpecs": [{"Image": "other", "PodCount": 2}],
    });
    assert_eq!(submit(&simulator, change).0, 200);
    let job = stored(&simulator);
    let mut expected = content();
    expected["JobSpecs"][0]["PodCount"] = json!(2);
    let own = json!({
        "DisplayName": "mine",
        "WorkspaceId": workspace_id("vision_train"),
        "TemplateId": id,
        "TemplateVersion": 1,
        "UserCommand": "exit 3",
        "Envs": {"A": "1"},
    });
    assert_eq!(job["request"], with(expected, own));
    assert_eq!(job["outcome"], "CommandFails");
    assert_eq!(get(&simulator, &id, "").1["LastUsedTime"], "2026-01-01T00:00:00Z");
    let state = simulator.state().unwrap().to_string();
    assert!(World::parse(&state).is_ok());
}

/// R-DLC-72
#[test]
fn a_job_gives_what_its_template_requires() {
    let simulator = simulator();
    let id = seeded("segmenter-sweep");
    let refused = |change| code(submit(&simulator, change));
    assert_eq!(refused(json!({"TemplateId": id})), (400, "MissingParameter.UserCommand".to_owned()));
    assert_eq!(
        refused(json!({"TemplateId": id, "UserCommand": "sleep 1"})),
        (400, "MissingParameter.PodCount".to_owned())
    );
    let specs = json!([{"PodCount": 2}]);
    let whole = json!({"TemplateId": id, "JobSpecs": specs, "UserCommand": "sleep 1"});
    assert_eq!(submit(&simulator, whole).0, 200);
    assert_eq!(stored(&simulator)["request"]["JobSpecs"][0]["Image"], IMAGE);
}

#[test]
fn a_job_takes_the_version_named_or_the_default() {
    let simulator = simulator();
    let id = seeded("detector-train");
    assert_eq!(submit(&simulator, json!({"TemplateId": id})).0, 200);
    assert_eq!(stored(&simulator)["request"]["TemplateVersion"], 2);
    assert_eq!(stored(&simulator)["outcome"], "Succeeds");
    assert_eq!(submit(&simulator, json!({"TemplateId": id, "TemplateVersion": 1})).0, 200);
    assert_eq!(stored(&simulator)["outcome"], "ImageMissing");
    let wrong = submit(&simulator, json!({"TemplateId": id, "TemplateVersion": 3}));
    assert_eq!(code(wrong), (404, "NotFound.JobTemplateVersion".to_owned()));
    let none = submit(&simulator, json!({"TemplateId": "tpl-none"}));
    assert_eq!(code(none), (404, "NotFound.JobTemplate".to_owned()));
    let closed = submit(&simulator, json!({"TemplateId": seeded("payroll-fit")}));
    assert_eq!(code(closed), (403, "Forbidden.RAM".to_owned()));
}
