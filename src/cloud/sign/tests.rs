//! Both schemes against vectors made with the official SDKs, every intermediate string included.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;
use crate::cloud::encode;

#[derive(Deserialize)]
struct Vector {
    name: String,
    method: String,
    host: String,
    path: String,
    path_template: String,
    path_params: BTreeMap<String, String>,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    #[serde(default)]
    unsigned_headers: BTreeMap<String, String>,
    body: Option<String>,
    access_key_id: String,
    access_key_secret: String,
    security_token: Option<String>,
    x_acs_signature_nonce: String,
    string_to_sign: String,
    signature: String,
    authorization: String,
    // ACS3 only.
    #[serde(default)]
    x_acs_date: String,
    #[serde(default)]
    canonical_query: String,
    #[serde(default)]
    hashed_payload: String,
    #[serde(default)]
    canonical_request: String,
    #[serde(default)]
    signed_headers: String,
    // ROA only.
    #[serde(default)]
    date: String,
    alternative: Option<Alternative>,
}

/// What another library makes of an empty query value.
#[derive(Deserialize)]
struct Alternative {
    string_to_sign: String,
    signature: String,
    authorization: String,
}

impl Vector {
    fn credentials(&self) -> AccessKey {
        let (id, secret) = (self.access_key_id.clone(), self.access_key_secret.clone());
        AccessKey::new(id, secret, self.security_token.clone()).unwrap()
    }

    fn query(&self) -> Vec<(String, String)> {
        self.query.clone().into_iter().rev().collect()
    }

    fn body(&self) -> &str {
        self.body.as_deref().unwrap_or_default()
    }

    /// The core's view: exactly the headers that the vector signs.
    fn parts(&self) -> Parts<'_> {
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        Parts::new(&self.method, &self.path, self.query(), headers)
    }

    /// What a client would hand to [`sign`]: all but what `sign` itself adds.
    fn unsigned(&self) -> Request<Bytes> {
        let uri = match encode::query(&self.query()) {
            query if query.is_empty() => format!("https://{}{}", self.host, self.path),
            query => format!("https://{}{}?{query}", self.host, self.path),
        };
        let mut request = Request::builder().method(self.method.as_str()).uri(uri);
        for (name, value) in self.headers.iter().chain(&self.unsigned_headers) {
            let given = ["accept", "user-agent", "x-acs-action", "x-acs-version", "content-md5"];
            if given.contains(&name.as_str()) {
                request = request.header(name, value);
            }
        }
        request.body(Bytes::from(self.body().to_owned())).unwrap()
    }

    /// The authorization header of the whole request as it leaves.
    fn signed(&self, signature: Signature, at: Timestamp) -> Request<Bytes> {
        let mut request = self.unsigned();
        sign(signature, &self.credentials(), &mut request, at, &self.x_acs_signature_nonce).unwrap();
        request
    }
}

fn acs3_vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("../../../tests/data/signing/acs3-hmac-sha256.json")).unwrap()
}

fn roa_vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("../../../tests/data/signing/roa-hmac-sha1.json")).unwrap()
}

fn text<'a>(request: &'a Request<Bytes>, name: &str) -> Option<&'a str> {
    request.headers().get(name).map(|value| value.to_str().unwrap())
}

#[test]
fn acs3_makes_every_string_of_every_vector() {
    let vectors = acs3_vectors();
    assert_eq!(vectors.len(), 25);
    for vector in vectors {
        let (name, parts, credentials) = (&vector.name, vector.parts(), vector.credentials());
        let payload = acs3::sha256(vector.body().as_bytes());
        let canonical_request = acs3::canonical_request(&parts, &payload);
        let string_to_sign = acs3::string_to_sign(&canonical_request);
        let signature = acs3::signature(&credentials, &string_to_sign).unwrap();
        let authorization = acs3::authorization(&parts, &credentials, &signature);
        assert_eq!(payload, vector.hashed_payload, "{name}");
        assert_eq!(encode::query(&parts.query), vector.canonical_query, "{name}");
        assert_eq!(canonical_request, vector.canonical_request, "{name}");
        assert_eq!(string_to_sign, vector.string_to_sign, "{name}");
        assert_eq!(signature, vector.signature, "{name}");
        assert_eq!(acs3::signed_headers(&parts), vector.signed_headers, "{name}");
        assert_eq!(authorization, vector.authorization, "{name}");
    }
}

#[test]
fn roa_makes_every_string_of_every_vector() {
    let vectors = roa_vectors();
    assert_eq!(vectors.len(), 12);
    for vector in vectors {
        let (name, credentials) = (&vector.name, vector.credentials());
        let string_to_sign = roa::string_to_sign(&vector.parts());
        let signature = roa::signature(&credentials, &string_to_sign).unwrap();
        let authorization = roa::authorization(&credentials, &signature);
        assert_eq!(string_to_sign, vector.string_to_sign, "{name}");
        assert_eq!(signature, vector.signature, "{name}");
        assert_eq!(authorization, vector.authorization, "{name}");
        if let Some(other) = &vector.alternative {
            assert_eq!(string_to_sign.replace("?Caller&", "?Caller=&"), other.string_to_sign, "{name}");
            let signature = roa::signature(&credentials, &other.string_to_sign).unwrap();
            assert_eq!(signature, other.signature, "{name}");
            assert_eq!(roa::authorization(&credentials, &signature), other.authorization, "{name}");
        }
    }
}

#[test]
fn paths_of_the_vectors_are_what_segments_encode_to() {
    for vector in acs3_vectors().iter().chain(&roa_vectors()) {
        let mut path = vector.path_template.clone();
        for (name, value) in &vector.path_params {
            path = path.replace(&format!("{{{name}}}"), &encode::segment(value).unwrap());
        }
        assert_eq!(path, vector.path, "{}", vector.name);
    }
}

#[test]
fn a_whole_request_signed_with_acs3_carries_the_headers_of_its_vector() {
    for vector in acs3_vectors() {
        // Made by an SDK that signs every header: the core's test covers it.
        if vector.name == "all-headers-signed-as-python-sdk-does" {
            continue;
        }
        let request = vector.signed(Signature::Acs3HmacSha256, vector.x_acs_date.parse().unwrap());
        for (name, value) in &vector.headers {
            assert_eq!(text(&request, name), Some(value.as_str()), "{}: {name}", vector.name);
        }
        assert_eq!(text(&request, "authorization"), Some(vector.authorization.as_str()), "{}", vector.name);
        let own = request.headers().keys().filter(|name| acs3::is_signed(name.as_str())).count();
        assert_eq!(own, vector.headers.len(), "{}: nothing beyond the vector", vector.name);
    }
}

#[test]
fn a_whole_request_signed_with_roa_carries_the_headers_of_its_vector() {
    for vector in roa_vectors() {
        let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(&vector.date).unwrap();
        let request = vector.signed(Signature::RoaHmacSha1, at);
        for (name, value) in &vector.headers {
            assert_eq!(text(&request, name), Some(value.as_str()), "{}: {name}", vector.name);
        }
        assert_eq!(text(&request, "authorization"), Some(vector.authorization.as_str()), "{}", vector.name);
        assert_eq!(request.headers().len(), vector.headers.len() + 1, "{}", vector.name);
    }
}

/// R-WS-07: a session's token is sent, and R-WS-03: printing the request shows nothing of the credentials.
#[test]
fn a_session_token_is_sent_and_not_shown() {
    for signature in [Signature::Acs3HmacSha256, Signature::RoaHmacSha1] {
        let vector = acs3_vectors().into_iter().find(|vector| vector.name == "get-sts-token").unwrap();
        let request = vector.signed(signature, Timestamp::UNIX_EPOCH);
        let token = vector.security_token.as_deref();
        assert!(token.is_some());
        assert_eq!(text(&request, "x-acs-security-token"), token);
        assert_eq!(text(&request, "x-acs-accesskey-id"), Some(vector.access_key_id.as_str()));
        let shown = format!("{request:?}");
        for secret in [&vector.access_key_id, &vector.access_key_secret, token.unwrap()] {
            assert!(!shown.contains(secret), "{signature}");
        }
    }
}

#[test]
fn signing_again_replaces_the_first_signature() {
    let vector = acs3_vectors().into_iter().find(|vector| vector.name == "get-sts-token").unwrap();
    for signature in [Signature::Acs3HmacSha256, Signature::RoaHmacSha1] {
        let mut twice = vector.signed(signature, Timestamp::UNIX_EPOCH);
        let mut once = vector.unsigned();
        for request in [&mut twice, &mut once] {
            sign(signature, &AccessKey::simulator(), request, Timestamp::UNIX_EPOCH, "other").unwrap();
        }
        assert_eq!(twice.headers(), once.headers(), "{signature}");
    }
}

#[test]
fn the_order_of_the_query_sent_does_not_matter() {
    let authorization = |uri: &str| {
        let mut request = Request::get(uri).body(Bytes::new()).unwrap();
        let at = Timestamp::UNIX_EPOCH;
        sign(Signature::Acs3HmacSha256, &AccessKey::simulator(), &mut request, at, "nonce").unwrap();
        request.headers().get(AUTHORIZATION).cloned()
    };
    assert_eq!(authorization("https://h/?b=2&a=1%2F"), authorization("https://h/?a=1%2F&b=2"));
    assert_ne!(authorization("https://h/?b=2&a=1%2F"), authorization("https://h:444/?b=2&a=1%2F"));
}

#[test]
fn what_can_not_be_signed_is_refused_without_showing_it() {
    let outcome = |uri: &str, id: &str, nonce: &str| {
        let mut request = Request::get(uri).body(Bytes::new()).unwrap();
        let credentials = AccessKey::new(id.to_owned(), "secret".to_owned(), None).unwrap();
        sign(Signature::Acs3HmacSha256, &credentials, &mut request, Timestamp::UNIX_EPOCH, nonce)
    };
    assert_eq!(outcome("https://h/", "id", "nonce"), Ok(()));
    assert_eq!(outcome("/path", "id", "nonce"), Err(SignError::NoHost));
    assert_eq!(outcome("https://h/?a=%FF", "id", "nonce"), Err(SignError::Query));
    assert_eq!(outcome("https://h/", "id\n", "nonce"), Err(SignError::Header { name: AUTHORIZATION }));
    assert_eq!(outcome("https://h/", "id", "a\nb"), Err(SignError::Header { name: NONCE }));
    assert_eq!(
        SignError::Header { name: AUTHORIZATION }.to_string(),
        "the value of the header authorization holds a control or non-ASCII character; set its source again without it"
    );
}

#[test]
fn signatures_have_names() {
    assert_eq!(Signature::default(), Signature::Acs3HmacSha256);
    for signature in [Signature::Acs3HmacSha256, Signature::RoaHmacSha1] {
        assert_eq!(signature.to_string().parse(), Ok(signature));
    }
    assert_eq!("hmac-md5".parse::<Signature>(), Err(UnknownSignature));
    assert_eq!(UnknownSignature.to_string(), "no such signature; use acs3-hmac-sha256 or roa-hmac-sha1");
}
