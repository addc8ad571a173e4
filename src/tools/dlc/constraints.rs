//! What a template says of its fields: which of them a job can't change, may change or must give.
//!
//! A field is named by its path, as the documentation writes it: `JobSpecs[0].Image` (R-DLC-68).

use std::collections::BTreeMap;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Fault, Faults};
use crate::spec::marks::{Kind, Shape};
use crate::spec::value::choices;

choices! {
    /// What a job may do about a field of its template.
    Constraint { Locked = "locked", Overridable = "overridable", Required = "required" }
}

/// The fields of a template that are constrained, by their paths.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Constraints(BTreeMap<String, Constraint>);

impl Constraints {
    /// The paths, in their order, and what is said of each; `Err` with what isn't a path.
    pub fn paths(&self) -> impl Iterator<Item = (Result<FieldPath, &str>, Constraint)> {
        self.0.iter().map(|(path, constraint)| (path.parse().map_err(|_| path.as_str()), *constraint))
    }

    /// Whether a job must give what stands at `path`, or something that it stands in.
    pub fn requires(&self, path: &str) -> bool {
        let Ok(path) = path.parse::<FieldPath>() else { return false };
        self.paths().any(|(known, constraint)| {
            constraint == Constraint::Required && known.is_ok_and(|known| path.0.starts_with(&known.0))
        })
    }

    /// Adds a fault for every path that is none, that leads to no field of `shape`, or to an item that `content`
    /// hasn't got.
    pub(super) fn check(&self, shape: &Shape, content: &Value, faults: &mut Faults) {
        for name in self.0.keys() {
            let place = || format!("Constraints.{}", presentable(name));
            let known = |path: &FieldPath| path.leads(shape);
            let (message, fix) = match (name.parse::<FieldPath>(), name.strip_prefix("$.")) {
                (Ok(path), _) if !known(&path) => (
                    "leads to no field of a job",
                    "name a field of Content as dlc_create_job has it, such as JobSpecs[0].Image".to_owned(),
                ),
                (Ok(path), _) if !path.is_within(content) => (
                    "leads to an item that Content hasn't got",
                    "count from 0, and give in Content what is constrained".to_owned(),
                ),
                (Ok(_), _) => continue,
                (Err(NoPath), Some(rest)) if rest.parse().is_ok_and(|path| known(&path)) => {
                    ("begins with $.", format!("leave that out: {rest}"))
                }
                (Err(NoPath), _) => (
                    "isn't the path of a field",
                    "write it like JobSpecs[0].Image, UserCommand or DataSources[0].MountPath".to_owned(),
                ),
            };
            faults.find(|| Fault::new(place(), message, fix));
        }
    }
}

/// A path that somebody may have made up, short and without anything that could pass for something else.
fn presentable(path: &str) -> String {
    path.chars().filter(char::is_ascii_graphic).take(80).collect()
}

/// Where a field stands in a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldPath(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
}

/// A text isn't the path of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("isn't the path of a field, such as JobSpecs[0].Image")]
pub struct NoPath;

impl FromStr for FieldPath {
    type Err = NoPath;

    fn from_str(text: &str) -> Result<Self, NoPath> {
        let mut steps = Vec::new();
        for part in text.split('.') {
            let (name, indices) = part.split_at(part.find('[').unwrap_or(part.len()));
            let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
                && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
            if !is_name {
                return Err(NoPath);
            }
            steps.push(Step::Name(name.to_owned()));
            if indices.is_empty() {
                continue;
            }
            let inner = indices.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).ok_or(NoPath)?;
            for index in inner.split("][") {
                let number: usize = index.parse().map_err(|_| NoPath)?;
                // Neither `+1` nor `01`: one field has one path.
                if number.to_string() != index {
                    return Err(NoPath);
                }
                steps.push(Step::Index(number));
            }
        }
        Ok(Self(steps))
    }
}

impl std::fmt::Display for FieldPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Name(name) if at == 0 => f.write_str(name)?,
                Step::Name(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl FieldPath {
    /// What stands there in `value`. Null is nothing.
    pub fn get<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        let found = self.0.iter().try_fold(value, |value, step| match step {
            Step::Name(name) => value.get(name),
            Step::Index(index) => value.get(index),
        });
        found.filter(|value| !value.is_null())
    }

    /// Whether `self` is `other`, or stands in it.
    pub fn is_in(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }

    /// Whether there is such a field in `shape`.
    fn leads(&self, shape: &Shape) -> bool {
        let end = self.0.iter().try_fold(shape, |shape, step| match (step, &shape.kind) {
            (Step::Name(name), Kind::Object(_)) => shape.field(name),
            (Step::Name(_), Kind::Map(item)) | (Step::Index(_), Kind::List(item)) => Some(item.as_ref()),
            (
                Step::Name(_) | Step::Index(_),
                Kind::Object(_)
                | Kind::List(_)
                | Kind::Map(_)
                | Kind::Text
                | Kind::Integer
                | Kind::Number
                | Kind::Flag
                | Kind::Any,
            ) => None,
        });
        end.is_some()
    }

    /// Whether `value` has each item that the path counts.
    fn is_within(&self, value: &Value) -> bool {
        let last = self.0.iter().rposition(|step| matches!(step, Step::Index(_)));
        let counted = self.0.iter().take(last.map_or(0, |last| last + 1)).cloned().collect();
        Self(counted).get(value).is_some()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// R-DLC-68
    #[test]
    fn a_path_has_dots_and_counted_items_and_one_form() {
        for text in ["UserCommand", "JobSpecs[0].Image", "DataSources[12].MountPath", "Envs._A9", "A[0][1].B"]
        {
            assert_eq!(text.parse::<FieldPath>().map(|path| path.to_string()), Ok(text.to_owned()));
        }
        for text in [
            "",
            ".",
            "$.JobSpecs[0].Image",
            "JobSpecs[].Image",
            "JobSpecs[*].Image",
            "JobSpecs[-1]",
            "JobSpecs[01]",
            "JobSpecs[+1]",
            "JobSpecs[0",
            "JobSpecs0]",
            "[0].Image",
            "JobSpecs[0]Image",
            "JobSpecs..Image",
            "A.",
            "JobSpecs.0.Image",
            "/JobSpecs/0",
            "Job Specs",
            "JobSpecs[0].Ім'я",
            "JobSpecs[0 ]",
            "JobSpecs[99999999999999999999]",
        ] {
            assert_eq!(text.parse::<FieldPath>(), Err(NoPath), "{text}");
        }
    }

    #[test]
    fn a_path_finds_what_stands_there() {
        let job = json!({ "JobSpecs": [{ "Image": "a" }], "Envs": { "A": null } });
        let get = |path: &str| path.parse::<FieldPath>().unwrap().get(&job).cloned();
        assert_eq!(get("JobSpecs[0].Image"), Some(json!("a")));
        for missing in ["JobSpecs[1].Image", "JobSpecs.Image", "Envs.A", "Envs[0]", "UserCommand"] {
            assert_eq!(get(missing), None, "{missing}");
        }
    }

    /// R-DLC-21: a role that must be given whole may lack all of itself.
    #[test]
    fn what_stands_in_something_required_is_required() {
        let constraints: Constraints =
            serde_json::from_value(json!({ "JobSpecs[0]": "required", "UserCommand": "locked" })).unwrap();
        assert!(constraints.requires("JobSpecs[0].Image") && constraints.requires("JobSpecs[0]"));
        for other in ["JobSpecs", "JobSpecs[1].Image", "UserCommand", "Job Specs"] {
            assert!(!constraints.requires(other), "{other}");
        }
    }
}
