//! ROA `HMAC-SHA1`: the older scheme. It signs the query as it was before encoding, and never the body:
//! the official SDKs leave `content-md5` out, and so do we, so the body is guarded by TLS alone.

use bytes::Bytes;
use data_encoding::BASE64;
use http::Request;
use http::header::{DATE, HeaderName};
use jiff::Timestamp;
use sha1::Sha1;

use super::{Parts, SignError, hmac, put};
use crate::cloud::credentials::AccessKey;

const METHOD: HeaderName = HeaderName::from_static("x-acs-signature-method");
const VERSION: HeaderName = HeaderName::from_static("x-acs-signature-version");
/// The headers whose values alone are signed, in this order, each on its line even when absent.
const STANDARD: [&str; 4] = ["accept", "content-md5", "content-type", "date"];
const OWN: &str = "x-acs-";

/// Adds the scheme's own headers to `request` and answers the value of `authorization`.
pub(super) fn authorize(
    credentials: &AccessKey,
    request: &mut Request<Bytes>,
    at: Timestamp,
) -> Result<String, SignError> {
    put(request.headers_mut(), DATE, &at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())?;
    put(request.headers_mut(), METHOD, "HMAC-SHA1")?;
    put(request.headers_mut(), VERSION, "1.0")?;
    let text = string_to_sign(&Parts::of(request, is_signed)?);
    Ok(authorization(credentials, &signature(credentials, &text)?))
}

pub(super) fn is_signed(header: &str) -> bool {
    STANDARD.contains(&header) || header.starts_with(OWN)
}

pub(super) fn string_to_sign(parts: &Parts<'_>) -> String {
    let mut text = format!("{}\n", parts.method);
    for name in STANDARD {
        text += parts.headers.get(name).copied().unwrap_or_default();
        text += "\n";
    }
    for (name, value) in parts.headers.iter().filter(|(name, _)| name.starts_with(OWN)) {
        text += &format!("{name}:{value}\n");
    }
    text += parts.path;
    if !parts.query.is_empty() {
        text += "?";
        text += &parts.query.iter().map(pair).collect::<Vec<_>>().join("&");
    }
    text
}

/// Libraries disagree on an empty value. This follows the current official SDK, which signs the name alone.
fn pair((name, value): &(String, String)) -> String {
    if value.is_empty() { name.clone() } else { format!("{name}={value}") }
}

pub(super) fn signature(credentials: &AccessKey, string_to_sign: &str) -> Result<String, SignError> {
    Ok(BASE64.encode(&hmac::<Sha1>(credentials.access_key_secret(), string_to_sign)?))
}

pub(super) fn authorization(credentials: &AccessKey, signature: &str) -> String {
    format!("acs {}:{signature}", credentials.access_key_id())
}
