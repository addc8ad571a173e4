//! The rules as they are shown: to an operator on the command line, to an agent as resources.

use serde::Serialize;
use serde_json::Value;

use super::Policy;
use super::load::{Rule, Tunable};

/// A rule as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: &'static str,
    /// What it protects.
    pub why: String,
    /// The rules of the sources that it enforces.
    pub sources: Vec<String>,
    /// The file that it stands in.
    pub file: String,
    /// Whether nothing loosens it.
    pub locked: bool,
    /// What an overlay may loosen of it.
    pub tunable: Vec<Tunable>,
    /// The overlays that change it.
    pub changed_by: Vec<String>,
    /// Whether an operator switched it off.
    pub off: bool,
}

impl Policy {
    /// Every rule, in the order in which rules are heard.
    pub fn list(&self) -> Vec<Listed> {
        self.rules.all().map(|rule| self.listed(rule)).collect()
    }

    /// The rule called `id`, and its whole text.
    pub fn show(&self, id: &str) -> Option<(Listed, Value)> {
        let rule = self.about(id)?;
        let text = rule.text().ok().map(without_blanks)?;
        Some((self.listed(rule), text))
    }

    fn listed(&self, rule: &dyn Rule) -> Listed {
        let has = |ids: &[String]| ids.iter().any(|id| id == rule.id());
        let file = self.files.iter().find(|file| has(&file.rules));
        let changed = self.files.iter().filter(|file| has(&file.changes));
        Listed {
            id: rule.id().to_owned(),
            kind: rule.kind(),
            why: rule.why().to_owned(),
            sources: rule.sources().to_vec(),
            file: file.map(|file| file.name.clone()).unwrap_or_default(),
            locked: rule.tunable().is_empty(),
            tunable: rule.tunable().iter().copied().collect(),
            changed_by: changed.map(|file| file.name.clone()).collect(),
            off: rule.is_off(),
        }
    }
}

/// A rule's text without what it leaves out.
fn without_blanks(mut text: Value) -> Value {
    if let Value::Object(rule) = &mut text {
        rule.retain(|_, value| match value {
            Value::Null => false,
            Value::Array(items) => !items.is_empty(),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => true,
        });
    }
    text
}
