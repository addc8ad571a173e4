//! Weighing an answer: whether it is a yes to what was asked, and if it isn't, why not.

use jiff::Timestamp;
use serde_json::Value;

use super::Policy;
use super::consent::{Answer, Approval, Consents, Form, Heard, Question, Reply};
use super::grant::{FURTHER, Granting, Limits};
use super::history::History;
use super::load::Subject;
use super::question::{self, Beside};
use super::refusal::{Reason, Refusal};
use super::rules;
use crate::error::Fault;
use crate::spec::Call;

/// How a server can ask although its client can't.
const IN_A_BROWSER: &str = "or start the server where it can open the user's browser (--approval-page auto needs a \
    display, or name a program with --browser), and it asks there";

/// What to do when the state that came with an answer doesn't count.
const ANEW: &str = "call again without requestState to be asked anew";

impl Policy {
    /// Remembers that a human is asked `question` about `call`. Until they say yes to it, no grant answers it, and a
    /// question of sequence holds, however long they take.
    pub fn asked(
        &self,
        call: &Call,
        question: &Question,
        account: &str,
        history: &History,
        consents: &mut Consents,
        now: Timestamp,
    ) {
        consents.note_put(question.digest(), now);
        let carried = rules::carried(self, call, history, consents, now);
        let call = carried.as_ref().unwrap_or(call);
        let rule = self.rules.sequence.iter().find(|rule| rule.id == question.rule());
        let asked = rule.and_then(|rule| {
            rules::sequence_question(self, rule, call, history, consents, account, now)
                .filter(|asked| asked.question.digest() == question.digest())
        });
        if let Some(asked) = asked {
            let key = rules::call_key(self, call);
            consents.keep_open(question.rule(), key, question, asked.because, now);
        }
    }

    /// Weighs an answer to a question about `call`: the question is made anew, so an answer to anything else
    /// doesn't count. A confirmed region is remembered in `consents`.
    ///
    /// # Errors
    /// A refusal that says why the answer doesn't count.
    pub fn hear(
        &self,
        call: &Call,
        answer: &Answer,
        account: &str,
        history: &History,
        consents: &mut Consents,
        now: Timestamp,
    ) -> Result<Heard, Refusal> {
        let mut open = Vec::new();
        for rule in rules::of(&self.rules.confirm, Subject::Region) {
            let Some(region) = call.region() else { continue };
            let question = question::region(rule, call, region, &rules::setting(self, account));
            if question.digest() == answer.digest {
                return hear_region(&question, answer, region, account, consents, now);
            }
            open.push(question);
        }
        let carried = rules::carried(self, call, history, consents, now);
        let call = carried.as_ref().unwrap_or(call);
        for rule in &self.rules.sequence {
            let Some(asked) = rules::sequence_question(self, rule, call, history, consents, account, now)
            else {
                continue;
            };
            if asked.question.digest() == answer.digest {
                hear_yes(&asked.question, answer, rule.fix.as_deref().unwrap_or_default())?;
                consents.close(&rule.id, &rules::call_key(self, call));
                consents.settle(&rule.id, asked.because);
                return Ok(Heard::Settled);
            }
            open.push(asked.question);
        }
        let before = rules::made_before(self, call, history, now);
        for rule in rules::of(&self.rules.confirm, Subject::Arguments) {
            let question =
                rules::arguments_question(self, rule, call, Beside::default(), history, before, account);
            // What a template brings, or a warning rests on, is read anew before the call is judged, and only then is
            // the question the one that was answered, or another one: judging weighs the digest.
            if rules::asks_what_is_read(call) || question.digest() == answer.digest {
                return hear_arguments(&question, answer, self.rules.grant, call);
            }
            open.push(question);
        }
        let how = "call again to be asked anew";
        Err(no("confirmation", &answer.reply, how).unwrap_or_else(|| to_another(&open, answer)))
    }
}

/// An answer to a question that isn't asked any more, or never was. `open` are those that could be asked now.
fn to_another(open: &[Question], answer: &Answer) -> Refusal {
    let changes = open.iter().filter_map(|question| question::changed(&answer.digest, question.digest()));
    // Where the subject is the same, what changed is something else, and that is what to tell.
    let reason = changes.min_by_key(|reason| *reason == Reason::ArgumentsChanged);
    let what = match reason {
        Some(Reason::ArgumentsChanged) => "the arguments changed after it was asked",
        Some(Reason::AccountChanged) => "the account changed after it was asked",
        Some(Reason::PolicyChanged) => "the policy or the cloud changed after it was asked",
        Some(Reason::HistoryChanged) => "what was made before changed after it was asked",
        Some(_) | None => "what it shows is no longer so",
    };
    Refusal::new("confirmation", format!("the answer is to another question: {what}"))
        .because(reason.unwrap_or(Reason::QuestionChanged))
        .with(Fault::new(
            "",
            "nothing was sent",
            "call again without requestState, with the arguments that are meant, to be asked anew",
        ))
}

fn hear_region(
    question: &Question,
    answer: &Answer,
    region: &str,
    account: &str,
    consents: &mut Consents,
    now: Timestamp,
) -> Result<Heard, Refusal> {
    let how = format!("the operator can confirm a region at launch with --region {region}");
    let chosen = match filled(question, answer, &how)? {
        Filled::Region(chosen) => chosen,
        Filled::Yes | Filled::No | Filled::Mistyped => return Err(blank(question)),
    };
    consents.confirm(account, &chosen, now);
    if chosen == region {
        return Ok(Heard::Region);
    }
    let text = format!("the user chose {chosen}, not {region}");
    Err(Refusal::new(question.rule(), text).because(Reason::OtherChoice).with(Fault::new(
        "RegionId",
        "isn't the region that the user chose",
        format!("use {chosen}"),
    )))
}

fn hear_arguments(
    question: &Question,
    answer: &Answer,
    limits: Option<Limits>,
    call: &Call,
) -> Result<Heard, Refusal> {
    let how = format!("the operator can approve the tool at launch with --approve {}", call.tool().name());
    hear_yes(question, answer, &how)?;
    let granting = match further(question, &answer.reply, limits)? {
        0 => Granting::Nothing,
        calls => Granting::Wants(calls),
    };
    Ok(Heard::Arguments(Approval::new(answer.channel, answer.digest.clone(), granting)))
}

/// Whether the answer is a yes. `how_to_allow` says what else can be done where nobody can be asked.
fn hear_yes(question: &Question, answer: &Answer, how_to_allow: &str) -> Result<(), Refusal> {
    match filled(question, answer, how_to_allow)? {
        Filled::Yes => Ok(()),
        Filled::No => Err(Refusal::new(question.rule(), "the user answered no")
            .because(Reason::AnsweredNo)
            .with(Fault::new("", "the user doesn't want this call", "ask them what they want instead"))),
        Filled::Mistyped => {
            Err(Refusal::new(question.rule(), "the id that was typed isn't the one in the question")
                .because(Reason::WrongId)
                .with(Fault::new(
                    "",
                    "nothing was sent, since the user may have meant something else",
                    "ask the user which one they mean, then call again",
                ))
                .retryable())
        }
        Filled::Region(_) => Err(blank(question)),
    }
}

/// How many further calls the human lets through: none where the field is left out, empty or 0. More than is offered is
/// no answer at all, for nobody can know what was meant.
fn further(question: &Question, reply: &Reply, limits: Option<Limits>) -> Result<u32, Refusal> {
    let most = limits.map_or(0, |limits| limits.calls);
    match reply.content().and_then(|content| content.get(FURTHER)) {
        None | Some(Value::Null) => Ok(0),
        Some(Value::String(text)) if text.is_empty() => Ok(0),
        // Without an offer there was no such field, and what stands there means nothing.
        Some(_) if most == 0 => Ok(0),
        Some(number) => match number.as_u64().and_then(|number| u32::try_from(number).ok()) {
            Some(number) if number <= most => Ok(number),
            Some(_) | None => {
                let text =
                    format!("the question came back with a {FURTHER} that isn't a whole number up to {most}");
                Err(Refusal::new(question.rule(), text).because(Reason::Malformed).with(Fault::new(
                    "",
                    "what the user meant can't be known, so nothing was sent",
                    "call again; the user can leave the field empty",
                )))
            }
        },
    }
}

/// What an accepted form says.
enum Filled {
    /// The region chosen.
    Region(String),
    /// A yes.
    Yes,
    /// A form that was sent with `approve: false`.
    No,
    /// Another id than the one asked for.
    Mistyped,
}

/// What an answer says, if it says it in the one way that counts.
fn filled(question: &Question, answer: &Answer, how_to_allow: &str) -> Result<Filled, Refusal> {
    let Some(content) = answer.reply.content() else {
        let refusal = no(question.rule(), &answer.reply, how_to_allow);
        return Err(refusal.unwrap_or_else(|| blank(question)));
    };
    match (question.form(), content.get(question.form().property())) {
        (Form::Region { options }, Some(Value::String(region)))
            if options.iter().any(|(id, _)| id == region) =>
        {
            Ok(Filled::Region(region.clone()))
        }
        (Form::Approve, Some(Value::Bool(true))) => Ok(Filled::Yes),
        (Form::Approve, Some(Value::Bool(false))) => Ok(Filled::No),
        (Form::TypeId { id, .. }, Some(Value::String(typed))) if typed.trim() == id => Ok(Filled::Yes),
        (Form::TypeId { .. }, Some(Value::String(typed))) if !typed.trim().is_empty() => Ok(Filled::Mistyped),
        (Form::Region { .. } | Form::Approve | Form::TypeId { .. }, _) => Err(blank(question)),
    }
}

fn blank(question: &Question) -> Refusal {
    let field = question.form().property();
    Refusal::new(question.rule(), format!("the question came back accepted, but without a valid {field}"))
        .because(Reason::Malformed)
        .with(Fault::new(
            "",
            format!("an accept without {field} is no yes"),
            "the user must fill the field in; call again",
        ))
}

/// Why a reply that isn't a filled form doesn't count; `None` for one that is.
fn no(rule: &str, reply: &Reply, how_to_allow: &str) -> Option<Refusal> {
    let (reason, error, fix, retryable) = match reply {
        Reply::Accepted(_) => return None,
        Reply::Declined => (
            Reason::Declined,
            "the user declined, or the client showed no dialog",
            format!("ask the user in the conversation what they want; {how_to_allow}"),
            false,
        ),
        Reply::Cancelled => (
            Reason::Cancelled,
            "the user closed the question without an answer",
            "ask the user before trying again".to_owned(),
            true,
        ),
        Reply::TimedOut => (
            Reason::TimedOut,
            "nobody answered the question in time",
            "ask the user to watch for the dialog, then call again".to_owned(),
            true,
        ),
        Reply::Pending { code } => return Some(pending(rule, code)),
        Reply::Crowded => (
            Reason::Crowded,
            "too many questions wait for the user's answer already",
            "have the user answer them first, then call again".to_owned(),
            true,
        ),
        Reply::Malformed => (
            Reason::Malformed,
            "what the client sent back isn't an answer to the question",
            format!(
                "call again; if that doesn't help, tell the user that the client is at fault, or {how_to_allow}"
            ),
            false,
        ),
        Reply::NoChannel => (
            Reason::NoChannel,
            "this needs a human's yes, and the client has no way to ask for one",
            format!("{how_to_allow}; {IN_A_BROWSER}"),
            false,
        ),
        Reply::Replayed => {
            (Reason::Replayed, "this answer was used before; a yes counts once", ANEW.to_owned(), false)
        }
        Reply::Tampered => (
            Reason::Tampered,
            "the request state isn't one that this server made for this caller",
            ANEW.to_owned(),
            false,
        ),
        Reply::Expired => (Reason::Expired, "the question is too old to be answered", ANEW.to_owned(), false),
    };
    let refusal = Refusal::new(rule, error).because(reason).with(Fault::new("", error, fix));
    Some(if retryable { refusal.retryable() } else { refusal })
}

/// What is said while a question waits in the human's browser.
fn pending(rule: &str, code: &str) -> Refusal {
    let text =
        format!("the user has been asked in their browser, under the code {code}, and hasn't answered yet");
    let fix = format!(
        "tell the user that a page with the code {code} waits in their browser, then call again with the same \
         arguments: their answer counts for that call, once"
    );
    Refusal::new(rule, text.clone()).because(Reason::Pending).with(Fault::new("", text, fix)).retryable()
}
