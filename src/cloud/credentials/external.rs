//! A program that prints credentials, as a CLI profile of the mode External names one.

use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::AsyncReadExt;
use tokio::process::Command as Process;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::error::Trouble;
use super::key::AccessKey;
use super::session::Session;

/// How long the program may take, in seconds.
const PATIENCE: u64 = 30;
/// The most that it may print, in bytes.
const LONGEST: u64 = 64 * 1024;
const WHAT: &str = "process_command";

/// A program and its arguments, parted by blanks as the official SDKs do; no shell takes part.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Command(String);

/// What it prints: the fields of a profile.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Printed {
    mode: String,
    access_key_id: Zeroizing<String>,
    access_key_secret: Zeroizing<String>,
    sts_token: Option<Zeroizing<String>>,
    expiration: Option<String>,
}

impl Command {
    /// A command line that isn't empty.
    pub(super) fn new(line: &str) -> Option<Self> {
        (!line.trim().is_empty()).then(|| Self(line.to_owned()))
    }

    /// Runs it. What it prints on stderr isn't shown, for it may be a credential.
    pub(super) async fn ask(&self) -> Result<Session, Trouble> {
        let mut words = self.0.split_whitespace();
        let program = words.next().ok_or(Trouble::Lacks("process_command"))?;
        let mut child = Process::new(program)
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Trouble::Start(error.kind()))?;
        let pipe = child.stdout.take().ok_or(Trouble::Answer(WHAT))?;
        let mut printed = Zeroizing::new(Vec::new());
        let ran = timeout(Duration::from_secs(PATIENCE), async {
            pipe.take(LONGEST).read_to_end(&mut printed).await?;
            child.wait().await
        });
        let status = ran
            .await
            .map_err(|_| Trouble::Slow(PATIENCE))?
            .map_err(|error| Trouble::Exit(error.kind().to_string()))?;
        if !status.success() {
            return Err(Trouble::Exit(status.to_string()));
        }
        let printed: Printed = serde_json::from_slice(&printed).map_err(|_| Trouble::Answer(WHAT))?;
        self.session(printed).ok_or(Trouble::Answer(WHAT))
    }

    fn session(&self, printed: Printed) -> Option<Session> {
        let expires = match printed.expiration.as_deref().filter(|text| !text.is_empty()) {
            Some(text) => Some(text.parse().ok()?),
            None => None,
        };
        let token = printed.sts_token.as_deref().filter(|token| !token.is_empty()).cloned();
        if printed.mode == "StsToken" && token.is_none() {
            return None;
        }
        let is_session = token.is_some();
        let pair =
            AccessKey::new(printed.access_key_id.to_string(), printed.access_key_secret.to_string(), token)?;
        let pair = if is_session { pair.acting_as(format!("process-command/{}", self.0)) } else { pair };
        Some(Session { pair, expires })
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A program of these lines, and the command that runs it.
    fn program(directory: &tempfile::TempDir, lines: &str) -> Command {
        let path = directory.path().join("program");
        std::fs::write(&path, format!("#!/bin/sh\n{lines}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        Command::new(&format!("{} one  two", path.display())).unwrap()
    }

    async fn printed(lines: &str) -> Result<Session, Trouble> {
        program(&tempfile::tempdir().unwrap(), lines).ask().await
    }

    #[tokio::test]
    async fn what_the_program_prints_is_used() {
        let lines = r#"echo secret >&2; test "$#" = 2 && echo '{"mode": "AK", "access_key_id": "id", "access_key_secret": "s"}'"#;
        let key = AccessKey::new("id".to_owned(), "s".to_owned(), None).unwrap();
        assert!(printed(lines).await == Ok(Session { pair: key, expires: None }));

        let directory = tempfile::tempdir().unwrap();
        let session = r#"{"mode": "StsToken", "access_key_id": "id", "access_key_secret": "s", "sts_token": "t", "expiration": "2026-01-01T01:00:00Z"}"#;
        let command = program(&directory, &format!("echo '{session}'"));
        let found = command.ask().await.unwrap_or_else(|trouble| panic!("{trouble}"));
        assert_eq!(found.expires, Some("2026-01-01T01:00:00Z".parse().unwrap()));
        assert_eq!(
            found.pair.identity(),
            format!("process-command/{}", command.0),
            "it outlives the session"
        );
    }

    #[tokio::test]
    async fn what_goes_wrong_is_told_without_what_was_printed() {
        for (lines, expected) in [
            ("echo hidden; exit 3", "its process_command failed (exit status: 3)"),
            ("echo hidden", "the answer to process_command holds no whole credentials"),
            (r#"echo '{"access_key_id": "id"}'"#, "the answer to process_command holds no whole credentials"),
            (
                r#"echo '{"mode": "StsToken", "access_key_id": "id", "access_key_secret": "s"}'"#,
                "the answer to process_command holds no whole credentials",
            ),
        ] {
            assert_eq!(printed(lines).await.err().unwrap().to_string(), expected);
        }
        let missing = Command::new("/no/such/program").unwrap().ask().await.err().unwrap();
        assert_eq!(missing.to_string(), "its process_command can't be started (entity not found)");
        assert!(Command::new("  ").is_none());
    }

    #[tokio::test]
    async fn a_program_that_takes_too_long_is_ended() {
        let directory = tempfile::tempdir().unwrap();
        let command = program(&directory, "exec sleep 600");
        tokio::time::pause();
        assert!(command.ask().await.err() == Some(Trouble::Slow(PATIENCE)));
    }
}
