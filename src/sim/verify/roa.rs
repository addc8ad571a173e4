//! ROA HMAC-SHA1: signs the method, four standard headers, every `x-acs-*`, the path and the query as it was
//! before encoding. The body only where `content-md5` was sent, which the official SDKs don't all do.

use bytes::Bytes;
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, Request};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use md5::{Digest, Md5};
use sha1::Sha1;

use super::{header, incomplete, mismatch};
use crate::sim::params::Query;
use crate::sim::reply::CloudError;

/// What `authorization` begins with.
pub(super) const NAME: &str = "acs";

/// Signed by value alone, each on its line even when absent.
const STANDARD: [&str; 4] = ["accept", "content-md5", "content-type", "date"];

/// `id:base64`, taken apart.
pub(super) struct Authorization<'a> {
    pub(super) access_key_id: &'a str,
    pub(super) date: &'a str,
    signature: Vec<u8>,
}

impl<'a> Authorization<'a> {
    pub(super) fn read(claim: &'a str, headers: &'a HeaderMap) -> Result<Self, CloudError> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let (access_key_id, signature) = claim.split_once(':').ok_or_else(incomplete)?;
        let method = text("x-acs-signature-method");
        if access_key_id.is_empty() || method != Some("HMAC-SHA1") {
            return Err(incomplete());
        }
        Ok(Self {
            access_key_id,
            date: text("date").ok_or_else(incomplete)?,
            signature: BASE64.decode(signature.as_bytes()).map_err(|_| incomplete())?,
        })
    }

    pub(super) fn check(
        &self,
        request: &Request<Bytes>,
        query: &Query,
        secret: &str,
    ) -> Result<(), CloudError> {
        let digest = header(request.headers(), "content-md5");
        if digest.is_some_and(|digest| digest != BASE64.encode(&Md5::digest(request.body()))) {
            return Err(CloudError::bad_request(
                "InvalidContentMD5",
                "The header content-md5 is not the hash of the body.".to_owned(),
            ));
        }
        // Official SDKs disagree about an empty query value, so both ways to sign it are good.
        let signed = ["", "="].iter().any(|empty| {
            mac(secret, &string_to_sign(request, query, empty))
                .is_some_and(|mac| mac.verify_slice(&self.signature).is_ok())
        });
        if signed { Ok(()) } else { Err(mismatch()) }
    }
}

/// The instant of a `date` header.
pub(super) fn date(text: &str) -> Option<Timestamp> {
    static PARSER: DateTimeParser = DateTimeParser::new();
    PARSER.parse_timestamp(text).ok()
}

/// `empty` stands between a name and its empty value.
fn string_to_sign(request: &Request<Bytes>, query: &Query, empty: &str) -> String {
    let headers = request.headers();
    let mut text = format!("{}\n", request.method());
    for name in STANDARD {
        text += &header(headers, name).unwrap_or_default();
        text.push('\n');
    }
    let mut names: Vec<&str> =
        headers.keys().map(|name| name.as_str()).filter(|name| name.starts_with("x-acs-")).collect();
    names.sort_unstable();
    for name in names {
        text += &format!("{name}:{}\n", header(headers, name).unwrap_or_default());
    }
    text += request.uri().path();
    let mut pairs = query.pairs().to_vec();
    pairs.sort();
    for (index, (name, value)) in pairs.iter().enumerate() {
        text.push(if index == 0 { '?' } else { '&' });
        text += name;
        text += if value.is_empty() { empty } else { "=" };
        text += value;
    }
    text
}

fn mac(secret: &str, text: &str) -> Option<Hmac<Sha1>> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(text.as_bytes());
    Some(mac)
}

#[cfg(test)]
pub(super) fn sign(request: &mut Request<Bytes>, access_key_id: &str, secret: &str) {
    let query = Query::parse(request.uri().query().unwrap_or_default());
    let signature = mac(secret, &string_to_sign(request, &query, "")).unwrap().finalize().into_bytes();
    let value = format!("{NAME} {access_key_id}:{}", BASE64.encode(&signature));
    request.headers_mut().insert(http::header::AUTHORIZATION, value.parse().unwrap());
}

#[cfg(test)]
mod tests {
    use super::*;
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use serde_json::Value;

    /// Vectors made with the official SDKs.
    const VECTORS: &str = include_str!("../../../tests/data/signing/roa-hmac-sha1.json");

    fn request_of(vector: &Value) -> Request<Bytes> {
        let text = |name: &str| vector[name].as_str().unwrap_or_default();
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let pairs = vector["query"].as_object().unwrap().iter();
        let pairs =
            pairs.map(|(name, value)| format!("{}={}", encode(name), encode(value.as_str().unwrap())));
        // Sent in another order than it is signed in.
        let query = pairs.rev().collect::<Vec<_>>().join("&");
        let uri = format!("https://{}{}?{query}", text("host"), text("path"));
        let mut request = Request::builder().method(text("method")).uri(uri);
        for (name, value) in vector["headers"].as_object().unwrap() {
            request = request.header(name, value.as_str().unwrap());
        }
        request.body(Bytes::from(text("body").to_owned())).unwrap()
    }

    #[test]
    fn strings_to_sign_and_signatures_are_those_of_the_official_sdks() {
        let vectors: Vec<Value> = serde_json::from_str(VECTORS).unwrap();
        assert_eq!(vectors.len(), 12);
        let mut forms = 0;
        for vector in &vectors {
            for (empty, vector_form) in [("", Some(vector)), ("=", vector.get("alternative"))] {
                let Some(form) = vector_form else { continue };
                forms += 1;
                let request = request_of(vector);
                let query = Query::parse(request.uri().query().unwrap());
                let text = string_to_sign(&request, &query, empty);
                let secret = vector["access_key_secret"].as_str().unwrap();
                let signature = BASE64.encode(&mac(secret, &text).unwrap().finalize().into_bytes());
                let expected = (
                    form["string_to_sign"].as_str().unwrap(),
                    form["signature"].as_str().unwrap().to_owned(),
                );
                assert_eq!((text.as_str(), signature), expected, "{}", vector["name"]);

                let claim = form["authorization"].as_str().unwrap().strip_prefix("acs ").unwrap();
                let claim = Authorization::read(claim, request.headers()).unwrap();
                assert_eq!(claim.access_key_id, vector["access_key_id"]);
                assert!(date(claim.date).is_some());
                assert_eq!(claim.check(&request, &query, secret), Ok(()));
                assert_eq!(claim.check(&request, &query, "another"), Err(mismatch()));
            }
        }
        assert_eq!(forms, 13);
    }
}
