//! A role that a token of another identity provider opens, as a pod of a cluster has one.

use std::path::PathBuf;

use bytes::Bytes;
use http::Method;
use jiff::Timestamp;

use super::error::Trouble;
use super::exchange::{self, Exchange};
use super::plan::Look;
use super::session::Session;
use super::source::{Asked, Source};
use super::sts::{LIFETIME, PATIENCE, SESSION_NAME, Sts, VERSION};
use super::surroundings::{Surroundings, is_on, set};
use crate::cloud::encode;

const WHAT: &str = "AssumeRoleWithOIDC";

/// Which STS the environment asks for.
pub(super) fn sts(surroundings: &dyn Surroundings) -> Sts {
    Sts {
        region: set(surroundings, "ALIBABA_CLOUD_STS_REGION"),
        private: is_on(surroundings, "ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED"),
    }
}

pub(super) fn look(surroundings: &dyn Surroundings) -> Look {
    let [arn, provider, file] =
        ["ALIBABA_CLOUD_ROLE_ARN", "ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "ALIBABA_CLOUD_OIDC_TOKEN_FILE"]
            .map(|name| set(surroundings, name));
    let (Some(arn), Some(provider), Some(file)) = (arn, provider, file) else {
        return Look::Absent(
            "ALIBABA_CLOUD_ROLE_ARN, ALIBABA_CLOUD_OIDC_PROVIDER_ARN and ALIBABA_CLOUD_OIDC_TOKEN_FILE aren't all set",
        );
    };
    let session_name = set(surroundings, "ALIBABA_CLOUD_ROLE_SESSION_NAME");
    let role = OidcRole {
        arn,
        provider,
        token_file: file.into(),
        session_name: session_name.unwrap_or_else(|| SESSION_NAME.to_owned()),
        seconds: LIFETIME,
        policy: None,
        sts: sts(surroundings),
    };
    Look::Found(Source::Asked(Asked::Oidc(role)), "a role, by an OIDC token")
}

/// A role, and where the token is that opens it. The token is read anew each time, for it is replaced often.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct OidcRole {
    pub(super) arn: String,
    pub(super) provider: String,
    pub(super) token_file: PathBuf,
    pub(super) session_name: String,
    pub(super) seconds: u32,
    pub(super) policy: Option<String>,
    pub(super) sts: Sts,
}

impl OidcRole {
    /// The request isn't signed: the token says who asks.
    pub(super) async fn ask(&self, exchange: &Exchange, now: Timestamp) -> Result<Session, Trouble> {
        let token = exchange.read(self.token_file.clone(), "its token file").await?;
        let time = now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let query =
            [("Action", WHAT), ("Format", "JSON"), ("Version", VERSION), ("Timestamp", time.as_str())];
        let seconds = self.seconds.to_string();
        let mut form = vec![
            ("RoleArn", self.arn.as_str()),
            ("OIDCProviderArn", self.provider.as_str()),
            ("OIDCToken", token.trim()),
            ("RoleSessionName", self.session_name.as_str()),
            ("DurationSeconds", seconds.as_str()),
        ];
        form.extend(self.policy.as_deref().map(|policy| ("Policy", policy)));
        let address = format!("{}/?{}", self.sts.address(exchange)?, encode::query(&query));
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let body = Bytes::from(encode::query(&form));
        let request = exchange::request(Method::POST, &address, &headers, body)?;
        let session = exchange::of_sts(WHAT, &exchange.answer(request, now, PATIENCE).await?)?;
        Ok(Session { pair: session.pair.acting_as(self.arn.clone()), ..session })
    }
}

#[cfg(test)]
mod tests {
    use crate::cloud::credentials::testkit::{Fake, Machine, now, session, sts_answer};

    fn machine() -> Machine {
        Machine::elsewhere()
            .with("ALIBABA_CLOUD_ROLE_ARN", "a-role")
            .with("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "a-provider")
            .with("ALIBABA_CLOUD_OIDC_TOKEN_FILE", "/home/token")
    }

    #[tokio::test]
    async fn the_token_is_exchanged_in_the_body_of_an_unsigned_request() {
        let sts = Fake::default().then(200, sts_answer("sts"));
        let machine = machine()
            .file("token", "a.token=\n")
            .with("ALIBABA_CLOUD_STS_REGION", "cn-hangzhou")
            .with("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED", "true");
        let found = sts.chain(machine).access_key(now()).await.unwrap();
        assert!(found == session("sts", "a-role"));
        assert_eq!(
            sts.lines(),
            [
                "POST https://sts-vpc.cn-hangzhou.aliyuncs.com/?Action=AssumeRoleWithOIDC&Format=JSON&Timestamp=2026-01-01T00%3A00%3A00Z&Version=2015-04-01"
            ]
        );
        let asked = sts.asked.lock().unwrap();
        assert_eq!(
            asked[0].body(),
            "DurationSeconds=3600&OIDCProviderArn=a-provider&OIDCToken=a.token%3D&RoleArn=a-role&RoleSessionName=redline-mcp"
        );
        assert!(asked[0].headers().get("authorization").is_none());
    }

    #[tokio::test]
    async fn a_missing_token_file_is_told_and_nothing_stands_in() {
        let sts = Fake::default();
        let behind = machine().file(
            ".aliyun/config.json",
            r#"{"current": "p", "profiles": [{"name": "p", "mode": "AK", "access_key_id": "i", "access_key_secret": "s"}]}"#,
        );
        let error = sts.chain(behind).access_key(now()).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the OIDC role gives no Alibaba Cloud credentials; nothing was sent: its token file can't be read (entity \
             not found); make it readable for the user that the server runs as"
        );
    }
}
