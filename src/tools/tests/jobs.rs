//! What is said of a job that can't be submitted as it is.

use serde_json::{Value, json};

use super::arguments::{TYPE, accepted, faults, refused, worker};
use crate::spec::Tool;
use crate::tools::all;

/// R-DLC-02, R-DLC-81: a template supplies what must be given without one.
#[test]
fn a_job_is_whole_or_starts_from_a_template() {
    let tool = "dlc_create_job";
    let bare = |more: Value| {
        let mut change = json!({ "JobType": null, "JobSpecs": null, "UserCommand": null });
        change.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        change
    };
    accepted(tool, bare(json!({ "TemplateId": "tpl1" })));
    refused(
        tool,
        bare(json!({})),
        &[
            "JobType: is required without TemplateId; give it",
            "JobSpecs: is required without TemplateId; give it",
            "UserCommand: is required without TemplateId; give it",
        ],
    );
    refused(tool, json!({ "DisplayName": null }), &["DisplayName: is required; give it"]);
    refused(tool, json!({ "WorkspaceId": null }), &["WorkspaceId: is required; give it"]);
    refused(tool, json!({ "JobSpecs": [] }), &["JobSpecs: has too few items; give at least 1"]);
    refused(tool, json!({ "UserCommand": "" }), &["UserCommand: is too short; give at least 1 characters"]);
}

/// R-DLC-20, R-DLC-21: one form of resources for each role, of every role alone.
#[test]
fn each_role_has_one_form_of_resources() {
    let tool = "dlc_create_job";
    let config = json!({ "CPU": "4", "Memory": "16Gi", "GPU": "1", "GPUType": "V100" });
    let dedicated = json!({ "Type": "Master", "Image": "i", "PodCount": 1, "ResourceConfig": config });
    accepted(tool, json!({ "JobSpecs": [worker(), dedicated], "ResourceId": "quota1" }));
    let both = "has both EcsSpec and ResourceConfig; EcsSpec is for public resources, ResourceConfig for a dedicated \
                resource group: give one of them";
    let mut spec = worker();
    spec["ResourceConfig"] = config;
    let both_in_second = format!("JobSpecs[1]: {both}");
    refused(tool, json!({ "JobSpecs": [worker(), spec] }), &[&both_in_second]);
    let mut spec = worker();
    spec["ResourceConfig"] = json!({});
    refused(tool, json!({ "JobSpecs": [spec], "TemplateId": "tpl1" }), &[&format!("JobSpecs[0]: {both}")]);
    let neither = json!({ "Type": "Worker", "Image": "i", "PodCount": 1 });
    refused(
        tool,
        json!({ "JobSpecs": [neither] }),
        &[
            "JobSpecs[0]: has neither EcsSpec nor ResourceConfig; give EcsSpec for public resources or ResourceConfig for a \
           dedicated resource group",
        ],
    );
    let mut spec = worker();
    spec["EcsSpec"] = json!("");
    refused(
        tool,
        json!({ "JobSpecs": [spec] }),
        &["JobSpecs[0].EcsSpec: is too short; give at least 1 characters"],
    );
    let mut spec = worker();
    spec["EcsSpec"] = Value::Null;
    refused(
        tool,
        json!({ "JobSpecs": [spec] }),
        &[
            &format!("JobSpecs[0].EcsSpec: must be a string; {TYPE}"),
            "JobSpecs[0]: has neither EcsSpec nor ResourceConfig; give EcsSpec for public resources or ResourceConfig for a \
             dedicated resource group",
        ],
    );
}

/// R-DLC-21: Type, Image and PodCount belong to each role.
#[test]
fn each_role_is_whole() {
    let tool = "dlc_create_job";
    refused(
        tool,
        json!({ "JobSpecs": [{ "EcsSpec": "ecs.g6.large" }] }),
        &[
            "JobSpecs[0].Type: is required; give it",
            "JobSpecs[0].Image: is required; give it",
            "JobSpecs[0].PodCount: is required; give it",
        ],
    );
    accepted(tool, json!({ "JobSpecs": [{ "EcsSpec": "ecs.g6.large" }], "TemplateId": "tpl1" }));
    let mut spec = worker();
    spec["PodCount"] = json!(0);
    refused(tool, json!({ "JobSpecs": [spec] }), &["JobSpecs[0].PodCount: is too small; give at least 1"]);
}

/// R-DLC-23: the documented keys of ResourceConfig, as text.
#[test]
fn resource_config_has_documented_keys() {
    let spec = |config: Value| json!({ "JobSpecs": [{ "Type": "Worker", "Image": "i", "PodCount": 1, "ResourceConfig": config }] });
    refused(
        "dlc_create_job",
        spec(json!({ "cpu": 4 })),
        &["JobSpecs[0].ResourceConfig.cpu: isn't an argument of this tool; the name is CPU"],
    );
    refused(
        "dlc_create_job",
        spec(json!({ "CPU": 4 })),
        &[&format!("JobSpecs[0].ResourceConfig.CPU: must be a string; {TYPE}")],
    );
}

/// R-DLC-27: roles by job type, in their exact case.
#[test]
fn roles_belong_to_the_job_type() {
    for (job_type, role, fits) in [
        ("PyTorchJob", "Worker", true),
        ("PyTorchJob", "Master", true),
        ("PyTorchJob", "worker", false),
        ("PyTorchJob", "Head", false),
        ("TFJob", "GraphLearn", true),
        ("TFJob", "Chief", true),
        ("TFJob", "Master", false),
        ("RayJob", "Head", true),
        ("RayJob", "Worker-gpu", true),
        ("RayJob", "PS", false),
        ("MPIJob", "Evaluator", true),
        ("MPIJob", "Launcher", false),
        ("ElasticBatchJob", "PS", false),
    ] {
        let mut spec = worker();
        spec["Type"] = json!(role);
        let found = faults("dlc_create_job", json!({ "JobType": job_type, "JobSpecs": [spec] }));
        assert_eq!(found.is_empty(), fits, "{job_type} {role}: {found:?}");
    }
    let known = "JobType: isn't one of the documented values; give one of [\"TFJob\",\"PyTorchJob\",\"MPIJob\",\"XGBoostJob\",\
                 \"OneFlowJob\",\"ElasticBatchJob\",\"SlurmJob\",\"RayJob\",\"DataJuicerJob\"], in this case";
    refused("dlc_create_job", json!({ "JobType": "pytorchjob" }), &[known]);
}

/// R-DLC-24: no way to bring an image that no list has.
#[test]
fn images_come_from_no_other_place() {
    let tool = "dlc_create_job";
    let mut spec = worker();
    spec["ImageConfig"] = json!({ "DockerRegistry": "evil.example" });
    refused(
        tool,
        json!({ "JobSpecs": [spec] }),
        &[
            "JobSpecs[0].ImageConfig.DockerRegistry: would fetch the image from a registry that nobody listed; leave it out: \
           an address from aiworkspace_list_images names its registry",
        ],
    );
    refused(
        tool,
        json!({ "Settings": { "AdvancedSettings": { "Sidecar": { "Image": "evil" } } } }),
        &[
            "Settings.AdvancedSettings: can't be judged: it can hold anything, images included; leave it out, or ask the \
           user to submit the job in the console",
        ],
    );
}

/// R-DLC-59: a dataset or an address, not both.
#[test]
fn a_data_source_has_one_origin() {
    refused(
        "dlc_create_job",
        json!({ "DataSources": [{ "Uri": "oss://a/" }, { "DataSourceId": "d-1", "Uri": "oss://b/" }] }),
        &["DataSources[1]: has both DataSourceId and Uri; give one of them"],
    );
}

/// R-DLC-17, R-DLC-34, R-DLC-46: jobs are listed by nothing but a region, or by what is documented, in its exact case.
#[test]
fn jobs_are_listed_by_documented_values() {
    let tool = "dlc_list_jobs";
    accepted(tool, json!({ "Status": "Running", "WorkspaceId": "123", "JobType": "PyTorchJob" }));
    accepted(tool, json!({ "Status": "Bidding", "Order": "asc", "Tags": { "team": "vision" } }));
    let statuses = r#"["Creating","Queuing","Bidding","EnvPreparing","SanityChecking","Running","Restarting","Stopping","SucceededReserving","FailedReserving","Succeeded","Failed","Stopped"]"#;
    let types = r#"["TFJob","PyTorchJob","XGBoostJob","OneFlowJob","ElasticBatchJob"]"#;
    for (name, wrong, documented) in [
        ("Status", "running", statuses),
        ("Status", "done", statuses),
        ("Status", "", statuses),
        ("JobType", "RayJob", types),
        ("Order", "DESC", r#"["desc","asc"]"#),
    ] {
        let fault =
            format!("{name}: isn't one of the documented values; give one of {documented}, in this case");
        refused(tool, json!({ name: wrong }), &[&fault]);
    }
    for (name, wrong, fault) in [
        ("PageNumber", json!(0), "is too small; give at least 1".to_owned()),
        ("PageNumber", json!(1001), "is too large; give at most 1000".to_owned()),
        ("PageSize", json!(101), "is too large; give at most 100".to_owned()),
        ("DisplayName", json!("x".repeat(1025)), "is too long; give at most 1024 characters".to_owned()),
        ("JobIds", json!(["dlc1", "dlc2"]), format!("must be a string; {TYPE}")),
        ("Tags", json!("team=vision"), format!("must be an object; {TYPE}")),
    ] {
        refused(tool, json!({ name: wrong }), &[&format!("{name}: {fault}")]);
    }
    assert_eq!(faults(tool, json!({ "Owner": "li" })).len(), 1);
}

/// R-DLC-04: a pod is one of a job.
#[test]
fn pods_are_named_with_their_job() {
    for tool in ["dlc_get_pod_events", "dlc_get_pod_logs"] {
        refused(tool, json!({ "PodId": null }), &["PodId: is required; give it"]);
        refused(tool, json!({ "JobId": null }), &["JobId: is required; give it"]);
        refused(tool, json!({ "PodId": "" }), &["PodId: is too short; give at least 1 characters"]);
    }
    refused(
        "dlc_get_pod_logs",
        json!({ "Containers": ["a"], "MaxLines": 0 }),
        &[&format!("Containers: must be a string; {TYPE}"), "MaxLines: is too small; give at least 1"],
    );
    refused(
        "dlc_get_job_events",
        json!({ "MaxEventsNum": 10_001 }),
        &["MaxEventsNum: is too large; give at most 10000"],
    );
}

/// R-DLC-49: a change changes something, and only what can be changed.
#[test]
fn a_job_is_changed_by_what_is_documented() {
    let tool = "dlc_update_job";
    for change in [
        json!({ "Priority": 9 }),
        json!({ "Accessibility": "PUBLIC" }),
        json!({ "Description": "" }),
        json!({ "UserCommand": "python train.py" }),
        // Whether a role must be whole isn't documented.
        json!({ "JobSpecs": [{ "Type": "Worker", "PodCount": 4 }] }),
    ] {
        let mut alone = json!({ "Priority": null });
        alone.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        accepted(tool, alone);
    }
    refused(
        tool,
        json!({ "Priority": null }),
        &[
            "JobId: is all that is given, so nothing would change; give Priority, Accessibility, Description, UserCommand or \
           JobSpecs too",
        ],
    );
    refused(tool, json!({ "Priority": 0 }), &["Priority: is too small; give at least 1"]);
    refused(tool, json!({ "Priority": 10 }), &["Priority: is too large; give at most 9"]);
    refused(tool, json!({ "Priority": "5" }), &[&format!("Priority: must be a whole number; {TYPE}")]);
    refused(tool, json!({ "JobSpecs": [] }), &["JobSpecs: has too few items; give at least 1"]);
    refused(tool, json!({ "UserCommand": "" }), &["UserCommand: is too short; give at least 1 characters"]);
    for name in ["DisplayName", "WorkspaceId", "ResourceId", "Settings"] {
        let found = faults(tool, json!({ name: "x" }));
        assert!(found.len() == 1 && found[0].starts_with(&format!("{name}: ")), "{found:?}");
    }
}

/// R-DLC-20, R-DLC-24: a changed role is held to what a new one is.
#[test]
fn a_changed_role_has_one_form_of_resources_and_no_registry() {
    let mut both = worker();
    both["ResourceConfig"] = json!({ "CPU": "4" });
    let mut elsewhere = worker();
    elsewhere["ImageConfig"] = json!({ "DockerRegistry": "evil.example" });
    refused(
        "dlc_update_job",
        json!({ "JobSpecs": [worker(), both, elsewhere] }),
        &[
            "JobSpecs[1]: has both EcsSpec and ResourceConfig; EcsSpec is for public resources, ResourceConfig for a dedicated \
             resource group: give one of them",
            "JobSpecs[2].ImageConfig.DockerRegistry: would fetch the image from a registry that nobody listed; leave it out: \
             an address from aiworkspace_list_images names its registry",
        ],
    );
}

/// R-DLC-05, R-DLC-06: a metric by its documented name, in its exact case.
#[test]
fn a_metric_is_named() {
    let tool = "dlc_get_job_metrics";
    let metrics = r#"["GpuCoreUsage","GpuMemoryUsage","CpuCoreUsage","MemoryUsage","NetworkInputRate","NetworkOutputRate","DiskReadRate","DiskWriteRate"]"#;
    accepted(tool, json!({ "MetricType": "DiskWriteRate", "TimeStep": "1m" }));
    refused(tool, json!({ "MetricType": null }), &["MetricType: is required; give it"]);
    for wrong in ["gpuCoreUsage", "GPUCoreUsage", ""] {
        let fault =
            format!("MetricType: isn't one of the documented values; give one of {metrics}, in this case");
        refused(tool, json!({ "MetricType": wrong }), &[&fault]);
    }
    refused(tool, json!({ "TimeStep": 5 }), &[&format!("TimeStep: must be a string; {TYPE}")]);
}

/// R-DLC-17, R-DLC-37, R-DLC-38, R-DLC-39: machine types by nothing but a region, or by what is documented.
#[test]
fn machine_types_are_listed_by_documented_values() {
    let tool = "dlc_list_ecs_specs";
    accepted(tool, json!({ "AcceleratorType": "GPU", "ResourceType": "Lingjun", "PageSize": 50 }));
    accepted(tool, json!({ "InstanceTypes": "ecs.gn6i-c4g1.xlarge,ecs.g6.large" }));
    for (name, wrong, documented) in [
        ("AcceleratorType", "gpu", r#"["CPU","GPU"]"#),
        ("ResourceType", "lingjun", r#"["ECS","Lingjun"]"#),
        ("Order", "DESC", r#"["desc","asc"]"#),
    ] {
        let fault =
            format!("{name}: isn't one of the documented values; give one of {documented}, in this case");
        refused(tool, json!({ name: wrong }), &[&fault]);
    }
    let list = json!({ "InstanceTypes": ["ecs.g6.large"] });
    refused(tool, list, &[&format!("InstanceTypes: must be a string; {TYPE}")]);
    refused(tool, json!({ "PageNumber": 0 }), &["PageNumber: is too small; give at least 1"]);
}

/// R-DLC-11: a health check by its number, from 1.
#[test]
fn a_health_check_is_named_by_its_number() {
    let tool = "dlc_get_job_sanity_check_result";
    accepted(tool, json!({ "SanityCheckPhase": "DeviceCheck" }));
    refused(tool, json!({ "SanityCheckNumber": null }), &["SanityCheckNumber: is required; give it"]);
    refused(tool, json!({ "SanityCheckNumber": 0 }), &["SanityCheckNumber: is too small; give at least 1"]);
    let fault = "SanityCheckPhase: isn't one of the documented values; give one of [\"CheckInit\",\"DeviceCheck\",\
                 \"SingleNodeCommCheck\",\"TwoNodeCommCheck\",\"AllNodeCommCheck\"], in this case";
    refused(tool, json!({ "SanityCheckPhase": "Init" }), &[fault]);
}

/// R-DLC-03: an empty id isn't one.
#[test]
fn ids_are_not_empty() {
    let about_a_job = all().filter(|tool| tool.spec().route.parameters().last() == Some("JobId"));
    for tool in about_a_job.map(Tool::name) {
        accepted(tool, json!({ "JobId": "dlc123" }));
        refused(tool, json!({ "JobId": "" }), &["JobId: is too short; give at least 1 characters"]);
        refused(tool, json!({ "JobId": null }), &["JobId: is required; give it"]);
    }
    refused(
        "aiworkspace_get_workspace",
        json!({ "WorkspaceId": "" }),
        &["WorkspaceId: is too short; give at least 1 characters"],
    );
}

/// R-DLC-48: a span that ends before it starts is refused; one of which an end is missing, or can't be read here, isn't.
#[test]
fn a_span_ends_after_it_starts() {
    let early = "2026-01-02T03:04:05Z";
    let late = "2026-01-02T03:04:06Z";
    let fault = "EndTime: lies before StartTime; give an EndTime after StartTime, or leave it out";
    for tool in [
        "dlc_get_job_events",
        "dlc_get_pod_events",
        "dlc_get_pod_logs",
        "dlc_get_job_metrics",
        "dlc_list_jobs",
        "dlc_list_tensorboards",
    ] {
        let span = |start: Value, end: Value| json!({ "StartTime": start, "EndTime": end });
        refused(tool, span(json!(late), json!(early)), &[fault]);
        for (start, end) in [(early, late), (early, early), ("yesterday", early)] {
            accepted(tool, span(json!(start), json!(end)));
        }
        accepted(tool, span(Value::Null, json!(early)));
        accepted(tool, span(json!(late), Value::Null));
    }
}
