//! Which RAM actions each tool needs, from `policies/permissions.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;

use crate::spec::Spec;
use crate::tools;

const TABLE: &str = include_str!("../../policies/permissions.toml");

/// The table.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Permissions {
    /// The actions of each tool, that of its own operation first.
    actions: BTreeMap<String, Vec<Action>>,
}

/// An action as RAM writes it: `paidlc:CreateJob`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
struct Action(String);

impl TryFrom<String> for Action {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_word = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric());
        match text.split_once(':') {
            Some((product, action)) if is_word(product) && is_word(action) => Ok(Self(text)),
            Some(_) | None => Err("an action is written product:Action, such as paidlc:CreateJob"),
        }
    }
}

/// Read on the first denial: most sessions have none. That the table makes sense, `cargo test` proves.
static PERMISSIONS: LazyLock<Permissions> = LazyLock::new(|| parse(TABLE).unwrap_or_default());

fn parse(text: &str) -> Result<Permissions, String> {
    let table: Permissions = toml::from_str(text).map_err(|error| error.to_string())?;
    for (name, actions) in &table.actions {
        if tools::find(name).is_none() {
            return Err(format!("there is no tool {name}; see `redline-mcp tools`"));
        }
        if actions.is_empty() || actions.iter().collect::<BTreeSet<_>>().len() != actions.len() {
            return Err(format!("{name} names no action, or one twice"));
        }
    }
    Ok(table)
}

/// The action for a tool's own operation, where it is documented.
pub(super) fn of(spec: &Spec) -> Option<&'static str> {
    PERMISSIONS.actions.get(spec.name)?.first().map(|action| action.0.as_str())
}

/// All actions that the tools of `spec`'s product need, in order (R-WS-29).
pub(super) fn of_product(spec: &Spec) -> Vec<&'static str> {
    let actions: BTreeSet<&str> = tools::all()
        .filter(|tool| tool.spec().cloud == spec.cloud)
        .filter_map(|tool| PERMISSIONS.actions.get(tool.name()))
        .flatten()
        .map(|action| action.0.as_str())
        .collect();
    actions.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Vendor;

    /// R-DLC-63, R-DLC-66, R-WS-29: every action that the sources name is in the table, and the table makes sense.
    #[test]
    fn the_table_has_what_the_sources_name() {
        let table = parse(TABLE).unwrap();
        for (tool, action) in [
            ("aiworkspace_list_images", "paiimage:ListImages"),
            ("aiworkspace_get_image", "paiimage:GetImage"),
            ("aiworkspace_list_datasets", "paidataset:ListDatasets"),
            ("aiworkspace_get_dataset", "paidataset:GetDataset"),
            ("aiworkspace_list_code_sources", "paicodesource:ListCodeSources"),
            ("aiworkspace_get_code_source", "paicodesource:GetCodeSource"),
            ("aiworkspace_list_workspaces", "paiworkspace:ListWorkspaces"),
            ("aiworkspace_get_workspace", "paiworkspace:GetWorkspace"),
            ("aiworkspace_create_workspace", "paiworkspace:CreateWorkspace"),
            ("dlc_create_job_template", "paidlc:CreateJobTemplate"),
            ("dlc_get_job_template", "paidlc:GetJobTemplate"),
            ("dlc_list_job_templates", "paidlc:ListJobTemplates"),
            ("dlc_update_job_template", "paidlc:UpdateJobTemplate"),
            ("dlc_set_job_template_default_version", "paidlc:SetJobTemplateDefaultVersion"),
        ] {
            assert_eq!(of(tools::find(tool).unwrap().spec()), Some(action), "{tool}");
        }
        assert_eq!(of(tools::find("dlc_get_job_events").unwrap().spec()), None);
        for (name, actions) in &table.actions {
            let spec = tools::find(name).unwrap().spec();
            assert_eq!(spec.cloud.vendor(), Vendor::Alibaba, "{name}");
            assert!(actions[0].0.ends_with(&format!(":{}", spec.action)), "{name}");
        }
    }

    /// Each action is the one that the public metadata name, where they name one.
    #[test]
    fn actions_are_the_documented_ones() {
        for file in ["pai-dlc", "aiworkspace"] {
            let path = format!("{}/tests/data/api/{file}.json", env!("CARGO_MANIFEST_DIR"));
            let api: serde_json::Value =
                serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
            let mut named = 0;
            for tool in tools::all() {
                let documented = &api["operations"][tool.spec().action]["permission"];
                if tool.spec().cloud.prefix() == file.trim_start_matches("pai-") && documented.is_string() {
                    assert_eq!(of(tool.spec()), documented.as_str(), "{}", tool.name());
                    named += 1;
                }
            }
            assert!(named > 0, "{file}");
        }
    }

    #[test]
    fn a_table_that_makes_no_sense_is_none() {
        for (text, reason) in [
            ("[actions]\ndlc_make_job = [\"paidlc:CreateJob\"]", "there is no tool dlc_make_job"),
            ("[actions]\ndlc_get_job = []", "dlc_get_job names no action"),
            ("[actions]\ndlc_get_job = [\"paidlc:GetJob\", \"paidlc:GetJob\"]", "or one twice"),
            ("[actions]\ndlc_get_job = [\"GetJob\"]", "an action is written product:Action"),
            ("[actions]\ndlc_get_job = [\"paidlc:*\"]", "an action is written product:Action"),
            ("[action]\n", "unknown field `action`"),
            ("", "missing field `actions`"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
