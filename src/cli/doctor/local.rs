//! What can be told without asking anybody: rules, files, directories, the flags of the network.
//!
//! Nothing is made that isn't there yet: a record and a key begin with the first call, not with a look.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf, absolute};
use std::sync::Arc;

use super::report::Check;
use crate::audit::{Audit, Key};
use crate::config::{CloudKind, ConfigError, Launch, certificate_variables, proxy_variables};
use crate::policy::OnMiss;
use crate::vault::{LIFETIME, Vault};

/// The rules that would be enforced.
pub(super) fn policy(launch: &Launch) -> Check {
    match launch.policy(OnMiss::Refuse, Vec::new()) {
        Ok(policy) => {
            let files: Vec<&str> = policy.files().iter().map(|file| file.name.as_str()).collect();
            let rules = policy.list().len();
            Check::ok("policy", format!("{rules} rules of {}; SHA-256 {}", files.join(", "), policy.sha256()))
        }
        Err(error) => Check::failure("policy", error.to_string(), "mend the file that it names"),
    }
}

/// What is offered, and which regions are confirmed or allowed.
pub(super) fn launch(launch: &Launch) -> Vec<Check> {
    let offer = match launch.offer.selection() {
        Ok(selection) => Check::ok("tools", format!("{} are offered", selection.tools().count())),
        Err(error) => Check::failure("tools", error.to_string(), "choose at least one tool"),
    };
    let regions = match launch.regions.as_slice() {
        [] => "none is confirmed beforehand; a human is asked".to_owned(),
        regions => format!("confirmed beforehand: {}", regions.join(", ")),
    };
    let allowed = &launch.live.allowed_regions;
    let regions = if allowed.is_empty() {
        Check::ok("regions", regions)
    } else {
        Check::warning(
            "regions",
            format!("{regions}; not documented, and allowed all the same: {}", allowed.join(", ")),
            "make sure that the names are spelled right; they become part of host names",
        )
    };
    vec![offer, regions]
}

/// The record, its key and the vault.
pub(super) fn files(launch: &Launch) -> Vec<Check> {
    vec![key(launch), record(launch), vault(launch)]
}

fn key(launch: &Launch) -> Check {
    let id = "audit.key";
    let file = match launch.audit_key_file() {
        Ok(file) => file,
        Err(error) => return nowhere(id, &error),
    };
    // One that a flag names must be there; the state directory's is made when it is needed.
    if launch.audit_key.is_none() && is_missing(&file) {
        return to_be_made(id, &file, "--audit-key FILE");
    }
    match Key::read(&file) {
        Ok(_) => Check::ok(id, file.display().to_string()),
        Err(error) => {
            Check::failure(id, error.to_string(), "mend the file, or give another with --audit-key FILE")
        }
    }
}

fn record(launch: &Launch) -> Check {
    let (id, flag) = ("audit.record", "--audit FILE");
    let file = match launch.audit_file() {
        Ok(file) => file,
        Err(error) => return nowhere(id, &error),
    };
    if is_missing(&file) {
        return to_be_made(id, &file, flag);
    }
    let key = match launch.audit_key_file().map(|file| Key::read(&file)) {
        Ok(Ok(key)) => Arc::new(key),
        Ok(Err(_)) | Err(_) => {
            let message = format!("{} goes on only with the key that it began with", file.display());
            return Check::failure(
                id,
                message,
                "mend audit.key first, or begin another record with --audit FILE",
            );
        }
    };
    match Audit::open(&file, key, launch.audit_fsync) {
        Ok(_) => readable_by_others(id, &file)
            .unwrap_or_else(|| Check::ok(id, format!("{} goes on", file.display()))),
        Err(error) => {
            Check::failure(id, error.to_string(), format!("mend that, or choose another place with {flag}"))
        }
    }
}

fn vault(launch: &Launch) -> Check {
    let (id, flag) = ("vault", "--vault DIR");
    let directory = match launch.vault_directory() {
        Ok(directory) => directory,
        Err(error) => return nowhere(id, &error),
    };
    if is_missing(&directory) {
        return to_be_made(id, &directory, flag);
    }
    match Vault::new(directory.clone(), LIFETIME).make_ready() {
        Ok(()) => Check::ok(id, format!("{} is this user's alone", directory.display())),
        Err(error) => {
            Check::failure(id, error.to_string(), format!("mend that, or choose another place with {flag}"))
        }
    }
}

/// What stands between this machine and the clouds.
pub(super) fn way_out(launch: &Launch) -> Vec<Check> {
    let live = match launch.cloud {
        CloudKind::Sim => "; nothing of it is used by the simulator",
        CloudKind::Live => "",
    };
    let proxy = match proxy_variables().as_slice() {
        [] => format!("none is set{live}"),
        names => format!("set by {}, for https alone{live}", names.join(", ")),
    };
    let trusted = match certificate_variables().as_slice() {
        [] => "the system's".to_owned(),
        names => format!("those that {} name in place of the system's", names.join(" and ")),
    };
    let certificates = match (launch.probe(), &launch.live.ca_file) {
        (Ok(_), None) => Check::ok("certificates", format!("{trusted}{live}")),
        (Ok(_), Some(file)) => {
            Check::ok("certificates", format!("{trusted}, and those in {}", file.display()))
        }
        (Err(error), _) => Check::failure(
            "certificates",
            error.to_string(),
            "give --ca-file a readable file of PEM certificates",
        ),
    };
    vec![Check::ok("proxy", proxy), certificates]
}

fn nowhere(id: &'static str, error: &ConfigError) -> Check {
    Check::failure(id, error.to_string(), "give --audit FILE, --audit-key FILE and --vault DIR")
}

fn is_missing(path: &Path) -> bool {
    fs::symlink_metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Of what isn't there yet: whether it could be.
fn to_be_made(id: &'static str, path: &Path, flag: &str) -> Check {
    match could_be_made(path) {
        Ok(()) => Check::ok(id, format!("{} is made when it is first needed", path.display())),
        Err((place, error)) => Check::failure(
            id,
            format!("{} can't be made: {}: {error}", path.display(), place.display()),
            format!("make that directory writable, or choose another place with {flag}"),
        ),
    }
}

/// Whether the nearest directory that is there can be written, tried with a file that has no name.
fn could_be_made(path: &Path) -> Result<(), (PathBuf, io::Error)> {
    let whole = absolute(path).map_err(|error| (path.to_owned(), error))?;
    for place in whole.ancestors().skip(1) {
        match fs::metadata(place) {
            Ok(_) => {
                return tempfile::tempfile_in(place).map(drop).map_err(|error| (place.to_owned(), error));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err((place.to_owned(), error)),
        }
    }
    Err((whole, ErrorKind::NotFound.into()))
}

/// A record tells who did what. Its directory keeps others out, unless it was made otherwise.
#[cfg(unix)]
fn readable_by_others(id: &'static str, file: &Path) -> Option<Check> {
    let mode =
        fs::metadata(file).ok().map(|found| std::os::unix::fs::PermissionsExt::mode(&found.permissions()))?;
    (mode & 0o077 != 0).then(|| {
        let message =
            format!("{} has mode {:04o}, so others may read or write it", file.display(), mode & 0o777);
        Check::warning(id, message, "run chmod 600 on it")
    })
}

#[cfg(not(unix))]
fn readable_by_others(_id: &'static str, _file: &Path) -> Option<Check> {
    None
}
