//! The INI file of the SDKs: `~/.alibabacloud/credentials`, or where `ALIBABA_CLOUD_CREDENTIALS_FILE` says.

use std::collections::HashMap;
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::error::Trouble;
use super::key::AccessKey;
use super::metadata::InstanceRole;
use super::oidc::{self, OidcRole};
use super::plan::Look;
use super::source::{Asked, Source};
use super::sts::{LIFETIME, Role, SESSION_NAME};
use super::surroundings::{Surroundings, set};

const VARIABLE: &str = "ALIBABA_CLOUD_CREDENTIALS_FILE";
/// Where the file is looked for in the user's own directory.
const PLACES: [&str; 2] = [".alibabacloud/credentials", ".alibabacloud/credentials.ini"];
const FILE: &str = "the INI file";
const TYPES: &str = "access_key, sts, ram_role_arn, ecs_ram_role, oidc_role_arn";

pub(super) fn look(surroundings: &dyn Surroundings) -> Look {
    let named = set(surroundings, VARIABLE).map(PathBuf::from);
    let is_named = named.is_some();
    let paths = match (named, surroundings.home()) {
        (Some(path), _) => vec![path],
        (None, Some(home)) => PLACES.map(|place| home.join(place)).to_vec(),
        (None, None) => return Look::Absent("the user has no directory of their own"),
    };
    let mut text = None;
    for path in paths {
        match surroundings.read(&path) {
            Ok(None) => {}
            Ok(found) => {
                text = found;
                break;
            }
            Err(error) => return Look::Broken(Trouble::Unreadable { file: FILE, kind: error.kind() }),
        }
    }
    let Some(text) = text else {
        return if is_named {
            let file = "the file that ALIBABA_CLOUD_CREDENTIALS_FILE names";
            Look::Broken(Trouble::Unreadable { file, kind: std::io::ErrorKind::NotFound })
        } else {
            Look::Absent("there is no ~/.alibabacloud/credentials")
        };
    };
    let profile = set(surroundings, "ALIBABA_CLOUD_PROFILE");
    let (name, what) = match &profile {
        Some(name) => (name.as_str(), "section that ALIBABA_CLOUD_PROFILE names"),
        None => ("default", "section named default"),
    };
    let source = section(&text, name, what).and_then(|section| section.source(surroundings));
    match source {
        Ok((source, how)) => Look::Found(source, how),
        Err(trouble) => Look::Broken(trouble),
    }
}

/// The settings of a section.
struct Section(HashMap<String, Zeroizing<String>>);

/// The section `name` of `text`: lines of `name = value` behind `[name]`. Lines that begin with `#` or `;` are
/// comments.
fn section(text: &str, name: &str, what: &'static str) -> Result<Section, Trouble> {
    let mut found: Option<HashMap<String, Zeroizing<String>>> = None;
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(title) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            inside = title.trim() == name;
            if inside {
                found.get_or_insert_default();
            }
        } else if inside {
            let (key, value) = line
                .split_once('=')
                .ok_or(Trouble::Form { file: FILE, form: "lines of NAME = VALUE in sections" })?;
            let value = Zeroizing::new(unquoted(value.trim()).to_owned());
            found.get_or_insert_default().insert(key.trim().to_owned(), value);
        }
    }
    found.map(Section).ok_or(Trouble::NoSection { file: FILE, what })
}

fn unquoted(value: &str) -> &str {
    let without = |quote| value.strip_prefix(quote).and_then(|rest: &str| rest.strip_suffix(quote));
    without('"').or_else(|| without('\'')).unwrap_or(value)
}

impl Section {
    fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).filter(|value| !value.is_empty()).map(|value| value.as_str().to_owned())
    }

    fn need(&self, name: &'static str) -> Result<String, Trouble> {
        self.get(name).ok_or(Trouble::Lacks(name))
    }

    fn pair(&self, token: Option<String>) -> Result<AccessKey, Trouble> {
        let (id, secret) = (self.need("access_key_id")?, self.need("access_key_secret")?);
        AccessKey::new(id, secret, token).ok_or(Trouble::Lacks("access_key_id or access_key_secret"))
    }

    fn source(&self, surroundings: &dyn Surroundings) -> Result<(Source, &'static str), Trouble> {
        let session_name = self.get("role_session_name").unwrap_or_else(|| SESSION_NAME.to_owned());
        Ok(match self.get("type").as_deref() {
            Some("access_key") => (Source::Pair(self.pair(None)?), "an access key of the INI file"),
            Some("sts") => {
                let token = self.need("security_token")?;
                (Source::Pair(self.pair(Some(token))?), "an STS session of the INI file")
            }
            Some("ram_role_arn") => {
                let role = Role {
                    base: Source::Pair(self.pair(None)?),
                    arn: self.need("role_arn")?,
                    session_name,
                    seconds: LIFETIME,
                    external_id: self.get("external_id"),
                    policy: self.get("policy"),
                    sts: oidc::sts(surroundings),
                };
                (Source::Asked(Asked::Role(Box::new(role))), "a role of the INI file, by its access key")
            }
            Some("ecs_ram_role") => {
                let role = InstanceRole::of(surroundings, self.get("role_name")).of_profile();
                (Source::Asked(Asked::Instance(role)), "the ECS instance's role, by the INI file")
            }
            Some("oidc_role_arn") => {
                let file = self.get("oidc_token_file_path").or_else(|| self.get("oidc_token_file"));
                let role = OidcRole {
                    arn: self.need("role_arn")?,
                    provider: self.need("oidc_provider_arn")?,
                    token_file: file.ok_or(Trouble::Lacks("oidc_token_file_path"))?.into(),
                    session_name,
                    seconds: LIFETIME,
                    policy: self.get("policy"),
                    sts: oidc::sts(surroundings),
                };
                (Source::Asked(Asked::Oidc(role)), "a role of the INI file, by an OIDC token")
            }
            Some(_) | None => return Err(Trouble::Kind { setting: "type", known: TYPES }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::credentials::sts::Sts;
    use crate::cloud::credentials::testkit::{Machine, pair};

    fn told(look: Look) -> String {
        match look {
            Look::Found(_, how) => how.to_owned(),
            Look::Absent(why) => why.to_owned(),
            Look::Broken(trouble) => trouble.to_string(),
        }
    }

    fn found(text: &str) -> Source {
        match look(&Machine::elsewhere().file(PLACES[0], text)) {
            Look::Found(source, _) => source,
            other => panic!("{}", told(other)),
        }
    }

    const KEYS: &str = "access_key_id = i\naccess_key_secret = \"i-secret\"\n";

    #[test]
    fn each_type_leads_where_the_sdks_would() {
        let text =
            format!("; a comment\n[other]\nbroken\n[default]\n# another\ntype = access_key\n{KEYS}[last]\n");
        assert!(found(&text) == Source::Pair(pair("i", None, None)));
        let text = format!("[default]\ntype=sts\n{KEYS}security_token=t=t\n");
        assert!(found(&text) == Source::Pair(pair("i", Some("t=t"), None)));
        let role = Role {
            base: Source::Pair(pair("i", None, None)),
            arn: "r".to_owned(),
            session_name: "me".to_owned(),
            seconds: 3_600,
            external_id: None,
            policy: None,
            sts: Sts::default(),
        };
        let text = format!("[default]\ntype=ram_role_arn\n{KEYS}role_arn=r\nrole_session_name=me\n");
        assert!(found(&text) == Source::Asked(Asked::Role(Box::new(role))));
        let instance = InstanceRole::named("box");
        let text = "[default]\ntype=ecs_ram_role\nrole_name=box";
        assert!(found(text) == Source::Asked(Asked::Instance(instance)));
        let oidc = OidcRole {
            arn: "r".to_owned(),
            provider: "p".to_owned(),
            token_file: "/t".into(),
            session_name: "redline-mcp".to_owned(),
            seconds: 3_600,
            policy: None,
            sts: Sts::default(),
        };
        let text =
            "[default]\ntype=oidc_role_arn\nrole_arn=r\noidc_provider_arn=p\noidc_token_file_path='/t'";
        assert!(found(text) == Source::Asked(Asked::Oidc(oidc)));
    }

    #[test]
    fn what_is_wrong_is_told_without_a_value() {
        for (text, expected) in [
            ("[default]\ntype=access_key\naccess_key_id=hidden", "its access_key_secret is missing or empty"),
            ("[default]\ntype=sts\naccess_key_id=hidden", "its security_token is missing or empty"),
            (
                "[default]\ntype=hidden",
                "its type isn't one of access_key, sts, ram_role_arn, ecs_ram_role, oidc_role_arn",
            ),
            ("[default]\nhidden", "the INI file isn't lines of NAME = VALUE in sections"),
            ("[hidden]\ntype=access_key", "the INI file has no section named default"),
            ("unreadable", "the INI file can't be read (permission denied)"),
        ] {
            assert_eq!(told(look(&Machine::elsewhere().file(PLACES[0], text))), expected);
        }
    }

    #[test]
    fn the_environment_names_file_and_section() {
        let text = format!("[mine]\ntype = access_key\n{KEYS}");
        let machine = Machine::elsewhere().with("ALIBABA_CLOUD_PROFILE", "mine");
        assert_eq!(told(look(&machine)), "there is no ~/.alibabacloud/credentials");
        let second = machine.clone().file(PLACES[1], &text);
        assert_eq!(told(look(&second)), "an access key of the INI file");
        let elsewhere = machine.clone().file("e", &text).with(VARIABLE, "/home/e");
        assert_eq!(told(look(&elsewhere)), "an access key of the INI file");
        assert_eq!(
            told(look(&machine.with(VARIABLE, "/home/hidden"))),
            "the file that ALIBABA_CLOUD_CREDENTIALS_FILE names can't be read (entity not found)"
        );
    }
}
