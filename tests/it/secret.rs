//! `redline-mcp secret`: a terminal and nothing else is shown a secret.

#![cfg(target_os = "linux")]

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::harness::{Home, PROGRAM, Ran};

const HANDLE: &str = "handle:aeaqcaibaeaqcaibaeaqcaibae";
const UNKNOWN: &str = "handle:aeaqcaibaeaqcaibaeaqcaibai";
const SECRET: &str = "canary-9f0d \"quoted\" 'too'";
const PAST: &str = "2000-01-01T00:00:00Z";
const FUTURE: &str = "9000-01-01T00:00:00Z";

/// The vault in the home's state directory.
fn vault(home: &Home) -> PathBuf {
    home.file("state/redline-mcp/vault")
}

/// Puts a secret into a vault as a server would, and returns its file.
fn deposit(vault: &Path, scope: &str, expires: &str, secret: &str) -> PathBuf {
    DirBuilder::new().recursive(true).mode(0o700).create(vault).unwrap();
    let code = HANDLE.strip_prefix("handle:").unwrap();
    let path = vault.join(format!("{code}-{}.json", HEXLOWER.encode(&Sha256::digest(scope))));
    let content = json!({
        "version": 1, "scope": scope, "about": format!("Password of {scope}"), "expires": expires, "secret": secret,
    });
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).unwrap();
    file.write_all(content.to_string().as_bytes()).unwrap();
    path
}

/// Runs `secret` and what follows on a terminal of its own, whose output is `stdout`.
fn on_terminal(home: &Home, arguments: &str) -> Ran {
    let command = format!("'{PROGRAM}' secret {arguments}");
    let mut ran = home.run_as("script", &["--quiet", "--return", "--command", &command, "/dev/null"], "");
    ran.stdout = ran.stdout.replace("\r\n", "\n");
    ran
}

fn printed(about: &str, secret: &str) -> (Option<i32>, String) {
    (Some(0), format!("{about}\nkept until {FUTURE}\n{secret}\n"))
}

#[test]
fn on_a_terminal_it_says_what_it_is_until_when_and_then_the_secret() {
    let home = Home::new();
    let file = deposit(&vault(&home), "one", FUTURE, SECRET);
    let ran = on_terminal(&home, HANDLE);
    assert_eq!((ran.code, ran.stdout), printed("Password of one", SECRET));
    assert!(file.exists());
}

#[test]
fn anywhere_else_it_prints_nothing_and_opens_nothing() {
    let home = Home::new();
    let expired = deposit(&vault(&home), "expired", PAST, SECRET);
    deposit(&vault(&home), "one", FUTURE, SECRET);
    for handle in [HANDLE, UNKNOWN] {
        let ran = home.run(&["secret", handle, "--delete"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{ran:?}");
        assert_eq!(
            ran.stderr,
            "redline-mcp: a secret is printed only to a terminal, and stdout isn't one; run the command by hand, without a pipe\n"
        );
    }
    // A terminal elsewhere doesn't help.
    let ran = on_terminal(&home, &format!("{HANDLE} --delete | cat"));
    assert!(ran.stdout.contains("printed only to a terminal"), "{ran:?}");
    assert!(!ran.stdout.contains("canary"), "{ran:?}");
    let mut files: Vec<_> = fs::read_dir(vault(&home)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| *file != expired);
    assert_eq!((files.len(), expired.exists()), (1, true), "nothing was removed, locked or made");
}

#[test]
fn what_is_no_handle_is_a_usage_error_and_isnt_repeated() {
    let home = Home::new();
    for arguments in [&["secret"][..], &["secret", "canary-not-a-handle"], &["secret", &HANDLE[7..]]] {
        let ran = home.run(arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
        assert!(!ran.stderr.is_empty() && !ran.stderr.contains("canary"), "{ran:?}");
    }
    assert_eq!(on_terminal(&home, "canary-not-a-handle").code, Some(2));
    assert!(!home.file("state").exists());
}

#[test]
fn an_unknown_handle_and_an_expired_one_are_the_same_failure() {
    let home = Home::new();
    let unknown = on_terminal(&home, UNKNOWN);
    assert_eq!(unknown.code, Some(1), "{unknown:?}");
    assert!(unknown.stdout.contains("nothing is kept under this handle"), "{unknown:?}");
    assert!(!home.file("state").exists(), "looking makes nothing");

    let expired = deposit(&vault(&home), "one", PAST, SECRET);
    let ran = on_terminal(&home, HANDLE);
    assert_eq!((ran.code, &ran.stdout), (Some(1), &unknown.stdout));
    assert!(!expired.exists(), "what expired is cleared out");
}

#[test]
fn delete_removes_it_from_every_scope_once_it_is_printed() {
    let home = Home::new();
    let elsewhere = home.file("elsewhere");
    let files = ["one", "two"].map(|scope| deposit(&elsewhere, scope, FUTURE, SECRET));
    let arguments = format!("{HANDLE} --delete --vault '{}'", elsewhere.display());
    let ran = on_terminal(&home, &arguments);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.ends_with(&format!("\n{SECRET}\n")), "{ran:?}");
    assert_eq!(files.map(|file| file.exists()), [false, false]);
    assert_eq!(on_terminal(&home, &arguments).code, Some(1));
    assert!(!home.file("state").exists());
}

#[test]
fn control_characters_cannot_drive_the_terminal() {
    let home = Home::new();
    deposit(&vault(&home), "one", FUTURE, "a\u{1b}[31m\tb\nc");
    let ran = on_terminal(&home, HANDLE);
    const ESCAPED: &str = "a\\u{1b}[31m\\tb\nc";
    let note = "it has control characters, which are written as escapes here";
    assert_eq!((ran.code, ran.stdout), printed("Password of one", &format!("{note}\n{ESCAPED}")));
}

#[test]
fn a_file_that_others_can_read_is_named_and_not_shown() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let file = deposit(&vault(&home), "one", FUTURE, SECRET);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let ran = on_terminal(&home, HANDLE);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stdout.contains(file.to_str().unwrap()) && !ran.stdout.contains("canary"), "{ran:?}");
    assert!(ran.stdout.contains("is open to other users"), "{ran:?}");
}
