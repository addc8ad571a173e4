//! Rules that look at one call alone.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Tunable, When};
use crate::policy::load::example::Example;
use crate::spec::Effect;

/// Some calls, or some settings of calls, are refused.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forbid {
    /// The rule's id.
    pub id: String,
    /// The rules of the sources that it enforces.
    #[serde(default)]
    pub sources: Vec<String>,
    /// What it protects.
    pub why: String,
    /// What an overlay may loosen.
    #[serde(default)]
    pub tunable: BTreeSet<Tunable>,
    /// Calls, and what it says of each.
    #[serde(default, skip_serializing)]
    pub examples: Vec<Example>,
    /// The tools bound; all when absent.
    pub tools: Option<BTreeSet<String>>,
    /// The effects bound; all when empty.
    #[serde(default)]
    pub effects: BTreeSet<Effect>,
    /// The settings that are refused; the whole call when there are none.
    #[serde(default)]
    pub settings: Vec<Setting>,
    /// What to do instead.
    pub fix: String,
    /// Whether an operator switched it off.
    #[serde(skip)]
    pub off: bool,
}

/// A setting of a call.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// How the argument's path ends, without indices.
    pub path: String,
    /// The values that matter, as text; none for any.
    #[serde(default)]
    pub is: Vec<String>,
}

/// Something must be given.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requires {
    /// The rule's id.
    pub id: String,
    /// The rules of the sources that it enforces.
    #[serde(default)]
    pub sources: Vec<String>,
    /// What it protects.
    pub why: String,
    /// What an overlay may loosen.
    #[serde(default)]
    pub tunable: BTreeSet<Tunable>,
    /// Calls, and what it says of each.
    #[serde(default, skip_serializing)]
    pub examples: Vec<Example>,
    /// The tools bound.
    pub tools: BTreeSet<String>,
    /// It binds a call in which each of these arguments has such a value.
    #[serde(default)]
    pub when: Vec<When>,
    /// The arguments of which one must be given: paths without indices.
    pub any_of: Vec<String>,
    /// What to do about it.
    pub fix: String,
    /// Whether an operator switched it off.
    #[serde(skip)]
    pub off: bool,
}

/// Of some arguments, one at most is given.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exclusive {
    /// The rule's id.
    pub id: String,
    /// The rules of the sources that it enforces.
    #[serde(default)]
    pub sources: Vec<String>,
    /// What it protects.
    pub why: String,
    /// What an overlay may loosen.
    #[serde(default)]
    pub tunable: BTreeSet<Tunable>,
    /// Calls, and what it says of each.
    #[serde(default, skip_serializing)]
    pub examples: Vec<Example>,
    /// The tools bound.
    pub tools: BTreeSet<String>,
    /// The arguments of which one at most is given: paths without indices.
    pub one_of: Vec<String>,
    /// It doesn't bind a call in which one of these is given, which explains them both.
    #[serde(default)]
    pub unless: Vec<String>,
    /// What to do about it.
    pub fix: String,
    /// Whether an operator switched it off.
    #[serde(skip)]
    pub off: bool,
}

/// Secrets, and links that let in whoever has them, are handed over by some tools only.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reveal {
    /// The rule's id.
    pub id: String,
    /// The rules of the sources that it enforces.
    #[serde(default)]
    pub sources: Vec<String>,
    /// What it protects.
    pub why: String,
    /// What an overlay may loosen.
    #[serde(default)]
    pub tunable: BTreeSet<Tunable>,
    /// Calls, and what it says of each.
    #[serde(default, skip_serializing)]
    pub examples: Vec<Example>,
    /// The tools let through.
    pub tools: BTreeSet<String>,
    /// What to do instead.
    pub fix: String,
}
