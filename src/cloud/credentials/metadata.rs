//! The role of the ECS instance that this runs on, from its metadata service.

use bytes::Bytes;
use http::{Method, Response};
use jiff::Timestamp;

use super::error::Trouble;
use super::exchange::{self, Exchange};
use super::plan::Look;
use super::session::Session;
use super::source::{Asked, Source};
use super::surroundings::{Surroundings, is_on, set};
use crate::cloud::encode;
use crate::cloud::transport::http::{Patience, Seconds};

/// How long the service may take: it is next door, or not there at all.
const PATIENCE: Patience = Patience::of(Seconds::at_least_one(1));
/// How long the service's own token lasts, in seconds.
const TTL: &str = "21600";
const TOKEN: &str = "x-aliyun-ecs-metadata-token";
const ROLES: &str = "/latest/meta-data/ram/security-credentials/";
const WHAT: &str = "the instance's role";

pub(super) fn look(surroundings: &dyn Surroundings) -> Look {
    if is_on(surroundings, "ALIBABA_CLOUD_ECS_METADATA_DISABLED") {
        return Look::Absent("switched off by ALIBABA_CLOUD_ECS_METADATA_DISABLED");
    }
    let named = set(surroundings, "ALIBABA_CLOUD_ECS_METADATA");
    let is_named = named.is_some();
    let role = InstanceRole { demanded: is_named, ..InstanceRole::of(surroundings, named) };
    let how = if is_named {
        "the ECS instance's role that ALIBABA_CLOUD_ECS_METADATA names"
    } else {
        "the ECS instance's role, if this is an instance that has one"
    };
    Look::Found(Source::Asked(Asked::Instance(role)), how)
}

/// The role of an instance.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct InstanceRole {
    /// The role's name; the instance tells it where nobody does.
    name: Option<String>,
    /// Whether somebody said that there is one. Nothing else stands in for it then.
    demanded: bool,
    /// Whether the service may be asked without a token of its own (IMDSv1), where it gives none.
    tokenless: bool,
}

impl InstanceRole {
    pub(super) fn of(surroundings: &dyn Surroundings, name: Option<String>) -> Self {
        let tokenless = !is_on(surroundings, "ALIBABA_CLOUD_IMDSV1_DISABLED");
        Self { name, demanded: false, tokenless }
    }

    /// The same, of a profile that says that there is one.
    pub(super) fn of_profile(self) -> Self {
        Self { demanded: true, ..self }
    }

    #[cfg(test)]
    pub(super) const fn any() -> Self {
        Self { name: None, demanded: false, tokenless: true }
    }

    #[cfg(test)]
    pub(super) fn named(name: &str) -> Self {
        Self { name: Some(name.to_owned()), demanded: true, tokenless: true }
    }

    /// Whether somebody said that there is one.
    pub(super) const fn is_demanded(&self) -> bool {
        self.demanded
    }

    pub(super) async fn ask(&self, exchange: &Exchange, now: Timestamp) -> Result<Session, Trouble> {
        let token = self.token(exchange, now).await?;
        let name = match &self.name {
            Some(name) => name.clone(),
            None => {
                let answer = get(exchange, now, ROLES, &token).await?;
                exchange::accepted(WHAT, &answer)?;
                let name = std::str::from_utf8(answer.body()).ok();
                let name = name.and_then(|text| text.lines().next()).map(str::trim).unwrap_or_default();
                name.to_owned()
            }
        };
        let segment = encode::segment(&name).map_err(|_| Trouble::Answer(WHAT))?;
        let answer = get(exchange, now, &format!("{ROLES}{segment}"), &token).await?;
        let session = exchange::of_flat(WHAT, &answer)?;
        if session.expires.is_none() {
            return Err(Trouble::Answer(WHAT));
        }
        Ok(Session { pair: session.pair.acting_as(format!("ecs-ram-role/{name}")), ..session })
    }

    /// The service's token (IMDSv2); empty where it gives none and may be asked without.
    async fn token(&self, exchange: &Exchange, now: Timestamp) -> Result<String, Trouble> {
        let address = format!("{}/latest/api/token", exchange.endpoints.metadata());
        let headers = [("x-aliyun-ecs-metadata-token-ttl-seconds", TTL)];
        let request = exchange::request(Method::PUT, &address, &headers, Bytes::new())?;
        let answer = exchange.answer(request, now, PATIENCE).await?;
        match (exchange::accepted("the metadata token", &answer), std::str::from_utf8(answer.body())) {
            (Ok(()), Ok(token)) if !token.trim().is_empty() => Ok(token.trim().to_owned()),
            (Ok(()), _) => Err(Trouble::Answer("the metadata token")),
            (Err(_), _) if self.tokenless => Ok(String::new()),
            (Err(trouble), _) => Err(trouble),
        }
    }
}

/// Whether `trouble` says that there is no instance here, or that it has no role.
pub(super) fn means_absent(trouble: &Trouble) -> bool {
    match trouble {
        Trouble::Unreachable(_) => true,
        Trouble::Refused { status, .. } => *status == 404,
        Trouble::Unreadable { .. }
        | Trouble::Form { .. }
        | Trouble::NoSection { .. }
        | Trouble::Kind { .. }
        | Trouble::Lacks(_)
        | Trouble::Cycle
        | Trouble::Expired
        | Trouble::Url(_)
        | Trouble::Endpoint(_)
        | Trouble::Answer(_)
        | Trouble::Request(_)
        | Trouble::Start(_)
        | Trouble::Exit(_)
        | Trouble::Slow(_) => false,
    }
}

async fn get(
    exchange: &Exchange,
    now: Timestamp,
    path: &str,
    token: &str,
) -> Result<Response<Bytes>, Trouble> {
    let address = format!("{}{path}", exchange.endpoints.metadata());
    let headers = [(TOKEN, token)];
    let headers = if token.is_empty() { &[][..] } else { &headers[..] };
    let request = exchange::request(Method::GET, &address, headers, Bytes::new())?;
    exchange.answer(request, now, PATIENCE).await
}

#[cfg(test)]
mod tests {
    use crate::cloud::credentials::error::CredentialsError;
    use crate::cloud::credentials::testkit::{Fake, Machine, flat_answer, now, session};

    const URI: &str = "http://127.0.0.1:1/credentials";

    #[tokio::test]
    async fn the_instance_is_asked_for_a_token_its_role_and_the_session() {
        let instance = Fake::default().then(200, "imds").then(200, "box\n").then(200, flat_answer("box"));
        let found = instance.chain(Machine::default()).access_key(now()).await.unwrap();
        assert!(found == session("box", "ecs-ram-role/box"));
        let base = "http://100.100.100.200/latest";
        assert_eq!(
            instance.lines(),
            [
                format!("PUT {base}/api/token"),
                format!("GET {base}/meta-data/ram/security-credentials/"),
                format!("GET {base}/meta-data/ram/security-credentials/box"),
            ]
        );
        assert_eq!(instance.header(0, "x-aliyun-ecs-metadata-token-ttl-seconds").as_deref(), Some("21600"));
        assert_eq!(instance.header(2, "x-aliyun-ecs-metadata-token").as_deref(), Some("imds"));
    }

    #[tokio::test]
    async fn without_a_token_the_older_way_is_taken_unless_switched_off() {
        let old = Fake::default().then(404, "").then(200, flat_answer("box"));
        let named = Machine::default().with("ALIBABA_CLOUD_ECS_METADATA", "box");
        assert!(old.chain(named.clone()).access_key(now()).await.is_ok());
        assert_eq!(old.header(1, "x-aliyun-ecs-metadata-token"), None);

        let strict = Fake::default().then(404, "");
        let error = strict.chain(named.with("ALIBABA_CLOUD_IMDSV1_DISABLED", "true")).access_key(now()).await;
        assert_eq!(
            error.unwrap_err().to_string(),
            "the ECS metadata gives no Alibaba Cloud credentials; nothing was sent: the metadata token was refused \
             with status 404; check what the account or the role allows"
        );
    }

    /// The one place whose absence shows only when it is asked.
    #[tokio::test]
    async fn where_no_instance_answers_the_next_place_is_asked() {
        let machine = || Machine::default().with("ALIBABA_CLOUD_CREDENTIALS_URI", URI);
        for cloud in [Fake::default().then_nobody(), Fake::default().then(200, "imds").then(404, "")] {
            let cloud = cloud.then(200, flat_answer("uri"));
            let found = cloud.chain(machine()).access_key(now()).await.unwrap();
            assert!(found == session("uri", &format!("credentials-uri/{URI}")));
        }
        let nowhere = Fake::default().then_nobody();
        let error = nowhere.chain(Machine::default()).access_key(now()).await.unwrap_err();
        let CredentialsError::Missing(plan) = error else { panic!("{error}") };
        assert!(
            plan.to_string()
                .contains("ECS metadata (not set up: this machine isn't an ECS instance with a role)")
        );
        let named = Machine::default().with("ALIBABA_CLOUD_ECS_METADATA", "box");
        let cloud = Fake::default().then_nobody();
        let error = cloud.chain(named.with("ALIBABA_CLOUD_CREDENTIALS_URI", URI)).access_key(now()).await;
        assert!(error.unwrap_err().to_string().starts_with("the ECS metadata gives no"));
    }

    /// Once the instance had a role, its silence doesn't make another account out of this one.
    #[tokio::test]
    async fn an_instance_that_falls_silent_is_missed() {
        let machine = Machine::default().with("ALIBABA_CLOUD_CREDENTIALS_URI", URI);
        let cloud =
            Fake::default().then(200, "imds").then(200, "box").then(200, flat_answer("box")).then_nobody();
        let chain = cloud.chain(machine);
        assert!(chain.access_key(now()).await.is_ok());
        let later = "2026-01-01T02:00:00Z".parse().unwrap();
        let error = chain.access_key(later).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the ECS metadata gives no Alibaba Cloud credentials; nothing was sent: could not reach 100.100.100.200: \
             nobody is there; check the network, then make the call again"
        );
    }
}
