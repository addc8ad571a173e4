//! The command line: help, exit codes, one call by hand, and who decides about the cloud.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::path::Path;

use serde_json::json;

use crate::harness::world::{
    CREATE_JOB, CREATE_WORKSPACE, DETECTOR, LIST_WORKSPACES, REGION, VISION, here, job, workspace,
};
use crate::harness::{Home, PROGRAM, paths};

const COMMANDS: [&[&str]; 14] = [
    &[],
    &["serve"],
    &["demo"],
    &["doctor"],
    &["call"],
    &["sim"],
    &["tools"],
    &["schemas"],
    &["policy"],
    &["policy", "explain"],
    &["audit"],
    &["audit", "verify"],
    &["audit", "show"],
    &["secret"],
];

/// `call` and what follows, recorded in the home.
fn call(home: &Home, arguments: &[&str]) -> crate::harness::Ran {
    let record = home.record_file();
    home.run(&[&["call", "--json", "--audit", record.to_str().unwrap()], arguments].concat())
}

#[test]
fn every_commands_help_has_an_example() {
    let home = Home::new();
    for command in COMMANDS {
        let help = home.run(&[command, &["--help"]].concat());
        assert_eq!(help.code, Some(0), "{command:?}");
        let example = help.stdout.lines().find_map(|line| line.strip_prefix("Example: redline-mcp "));
        let example = example.unwrap_or_else(|| panic!("{command:?} has no example: {}", help.stdout));
        for part in command {
            assert!(example.contains(part), "{example}");
        }
    }
    let named = home.run(&["--help"]).stdout;
    for command in &COMMANDS[1..] {
        assert!(named.contains(&format!("\n  {}", command[0])), "{command:?}");
    }
}

#[test]
fn a_wrong_command_line_is_exit_code_2() {
    let home = Home::new();
    let here = here().to_string();
    for arguments in [
        &["nonsense"][..],
        &["--nonsense"],
        &["call"],
        &["call", "dlc_nothing"],
        &["call", LIST_WORKSPACES, "not json"],
        &["call", LIST_WORKSPACES, "[1]"],
        &["call", LIST_WORKSPACES, "\"text\""],
        &["call", LIST_WORKSPACES, &here, "--region", "cn-nowhere"],
        &["call", LIST_WORKSPACES, &here, "--approve", "destroy"],
        &["call", LIST_WORKSPACES, &here, "--approve", "reveal"],
        &["call", LIST_WORKSPACES, &here, "--approve", "everything"],
        &["call", LIST_WORKSPACES, &here, "--cloud", "moon"],
        &["call", LIST_WORKSPACES, &here, "--clock-step", "0s"],
        &["policy", "explain", "dlc_nothing"],
        &["tools", "--json", "--size"],
        &["sim"],
        &["sim", "--listen", "localhost"],
        &["sim", "--listen", "127.0.0.1:0", "--region", "cn-nowhere"],
        &["sim", "--listen", "127.0.0.1:0", "--clock", "2026-01-01T00:00:00Z"],
        &["serve", "--cloud", "live", "--endpoint", "nonsense"],
        &["serve", "--cloud", "live", "--endpoint", "pai-dlc=http://example.com"],
    ] {
        let ran = home.run(arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(!ran.stderr.is_empty(), "{arguments:?}");
    }
    assert!(!home.file("state").exists(), "a wrong command line leaves nothing behind");
}

#[test]
fn an_unknown_tool_is_told_the_closest() {
    let ran = Home::new().run(&["call", "dlc_creat_job"]);
    assert!(ran.stderr.contains("the closest are dlc_create_job"), "{}", ran.stderr);
}

#[test]
fn arguments_that_are_not_json_are_told_where_and_not_repeated() {
    let ran = Home::new().run(&["call", LIST_WORKSPACES, "{\"RegionId\": canary}"]);
    assert!(ran.stderr.contains("line 1, column 14"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("canary"), "{}", ran.stderr);
}

/// The flags of one cloud aren't for the other.
#[test]
fn flags_of_the_other_cloud_are_exit_code_2() {
    let home = Home::new();
    let faults = home.write("faults.json", "[]");
    for (cloud, flag, value) in [
        ("live", "--seed", "1"),
        ("live", "--clock", "2026-01-01T00:00:00Z"),
        ("live", "--clock-step", "1s"),
        ("live", "--faults", &*faults),
        ("live", "--state-in", &*faults),
        ("live", "--state-out", &*faults),
        ("sim", "--endpoint", "pai-dlc=https://example.com"),
        ("sim", "--signature", "roa-hmac-sha1"),
        ("sim", "--connect-timeout", "5"),
        ("sim", "--read-timeout", "5"),
    ] {
        for command in [&["serve"][..], &["call", LIST_WORKSPACES], &["call", "--dry-run", LIST_WORKSPACES]] {
            let ran = home.run(&[command, &["--cloud", cloud, flag, value]].concat());
            assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{cloud} {flag} {command:?}: {ran:?}");
            assert!(ran.stderr.contains(flag), "{}", ran.stderr);
        }
    }
}

/// R-WS-32, R-WS-44: without a terminal there is nobody to ask, whatever is piped in.
#[cfg(target_os = "linux")]
#[test]
fn a_call_without_a_terminal_is_refused_and_names_the_flags() {
    let home = Home::new();
    let record = home.record_file();
    let wanted = workspace("vision_team").to_string();
    let audit = ["--audit", record.to_str().unwrap()];
    // A session of its own has no terminal.
    let call = [&["--wait", PROGRAM, "call", "--json"], &audit[..], &[CREATE_WORKSPACE, &wanted]].concat();
    let ran = home.run_as("setsid", &call, "yes\ncn-hangzhou\nyes\n");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(ran.json()["rule"], "region-confirmed");
    assert!(ran.stdout.contains("--region cn-hangzhou"), "{}", ran.stdout);
    assert!(home.calls().is_empty());

    let ran = home.run_as("setsid", &[&call[..], &["--region", REGION]].concat(), "yes\nyes\n");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(ran.json()["rule"], "arguments-confirmed");
    assert!(ran.stdout.contains(&format!("--approve {CREATE_WORKSPACE}")), "{}", ran.stdout);
    assert_eq!(home.calls(), ["ListProducts", "ListWorkspaces"]);
}

/// R-DLC-24, R-DLC-30: in one process an image and a workspace that nobody listed are looked up, not trusted.
#[test]
fn a_job_is_submitted_in_one_process_once_its_image_is_looked_up() {
    let home = Home::new();
    let flags = ["--region", REGION, "--approve", CREATE_JOB];
    let ran = call(&home, &[&[CREATE_JOB, &job(VISION, DETECTOR).to_string()], &flags[..]].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.json()["JobId"].as_str().unwrap().starts_with("dlc"));
    let calls = home.calls();
    assert_eq!(calls.iter().filter(|call| *call == "ListImages").count(), 2, "{calls:?}");
    assert_eq!(calls.last().unwrap(), "CreateJob");

    let home = Home::new();
    for (workspace, image) in [(VISION, "docker.io/pytorch/pytorch:latest"), ("999999", DETECTOR)] {
        let ran = call(&home, &[&[CREATE_JOB, &job(workspace, image).to_string()], &flags[..]].concat());
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert_eq!(home.count("CreateJob"), 0);
    }
    let flags = [&flags[..], &["--provenance", "refuse"]].concat();
    let ran = call(&home, &[&[CREATE_JOB, &job(VISION, DETECTOR).to_string()], &flags[..]].concat());
    assert_eq!((ran.code, &ran.json()["rule"]), (Some(1), &json!("image-from-list")));
}

#[test]
fn the_arguments_can_come_from_stdin() {
    let home = Home::new();
    let record = home.record_file();
    let command =
        ["call", "--json", "--region", REGION, "--audit", record.to_str().unwrap(), LIST_WORKSPACES, "-"];
    let ran = home.run_as(PROGRAM, &command, &here().to_string());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.json()["Workspaces"].as_array().unwrap().len(), 6);
}

/// R-WS-33, R-WS-44: a region comes from the arguments and from nowhere else.
#[test]
fn no_variable_stands_for_a_region_or_a_yes() {
    let home = Home::new()
        .with("ALIBABA_CLOUD_REGION_ID", REGION)
        .with("ALIBABA_CLOUD_REGION", REGION)
        .with("REGION", REGION)
        .with("REDLINE_MCP_REGION", REGION)
        .with("REDLINE_MCP_APPROVE", "create")
        .with("REDLINE_MCP_CLOUD", "live");
    let ran = call(&home, &[LIST_WORKSPACES, "{}"]);
    assert_eq!((ran.code, &ran.json()["rule"]), (Some(1), &json!("arguments")));
    assert_eq!(paths(&ran.json()), ["RegionId"]);
    assert!(home.calls().is_empty());
    let verdict = home.run(&["call", "--json", "--dry-run", LIST_WORKSPACES, &here().to_string()]).json();
    assert_eq!(
        (&verdict["verdict"], &verdict["confirm"][0]["rule"]),
        (&json!("confirm"), &json!("region-confirmed"))
    );
    let shown = verdict["confirm"][0]["question"].as_str().unwrap().to_owned();
    assert!(shown.contains("simulated"), "{shown}");
}

/// A service on loopback that counts its requests.
struct Service {
    listener: TcpListener,
    endpoint: String,
}

impl Service {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let endpoint = format!("aiworkspace=http://{}", listener.local_addr().unwrap());
        Self { listener, endpoint }
    }

    fn nobody_came(&self) -> bool {
        self.listener.accept().is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }

    /// Answers one request with this body, and returns the request's head.
    fn answer(self, body: &'static str) -> std::thread::JoinHandle<String> {
        self.listener.set_nonblocking(false).unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = self.listener.accept().unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                head.push(byte[0]);
            }
            write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            )
            .unwrap();
            String::from_utf8(head).unwrap()
        })
    }
}

fn live<'a>(endpoint: &'a str, arguments: &'a str) -> [&'a str; 8] {
    [LIST_WORKSPACES, arguments, "--cloud", "live", "--region", REGION, "--endpoint", endpoint]
}

/// R-WS-08, R-WS-09: without credentials nothing proceeds; the error says where they come from, and never asks for them.
#[test]
fn live_without_credentials_is_an_error_and_nothing_is_sent() {
    for half in [None, Some("ALIBABA_CLOUD_ACCESS_KEY_ID"), Some("ALIBABA_CLOUD_ACCESS_KEY_SECRET")] {
        let mut home = Home::new();
        if let Some(name) = half {
            home = home.with(name, "half-canary");
        }
        let service = Service::new();
        let ran = call(&home, &live(&service.endpoint, &here().to_string()));
        assert_eq!((ran.code, &ran.json()["rule"]), (Some(1), &json!("credentials")), "{half:?}");
        assert!(ran.stdout.contains("ALIBABA_CLOUD_ACCESS_KEY_ID"), "{}", ran.stdout);
        assert!(!ran.stdout.contains("half-canary") && !ran.stderr.contains("half-canary"));
        assert!(service.nobody_came());
        assert!(home.calls().is_empty());
    }
}

/// R-WS-03, R-WS-94: with credentials the same call reaches the service, signed; the secret is nowhere.
#[test]
fn live_with_credentials_signs_and_never_shows_them() {
    let home = Home::new()
        .with("ALIBABA_CLOUD_ACCESS_KEY_ID", "id-canary-5301")
        .with("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "secret-canary-7717")
        .with("ALIBABA_CLOUD_SECURITY_TOKEN", "token-canary-9942");
    let service = Service::new();
    let endpoint = service.endpoint.clone();
    let served = service.answer(r#"{"RequestId":"R1","Products":[],"Services":[]}"#);
    let ran = call(&home, &[&live(&endpoint, &here().to_string())[..], &["--log", "debug"]].concat());
    assert_eq!((ran.code, &ran.json()["rule"]), (Some(1), &json!("pai-activated")), "{ran:?}");
    let head = served.join().unwrap().to_lowercase();
    assert!(head.starts_with("get /api/v1/products?"), "{head}");
    assert!(head.contains("user-agent: alibabacloud-agent-skills "), "{head}");
    assert!(head.contains("authorization: acs3-hmac-sha256 "), "{head}");
    let record = std::fs::read_to_string(home.record_file()).unwrap();
    for secret in ["id-canary-5301", "secret-canary-7717", "token-canary-9942"] {
        for text in [&ran.stdout, &ran.stderr, &record] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
        assert!(!head.contains("secret-canary"), "{head}");
    }
    assert_eq!(home.calls(), ["ListProducts"]);
}

#[test]
fn the_policy_explains_a_call_rule_by_rule() {
    let home = Home::new();
    let wanted = job(VISION, "docker.io/pytorch/pytorch:latest").to_string();
    let explained = home.run(&["policy", "explain", "--json", CREATE_JOB, &wanted]);
    assert_eq!(explained.code, Some(0));
    let explained = explained.json();
    assert_eq!(explained["verdict"], "refused");
    let rules = explained["rules"].as_array().unwrap();
    let said = |id: &str| {
        let rule = rules.iter().find(|rule| rule["id"] == id).unwrap_or_else(|| panic!("no {id}"));
        assert!(!rule["why"].as_str().unwrap().is_empty() && !rule["sources"].as_array().unwrap().is_empty());
        rule["result"].as_str().unwrap()
    };
    assert_eq!(said("image-from-list"), "refused");
    assert_eq!(said("workspace-from-list"), "refused");
    assert_eq!(said("region-confirmed"), "asked");
    assert_eq!(said("pai-activated"), "wants");
    assert_eq!(said("arguments-confirmed"), "asked");
    assert_eq!(said("no-credentials-in-arguments"), "passed");
    assert_eq!(paths(&explained), ["JobSpecs[0].Image", "WorkspaceId"]);
    let malformed = home.run(&["policy", "explain", "--json", CREATE_JOB, "{}"]);
    assert_eq!((malformed.code, &malformed.json()["verdict"]), (Some(0), &json!("refused")));
    assert!(!home.file("state").exists(), "an explanation leaves nothing behind");
}

#[test]
fn the_catalogue_is_printed_for_people_programs_and_budgets() {
    let home = Home::new();
    let listed = home.run(&["tools", "--json"]).json();
    let listed = listed.as_array().unwrap();
    let people = home.run(&["tools"]).stdout;
    let sizes = home.run(&["tools", "--size"]).stdout;
    assert_eq!((people.lines().count(), sizes.lines().count()), (listed.len(), listed.len() + 1));
    for (tool, (line, size)) in listed.iter().zip(people.lines().zip(sizes.lines())) {
        let name = tool["name"].as_str().unwrap();
        assert!(line.starts_with(name), "{line}");
        assert_eq!(size.trim(), format!("{}  {name}", tool.to_string().len()));
    }
}

/// The committed schemas are those of the types. `UPDATE=1 cargo test` writes them anew.
#[test]
fn the_published_schemas_are_up_to_date() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tool-schemas");
    let directory = directory.to_str().unwrap();
    let home = Home::new();
    if crate::harness::updating() {
        assert_eq!(home.run(&["schemas", "--dir", directory]).code, Some(0));
    }
    let checked = home.run(&["schemas", "--check", "--dir", directory]);
    assert_eq!((checked.code, checked.stdout.as_str()), (Some(0), ""));
}

/// The table of tools in the README is what `tools --markdown` prints. `UPDATE=1 cargo test` writes it anew.
#[test]
fn the_table_of_the_readme_is_up_to_date() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&file).unwrap();
    let (before, rest) = readme.split_once("tools --markdown` -->\n").unwrap();
    let (table, after) = rest.split_once("<!-- /tools -->").unwrap();
    let printed = Home::new().run(&["tools", "--markdown"]).stdout;
    if crate::harness::updating() {
        let written = format!("{before}tools --markdown` -->\n{printed}<!-- /tools -->{after}");
        std::fs::write(&file, written).unwrap();
    } else {
        assert_eq!(table, printed);
    }
}

#[test]
fn a_schema_that_differs_is_missing_or_is_left_over_is_found() {
    let home = Home::new();
    let directory = home.file("schemas");
    let directory = directory.to_str().unwrap();
    let check = || home.run(&["schemas", "--check", "--dir", directory]);
    let published = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tool-schemas")).unwrap().count();
    assert_eq!(check().stdout.lines().count(), published);
    assert_eq!(home.run(&["schemas", "--dir", directory]).code, Some(0));
    assert_eq!(check().code, Some(0));
    let file = |name: &str| Path::new(directory).join(name);
    let text = std::fs::read_to_string(file("dlc_get_job.json")).unwrap();
    std::fs::write(file("dlc_get_job.json"), text.replace("JobId", "JodId")).unwrap();
    std::fs::write(file("dlc_old.json"), "{}").unwrap();
    std::fs::remove_file(file("dlc_create_job.json")).unwrap();
    let checked = check();
    assert_eq!(checked.code, Some(1));
    for name in ["dlc_get_job", "dlc_old", "dlc_create_job"] {
        assert!(checked.stdout.contains(&format!("{name}.json")), "{}", checked.stdout);
    }
    assert_eq!(checked.stdout.lines().count(), 3);
}

/// The whole story, told through a real client.
#[test]
fn the_demo_ends_well() {
    let ran = Home::new().run(&["demo"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("Everything went as it should."), "{}", ran.stdout);
}
