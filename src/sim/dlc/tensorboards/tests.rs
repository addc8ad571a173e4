use serde_json::{Value, json};

use super::*;
use crate::sim::Simulator;
use crate::sim::testkit::{AT, Call, DLC, code, job_id, simulator, workspace_id};
use crate::sim::world::SECRET_MARK;

const PATH: &str = "/api/v1/tensorboards";

fn later_by(seconds: i64) -> Timestamp {
    AT + SignedDuration::from_secs(seconds)
}

fn create(simulator: &Simulator, body: &Value) -> (u16, Value) {
    Call::post(DLC, PATH, "CreateTensorboard", body).send(simulator)
}

fn of_job() -> Value {
    json!({ "DisplayName": "board", "JobId": job_id("detector-pretrain"), "MaxRunningTimeMinutes": 1 })
}

/// A TensorBoard made at [`AT`], and its id.
fn made(simulator: &Simulator, body: &Value) -> String {
    let (status, reply) = create(simulator, body);
    assert_eq!(status, 200, "{reply}");
    reply["TensorboardId"].as_str().unwrap().to_owned()
}

fn get(simulator: &Simulator, id: &str, query: &str, seconds: i64) -> (u16, Value) {
    let call = Call::get(DLC, &format!("{PATH}/{id}{query}"), "GetTensorboard");
    call.at(later_by(seconds)).send(simulator)
}

fn put(simulator: &Simulator, id: &str, path: &str, action: &str, seconds: i64) -> (u16, Value) {
    let (status, mut body) =
        Call::put(DLC, &format!("{PATH}/{id}{path}"), action).at(later_by(seconds)).send(simulator);
    body.as_object_mut().unwrap().remove("RequestId");
    (status, body)
}

fn list(simulator: &Simulator, query: &str, seconds: i64) -> (u16, Value) {
    Call::get(DLC, &format!("{PATH}{query}"), "ListTensorboards").at(later_by(seconds)).send(simulator)
}

fn names(simulator: &Simulator, query: &str) -> Vec<String> {
    let (status, body) = list(simulator, query, 0);
    assert_eq!(status, 200, "{body}");
    let rows = body["Tensorboards"].as_array().unwrap();
    assert_eq!(body["TotalCount"], rows.len());
    rows.iter().map(|row| row["DisplayName"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_is_created_is_got_and_listed_and_ends_with_its_time() {
    let simulator = simulator();
    let id = made(&simulator, &of_job());
    let status = |seconds| get(&simulator, &id, "", seconds).1["Status"].clone();
    assert_eq!([status(0), status(5), status(64), status(65)], ["Creating", "Running", "Running", "Stopped"]);
    let (_, running) = get(&simulator, &id, "", 10);
    let (_, listed) = list(&simulator, &format!("?TensorboardId={id}"), 10);
    let mut expected = running.clone();
    expected.as_object_mut().unwrap().remove("RequestId");
    assert_eq!(listed["Tensorboards"], json!([expected]));
    assert_eq!(running["WorkspaceId"], workspace_id("vision_train"));
    let url = format!("https://pai-dlc-proxy-cn-hangzhou.aliyun.com/tensorboard/{id}/");
    assert_eq!((&running["TensorboardUrl"], &running["Duration"]), (&json!(url), &json!("10")));
    let (_, over) = get(&simulator, &id, "", 1000);
    let shown = ["ReasonCode", "GmtFinishTime", "Duration", "TensorboardUrl"].map(|name| over[name].clone());
    assert_eq!(
        shown,
        [json!("MaxRunningTimeExceeded"), json!("2026-01-01T00:01:05Z"), json!("65"), Value::Null]
    );
}

#[test]
fn a_stop_and_a_start_act_once_each() {
    let simulator = simulator();
    let id = made(&simulator, &of_job());
    let answer = (200, json!({ "TensorboardId": id }));
    let stop = |seconds| put(&simulator, &id, "/stop", "StopTensorboard", seconds);
    let start = |seconds| put(&simulator, &id, "/start", "StartTensorboard", seconds);
    let seen = |seconds| {
        let board = get(&simulator, &id, "", seconds).1;
        [board["Status"].clone(), board["GmtFinishTime"].clone(), board["GmtModifyTime"].clone()]
    };
    assert_eq!(start(1), answer, "it isn't stopped, so nothing happens");
    assert_eq!(stop(10), answer);
    let stopped = [json!("Stopped"), json!("2026-01-01T00:00:10Z"), json!("2026-01-01T00:00:10Z")];
    assert_eq!(seen(10), stopped);
    assert_eq!(stop(20), answer);
    assert_eq!(seen(30), stopped);
    assert_eq!(start(40), answer);
    assert_eq!(seen(44), [json!("Creating"), Value::Null, json!("2026-01-01T00:00:40Z")]);
    assert_eq!(seen(45)[0], "Running");
    assert_eq!(seen(105)[..2], [json!("Stopped"), json!("2026-01-01T00:01:45Z")]);
}

#[test]
fn an_update_has_everything_in_its_query() {
    let simulator = simulator();
    let id = made(&simulator, &of_job());
    let update = |query: &str, seconds| put(&simulator, &id, query, "UpdateTensorboard", seconds);
    let query = "?Accessibility=PUBLIC&Priority=9&MaxRunningTimeMinutes=10";
    assert_eq!(update(query, 30), (200, json!({ "TensorboardId": id })));
    let (_, board) = get(&simulator, &id, "", 100);
    let shown = ["Accessibility", "Priority", "MaxRunningTimeMinutes", "Status"].map(|name| &board[name]);
    assert_eq!(shown, [&json!("PUBLIC"), &json!("9"), &json!(10), &json!("Running")]);
    // A later limit doesn't bring back what is over, and an earlier one ends it now.
    update("?MaxRunningTimeMinutes=1", 200);
    let finished = |seconds| get(&simulator, &id, "", seconds).1["GmtFinishTime"].clone();
    assert_eq!(finished(300), "2026-01-01T00:03:20Z");
    update("?MaxRunningTimeMinutes=100", 400);
    assert_eq!(finished(500), "2026-01-01T00:03:20Z");
    let before = simulator.state().unwrap();
    assert_eq!(update("", 600).0, 200);
    for (query, name) in [
        ("?Priority=10", "Priority"),
        ("?Accessibility=all", "Accessibility"),
        ("?MaxRunningTimeMinutes=0", "MaxRunningTimeMinutes"),
    ] {
        assert_eq!(code(update(query, 600)), (400, format!("InvalidParameter.{name}")));
    }
    assert_eq!(simulator.state().unwrap(), before);
}

/// R-DLC-15, R-DLC-41
#[test]
fn a_body_that_makes_no_sense_is_refused() {
    let simulator = simulator();
    let before = simulator.state().unwrap();
    let data = json!([{ "DataSourceId": "d-1", "MountPath": "/root/data" }]);
    for (change, expected) in [
        (json!({ "JobId": null }), "MissingParameter.JobId"),
        (json!({ "JobId": null, "DataSources": [] }), "MissingParameter.JobId"),
        (json!({ "DataSources": data }), "InvalidParameter.JobId"),
        (json!({ "Uri": "oss://a/" }), "InvalidParameter.JobId"),
        (json!({ "DataSourceId": "d-1" }), "InvalidParameter.JobId"),
        (json!({ "TensorboardDataSources": [{ "Uri": "oss://a/" }] }), "InvalidParameter.JobId"),
        (json!({ "JobId": null, "DataSources": [{ "MountPath": "/a" }] }), "MissingParameter.DataSourceId"),
        (json!({ "JobId": null, "TensorboardDataSources": [{}] }), "MissingParameter.Uri"),
        (
            json!({ "JobId": null, "TensorboardDataSources": [{ "Uri": "a", "SourceType": "job" }] }),
            "InvalidParameter.SourceType",
        ),
        (json!({ "Priority": 5 }), "InvalidParameter.Priority"),
        (json!({ "Priority": "10" }), "InvalidParameter.Priority"),
        (json!({ "Accessibility": "public" }), "InvalidParameter.Accessibility"),
        (json!({ "DataSourceType": "CPFS" }), "InvalidParameter.DataSourceType"),
        (json!({ "MaxRunningTimeMinutes": 0 }), "InvalidParameter.MaxRunningTimeMinutes"),
        (json!({ "Cpu": "1" }), "InvalidParameter.Cpu"),
        (json!({ "Options": "mountpath" }), "InvalidParameter.Options"),
        (json!({ "TensorboardSpec": { "EcsType": "ecs.moon" } }), "InvalidParameter.EcsType"),
        (json!({ "WorkspaceId": workspace_id("vision_train_eval") }), "InvalidParameter.WorkspaceId"),
    ] {
        let mut body = of_job();
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        assert_eq!(code(create(&simulator, &body)), (400, expected.to_owned()), "{change}");
    }
    let missing = json!({ "JobId": "dlc0" });
    assert_eq!(code(create(&simulator, &missing)), (404, "NotFound.Job".to_owned()));
    let denied = json!({ "JobId": job_id("payroll-fit") });
    assert_eq!(code(create(&simulator, &denied)), (403, "Forbidden.RAM".to_owned()));
    let frozen = json!({ "Uri": "oss://a/", "WorkspaceId": workspace_id("recsys_archive") });
    assert_eq!(code(create(&simulator, &frozen)), (400, "WorkspaceNotEnabled".to_owned()));
    let elsewhere = Call::post(&DLC.replace("hangzhou", "beijing"), PATH, "CreateTensorboard", &frozen);
    assert_eq!(code(elsewhere.send(&simulator)), (400, "ServiceNotActivated".to_owned()));
    assert_eq!(simulator.state().unwrap(), before);
}

#[test]
fn data_without_a_workspace_falls_into_the_default_one() {
    let simulator = simulator();
    let id = made(&simulator, &json!({ "Uri": "oss://a/" }));
    assert_eq!(get(&simulator, &id, "", 0).1["WorkspaceId"], workspace_id("default_hangzhou"));
}

#[test]
fn a_dataset_is_the_workspaces_own() {
    let simulator = simulator();
    let state = simulator.state().unwrap();
    let dataset = &state["regions"]["cn-hangzhou"]["datasets"][0];
    assert_eq!(dataset["workspace_id"], workspace_id("vision_train"));
    for data in [
        json!({ "DataSources": [{ "DataSourceId": dataset["id"] }] }),
        json!({ "DataSourceId": dataset["id"] }),
    ] {
        let of = |workspace: &str| {
            let mut body = data.clone();
            body["WorkspaceId"] = json!(workspace_id(workspace));
            body
        };
        let id = made(&simulator, &of("vision_train"));
        assert_eq!(get(&simulator, &id, "", 0).1["WorkspaceId"], workspace_id("vision_train"));
        let elsewhere = (400, "InvalidParameter.DataSourceId".to_owned());
        assert_eq!(code(create(&simulator, &of("vision_train_eval"))), elsewhere);
        assert_eq!(code(create(&simulator, &data)), elsewhere, "nor is it in the default workspace");
    }
}

#[test]
fn a_list_is_of_ones_own_unless_asked_otherwise() {
    let simulator = simulator();
    assert_eq!(names(&simulator, ""), ["distill-board", "runs-board"]);
    let everybody = ["detector-pretrain-board", "distill-board", "runs-board"];
    assert_eq!(names(&simulator, "?ShowOwn=false"), everybody);
    let job = job_id("detector-distill");
    for (query, expected) in [
        ("&SortBy=DisplayName&Order=asc".to_owned(), &everybody[..]),
        ("&Status=Running".to_owned(), &everybody[..1]),
        ("&Status=Stopped".to_owned(), &everybody[1..]),
        ("&Accessibility=PUBLIC".to_owned(), &everybody[..1]),
        ("&PaymentType=Free".to_owned(), &everybody[..]),
        ("&PaymentType=Postpaid".to_owned(), &[]),
        (format!("&JobId={job}"), &everybody[1..2]),
        ("&DisplayName=DISTILL".to_owned(), &everybody[1..2]),
        ("&Username=lin.tao".to_owned(), &everybody[..1]),
        ("&SourceType=job".to_owned(), &[]),
        ("&StartTime=2025-12-31T20:00:00Z".to_owned(), &everybody[..1]),
        ("&EndTime=2025-12-31T18:00:00Z".to_owned(), &everybody[2..]),
        (format!("&WorkspaceId={}", workspace_id("vision_train_eval")), &[]),
    ] {
        assert_eq!(names(&simulator, &format!("?ShowOwn=false{query}")), expected, "{query}");
    }
    let (_, second) = list(&simulator, "?ShowOwn=false&PageSize=1&PageNumber=2", 0);
    assert_eq!(
        (&second["TotalCount"], &second["Tensorboards"][0]["DisplayName"]),
        (&json!(3), &json!("distill-board"))
    );
    let refused = |query: &str| code(list(&simulator, query, 0));
    assert_eq!(refused("?Status=running"), (400, "InvalidParameter.Status".to_owned()));
    assert_eq!(refused("?Order=ASC"), (400, "InvalidParameter.Order".to_owned()));
    assert_eq!(refused("?PageSize=101"), (400, "InvalidParameter.PageSize".to_owned()));
    let closed = format!("?WorkspaceId={}", workspace_id("payroll_forecast"));
    assert_eq!(refused(&closed), (403, "Forbidden.RAM".to_owned()));
}

/// R-DLC-42
#[test]
fn a_shared_link_holds_a_token_that_lets_in_until_it_expires() {
    let simulator = simulator();
    let id = made(&simulator, &json!({ "Uri": "oss://a/" }));
    let before = simulator.state().unwrap();
    let share = |query: &str| {
        let path = format!("{PATH}/{id}/sharedurl{query}");
        Call::get(DLC, &path, "GetTensorboardSharedUrl").at(later_by(10)).send(&simulator)
    };
    let (_, reply) = share("?ExpireTimeSeconds=60");
    let url = reply["TensorboardSharedUrl"].as_str().unwrap();
    let address = format!("https://pai-dlc-proxy-cn-hangzhou.aliyun.com/tensorboard/{id}/");
    let token = url.strip_prefix(&address).unwrap().strip_suffix('/').unwrap();
    assert!(token.contains(SECRET_MARK));
    let with_token = format!("?Token={token}");
    let (_, board) = get(&simulator, &id, &with_token, 20);
    assert_eq!(board["TensorboardUrl"], format!("{address}?token={token}"));
    let invalid = (400, "InvalidParameter.Token".to_owned());
    assert_eq!(code(get(&simulator, &id, &with_token, 70)), invalid);
    assert_eq!(code(get(&simulator, &id, "?Token=eyJhIjoxfQ", 20)), invalid);
    for seconds in ["0", "604801", "week"] {
        let expected = (400, "InvalidParameter.ExpireTimeSeconds".to_owned());
        assert_eq!(code(share(&format!("?ExpireTimeSeconds={seconds}"))), expected);
    }
    assert_eq!(share("?ExpireTimeSeconds=604800").0, 200);
    assert_eq!(simulator.state().unwrap(), before);
}

#[test]
fn only_what_the_caller_may_see_is_touched() {
    let simulator = simulator();
    let before = simulator.state().unwrap();
    let id = before["regions"]["cn-hangzhou"]["tensorboards"][3]["id"].as_str().unwrap();
    let own = before["regions"]["cn-hangzhou"]["tensorboards"][1]["id"].as_str().unwrap();
    let all = |id: &str, query: &str| {
        [
            code(get(&simulator, id, query, 0)),
            code(put(&simulator, id, &format!("/start{query}"), "StartTensorboard", 0)),
            code(put(&simulator, id, &format!("/stop{query}"), "StopTensorboard", 0)),
            code(put(
                &simulator,
                id,
                &format!("{query}{}Priority=2", if query.is_empty() { '?' } else { '&' }),
                "UpdateTensorboard",
                0,
            )),
        ]
    };
    let denied = (403, "Forbidden.RAM".to_owned());
    let missing = (404, "NotFound.Tensorboard".to_owned());
    assert!(all(id, "").iter().all(|found| *found == denied), "{:?}", all(id, ""));
    assert!(all("tb0", "").iter().all(|found| *found == missing));
    assert!(all(own, "?WorkspaceId=1").iter().all(|found| *found == missing));
    assert!(all(own, "?JodId=dlc0").iter().all(|found| *found == missing));
    let share = |id: &str| {
        Call::get(DLC, &format!("{PATH}/{id}/sharedurl"), "GetTensorboardSharedUrl").send(&simulator)
    };
    assert_eq!([code(share(id)), code(share("tb0"))], [denied, missing]);
    assert_eq!(simulator.state().unwrap(), before);
}
