//! Every tool of the catalogue, called with success: what one makes, the next ones use.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::Home;
use crate::harness::raw::Raw;
use crate::harness::world::{PYTORCH, REGION, VISION, VISION_EVAL, job, workspace};

/// Calls tools, and keeps count of those that succeeded.
struct Tour {
    raw: Raw,
    done: BTreeSet<String>,
}

impl Tour {
    /// The content of a call that must succeed. Alibaba Cloud's tools take the region.
    async fn call(&mut self, tool: &str, mut arguments: Value) -> Value {
        if !tool.starts_with("pyromind_") {
            arguments["RegionId"] = json!(REGION);
        }
        let result = self.raw.call(tool, &arguments).await;
        assert_eq!(result["isError"], false, "{tool}: {result}");
        self.done.insert(tool.to_owned());
        result["structuredContent"].clone()
    }

    /// Looks at something until its `field` is `wanted`; the world's clock moves with each look.
    async fn until(&mut self, tool: &str, arguments: Value, field: &str, wanted: &str) {
        for _ in 0..40 {
            if self.call(tool, arguments.clone()).await[field] == wanted {
                return;
            }
        }
        panic!("{tool}: {field} never is {wanted}");
    }
}

fn id(content: &Value, field: &str) -> String {
    content[field].as_str().unwrap_or_else(|| panic!("no {field} in {content}")).to_owned()
}

/// The first row's `field`.
fn first(content: &Value, rows: &str, field: &str) -> String {
    id(&content[rows][0], field)
}

async fn workspaces(tour: &mut Tour) {
    tour.call("aiworkspace_list_products", json!({ "ProductCodes": "PAI_share" })).await;
    tour.call("aiworkspace_list_workspaces", json!({})).await;
    tour.call("aiworkspace_get_workspace", json!({ "WorkspaceId": VISION })).await;
    tour.call("aiworkspace_create_workspace", workspace("every_tool")).await;
    let images = tour.call("aiworkspace_list_images", json!({ "WorkspaceId": VISION })).await;
    tour.call("aiworkspace_get_image", json!({ "ImageId": first(&images, "Images", "ImageId") })).await;
    let datasets = tour.call("aiworkspace_list_datasets", json!({ "WorkspaceId": VISION })).await;
    let dataset = first(&datasets, "Datasets", "DatasetId");
    tour.call("aiworkspace_get_dataset", json!({ "DatasetId": dataset })).await;
    let sources = tour.call("aiworkspace_list_code_sources", json!({ "WorkspaceId": VISION })).await;
    let source = first(&sources, "CodeSources", "CodeSourceId");
    tour.call("aiworkspace_get_code_source", json!({ "CodeSourceId": source })).await;
    // An official image, for what follows.
    tour.call("aiworkspace_list_images", json!({ "ImageUri": PYTORCH })).await;
}

async fn jobs(tour: &mut Tour) {
    tour.call("dlc_list_ecs_specs", json!({})).await;
    let mut wanted = job(VISION, PYTORCH);
    wanted["UserCommand"] = json!("sleep 3600");
    wanted["Settings"] = json!({ "EnableSanityCheck": true });
    let submitted = id(&tour.call("dlc_create_job", wanted).await, "JobId");
    let this = json!({ "JobId": submitted });
    tour.call("dlc_list_jobs", this.clone()).await;
    tour.call("dlc_update_job", json!({ "JobId": submitted, "Accessibility": "PUBLIC" })).await;
    tour.until("dlc_get_job", this.clone(), "Status", "Running").await;
    let pods = tour.call("dlc_get_job", this.clone()).await;
    let pod = json!({ "JobId": submitted, "PodId": first(&pods, "Pods", "PodId") });
    tour.call("dlc_get_job_events", this.clone()).await;
    tour.call("dlc_get_pod_events", pod.clone()).await;
    tour.call("dlc_get_pod_logs", pod.clone()).await;
    tour.call("dlc_get_job_metrics", json!({ "JobId": submitted, "MetricType": "GpuCoreUsage" })).await;
    tour.call("dlc_list_job_sanity_check_results", this.clone()).await;
    let check = json!({ "JobId": submitted, "SanityCheckNumber": 1 });
    tour.call("dlc_get_job_sanity_check_result", check).await;
    tour.call("dlc_get_web_terminal", pod).await;
    tour.call("dlc_get_token", json!({ "TargetType": "job", "TargetId": submitted })).await;
    let rays = json!({ "WorkspaceId": VISION_EVAL, "JobType": "PyTorchJob" });
    tour.call("dlc_list_jobs", rays).await;
    for dashboard in ["dlc_get_dashboard", "dlc_get_ray_dashboard"] {
        tour.call(dashboard, json!({ "JobId": "dlch7ud1hjyani84" })).await;
    }
    tensorboards(tour, &submitted).await;
    tour.call("dlc_stop_job", this).await;
}

async fn tensorboards(tour: &mut Tour, job: &str) {
    let wanted = json!({ "WorkspaceId": VISION, "JobId": job, "SummaryPath": "/mnt/data/logs" });
    let board = id(&tour.call("dlc_create_tensorboard", wanted).await, "TensorboardId");
    let this = json!({ "TensorboardId": board, "WorkspaceId": VISION });
    tour.call("dlc_list_tensorboards", json!({ "WorkspaceId": VISION })).await;
    tour.until("dlc_get_tensorboard", this.clone(), "Status", "Running").await;
    let change = json!({ "TensorboardId": board, "WorkspaceId": VISION, "MaxRunningTimeMinutes": 90 });
    tour.call("dlc_update_tensorboard", change).await;
    tour.call("dlc_get_tensorboard_shared_url", json!({ "TensorboardId": board })).await;
    tour.call("dlc_stop_tensorboard", this.clone()).await;
    tour.until("dlc_get_tensorboard", this.clone(), "Status", "Stopped").await;
    tour.call("dlc_start_tensorboard", this).await;
}

async fn templates(tour: &mut Tour) {
    let content = json!({
        "JobType": "PyTorchJob",
        "JobSpecs": [{ "Type": "Worker", "PodCount": 1, "Image": PYTORCH, "EcsSpec": "ecs.gn6i-c4g1.xlarge" }],
        "UserCommand": "sleep 30",
    });
    let wanted =
        json!({ "WorkspaceId": VISION, "TemplateName": "every_tool", "Content": content.to_string() });
    let template = id(&tour.call("dlc_create_job_template", wanted).await, "TemplateId");
    tour.call("dlc_list_job_templates", json!({ "WorkspaceId": VISION })).await;
    tour.call("dlc_get_job_template", json!({ "TemplateId": template, "Version": "all" })).await;
    let change = json!({ "TemplateId": template, "Content": content.to_string(), "Constraints": {} });
    tour.call("dlc_update_job_template", change).await;
    tour.call("dlc_set_job_template_default_version", json!({ "TemplateId": template, "Version": 2 })).await;
}

fn machine() -> Value {
    json!({ "cpu": 2, "memory": 4, "gpu": 0 })
}

async fn sandboxes(tour: &mut Tour) {
    let wanted = json!({ "name": "every-tool", "sandbox_type": "cpu-sandbox", "resource_config": machine() });
    let this = json!({ "sandbox_id": id(&tour.call("pyromind_create_sandbox", wanted).await, "sandbox_id") });
    tour.call("pyromind_list_sandboxes", json!({})).await;
    tour.until("pyromind_get_sandbox", this.clone(), "status", "running").await;
    tour.call("pyromind_get_sandbox_vnc", this.clone()).await;
    let mut action = this.clone();
    action["action"] = json!("restart");
    tour.call("pyromind_execute_sandbox_action", action).await;
    let mut batch = this.clone();
    batch["actions"] = json!([{ "action": "install_package", "params": { "name": "numpy" } }]);
    tour.until("pyromind_get_sandbox", this.clone(), "status", "running").await;
    tour.call("pyromind_execute_sandbox_batch_actions", batch).await;
    let mut end = this;
    end["force"] = json!(true);
    tour.call("pyromind_delete_sandbox", end).await;
}

async fn instances(tour: &mut Tour) {
    let wanted = json!({ "name": "every-tool", "resource_type": "cpu", "resource_config": machine() });
    let this =
        json!({ "instance_id": id(&tour.call("pyromind_create_instance", wanted).await, "instance_id") });
    tour.call("pyromind_list_instances", json!({})).await;
    tour.until("pyromind_get_instance", this.clone(), "status", "running").await;
    tour.call("pyromind_get_instance_access_token", this.clone()).await;
    let mut change = this.clone();
    change["name"] = json!("every-tool-2");
    tour.call("pyromind_edit_instance", change).await;
    tour.call("pyromind_pause_instance", this.clone()).await;
    tour.call("pyromind_resume_instance", this.clone()).await;
    tour.call("pyromind_delete_instance", this).await;
}

async fn inference(tour: &mut Tour) {
    let wanted = json!({
        "name": "every-tool", "model_type": "rl", "model_name": "ppo-traffic-control-v3",
        "resource_config": machine(), "input_config": { "data_source": "s3://user-data/in.csv" },
        "output_config": { "output_bucket": "user-data", "output_path": "/out" },
    });
    let this = json!({ "job_id": id(&tour.call("pyromind_create_inference_task", wanted).await, "job_id") });
    tour.call("pyromind_list_inference_tasks", json!({})).await;
    tour.call("pyromind_get_inference_task", this.clone()).await;
    let mut end = this;
    end["force"] = json!(true);
    tour.call("pyromind_delete_inference_task", end).await;
}

async fn training(tour: &mut Tour) {
    let wanted = json!({
        "name": "every-tool", "training_framework": "pytorch", "model_name": "ppo-lunar-lander-v2",
        "resource_config": machine(), "data_config": { "train_data_source": "s3://user-data/train" },
        "hyperparameters": { "learning_rate": 0.0003, "epochs": 100 },
        "output_config": { "output_bucket": "user-models", "output_path": "/out" },
    });
    let this = json!({ "job_id": id(&tour.call("pyromind_submit_training_job", wanted).await, "job_id") });
    tour.call("pyromind_list_training_jobs", json!({})).await;
    tour.until("pyromind_get_training_job", this.clone(), "status", "running").await;
    tour.call("pyromind_pause_training_job", this.clone()).await;
    tour.call("pyromind_resume_training_job", this.clone()).await;
    let mut end = this;
    end["force"] = json!(true);
    tour.call("pyromind_delete_training_job", end).await;
}

#[tokio::test]
async fn every_tool_succeeds_against_the_simulator() {
    let home = Home::new();
    let printed = home.run(&["tools", "--json"]).json();
    let all: Vec<String> = printed.as_array().unwrap().iter().map(|tool| id(tool, "name")).collect();
    assert_eq!(all.len(), 63);
    let mut flags: Vec<&str> = vec!["--region", REGION, "--clock-step", "15s", "--provenance", "verify"];
    flags.extend(all.iter().flat_map(|name| ["--approve", name]));
    let mut tour = Tour { raw: Raw::legacy(home, &flags).await, done: BTreeSet::new() };
    workspaces(&mut tour).await;
    jobs(&mut tour).await;
    templates(&mut tour).await;
    sandboxes(&mut tour).await;
    instances(&mut tour).await;
    inference(&mut tour).await;
    training(&mut tour).await;
    let left: Vec<&String> = all.iter().filter(|name| !tour.done.contains(*name)).collect();
    assert_eq!(left, Vec::<&String>::new());
}
