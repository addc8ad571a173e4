//! Roles: AssumeRole of STS, signed with a pair that another source gives.

use bytes::Bytes;
use data_encoding::HEXLOWER;
use http::Method;
use jiff::Timestamp;

use super::error::Trouble;
use super::exchange::{self, Exchange};
use super::key::AccessKey;
use super::session::Session;
use super::source::{Pending, Source};
use crate::cloud::encode;
use crate::cloud::endpoint::BaseUrl;
use crate::cloud::sign::{self, Signature};
use crate::cloud::transport::http::{Patience, Seconds};

/// The version of STS's API.
pub(super) const VERSION: &str = "2015-04-01";
/// How long STS may take.
pub(super) const PATIENCE: Patience = Patience::of(Seconds::at_least_one(10));
/// How long a session lasts where nobody says.
pub(super) const LIFETIME: u32 = 3_600;
/// How a session is named where nobody says.
pub(super) const SESSION_NAME: &str = "redline-mcp";
const WHAT: &str = "AssumeRole";

/// Which STS is asked.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct Sts {
    /// The region whose STS is asked; the central one without.
    pub(super) region: Option<String>,
    /// Whether it is asked within the private network.
    pub(super) private: bool,
}

impl Sts {
    /// Its address.
    pub(super) fn address(&self, exchange: &Exchange) -> Result<BaseUrl, Trouble> {
        exchange.endpoints.sts(self.region.as_deref(), self.private).map_err(Trouble::Endpoint)
    }
}

/// A role, and what opens it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Role {
    pub(super) base: Source,
    pub(super) arn: String,
    pub(super) session_name: String,
    pub(super) seconds: u32,
    pub(super) external_id: Option<String>,
    pub(super) policy: Option<String>,
    pub(super) sts: Sts,
}

impl Role {
    pub(super) async fn ask(&self, exchange: &Exchange, now: Timestamp) -> Result<Session, Trouble> {
        let at = exchange.skew.correct(now);
        let base = match self.base.at_hand(at) {
            Ok(pair) => pair,
            Err(Pending::Ask(asked)) => asked.ask(exchange, now).await?.pair,
            Err(Pending::Never(trouble)) => return Err(trouble),
        };
        let address = self.sts.address(exchange)?;
        let first = self.attempt(exchange, &address, &base, at).await?;
        let session = match exchange::of_sts(WHAT, &first) {
            Err(Trouble::Refused { code: Some(code), .. })
                if exchange.skew.learn(&code, now, first.headers()) =>
            {
                let again = self.attempt(exchange, &address, &base, exchange.skew.correct(now)).await?;
                exchange::of_sts(WHAT, &again)?
            }
            other => other?,
        };
        Ok(Session { pair: session.pair.acting_as(self.arn.clone()), ..session })
    }

    async fn attempt(
        &self,
        exchange: &Exchange,
        address: &BaseUrl,
        base: &AccessKey,
        at: Timestamp,
    ) -> Result<http::Response<Bytes>, Trouble> {
        let seconds = self.seconds.to_string();
        let mut query = vec![
            ("RoleArn", self.arn.as_str()),
            ("RoleSessionName", self.session_name.as_str()),
            ("DurationSeconds", seconds.as_str()),
        ];
        query.extend(self.external_id.as_deref().map(|id| ("ExternalId", id)));
        query.extend(self.policy.as_deref().map(|policy| ("Policy", policy)));
        let address = format!("{address}/?{}", encode::query(&query));
        let headers = [("x-acs-action", WHAT), ("x-acs-version", VERSION)];
        let mut request = exchange::request(Method::POST, &address, &headers, Bytes::new())?;
        let mut nonce = [0; 16];
        getrandom::fill(&mut nonce).map_err(|error| Trouble::Request(error.to_string()))?;
        // STS has no ROA form, whatever the services are signed with.
        sign::sign(Signature::Acs3HmacSha256, base, &mut request, at, &HEXLOWER.encode(&nonce))
            .map_err(|error| Trouble::Request(error.to_string()))?;
        exchange.answer(request, at, PATIENCE).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use http::Response;
    use http::header::DATE;

    use crate::cloud::credentials::testkit::{Fake, Machine, flat_answer, now, pair, session, sts_answer};
    use crate::cloud::sign::{self, Signature};
    use crate::cloud::skew::Skew;

    const ROLE: &str = "acs:ram::1:role/r";

    fn profile(more: &str) -> Machine {
        let text = format!(
            r#"{{"current": "p", "profiles": [{{"name": "p", "mode": "RamRoleArn", "access_key_id": "base",
            "access_key_secret": "base-secret", "ram_role_arn": "{ROLE}", "region_id": "cn-beijing"{more}}}]}}"#
        );
        Machine::elsewhere().file(".aliyun/config.json", &text)
    }

    #[tokio::test]
    async fn a_role_is_assumed_with_a_signed_request_and_acts_as_itself() {
        let sts = Fake::default().then(200, sts_answer("sts"));
        let more = r#", "ram_session_name": "me", "expired_seconds": 900, "external_id": "e&1", "sts_region": "cn-hangzhou""#;
        let found = sts.chain(profile(more)).access_key(now()).await.unwrap();
        assert!(found == session("sts", ROLE));
        assert_eq!(found.identity(), ROLE);
        assert_eq!(
            sts.lines(),
            [
                "POST https://sts.cn-hangzhou.aliyuncs.com/?DurationSeconds=900&ExternalId=e%261&RoleArn=acs%3Aram%3A%3A1%3Arole%2Fr&RoleSessionName=me"
            ]
        );
        let header = |name| sts.header(0, name).unwrap();
        assert_eq!(
            (header("x-acs-action"), header("x-acs-version")),
            ("AssumeRole".into(), "2015-04-01".into())
        );
        // The same request, signed again by what the vectors of the official SDKs hold to.
        let mut again = sts.asked.lock().unwrap()[0].clone();
        let authorization = again.headers_mut().remove("authorization").unwrap();
        let nonce = header("x-acs-signature-nonce");
        sign::sign(Signature::Acs3HmacSha256, &pair("base", None, None), &mut again, now(), &nonce).unwrap();
        assert_eq!(again.headers()["authorization"], authorization);
        assert!(
            !format!("{:?}", sts.asked.lock().unwrap()).contains("Credential"),
            "printing shows no signature"
        );
    }

    #[tokio::test]
    async fn a_role_by_another_profile_is_signed_with_what_that_gives() {
        let config = format!(
            r#"{{"current": "outer", "profiles": [
                {{"name": "outer", "mode": "ChainableRamRoleArn", "source_profile": "inner", "ram_role_arn": "{ROLE}"}},
                {{"name": "inner", "mode": "EcsRamRole", "ram_role_name": "box"}}
            ]}}"#
        );
        let machine = Machine::default().file(".aliyun/config.json", &config);
        let cloud =
            Fake::default().then(200, "imds").then(200, flat_answer("box")).then(200, sts_answer("sts"));
        assert!(cloud.chain(machine).access_key(now()).await.unwrap() == session("sts", ROLE));
        assert_eq!(cloud.header(2, "x-acs-security-token").as_deref(), Some("box-token"));
        assert!(cloud.lines()[2].starts_with("POST https://sts.aliyuncs.com/?"));
    }

    #[tokio::test]
    async fn a_refusal_is_told_without_its_words() {
        let body = r#"{"Code": "NoPermission", "Message": "acs:ram::1:role/r of user zhang"}"#;
        let sts = Fake::default().then(403, body);
        let error = sts.chain(profile("")).access_key(now()).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the CLI profile gives no Alibaba Cloud credentials; nothing was sent: AssumeRole was refused with status \
             403 (NoPermission); check what the account or the role allows"
        );
        for (status, body, words) in [
            (400, r#"{"Code": "what is this: a secret?"}"#, "refused with status 400; check"),
            (200, "{}", "the answer to AssumeRole holds no whole credentials"),
            (
                200,
                r#"{"Credentials": {"AccessKeyId": "a", "AccessKeySecret": "b", "Expiration": "soon"}}"#,
                "no whole",
            ),
        ] {
            let sts = Fake::default().then(status, body);
            let text = sts.chain(profile("")).access_key(now()).await.unwrap_err().to_string();
            assert!(text.contains(words), "{text}");
        }
    }

    /// The first answer says what time it is; the second request is signed by that, and so is what follows.
    #[tokio::test]
    async fn a_wrong_clock_is_corrected_once() {
        let late = || {
            let body = r#"{"Code": "InvalidTimeStamp.Expired"}"#;
            Response::builder()
                .status(400)
                .header(DATE, "Thu, 01 Jan 2026 00:30:00 GMT")
                .body(body.into())
                .unwrap()
        };
        let skew = Arc::new(Skew::default());
        let sts = Fake::default().then_response(late()).then(200, sts_answer("sts"));
        let found = sts.chain_with(profile(""), Arc::clone(&skew)).access_key(now()).await.unwrap();
        assert!(found == session("sts", ROLE));
        assert_eq!(sts.header(0, "x-acs-date").as_deref(), Some("2026-01-01T00:00:00Z"));
        assert_eq!(sts.header(1, "x-acs-date").as_deref(), Some("2026-01-01T00:30:00Z"));
        assert_eq!(skew.correct(now()).to_string(), "2026-01-01T00:30:00Z");

        let twice = Fake::default().then_response(late()).then_response(late());
        let error = twice.chain(profile("")).access_key(now()).await.unwrap_err();
        assert!(error.to_string().contains("InvalidTimeStamp.Expired"), "{error}");
    }
}
