use super::*;
use crate::sim::testkit::{self, Call};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

fn verdict(request: &Request<Bytes>, at: Timestamp, nonces: &mut Nonces) -> Result<(), String> {
    let query = Query::parse(request.uri().query().unwrap_or_default());
    verify(request, &crate::sim::route::host(request), &query, at, nonces).map_err(|error| {
        for secret in [ACCESS_KEY_SECRET, STS_ACCESS_KEY_SECRET, acs3::NAME, "x-acs-date:"] {
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
    assert_eq!(
        refused(|request| {
            request.headers_mut().append(AUTHORIZATION, "acs redline-sim:AAAA".parse().unwrap());
        }),
        "400 IncompleteSignature"
    );
    assert_eq!(set("authorization", "Bearer redline-sim"), "400 IncompleteSignature");
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
fn the_type_of_a_body_is_signed_and_that_of_no_body_need_not_be() {
    let typed = |request: &mut Request<Bytes>| {
        request.headers_mut().insert("content-type", "application/octet-stream".parse().unwrap());
    };
    assert_eq!(refused_or(typed), Ok(()));
    let with_body = refused_or(|request| {
        let body = Bytes::from_static(b"{}");
        let content = HEXLOWER.encode(&Sha256::digest(&body));
        request.headers_mut().insert("x-acs-content-sha256", content.parse().unwrap());
        *request.body_mut() = body;
        sign(request, ACCESS_KEY_ID, ACCESS_KEY_SECRET);
        typed(request);
    });
    assert_eq!(with_body, Err("400 IncompleteSignature".to_owned()));
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

/// A request signed the older way, after `change`.
fn roa(change: impl FnOnce(&mut Request<Bytes>)) -> Request<Bytes> {
    let mut request = call().signed();
    let headers = request.headers_mut();
    headers.remove("x-acs-date");
    headers.remove("x-acs-content-sha256");
    for (name, value) in [
        ("accept", "application/json"),
        ("date", "Thu, 01 Jan 2026 00:00:00 GMT"),
        ("x-acs-signature-method", "HMAC-SHA1"),
        ("x-acs-signature-version", "1.0"),
    ] {
        headers.insert(name, value.parse().unwrap());
    }
    change(&mut request);
    roa::sign(&mut request, ACCESS_KEY_ID, ACCESS_KEY_SECRET);
    request
}

fn once(request: &Request<Bytes>) -> Result<(), String> {
    verdict(request, testkit::AT, &mut Nonces::default())
}

fn set(name: &'static str, value: &'static str) -> impl FnOnce(&mut Request<Bytes>) {
    move |request| {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
}

#[test]
fn the_older_scheme_is_judged_alike() {
    let refused = |change: &dyn Fn(&mut Request<Bytes>)| {
        let mut request = roa(|_| {});
        change(&mut request);
        once(&request).unwrap_err()
    };
    assert_eq!(once(&roa(|_| {})), Ok(()));
    for (name, value, expected) in [
        ("authorization", "acs", "400 IncompleteSignature"),
        ("authorization", "acs redline-sim", "400 IncompleteSignature"),
        ("authorization", "acs :c2ln", "400 IncompleteSignature"),
        ("authorization", "acs redline-sim:%", "400 IncompleteSignature"),
        ("authorization", "acs redline-sim:", "400 SignatureDoesNotMatch"),
        ("authorization", "acs nobody:c2ln", "404 InvalidAccessKeyId.NotFound"),
        ("x-acs-signature-method", "HMAC-MD5", "400 IncompleteSignature"),
        ("date", "2026-01-01T00:00:00Z", "400 InvalidTimeStamp.Format"),
        ("date", "Thu, 01 Jan 2026 00:15:01 GMT", "400 InvalidTimeStamp.Expired"),
        ("date", "Thu, 01 Jan 2026 00:00:01 GMT", "400 SignatureDoesNotMatch"),
        ("accept", "*/*", "400 SignatureDoesNotMatch"),
        ("x-acs-extra", "unsigned", "400 SignatureDoesNotMatch"),
        ("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==", "400 SignatureDoesNotMatch"),
        ("content-md5", "AAAA2Y8AsgTpgAmY7PhCfg==", "400 InvalidContentMD5"),
    ] {
        assert_eq!(refused(&|request| set(name, value)(request)), expected, "{name}: {value}");
    }
    for missing in ["date", "x-acs-signature-method"] {
        let said = refused(&|request| drop(request.headers_mut().remove(missing)));
        assert_eq!(said, "400 IncompleteSignature", "{missing}");
    }
    let without_nonce = roa(|request| drop(request.headers_mut().remove("x-acs-signature-nonce")));
    assert_eq!(once(&without_nonce), Err("400 IncompleteSignature".to_owned()));
    let elsewhere = "https://aiworkspace.cn-hangzhou.aliyuncs.com/api/v1/workspaces?PageSize=6";
    assert_eq!(
        refused(&|request| *request.uri_mut() = elsewhere.parse().unwrap()),
        "400 SignatureDoesNotMatch"
    );
    assert_eq!(once(&roa(set("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg=="))), Ok(()));
}

#[test]
fn a_nonce_counts_once_whatever_the_scheme() {
    let mut nonces = Nonces::default();
    let request = roa(set("x-acs-signature-nonce", "same"));
    assert_eq!(verdict(&request, testkit::AT, &mut nonces), Ok(()));
    let used = Err("400 SignatureNonceUsed".to_owned());
    assert_eq!(verdict(&request, testkit::AT, &mut nonces), used);
    let mut newer = call().signed();
    set("x-acs-signature-nonce", "same")(&mut newer);
    sign(&mut newer, ACCESS_KEY_ID, ACCESS_KEY_SECRET);
    assert_eq!(verdict(&newer, testkit::AT, &mut nonces), used);
}

#[test]
fn a_temporary_key_of_the_older_scheme_needs_its_token_too() {
    let sts = |token: Option<&'static str>| {
        let mut request = roa(|_| {});
        if let Some(token) = token {
            set("x-acs-accesskey-id", STS_ACCESS_KEY_ID)(&mut request);
            set("x-acs-security-token", token)(&mut request);
        }
        roa::sign(&mut request, STS_ACCESS_KEY_ID, STS_ACCESS_KEY_SECRET);
        once(&request)
    };
    assert_eq!(sts(Some(STS_SECURITY_TOKEN)), Ok(()));
    assert_eq!(sts(None), Err("400 MissingSecurityToken".to_owned()));
    assert_eq!(sts(Some("another")), Err("400 InvalidSecurityToken.MismatchWithAccessKey".to_owned()));
}
