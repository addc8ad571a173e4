//! The catalogue: every documented operation as a tool, a file per family.
//!
//! Adding an operation touches its family's file and the family's list, nothing else.

pub mod aiworkspace;
pub mod dlc;
pub mod pyromind;

use crate::spec::Tool;

/// Every family, in the order of the catalogue.
static FAMILIES: [&[Tool]; 3] = [&aiworkspace::TOOLS, &dlc::TOOLS, &pyromind::TOOLS];

/// Every tool, sorted by name within its cloud.
pub fn all() -> impl Iterator<Item = &'static Tool> {
    FAMILIES.iter().flat_map(|family| family.iter())
}

/// The tool called `name`.
pub fn find(name: &str) -> Option<&'static Tool> {
    all().find(|tool| tool.name() == name)
}

#[cfg(test)]
pub(crate) mod tests;
