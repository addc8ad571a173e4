//! What a call must not ask for, must give, and must not give together.

use serde_json::Value;

use super::Ruling;
use super::provenance::Matter;
use super::template::Taken;
use crate::error::Fault;
use crate::policy::load::{Exclusive, Forbid, Requires, Reveal, Setting};
use crate::policy::question::{holds, is_so};
use crate::policy::refusal::Refusal;
use crate::spec::marks::{Kind, Path, Shape};
use crate::spec::{Call, Effect, Tool};

/// What a rule says, and about which argument.
pub(super) type Said = Option<(Option<String>, Ruling)>;

/// The refusal of `rule`, or a pass where nothing is wrong.
fn ruling(rule: &str, error: &str, faults: Vec<Fault>) -> (Option<String>, Ruling) {
    let first = faults.first().map(|fault| fault.path.clone()).filter(|path| !path.is_empty());
    if faults.is_empty() {
        return (first, Ruling::Pass);
    }
    let mut refusal = Refusal::new(rule, error);
    refusal.violations = faults;
    (first, Ruling::Refuse(refusal))
}

/// Whether a call, or its settings, are forbidden; `None` where the rule doesn't bind it.
pub(super) fn forbidden(rule: &Forbid, matter: &Matter<'_>) -> Said {
    let tool = matter.call.tool();
    let bound = !rule.off
        && rule.tools.as_ref().is_none_or(|tools| tools.contains(tool.name()))
        && (rule.effects.is_empty() || rule.effects.contains(&tool.spec().effect));
    if !bound {
        return None;
    }
    let mut faults = Vec::new();
    if rule.settings.is_empty() {
        faults.push(Fault::new("", rule.why.clone(), rule.fix.clone()));
        return Some(ruling(&rule.id, "the operator's policy forbids this call; nothing was sent", faults));
    }
    let mut takes = false;
    let mut found = |path: &Path<'_>, stored: bool| {
        let path = path.to_string();
        if !faults.iter().any(|fault: &Fault| fault.path == path) {
            let message =
                if stored { "isn't allowed here; the template brings it" } else { "isn't allowed here" };
            faults.push(Fault::new(path, message, rule.fix.clone()));
        }
    };
    let shape = tool.request();
    match matter.taken {
        Taken::Rest(merged) => {
            let mut visit = |path: &Path<'_>| found(path, merged.is_stored(path));
            takes |= settings(&rule.settings, shape, &merged.whole, &mut visit);
            // How lists are merged isn't documented: what the template stores counts too.
            let mut visit = |path: &Path<'_>| {
                if merged.counts(path) {
                    found(path, true);
                }
            };
            takes |= settings(&rule.settings, shape, &merged.stored, &mut visit);
        }
        Taken::Nothing | Taken::Unread(_) | Taken::Refused(_) | Taken::Home(_) => {
            takes |= settings(&rule.settings, shape, matter.given, &mut |path| found(path, false));
        }
    }
    takes.then(|| ruling(&rule.id, "a setting isn't allowed here; nothing was sent", faults))
}

/// Calls `visit` with the place of each setting in `value` that is one of `wanted`, and tells whether such an
/// argument is given at all. Names of free maps are no settings.
fn settings(wanted: &[Setting], shape: &Shape, value: &Value, visit: &mut dyn FnMut(&Path<'_>)) -> bool {
    let mut walk = Walk { wanted, steps: Vec::new(), takes: false };
    walk.descend(shape, value, &Path::Root, visit);
    walk.takes
}

struct Walk<'w> {
    wanted: &'w [Setting],
    steps: Vec<&'w str>,
    takes: bool,
}

impl<'w> Walk<'w> {
    fn descend(
        &mut self,
        shape: &'w Shape,
        value: &Value,
        path: &Path<'_>,
        visit: &mut dyn FnMut(&Path<'_>),
    ) {
        if let Some((inner, value)) = shape.inside(value) {
            return self.descend(inner, &value, path, visit);
        }
        match (&shape.inner().kind, value) {
            (Kind::Object(fields), Value::Object(object)) => {
                for (name, value) in object {
                    let Some((name, shape)) = fields.iter().find(|(field, _)| field == name) else {
                        continue;
                    };
                    let path = Path::Field(path, name);
                    self.steps.push(name);
                    if !self.hit(value, &path, visit) {
                        self.descend(shape, value, &path, visit);
                    }
                    self.steps.pop();
                }
            }
            (Kind::List(item), Value::Array(values)) => {
                for (index, value) in values.iter().enumerate() {
                    self.descend(item, value, &Path::Index(path, index), visit);
                }
            }
            (Kind::Map(item), Value::Object(object)) => {
                // A map's keys are anybody's; what they hold may still be a model with settings of its own.
                for (name, value) in object {
                    let steps = std::mem::take(&mut self.steps);
                    self.descend(item, value, &Path::Field(path, name), visit);
                    self.steps = steps;
                }
            }
            (
                Kind::Object(_)
                | Kind::List(_)
                | Kind::Map(_)
                | Kind::Text
                | Kind::Integer
                | Kind::Number
                | Kind::Flag
                | Kind::Any,
                _,
            ) => {}
        }
    }

    /// Whether the argument just stepped to is wanted, whatever its value; if its value is too, it is visited.
    fn hit(&mut self, value: &Value, path: &Path<'_>, visit: &mut dyn FnMut(&Path<'_>)) -> bool {
        let mut hit = false;
        for setting in self.wanted {
            let mut steps = self.steps.iter().rev();
            if !setting.path.split('.').rev().all(|step| steps.next() == Some(&step)) {
                continue;
            }
            self.takes = true;
            if !is_nothing(value) && (setting.is.is_empty() || is_one(value, &setting.is)) {
                visit(path);
                hit = true;
            }
        }
        hit
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(object) => object.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn is_one(value: &Value, known: &[String]) -> bool {
    match value {
        Value::String(text) => known.contains(text),
        Value::Array(items) => items.iter().any(|item| is_one(item, known)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            known.contains(&value.to_string())
        }
    }
}

/// Whether what must be given is; `None` where the rule doesn't bind the call, or a template isn't read yet.
pub(super) fn required(rule: &Requires, matter: &Matter<'_>) -> Said {
    if rule.off || !rule.tools.contains(matter.call.tool().name()) {
        return None;
    }
    let whole = matter.whole()?;
    if !rule.when.iter().all(|when| is_so(whole, when)) {
        return None;
    }
    let mut faults = Vec::new();
    if !rule.any_of.iter().any(|path| holds(whole, path)) {
        let place = match rule.any_of.as_slice() {
            [only] => only.clone(),
            _ => String::new(),
        };
        let message = format!("must be given: {}", rule.any_of.join(" or "));
        faults.push(Fault::new(place, message, rule.fix.clone()));
    }
    Some(ruling(&rule.id, "an argument that must be given is missing; nothing was sent", faults))
}

/// Whether arguments are given of which only one may be; `None` where none of them is.
pub(super) fn exclusive(rule: &Exclusive, matter: &Matter<'_>) -> Said {
    if rule.off || !rule.tools.contains(matter.call.tool().name()) {
        return None;
    }
    let whole = matter.whole()?;
    if rule.unless.iter().any(|path| holds(whole, path)) {
        return None;
    }
    let given: Vec<&str> = rule.one_of.iter().filter(|path| holds(whole, path)).map(String::as_str).collect();
    let faults = match given.as_slice() {
        [] => return None,
        [_] => Vec::new(),
        [first, rest @ ..] => {
            let message = format!("doesn't go together with {}", rest.join(", "));
            vec![Fault::new(*first, message, rule.fix.clone())]
        }
    };
    Some(ruling(&rule.id, "arguments are given that don't go together; nothing was sent", faults))
}

/// Whether a tool hands over secrets, or links that let in whoever has them.
pub(in crate::policy) fn reveals(tool: &Tool) -> bool {
    let spec = tool.spec();
    match spec.effect {
        Effect::Reveal => true,
        Effect::Create | Effect::Update | Effect::Act | Effect::Destroy => tool.reply().hands_over(),
        Effect::Read | Effect::Untrusted => false,
    }
}

/// Whether what a call hands over may be; `None` for a call that hands over nothing.
pub(super) fn revealed(rule: &Reveal, call: &Call) -> Said {
    let tool = call.tool();
    if !reveals(tool) {
        return None;
    }
    let mut faults = Vec::new();
    if !rule.tools.contains(tool.name()) {
        faults.push(Fault::new("", "it isn't let through by the operator's policy", rule.fix.clone()));
    }
    Some(ruling(&rule.id, "what this call hands over isn't let through; nothing was sent", faults))
}
