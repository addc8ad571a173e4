//! An address that answers credentials, as a sidecar or a local helper does.

use bytes::Bytes;
use http::Method;
use jiff::Timestamp;

use super::error::Trouble;
use super::exchange::{self, Exchange};
use super::plan::Look;
use super::session::Session;
use super::source::{Asked, Source};
use super::surroundings::{Surroundings, set};
use crate::cloud::endpoint::{UrlFault, is_loopback};
use crate::cloud::transport::http::{Patience, Seconds};

const PATIENCE: Patience = Patience::of(Seconds::at_least_one(10));
const WHAT: &str = "the credentials URI";

pub(super) fn look(surroundings: &dyn Surroundings) -> Look {
    match set(surroundings, "ALIBABA_CLOUD_CREDENTIALS_URI").map(|text| Address::parse(&text)) {
        None => Look::Absent("ALIBABA_CLOUD_CREDENTIALS_URI isn't set"),
        Some(Ok(address)) => {
            Look::Found(Source::Asked(Asked::Address(address)), "what the credentials URI answers")
        }
        Some(Err(trouble)) => Look::Broken(trouble),
    }
}

/// An address that answers credentials. It may hold a token in its query, so it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Address(String);

impl Address {
    /// Only this machine is asked in clear text.
    pub(super) fn parse(text: &str) -> Result<Self, Trouble> {
        let uri: http::Uri = text.parse().map_err(|_| Trouble::Url(UrlFault::Form))?;
        match (uri.scheme_str(), uri.host(), uri.authority()) {
            (_, _, Some(authority)) if authority.as_str().contains('@') => {
                Err(Trouble::Url(UrlFault::UserInfo))
            }
            (Some("https"), Some(_), _) => Ok(Self(text.to_owned())),
            (Some("http"), Some(host), _) if is_loopback(host) => Ok(Self(text.to_owned())),
            (Some("http"), Some(_), _) => Err(Trouble::Url(UrlFault::Insecure)),
            _ => Err(Trouble::Url(UrlFault::Form)),
        }
    }

    pub(super) async fn ask(&self, exchange: &Exchange, now: Timestamp) -> Result<Session, Trouble> {
        let request = exchange::request(Method::GET, &self.0, &[], Bytes::new())?;
        let session = exchange::of_flat(WHAT, &exchange.answer(request, now, PATIENCE).await?)?;
        Ok(if session.pair.security_token().is_some() {
            Session { pair: session.pair.acting_as(format!("credentials-uri/{}", self.0)), ..session }
        } else {
            session
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::credentials::CredentialsError;
    use crate::cloud::credentials::testkit::{Fake, Machine, now, pair};

    fn machine(uri: &str) -> Machine {
        Machine::elsewhere().with("ALIBABA_CLOUD_CREDENTIALS_URI", uri)
    }

    #[tokio::test]
    async fn a_pair_without_an_end_is_asked_for_each_time() {
        let address = "https://helper.example/c?token=t";
        let answer = r#"{"AccessKeyId": "id", "AccessKeySecret": "id-secret"}"#;
        let helper = Fake::default().then(200, answer).then(200, answer);
        let chain = helper.chain(machine(address));
        for _ in 0..2 {
            assert!(chain.access_key(now()).await.unwrap() == pair("id", None, None));
        }
        assert_eq!(helper.lines(), [format!("GET {address}"), format!("GET {address}")]);
    }

    #[tokio::test]
    async fn only_this_machine_is_asked_in_clear_text_and_no_address_is_shown() {
        for (uri, fault) in [
            ("http://helper.example/hidden", "it must use https; plain http is only for a loopback host"),
            (
                "http://u:hidden@127.0.0.1/",
                "it must not hold a user name or a password; credentials come from the environment",
            ),
            ("hidden", "it is not of the form https://host[:port][/path]"),
        ] {
            let error = Fake::default().chain(machine(uri)).access_key(now()).await.unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(
                    "the credentials URI gives no Alibaba Cloud credentials; nothing was sent: its address can't be \
                     used: {fault}; mend the address"
                )
            );
        }
        let failing =
            Fake::default().then(200, r#"{"Code": "Failed", "AccessKeyId": "a", "AccessKeySecret": "b"}"#);
        let error = failing.chain(machine("http://localhost:1/")).access_key(now()).await.unwrap_err();
        let CredentialsError::Place { trouble, .. } = error else { panic!("{error}") };
        assert_eq!(trouble, Trouble::Answer(WHAT));
    }
}
