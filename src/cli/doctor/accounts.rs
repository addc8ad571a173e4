//! Who would call: places and whether they are set up, never a value.

use super::report::Check;
use crate::cloud::credentials::plan::{Finding, Place, Plan};
use crate::cloud::credentials::{Credentials, CredentialsError};
use crate::config::{CloudKind, Launch, PyroMindSettings};

/// Whether Alibaba Cloud's credentials are missed where there are none: who confirms a region means Alibaba Cloud, and who
/// has PyroMind's key alone may do without.
pub(super) fn is_wanted(launch: &Launch, pyromind: &PyroMindSettings) -> bool {
    !launch.regions.is_empty() || !pyromind.has_key
}

/// Whether a place is set up. Of an ECS instance's role that shows only when it is asked for.
pub(super) fn is_set_up(plan: &Plan) -> bool {
    plan.used().is_some_and(|place| place != Place::EcsMetadata)
}

/// What is needed for Alibaba Cloud, and what its chain of places would give.
pub(super) fn alibaba(launch: &Launch, plan: &Plan, pyromind: &PyroMindSettings) -> Check {
    let id = "credentials.alibaba";
    let places = plan.findings().iter().map(|(place, finding)| format!("{place}: {finding}")).collect();
    let broken = plan.findings().iter().find_map(|(place, finding)| match finding {
        Finding::Broken(trouble) => Some((format!("the {place} is broken: {trouble}"), trouble.fix())),
        Finding::Used(_) | Finding::Absent(_) | Finding::Behind => None,
    });
    let set_up = "set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET outside any session with an agent, or run \
                  `aliyun configure`";
    let check = match (plan.used(), broken, launch.cloud) {
        (_, Some((message, fix)), CloudKind::Live) => Check::failure(id, message, fix),
        (_, Some((message, fix)), CloudKind::Sim) => Check::warning(id, message, fix),
        (Some(Place::EcsMetadata), None, CloudKind::Live) => {
            Check::warning(id, "from this machine's role, if it is an ECS instance that has one", set_up)
        }
        (Some(Place::EcsMetadata), None, CloudKind::Sim) => Check::skipped(
            id,
            "none are set up, unless this machine has a role; the simulator needs none",
            "",
        ),
        (Some(place), None, CloudKind::Live) => Check::ok(id, format!("from the {place}")),
        (Some(place), None, CloudKind::Sim) => {
            Check::ok(id, format!("would come from the {place}; the simulator needs none"))
        }
        (None, None, CloudKind::Sim) => Check::skipped(id, "none are set up; the simulator needs none", ""),
        (None, None, CloudKind::Live) if is_wanted(launch, pyromind) => {
            Check::failure(id, "none are set up", set_up)
        }
        (None, None, CloudKind::Live) => Check::warning(id, "none are set up; PyroMind's key is", set_up),
    };
    check.with(places)
}

/// What came of asking the place that is set up. `account` is the account's keyed hash.
pub(super) fn session(asked: Result<&Credentials, &CredentialsError>, account: Option<&str>) -> Check {
    let id = "credentials.session";
    match (asked, account) {
        (Ok(_), Some(account)) => {
            Check::ok(id, format!("there is a pair to sign with; the account is …{account}, a keyed hash"))
        }
        (Ok(_), None) => Check::ok(id, "there is a pair to sign with"),
        (Err(CredentialsError::Place { place, trouble }), _) => {
            Check::failure(id, format!("the {place} gives none: {trouble}"), trouble.fix())
        }
        (Err(error @ (CredentialsError::Missing(_) | CredentialsError::NoApiKey)), _) => {
            Check::failure(id, error.to_string(), "set up one of the places of credentials.alibaba")
        }
    }
}

/// What is needed for PyroMind. Address and cluster aren't secret; the key is only there or not.
pub(super) fn pyromind(launch: &Launch, settings: &PyroMindSettings, has_alibaba: bool) -> Check {
    let id = "credentials.pyromind";
    let address = settings.address.as_ref().map(|address| format!("address: {address}"));
    let cluster = settings.cluster.as_ref().map(|cluster| format!("cluster: {cluster}"));
    let variables = settings.variables.iter().map(|name| format!("{name} is set"));
    let details = address.into_iter().chain(cluster).chain(variables).collect();
    let check = match (settings.has_key, settings.has_address, launch.cloud) {
        (true, true, CloudKind::Live) => Check::ok(id, "PYROMIND_API_KEY is set, and so is the address"),
        (true, true, CloudKind::Sim) => {
            Check::ok(id, "PYROMIND_API_KEY is set, and so is the address; the simulator needs neither")
        }
        (_, _, CloudKind::Sim) => Check::skipped(
            id,
            "PYROMIND_API_KEY and PYROMIND_BASE_URL aren't both set; the simulator needs neither",
            "",
        ),
        (true, false, CloudKind::Live) => Check::failure(
            id,
            "PYROMIND_API_KEY is set and there is no address",
            "set PYROMIND_BASE_URL, or give --endpoint pyromind=URL, to the address that PyroMind gives you",
        ),
        (false, true, CloudKind::Live) => Check::failure(
            id,
            "there is an address, and PYROMIND_API_KEY isn't set",
            "make a key in the PyroMind console and set PYROMIND_API_KEY outside any session with an agent",
        ),
        (false, false, CloudKind::Live) if has_alibaba => {
            Check::skipped(id, "PyroMind isn't set up, so its tools are refused", "")
        }
        (false, false, CloudKind::Live) => Check::warning(
            id,
            "PyroMind isn't set up, so its tools are refused",
            "set PYROMIND_API_KEY and PYROMIND_BASE_URL if you use it",
        ),
    };
    check.with(details)
}
