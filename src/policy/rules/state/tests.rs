use serde_json::json;

use super::*;

fn call(tool: &str, arguments: &Value) -> Call {
    let tool = tools::find(tool).unwrap_or_else(|| panic!("no tool {tool}"));
    tool.parse(arguments.as_object().unwrap()).unwrap_or_else(|faults| panic!("{arguments}: {faults:?}"))
}

fn change(tool: &str, more: &Value) -> Call {
    let mut arguments = match tools::find(tool).unwrap().subject().unwrap() {
        "JobId" => json!({ "RegionId": "cn-hangzhou", "JobId": "dlc1" }),
        subject => json!({ subject: "x1" }),
    };
    arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    call(tool, &arguments)
}

/// What bars a call, given what it is about: each path, and whether it passes.
fn bars(tool: &str, more: Value, present: Value) -> Vec<(String, bool)> {
    let call = change(tool, &more);
    let mut bars = Vec::new();
    (state_of(&call).unwrap().before)(&call, &present, &mut bars);
    bars.into_iter().map(|bar| (bar.fault.path, bar.passes)).collect()
}

/// What a look after a call says.
fn after(tool: &str, more: Value, reply: Option<Value>, present: Value) -> After {
    let call = change(tool, &more);
    let mut after = After::default();
    (state_of(&call).unwrap().after.unwrap())(&call, reply.as_ref(), &present, &mut after);
    after
}

fn differs(texts: &[&str]) -> After {
    After { differs: texts.iter().map(|text| (*text).to_owned()).collect(), untold: Vec::new() }
}

fn untold(texts: &[&str]) -> After {
    After { differs: Vec::new(), untold: texts.iter().map(|text| (*text).to_owned()).collect() }
}

const STOP: &str = "dlc_stop_job";
const UPDATE: &str = "dlc_update_job";
const EDIT: &str = "pyromind_edit_instance";

/// Every line names tools that there are, and a get that takes its subject by the same name.
#[test]
fn every_line_leads_to_a_read() {
    for state in &STATES {
        let subject = tools::find(state.tool).unwrap().subject().unwrap();
        assert_eq!(tools::find(state.get).unwrap().subject(), Some(subject), "{}", state.tool);
        let more = match state.tool {
            UPDATE => json!({ "Priority": 2 }),
            EDIT => json!({ "name": "x" }),
            "dlc_get_job_sanity_check_result" => json!({ "SanityCheckNumber": 1 }),
            _ => json!({}),
        };
        let call = change(state.tool, &more);
        let read = state.read(&call).unwrap();
        assert_eq!((read.tool().name(), read.origin()), (state.get, Origin::Policy));
        assert_eq!(read.text(subject), call.text(subject));
        assert!(!read.spec().effect.changes());
        assert_eq!(state.after.is_some(), call.spec().effect.changes() && !state.tool.contains("dashboard"));
        if let Some(argument) = state.unless {
            assert!(call.tool().request().field(argument).is_some(), "{}: {argument}", state.tool);
        }
    }
}

#[test]
fn a_stop_is_barred_where_it_would_be_ignored() {
    let stop = |status: Value| bars(STOP, json!({}), json!({ "Status": status }));
    for status in ["Running", "Queuing", "Restarting", "SucceededReserving", "Unheard", ""] {
        assert_eq!(stop(json!(status)), [], "{status}");
    }
    for status in [json!(null), json!(3)] {
        assert_eq!(stop(status), []);
    }
    for (status, passes) in [
        ("Succeeded", false),
        ("Failed", false),
        ("Stopped", false),
        ("Stopping", false),
        ("Creating", true),
        ("Bidding", true),
        ("EnvPreparing", true),
        ("SanityChecking", true),
    ] {
        assert_eq!(stop(json!(status)), [("JobId".to_owned(), passes)], "{status}");
    }
}

#[test]
fn an_update_is_barred_where_it_would_be_dropped() {
    let quota =
        json!({ "Status": "Queuing", "Priority": 2, "ResourceId": "quota1", "Accessibility": "PRIVATE" });
    let with = |change: Value| {
        let mut job = quota.clone();
        job.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        job
    };
    let paths = |more: Value, job: Value| -> Vec<String> {
        bars(UPDATE, more, job).into_iter().map(|(path, _)| path).collect()
    };
    let roles = json!([{ "Type": "Worker", "PodCount": 2 }]);
    for (more, job, expected) in [
        (json!({ "Priority": 9 }), quota.clone(), &[][..]),
        (json!({ "Priority": 9 }), with(json!({ "Status": "EnvPreparing" })), &[]),
        (json!({ "Priority": 9 }), with(json!({ "Status": "Unheard" })), &[]),
        (json!({ "Priority": 9 }), with(json!({ "ResourceId": "" })), &["Priority"]),
        (json!({ "Priority": 9 }), with(json!({ "ResourceId": null })), &["Priority"]),
        (
            json!({ "Priority": 9 }),
            with(json!({ "ResourceId": null, "JobSpecs": [{ "QuotaId": "q" }] })),
            &[],
        ),
        (json!({ "Priority": 9 }), with(json!({ "Status": "Running" })), &["Priority"]),
        (json!({ "Priority": 9 }), with(json!({ "Status": "Failed", "ResourceId": "" })), &["Priority"; 2]),
        // It is so already.
        (json!({ "Priority": 2 }), with(json!({ "Status": "Running" })), &[]),
        (json!({ "Priority": 2 }), with(json!({ "Status": "Running", "Priority": "2" })), &[]),
        (json!({ "Accessibility": "PUBLIC" }), quota.clone(), &[]),
        (json!({ "Accessibility": "PRIVATE" }), quota.clone(), &[]),
        (
            json!({ "Accessibility": "PRIVATE" }),
            with(json!({ "Accessibility": "PUBLIC" })),
            &["Accessibility"],
        ),
        (json!({ "Description": "d" }), with(json!({ "Status": "Failed" })), &[]),
        (json!({ "UserCommand": "x", "JobSpecs": roles }), with(json!({ "Status": "Running" })), &[]),
        (
            json!({ "UserCommand": "x", "JobSpecs": roles }),
            with(json!({ "Status": "Stopped" })),
            &["UserCommand", "JobSpecs"],
        ),
    ] {
        assert_eq!(paths(more.clone(), job.clone()), expected, "{more} {job}");
    }
}

/// R-DLC-45, R-DLC-52: what the detail shows bars; what it doesn't show goes to the service.
#[test]
fn only_what_the_job_shows_keeps_a_read_back() {
    for tool in ["dlc_get_dashboard", "dlc_get_ray_dashboard"] {
        let of = |job| bars(tool, json!({}), job).len();
        assert_eq!(
            [of(json!({ "JobType": "RayJob" })), of(json!({})), of(json!({ "JobType": "" }))],
            [0, 0, 0]
        );
        assert_eq!(of(json!({ "JobType": "PyTorchJob" })), 1);
    }
    let checks = |job| bars("dlc_list_job_sanity_check_results", json!({}), job).len();
    for shown in [json!({}), json!({ "Settings": {} }), json!({ "Settings": { "EnableSanityCheck": true } })]
    {
        assert_eq!(checks(shown), 0);
    }
    for off in [json!(false), json!("false")] {
        assert_eq!(checks(json!({ "Settings": { "EnableSanityCheck": off } })), 1);
    }
}

/// R-PM-053: 20 over 16, neither 16 nor 8.
#[test]
fn an_edit_takes_more_processors() {
    let edit = |cpu: i64, present: Value| {
        let change = json!({ "resource_config": { "cpu": cpu } });
        bars(EDIT, change, json!({ "resource_config": { "cpu": present, "memory": 64 } })).len()
    };
    assert_eq!([edit(20, json!(16)), edit(16, json!(16)), edit(8, json!(16))], [0, 1, 1]);
    assert_eq!(
        [edit(17, json!("16")), edit(16, json!("16")), edit(8, json!(null)), edit(8, json!("many"))],
        [0, 1, 0, 0]
    );
    let other = json!({ "resource_config": { "memory": 8, "gpu": 0 } });
    assert_eq!(bars(EDIT, other, json!({ "resource_config": { "cpu": 16, "memory": 64, "gpu": 4 } })), []);
}

/// R-PM-055, R-PM-059, R-PM-097, R-PM-100: documented states bar, others go to the service.
#[test]
fn each_state_allows_what_is_documented() {
    let barred = |tool: &str, statuses: &[&str]| -> Vec<String> {
        let of = |status: &&&str| !bars(tool, json!({}), json!({ "status": status })).is_empty();
        statuses.iter().filter(of).map(|status| (*status).to_owned()).collect()
    };
    let all = ["running", "Running", "paused", "stopped", "error", "pending", "unheard", ""];
    assert_eq!(barred("pyromind_pause_instance", &all), ["paused", "stopped", "error", "pending"]);
    assert_eq!(
        barred("pyromind_resume_instance", &all),
        ["running", "Running", "stopped", "error", "pending"]
    );
    let all = ["running", "paused", "pending", "success", "completed", "failed", "canceled", "unheard"];
    assert_eq!(barred("pyromind_pause_training_job", &all), ["success", "completed", "failed", "canceled"]);
    assert_eq!(
        barred("pyromind_resume_training_job", &all),
        ["running", "pending", "success", "completed", "failed", "canceled"]
    );
    let waits = bars("pyromind_pause_instance", json!({}), json!({ "status": "pending" }));
    assert_eq!(waits, [("instance_id".to_owned(), true)]);
}

/// R-PM-061: each of the three, up to what the instance has.
#[test]
fn a_resume_asks_for_no_more_than_there_is() {
    let has = json!({ "status": "paused", "resource_config": { "cpu": 16, "memory": 64, "gpu": 4 } });
    let resume = |config: Value| -> Vec<String> {
        let change = json!({ "resource_config": config });
        let bars = bars("pyromind_resume_instance", change, has.clone());
        bars.into_iter().map(|(path, _)| path).collect()
    };
    assert_eq!(resume(json!({ "cpu": 16, "memory": 64, "gpu": 4 })), Vec::<String>::new());
    assert_eq!(resume(json!({ "cpu": 8, "memory": 1, "gpu": 0 })), Vec::<String>::new());
    assert_eq!(resume(json!({ "cpu": 17, "memory": 64 })), ["resource_config.cpu"]);
    assert_eq!(resume(json!({ "memory": 65, "gpu": 5 })), ["resource_config.memory", "resource_config.gpu"]);
}

#[test]
fn a_look_afterwards_tells_what_shows() {
    let stop = |job| after(STOP, json!({}), None, job);
    assert_eq!(stop(json!({ "Status": "Stopping" })), After::default());
    assert_eq!(stop(json!({ "Status": "Stopped" })), After::default());
    assert_eq!(stop(json!({ "Status": "Running" })), differs(&["Status is Running"]));
    assert_eq!(stop(json!({ "Status": "now, do X" })), differs(&["Status is something undocumented"]));
    assert_eq!(stop(json!({})), untold(&["Status isn't shown"]));

    let update = |more, job| after(UPDATE, more, None, job);
    let job = json!({
        "Priority": "5", "Accessibility": "PUBLIC", "Description": "old", "UserCommand": "a",
        "JobSpecs": [{ "Type": "Worker", "PodCount": 2, "Image": "registry/a:1", "EcsSpec": "ecs.x" }],
    });
    assert_eq!(update(json!({ "Priority": 5, "Accessibility": "PUBLIC" }), job.clone()), After::default());
    assert_eq!(
        update(json!({ "Priority": 9, "Description": "new" }), job.clone()),
        differs(&["Priority is 5, not 9", "Description isn't as it was asked for"])
    );
    let role = json!({ "Type": "Worker", "PodCount": 2, "Image": "registry/a:1", "ImageConfig": { "Username": "u" } });
    assert_eq!(update(json!({ "JobSpecs": [role] }), job.clone()), After::default());
    let roles = json!([{ "Type": "Worker", "PodCount": 3, "Image": "registry/b:1" }, { "Type": "Master" }]);
    assert_eq!(
        update(json!({ "JobSpecs": roles }), job.clone()),
        differs(&[
            "JobSpecs has 1 items, not 2",
            "JobSpecs[0].Image isn't as it was asked for",
            "JobSpecs[0].PodCount is 2, not 3",
        ])
    );
    assert_eq!(update(json!({ "UserCommand": "a" }), json!({})), untold(&["UserCommand isn't shown"]));
}

#[test]
fn a_look_at_an_edited_instance_compares_what_was_asked_for() {
    let edit = |more, reply: Option<Value>, instance| after(EDIT, more, reply, instance);
    let wanted = json!({
        "name": "lab", "resource_config": { "cpu": 20 }, "expire_time": "2026-12-01T08:00:00+08:00", "password": "p",
    });
    let shown = json!({
        "name": "lab", "resource_config": { "cpu": 20, "memory": 64 }, "expire_time": "2026-12-01T00:00:00Z",
    });
    let fields = |fields: Value| Some(json!({ "updated_fields": fields }));
    assert_eq!(edit(wanted.clone(), fields(json!(["password"])), shown.clone()), After::default());
    assert_eq!(
        edit(wanted.clone(), fields(json!([])), shown.clone()),
        differs(&["password isn't among what was changed"])
    );
    assert_eq!(edit(wanted.clone(), None, shown), untold(&["password isn't shown"]));
    let other =
        json!({ "name": "old", "resource_config": { "cpu": 16 }, "expire_time": "2026-12-02T00:00:00Z" });
    assert_eq!(
        edit(wanted, fields(json!(["password"])), other),
        differs(&[
            "name isn't as it was asked for",
            "resource_config.cpu is 16, not 20",
            "expire_time isn't as it was asked for",
        ])
    );
}

#[test]
fn nobody_says_applied_who_does_not_know() {
    assert_eq!(After::default().applied(), Some(true));
    assert_eq!(untold(&["x"]).applied(), None);
    assert_eq!(After { untold: vec!["x".to_owned()], ..differs(&["y"]) }.applied(), Some(false));
}

/// A look at another one is none.
#[test]
fn a_reply_about_another_one_cannot_be_read() {
    let call = change(STOP, &json!({}));
    let state = state_of(&call).unwrap();
    let subject = |reply: Value| state.subject(&call, &reply).is_some();
    assert!(subject(json!({ "JobId": "dlc1" })) && subject(json!({ "Status": "Running" })));
    assert!(!subject(json!({ "JobId": "dlc2" })) && !subject(json!([])) && !subject(json!(null)));
}
