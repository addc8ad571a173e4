//! `redline-mcp schemas`: the published schemas, a file a tool.
//!
//! They are generated from the types and committed, so that a change of an interface is a change that a
//! reviewer sees.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value, json};

use super::{CliError, print};
use crate::policy::mask;
use crate::server::listing;
use crate::spec::Tool;
use crate::tools;

/// The published schemas.
#[derive(Debug, Args)]
pub struct Schemas {
    /// Compare instead of writing; exit code 1 when they differ
    #[arg(long)]
    pub check: bool,
    /// Where they are
    #[arg(long, value_name = "DIRECTORY", default_value = "tool-schemas")]
    pub dir: PathBuf,
}

impl Schemas {
    /// Writes or compares them.
    ///
    /// # Errors
    /// When a file can't be read or written.
    pub fn run(&self) -> Result<ExitCode, CliError> {
        let wanted: Vec<(PathBuf, String)> = tools::all()
            .map(|tool| (self.dir.join(format!("{}.json", tool.name())), format!("{:#}\n", document(tool))))
            .collect();
        let stray = self.stray(&wanted)?;
        if self.check {
            let differing: Vec<&Path> = wanted
                .iter()
                .filter(|(path, text)| fs::read_to_string(path).ok().as_deref() != Some(text))
                .map(|(path, _)| path.as_path())
                .chain(stray.iter().map(PathBuf::as_path))
                .collect();
            for path in &differing {
                print(&format!("differs: {}", path.display()))?;
            }
            return Ok(ExitCode::from(u8::from(!differing.is_empty())));
        }
        fs::create_dir_all(&self.dir).map_err(|source| failed(&self.dir, source))?;
        for (path, text) in &wanted {
            fs::write(path, text).map_err(|source| failed(path, source))?;
        }
        for path in &stray {
            fs::remove_file(path).map_err(|source| failed(path, source))?;
        }
        print(&format!("{} schemas in {}", wanted.len(), self.dir.display()))?;
        Ok(ExitCode::SUCCESS)
    }

    /// Files of tools that no longer exist.
    fn stray(&self, wanted: &[(PathBuf, String)]) -> Result<Vec<PathBuf>, CliError> {
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(failed(&self.dir, source)),
        };
        let mut stray = Vec::new();
        for entry in entries {
            let path = entry.map_err(|source| failed(&self.dir, source))?.path();
            let json = path.extension().is_some_and(|extension| extension == "json");
            if json && !wanted.iter().any(|(known, _)| *known == path) {
                stray.push(path);
            }
        }
        stray.sort();
        Ok(stray)
    }
}

fn failed(path: &Path, source: std::io::Error) -> CliError {
    CliError::Io { what: format!("can't use {}", path.display()), source }
}

/// Everything that is public about a tool.
pub fn document(tool: &Tool) -> Value {
    let spec = tool.spec();
    let schema = tool.schema();
    json!({
        "name": spec.name,
        "title": spec.title,
        "description": schema.description,
        "effect": spec.effect,
        "route": { "cloud": spec.cloud, "action": spec.action, "method": spec.route.method, "path": spec.route.path },
        "annotations": listing::annotations(spec.effect),
        "input": schema.full,
        "output": mask::schema(tool),
    })
}
