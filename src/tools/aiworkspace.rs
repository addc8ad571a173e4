//! AIWorkSpace 2021-02-04: workspaces, and the assets that jobs are made of.

pub mod assets;
pub mod code_sources;
pub mod datasets;
pub mod workspaces;

use crate::spec::Tool;

/// The tools of AIWorkSpace.
pub static TOOLS: [Tool; 10] = [
    Tool::of::<workspaces::CreateWorkspace>(),
    Tool::of::<code_sources::GetCodeSource>(),
    Tool::of::<datasets::GetDataset>(),
    Tool::of::<assets::GetImage>(),
    Tool::of::<workspaces::GetWorkspace>(),
    Tool::of::<code_sources::ListCodeSources>(),
    Tool::of::<datasets::ListDatasets>(),
    Tool::of::<assets::ListImages>(),
    Tool::of::<workspaces::ListProducts>(),
    Tool::of::<workspaces::ListWorkspaces>(),
];
