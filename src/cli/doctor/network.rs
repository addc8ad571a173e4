//! Whether the services are there: names, connections, clocks. Nothing here is signed or carries a key.

use std::collections::BTreeMap;

use super::report::Check;
use crate::cloud::endpoint::{BaseUrl, Endpoints};
use crate::cloud::probe::{Presence, Probe};
use crate::config::proxy_variables;
use crate::gateway::Clock;
use crate::spec::Cloud;

/// A clock that is off by less is no reason for concern, in seconds.
const NEAR: u64 = 60;
/// The cloud refuses a signature that is older or newer, in seconds.
const REFUSED: u64 = 900;

/// A service to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// What it is, and in which regions.
    subject: String,
    base: BaseUrl,
    /// Whether nothing works without it.
    is_needed: bool,
}

/// Each address once: the services of every region, STS, and PyroMind where it is set up.
pub(super) fn targets(endpoints: &Endpoints, regions: &[String], pyromind: bool) -> Vec<Target> {
    let mut all: BTreeMap<(&str, String), (BaseUrl, Vec<&str>, bool)> = BTreeMap::new();
    let mut add = |name, region, base: BaseUrl, is_needed| {
        let (_, regions, _) =
            all.entry((name, base.as_str().to_owned())).or_insert_with(|| (base, Vec::new(), is_needed));
        regions.extend(region);
    };
    for region in regions {
        for service in [Cloud::Dlc, Cloud::AiWorkspace] {
            if let Ok(base) = endpoints.base(service, Some(region)) {
                add(service.product(), Some(region.as_str()), base, true);
            }
        }
    }
    // Only roles need it, and which of its addresses depends on the role's profile.
    for region in [None].into_iter().chain(regions.iter().map(Some)).filter(|_| !regions.is_empty()) {
        if let Ok(base) = endpoints.sts(region.map(String::as_str), false) {
            add("sts", region.map(String::as_str), base, false);
        }
    }
    if let Some(base) = pyromind.then(|| endpoints.base(Cloud::PyroMind, None).ok()).flatten() {
        add(Cloud::PyroMind.product(), None, base, true);
    }
    all.into_iter()
        .map(|((name, url), (base, regions, is_needed))| {
            let regions =
                if regions.is_empty() { String::new() } else { format!(" of {}", regions.join(", ")) };
            Target { subject: format!("{name}{regions} at {url}"), base, is_needed }
        })
        .collect()
}

/// What was found at a target.
#[derive(Debug)]
pub(super) struct Found {
    /// Its name and the way to it.
    pub(super) checks: Vec<Check>,
    /// By how many seconds its clock is ahead, and whose that is.
    pub(super) ahead: Option<(i64, String)>,
}

impl Found {
    /// Nobody waited any longer.
    pub(super) fn late(target: &Target, seconds: u64) -> Self {
        let check = target.complain("endpoint", format!("it took longer than {seconds} s"));
        Self { checks: vec![check], ahead: None }
    }
}

impl Target {
    /// Looks its name up and asks for its root. Whatever it answers, it is there.
    pub(super) async fn look(&self, probe: &Probe) -> Found {
        let (is_named, name) = self.look_up(probe).await;
        let mut checks: Vec<Check> = name.into_iter().collect();
        if !is_named {
            let unnamed = Check::skipped("endpoint", "its name isn't known", "mend the name lookup first");
            checks.push(unnamed.about(&*self.subject));
            return Found { checks, ahead: None };
        }
        match probe.ask(&self.base, Clock::wall).await {
            Ok(Presence { status, ahead }) => {
                let how = if self.is_secure() { "over TLS" } else { "in clear text, on this machine" };
                let check = Check::ok("endpoint", format!("answers {how} (status {status})"));
                checks.push(check.about(&*self.subject));
                Found { checks, ahead: ahead.map(|seconds| (seconds, self.subject.clone())) }
            }
            Err(reason) => {
                checks.push(self.complain("endpoint", reason));
                Found { checks, ahead: None }
            }
        }
    }

    fn is_secure(&self) -> bool {
        self.base.as_str().starts_with("https:")
    }

    /// Whether there is a way to it by name, and what is said of that; nothing of an address without a name.
    async fn look_up(&self, probe: &Probe) -> (bool, Option<Check>) {
        let check = if self.is_secure() && !proxy_variables().is_empty() {
            Check::skipped("dns", "the proxy looks names up, where it is used", "")
        } else {
            match probe.look_up(&self.base).await {
                Ok(found) if found.is_empty() => return (true, None),
                Ok(found) => {
                    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
                    Check::ok("dns", format!("its name stands for {}", found.join(", ")))
                }
                Err(error) => {
                    return (false, Some(self.complain("dns", format!("its name isn't found: {error}"))));
                }
            }
        };
        (true, Some(check.about(&*self.subject)))
    }

    fn complain(&self, id: &'static str, message: impl Into<String>) -> Check {
        let fix = "allow the way to this host, or set HTTPS_PROXY; if its certificate isn't trusted, give --ca-file FILE; if \
                   the address is wrong, mend --endpoint, --vpc or PYROMIND_BASE_URL";
        let check = if self.is_needed {
            Check::failure(id, message, fix)
        } else {
            Check::warning(id, format!("{} (only roles need it)", message.into()), fix)
        };
        check.about(&*self.subject)
    }
}

/// This machine's clock against the one that differs most.
pub(super) fn clock(ahead: Vec<(i64, String)>) -> Check {
    let id = "clock";
    let Some((seconds, host)) = ahead.into_iter().max_by_key(|(seconds, _)| seconds.unsigned_abs()) else {
        return Check::skipped(id, "nobody said what time it is", "mend the endpoints first");
    };
    let off = seconds.unsigned_abs();
    let side = if seconds < 0 { "ahead of" } else { "behind" };
    let message = format!("this machine's clock is {off} s {side} that of {host}");
    let fix = "set this machine's clock, best by NTP";
    if off < NEAR {
        Check::ok(id, format!("this machine's clock and the clouds' are less than {NEAR} s apart"))
    } else if off < REFUSED {
        Check::warning(id, message, fix)
    } else {
        Check::failure(id, format!("{message}, so signatures are refused"), fix)
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Status;
    use super::*;

    #[test]
    fn each_address_is_looked_for_once() {
        let subjects = |endpoints: &Endpoints, regions: &[&str], pyromind| {
            let regions: Vec<String> = regions.iter().map(|region| (*region).to_owned()).collect();
            let all = targets(endpoints, &regions, pyromind);
            all.into_iter().map(|target| (target.subject, target.is_needed)).collect::<Vec<_>>()
        };
        let one = Endpoints::parse(["pai-dlc=http://127.0.0.1:1", "pyromind=http://127.0.0.1:2"]).unwrap();
        let expected = [
            ("aiworkspace of cn-beijing at https://aiworkspace.cn-beijing.aliyuncs.com", true),
            ("aiworkspace of cn-hangzhou at https://aiworkspace.cn-hangzhou.aliyuncs.com", true),
            ("pai-dlc of cn-hangzhou, cn-beijing at http://127.0.0.1:1", true),
            ("pyromind at http://127.0.0.1:2", true),
            ("sts at https://sts.aliyuncs.com", false),
            ("sts of cn-beijing at https://sts.cn-beijing.aliyuncs.com", false),
            ("sts of cn-hangzhou at https://sts.cn-hangzhou.aliyuncs.com", false),
        ]
        .map(|(subject, is_needed)| (subject.to_owned(), is_needed));
        assert_eq!(subjects(&one, &["cn-hangzhou", "cn-beijing"], true), expected);
        assert_eq!(subjects(&Endpoints::default(), &[], true), []);
    }

    #[test]
    fn a_clock_is_near_off_or_refused() {
        for (seconds, status) in [
            (0, Status::Ok),
            (-59, Status::Ok),
            (60, Status::Warning),
            (-899, Status::Warning),
            (900, Status::Failure),
            (-90_000, Status::Failure),
        ] {
            let check = clock(vec![(1, "near".to_owned()), (seconds, "far".to_owned())]);
            assert_eq!(check.status, status, "{seconds}");
        }
        assert_eq!(clock(Vec::new()).status, Status::Skipped);
        assert_eq!(
            clock(vec![(-61, "a host".to_owned())]).message,
            "this machine's clock is 61 s ahead of that of a host"
        );
    }
}
