//! Job templates: what a template brings is judged as if it had been given.

use serde_json::{Value, json};

use crate::harness::human::{Human, Says};
use crate::harness::world::{
    CREATE_JOB, CREATE_TEMPLATE, DETECTOR, DETECTOR_EVAL, GET_JOB, GET_TEMPLATE, LEGACY_TEMPLATE,
    LIST_IMAGES, LIST_TEMPLATES, LIST_WORKSPACES, PYTORCH, REGION, SET_DEFAULT_VERSION, SWEEP_TEMPLATE,
    TRAIN_TEMPLATE, UPDATE_TEMPLATE, VISION, VISION_EVAL, here, images_of, job, job_from, job_id,
    template_id,
};
use crate::harness::{ERAS, Era, Home, Session, paths};

const UNLISTED: &str = "evil.example/miner:latest";

/// A server whose operator approved what templates need, and that listed workspaces, templates, and images.
async fn listed() -> Session {
    let flags = ["--region", REGION, "--approve", "create", "--approve", "update"];
    let session = Session::start(Home::new(), Era::Initialize, &flags, Human::absent()).await;
    list(&session).await;
    session
}

async fn list(session: &Session) {
    session.call(LIST_WORKSPACES, here()).await.unwrap();
    session.call(LIST_IMAGES, here()).await.unwrap();
    session.call(LIST_IMAGES, images_of(VISION)).await.unwrap();
    session.call(LIST_TEMPLATES, images_of(VISION)).await.unwrap();
}

fn content(image: &str) -> Value {
    json!({
        "JobType": "PyTorchJob",
        "JobSpecs": [{ "Type": "Worker", "PodCount": 1, "Image": image, "EcsSpec": "ecs.gn6i-c4g1.xlarge" }],
        "UserCommand": "sleep 30",
    })
}

fn template(content: Value) -> Value {
    json!({ "RegionId": REGION, "WorkspaceId": VISION, "TemplateName": "mine", "Content": content })
}

fn new_version(id: &str, content: Value) -> Value {
    json!({ "RegionId": REGION, "TemplateId": id, "Content": content, "Constraints": {} })
}

/// How often something was written.
fn writes(session: &Session) -> usize {
    let actions = ["CreateJob", "CreateJobTemplate", "UpdateJobTemplate", "SetJobTemplateDefaultVersion"];
    actions.iter().map(|action| session.home.count(action)).sum()
}

/// R-DLC-64, R-DLC-74, R-DLC-77, R-DLC-78, R-DLC-80, R-DLC-81: the life of a template, from its making to a job.
#[tokio::test]
async fn a_template_is_made_changed_and_used() {
    for era in ERAS {
        let session = Session::start(Home::new(), era, &[], Human::agreeable()).await;
        list(&session).await;
        session.human.asked();
        let mut arguments = template(json!(content(DETECTOR).to_string()));
        arguments["Constraints"] = json!({ "JobSpecs[0].Image": "locked", "UserCommand": "overridable" });
        let created = session.call(CREATE_TEMPLATE, arguments).await.unwrap();
        let id = created["TemplateId"].as_str().unwrap();
        assert_eq!((&created["Version"], &created["DefaultVersion"]), (&json!(1), &json!(1)));
        let question = &session.human.asked()[0].message;
        assert!(question.contains(&format!("- Content.JobSpecs[0].Image: \"{DETECTOR}\"\n")), "{question}");

        let mut update = new_version(id, json!(content(PYTORCH).to_string()));
        update["SetAsDefault"] = json!(false);
        let updated = session.call(UPDATE_TEMPLATE, update).await.unwrap();
        assert_eq!((&updated["VersionCreated"], &updated["Version"]), (&json!(true), &json!(2)));
        let mut rename = template_id(id);
        rename["TemplateName"] = json!("renamed");
        assert_eq!(session.call(UPDATE_TEMPLATE, rename).await.unwrap()["VersionCreated"], false);

        let mut all = template_id(id);
        all["Version"] = json!("all");
        let shown = session.call(GET_TEMPLATE, all).await.unwrap();
        let versions = shown["Versions"].as_array().unwrap();
        assert_eq!((versions.len(), &shown["TemplateName"]), (2, &json!("renamed")));
        let stored: Value = serde_json::from_str(versions[0]["Content"].as_str().unwrap()).unwrap();
        assert_eq!(stored["JobSpecs"][0]["Image"], PYTORCH);

        session.human.asked();
        let made = session.call(CREATE_JOB, job_from(id)).await.unwrap();
        let question = &session.human.asked()[0].message;
        for line in [
            format!("- JobSpecs[0].Image: \"{DETECTOR}\"\n"),
            "- UserCommand: \"sleep 30\"\n".to_owned(),
            "- TemplateVersion: 1\n".to_owned(),
        ] {
            assert!(question.contains(&line), "{line} in {question}");
        }
        let made = session.call(GET_JOB, job_id(made["JobId"].as_str().unwrap())).await.unwrap();
        assert_eq!(
            (&made["JobSpecs"][0]["Image"], &made["UserCommand"]),
            (&json!(DETECTOR), &json!("sleep 30"))
        );

        let mut set = template_id(id);
        set["Version"] = json!(2);
        assert_eq!(session.call(SET_DEFAULT_VERSION, set).await.unwrap()["DefaultVersion"], 2);
        let mut other = job_from(id);
        other["DisplayName"] = json!("other");
        let made = session.call(CREATE_JOB, other).await.unwrap();
        let made = session.call(GET_JOB, job_id(made["JobId"].as_str().unwrap())).await.unwrap();
        assert_eq!(made["JobSpecs"][0]["Image"], PYTORCH);
        let record = session.home.record();
        let sent: Vec<&Value> = record
            .iter()
            .filter(|line| line["tool"] == CREATE_JOB && line["phase"] == "decision")
            .map(|line| &line["arguments"]["TemplateVersion"])
            .collect();
        assert_eq!(sent, [&json!(1), &json!(2)], "the record names what was sent");
    }
}

/// R-DLC-24, R-DLC-64, R-DLC-76: no form of content brings an image that nothing listed, and nothing is written.
#[tokio::test]
async fn no_content_launders_an_image() {
    let session = listed().await;
    let before = writes(&session);
    let container = json!([{ "Name": "extra", "Image": UNLISTED }]);
    let with = |at: &str, value: Value| {
        let mut content = content(DETECTOR);
        content.pointer_mut(at).unwrap().as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
        content
    };
    let mut second = content(DETECTOR);
    second["JobSpecs"].as_array_mut().unwrap().push(content(UNLISTED)["JobSpecs"][0].clone());
    for (path, content) in [
        ("JobSpecs[0].Image", content(UNLISTED)),
        ("JobSpecs[0].Image", content(&format!("{DETECTOR} "))),
        ("JobSpecs[0].Image", content(DETECTOR_EVAL)),
        ("JobSpecs[1].Image", second),
        (
            "JobSpecs[0].ExtraPodSpec.InitContainers[0].Image",
            with("/JobSpecs/0", json!({ "ExtraPodSpec": { "InitContainers": container } })),
        ),
        (
            "JobSpecs[0].ExtraPodSpec.SideCarContainers[0].Image",
            with("/JobSpecs/0", json!({ "ExtraPodSpec": { "SideCarContainers": container } })),
        ),
        (
            "ElasticSpec.AIMasterDockerImage",
            with("", json!({ "ElasticSpec": { "AIMasterDockerImage": UNLISTED } })),
        ),
        (
            "JobSpecs[0].ImageConfig.DockerRegistry",
            with("/JobSpecs/0", json!({ "ImageConfig": { "DockerRegistry": "evil.example" } })),
        ),
        (
            "Settings.AdvancedSettings",
            with("", json!({ "Settings": { "AdvancedSettings": { "Image": UNLISTED } } })),
        ),
        ("TemplateId", with("", json!({ "TemplateId": LEGACY_TEMPLATE }))),
        ("CodeSource.CodeSourceId", with("", json!({ "CodeSource": { "CodeSourceId": "code1" } }))),
        ("DataSources[0].DataSourceId", with("", json!({ "DataSources": [{ "DataSourceId": "d1" }] }))),
    ] {
        let path = format!("Content.{path}");
        for content in [json!(content.to_string()), content] {
            let refusal = session.call(CREATE_TEMPLATE, template(content.clone())).await.expect_err(&path);
            assert_eq!(paths(&refusal), [path.as_str()]);
            let refusal =
                session.call(UPDATE_TEMPLATE, new_version(TRAIN_TEMPLATE, content)).await.expect_err(&path);
            assert_eq!(paths(&refusal), [path.as_str()]);
        }
    }
    let image = content(DETECTOR).to_string();
    let escaped = image.replace(DETECTOR, "evil.example\\u002fminer:latest");
    assert_eq!(
        paths(&session.refused("image-from-list", CREATE_TEMPLATE, template(json!(escaped))).await),
        ["Content.JobSpecs[0].Image"]
    );
    let twice = image.replace("\"Image\":", &format!("\"Image\":\"{UNLISTED}\",\"Im\\u0061ge\":"));
    assert_eq!(
        paths(&session.refused("arguments", CREATE_TEMPLATE, template(json!(twice))).await),
        ["Content"]
    );
    assert_eq!(writes(&session), before);
    session.call(CREATE_TEMPLATE, template(json!(image))).await.unwrap();
    session.call(UPDATE_TEMPLATE, new_version(TRAIN_TEMPLATE, json!(image))).await.unwrap();
    assert_eq!(writes(&session), before + 2);
}

/// R-DLC-24, R-DLC-81: no job is made from a template that stores what nothing listed, whichever version it is.
#[tokio::test]
async fn no_template_launders_an_image() {
    let session = listed().await;
    let brings = "registry-vpc.cn-hangzhou.aliyuncs.com/vision-team/detector:2023.02";
    let versioned = |version: i64| {
        let mut job = job_from(TRAIN_TEMPLATE);
        job["TemplateVersion"] = json!(version);
        job
    };
    let mut over = job_from(LEGACY_TEMPLATE);
    over["JobSpecs"] = json!([{ "Image": DETECTOR }]);
    for arguments in [job_from(LEGACY_TEMPLATE), over, versioned(1)] {
        let refusal = session.refused("image-from-list", CREATE_JOB, arguments).await;
        assert_eq!(paths(&refusal), ["JobSpecs[0].Image"]);
        assert!(refusal["violations"][0]["message"].as_str().unwrap().ends_with("the template brings it"));
        assert!(!refusal.to_string().contains(brings), "{refusal}");
    }
    // Reading a template, or having it made the default, makes no image known.
    let mut all = template_id(TRAIN_TEMPLATE);
    all["Version"] = json!("all");
    session.call(GET_TEMPLATE, all).await.unwrap();
    session.refused("image-from-list", CREATE_JOB, job(VISION, brings)).await;
    let mut set = template_id(TRAIN_TEMPLATE);
    set["Version"] = json!(1);
    session.call(SET_DEFAULT_VERSION, set).await.unwrap();
    session.refused("image-from-list", CREATE_JOB, job_from(TRAIN_TEMPLATE)).await;
    assert_eq!(session.home.count("CreateJob"), 0);
    session.call(CREATE_JOB, versioned(2)).await.unwrap();
}

/// R-DLC-24: an image is listed in the workspace of the job, wherever the template belongs.
#[tokio::test]
async fn a_template_brings_no_image_into_another_workspace() {
    let session = listed().await;
    let mut elsewhere = job_from(TRAIN_TEMPLATE);
    elsewhere["WorkspaceId"] = json!(VISION_EVAL);
    session.refused("image-from-list", CREATE_JOB, elsewhere).await;
    assert_eq!(session.home.count("CreateJob"), 0);
}

/// R-DLC-70, R-DLC-71, R-DLC-72: locked, overridable and required, before anything is sent.
#[tokio::test]
async fn constraints_bind_before_anything_is_sent() {
    let session = listed().await;
    let mut locked = job_from(TRAIN_TEMPLATE);
    locked["JobSpecs"] = json!([{ "Image": PYTORCH }]);
    let refusal = session.refused("template-judged", CREATE_JOB, locked.clone()).await;
    assert_eq!(paths(&refusal), ["JobSpecs[0].Image"]);
    let refusal = session.refused("template-judged", CREATE_JOB, job_from(SWEEP_TEMPLATE)).await;
    assert_eq!(paths(&refusal), ["JobSpecs[0].PodCount", "UserCommand"]);
    let mut unknown = job_from(TRAIN_TEMPLATE);
    unknown["TemplateVersion"] = json!(9);
    let refusal = session.refused("cloud-not-found", CREATE_JOB, unknown).await;
    assert_eq!(paths(&refusal), ["TemplateVersion"]);
    assert_eq!(session.home.count("CreateJob"), 0);

    locked["JobSpecs"] = json!([{ "Image": DETECTOR, "PodCount": 2 }]);
    locked["UserCommand"] = json!("sleep 1");
    let made = session.call(CREATE_JOB, locked).await.unwrap();
    let made = session.call(GET_JOB, job_id(made["JobId"].as_str().unwrap())).await.unwrap();
    assert_eq!((&made["UserCommand"], &made["JobSpecs"][0]["PodCount"]), (&json!("sleep 1"), &json!(2)));
    let mut whole = job_from(SWEEP_TEMPLATE);
    whole["UserCommand"] = json!("sleep 1");
    whole["JobSpecs"] = json!([{ "PodCount": 3 }]);
    session.call(CREATE_JOB, whole).await.unwrap();
}

/// R-DLC-61, R-DLC-86: a template is listed, got or made before it is changed or used; what is denied stays so.
#[tokio::test]
async fn a_guessed_template_is_refused() {
    let flags = ["--region", REGION, "--approve", "create", "--approve", "update"];
    let session = Session::start(Home::new(), Era::Initialize, &flags, Human::absent()).await;
    session.call(LIST_WORKSPACES, here()).await.unwrap();
    session.call(LIST_IMAGES, images_of(VISION)).await.unwrap();
    let mut describe = template_id(TRAIN_TEMPLATE);
    describe["Description"] = json!("mine now");
    let mut set = template_id(TRAIN_TEMPLATE);
    set["Version"] = json!(1);
    for (tool, arguments) in [
        (UPDATE_TEMPLATE, describe.clone()),
        (SET_DEFAULT_VERSION, set),
        (CREATE_JOB, job_from(TRAIN_TEMPLATE)),
    ] {
        let refusal = session.refused("template-from-list", tool, arguments).await;
        assert_eq!(paths(&refusal), ["TemplateId"]);
    }
    assert_eq!(writes(&session), 0);
    session.refused("cloud-not-found", GET_TEMPLATE, template_id("tpl-none")).await;
    session.call(GET_TEMPLATE, template_id(TRAIN_TEMPLATE)).await.unwrap();
    session.call(UPDATE_TEMPLATE, describe).await.unwrap();
}

/// R-WS-04, R-WS-14: credentials are refused in content too; other secrets are stored and shown to nobody.
#[tokio::test]
async fn secrets_in_content_stay_secret() {
    let session = Session::start(Home::new(), Era::Initialize, &[], Human::agreeable()).await;
    list(&session).await;
    session.human.asked();
    let mut stored = content(DETECTOR);
    stored["Envs"] = json!({ "ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAI5tCanaryCanaryCanary" });
    let refusal = session
        .refused("no-credentials-in-arguments", CREATE_TEMPLATE, template(json!(stored.to_string())))
        .await;
    assert_eq!(paths(&refusal), ["Content.Envs.ALIBABA_CLOUD_ACCESS_KEY_ID"]);
    assert_eq!((writes(&session), session.human.asked().len()), (0, 0));

    let secrets = ["value-one-83kd02mz91", "value-two-51xk77pq20", "value-three-9dh2ns8c"];
    stored["Envs"] = json!({ "WANDB_API_KEY": secrets[0] });
    stored["CustomEnvs"] = json!([{ "Key": "HF_TOKEN", "Value": secrets[1], "Visible": "false" }]);
    stored["JobSpecs"][0]["ImageConfig"] = json!({ "Username": "puller-canary", "Password": secrets[2] });
    let created = session.call(CREATE_TEMPLATE, template(json!(stored.to_string()))).await.unwrap();
    let id = created["TemplateId"].as_str().unwrap();
    let shown = session.call(GET_TEMPLATE, template_id(id)).await.unwrap();
    let inside: Value = serde_json::from_str(shown["Versions"][0]["Content"].as_str().unwrap()).unwrap();
    assert_eq!(inside["Envs"], json!({ "WANDB_API_KEY": "****" }));
    session.call(CREATE_JOB, job_from(id)).await.unwrap();
    let questions: Vec<String> = session.human.asked().into_iter().map(|asked| asked.message).collect();
    assert_eq!(questions.len(), 2);
    assert!(questions.iter().all(|question| question.contains("Envs.WANDB_API_KEY: \"****\"")));
    let record = std::fs::read_to_string(session.home.record_file()).unwrap();
    for secret in secrets.into_iter().chain(["puller-canary", "LTAI5tCanary"]) {
        for (place, text) in
            [("reply", &shown.to_string()), ("question", &questions.concat()), ("record", &record)]
        {
            assert!(!text.contains(secret), "{secret} in the {place}");
        }
    }
}

/// A no to what a template brings is a no, and nothing is sent.
#[tokio::test]
async fn a_no_to_a_job_from_a_template_counts() {
    for era in ERAS {
        let session = Session::start(Home::new(), era, &[], Human::agreeable()).await;
        list(&session).await;
        session.human.says([Says::Declines]);
        session.refused("arguments-confirmed", CREATE_JOB, job_from(TRAIN_TEMPLATE)).await;
        session.human.says([Says::Accepts(json!({ "approve": false }))]);
        session.refused("arguments-confirmed", CREATE_JOB, job_from(TRAIN_TEMPLATE)).await;
        assert_eq!(session.home.count("CreateJob"), 0);
    }
}
