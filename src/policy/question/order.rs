//! The question about a call that others came before.

use std::fmt::Write;

use serde_json::Value;

use super::binding::{Bound, digest_of};
use super::{Setting, account, flatten, region_name, section, world};
use crate::policy::consent::{Form, Question, Quoted};
use crate::policy::history::calls::Sent;
use crate::policy::load::sequence::Sequence;
use crate::policy::mask::MaskedCall;
use crate::spec::Call;

/// Whether `call`, shown as `shown`, should be made although these came before: the newest first.
pub(in crate::policy) fn order(
    rule: &Sequence,
    call: &Call,
    shown: &MaskedCall,
    before: &[&Sent],
    setting: &Setting<'_>,
) -> Question {
    let spec = call.spec();
    let mut message = format!("{}\n\n", rule.say);
    let _ = writeln!(message, "The agent asks for: {}\n{}", spec.title, world(setting));
    let _ = writeln!(message, "Account: {}", account(setting));
    if let Some(region) = call.region() {
        let _ = writeln!(message, "Region: {region} ({})", region_name(region));
    }
    let lines: Vec<String> = before.iter().map(|sent| line(sent)).collect();
    section(&mut message, "Before", &lines);
    // What changes the world is asked about by itself, with all of its arguments.
    if !spec.effect.changes() {
        let mut leaves = Vec::new();
        for (name, value) in shown.arguments().iter().filter(|(name, _)| *name != "RegionId") {
            flatten(name, value, &mut leaves);
        }
        let arguments: Vec<String> = leaves.iter().map(|(path, value)| format!("{path}: {value}")).collect();
        section(&mut message, "Arguments", &arguments);
    }
    let given = Value::Object(call.arguments().clone()).to_string();
    let subject: &[&str] = &["sequence", &rule.id, spec.name, &given];
    let digest = digest_of(setting, &Bound { subject, history: &lines.join("\n"), text: &message });
    Question::new(rule.id.clone(), message, Form::Approve, None, digest)
}

/// One call before, in a line: what it was, about what, how it ended and when.
fn line(sent: &Sent) -> String {
    let about = sent.subject.as_deref().map(|id| format!(" {}", Quoted(id))).unwrap_or_default();
    let (title, how, at) = (sent.spec.title, sent.ended.words(), sent.at.strftime("%Y-%m-%d %H:%M:%S"));
    format!("{title}{about}: it {how}, at {at} UTC")
}
