//! Arguments of nearly the right form and knowledge of any form; replies with a canary in every place that must not show.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use regex::Regex;
use serde_json::Map;

use super::*;
use crate::spec::Tool;
use crate::spec::marks::{Kind, Mark, Shape};
use crate::tools::tests::arguments::least;

/// Texts that fit one pattern or another, or a rule looks at.
const TEXTS: [&str; 26] = [
    "abc",
    "my_workspace",
    "1001",
    "123,456",
    "1",
    "all",
    "cn-hangzhou",
    "cn-beijing",
    "registry/pytorch:2.3",
    "registry/pytorch:2.3 ",
    "d-1",
    "tpl1",
    "dlc1",
    "dlc1-worker-0",
    "system.chipType=GPU",
    "2999-01-15T00:00:00Z",
    "2001-01-15T00:00:00+08:00",
    "PT48H",
    "/mnt/data",
    "oss://bucket/a/",
    "handle:aeaqcaibaeaqcaibaeaqcaibae",
    "LTAI5tCanaryCanaryCanary",
    "a\u{202e}b\u{1b}[2J\n\u{0}",
    "视觉组🚀",
    "",
    "{\"JobType\":\"PyTorchJob\"}",
];

/// What decides at each turn; what is missing is 0.
struct Dice<'d>(std::slice::Iter<'d, u8>);

impl Dice<'_> {
    fn next(&mut self) -> u8 {
        self.0.next().copied().unwrap_or_default()
    }

    fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[usize::from(self.next()) % from.len()]
    }

    fn text(&mut self) -> Value {
        json!(self.pick(&TEXTS))
    }
}

/// A value of `schema`, but for a turn in thirty, which makes it anything.
fn near(schema: &Value, dice: &mut Dice<'_>) -> Value {
    if dice.next() > 247 {
        let list = [json!(null), json!(true), json!(-1), json!(1e300), json!([[]]), json!({ "a": {} })];
        return if dice.next() < 128 { dice.text() } else { dice.pick(&list).clone() };
    }
    match schema["type"].as_str().unwrap_or_default() {
        "object" => {
            let mut object = Map::new();
            let required: Vec<&str> =
                schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
                if required.contains(&&**name) || dice.next() < 48 {
                    object.insert(name.clone(), near(inner, dice));
                }
            }
            if schema["additionalProperties"].is_object() {
                let key = dice.text();
                object.insert(key.as_str().unwrap().to_owned(), near(&schema["additionalProperties"], dice));
            }
            Value::Object(object)
        }
        "array" => {
            let least = schema["minItems"].as_u64().unwrap_or_default();
            let more = u64::from(dice.next() % 3);
            (0..least + more).map(|_| near(&schema["items"], dice)).collect()
        }
        "integer" => {
            let least = schema["minimum"].as_i64().unwrap_or_default();
            json!(*dice.pick(&[least, least + 1, schema["maximum"].as_i64().unwrap_or(i64::MAX)]))
        }
        "number" => json!(f64::from(dice.next()) / 7.0),
        "boolean" => json!(dice.next() < 128),
        _ => match (schema["enum"].as_array(), schema["pattern"].as_str()) {
            (Some(values), _) => dice.pick(values).clone(),
            (None, Some(pattern)) => {
                let pattern = Regex::new(pattern).unwrap();
                let fit: Vec<&str> = TEXTS.into_iter().filter(|text| pattern.is_match(text)).collect();
                if fit.is_empty() { dice.text() } else { json!(dice.pick(&fit)) }
            }
            (None, None) => dice.text(),
        },
    }
}

/// The least arguments of `tool`, some of them other than they should be and some others beside.
fn nearly(tool: &Tool, dice: &mut Dice<'_>) -> Map<String, Value> {
    let mut arguments = least(tool.name());
    let Value::Object(given) = near(&tool.schema().full, dice) else { return Map::new() };
    for (name, value) in given {
        if !arguments.contains_key(&name) || dice.next() < 64 {
            arguments.insert(name, value);
        }
    }
    arguments
}

/// Facts, regions, past calls and reads of this step, whatever they are about.
fn any_world(dice: &mut Dice<'_>) -> World {
    let mut world = if dice.next() < 128 { World::ready() } else { World::default() };
    let facts = [Fact::Workspace, Fact::Image, Fact::Dataset, Fact::CodeSource, Fact::Template];
    let regions = ["cn-hangzhou", "cn-beijing", ""];
    let instants: [Timestamp; 3] = [now(), Timestamp::MAX, Timestamp::MIN];
    for _ in 0..dice.next() % 8 {
        let known = Known { at: *dice.pick(&instants), learned_at: u64::from(dice.next()) };
        let region = *dice.pick(&regions);
        let workspace = if dice.next() < 128 { Some(*dice.pick(&TEXTS)) } else { None };
        let value: &&str = dice.pick(&TEXTS);
        world.facts.learn(*dice.pick(&facts), region, workspace, value, known);
        world.facts.activate(region, known);
        world.consents.confirm(ACCOUNT, region, *dice.pick(&instants));
    }
    let tools: Vec<&'static Tool> = crate::tools::all().collect();
    for _ in 0..dice.next() % 4 {
        let tool = *dice.pick(&tools);
        let call = tool_call(tool, dice);
        let reply = shaped(call.tool().reply(), dice);
        let described = match dice.next() % 4 {
            0 => json!({ "lost": "reset" }),
            1 => json!({ "error": { "status": 404, "code": dice.text(), "message": dice.text() } }),
            _ => json!({ "reply": reply }),
        };
        let known = Known { at: now(), learned_at: 7 };
        policy().remember(&call, &outcome(&described), &mut world.history, *dice.pick(&instants));
        policy().learn(&call, &outcome(&described), &mut world.facts, known);
        policy().note(&call, &outcome(&described), &mut world.seen);
        policy().witness(call.by(Origin::Policy), outcome(&described), &mut world.evidence, known);
    }
    world
}

fn tool_call(tool: &'static Tool, dice: &mut Dice<'_>) -> Call {
    tool.parse(&nearly(tool, dice)).unwrap_or_else(|_| tool.parse(&least(tool.name())).unwrap())
}

/// A reply of nearly the right form.
fn shaped(shape: &Shape, dice: &mut Dice<'_>) -> Value {
    if dice.next() > 247 {
        return dice.text();
    }
    match &shape.kind {
        Kind::Object(fields) => {
            Value::Object(fields.iter().map(|(name, shape)| (name.clone(), shaped(shape, dice))).collect())
        }
        Kind::List(item) => (0..dice.next() % 3).map(|_| shaped(item, dice)).collect(),
        Kind::Map(item) => json!({ *dice.pick(&TEXTS): shaped(item, dice) }),
        Kind::Text | Kind::Any => dice.text(),
        Kind::Integer | Kind::Number => json!(u64::from(dice.next()) * 1_000_000_007),
        Kind::Flag => json!(dice.next() < 128),
    }
}

/// Plants a canary of its own in each place that must not show, and remembers it.
struct Planter<'d> {
    dice: Dice<'d>,
    planted: Vec<String>,
}

impl Planter<'_> {
    fn canary(&mut self) -> String {
        let canary = format!("canary{:04}Zq7Xw2Kp", self.planted.len());
        self.planted.push(canary.clone());
        canary
    }

    /// A canary in one form or another.
    fn wrapped(&mut self) -> Value {
        let canary = self.canary();
        match self.dice.next() % 6 {
            0 => json!([canary]),
            1 => json!({ "value": canary }),
            2 => json!({ canary: 1 }),
            3 => json!([[{ "deep": [canary] }]]),
            _ => json!(canary),
        }
    }

    fn reply(&mut self, shape: &Shape) -> Value {
        if let Some(inner) = &shape.json {
            let inside = self.reply(inner);
            return if self.dice.next() < 128 { inside.to_string().into() } else { inside };
        }
        if shape.open {
            return json!({ "api_token": self.canary(), "password": self.canary() });
        }
        // What a program printed is shown as it is, in whatever form.
        if shape.untrusted {
            return json!("printed");
        }
        match (shape.mark, &shape.kind) {
            (Some(Mark::Link), _) => json!("https://a.example/b"),
            (Some(Mark::UrlToken | Mark::PlainLink), _) => {
                json!(format!("https://a.example/b?token={}", self.canary()))
            }
            (Some(Mark::EnvValues), _) => json!({ "A": self.canary(), "B": self.wrapped() }),
            (Some(Mark::Joined), _) => json!(["dev", { "x": self.canary() }]),
            (Some(Mark::Last4 | Mark::First | Mark::Omit | Mark::HandOver | Mark::EnvValue), _)
            | (None, Kind::Any) => self.wrapped(),
            (None, Kind::Object(fields)) => {
                let mut object = Map::new();
                for (name, shape) in fields {
                    object.insert(name.clone(), self.reply(shape));
                    if self.dice.next() < 48 {
                        object.insert(format!("{name}Extra"), self.wrapped());
                    }
                }
                object.insert("Unknown".to_owned(), self.wrapped());
                Value::Object(object)
            }
            (None, Kind::List(item)) => (0..=self.dice.next() % 2).map(|_| self.reply(item)).collect(),
            (None, Kind::Map(item)) => json!({ "key": self.reply(item) }),
            // A value of another form than its type has, which nothing may bring through.
            (None, Kind::Text) if self.dice.next() < 32 => json!([self.canary()]),
            (None, Kind::Integer | Kind::Number | Kind::Flag) if self.dice.next() < 32 => {
                json!(self.canary())
            }
            (None, Kind::Text) => json!("plain"),
            (None, Kind::Integer | Kind::Number) => json!(3),
            (None, Kind::Flag) => json!(true),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is called and whatever is known, judging ends, and what it says can be shown.
    #[test]
    fn judging_never_panics(tool in 0..crate::tools::all().count(), dice in prop::collection::vec(any::<u8>(), 400)) {
        let mut dice = Dice(dice.iter());
        let tool = crate::tools::all().nth(tool).unwrap();
        let mut world = any_world(&mut dice);
        let Ok(call) = tool.parse(&nearly(tool, &mut dice)) else { return Ok(()) };
        let origin = if dice.next() < 64 { Origin::Policy } else { Origin::Agent };
        let call = call.by(origin);
        let instant = *dice.pick(&[now(), Timestamp::MAX, Timestamp::MIN]);
        let judgement = policy().judge(&call, &world.knowledge(), instant);
        if let Verdict::Refused(refusal) = &judgement.verdict {
            prop_assert!(!refusal.violations.is_empty());
            policy().mask_refusal(refusal, &mut world.seen);
        }
        policy().mask_call(&call, &world.seen);
    }

    /// R-WS-14, R-WS-16, R-WS-91: what has a mark, a field that no type names, or a form that its type hasn't, doesn't show,
    /// though nothing else ever said what it is.
    #[test]
    fn no_canary_shows_wherever_it_is_planted(
        tool in 0..crate::tools::all().count(),
        dice in prop::collection::vec(any::<u8>(), 300),
    ) {
        let tool = crate::tools::all().nth(tool).unwrap();
        let call = tool.parse(&least(tool.name())).unwrap();
        let mut planter = Planter { dice: Dice(dice.iter()), planted: Vec::new() };
        let reply = planter.reply(tool.reply());
        prop_assert!(!planter.planted.is_empty());
        let outcome = Outcome::Reply(Raw::new(reply));
        let shown = policy().mask_reply(&call, &outcome, &mut Seen::default()).unwrap();
        let text = shown.masked.body().to_string();
        for canary in &planter.planted {
            prop_assert!(!text.contains(&**canary), "{}: {canary} in {text}", tool.name());
        }
    }
}

/// The arguments above are no noise: most of them reach the policy, of every tool.
#[test]
fn nearly_right_arguments_reach_the_policy() {
    let mut runner = TestRunner::deterministic();
    let dice = prop::collection::vec(any::<u8>(), 400);
    for tool in crate::tools::all() {
        let reached = (0..20).filter(|_| {
            let dice = dice.new_tree(&mut runner).unwrap().current();
            tool.parse(&nearly(tool, &mut Dice(dice.iter()))).is_ok()
        });
        let reached = reached.count();
        assert!(reached >= 2, "{}: {reached} of 20", tool.name());
    }
}
