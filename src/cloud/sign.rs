//! Signatures of Alibaba Cloud requests.
//!
//! No published crate signs these two products, so the schemes are written here: `acs3`, the current
//! one, and `roa`, the older one, by choice. Each is text in and text out over `Parts`, held to
//! vectors made with the official SDKs. [`sign`] is the one door: it puts on a request every header that
//! the scheme wants. Time and nonce come from outside, so a signature can be made again.

mod acs3;
mod roa;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use hmac::digest::block_api::EagerHash;
use hmac::{Hmac, KeyInit, Mac};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use http::{Request, Uri};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;

use super::credentials::AccessKey;

const ACCESS_KEY_ID: HeaderName = HeaderName::from_static("x-acs-accesskey-id");
const SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-acs-security-token");
const NONCE: HeaderName = HeaderName::from_static("x-acs-signature-nonce");
/// What the official SDKs say of a JSON body; it is signed, so to the byte.
const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// A way to sign. Both are accepted by the cloud; the names are those of the command line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Signature {
    /// `acs3-hmac-sha256`: covers the body.
    #[default]
    Acs3HmacSha256,
    /// `roa-hmac-sha1`: doesn't cover the body.
    RoaHmacSha1,
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Acs3HmacSha256 => "acs3-hmac-sha256",
            Self::RoaHmacSha1 => "roa-hmac-sha1",
        })
    }
}

/// A name that no [`Signature`] has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such signature; use {} or {}", Signature::Acs3HmacSha256, Signature::RoaHmacSha1)]
pub struct UnknownSignature;

impl FromStr for Signature {
    type Err = UnknownSignature;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [Self::Acs3HmacSha256, Self::RoaHmacSha1]
            .into_iter()
            .find(|signature| signature.to_string() == name)
            .ok_or(UnknownSignature)
    }
}

/// Why a request can't be signed. It never holds a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// The request's address is relative.
    #[error("the address of the request names no host; give it whole")]
    NoHost,
    /// The query isn't percent-encoded UTF-8.
    #[error("the query of the request is not percent-encoded UTF-8; encode it first")]
    Query,
    /// A value that can't stand in a header, such as a key that ends with a line break.
    #[error(
        "the value of the header {name} holds a control or non-ASCII character; set its source again without it"
    )]
    Header {
        /// The name of the header.
        name: HeaderName,
    },
    /// The secret was refused as a key.
    #[error("the access key secret can't be used as a key; set it again")]
    Key,
}

/// Signs `request`: adds host, nonce, time, what the scheme wants of the body, the STS headers and
/// `authorization`, and a content type if there is a body without one. Wants an absolute, percent-encoded
/// address and the headers `accept`, `x-acs-action` and `x-acs-version` there already; nothing that is signed
/// may change afterwards. Signing again, with other credentials too, replaces what the same scheme added.
///
/// # Errors
/// [`SignError`]; the request must not be sent then.
pub fn sign(
    signature: Signature,
    credentials: &AccessKey,
    request: &mut Request<Bytes>,
    at: Timestamp,
    nonce: &str,
) -> Result<(), SignError> {
    let host = host(request.uri())?;
    let has_body = !request.body().is_empty();
    let headers = request.headers_mut();
    put(headers, HOST, &host)?;
    put(headers, NONCE, nonce)?;
    if has_body {
        headers.entry(CONTENT_TYPE).or_insert(JSON);
    }
    if let Some(token) = credentials.security_token() {
        put_secret(headers, ACCESS_KEY_ID, credentials.access_key_id())?;
        put_secret(headers, SECURITY_TOKEN, token)?;
    } else {
        headers.remove(ACCESS_KEY_ID);
        headers.remove(SECURITY_TOKEN);
    }
    let authorization = match signature {
        Signature::Acs3HmacSha256 => acs3::authorize(credentials, request, at)?,
        Signature::RoaHmacSha1 => roa::authorize(credentials, request, at)?,
    };
    put_secret(request.headers_mut(), AUTHORIZATION, &authorization)
}

/// What a signature covers, as plain text.
#[derive(Debug)]
struct Parts<'a> {
    method: &'a str,
    /// Percent-encoded, as it is sent.
    path: &'a str,
    /// Decoded names and values, sorted by byte.
    query: Vec<(String, String)>,
    /// Lower-case names and trimmed values of the headers to sign, and of no others.
    headers: BTreeMap<&'a str, &'a str>,
}

impl<'a> Parts<'a> {
    /// The parts of `request`, with those headers that are `signed`.
    fn of(request: &'a Request<Bytes>, signed: fn(&str) -> bool) -> Result<Self, SignError> {
        let headers = request
            .headers()
            .iter()
            .filter(|(name, _)| signed(name.as_str()))
            .map(|(name, value)| match value.to_str() {
                Ok(value) => Ok((name.as_str(), value)),
                Err(_) => Err(SignError::Header { name: name.clone() }),
            })
            .collect::<Result<Vec<_>, _>>()?;
        let query = decoded(request.uri().query().unwrap_or_default())?;
        Ok(Self::new(request.method().as_str(), request.uri().path(), query, headers))
    }

    fn new(
        method: &'a str,
        path: &'a str,
        mut query: Vec<(String, String)>,
        headers: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        query.sort_unstable();
        let headers = headers.into_iter().map(|(name, value)| (name, value.trim())).collect();
        Self { method, path, query, headers }
    }
}

/// The host as it is sent, with the port if the address names one.
fn host(uri: &Uri) -> Result<String, SignError> {
    let host = uri.host().ok_or(SignError::NoHost)?;
    Ok(uri.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// The names and values of an encoded query.
fn decoded(query: &str) -> Result<Vec<(String, String)>, SignError> {
    let decode =
        |text: &str| percent_decode_str(text).decode_utf8().map(String::from).map_err(|_| SignError::Query);
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        })
        .collect()
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) -> Result<(), SignError> {
    let Ok(value) = HeaderValue::from_str(value) else { return Err(SignError::Header { name }) };
    headers.insert(name, value);
    Ok(())
}

/// Like [`put`], marked so that printing the headers doesn't show the value.
fn put_secret(headers: &mut HeaderMap, name: HeaderName, value: &str) -> Result<(), SignError> {
    let Ok(mut value) = HeaderValue::from_str(value) else { return Err(SignError::Header { name }) };
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}

/// The keyed hash of `text`.
fn hmac<D: EagerHash>(secret: &str, text: &str) -> Result<Vec<u8>, SignError> {
    let mut mac = Hmac::<D>::new_from_slice(secret.as_bytes()).map_err(|_| SignError::Key)?;
    mac.update(text.as_bytes());
    Ok(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests;
