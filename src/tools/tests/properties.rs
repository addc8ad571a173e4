//! Whatever is given: no panic, no fault without a place to look, no fault that repeats a value.

use proptest::prelude::*;
use serde_json::{Map, Value};

use super::arguments::least;
use crate::tools::all;

/// A value that stands in no schema, message or fix.
const CANARY: &str = "zq7canary";

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(|text| Value::from(format!("{CANARY}{text}"))),
        Just(Value::from(7_770_777_077_i64)),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[A-Za-z]{1,6}", inner, 0..3)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// The places in `value` where something else can be put.
fn pointers(value: &Value, path: String, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let path = format!("{path}/{name}");
                found.push(path.clone());
                pointers(value, path, found);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                let path = format!("{path}/{index}");
                found.push(path.clone());
                pointers(value, path, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn faults_never_repeat_a_value(
        tool in 0..all().count(),
        names in prop::collection::vec(any::<prop::sample::Index>(), 1..4),
        values in prop::collection::vec(value(), 3),
    ) {
        let tool = all().nth(tool).unwrap();
        let mut arguments = Value::Object(least(tool.name()));
        if let Value::Object(properties) = &tool.schema().full["properties"] {
            for (index, value) in names.iter().zip(&values) {
                let name = index.get(&properties.keys().collect::<Vec<_>>()).to_string();
                arguments.as_object_mut().unwrap().insert(name, value.clone());
            }
        }
        let mut places = Vec::new();
        pointers(&arguments, String::new(), &mut places);
        if let (Some(index), Some(value)) = (names.last(), values.last()) {
            *arguments.pointer_mut(index.get(places.as_slice()).as_str()).unwrap() = value.clone();
        }
        match tool.parse(arguments.as_object().unwrap()) {
            Ok(call) => prop_assert_eq!(call.tool().name(), tool.name()),
            Err(faults) => {
                prop_assert!(!faults.is_empty());
                for fault in faults {
                    let said = fault.to_string();
                    prop_assert!(!said.contains(CANARY) && !said.contains("7770777077"), "{}", said);
                    prop_assert!(!fault.path.is_empty(), "{}", said);
                }
            }
        }
    }

    #[test]
    fn what_parses_is_sent_as_it_was_given(
        tool in 0..all().count(),
        name in any::<prop::sample::Index>(),
        value in value(),
    ) {
        let tool = all().nth(tool).unwrap();
        let mut arguments: Map<String, Value> = least(tool.name());
        if let Value::Object(properties) = &tool.schema().full["properties"] {
            let name = name.get(&properties.keys().collect::<Vec<_>>()).to_string();
            arguments.insert(name, value);
        }
        if let Ok(call) = tool.parse(&arguments) {
            prop_assert_eq!(call.arguments(), &arguments);
        }
    }
}
