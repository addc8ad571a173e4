//! What counts as a human's yes.

use super::*;
use crate::error::Fault;
use crate::policy::consent::WaiverError;

fn hear(policy: &Policy, call: &Call, answer: &Answer, consents: &mut Consents) -> Result<Heard, Refusal> {
    policy.hear(call, answer, ACCOUNT, &History::default(), consents, now())
}

/// The question about a job in a world that is ready for it.
fn asked(policy: &Policy) -> (Call, Question) {
    let call = call("dlc_create_job", &job());
    let question = question(judge(policy, &call, &World::ready()));
    (call, question)
}

#[track_caller]
fn heard_refusal(reply: Reply) -> Refusal {
    let policy = policy();
    let (call, question) = asked(policy);
    hear(policy, &call, &answer(&question, reply), &mut Consents::default()).unwrap_err()
}

/// R-WS-32
#[test]
fn a_yes_to_exactly_this_call_clears_it() {
    let policy = policy();
    let (call, question) = asked(policy);
    let Ok(Heard::Arguments(approval)) = hear(policy, &call, &yes(&question), &mut Consents::default())
    else {
        panic!("the yes didn't count");
    };
    assert_eq!((approval.channel(), approval.digest()), (Channel::Elicitation, question.digest()));
    let world = World { approval: Some(approval), ..World::ready() };
    let Verdict::Cleared(cleared) = judge(policy, &call, &world) else { panic!("not cleared") };
    assert_eq!(cleared.consent(), world.approval.as_ref());
    assert_eq!(cleared.call().arguments(), call.arguments());
}

#[test]
fn each_reply_that_is_no_yes_says_what_to_do() {
    let flag = "the operator can approve the tool at launch with --approve dlc_create_job";
    let anew = "call again without requestState to be asked anew";
    let page = "or start the server where it can open the user's browser (--approval-page auto needs a display, or name \
                a program with --browser), and it asks there";
    for (reply, error, fix, retryable) in [
        (
            Reply::Declined,
            "the user declined, or the client showed no dialog",
            &*format!("ask the user in the conversation what they want; {flag}"),
            false,
        ),
        (
            Reply::Cancelled,
            "the user closed the question without an answer",
            "ask the user before trying again",
            true,
        ),
        (
            Reply::TimedOut,
            "nobody answered the question in time",
            "ask the user to watch for the dialog, then call again",
            true,
        ),
        (
            Reply::Pending { code: "KX7Q-M2P3".to_owned() },
            "the user has been asked in their browser, under the code KX7Q-M2P3, and hasn't answered yet",
            "tell the user that a page with the code KX7Q-M2P3 waits in their browser, then call again with the same \
             arguments: their answer counts for that call, once",
            true,
        ),
        (
            Reply::Crowded,
            "too many questions wait for the user's answer already",
            "have the user answer them first, then call again",
            true,
        ),
        (
            Reply::NoChannel,
            "this needs a human's yes, and the client has no way to ask for one",
            &*format!("{flag}; {page}"),
            false,
        ),
        (Reply::Replayed, "this answer was used before; a yes counts once", anew, false),
        (Reply::Tampered, "the request state isn't one that this server made for this caller", anew, false),
        (Reply::Expired, "the question is too old to be answered", anew, false),
    ] {
        let mut expected = Refusal::new("arguments-confirmed", error).with(Fault::new("", error, fix));
        expected.retryable = retryable;
        assert_eq!(heard_refusal(reply), expected);
    }
}

#[test]
fn a_state_that_cannot_be_opened_gives_its_own_message() {
    let policy = policy();
    let (call, _) = asked(policy);
    for (reply, error) in [
        (Reply::Tampered, "the request state isn't one that this server made for this caller"),
        (Reply::Replayed, "this answer was used before; a yes counts once"),
        (Reply::Expired, "the question is too old to be answered"),
    ] {
        let answer = Answer { digest: String::new(), channel: Channel::InputRequired, reply };
        let refusal = hear(policy, &call, &answer, &mut Consents::default()).unwrap_err();
        assert_eq!((refusal.rule.as_str(), refusal.error.as_str()), ("confirmation", error));
    }
}

#[test]
fn an_accept_without_its_field_is_no_yes() {
    let expected =
        Refusal::new("arguments-confirmed", "the question came back accepted, but without a valid approve")
            .with(Fault::new(
                "",
                "an accept without approve is no yes",
                "the user must fill the field in; call again",
            ));
    for content in [
        json!({}),
        json!(null),
        json!([]),
        json!("approve"),
        json!({ "approve": "true" }),
        json!({ "approve": 1 }),
        json!({ "approve": null }),
        json!({ "approve": [true] }),
        json!({ "Approve": true }),
        json!({ "region": "cn-hangzhou" }),
        json!({ "confirmed": true, "action": "accept" }),
    ] {
        assert_eq!(heard_refusal(Reply::Accepted(content)), expected);
    }
}

#[test]
fn approve_false_is_a_no() {
    assert_eq!(
        heard_refusal(Reply::Accepted(json!({ "approve": false }))),
        Refusal::new("arguments-confirmed", "the user answered no").with(Fault::new(
            "",
            "the user doesn't want this call",
            "ask them what they want instead",
        ))
    );
}

/// What a question is bound to: whatever changes, the answer to the old one is none.
#[test]
fn an_answer_counts_for_its_question_alone() {
    let asking = policy();
    let (call_asked, question_asked) = asked(asking);
    let other = |change: fn(&mut Value)| {
        let mut arguments = job();
        change(&mut arguments);
        call("dlc_create_job", &arguments)
    };
    let live = Policy::compiled(Settings { simulated: false, ..settings() }).unwrap();
    let other_key = Policy::compiled(Settings { digest_key: b"another".to_vec(), ..settings() }).unwrap();
    let refusals = [
        (asking, other(|job| job["UserCommand"] = json!("python evil.py")), ACCOUNT),
        (asking, other(|job| job["JobSpecs"][0]["PodCount"] = json!(2)), ACCOUNT),
        (asking, other(|job| job["Envs"] = json!({})), ACCOUNT),
        (asking, other(|job| job["DisplayName"] = json!("resnet ")), ACCOUNT),
        (asking, call("aiworkspace_create_workspace", &workspace()), ACCOUNT),
        (asking, call_asked.clone(), "0000"),
        (&live, call_asked.clone(), ACCOUNT),
        (&other_key, call_asked.clone(), ACCOUNT),
    ];
    for (policy, call, account) in refusals {
        let refusal = policy
            .hear(&call, &yes(&question_asked), account, &History::default(), &mut Consents::default(), now())
            .unwrap_err();
        assert_eq!(
            refusal,
            Refusal::new(
                "confirmation",
                "the answer is to another question: the arguments, the account, the policy or what was made before changed \
                 after it was asked",
            )
            .with(Fault::new(
                "",
                "nothing was sent",
                "call again without requestState, with the arguments that are meant, to be asked anew",
            ))
        );
    }
}

/// What is hidden in the question is bound all the same.
#[test]
fn hidden_values_are_bound_too() {
    let policy = policy();
    let with = |secret: &str| {
        let mut arguments = job();
        arguments["Envs"] = json!({ "TOKEN": secret });
        call("dlc_create_job", &arguments)
    };
    let (first, second) = (with("one-value-1"), with("two-value-2"));
    let asked = question(judge(policy, &first, &World::ready()));
    let again = question(judge(policy, &second, &World::ready()));
    assert_eq!(asked.message(), again.message());
    assert_ne!(asked.digest(), again.digest());
    assert!(hear(policy, &second, &yes(&asked), &mut Consents::default()).is_err());
}

fn region_question(policy: &Policy) -> (Call, Question) {
    let call = call("aiworkspace_list_workspaces", &json!({ "RegionId": "cn-hangzhou" }));
    let question = question(judge(policy, &call, &World::default()));
    (call, question)
}

/// R-WS-44: a choice holds for the account that made it, eight hours.
#[test]
fn a_chosen_region_is_remembered() {
    let policy = policy();
    let (call, question) = region_question(policy);
    let mut consents = Consents::default();
    let chosen = answer(&question, Reply::Accepted(json!({ "region": "cn-hangzhou" })));
    assert!(matches!(hear(policy, &call, &chosen, &mut consents), Ok(Heard::Region)));
    let hours = |hours| jiff::SignedDuration::from_hours(hours);
    assert!(consents.confirmed(ACCOUNT, "cn-hangzhou", now(), hours(8)));
    assert!(!consents.confirmed("0000", "cn-hangzhou", now(), hours(8)));
    assert!(!consents.confirmed(ACCOUNT, "cn-shanghai", now(), hours(8)));
    assert!(!consents.confirmed(ACCOUNT, "cn-hangzhou", now() + hours(8), hours(8)));
}

/// R-WS-44, R-WS-45: the human's choice wins, and the call in the other region isn't made.
#[test]
fn another_choice_refuses_the_call_and_is_remembered() {
    let policy = policy();
    let (call, question) = region_question(policy);
    let mut consents = Consents::default();
    let chosen = answer(&question, Reply::Accepted(json!({ "region": "cn-shanghai" })));
    assert_eq!(
        hear(policy, &call, &chosen, &mut consents).unwrap_err(),
        Refusal::new("region-confirmed", "the user chose cn-shanghai, not cn-hangzhou").with(Fault::new(
            "RegionId",
            "isn't the region that the user chose",
            "use cn-shanghai",
        ))
    );
    let eight = jiff::SignedDuration::from_hours(8);
    assert!(consents.confirmed(ACCOUNT, "cn-shanghai", now(), eight));
    assert!(!consents.confirmed(ACCOUNT, "cn-hangzhou", now(), eight));
}

#[test]
fn only_an_offered_region_can_be_chosen() {
    let policy = policy();
    let (call, question) = region_question(policy);
    for content in [
        json!({ "region": "eu-central-1" }),
        json!({ "region": "cn-hangzhou " }),
        json!({ "region": ["cn-hangzhou"] }),
        json!({ "approve": true }),
        json!({}),
    ] {
        let mut consents = Consents::default();
        let refusal =
            hear(policy, &call, &answer(&question, Reply::Accepted(content)), &mut consents).unwrap_err();
        assert_eq!(refusal.error, "the question came back accepted, but without a valid region");
        assert!(!consents.confirmed(ACCOUNT, "cn-hangzhou", now(), jiff::SignedDuration::from_hours(8)));
    }
    let refusal =
        hear(policy, &call, &answer(&question, Reply::NoChannel), &mut Consents::default()).unwrap_err();
    let fix = &refusal.violations[0].fix;
    assert!(
        fix.starts_with("the operator can confirm a region at launch with --region cn-hangzhou; "),
        "{fix}"
    );
}

/// A yes to a region is none to the arguments, and the reverse.
#[test]
fn a_form_answers_its_own_question_only() {
    let policy = policy();
    let call = call("dlc_create_job", &job());
    let mut world = World::ready();
    world.consents = Consents::default();
    let about_region = question(judge(policy, &call, &world));
    assert_eq!(about_region.rule(), "region-confirmed");
    assert!(hear(policy, &call, &yes(&about_region), &mut world.consents).is_err());
    let chosen = Reply::Accepted(json!({ "region": "cn-hangzhou", "approve": true }));
    assert!(matches!(
        hear(policy, &call, &answer(&about_region, chosen), &mut world.consents),
        Ok(Heard::Region)
    ));
    let about_arguments = question(judge(policy, &call, &world));
    assert_eq!(about_arguments.rule(), "arguments-confirmed");
    let region = Reply::Accepted(json!({ "region": "cn-hangzhou" }));
    assert!(hear(policy, &call, &answer(&about_arguments, region), &mut world.consents).is_err());
}

/// What destroys or reveals is approved by name only.
#[test]
fn launch_approvals_are_tools_or_three_effects() {
    assert_eq!("create".parse(), Ok(Waiver::Creates));
    assert_eq!("update".parse(), Ok(Waiver::Updates));
    assert_eq!("act".parse(), Ok(Waiver::Acts));
    assert_eq!("dlc_create_job".parse(), Ok(Waiver::Tool("dlc_create_job")));
    assert_eq!("destroy".parse::<Waiver>(), Err(WaiverError::ByToolOnly("destroy")));
    assert_eq!("reveal".parse::<Waiver>(), Err(WaiverError::ByToolOnly("reveal")));
    for unknown in ["", "all", "*", "Create", "read", "dlc_", "dlc_create_job "] {
        assert_eq!(unknown.parse::<Waiver>(), Err(WaiverError::Unknown), "{unknown:?}");
    }
}
