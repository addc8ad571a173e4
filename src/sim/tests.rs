use super::*;
use http::HeaderMap;
use jiff::SignedDuration;
use testkit::{AT, Call, DLC, WORKSPACE, code, exchange, job_id, simulator};

const JOB: &str = "/api/v1/jobs/dlc0";

/// Sends a request whose headers were changed, then signs it if `signed`.
fn altered(
    simulator: &Simulator,
    host: &str,
    change: impl FnOnce(&mut HeaderMap),
    signed: bool,
) -> (u16, String) {
    let call = if host == DLC {
        Call::get(host, JOB, "GetJob")
    } else {
        Call::get(host, "/api/v1/products", "ListProducts")
    };
    let mut request = call.signed();
    change(request.headers_mut());
    if signed {
        verify::sign(&mut request, ACCESS_KEY_ID, ACCESS_KEY_SECRET);
    }
    code(exchange(simulator, request, AT))
}

fn set(name: &'static str, value: &'static str) -> impl FnOnce(&mut HeaderMap) {
    move |headers| {
        headers.insert(name, value.parse().unwrap());
    }
}

/// R-DLC-19, R-WS-94
#[test]
fn a_request_without_the_agents_user_agent_fails() {
    let simulator = simulator();
    let agent = |host, value| altered(&simulator, host, set("user-agent", value), true);
    let refused = (400, "InvalidUserAgent".to_owned());
    assert_eq!(agent(DLC, "AlibabaCloud-Agent-Skills"), refused);
    assert_eq!(agent(DLC, "redline AlibabaCloud-Agent-Skills/alibabacloud-pai-dlc-job"), refused);
    assert_eq!(agent(DLC, "AlibabaCloud-Agent-Skills/alibabacloud-pai-dlc-jobs"), refused);
    assert_eq!(agent(DLC, "AlibabaCloud-Agent-Skills/alibabacloud-pai-dlc-job redline/1").1, "NotFound.Job");
    assert_eq!(agent(WORKSPACE, "curl/8"), refused);
    assert_eq!(agent(WORKSPACE, "AlibabaCloud-Agent-Skills redline/1"), (200, String::new()));
    assert_eq!(altered(&simulator, WORKSPACE, |headers| drop(headers.remove("user-agent")), true), refused);
}

#[test]
fn action_and_version_must_be_those_of_the_path() {
    let simulator = simulator();
    let with = |name, value| altered(&simulator, WORKSPACE, set(name, value), true);
    assert_eq!(with("x-acs-version", "2020-12-03"), (400, "InvalidVersion".to_owned()));
    assert_eq!(with("x-acs-action", "ListWorkspaces"), (404, "InvalidAction.NotFound".to_owned()));
    let unknown = Call::get(WORKSPACE, "/api/v1/quotas", "ListQuotas").send(&simulator);
    assert_eq!(code(unknown), (404, "InvalidAction.NotFound".to_owned()));
    let elsewhere = Call::get("ecs.cn-hangzhou.aliyuncs.com", "/", "RunInstances").send(&simulator);
    assert_eq!(code(elsewhere), (404, "InvalidProduct.NotFound".to_owned()));
}

#[test]
fn an_error_says_what_the_gateways_do() {
    let (status, mut body) = Call::get(DLC, JOB, "GetJob").send(&simulator());
    let id = body.as_object_mut().unwrap().remove("RequestId").unwrap();
    let id = id.as_str().unwrap();
    let expected = serde_json::json!({
        "Code": "NotFound.Job",
        "Message": "The job does not exist.",
        "HostId": DLC,
        "Recommend": format!("https://api.aliyun.com/troubleshoot?q=NotFound.Job&requestId={id}"),
    });
    assert_eq!((status, body), (404, expected));
}

#[test]
fn the_journal_holds_refused_requests_too() {
    let simulator = simulator();
    let path = "/api/v1/workspaces?Option=CheckWorkspaceExists&WorkspaceName=nlp%5Flab";
    Call::get(WORKSPACE, path, "ListWorkspaces").send(&simulator);
    altered(&simulator, DLC, |headers| drop(headers.remove("authorization")), false);
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let expected = [
        Entry {
            tool: Some("aiworkspace_list_workspaces".to_owned()),
            region: Some("cn-hangzhou".to_owned()),
            cluster: None,
            method: "GET".to_owned(),
            path: "/api/v1/workspaces".to_owned(),
            query: vec![pair("Option", "CheckWorkspaceExists"), pair("WorkspaceName", "nlp_lab")],
            verified: true,
            status: 200,
            fault: None,
        },
        Entry {
            tool: Some("dlc_get_job".to_owned()),
            region: Some("cn-hangzhou".to_owned()),
            cluster: None,
            method: "GET".to_owned(),
            path: JOB.to_owned(),
            query: Vec::new(),
            verified: false,
            status: 400,
            fault: None,
        },
    ];
    assert_eq!(simulator.journal(), expected);
}

/// A server that is used for weeks mustn't only grow.
#[test]
fn the_journal_holds_the_last_thousand_requests() {
    let simulator = simulator();
    Call::get(DLC, JOB, "GetJob").send(&simulator);
    for _ in 0..JOURNAL {
        Call::get(WORKSPACE, "/api/v1/workspaces", "ListWorkspaces").send(&simulator);
    }
    let tools: Vec<_> = simulator.journal().into_iter().map(|entry| entry.tool).collect();
    assert_eq!(tools, vec![Some("aiworkspace_list_workspaces".to_owned()); JOURNAL]);
}

#[test]
fn a_fault_counts_only_requests_that_were_signed() {
    let faults = r#"[{"tool": "aiworkspace_create_workspace", "nth": 1, "fault": "name-race"}]"#;
    let simulator = Simulator::new(World::seeded(1), Faults::parse(faults).unwrap());
    let wish = serde_json::json!({"WorkspaceName": "new_team", "Description": "d", "EnvTypes": ["prod"]});
    let call = || Call::post(WORKSPACE, "/api/v1/workspaces", "CreateWorkspace", &wish);
    let mut unsigned = call().signed();
    unsigned.headers_mut().remove("authorization");
    assert_eq!(code(exchange(&simulator, unsigned, AT)), (400, "IncompleteSignature".to_owned()));
    assert_eq!(code(call().send(&simulator)), (409, "WorkspaceNameAlreadyExists".to_owned()));
}

#[test]
fn reads_and_time_leave_the_state_alone() {
    let simulator = simulator();
    let before = simulator.state().unwrap();
    let later = AT + SignedDuration::from_hours(48);
    for at in [AT, later] {
        Call::get(WORKSPACE, "/api/v1/workspaces", "ListWorkspaces").at(at).send(&simulator);
        let id = before["regions"]["cn-hangzhou"]["jobs"][0]["id"].as_str().unwrap();
        for (path, action) in [
            ("", "GetJob"),
            ("/events", "GetJobEvents"),
            (&format!("/pods/{id}-master-0/events"), "GetPodEvents"),
            (&format!("/pods/{id}-master-0/logs"), "GetPodLogs"),
        ] {
            let read = Call::get(DLC, &format!("/api/v1/jobs/{id}{path}"), action).at(at);
            assert_eq!(read.send(&simulator).0, 200, "{action}");
        }
        Call::get(DLC, "/api/v1/jobs?ShowOwn=false", "ListJobs").at(at).send(&simulator);
    }
    assert_eq!(simulator.state().unwrap(), before);
}

#[test]
fn a_run_repeats_to_the_byte() {
    let run = || {
        let simulator = simulator();
        let wish = serde_json::json!({"WorkspaceName": "new_team", "Description": "d", "EnvTypes": ["prod"]});
        let created = Call::post(WORKSPACE, "/api/v1/workspaces", "CreateWorkspace", &wish).send(&simulator);
        let job = job_id("detector-pretrain");
        let get = |host, path: &str, action| Call::get(host, path, action).send(&simulator);
        let stop = format!("/api/v1/jobs/{job}/stop");
        let logs = format!("/api/v1/jobs/{job}/pods/{job}-worker-1/logs");
        [
            created,
            get(WORKSPACE, "/api/v1/workspaces", "ListWorkspaces"),
            Call::act(DLC, &stop, "StopJob").send(&simulator),
            get(DLC, "/api/v1/jobs?ShowOwn=false", "ListJobs"),
            get(DLC, &logs, "GetPodLogs"),
        ]
    };
    assert_eq!(run(), run());
}

#[test]
fn a_poisoned_lock_still_serves() {
    let simulator = simulator();
    std::thread::scope(|scope| {
        let poisoner = scope.spawn(|| {
            let _held = simulator.lock();
            panic!("poison the lock");
        });
        assert!(poisoner.join().is_err());
    });
    assert!(simulator.inner.is_poisoned());
    assert_eq!(Call::get(WORKSPACE, "/api/v1/products", "ListProducts").send(&simulator).0, 200);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(12))]

    /// Whatever is asked in whatever order, faults or not: the file is the state, written as its world writes it; what
    /// only reads leaves it alone, and so does what is refused or kept from being carried out.
    #[test]
    fn the_state_file_is_the_state_after_every_request(
        steps in proptest::collection::vec((0_usize..7, 0_u64..4), 1..24),
        every in 2_u64..6,
    ) {
        let faults = format!(r#"[{{"tool": "*", "every": {every}, "fault": "timeout-after-commit"}},
            {{"tool": "dlc_stop_job", "every": 2, "fault": "throttled"}}]"#);
        let simulator = Simulator::new(World::seeded(1), Faults::parse(&faults).unwrap());
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state.json");
        simulator.save_to(path.clone()).unwrap();
        let job = job_id("detector-pretrain");
        let mut before = std::fs::read_to_string(&path).unwrap();
        for (index, (step, number)) in steps.into_iter().enumerate() {
            let name = format!("team_{number}");
            let wish = serde_json::json!({"WorkspaceName": name, "Description": "d", "EnvTypes": ["prod"]});
            let change = serde_json::json!({"Description": name});
            let (call, reads) = match step {
                0 => (Call::get(WORKSPACE, "/api/v1/workspaces", "ListWorkspaces"), true),
                1 => (Call::get(DLC, &format!("/api/v1/jobs/{job}"), "GetJob"), true),
                2 => (Call::get(DLC, "/api/v1/jobs?ShowOwn=false", "ListJobs"), true),
                3 => (Call::get(DLC, "/api/v1/nothing", "GetNothing"), true),
                4 => (Call::post(WORKSPACE, "/api/v1/workspaces", "CreateWorkspace", &wish), false),
                5 => (Call::replace(DLC, &format!("/api/v1/jobs/{job}"), "UpdateJob", &change), false),
                _ => (Call::act(DLC, &format!("/api/v1/jobs/{job}/stop"), "StopJob"), false),
            };
            let at = AT + SignedDuration::from_secs(i64::try_from(index).unwrap());
            let request = call.at(at).signed();
            let answer = std::pin::pin!(simulator.send(request, at));
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            proptest::prop_assert!(answer.poll(&mut context).is_ready());
            let after = std::fs::read_to_string(&path).unwrap();
            let parsed = World::parse(&after).unwrap();
            proptest::prop_assert_eq!(serde_json::to_value(&parsed).unwrap(), simulator.state().unwrap());
            proptest::prop_assert!(!reads || before == after, "a read changed the state");
            if simulator.journal().last().unwrap().fault.is_some_and(|fault| !fault.is_carried_out()) {
                proptest::prop_assert_eq!(&before, &after);
            }
            before = after;
        }
    }
}
