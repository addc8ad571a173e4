//! CreateJob: judged as the service judges it, then stored as it came.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::{lifecycle, machines, templates};
use crate::sim::params::{Fields, parse_body};
use crate::sim::reply::{CloudError, object};
use crate::sim::world::canaries::CALLER;
use crate::sim::world::{Job, Outcome, Output, Region, Workspace, WorkspaceStatus, World};

pub(super) const JOB_TYPES: &[&str] = &[
    "TFJob",
    "PyTorchJob",
    "MPIJob",
    "XGBoostJob",
    "OneFlowJob",
    "ElasticBatchJob",
    "SlurmJob",
    "RayJob",
    "DataJuicerJob",
];

pub(in crate::sim) fn create_job(
    world: &mut World,
    region: &str,
    body: &[u8],
    at: Timestamp,
) -> Result<Map<String, Value>, CloudError> {
    let request = parse_body(body)?;
    let request = templates::expanded(world.region(region), request)?;
    let fields = Fields::of_body(&request);
    check(&fields)?;
    let place = world.region(region);
    place.require_activated()?;
    let workspace = workspace(place, fields.text("WorkspaceId")?, "paidlc:CreateJob", at)?;
    assets_exist(place, &workspace.id, &fields)?;
    let workspace_id = workspace.id.clone();
    let (run, outcome) = plan(world, region, &workspace_id, &fields)?;
    let id = world.new_job_id();
    let reply = object([("JobId", Some(json!(id)))]);
    let job = Job {
        id,
        workspace_id,
        user_id: CALLER.user_id.to_owned(),
        submitted: at,
        updated: None,
        run,
        outcome,
        stopped: None,
        output: Output::Ordinary,
        reason: None,
        log: Vec::new(),
        events: Vec::new(),
        request,
    };
    let place = world.region_mut(region).ok_or_else(CloudError::not_activated)?;
    templates::note_use(place, &job.request, at);
    place.jobs.push(job);
    Ok(reply)
}

/// The workspace named; without one, as the service silently does, the region's default.
pub(super) fn workspace<'a>(
    place: &'a Region,
    named: Option<&str>,
    action: &'static str,
    at: Timestamp,
) -> Result<&'a Workspace, CloudError> {
    let default = || place.workspaces.iter().find(|workspace| workspace.is_default).map(|w| w.id.as_str());
    let id = match named {
        Some(id) => id,
        None => default().ok_or_else(CloudError::workspace_not_found)?,
    };
    let workspace = place.enter(id, action)?;
    if workspace.status(at) == WorkspaceStatus::Enabled {
        Ok(workspace)
    } else {
        Err(CloudError::bad_request(
            "WorkspaceNotEnabled",
            format!("The workspace is {}; it must be ENABLED.", workspace.status(at).as_str()),
        ))
    }
}

/// How long a job runs and how it ends, if nothing cuts it short.
pub(super) fn plan(
    world: &World,
    region: &str,
    workspace_id: &str,
    fields: &Fields<'_>,
) -> Result<(SignedDuration, Outcome), CloudError> {
    let (run, outcome) = lifecycle::rehearse(fields.required_text("UserCommand")?);
    let known = images_exist(world, region, workspace_id, fields)?;
    Ok((run, if known { outcome } else { Outcome::ImageMissing }))
}

pub(super) fn has_dataset(place: &Region, workspace_id: &str, id: &str) -> bool {
    place.datasets.iter().any(|dataset| dataset.id == id && dataset.workspace_id == workspace_id)
}

/// The datasets and the code source must be the workspace's own.
fn assets_exist(place: &Region, workspace_id: &str, fields: &Fields<'_>) -> Result<(), CloudError> {
    for source in fields.objects("DataSources")? {
        if let Some(id) = source.text("DataSourceId")?
            && !has_dataset(place, workspace_id, id)
        {
            let path = source.path("DataSourceId");
            return Err(CloudError::invalid(&path, "must be a dataset of the job's workspace"));
        }
    }
    if let Some(code) = fields.object("CodeSource")?
        && let Some(id) = code.text("CodeSourceId")?
        && !place.code_sources.iter().any(|source| source.id == id && source.workspace_id == workspace_id)
    {
        let path = code.path("CodeSourceId");
        return Err(CloudError::invalid(&path, "must be a code source of the job's workspace"));
    }
    Ok(())
}

/// Whether every task image is official or the workspace's own. The service accepts a job whose images
/// don't exist and lets it fail.
fn images_exist(
    world: &World,
    region: &str,
    workspace_id: &str,
    fields: &Fields<'_>,
) -> Result<bool, CloudError> {
    let mut known = world.official_images(region);
    let own = world.region(region).images.iter();
    known.extend(
        own.filter(|image| image.belongs.as_ref().is_some_and(|b| b.workspace_id == workspace_id)).cloned(),
    );
    for spec in fields.objects("JobSpecs")? {
        let image = spec.required_text("Image")?;
        if !known.iter().any(|known| known.uri == image) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a body is one that CreateJob takes, whatever the world holds.
pub(in crate::sim) fn check(fields: &Fields<'_>) -> Result<(), CloudError> {
    let name = fields.required_text("DisplayName")?;
    if name.chars().count() > 1024 {
        return Err(CloudError::invalid("DisplayName", "must have at most 1024 characters"));
    }
    let job_type = fields.choice("JobType", JOB_TYPES)?.ok_or_else(|| CloudError::missing("JobType"))?;
    fields.required_text("UserCommand")?;
    fields.text("Description")?;
    fields.text("ResourceId")?;
    fields.integer("Priority", 1, 9)?;
    fields.integer("JobMaxRunningTimeMinutes", 1, i64::MAX)?;
    fields.choice("Accessibility", &["PUBLIC", "PRIVATE"])?;
    fields.choice("SuccessPolicy", &["ChiefWorker", "AllWorkers"])?;
    fields.text_map("Envs")?;
    for env in fields.objects("CustomEnvs")? {
        env.required_text("Key")?;
        env.text("Value")?;
    }
    for source in fields.objects("DataSources")? {
        source.choice("MountAccess", &["RO", "RW"])?;
        source.text("MountPath")?;
        if source.text("DataSourceId")?.is_none() && source.text("Uri")?.is_none() {
            return Err(CloudError::missing(&source.path("DataSourceId")));
        }
    }
    if let Some(code) = fields.object("CodeSource")? {
        code.text("CodeSourceId")?;
        code.text("MountPath")?;
    }
    if let Some(vpc) = fields.object("UserVpc")? {
        vpc.choice("DefaultRoute", &["eth0", "eth1"])?;
        vpc.array("ExtendedCIDRs")?;
    }
    if let Some(settings) = fields.object("Settings")? {
        settings.flag("EnableSanityCheck")?;
        settings.choice("JobReservedPolicy", &["Always", "OnFailure", "OnSucceed"])?;
        settings.integer("JobReservedMinutes", 0, i64::MAX)?;
        settings.text_map("Tags")?;
    }
    let specs = fields.objects("JobSpecs")?;
    if specs.is_empty() {
        return Err(CloudError::missing("JobSpecs"));
    }
    specs.iter().try_for_each(|spec| check_spec(spec, job_type))
}

fn check_spec(spec: &Fields<'_>, job_type: &str) -> Result<(), CloudError> {
    let role = spec.required_text("Type")?;
    if !takes_role(job_type, role) {
        return Err(CloudError::invalid(&spec.path("Type"), &format!("must be a role of a {job_type}")));
    }
    spec.required_text("Image")?;
    spec.integer("PodCount", 1, 1000)?.ok_or_else(|| CloudError::missing(&spec.path("PodCount")))?;
    spec.choice("RestartPolicy", &["Always", "Never", "OnFailure", "ExitCode"])?;
    spec.flag("UseSpotInstance")?;
    spec.objects("ElasticSpotSpecs")?;
    if let Some(spot) = spec.object("SpotSpec")? {
        spot.choice("SpotStrategy", &["SpotWithPriceLimit"])?;
    }
    if let Some(service) = spec.object("ServiceSpec")? {
        service.choice("ServiceMode", &["PerPod", "PerRole"])?;
    }
    match (spec.text("EcsSpec")?, spec.object("ResourceConfig")?) {
        (Some(_), Some(_)) => {
            Err(CloudError::invalid(&spec.path("EcsSpec"), "must not stand beside ResourceConfig"))
        }
        (None, None) => Err(CloudError::missing(&spec.path("EcsSpec"))),
        (Some(name), None) => match machines::find(name) {
            Some(_) => Ok(()),
            None => Err(CloudError::invalid(&spec.path("EcsSpec"), "must be a machine type of this region")),
        },
        (None, Some(config)) => ["CPU", "Memory", "GPU", "GPUType", "SharedMemory"]
            .iter()
            .try_for_each(|key| config.text(key).map(drop)),
    }
}

/// The roles of each job type; those that document none take the common ones.
fn takes_role(job_type: &str, role: &str) -> bool {
    match job_type {
        "TFJob" => ["Chief", "PS", "Worker", "Evaluator", "GraphLearn"].contains(&role),
        "PyTorchJob" | "XGBoostJob" | "OneFlowJob" | "ElasticBatchJob" => {
            ["Worker", "Master"].contains(&role)
        }
        "RayJob" => ["Head", "Worker"].contains(&role) || role.starts_with("Worker-"),
        _ => ["Worker", "PS", "Master", "Evaluator", "Chief"].contains(&role),
    }
}

#[cfg(test)]
mod tests;
