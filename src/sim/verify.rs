//! The gateway's signature check: ACS3-HMAC-SHA256, by our own canonicalisation.
//!
//! The client has a signer of its own; the two meet only on the wire, so an error in either shows.

use std::collections::{HashSet, VecDeque};

use bytes::Bytes;
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, StatusCode};
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

use super::params::Query;
use super::reply::CloudError;

/// The access key id that the simulator knows.
pub const ACCESS_KEY_ID: &str = "redline-sim";
/// The secret of [`ACCESS_KEY_ID`]; it opens nothing but this simulator.
pub const ACCESS_KEY_SECRET: &str = "redline-sim-secret";
/// The access key id of the temporary credential that the simulator knows.
pub const STS_ACCESS_KEY_ID: &str = "STS.redline-sim";
/// The secret of [`STS_ACCESS_KEY_ID`].
pub const STS_ACCESS_KEY_SECRET: &str = "redline-sim-sts-secret";
/// The security token that must come with [`STS_ACCESS_KEY_ID`].
pub const STS_SECURITY_TOKEN: &str = "redline-sim-token";

const ALGORITHM: &str = "ACS3-HMAC-SHA256";

/// How far `x-acs-date` may stand from the instant of the request, either way.
const MAX_SKEW: SignedDuration = SignedDuration::from_mins(15);

/// RFC 3986: everything but letters, digits and `-._~`.
const RFC3986: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const MUST_SIGN: [&str; 6] =
    ["host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version"];

/// The nonces seen, as long as a request that carries one could still be in time.
#[derive(Default)]
pub(super) struct Nonces {
    seen: HashSet<String>,
    order: VecDeque<(Timestamp, String)>,
}

impl Nonces {
    /// Remembers `nonce`; `false` when it was used before.
    fn spend(&mut self, nonce: &str, at: Timestamp) -> bool {
        // A date may lead by one skew and trail by another, so after two skews the date refuses the replay.
        while let Some((then, _)) = self.order.front() {
            if at.duration_since(*then) <= MAX_SKEW + MAX_SKEW {
                break;
            }
            if let Some((_, old)) = self.order.pop_front() {
                self.seen.remove(&old);
            }
        }
        let fresh = self.seen.insert(nonce.to_owned());
        if fresh {
            self.order.push_back((at, nonce.to_owned()));
        }
        fresh
    }
}

/// Lets through only a request that a holder of a known secret signed, just now, once, as it stands.
pub(super) fn verify(
    request: &Request<Bytes>,
    host: &str,
    query: &Query,
    at: Timestamp,
    nonces: &mut Nonces,
) -> Result<(), CloudError> {
    let headers = request.headers();
    let authorization = Authorization::read(headers)?;
    authorization.check_coverage(headers)?;
    let secret = secret_of(authorization.access_key_id, headers)?;
    let dated = header(headers, "x-acs-date").ok_or_else(incomplete)?;
    let date: Timestamp = dated.parse().map_err(|_| {
        CloudError::bad_request(
            "InvalidTimeStamp.Format",
            "Specified time stamp or date value is not well formatted.".to_owned(),
        )
    })?;
    if at.duration_since(date).abs() > MAX_SKEW {
        return Err(CloudError::bad_request(
            "InvalidTimeStamp.Expired",
            "Specified time stamp or date value is expired.".to_owned(),
        ));
    }
    let content = HEXLOWER.encode(&Sha256::digest(request.body()));
    if header(headers, "x-acs-content-sha256").as_deref() != Some(content.as_str()) {
        return Err(CloudError::bad_request(
            "InvalidContentSha256",
            "The header x-acs-content-sha256 is not the hash of the body.".to_owned(),
        ));
    }
    let canonical = canonical_request(request, host, query, &authorization.signed_headers, &content)?;
    if !authorization.holds(secret, &canonical) {
        return Err(CloudError::bad_request(
            "SignatureDoesNotMatch",
            "Specified signature is not matched with our calculation.".to_owned(),
        ));
    }
    // Last, so that nobody without the secret can use up a nonce.
    let nonce = header(headers, "x-acs-signature-nonce").filter(|nonce| !nonce.is_empty());
    if nonces.spend(&nonce.ok_or_else(incomplete)?, at) {
        Ok(())
    } else {
        Err(CloudError::bad_request(
            "SignatureNonceUsed",
            "Specified signature nonce was used already.".to_owned(),
        ))
    }
}

/// `ACS3-HMAC-SHA256 Credential=…,SignedHeaders=a;b,Signature=hex`, taken apart.
struct Authorization<'a> {
    access_key_id: &'a str,
    signed_headers: Vec<&'a str>,
    signature: Vec<u8>,
}

impl<'a> Authorization<'a> {
    fn read(headers: &'a HeaderMap) -> Result<Self, CloudError> {
        let value =
            headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or_else(incomplete)?;
        let parts = value
            .strip_prefix(ALGORITHM)
            .and_then(|rest| rest.strip_prefix(' '))
            .map(|rest| rest.split(',').map(str::trim).collect::<Vec<_>>())
            .ok_or_else(incomplete)?;
        let [credential, signed, signature] = parts.as_slice() else { return Err(incomplete()) };
        let named = |part: &'a str, name: &str| part.strip_prefix(name).filter(|value| !value.is_empty());
        let signature = named(signature, "Signature=").ok_or_else(incomplete)?;
        Ok(Self {
            access_key_id: named(credential, "Credential=").ok_or_else(incomplete)?,
            signed_headers: named(signed, "SignedHeaders=").ok_or_else(incomplete)?.split(';').collect(),
            signature: HEXLOWER.decode(signature.as_bytes()).map_err(|_| incomplete())?,
        })
    }

    /// What the gateway acts on must be signed: the fixed headers, and every other `x-acs-*` that was sent.
    fn check_coverage(&self, headers: &HeaderMap) -> Result<(), CloudError> {
        let sent = headers.keys().map(|name| name.as_str());
        let acted_on = sent.filter(|name| name.starts_with("x-acs-") || *name == "content-type");
        if MUST_SIGN.into_iter().chain(acted_on).all(|name| self.signed_headers.contains(&name)) {
            Ok(())
        } else {
            Err(incomplete())
        }
    }

    fn holds(&self, secret: &str, canonical: &str) -> bool {
        mac(secret, canonical).is_some_and(|mac| mac.verify_slice(&self.signature).is_ok())
    }
}

fn mac(secret: &str, canonical: &str) -> Option<Hmac<Sha256>> {
    let string_to_sign = format!("{ALGORITHM}\n{}", HEXLOWER.encode(&Sha256::digest(canonical.as_bytes())));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(string_to_sign.as_bytes());
    Some(mac)
}

/// Method, path as sent, sorted query, signed headers, their names and the body's hash, a line each.
fn canonical_request<T>(
    request: &Request<T>,
    host: &str,
    query: &Query,
    signed_headers: &[&str],
    content: &str,
) -> Result<String, CloudError> {
    let encode = |text: &str| utf8_percent_encode(text, RFC3986).to_string();
    let mut pairs: Vec<_> = query.pairs().iter().map(|(name, value)| (encode(name), encode(value))).collect();
    pairs.sort();
    let query: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();

    let mut names = signed_headers.to_vec();
    names.sort_unstable();
    let mut lines = String::new();
    for name in names {
        let value = if name == "host" { Some(host.to_owned()) } else { header(request.headers(), name) };
        lines += &format!("{name}:{}\n", value.ok_or_else(incomplete)?);
    }
    let (method, path) = (request.method(), request.uri().path());
    let (query, signed) = (query.join("&"), signed_headers.join(";"));
    Ok(format!("{method}\n{path}\n{query}\n{lines}\n{signed}\n{content}"))
}

/// A header's value without blanks around it; several of one name are joined by commas.
fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let values: Vec<&str> = headers
        .get_all(name)
        .iter()
        .map(|value| value.to_str().ok().map(str::trim))
        .collect::<Option<_>>()?;
    (!values.is_empty()).then(|| values.join(","))
}

/// The secret of a key that the simulator knows, once the security token suits the key.
fn secret_of(access_key_id: &str, headers: &HeaderMap) -> Result<&'static str, CloudError> {
    let (secret, token) = match access_key_id {
        ACCESS_KEY_ID => (ACCESS_KEY_SECRET, None),
        STS_ACCESS_KEY_ID => (STS_ACCESS_KEY_SECRET, Some(STS_SECURITY_TOKEN)),
        _ => {
            return Err(CloudError::new(
                StatusCode::NOT_FOUND,
                "InvalidAccessKeyId.NotFound",
                "Specified access key is not found.".to_owned(),
            ));
        }
    };
    let given = header(headers, "x-acs-security-token");
    if token.is_some() && given.is_none() {
        return Err(CloudError::bad_request(
            "MissingSecurityToken",
            "SecurityToken is mandatory for this action.".to_owned(),
        ));
    }
    let named = header(headers, "x-acs-accesskey-id");
    if given.as_deref() != token || named.is_some_and(|named| named != access_key_id) {
        return Err(CloudError::bad_request(
            "InvalidSecurityToken.MismatchWithAccessKey",
            "Specified SecurityToken mismatch with the AccessKey.".to_owned(),
        ));
    }
    Ok(secret)
}

fn incomplete() -> CloudError {
    CloudError::bad_request(
        "IncompleteSignature",
        "The request signature does not conform to Aliyun standards.".to_owned(),
    )
}

#[cfg(test)]
pub(super) fn signature(secret: &str, canonical: &str) -> String {
    HEXLOWER.encode(&mac(secret, canonical).unwrap().finalize().into_bytes())
}

#[cfg(test)]
pub(super) fn sign(request: &mut Request<Bytes>, access_key_id: &str, secret: &str) {
    let mut names: Vec<String> = request
        .headers()
        .keys()
        .map(|name| name.as_str().to_owned())
        .filter(|name| name.starts_with("x-acs-") || name == "content-type")
        .chain(["host".to_owned()])
        .collect();
    names.sort();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let content = header(request.headers(), "x-acs-content-sha256").unwrap();
    let query = Query::parse(request.uri().query().unwrap_or_default());
    let canonical =
        canonical_request(request, &super::route::host(request), &query, &names, &content).unwrap();
    let value = format!(
        "{ALGORITHM} Credential={access_key_id},SignedHeaders={},Signature={}",
        names.join(";"),
        signature(secret, &canonical)
    );
    request.headers_mut().insert(AUTHORIZATION, value.parse().unwrap());
}

#[cfg(test)]
mod tests;
