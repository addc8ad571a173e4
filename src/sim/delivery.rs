//! How an answer reaches its client, or doesn't: what a fault of the answer does to it.
//!
//! The same fault looks the same on both ways out. Over HTTP the server really keeps silent, hangs up or sends too
//! much. In process nobody waits: the client is told at once what it would have been told in the end, in the words of
//! the transport that real HTTP uses.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{HeaderName, Response};
use serde_json::Value;

use super::faults::Kind;
use crate::cloud::transport::http::Limits;

/// Milliseconds, as PAI asks for a pause.
const PAI_RETRY_AFTER: HeaderName = HeaderName::from_static("x-acs-retry-after");

/// What a gateway between might say.
const PAGE: &str =
    "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please sign in.</body></html>\n";

/// An answer on its way.
#[derive(Debug)]
pub(super) enum Delivery {
    /// It arrives.
    Whole(Response<Bytes>),
    /// It arrives after so long.
    Late(Response<Bytes>, Duration),
    /// It arrives with blanks before its body, so that the body has so many bytes.
    Padded(Response<Bytes>, u64),
    /// The connection ends in the middle of it.
    Cut(Response<Bytes>),
    /// The connection ends before it.
    Closed,
    /// Nothing arrives.
    Silent,
}

impl Delivery {
    /// What `fault` makes of an answer.
    pub(super) fn of(response: Response<Bytes>, fault: Option<Kind>) -> Self {
        let Some(fault) = fault else { return Self::Whole(response) };
        match fault {
            Kind::NameRace { .. } | Kind::ServerError { .. } => Self::Whole(response),
            Kind::Throttled { retry_after_ms } => Self::Whole(asking_for_a_pause(response, retry_after_ms)),
            Kind::Timeout | Kind::TimeoutAfterCommit => Self::Silent,
            Kind::LostReply => Self::Closed,
            Kind::EmptyPage => Self::Whole(response.map(without_rows)),
            Kind::Slow { seconds } => Self::Late(response, Duration::from_secs(seconds.into())),
            Kind::TruncatedBody => Self::Cut(response),
            Kind::MalformedJson => Self::Whole(response.map(|body| {
                // As if somebody had printed it in another language.
                body.iter().map(|byte| if *byte == b'"' { b'\'' } else { *byte }).collect()
            })),
            Kind::WrongContentType => {
                let mut response = response.map(|_| Bytes::from_static(PAGE.as_bytes()));
                response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
                Self::Whole(response)
            }
            Kind::HugeBody { bytes } => Self::Padded(response, bytes),
        }
    }

    /// What a client within `limits` makes of it: the answer, or why it got none, though the request went out.
    pub(super) fn received(self, limits: &Limits) -> Result<Response<Bytes>, String> {
        let read = limits.patience.read;
        let late = || format!("it took longer than the read timeout of {read}; a larger one may help");
        let large = || format!("the reply is larger than {} bytes", limits.reply);
        match self {
            Self::Whole(response) if response.body().len() > limits.reply => Err(large()),
            Self::Whole(response) => Ok(response),
            Self::Late(_, after) if after >= read.duration() => Err(late()),
            Self::Late(response, _) => Ok(response),
            Self::Padded(_, bytes) if bytes > limits.reply as u64 => Err(large()),
            Self::Padded(response, bytes) => Ok(response.map(|body| padded(&body, bytes))),
            Self::Cut(_) => Err("end of file before message length reached".to_owned()),
            Self::Closed => Err("connection closed before message completed".to_owned()),
            Self::Silent => Err(late()),
        }
    }
}

/// How many blanks fill a body up to `bytes`.
pub(super) fn blanks(body: &Bytes, bytes: u64) -> u64 {
    bytes.saturating_sub(body.len() as u64)
}

/// A body no larger than a client takes, filled up.
fn padded(body: &Bytes, bytes: u64) -> Bytes {
    let mut whole = vec![b' '; usize::try_from(blanks(body, bytes)).unwrap_or_default()];
    whole.extend_from_slice(body);
    whole.into()
}

/// In the header of the cloud that answers: PAI's answers name their request in one of its own.
fn asking_for_a_pause(mut response: Response<Bytes>, milliseconds: u32) -> Response<Bytes> {
    let headers = response.headers_mut();
    if headers.contains_key("x-acs-request-id") {
        headers.insert(PAI_RETRY_AFTER, milliseconds.into());
    } else {
        headers.insert(RETRY_AFTER, milliseconds.div_ceil(1_000).into());
    }
    response
}

/// A list's body without its rows; they stand at the top or, of PyroMind's, in `data`.
fn without_rows(body: Bytes) -> Bytes {
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(&body) else { return body };
    let emptied = |value: &mut Value| {
        if let Value::Array(rows) = value {
            rows.clear();
        }
    };
    fields.values_mut().for_each(emptied);
    if let Some(Value::Object(data)) = fields.get_mut("data") {
        data.values_mut().for_each(emptied);
    }
    Value::Object(fields).to_string().into()
}

#[cfg(test)]
mod tests;
