//! A create whose answer was lost is looked for by its name, and never sent again.

use super::*;
use crate::policy::verdict::Review;
use crate::spec::unique::Unique;

/// A create of PyroMind's for each kind of thing with a name of its own.
fn creates() -> [Call; 4] {
    let small = json!({ "cpu": 4, "memory": 16, "gpu": 0 });
    [
        call(
            "pyromind_create_sandbox",
            &json!({ "name": "ppo-eval", "sandbox_type": "cpu-sandbox", "resource_config": small }),
        ),
        call(
            "pyromind_create_instance",
            &json!({ "name": "rl-lab", "resource_type": "cpu", "resource_config": small }),
        ),
        call(
            "pyromind_create_inference_task",
            &json!({
                "name": "shelves",
                "model_type": "cv",
                "model_name": "shelf-detector",
                "resource_config": small,
                "input_config": { "data_source": "s3://acme/in.csv", "data_format": "CSV" },
                "output_config": { "output_bucket": "acme", "output_path": "/out" },
            }),
        ),
        call(
            "pyromind_submit_training_job",
            &json!({
                "name": "lander",
                "training_framework": "pytorch",
                "model_name": "ppo-lunar-lander-v2",
                "resource_config": small,
                "data_config": { "train_data_source": "s3://acme/train" },
                "hyperparameters": { "learning_rate": 0.0003, "epochs": 1000 },
                "output_config": { "output_bucket": "acme-models", "output_path": "/ppo" },
            }),
        ),
    ]
}

fn review(call: &Call, evidence: &Evidence) -> Review {
    policy().review(call, &outcome(&json!({ "lost": "the connection was closed" })), evidence, now())
}

/// Reads as the policy asks for them, until it says something final; how many there were.
fn looked(call: &Call, unique: &Unique, rows: &Value, existing: &Value) -> (Review, Vec<&'static str>) {
    let mut evidence = Evidence::default();
    let mut read = Vec::new();
    loop {
        let calls = match review(call, &evidence) {
            Review::Need(calls) => calls,
            end @ (Review::Done | Review::Told(_) | Review::Exists(_) | Review::Refused(_)) => {
                return (end, read);
            }
        };
        for wanted in calls {
            assert!(!wanted.spec().effect.changes(), "{wanted:?}");
            let name = wanted.tool().name();
            let reply = if name == unique.list.tool {
                json!({ unique.list.rows: rows, unique.list.total: rows.as_array().unwrap().len() })
            } else {
                existing.clone()
            };
            read.push(name);
            evidence.add(wanted, Outcome::Reply(Raw::new(reply)));
        }
    }
}

/// R-PM-011, R-PM-047, R-PM-074, R-PM-090: there as wanted, it is the answer; not there, or otherwise, nobody says that
/// it was made; nothing is sent twice.
#[test]
fn what_a_lost_answer_made_is_looked_for_by_its_name() {
    for call in creates() {
        let unique = call.spec().unique().unwrap();
        let (list, get) = (unique.list.tool, unique.get);
        let name = call.text(unique.name).unwrap();
        let row = json!([{ unique.list.name: name, unique.list.id: "x_1" }]);
        let mut existing = Value::Object(call.arguments().clone());
        existing[unique.list.id] = json!("x_1");

        let (end, read) = looked(&call, unique, &row, &existing);
        assert_eq!(read, [list, get]);
        let Review::Exists(found) = end else { panic!("{name} isn't taken for what was asked for") };
        let note = "the cloud's answer was lost; a look shows that it exists, with these settings";
        assert!(found.note.starts_with(note), "{}", found.note);
        let shown = policy().mask_existing(&found, &mut Seen::default());
        assert_eq!(shown.body()[unique.list.id], "x_1", "{}", shown.body());

        let (end, read) = looked(&call, unique, &json!([]), &Value::Null);
        assert_eq!(read, [list]);
        let Review::Refused(refusal) = end else { panic!("{name} is said to be there") };
        let noun = unique.noun;
        assert_eq!(
            (&*refusal.rule, &*refusal.error, refusal.retryable),
            (
                "cloud-lost-answer",
                &*format!(
                    "the connection was closed; a look doesn't show the {noun}, so it probably wasn't created"
                ),
                true
            )
        );

        for compared in unique.compared.iter().filter(|argument| call.arguments().contains_key(**argument)) {
            let mut other = existing.clone();
            other[*compared] = json!("something else");
            let (end, _) = looked(&call, unique, &row, &other);
            let Review::Refused(refusal) = end else {
                panic!("{name} with another {compared} is taken for it")
            };
            assert_eq!(refusal.rule, "cloud-lost-answer");
            assert!(refusal.violations.iter().any(|fault| fault.path == *compared), "{refusal:?}");
        }
    }
}

/// R-PM-011: somebody else's of nearly the same name isn't it.
#[test]
fn only_the_very_name_counts() {
    for call in creates() {
        let unique = call.spec().unique().unwrap();
        let name = call.text(unique.name).unwrap();
        let near = json!([
            { unique.list.name: format!("{name}-2"), unique.list.id: "x_1" },
            { unique.list.name: name.to_uppercase(), unique.list.id: "x_2" },
        ]);
        let (end, read) = looked(&call, unique, &near, &Value::Null);
        assert_eq!(read, [unique.list.tool]);
        assert!(matches!(end, Review::Refused(refusal) if refusal.rule == "cloud-lost-answer"));
    }
}
