use super::*;
use crate::sim::Simulator;
use crate::sim::testkit::{AT, Call, DLC, canaries_in, code, job_id, simulator, submit};
use jiff::SignedDuration;

fn read(simulator: &Simulator, path: &str, seconds: i64) -> (u16, Value) {
    let action = if path.contains("/pods/") { "GetPodEvents" } else { "GetJobEvents" };
    let at = AT + SignedDuration::from_secs(seconds);
    Call::get(DLC, &format!("/api/v1/jobs/{path}"), action).at(at).send(simulator)
}

fn events(simulator: &Simulator, path: &str, seconds: i64) -> Vec<String> {
    let (status, body) = read(simulator, path, seconds);
    assert_eq!(status, 200, "{path}: {body}");
    serde_json::from_value(body["Events"].clone()).unwrap()
}

#[test]
fn a_jobs_events_follow_its_stages() {
    let simulator = simulator();
    let id = submit(&simulator, "exit 3");
    let all = [
        "2026-01-01T00:00:00Z Normal JobCreating The job is being created.".to_owned(),
        "2026-01-01T00:00:02Z Normal JobEnqueued The job waits for resources.".to_owned(),
        "2026-01-01T00:00:07Z Normal JobDequeued The environment is being prepared.".to_owned(),
        format!("2026-01-01T00:00:07Z Normal SuccessfulCreatePod Created pod: {id}-worker-0"),
        format!("2026-01-01T00:00:07Z Normal SuccessfulCreatePod Created pod: {id}-worker-1"),
        "2026-01-01T00:00:27Z Normal JobRunning The job is running.".to_owned(),
        "2026-01-01T00:00:32Z Warning JobFailed A pod of the job exited with a code other than 0.".to_owned(),
    ];
    let path = format!("{id}/events");
    assert_eq!(events(&simulator, &path, 1), all[..1]);
    assert_eq!(events(&simulator, &path, 31), all[..6]);
    assert_eq!(events(&simulator, &path, 1000), all);
    assert_eq!(events(&simulator, &format!("{path}?MaxEventsNum=2"), 1000), all[5..]);
    let window = format!("{path}?StartTime=2026-01-01T00:00:02Z&EndTime=2026-01-01T00:00:07Z");
    assert_eq!(events(&simulator, &window, 1000), all[1..5]);
    assert_eq!(events(&simulator, &path, 8 * 86_400), Vec::<String>::new());
}

#[test]
fn a_pods_events_follow_its_container() {
    let simulator = simulator();
    let id = submit(&simulator, "exit 3");
    let pod = format!("{id}-worker-1");
    let (_, body) = read(&simulator, &format!("{id}/pods/{pod}/events"), 1000);
    let view = Call::get(DLC, &format!("/api/v1/jobs/{id}"), "GetJob");
    let view = view.at(AT + SignedDuration::from_secs(30)).send(&simulator).1["Pods"][1].clone();
    let image = "registry-vpc.cn-hangzhou.aliyuncs.com/vision-team/detector:2025.11";
    let node = view["NodeName"].as_str().unwrap();
    let expected = json!({
        "JobId": id,
        "PodId": pod,
        "PodUid": view["PodUid"],
        "Events": [
            format!("2026-01-01T00:00:07Z Normal Scheduled Successfully assigned {pod} to {node}"),
            format!("2026-01-01T00:00:07Z Normal Pulling Pulling image \"{image}\""),
            format!("2026-01-01T00:00:27Z Normal Pulled Successfully pulled image \"{image}\""),
            "2026-01-01T00:00:27Z Normal Created Created container pytorch",
            "2026-01-01T00:00:27Z Normal Started Started container pytorch",
            "2026-01-01T00:00:32Z Warning Error Container pytorch exited with code 3",
        ],
        "RequestId": body["RequestId"],
    });
    assert_eq!(body, expected);
}

#[test]
fn a_pod_that_never_ran_says_why() {
    let simulator = simulator();
    let body = json!({
        "DisplayName": "train",
        "JobType": "TFJob",
        "JobSpecs": [{"Type": "Chief", "Image": "none", "PodCount": 1, "EcsSpec": "ecs.g6.large"}],
        "UserCommand": "true",
    });
    let (_, created) = Call::post(DLC, "/api/v1/jobs", "CreateJob", &body).send(&simulator);
    let id = created["JobId"].as_str().unwrap();
    let told = events(&simulator, &format!("{id}/pods/{id}-chief-0/events"), 100);
    assert_eq!(told[2..], ["2026-01-01T00:00:27Z Warning Failed Failed to pull an image of the job"]);
}

#[test]
fn a_stop_is_an_event_of_job_and_pod() {
    let simulator = simulator();
    let id = submit(&simulator, "sleep 600");
    let at = AT + SignedDuration::from_secs(40);
    Call::act(DLC, &format!("/api/v1/jobs/{id}/stop"), "StopJob").at(at).send(&simulator);
    let stopped = [
        "2026-01-01T00:00:40Z Normal JobStoppedByUser The job was stopped by a user.",
        "2026-01-01T00:00:45Z Normal JobStoppedByUser The job was stopped by a user.",
    ];
    assert_eq!(events(&simulator, &format!("{id}/events?MaxEventsNum=2"), 100), stopped);
    let killing = ["2026-01-01T00:00:40Z Normal Killing Stopping container pytorch"];
    assert_eq!(events(&simulator, &format!("{id}/pods/{id}-worker-0/events?MaxEventsNum=1"), 100), killing);
}

#[test]
fn wrong_questions_are_refused() {
    let simulator = simulator();
    let id = job_id("detector-eval");
    let payroll = job_id("payroll-fit");
    let queuing = submit(&simulator, "true");
    for (path, status, expected) in [
        ("dlc0/events".to_owned(), 404, "NotFound.Job"),
        (format!("dlc0/pods/{id}-worker-0/events"), 404, "NotFound.Job"),
        (format!("{id}/pods/{id}-worker-2/events"), 404, "NotFound.Pod"),
        (format!("{id}/pods/{id}-worker-0/events?PodUid=0"), 404, "NotFound.Pod"),
        (format!("{queuing}/pods/{queuing}-worker-0/events"), 404, "NotFound.Pod"),
        (format!("{payroll}/events"), 403, "Forbidden.RAM"),
        (format!("{payroll}/pods/{payroll}-worker-0/events"), 403, "Forbidden.RAM"),
        (format!("{id}/events?MaxEventsNum=0"), 400, "InvalidParameter.MaxEventsNum"),
        (format!("{id}/events?MaxEventsNum=10001"), 400, "InvalidParameter.MaxEventsNum"),
        (format!("{id}/pods/{id}-worker-0/events?MaxEventsNum=10001"), 400, "InvalidParameter.MaxEventsNum"),
        (format!("{id}/events?EndTime=now"), 400, "InvalidParameter.EndTime"),
    ] {
        assert_eq!(code(read(&simulator, &path, 0)), (status, expected.to_owned()), "{path}");
    }
}

#[test]
fn the_hostile_jobs_events_attack_their_reader() {
    let simulator = simulator();
    let id = job_id("detector-distill");
    let job = events(&simulator, &format!("{id}/events?MaxEventsNum=3"), 0);
    let pod = events(&simulator, &format!("{id}/pods/{id}-worker-0/events?MaxEventsNum=2"), 0);
    let told: Vec<String> = hostile::job_events().into_iter().chain(hostile::pod_events()).collect();
    let expected: Vec<String> =
        told.iter().map(|text| format!("2025-12-31T18:15:27Z Warning Notice {text}")).collect();
    assert_eq!([job, pod].concat(), expected);
    assert_eq!(canaries_in(&expected.concat()).len(), 2);
}
