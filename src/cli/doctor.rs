//! `redline-mcp doctor`: what a launch with these flags would meet, each with its fix.
//!
//! With the simulator, nothing is sent and nothing is made. With `--cloud live`, the services of each `--region` are
//! looked for, and the credentials tried with a read that goes through the gateway like any call.
//!
//! | room | what is in it |
//! |---|---|
//! | `relaunch` | the flags that were given, to be given again |
//! | `accounts` | who would call |
//! | `local` | rules, files, proxies |
//! | `network` | names, connections, clocks |
//! | `signed` | reads through the gateway |
//! | `client` | text for clients' configurations |
//! | `report` | lines and JSON |

mod accounts;
mod client;
mod local;
mod network;
mod relaunch;
mod report;
mod signed;

use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{CliError, print};
use crate::cloud::credentials::plan::Plan;
use crate::config::{CloudKind, Launch, OfferFlags, PyroMindSettings};
use crate::gateway::{Clock, Gateway};
use crate::policy::OnMiss;
use crate::spec::Vendor;
use network::Found;
use relaunch::Relaunch;
use report::{Check, Report};

/// How much longer than a call everything may take: names and sessions come on top.
const GRACE: Duration = Duration::from_secs(10);
/// How many characters of an account's hash are shown: enough to tell two apart.
const HASH: usize = 4;

/// A look at a launch.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// The launch that is looked at: the flags of `serve`.
    #[command(flatten)]
    pub relaunch: Relaunch,
}

impl Doctor {
    /// Looks, and tells. A failure is exit code 1.
    ///
    /// # Errors
    /// When the command line is wrong, or stdout can't be written.
    pub async fn run(&self) -> Result<ExitCode, CliError> {
        let (launch, arguments) = (&self.relaunch.serve.launch, self.relaunch.arguments.as_deref());
        launch.check()?;
        self.relaunch.serve.approval.settings()?;
        let (plan, pyromind) = (Launch::credentials_plan(), launch.pyromind());
        let (program, clients) = client::examine(arguments);
        let mut checks = vec![program, cloud(launch)];
        checks.push(accounts::alibaba(launch, &plan, &pyromind));
        checks.push(accounts::pyromind(launch, &pyromind, accounts::is_set_up(&plan)));
        checks.push(local::policy(launch));
        checks.extend(local::launch(launch));
        checks.extend(local::files(launch));
        checks.extend(local::way_out(launch));
        checks.extend(match launch.cloud {
            CloudKind::Sim => vec![Check::skipped(
                "network",
                "nothing is sent to anybody",
                "to look for the real clouds, add --cloud live and --region REGION",
            )],
            CloudKind::Live => live(launch, &plan, &pyromind).await,
        });
        checks.extend(client::environment(launch.cloud, &plan, &pyromind));
        let report = Report::new(launch.cloud, checks, clients);
        print(&if self.json { serde_json::to_string(&report).unwrap_or_default() } else { report.text() })?;
        Ok(ExitCode::from(u8::from(report.is_failure())))
    }
}

fn cloud(launch: &Launch) -> Check {
    match launch.cloud {
        CloudKind::Sim => Check::ok("cloud", "the simulator answers; nothing real is touched"),
        CloudKind::Live => Check::ok("cloud", "the real clouds answer"),
    }
}

/// What the network says, all at once and each within its time.
async fn live(launch: &Launch, plan: &Plan, pyromind: &PyroMindSettings) -> Vec<Check> {
    let launch = &launch.hurried();
    let endpoints = match launch.bearer().and_then(|_| launch.endpoints()) {
        Ok(endpoints) => endpoints,
        Err(error) => {
            return vec![Check::failure("endpoints", error.to_string(), "mend the address or the setting")];
        }
    };
    let Ok(probe) = launch.probe() else {
        return vec![Check::skipped(
            "network",
            "there is nothing to connect with",
            "mend the certificates first",
        )];
    };
    let whole = launch.limits().patience.whole.duration() + GRACE;
    let mut checks = Vec::new();
    if launch.regions.is_empty() {
        checks.push(Check::skipped(
            "activation",
            "no region is given, so none is asked",
            "give --region REGION for each region that you use",
        ));
    }
    let looks: Vec<_> = network::targets(&endpoints, &launch.regions, pyromind.has_address)
        .into_iter()
        .map(|target| {
            let probe = probe.clone();
            tokio::spawn(async move {
                let found = timeout(whole, target.look(&probe)).await;
                found.unwrap_or_else(|_| Found::late(&target, whole.as_secs()))
            })
        })
        .collect();
    let calls = calls(launch, plan, pyromind, whole);
    let (mut ahead, mut found) = (Vec::new(), Vec::new());
    for look in looks {
        if let Ok(Found { checks, ahead: theirs }) = look.await {
            found.extend(checks);
            ahead.extend(theirs);
        }
    }
    checks.extend(found);
    checks.push(network::clock(ahead));
    match calls {
        Ok(Calls { gateway, calls }) => {
            for call in calls {
                checks.extend(call.await.ok());
            }
            // What was given up still has its record.
            let _ = timeout(GRACE, gateway.settled()).await;
        }
        Err(check) => checks.push(check),
    }
    checks
}

/// Calls under way.
struct Calls {
    gateway: Arc<Gateway>,
    calls: Vec<JoinHandle<Check>>,
}

/// Starts the calls that try the credentials.
fn calls(launch: &Launch, plan: &Plan, pyromind: &PyroMindSettings, whole: Duration) -> Result<Calls, Check> {
    // What agents are offered doesn't bind the operator's own look.
    let launch = Launch { offer: OfferFlags::default(), ..launch.clone() };
    let unmade = |error| {
        Check::failure("calls", format!("no call can be made: {error}"), "mend what failed above first")
    };
    let gateway = launch.gateway(OnMiss::Refuse).map_err(unmade)?;
    let (client, key) = (launch.live_client().map_err(unmade)?, launch.audit_key().map_err(unmade)?);
    let in_time = |id, call: Pin<Box<dyn Future<Output = Check> + Send>>| {
        tokio::spawn(async move {
            let late = |_| {
                Check::failure(id, format!("it took longer than {} s", whole.as_secs()), "check the network")
            };
            timeout(whole, call).await.unwrap_or_else(late)
        })
    };
    let mut calls = Vec::new();
    if plan.used().is_some() && (accounts::is_set_up(plan) || accounts::is_wanted(&launch, pyromind)) {
        calls.push(in_time(
            "credentials.session",
            Box::pin(async move {
                let asked = client.credentials(Vendor::Alibaba, Clock::wall()).await;
                let account = asked.as_ref().ok().map(|own| key.hmac("account", own.identity().as_bytes()));
                let end: Option<String> =
                    account.map(|hash| hash.chars().skip(hash.len().saturating_sub(HASH)).collect());
                accounts::session(asked.as_ref(), end.as_deref())
            }),
        ));
        for region in &launch.regions {
            let call = signed::activation(Arc::clone(&gateway), region.clone());
            calls.push(in_time("activation", Box::pin(call)));
        }
    }
    if pyromind.has_key && pyromind.has_address {
        calls.push(in_time("pyromind.key", Box::pin(signed::pyromind(Arc::clone(&gateway)))));
    }
    Ok(Calls { gateway, calls })
}
