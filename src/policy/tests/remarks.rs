//! What is told beside a reply: whether a change shows, that a password is over, what a status comes to.

use std::collections::BTreeMap;

use super::*;
use crate::policy::verdict::Review;

/// What a review of a change says, given the look at its subject.
fn after_change(tool: &str, arguments: &Value, described: &Value, look: Option<(&str, Value)>) -> Value {
    let change = call(tool, arguments);
    let subject = change.tool().subject().unwrap();
    let mut evidence = Evidence::default();
    if let Some((get, found)) = look {
        let mut read = json!({ subject: arguments[subject] });
        if let Some(region) = arguments.get("RegionId") {
            read["RegionId"] = region.clone();
        }
        evidence.add(call(get, &read).by(Origin::Policy), outcome(&found));
    }
    match policy().review(&change, &outcome(described), &evidence, now()) {
        Review::Done => json!("done"),
        Review::Told(remarks) => json!(remarks.iter().collect::<BTreeMap<_, _>>()),
        Review::Need(calls) => json!(calls.iter().map(|call| call.tool().name()).collect::<Vec<_>>()),
        Review::Refused(refusal) => policy().mask_refusal(&refusal, &mut Seen::default()).body().clone(),
        Review::Exists(_) => panic!("nothing of the kind can exist"),
    }
}

/// R-DLC-49, R-DLC-50: a change is looked at afterwards, and the look says whether it shows.
#[test]
fn a_change_is_looked_at_and_told() {
    let stop = json!({ "RegionId": "cn-hangzhou", "JobId": "dlc1" });
    let update = json!({ "RegionId": "cn-hangzhou", "JobId": "dlc1", "Priority": 9, "Description": "d" });
    let done = json!({ "reply": { "JobId": "dlc1" } });
    let job = |tool: &str, arguments: &Value, found: Value| {
        after_change(tool, arguments, &done, Some(("dlc_get_job", found)))
    };
    assert_eq!(after_change("dlc_stop_job", &stop, &done, None), json!(["dlc_get_job"]));
    assert_eq!(
        job("dlc_stop_job", &stop, json!({ "reply": { "Status": "Stopping" } })),
        json!({ "applied": true })
    );
    assert_eq!(
        job("dlc_update_job", &update, json!({ "reply": { "Priority": 5, "Description": "d" } })),
        json!({
            "applied": false,
            "differs": ["Priority is 5, not 9"],
            "next_step": "it may show later: look with dlc_get_job before anything is tried again",
        })
    );
    for (found, why) in [
        (json!({ "lost": "the connection broke" }), "the connection broke"),
        (json!({ "not_sent": "too many calls" }), "too many calls"),
        (json!({ "reply": { "JobId": "dlc2" } }), "the cloud's answer about this job can't be read"),
    ] {
        assert_eq!(
            job("dlc_stop_job", &stop, found),
            json!({ "applied": null, "unknown": [format!("the job couldn't be read afterwards: {why}")] })
        );
    }
    assert_eq!(
        after_change("dlc_get_dashboard", &stop, &json!({ "reply": { "url": "u" } }), None),
        json!("done")
    );
}

/// A change whose answer was lost is looked for, and never sent again.
#[test]
fn a_change_whose_answer_was_lost_is_looked_for() {
    let pause = json!({ "instance_id": "jp_1" });
    let lost = json!({ "lost": "the connection broke" });
    let reviewed = |look| after_change("pyromind_pause_instance", &pause, &lost, look);
    assert_eq!(reviewed(None), json!(["pyromind_get_instance"]));
    let found = |found: Value| {
        let told = reviewed(Some(("pyromind_get_instance", found)));
        assert_eq!((&told["rule"], &told["retryable"]), (&json!("cloud-lost-answer"), &json!(false)));
        told
    };
    assert_eq!(
        found(json!({ "reply": { "status": "paused" } }))["error"],
        "the connection broke; a look afterwards shows it as it was asked for"
    );
    let still = found(json!({ "reply": { "status": "running" } }));
    assert_eq!(still["error"], "the connection broke; a look afterwards doesn't show it");
    assert_eq!(still["violations"][1]["message"], "status is running");
    assert!(
        still["violations"][0]["fix"].as_str().unwrap().contains("ask the user before it is tried again")
    );
    let unread = found(json!({ "error": { "status": 503, "code": "503", "message": "no" } }));
    assert_eq!(
        unread["error"],
        "the connection broke; it may have been carried out, and a look afterwards doesn't tell"
    );
    assert!(unread["violations"][1]["message"].as_str().unwrap().contains("couldn't be read afterwards"));
}

/// R-PM-032: a password that is over is pointed out, and nobody refreshes it unasked.
#[test]
fn an_expired_password_is_pointed_out() {
    let told = |expires: Value| {
        let reply =
            json!({ "reply": { "sandbox_id": "sbx_1", "vnc_password": "p", "expire_time": expires } });
        after_change("pyromind_get_sandbox_vnc", &json!({ "sandbox_id": "sbx_1" }), &reply, None)
    };
    for over in [json!("2026-03-01T12:00:00Z"), json!("2026-03-01T14:00:00+08:00")] {
        let told = told(over);
        assert_eq!(told["expired"], true);
        assert!(told["next_step"].as_str().unwrap().contains("ask the user"), "{told}");
    }
    for good in [json!("2026-03-01T12:00:01Z"), json!(null), json!("soon")] {
        assert_eq!(told(good), json!("done"));
    }
}

/// R-PM-030: a single action's `completed` and a batch's `success` are one outcome; what isn't documented is unknown.
#[test]
fn a_status_comes_to_an_outcome() {
    let call = |tool: &str, more: Value| {
        let mut arguments = json!({ "sandbox_id": "sbx_1" });
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        call(tool, &arguments)
    };
    let mut seen = Seen::default();
    let one = call("pyromind_execute_sandbox_action", json!({ "action": "restart" }));
    for (status, outcome) in [
        (json!("completed"), "succeeded"),
        (json!("success"), "succeeded"),
        (json!("failed"), "failed"),
        (json!("queued"), "unknown"),
        (json!(null), "unknown"),
    ] {
        let reply = Outcome::Reply(Raw::new(json!({ "status": status })));
        let shown = policy().mask_reply(&one, &reply, &mut seen).unwrap().masked;
        assert_eq!((&shown.body()["outcome"], &shown.body()["status"]), (&json!(outcome), &status));
    }
    let several =
        call("pyromind_execute_sandbox_batch_actions", json!({ "actions": [{ "action": "stop" }] }));
    let results =
        json!([{ "action": "stop", "status": "success" }, { "action": "start", "status": "failed" }]);
    let reply = Outcome::Reply(Raw::new(json!({ "results": results })));
    let shown = policy().mask_reply(&several, &reply, &mut seen).unwrap().masked;
    let outcomes: Vec<&Value> =
        shown.body()["results"].as_array().unwrap().iter().map(|result| &result["outcome"]).collect();
    assert_eq!(outcomes, ["succeeded", "failed"]);
}
