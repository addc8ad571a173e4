use super::*;
use crate::sim::testkit::{AT, Call, DLC, WORKSPACE, canaries_in, simulator, workspace_id};
use jiff::SignedDuration;
use serde_json::{Value, json};

fn text(world: &World) -> String {
    serde_json::to_string(world).unwrap()
}

#[test]
fn a_seeded_world_reads_back_as_the_same_bytes() {
    for seed in [0, 1, 2, u64::MAX] {
        let state = text(&World::seeded(seed));
        assert_eq!(text(&World::parse(&state).unwrap()), state);
    }
}

#[test]
fn what_requests_made_reads_back_as_the_same_bytes() {
    let simulator = simulator();
    let wish = json!({"WorkspaceName": "new_team", "Description": "d\u{0}é训", "EnvTypes": ["prod"]});
    assert_eq!(Call::post(WORKSPACE, "/api/v1/workspaces", "CreateWorkspace", &wish).send(&simulator).0, 200);
    // The body is kept as it came: the order of its fields, and numbers that don't print as they were written.
    let job = r#"{"DisplayName": "a", "UserCommand": "sleep 5", "JobType": "PyTorchJob",
        "Z": 1e-7, "A": [4.35e-311, 0.1, 123456789012345678901234567890, -0.0, 1.7976931348623157e308, 56.42535929937283],
        "JobSpecs": [{"Type": "Worker", "Image": "none", "PodCount": 1, "EcsSpec": "ecs.g6.large"}]}"#;
    let mut job: Value = serde_json::from_str(job).unwrap();
    job["WorkspaceId"] = json!(workspace_id("vision_train"));
    let (_, created) = Call::post(DLC, "/api/v1/jobs", "CreateJob", &job).send(&simulator);
    let stop = format!("/api/v1/jobs/{}/stop", created["JobId"].as_str().unwrap());
    let queuing = AT + SignedDuration::from_secs(3);
    assert_eq!(Call::act(DLC, &stop, "StopJob").at(queuing).send(&simulator).0, 200);
    let boards = "/api/v1/tensorboards";
    let board = json!({"JobId": created["JobId"], "MaxRunningTimeMinutes": 5, "Z": 1e-7, "A": 1});
    let (_, board) = Call::post(DLC, boards, "CreateTensorboard", &board).send(&simulator);
    let stop = format!("{boards}/{}/stop", board["TensorboardId"].as_str().unwrap());
    let stopped = AT + SignedDuration::from_secs(9);
    assert_eq!(Call::put(DLC, &stop, "StopTensorboard").at(stopped).send(&simulator).0, 200);
    let state = simulator.state().unwrap().to_string();
    let world = World::parse(&state).unwrap();
    assert_eq!((text(&world), world.latest()), (state, stopped));
}

/// The default world's state, changed, and what is said about it.
fn refused(change: impl FnOnce(&mut Value)) -> String {
    let mut state = serde_json::to_value(World::seeded(1)).unwrap();
    change(&mut state);
    let said = World::parse(&state.to_string()).map(drop).unwrap_err().to_string();
    assert_eq!(canaries_in(&said), Vec::<&str>::new(), "{said}");
    said
}

#[test]
fn a_text_of_another_form_is_refused_with_its_place() {
    let said = |text: &str| World::parse(text).map(drop).unwrap_err().to_string();
    assert_eq!(said(""), "line 1, column 0: EOF while parsing a value");
    assert_eq!(said("{\n  \"seed\": 1,\n}"), "line 3, column 1: trailing comma");
    assert_eq!(said("{\"seed\": 1}\n"), "line 1, column 11: missing field `created`");
    assert_eq!(said("{\"seed\": 1, \"seed\": 1}\n"), "line 1, column 18: duplicate field `seed`");
    assert_eq!(said("{\"seed\": \"my, expected secret\"}"), "line 1, column 30: expected u64");
    assert_eq!(
        said("{\"seed\": 1, \"extra\": \"my secret\"}"),
        "line 1, column 19: expected one of `seed`, `created`, `regions`, `pyromind`"
    );
    assert!(
        refused(|state| state["regions"]["cn-hangzhou"]["jobs"][0]["submitted"] = json!("my secret"))
            .ends_with(": a value that doesn't belong here")
    );
    assert!(
        refused(|state| {
            state["regions"]["cn-hangzhou"]["jobs"][0]["user_id"] = Value::Null;
        })
        .ends_with(": expected a string")
    );
}

#[test]
fn a_state_that_no_world_has_is_refused_with_its_path() {
    let hangzhou = |change: fn(&mut Value)| refused(|state| change(&mut state["regions"]["cn-hangzhou"]));
    assert_eq!(
        refused(|state| state["created"] = json!(u64::MAX)),
        "created: must be at most 9007199254740992"
    );
    assert_eq!(
        refused(|state| state["regions"]["moon-1"] = state["regions"]["cn-beijing"].clone()),
        "regions.moon-1: must be named after a region of the cloud"
    );
    assert_eq!(
        hangzhou(|region| region["activation"] = json!("Purchasable")),
        "regions.cn-hangzhou: must hold nothing, since PAI isn't activated there"
    );
    assert_eq!(
        refused(|state| {
            let id = state["regions"]["cn-hangzhou"]["workspaces"][0]["id"].clone();
            state["regions"]["cn-shanghai"]["workspaces"][1]["id"] = id;
        }),
        "regions.cn-shanghai.workspaces[1].id: must be there, and only once"
    );
    assert_eq!(
        hangzhou(|region| region["workspaces"][2]["name"] = json!("vision_train")),
        "regions.cn-hangzhou.workspaces[2].name: must be there, and only once"
    );
    assert_eq!(
        hangzhou(|region| region["workspaces"][1]["is_default"] = json!(true)),
        "regions.cn-hangzhou.workspaces[1].is_default: must be true only once in a region"
    );
    assert_eq!(
        hangzhou(|region| region["images"][0]["id"] = json!("")),
        "regions.cn-hangzhou.images[0].id: must be there, and only once"
    );
    assert_eq!(
        hangzhou(|region| region["images"][0]["accessibility"] = json!("SECRET")),
        "regions.cn-hangzhou.images[0].accessibility: must be PUBLIC or PRIVATE"
    );
    assert_eq!(
        hangzhou(|region| region["images"][0]["belongs"] = Value::Null),
        "regions.cn-hangzhou.images[0].belongs: must name a workspace of the region"
    );
    for list in ["datasets", "code_sources"] {
        let asset =
            |change: fn(&mut Value)| refused(|state| change(&mut state["regions"]["cn-hangzhou"][list]));
        let at = |index: usize| format!("regions.cn-hangzhou.{list}[{index}]");
        assert_eq!(
            asset(|assets| assets[1]["id"] = assets[0]["id"].clone()),
            at(1) + ".id: must be there, and only once"
        );
        assert_eq!(
            asset(|assets| assets[2]["workspace_id"] = json!("1")),
            at(2) + ".workspace_id: must name a workspace of the region"
        );
        assert!(
            asset(|assets| assets[0]["accessibility"] = json!("SECRET"))
                .starts_with(&(at(0) + ".accessibility: must be PUBLIC"))
        );
    }
    assert_eq!(
        hangzhou(|region| region["datasets"][0]["data_source_type"] = json!("CPFS")),
        "regions.cn-hangzhou.datasets[0].data_source_type: must be NAS or OSS"
    );
    assert_eq!(
        hangzhou(|region| region["jobs"][1]["id"] = region["jobs"][0]["id"].clone()),
        "regions.cn-hangzhou.jobs[1].id: must be there, and only once"
    );
    assert_eq!(
        hangzhou(|region| region["jobs"][0]["workspace_id"] = json!("1")),
        "regions.cn-hangzhou.jobs[0].workspace_id: must name a workspace of the region"
    );
    assert_eq!(
        hangzhou(|region| region["jobs"][0]["run"] = json!("-PT1S")),
        "regions.cn-hangzhou.jobs[0].run: must not be negative"
    );
    assert_eq!(
        hangzhou(|region| region["jobs"][0]["stopped"] = region["jobs"][0]["submitted"].clone()),
        "regions.cn-hangzhou.jobs[0].stopped: must be an instant at which it waited or ran"
    );
    assert_eq!(
        hangzhou(|region| region["jobs"][0]["request"]["JobSpecs"][0]["PodCount"] = json!(1_000_000_000)),
        "regions.cn-hangzhou.jobs[0].request: JobSpecs[0].PodCount must be an integer from 1 to 1000."
    );
    assert_eq!(
        hangzhou(|region| region["tensorboards"][1]["id"] = region["tensorboards"][0]["id"].clone()),
        "regions.cn-hangzhou.tensorboards[1].id: must be there, and only once"
    );
    assert_eq!(
        hangzhou(|region| region["tensorboards"][0]["workspace_id"] = json!("1")),
        "regions.cn-hangzhou.tensorboards[0].workspace_id: must name a workspace of the region"
    );
    assert_eq!(
        hangzhou(|region| region["tensorboards"][0]["modified"] = json!("2020-01-01T00:00:00Z")),
        "regions.cn-hangzhou.tensorboards[0]: must be created, started and modified in this order"
    );
    assert_eq!(
        hangzhou(|region| region["tensorboards"][2]["ended"] = json!({ "ByUser": "2020-01-01T00:00:00Z" })),
        "regions.cn-hangzhou.tensorboards[2].ended: must not be before it was started"
    );
    assert_eq!(
        hangzhou(|region| region["tensorboards"][0]["request"]["Uri"] = json!("oss://a/")),
        "regions.cn-hangzhou.tensorboards[0].request: JobId must not stand beside data sources."
    );
}

#[test]
fn ids_go_on_where_the_state_left_off_and_never_repeat() {
    let create =
        |world: &mut World| (world.new_workspace_id(), world.new_job_id(), world.new_tensorboard_id());
    let mut first = World::seeded(1);
    let made = create(&mut first);
    let mut resumed = World::parse(&text(&first)).unwrap();
    let more = create(&mut resumed);
    assert_eq!(more, create(&mut first));
    assert!(made.0 != more.0 && made.1 != more.1 && made.2 != more.2);
}

#[test]
fn an_id_that_is_taken_is_passed_over() {
    let mut world = World::seeded(1);
    let next = world.clone().new_job_id();
    world.region_mut("cn-hangzhou").unwrap().jobs[0].id = next.clone();
    assert_ne!(world.new_job_id(), next);
}
