//! The catalogue: every documented operation as a tool, a file per family.
//!
//! Adding an operation touches its family's file and the family's list, nothing else.

pub mod aiworkspace;
pub mod dlc;
pub mod pyromind;
pub mod selection;

use std::sync::LazyLock;

use crate::spec::Tool;
use selection::Toolset;

/// Every family, and the toolset that it is.
static FAMILIES: [(Toolset, &[Tool]); 10] = [
    (Toolset::Workspace, &aiworkspace::TOOLS),
    (Toolset::DlcJobs, &dlc::JOBS),
    (Toolset::DlcTemplates, &dlc::TEMPLATES),
    (Toolset::DlcObserve, &dlc::OBSERVE),
    (Toolset::DlcObserve, &dlc::ACCESS),
    (Toolset::Tensorboard, &dlc::TENSORBOARDS),
    (Toolset::PyromindSandboxes, &pyromind::SANDBOXES),
    (Toolset::PyromindInstances, &pyromind::INSTANCES),
    (Toolset::PyromindInference, &pyromind::INFERENCE),
    (Toolset::PyromindTraining, &pyromind::TRAINING),
];

/// Every tool, sorted by name.
static SORTED: LazyLock<Vec<&'static Tool>> = LazyLock::new(|| {
    let mut tools: Vec<&Tool> = FAMILIES.iter().flat_map(|(_, tools)| tools.iter()).collect();
    tools.sort_unstable_by_key(|tool| tool.name());
    tools
});

/// Every tool, sorted by name.
pub fn all() -> impl Iterator<Item = &'static Tool> {
    SORTED.iter().copied()
}

/// The tool called `name`.
pub fn find(name: &str) -> Option<&'static Tool> {
    let index = SORTED.binary_search_by_key(&name, |tool| tool.name()).ok()?;
    SORTED.get(index).copied()
}

#[cfg(test)]
pub(crate) mod tests;
