//! Starting the program that shows a page to the human.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::{Child, Command};

use super::questions::Secret;

/// The program that opens an address in the human's browser.
#[derive(Clone, PartialEq, Eq)]
pub struct Browser {
    program: PathBuf,
    arguments: &'static [&'static str],
    withheld: &'static [&'static str],
}

impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Browser").field("program", &self.program).finish_non_exhaustive()
    }
}

impl Browser {
    /// `program`, which takes the address after these arguments. The environment variables named in `withheld` are
    /// kept from it: a browser has no use for a cloud's keys.
    pub const fn new(
        program: PathBuf,
        arguments: &'static [&'static str],
        withheld: &'static [&'static str],
    ) -> Self {
        Self { program, arguments, withheld }
    }

    /// Starts it with the address of the question behind `link`. It reads nothing and its output goes nowhere: this
    /// process's own is the protocol, and a program may print the address that it is given.
    pub(super) fn open(&self, origin: &str, link: &Secret) -> io::Result<Child> {
        let mut command = Command::new(&self.program);
        command.args(self.arguments).arg(format!("{origin}/{}", link.reveal()));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        for name in self.withheld {
            command.env_remove(name);
        }
        // Whatever stops this process, the human's browser isn't to be stopped with it.
        #[cfg(unix)]
        command.process_group(0);
        command.spawn()
    }
}
