//! What a call takes from a job template.
//!
//! A job takes all that it doesn't give itself, so the job that comes of it is judged as if it had been given whole
//! (R-DLC-70 to R-DLC-72, R-DLC-81). A version of a template never changes: the one that was judged is named in the
//! request that is sent. A new version of a template takes the template's workspace, in which its images are known.
//!
//! How exactly the service merges lists isn't documented, nor what a job may do about a field that nothing
//! constrains. So what the template stores counts too, even where the job gives something else, unless a constraint
//! says that a job may.

use serde_json::{Map, Value};

use crate::error::{Fault, Faults};
use crate::policy::evidence::Evidence;
use crate::policy::load::Precheck;
use crate::policy::refusal::Refusal;
use crate::policy::review::{Read, id, look, read};
use crate::spec::marks::Path;
use crate::spec::{Call, json_text};
use crate::tools::dlc::constraints::{Constraint, Constraints, FieldPath};
use crate::tools::dlc::jobs::CreateJob;
use crate::tools::dlc::templates::{GetJobTemplate, UpdateJobTemplate, Version};

/// What a call takes from a template.
pub(super) enum Taken {
    /// Nothing.
    Nothing,
    /// It has to be read first.
    Unread(Call),
    /// It can't be taken.
    Refused(Refusal),
    /// The workspace in which what the call names is known.
    Home(String),
    /// The rest of the job.
    Rest(Box<Merged>),
}

/// A job made from a template.
pub(super) struct Merged {
    /// The call as it is sent: with the version that was judged.
    pub(super) sent: Call,
    /// The job as the template makes it: what is shown.
    pub(super) job: Call,
    /// The same, as a value to be judged.
    pub(super) whole: Value,
    /// What the template stores, in the place where the job is.
    pub(super) stored: Value,
    given: Value,
    constraints: Constraints,
}

impl Merged {
    /// Whether what stands at `path` of the job comes from the template.
    pub(super) fn is_stored(&self, path: &Path<'_>) -> bool {
        path.to_string().parse::<FieldPath>().is_ok_and(|path| path.get(&self.given).is_none())
    }

    /// Whether the template's own value at `path` counts: always, but where the job gives another and a constraint
    /// says that it may.
    pub(super) fn counts(&self, path: &Path<'_>) -> bool {
        let Ok(path) = path.to_string().parse::<FieldPath>() else { return true };
        let may_give = self.constraints.paths().any(|(known, constraint)| match constraint {
            Constraint::Overridable | Constraint::Required => known.is_ok_and(|known| path.is_in(&known)),
            Constraint::Locked => false,
        });
        !may_give || path.get(&self.given).is_none()
    }
}

/// Whether the question about `call` shows what a template brings.
pub(in crate::policy) fn makes_job(call: &Call) -> bool {
    call.request::<CreateJob>().is_some_and(|job| job.template_id.is_some())
}

/// What `call` takes from a template, as far as `evidence` shows.
pub(super) fn taken(rule: &Precheck, call: &Call, evidence: &Evidence) -> Taken {
    let Some(region) = call.region() else { return Taken::Nothing };
    let (template_id, version) = match (call.request::<CreateJob>(), call.request::<UpdateJobTemplate>()) {
        (Some(CreateJob { template_id: Some(id), template_version, .. }), _) => (id, *template_version),
        (_, Some(UpdateJobTemplate { template_id, content: Some(_), .. })) => (template_id, None),
        (_, _) => return Taken::Nothing,
    };
    let request = GetJobTemplate {
        region_id: region.into(),
        template_id: template_id.clone(),
        version: version.map(Version::number),
    };
    let reply = match look(read(request), evidence) {
        Read::Needed(call) => return Taken::Unread(call),
        Read::Failed(mut refusal) => {
            // The read's argument has another name than the job's.
            for fault in refusal.violations.iter_mut().filter(|fault| fault.path == "Version") {
                "TemplateVersion".clone_into(&mut fault.path);
            }
            return Taken::Refused(refusal);
        }
        Read::Reply(reply) => reply,
    };
    let unreadable = |what: &str| {
        let text = format!("what this template brings can't be judged: {what}");
        let fix = "give JobType, JobSpecs and UserCommand instead of TemplateId";
        Refusal::new(&rule.id, text.clone()).with(Fault::new("TemplateId", text, fix))
    };
    if id(reply, "TemplateId").as_deref() != Some(template_id.as_str()) {
        return Taken::Refused(unreadable("the cloud answered about another one"));
    }
    if !makes_job(call) {
        return match id(reply, "WorkspaceId") {
            Some(workspace) => Taken::Home(workspace),
            None => Taken::Refused(unreadable("the cloud doesn't say whose it is")),
        };
    }
    match stored(reply, version) {
        Ok(stored) => match merged(rule, call, stored) {
            Ok(merged) => Taken::Rest(Box::new(merged)),
            Err(refusal) => Taken::Refused(refusal),
        },
        Err(what) => Taken::Refused(unreadable(&what)),
    }
}

/// One version as a reply has it.
struct Stored {
    number: i64,
    content: Map<String, Value>,
    constraints: Constraints,
}

/// The version of this number, or the default one; else why it can't be had.
fn stored(reply: &Value, number: Option<i64>) -> Result<Stored, String> {
    let count = |value: &Value, name: &str| id(value, name)?.parse::<i64>().ok();
    let number = number.or_else(|| count(reply, "DefaultVersion")).ok_or("no version is the default")?;
    let versions = reply.get("Versions").and_then(Value::as_array).ok_or("its versions aren't there")?;
    let version = versions
        .iter()
        .find(|version| count(version, "Version") == Some(number))
        .ok_or("the version isn't there")?;
    let mut content = match version.get("Content") {
        Some(Value::String(text)) => json_text::read(text).map_err(|error| format!("its content {error}"))?,
        Some(Value::Object(content)) => content.clone(),
        Some(_) | None => return Err("it has no content".to_owned()),
    };
    without_nulls(&mut content);
    if ["TemplateId", "TemplateVersion"].iter().any(|name| content.contains_key(*name)) {
        return Err("it rests on another template".to_owned());
    }
    let constraints = match version.get("Constraints") {
        None | Some(Value::Null) => Constraints::default(),
        Some(constraints) => serde_json::from_value(constraints.clone())
            .map_err(|_| "one of its constraints isn't a documented one")?,
    };
    if constraints.paths().any(|(path, _)| path.is_err()) {
        return Err("one of its constraints isn't the path of a field".to_owned());
    }
    Ok(Stored { number, content, constraints })
}

/// A field that is null is a field that isn't there.
fn without_nulls(object: &mut Map<String, Value>) {
    object.retain(|_, value| !value.is_null());
    object.values_mut().for_each(without_inner_nulls);
}

fn without_inner_nulls(value: &mut Value) {
    match value {
        Value::Object(object) => without_nulls(object),
        Value::Array(items) => items.iter_mut().for_each(without_inner_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The job that `call` makes of what is stored, if it may.
fn merged(rule: &Precheck, call: &Call, stored: Stored) -> Result<Merged, Refusal> {
    let Stored { number, content, constraints } = stored;
    let given = Value::Object(call.arguments().clone());
    let mut kept = Value::Object(content.clone());
    let faults = broken(&constraints, &given, &kept);
    if !faults.is_empty() {
        let mut refusal = Refusal::new(&rule.id, "the template doesn't let a job be made like this");
        refusal.violations.extend(faults);
        return Err(refusal);
    }
    let mut whole = content;
    overlay(&mut whole, call.arguments());
    let template = ["TemplateId", "TemplateVersion"].map(|name| (name, whole.shift_remove(name)));
    let unfit = |faults: Faults| {
        let text = format!("the job that version {number} of this template makes doesn't fit the tool");
        let mut refusal = Refusal::new(&rule.id, text);
        refusal.violations.extend(faults);
        refusal
    };
    // Once without the template, for nothing else supplies what is lacking now.
    call.tool().parse(&whole).map_err(unfit)?;
    let [(name, template_id), _] = template;
    whole.insert(name.to_owned(), template_id.unwrap_or_default());
    let version = ("TemplateVersion".to_owned(), Value::from(number));
    let mut pinned = call.arguments().clone();
    for arguments in [&mut whole, &mut pinned] {
        arguments.extend([version.clone()]);
    }
    let job = call.tool().parse(&whole).map_err(unfit)?.by(call.origin());
    let sent = call.tool().parse(&pinned).map_err(unfit)?.by(call.origin());
    if let (Value::Object(kept), Some(workspace)) = (&mut kept, call.workspace()) {
        kept.insert("WorkspaceId".to_owned(), workspace.into());
    }
    Ok(Merged { sent, job, whole: Value::Object(whole), stored: kept, given, constraints })
}

/// What is given although it is locked, and what isn't although it must be.
fn broken(constraints: &Constraints, given: &Value, stored: &Value) -> Faults {
    let mut faults = Faults::default();
    for (path, constraint) in constraints.paths() {
        let Ok(path) = path else { continue };
        let (mine, own) = (path.get(given), path.get(stored));
        match constraint {
            Constraint::Locked => faults.demand(
                mine.is_none() || mine == own,
                &path,
                "is locked by the template, and isn't given as the template has it",
                "leave it out: the template's own value is taken",
            ),
            Constraint::Required => faults.demand(
                mine.is_some(),
                &path,
                "is required by the template",
                "ask the user for it and give it",
            ),
            Constraint::Overridable => {}
        }
    }
    faults
}

/// Objects are merged by their fields, lists by their places.
fn overlay(below: &mut Map<String, Value>, above: &Map<String, Value>) {
    for (name, value) in above {
        match below.get_mut(name) {
            Some(below) => over(below, value),
            None => drop(below.insert(name.clone(), value.clone())),
        }
    }
}

fn over(below: &mut Value, above: &Value) {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) => overlay(below, above),
        (Value::Array(below), Value::Array(above)) => {
            for (index, value) in above.iter().enumerate() {
                match below.get_mut(index) {
                    Some(below) => over(below, value),
                    None => below.push(value.clone()),
                }
            }
        }
        (below, above) => *below = above.clone(),
    }
}
