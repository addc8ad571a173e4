//! AIWorkSpace 2021-02-04: workspaces, and the assets that jobs are made of.

pub mod assets;
pub mod workspaces;

use crate::spec::Tool;

/// The tools of AIWorkSpace.
pub static TOOLS: [Tool; 5] = [
    Tool::of::<workspaces::CreateWorkspace>(),
    Tool::of::<workspaces::GetWorkspace>(),
    Tool::of::<assets::ListImages>(),
    Tool::of::<workspaces::ListProducts>(),
    Tool::of::<workspaces::ListWorkspaces>(),
];
