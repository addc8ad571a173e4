use super::*;
use crate::sim::testkit::{self, Call};
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
        let authorization = Authorization::read(request.headers()).unwrap();
        authorization.check_coverage(request.headers()).unwrap();
        let query = Query::parse(request.uri().query().unwrap());
        let content = HEXLOWER.encode(&Sha256::digest(request.body()));
        let host = crate::sim::route::host(&request);
        let canonical =
            canonical_request(&request, &host, &query, &authorization.signed_headers, &content).unwrap();
        let secret = vector["access_key_secret"].as_str().unwrap();
        let found = (canonical.as_str(), signature(secret, &canonical));
        let expected =
            (vector["canonical_request"].as_str().unwrap(), vector["signature"].as_str().unwrap().to_owned());
        assert_eq!(found, expected, "{}", vector["name"]);
        assert!(authorization.holds(secret, &canonical));
    }
}

fn verdict(request: &Request<Bytes>, at: Timestamp, nonces: &mut Nonces) -> Result<(), String> {
    let query = Query::parse(request.uri().query().unwrap_or_default());
    verify(request, &crate::sim::route::host(request), &query, at, nonces).map_err(|error| {
        for secret in [ACCESS_KEY_SECRET, STS_ACCESS_KEY_SECRET, ALGORITHM, "x-acs-date:"] {
            assert!(!error.message.contains(secret), "{}", error.message);
        }
        format!("{} {}", error.status.as_u16(), error.code)
    })
}

fn call() -> Call {
    Call::get("aiworkspace.cn-hangzhou.aliyuncs.com", "/api/v1/workspaces?PageSize=5", "ListWorkspaces")
}

fn refused(change: impl FnOnce(&mut Request<Bytes>)) -> String {
    let mut request = call().signed();
    change(&mut request);
    verdict(&request, testkit::AT, &mut Nonces::default()).unwrap_err()
}

#[test]
fn each_flaw_of_a_signature_has_its_own_error() {
    let set = |name: &'static str, value: &'static str| {
        refused(move |request| {
            request.headers_mut().insert(name, value.parse().unwrap());
        })
    };
    assert_eq!(
        refused(|request| {
            request.headers_mut().remove(AUTHORIZATION);
        }),
        "400 IncompleteSignature"
    );
    assert_eq!(set("authorization", "acs redline-sim:c2ln"), "400 IncompleteSignature");
    assert_eq!(set("x-acs-extra", "unsigned"), "400 IncompleteSignature");
    assert_eq!(set("x-acs-date", "yesterday"), "400 InvalidTimeStamp.Format");
    assert_eq!(set("x-acs-date", "2026-01-01T00:00:01Z"), "400 SignatureDoesNotMatch");
    assert_eq!(
        refused(|request| {
            *request.uri_mut() =
                "https://aiworkspace.cn-hangzhou.aliyuncs.com/api/v1/workspaces?PageSize=6".parse().unwrap();
        }),
        "400 SignatureDoesNotMatch"
    );
    assert_eq!(
        refused(|request| {
            *request.uri_mut() =
                "https://aiworkspace.cn-shanghai.aliyuncs.com/api/v1/workspaces?PageSize=5".parse().unwrap();
        }),
        "400 SignatureDoesNotMatch"
    );
    assert_eq!(refused(|request| *request.body_mut() = "{}".into()), "400 InvalidContentSha256");
    assert_eq!(refused(|request| sign(request, "nobody", "x")), "404 InvalidAccessKeyId.NotFound");
    assert_eq!(refused(|request| sign(request, ACCESS_KEY_ID, "x")), "400 SignatureDoesNotMatch");
}

#[test]
fn a_body_hashed_anew_but_not_signed_anew_does_not_match() {
    let changed = refused(|request| {
        let body = Bytes::from_static(b"{\"WorkspaceName\":\"other\"}");
        let content = HEXLOWER.encode(&Sha256::digest(&body));
        request.headers_mut().insert("x-acs-content-sha256", content.parse().unwrap());
        *request.body_mut() = body;
    });
    assert_eq!(changed, "400 SignatureDoesNotMatch");
}

#[test]
fn a_date_may_stand_fifteen_minutes_off_and_no_more() {
    let request = call().signed();
    for (seconds, expected) in [
        (900, Ok(())),
        (-900, Ok(())),
        (901, Err("400 InvalidTimeStamp.Expired".to_owned())),
        (-901, Err("400 InvalidTimeStamp.Expired".to_owned())),
    ] {
        let at = testkit::AT + SignedDuration::from_secs(seconds);
        assert_eq!(verdict(&request, at, &mut Nonces::default()), expected, "{seconds}");
    }
}

#[test]
fn a_nonce_counts_once() {
    let mut nonces = Nonces::default();
    let request = call().signed();
    assert_eq!(verdict(&request, testkit::AT, &mut nonces), Ok(()));
    let replayed = verdict(&request, testkit::AT, &mut nonces);
    assert_eq!(replayed, Err("400 SignatureNonceUsed".to_owned()));
}

#[test]
fn nonces_are_forgotten_when_their_dates_are_out_of_time() {
    let mut nonces = Nonces::default();
    assert!(nonces.spend("a", testkit::AT));
    assert!(!nonces.spend("a", testkit::AT + MAX_SKEW + MAX_SKEW));
    assert!(nonces.spend("b", testkit::AT + MAX_SKEW + MAX_SKEW + SignedDuration::from_secs(1)));
    assert_eq!(nonces.order.len(), 1);
}

#[test]
fn a_temporary_key_needs_its_token() {
    let sts = |token: Option<&'static str>| {
        refused_or(|request| {
            if let Some(token) = token {
                request.headers_mut().insert("x-acs-accesskey-id", STS_ACCESS_KEY_ID.parse().unwrap());
                request.headers_mut().insert("x-acs-security-token", token.parse().unwrap());
            }
            sign(request, STS_ACCESS_KEY_ID, STS_ACCESS_KEY_SECRET);
        })
    };
    assert_eq!(sts(Some(STS_SECURITY_TOKEN)), Ok(()));
    assert_eq!(sts(None), Err("400 MissingSecurityToken".to_owned()));
    let mismatch = Err("400 InvalidSecurityToken.MismatchWithAccessKey".to_owned());
    assert_eq!(sts(Some("another")), mismatch);
    let token_without_need = refused_or(|request| {
        request.headers_mut().insert("x-acs-security-token", STS_SECURITY_TOKEN.parse().unwrap());
        sign(request, ACCESS_KEY_ID, ACCESS_KEY_SECRET);
    });
    assert_eq!(token_without_need, mismatch);
}

fn refused_or(change: impl FnOnce(&mut Request<Bytes>)) -> Result<(), String> {
    let mut request = call().signed();
    change(&mut request);
    verdict(&request, testkit::AT, &mut Nonces::default())
}
