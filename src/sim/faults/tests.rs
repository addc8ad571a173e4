use super::*;

const CREATE: &str = "aiworkspace_create_workspace";

fn error(text: &str) -> String {
    Faults::parse(text).unwrap_err().to_string()
}

#[test]
fn a_fault_befalls_its_call_only() {
    let mut faults = Faults::parse(
        r#"[{"tool": "aiworkspace_create_workspace", "nth": 2, "fault": "name-race", "same": true}]"#,
    )
    .unwrap();
    assert_eq!(faults.strike(CREATE), None);
    assert_eq!(faults.strike("dlc_create_job"), None);
    assert_eq!(faults.strike(CREATE), Some(Kind::NameRace { same: true }));
    assert_eq!(faults.strike(CREATE), None);
}

/// One call before every so many, one tool before any, and an action is a tool by another name.
#[test]
fn what_is_meant_most_closely_comes_first() {
    let mut faults = Faults::parse(
        r#"[
            {"tool": "*", "every": 2, "fault": "throttled"},
            {"tool": "*", "nth": 5, "fault": "slow"},
            {"action": "CreateJob", "every": 2, "fault": "lost-reply"},
            {"tool": "dlc_create_job", "nth": 2, "fault": "timeout"},
            {"action": "create_sandbox", "nth": 1, "fault": "truncated-body"}
        ]"#,
    )
    .unwrap();
    let throttled = Kind::Throttled { retry_after_ms: 1000 };
    for (tool, expected) in [
        ("dlc_create_job", None),
        ("dlc_create_job", Some(Kind::Timeout)),
        ("dlc_get_job", None),
        ("dlc_get_job", Some(throttled)),
        ("dlc_create_job", Some(Kind::Slow { seconds: 5 })),
        ("dlc_create_job", Some(Kind::LostReply)),
        ("pyromind_create_sandbox", Some(Kind::TruncatedBody)),
        ("pyromind_create_sandbox", Some(throttled)),
    ] {
        assert_eq!(faults.strike(tool), expected, "call {}", faults.all);
    }
}

#[test]
fn every_kind_is_read_with_its_settings_and_defaults() {
    for (entry, expected) in [
        (r#""throttled""#, Kind::Throttled { retry_after_ms: 1000 }),
        (r#""throttled", "retry_after_ms": 7"#, Kind::Throttled { retry_after_ms: 7 }),
        (r#""server-error""#, Kind::ServerError { status: 500, committed: false }),
        (
            r#""server-error", "status": 503, "committed": true"#,
            Kind::ServerError { status: 503, committed: true },
        ),
        (r#""timeout""#, Kind::Timeout),
        (r#""timeout-after-commit""#, Kind::TimeoutAfterCommit),
        (r#""lost-reply""#, Kind::LostReply),
        (r#""empty-page""#, Kind::EmptyPage),
        (r#""slow""#, Kind::Slow { seconds: 5 }),
        (r#""slow", "seconds": 3600"#, Kind::Slow { seconds: 3600 }),
        (r#""truncated-body""#, Kind::TruncatedBody),
        (r#""malformed-json""#, Kind::MalformedJson),
        (r#""wrong-content-type""#, Kind::WrongContentType),
        (r#""huge-body""#, Kind::HugeBody { bytes: 33_554_432 }),
        (r#""huge-body", "bytes": 1"#, Kind::HugeBody { bytes: 1 }),
    ] {
        let text = format!(r#"[{{"tool": "dlc_list_jobs", "nth": 1, "fault": {entry}}}]"#);
        let struck = Faults::parse(&text).unwrap().strike("dlc_list_jobs");
        assert_eq!(struck, Some(expected), "{text}");
        assert!(entry.starts_with(&format!("\"{}\"", expected.name())), "{entry}");
    }
}

#[test]
fn a_wrong_entry_is_named_with_its_line_and_the_fix() {
    const FORM: &str = "; a faults file is a JSON array of entries such as {\"tool\": \"dlc_create_job\", \"nth\": 1, \"fault\": \"timeout\"}";
    let form = |text: &str| format!("{text}{FORM}");
    let names = "expected one of `tool`, `action`, `nth`, `every`, `fault`, `same`, `retry_after_ms`, `status`, `committed`, `seconds`, `bytes`";
    let faults = "expected one of `name-race`, `throttled`, `server-error`, `timeout`, `timeout-after-commit`, `lost-reply`, `empty-page`, `slow`, `truncated-body`, `malformed-json`, `wrong-content-type`, `huge-body`";
    for (text, expected) in [
        (
            "[\n{\"tool\": \"x\", \"nth\": 1, \"fault\": \"timeout\", \"nht\": 1}]",
            form(&format!("line 2, column 49: unknown field `nht`, {names}")),
        ),
        (
            r#"[{"tool": "x", "nth": 1, "fault": "flood"}]"#,
            form(&format!("line 1, column 41: unknown variant `flood`, {faults}")),
        ),
        (r#"[{"nth": 1, "tool": "*"}]"#, form("line 1, column 24: missing field `fault`")),
        (
            r#"[{"nth": 1, "nth": 2, "tool": "*", "fault": "timeout"}]"#,
            form("line 1, column 17: duplicate field `nth`"),
        ),
        ("{", form("line 1, column 0: invalid type: map, expected a sequence")),
        (
            "[\n\n{\"nth\": 1,\n\"tool\": \"dlc_creat_job\", \"fault\": \"timeout\"}]",
            "line 4, faults[0].tool: there is no such tool; did you mean dlc_create_job? \
             `redline-mcp tools` lists them, and * is any"
                .to_owned(),
        ),
        (
            r#"[{"action": "CreateJobs", "nth": 1, "fault": "timeout"}]"#,
            "line 1, faults[0].action: there is no such action; did you mean CreateJob? \
             `redline-mcp tools` lists them, and * is any"
                .to_owned(),
        ),
        (
            r#"[{"nth": 1, "fault": "timeout"}]"#,
            "line 1, faults[0]: names no call; give tool, or action".to_owned(),
        ),
        (
            r#"[{"tool": "*", "action": "CreateJob", "nth": 1, "fault": "timeout"}]"#,
            "line 1, faults[0].action: stands beside tool; give one of the two".to_owned(),
        ),
        (
            r#"[{"tool": "*", "fault": "timeout"}]"#,
            "line 1, faults[0]: doesn't say which call; give nth, or every".to_owned(),
        ),
        (
            r#"[{"tool": "*", "nth": 1, "every": 1, "fault": "timeout"}]"#,
            "line 1, faults[0].every: stands beside nth; give one of the two".to_owned(),
        ),
        (
            r#"[{"tool": "*", "nth": 0, "fault": "timeout"}]"#,
            "line 1, faults[0].nth: is 0, but calls are counted from 1; write 1 for the first call".to_owned(),
        ),
        (
            r#"[{"tool": "*", "every": 0, "fault": "timeout"}]"#,
            "line 1, faults[0].every: is 0; write 1 for all calls".to_owned(),
        ),
        (
            r#"[{"tool": "dlc_get_job", "nth": 1, "fault": "name-race"}]"#,
            "line 1, faults[0].tool: name-race can't happen to this tool; it happens to aiworkspace_create_workspace, \
             pyromind_create_inference_task, pyromind_create_instance, pyromind_create_sandbox, \
             pyromind_submit_training_job"
                .to_owned(),
        ),
        (
            r#"[{"tool": "*", "nth": 1, "fault": "timeout", "seconds": 1}]"#,
            "line 1, faults[0].seconds: isn't a setting of timeout; leave it out".to_owned(),
        ),
        (
            r#"[{"tool": "*", "nth": 1, "fault": "server-error", "status": 501}]"#,
            "line 1, faults[0].status: isn't one that the clouds answer; write 500, 502, 503 or 504".to_owned(),
        ),
        (
            r#"[{"tool": "*", "nth": 1, "fault": "slow", "seconds": 0}]"#,
            "line 1, faults[0].seconds: is out of range; write 1 to 3600".to_owned(),
        ),
        (
            r#"[{"tool": "*", "nth": 1, "fault": "huge-body", "bytes": 2000000000}]"#,
            "line 1, faults[0].bytes: is out of range; write 1 to 1073741824".to_owned(),
        ),
        (
            "[{\"tool\": \"*\", \"nth\": 1, \"fault\": \"timeout\"},\n {\"tool\": \"*\", \"nth\": 1, \"fault\": \"slow\"}]",
            "line 2, faults[1]: an earlier entry is for the same calls; give each call one fault".to_owned(),
        ),
    ] {
        assert_eq!(error(text), expected);
    }
    let message = error(r#"[{"action": "GetJob", "nth": 1, "fault": "empty-page"}]"#);
    let start = "line 1, faults[0].action: empty-page can't happen to this tool; it happens to aiworkspace_list_code_sources, ";
    assert!(message.starts_with(start), "{message}");
}
