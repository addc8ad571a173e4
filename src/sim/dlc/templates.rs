//! Templates of jobs: stored as they came, in versions that never change.

mod content;
mod path;

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::sim::params::{Fields, Query, parse_body};
use crate::sim::reply::{CloudError, object};
use crate::sim::world::canaries::{CALLER, TENANT};
use crate::sim::world::{Region, Template, TemplateVersion, World};
pub(in crate::sim) use content::check;

type Answer = Result<Map<String, Value>, CloudError>;

pub(in crate::sim) fn create_job_template(
    world: &mut World,
    region: &str,
    body: &[u8],
    at: Timestamp,
) -> Answer {
    let body = parse_body(body)?;
    let fields = Fields::of_body(&body);
    let name = name(&fields)?.ok_or_else(|| invalid_name("is mandatory for this action"))?.to_owned();
    let workspace_id = fields.required_text("WorkspaceId")?.to_owned();
    let (content, constraints) = content::read(&fields)?.ok_or_else(|| {
        CloudError::bad_request(
            "InvalidParameter.Content",
            "Content is mandatory for this action.".to_owned(),
        )
    })?;
    let place = world.region(region);
    place.require_activated()?;
    place.enter(&workspace_id, "paidlc:CreateJobTemplate")?;
    let template = Template {
        id: world.new_template_id(),
        workspace_id,
        name,
        description: fields.text("Description")?.unwrap_or_default().to_owned(),
        metadata: fields.map("Metadata")?.cloned().unwrap_or_default(),
        created: at,
        modified: at,
        last_used: None,
        user_id: CALLER.user_id.to_owned(),
        modified_by: CALLER.user_id.to_owned(),
        default_version: 1,
        versions: vec![TemplateVersion {
            content,
            constraints,
            created: at,
            user_id: CALLER.user_id.to_owned(),
        }],
    };
    let mut reply = summary(&template);
    reply.remove("ModifiedBy");
    reply.insert("Version".to_owned(), json!(1));
    world.region_mut(region).ok_or_else(CloudError::not_activated)?.templates.push(template);
    Ok(reply)
}

pub(in crate::sim) fn get_job_template(world: &World, region: &str, id: &str, query: &Query) -> Answer {
    let template = find(world.region(region), id, "paidlc:GetJobTemplate")?;
    let wanted: Vec<u64> = match query.text("Version") {
        None => vec![template.default_version],
        Some("all") => (1..=template.newest()).rev().collect(),
        Some(text) => {
            let number =
                text.parse().map_err(|_| CloudError::invalid("Version", "must be a number or all"))?;
            vec![number]
        }
    };
    let versions = wanted.into_iter().map(|number| {
        let version = template.version(number).ok_or_else(no_version)?;
        Ok(json!({
            "Version": number,
            "Content": version.content,
            "Constraints": version.constraints,
            "GmtCreateTime": version.created,
            "CreatedBy": version.user_id,
        }))
    });
    let versions: Vec<Value> = versions.collect::<Result<_, CloudError>>()?;
    let mut reply = summary(template);
    reply.insert("TotalCount".to_owned(), json!(versions.len()));
    reply.insert("Versions".to_owned(), json!(versions));
    Ok(reply)
}

const SORT_KEYS: &[&str] = &["GmtCreateTime", "GmtModifyTime", "TemplateName"];

pub(in crate::sim) fn list_job_templates(world: &World, region: &str, query: &Query) -> Answer {
    let workspace = query.text("WorkspaceId").ok_or_else(|| CloudError::missing("WorkspaceId"))?;
    let sort_by = query.choice("SortBy", SORT_KEYS)?.unwrap_or("GmtCreateTime");
    let ascending = query.choice("Order", &["desc", "asc"])? == Some("asc");
    let number = query.integer("PageNumber", 1_usize, usize::MAX)?.unwrap_or(1);
    let size = query.integer("PageSize", 1_usize, 100)?.unwrap_or(10);
    let place = world.region(region);
    place.enter(workspace, "paidlc:ListJobTemplates")?;
    let is = |name, text: &str| query.text(name).is_none_or(|wanted| wanted == text);
    let holds = |name, text: &str| {
        query.text(name).is_none_or(|wanted| text.to_lowercase().contains(&wanted.to_lowercase()))
    };
    let mut found: Vec<&Template> = place
        .templates
        .iter()
        .filter(|template| template.workspace_id == workspace)
        .filter(|template| is("TemplateId", &template.id) && is("UserId", &template.user_id))
        .filter(|template| holds("TemplateName", &template.name))
        .filter(|template| holds("Description", &template.description))
        .collect();
    found.sort_by_key(|template| {
        let (time, name) = match sort_by {
            "TemplateName" => (Timestamp::MIN, template.name.as_str()),
            "GmtModifyTime" => (template.modified, ""),
            _ => (template.created, ""),
        };
        (time, name, template.id.as_str())
    });
    if !ascending {
        found.reverse();
    }
    let total = found.len();
    let rows = found.into_iter().skip((number - 1).saturating_mul(size)).take(size);
    Ok(object([
        ("JobTemplates", Some(rows.map(|template| Value::Object(summary(template))).collect())),
        ("PageNumber", Some(json!(number))),
        ("PageSize", Some(json!(size))),
        ("TotalCount", Some(json!(total))),
    ]))
}

pub(in crate::sim) fn update_job_template(
    world: &mut World,
    region: &str,
    id: &str,
    body: &[u8],
    at: Timestamp,
) -> Answer {
    let body = parse_body(body)?;
    let fields = Fields::of_body(&body);
    find(world.region(region), id, "paidlc:UpdateJobTemplate")?;
    let name = name(&fields)?;
    let description = fields.text("Description")?;
    let metadata = fields.map("Metadata")?;
    let new = content::read(&fields)?;
    if new.is_some() && fields.map("Constraints")?.is_none() {
        let text = "Constraints must come with Content.".to_owned();
        return Err(CloudError::bad_request("InvalidParameter.Constraints", text));
    }
    let set_as_default = fields.flag("SetAsDefault")?;
    let template = find_mut(world, region, id)?;
    if let Some(name) = name {
        name.clone_into(&mut template.name);
    }
    if let Some(description) = description {
        description.clone_into(&mut template.description);
    }
    if let Some(metadata) = metadata {
        metadata.clone_into(&mut template.metadata);
    }
    template.modified = at;
    CALLER.user_id.clone_into(&mut template.modified_by);
    let created = new.is_some();
    if let Some((content, constraints)) = new {
        let user_id = CALLER.user_id.to_owned();
        template.versions.push(TemplateVersion { content, constraints, created: at, user_id });
        if set_as_default {
            template.default_version = template.newest();
        }
    }
    Ok(object([
        ("DefaultVersion", Some(json!(template.default_version))),
        ("GmtModifyTime", Some(json!(at))),
        ("Version", Some(json!(template.newest()))),
        ("VersionCreated", Some(json!(created))),
    ]))
}

pub(in crate::sim) fn set_job_template_default_version(
    world: &mut World,
    region: &str,
    id: &str,
    body: &[u8],
    at: Timestamp,
) -> Answer {
    let body = parse_body(body)?;
    let fields = Fields::of_body(&body);
    let template = find(world.region(region), id, "paidlc:SetJobTemplateDefaultVersion")?;
    let wanted =
        fields.integer("Version", 1, i64::MAX)?.ok_or_else(|| CloudError::missing("Version"))?.unsigned_abs();
    template.version(wanted).ok_or_else(no_version)?;
    let template = find_mut(world, region, id)?;
    template.default_version = wanted;
    template.modified = at;
    CALLER.user_id.clone_into(&mut template.modified_by);
    Ok(object([("DefaultVersion", Some(json!(wanted))), ("GmtModifyTime", Some(json!(at)))]))
}

/// The body of a CreateJob as it counts: without a TemplateId as it is, else the job that the template makes of it,
/// with the version that was taken.
pub(super) fn expanded(place: &Region, request: Map<String, Value>) -> Answer {
    let fields = Fields::of_body(&request);
    let Some(id) = fields.text("TemplateId")? else { return Ok(request) };
    let template = find(place, id, "paidlc:CreateJob")?;
    let wanted = match fields.integer("TemplateVersion", 1, i64::MAX)? {
        Some(number) => number.unsigned_abs(),
        None => template.default_version,
    };
    let version = template.version(wanted).ok_or_else(no_version)?;
    let mut job = content::merged(version, &request)?;
    job.insert("TemplateVersion".to_owned(), json!(wanted));
    Ok(job)
}

/// Notes that a job was made from the template that `job` names.
pub(super) fn note_use(place: &mut Region, job: &Map<String, Value>, at: Timestamp) {
    let id = job.get("TemplateId").and_then(Value::as_str);
    if let Some(template) = place.templates.iter_mut().find(|template| Some(template.id.as_str()) == id) {
        template.last_used = Some(at);
    }
}

fn find<'a>(place: &'a Region, id: &str, action: &'static str) -> Result<&'a Template, CloudError> {
    let template = place.templates.iter().find(|template| template.id == id).ok_or_else(not_found)?;
    place.enter(&template.workspace_id, action)?;
    Ok(template)
}

fn find_mut<'a>(world: &'a mut World, region: &str, id: &str) -> Result<&'a mut Template, CloudError> {
    let place = world.region_mut(region).ok_or_else(not_found)?;
    place.templates.iter_mut().find(|template| template.id == id).ok_or_else(not_found)
}

fn not_found() -> CloudError {
    CloudError::new(
        StatusCode::NOT_FOUND,
        "NotFound.JobTemplate",
        "The job template does not exist.".to_owned(),
    )
}

fn no_version() -> CloudError {
    CloudError::new(
        StatusCode::NOT_FOUND,
        "NotFound.JobTemplateVersion",
        "The job template has no such version.".to_owned(),
    )
}

fn invalid_name(what: &str) -> CloudError {
    CloudError::bad_request("InvalidParameter.TemplateName", format!("TemplateName {what}."))
}

/// The name in a body, if it has one.
fn name<'a>(fields: &Fields<'a>) -> Result<Option<&'a str>, CloudError> {
    let name = fields.text("TemplateName").map_err(|_| invalid_name("must be a string"))?;
    match name {
        Some(name) if name.chars().count() > 1024 => Err(invalid_name("must have at most 1024 characters")),
        name => Ok(name),
    }
}

fn summary(template: &Template) -> Map<String, Value> {
    object([
        ("TemplateId", Some(json!(template.id))),
        ("TemplateName", Some(json!(template.name))),
        ("WorkspaceId", Some(json!(template.workspace_id))),
        ("DefaultVersion", Some(json!(template.default_version))),
        ("Description", Some(json!(template.description))),
        ("Metadata", Some(Value::Object(template.metadata.clone()))),
        ("GmtCreateTime", Some(json!(template.created))),
        ("GmtModifyTime", Some(json!(template.modified))),
        ("LastUsedTime", template.last_used.map(|at| json!(at))),
        ("UserId", Some(json!(template.user_id))),
        ("ModifiedBy", Some(json!(template.modified_by))),
        ("TenantId", Some(json!(TENANT))),
    ])
}

#[cfg(test)]
mod tests;
