//! AIWorkSpace 2021-02-04: products, workspaces and their assets.

mod code_sources;
mod datasets;
mod images;
mod products;
mod workspaces;

pub(super) use code_sources::{get_code_source, list_code_sources};
pub(super) use datasets::{get_dataset, list_datasets};
pub(super) use images::{get_image, list_images};
pub(super) use products::list_products;
pub(super) use workspaces::{create_workspace, get_workspace, list_workspaces, win_name_race};
