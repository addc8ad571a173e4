//! AIWorkSpace 2021-02-04: products, workspaces and images.

mod images;
mod products;
mod workspaces;

pub(super) use images::list_images;
pub(super) use products::list_products;
pub(super) use workspaces::{create_workspace, get_workspace, list_workspaces, win_name_race};
