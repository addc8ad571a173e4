//! The tables: what is known, what is called, and the whole of what is said of it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::*;
use crate::policy::load::{Overlay, Says};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// The rules of the sources that the case proves.
    rules: Vec<String>,
    #[serde(default)]
    knowledge: Knows,
    call: Called,
    expect: Value,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Knows {
    facts: Vec<Learned>,
    activated: Vec<At>,
    confirmed: Vec<At>,
    evidence: Vec<Read>,
    /// The calls that were made before.
    made: Vec<Made>,
    /// The call to which a human said yes just before.
    approved: Option<Called>,
    /// The call with whose yes further ones were let through.
    granted: Option<Granted>,
    verify: bool,
    live: bool,
    /// Overlays, each as the text of its file.
    overlays: Vec<String>,
    /// How many calls were sent in the minute before.
    sent: usize,
    operator_regions: Vec<String>,
    operator_approvals: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Learned {
    fact: Fact,
    region: String,
    workspace: Option<String>,
    value: String,
    at: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct At {
    region: String,
    account: Option<String>,
    at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Made {
    at: Timestamp,
    #[serde(flatten)]
    call: Called,
    #[serde(default)]
    outcome: Option<Value>,
}

#[derive(Deserialize)]
struct Granted {
    at: Timestamp,
    calls: u32,
    #[serde(flatten)]
    call: Called,
}

#[derive(Deserialize)]
struct Read {
    tool: String,
    arguments: Value,
    #[serde(flatten)]
    outcome: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Called {
    tool: String,
    arguments: Value,
    #[serde(default)]
    policy: bool,
}

impl Called {
    fn call(&self) -> Call {
        let call = call(&self.tool, &self.arguments);
        if self.policy { call.by(Origin::Policy) } else { call }
    }
}

impl Knows {
    fn policy(&self) -> Policy {
        let mut settings = settings();
        settings.simulated = !self.live;
        if self.verify {
            settings.on_miss = OnMiss::Verify;
        }
        settings.operator.regions = self.operator_regions.iter().cloned().collect();
        settings.operator.approvals =
            self.operator_approvals.iter().map(|text| Waiver::from_str(text).unwrap()).collect();
        let overlay = |text: &String| Overlay { file: "overlay.toml".to_owned(), text: text.clone() };
        let overlays: Vec<Overlay> = self.overlays.iter().map(overlay).collect();
        Policy::load(settings, &overlays).unwrap()
    }

    fn world(&self, policy: &Policy) -> World {
        let mut world = World::default();
        for (learned_at, learned) in (1..).zip(&self.facts) {
            let known = Known { at: learned.at.unwrap_or_else(now), learned_at };
            let workspace = learned.workspace.as_deref();
            world.facts.learn(learned.fact, &learned.region, workspace, &learned.value, known);
        }
        for activated in &self.activated {
            let known = Known { at: activated.at.unwrap_or_else(now), learned_at: 0 };
            world.facts.activate(&activated.region, known);
        }
        for confirmed in &self.confirmed {
            let account = confirmed.account.as_deref().unwrap_or(ACCOUNT);
            world.consents.confirm(account, &confirmed.region, confirmed.at.unwrap_or_else(now));
        }
        for read in &self.evidence {
            let made = call(&read.tool, &read.arguments).by(Origin::Policy);
            let outcome = outcome(&read.outcome);
            policy.note(&made, &outcome, &mut world.seen);
            let known = Known { at: now(), learned_at: 100 };
            policy.learn(&made, &outcome, &mut world.facts, known);
            policy.witness(made, outcome, &mut world.evidence, known);
        }
        for _ in 0..self.sent {
            world.history.count(now());
        }
        for made in &self.made {
            let outcome = outcome(made.outcome.as_ref().unwrap_or(&json!({ "reply": {} })));
            policy.remember(&made.call.call(), &outcome, &mut world.history, made.at);
        }
        if let Some(approved) = &self.approved {
            let approved = approved.call();
            let asked = question(judge(policy, &approved, &world));
            let heard =
                policy.hear(&approved, &yes(&asked), ACCOUNT, &world.history, &mut world.consents, now());
            match heard.unwrap() {
                Heard::Arguments(approval) => world.approval = Some(approval),
                Heard::Settled => {}
                Heard::Region => panic!("the question was about the region"),
            }
        }
        if let Some(Granted { at, calls, call }) = &self.granted {
            let call = call.call();
            let asked = question(policy.judge(&call, &world.knowledge(), *at).verdict);
            let reply = Reply::Accepted(json!({ "approve": true, "further_calls": calls }));
            let reply = answer(&asked, reply);
            let heard = policy.hear(&call, &reply, ACCOUNT, &world.history, &mut Consents::default(), *at);
            let Heard::Arguments(yes) = heard.unwrap() else { panic!("the question was about the region") };
            let knowledge = Knowledge { approval: Some(&yes), ..world.knowledge() };
            let Verdict::Cleared(cleared) = policy.judge(&call, &knowledge, *at).verdict else {
                panic!("the yes didn't count")
            };
            world.consents.settle_grant(&cleared, *at).unwrap();
        }
        world
    }
}

/// What is said, whole.
fn said(policy: &Policy, case: &Case) -> Value {
    let mut world = case.knowledge.world(policy);
    let judgement = policy.judge(&case.call.call(), &world.knowledge(), now());
    let mut said = json!({ "verdict": judgement.verdict.name() });
    let more = match judgement.verdict {
        Verdict::Refused(refusal) => policy.mask_refusal(&refusal, &mut world.seen).body().clone(),
        Verdict::Confirm(question) => json!({
            "rule": question.rule(),
            "form": match question.form() {
                Form::Region { options } => json!(options.iter().map(|(id, _)| id).collect::<Vec<_>>()),
                Form::Approve => json!("approve"),
                Form::TypeId { id, .. } => json!({ "resource_id": id }),
            },
            "question": question.message().lines().collect::<Vec<_>>(),
        }),
        Verdict::Need(calls) => {
            let calls: Vec<Value> = calls
                .iter()
                .map(|call| {
                    assert_eq!(call.origin(), Origin::Policy);
                    json!({ "tool": call.tool().name(), "arguments": call.arguments() })
                })
                .collect();
            json!({ "needs": calls })
        }
        Verdict::Exists(existing) => {
            json!({ "shown": policy.mask_existing(&existing, &mut world.seen).body() })
        }
        Verdict::Cleared(cleared) => {
            let (sent, given) = (cleared.call().arguments().clone(), case.call.call().arguments().clone());
            let mut cleared = json!({ "consent": cleared.consent().map(Approval::channel) });
            if sent != given {
                cleared["sent"] = Value::Object(sent);
            }
            if !judgement.advice.is_empty() {
                cleared["advice"] = json!(judgement.advice);
            }
            cleared
        }
    };
    merge(&mut said, more);
    if !judgement.grounds.is_empty() {
        let grounds: Vec<Value> = judgement
            .grounds
            .iter()
            .map(|ground| json!([ground.fact, ground.value, ground.learned_at]))
            .collect();
        merge(&mut said, json!({ "grounds": grounds }));
    }
    said
}

fn merge(whole: &mut Value, more: Value) {
    let (Value::Object(whole), Value::Object(more)) = (whole, more) else { panic!("no objects") };
    whole.extend(more);
}

fn tables() -> Vec<(String, Vec<Case>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/policies/tests");
    let mut tables: Vec<(String, Vec<Case>)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let file = path.file_name().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            let cases = text
                .lines()
                .enumerate()
                .map(|(line, text)| {
                    serde_json::from_str(text).unwrap_or_else(|error| panic!("{file}:{}: {error}", line + 1))
                })
                .collect();
            (file, cases)
        })
        .collect();
    tables.sort_by(|a, b| a.0.cmp(&b.0));
    tables
}

#[test]
fn every_case_of_the_tables_is_judged_as_it_says() {
    let mut wrong = Vec::new();
    for (file, cases) in tables() {
        for case in cases {
            let said = said(&case.knowledge.policy(), &case);
            if said != case.expect {
                wrong.push(format!("{file}: {}\n  said {said}\n  not  {}", case.name, case.expect));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Each compiled-in rule is proven both ways: by a call that keeps it or isn't bound by it, and by one that it stops.
#[test]
fn every_rule_has_a_case_that_keeps_it_and_one_that_it_stops() {
    let mut proven: BTreeMap<String, [bool; 2]> =
        policy().list().into_iter().map(|rule| (rule.id, [false; 2])).collect();
    for case in tables().into_iter().flat_map(|(_, cases)| cases) {
        let policy = case.knowledge.policy();
        let world = case.knowledge.world(&policy);
        let judgement = policy.judge(&case.call.call(), &world.knowledge(), now());
        for (id, [passed, stopped]) in &mut proven {
            let findings = judgement.findings.iter().filter(|finding| finding.id == *id);
            match Says::of(findings.map(|finding| finding.result)) {
                Says::Unbound => {}
                Says::Passed => *passed = true,
                // A rule that only advises stops nothing: to advise is what it does.
                Says::Advised | Says::Refused | Says::Asked | Says::Wants | Says::Answered => *stopped = true,
            }
        }
    }
    proven.retain(|_, both| *both != [true; 2]);
    assert_eq!(proven, BTreeMap::new(), "[passed, stopped]");
}

#[test]
fn every_case_has_a_name_of_its_own_and_a_rule() {
    let mut names = Map::new();
    for (file, cases) in tables() {
        assert!(!cases.is_empty(), "{file}");
        for case in cases {
            assert!(case.rules.iter().all(|id| id.starts_with("R-")), "{}", case.name);
            assert_eq!(names.insert(case.name.clone(), Value::Null), None, "{}", case.name);
        }
    }
}
