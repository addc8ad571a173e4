//! Rehearsals: what would be said of a call and exactly what would be sent, with nothing sent.
//!
//! A file of `tests/data/golden` holds a tool, its arguments, perhaps flags and an overlay of the policy, and the output
//! to the letter, the order of keys included. `UPDATE=1 cargo test` writes the outputs anew; the version in the user agent is written
//! as `VERSION`.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::harness::world::{CREATE_JOB, GET_JOB, LIST_WORKSPACES, PYTORCH, REGION, VISION, here, job};
use crate::harness::{Home, Ran, updating};

fn data(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)
}

/// The golden cases: their files and contents.
fn goldens() -> Vec<(PathBuf, Value)> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(data("tests/data/golden")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |path: PathBuf| {
        let case = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        (path, case)
    };
    files.into_iter().map(read).collect()
}

fn rehearse(home: &Home, tool: &str, arguments: &Value, flags: &[&str]) -> Ran {
    let arguments = arguments.to_string();
    home.run(&[&["call", "--dry-run", "--json", tool, &arguments], flags].concat())
}

fn flags(case: &Value) -> Vec<&str> {
    case["flags"].as_array().into_iter().flatten().map(|flag| flag.as_str().unwrap()).collect()
}

/// R-DLC-19, R-DLC-25, R-WS-47, R-WS-94: method, path, query, headers and body of each tool.
#[test]
fn each_request_is_to_the_letter() {
    let home = Home::new();
    let version = concat!("redline-mcp/", env!("CARGO_PKG_VERSION"));
    let mut tools = BTreeSet::new();
    for (path, mut case) in goldens() {
        let tool = case["tool"].as_str().unwrap().to_owned();
        let overlay = case["policy"].as_str().map(|text| home.write("overlay.toml", text));
        let laid = overlay.iter().flat_map(|file| ["--policy", file]);
        let flags: Vec<&str> = flags(&case).into_iter().chain(laid).collect();
        let ran = rehearse(&home, &tool, &case["arguments"], &flags);
        let text = ran.stdout.replace(version, "redline-mcp/VERSION");
        let output: Value = serde_json::from_str(&text).unwrap();
        let refused = output["verdict"] == "refused";
        assert_eq!(ran.code, Some(i32::from(refused)), "{}", path.display());
        if updating() {
            case["output"] = output;
            fs::write(&path, format!("{case:#}\n")).unwrap();
        } else {
            // As text, for the order of keys counts too.
            assert_eq!(format!("{output:#}"), format!("{:#}", case["output"]), "{}", path.display());
        }
        tools.insert(tool);
    }
    let schemas = fs::read_dir(data("tool-schemas")).unwrap().count();
    assert_eq!(tools.len(), schemas, "each tool has a case");
    assert!(!home.file("state").exists(), "a rehearsal leaves nothing behind");
}

#[test]
fn the_output_has_always_the_same_keys_in_the_same_order() {
    for (path, case) in goldens() {
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let output = &case["output"];
        let path = path.display();
        assert_eq!(keys(output), ["verdict", "violations", "needs", "confirm", "request"], "{path}");
        if !output["request"].is_null() {
            let request = keys(&output["request"]);
            assert_eq!(request, ["method", "url", "path", "query", "headers", "body"], "{path}");
        }
    }
}

/// Every argument of every tool stands in some golden case, but those that no call may have.
#[test]
fn the_cases_have_every_argument() {
    let refused = ["JobSpecs[].ImageConfig.DockerRegistry", "Settings.AdvancedSettings"];
    let mut given = BTreeSet::new();
    for (_, case) in goldens() {
        each_path("", &case["arguments"], &mut |path| {
            given.insert(format!("{} {path}", case["tool"].as_str().unwrap()));
        });
    }
    for entry in fs::read_dir(data("tool-schemas")).unwrap() {
        let schema: Value =
            serde_json::from_str(&fs::read_to_string(entry.unwrap().path()).unwrap()).unwrap();
        let tool = schema["name"].as_str().unwrap();
        each_field("", &schema["input"], &mut |path| {
            if !refused.contains(&path) {
                assert!(given.contains(&format!("{tool} {path}")), "{tool} {path} is in no case");
            }
        });
    }
}

fn each_path(path: &str, value: &Value, visit: &mut impl FnMut(&str)) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                visit(&path);
                each_path(&path, value, visit);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| each_path(&format!("{path}[]"), item, visit)),
        _ => {}
    }
}

fn each_field(path: &str, schema: &Value, visit: &mut impl FnMut(&str)) {
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        visit(&path);
        each_field(&path, field, visit);
        each_field(&format!("{path}[]"), &field["items"], visit);
    }
}

/// R-WS-14: the body is the arguments, but for the region and what is masked.
#[test]
fn the_body_is_the_arguments_with_the_secrets_masked() {
    let whole = fs::read_to_string(data("tests/data/golden/dlc_create_job_whole.json")).unwrap();
    let whole: Value = serde_json::from_str(&whole).unwrap();
    let mut sent = whole["arguments"].clone();
    sent.as_object_mut().unwrap().remove("RegionId");
    let mut masked = Vec::new();
    differences("", &sent, &whole["output"]["request"]["body"], &mut masked);
    assert_eq!(
        masked,
        [
            "JobSpecs[0].ExtraPodSpec.InitContainers[0].Env[0].Value",
            "JobSpecs[0].ExtraPodSpec.SideCarContainers[0].Env[0].Value",
            "JobSpecs[0].ImageConfig.Auth",
            "JobSpecs[0].ImageConfig.Password",
            "JobSpecs[0].ImageConfig.Username",
            "Envs.KEY",
            "CustomEnvs[0].Value",
            "Settings.BusinessUserId",
            "Settings.Caller",
        ]
    );
}

/// The leaves at which two values differ.
fn differences(path: &str, one: &Value, other: &Value, found: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let names: BTreeSet<_> = one.keys().chain(other.keys()).collect();
            let order = one.keys().filter(|name| names.contains(name)).chain(other.keys());
            let mut done = BTreeSet::new();
            for name in order.filter(|name| done.insert((*name).clone())) {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let get = |object: &Map<String, Value>| object.get(name).cloned().unwrap_or_default();
                differences(&path, &get(one), &get(other), found);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                differences(&format!("{path}[{index}]"), one, other, found);
            }
        }
        _ if one == other => {}
        _ => found.push(path.to_owned()),
    }
}

/// R-WS-03, R-WS-06: a rehearsal loads no credential; set or not, the output is the same, and no part of it is a usable signature.
#[test]
fn a_rehearsal_knows_no_credential() {
    let bare = Home::new();
    let set = Home::new()
        .with("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAI5tCanaryCanaryCanary")
        .with("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "secret-canary-7717")
        .with("ALIBABA_CLOUD_SECURITY_TOKEN", "token-canary-9942");
    for cloud in ["sim", "live"] {
        for signature in [&[][..], &["--signature", "roa-hmac-sha1"]] {
            if cloud == "sim" && !signature.is_empty() {
                continue;
            }
            let flags = [&["--cloud", cloud], signature].concat();
            let ran = rehearse(&set, LIST_WORKSPACES, &here(), &flags);
            assert_eq!(ran.code, Some(0), "{ran:?}");
            assert_eq!(ran.stdout, rehearse(&bare, LIST_WORKSPACES, &here(), &flags).stdout);
            assert!(!ran.stdout.to_lowercase().contains("canary"), "{}", ran.stdout);
            let headers = &ran.json()["request"]["headers"];
            assert_eq!(headers["authorization"], "<set when the request is sent>");
            assert_eq!(headers["x-acs-signature-nonce"], "<set when the request is sent>");
        }
    }
}

/// R-WS-04: a refused call is shown all the same, and what it holds isn't.
#[test]
fn a_refused_call_shows_its_request_without_its_secrets() {
    let mut arguments = job(VISION, PYTORCH);
    arguments["Envs"] = json!({ "ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAI5tCanaryCanaryCanary" });
    arguments["UserCommand"] = json!("train --key LTAI5tCanaryCanaryCanary");
    let ran = rehearse(&Home::new(), CREATE_JOB, &arguments, &[]);
    assert_eq!(ran.code, Some(1));
    let shown = ran.json();
    assert_eq!(shown["verdict"], "refused");
    assert_eq!(shown["request"]["method"], "POST");
    assert_eq!(shown["request"]["body"]["Envs"], json!({ "ALIBABA_CLOUD_ACCESS_KEY_ID": "****" }));
    assert!(!ran.stdout.contains("Canary"), "{}", ran.stdout);
}

/// R-DLC-84: a job and a template are checked whole and shown without their secrets, and nothing reaches the cloud.
#[test]
fn a_rehearsal_sends_nothing() {
    let cloud = TcpListener::bind("127.0.0.1:0").unwrap();
    cloud.set_nonblocking(true).unwrap();
    let url = format!("http://{}", cloud.local_addr().unwrap());
    let endpoints = [format!("pai-dlc={url}"), format!("aiworkspace={url}")];
    let flags =
        ["--cloud", "live", "--endpoint", &*endpoints[0], "--endpoint", &*endpoints[1], "--region", REGION];
    let home = Home::new()
        .with("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAI5tCanaryCanaryCanary")
        .with("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "secret-canary-7717");
    let mut content = job(VISION, PYTORCH);
    content.as_object_mut().unwrap().remove("RegionId");
    content["Envs"] = json!({ "TOKEN": "canary-value-551" });
    let template = |content: &Value| {
        let arguments = json!({
            "RegionId": REGION, "WorkspaceId": VISION, "TemplateName": "mine", "Content": content,
        });
        rehearse(&home, "dlc_create_job_template", &arguments, &flags)
    };
    // Whatever is judged of it, the request that would be sent is shown.
    for ran in [template(&content), rehearse(&home, CREATE_JOB, &job(VISION, PYTORCH), &flags)] {
        let shown = ran.json();
        assert_eq!(shown["request"]["method"], "POST", "{shown}");
        assert!(shown["request"]["url"].as_str().unwrap().starts_with(&url), "{shown}");
        assert!(!ran.stdout.to_lowercase().contains("canary"), "{}", ran.stdout);
    }
    // A fault in the content is found here, by its path.
    content["JobSpecs"][0]["ResourceConfig"] = json!({ "CPU": "4" });
    let ran = template(&content);
    assert_eq!((ran.code, &ran.json()["verdict"]), (Some(1), &json!("refused")));
    assert!(
        crate::harness::paths(&ran.json()).iter().any(|path| path.starts_with("Content.JobSpecs[0]")),
        "{ran:?}"
    );
    assert_eq!(cloud.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

/// Arguments that don't parse make no request.
#[test]
fn arguments_that_do_not_parse_make_no_request() {
    let ran =
        rehearse(&Home::new(), GET_JOB, &json!({ "RegionId": "cn-hangzhou.evil.example", "JobId": "" }), &[]);
    assert_eq!(ran.code, Some(1));
    let shown = ran.json();
    assert_eq!(
        (&shown["verdict"], &shown["request"], &shown["confirm"]),
        (&json!("refused"), &Value::Null, &json!([]))
    );
    assert_eq!(crate::harness::paths(&shown), ["RegionId", "JobId"]);
}

/// A path parameter stays one segment of the path, whatever it holds.
#[test]
fn a_path_parameter_is_one_segment() {
    let home = Home::new();
    for (id, segment) in [
        ("a/b c~%", "a%2Fb%20c~%25"),
        ("../../api/v1/workspaces", "..%2F..%2Fapi%2Fv1%2Fworkspaces"),
        ("x?y=1#z", "x%3Fy%3D1%23z"),
        ("%2e%2e", "%252e%252e"),
        ("...", "..."),
        ("\r\nHost: evil", "%0D%0AHost%3A%20evil"),
        ("@evil.example", "%40evil.example"),
        ("视", "%E8%A7%86"),
    ] {
        let shown = rehearse(&home, GET_JOB, &json!({ "RegionId": "cn-hangzhou", "JobId": id }), &[]).json();
        assert_eq!(shown["request"]["path"], format!("/api/v1/jobs/{segment}"));
        let url = format!("https://pai-dlc.cn-hangzhou.aliyuncs.com/api/v1/jobs/{segment}");
        assert_eq!(shown["request"]["url"], url);
    }
    for id in ["..", "."] {
        let ran = rehearse(&home, GET_JOB, &json!({ "RegionId": "cn-hangzhou", "JobId": id }), &[]);
        let shown = ran.json();
        assert_eq!(
            (ran.code, &shown["verdict"], &shown["request"]),
            (Some(1), &json!("refused"), &Value::Null)
        );
        assert!(shown["violations"][0]["message"].as_str().unwrap().contains("dot segment"), "{shown}");
    }
}
