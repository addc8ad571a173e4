//! A human's yes: what is asked, what counts as an answer, and what was agreed.
//!
//! A [`Question`] is bound by its digest to everything that it shows: the call's exact arguments, the
//! account, the world and the policy. An [`Answer`] counts only for the question of that digest, and only
//! with the field that the form requires. No argument of a tool is ever an answer.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::grant::{Granting, Grants, Offer};
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
    offer: Option<Box<Offer>>,
    digest: String,
}

impl Question {
    pub(super) const fn new(
        rule: String,
        message: String,
        form: Form,
        offer: Option<Box<Offer>>,
        digest: String,
    ) -> Self {
        Self { rule, message, form, offer, digest }
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

    /// Which further calls the human may let through beside this one: a second property of the form, which may be left
    /// out. A channel that can't show it leaves it out.
    pub fn offer(&self) -> Option<&Offer> {
        self.offer.as_deref()
    }

    /// What the human reads where the offer is shown.
    pub fn message_with_offer(&self) -> String {
        with_offer(&self.message, self.offer())
    }

    /// What the question is bound to, its offer included.
    pub fn digest(&self) -> &str {
        &self.digest
    }
}

/// What a human reads of a call, and of what is offered beside it.
pub(super) fn with_offer(message: &str, offer: Option<&Offer>) -> String {
    match offer {
        Some(offer) => format!("{message}\n{}\n", offer.text()),
        None => message.to_owned(),
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
    /// The `--human` file of a simulated run.
    #[serde(rename = "scripted-human")]
    Scripted,
    /// No question: a human let such calls through when they were asked about an earlier one.
    Grant,
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
    /// Something came back that is no answer to any question.
    Malformed,
    /// The host has no way to ask.
    NoChannel,
    /// The sealed state that carried the question back was used before.
    Replayed,
    /// The sealed state isn't one that this server made, or it was changed.
    Tampered,
    /// The sealed state is too old.
    Expired,
}

impl Reply {
    /// The form that came back filled; `None` for all that is none.
    pub(super) const fn content(&self) -> Option<&Value> {
        match self {
            Self::Accepted(content) => Some(content),
            Self::Declined
            | Self::Cancelled
            | Self::TimedOut
            | Self::Pending { .. }
            | Self::Crowded
            | Self::Malformed
            | Self::NoChannel
            | Self::Replayed
            | Self::Tampered
            | Self::Expired => None,
        }
    }
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

/// A yes to one call. Only the policy makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    channel: Channel,
    digest: String,
    granting: Granting,
}

impl Approval {
    pub(super) const fn new(channel: Channel, digest: String, granting: Granting) -> Self {
        Self { channel, digest, granting }
    }

    /// How the yes came.
    pub const fn channel(&self) -> Channel {
        self.channel
    }

    /// The digest of what it is a yes to: of the question that was answered.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What it has to do with a grant.
    pub(super) const fn granting(&self) -> &Granting {
        &self.granting
    }
}

/// What an answer came to.
#[derive(Debug)]
pub enum Heard {
    /// The region is confirmed, and remembered in [`Consents`].
    Region,
    /// A yes to the call's arguments, for this step alone.
    Arguments(Approval),
    /// What was asked because of calls before is settled, and remembered in [`Consents`].
    Settled,
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

/// What a human agreed to in this scope: which regions, for which account and when; which further calls they let
/// through; and what no rule of sequence needs to ask any more.
#[derive(Debug, Default)]
pub struct Consents {
    regions: BTreeMap<(String, String), Timestamp>,
    /// Further calls.
    pub(super) grants: Grants,
    /// The calls, by number, that a rule needn't ask about any more.
    settled: BTreeSet<(u64, String)>,
    /// Questions of sequence that nobody has said yes to.
    open: VecDeque<Open>,
    /// The digests of questions that were put, and when: no grant answers them.
    put: VecDeque<(String, Timestamp)>,
}

/// A question of sequence that was put, and of which nobody knows the answer, or knows that it was no.
#[derive(Debug)]
struct Open {
    rule: String,
    /// A digest of the call.
    call: String,
    question: Question,
    /// The calls because of which it is asked.
    because: Vec<u64>,
    at: Timestamp,
}

/// How long a question that was put holds: longer than any way of asking keeps one.
const PUT: SignedDuration = SignedDuration::from_mins(30);

/// The most questions that are kept; the oldest go first.
const MOST_PUT: usize = 1_000;

/// The most calls that are kept as settled; the oldest go first.
const MOST_SETTLED: usize = 1_000;

impl Consents {
    /// What `rule` asked because of these calls is settled.
    pub(super) fn settle(&mut self, rule: &str, calls: impl IntoIterator<Item = u64>) {
        self.settled.extend(calls.into_iter().map(|number| (number, rule.to_owned())));
        while self.settled.len() > MOST_SETTLED {
            self.settled.pop_first();
        }
    }

    /// Remembers that a question was put: until a human says yes to it, nothing else does.
    pub(super) fn note_put(&mut self, digest: &str, now: Timestamp) {
        self.put.push_back((digest.to_owned(), now));
        while self.put.len() > MOST_PUT {
            self.put.pop_front();
        }
    }

    /// Whether a question was put a while ago.
    pub(super) fn was_put(&self, digest: &str, now: Timestamp) -> bool {
        self.put.iter().any(|(put, at)| put == digest && now.duration_since(*at) < PUT)
    }

    /// Keeps a question of sequence open, also when the calls because of which it is asked lie too far back.
    pub(super) fn keep_open(
        &mut self,
        rule: &str,
        call: String,
        question: &Question,
        because: Vec<u64>,
        now: Timestamp,
    ) {
        self.close(rule, &call);
        self.open.push_back(Open {
            rule: rule.to_owned(),
            call,
            question: question.clone(),
            because,
            at: now,
        });
        while self.open.len() > MOST_PUT {
            self.open.pop_front();
        }
    }

    /// The question that `rule` keeps open about a call, and the calls because of which it is asked. `call` makes the
    /// call's digest, only where the rule keeps one open at all.
    pub(super) fn open(
        &self,
        rule: &str,
        call: impl FnOnce() -> String,
        now: Timestamp,
    ) -> Option<(&Question, &[u64])> {
        let mut of_rule = self.open.iter().filter(|open| open.rule == rule).peekable();
        of_rule.peek()?;
        let call = call();
        let open = of_rule.find(|open| open.call == call)?;
        let is_settled = open.because.iter().all(|number| self.is_settled(rule, *number));
        (!is_settled && now.duration_since(open.at) < PUT).then_some((&open.question, &open.because))
    }

    /// Closes the question that `rule` keeps open about a call.
    pub(super) fn close(&mut self, rule: &str, call: &str) {
        self.open.retain(|open| open.rule != rule || open.call != call);
    }

    pub(super) fn is_settled(&self, rule: &str, call: u64) -> bool {
        self.settled.contains(&(call, rule.to_owned()))
    }

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

/// Text as a person must see it: quoted, on one line, with every character that could hide or reorder text
/// written out. That includes `<`, `]` before `(`, and `&` before what could be a character's name: a client that
/// renders Markdown or HTML would take what follows for a comment, a tag, a link's target or another character, and not
/// show it. Of many spaces in a row the later ones are written out, so that they can't push text to the start of a line.
pub struct Quoted<'t>(pub &'t str);

/// The most spaces in a row that are shown as they are: the indentation of a script.
const SPACES: usize = 8;

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        f.write_char('"')?;
        let mut spaces = 0;
        let mut characters = self.0.chars();
        while let Some(character) = characters.next() {
            spaces = if character == ' ' { spaces + 1 } else { 0 };
            let rest = characters.clone();
            match character {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                character if spaces > SPACES || is_deceptive(character) || is_markup(character, rest) => {
                    write!(f, "\\u{{{:04x}}}", u32::from(character))?;
                }
                character => f.write_char(character)?,
            }
        }
        f.write_char('"')
    }
}

/// Whether `character`, with `rest` after it, begins what Markdown or HTML doesn't show as it is written.
fn is_markup(character: char, mut rest: std::str::Chars<'_>) -> bool {
    match character {
        '<' => true,
        ']' => rest.next() == Some('('),
        '&' => match rest.next() {
            Some('#') => true,
            Some(first) if first.is_ascii_alphanumeric() => {
                rest.find(|next| !next.is_ascii_alphanumeric()) == Some(';')
            }
            Some(_) | None => false,
        },
        _ => false,
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
