//! Where a pair comes from, once the machine was read: what a place leads to.

use jiff::Timestamp;

use super::error::Trouble;
use super::exchange::Exchange;
use super::external::Command;
use super::key::AccessKey;
use super::metadata::InstanceRole;
use super::oidc::OidcRole;
use super::session::Session;
use super::sts::Role;
use super::uri::Address;

/// Where a pair comes from.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// It is at hand.
    Pair(AccessKey),
    /// It is at hand until then; another program renews it.
    Until(AccessKey, Timestamp),
    /// It must be asked for.
    Asked(Asked),
}

impl Source {
    /// Whether only asking tells if it exists at all.
    pub(super) const fn may_be_absent(&self) -> bool {
        match self {
            Self::Asked(Asked::Instance(instance)) => !instance.is_demanded(),
            Self::Pair(_)
            | Self::Until(..)
            | Self::Asked(Asked::Role(_) | Asked::Oidc(_) | Asked::Address(_) | Asked::Command(_)) => false,
        }
    }

    /// The pair that is at hand at `now` by the cloud's clock, or what to ask.
    pub(super) fn at_hand(&self, now: Timestamp) -> Result<AccessKey, Pending<'_>> {
        match self {
            Self::Pair(pair) => Ok(pair.clone()),
            Self::Until(pair, end) if now < *end => Ok(pair.clone()),
            Self::Until(..) => Err(Pending::Never(Trouble::Expired)),
            Self::Asked(asked) => Err(Pending::Ask(asked)),
        }
    }
}

/// Why no pair is at hand.
pub(super) enum Pending<'s> {
    /// It must be asked for.
    Ask(&'s Asked),
    /// There is none any more.
    Never(Trouble),
}

/// What must be asked for a pair.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Asked {
    /// STS, signed with another pair.
    Role(Box<Role>),
    /// STS, with the token of another identity provider.
    Oidc(OidcRole),
    /// The ECS instance.
    Instance(InstanceRole),
    /// An address.
    Address(Address),
    /// A program.
    Command(Command),
}

impl Asked {
    /// Asks, at `now` by the machine's clock.
    pub(super) async fn ask(&self, exchange: &Exchange, now: Timestamp) -> Result<Session, Trouble> {
        match self {
            Self::Role(role) => Box::pin(role.ask(exchange, now)).await,
            Self::Oidc(role) => role.ask(exchange, now).await,
            Self::Instance(role) => role.ask(exchange, now).await,
            Self::Address(address) => address.ask(exchange, now).await,
            Self::Command(command) => command.ask().await,
        }
    }
}
