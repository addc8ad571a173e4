//! A human's yes to further calls, so that nobody stops reading questions because there are too many.
//!
//! A question may offer to let further calls of its tool through: in the same region and workspace, for the same
//! account and quota, under the same policy, for some minutes and so many calls at most ([`Limits`]). Only what creates or acts
//! is offered, and never a workspace, a forced call, or a call with a setting that the question points out. A call that
//! would be offered nothing isn't let through by a grant either: it is asked about (`Offer::of` decides both).
//!
//! A grant counts down when a call is cleared, under the lock under which it was judged ([`Consents::settle_grant`]), so that
//! two calls at once can't both take the last one. What wasn't sent is given back ([`Consents::undo`]).

use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::consent::{Consents, Quoted};
use super::question::Setting;
use super::verdict::Cleared;
use crate::spec::{Call, Effect, Operation};
use crate::tools::aiworkspace::workspaces::CreateWorkspace;

/// The property of a form that says how many further calls are let through.
pub const FURTHER: &str = "further_calls";

/// The longest that a policy may let a grant last, in minutes.
pub(super) const MAX_MINUTES: u32 = 60;
/// The most further calls that a policy may let a human allow at once.
pub(super) const MAX_CALLS: u32 = 100;

/// The most grants that are kept; the oldest go first.
const CAPACITY: usize = 100;

/// What a human may allow at most. Zero of either turns grants off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// How long a grant lasts, in minutes.
    pub minutes: u32,
    /// How many further calls it is for.
    pub calls: u32,
}

/// Which further calls a question offers to let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    bound: Bound,
    limits: Limits,
    text: String,
}

/// What a grant is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Bound {
    tool: &'static str,
    region: Option<String>,
    workspace: Option<String>,
    account: String,
    policy: String,
    /// Machines, sizes, storage and quotas: those are the user's to choose (R-DLC-33).
    same: BTreeSet<(String, String)>,
}

impl Granting {
    /// What it comes to, beside a question that made `offer`.
    pub(super) fn taking_up(&self, offer: Option<&Offer>) -> Self {
        match (self, offer) {
            (Self::Wants(calls), Some(offer)) => Self::Gives(Box::new(offer.clone()), *calls),
            (Self::Nothing | Self::Wants(_) | Self::Gives(..) | Self::Uses(_), _) => Self::Nothing,
        }
    }
}

impl Offer {
    /// What is offered beside a yes to `call`, which points out nothing dangerous; nothing for a call that must be asked
    /// about each time.
    pub(super) fn of(call: &Call, setting: &Setting<'_>) -> Option<Self> {
        let limits = setting.grant.filter(|limits| limits.minutes > 0 && limits.calls > 0)?;
        let spec = call.spec();
        let grantable = match spec.effect {
            Effect::Create | Effect::Act => spec.name != CreateWorkspace::SPEC.name && !is_forced(call),
            Effect::Read | Effect::Untrusted | Effect::Reveal | Effect::Update | Effect::Destroy => false,
        };
        let bound = Bound {
            tool: spec.name,
            region: call.region().map(str::to_owned),
            workspace: call.workspace().map(str::to_owned),
            account: setting.account.to_owned(),
            policy: setting.policy.to_owned(),
            same: same(call),
        };
        let text = wording(call, bound.same.len() > 1, limits);
        grantable.then_some(Self { text, bound, limits })
    }

    /// What the human reads about it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The most further calls.
    pub const fn calls(&self) -> u32 {
        self.limits.calls
    }

    /// How long they are let through, in minutes.
    pub const fn minutes(&self) -> u32 {
        self.limits.minutes
    }
}

fn is_forced(call: &Call) -> bool {
    call.arguments().get("force").is_some_and(|force| *force != Value::Bool(false))
}

/// The arguments that say on what, from where and how large: further calls have the same, wherever these stand.
const SAME: [&str; 26] = [
    "TemplateId",
    "TemplateVersion",
    "ResourceId",
    "QuotaId",
    "EcsSpec",
    "InstanceType",
    "PodCount",
    "MaxReplicas",
    "MaxParallelism",
    "EDPMaxParallelism",
    "PSMaxParallelism",
    "CPU",
    "Memory",
    "GPU",
    "GPUType",
    "Priority",
    "Uri",
    "DataSourceId",
    "CodeSourceId",
    "VpcId",
    "cpu",
    "memory",
    "gpu",
    "gpu_type",
    "bucket_name",
    "expire_time",
];

/// What of a call its further calls have in common with it: each such argument with all of its values.
fn same(call: &Call) -> BTreeSet<(String, String)> {
    fn collect(name: &str, value: &Value, found: &mut BTreeSet<(String, String)>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| collect(name, item, found)),
            Value::Object(object) => object.iter().for_each(|(name, value)| collect(name, value, found)),
            Value::String(_) | Value::Number(_) if SAME.contains(&name) => {
                found.insert((name.to_owned(), value.to_string()));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut found = BTreeSet::new();
    call.arguments().iter().for_each(|(name, value)| collect(name, value, &mut found));
    // Roles of the same kind add up.
    let roles = call.arguments().get("JobSpecs").and_then(Value::as_array).map_or(0, Vec::len);
    found.insert(("JobSpecs".to_owned(), roles.to_string()));
    found
}

fn wording(call: &Call, has_size: bool, limits: Limits) -> String {
    let Limits { minutes, calls } = limits;
    let spec = call.spec();
    let mut text = format!(
        "Further calls, only if you want: in {FURTHER} you can say how many calls like this one, up to {calls}, are let \
         through without a question in the next {minutes} minutes. That means {} ({})",
        spec.name, spec.title
    );
    if let Some(region) = call.region() {
        let _ = write!(text, " in {region}");
    }
    match (call.workspace(), call.tool().request().field("WorkspaceId")) {
        (Some(workspace), _) => {
            let _ = write!(text, " in workspace {}", Quoted(workspace));
        }
        (None, Some(_)) => text.push_str(" where no workspace is named"),
        (None, None) => {}
    }
    if has_size {
        text.push_str(" with the same machines, sizes, storage and quota");
    }
    if let Some(subject) = call.tool().subject() {
        let _ = write!(text, " for any {subject}");
    }
    text.push_str(
        ", whatever the other arguments say. You are still asked about dangerous settings, and about making the same \
         again. Leave it empty to be asked each time.",
    );
    text
}

/// What a yes has to do with a grant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Granting {
    /// Nothing.
    #[default]
    Nothing,
    /// The human who said yes wants to let so many further calls through, if that was offered.
    Wants(u32),
    /// That was offered: it lets so many further calls through.
    Gives(Box<Offer>, u32),
    /// It is one of those that were allowed.
    Uses(String),
}

/// A grant as a call left it, for the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The grant's name in its scope.
    pub id: String,
    /// Whether this call's yes gave it.
    pub given: bool,
    /// How many further calls are left.
    pub left: u32,
    /// When it ends.
    pub until: Timestamp,
}

/// The grants of one scope.
#[derive(Debug, Default)]
pub(super) struct Grants {
    given: VecDeque<Grant>,
    count: u64,
}

#[derive(Debug)]
struct Grant {
    id: String,
    bound: Bound,
    /// The question to which it was the answer.
    digest: String,
    left: u32,
    since: Timestamp,
    until: Timestamp,
}

impl Grant {
    /// A clock that went back makes nothing valid.
    fn counts(&self, offer: &Offer, now: Timestamp) -> bool {
        self.left > 0 && self.since <= now && now < self.until && self.bound == offer.bound
    }

    fn standing(&self, given: bool) -> Standing {
        Standing { id: self.id.clone(), given, left: self.left, until: self.until }
    }
}

impl Grants {
    /// An earlier grant that lets a call through to which `offer` would be made: the question to which it was the
    /// answer, and what it has to do with the call.
    pub(super) fn found(&self, offer: &Offer, now: Timestamp) -> Option<(String, Granting)> {
        let grant = self.given.iter().find(|grant| grant.counts(offer, now))?;
        Some((grant.digest.clone(), Granting::Uses(grant.id.clone())))
    }

    fn give(&mut self, offer: &Offer, digest: &str, calls: u32, now: Timestamp) -> Option<Standing> {
        self.given.retain(|grant| now < grant.until);
        while self.given.len() >= CAPACITY {
            self.given.pop_front();
        }
        self.count += 1;
        let grant = Grant {
            id: format!("grant-{}", self.count),
            bound: offer.bound.clone(),
            digest: digest.to_owned(),
            left: calls.min(offer.limits.calls),
            since: now,
            until: now.checked_add(SignedDuration::from_mins(offer.limits.minutes.into())).ok()?,
        };
        let standing = grant.standing(true);
        self.given.push_back(grant);
        Some(standing)
    }

    fn take(&mut self, id: &str) -> Option<Standing> {
        let grant = self.given.iter_mut().find(|grant| grant.id == id)?;
        grant.left = grant.left.checked_sub(1)?;
        Some(grant.standing(false))
    }
}

impl Consents {
    /// What the yes of a call that is cleared means for further ones: it gives a grant, or takes from one. To be called
    /// under the lock under which the call was judged.
    pub fn settle_grant(&mut self, cleared: &Cleared, now: Timestamp) -> Option<Standing> {
        let approval = cleared.consent()?;
        match approval.granting() {
            Granting::Nothing | Granting::Wants(_) => None,
            Granting::Gives(offer, calls) => self.grants.give(offer, approval.digest(), *calls, now),
            Granting::Uses(id) => self.grants.take(id),
        }
    }

    /// Nothing was sent: what was taken is given back, what was given is withdrawn.
    pub fn undo(&mut self, standing: &Standing) {
        let given = &mut self.grants.given;
        if standing.given {
            given.retain(|grant| grant.id != standing.id);
        } else if let Some(grant) = given.iter_mut().find(|grant| grant.id == standing.id) {
            grant.left += 1;
        }
    }
}
