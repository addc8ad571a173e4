//! What a request gets, and who may make one.
//!
//! Whoever knows a link sees its question; whoever sees it can answer, from that page and no other. A request must be
//! addressed to this door by its own name, so that a name that was made to lead here leads nowhere; an answer must
//! come from a page of this door and bring the token of its form. Nothing but a POST ever answers, so links may be
//! looked at by whatever looks at links.

use bytes::Bytes;
use data_encoding::BASE64_NOPAD;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue,
    ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{Method, Request, Response, StatusCode};
use serde_json::json;
use tokio::time::Instant;

use super::Shared;
use super::page::{self, Html, Mistake};
use super::questions::Page;
use crate::policy::consent::{Form, Question, Reply};
use crate::policy::grant::FURTHER;

/// The type of a form without files.
const FORM: &str = "application/x-www-form-urlencoded";

const OTHER_FORM: &str = "The form isn't the one on the question's page. Open the page again.";

/// What a form says.
enum Choice {
    Answer(Reply),
    Mistake(Mistake),
}

/// The door of one server: where it is, and what is behind it.
pub(super) struct Door<'d> {
    /// `127.0.0.1:PORT`.
    pub(super) host: &'d str,
    pub(super) shared: &'d Shared,
}

impl Door<'_> {
    /// Answers a request whose body is whole, or was too large to be read.
    pub(super) fn answer(&self, request: &Request<Option<Bytes>>, now: Instant) -> Response<Bytes> {
        let mut nonce = [0; 16];
        if getrandom::fill(&mut nonce).is_err() {
            let mut broken = Response::new(Bytes::new());
            *broken.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            return broken;
        }
        let (status, html) = self.weigh(request, now, BASE64_NOPAD.encode(&nonce));
        let mut response = Response::new(Bytes::from(html.text));
        *response.status_mut() = status;
        guard(response.headers_mut(), &html.nonce);
        if status == StatusCode::METHOD_NOT_ALLOWED {
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
        }
        response
    }

    fn weigh(&self, request: &Request<Option<Bytes>>, now: Instant, nonce: String) -> (StatusCode, Html) {
        if !self.is_meant(request) {
            let text = "This address is reached by its own name only.";
            return (StatusCode::MISDIRECTED_REQUEST, page::notice("Not here", text, nonce));
        }
        let path = request.uri().path();
        let link = path.strip_prefix('/').unwrap_or(path);
        match *request.method() {
            Method::GET => self.page(self.shared.lock().show(link, now), None, nonce),
            Method::HEAD => self.page(self.shared.lock().look(link, now), None, nonce),
            Method::POST => self.take(link, request, now, nonce),
            _ => {
                let text = "A question is looked at, or answered with the form on its page.";
                (StatusCode::METHOD_NOT_ALLOWED, page::notice("Not so", text, nonce))
            }
        }
    }

    /// Whether the request names this door as it is named: against names of strangers that resolve to this machine.
    fn is_meant(&self, request: &Request<Option<Bytes>>) -> bool {
        let named = request.uri().authority().is_none_or(|authority| authority.as_str() == self.host);
        named && only(request.headers(), &HOST) == Some(self.host.as_bytes())
    }

    fn page(&self, found: Page<'_>, mistake: Option<Mistake>, nonce: String) -> (StatusCode, Html) {
        let lifetimes = self.shared.lifetimes;
        match found {
            Page::Open(question, code, token) => {
                let minutes = lifetimes.open.as_secs() / 60;
                let status =
                    if mistake.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
                (status, page::question(question, code, token.reveal(), minutes, mistake, nonce))
            }
            Page::Answered(reply, waits) => {
                (StatusCode::OK, page::answered(reply, waits, lifetimes.kept.as_secs() / 60, nonce))
            }
            Page::Nothing => gone(nonce),
        }
    }

    fn take(
        &self,
        link: &str,
        request: &Request<Option<Bytes>>,
        now: Instant,
        nonce: String,
    ) -> (StatusCode, Html) {
        let headers = request.headers();
        let origin = format!("http://{}", self.host);
        if only(headers, &ORIGIN) != Some(origin.as_bytes()) {
            return refused("Answers come from the question's own page only.", nonce);
        }
        if only(headers, &CONTENT_TYPE) != Some(FORM.as_bytes()) {
            return refused("Answers come from the form on the question's own page only.", nonce);
        }
        let Some(fields) = request.body().as_deref().and_then(Fields::parse) else {
            return refused(OTHER_FORM, nonce);
        };
        let questions = &mut *self.shared.lock();
        let choice = match questions.look(link, now) {
            Page::Open(_, _, token) if !token.is(&fields.token) => None,
            Page::Open(question, ..) => fields.choice(question),
            Page::Answered(..) => {
                let text = "This question was answered before. An answer counts once.";
                return (StatusCode::GONE, page::notice("Answered already", text, nonce));
            }
            Page::Nothing => return gone(nonce),
        };
        match choice {
            None => refused(OTHER_FORM, nonce),
            Some((_, Choice::Mistake(mistake))) => self.page(questions.look(link, now), Some(mistake), nonce),
            Some((token, Choice::Answer(reply))) => {
                questions.answer(link, &token, reply, now);
                self.shared.answered.notify_waiters();
                self.page(questions.look(link, now), None, nonce)
            }
        }
    }
}

fn gone(nonce: String) -> (StatusCode, Html) {
    let text = "No question is open under this link. It may be answered, withdrawn or too old; if the agent still \
                needs an answer, it asks anew.";
    (StatusCode::NOT_FOUND, page::notice("Nothing to answer", text, nonce))
}

fn refused(text: &str, nonce: String) -> (StatusCode, Html) {
    (StatusCode::FORBIDDEN, page::notice("Not taken", text, nonce))
}

/// The fields of a form: each known, none twice.
struct Fields {
    token: String,
    decision: String,
    region: Option<String>,
    resource_id: Option<String>,
    further_calls: Option<String>,
}

impl Fields {
    fn parse(body: &[u8]) -> Option<Self> {
        let [mut token, mut decision, mut region, mut resource_id, mut further_calls] = [const { None }; 5];
        for (name, value) in form_urlencoded::parse(body) {
            let field = match &*name {
                "token" => &mut token,
                "decision" => &mut decision,
                "region" => &mut region,
                "resource_id" => &mut resource_id,
                FURTHER => &mut further_calls,
                _ => return None,
            };
            if field.replace(value.into_owned()).is_some() {
                return None;
            }
        }
        Some(Self { token: token?, decision: decision?, region, resource_id, further_calls })
    }

    /// What the fields say to this question; `None` where they aren't its own.
    fn choice(self, question: &Question) -> Option<(String, Choice)> {
        let form = question.form();
        let accepted = |value| Choice::Answer(Reply::Accepted(json!({ form.property(): value })));
        let further = match (self.further_calls.as_deref().map(str::trim), question.offer()) {
            (None | Some(""), _) => Ok(None),
            (Some(_), None) => return None,
            (Some(text), Some(offer)) => match text.parse::<u32>() {
                Ok(calls) if calls <= offer.calls() => Ok(Some(calls)),
                Ok(_) | Err(_) => Err(Mistake::FurtherCalls),
            },
        };
        let choice = match (self.decision.as_str(), form) {
            ("decline", _) => Choice::Answer(Reply::Declined),
            ("approve", Form::Approve) => match further {
                Ok(None) => accepted(json!(true)),
                Ok(Some(calls)) => {
                    Choice::Answer(Reply::Accepted(json!({ form.property(): true, FURTHER: calls })))
                }
                Err(mistake) => Choice::Mistake(mistake),
            },
            ("approve", Form::Region { options }) => match self.region {
                None => Choice::Mistake(Mistake::NoRegion),
                Some(region) if options.iter().any(|(id, _)| *id == region) => accepted(json!(region)),
                Some(_) => return None,
            },
            ("approve", Form::TypeId { id, .. }) => match self.resource_id {
                Some(typed) if typed.trim() == id => accepted(json!(typed)),
                Some(_) | None => Choice::Mistake(Mistake::OtherId),
            },
            _ => return None,
        };
        Some((self.token, choice))
    }
}

/// The one value of a header; `None` where there are more, or none.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<&'h [u8]> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    values.next().is_none().then(|| value.as_bytes())
}

/// Headers that keep a page to itself: nothing runs, loads, frames or remembers it.
fn guard(headers: &mut HeaderMap, nonce: &str) {
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    );
    if let Ok(policy) = HeaderValue::try_from(policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    // Not `no-referrer`: with it browsers hide the origin of a form too, and an answer must have one.
    for (name, value) in [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "same-origin"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
