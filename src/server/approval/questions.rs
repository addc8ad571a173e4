//! The questions that wait in the human's browser.
//!
//! A question is found by what it is bound to, so that the same call made again finds it, and by its link, of which
//! only a hash is kept. It can be answered for some minutes, and its answer is kept for some more; whoever calls for
//! it takes it away with them. Time is handed in.

use std::collections::VecDeque;
use std::time::Duration;

use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::policy::consent::{Question, Reply};

/// The most questions that are open at once, and the most pages that are opened in a [`MINUTE`].
pub(super) const MOST: usize = 16;

const MINUTE: Duration = Duration::from_secs(60);

/// How long what is asked lasts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lifetimes {
    /// How long a question can be answered.
    pub(super) open: Duration,
    /// How long its answer waits for the call.
    pub(super) kept: Duration,
}

/// Something that nobody can guess: 32 random bytes, as they stand in addresses and forms.
#[derive(Clone)]
pub(super) struct Secret(String);

impl Secret {
    fn new() -> Result<Self, getrandom::Error> {
        let mut random = [0; 32];
        getrandom::fill(&mut random)?;
        Ok(Self(BASE64URL_NOPAD.encode(&random)))
    }

    /// The text that it is.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether `text` is this. Hashes are compared, so that the time tells nothing of how much of it is right.
    pub(super) fn is(&self, text: &str) -> bool {
        Self::hash(&self.0) == Self::hash(text)
    }

    fn hash(text: &str) -> [u8; 32] {
        Sha256::digest(text.as_bytes()).into()
    }
}

/// Where a question stands.
enum State {
    Open,
    Answered(Reply),
}

/// A question in the human's browser.
struct Asked {
    number: u64,
    question: Question,
    code: String,
    /// Hashed, so that finding it takes the same time for every guess and nothing here can print it.
    link: [u8; 32],
    token: Secret,
    state: State,
    /// When its state ends.
    until: Instant,
    /// Whether a browser has shown it.
    shown: bool,
    /// How many calls wait for it.
    waiting: usize,
}

/// Whether a further page may be opened, which is counted then: an agent that asks and cancels without end opens no
/// window without end. `opened` is when pages were opened within the last [`MINUTE`].
fn may_open(opened: &mut VecDeque<Instant>, now: Instant) -> bool {
    opened.retain(|at| now.duration_since(*at) < MINUTE);
    let may = opened.len() < MOST;
    if may {
        opened.push_back(now);
    }
    may
}

/// A place in the browser, for a call that waits there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The question's number. It is never given again, so that a late word about one question can't mean another.
    pub(super) number: u64,
    /// The question's code.
    pub(super) code: String,
}

/// What became of a question that was put.
pub(super) enum Put {
    /// It had been answered. The answer is taken away.
    Answered(Reply),
    /// It is open already.
    Open(Place),
    /// It is open now, under this link, which a browser is to be given.
    New(Place, Secret),
    /// There are too many.
    Crowded,
}

/// What a link leads to.
pub(super) enum Page<'q> {
    /// An open question, its code, and the token that its form must bring back.
    Open(&'q Question, &'q str, &'q Secret),
    /// A question that was answered, and whether a call waits for the answer.
    Answered(&'q Reply, bool),
    /// Nothing: it never was, is too old, or its answer was taken.
    Nothing,
}

/// The open questions of one scope, and the answers that nobody took yet.
pub(super) struct Questions {
    lifetimes: Lifetimes,
    asked: Vec<Asked>,
    next: u64,
    /// When pages were opened within the last [`MINUTE`].
    opened: VecDeque<Instant>,
}

impl Questions {
    pub(super) const fn new(lifetimes: Lifetimes) -> Self {
        Self { lifetimes, asked: Vec::new(), next: 0, opened: VecDeque::new() }
    }

    /// Puts a question for a call that waits for it from now on, unless it is answered or refused at once.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub(super) fn put(&mut self, question: &Question, now: Instant) -> Result<Put, getrandom::Error> {
        self.prune(now);
        let until = now + self.lifetimes.open;
        let known = self.asked.iter().position(|asked| asked.question.digest() == question.digest());
        if let Some(number) = known.and_then(|at| self.asked.get(at)).map(|asked| asked.number)
            && let Some(reply) = self.take(number, now)
        {
            return Ok(Put::Answered(reply));
        }
        let opened = &mut self.opened;
        if let Some(asked) = known.and_then(|at| self.asked.get_mut(at)) {
            asked.waiting += 1;
            let place = Place { number: asked.number, code: asked.code.clone() };
            if asked.shown || asked.waiting > 1 || !may_open(opened, now) {
                return Ok(Put::Open(place));
            }
            // No browser came for it. The old link is no longer good.
            let link = Secret::new()?;
            asked.link = Secret::hash(link.reveal());
            asked.until = until;
            return Ok(Put::New(place, link));
        }
        if self.asked.len() >= MOST || !may_open(&mut self.opened, now) {
            return Ok(Put::Crowded);
        }
        let (link, token, code) = (Secret::new()?, Secret::new()?, code()?);
        let place = Place { number: self.next, code: code.clone() };
        self.next += 1;
        self.asked.push(Asked {
            number: place.number,
            question: question.clone(),
            code,
            link: Secret::hash(link.reveal()),
            token,
            state: State::Open,
            until,
            shown: false,
            waiting: 1,
        });
        Ok(Put::New(place, link))
    }

    /// Takes the answer to a question, if there is one. The question is gone then.
    pub(super) fn take(&mut self, number: u64, now: Instant) -> Option<Reply> {
        self.prune(now);
        let is_it = |asked: &Asked| asked.number == number && matches!(asked.state, State::Answered(_));
        let at = self.asked.iter().position(is_it)?;
        match self.asked.swap_remove(at).state {
            State::Answered(reply) => Some(reply),
            State::Open => None,
        }
    }

    /// Whether a question is still there, and whether a browser has shown it.
    pub(super) fn shown(&self, number: u64) -> Option<bool> {
        self.asked.iter().find(|asked| asked.number == number).map(|asked| asked.shown)
    }

    /// A call no longer waits. The question stays.
    pub(super) fn leave(&mut self, number: u64) {
        if let Some(asked) = self.asked.iter_mut().find(|asked| asked.number == number) {
            asked.waiting = asked.waiting.saturating_sub(1);
        }
    }

    /// A call no longer waits, and nobody is to be asked on its account: the question goes, unless others wait.
    pub(super) fn withdraw(&mut self, number: u64) {
        self.leave(number);
        self.asked.retain(|asked| asked.number != number || asked.waiting > 0);
    }

    /// What a link leads to, for a browser that shows it.
    pub(super) fn show(&mut self, link: &str, now: Instant) -> Page<'_> {
        self.prune(now);
        let Some(asked) = self.at(link) else { return Page::Nothing };
        asked.shown = true;
        asked.page()
    }

    /// What a link leads to.
    pub(super) fn look(&mut self, link: &str, now: Instant) -> Page<'_> {
        self.prune(now);
        self.at(link).map_or(Page::Nothing, |asked| asked.page())
    }

    /// Answers the open question that `link` leads to. Nothing changes unless `token` is its own.
    pub(super) fn answer(&mut self, link: &str, token: &str, reply: Reply, now: Instant) -> bool {
        self.prune(now);
        let until = now + self.lifetimes.kept;
        let Some(asked) = self.at(link) else { return false };
        match asked.state {
            State::Open if asked.token.is(token) => {
                asked.state = State::Answered(reply);
                asked.until = until;
                true
            }
            State::Open | State::Answered(_) => false,
        }
    }

    fn prune(&mut self, now: Instant) {
        self.asked.retain(|asked| now < asked.until);
    }

    fn at(&mut self, link: &str) -> Option<&mut Asked> {
        let link = Secret::hash(link);
        self.asked.iter_mut().find(|asked| asked.link == link)
    }
}

impl Asked {
    fn page(&self) -> Page<'_> {
        match &self.state {
            State::Open => Page::Open(&self.question, &self.code, &self.token),
            State::Answered(reply) => Page::Answered(reply, self.waiting > 0),
        }
    }
}

/// Something short that people can compare: eight letters and digits, none of which looks like another.
fn code() -> Result<String, getrandom::Error> {
    let mut random = [0; 5];
    getrandom::fill(&mut random)?;
    let mut code = BASE32_NOPAD.encode(&random);
    code.insert(4, '-');
    Ok(code)
}
