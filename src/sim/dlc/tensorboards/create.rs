//! CreateTensorboard: of a job or of data, never of both.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::sim::dlc::{machines, submit};
use crate::sim::params::{Fields, parse_body};
use crate::sim::reply::{CloudError, object};
use crate::sim::world::canaries::CALLER;
use crate::sim::world::{Tensorboard, World};

pub(super) const ACCESSIBILITY: &[&str] = &["PUBLIC", "PRIVATE"];

const PRIORITIES: &[&str] = &["1", "2", "3", "4", "5", "6", "7", "8", "9"];

const ACTION: &str = "paidlc:CreateTensorboard";

pub(in crate::sim) fn create_tensorboard(
    world: &mut World,
    region: &str,
    body: &[u8],
    at: Timestamp,
) -> Result<Map<String, Value>, CloudError> {
    let request = parse_body(body)?;
    let fields = Fields::of_body(&request);
    check(&fields)?;
    let place = world.region(region);
    place.require_activated()?;
    let named = fields.text("WorkspaceId")?;
    let job = fields.text("JobId")?.map(|id| super::super::find(place, id, ACTION)).transpose()?;
    if let (Some(job), Some(workspace)) = (job, named)
        && job.workspace_id != workspace
    {
        return Err(CloudError::invalid("WorkspaceId", "must be the job's"));
    }
    let named = job.map(|job| job.workspace_id.as_str()).or(named);
    let workspace_id = submit::workspace(place, named, ACTION, at)?.id.clone();
    let mut datasets = vec![("DataSourceId".to_owned(), fields.text("DataSourceId")?)];
    for source in fields.objects("DataSources")? {
        datasets.push((source.path("DataSourceId"), source.text("DataSourceId")?));
    }
    for (path, id) in datasets {
        if id.is_some_and(|id| !submit::has_dataset(place, &workspace_id, id)) {
            return Err(CloudError::invalid(&path, "must be a dataset of the TensorBoard's workspace"));
        }
    }
    let id = world.new_tensorboard_id();
    let reply = object([
        ("TensorboardId", Some(json!(id))),
        ("JobId", request.get("JobId").cloned()),
        ("DataSourceId", request.get("DataSourceId").cloned()),
    ]);
    let board = Tensorboard {
        id,
        workspace_id,
        user_id: CALLER.user_id.to_owned(),
        created: at,
        modified: at,
        started: at,
        ended: None,
        request,
    };
    world.region_mut(region).ok_or_else(CloudError::not_activated)?.tensorboards.push(board);
    Ok(reply)
}

/// Whether a body is one that CreateTensorboard takes, whatever the world holds.
pub(in crate::sim) fn check(fields: &Fields<'_>) -> Result<(), CloudError> {
    let listed = fields.objects("DataSources")?;
    let compared = fields.objects("TensorboardDataSources")?;
    let of_data = !listed.is_empty()
        || !compared.is_empty()
        || fields.text("DataSourceId")?.is_some()
        || fields.text("Uri")?.is_some();
    match (fields.text("JobId")?, of_data) {
        (Some(_), true) => return Err(CloudError::invalid("JobId", "must not stand beside data sources")),
        (None, false) => return Err(CloudError::missing("JobId")),
        (Some(_), false) | (None, true) => {}
    }
    for name in ["DisplayName", "QuotaId", "SourceId", "SourceType", "SummaryPath", "SummaryRelativePath"] {
        fields.text(name)?;
    }
    fields.choice("DataSourceType", &["OSS", "NAS"])?;
    fields.choice("Accessibility", ACCESSIBILITY)?;
    fields.choice("Priority", PRIORITIES)?;
    for name in ["MaxRunningTimeMinutes", "Cpu", "Memory"] {
        fields.integer(name, 1, i64::MAX)?;
    }
    if let Some(options) = fields.text("Options")?
        && serde_json::from_str::<Map<String, Value>>(options).is_err()
    {
        return Err(CloudError::invalid("Options", "must be a JSON object"));
    }
    for source in listed {
        source.text("MountPath")?;
        if source.text("DataSourceId")?.is_none() && source.text("Path")?.is_none() {
            return Err(CloudError::missing(&source.path("DataSourceId")));
        }
    }
    for source in compared {
        source.choice("SourceType", &["datasource", "dlcjob"])?;
        let named = ["Id", "Uri", "FullSummaryPath"].into_iter().map(|name| source.text(name));
        if named.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().next().is_none() {
            return Err(CloudError::missing(&source.path("Uri")));
        }
    }
    if let Some(spec) = fields.object("TensorboardSpec")?
        && let Some(machine) = spec.text("EcsType")?
        && machines::find(machine).is_none()
    {
        return Err(CloudError::invalid(&spec.path("EcsType"), "must be a machine type of this region"));
    }
    Ok(())
}
