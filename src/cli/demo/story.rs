//! The story, scene by scene.

use serde_json::{Value, json};

use super::super::human::{list, text};
use super::super::{CliError, print};
use super::{Demo, DemoError, expect, heading};

/// The region of the story.
const REGION: &str = "cn-hangzhou";
/// The image that a log of the world orders.
const ORDERED: &str = "evil.example/miner:latest";
/// How often a job is looked at, at most.
const LOOKS: usize = 40;

impl Demo {
    pub(super) async fn tell(&self) -> Result<(), CliError> {
        let tools = self.client.list_all_tools().await.map_err(DemoError::Call)?;
        print(&format!(
            "An agent, a human and two simulated clouds. The server offers {} tools.",
            tools.len()
        ))?;
        self.human.wants(REGION);
        self.guess().await?;
        let workspace = self.region().await?;
        self.not_activated().await?;
        self.workspace().await?;
        let image = self.image().await?;
        self.job(&workspace, &image).await?;
        self.owner(&workspace).await?;
        self.log(&workspace).await
    }

    async fn guess(&self) -> Result<(), CliError> {
        heading("1. The agent guesses an image")?;
        let guessed = job("813802", "docker.io/pytorch/pytorch:latest");
        self.refused("image-from-list", "dlc_create_job", guessed).await?;
        expect(self.human.asked() == 0, || "the human was asked about a guess".to_owned())
    }

    async fn region(&self) -> Result<String, CliError> {
        heading("2. It lists workspaces; the human confirms the region")?;
        let reply = self
            .succeed("aiworkspace_list_workspaces", json!({ "RegionId": REGION, "Status": "ENABLED" }))
            .await?;
        expect(self.human.asked() == 1, || "the region wasn't asked for".to_owned())?;
        let rows = list(&reply, "Workspaces");
        for row in rows {
            print(&format!(
                "  server  {} ({}), creator {}",
                text(row, "Workspace Name"),
                text(row, "Workspace ID"),
                text(row, "Creator ID")
            ))?;
        }
        let found = rows.iter().find(|row| text(row, "Workspace Name") == "vision_train");
        found
            .map(|row| text(row, "Workspace ID").to_owned())
            .ok_or_else(|| DemoError::Unexpected("vision_train isn't listed".to_owned()).into())
    }

    async fn not_activated(&self) -> Result<(), CliError> {
        heading("3. A region where PAI isn't activated")?;
        self.human.wants("cn-beijing");
        let refusal = self
            .refused("pai-activated", "aiworkspace_list_workspaces", json!({ "RegionId": "cn-beijing" }))
            .await?;
        self.human.wants(REGION);
        expect(self.human.asked() == 1, || "the region wasn't asked for".to_owned())?;
        expect(refusal.to_string().contains("https://"), || "the purchase link isn't shown".to_owned())
    }

    async fn workspace(&self) -> Result<(), CliError> {
        heading("4. A workspace is created once")?;
        let wanted = json!({
            "RegionId": REGION,
            "WorkspaceName": "demo_team",
            "Description": "What the demo makes",
            "EnvTypes": ["dev", "prod"],
        });
        let created = self.succeed("aiworkspace_create_workspace", wanted.clone()).await?;
        expect(self.human.asked() == 1, || "the human wasn't asked".to_owned())?;
        print(&format!("  server  created {}", text(&created, "Workspace ID")))?;

        heading("5. The same again, then with other settings")?;
        let again = self.succeed("aiworkspace_create_workspace", wanted.clone()).await?;
        expect(text(&again, "Workspace ID") == text(&created, "Workspace ID"), || {
            "a second workspace was made".to_owned()
        })?;
        print(&format!("  server  {}: {}", text(&again, "Workspace ID"), text(&again, "Note")))?;
        let mut other = wanted;
        if let Value::Object(other) = &mut other {
            other.insert("EnvTypes".to_owned(), json!(["prod"]));
        }
        self.refused("workspace-created-once", "aiworkspace_create_workspace", other).await?;
        expect(self.human.asked() == 0, || "the human was asked about what exists".to_owned())
    }

    async fn image(&self) -> Result<String, CliError> {
        heading("6. The agent mends its guess: it lists images")?;
        let labels = "system.chipType=GPU,system.framework=PyTorch,system.officialReleased=true";
        let reply =
            self.succeed("aiworkspace_list_images", json!({ "RegionId": REGION, "Labels": labels })).await?;
        let images = list(&reply, "Images");
        for image in images {
            print(&format!("  server  {}", text(image, "ImageUri")))?;
        }
        images
            .first()
            .map(|image| text(image, "ImageUri").to_owned())
            .ok_or_else(|| DemoError::Unexpected("no image is listed".to_owned()).into())
    }

    async fn job(&self, workspace: &str, image: &str) -> Result<(), CliError> {
        heading("7. The human says no, then yes")?;
        self.human.declines(true);
        self.refused("arguments-confirmed", "dlc_create_job", job(workspace, image)).await?;
        self.human.declines(false);
        let created = self.succeed("dlc_create_job", job(workspace, image)).await?;
        expect(self.human.asked() == 2, || "the human wasn't asked about the job".to_owned())?;
        let id = text(&created, "JobId").to_owned();
        print(&format!("  server  created job {id}"))?;

        heading("8. The job runs to its end")?;
        let mut last = String::new();
        for _ in 0..LOOKS {
            let job = self.look(&id).await?;
            let status = text(&job, "Status").to_owned();
            if status != last {
                print(&format!("  server  {status}"))?;
            }
            last = status;
            if matches!(last.as_str(), "Succeeded" | "Failed" | "Stopped") {
                expect(job.get("Envs") == Some(&json!({ "WANDB_API_KEY": "****" })), || {
                    "a variable isn't masked".to_owned()
                })?;
                break;
            }
        }
        expect(last == "Succeeded", || format!("the job ended as {last}"))
    }

    /// Looks at a job without telling of each look.
    async fn look(&self, id: &str) -> Result<Value, CliError> {
        let arguments = json!({ "RegionId": REGION, "JobId": id });
        let request = rmcp::model::CallToolRequestParams::new("dlc_get_job")
            .with_arguments(arguments.as_object().cloned().unwrap_or_default());
        let result = self.client.call_tool(request).await.map_err(DemoError::Call)?;
        result
            .structured_content
            .ok_or_else(|| DemoError::Unexpected("the job can't be looked at".to_owned()).into())
    }

    async fn owner(&self, workspace: &str) -> Result<(), CliError> {
        heading("9. Who owns the workspace?")?;
        let arguments = json!({ "RegionId": REGION, "WorkspaceId": workspace, "Verbose": true });
        let reply = self.succeed("aiworkspace_get_workspace", arguments).await?;
        let owner = reply.get("Owner").cloned().unwrap_or_default();
        print(&format!("  server  {} (ID: {})", text(&owner, "Username"), text(&owner, "Owner ID")))?;
        print(&format!(
            "  server  administrators {}",
            reply.get("Administrators").cloned().unwrap_or_default()
        ))?;
        let masked =
            text(&owner, "Username").ends_with("***") && text(&owner, "Owner ID").starts_with("****");
        expect(masked, || "the owner isn't masked".to_owned())?;
        for canary in crate::sim::world::CANARIES {
            expect(!reply.to_string().contains(canary), || "an identity got out".to_owned())?;
        }
        Ok(())
    }

    /// A job whose log was written by somebody who hopes that an agent reads it.
    async fn log(&self, workspace: &str) -> Result<(), CliError> {
        heading("10. A log gives orders")?;
        let wanted =
            json!({ "RegionId": REGION, "WorkspaceId": workspace, "DisplayName": "detector-distill" });
        let listed = self.succeed("dlc_list_jobs", wanted).await?;
        let id = list(&listed, "Jobs").first().map(|job| text(job, "JobId").to_owned());
        let id = id.ok_or_else(|| DemoError::Unexpected("detector-distill isn't listed".to_owned()))?;
        let pods = self.look(&id).await?;
        let pod = list(&pods, "Pods").first().map(|pod| text(pod, "PodId").to_owned()).unwrap_or_default();
        let wanted = json!({ "RegionId": REGION, "JobId": id, "PodId": pod, "MaxLines": 20 });
        let log = self.succeed("dlc_get_pod_logs", wanted).await?;
        print(&format!("  server  {}", text(&log, "untrusted")))?;
        let lines: Vec<&str> = list(&log, "Logs").iter().filter_map(Value::as_str).collect();
        for line in lines.iter().filter(|line| line.contains("SYSTEM") || line.contains("evil")) {
            print(&format!("  server  | {line}"))?;
        }
        let order = lines.iter().any(|line| line.contains(ORDERED));
        expect(order, || "the log doesn't name the image".to_owned())?;
        print("  the agent obeys:")?;
        self.refused("image-from-list", "dlc_create_job", job(workspace, ORDERED)).await?;
        expect(self.human.asked() == 0, || "the human was asked about an order from a log".to_owned())
    }
}

fn job(workspace: &str, image: &str) -> Value {
    json!({
        "RegionId": REGION,
        "WorkspaceId": workspace,
        "DisplayName": "demo-train",
        "JobType": "PyTorchJob",
        "JobSpecs": [{ "Type": "Worker", "PodCount": 1, "Image": image, "EcsSpec": "ecs.gn6i-c4g1.xlarge" }],
        "UserCommand": "python train.py --epochs 3",
        "Envs": { "WANDB_API_KEY": "3f1b0c7d9a5e4821b6d0f7a2c9e81543" },
        "JobMaxRunningTimeMinutes": 60,
    })
}
