//! How clients are told to start this server: text to paste.

use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

use super::report::Check;
use crate::cli::human::pretty;
use crate::cloud::credentials::plan::{Place, Plan};
use crate::config::{self, CloudKind, PyroMindSettings};

/// The name that clients know the server by.
const NAME: &str = "redline";

/// What one client needs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Configuration {
    /// Which client.
    client: &'static str,
    /// Where it goes.
    place: &'static str,
    /// A command for a shell, or the content of a file.
    #[serde(flatten)]
    content: Content,
}

/// What goes there.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Content {
    /// A command line.
    Command(String),
    /// A JSON document.
    Json(Value),
}

impl Configuration {
    /// For people.
    pub(super) fn lines(&self) -> Vec<String> {
        let content = match &self.content {
            Content::Command(command) => command.clone(),
            Content::Json(value) => pretty(value),
        };
        vec![format!("{}, in {}:", self.client, self.place), content]
    }
}

/// What each client needs to start `program` with these arguments of `serve`.
fn configurations(program: &str, arguments: &[String]) -> Vec<Configuration> {
    let arguments: Vec<&str> = ["serve"].into_iter().chain(arguments.iter().map(String::as_str)).collect();
    let words = ["claude", "mcp", "add", NAME, "--", program].into_iter().chain(arguments.iter().copied());
    let start = json!({ "command": program, "args": arguments });
    let mut typed = json!({ "type": "stdio" });
    if let (Some(typed), Some(start)) = (typed.as_object_mut(), start.as_object()) {
        typed.extend(start.clone());
    }
    let servers = Content::Json(json!({ "mcpServers": { NAME: start } }));
    let command = shlex::try_join(words).ok().map(|command| Configuration {
        client: "claude-code",
        place: "a shell",
        content: Content::Command(command),
    });
    let files = [
        Configuration {
            client: "claude-desktop",
            place: "claude_desktop_config.json",
            content: servers.clone(),
        },
        Configuration { client: "cursor", place: "~/.cursor/mcp.json", content: servers },
        Configuration {
            client: "vscode",
            place: ".vscode/mcp.json",
            content: Content::Json(json!({ "servers": { NAME: typed } })),
        },
    ];
    command.into_iter().chain(files).collect()
}

/// The program, and what clients are told of it.
pub(super) fn examine(arguments: Option<&[String]>) -> (Check, Vec<Configuration>) {
    let (id, version) = ("program", env!("CARGO_PKG_VERSION"));
    let program = match config::this_program() {
        Ok(program) => program,
        Err(error) => {
            return (Check::failure(id, error.to_string(), "start it by its whole path"), Vec::new());
        }
    };
    if !program.is_file() {
        let message = format!("{} was replaced or removed while it runs", program.display());
        return (Check::failure(id, message, "run doctor again"), Vec::new());
    }
    match (Path::to_str(&program), arguments) {
        (Some(program), Some(arguments)) => {
            (Check::ok(id, format!("redline-mcp {version}, {program}")), configurations(program, arguments))
        }
        (None, _) | (_, None) => {
            let message = format!("redline-mcp {version}; its path, or one in a flag, isn't UTF-8");
            (Check::warning(id, message, "move it: no client's configuration can name it"), Vec::new())
        }
    }
}

/// Whether a client that is started elsewhere finds what is in this shell's environment.
pub(super) fn environment(cloud: CloudKind, plan: &Plan, pyromind: &PyroMindSettings) -> Option<Check> {
    let is_ours = matches!(plan.used(), Some(Place::Environment | Place::OidcRole | Place::CredentialsUri));
    match cloud {
        CloudKind::Live if is_ours || pyromind.has_key => Some(Check::warning(
            "client.environment",
            "credentials are in this shell's environment; a client that isn't started from it, such as one of the desktop, \
             starts the server without them",
            "give the client the variables where it keeps such things, or use a profile of `aliyun configure`",
        )),
        CloudKind::Live | CloudKind::Sim => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_client_gets_the_whole_path_and_the_flags() {
        let arguments = ["--audit".to_owned(), "/with space/it's.jsonl".to_owned()];
        let start = json!({ "command": "/opt/a b/redline-mcp", "args": ["serve", "--audit", "/with space/it's.jsonl"] });
        let all = serde_json::to_value(configurations("/opt/a b/redline-mcp", &arguments)).unwrap();
        let mut typed = json!({ "type": "stdio" });
        typed.as_object_mut().unwrap().extend(start.as_object().unwrap().clone());
        assert_eq!(
            all,
            json!([
                {
                    "client": "claude-code", "place": "a shell",
                    "command": "claude mcp add redline -- '/opt/a b/redline-mcp' serve --audit \"/with space/it's.jsonl\"",
                },
                {
                    "client": "claude-desktop", "place": "claude_desktop_config.json",
                    "json": { "mcpServers": { "redline": start } },
                },
                { "client": "cursor", "place": "~/.cursor/mcp.json", "json": { "mcpServers": { "redline": start } } },
                { "client": "vscode", "place": ".vscode/mcp.json", "json": { "servers": { "redline": typed } } },
            ])
        );
    }
}
