//! A client that writes lines and reads lines, politely or not.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{Home, PATIENCE};

/// A server, and the bytes that it says.
pub struct Raw {
    pub home: Home,
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    errors: JoinHandle<String>,
    said: String,
}

/// All that a server said until it ended.
pub struct Ended {
    pub home: Home,
    pub code: Option<i32>,
    /// Everything on stdout.
    pub stdout: String,
    /// Everything on stderr.
    pub stderr: String,
    /// What came after the end of input.
    pub rest: Vec<Value>,
}

impl Raw {
    /// A server that nothing was said to yet.
    pub fn connect(home: Home, flags: &[&str]) -> Self {
        let mut command = tokio::process::Command::from(home.server(flags));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let errors = tokio::spawn(async move {
            let mut text = String::new();
            stderr.read_to_string(&mut text).await.unwrap();
            text
        });
        let input = child.stdin.take().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { home, child, input, lines, errors, said: String::new() }
    }

    /// A server past the handshake, whose client can show forms.
    pub async fn legacy(home: Home, flags: &[&str]) -> Self {
        let mut raw = Self::connect(home, flags);
        raw.initialize("2025-11-25").await;
        raw
    }

    /// Shakes hands as a client that can show forms, and returns the server's introduction.
    pub async fn initialize(&mut self, version: &str) -> Value {
        self.introduce(version, json!({ "elicitation": {} })).await
    }

    /// Shakes hands as a client with these capabilities, and returns the server's introduction.
    pub async fn introduce(&mut self, version: &str, capabilities: Value) -> Value {
        let params = json!({
            "protocolVersion": version,
            "capabilities": capabilities,
            "clientInfo": { "name": "raw", "version": "1" },
        });
        let answer = self.ask(json!("init"), "initialize", params).await;
        self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
        answer
    }

    /// Writes a line as it is.
    pub async fn line(&mut self, line: &[u8]) {
        self.input.write_all(line).await.unwrap();
        self.input.write_all(b"\n").await.unwrap();
    }

    pub async fn send(&mut self, message: &Value) {
        self.line(message.to_string().as_bytes()).await;
    }

    /// Makes a request, and returns the next message, whatever it is.
    pub async fn ask(&mut self, id: Value, method: &str, params: Value) -> Value {
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).await;
        self.receive().await
    }

    /// The next line of stdout.
    pub async fn next_line(&mut self) -> Option<String> {
        let line = timeout(PATIENCE, self.lines.next_line()).await.expect("an answer").unwrap()?;
        self.said.push_str(&line);
        self.said.push('\n');
        Some(line)
    }

    /// The next message. Whatever stdout says, it is a message.
    pub async fn receive(&mut self) -> Value {
        message(&self.next_line().await.expect("an answer"))
    }

    /// Calls a tool, says yes to all it asks, and returns the result.
    pub async fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        let mut answer =
            self.ask(json!(1), "tools/call", json!({ "name": tool, "arguments": arguments })).await;
        while answer["method"] == "elicitation/create" {
            let field = answer["params"]["requestedSchema"]["required"][0].as_str().unwrap();
            let content = match field {
                "region" => json!({ "region": arguments["RegionId"] }),
                "resource_id" => {
                    let ids = ["PodId", "TargetId", "TensorboardId", "JobId"];
                    json!({ "resource_id": ids.iter().find_map(|name| arguments.get(*name)) })
                }
                field => json!({ field: true }),
            };
            let result = json!({ "action": "accept", "content": content });
            self.send(&json!({ "jsonrpc": "2.0", "id": answer["id"], "result": result })).await;
            answer = self.receive().await;
        }
        answer["result"].clone()
    }

    /// How much memory the server holds, in KiB; `None` where the system doesn't tell.
    pub fn resident_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().strip_suffix("kB")?.trim().parse().ok()
    }

    /// Sends it a signal, such as `-TERM`.
    pub fn signal(&self, signal: &str) {
        let id = self.child.id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Kills it at once; what it said before is in `rest`, but for a line that it didn't end.
    pub async fn kill(mut self) -> Ended {
        self.child.start_kill().unwrap();
        self.ended().await
    }

    /// Ends the input, and waits for the server to be gone.
    pub async fn hang_up(mut self) -> Ended {
        self.input.shutdown().await.unwrap();
        self.ended().await
    }

    /// Waits for the server to be gone.
    pub async fn ended(self) -> Ended {
        let Self { home, mut child, input, mut lines, errors, said: mut stdout } = self;
        drop(input);
        let mut rest = Vec::new();
        let drain = async {
            let mut last = None;
            while let Some(line) = lines.next_line().await.unwrap() {
                rest.extend(last.replace(line.clone()).map(|line| message(&line)));
                stdout.push_str(&line);
                stdout.push('\n');
            }
            let status = child.wait().await.unwrap();
            // One who was killed may have been in the middle of it.
            let whole =
                |line: &String| status.code().is_some() || serde_json::from_str::<Value>(line).is_ok();
            rest.extend(last.filter(whole).map(|line| message(&line)));
            (status.code(), errors.await.unwrap())
        };
        let (code, stderr) = timeout(PATIENCE, drain).await.expect("the server ends");
        Ended { home, code, stdout, stderr, rest }
    }
}

/// A line of stdout, which is always a JSON-RPC message.
fn message(line: &str) -> Value {
    let message: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
    assert_eq!(message["jsonrpc"], "2.0", "{line}");
    message
}

/// What every request carries in the era without a handshake.
pub fn modern(mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": { "elicitation": {} },
        "io.modelcontextprotocol/clientInfo": { "name": "raw", "version": "1" },
    });
    params
}
