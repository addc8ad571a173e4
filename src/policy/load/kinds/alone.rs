//! Rules that look at one call alone.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Tunable, When};
use crate::policy::load::example::Example;
use crate::spec::Effect;

rule! {
    /// Some calls, or some settings of calls, are refused.
    pub struct Forbid {
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

rule! {
    /// Something must be given.
    pub struct Requires {
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
}

rule! {
    /// Of some arguments, one at most is given.
    pub struct Exclusive {
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
}

rule! {
    /// Secrets, and links that let in whoever has them, are handed over by some tools only.
    pub struct Reveal {
        /// The tools let through.
        pub tools: BTreeSet<String>,
        /// What to do instead.
        pub fix: String,
    }
}
