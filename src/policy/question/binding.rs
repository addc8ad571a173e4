//! What a question is bound to, and what changed when it no longer is.

use super::Setting;
use crate::policy::digest;
use crate::policy::refusal::Reason;

/// What a question is about, beside its setting.
pub(super) struct Bound<'b> {
    /// What is asked: region or arguments, and of what.
    pub(super) subject: &'b [&'b str],
    /// What it says of earlier calls.
    pub(super) history: &'b str,
    /// All that the human reads.
    pub(super) text: &'b str,
}

/// What an answer must be to: a digest of everything, and after a dot four short ones, of the subject, the account, the
/// policy and the history. Those prove nothing; they say what changed when the first no longer fits.
pub(super) fn digest_of(setting: &Setting<'_>, bound: &Bound<'_>) -> String {
    let Bound { subject, history, text } = bound;
    let world = if setting.simulated { "simulated" } else { "live" };
    let whole = subject.iter().copied().chain([*text, setting.account, setting.policy, world]);
    let mut digest = digest::keyed(setting.key, whole);
    digest.push('.');
    let account: &[&str] = &["account", setting.account];
    let policy: &[&str] = &["policy", setting.policy, world];
    let history: &[&str] = &["history", history];
    for part in [subject, account, policy, history] {
        digest.extend(digest::keyed(setting.key, part.iter().copied()).chars().take(MARK));
    }
    digest
}

/// How much is kept of a digest that says what changed.
const MARK: usize = 8;

/// What is no longer as it was when the question of the digest `asked` was put, now that it would have the digest `now`.
/// `None` if it is another question altogether: one about something else, or under another key.
pub(in crate::policy) fn changed(asked: &str, now: &str) -> Option<Reason> {
    let marks = |digest: &str| -> Vec<String> {
        let marks: Vec<char> = digest.split_once('.').map_or("", |(_, marks)| marks).chars().collect();
        marks.chunks(MARK).map(|mark| mark.iter().collect()).collect()
    };
    let (asked, now) = (marks(asked), marks(now));
    let reasons =
        [Reason::ArgumentsChanged, Reason::AccountChanged, Reason::PolicyChanged, Reason::HistoryChanged];
    if asked.len() != reasons.len() || now.len() != reasons.len() {
        return None;
    }
    let mut others = reasons.into_iter().zip(asked.iter().zip(&now)).filter(|(_, (one, other))| one != other);
    match (others.next(), others.count() + 1 == reasons.len()) {
        (Some(_), true) => None,
        (Some((reason, _)), false) => Some(reason),
        (None, _) => Some(Reason::QuestionChanged),
    }
}
