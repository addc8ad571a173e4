//! `redline-mcp tools`: the catalogue.

use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::human::pretty;
use super::{CliError, print};
use crate::config::OfferFlags;
use crate::server::listing;
use crate::tools::selection::Selection;

/// The catalogue.
#[derive(Debug, Args)]
pub struct Tools {
    /// Print what `tools/list` answers, as JSON
    #[arg(long, group = "form")]
    pub json: bool,
    /// Print the bytes of each tool in `tools/list`, and of all
    #[arg(long, group = "form")]
    pub size: bool,
    /// Print the table of README.md
    #[arg(long, group = "form")]
    pub markdown: bool,
    /// Which tools are offered.
    #[command(flatten)]
    pub offer: OfferFlags,
}

impl Tools {
    /// Prints it.
    ///
    /// # Errors
    /// When no tool is left, or stdout can't be written.
    pub fn run(&self) -> Result<ExitCode, CliError> {
        let selection = self.offer.selection()?;
        let listed: Vec<Value> = listing::tools(&selection)
            .tools
            .iter()
            .map(|tool| serde_json::to_value(tool).unwrap_or_default())
            .collect();
        if self.json {
            print(&pretty(&Value::Array(listed)))?;
        } else if self.size {
            let sizes: Vec<(String, usize)> =
                listed.iter().map(|tool| (name(tool), tool.to_string().len())).collect();
            let total = json!({ "tools": listed }).to_string().len();
            for (name, bytes) in sizes {
                print(&format!("{bytes:>7}  {name}"))?;
            }
            print(&format!("{total:>7}  all {}, in bytes of compact JSON", listed.len()))?;
        } else if self.markdown {
            print(table(&selection).trim_end())?;
        } else {
            for tool in selection.tools() {
                let spec = tool.spec();
                print(&format!("{:<34} {:<9} {}", spec.name, spec.effect.name(), spec.title))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The catalogue as a Markdown table.
pub fn table(selection: &Selection) -> String {
    let mut table = String::from("| tool | effect | what it does |\n|---|---|---|\n");
    for tool in selection.tools() {
        let spec = tool.spec();
        table.push_str(&format!("| `{}` | {} | {} |\n", spec.name, spec.effect.name(), spec.title));
    }
    table
}

fn name(tool: &Value) -> String {
    tool.get("name").and_then(Value::as_str).unwrap_or_default().to_owned()
}
