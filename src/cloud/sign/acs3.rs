//! `ACS3-HMAC-SHA256`: one hash over a canonical request, its body included, signed with the bare secret.

use bytes::Bytes;
use data_encoding::HEXLOWER;
use http::Request;
use http::header::HeaderName;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::{Parts, SignError, hmac, put};
use crate::cloud::credentials::AccessKey;
use crate::cloud::encode;

const ALGORITHM: &str = "ACS3-HMAC-SHA256";
const DATE: HeaderName = HeaderName::from_static("x-acs-date");
const CONTENT_SHA256: HeaderName = HeaderName::from_static("x-acs-content-sha256");

/// Adds the scheme's own headers to `request` and answers the value of `authorization`.
pub(super) fn authorize(
    credentials: &AccessKey,
    request: &mut Request<Bytes>,
    at: Timestamp,
) -> Result<String, SignError> {
    let payload = sha256(request.body());
    put(request.headers_mut(), DATE, &at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())?;
    put(request.headers_mut(), CONTENT_SHA256, &payload)?;
    let parts = Parts::of(request, is_signed)?;
    let text = string_to_sign(&canonical_request(&parts, &payload));
    Ok(authorization(&parts, credentials, &signature(credentials, &text)?))
}

/// The documented choice. The Python SDK signs every header it has; proxies may change those.
pub(super) fn is_signed(header: &str) -> bool {
    matches!(header, "host" | "content-type") || header.starts_with("x-acs-")
}

/// `payload` is the hash of the body.
pub(super) fn canonical_request(parts: &Parts<'_>, payload: &str) -> String {
    let headers: String = parts.headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let Parts { method, path, query, .. } = parts;
    let (query, signed) = (encode::query(query), signed_headers(parts));
    format!("{method}\n{path}\n{query}\n{headers}\n{signed}\n{payload}")
}

pub(super) fn signed_headers(parts: &Parts<'_>) -> String {
    parts.headers.keys().copied().collect::<Vec<_>>().join(";")
}

pub(super) fn string_to_sign(canonical_request: &str) -> String {
    format!("{ALGORITHM}\n{}", sha256(canonical_request.as_bytes()))
}

pub(super) fn signature(credentials: &AccessKey, string_to_sign: &str) -> Result<String, SignError> {
    Ok(HEXLOWER.encode(&hmac::<Sha256>(credentials.access_key_secret(), string_to_sign)?))
}

pub(super) fn authorization(parts: &Parts<'_>, credentials: &AccessKey, signature: &str) -> String {
    let (id, signed) = (credentials.access_key_id(), signed_headers(parts));
    format!("{ALGORITHM} Credential={id},SignedHeaders={signed},Signature={signature}")
}

/// In lower-case hexadecimal.
pub(super) fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}
