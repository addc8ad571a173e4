//! Which jobs a ListJobs query asks for.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::sim::dlc::course::Course;
use crate::sim::dlc::lifecycle;
use crate::sim::dlc::pods;
use crate::sim::dlc::submit::JOB_TYPES;
use crate::sim::dlc::view::{accessibility, requested};
use crate::sim::dlc::window::Window;
use crate::sim::params::Query;
use crate::sim::reply::CloudError;
use crate::sim::world::Job;
use crate::sim::world::canaries::{CALLER, user_name};

const STATUSES: &[&str] = &[
    "Creating",
    "Queuing",
    "Bidding",
    "EnvPreparing",
    "SanityChecking",
    "Running",
    "Restarting",
    "Stopping",
    "SucceededReserving",
    "FailedReserving",
    "Succeeded",
    "Failed",
    "Stopped",
];

const OVERSOLD: &[&str] = &[
    "ForbiddenQuotaOverSold",
    "ForceQuotaOverSold",
    "AcceptQuotaOverSold-true",
    "AcceptQuotaOverSold-false",
];

const NUMBERS: &[&str] = &["RequestGPU", "RequestCPU", "RequestMemory", "Priority", "Duration"];

/// The conditions of a query, read strictly; a job must meet them all.
pub(super) struct Filter<'a> {
    query: &'a Query,
    window: Window,
    own: bool,
    all_workspaces: bool,
    whole_name: bool,
    by_finish: bool,
    status: Option<&'static str>,
    job_type: Option<&'static str>,
    accessibility: Option<&'static str>,
    payment: Option<&'static str>,
    oversold: Option<&'static str>,
    assigned: Option<&'static str>,
    tags: Map<String, Value>,
    range: Option<Range>,
}

/// A number of a job, and its least and greatest value.
struct Range {
    field: &'static str,
    least: i64,
    most: i64,
}

impl<'a> Filter<'a> {
    pub(super) fn read(query: &'a Query, at: Timestamp) -> Result<Self, CloudError> {
        let own = query.flag("ShowOwn", true)?;
        let all_workspaces = query.flag("FromAllWorkspaces", false)?;
        if all_workspaces && !own {
            return Err(CloudError::invalid("FromAllWorkspaces", "must be used together with ShowOwn=true"));
        }
        if query.text("DisplayName").is_some_and(|name| name.chars().count() > 1024) {
            return Err(CloudError::invalid("DisplayName", "must have at most 1024 characters"));
        }
        Ok(Self {
            query,
            window: Window::read(query, at)?,
            own,
            all_workspaces,
            whole_name: query.choice("DisplayNameSearchMode", &["wildcard", "exact"])? == Some("exact"),
            by_finish: query.choice("TimeRangeField", &["GmtCreateTime", "GmtFinishTime"])?
                == Some("GmtFinishTime"),
            status: query.choice("Status", STATUSES)?,
            job_type: query.choice("JobType", JOB_TYPES)?,
            accessibility: query.choice("Accessibility", &["PUBLIC", "PRIVATE"])?,
            payment: query.choice("PaymentType", &["PrePaid", "Spot", "PostPaid"])?,
            oversold: query.choice("OversoldInfo", OVERSOLD)?,
            assigned: query.choice("EnableAssignNode", &["true", "false"])?,
            tags: tags(query)?,
            range: range(query)?,
        })
    }

    /// The one workspace that is asked for.
    pub(super) fn workspace(&self) -> Option<&'a str> {
        self.query.text("WorkspaceId").filter(|_| !self.all_workspaces)
    }

    pub(super) fn admits(&self, job: &Job, course: &Course) -> bool {
        self.suits_time(job, course)
            && self.suits_place(job)
            && self.suits_plan(job)
            && self.suits_texts(job, course)
            && self.suits_resources(job)
            && self.suits_range(job, course)
    }

    fn suits_time(&self, job: &Job, course: &Course) -> bool {
        let instant = if self.by_finish { course.finish() } else { Some(job.submitted) };
        instant.is_some_and(|instant| self.window.holds(instant))
            && self
                .status
                .is_none_or(|status| course.last().is_some_and(|stage| stage.status.as_str() == status))
    }

    /// Where it is, whose it is, and which it is; `JobId` wins over `JobIds`.
    fn suits_place(&self, job: &Job) -> bool {
        let ids = match self.query.text("JobId") {
            Some(id) => Some(vec![id]),
            None => self.query.list("JobIds"),
        };
        let name = user_name(&job.user_id).unwrap_or_default();
        self.workspace().is_none_or(|id| job.workspace_id == id)
            && (!self.own || job.user_id == CALLER.user_id)
            && self.query.text("UserIdForFilter").is_none_or(|user| job.user_id == user)
            && self.query.text("Username").is_none_or(|part| contains(name, part))
            && ids.is_none_or(|ids| ids.iter().any(|id| id.trim().eq_ignore_ascii_case(&job.id)))
            && self.accessibility.is_none_or(|wanted| accessibility(job) == wanted)
    }

    /// What the submitter said of it.
    fn suits_plan(&self, job: &Job) -> bool {
        let settings = job.request.get("Settings");
        let setting = |name| settings.and_then(|settings| pods::text(settings, name));
        let set = |name| self.query.text(name).is_none_or(|wanted| setting(name) == Some(wanted));
        let tag = |key: &String| settings.and_then(|settings| settings.get("Tags")?.get(key));
        self.job_type.is_none_or(|wanted| asked(job, "JobType") == wanted)
            && ["BusinessUserId", "Caller", "PipelineId"].into_iter().all(set)
            && self.tags.iter().all(|(key, value)| tag(key) == Some(value))
            // No job comes from a template.
            && self.query.text("TemplateId").is_none()
    }

    fn suits_texts(&self, job: &Job, course: &Course) -> bool {
        let name = asked(job, "DisplayName");
        let named = self.query.text("DisplayName").is_none_or(|wanted| match self.whole_name {
            true => name == wanted,
            false => contains(name, wanted),
        });
        let images: Vec<&str> = lifecycle::specs(job).filter_map(|spec| pods::text(spec, "Image")).collect();
        let reason = course.last().map(|stage| format!("{} {}", stage.code, stage.message));
        named
            && self.query.text("Description").is_none_or(|part| contains(asked(job, "Description"), part))
            && self.mentions("UserCommandSearch", asked(job, "UserCommand"))
            && self.mentions("ImageSearch", &images.join(" "))
            && self.mentions("ReasonSearch", &reason.unwrap_or_default())
    }

    /// Whether `text` holds every word that the parameter asks for.
    fn mentions(&self, parameter: &str, text: &str) -> bool {
        let words = self.query.text(parameter).unwrap_or_default();
        words.split_whitespace().all(|word| contains(text, word))
    }

    fn suits_resources(&self, job: &Job) -> bool {
        let quota = job.request.get("ResourceId").and_then(Value::as_str).filter(|id| !id.is_empty());
        let payment = match (quota, lifecycle::is_spot(job)) {
            (Some(_), _) => "PrePaid",
            (None, true) => "Spot",
            (None, false) => "PostPaid",
        };
        let oversold = job.request.get("Settings").and_then(|settings| pods::text(settings, "OversoldType"));
        let assigned = lifecycle::specs(job).any(|spec| {
            let enabled = spec.get("AssignNodeSpec").and_then(|assign| assign.get("EnableAssignNode"));
            enabled.and_then(Value::as_bool).unwrap_or(false)
        });
        self.payment.is_none_or(|wanted| payment == wanted)
            && self.query.text("ResourceId").is_none_or(|wanted| quota == Some(wanted))
            && self.query.list("ResourceIds").is_none_or(|ids| quota.is_some_and(|id| ids.contains(&id)))
            // Quotas have no names in this world.
            && self.query.text("ResourceQuotaName").is_none()
            // No job of this world runs on off-peak resources.
            && self.oversold.is_none_or(|wanted| oversold == Some(wanted.trim_end_matches("-false")))
            && self.assigned.is_none_or(|wanted| assigned == (wanted == "true"))
    }

    fn suits_range(&self, job: &Job, course: &Course) -> bool {
        let Some(Range { field, least, most }) = self.range else { return true };
        let (cpu, memory, gpu) = requested(job);
        let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let value = match field {
            "RequestCPU" => whole(cpu),
            "RequestMemory" => whole(memory),
            "Priority" => job.request.get("Priority").and_then(Value::as_i64).unwrap_or(1),
            "Duration" => course.lasted(job.submitted),
            _ => whole(gpu),
        };
        (least..=most).contains(&value)
    }
}

fn asked<'a>(job: &'a Job, name: &str) -> &'a str {
    job.request.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}

/// The tags asked for: one JSON object of strings in one query value.
fn tags(query: &Query) -> Result<Map<String, Value>, CloudError> {
    let Some(text) = query.text("Tags") else { return Ok(Map::new()) };
    serde_json::from_str::<Map<String, Value>>(text)
        .ok()
        .filter(|tags| tags.values().all(Value::is_string))
        .ok_or_else(|| CloudError::invalid("Tags", "must be a JSON object of strings"))
}

/// `NumericRangeField` needs a bound, and a bound needs it.
fn range(query: &Query) -> Result<Option<Range>, CloudError> {
    let field = query.choice("NumericRangeField", NUMBERS)?;
    let least = query.integer("NumericRangeMin", i64::MIN, i64::MAX)?;
    let most = query.integer("NumericRangeMax", i64::MIN, i64::MAX)?;
    match (field, least, most) {
        (None, None, None) => Ok(None),
        (None, _, _) => Err(CloudError::missing("NumericRangeField")),
        (Some(_), None, None) => Err(CloudError::missing("NumericRangeMin")),
        (Some(field), least, most) => {
            Ok(Some(Range { field, least: least.unwrap_or(i64::MIN), most: most.unwrap_or(i64::MAX) }))
        }
    }
}
