use super::*;
use crate::sim::pyromind::testkit::{Cloud, failure, id, path_of};
use crate::sim::world::pyromind::GPU_QUOTA;

/// Three epochs of 10 s, a checkpoint after the second.
fn wish(name: &str) -> Value {
    json!({
        "name": name,
        "training_framework": "pytorch",
        "model_name": "ppo-lunar-lander-v2",
        "resource_config": {"gpu": 4, "cpu": 16, "memory": 64},
        "data_config": {"train_data_source": "s3://user-data/train", "data_format": "tfrecord"},
        "hyperparameters": {"learning_rate": 0.0003, "epochs": 3, "optimizer": "adam"},
        "output_config": {"output_bucket": "user-models", "output_path": "/ppo", "save_frequency": 2},
        "priority": 9,
        "max_run_time": "PT48H",
    })
}

/// The path of a new job with `change` over the usual.
fn submit(cloud: &Cloud, name: &str, change: Value, second: i64) -> String {
    let mut wish = wish(name);
    wish.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    let submitted = cloud.post("/training/jobs", &wish, second);
    assert_eq!(submitted["code"], 201, "{submitted}");
    format!("/training/jobs/{}", submitted["data"]["job_id"].as_str().unwrap())
}

fn act(cloud: &Cloud, path: &str, action: &str, second: i64) -> Value {
    cloud.post(&format!("{path}/{action}"), &Value::Null, second)
}

fn logs(cloud: &Cloud, path: &str, second: i64) -> Value {
    cloud.get(&format!("{path}?include_logs=true"), second)["data"]["logs"].clone()
}

fn names(answer: &Value) -> Vec<&str> {
    let rows = answer["data"]["jobs"].as_array().unwrap();
    rows.iter().map(|row| row["name"].as_str().unwrap()).collect()
}

/// R-PM-004, R-PM-005, R-PM-078, R-PM-085, R-PM-091, R-PM-092
#[test]
fn a_list_is_filtered_and_comes_in_pages() {
    let cloud = Cloud::new();
    let list = |query: &str| cloud.get(&format!("/training/jobs?{query}"), 0);
    let first = list("");
    assert_eq!((&first["data"]["total"], names(&first).len()), (&json!(26), 20));
    assert_eq!(names(&list("page=2")).len(), 6);
    let row = json!({
        "job_id": id(&path_of("lander-ppo")),
        "name": "lander-ppo",
        "status": "running",
        "progress": 58,
        "create_time": "2025-12-29T13:00:00Z",
    });
    assert_eq!(first["data"]["jobs"][0], row);
    assert_eq!(names(&list("status=paused")), ["atari-dqn", "cheetah-sac"]);
    assert_eq!(names(&list("status=paused&training_framework=tensorflow")), ["atari-dqn"]);
    assert_eq!(names(&list("status=canceled")), ["humanoid-abandoned"]);
    assert_eq!(names(&list("status=failed")), ["reacher-no-data", "pusher-overtime"]);
    assert_eq!(names(&list("status=pending")), ["impala-queue"]);
    assert_eq!(names(&list("start_time=2025-12-31T19:00:00Z")), ["impala-queue"]);
    let statuses = "invalid status value (allowed: pending/running/success/failed/canceled/paused)";
    for (query, message) in [
        ("status=completed", statuses),
        ("status=cancelled", statuses),
        ("training_framework=jax", "invalid training_framework value (allowed: pytorch/tensorflow/ray)"),
        ("start_time=2026-01-01", "start_time must be ISO 8601 time with offset"),
    ] {
        assert_eq!(list(query), failure(400, message), "{query}");
    }
}

/// R-PM-080, R-PM-084, R-PM-092, R-PM-093, R-PM-105
#[test]
fn a_new_job_trains_epoch_by_epoch() {
    let cloud = Cloud::new();
    let submitted = cloud.post("/training/jobs", &wish("job"), 0);
    let job_id = submitted["data"]["job_id"].as_str().unwrap();
    let expected = json!({
        "code": 201,
        "message": "training job submitted successfully",
        "data": {
            "job_id": job_id,
            "name": "job",
            "status": "pending",
            "create_time": "2026-01-01T00:00:00Z",
            "task_url": format!("https://pyromind.ai/training/jobs/{job_id}"),
        },
    });
    assert_eq!(submitted, expected);

    let path = format!("/training/jobs/{job_id}");
    let data = json!({
        "job_id": job_id,
        "name": "job",
        "status": "running",
        "progress": 33,
        "resource_usage": {"gpu_used": 2.0, "cpu_used": 8.0},
        "hyperparameters": {"learning_rate": 0.0003, "epochs": 3, "optimizer": "adam"},
        "metrics": {"train_loss": 0.545, "val_loss": 0.727, "reward_mean": 27.273},
        "logs": [
            "2026-01-01T00:00:05Z - Training started with pytorch",
            "2026-01-01T00:00:15Z - Epoch 1/3 train_loss=0.545 val_loss=0.727 reward_mean=27.273",
        ],
    });
    let expected =
        json!({"code": 200, "message": "training job details retrieved successfully", "data": data});
    assert_eq!(cloud.get(&format!("{path}?include_logs=true&include_metrics=true"), 15), expected);
    for (second, status, progress) in
        [(4, "pending", 0), (5, "running", 0), (34, "running", 66), (35, "success", 100)]
    {
        let shown = cloud.get(&path, second)["data"].clone();
        assert_eq!((&shown["status"], &shown["progress"]), (&json!(status), &json!(progress)), "{second}");
        assert_eq!((shown.get("logs"), shown.get("metrics")), (None, None));
    }
    assert_eq!(cloud.get(&format!("{path}?include_metrics=true"), 14)["data"]["metrics"], json!({}));
    let last = cloud.get(&format!("{path}?include_logs=true&log_lines=2"), 99)["data"]["logs"].clone();
    let expected = [
        "2026-01-01T00:00:35Z - Epoch 3/3 train_loss=0.461 val_loss=0.615 reward_mean=69.231",
        "2026-01-01T00:00:35Z - Training finished",
    ];
    assert_eq!(last, json!(expected));
    assert!(
        logs(&cloud, &path, 99)
            .as_array()
            .unwrap()
            .contains(&json!("2026-01-01T00:00:25Z - Checkpoint checkpoint-epoch-2 saved"))
    );
}

/// R-PM-089
#[test]
fn a_job_without_data_or_time_fails() {
    let cloud = Cloud::new();
    let lost = submit(&cloud, "lost", json!({"data_config": {"train_data_source": "s3://missing"}}), 0);
    assert_eq!((cloud.status(&lost, 14), cloud.status(&lost, 15)), (json!("running"), json!("failed")));
    let told = "2026-01-01T00:00:15Z - Training data not found: s3://missing";
    assert_eq!(logs(&cloud, &lost, 15)[1], told);
    let short = submit(&cloud, "short", json!({"max_run_time": "PT25S"}), 0);
    assert_eq!((cloud.status(&short, 29), cloud.status(&short, 30)), (json!("running"), json!("failed")));
    assert_eq!(cloud.get(&short, 99)["data"]["progress"], 66);
    let told = json!("2026-01-01T00:00:30Z - Maximum run time reached, training terminated");
    assert_eq!(logs(&cloud, &short, 99).as_array().unwrap().last(), Some(&told));
    assert_eq!(cloud.status(&path_of("impala-queue"), 99_999), "pending");
}

/// R-PM-084, R-PM-086, R-PM-088, R-PM-089
#[test]
fn a_submission_is_read_strictly() {
    let cloud = Cloud::new();
    let duration = "max_run_time must be ISO 8601 duration";
    let rate = "hyperparameters.learning_rate must be positive";
    let output = |frequency: i64| json!({"output_config": {"output_bucket": "b", "output_path": "/p", "save_frequency": frequency}});
    let cases = [
        (json!({"name": null}), "name is required"),
        (
            json!({"training_framework": "jax"}),
            "invalid training_framework value (allowed: pytorch/tensorflow/ray)",
        ),
        (json!({"data_config": null}), "data_config is required"),
        (json!({"data_config": {}}), "data_config.train_data_source is required"),
        (json!({"hyperparameters": null}), "hyperparameters is required"),
        (json!({"hyperparameters": {"learning_rate": 0}}), rate),
        (json!({"hyperparameters": {"learning_rate": "x"}}), rate),
        (json!({"hyperparameters": {"epochs": 0}}), "hyperparameters.epochs must be positive integer"),
        (json!({"hyperparameters": {"epochs": 100_001}}), "hyperparameters.epochs must be at most 100000"),
        (json!({"output_config": {"output_path": "/p"}}), "output_config.output_bucket is required"),
        (output(0), "output_config.save_frequency must be positive integer"),
        (json!({"log_config": {"log_path": 3}}), "log_config.log_path must be string"),
        (json!({"priority": 0}), "priority must be integer from 1 to 10"),
        (json!({"max_run_time": "48h"}), duration),
        (json!({"max_run_time": "PT0S"}), duration),
        (json!({"max_run_time": "P1M"}), duration),
    ];
    for (change, message) in cases {
        let mut wish = wish("job");
        wish.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        assert_eq!(cloud.post("/training/jobs", &wish, 0), failure(400, message), "{change}");
    }
}

/// R-PM-016, R-PM-076, R-PM-090
#[test]
fn a_submission_that_cannot_be_is_refused() {
    let cloud = Cloud::new();
    let post = |change: Value, second| {
        let mut wish = wish("job");
        wish.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        cloud.post("/training/jobs", &wish, second)
    };
    assert_eq!(post(json!({"name": "lander-ppo"}), 0), failure(409, "training job name already exists"));
    let denied = json!({"output_config": {"output_bucket": "acme-denied", "output_path": "/x"}});
    assert_eq!(post(denied, 0), failure(500, "failed to submit job: invalid output bucket permission"));
    let short = failure(500, "failed to submit job: insufficient GPU resources");
    let much = |gpu: u64| json!({"resource_config": {"cpu": 1, "memory": 1, "gpu": gpu}});
    assert_eq!(post(much(GPU_QUOTA), 0), short);
    assert_eq!(post(much(18), 0)["code"], 201);
    assert_eq!(post(json!({"name": "other"}), 34), short);
    // What has ended holds nothing.
    assert_eq!(post(json!({"name": "other"}), 35)["code"], 201);
}

/// R-PM-076, R-PM-094, R-PM-095
#[test]
fn a_deletion_takes_what_it_may() {
    let cloud = Cloud::new();
    let (running, locked) = (path_of("lander-ppo"), path_of("hopper-locked-logs"));
    let runs = failure(409, "training job is running, use force=true to delete");
    assert_eq!(cloud.delete(&running, 0), runs);
    let expected = json!({
        "code": 200,
        "message": "training job deleted successfully",
        "data": {
            "job_id": id(&running),
            "delete_time": "2026-01-01T00:00:01Z",
            "delete_output": false,
            "status_before_delete": "running",
        },
    });
    assert_eq!(cloud.delete(&format!("{running}?force=true&delete_logs=true"), 1), expected);
    let gone = failure(404, "training job not found");
    assert_eq!((cloud.get(&running, 1), cloud.delete(&running, 1)), (gone.clone(), gone));
    for (query, message) in [
        ("delete_logs=true", "failed to delete logs: bucket access denied"),
        ("delete_output=true", "failed to delete output: bucket access denied"),
    ] {
        assert_eq!(cloud.delete(&format!("{locked}?{query}"), 1), failure(500, message));
        assert_eq!(cloud.status(&locked, 1), "success");
    }
    assert_eq!(cloud.delete(&locked, 2)["code"], 200);
    let paused = cloud.delete(&path_of("atari-dqn"), 2);
    assert_eq!(paused["data"]["status_before_delete"], "paused");
}

/// R-PM-097, R-PM-098, R-PM-099, R-PM-100, R-PM-103
#[test]
fn a_pause_keeps_what_its_checkpoint_has() {
    let cloud = Cloud::new();
    let job = submit(&cloud, "job", json!({}), 0);
    assert_eq!(act(&cloud, &job, "pause", 4), failure(400, "cannot pause job in 'pending' status"));
    let expected = json!({
        "code": 200,
        "message": "training job paused successfully",
        "data": {
            "job_id": id(&job),
            "status": "paused",
            "pause_time": "2026-01-01T00:00:17Z",
            "checkpoint_name": "pause-checkpoint-epoch-1",
            "current_epoch": 1,
        },
    });
    assert_eq!(act(&cloud, &job, "pause", 17), expected);
    assert_eq!(act(&cloud, &job, "pause", 18), failure(400, "cannot pause job in 'paused' status"));
    let shown = cloud.get(&job, 999)["data"].clone();
    assert_eq!((&shown["status"], &shown["progress"]), (&json!("paused"), &json!(33)));
    assert_eq!(shown["resource_usage"], json!({"gpu_used": 0.0, "cpu_used": 0.0}));

    let absent = failure(404, "training job or checkpoint not found");
    assert_eq!(act(&cloud, &job, "resume?resume_from_checkpoint=checkpoint-epoch-2", 1000), absent);
    assert_eq!(act(&cloud, "/training/jobs/train_1", "resume", 1000), absent);
    let expected = json!({
        "code": 200,
        "message": "training job resumed successfully",
        "data": {
            "job_id": id(&job),
            "status": "running",
            "resume_time": "2026-01-01T00:16:40Z",
            "resumed_from_checkpoint": "pause-checkpoint-epoch-1",
            "current_learning_rate": 0.0003,
            "estimated_finish_time": "2026-01-01T00:17:00Z",
        },
    });
    assert_eq!(act(&cloud, &job, "resume", 1000), expected);
    assert_eq!(act(&cloud, &job, "resume", 1001), failure(400, "cannot resume running job"));
    assert_eq!((cloud.status(&job, 1019), cloud.status(&job, 1020)), (json!("running"), json!("success")));
    assert_eq!(act(&cloud, &job, "pause", 1020), failure(400, "cannot pause job in 'completed' status"));
    assert_eq!(act(&cloud, &job, "resume", 1020), failure(400, "cannot resume job in 'completed' status"));
    let lines = logs(&cloud, &job, 1020);
    for line in [
        "2026-01-01T00:00:17Z - Checkpoint pause-checkpoint-epoch-1 saved",
        "2026-01-01T00:00:17Z - Training paused",
        "2026-01-01T00:16:40Z - Training resumed from pause-checkpoint-epoch-1",
        "2026-01-01T00:16:50Z - Epoch 2/3 train_loss=0.500 val_loss=0.666 reward_mean=50.000",
    ] {
        assert!(lines.as_array().unwrap().contains(&json!(line)), "{line} in {lines}");
    }
}

/// R-PM-098: without a checkpoint, what was done since the last one is lost.
#[test]
fn a_pause_without_a_checkpoint_loses_work() {
    let cloud = Cloud::new();
    let job = submit(&cloud, "job", json!({}), 0);
    let paused = act(&cloud, &job, "pause?save_checkpoint=false&checkpoint_name=x", 17);
    assert_eq!(
        (&paused["data"]["checkpoint_name"], &paused["data"]["current_epoch"]),
        (&json!(null), &json!(1))
    );
    let resumed = act(&cloud, &job, "resume", 100);
    assert_eq!(resumed["data"]["resumed_from_checkpoint"], json!(null));
    assert_eq!(cloud.get(&job, 109)["data"]["progress"], 0);
    assert_eq!(act(&cloud, &job, "pause?save_checkpoint=false", 125)["data"]["current_epoch"], 2);
    let resumed = act(&cloud, &job, "resume", 200);
    assert_eq!(resumed["data"]["resumed_from_checkpoint"], "checkpoint-epoch-2");
    let named = act(&cloud, &job, "pause?checkpoint_name=mine", 205);
    assert_eq!(named["data"]["checkpoint_name"], "mine");
    let resumed = act(&cloud, &job, "resume?resume_from_checkpoint=checkpoint-epoch-2", 206);
    assert_eq!(resumed["data"]["resumed_from_checkpoint"], "checkpoint-epoch-2");
}

/// R-PM-089: the time of pauses isn't the job's.
#[test]
fn pauses_do_not_use_up_the_time() {
    let cloud = Cloud::new();
    let job = submit(&cloud, "job", json!({"max_run_time": "PT32S"}), 0);
    act(&cloud, &job, "pause", 15);
    let resumed = act(&cloud, &job, "resume", 1000);
    assert_eq!(resumed["data"]["estimated_finish_time"], "2026-01-01T00:17:00Z");
    act(&cloud, &job, "pause?save_checkpoint=false", 1009);
    // 19 of 32 seconds are used, and two epochs of 10 s are left.
    act(&cloud, &job, "resume", 2000);
    assert_eq!((cloud.status(&job, 2012), cloud.status(&job, 2013)), (json!("running"), json!("failed")));
}

/// R-PM-101, R-PM-102
#[test]
fn a_resume_sets_the_learning_rate_only_when_told() {
    let cloud = Cloud::new();
    let job = submit(&cloud, "job", json!({}), 0);
    let mut second = 10;
    let mut rate = |query: &str| {
        act(&cloud, &job, "pause", second);
        let resumed = act(&cloud, &job, &format!("resume?{query}"), second);
        second += 1;
        resumed["data"]["current_learning_rate"].clone()
    };
    assert_eq!(rate("reset_learning_rate=true&new_learning_rate=0.0002"), json!(0.0002));
    assert_eq!(rate(""), json!(0.0002));
    assert_eq!(rate("reset_learning_rate=true"), json!(0.0003));
    act(&cloud, &job, "pause", 20);
    let idle = failure(400, "new_learning_rate requires reset_learning_rate=true");
    assert_eq!(act(&cloud, &job, "resume?new_learning_rate=0.1", 20), idle);
    for wrong in ["0", "-1", "NaN", "inf", "x"] {
        let query = format!("resume?reset_learning_rate=true&new_learning_rate={wrong}");
        assert_eq!(act(&cloud, &job, &query, 20), failure(400, "new_learning_rate must be positive"));
    }
}

/// R-PM-058, R-PM-104, R-PM-016
#[test]
fn checkpoints_and_resources_can_fail() {
    let cloud = Cloud::new();
    let full = path_of("walker-full-disk");
    let unsaved = failure(500, "failed to save checkpoint: storage write error");
    assert_eq!(act(&cloud, &full, "pause", 0), unsaved);
    assert_eq!(cloud.status(&full, 0), "running");
    assert_eq!(act(&cloud, &full, "pause?save_checkpoint=false", 0)["data"]["status"], "paused");
    let broken = path_of("cheetah-sac");
    let corrupted = failure(500, "failed to load checkpoint: corrupted file");
    assert_eq!(act(&cloud, &broken, "resume", 0), corrupted);
    assert_eq!(cloud.status(&broken, 0), "paused");
    let older = act(&cloud, &broken, "resume?resume_from_checkpoint=checkpoint-epoch-20", 0);
    assert_eq!(older["data"]["resumed_from_checkpoint"], "checkpoint-epoch-20");
    submit(&cloud, "job", json!({"resource_config": {"cpu": 1, "memory": 1, "gpu": 14}}), 0);
    let short = failure(500, "failed to resume job: insufficient GPU resources");
    assert_eq!(act(&cloud, &path_of("atari-dqn"), "resume", 0), short);
    assert_eq!(act(&cloud, &path_of("atari-dqn"), "resume", 35)["code"], 200);
    let canceled = failure(400, "cannot resume job in 'canceled' status");
    assert_eq!(act(&cloud, &path_of("humanoid-abandoned"), "resume", 0), canceled);
}

#[test]
fn the_hostile_log_ends_in_an_attack() {
    let cloud = Cloud::new();
    let lines = logs(&cloud, &path_of("ant-distill"), 0);
    let lines = lines.as_array().unwrap();
    assert_eq!(lines.len(), 1 + 20 + 2 + 1 + hostile::log().len());
    assert_eq!(lines.last().unwrap().as_str(), hostile::log().last().map(String::as_str));
}
