//! A human's yes: what is asked, what counts as an answer, and what was agreed.
//!
//! A [`Question`] is bound by its digest to everything that it shows: the call's exact arguments, the
//! account, the world and the policy. An [`Answer`] counts only for the question of that digest, and only
//! with the field that the form requires. No argument of a tool is ever an answer.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::refusal::Refusal;
use crate::error::Fault;
use crate::spec::value::{COMMON_REGIONS, REGIONS, is_allowed_region};
use crate::spec::{Call, Effect};

/// What a human is asked to fill in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// The property `region`, one of these, none preselected.
    Region {
        /// Region ids with their public names.
        options: Vec<(String, String)>,
    },
    /// The property `approve`, which must be true.
    Approve,
    /// The property `resource_id`, into which the id of what is destroyed or revealed is typed.
    TypeId {
        /// The argument that names it.
        argument: &'static str,
        /// The id.
        id: String,
    },
}

impl Form {
    /// Whether a region is to be chosen.
    pub(super) const fn is_region(&self) -> bool {
        match self {
            Self::Region { .. } => true,
            Self::Approve | Self::TypeId { .. } => false,
        }
    }

    /// The name of the form's one property. It is required and has no default.
    pub const fn property(&self) -> &'static str {
        match self {
            Self::Region { .. } => "region",
            Self::Approve => "approve",
            Self::TypeId { .. } => "resource_id",
        }
    }
}

/// A question to a human.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    rule: String,
    message: String,
    form: Form,
    digest: String,
}

impl Question {
    pub(super) const fn new(rule: String, message: String, form: Form, digest: String) -> Self {
        Self { rule, message, form, digest }
    }

    /// The rule that asks.
    pub fn rule(&self) -> &str {
        &self.rule
    }

    /// What the human reads.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What the human fills in.
    pub const fn form(&self) -> &Form {
        &self.form
    }

    /// What the question is bound to.
    pub fn digest(&self) -> &str {
        &self.digest
    }
}

/// The way by which a question reached a human.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// `elicitation/create`, during the call.
    Elicitation,
    /// `input_required`, answered by the call's retry.
    InputRequired,
    /// A page in the human's own browser.
    ApprovalPage,
    /// A prompt on the operator's terminal.
    Terminal,
    /// A launch flag of the operator.
    Operator,
}

/// What came back for a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// The form, filled in.
    Accepted(Value),
    /// A no, or a client that declines without showing a dialog.
    Declined,
    /// The dialog was closed.
    Cancelled,
    /// Nobody answered in time.
    TimedOut,
    /// Nobody has answered yet. The question stays open, and the same call made again hears the answer.
    Pending {
        /// By which the human tells the question from others.
        code: String,
    },
    /// Too many questions wait for the human already.
    Crowded,
    /// The host has no way to ask.
    NoChannel,
    /// The sealed state that carried the question back was used before.
    Replayed,
    /// The sealed state isn't one that this server made, or it was changed.
    Tampered,
    /// The sealed state is too old.
    Expired,
}

/// A reply, to the question of one digest.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The question's digest; empty where the sealed state couldn't be opened.
    pub digest: String,
    /// How it came.
    pub channel: Channel,
    /// What it was.
    pub reply: Reply,
}

/// A yes to exactly one rendered call. Only the policy makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    channel: Channel,
    digest: String,
}

impl Approval {
    pub(super) const fn new(channel: Channel, digest: String) -> Self {
        Self { channel, digest }
    }

    /// How the yes came.
    pub const fn channel(&self) -> Channel {
        self.channel
    }

    /// The digest of what it is a yes to.
    pub fn digest(&self) -> &str {
        &self.digest
    }
}

/// What an answer came to.
#[derive(Debug)]
pub enum Heard {
    /// The region is confirmed, and remembered in [`Consents`].
    Region,
    /// A yes to the call's arguments, for this step alone.
    Arguments(Approval),
}

/// What the operator agreed to by launch flags.
#[derive(Debug, Clone, Default)]
pub struct Operator {
    /// Regions confirmed with `--region`.
    pub regions: BTreeSet<String>,
    /// What `--approve` lets through without a question.
    pub approvals: BTreeSet<Waiver>,
}

impl Operator {
    /// Whether a launch flag approves calls like `call`.
    pub fn approves(&self, call: &Call) -> bool {
        let spec = call.spec();
        self.approvals.iter().any(|waiver| match waiver {
            Waiver::Tool(name) => *name == spec.name,
            Waiver::Creates => spec.effect == Effect::Create,
            Waiver::Updates => spec.effect == Effect::Update,
            Waiver::Acts => spec.effect == Effect::Act,
        })
    }
}

/// One `--approve`: a tool, or an effect that may be approved as a whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Waiver {
    /// A tool by its name.
    Tool(&'static str),
    /// Every tool that creates.
    Creates,
    /// Every tool that updates.
    Updates,
    /// Every tool that acts.
    Acts,
}

/// A `--approve` that names nothing that can be approved.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum WaiverError {
    /// Destroying and revealing are approved tool by tool.
    #[error("--approve {0}: only create, update and act can be approved as a whole; name the tool instead")]
    ByToolOnly(&'static str),
    /// There is no such tool or effect.
    #[error("--approve takes a tool's name (see `redline-mcp tools`) or one of create, update, act")]
    Unknown,
}

impl FromStr for Waiver {
    type Err = WaiverError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "create" => Ok(Self::Creates),
            "update" => Ok(Self::Updates),
            "act" => Ok(Self::Acts),
            "destroy" => Err(WaiverError::ByToolOnly("destroy")),
            "reveal" => Err(WaiverError::ByToolOnly("reveal")),
            name => crate::tools::find(name).map(|tool| Self::Tool(tool.name())).ok_or(WaiverError::Unknown),
        }
    }
}

/// Which regions a human confirmed in this scope, for which account, and when.
#[derive(Debug, Default)]
pub struct Consents {
    regions: BTreeMap<(String, String), Timestamp>,
}

impl Consents {
    pub(super) fn confirm(&mut self, account: &str, region: &str, now: Timestamp) {
        self.regions.insert((account.to_owned(), region.to_owned()), now);
    }

    pub(super) fn confirmed(
        &self,
        account: &str,
        region: &str,
        now: Timestamp,
        lifetime: SignedDuration,
    ) -> bool {
        self.regions
            .get(&(account.to_owned(), region.to_owned()))
            .is_some_and(|at| *at <= now && now.duration_since(*at) < lifetime)
    }
}

/// The name of a region that only the operator's flag allows.
pub(super) const UNDOCUMENTED: &str = "not documented, allowed by the operator";

/// The regions offered: the common ones, and the one that the agent named.
pub(super) fn region_form(named: &str) -> Form {
    let options = REGIONS
        .iter()
        .enumerate()
        .filter(|(index, (id, _))| *index < COMMON_REGIONS || *id == named)
        .map(|(_, (id, name))| ((*id).to_owned(), (*name).to_owned()))
        .chain(is_allowed_region(named).then(|| (named.to_owned(), UNDOCUMENTED.to_owned())))
        .collect();
    Form::Region { options }
}

/// What an accepted form says, if it says it in the one way that counts.
pub(super) enum Filled {
    /// The region chosen.
    Region(String),
    /// A yes.
    Yes,
    /// A form that was sent with `approve: false`.
    No,
    /// Another id than the one asked for.
    Mistyped,
    /// The form lacks its field, or holds something else there.
    Blank,
}

pub(super) fn filled(form: &Form, content: &Value) -> Filled {
    match (form, content.get(form.property())) {
        (Form::Region { options }, Some(Value::String(region)))
            if options.iter().any(|(id, _)| id == region) =>
        {
            Filled::Region(region.clone())
        }
        (Form::Approve, Some(Value::Bool(true))) => Filled::Yes,
        (Form::Approve, Some(Value::Bool(false))) => Filled::No,
        (Form::TypeId { id, .. }, Some(Value::String(typed))) if typed.trim() == id => Filled::Yes,
        (Form::TypeId { .. }, Some(Value::String(typed))) if !typed.trim().is_empty() => Filled::Mistyped,
        (Form::Region { .. } | Form::Approve | Form::TypeId { .. }, _) => Filled::Blank,
    }
}

/// Why an answer to `question` doesn't count. `None` for a filled form, which is for [`filled`] to weigh.
pub(super) fn refusal(rule: &str, reply: &Reply, how_to_allow: &str) -> Option<Refusal> {
    let (error, fix, retryable) = match reply {
        Reply::Accepted(_) => return None,
        Reply::Declined => (
            "the user declined, or the client showed no dialog",
            format!("ask the user in the conversation what they want; {how_to_allow}"),
            false,
        ),
        Reply::Cancelled => (
            "the user closed the question without an answer",
            "ask the user before trying again".to_owned(),
            true,
        ),
        Reply::TimedOut => (
            "nobody answered the question in time",
            "ask the user to watch for the dialog, then call again".to_owned(),
            true,
        ),
        Reply::Pending { code } => return Some(pending(rule, code)),
        Reply::Crowded => (
            "too many questions wait for the user's answer already",
            "have the user answer them first, then call again".to_owned(),
            true,
        ),
        Reply::NoChannel => (
            "this needs a human's yes, and the client has no way to ask for one",
            format!("{how_to_allow}; {IN_A_BROWSER}"),
            false,
        ),
        Reply::Replayed => (
            "this answer was used before; a yes counts once",
            "call again without requestState to be asked anew".to_owned(),
            false,
        ),
        Reply::Tampered => (
            "the request state isn't one that this server made for this caller",
            "call again without requestState to be asked anew".to_owned(),
            false,
        ),
        Reply::Expired => (
            "the question is too old to be answered",
            "call again without requestState to be asked anew".to_owned(),
            false,
        ),
    };
    let refusal = Refusal::new(rule, error).with(Fault::new("", error, fix));
    Some(if retryable { refusal.retryable() } else { refusal })
}

/// How a server can ask although its client can't.
const IN_A_BROWSER: &str = "or start the server where it can open the user's browser (--approval-page auto needs a \
    display, or name a program with --browser), and it asks there";

/// What is said while a question waits in the human's browser.
fn pending(rule: &str, code: &str) -> Refusal {
    let text =
        format!("the user has been asked in their browser, under the code {code}, and hasn't answered yet");
    let fix = format!(
        "tell the user that a page with the code {code} waits in their browser, then call again with the same \
         arguments: their answer counts for that call, once"
    );
    Refusal::new(rule, text.clone()).with(Fault::new("", text, fix)).retryable()
}

/// Text as a person must see it: quoted, on one line, with every character that could hide or reorder text
/// written out. That includes `<`, and `]` before `(`: a client that renders Markdown or HTML would take what
/// follows for a comment, a tag or a link's target, and not show it.
pub struct Quoted<'t>(pub &'t str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        f.write_char('"')?;
        let mut characters = self.0.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                character
                    if is_deceptive(character)
                        || character == '<'
                        || (character == ']' && characters.peek() == Some(&'(')) =>
                {
                    write!(f, "\\u{{{:04x}}}", u32::from(character))?;
                }
                character => f.write_char(character)?,
            }
        }
        f.write_char('"')
    }
}

/// Whether a character is invisible, or changes how its neighbours are read: controls, bidirectional marks,
/// zero-width and other formatting characters, unusual spaces, tags and private use.
pub fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00a0}' | '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{1680}' | '\u{17b4}'
            | '\u{17b5}' | '\u{2800}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{180b}'..='\u{180f}' | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}'
            | '\u{3000}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffd}'
            | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{e0fff}' | '\u{f0000}'..='\u{10ffff}')
}

/// A limit in whole hours, as policies write it.
pub(super) const MAX_REGION_HOURS: i64 = 8;
