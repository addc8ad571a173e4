//! The kind `sequence`: what the calls before say of a call.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::Tunable;
use crate::policy::history::LIFETIME;
use crate::policy::load::example::Example;
use crate::spec::Tool;
use crate::spec::marks::Kind;
use crate::tools;

rule! {
    /// What follows where certain calls came before.
    pub struct Sequence {
        /// The tools bound; all when absent.
        pub tools: Option<BTreeSet<String>>,
        /// The tools not bound.
        #[serde(default)]
        pub except: BTreeSet<String>,
        /// How a flag of the call stands, for the rule to bind it.
        pub flag: Option<Flag>,
        /// The argument with the call's ids, joined by commas where there are several.
        pub ids: Option<String>,
        /// The calls before.
        pub after: After,
        /// How long they count, in seconds.
        pub within_seconds: i64,
        /// What follows.
        pub then: Then,
        /// The flags that the call takes over from the last of them, where it doesn't give them.
        #[serde(default)]
        pub carry: BTreeSet<String>,
        /// What is told: to the human who is asked, in the refusal, or beside the result.
        pub say: String,
        /// What to do instead of a call that is refused, or that nobody agreed to.
        pub fix: Option<String>,
    }
}

/// A flag among the arguments, and how it stands. One that isn't given isn't set.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flag {
    /// The argument.
    pub name: String,
    /// Whether it is true.
    pub set: bool,
}

/// Calls before, in the same region.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct After {
    /// What was called; the tool of the call itself when absent.
    pub tools: Option<BTreeSet<String>>,
    /// The argument with their ids.
    pub ids: Option<String>,
    /// How a flag of theirs stood.
    pub flag: Option<Flag>,
    /// How they ended.
    pub ended: Ended,
    /// What they were about.
    pub about: About,
    /// Whether only the last of them count, back to the first that ended otherwise.
    #[serde(default)]
    pub in_a_row: bool,
    /// How many there were: different ids, where they were about others.
    #[serde(default = "once")]
    pub times: usize,
}

const fn once() -> usize {
    1
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// With a reply.
    Answered,
    /// What it named doesn't exist.
    Missing,
    /// The caller may not.
    Denied,
    /// In any other way.
    Failed,
}

impl Ended {
    /// The same in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Answered => "was answered",
            Self::Missing => "found nothing of that id",
            Self::Denied => "was denied for want of a permission",
            Self::Failed => "failed",
        }
    }
}

/// What calls before were about, beside the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum About {
    /// Whatever it was.
    Anything,
    /// One of its ids.
    SameIds,
    /// Other ids only.
    OtherIds,
    /// The same tool, workspace and thing.
    SameTarget,
    /// Just the same.
    SameCall,
}

/// What follows from calls before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Then {
    /// The call is refused.
    Refuse,
    /// A human is asked first.
    Ask,
    /// It takes over flags of theirs.
    Carry,
    /// The result has a word of advice.
    Advise,
}

impl Sequence {
    /// The arguments that must be remembered of calls to `tool`.
    pub fn watched<'r>(&'r self, tool: &str) -> impl Iterator<Item = &'r str> {
        let watches = self.precedes(tool);
        let After { ids, flag, .. } = &self.after;
        let flag = flag.as_ref().map(|flag| flag.name.as_str());
        let names = ids.as_deref().into_iter().chain(flag).chain(self.carry.iter().map(String::as_str));
        names.filter(move |_| watches)
    }

    /// Whether calls to `tool` count as calls before.
    pub fn precedes(&self, tool: &str) -> bool {
        match (&self.after.tools, &self.tools) {
            (Some(tools), _) => tools.contains(tool),
            (None, tools) => {
                tools.as_ref().is_none_or(|tools| tools.contains(tool)) && !self.except.contains(tool)
            }
        }
    }

    /// Why the rule can't be, and the fix.
    pub(in crate::policy::load) fn fault(&self) -> Option<String> {
        let After { tools: before, ids, flag, ended, about, in_a_row: _, times } = &self.after;
        let named = self.tools.iter().chain(before).flatten().chain(&self.except);
        if let Some(name) = named.into_iter().find(|name| tools::find(name).is_none()) {
            return Some(format!("there is no tool {name}; see `redline-mcp tools`"));
        }
        let bound = self.tools.as_ref();
        let earlier = before.as_ref().or(bound);
        let flags = |tools, name: &str| all(tools, |tool| has(tool, name, |kind| matches!(kind, Kind::Flag)));
        let texts = |tools, name: &str| all(tools, |tool| has(tool, name, |kind| matches!(kind, Kind::Text)));
        let lacks = [
            self.flag.as_ref().map(|flag| &flag.name).filter(|name| !flags(bound, name)),
            flag.as_ref().map(|flag| &flag.name).filter(|name| !flags(earlier, name)),
            self.carry.iter().find(|name| !flags(bound, name) || !flags(earlier, name)),
            self.ids.as_ref().filter(|name| !texts(bound, name)),
            ids.as_ref().filter(|name| !texts(earlier, name)),
        ];
        if let Some(name) = lacks.into_iter().flatten().next() {
            let needs = "a flag is true or false, ids are text, and the rule names its tools";
            return Some(format!("not every tool it is about has an argument {name} that fits: {needs}"));
        }
        let by_id = match about {
            About::SameIds | About::OtherIds => true,
            About::Anything | About::SameTarget | About::SameCall => false,
        };
        if by_id != (self.ids.is_some() && ids.is_some()) {
            return Some(
                "ids and after.ids go with about = \"same-ids\" or \"other-ids\", and only there".to_owned(),
            );
        }
        if *times == 0 || !(1..=LIFETIME.as_secs()).contains(&self.within_seconds) {
            let most = LIFETIME.as_secs();
            return Some(format!(
                "times is at least 1, and within_seconds from 1 to {most}: calls are forgotten then"
            ));
        }
        if *ended == Ended::Failed {
            return Some(
                "after.ended is one of answered, missing, denied: any other failure says nothing".to_owned(),
            );
        }
        if (self.then == Then::Carry) == self.carry.is_empty() {
            return Some("carry goes with then = \"carry\", and only there".to_owned());
        }
        let stops = match self.then {
            Then::Refuse | Then::Ask => true,
            Then::Carry | Then::Advise => false,
        };
        (stops != self.fix.is_some())
            .then(|| "fix goes with then = \"refuse\" and \"ask\", and only there".to_owned())
    }
}

fn all(tools: Option<&BTreeSet<String>>, fits: impl Fn(&'static Tool) -> bool) -> bool {
    tools.is_some_and(|tools| tools.iter().filter_map(|name| tools::find(name)).all(fits))
}

fn has(tool: &'static Tool, name: &str, is: impl Fn(&Kind) -> bool) -> bool {
    tool.request().field(name).is_some_and(|shape| is(&shape.inner().kind))
}

#[cfg(test)]
mod tests;
