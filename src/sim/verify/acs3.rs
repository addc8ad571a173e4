//! ACS3-HMAC-SHA256: signs the method, the path, the query, the body's hash and the headers that it lists.

use bytes::Bytes;
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, Request};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

use super::{header, incomplete, mismatch};
use crate::sim::params::Query;
use crate::sim::reply::CloudError;

/// What `authorization` begins with.
pub(super) const NAME: &str = "ACS3-HMAC-SHA256";

/// RFC 3986: everything but letters, digits and `-._~`.
const RFC3986: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const MUST_SIGN: [&str; 6] =
    ["host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version"];

/// `Credential=…,SignedHeaders=a;b,Signature=hex`, taken apart.
pub(super) struct Authorization<'a> {
    pub(super) access_key_id: &'a str,
    pub(super) date: &'a str,
    signed_headers: Vec<&'a str>,
    signature: Vec<u8>,
}

impl<'a> Authorization<'a> {
    pub(super) fn read(claim: &'a str, request: &'a Request<Bytes>) -> Result<Self, CloudError> {
        let headers = request.headers();
        let parts: Vec<&str> = claim.split(',').map(str::trim).collect();
        let [credential, signed, signature] = parts.as_slice() else { return Err(incomplete()) };
        let named = |part: &'a str, name: &str| part.strip_prefix(name).filter(|value| !value.is_empty());
        let signature = named(signature, "Signature=").ok_or_else(incomplete)?;
        let date = headers.get("x-acs-date").and_then(|date| date.to_str().ok()).ok_or_else(incomplete)?;
        let read = Self {
            access_key_id: named(credential, "Credential=").ok_or_else(incomplete)?,
            date: date.trim(),
            signed_headers: named(signed, "SignedHeaders=").ok_or_else(incomplete)?.split(';').collect(),
            signature: HEXLOWER.decode(signature.as_bytes()).map_err(|_| incomplete())?,
        };
        read.check_coverage(headers, request.body())?;
        Ok(read)
    }

    /// What the gateway acts on must be signed: the fixed headers, every other `x-acs-*` that was sent, and the
    /// type of a body. That of no body says nothing; the SDKs' asynchronous clients send one unsigned.
    fn check_coverage(&self, headers: &HeaderMap, body: &Bytes) -> Result<(), CloudError> {
        let sent = headers.keys().map(|name| name.as_str());
        let acted_on =
            sent.filter(|name| name.starts_with("x-acs-") || (*name == "content-type" && !body.is_empty()));
        if MUST_SIGN.into_iter().chain(acted_on).all(|name| self.signed_headers.contains(&name)) {
            Ok(())
        } else {
            Err(incomplete())
        }
    }

    pub(super) fn check(
        &self,
        request: &Request<Bytes>,
        host: &str,
        query: &Query,
        secret: &str,
    ) -> Result<(), CloudError> {
        let content = HEXLOWER.encode(&Sha256::digest(request.body()));
        if header(request.headers(), "x-acs-content-sha256").as_deref() != Some(content.as_str()) {
            return Err(CloudError::bad_request(
                "InvalidContentSha256",
                "The header x-acs-content-sha256 is not the hash of the body.".to_owned(),
            ));
        }
        let canonical = canonical_request(request, host, query, &self.signed_headers, &content)?;
        if mac(secret, &canonical).is_some_and(|mac| mac.verify_slice(&self.signature).is_ok()) {
            Ok(())
        } else {
            Err(mismatch())
        }
    }
}

fn mac(secret: &str, canonical: &str) -> Option<Hmac<Sha256>> {
    let string_to_sign = format!("{NAME}\n{}", HEXLOWER.encode(&Sha256::digest(canonical.as_bytes())));
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

#[cfg(test)]
pub(in crate::sim) fn sign(request: &mut Request<Bytes>, access_key_id: &str, secret: &str) {
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
    let host = crate::sim::route::host(request);
    let canonical = canonical_request(request, &host, &query, &names, &content).unwrap();
    let value = format!(
        "{NAME} Credential={access_key_id},SignedHeaders={},Signature={}",
        names.join(";"),
        HEXLOWER.encode(&mac(secret, &canonical).unwrap().finalize().into_bytes())
    );
    request.headers_mut().insert(http::header::AUTHORIZATION, value.parse().unwrap());
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::AUTHORIZATION;
    use serde_json::Value;

    /// Vectors made with the official SDKs.
    const VECTORS: &str = include_str!("../../../tests/data/signing/acs3-hmac-sha256.json");

    fn request_of(vector: &Value) -> Request<Bytes> {
        let text = |name: &str| vector[name].as_str().unwrap_or_default();
        let uri = format!("https://{}{}?{}", text("host"), text("path"), text("canonical_query"));
        let mut request = Request::builder().method(text("method")).uri(uri);
        for (name, value) in vector["headers"].as_object().unwrap() {
            request = request.header(name, value.as_str().unwrap());
        }
        request = request.header(AUTHORIZATION, text("authorization"));
        request.body(Bytes::from(text("body").to_owned())).unwrap()
    }

    #[test]
    fn canonical_requests_and_signatures_are_those_of_the_official_sdks() {
        let vectors: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
        assert_eq!(vectors.len(), 25);
        for vector in &vectors {
            let request = request_of(vector);
            let claim = vector["authorization"].as_str().unwrap().strip_prefix("ACS3-HMAC-SHA256 ").unwrap();
            let claim = Authorization::read(claim, &request).unwrap();
            let query = Query::parse(request.uri().query().unwrap());
            let content = HEXLOWER.encode(&Sha256::digest(request.body()));
            let host = crate::sim::route::host(&request);
            let canonical =
                canonical_request(&request, &host, &query, &claim.signed_headers, &content).unwrap();
            let secret = vector["access_key_secret"].as_str().unwrap();
            let signature = HEXLOWER.encode(&mac(secret, &canonical).unwrap().finalize().into_bytes());
            let expected = (
                vector["canonical_request"].as_str().unwrap(),
                vector["signature"].as_str().unwrap().to_owned(),
            );
            assert_eq!((canonical.as_str(), signature), expected, "{}", vector["name"]);
            assert_eq!(claim.check(&request, &host, &query, secret), Ok(()));
            assert_eq!(claim.check(&request, &host, &query, "another"), Err(mismatch()));
        }
    }
}
