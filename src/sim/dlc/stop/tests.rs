use super::*;
use crate::sim::Simulator;
use crate::sim::testkit::{AT, Call, DLC, code, job_id, simulator, submit};
use jiff::SignedDuration;

fn later(seconds: i64) -> Timestamp {
    AT + SignedDuration::from_secs(seconds)
}

fn stop(simulator: &Simulator, id: &str, seconds: i64) -> (u16, Value) {
    let path = format!("/api/v1/jobs/{id}/stop");
    let (status, mut body) = Call::act(DLC, &path, "StopJob").at(later(seconds)).send(simulator);
    body.as_object_mut().unwrap().remove("RequestId");
    (status, body)
}

fn view(simulator: &Simulator, id: &str, seconds: i64) -> Value {
    Call::get(DLC, &format!("/api/v1/jobs/{id}"), "GetJob").at(later(seconds)).send(simulator).1
}

fn stopped(simulator: &Simulator) -> Value {
    let state = simulator.state().unwrap();
    state["regions"]["cn-hangzhou"]["jobs"].as_array().unwrap().last().unwrap()["stopped"].clone()
}

/// R-DLC-34, R-DLC-51
#[test]
fn a_running_job_goes_through_stopping_to_stopped() {
    let simulator = simulator();
    let id = submit(&simulator, "sleep 600");
    assert_eq!(stop(&simulator, &id, 100), (200, json!({"JobId": id})));
    let seen = |seconds| {
        let job = view(&simulator, &id, seconds);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let fields = [&job["Status"], &job["ReasonCode"], &job["Pods"][0]["Status"], &job["GmtStoppedTime"]];
        fields.map(text)
    };
    let by_user = "JobStoppedByUser";
    assert_eq!(seen(99), ["Running", "JobRunning", "Running", ""]);
    assert_eq!(seen(100), ["Stopping", by_user, "Running", ""]);
    assert_eq!(seen(104), ["Stopping", by_user, "Running", ""]);
    assert_eq!(seen(105), ["Stopped", by_user, "Failed", "2026-01-01T00:01:45Z"]);
    assert_eq!(seen(700), ["Stopped", by_user, "Failed", "2026-01-01T00:01:45Z"]);
}

#[test]
fn a_queuing_job_stops_and_never_has_pods() {
    let simulator = simulator();
    let id = submit(&simulator, "sleep 600");
    stop(&simulator, &id, 4);
    let replicas = |seconds| view(&simulator, &id, seconds)["JobReplicaStatuses"].clone();
    let row = |queuing| json!([{"Type": "Worker", "Queuing": queuing, "Dequeued": 0, "Active": 0}]);
    assert_eq!([replicas(3), replicas(4), replicas(50)], [row(2), row(0), row(0)]);
    let job = view(&simulator, &id, 50);
    assert_eq!((&job["Status"], &job["Pods"]), (&json!("Stopped"), &json!([])));
}

/// R-DLC-51: the answer is the same, so only a later look tells.
#[test]
fn in_any_other_state_a_stop_is_answered_and_does_nothing() {
    let simulator = simulator();
    let id = submit(&simulator, "sleep 600");
    let before = simulator.state().unwrap();
    for seconds in [0, 1, 7, 26, 627, 10_000] {
        assert_eq!(stop(&simulator, &id, seconds), (200, json!({"JobId": id})), "{seconds}");
    }
    assert_eq!(simulator.state().unwrap(), before);
    stop(&simulator, &id, 30);
    assert_eq!(stopped(&simulator), json!("2026-01-01T00:00:30Z"));
    for seconds in [30, 33, 36] {
        stop(&simulator, &id, seconds);
    }
    assert_eq!(stopped(&simulator), json!("2026-01-01T00:00:30Z"));
}

#[test]
fn only_a_job_that_the_caller_may_see_is_stopped() {
    let simulator = simulator();
    let before = simulator.state().unwrap();
    assert_eq!(code(stop(&simulator, "dlc0", 0)), (404, "NotFound.Job".to_owned()));
    let denied = stop(&simulator, &job_id("payroll-fit"), 0);
    assert_eq!(denied.1["AccessDeniedDetail"]["AuthAction"], "paidlc:StopJob");
    assert_eq!(code(denied), (403, "Forbidden.RAM".to_owned()));
    assert_eq!(simulator.state().unwrap(), before);
}
