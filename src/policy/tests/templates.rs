//! Templates: what of their content shows, and to what a human says yes who agrees to a job from one.

use super::*;
use crate::policy::mask::Masked;

const UNLISTED: &str = "evil.example/miner:latest";

fn content(image: &str) -> Value {
    json!({
        "JobType": "PyTorchJob",
        "JobSpecs": [{ "Type": "Worker", "Image": image, "PodCount": 1, "EcsSpec": "ecs.gn6i-c4g1.xlarge" }],
        "UserCommand": "python train.py",
    })
}

fn from_template() -> Value {
    json!({ "RegionId": "cn-hangzhou", "WorkspaceId": "1001", "DisplayName": "mine", "TemplateId": "tpl1" })
}

/// A reply with two versions, of which this one is the default.
fn template(default: i64) -> Value {
    let version = |number, command: &str| {
        let mut content = content("registry/pytorch:2.3");
        content["UserCommand"] = json!(command);
        json!({ "Version": number, "Content": content.to_string(), "Constraints": {} })
    };
    json!({
        "TemplateId": "tpl1",
        "WorkspaceId": "1001",
        "DefaultVersion": default,
        "Versions": [version(1, "python one.py"), version(2, "python two.py")],
    })
}

/// What is known once the policy has read the template.
fn having_read(default: i64) -> World {
    let mut world = World::ready();
    let known = Known { at: now(), learned_at: 1 };
    world.facts.learn(Fact::Template, "cn-hangzhou", None, "tpl1", known);
    let read = call("dlc_get_job_template", &json!({ "RegionId": "cn-hangzhou", "TemplateId": "tpl1" }));
    let outcome = Outcome::Reply(Raw::new(template(default)));
    policy().witness(read.by(Origin::Policy), outcome, &mut world.evidence, known);
    world
}

fn heard(answer: &Answer) -> Result<Heard, Refusal> {
    let job = call("dlc_create_job", &from_template());
    policy().hear(&job, answer, ACCOUNT, &History::default(), &mut Consents::default(), now())
}

fn approval(answer: &Answer) -> Approval {
    match heard(answer) {
        Ok(Heard::Arguments(approval)) => approval,
        Ok(Heard::Region | Heard::Settled) => panic!("the question was about something else"),
        Err(refusal) => panic!("refused: {refusal:?}"),
    }
}

/// R-DLC-70, R-DLC-81: a yes is to the job that was shown, not to whatever the template has become.
#[test]
fn a_yes_is_to_the_version_that_was_shown() {
    let job = call("dlc_create_job", &from_template());
    let asked = question(judge(policy(), &job, &having_read(1)));
    assert!(asked.message().contains("- UserCommand: \"python one.py\"\n"), "{}", asked.message());
    assert!(asked.message().contains("- TemplateVersion: 1\n"));
    let yes = approval(&yes(&asked));

    let sent = |world: World| match judge(policy(), &job, &world) {
        Verdict::Cleared(cleared) => Ok(cleared.call().arguments()["TemplateVersion"].clone()),
        other => Err(question(other)),
    };
    let world = World { approval: Some(yes.clone()), ..having_read(1) };
    assert_eq!(sent(world), Ok(json!(1)));
    // Somebody chose another default version in between.
    let changed = sent(World { approval: Some(yes), ..having_read(2) }).unwrap_err();
    assert!(changed.message().contains("- UserCommand: \"python two.py\"\n"), "{}", changed.message());
    assert_ne!(changed.digest(), asked.digest());
}

/// A no, and an answer to nothing, don't become a yes because they are weighed later.
#[test]
fn only_a_yes_to_this_question_counts() {
    let job = call("dlc_create_job", &from_template());
    let asked = question(judge(policy(), &job, &having_read(1)));
    for reply in [
        Reply::Declined,
        Reply::Cancelled,
        Reply::NoChannel,
        Reply::Accepted(json!({})),
        Reply::Accepted(json!({ "approve": false })),
        Reply::Accepted(json!({ "approve": "true" })),
    ] {
        assert_eq!(heard(&answer(&asked, reply)).unwrap_err().rule, "arguments-confirmed");
    }
    let other = question(judge(policy(), &call("dlc_create_job", &super::job()), &World::ready()));
    let world = World { approval: Some(approval(&yes(&other))), ..having_read(1) };
    assert_eq!(question(judge(policy(), &job, &world)), asked);
}

/// A job is made again whether its version is named or not.
#[test]
fn the_same_job_from_a_template_again_is_said() {
    let policy = policy();
    let job = call("dlc_create_job", &from_template());
    let asked = question(judge(policy, &job, &having_read(1)));
    let mut world = World { approval: Some(approval(&yes(&asked))), ..having_read(1) };
    let Verdict::Cleared(cleared) = judge(policy, &job, &world) else { panic!("not cleared") };
    let made = Outcome::Reply(Raw::new(json!({ "JobId": "dlc1" })));
    policy.remember(cleared.call(), &made, &mut world.history, now());
    for named in [None, Some(1)] {
        let mut arguments = from_template();
        if let Some(version) = named {
            arguments["TemplateVersion"] = json!(version);
        }
        let job = call("dlc_create_job", &arguments);
        let verdict = match named {
            None => judge(policy, &job, &world),
            Some(_) => {
                let request = json!({ "RegionId": "cn-hangzhou", "TemplateId": "tpl1", "Version": "1" });
                let read = call("dlc_get_job_template", &request).by(Origin::Policy);
                let known = Known { at: now(), learned_at: 1 };
                let reply = Outcome::Reply(Raw::new(template(1)));
                policy.witness(read, reply, &mut world.evidence, known);
                judge(policy, &job, &world)
            }
        };
        let again = question(verdict);
        assert!(
            again.message().starts_with("The same call was made at 2026-03-01 12:00:00 UTC"),
            "{named:?}"
        );
    }
}

/// R-DLC-76: a template read teaches its own id, and nothing of what it stores.
#[test]
fn a_template_teaches_no_image() {
    let get = call("dlc_get_job_template", &json!({ "RegionId": "cn-hangzhou", "TemplateId": "tpl1" }));
    let content = content(UNLISTED).to_string();
    let reply = json!({ "TemplateId": "tpl1", "WorkspaceId": "1001", "Versions": [{ "Version": 1, "Content": content }] });
    let mut facts = Facts::default();
    policy().learn(&get, &Outcome::Reply(Raw::new(reply)), &mut facts, Known { at: now(), learned_at: 1 });
    let known = |fact, value| {
        let day = jiff::SignedDuration::from_hours(1);
        facts.known(fact, "cn-hangzhou", Some("1001"), value, now(), day).is_some()
    };
    assert!(known(Fact::Template, "tpl1"));
    assert!(!known(Fact::Image, UNLISTED));
}

fn masked(content: Value, seen: &mut Seen) -> Masked {
    let get = call("dlc_get_job_template", &json!({ "RegionId": "cn-hangzhou", "TemplateId": "tpl1" }));
    let versions = json!([{
        "Version": 1,
        "Content": content,
        "Constraints": { "JobSpecs[0].Image": "locked" },
        "CreatedBy": "208846120937745106",
    }]);
    let reply = json!({
        "TemplateId": "tpl1",
        "TemplateName": "by zhangwei\u{1b}[2K",
        "Metadata": { "owner": "zhangwei" },
        "ModifiedBy": "208846120937745106",
        "UserId": "203918475562018833",
        "TenantId": "1377620948851203",
        "Versions": versions,
    });
    policy().mask_reply(&get, &Outcome::Reply(Raw::new(reply)), seen).unwrap().masked
}

/// R-DLC-09, R-WS-14: content is masked as a job is, and stays one text.
#[test]
fn content_shows_as_a_job_does() {
    let secret = "wandb-9f3a7c1e5b2d8046";
    let mut stored = content("registry/pytorch:2.3");
    stored["Envs"] = json!({ "WANDB_API_KEY": secret });
    stored["CustomEnvs"] = json!([{ "Key": "B", "Value": "other-4417ab90c2d8e6f1", "Visible": "false" }]);
    stored["UserCommand"] = json!(format!("train {secret}\u{200b}"));
    stored["JobSpecs"][0]["ImageConfig"] = json!({ "Username": "puller", "Password": "hidden-password" });
    stored["Settings"] = json!({ "Caller": "zhangwei", "AdvancedSettings": { "a": 1 } });
    stored["Unknown"] = json!("field");
    let mut expected = content("registry/pytorch:2.3");
    expected["UserCommand"] = json!("train [masked]");
    expected["JobSpecs"][0]["ImageConfig"] = json!({ "Registry Username": "p***" });
    expected["Settings"] = json!({ "Business User ID": "N/A", "Calling User": "z***" });
    expected["Envs"] = json!({ "WANDB_API_KEY": "****" });
    expected["CustomEnvs"] = json!([{ "Key": "B", "Visible": "false" }]);
    for given in [json!(stored.to_string()), stored.clone()] {
        let body = masked(given, &mut Seen::default()).body().clone();
        let shown = body["Versions"][0]["Content"].as_str().unwrap();
        assert_eq!(serde_json::from_str::<Value>(shown).unwrap(), expected);
        assert_eq!(
            json!([
                body["TemplateName"],
                body["Modified By"],
                body["Metadata"],
                body["Versions"][0]["Created By"]
            ]),
            json!(["by [masked]", "****5106", null, "****5106"])
        );
        assert_eq!(body["Versions"][0]["Constraints"], json!({ "JobSpecs[0].Image": "locked" }));
    }
}

/// What can't be read can't be masked, so it isn't shown.
#[test]
fn content_that_cannot_be_read_is_not_shown() {
    for unreadable in
        [json!("{\"Envs\":{\"A\":\"secret\"}"), json!("{\"a\":1,\"a\":2}"), json!("text"), json!(["a"])]
    {
        let masked = masked(unreadable, &mut Seen::default());
        assert_eq!(masked.body()["Versions"][0].get("Content"), None);
        // The metadata and the content.
        assert_eq!(masked.redactions()["dropped"], 2);
    }
}

/// R-WS-14: the record and previews keep the form of the request, and hide in the text what they hide in a job.
#[test]
fn recorded_content_hides_what_a_job_hides() {
    let mut stored = content("registry/pytorch:2.3");
    stored["Envs"] = json!({ "A": "secret" });
    let arguments = json!({
        "RegionId": "cn-hangzhou",
        "WorkspaceId": "1001",
        "TemplateName": "t",
        "Content": stored,
        "Metadata": { "a": "b" },
    });
    let shown = policy().mask_call(&call("dlc_create_job_template", &arguments), &Seen::default());
    stored["Envs"] = json!({ "A": "****" });
    let text = shown.arguments()["Content"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Value>(text).unwrap(), stored);
    assert_eq!(shown.arguments()["Metadata"], json!({ "a": "b" }));
}

/// R-DLC-85, R-DLC-86, R-DLC-66: each of the documented codes leads to its fix, and another passes as it is.
#[test]
fn the_clouds_codes_lead_to_a_fix() {
    let arguments = json!({ "RegionId": "cn-hangzhou", "TemplateId": "tpl1", "Description": "d" });
    let update = call("dlc_update_job_template", &arguments);
    let told = |status: u16, code: &str| {
        let failed = outcome(&json!({ "error": { "status": status, "code": code, "message": "no" } }));
        match policy().review(&update, &failed, &Evidence::default(), now()) {
            crate::policy::verdict::Review::Refused(refusal) => {
                let fault = &refusal.violations[0];
                format!("{} {}: {}", refusal.rule, fault.path, fault.fix)
            }
            _ => panic!("not refused"),
        }
    };
    assert_eq!(
        told(400, "InvalidParameter.TemplateName"),
        "cloud-refused TemplateName: give a name of 1 to 1024 characters"
    );
    assert_eq!(
        told(400, "InvalidParameter.Content"),
        "cloud-refused Content: give one JSON object with JobType and JobSpecs; read the cloud's message for the field"
    );
    assert_eq!(
        told(400, "InvalidParameter.Constraints"),
        "cloud-refused Constraints: use locked, overridable or required only, and give Content with them"
    );
    assert_eq!(
        told(404, "NotFound.JobTemplate"),
        "cloud-not-found TemplateId: call dlc_list_job_templates to see which there are; ask the user which one they mean"
    );
    assert_eq!(
        told(404, "NotFound.JobTemplateVersion"),
        "cloud-not-found : call dlc_get_job_template with Version all and use a version that it returns"
    );
    assert_eq!(
        told(400, "InvalidParameter.Other"),
        "cloud-refused : read the cloud's message, mend the arguments, call again"
    );
    assert!(told(403, "Forbidden.RAM").contains("paidlc:UpdateJobTemplate"));
}
