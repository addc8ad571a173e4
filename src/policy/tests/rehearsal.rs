//! What a rehearsal tells: everything that a call would wait for, whatever would decide first.

use super::*;
use crate::policy::verdict::Rehearsal;

fn needs(rehearsal: &Rehearsal) -> Vec<Value> {
    rehearsal.wants.iter().map(|read| json!([read.tool().name(), read.arguments()])).collect()
}

fn asked(rehearsal: &Rehearsal) -> Vec<&str> {
    rehearsal.questions.iter().map(Question::rule).collect()
}

#[test]
fn a_rehearsal_tells_every_read_and_every_question() {
    let verifying = Policy::compiled(Settings { on_miss: OnMiss::Verify, ..settings() }).unwrap();
    let mut arguments = job();
    arguments["JobSpecs"].as_array_mut().unwrap().push(job()["JobSpecs"][0].clone());
    let rehearsal = verifying.rehearse(&call("dlc_create_job", &arguments), now());
    assert_eq!((rehearsal.verdict, rehearsal.refusal.as_ref()), ("confirm", None));
    assert_eq!(asked(&rehearsal), ["region-confirmed", "arguments-confirmed"]);
    let region = "cn-hangzhou";
    let image = "registry/pytorch:2.3";
    assert_eq!(
        needs(&rehearsal),
        [
            json!(["aiworkspace_list_products", { "RegionId": region, "ProductCodes": "PAI_share", "Verbose": true }]),
            json!(["aiworkspace_list_images", { "RegionId": region, "WorkspaceId": "1001", "ImageUri": image }]),
            json!(["aiworkspace_list_images", { "RegionId": region, "ImageUri": image }]),
            json!(["aiworkspace_get_workspace", { "RegionId": region, "WorkspaceId": "1001" }]),
        ]
    );
}

#[test]
fn a_refusal_hides_no_question() {
    let rehearsal = policy().rehearse(&call("dlc_create_job", &job()), now());
    assert_eq!(rehearsal.verdict, "refused");
    assert_eq!(rehearsal.refusal.as_ref().map(|refusal| refusal.rule.as_str()), Some("image-from-list"));
    assert_eq!(asked(&rehearsal), ["region-confirmed", "arguments-confirmed"]);
    let get = policy()
        .rehearse(&call("dlc_get_job", &json!({ "RegionId": "cn-hangzhou", "JobId": "dlc1" })), now());
    assert_eq!((get.verdict, asked(&get)), ("confirm", vec!["region-confirmed"]));
}

/// R-WS-04: a question shows the arguments as they are, so there is none about arguments that hold a credential.
#[test]
fn no_question_shows_a_credential() {
    let mut arguments = job();
    arguments["UserCommand"] = json!("train --key LTAI5tCanaryCanaryCanary");
    let rehearsal = policy().rehearse(&call("dlc_create_job", &arguments), now());
    assert_eq!((rehearsal.verdict, asked(&rehearsal)), ("refused", vec!["region-confirmed"]));
}
