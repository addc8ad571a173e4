//! The flags of every command that makes calls, and of those that show what could be called.

use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use jiff::{SignedDuration, Timestamp};

use super::{ConfigError, Laid, WorldFlags};
use crate::cloud::sign::Signature;
use crate::cloud::transport::http::Seconds;
use crate::policy::OnMiss;
use crate::policy::consent::{Waiver, WaiverError};
use crate::spec::Tool;
use crate::spec::value::has_form_of_region;
use crate::tools;
use crate::tools::selection::{Selection, Toolset};

/// Which cloud answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum CloudKind {
    /// The embedded simulator: no account, no network.
    #[default]
    Sim,
    /// The real clouds.
    Live,
}

impl ValueEnum for OnMiss {
    fn value_variants<'v>() -> &'v [Self] {
        &[Self::Refuse, Self::Verify]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Refuse => PossibleValue::new("refuse").help("Refuse; the agent must list first"),
            Self::Verify => {
                PossibleValue::new("verify").help("Ask the cloud's own list for exactly that value")
            }
        })
    }
}

/// The flags of every command that makes calls.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Launch")]
pub struct Launch {
    /// The cloud that answers
    #[arg(long, value_enum, default_value_t)]
    pub cloud: CloudKind,
    /// Confirm a region beforehand; may be repeated
    #[arg(long = "region", value_name = "REGION", value_parser = parse_region)]
    pub regions: Vec<String>,
    /// Approve a tool, or every create, update or act, without asking; may be repeated
    #[arg(long = "approve", value_name = "TOOL|EFFECT", value_parser = parse_waiver)]
    pub approvals: Vec<Waiver>,
    /// Lay rules of your own over the compiled-in ones: an absolute path, or the preset read-only; may be repeated
    #[arg(long = "policy", value_name = "FILE|PRESET")]
    pub policies: Vec<Laid>,
    /// Which tools are offered.
    #[command(flatten)]
    pub offer: OfferFlags,
    /// Images and workspaces that nobody listed [default: refuse for the server, verify for `call`]
    #[arg(long, value_enum)]
    pub provenance: Option<OnMiss>,
    /// The audit record [default: audit.jsonl in the state directory]
    #[arg(long, value_name = "FILE")]
    pub audit: Option<PathBuf>,
    /// The key of the audit record [default: audit.key in the state directory, made on first use]
    #[arg(long, value_name = "FILE")]
    pub audit_key: Option<PathBuf>,
    /// Flush the audit record to the disk after each line
    #[arg(long)]
    pub audit_fsync: bool,
    /// Where secrets wait for `redline-mcp secret` [default: vault in the state directory]
    #[arg(long, value_name = "DIR")]
    pub vault: Option<PathBuf>,
    /// What the log on stderr tells
    #[arg(long, value_enum, default_value_t)]
    pub log: LogLevel,
    /// The simulator's flags.
    #[command(flatten)]
    pub sim: SimFlags,
    /// The live clouds' flags.
    #[command(flatten)]
    pub live: LiveFlags,
}

/// The flags that choose tools.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Tools")]
pub struct OfferFlags {
    /// Offer the tools of these toolsets only, separated by commas
    #[arg(long, value_name = "NAMES", value_enum, value_delimiter = ',')]
    pub toolsets: Vec<Toolset>,
    /// Offer these tools only, or beside those of --toolsets
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = parse_tool)]
    pub tools: Vec<&'static str>,
    /// Don't offer these tools
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = parse_tool)]
    pub exclude_tools: Vec<&'static str>,
    /// Offer only tools that change nothing and reveal nothing
    #[arg(long)]
    pub read_only: bool,
}

impl OfferFlags {
    /// The tools offered.
    ///
    /// # Errors
    /// [`ConfigError::NoTool`] when none is left.
    pub fn selection(&self) -> Result<Selection, ConfigError> {
        let selection = Selection::new(&self.toolsets, &self.tools, &self.exclude_tools, self.read_only);
        if selection.tools().next().is_none() { Err(ConfigError::NoTool) } else { Ok(selection) }
    }
}

impl ValueEnum for Toolset {
    fn value_variants<'v>() -> &'v [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}

/// How much the log tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What failed.
    Error,
    /// What needs attention.
    #[default]
    Warn,
    /// What happens.
    Info,
    /// What happens in detail.
    Debug,
}

/// The flags that only the simulator takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Simulator")]
pub struct SimFlags {
    /// The world itself.
    #[command(flatten)]
    pub world: WorldFlags,
    /// The world's first instant [default: 2026-01-01T00:00:00Z, or after the last one in --state-in]
    #[arg(long, value_name = "RFC3339")]
    pub clock: Option<Timestamp>,
    /// How far the world's clock moves with each step [default: 1s]
    #[arg(long, value_name = "DURATION")]
    pub clock_step: Option<SignedDuration>,
    /// Answer every question from a file, as docs/scripted-human.md describes; an absolute path
    #[arg(long, value_name = "FILE")]
    pub human: Option<PathBuf>,
}

/// The flags that only the live clouds take.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Live clouds")]
pub struct LiveFlags {
    /// The address of a service (pai-dlc, aiworkspace, pyromind, sts or metadata), {RegionId} standing for the region; may be repeated
    #[arg(long = "endpoint", value_name = "NAME=URL")]
    pub endpoints: Vec<String>,
    /// Use Alibaba Cloud's addresses within its private network
    #[arg(long)]
    pub vpc: bool,
    /// Allow a region that isn't documented; may be repeated
    #[arg(long = "allow-region", value_name = "NAME", value_parser = parse_region)]
    pub allowed_regions: Vec<String>,
    /// Trust these certificate authorities too (PEM)
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// acs3-hmac-sha256 or roa-hmac-sha1 [default: acs3-hmac-sha256]
    #[arg(long, value_name = "NAME")]
    pub signature: Option<Signature>,
    /// Seconds to connect [default: 5]
    #[arg(long, value_name = "SECONDS")]
    pub connect_timeout: Option<Seconds>,
    /// Seconds without a byte of an answer [default: 30]
    #[arg(long, value_name = "SECONDS")]
    pub read_timeout: Option<Seconds>,
    /// Seconds for a whole call, its retries included [default: 60]
    #[arg(long, value_name = "SECONDS")]
    pub timeout: Option<Seconds>,
}

/// Whether a region may be used is known once all flags are.
fn parse_region(text: &str) -> Result<String, String> {
    if has_form_of_region(text) {
        Ok(text.to_owned())
    } else {
        Err("isn't a region id, such as cn-hangzhou".to_owned())
    }
}

fn parse_tool(text: &str) -> Result<&'static str, String> {
    let tool = tools::find(text).map(Tool::name);
    tool.ok_or_else(|| "isn't a tool; see `redline-mcp tools`".to_owned())
}

fn parse_waiver(text: &str) -> Result<Waiver, String> {
    text.parse().map_err(|error: WaiverError| error.to_string())
}
