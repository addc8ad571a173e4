//! Values that must have come from a cloud's own list.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Ruling, is_own};
use crate::error::Fault;
use crate::policy::evidence::Evidence;
use crate::policy::facts::Known;
use crate::policy::load::{Provenance, binds, hours};
use crate::policy::refusal::Refusal;
use crate::policy::review::{Read, look};
use crate::policy::verdict::Ground;
use crate::policy::{Knowledge, OnMiss, Policy};
use crate::spec::marks::{Fact, Home};
use crate::spec::{Call, Origin};
use crate::tools;

/// Whether every value of the rule's kind is known; `None` where the call has none.
pub(super) fn known(
    policy: &Policy,
    rule: &Provenance,
    call: &Call,
    arguments: &Value,
    knowledge: &Knowledge<'_>,
    now: Timestamp,
    grounds: &mut Vec<Ground>,
) -> Option<(Option<String>, Ruling)> {
    if !binds(rule.tools.as_ref(), &Default::default(), call) || is_own(call) {
        return None;
    }
    let region = call.region().unwrap_or_default();
    let mut claims = Vec::new();
    call.tool().request().claims(arguments, &mut |claim| {
        if claim.fact == rule.fact {
            let workspace = match claim.workspace {
                Home::Named(id) => place_of(rule.fact, Some(id)),
                Home::Unnamed | Home::Unreadable => None,
            };
            claims.push((claim.path.to_string(), claim.text.to_owned(), workspace.map(str::to_owned)));
        }
    });
    let first = claims.first()?.0.clone();
    let mut refusal = Refusal::new(rule.id.clone(), format!("{} unknown here", subject(rule.fact)));
    let mut needs: Vec<Call> = Vec::new();
    for (path, value, workspace) in claims {
        let known = [knowledge.facts, knowledge.evidence.facts()].iter().find_map(|facts| {
            facts.known(rule.fact, region, workspace.as_deref(), &value, now, hours(rule.lifetime_hours))
        });
        match known {
            Some(Known { learned_at, .. }) => grounds.push(Ground { fact: rule.fact, value, learned_at }),
            None => match verify(policy, rule, region, workspace.as_deref(), &value, knowledge.evidence) {
                Verified::Need(reads) => {
                    for read in reads {
                        if !needs.iter().any(|other| other.is_same(&read)) {
                            needs.push(read);
                        }
                    }
                }
                Verified::Unknown => {
                    refusal.violations.push(Fault::new(path, unknown(rule), rule.fix.clone()));
                }
                Verified::Failed(failed) => return Some((Some(path), Ruling::Refuse(failed))),
            },
        }
    }
    if !refusal.violations.is_empty() {
        return Some((Some(first), Ruling::Refuse(refusal)));
    }
    Some((Some(first), if needs.is_empty() { Ruling::Pass } else { Ruling::Need(needs) }))
}

/// Workspaces are known per region; what belongs to a workspace is known within it.
pub(in crate::policy) const fn place_of(fact: Fact, workspace: Option<&str>) -> Option<&str> {
    match fact {
        Fact::Region | Fact::Workspace => None,
        Fact::Image | Fact::Dataset | Fact::CodeSource | Fact::Template => workspace,
    }
}

/// Whether it exists in workspaces only, so that one of which nobody says where it is can't be used anywhere.
/// Official images belong to none.
pub(in crate::policy) const fn needs_workspace(fact: Fact) -> bool {
    match fact {
        Fact::Dataset | Fact::CodeSource => true,
        Fact::Region | Fact::Workspace | Fact::Image | Fact::Template => false,
    }
}

const fn subject(fact: Fact) -> &'static str {
    match fact {
        Fact::Region => "this region is",
        Fact::Workspace => "this workspace is",
        Fact::Image => "an image is",
        Fact::Dataset => "a dataset is",
        Fact::CodeSource => "a code source is",
        Fact::Template => "a template is",
    }
}

fn unknown(rule: &Provenance) -> String {
    let sources: Vec<&str> = rule.learn.iter().map(String::as_str).collect();
    match (sources.as_slice(), place_of(rule.fact, Some(""))) {
        ([], _) => "can't be looked up by this version, so it can't be told from a guess".to_owned(),
        (sources, None) => format!("didn't come from {} in this region", sources.join(" or ")),
        (sources, Some(_)) => {
            format!("didn't come from {} in this region and workspace", sources.join(" or "))
        }
    }
}

/// What became of verifying a value that nobody listed.
enum Verified {
    Need(Vec<Call>),
    Unknown,
    Failed(Refusal),
}

fn verify(
    policy: &Policy,
    rule: &Provenance,
    region: &str,
    workspace: Option<&str>,
    value: &str,
    evidence: &Evidence,
) -> Verified {
    let Some(verify) = rule.verify.as_ref().filter(|_| policy.settings.on_miss == OnMiss::Verify) else {
        return Verified::Unknown;
    };
    let Some(tool) = tools::find(&verify.tool) else { return Verified::Unknown };
    let mut places = vec![None];
    if workspace.is_some() && verify.filter != "WorkspaceId" && tool.request().field("WorkspaceId").is_some()
    {
        places.insert(0, workspace);
    }
    let mut needs = Vec::new();
    for place in places {
        let mut arguments = json!({ "RegionId": region, verify.filter.as_str(): value });
        if let (Some(workspace), Value::Object(arguments)) = (place, &mut arguments) {
            arguments.insert("WorkspaceId".to_owned(), workspace.into());
        }
        // What can't even be asked for, such as an id of two dots, is in no list.
        let asked = arguments.as_object().and_then(|arguments| tool.parse(arguments).ok());
        let Some(call) = asked.map(|call| call.by(Origin::Policy)) else { continue };
        match look(Some(call), evidence) {
            Read::Needed(call) => needs.push(call),
            Read::Failed(refusal) if refusal.rule != "cloud-not-found" => return Verified::Failed(refusal),
            Read::Failed(_) | Read::Reply(_) => {}
        }
    }
    if needs.is_empty() { Verified::Unknown } else { Verified::Need(needs) }
}
