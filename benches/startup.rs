//! Whole-process figures: how fast the server starts, how much memory it holds, how long a call takes.
//!
//! The release binary is started many times and spoken to over stdio, as a host does it. Beside it stands a
//! bare server, which is this program started again with the argument `bare`: rmcp, one tool that echoes its
//! arguments, nothing else. What the bare server costs, no server on rmcp can save.
//!
//! ```text
//! cargo bench --bench startup            # 40 starts, 400 calls of each kind
//! cargo bench --bench startup -- 100     # more starts, and ten times as many calls
//! ```

use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::time::Instant;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::{RequestContext, ServiceExt};
use rmcp::{RoleServer, ServerHandler};
use serde_json::{Map, Value, json};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const BARE: &str = "bare";
const STARTS: usize = 40;
const REGION: &str = "cn-hangzhou";
/// Calls before the measured ones.
const WARM_UP: usize = 20;

fn main() -> ExitCode {
    let done = match std::env::args().nth(1).as_deref() {
        Some(BARE) => bare(),
        given => measure(given.and_then(|count| count.parse().ok()).unwrap_or(STARTS)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("startup: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The server without anything of ours.
#[derive(Clone)]
struct Echo;

impl ServerHandler for Echo {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> std::result::Result<ListToolsResult, ErrorData> {
        let schema = Map::from_iter([("type".to_owned(), json!("object"))]);
        Ok(ListToolsResult::with_all_items(vec![Tool::new("echo", "Echo the arguments", schema)]))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> std::result::Result<CallToolResponse, ErrorData> {
        let arguments = Value::Object(request.arguments.unwrap_or_default());
        let mut result = CallToolResult::success(vec![ContentBlock::text(arguments.to_string())]);
        result.structured_content = Some(arguments);
        Ok(result.into())
    }
}

fn bare() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        Echo.serve(rmcp::transport::io::stdio()).await?.waiting().await?;
        Ok(())
    })
}

/// A server that was started, and the host's ends of its pipes.
struct Server {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    requests: u64,
}

impl Server {
    /// Starts the server and waits until it has answered `initialize`.
    fn start(mut command: Command) -> Result<(Self, f64)> {
        let began = Instant::now();
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let stdin = child.stdin.take().ok_or("no stdin")?;
        let stdout = BufReader::new(child.stdout.take().ok_or("no stdout")?);
        let mut server = Self { child, stdin, stdout, requests: 0 };
        let client = json!({ "name": "bench", "version": "1" });
        let hello = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
        server.request("initialize", &hello)?;
        let taken = milliseconds(began);
        writeln!(server.stdin, "{}", json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }))?;
        Ok((server, taken))
    }

    /// Sends a request; returns the answer's line and how long it took, in milliseconds.
    fn request(&mut self, method: &str, params: &Value) -> Result<(String, f64)> {
        self.requests += 1;
        let request = json!({ "jsonrpc": "2.0", "id": self.requests, "method": method, "params": params });
        let line = format!("{request}\n");
        let mut answer = String::new();
        let began = Instant::now();
        self.stdin.write_all(line.as_bytes())?;
        self.stdout.read_line(&mut answer)?;
        let taken = milliseconds(began);
        if answer.contains("\"result\"") {
            Ok((answer, taken))
        } else {
            Err(format!("{method}: {answer}").into())
        }
    }

    /// Calls a tool, which must succeed; returns its result and how long it took, in milliseconds.
    fn call(&mut self, tool: &str, arguments: &Value) -> Result<(Value, f64)> {
        let (answer, taken) = self.request("tools/call", &json!({ "name": tool, "arguments": arguments }))?;
        let mut answer: Value = serde_json::from_str(&answer)?;
        match answer.pointer_mut("/result/structuredContent").map(Value::take) {
            Some(content) => Ok((content, taken)),
            None => Err(format!("{tool}: {answer}").into()),
        }
    }

    /// Resident memory now and at its peak, in MiB. Only Linux tells.
    fn memory(&self) -> Option<(f64, f64)> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let mebibytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            Some(line.split_whitespace().next()?.parse::<f64>().ok()? / 1024.0)
        };
        Some((mebibytes("VmRSS:")?, mebibytes("VmHWM:")?))
    }

    /// Hangs up and waits until the server has gone.
    fn stop(mut self) -> Result<()> {
        drop(self.stdin);
        self.child.wait()?;
        Ok(())
    }
}

fn milliseconds(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1000.0
}

/// Our server on the simulator, its state in `state`.
fn redline(state: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_redline-mcp"));
    command.args(["serve", "--region", REGION, "--approve", "dlc_create_job"]).env("XDG_STATE_HOME", state);
    command
}

fn echo() -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(BARE);
    Ok(command)
}

/// The measured values of one kind.
#[derive(Default)]
struct Sample(Vec<f64>);

impl Sample {
    fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    /// The value below which `percent` of them lie.
    fn quantile(&self, percent: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1);
        sorted.get(last * percent / 100).copied().unwrap_or(f64::NAN)
    }

    fn print(&self, what: &str, unit: &str) {
        if self.0.is_empty() {
            println!("{what:<58} only Linux tells");
            return;
        }
        let [min, median, high] = [0, 50, 95].map(|percent| self.quantile(percent));
        println!("{what:<58} {min:>8.3} {median:>8.3} {high:>8.3}  {unit}");
    }
}

/// What starting a server and listing its tools came to.
#[derive(Default)]
struct Starts {
    answered: Sample,
    resident: Sample,
    peak: Sample,
    listed: usize,
}

impl Starts {
    fn add(&mut self, command: Command) -> Result<Server> {
        let (mut server, taken) = Server::start(command)?;
        self.answered.add(taken);
        self.listed = server.request("tools/list", &json!({}))?.0.len();
        if let Some((resident, peak)) = server.memory() {
            self.resident.add(resident);
            self.peak.add(peak);
        }
        Ok(server)
    }

    fn print(&self, who: &str) {
        self.answered.print(&format!("{who}: spawn to initialize answered"), "ms");
        self.resident.print(&format!("{who}: resident after tools/list"), "MiB");
        self.peak.print(&format!("{who}: its peak"), "MiB");
    }
}

fn measure(starts: usize) -> Result<()> {
    let kept = tempfile::tempdir()?;
    let [mut first, mut later, mut bare] = <[Starts; 3]>::default();
    let [mut resident, mut peak] = <[Sample; 2]>::default();
    redline_once(kept.path())?;
    for _ in 0..starts {
        let fresh = tempfile::tempdir()?;
        first.add(redline(fresh.path()))?.stop()?;
        bare.add(echo()?)?.stop()?;
        let mut server = later.add(redline(kept.path()))?;
        a_handful(&mut server)?;
        if let Some((now, most)) = server.memory() {
            resident.add(now);
            peak.add(most);
        }
        server.stop()?;
    }
    println!("{:<58} {:>8} {:>8} {:>8}", format!("{starts} starts"), "min", "median", "p95");
    later.print("redline-mcp");
    first.answered.print("redline-mcp: the same, first start of all", "ms");
    resident.print("redline-mcp: resident after a handful of calls", "MiB");
    peak.print("redline-mcp: its peak", "MiB");
    bare.print("bare rmcp");
    println!();
    calls(starts * 10)?;
    println!();
    println!("{:<58} {:>8} bytes", "release binary", fs::metadata(env!("CARGO_BIN_EXE_redline-mcp"))?.len());
    println!("{:<58} {:>8} bytes", "tools/list as it is sent", later.listed);
    Ok(())
}

fn redline_once(state: &Path) -> Result<()> {
    Server::start(redline(state))?.0.stop()
}

/// Lists, creates and looks: what a short session does. Returns the arguments of the job.
fn a_handful(server: &mut Server) -> Result<Value> {
    let workspaces = json!({ "RegionId": REGION, "Status": "ENABLED" });
    let (listed, _) = server.call("aiworkspace_list_workspaces", &workspaces)?;
    let workspace = listed.pointer("/Workspaces/0/Workspace ID").cloned().ok_or("no workspace is listed")?;
    let (listed, _) = server.call("aiworkspace_list_images", &json!({ "RegionId": REGION }))?;
    let image = listed.pointer("/Images/0/ImageUri").cloned().ok_or("no image is listed")?;
    let job = json!({
        "RegionId": REGION,
        "WorkspaceId": workspace,
        "DisplayName": "bench-train",
        "JobType": "PyTorchJob",
        "JobSpecs": [{ "Type": "Worker", "PodCount": 1, "Image": image, "EcsSpec": "ecs.gn6i-c4g1.xlarge" }],
        "UserCommand": "python train.py --epochs 3",
        "Envs": { "WANDB_MODE": "offline" },
        "JobMaxRunningTimeMinutes": 60,
    });
    let (created, _) = server.call("dlc_create_job", &job)?;
    server.call("dlc_get_job", &json!({ "RegionId": REGION, "JobId": created.get("JobId") }))?;
    Ok(job)
}

/// Calls in turn to both servers, so that what else the machine does falls on both.
fn calls(count: usize) -> Result<()> {
    let state = tempfile::tempdir()?;
    let (mut ours, _) = Server::start(redline(state.path()))?;
    let (mut bare, _) = Server::start(echo()?)?;
    let job = a_handful(&mut ours)?;
    let products = json!({ "RegionId": REGION, "ProductCodes": "PAI_share" });
    println!("{:<58} {:>8} {:>8} {:>8}", format!("{count} calls"), "min", "median", "p95");
    for (tool, mut arguments) in [("aiworkspace_list_products", products), ("dlc_create_job", job)] {
        let [mut through, mut echoed] = <[Sample; 2]>::default();
        for index in 0..count + WARM_UP {
            // The same job again would be put to a human.
            if let Some(name) = arguments.get_mut("DisplayName") {
                *name = format!("bench-{index}").into();
            }
            let (_, one) = ours.call(tool, &arguments)?;
            let (_, other) = bare.call("echo", &arguments)?;
            if index >= WARM_UP {
                through.add(one * 1000.0);
                echoed.add(other * 1000.0);
            }
        }
        through.print(&format!("redline-mcp: {tool}"), "us");
        echoed.print("bare rmcp: echo of the same arguments", "us");
        println!("{:<58} {:>17.2}", "ratio of the medians", through.quantile(50) / echoed.quantile(50));
    }
    let mut after = Sample::default();
    if let Some((resident, _)) = ours.memory() {
        after.add(resident);
    }
    after.print(&format!("redline-mcp: resident after {} calls", ours.requests), "MiB");
    ours.stop()?;
    bare.stop()
}
