//! Attacks 1 to 5: images that nobody listed.

use serde_json::{Value, json};

use super::{Arena, GENEROUS, UNLISTED};
use crate::harness::human::Human;
use crate::harness::world::{
    CREATE_JOB, CREATE_TEMPLATE, DETECTOR, DETECTOR_EVAL, LEGACY_TEMPLATE, LIST_IMAGES, PAYROLL, PYTORCH,
    REGION, SET_DEFAULT_VERSION, TRAIN_TEMPLATE, UPDATE_TEMPLATE, VISION, VISION_EVAL, images_of, job,
    job_from, template_id,
};
use crate::harness::{ERAS, paths};

const RULE: &str = "image-from-list";

/// R-DLC-24, R-DLC-28: attack 1: a guess, nothing listed: refused before the cloud hears of it.
#[tokio::test]
async fn a_guessed_image() {
    for era in ERAS {
        let arena = Arena::new(era, &GENEROUS, Human::agreeable()).await;
        for image in [UNLISTED, PYTORCH, DETECTOR, "pytorch:latest"] {
            let refusal = arena.crossed_nothing(RULE, CREATE_JOB, job(VISION, image)).await;
            assert_eq!(paths(&refusal), ["JobSpecs[0].Image", "WorkspaceId"]);
        }
        assert_eq!(arena.session.home.calls(), Vec::<String>::new());
        assert_eq!(arena.session.human.asked(), []);
    }
}

/// A job whose main image is listed and that has something more.
fn with(at: &str, value: Value) -> Value {
    let mut arguments = job(VISION, DETECTOR);
    let place = arguments.pointer_mut(at).unwrap().as_object_mut().unwrap();
    place.extend(value.as_object().unwrap().clone());
    arguments
}

/// R-DLC-24: attack 2: the main image is listed, the one beside it isn't.
#[tokio::test]
async fn an_unlisted_image_beside_a_listed_one() {
    let arena = Arena::listed(&[]).await;
    let container = json!([{ "Name": "fine", "Image": DETECTOR }, { "Name": "extra", "Image": UNLISTED }]);
    for (path, at, value) in [
        (
            "JobSpecs[0].ExtraPodSpec.InitContainers[1].Image",
            "/JobSpecs/0",
            json!({ "ExtraPodSpec": { "InitContainers": container } }),
        ),
        (
            "JobSpecs[0].ExtraPodSpec.SideCarContainers[1].Image",
            "/JobSpecs/0",
            json!({ "ExtraPodSpec": { "SideCarContainers": container } }),
        ),
        (
            "ElasticSpec.AIMasterDockerImage",
            "",
            json!({ "ElasticSpec": { "AIMasterDockerImage": UNLISTED } }),
        ),
    ] {
        let refusal = arena.crossed_nothing(RULE, CREATE_JOB, with(at, value)).await;
        assert_eq!(paths(&refusal), [path]);
    }
    let mut second = job(VISION, DETECTOR);
    let role = job(VISION, UNLISTED)["JobSpecs"][0].clone();
    second["JobSpecs"].as_array_mut().unwrap().push(role);
    let refusal = arena.crossed_nothing(RULE, CREATE_JOB, second).await;
    assert_eq!(paths(&refusal), ["JobSpecs[1].Image"]);
    arena.session.call(CREATE_JOB, job(VISION, DETECTOR)).await.unwrap();
    assert_eq!(arena.seen().writes, ["CreateJob"]);
}

/// R-DLC-24, R-DLC-76, R-DLC-81: attack 3: laundering by a template, whether it is being written or is there already.
#[tokio::test]
async fn an_unlisted_image_inside_a_template() {
    let arena = Arena::listed(&[]).await;
    let content = |image: &str| {
        let whole = job(VISION, image);
        json!({ "JobType": whole["JobType"], "JobSpecs": whole["JobSpecs"], "UserCommand": whole["UserCommand"] })
    };
    let hidden = content(DETECTOR).to_string().replace(DETECTOR, "evil.example\\u002fminer:latest");
    for content in [json!(content(UNLISTED).to_string()), content(UNLISTED), json!(hidden)] {
        let create =
            json!({ "RegionId": REGION, "WorkspaceId": VISION, "TemplateName": "mine", "Content": content });
        let refusal = arena.crossed_nothing(RULE, CREATE_TEMPLATE, create).await;
        assert_eq!(paths(&refusal), ["Content.JobSpecs[0].Image"]);
        let mut update = template_id(TRAIN_TEMPLATE);
        update["Content"] = content;
        update["Constraints"] = json!({});
        let refusal = arena.crossed_nothing(RULE, UPDATE_TEMPLATE, update).await;
        assert_eq!(paths(&refusal), ["Content.JobSpecs[0].Image"]);
    }
    // What others stored is no better: the template's image itself, an old version, a merge that hides it.
    let mut old = job_from(TRAIN_TEMPLATE);
    old["TemplateVersion"] = json!(1);
    let mut merged = job_from(LEGACY_TEMPLATE);
    merged["JobSpecs"] = json!([{ "Image": DETECTOR }]);
    for arguments in [job_from(LEGACY_TEMPLATE), old, merged] {
        let refusal = arena.crossed_nothing(RULE, CREATE_JOB, arguments).await;
        assert_eq!(paths(&refusal), ["JobSpecs[0].Image"]);
    }
    // To make an old version the default launders nothing either.
    let mut set = template_id(TRAIN_TEMPLATE);
    set["Version"] = json!(1);
    arena.session.call(SET_DEFAULT_VERSION, set).await.unwrap();
    arena.crossed_nothing(RULE, CREATE_JOB, job_from(TRAIN_TEMPLATE)).await;
}

/// R-DLC-24: attack 4: listed in one region or workspace and used in another, listed by a list that failed or found
/// nothing, and listed too long ago.
#[tokio::test]
async fn an_image_listed_elsewhere_or_long_ago() {
    let arena = Arena::listed(&["--region", "cn-shanghai"]).await;
    let mut elsewhere = job(VISION, DETECTOR);
    elsewhere["RegionId"] = json!("cn-shanghai");
    arena.crossed_nothing(RULE, CREATE_JOB, elsewhere).await;
    arena.crossed_nothing(RULE, CREATE_JOB, job(VISION_EVAL, DETECTOR)).await;
    arena.session.call(LIST_IMAGES, images_of(VISION_EVAL)).await.unwrap();
    arena.crossed_nothing(RULE, CREATE_JOB, job(VISION, DETECTOR_EVAL)).await;
    arena.session.refused("cloud-permission", LIST_IMAGES, images_of(PAYROLL)).await;
    arena.crossed_nothing(RULE, CREATE_JOB, job(PAYROLL, DETECTOR)).await;
    let mut asked = images_of(VISION);
    asked["ImageUri"] = json!(UNLISTED);
    assert_eq!(arena.session.call(LIST_IMAGES, asked).await.unwrap()["Images"], json!([]));
    arena.crossed_nothing(RULE, CREATE_JOB, job(VISION, UNLISTED)).await;

    // Nine hours a step: after three more, what a list taught is forgotten.
    let arena = Arena::listed(&["--clock-step", "9h"]).await;
    let refusal = arena.crossed_nothing(RULE, CREATE_JOB, job(VISION, PYTORCH)).await;
    assert_eq!(paths(&refusal), ["JobSpecs[0].Image", "WorkspaceId"]);
    arena.list().await;
    arena.crossed_nothing(RULE, CREATE_JOB, job(VISION, PYTORCH)).await;
}

/// R-DLC-24: attack 5: what looks like a listed address, to people or to programs that tidy up.
#[tokio::test]
async fn an_address_that_looks_like_a_listed_one() {
    let arena = Arena::listed(&[]).await;
    let digest = format!("{}@sha256:{}", DETECTOR.trim_end_matches(":2025.11"), "0".repeat(64));
    for image in [
        format!("{DETECTOR} "),
        format!("\t{DETECTOR}"),
        format!("{DETECTOR}\u{200b}"),
        DETECTOR.to_uppercase(),
        DETECTOR.replace("detector", "detect\u{43e}r"),
        DETECTOR.replace(":2025.11", ":latest"),
        DETECTOR.replace(":2025.11", ""),
        digest,
        format!("{DETECTOR}@evil.example"),
        format!("registry-vpc.cn-hangzhou.aliyuncs.com@{UNLISTED}"),
        format!("evil.example/{DETECTOR}"),
        DETECTOR.replace('/', "%2F"),
        DETECTOR.replace("vision-team/", "vision-team/../evil/"),
        format!("docker://{DETECTOR}"),
    ] {
        let refusal = arena.crossed_nothing(RULE, CREATE_JOB, job(VISION, &image)).await;
        assert_eq!(paths(&refusal), ["JobSpecs[0].Image"], "{image:?}");
    }
    arena.session.call(CREATE_JOB, job(VISION, DETECTOR)).await.unwrap();
}
