//! ListDatasets and GetDataset.

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::sim::params::Query;
use crate::sim::reply::{CloudError, object};
use crate::sim::world::datasets::{
    DATA_SOURCE_TYPES, DATA_TYPES, Dataset, EDITIONS, PROPERTIES, SOURCE_TYPES, Sharing,
};
use crate::sim::world::{Region, Workspace, World};

/// How many rows a page has by default: fewer than in the other lists.
const PAGE: usize = 10;

pub(in crate::sim) fn list_datasets(
    world: &World,
    region: &str,
    query: &Query,
) -> Result<Map<String, Value>, CloudError> {
    let filter = Filter::read(query)?;
    let by_change = query.choice("SortBy", &["GmtCreateTime", "GmtModifiedTime"])? == Some("GmtModifiedTime");
    let descending = query.choice("Order", &["ASC", "DESC"])? == Some("DESC");
    let place = world.region(region);
    let workspace = workspace(place, query)?;
    let mut found: Vec<&Dataset> = place
        .datasets
        .iter()
        .filter(|dataset| dataset.workspace_id == workspace.id && filter.takes(dataset))
        .collect();
    found.sort_by_key(|dataset| (if by_change { dataset.modified } else { dataset.created }, &dataset.id));
    if descending {
        found.reverse();
    }
    let total = found.len();
    let rows = query.page_of(found, PAGE)?.into_iter().map(|dataset| Value::Object(body(dataset))).collect();
    Ok(object([("Datasets", Some(rows)), ("TotalCount", Some(json!(total)))]))
}

/// The workspace named; without one, the region's default.
fn workspace<'a>(place: &'a Region, query: &Query) -> Result<&'a Workspace, CloudError> {
    let default = || place.workspaces.iter().find(|workspace| workspace.is_default).map(|w| w.id.as_str());
    let id = query.text("WorkspaceId").or_else(default).ok_or_else(CloudError::workspace_not_found)?;
    place.enter(id, "paidataset:ListDatasets")
}

/// What a list is narrowed to. Nobody here has a provider, a source or an origin, so that a filter by one finds
/// nothing.
struct Filter<'q> {
    ids: Option<Vec<&'q str>>,
    name: Option<String>,
    label: Option<&'q str>,
    words: [Words; 6],
    shared: Option<&'static str>,
    nothing: bool,
}

/// The words that one of a dataset's fields may be.
struct Words {
    allowed: Option<Vec<&'static str>>,
    field: fn(&Dataset) -> &str,
}

impl Words {
    fn take(&self, dataset: &Dataset) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| allowed.contains(&(self.field)(dataset)))
    }
}

impl<'q> Filter<'q> {
    fn read(query: &'q Query) -> Result<Self, CloudError> {
        let one = |choice: Option<&'static str>| choice.map(|choice| vec![choice]);
        let absent = ["Provider", "SourceId", "SourceDatasetId"];
        Ok(Self {
            ids: query.list("DatasetIds"),
            name: query.text("Name").map(str::to_lowercase),
            label: query.text("Label"),
            words: [
                Words {
                    allowed: query.choices("DataSourceTypes", DATA_SOURCE_TYPES)?,
                    field: |dataset| &dataset.data_source_type,
                },
                Words {
                    allowed: query.choices("DataTypes", DATA_TYPES)?,
                    field: |dataset| &dataset.data_type,
                },
                Words {
                    allowed: query.choices("Properties", PROPERTIES)?,
                    field: |dataset| &dataset.property,
                },
                Words {
                    allowed: query.choices("SourceTypes", SOURCE_TYPES)?,
                    field: |dataset| &dataset.source_type,
                },
                Words { allowed: one(query.choice("Edition", EDITIONS)?), field: |dataset| &dataset.edition },
                Words {
                    allowed: one(query.choice("Accessibility", &["PUBLIC", "PRIVATE"])?),
                    field: |dataset| &dataset.accessibility,
                },
            ],
            shared: query.choice("ShareScope", &["TO_ME", "BY_ME"])?,
            nothing: absent.iter().any(|name| query.text(name).is_some()),
        })
    }

    fn takes(&self, dataset: &Dataset) -> bool {
        let labelled = |wanted: &str| {
            dataset.labels.iter().any(|(key, value)| wanted == key || wanted == format!("{key}={value}"))
        };
        let shared = match self.shared {
            None => true,
            Some("TO_ME") => dataset.shared_from.is_some(),
            Some(_) => !dataset.shared_to.is_empty(),
        };
        !self.nothing
            && shared
            && self.ids.as_ref().is_none_or(|ids| ids.contains(&dataset.id.as_str()))
            && self.name.as_ref().is_none_or(|name| dataset.name.to_lowercase().contains(name))
            && self.label.is_none_or(labelled)
            && self.words.iter().all(|words| words.take(dataset))
    }
}

pub(in crate::sim) fn get_dataset(
    world: &World,
    region: &str,
    id: &str,
) -> Result<Map<String, Value>, CloudError> {
    let place = world.region(region);
    let dataset = place.datasets.iter().find(|dataset| dataset.id == id).ok_or_else(|| {
        CloudError::new(StatusCode::NOT_FOUND, "201300003", "Dataset not exists".to_owned())
    })?;
    place.enter(&dataset.workspace_id, "paidataset:GetDataset")?;
    Ok(body(dataset))
}

fn body(dataset: &Dataset) -> Map<String, Value> {
    let labels: Value =
        dataset.labels.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    let options = json!({"mountPath": dataset.mount_path}).to_string();
    let version = json!({
        "VersionName": "v1",
        "Description": dataset.description,
        "DataSourceType": dataset.data_source_type,
        "Property": dataset.property,
        "Uri": dataset.uri,
        "DataCount": dataset.files,
        "DataSize": dataset.bytes,
        "Labels": labels,
        "MountAccess": "RO",
        "Options": options,
        "SourceType": dataset.source_type,
        "DatasetTaskRamRole": format!("acs:ram::{}:role/dataset-task", dataset.owner_id),
        "UserMetricsEndpoints": [],
        "GmtCreateTime": dataset.created,
        "GmtModifiedTime": dataset.modified,
    });
    let shared: Vec<Value> = dataset.shared_to.iter().map(sharing).collect();
    let restricted = !dataset.roles.is_empty();
    object([
        ("DatasetId", Some(json!(dataset.id))),
        ("WorkspaceId", Some(json!(dataset.workspace_id))),
        ("Name", Some(json!(dataset.name))),
        ("Description", Some(json!(dataset.description))),
        ("Accessibility", Some(json!(dataset.accessibility))),
        ("AccessibleRoleIdList", restricted.then(|| json!(dataset.roles))),
        ("DataSourceType", Some(json!(dataset.data_source_type))),
        ("DataType", Some(json!(dataset.data_type))),
        ("Property", Some(json!(dataset.property))),
        ("Uri", Some(json!(dataset.uri))),
        ("Edition", Some(json!(dataset.edition))),
        ("Labels", Some(labels)),
        ("LatestVersion", Some(version)),
        ("MountAccess", Some(json!("RO"))),
        ("Options", Some(json!(options))),
        ("ProviderType", Some(json!("Ecs"))),
        ("SourceType", Some(json!(dataset.source_type))),
        ("IsShared", Some(json!(dataset.shared_from.is_some() || !shared.is_empty()))),
        ("SharedFrom", dataset.shared_from.as_ref().map(sharing)),
        ("SharingConfig", (!shared.is_empty()).then(|| json!({"SharedTo": shared}))),
        ("UserId", Some(json!(dataset.user_id))),
        ("OwnerId", Some(json!(dataset.owner_id))),
        ("GmtCreateTime", Some(json!(dataset.created))),
        ("GmtModifiedTime", Some(json!(dataset.modified))),
    ])
}

fn sharing(sharing: &Sharing) -> Value {
    json!({
        "WorkspaceId": sharing.workspace_id,
        "TenantId": sharing.tenant_id,
        "SourceWorkspaceId": sharing.source_workspace_id,
        "SourceTenantId": sharing.source_tenant_id,
        "Status": "ACTIVE",
        "AllowedMountAccessLevels": ["RO"],
        "IsSecureMode": false,
        "SharedAt": sharing.shared,
        "Extra": sharing.extra,
    })
}

#[cfg(test)]
mod tests;
