//! A profile of the `aliyun` command: `~/.aliyun/config.json`, all its modes.
//!
//! The profile's `region_id` isn't read: there is no default region.

use jiff::Timestamp;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::error::Trouble;
use super::external::Command;
use super::key::AccessKey;
use super::metadata::InstanceRole;
use super::oidc::{self, OidcRole};
use super::plan::Look;
use super::source::{Asked, Source};
use super::sts::{LIFETIME, Role, SESSION_NAME, Sts};
use super::surroundings::{Surroundings, is_on, set};
use super::uri::Address;

/// Where the file is, in the user's own directory; and how it is called in errors.
const PLACE: &str = ".aliyun/config.json";
const FILE: &str = "~/.aliyun/config.json";
/// How many profiles may lead to each other.
const DEEPEST: usize = 5;
const MODES: &str = "AK, StsToken, RamRoleArn, ChainableRamRoleArn, EcsRamRole, OIDC, CredentialsURI, External, CloudSSO, OAuth";

#[derive(Deserialize, Default)]
#[serde(default)]
struct Configuration {
    current: String,
    profiles: Vec<Profile>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Profile {
    name: String,
    mode: String,
    access_key_id: Zeroizing<String>,
    access_key_secret: Zeroizing<String>,
    sts_token: Zeroizing<String>,
    /// When the session of CloudSSO or OAuth ends, in seconds since 1970.
    sts_expiration: i64,
    ram_role_arn: String,
    ram_session_name: String,
    expired_seconds: u32,
    external_id: String,
    policy: String,
    sts_region: String,
    enable_vpc: bool,
    source_profile: String,
    ram_role_name: String,
    oidc_provider_arn: String,
    oidc_token_file: String,
    credentials_uri: String,
    process_command: String,
    cloud_sso_account_id: String,
    cloud_sso_access_config: String,
}

pub(super) fn look(surroundings: &dyn Surroundings) -> Look {
    if is_on(surroundings, "ALIBABA_CLOUD_CLI_PROFILE_DISABLED") {
        return Look::Absent("switched off by ALIBABA_CLOUD_CLI_PROFILE_DISABLED");
    }
    let Some(path) = surroundings.home().map(|home| home.join(PLACE)) else {
        return Look::Absent("the user has no directory of their own");
    };
    let text = match surroundings.read(&path) {
        Ok(Some(text)) => text,
        Ok(None) => return Look::Absent("there is no ~/.aliyun/config.json"),
        Err(error) => return Look::Broken(Trouble::Unreadable { file: FILE, kind: error.kind() }),
    };
    let Ok(configuration) = serde_json::from_str::<Configuration>(&text) else {
        return Look::Broken(Trouble::Form { file: FILE, form: "JSON as `aliyun configure` writes it" });
    };
    let wanted = set(surroundings, "ALIBABA_CLOUD_PROFILE");
    let (name, what) = match &wanted {
        Some(name) => (name, "profile that ALIBABA_CLOUD_PROFILE names"),
        None if configuration.profiles.is_empty() => return Look::Absent("it has no profiles"),
        None => (&configuration.current, "profile that its current names"),
    };
    match configuration.source(surroundings, name, what, DEEPEST) {
        Ok((source, how)) => Look::Found(source, how),
        Err(trouble) => Look::Broken(trouble),
    }
}

impl Configuration {
    fn source(
        &self,
        surroundings: &dyn Surroundings,
        name: &str,
        what: &'static str,
        depth: usize,
    ) -> Result<(Source, &'static str), Trouble> {
        let depth = depth.checked_sub(1).ok_or(Trouble::Cycle)?;
        let profile = self.profiles.iter().find(|profile| profile.name == name);
        let profile = profile.ok_or(Trouble::NoSection { file: FILE, what })?;
        Ok(match profile.mode.as_str() {
            // The command's own default.
            "AK" | "" => (Source::Pair(profile.pair()?), "an access key of a CLI profile"),
            "StsToken" => (Source::Pair(profile.session()?), "an STS session of a CLI profile"),
            "RamRoleArn" => {
                let base = Source::Pair(profile.pair()?);
                (profile.role(surroundings, base)?, "a role of a CLI profile, by its access key")
            }
            "ChainableRamRoleArn" => {
                let what = "profile that a source_profile names";
                let (base, _) = self.source(surroundings, &profile.source_profile, what, depth)?;
                (profile.role(surroundings, base)?, "a role of a CLI profile, by another profile")
            }
            "EcsRamRole" => {
                let name = filled(&profile.ram_role_name);
                let role = InstanceRole::of(surroundings, name).of_profile();
                (Source::Asked(Asked::Instance(role)), "the ECS instance's role, by a CLI profile")
            }
            "OIDC" => (profile.oidc(surroundings)?, "a role of a CLI profile, by an OIDC token"),
            "CredentialsURI" => {
                let address = filled(&profile.credentials_uri).ok_or(Trouble::Lacks("credentials_uri"))?;
                let address = Address::parse(&address)?;
                (Source::Asked(Asked::Address(address)), "the credentials URI of a CLI profile")
            }
            "External" => {
                let command =
                    Command::new(&profile.process_command).ok_or(Trouble::Lacks("process_command"))?;
                (Source::Asked(Asked::Command(command)), "the program of a CLI profile")
            }
            "CloudSSO" => (profile.signed_in()?, "the CloudSSO session of a CLI profile"),
            "OAuth" => (profile.signed_in()?, "the OAuth session of a CLI profile"),
            _ => return Err(Trouble::Kind { setting: "mode", known: MODES }),
        })
    }
}

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

impl Profile {
    fn pair(&self) -> Result<AccessKey, Trouble> {
        AccessKey::new(self.access_key_id.to_string(), self.access_key_secret.to_string(), None)
            .ok_or(Trouble::Lacks("access_key_id or access_key_secret"))
    }

    fn session(&self) -> Result<AccessKey, Trouble> {
        let token = filled(&self.sts_token).ok_or(Trouble::Lacks("sts_token"))?;
        AccessKey::new(self.access_key_id.to_string(), self.access_key_secret.to_string(), Some(token))
            .ok_or(Trouble::Lacks("access_key_id or access_key_secret"))
    }

    /// The session that `aliyun configure` keeps here. It isn't renewed: only the command can do that.
    fn signed_in(&self) -> Result<Source, Trouble> {
        if self.sts_token.is_empty() {
            return Err(Trouble::Expired);
        }
        let pair = self.session()?;
        let pair = match (&self.cloud_sso_account_id, &self.cloud_sso_access_config) {
            (account, access) if !account.is_empty() && !access.is_empty() => {
                pair.acting_as(format!("cloud-sso/{account}/{access}"))
            }
            _ => pair,
        };
        let end = Timestamp::from_second(self.sts_expiration).map_err(|_| Trouble::Expired)?;
        Ok(Source::Until(pair, end))
    }

    fn sts(&self, surroundings: &dyn Surroundings) -> Sts {
        let environment = oidc::sts(surroundings);
        Sts {
            region: filled(&self.sts_region).or(environment.region),
            private: self.enable_vpc || environment.private,
        }
    }

    fn seconds(&self) -> u32 {
        if self.expired_seconds == 0 { LIFETIME } else { self.expired_seconds }
    }

    fn session_name(&self) -> String {
        filled(&self.ram_session_name).unwrap_or_else(|| SESSION_NAME.to_owned())
    }

    fn role(&self, surroundings: &dyn Surroundings, base: Source) -> Result<Source, Trouble> {
        Ok(Source::Asked(Asked::Role(Box::new(Role {
            base,
            arn: filled(&self.ram_role_arn).ok_or(Trouble::Lacks("ram_role_arn"))?,
            session_name: self.session_name(),
            seconds: self.seconds(),
            external_id: filled(&self.external_id),
            policy: filled(&self.policy),
            sts: self.sts(surroundings),
        }))))
    }

    fn oidc(&self, surroundings: &dyn Surroundings) -> Result<Source, Trouble> {
        let token_file = filled(&self.oidc_token_file).ok_or(Trouble::Lacks("oidc_token_file"))?;
        Ok(Source::Asked(Asked::Oidc(OidcRole {
            arn: filled(&self.ram_role_arn).ok_or(Trouble::Lacks("ram_role_arn"))?,
            provider: filled(&self.oidc_provider_arn).ok_or(Trouble::Lacks("oidc_provider_arn"))?,
            token_file: token_file.into(),
            session_name: self.session_name(),
            seconds: self.seconds(),
            policy: filled(&self.policy),
            sts: self.sts(surroundings),
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::credentials::testkit::{Machine, pair};

    fn looked(config: &str) -> Look {
        look(&Machine::elsewhere().file(PLACE, config))
    }

    /// What a profile of these fields leads to.
    fn found(fields: &str) -> (Source, &'static str) {
        let config =
            format!(r#"{{"current": "p", "profiles": [{{"name": "other"}}, {{"name": "p", {fields}}}]}}"#);
        match looked(&config) {
            Look::Found(source, how) => (source, how),
            Look::Absent(why) => panic!("{why}"),
            Look::Broken(trouble) => panic!("{trouble}"),
        }
    }

    const KEYS: &str = r#""access_key_id": "i", "access_key_secret": "i-secret""#;

    fn asked(source: Source) -> Asked {
        match source {
            Source::Asked(asked) => asked,
            Source::Pair(_) | Source::Until(..) => panic!("a pair"),
        }
    }

    #[test]
    fn each_mode_leads_where_the_command_would() {
        assert!(
            found(&format!(r#""mode": "AK", {KEYS}"#))
                == (Source::Pair(pair("i", None, None)), "an access key of a CLI profile")
        );
        let session = format!(r#""mode": "StsToken", "sts_token": "t", {KEYS}"#);
        assert!(found(&session).0 == Source::Pair(pair("i", Some("t"), None)));

        let role = r#""mode": "RamRoleArn", "ram_role_arn": "r", "policy": "{}", "enable_vpc": true, "sts_region": "cn-hangzhou", "#;
        let expected = Role {
            base: Source::Pair(pair("i", None, None)),
            arn: "r".to_owned(),
            session_name: "redline-mcp".to_owned(),
            seconds: 3_600,
            external_id: None,
            policy: Some("{}".to_owned()),
            sts: Sts { region: Some("cn-hangzhou".to_owned()), private: true },
        };
        assert!(asked(found(&format!("{role}{KEYS}")).0) == Asked::Role(Box::new(expected)));

        let instance = asked(found(r#""mode": "EcsRamRole", "ram_role_name": "box""#).0);
        assert!(instance == Asked::Instance(InstanceRole::named("box")));

        let oidc = r#""mode": "OIDC", "oidc_provider_arn": "p", "oidc_token_file": "/t", "ram_role_arn": "r", "ram_session_name": "me", "expired_seconds": 900"#;
        let expected = OidcRole {
            arn: "r".to_owned(),
            provider: "p".to_owned(),
            token_file: "/t".into(),
            session_name: "me".to_owned(),
            seconds: 900,
            policy: None,
            sts: Sts::default(),
        };
        assert!(asked(found(oidc).0) == Asked::Oidc(expected));

        let uri = asked(found(r#""mode": "CredentialsURI", "credentials_uri": "http://localhost:1/c""#).0);
        assert!(uri == Asked::Address(Address::parse("http://localhost:1/c").unwrap()));
        let command = asked(found(r#""mode": "External", "process_command": "give me keys""#).0);
        assert!(command == Asked::Command(Command::new("give me keys").unwrap()));

        let end = Timestamp::from_second(1_000).unwrap();
        let sso = format!(
            r#""mode": "CloudSSO", "sts_token": "t", "sts_expiration": 1000, "cloud_sso_account_id": "1", "cloud_sso_access_config": "a", {KEYS}"#
        );
        assert!(found(&sso).0 == Source::Until(pair("i", Some("t"), Some("cloud-sso/1/a")), end));
        let oauth = format!(r#""mode": "OAuth", "sts_token": "t", "sts_expiration": 1000, {KEYS}"#);
        assert!(found(&oauth).0 == Source::Until(pair("i", Some("t"), None), end));
    }

    #[test]
    fn what_is_wrong_is_told_without_a_value() {
        let told = |config: &str| match looked(config) {
            Look::Broken(trouble) => format!("{trouble}; {}", trouble.fix()),
            Look::Absent(why) => why.to_owned(),
            Look::Found(_, how) => panic!("{how}"),
        };
        let mend = "mend it, with `aliyun configure` or an editor";
        for (fields, expected) in [
            (
                r#""mode": "AK", "access_key_id": "hidden""#,
                "its access_key_id or access_key_secret is missing or empty",
            ),
            (r#""mode": "StsToken", "access_key_id": "hidden""#, "its sts_token is missing or empty"),
            (
                r#""mode": "RamRoleArn", "access_key_id": "hidden", "access_key_secret": "hidden""#,
                "its ram_role_arn is missing or empty",
            ),
            (
                r#""mode": "OIDC", "oidc_token_file": "hidden", "ram_role_arn": "hidden""#,
                "its oidc_provider_arn is missing or empty",
            ),
            (r#""mode": "External", "process_command": " ""#, "its process_command is missing or empty"),
            (
                r#""mode": "ChainableRamRoleArn", "source_profile": "p", "ram_role_arn": "hidden""#,
                "its source_profile leads back to itself, or through more than five profiles",
            ),
            (
                r#""mode": "ChainableRamRoleArn", "source_profile": "hidden""#,
                "~/.aliyun/config.json has no profile that a source_profile names",
            ),
            (
                r#""mode": "hidden""#,
                "its mode isn't one of AK, StsToken, RamRoleArn, ChainableRamRoleArn, EcsRamRole, OIDC, CredentialsURI, External, CloudSSO, OAuth",
            ),
        ] {
            let config = format!(r#"{{"current": "p", "profiles": [{{"name": "p", {fields}}}]}}"#);
            assert_eq!(told(&config), format!("{expected}; {mend}"));
        }
        assert_eq!(
            told("hidden"),
            format!("~/.aliyun/config.json isn't JSON as `aliyun configure` writes it; {mend}")
        );
        assert_eq!(
            told(r#"{"current": "hidden", "profiles": [{"name": "p"}]}"#),
            format!("~/.aliyun/config.json has no profile that its current names; {mend}")
        );
        assert_eq!(
            told("unreadable"),
            "~/.aliyun/config.json can't be read (permission denied); make it readable for the user that the server runs as"
        );
        let signed_out = r#"{"current": "p", "profiles": [{"name": "p", "mode": "CloudSSO"}]}"#;
        assert_eq!(told(signed_out), "its session has expired; sign in again with `aliyun configure`");
        assert_eq!(told("{}"), "it has no profiles");
    }

    #[test]
    fn the_environment_chooses_the_profile_or_switches_all_off() {
        let config = format!(r#"{{"current": "p", "profiles": [{{"name": "q", "mode": "AK", {KEYS}}}]}}"#);
        let machine = Machine::elsewhere().file(PLACE, &config).with("ALIBABA_CLOUD_PROFILE", "q");
        assert!(matches!(look(&machine), Look::Found(Source::Pair(_), _)));
        assert!(matches!(
            look(&machine.with("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "true")),
            Look::Absent("switched off by ALIBABA_CLOUD_CLI_PROFILE_DISABLED")
        ));
    }
}
