//! The simulated cloud as a process of its own, over HTTP.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use super::world::REGION;
use super::{Home, PROGRAM, Ran};

/// A running `sim --listen`.
pub struct Simulation {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// Where it listens, as it says.
    pub url: String,
}

impl Simulation {
    /// Starts it in `home` on a free port.
    pub fn start(home: &Home, flags: &[&str]) -> Self {
        let mut command = home.command(PROGRAM);
        command.args(["sim", "--listen", "127.0.0.1:0", "--json"]).args(flags);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| {
            let mut errors = String::new();
            child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
            panic!("it says {line:?} and {errors:?}")
        });
        let url = said["listening"].as_str().unwrap().to_owned();
        Self { child, stdout, url }
    }

    /// Its host and port.
    pub fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    /// A call to it as to a live cloud, with these further flags; the region is confirmed.
    pub fn call(&self, home: &Home, flags: &[&str], tool: &str, arguments: &Value) -> Ran {
        let dlc = format!("pai-dlc={}", self.url);
        let workspaces = format!("aiworkspace={}", self.url);
        let live = ["call", "--json", "--cloud", "live", "--endpoint", &dlc, "--endpoint", &workspaces];
        home.run(&[&live[..], &["--region", REGION], flags, &[tool, &arguments.to_string()]].concat())
    }

    /// Tells it to stop, and waits for its end. What it said after its first line is in `stdout`.
    pub fn stop(mut self) -> Ran {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.stdout.read_to_string(&mut stdout).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        Ran { code: status.code(), stdout, stderr }
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
