use super::*;
use crate::sim::Simulator;
use crate::sim::testkit::{AT, Call, DLC, code, job_id, simulator, workspace_id};
use crate::sim::world::World;
use jiff::SignedDuration;

const DETECTOR: &str = "registry-vpc.cn-hangzhou.aliyuncs.com/vision-team/detector:2025.11";

fn later(seconds: i64) -> Timestamp {
    AT + SignedDuration::from_secs(seconds)
}

/// Submits a job with these fields beside those that it needs, at [`AT`].
fn submit(simulator: &Simulator, more: &Value) -> String {
    let mut body = json!({
        "DisplayName": "train",
        "JobType": "PyTorchJob",
        "WorkspaceId": workspace_id("vision_train"),
        "JobSpecs": [worker(2, DETECTOR)],
        "UserCommand": "sleep 600",
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let (_, reply) = Call::post(DLC, "/api/v1/jobs", "CreateJob", &body).send(simulator);
    reply["JobId"].as_str().unwrap().to_owned()
}

fn worker(pods: u64, image: &str) -> Value {
    json!({"Type": "Worker", "Image": image, "PodCount": pods, "EcsSpec": "ecs.gn6i-c4g1.xlarge"})
}

fn update(simulator: &Simulator, id: &str, change: &Value, seconds: i64) -> (u16, Value) {
    let call = Call::replace(DLC, &format!("/api/v1/jobs/{id}"), "UpdateJob", change);
    let (status, mut body) = call.at(later(seconds)).send(simulator);
    body.as_object_mut().unwrap().remove("RequestId");
    (status, body)
}

fn view(simulator: &Simulator, id: &str, seconds: i64) -> Value {
    Call::get(DLC, &format!("/api/v1/jobs/{id}"), "GetJob").at(later(seconds)).send(simulator).1
}

/// The state of the job that was made last.
fn state(simulator: &Simulator) -> Value {
    let state = simulator.state().unwrap();
    state["regions"]["cn-hangzhou"]["jobs"].as_array().unwrap().last().unwrap().clone()
}

#[test]
fn a_priority_counts_with_a_quota_until_the_job_runs() {
    for (quota, seconds, counts) in [
        (true, 0, true),
        (true, 3, true),
        (true, 10, true),
        (true, 27, false),
        (true, 1000, false),
        (false, 0, false),
        (false, 3, false),
        (false, 27, false),
    ] {
        let simulator = simulator();
        let more =
            if quota { json!({"ResourceId": "quota1", "Priority": 2}) } else { json!({"Priority": 2}) };
        let id = submit(&simulator, &more);
        let before = state(&simulator);
        let answer = update(&simulator, &id, &json!({"Priority": 7}), seconds);
        assert_eq!(answer, (200, json!({"JobId": id})), "the same whatever came of it");
        let priority = if counts { 7 } else { 2 };
        assert_eq!(view(&simulator, &id, seconds)["Priority"], priority, "{quota} {seconds}");
        assert_eq!(state(&simulator) == before, !counts, "{quota} {seconds}");
    }
}

#[test]
fn who_sees_a_job_is_only_widened() {
    let simulator = simulator();
    let id = submit(&simulator, &json!({}));
    let before = state(&simulator);
    let set = |wanted: &str| update(&simulator, &id, &json!({"Accessibility": wanted}), 100);
    assert_eq!(set("PRIVATE").0, 200);
    assert_eq!(state(&simulator), before, "it was so already");
    assert_eq!(set("PUBLIC").0, 200);
    assert_eq!(view(&simulator, &id, 100)["Accessibility"], "PUBLIC");
    assert_eq!(code(set("PRIVATE")), (400, "InvalidParameter.Accessibility".to_owned()));
    assert_eq!(view(&simulator, &id, 100)["Accessibility"], "PUBLIC");
}

#[test]
fn a_change_is_seen_in_the_list_and_kept_in_the_state() {
    let simulator = simulator();
    let id = submit(&simulator, &json!({}));
    assert_eq!(update(&simulator, &id, &json!({"Description": "second run"}), 700).0, 200);
    assert_eq!(view(&simulator, &id, 800)["Description"], "second run");
    let call = Call::get(DLC, &format!("/api/v1/jobs?JobId={id}"), "ListJobs").at(later(800));
    assert_eq!(call.send(&simulator).1["Jobs"][0]["GmtModifiedTime"], "2026-01-01T00:11:40Z");
    assert_eq!(state(&simulator)["updated"], "2026-01-01T00:11:40Z");
    let world = World::parse(&simulator.state().unwrap().to_string()).unwrap();
    assert_eq!(world.latest(), later(700));
    // Nothing, and what can't be changed, changes nothing.
    let before = state(&simulator);
    for nothing in [json!({}), json!({"Description": ""}), json!({"DisplayName": "other"})] {
        assert_eq!(update(&simulator, &id, &nothing, 900), (200, json!({"JobId": id})));
    }
    assert_eq!(state(&simulator), before);
}

#[test]
fn command_and_roles_change_until_something_is_made_of_them() {
    let simulator = simulator();
    let id = submit(&simulator, &json!({}));
    let change = json!({"UserCommand": "exit 3", "JobSpecs": [worker(1, DETECTOR)]});
    assert_eq!(update(&simulator, &id, &change, 4).0, 200);
    let job = view(&simulator, &id, 100);
    assert_eq!((&job["Status"], &job["UserCommand"]), (&json!("Failed"), &json!("exit 3")));
    assert_eq!(job["Pods"].as_array().unwrap().len(), 1);
    let before = state(&simulator);
    for seconds in [7, 27, 100] {
        for (name, value) in change.as_object().unwrap() {
            let answer = update(&simulator, &id, &json!({name: value, "Description": "late"}), seconds);
            assert_eq!(code(answer), (400, "InvalidJobStatus".to_owned()), "{name} {seconds}");
        }
    }
    assert_eq!(state(&simulator), before, "all of a change or none of it");
    World::parse(&simulator.state().unwrap().to_string()).unwrap();
}

/// R-DLC-24: as with a new job, the service accepts an image that doesn't exist.
#[test]
fn a_changed_image_is_looked_up_like_a_new_one() {
    let simulator = simulator();
    let id = submit(&simulator, &json!({}));
    let missing = json!({"JobSpecs": [worker(1, "evil.example/miner:latest")]});
    assert_eq!(update(&simulator, &id, &missing, 1).0, 200);
    assert_eq!(view(&simulator, &id, 100)["ReasonCode"], "ImagePullFailed");
    assert_eq!(update(&simulator, &id, &json!({"JobSpecs": [worker(1, DETECTOR)]}), 2).0, 200);
    assert_eq!(view(&simulator, &id, 100)["Status"], "Running");
}

/// R-DLC-20, R-DLC-49
#[test]
fn wrong_changes_are_refused_and_change_nothing() {
    let simulator = simulator();
    let id = submit(&simulator, &json!({"ResourceId": "quota1"}));
    let payroll = job_id("payroll-fit");
    let before = simulator.state().unwrap();
    let mut both = worker(1, DETECTOR);
    both["ResourceConfig"] = json!({"CPU": "4"});
    for (id, change, status, expected) in [
        ("dlc0", json!({"Priority": 5}), 404, "NotFound.Job"),
        (&payroll, json!({"Priority": 5}), 403, "Forbidden.RAM"),
        (&id, json!({"Priority": 0}), 400, "InvalidParameter.Priority"),
        (&id, json!({"Priority": 10}), 400, "InvalidParameter.Priority"),
        (&id, json!({"Priority": "5"}), 400, "InvalidParameter.Priority"),
        (&id, json!({"Accessibility": "public", "Priority": 5}), 400, "InvalidParameter.Accessibility"),
        (&id, json!({"Description": 5}), 400, "InvalidParameter.Description"),
        (&id, json!({"JobSpecs": {}}), 400, "InvalidParameter.JobSpecs"),
        (&id, json!({"JobSpecs": [both], "Priority": 5}), 400, "InvalidParameter.EcsSpec"),
        (&id, json!({"JobSpecs": [{"Type": "Worker"}]}), 400, "MissingParameter.Image"),
    ] {
        let answer = code(update(&simulator, id, &change, 1));
        assert_eq!(answer, (status, expected.to_owned()), "{change}");
    }
    assert_eq!(simulator.state().unwrap(), before);
}
