//! Values that must have come from a cloud's own list.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::template::{Taken, makes_job};
use super::{Ruling, is_own};
use crate::error::Fault;
use crate::policy::evidence::Evidence;
use crate::policy::facts::Known;
use crate::policy::load::{Miss, Provenance, binds, hours};
use crate::policy::refusal::Refusal;
use crate::policy::review::{Read, look};
use crate::policy::verdict::Ground;
use crate::policy::{Knowledge, OnMiss, Policy};
use crate::spec::marks::{Claim, Fact, Home};
use crate::spec::{Call, Origin};
use crate::tools;

/// What is judged.
pub(super) struct Matter<'m> {
    /// The call.
    pub(super) call: &'m Call,
    /// Its arguments, their texts of JSON opened.
    pub(super) given: &'m Value,
    /// What it takes from a template.
    pub(super) taken: &'m Taken,
}

impl<'m> Matter<'m> {
    /// The arguments with all that a template supplies; `None` while that isn't known.
    pub(super) fn whole(&self) -> Option<&'m Value> {
        match self.taken {
            Taken::Nothing | Taken::Home(_) => Some(self.given),
            Taken::Rest(merged) => Some(&merged.whole),
            // What is read may supply the rest of a job, or say where a call belongs that is whole already.
            Taken::Unread(_) | Taken::Refused(_) => (!makes_job(self.call)).then_some(self.given),
        }
    }
}

/// A value of the rule's kind.
struct Claimed {
    path: String,
    value: String,
    workspace: Option<String>,
    /// Whether a template brings it.
    stored: bool,
}

/// The values of the rule's kind in a call and in what it takes from a template.
fn claims(rule: &Provenance, matter: &Matter<'_>) -> Vec<Claimed> {
    let Matter { call, given, taken } = *matter;
    let home = match taken {
        Taken::Home(workspace) => place_of(rule.fact, Some(workspace)),
        Taken::Nothing | Taken::Unread(_) | Taken::Refused(_) | Taken::Rest(_) => None,
    };
    let of = |claim: &Claim<'_>, stored| Claimed {
        path: claim.path.to_string(),
        value: claim.text.to_owned(),
        workspace: match claim.workspace {
            Home::Named(id) => place_of(rule.fact, Some(id)),
            Home::Unnamed => home,
            Home::Unreadable => None,
        }
        .map(str::to_owned),
        stored,
    };
    let shape = call.tool().request();
    let mut found: Vec<Claimed> = Vec::new();
    let Taken::Rest(merged) = taken else {
        shape.claims(given, &mut |claim| {
            if claim.fact == rule.fact {
                found.push(of(&claim, false));
            }
        });
        return found;
    };
    shape.claims(&merged.whole, &mut |claim| {
        if claim.fact == rule.fact {
            found.push(of(&claim, merged.is_stored(claim.path)));
        }
    });
    shape.claims(&merged.stored, &mut |claim| {
        if claim.fact == rule.fact && merged.counts(claim.path) {
            let claimed = of(&claim, true);
            if !found.iter().any(|known| known.path == claimed.path && known.value == claimed.value) {
                found.push(claimed);
            }
        }
    });
    found
}

/// Whether every value of the rule's kind is known; `None` where the call has none.
pub(super) fn known(
    policy: &Policy,
    rule: &Provenance,
    matter: &Matter<'_>,
    knowledge: &Knowledge<'_>,
    now: Timestamp,
    grounds: &mut Vec<Ground>,
) -> Option<(Option<String>, Ruling)> {
    let Matter { call, taken, .. } = *matter;
    if !binds(rule.tools.as_ref(), &Default::default(), call) || is_own(call) {
        return None;
    }
    let region = call.region().unwrap_or_default();
    let claims = claims(rule, matter);
    let first = claims.first()?.path.clone();
    let mut refusal = Refusal::new(rule.id.clone(), format!("{} unknown here", subject(rule.fact)));
    let mut needs: Vec<Call> = Vec::new();
    let verifies = policy.settings.on_miss == OnMiss::Verify;
    // What nobody listed in any workspace needs no look at which one it is.
    let may_be_known = |value: &str| {
        let lifetime = hours(rule.lifetime_hours);
        verifies || knowledge.facts.known_somewhere(rule.fact, region, value, now, lifetime)
    };
    let mut unseen: Vec<String> = Vec::new();
    for Claimed { path, value, workspace, stored } in claims {
        let known = [knowledge.facts, knowledge.evidence.facts()].iter().find_map(|facts| {
            facts.known(rule.fact, region, workspace.as_deref(), &value, now, hours(rule.lifetime_hours))
        });
        match known {
            Some(Known { learned_at, .. }) => grounds.push(Ground { fact: rule.fact, value, learned_at }),
            // What is read next says in which workspace, or whether there is such a template.
            None if workspace.is_none() && awaits_home(rule.fact, taken) && may_be_known(&value) => {}
            None if verifies && rule.fact == Fact::Template && is_read(taken) => {}
            None if rule.on_miss == Miss::Warn => unseen.push(path),
            None => match verify(policy, rule, region, workspace.as_deref(), &value, knowledge.evidence) {
                Verified::Need(reads) => {
                    for read in reads {
                        if !needs.iter().any(|other| other.is_same(&read)) {
                            needs.push(read);
                        }
                    }
                }
                Verified::Unknown => refusal.violations.push(if stored {
                    let message = format!("{}; the template brings it", unknown(rule));
                    let fix = "choose another version or template, or give the whole job without one, with what \
                               lists return";
                    Fault::new(path, message, fix)
                } else {
                    Fault::new(path, unknown(rule), rule.fix.clone())
                }),
                Verified::Failed(failed) => return Some((Some(path), Ruling::Refuse(failed))),
            },
        }
    }
    if !refusal.violations.is_empty() {
        return Some((Some(first), Ruling::Refuse(refusal)));
    }
    if !unseen.is_empty() {
        let text = format!("{} {}: {}", unseen.join(", "), unknown(rule), rule.fix);
        return Some((Some(first), Ruling::Advise(text)));
    }
    Some((Some(first), if needs.is_empty() { Ruling::Pass } else { Ruling::Need(needs) }))
}

/// Whether it isn't known yet in which workspace values of this kind are looked up, or can't be: that is refused for
/// its own reason.
fn awaits_home(fact: Fact, taken: &Taken) -> bool {
    match taken {
        Taken::Unread(_) | Taken::Refused(_) => place_of(fact, Some("")).is_some(),
        Taken::Nothing | Taken::Home(_) | Taken::Rest(_) => false,
    }
}

/// Whether the template that the call names is read anyway, which tells whether there is one.
fn is_read(taken: &Taken) -> bool {
    match taken {
        Taken::Unread(_) | Taken::Refused(_) => true,
        Taken::Nothing | Taken::Home(_) | Taken::Rest(_) => false,
    }
}

/// Workspaces and templates are known per region, for their ids are unique there; what a workspace alone can use is
/// known within it.
pub(in crate::policy) const fn place_of(fact: Fact, workspace: Option<&str>) -> Option<&str> {
    match fact {
        Fact::Region | Fact::Workspace | Fact::Template | Fact::MachineType => None,
        Fact::Image | Fact::Dataset | Fact::CodeSource | Fact::Storage | Fact::Commit => workspace,
    }
}

/// Whether it exists in workspaces only, so that one of which nobody says where it is can't be used anywhere.
/// Official images belong to none.
pub(in crate::policy) const fn needs_workspace(fact: Fact) -> bool {
    match fact {
        Fact::Dataset | Fact::CodeSource | Fact::Storage | Fact::Commit => true,
        Fact::Region | Fact::Workspace | Fact::Image | Fact::Template | Fact::MachineType => false,
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
        Fact::MachineType => "a machine type is",
        Fact::Storage => "a storage address is",
        Fact::Commit => "a commit is",
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
