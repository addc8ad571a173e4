//! The second part of the story, in the second cloud.

use serde_json::{Value, json};

use super::super::human::{list, text};
use super::super::{CliError, print};
use super::{Demo, DemoError, expect, heading};

/// The sandbox of the story.
const NAME: &str = "demo-sandbox";

impl Demo {
    pub(super) async fn tell_of_pyromind(&self) -> Result<(), CliError> {
        let id = self.sandbox().await?;
        self.screen(&id).await?;
        self.batch(&id).await?;
        self.end(&id).await
    }

    async fn sandbox(&self) -> Result<String, CliError> {
        heading("11. In the second cloud, a sandbox is created once")?;
        let wanted = json!({
            "name": NAME,
            "sandbox_type": "cpu-sandbox",
            "resource_config": { "cpu": 4, "memory": 8, "gpu": 0 },
        });
        let created = self.succeed("pyromind_create_sandbox", wanted.clone()).await?;
        expect(self.human.asked() == 1, || "the human wasn't asked about the sandbox".to_owned())?;
        let id = text(&created, "sandbox_id").to_owned();
        print(&format!("  server  created {id}"))?;
        let again = self.succeed("pyromind_create_sandbox", wanted).await?;
        expect(text(&again, "sandbox_id") == id, || "a second sandbox was made".to_owned())?;
        expect(self.human.asked() == 0, || "the human was asked about what exists".to_owned())?;
        print(&format!("  server  {id}: {}", text(&again, "note")))?;
        Ok(id)
    }

    async fn screen(&self, id: &str) -> Result<(), CliError> {
        heading("12. Its password is for the human, and for nobody else")?;
        let wanted = json!({ "sandbox_id": id });
        self.human.means("sbx_another");
        self.refused("arguments-confirmed", "pyromind_get_sandbox_vnc", wanted.clone()).await?;
        self.human.means(id);
        let shown = self.succeed("pyromind_get_sandbox_vnc", wanted).await?;
        expect(self.human.asked() == 2, || "the id wasn't asked for".to_owned())?;
        let password = text(&shown, "vnc_password");
        print(&format!("  server  {}, password {password}", text(&shown, "vnc_host")))?;
        print(&format!("  server  {}", text(&shown, "handed_over")))?;
        expect(password.starts_with("handle:"), || "the password isn't handed over".to_owned())?;
        expect(!shown.to_string().contains(crate::sim::world::SECRET_MARK), || "a secret got out".to_owned())
    }

    async fn batch(&self, id: &str) -> Result<(), CliError> {
        heading("13. A batch fails in part, and says which part")?;
        let wanted = json!({ "sandbox_id": id, "actions": [
            { "action": "install_package", "params": { "name": "numpy" } },
            { "action": "run_script", "params": { "path": "/home/user/missing.sh" } },
        ] });
        let refusal =
            self.refused("cloud-partial-failure", "pyromind_execute_sandbox_batch_actions", wanted).await?;
        expect(self.human.asked() == 1, || "the human wasn't asked about the batch".to_owned())?;
        let result = refusal.get("result").cloned().unwrap_or_default();
        let states: Vec<&str> = list(&result, "results").iter().map(|part| text(part, "status")).collect();
        for part in list(&result, "results") {
            let told =
                format!("{}: {} ({})", text(part, "action"), text(part, "status"), text(part, "message"));
            print(&format!("  server  {told}"))?;
        }
        expect(states == ["success", "failed"], || format!("the parts ended as {states:?}"))
    }

    async fn end(&self, id: &str) -> Result<(), CliError> {
        heading("14. Deleting takes the id, typed")?;
        let deleted: Value =
            self.succeed("pyromind_delete_sandbox", json!({ "sandbox_id": id, "force": true })).await?;
        expect(self.human.asked() == 1, || "the human wasn't asked about the end".to_owned())?;
        if text(&deleted, "sandbox_id") != id {
            return Err(DemoError::Unexpected("another sandbox was deleted".to_owned()).into());
        }
        print(&format!("  server  deleted {id}"))
    }
}
