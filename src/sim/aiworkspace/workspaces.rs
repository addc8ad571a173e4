//! Workspaces: list, read, create; and the rival who creates one first.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::sim::params::{Fields, Query, parse_body};
use crate::sim::reply::{CloudError, object};
use crate::sim::world::canaries::{ADMIN_LI, CALLER, Person, RIVAL, ZHANG};
use crate::sim::world::seed::DEFAULT_RESOURCE_GROUP;
use crate::sim::world::{Owner, Workspace, World};

/// How many workspaces a region holds at most.
const LIMIT: usize = 50;

pub(in crate::sim) fn list_workspaces(
    world: &World,
    region: &str,
    query: &Query,
    at: Timestamp,
) -> Result<Map<String, Value>, CloudError> {
    let workspaces = &world.region(region).workspaces;
    match query.choice("Option", &["GetWorkspaces", "GetResourceLimits", "CheckWorkspaceExists"])? {
        Some("CheckWorkspaceExists") => {
            let name = query.text("WorkspaceName").ok_or_else(|| CloudError::missing("WorkspaceName"))?;
            let found = workspaces.iter().filter(|workspace| workspace.name == name);
            let rows: Vec<Value> = found.map(|workspace| json!({"WorkspaceName": workspace.name})).collect();
            Ok(object([("TotalCount", Some(json!(rows.len()))), ("Workspaces", Some(json!(rows)))]))
        }
        Some("GetResourceLimits") => {
            let limits = json!({"Workspace": {"Limit": LIMIT, "Used": workspaces.len()}});
            Ok(object([("ResourceLimits", Some(limits)), ("TotalCount", Some(json!(0)))]))
        }
        _ => list_rows(workspaces, query, at),
    }
}

fn list_rows(
    workspaces: &[Workspace],
    query: &Query,
    at: Timestamp,
) -> Result<Map<String, Value>, CloudError> {
    let status =
        query.choice("Status", &["ENABLED", "INITIALIZING", "FAILURE", "DISABLED", "FROZEN", "UPDATING"])?;
    let by_change = query.choice("SortBy", &["GmtCreateTime", "GmtModifiedTime"])? == Some("GmtModifiedTime");
    let descending = query.choice("Order", &["ASC", "DESC"])? == Some("DESC");
    let ids_only = query.choice("Fields", &["Id"])?.is_some();
    query.flag("Verbose", false)?;
    let ids = query.list("WorkspaceIds");
    let name = query.text("WorkspaceName").map(str::to_lowercase);
    // Every workspace of this world has the PAI module and no other.
    let pai = query.list("ModuleList").is_none_or(|modules| modules.contains(&"PAI"));

    let mut found: Vec<&Workspace> = workspaces
        .iter()
        .filter(|workspace| {
            pai && ids.as_ref().is_none_or(|ids| ids.contains(&workspace.id.as_str()))
                && name.as_ref().is_none_or(|name| workspace.name.to_lowercase().contains(name))
                && status.is_none_or(|status| workspace.status(at).as_str() == status)
                && query.text("ResourceGroupId").is_none_or(|group| workspace.resource_group_id == group)
                && query
                    .text("UserId")
                    .is_none_or(|user| workspace.creator == user || workspace.owner.user_id == user)
        })
        .collect();
    found.sort_by_key(|w| (if by_change { w.modified } else { w.created }, &w.id));
    if descending {
        found.reverse();
    }
    let total = found.len();
    let rows = query.page(found)?.into_iter().map(|workspace| {
        Value::Object(if ids_only {
            object([("WorkspaceId", Some(json!(workspace.id)))])
        } else {
            row(workspace, at)
        })
    });
    Ok(object([("TotalCount", Some(json!(total))), ("Workspaces", Some(rows.collect()))]))
}

/// A row of a list: administrators always, and the resource group in its own spelling.
fn row(workspace: &Workspace, at: Timestamp) -> Map<String, Value> {
    let mut row = details(workspace, at);
    row.insert("AdminNames".to_owned(), json!(workspace.admins));
    row.insert("resourceGroupId".to_owned(), json!(workspace.resource_group_id));
    row
}

fn details(workspace: &Workspace, at: Timestamp) -> Map<String, Value> {
    object([
        ("WorkspaceId", Some(json!(workspace.id))),
        ("WorkspaceName", Some(json!(workspace.name))),
        ("DisplayName", Some(json!(workspace.display_name))),
        ("Description", Some(json!(workspace.description))),
        ("EnvTypes", Some(json!(workspace.env_types))),
        ("Status", Some(json!(workspace.status(at).as_str()))),
        ("IsDefault", Some(json!(workspace.is_default))),
        ("Creator", Some(json!(workspace.creator))),
        ("GmtCreateTime", Some(json!(workspace.created))),
        ("GmtModifiedTime", Some(json!(workspace.modified))),
        ("ExtraInfos", Some(json!(workspace.extra_infos))),
    ])
}

pub(in crate::sim) fn get_workspace(
    world: &World,
    region: &str,
    id: &str,
    query: &Query,
    at: Timestamp,
) -> Result<Map<String, Value>, CloudError> {
    let verbose = query.flag("Verbose", false)?;
    let workspace = world.region(region).enter(id, "paiworkspace:GetWorkspace")?;
    let mut body = details(workspace, at);
    body.insert("ResourceGroupId".to_owned(), json!(workspace.resource_group_id));
    if verbose {
        let Owner { user_id, user_kp, user_name, display_name } = &workspace.owner;
        let owner =
            json!({"UserId": user_id, "UserKp": user_kp, "UserName": user_name, "DisplayName": display_name});
        body.insert("Owner".to_owned(), owner);
        body.insert("AdminNames".to_owned(), json!(workspace.admins));
    }
    Ok(body)
}

/// What a valid CreateWorkspace asks for.
struct Wish {
    name: String,
    display_name: String,
    description: String,
    env_types: Vec<String>,
    resource_group_id: String,
}

impl Wish {
    fn read(body: &[u8]) -> Result<Self, CloudError> {
        let body = parse_body(body)?;
        let fields = Fields::of_body(&body);
        let name = fields.required_text("WorkspaceName")?;
        if !is_name(name) {
            return Err(CloudError::invalid(
                "WorkspaceName",
                "must be 3 to 23 letters, digits and underscores, a letter first",
            ));
        }
        let description = fields.required_text("Description")?;
        if description.chars().count() > 80 {
            return Err(CloudError::invalid("Description", "must have at most 80 characters"));
        }
        let mut env_types: Vec<&str> = fields.array("EnvTypes")?.iter().filter_map(Value::as_str).collect();
        env_types.sort_unstable();
        if fields.array("EnvTypes")?.is_empty() {
            return Err(CloudError::missing("EnvTypes"));
        }
        if fields.array("EnvTypes")?.len() != env_types.len()
            || !matches!(env_types.as_slice(), ["prod"] | ["dev", "prod"])
        {
            return Err(CloudError::invalid("EnvTypes", "must be [\"prod\"] or [\"dev\", \"prod\"]"));
        }
        Ok(Self {
            name: name.to_owned(),
            display_name: fields.text("DisplayName")?.unwrap_or(name).to_owned(),
            description: description.to_owned(),
            env_types: env_types.into_iter().map(str::to_owned).collect(),
            resource_group_id: fields.text("ResourceGroupId")?.unwrap_or(DEFAULT_RESOURCE_GROUP).to_owned(),
        })
    }
}

fn is_name(name: &str) -> bool {
    (3..=23).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

pub(in crate::sim) fn create_workspace(
    world: &mut World,
    region: &str,
    body: &[u8],
    at: Timestamp,
) -> Result<Map<String, Value>, CloudError> {
    let wish = Wish::read(body)?;
    let id = create(world, region, wish, CALLER, CALLER.user_id, at)?;
    Ok(object([("WorkspaceId", Some(json!(id)))]))
}

/// Somebody else creates a workspace of the name that `body` asks for. Nothing happens when nobody could.
pub(in crate::sim) fn win_name_race(world: &mut World, region: &str, body: &[u8], same: bool, at: Timestamp) {
    let created = Wish::read(body).and_then(|mut wish| {
        if !same {
            // Never what was asked for: if the caller chose this very text, an ending makes it differ.
            let ending = if wish.description == RIVAL_DESCRIPTION { " too" } else { "" };
            wish.description = format!("{RIVAL_DESCRIPTION}{ending}");
        }
        create(world, region, wish, ZHANG, RIVAL, at)
    });
    // The rival gets the same errors as anyone else, and nobody is there to read them.
    drop(created);
}

const RIVAL_DESCRIPTION: &str = "Claimed by another team";

fn create(
    world: &mut World,
    region: &str,
    wish: Wish,
    owner: Person,
    creator: &str,
    at: Timestamp,
) -> Result<String, CloudError> {
    let place = world.region(region);
    place.require_activated()?;
    if place.workspaces.iter().any(|workspace| workspace.name == wish.name) {
        return Err(CloudError::new(
            StatusCode::CONFLICT,
            "WorkspaceNameAlreadyExists",
            "The workspace name already exists in this region.".to_owned(),
        ));
    }
    if place.workspaces.len() >= LIMIT {
        return Err(CloudError::bad_request(
            "WorkspaceLimitExceeded",
            format!("A region holds at most {LIMIT} workspaces."),
        ));
    }
    let id = world.new_workspace_id();
    let workspace = Workspace {
        id: id.clone(),
        name: wish.name,
        display_name: wish.display_name,
        description: wish.description,
        env_types: wish.env_types,
        resource_group_id: wish.resource_group_id,
        is_default: false,
        created: at,
        modified: at,
        held: None,
        closed: false,
        creator: creator.to_owned(),
        owner: owner.into(),
        admins: vec![ADMIN_LI.to_owned()],
        extra_infos: Map::new(),
    };
    let place = world.region_mut(region).ok_or_else(CloudError::not_activated)?;
    place.workspaces.push(workspace);
    Ok(id)
}

#[cfg(test)]
mod tests;
