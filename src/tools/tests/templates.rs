//! What is said of a template that can't be stored as it is.

use serde_json::{Value, json};

use super::arguments::{self, TYPE, accepted, faults, refused, worker};
use crate::spec::schema::generate;
use crate::tools::dlc::jobs::CreateJob;
use crate::tools::dlc::template_content::TemplateJob;
use crate::tools::find;

const CREATE: &str = "dlc_create_job_template";
const UPDATE: &str = "dlc_update_job_template";
const SET: &str = "dlc_set_job_template_default_version";
const GET: &str = "dlc_get_job_template";

/// [`stored`] as it is sent: compact, its fields in the order of the types.
const COMPACT: &str = r#"{"JobType":"PyTorchJob","JobSpecs":[{"EcsSpec":"ecs.gn6i-c4g1.xlarge","Image":"registry/pytorch:2.3","PodCount":1,"Type":"Worker"}]}"#;

/// What each tool of templates takes at least.
pub(super) fn least(tool: &str) -> Value {
    match tool {
        CREATE => json!({
            "RegionId": "cn-hangzhou",
            "WorkspaceId": "123",
            "TemplateName": "resnet",
            // Written as it is sent: what holds of every tool is that arguments are sent as they were given.
            "Content": COMPACT,
        }),
        SET => json!({ "RegionId": "cn-hangzhou", "TemplateId": "tpl1", "Version": 2 }),
        "dlc_list_job_templates" => json!({ "RegionId": "cn-hangzhou", "WorkspaceId": "123" }),
        GET | UPDATE => json!({ "RegionId": "cn-hangzhou", "TemplateId": "tpl1" }),
        other => panic!("no arguments for {other}"),
    }
}

/// The least that a template holds.
fn stored() -> Value {
    json!({ "JobType": "PyTorchJob", "JobSpecs": [worker()] })
}

/// The content with `change` over it; null takes a field out.
fn content(change: Value) -> Value {
    let mut content = stored();
    for (name, value) in change.as_object().unwrap() {
        match value {
            Value::Null => drop(content.as_object_mut().unwrap().remove(name)),
            value => content[name] = value.clone(),
        }
    }
    content
}

fn stored_with(change: Value) -> Value {
    json!({ "Content": content(change).to_string() })
}

fn constrained(content: Value, constraints: Value) -> Value {
    json!({ "Content": content.to_string(), "Constraints": constraints })
}

/// R-DLC-64: a template stores what CreateJob takes, but for the region and another template.
#[test]
fn a_template_stores_the_arguments_of_a_job() {
    let names = |schema: Value| -> Vec<String> {
        schema["properties"].as_object().unwrap().keys().cloned().collect()
    };
    let mut job = names(generate::<CreateJob>());
    job.retain(|name| !["RegionId", "TemplateId", "TemplateVersion"].contains(&name.as_str()));
    assert_eq!(names(generate::<TemplateJob>()), job);
    let (job, stored) = (generate::<CreateJob>(), generate::<TemplateJob>());
    for (name, mut schema) in stored["properties"].as_object().unwrap().clone() {
        let mut expected = job["properties"][&name].clone();
        for schema in [&mut schema, &mut expected] {
            let schema = schema.as_object_mut().unwrap();
            schema.retain(|keyword, _| keyword != "description" && keyword != "x-folded");
        }
        assert_eq!(schema, expected, "{name}");
    }
}

/// R-DLC-12, R-DLC-13, R-DLC-14
#[test]
fn what_names_a_template_is_required() {
    for name in ["TemplateName", "WorkspaceId", "Content"] {
        refused(CREATE, json!({ name: null }), &[&format!("{name}: is required; give it")]);
    }
    for tool in [GET, UPDATE, SET] {
        refused(tool, json!({ "TemplateId": null }), &["TemplateId: is required; give it"]);
    }
    refused(SET, json!({ "Version": null }), &["Version: is required; give it"]);
    refused("dlc_list_job_templates", json!({ "WorkspaceId": null }), &["WorkspaceId: is required; give it"]);
}

/// R-DLC-82: 1 to 1024 characters, not bytes.
#[test]
fn names_have_1_to_1024_characters() {
    for tool in [CREATE, UPDATE] {
        accepted(tool, json!({ "TemplateName": "训".repeat(1024) }));
        let long = "TemplateName: is too long; give at most 1024 characters";
        refused(tool, json!({ "TemplateName": "训".repeat(1025) }), &[long]);
        refused(
            tool,
            json!({ "TemplateName": "" }),
            &["TemplateName: is too short; give at least 1 characters"],
        );
    }
}

/// R-DLC-83: JSON with the fields that a job must have; a text, or the object itself, and the same goes out.
#[test]
fn content_is_a_json_object() {
    let fix = "give one JSON object as text, as JSON.stringify writes it, or the object itself";
    for (wrong, fault) in [
        ("{bad", "isn't JSON (line 1, column 2)"),
        ("", "isn't JSON (line 1, column 0)"),
        ("[]", "isn't a JSON object"),
        (r#"{\"JobType\":\"PyTorchJob\"}"#, "isn't JSON (line 1, column 2)"),
        (
            r#"{"JobType":"TFJob","JobType":"RayJob"}"#,
            "has an object that names something twice (line 1, column 28)",
        ),
    ] {
        refused(CREATE, json!({ "Content": wrong }), &[&format!("Content: {fault}; {fix}")]);
    }
    let deep =
        format!("{{\"Settings\":{{\"AdvancedSettings\":{}1{}}}}}", "{\"a\":".repeat(40), "}".repeat(40));
    refused(CREATE, json!({ "Content": deep }), &[&format!("Content: nests deeper than 32 levels; {fix}")]);
    refused(CREATE, json!({ "Content": 5 }), &[&format!("Content: must be a string; {TYPE}")]);
    refused(CREATE, json!({ "Content": ["a"] }), &[&format!("Content: must be a string; {TYPE}")]);
    let sent = |content: Value| {
        let mut arguments = arguments::least(CREATE);
        arguments.insert("Content".to_owned(), content);
        find(CREATE).unwrap().parse(&arguments).unwrap().arguments()["Content"].clone()
    };
    assert_eq!(sent(stored()), COMPACT);
    assert_eq!(sent(json!(stored().to_string())), COMPACT);
    assert_eq!(sent(json!(format!("\n{:#} ", stored()))), COMPACT);
}

/// R-DLC-20, R-DLC-21, R-DLC-23, R-DLC-27, R-DLC-83: what a job would be told, with its place in Content.
#[test]
fn content_is_checked_as_a_job_is() {
    let give = "give it in Content, or say in Constraints that a job must give it";
    refused(
        CREATE,
        json!({ "Content": "{}" }),
        &[
            &format!("Content.JobType: is required; {give}"),
            &format!("Content.JobSpecs: is required; {give}"),
        ],
    );
    refused(
        CREATE,
        stored_with(json!({ "JobSpecs": [{ "Image": "i", "Foo": 1 }, 5], "Priority": 10, "job_type": "x" })),
        &[
            "Content.JobSpecs[0].Foo: isn't a field of this JSON; the names are AssignNodeSpec, AutoScalingSpec, \
             ConsiderInSuccessPolicy, Driver, EcsSpec, ElasticSpotSpecs, ExtraPodSpec, HyperNodeSchedulingConfig, Image, \
             ImageConfig, IsCheif, IsChief, LocalMountSpecs, OversoldType, PodCount, QuotaId, ResourceConfig, RestartPolicy, \
             ServiceSpec, SpotSpec, StartupDependencies, SystemDisk, Type, UseSpotInstance, UserCommand",
            &format!("Content.JobSpecs[1]: must be an object; {TYPE}"),
            "Content.Priority: is too large; give at most 9",
            "Content.job_type: isn't a field of this JSON; the name is JobType",
        ],
    );
    let mut spec = worker();
    spec["ResourceConfig"] = json!({ "CPU": "4" });
    let both = "Content.JobSpecs[1]: has both EcsSpec and ResourceConfig; EcsSpec is for public resources, ResourceConfig for \
                a dedicated resource group: give one of them";
    refused(CREATE, stored_with(json!({ "JobSpecs": [worker(), spec] })), &[both]);
    refused(
        CREATE,
        stored_with(json!({ "JobSpecs": [{ "EcsSpec": "e" }] })),
        &[
            "Content.JobSpecs[0].Type: is required; give it",
            "Content.JobSpecs[0].Image: is required; give it",
            "Content.JobSpecs[0].PodCount: is required; give it",
        ],
    );
    let mut spec = worker();
    spec["Type"] = json!("Head");
    let role = "Content.JobSpecs[0].Type: isn't a role of this JobType; Worker and Master fit most types; TFJob has Chief, \
                PS, Worker, Evaluator, GraphLearn; RayJob has Head, Worker";
    refused(CREATE, stored_with(json!({ "JobSpecs": [spec] })), &[role]);
    refused(
        CREATE,
        stored_with(
            json!({ "JobSpecs": [{ "Type": "Worker", "Image": "i", "PodCount": 1.0, "ResourceConfig": { "cpu": 4 } }] }),
        ),
        &[
            "Content.JobSpecs[0].ResourceConfig.cpu: isn't a field of this JSON; the name is CPU",
            "Content.JobSpecs[0].PodCount: isn't written as a whole number of 64 bits; give it without a decimal point or \
             exponent",
        ],
    );
    accepted(
        CREATE,
        stored_with(json!({ "UserCommand": "python train.py", "WorkspaceId": "123", "DisplayName": "d" })),
    );
}

/// R-DLC-24, R-DLC-76: no way to bring an image that no list has, and no template within a template.
#[test]
fn content_brings_images_from_no_other_place() {
    let mut spec = worker();
    spec["ImageConfig"] = json!({ "DockerRegistry": "evil.example" });
    let found = faults(CREATE, stored_with(json!({ "JobSpecs": [spec] })));
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("Content.JobSpecs[0].ImageConfig.DockerRegistry: "), "{found:?}");
    let found =
        faults(CREATE, stored_with(json!({ "Settings": { "AdvancedSettings": { "Image": "evil" } } })));
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("Content.Settings.AdvancedSettings: can't be judged"), "{found:?}");
    for (name, value, fix) in [
        ("TemplateId", json!("tpl2"), "leave it out: a template can't rest on another one"),
        ("TemplateVersion", json!(1), "leave it out: a template can't rest on another one"),
        (
            "RegionId",
            json!("cn-hangzhou"),
            "leave it out: the template belongs to the region that RegionId beside Content names",
        ),
    ] {
        let fault = format!("Content.{name}: isn't a field of this JSON; {fix}");
        refused(CREATE, stored_with(json!({ name: value })), &[&fault]);
    }
}

/// R-DLC-67: three words, in lower case; R-DLC-69: an object, not a text with quotes in it.
#[test]
fn constraints_are_an_object_of_three_words() {
    let fields =
        json!({ "JobSpecs[0].Image": "locked", "JobType": "overridable", "UserCommand": "required" });
    accepted(CREATE, json!({ "Constraints": fields }));
    let words = r#"isn't one of the documented values; give one of ["locked","overridable","required"], in this case"#;
    for wrong in ["readonly", "Locked", ""] {
        refused(
            CREATE,
            json!({ "Constraints": { "UserCommand": wrong } }),
            &[&format!("Constraints.UserCommand: {words}")],
        );
    }
    refused(
        CREATE,
        json!({ "Constraints": r#"{\"UserCommand\":\"locked\"}"# }),
        &[&format!("Constraints: must be an object; {TYPE}")],
    );
}

/// R-DLC-68: paths that lead to something in this very content.
#[test]
fn constraints_name_fields_of_the_content() {
    let content =
        content(json!({ "DataSources": [{ "Uri": "oss://b/", "MountPath": "/mnt" }], "Envs": { "A": "1" } }));
    for path in [
        "JobSpecs[0].EcsSpec",
        "UserCommand",
        "DataSources[0].MountPath",
        "Envs.A",
        "JobSpecs",
        "Settings.Tags.t",
    ] {
        accepted(CREATE, constrained(content.clone(), json!({ path: "locked" })));
    }
    let nowhere = "leads to no field of a job; name a field of Content as dlc_create_job has it, such as JobSpecs[0].Image";
    let no_item =
        "leads to an item that Content hasn't got; count from 0, and give in Content what is constrained";
    let no_path =
        "isn't the path of a field; write it like JobSpecs[0].Image, UserCommand or DataSources[0].MountPath";
    for (path, fault) in [
        ("$.JobSpecs[0].Image", "begins with $.; leave that out: JobSpecs[0].Image"),
        ("$.Nothing", no_path),
        ("JobSpecs[].Image", no_path),
        ("JobSpecs[*].Image", no_path),
        ("", no_path),
        ("JobSpecs[99]", no_item),
        ("JobSpecs[1].Image", no_item),
        ("CustomEnvs[0].Value", no_item),
        ("Images", nowhere),
        ("jobSpecs[0].Image", nowhere),
        ("JobSpecs.Image", nowhere),
        ("UserCommand[0]", nowhere),
        ("TemplateId", nowhere),
    ] {
        let fault = format!("Constraints.{path}: {fault}");
        refused(CREATE, constrained(content.clone(), json!({ path: "locked" })), &[&fault]);
    }
    let hostile = format!("a\u{202e}\n{}", "b".repeat(200));
    let found = faults(CREATE, json!({ "Constraints": { hostile: "locked" } }));
    assert_eq!(found, [format!("Constraints.a{}: {no_path}", "b".repeat(79))]);
}

/// R-DLC-21, R-DLC-83: what a job must give, Content may lack.
#[test]
fn content_may_lack_what_a_job_must_give() {
    let without = |field: &str| {
        let mut spec = worker();
        spec.as_object_mut().unwrap().remove(field);
        content(json!({ "JobSpecs": [spec] }))
    };
    for (field, path) in [
        ("Image", "JobSpecs[0].Image"),
        ("PodCount", "JobSpecs[0].PodCount"),
        ("Type", "JobSpecs[0]"),
        ("EcsSpec", "JobSpecs[0].EcsSpec"),
        ("EcsSpec", "JobSpecs[0].ResourceConfig"),
    ] {
        accepted(CREATE, constrained(without(field), json!({ path: "required" })));
        for other in ["locked", "overridable"] {
            assert_eq!(
                faults(CREATE, constrained(without(field), json!({ path: other }))).len(),
                1,
                "{path}"
            );
        }
    }
    accepted(CREATE, constrained(json!({}), json!({ "JobType": "required", "JobSpecs": "required" })));
}

/// R-DLC-73, R-DLC-75: on create constraints are optional, and Content never is.
#[test]
fn constraints_never_come_alone() {
    accepted(CREATE, json!({}));
    let constraints = json!({ "JobType": "locked" });
    refused(
        CREATE,
        json!({ "Content": null, "Constraints": constraints }),
        &["Content: is required; give it"],
    );
    refused(
        UPDATE,
        json!({ "Constraints": constraints }),
        &[
            "Content: is required with Constraints; give the whole job too: constraints alone can't be changed",
        ],
    );
}

/// R-DLC-74, R-DLC-78, R-DLC-79: content and constraints come together, and only with them a new default.
#[test]
fn a_new_version_has_content_and_constraints() {
    let both = |more: Value| {
        let mut change = constrained(stored(), json!({}));
        change.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        change
    };
    accepted(UPDATE, json!({ "Description": "new" }));
    accepted(UPDATE, both(json!({})));
    accepted(UPDATE, both(json!({ "SetAsDefault": true })));
    refused(
        UPDATE,
        stored_with(json!({})),
        &["Constraints: is required with Content; give it too, as {} where nothing is constrained"],
    );
    for set in [true, false] {
        refused(
            UPDATE,
            json!({ "SetAsDefault": set }),
            &["SetAsDefault: is about a new version, and without Content there is none; leave it out; \
                 dlc_set_job_template_default_version switches to a version that exists"],
        );
    }
    let found = faults(UPDATE, constrained(json!({}), json!({})));
    assert_eq!(found.len(), 2, "{found:?}");
}

/// R-DLC-80: an update takes no version, whatever it is called, and says where versions are switched.
#[test]
fn an_update_takes_no_version() {
    for name in ["version", "Version", "biz_version", "BizVersion"] {
        let fix = "leave it out: dlc_set_job_template_default_version switches to another version";
        refused(UPDATE, json!({ name: 2 }), &[&format!("{name}: isn't an argument of this tool; {fix}")]);
    }
    accepted(SET, json!({ "Version": 2 }));
    refused(SET, json!({ "Version": 0 }), &["Version: is too small; give at least 1"]);
    refused(SET, json!({ "Version": "2" }), &[&format!("Version: must be a whole number; {TYPE}")]);
}

/// R-DLC-77: one version, or all of them.
#[test]
fn a_version_is_a_number_or_all() {
    for version in ["1", "42", "all"] {
        accepted(GET, json!({ "Version": version }));
    }
    for wrong in ["latest", "0", "ALL", "1,2", "-1", "01", "", "1\n"] {
        let found = faults(GET, json!({ "Version": wrong }));
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("Version: doesn't have the documented form; it must match "),
            "{found:?}"
        );
    }
    refused(GET, json!({ "Version": 2 }), &[&format!("Version: must be a string; {TYPE}")]);
    refused(
        "dlc_create_job",
        json!({ "TemplateVersion": 2 }),
        &["TemplateVersion: is a version of no template; give TemplateId too, or leave TemplateVersion out"],
    );
}
