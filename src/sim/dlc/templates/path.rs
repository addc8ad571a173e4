//! Paths of fields in a job, such as `JobSpecs[0].Image`.

use serde_json::{Map, Value};

/// Where a field stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FieldPath(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
}

impl FieldPath {
    /// Reads names with dots between them and numbers in brackets.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut steps = Vec::new();
        for part in text.split('.') {
            let mut brackets = part.split('[');
            let name = brackets.next()?;
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                return None;
            }
            steps.push(Step::Name(name.to_owned()));
            for index in brackets {
                steps.push(Step::Index(index.strip_suffix(']')?.parse().ok()?));
            }
        }
        Some(Self(steps))
    }

    /// The name that it ends in.
    pub(super) fn leaf(&self) -> Option<&str> {
        self.0.iter().rev().find_map(|step| match step {
            Step::Name(name) => Some(name.as_str()),
            Step::Index(_) => None,
        })
    }

    /// What stands there; null is nothing.
    pub(super) fn get<'v>(&self, job: &'v Map<String, Value>) -> Option<&'v Value> {
        let mut steps = self.0.iter();
        let Some(Step::Name(first)) = steps.next() else { return None };
        let found = steps.try_fold(job.get(first)?, |value, step| match step {
            Step::Name(name) => value.get(name),
            Step::Index(index) => value.get(index),
        });
        found.filter(|value| !value.is_null())
    }

    /// Puts `value` there, or takes out what is there; what the path leads through is made where it isn't there.
    pub(super) fn set(&self, job: &mut Map<String, Value>, value: Option<Value>) {
        let Some((Step::Name(first), rest)) = self.0.split_first() else { return };
        if rest.is_empty() && value.is_none() {
            job.remove(first);
            return;
        }
        put(job.entry(first.clone()).or_insert(Value::Null), rest, value);
    }
}

fn put(place: &mut Value, steps: &[Step], value: Option<Value>) {
    let Some((step, rest)) = steps.split_first() else {
        *place = value.unwrap_or_default();
        return;
    };
    match step {
        Step::Name(name) => {
            if !place.is_object() {
                *place = Value::Object(Map::new());
            }
            let Value::Object(object) = place else { return };
            match (rest.is_empty(), &value) {
                (true, None) => drop(object.remove(name)),
                _ => put(object.entry(name.clone()).or_insert(Value::Null), rest, value),
            }
        }
        Step::Index(index) => {
            if !place.is_array() {
                *place = Value::Array(Vec::new());
            }
            let Value::Array(items) = place else { return };
            // A list grows by one item at most: nobody fills memory with a large number.
            if items.len() == *index && value.is_some() {
                items.push(Value::Null);
            }
            if let Some(item) = items.get_mut(*index) {
                put(item, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn job() -> Map<String, Value> {
        json!({"JobSpecs": [{"Image": "a"}], "Envs": {"A": null}}).as_object().unwrap().clone()
    }

    #[test]
    fn a_path_finds_and_puts() {
        let path = |text| FieldPath::parse(text).unwrap();
        assert_eq!(path("JobSpecs[0].Image").get(&job()), Some(&json!("a")));
        for text in ["JobSpecs[1].Image", "Envs.A", "JobSpecs.Image", "UserCommand"] {
            assert_eq!(path(text).get(&job()), None, "{text}");
        }
        let mut changed = job();
        path("JobSpecs[0].Image").set(&mut changed, Some(json!("b")));
        path("JobSpecs[1].Image").set(&mut changed, Some(json!("c")));
        path("JobSpecs[9].Image").set(&mut changed, Some(json!("d")));
        path("Envs").set(&mut changed, None);
        assert_eq!(Value::Object(changed), json!({"JobSpecs": [{"Image": "b"}, {"Image": "c"}]}));
        assert_eq!(path("JobSpecs[0].Image").leaf(), Some("Image"));
        assert_eq!(path("JobSpecs[0]").leaf(), Some("JobSpecs"));
    }

    #[test]
    fn what_is_no_path_is_none() {
        for text in ["", "$.A", "A[].B", "A[*]", "A[0", ".A", "A[-1]"] {
            assert_eq!(FieldPath::parse(text), None, "{text}");
        }
    }
}
