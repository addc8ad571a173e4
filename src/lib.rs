//! Redline MCP: training clouds behind red lines that an agent can't cross.
//!
//! An agent calls a tool; a cloud's API stands behind it. Between the two stands a policy, and the types see to
//! it that nothing goes round it:
//!
//! ```text
//! tool call ─▶ Call ─▶ Policy::judge ─▶ Cleared ─▶ Client::send ─▶ Raw ─▶ mask ─▶ Masked ─▶ result
//! ```
//!
//! A [`spec::Call`] has been parsed: schema, type and the operation's own check agreed. Only the policy makes a
//! [`policy::verdict::Cleared`], and the client sends nothing else. A reply is a [`policy::verdict::Raw`], which
//! only the policy opens; what it shows is a [`policy::mask::Masked`], and the server renders nothing else.
//!
//! The rooms, each importing only from those before it (a test holds that):
//!
//! | room | what is in it |
//! |---|---|
//! | [`error`] | what is wrong with a call |
//! | [`spec`] | what an operation is |
//! | [`tools`] | the catalogue |
//! | [`policy`] | what may be sent, what may be shown |
//! | [`audit`] | the record |
//! | [`vault`] | the hand-over of secrets |
//! | [`cloud`] | the clouds' client |
//! | [`sim`] | the simulated cloud |
//! | [`gateway`] | one call, from tool to cloud and back |
//! | [`server`] | MCP |
//! | [`config`] | flags and environment |
//! | [`cli`] | the command line |

pub mod audit;
pub mod cli;
pub mod cloud;
pub mod config;
pub mod error;
pub mod gateway;
pub mod policy;
pub mod server;
pub mod sim;
pub mod spec;
pub mod tools;
pub mod vault;
