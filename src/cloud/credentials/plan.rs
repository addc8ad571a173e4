//! Which place would be used, and why the others wouldn't: what `doctor` shows and an error tells. Never a value.

use std::fmt;

use super::error::Trouble;
use super::source::Source;
use super::surroundings::Surroundings;
use super::{cli_profile, environment, ini, metadata, oidc, uri};

/// A place where credentials may be, in the order of the official SDKs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// An access key in the environment.
    Environment,
    /// A role that a token of another identity provider opens.
    OidcRole,
    /// A profile of the `aliyun` command.
    CliProfile,
    /// The INI file of the SDKs.
    CredentialsFile,
    /// The role of the ECS instance.
    EcsMetadata,
    /// An address that answers credentials.
    CredentialsUri,
}

impl Place {
    /// All, in the order in which they are asked.
    pub const ALL: [Self; 6] = [
        Self::Environment,
        Self::OidcRole,
        Self::CliProfile,
        Self::CredentialsFile,
        Self::EcsMetadata,
        Self::CredentialsUri,
    ];

    /// What stands there, as far as this machine tells.
    fn look(self, surroundings: &dyn Surroundings) -> Look {
        match self {
            Self::Environment => environment::look(surroundings),
            Self::OidcRole => oidc::look(surroundings),
            Self::CliProfile => cli_profile::look(surroundings),
            Self::CredentialsFile => ini::look(surroundings),
            Self::EcsMetadata => metadata::look(surroundings),
            Self::CredentialsUri => uri::look(surroundings),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Environment => "environment",
            Self::OidcRole => "OIDC role",
            Self::CliProfile => "CLI profile",
            Self::CredentialsFile => "credentials file",
            Self::EcsMetadata => "ECS metadata",
            Self::CredentialsUri => "credentials URI",
        })
    }
}

/// What a look at a place finds.
pub(super) enum Look {
    /// It isn't set up, and why that is said.
    Absent(&'static str),
    /// It is set up, and what kind of credentials it leads to.
    Found(Source, &'static str),
    /// It is set up and can't be used.
    Broken(Trouble),
}

/// What is said of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It is used: what kind of credentials it leads to.
    Used(&'static str),
    /// It isn't set up: why.
    Absent(&'static str),
    /// It is set up, can't be used, and nothing behind it stands in.
    Broken(Trouble),
    /// Another place comes before it.
    Behind,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Used(how) => write!(f, "used: {how}"),
            Self::Absent(why) => write!(f, "not set up: {why}"),
            Self::Broken(trouble) => write!(f, "broken: {trouble}; {}", trouble.fix()),
            Self::Behind => f.write_str("not looked at: another place comes first"),
        }
    }
}

/// What is said of each place, in order. Nothing was asked over the network, so whether an ECS instance has a role
/// stays open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan(Vec<(Place, Finding)>);

impl Plan {
    /// Each place, and what is said of it.
    pub fn findings(&self) -> &[(Place, Finding)] {
        &self.0
    }

    /// The place that would be asked first, if any is set up and usable.
    pub fn used(&self) -> Option<Place> {
        self.0.iter().find(|(_, finding)| matches!(finding, Finding::Used(_))).map(|(place, _)| *place)
    }
}

impl Plan {
    /// Asking showed that there is no such thing at `place`.
    pub(super) fn turned_out_absent(&mut self, place: Place) {
        for (other, finding) in &mut self.0 {
            if *other == place {
                *finding = Finding::Absent("this machine isn't an ECS instance with a role");
            }
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (place, finding)) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{place} ({finding})")?;
        }
        Ok(())
    }
}

/// Where credentials may come from on this machine.
pub(super) struct Survey {
    /// What is said of each place.
    pub(super) plan: Plan,
    /// What is set up, to be asked in this order: one place, but for an instance's role, which may not be there
    /// although nothing on the machine says so.
    pub(super) sources: Vec<(Place, Source)>,
    /// What is set up and broken, if nothing before it is set up.
    pub(super) broken: Option<(Place, Trouble)>,
}

/// Looks at each place until one is set up.
pub(super) fn survey(surroundings: &dyn Surroundings) -> Survey {
    let (mut findings, mut sources, mut broken) = (Vec::new(), Vec::new(), None);
    let mut settled = false;
    for place in Place::ALL {
        if settled {
            findings.push((place, Finding::Behind));
            continue;
        }
        match place.look(surroundings) {
            Look::Absent(why) => findings.push((place, Finding::Absent(why))),
            Look::Found(source, how) => {
                settled = !source.may_be_absent();
                findings.push((place, Finding::Used(how)));
                sources.push((place, source));
            }
            Look::Broken(trouble) => {
                settled = true;
                findings.push((place, Finding::Broken(trouble.clone())));
                broken = Some((place, trouble));
            }
        }
    }
    Survey { plan: Plan(findings), sources, broken }
}
