//! The file in which a world is kept: what `--state-out` names.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::World;

/// A file that holds a world's state as it was after some request, never half of it.
pub(in crate::sim) struct StateFile {
    path: PathBuf,
    /// What the file holds.
    written: String,
    /// Whether the last write failed, so that one cause is logged once.
    failing: bool,
}

impl StateFile {
    /// Brings the file up to date with `world`.
    pub(in crate::sim) fn open(path: PathBuf, world: &World) -> io::Result<Self> {
        let text = world.text()?;
        if fs::read(&path).ok().as_deref() != Some(text.as_bytes()) {
            replace(&path, &text)?;
        }
        Ok(Self { path, written: text, failing: false })
    }

    /// Writes the file if the state is no longer what it holds. A failure is logged, for the request whose change it
    /// is has happened all the same; the next one tries again.
    pub(in crate::sim) fn keep(&mut self, world: &World) {
        let kept = world.text().map_err(io::Error::from).and_then(|text| {
            if text != self.written {
                replace(&self.path, &text)?;
                self.written = text;
            }
            Ok(())
        });
        match kept {
            Ok(()) => self.failing = false,
            Err(error) => {
                if !self.failing {
                    let path = self.path.display();
                    tracing::error!(
                        "can't write the state to {path}: {error}; each next request tries again"
                    );
                }
                self.failing = true;
            }
        }
    }
}

/// A reader sees the old text or the new one. The file is its owner's alone, since job environments hold secrets.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    let mut new = NamedTempFile::new_in(directory.unwrap_or(Path::new(".")))?;
    new.write_all(text.as_bytes())?;
    new.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::Simulator;
    use crate::sim::testkit::{Call, WORKSPACE, simulator};
    use serde_json::json;
    use std::time::SystemTime;

    const LONG_AGO: SystemTime = SystemTime::UNIX_EPOCH;

    fn saving() -> (tempfile::TempDir, PathBuf, Simulator) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state.json");
        let simulator = simulator();
        simulator.save_to(path.clone()).unwrap();
        (directory, path, simulator)
    }

    fn create(simulator: &Simulator, name: &str) -> u16 {
        let wish = json!({"WorkspaceName": name, "Description": "d", "EnvTypes": ["prod"]});
        Call::post(WORKSPACE, "/api/v1/workspaces", "CreateWorkspace", &wish).send(simulator).0
    }

    fn read(simulator: &Simulator) -> u16 {
        Call::get(WORKSPACE, "/api/v1/workspaces", "ListWorkspaces").send(simulator).0
    }

    /// Makes the file look old, so that any later write shows.
    fn age(path: &Path) {
        fs::File::options().append(true).open(path).unwrap().set_modified(LONG_AGO).unwrap();
    }

    fn is_old(path: &Path) -> bool {
        fs::metadata(path).unwrap().modified().unwrap() == LONG_AGO
    }

    fn holds(path: &Path, simulator: &Simulator) -> bool {
        let text = fs::read_to_string(path).unwrap();
        let world = World::parse(&text).unwrap();
        world.text().unwrap() == text && serde_json::to_value(&world).unwrap() == simulator.state().unwrap()
    }

    #[test]
    fn the_file_follows_every_change_and_no_read() {
        let (_directory, path, simulator) = saving();
        assert!(holds(&path, &simulator));
        age(&path);
        assert_eq!(read(&simulator), 200);
        assert_eq!(create(&simulator, "1"), 400);
        assert!(is_old(&path));
        assert_eq!(create(&simulator, "new_team"), 200);
        assert!(!is_old(&path) && holds(&path, &simulator));
        assert!(fs::read_to_string(&path).unwrap().ends_with("}\n"));
    }

    #[test]
    fn a_file_that_is_up_to_date_is_left_alone() {
        let (_directory, path, first) = saving();
        age(&path);
        let second = simulator();
        second.save_to(path.clone()).unwrap();
        assert!(is_old(&path));
        assert_eq!(create(&first, "new_team"), 200);
        second.save_to(path.clone()).unwrap();
        assert!(holds(&path, &second));
    }

    #[test]
    fn nothing_else_is_left_in_the_directory() {
        let (directory, _path, simulator) = saving();
        assert_eq!(create(&simulator, "new_team"), 200);
        let names: Vec<_> =
            fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["state.json"]);
    }

    #[test]
    fn a_write_that_fails_costs_no_change_and_is_made_up_for() {
        let (directory, path, simulator) = saving();
        drop(directory);
        assert_eq!(create(&simulator, "new_team"), 200);
        assert!(simulator.lock().file.as_ref().unwrap().failing);
        assert_eq!(create(&simulator, "new_team"), 409);
        fs::create_dir(path.parent().unwrap()).unwrap();
        assert_eq!(read(&simulator), 200);
        assert!(!simulator.lock().file.as_ref().unwrap().failing);
        assert!(holds(&path, &simulator));
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_file_that_can_not_be_written_is_told_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let simulator = simulator();
        assert!(simulator.save_to(directory.path().join("missing").join("state.json")).is_err());
        assert!(simulator.save_to(directory.path().to_owned()).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let (_directory, path, _simulator) = saving();
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
