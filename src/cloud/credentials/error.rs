//! Why there is nothing to call with: which place, what is wrong there, what to do. Never a value.

use std::io;

use super::plan::{Place, Plan};
use crate::cloud::endpoint::{EndpointError, UrlFault};

/// Why there is nothing to call with. Nothing was sent to the service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialsError {
    /// No place of the chain is set up.
    #[error(
        "no Alibaba Cloud credentials; nothing was sent. They are obtained in the Alibaba Cloud console and set \
         outside this session (ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, with \
         ALIBABA_CLOUD_SECURITY_TOKEN for an STS session; or a role or profile); once they are set, make the call \
         again. Looked for in: {0}"
    )]
    Missing(Plan),
    /// A place is set up and gives no pair. Another doesn't stand in for it, for that may be another account.
    #[error("the {place} gives no Alibaba Cloud credentials; nothing was sent: {trouble}; {}", .trouble.fix())]
    Place {
        /// The place.
        place: Place,
        /// What is wrong there.
        trouble: Trouble,
    },
    /// There is no key of PyroMind's (R-PM-001).
    #[error(
        "no PyroMind key; nothing was sent. It is made in the PyroMind console and set outside this session \
         (PYROMIND_API_KEY); once it is set, make the call again"
    )]
    NoApiKey,
}

/// What is wrong with a place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// A file can't be read.
    #[error("{file} can't be read ({kind})")]
    Unreadable {
        /// Which file, by what names it.
        file: &'static str,
        /// What the system said.
        kind: io::ErrorKind,
    },
    /// A file isn't what it should be.
    #[error("{file} isn't {form}")]
    Form {
        /// Which file, by what names it.
        file: &'static str,
        /// What it should be.
        form: &'static str,
    },
    /// There is no such profile or section.
    #[error("{file} has no {what}")]
    NoSection {
        /// Which file, by what names it.
        file: &'static str,
        /// What is looked for.
        what: &'static str,
    },
    /// A profile of a kind that isn't known.
    #[error("its {setting} isn't one of {known}")]
    Kind {
        /// The setting that says the kind.
        setting: &'static str,
        /// The kinds that are known.
        known: &'static str,
    },
    /// A setting is missing or empty.
    #[error("its {0} is missing or empty")]
    Lacks(&'static str),
    /// A chain of profiles that comes back to where it was, or is very long.
    #[error("its source_profile leads back to itself, or through more than five profiles")]
    Cycle,
    /// A session that another program keeps has ended.
    #[error("its session has expired")]
    Expired,
    /// An address isn't used.
    #[error("its address can't be used: {0}")]
    Url(UrlFault),
    /// There is no address for STS.
    #[error("the address of STS can't be made: {0}")]
    Endpoint(EndpointError),
    /// Nobody answers.
    #[error("{0}")]
    Unreachable(String),
    /// The answer was a refusal.
    #[error("{what} was refused with status {status}{}", bracketed(.code.as_deref()))]
    Refused {
        /// What was asked for.
        what: &'static str,
        /// The HTTP status.
        status: u16,
        /// The error code, if the answer had one that can be shown.
        code: Option<String>,
    },
    /// The answer holds no credentials.
    #[error("the answer to {0} holds no whole credentials")]
    Answer(&'static str),
    /// The request can't be made.
    #[error("the request can't be made: {0}")]
    Request(String),
    /// A command can't be started.
    #[error("its process_command can't be started ({0})")]
    Start(io::ErrorKind),
    /// A command ended badly.
    #[error("its process_command failed ({0})")]
    Exit(String),
    /// A command takes too long.
    #[error("its process_command took longer than {0} s and was ended")]
    Slow(u64),
}

impl Trouble {
    /// What to do about it.
    pub const fn fix(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "make it readable for the user that the server runs as",
            Self::Form { .. } | Self::NoSection { .. } | Self::Kind { .. } | Self::Lacks(_) | Self::Cycle => {
                "mend it, with `aliyun configure` or an editor"
            }
            Self::Expired => "sign in again with `aliyun configure`",
            Self::Url(_) | Self::Endpoint(_) => "mend the address",
            Self::Unreachable(_) => "check the network, then make the call again",
            Self::Refused { .. } => "check what the account or the role allows",
            Self::Answer(_) => "check what stands behind the address or the command",
            Self::Request(_) => "check the settings for characters that can't be sent",
            Self::Start(_) | Self::Exit(_) | Self::Slow(_) => "run the command by hand to see what it says",
        }
    }
}

/// A code as it is shown in brackets.
fn bracketed(code: Option<&str>) -> String {
    code.map(|code| format!(" ({code})")).unwrap_or_default()
}
