//! How much may be asked for, and where.
//!
//! What a limit counts and can't be known is refused: a machine that no list has, a number that isn't one. What needs
//! a read waits for it.

mod running;
mod size;

use std::collections::BTreeSet;

use jiff::fmt::temporal::SpanParser;
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use serde_json::Value;

use super::provenance::Matter;
use super::template::Taken;
use super::{Ruling, is_own};
use crate::error::Fault;
use crate::policy::Knowledge;
use crate::policy::load::{Budget, Limits};
use crate::policy::refusal::Refusal;
use crate::spec::marks::Fact;
use crate::spec::value::REGIONS;
use crate::spec::{Call, Effect};
pub(in crate::policy) use running::slot;

/// What is said of calls that would break a limit.
const OVER: &str = "the operator's policy sets a limit that this call would break; nothing was sent";

/// What a limit says.
enum Limited {
    /// It doesn't bind the call.
    Unbound,
    /// The call keeps it.
    Kept,
    /// The call breaks it.
    Broken(Vec<Fault>),
    /// The call breaks it now, and may not later.
    NotNow(Fault),
    /// It must read first.
    Needs(Vec<Call>),
    /// It can't be looked up.
    Failed(Refusal),
}

impl Limited {
    fn by(faults: Vec<Fault>) -> Self {
        if faults.is_empty() { Self::Kept } else { Self::Broken(faults) }
    }
}

/// What the limits say; `None` where none of them binds the call. What the policy reads for itself is bound by where
/// it goes and what it names; how often the clouds may be called is asked once, of the call that it is read for.
pub(super) fn within(
    rule: &Budget,
    matter: &Matter<'_>,
    knowledge: &Knowledge<'_>,
    now: Timestamp,
) -> Option<(Option<String>, Ruling)> {
    let call = matter.call;
    if rule.tools.as_ref().is_some_and(|tools| !tools.contains(call.tool().name())) {
        return None;
    }
    let limits = &rule.limits;
    let mut said = vec![regions(limits, call), workspaces(limits, matter), images(limits, matter)];
    if !is_own(call) {
        // What has begun isn't broken off.
        if knowledge.evidence.len() == 0 {
            said.push(pace(limits, knowledge, now));
        }
        said.push(minutes(limits, matter, now));
        said.push(size::pods(limits, matter));
        said.push(size::gpus(limits, matter, knowledge.evidence));
        said.push(running::running(limits, call, knowledge.evidence));
    }
    weigh(&rule.id, said)
}

/// One ruling of all that was said: a refusal before a read, a read before a pass.
fn weigh(rule: &str, said: Vec<Limited>) -> Option<(Option<String>, Ruling)> {
    let mut refusal = Refusal::new(rule, OVER);
    let (mut needs, mut bound, mut lasting, mut failed) = (Vec::new(), false, false, None);
    for limited in said {
        bound |= !matches!(limited, Limited::Unbound);
        match limited {
            Limited::Unbound | Limited::Kept => {}
            Limited::Broken(faults) => {
                lasting = true;
                refusal.violations.extend(faults);
            }
            Limited::NotNow(fault) => refusal.violations.push(fault),
            Limited::Needs(calls) => needs.extend(calls),
            Limited::Failed(refusal) => failed = Some(refusal),
        }
    }
    if !bound {
        return None;
    }
    let first = refusal.violations.first().map(|fault| fault.path.clone()).filter(|path| !path.is_empty());
    let ruling = match (refusal.violations.is_empty(), failed) {
        (false, _) if lasting => Ruling::Refuse(refusal),
        (false, _) => Ruling::Refuse(refusal.retryable()),
        (true, Some(failed)) => Ruling::Refuse(failed),
        (true, None) if needs.is_empty() => Ruling::Pass,
        (true, None) => Ruling::Need(needs),
    };
    Some((first, ruling))
}

fn listed(allowed: &BTreeSet<String>) -> String {
    allowed.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn regions(limits: &Limits, call: &Call) -> Limited {
    let (Some(allowed), Some(region)) = (&limits.regions, call.region()) else { return Limited::Unbound };
    if allowed.contains(region) && REGIONS.iter().any(|(id, _)| *id == region) {
        return Limited::Kept;
    }
    let fix = format!("tell the user; the operator allows {}", listed(allowed));
    Limited::Broken(vec![Fault::new("RegionId", "isn't a region that the operator allows", fix)])
}

/// Workspaces that are named, and one that what is made must name where it can.
fn workspaces(limits: &Limits, matter: &Matter<'_>) -> Limited {
    let Some(allowed) = &limits.workspaces else { return Limited::Unbound };
    let fix = || format!("tell the user; the operator allows {}", listed(allowed));
    let (mut faults, mut bound) = (Vec::new(), false);
    if matter.call.tool().name() == "aiworkspace_create_workspace" {
        let message = "a new workspace isn't one that the operator allows";
        return Limited::Broken(vec![Fault::new("", message, fix())]);
    }
    named(matter, Fact::Workspace, &mut |path, id| {
        bound = true;
        if !allowed.contains(id) {
            faults.push(Fault::new(path, "isn't a workspace that the operator allows", fix()));
        }
    });
    // A list of ids is one text, as the wire has it.
    if let Some(ids) = matter.given.get("WorkspaceIds").and_then(Value::as_str) {
        bound = true;
        if ids.split(',').any(|id| !allowed.contains(id)) {
            faults.push(Fault::new(
                "WorkspaceIds",
                "holds a workspace that the operator doesn't allow",
                fix(),
            ));
        }
    }
    let takes = || matter.call.tool().request().field("WorkspaceId").is_some();
    if !bound && matter.call.spec().effect == Effect::Create && takes() {
        bound = true;
        faults.push(Fault::new("WorkspaceId", "must be given: only some workspaces are allowed", fix()));
    }
    if bound { Limited::by(faults) } else { Limited::Unbound }
}

fn images(limits: &Limits, matter: &Matter<'_>) -> Limited {
    let Some(allowed) = &limits.images else { return Limited::Unbound };
    let fix = || {
        format!(
            "use an image whose address begins with {}",
            allowed.iter().cloned().collect::<Vec<_>>().join(" or ")
        )
    };
    let (mut faults, mut bound) = (Vec::new(), false);
    let mut see = |path: String, image: &str| {
        bound = true;
        if !allowed.iter().any(|prefix| begins(image, prefix))
            && !faults.iter().any(|fault: &Fault| fault.path == path)
        {
            faults.push(Fault::new(path, "isn't an image that the operator allows", fix()));
        }
    };
    named(matter, Fact::Image, &mut see);
    // PyroMind's images have no list, so no type of their own.
    if let Some(image) = matter.given.get("image").and_then(Value::as_str) {
        see("image".to_owned(), image);
    }
    if bound { Limited::by(faults) } else { Limited::Unbound }
}

/// Calls `visit` with the place and text of each value of this kind, those that a template brings among them.
fn named(matter: &Matter<'_>, fact: Fact, visit: &mut dyn FnMut(String, &str)) {
    let shape = matter.call.tool().request();
    match matter.taken {
        Taken::Rest(merged) => {
            shape.claims(&merged.whole, &mut |claim| {
                if claim.fact == fact {
                    visit(claim.path.to_string(), claim.text);
                }
            });
            shape.claims(&merged.stored, &mut |claim| {
                if claim.fact == fact && merged.counts(claim.path) {
                    visit(claim.path.to_string(), claim.text);
                }
            });
        }
        Taken::Nothing | Taken::Unread(_) | Taken::Refused(_) | Taken::Home(_) => {
            shape.claims(matter.given, &mut |claim| {
                if claim.fact == fact {
                    visit(claim.path.to_string(), claim.text);
                }
            });
        }
    }
}

/// Whether an image's address begins with whole steps of it: `registry/team` begins `registry/team/a:1` and
/// `registry/team:1`, but neither `registry/team-b/a:1` nor `registry/team@evil.example/a:1`.
fn begins(image: &str, prefix: &str) -> bool {
    let Some(rest) = image.strip_prefix(prefix) else { return false };
    let whole = prefix.ends_with('/')
        || rest.is_empty()
        || rest.starts_with(['/', ':'])
        || rest.starts_with("@sha256:");
    let odd = |step: &str| step == "." || step == "..";
    whole
        && !image.split('/').any(odd)
        && !rest.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\')
}

/// How often the clouds are called, by calls and by what is read for them. Asked before a call reads anything itself.
fn pace(limits: &Limits, knowledge: &Knowledge<'_>, now: Timestamp) -> Limited {
    let Some(most) = limits.calls_per_minute else { return Limited::Unbound };
    let sent = knowledge.history.sent_within_a_minute(now);
    if u64::try_from(sent).is_ok_and(|sent| sent < most) {
        return Limited::Kept;
    }
    let message = format!("more than {most} calls a minute aren't allowed");
    Limited::NotNow(Fault::new("", message, "wait a minute, then call again; read less at a time"))
}

/// How long what is started may run: it must be said, and be short enough.
fn minutes(limits: &Limits, matter: &Matter<'_>, now: Timestamp) -> Limited {
    let Some(most) = limits.minutes else { return Limited::Unbound };
    let name = matter.call.tool().name();
    let (argument, must) = match name {
        "dlc_create_job" => ("JobMaxRunningTimeMinutes", true),
        "dlc_create_tensorboard" => ("MaxRunningTimeMinutes", true),
        "dlc_update_tensorboard" => ("MaxRunningTimeMinutes", false),
        "pyromind_submit_training_job" => ("max_run_time", true),
        "pyromind_create_sandbox" | "pyromind_create_instance" => ("expire_time", true),
        "pyromind_edit_instance" => ("expire_time", false),
        _ => return Limited::Unbound,
    };
    let Some(whole) = matter.whole() else { return Limited::Unbound };
    let longest = u64::try_from(now.as_second()).unwrap_or(0).saturating_add(most.saturating_mul(60));
    let kept = match whole.get(argument) {
        None | Some(Value::Null) if !must => return Limited::Unbound,
        None | Some(Value::Null) => {
            let message = format!("must be given: what is started may run for {most} minutes at most");
            return Limited::Broken(vec![Fault::new(
                argument,
                message,
                "give it, and ask the user how long",
            )]);
        }
        Some(value) if argument == "expire_time" => value
            .as_str()
            .and_then(|text| text.parse::<Timestamp>().ok())
            .is_some_and(|end| u64::try_from(end.as_second()).is_ok_and(|end| end <= longest)),
        Some(value) if argument == "max_run_time" => value.as_str().and_then(duration).is_some_and(|time| {
            let most = i64::try_from(most).map(SignedDuration::from_mins);
            most.is_ok_and(|most| time <= most)
        }),
        Some(value) => value.as_u64().is_some_and(|minutes| minutes <= most),
    };
    if kept {
        return Limited::Kept;
    }
    let message = format!("is more than the {most} minutes that the operator allows");
    Limited::Broken(vec![Fault::new(argument, message, "give less; tell the user if that isn't enough")])
}

/// How long an ISO 8601 duration is at most: a month counts as 31 days, a year as 366.
fn duration(text: &str) -> Option<SignedDuration> {
    static PARSER: SpanParser = SpanParser::new();
    let span = PARSER.parse_span(text).ok()?;
    let days = i64::from(span.get_years()) * 366 + i64::from(span.get_months()) * 31;
    let rest = span.years(0).months(0);
    let rest: Span = rest;
    let time = rest.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    time.checked_add(SignedDuration::from_hours(days.checked_mul(24)?))
}

#[cfg(test)]
mod tests;
