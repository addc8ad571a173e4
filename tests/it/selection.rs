//! What an operator doesn't offer is neither listed nor called.

use rmcp::service::ServiceError;
use serde_json::{Value, json};

use crate::harness::human::Human;
use crate::harness::world::{CREATE_JOB, GET_JOB, LIST_WORKSPACES, PRETRAIN, PYTORCH, VISION, job, job_id};
use crate::harness::{ERAS, Home, Session, request};

/// What is offered with these flags, by two commands that must agree.
fn offered(flags: &[&str]) -> Vec<String> {
    let home = Home::new();
    let listed = home.run(&[&["tools", "--json"], flags].concat());
    let listed: Vec<Value> = serde_json::from_str(&listed.stdout).unwrap();
    let names: Vec<String> = listed.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect();
    let told = home.run(&[&["tools"], flags].concat()).stdout;
    let told: Vec<&str> = told.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
    assert_eq!(names, told);
    names
}

#[test]
fn toolsets_tools_and_exceptions_choose() {
    let sets = offered(&["--toolsets", "dlc_jobs,dlc_observe"]);
    assert!(!sets.is_empty() && sets.iter().all(|name| name.starts_with("dlc_")), "{sets:?}");
    assert_eq!(
        offered(&["--tools", "dlc_get_job,pyromind_list_instances"]),
        ["dlc_get_job", "pyromind_list_instances"]
    );
    let read = offered(&["--read-only"]);
    assert!(read.iter().all(|name| name.contains("_get_") || name.contains("_list_")), "{read:?}");
    for revealing in ["pyromind_get_sandbox_vnc", "pyromind_get_instance_access_token"] {
        assert!(!read.iter().any(|name| name == revealing));
    }
    assert!(!offered(&["--exclude-tools", CREATE_JOB]).iter().any(|name| name == CREATE_JOB));
}

#[test]
fn a_wrong_choice_is_a_usage_error() {
    let home = Home::new();
    for (flags, told) in [
        (&["--toolsets", "jobs"][..], "invalid value 'jobs'"),
        (&["--tools", "dlc_delete_everything"], "isn't a tool"),
        (&["--tools", "dlc_create_job", "--read-only"], "leave no tool"),
    ] {
        for command in ["serve", "tools"] {
            let ran = home.run(&[&[command], flags].concat());
            assert_eq!(ran.code, Some(2), "{command} {flags:?}: {ran:?}");
            assert!(ran.stderr.contains(told), "{ran:?}");
        }
    }
}

/// What isn't offered is no tool: in the list, in a call, in the record.
#[tokio::test]
async fn what_is_not_offered_can_not_be_called() {
    for era in ERAS {
        let flags = ["--read-only", "--region", "cn-hangzhou", "--approve", "create"];
        let session = Session::start(Home::new(), era, &flags, Human::absent()).await;
        let listed = session.client.list_all_tools().await.unwrap();
        assert!(listed.iter().all(|tool| tool.name != CREATE_JOB));
        let error = session.client.call_tool(request(CREATE_JOB, job(VISION, PYTORCH))).await.unwrap_err();
        let ServiceError::McpError(error) = error else { panic!("{error:?}") };
        assert_eq!((error.code.0, error.message.as_ref()), (-32602, "Unknown tool: dlc_create_job"));
        assert!(session.call(GET_JOB, job_id(PRETRAIN)).await.is_ok());
        assert_eq!(session.home.count("CreateJob"), 0);
    }
}

/// The policy's own reads aren't the agent's: a tool that isn't offered is still looked up with.
#[tokio::test]
async fn the_policys_own_reads_are_not_bound() {
    for era in ERAS {
        let flags = ["--tools", LIST_WORKSPACES, "--region", "cn-hangzhou"];
        let session = Session::start(Home::new(), era, &flags, Human::absent()).await;
        let listed = session.call(LIST_WORKSPACES, json!({ "RegionId": "cn-hangzhou" })).await;
        assert!(listed.is_ok(), "{listed:?}");
        assert_eq!(session.home.calls(), ["ListProducts", "ListWorkspaces"]);
    }
}
