//! Which tools a launch offers: an operator leaves out what an agent has no business with.
//!
//! A tool that isn't offered isn't listed, and can't be called either. The policy's own reads are bound by neither.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{FAMILIES, all};
use crate::spec::{Effect, Tool};

/// A group of tools that belong together. Each tool is in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Toolset {
    /// Workspaces, whether PAI is activated, and what jobs are made of.
    Workspace,
    /// Training jobs.
    DlcJobs,
    /// Templates of jobs.
    DlcTemplates,
    /// What goes on inside a job, and ways into one.
    DlcObserve,
    /// TensorBoards.
    Tensorboard,
    /// PyroMind's sandboxes.
    PyromindSandboxes,
    /// PyroMind's instances.
    PyromindInstances,
    /// PyroMind's inference tasks.
    PyromindInference,
    /// PyroMind's training jobs.
    PyromindTraining,
}

impl Toolset {
    /// Every toolset.
    pub const ALL: [Self; 9] = [
        Self::Workspace,
        Self::DlcJobs,
        Self::DlcTemplates,
        Self::DlcObserve,
        Self::Tensorboard,
        Self::PyromindSandboxes,
        Self::PyromindInstances,
        Self::PyromindInference,
        Self::PyromindTraining,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::DlcJobs => "dlc_jobs",
            Self::DlcTemplates => "dlc_templates",
            Self::DlcObserve => "dlc_observe",
            Self::Tensorboard => "tensorboard",
            Self::PyromindSandboxes => "pyromind_sandboxes",
            Self::PyromindInstances => "pyromind_instances",
            Self::PyromindInference => "pyromind_inference",
            Self::PyromindTraining => "pyromind_training",
        }
    }

    /// Its tools.
    pub fn tools(self) -> impl Iterator<Item = &'static Tool> {
        FAMILIES.iter().filter(move |(toolset, _)| *toolset == self).flat_map(|(_, tools)| tools.iter())
    }
}

/// Which tools a launch offers.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// The names of those offered; all when absent.
    only: Option<BTreeSet<&'static str>>,
    except: BTreeSet<&'static str>,
    read_only: bool,
}

impl Selection {
    /// The tools of `toolsets` and those named in `tools`, all where neither is given; without those named in
    /// `except`; and with `read_only` only those that change nothing and reveal nothing.
    pub fn new(
        toolsets: &[Toolset],
        tools: &[&'static str],
        except: &[&'static str],
        read_only: bool,
    ) -> Self {
        let named = toolsets.iter().flat_map(|toolset| toolset.tools()).map(Tool::name);
        let only: BTreeSet<&'static str> = named.chain(tools.iter().copied()).collect();
        Self {
            only: (!toolsets.is_empty() || !tools.is_empty()).then_some(only),
            except: except.iter().copied().collect(),
            read_only,
        }
    }

    /// Whether `tool` is offered.
    pub fn offers(&self, tool: &Tool) -> bool {
        let reads = match tool.spec().effect {
            Effect::Read | Effect::Untrusted => true,
            Effect::Reveal | Effect::Create | Effect::Update | Effect::Act | Effect::Destroy => false,
        };
        self.only.as_ref().is_none_or(|only| only.contains(tool.name()))
            && !self.except.contains(tool.name())
            && (reads || !self.read_only)
    }

    /// The tools offered, by name.
    pub fn tools(&self) -> impl Iterator<Item = &'static Tool> {
        all().filter(|tool| self.offers(tool))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(selection: &Selection) -> Vec<&'static str> {
        selection.tools().map(Tool::name).collect()
    }

    #[test]
    fn every_tool_is_in_one_toolset() {
        let mut found: Vec<&str> =
            Toolset::ALL.into_iter().flat_map(Toolset::tools).map(Tool::name).collect();
        found.sort_unstable();
        assert_eq!(found, all().map(Tool::name).collect::<Vec<_>>());
    }

    #[test]
    fn nothing_given_offers_all() {
        assert_eq!(names(&Selection::default()), all().map(Tool::name).collect::<Vec<_>>());
    }

    #[test]
    fn toolsets_and_tools_add_up_and_exceptions_are_taken_out() {
        let given = Selection::new(
            &[Toolset::DlcObserve],
            &["dlc_get_job", "dlc_stop_job"],
            &["dlc_stop_job", "dlc_get_pod_logs"],
            false,
        );
        let mut expected: Vec<&str> = Toolset::DlcObserve.tools().map(Tool::name).collect();
        expected.retain(|name| *name != "dlc_get_pod_logs");
        expected.push("dlc_get_job");
        expected.sort_unstable();
        assert_eq!(names(&given), expected);
        let without = Selection::new(&[], &[], &["dlc_create_job"], false);
        assert!(!names(&without).contains(&"dlc_create_job") && names(&without).len() + 1 == all().count());
    }

    #[test]
    fn read_only_leaves_nothing_that_changes_or_reveals() {
        let given = Selection::new(&[], &["dlc_create_job", "dlc_get_job"], &[], true);
        assert_eq!(names(&given), ["dlc_get_job"]);
        for tool in Selection::new(&[], &[], &[], true).tools() {
            assert!(!tool.spec().effect.changes(), "{}", tool.name());
        }
    }
}
