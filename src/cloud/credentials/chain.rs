//! The order in which places are asked, and the pair of this moment.
//!
//! The first place that is set up answers, and if it can't, nothing behind it stands in: that could be another
//! account. The one exception is an ECS instance's role that nobody named, which may simply not be there; once it
//! was, it is missed too.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;

use super::error::{CredentialsError, Trouble};
use super::exchange::Exchange;
use super::key::AccessKey;
use super::metadata;
use super::plan::{Plan, Survey, survey};
use super::session::Sessions;
use super::source::{Asked, Pending, Source};
use super::surroundings::Surroundings;
use crate::cloud::endpoint::Endpoints;
use crate::cloud::skew::Skew;
use crate::cloud::transport::Transport;

/// Where an access key comes from.
pub enum Chain {
    /// A key known beforehand: the simulator's.
    Fixed(AccessKey),
    /// The places of a machine.
    Machine(Box<Machine>),
}

/// The places of a machine, and what was answered there.
pub struct Machine {
    exchange: Exchange,
    sessions: Sessions,
    /// Whether the instance has answered, so that its silence isn't taken for its absence any more.
    is_instance: AtomicBool,
}

impl Chain {
    /// The places that `surroundings` shows. What must be asked for goes out through `transport`, to the addresses
    /// that `endpoints` has for STS and the metadata service.
    pub fn machine(
        surroundings: Arc<dyn Surroundings>,
        transport: Arc<dyn Transport>,
        endpoints: Endpoints,
        skew: Arc<Skew>,
    ) -> Self {
        Self::Machine(Box::new(Machine {
            exchange: Exchange { surroundings, transport, endpoints, skew },
            sessions: Sessions::default(),
            is_instance: AtomicBool::new(false),
        }))
    }

    /// Which place would be used, and why not the others. Asks nobody, and shows no value.
    pub fn plan(surroundings: &dyn Surroundings) -> Plan {
        survey(surroundings).plan
    }

    /// The pair at `wall`, the machine's time.
    ///
    /// # Errors
    /// [`CredentialsError`] when no place is set up, or the first that is gives none.
    pub async fn access_key(&self, wall: Timestamp) -> Result<AccessKey, CredentialsError> {
        match self {
            Self::Fixed(pair) => Ok(pair.clone()),
            Self::Machine(machine) => machine.access_key(wall).await,
        }
    }
}

impl Machine {
    async fn access_key(&self, wall: Timestamp) -> Result<AccessKey, CredentialsError> {
        let surroundings = Arc::clone(&self.exchange.surroundings);
        let look = move || survey(&*surroundings);
        // Files are read off the runtime's threads; a look that breaks is a bug, told where it happens.
        let Survey { mut plan, sources, broken } = match tokio::task::spawn_blocking(look).await {
            Ok(survey) => survey,
            Err(_) => survey(&*self.exchange.surroundings),
        };
        for (place, source) in sources {
            match self.ask(&source, wall).await {
                Ok(pair) => return Ok(pair),
                Err(trouble)
                    if source.may_be_absent()
                        && metadata::means_absent(&trouble)
                        && !self.is_instance.load(Ordering::Relaxed) =>
                {
                    plan.turned_out_absent(place);
                }
                Err(trouble) => return Err(CredentialsError::Place { place, trouble }),
            }
        }
        match broken {
            Some((place, trouble)) => Err(CredentialsError::Place { place, trouble }),
            None => Err(CredentialsError::Missing(plan)),
        }
    }

    async fn ask(&self, source: &Source, wall: Timestamp) -> Result<AccessKey, Trouble> {
        let now = self.exchange.skew.correct(wall);
        let asked: &Asked = match source.at_hand(now) {
            Ok(pair) => return Ok(pair),
            Err(Pending::Never(trouble)) => return Err(trouble),
            Err(Pending::Ask(asked)) => asked,
        };
        let pair = self.sessions.pair(asked, now, async || asked.ask(&self.exchange, wall).await).await?;
        if source.may_be_absent() {
            self.is_instance.store(true, Ordering::Relaxed);
        }
        Ok(pair)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::credentials::plan::{Finding, Place};
    use crate::cloud::credentials::testkit::{Fake, Machine as Fakes, now, pair, sts_answer};

    const KEYS: [(&str, &str); 2] =
        [("ALIBABA_CLOUD_ACCESS_KEY_ID", "id"), ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "id-secret")];
    const URI: (&str, &str) = ("ALIBABA_CLOUD_CREDENTIALS_URI", "http://localhost:1/hidden");
    const OIDC: [(&str, &str); 3] = [
        ("ALIBABA_CLOUD_ROLE_ARN", "a-role"),
        ("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "hidden"),
        ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", "/home/token"),
    ];

    fn with(machine: Fakes, variables: &[(&str, &str)]) -> Fakes {
        variables.iter().fold(machine, |machine, (name, value)| machine.with(name, value))
    }

    /// Everything at once; what stands first is taken away until nothing is left.
    #[test]
    fn places_are_asked_in_the_order_of_the_official_sdks() {
        let profile = r#"{"current": "p", "profiles": [{"name": "p", "access_key_id": "i", "access_key_secret": "s"}]}"#;
        let ini = "[default]\ntype = access_key\naccess_key_id = i\naccess_key_secret = s";
        let mut machine = with(Fakes::default(), &[&KEYS[..], &OIDC, &[URI]].concat())
            .file(".aliyun/config.json", profile)
            .file(".alibabacloud/credentials", ini);
        for (place, off) in [
            (Place::Environment, ("ALIBABA_CLOUD_ACCESS_KEY_ID", "")),
            (Place::OidcRole, ("ALIBABA_CLOUD_ROLE_ARN", "")),
            (Place::CliProfile, ("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "true")),
        ] {
            assert_eq!(Chain::plan(&machine).used(), Some(place));
            machine = machine.with(off.0, off.1);
        }
        assert_eq!(Chain::plan(&machine).used(), Some(Place::CredentialsFile));
        let mut machine = with(Fakes::default(), &[URI]);
        assert_eq!(Chain::plan(&machine).used(), Some(Place::EcsMetadata));
        machine = machine.with("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true");
        assert_eq!(Chain::plan(&machine).used(), Some(Place::CredentialsUri));
        machine = machine.with(URI.0, "");
        assert_eq!(Chain::plan(&machine).used(), None);
    }

    #[test]
    fn the_plan_says_why_and_never_a_value() {
        let machine = with(Fakes::elsewhere(), &[KEYS[0], URI]).file(".aliyun/config.json", "hidden");
        let plan = Chain::plan(&machine);
        let said: Vec<String> =
            plan.findings().iter().map(|(place, finding)| format!("{place}: {finding}")).collect();
        assert_eq!(
            said,
            [
                "environment: not set up: ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET aren't both set",
                "OIDC role: not set up: ALIBABA_CLOUD_ROLE_ARN, ALIBABA_CLOUD_OIDC_PROVIDER_ARN and ALIBABA_CLOUD_OIDC_TOKEN_FILE aren't all set",
                "CLI profile: broken: ~/.aliyun/config.json isn't JSON as `aliyun configure` writes it; mend it, with `aliyun configure` or an editor",
                "credentials file: not looked at: another place comes first",
                "ECS metadata: not looked at: another place comes first",
                "credentials URI: not looked at: another place comes first",
            ]
        );
        let uri = Chain::plan(&with(Fakes::default(), &[URI]));
        assert_eq!(
            uri.findings().last(),
            Some(&(Place::CredentialsUri, Finding::Used("what the credentials URI answers")))
        );
    }

    /// R-WS-09: the error says where credentials come from, and mending the source is enough.
    #[tokio::test]
    async fn without_credentials_the_error_says_what_to_do() {
        let error = Fake::default().chain(Fakes::elsewhere()).access_key(now()).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "no Alibaba Cloud credentials; nothing was sent. They are obtained in the Alibaba Cloud console and set \
             outside this session (ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, with \
             ALIBABA_CLOUD_SECURITY_TOKEN for an STS session; or a role or profile); once they are set, make the call \
             again. Looked for in: environment (not set up: ALIBABA_CLOUD_ACCESS_KEY_ID and \
             ALIBABA_CLOUD_ACCESS_KEY_SECRET aren't both set); OIDC role (not set up: ALIBABA_CLOUD_ROLE_ARN, \
             ALIBABA_CLOUD_OIDC_PROVIDER_ARN and ALIBABA_CLOUD_OIDC_TOKEN_FILE aren't all set); CLI profile (not set \
             up: there is no ~/.aliyun/config.json); credentials file (not set up: there is no \
             ~/.alibabacloud/credentials); ECS metadata (not set up: switched off by \
             ALIBABA_CLOUD_ECS_METADATA_DISABLED); credentials URI (not set up: ALIBABA_CLOUD_CREDENTIALS_URI isn't set)"
        );
        let found = Fake::default().chain(with(Fakes::elsewhere(), &KEYS)).access_key(now()).await.unwrap();
        assert!(found == pair("id", None, None));
    }

    /// Many calls wait for one exchange; near its end the session is replaced, and the account stays the same.
    #[tokio::test]
    async fn a_session_is_renewed_before_its_end_and_stays_the_same_account() {
        let sts =
            Fake::default().then(200, sts_answer("one")).then(200, sts_answer("two").replace("T01", "T03"));
        let chain = sts.chain(with(Fakes::elsewhere(), &OIDC).file("token", "t"));
        let (a, b, c) =
            tokio::join!(chain.access_key(now()), chain.access_key(now()), chain.access_key(now()));
        let ids = [a, b, c].map(|pair| pair.unwrap().access_key_id().to_owned());
        assert_eq!(ids, ["one", "one", "one"]);
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let before = chain.access_key(at("2026-01-01T00:56:59Z")).await.unwrap();
        let after = chain.access_key(at("2026-01-01T00:57:00Z")).await.unwrap();
        assert_eq!((before.access_key_id(), after.access_key_id()), ("one", "two"));
        assert_eq!((before.identity(), after.identity()), ("a-role", "a-role"));
        assert_eq!(sts.lines().len(), 2);
    }

    /// A session that another program keeps is used to its end, which only that program can move.
    #[tokio::test]
    async fn a_kept_session_ends() {
        let profile = r#"{"current": "p", "profiles": [{"name": "p", "mode": "CloudSSO", "access_key_id": "i",
            "access_key_secret": "s", "sts_token": "t", "sts_expiration": 1767225600}]}"#;
        let chain = Fake::default().chain(Fakes::elsewhere().file(".aliyun/config.json", profile));
        assert!(chain.access_key("2025-12-31T23:59:59Z".parse().unwrap()).await.is_ok());
        assert_eq!(
            chain.access_key(now()).await.unwrap_err().to_string(),
            "the CLI profile gives no Alibaba Cloud credentials; nothing was sent: its session has expired; sign in \
             again with `aliyun configure`"
        );
    }
}
