//! What a script says, and to whom.

use super::*;
use crate::policy::consent::Operator;
use crate::policy::{OnMiss, Settings};

fn policy() -> Policy {
    Policy::compiled(Settings {
        on_miss: OnMiss::Refuse,
        operator: Operator::default(),
        simulated: true,
        digest_key: Vec::new(),
        secret_command: String::new(),
    })
    .unwrap()
}

fn script(text: &str) -> Script {
    Script::parse(text, &policy()).unwrap()
}

/// The questions about a call that knows nothing: about its region, and about its arguments.
fn questions(tool: &str, arguments: &Value) -> Vec<Question> {
    let call = tools::find(tool).unwrap().parse(arguments.as_object().unwrap()).unwrap();
    policy().rehearse(&call, "2026-03-01T12:00:00Z".parse().unwrap()).questions
}

#[track_caller]
fn says(script: &Script, tool: &str, arguments: &Value, form: &str) -> Reply {
    let questions = questions(tool, arguments);
    let question = questions.iter().find(|question| question.form().property() == form).unwrap();
    let asked = Asked { tool, arguments: arguments.as_object().unwrap(), question };
    let answer = script.answer(&asked);
    assert_eq!((&*answer.digest, answer.channel), (question.digest(), Channel::Scripted));
    answer.reply
}

fn workspace(name: &str) -> Value {
    json!({ "RegionId": "cn-hangzhou", "WorkspaceName": name, "Description": "Models", "EnvTypes": ["prod"] })
}

const CREATE: &str = "aiworkspace_create_workspace";
const STOP: &str = "dlc_stop_job";
const DELETE: &str = "pyromind_delete_sandbox";

fn stop(region: &str) -> Value {
    json!({ "RegionId": region, "JobId": "dlc1" })
}

fn accepted(content: Value) -> Reply {
    Reply::Accepted(content)
}

#[test]
fn each_answer_is_what_a_client_would_send() {
    let all = script("[[answer]]\nsay = \"accept\"\n");
    assert_eq!(
        says(&all, CREATE, &workspace("team_a"), "region"),
        accepted(json!({ "region": "cn-hangzhou" }))
    );
    assert_eq!(says(&all, CREATE, &workspace("team_a"), "approve"), accepted(json!({ "approve": true })));
    let sandbox = json!({ "sandbox_id": "sbx_1" });
    assert_eq!(says(&all, DELETE, &sandbox, "resource_id"), accepted(json!({ "resource_id": "sbx_1" })));
    for (say, reply) in
        [("decline", Reply::Declined), ("cancel", Reply::Cancelled), ("timeout", Reply::TimedOut)]
    {
        assert_eq!(
            says(&script(&format!("[[answer]]\nsay = \"{say}\"\n")), DELETE, &sandbox, "resource_id"),
            reply
        );
    }
    let malformed = script("[[answer]]\nsay = \"malformed\"\n");
    assert_eq!(says(&malformed, CREATE, &workspace("team_a"), "region"), accepted(json!({ "region": {} })));
    assert_eq!(says(&malformed, CREATE, &workspace("team_a"), "approve"), accepted(json!({ "approve": {} })));
    assert_eq!(says(&malformed, DELETE, &sandbox, "resource_id"), accepted(json!({ "resource_id": {} })));
}

#[test]
fn what_is_filled_in_can_be_set() {
    let script = script(
        r#"
        [[answer]]
        form = "region"
        say = "accept"
        choose = "cn-shanghai"
        [[answer]]
        form = "type-id"
        say = "accept"
        type = "sbx_2"
        [[answer]]
        form = "approve"
        say = "accept"
        further_calls = 3
        "#,
    );
    assert_eq!(
        says(&script, STOP, &stop("cn-hangzhou"), "region"),
        accepted(json!({ "region": "cn-shanghai" }))
    );
    let sandbox = json!({ "sandbox_id": "sbx_1" });
    assert_eq!(says(&script, DELETE, &sandbox, "resource_id"), accepted(json!({ "resource_id": "sbx_2" })));
    assert_eq!(
        says(&script, STOP, &stop("cn-hangzhou"), "approve"),
        accepted(json!({ "approve": true, "further_calls": 3 }))
    );
    // No workspace is made without a question, so its form has no such field.
    assert_eq!(says(&script, CREATE, &workspace("team_a"), "approve"), accepted(json!({ "approve": true })));
}

#[test]
fn the_first_that_fits_and_is_left_answers_and_the_rest_is_declined() {
    let script = script(
        r#"
        [[answer]]
        rule = "arguments-confirmed"
        tool = "aiworkspace_create_workspace"
        shows = 'WorkspaceName: "team_a+"'
        say = "accept"
        times = 2
        [[answer]]
        tool = "dlc_stop_job"
        form = "approve"
        region = "cn-shanghai"
        say = "cancel"
        [[answer]]
        workspace = "1001"
        say = "timeout"
        "#,
    );
    let yes = accepted(json!({ "approve": true }));
    assert_eq!(says(&script, CREATE, &workspace("team_aaa"), "approve"), yes);
    assert_eq!(says(&script, CREATE, &workspace("team_aaa"), "region"), Reply::Declined);
    assert_eq!(says(&script, CREATE, &workspace("team_b"), "approve"), Reply::Declined);
    assert_eq!(says(&script, CREATE, &workspace("team_aa"), "approve"), yes);
    assert_eq!(says(&script, CREATE, &workspace("team_aa"), "approve"), Reply::Declined);
    assert_eq!(says(&script, STOP, &stop("cn-shanghai"), "approve"), Reply::Cancelled);
    assert_eq!(says(&script, STOP, &stop("cn-shanghai"), "region"), Reply::Declined);
    assert_eq!(says(&script, STOP, &stop("cn-hangzhou"), "approve"), Reply::Declined);
    let images = json!({ "RegionId": "cn-hangzhou", "WorkspaceId": "1001" });
    assert_eq!(says(&script, "aiworkspace_list_images", &images, "region"), Reply::TimedOut);
}

#[test]
fn an_empty_script_declines_everything() {
    assert_eq!(says(&script(""), CREATE, &workspace("team_a"), "approve"), Reply::Declined);
}

#[test]
fn what_makes_no_sense_is_said_with_its_line() {
    for (text, error) in [
        ("[[answers]]\n", "line 1: unknown field `answers`, expected `answer`"),
        (
            "\n[[answer]]\nsay = \"yes\"\n",
            "line 3: unknown variant `yes`, expected one of `accept`, `decline`, `cancel`, `timeout`, `malformed`",
        ),
        ("[[answer]]\nform = \"region\"\n", "line 1: missing field `say`"),
        (
            "[[answer]]\nsay = \"decline\"\n[[answer]]\ntool = \"dlc_\"\nsay = \"accept\"\n",
            "answer 2, line 3: there is no tool dlc_; see `redline-mcp tools`",
        ),
        (
            "[[answer]]\nrule = \"region\"\nsay = \"accept\"\n",
            "answer 1, line 1: there is no rule region; see `redline-mcp policy`",
        ),
        (
            "[[answer]]\nregion = \"hangzhou\"\nsay = \"accept\"\n",
            "answer 1, line 1: hangzhou isn't a documented region",
        ),
        (
            "[[answer]]\nsay = \"accept\"\ntimes = 0\n",
            "answer 1, line 1: times is 0, so it would never answer; leave it out for always",
        ),
        (
            "[[answer]]\nsay = \"accept\"\nchoose = \"cn-beijing\"\n",
            "answer 1, line 1: choose takes say = \"accept\" and form = \"region\" beside it",
        ),
        (
            "[[answer]]\nform = \"approve\"\nsay = \"accept\"\nfurther_calls = 11\n",
            "answer 1, line 1: further_calls is 11, and a question offers 10 at most",
        ),
        (
            "[[answer]]\nform = \"approve\"\nsay = \"decline\"\nfurther_calls = 2\n",
            "answer 1, line 1: further_calls takes say = \"accept\" and form = \"approve\" beside it",
        ),
        (
            "[[answer]]\nform = \"region\"\nsay = \"accept\"\ntype = \"x\"\n",
            "answer 1, line 1: type takes say = \"accept\" and form = \"type-id\" beside it",
        ),
    ] {
        assert_eq!(Script::parse(text, &policy()).unwrap_err().to_string(), error, "{text}");
    }
    let pattern = Script::parse("[[answer]]\nshows = \"(\"\nsay = \"accept\"\n", &policy()).unwrap_err();
    assert!(pattern.to_string().starts_with("line 2: regex parse error"), "{pattern}");
}

#[test]
fn the_example_of_the_documentation_is_a_script() {
    let page = include_str!("../../../docs/scripted-human.md");
    let (_, rest) = page.split_once("```toml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    assert_eq!(script(example).rows.len(), 5);
}
