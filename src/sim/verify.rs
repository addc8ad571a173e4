//! The gateway's signature check, by our own canonicalisation: ACS3-HMAC-SHA256 and the older ROA HMAC-SHA1.
//!
//! Both end in the same questions: is the key known, is the date near, does the signature hold, is the nonce
//! new? The client has a signer of its own; the two meet only on the wire, so an error in either shows.

mod acs3;
mod roa;

use std::collections::{HashSet, VecDeque};

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, StatusCode};
use jiff::{SignedDuration, Timestamp};

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

/// How far the date of a request may stand from the instant of the request, either way.
const MAX_SKEW: SignedDuration = SignedDuration::from_mins(15);

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

/// The one `Authorization`: with several, nobody could say which was meant.
pub(super) fn authorization(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (Some(only), None) => only.to_str().ok(),
        (Some(_), Some(_)) | (None, _) => None,
    }
}

/// A claim to a signature, by the scheme that `authorization` begins with.
enum Claim<'a> {
    Acs3(acs3::Authorization<'a>),
    Roa(roa::Authorization<'a>),
}

impl<'a> Claim<'a> {
    fn read(request: &'a Request<Bytes>) -> Result<Self, CloudError> {
        let headers = request.headers();
        let value = authorization(headers);
        match value.and_then(|value| value.split_once(' ')) {
            Some((acs3::NAME, claim)) => acs3::Authorization::read(claim, request).map(Self::Acs3),
            Some((roa::NAME, claim)) => roa::Authorization::read(claim, headers).map(Self::Roa),
            Some(_) | None => Err(incomplete()),
        }
    }

    fn access_key_id(&self) -> &'a str {
        match self {
            Self::Acs3(claim) => claim.access_key_id,
            Self::Roa(claim) => claim.access_key_id,
        }
    }

    /// The date that was signed; `None` if it isn't written as the scheme wants it.
    fn date(&self) -> Option<Timestamp> {
        match self {
            Self::Acs3(claim) => claim.date.parse().ok(),
            Self::Roa(claim) => roa::date(claim.date),
        }
    }

    fn check(
        &self,
        request: &Request<Bytes>,
        host: &str,
        query: &Query,
        secret: &str,
    ) -> Result<(), CloudError> {
        match self {
            Self::Acs3(claim) => claim.check(request, host, query, secret),
            Self::Roa(claim) => claim.check(request, query, secret),
        }
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
    let claim = Claim::read(request)?;
    let secret = secret_of(claim.access_key_id(), headers)?;
    let date = claim.date().ok_or_else(|| {
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
    claim.check(request, host, query, secret)?;
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

fn mismatch() -> CloudError {
    CloudError::bad_request(
        "SignatureDoesNotMatch",
        "Specified signature is not matched with our calculation.".to_owned(),
    )
}

#[cfg(test)]
pub(super) use acs3::sign;

#[cfg(test)]
mod tests;
