//! What was found: a line a check, for people and as JSON.

use serde::Serialize;

use super::client::Configuration;
use crate::config::CloudKind;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    /// As it should be.
    Ok,
    /// There was nothing to check, or something else must be mended first.
    Skipped,
    /// It works, or may; a look is worth it.
    Warning,
    /// It doesn't work.
    Failure,
}

impl Status {
    const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skipped => "skipped",
            Self::Warning => "warning",
            Self::Failure => "failure",
        }
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    /// What was checked; stable.
    pub(super) id: &'static str,
    /// Which one of several: a region, a host. Empty where there is one.
    pub(super) subject: String,
    /// How it ended.
    pub(super) status: Status,
    /// What was found.
    pub(super) message: String,
    /// What to do about it. Empty where there is nothing to do.
    pub(super) fix: String,
    /// What more there is to know.
    pub(super) details: Vec<String>,
}

impl Check {
    fn new(id: &'static str, status: Status, message: impl Into<String>, fix: impl Into<String>) -> Self {
        let (message, fix) = (message.into(), fix.into());
        Self { id, subject: String::new(), status, message, fix, details: Vec::new() }
    }

    /// All is well.
    pub(super) fn ok(id: &'static str, message: impl Into<String>) -> Self {
        Self::new(id, Status::Ok, message, "")
    }

    /// Nothing was checked.
    pub(super) fn skipped(id: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(id, Status::Skipped, message, fix)
    }

    /// A look is worth it.
    pub(super) fn warning(id: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(id, Status::Warning, message, fix)
    }

    /// It doesn't work.
    pub(super) fn failure(id: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::new(id, Status::Failure, message, fix)
    }

    /// The same, about one of several.
    #[must_use]
    pub(super) fn about(self, subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), ..self }
    }

    /// The same, with what more there is to know.
    #[must_use]
    pub(super) fn with(self, details: Vec<String>) -> Self {
        Self { details, ..self }
    }

    fn lines(&self) -> Vec<String> {
        let about = if self.subject.is_empty() { String::new() } else { format!(" ({})", self.subject) };
        let mut lines = vec![format!("{:<8} {}{about}: {}", self.status.name(), self.id, self.message)];
        lines.extend(self.details.iter().map(|detail| format!("           {detail}")));
        if !self.fix.is_empty() {
            lines.push(format!("         fix: {}", self.fix));
        }
        lines
    }
}

/// All of it.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// The gravest status of a check; a skipped one weighs nothing.
    pub(super) status: Status,
    /// `sim` or `live`.
    pub(super) cloud: &'static str,
    /// This program's version.
    pub(super) version: &'static str,
    /// What was checked, in order.
    pub(super) checks: Vec<Check>,
    /// How clients are told to start this server.
    pub(super) clients: Vec<Configuration>,
}

impl Report {
    /// A report of these checks.
    pub(super) fn new(cloud: CloudKind, checks: Vec<Check>, clients: Vec<Configuration>) -> Self {
        let weights = checks.iter().map(|check| check.status).filter(|status| *status != Status::Skipped);
        Self {
            status: weights.max().unwrap_or(Status::Ok),
            cloud: match cloud {
                CloudKind::Sim => "sim",
                CloudKind::Live => "live",
            },
            version: env!("CARGO_PKG_VERSION"),
            checks,
            clients,
        }
    }

    /// Whether a check failed.
    pub(super) fn is_failure(&self) -> bool {
        self.status == Status::Failure
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let mut lines: Vec<String> = self.checks.iter().flat_map(Check::lines).collect();
        for client in &self.clients {
            lines.push(String::new());
            lines.extend(client.lines());
        }
        let count = |status| self.checks.iter().filter(|check| check.status == status).count();
        lines.push(String::new());
        lines.push(format!(
            "{} ok, {} warnings, {} failures, {} skipped",
            count(Status::Ok),
            count(Status::Warning),
            count(Status::Failure),
            count(Status::Skipped),
        ));
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_gravest_check_decides_and_a_skipped_one_weighs_nothing() {
        let (ok, skipped) = (Check::ok("a", "m"), Check::skipped("b", "m", "f"));
        let (warning, failure) = (Check::warning("c", "m", "f"), Check::failure("d", "m", "f"));
        for (checks, expected) in [
            (vec![], Status::Ok),
            (vec![skipped.clone()], Status::Ok),
            (vec![ok.clone(), skipped.clone(), warning.clone()], Status::Warning),
            (vec![failure, warning, skipped, ok], Status::Failure),
        ] {
            assert_eq!(Report::new(CloudKind::Sim, checks, Vec::new()).status, expected);
        }
    }

    #[test]
    fn a_report_is_the_same_for_people_and_programs() {
        let check =
            Check::warning("clock", "it is late", "set it").about("a host").with(vec!["more".to_owned()]);
        let report = Report::new(CloudKind::Live, vec![check], Vec::new());
        assert_eq!(
            serde_json::to_value(&report).unwrap(),
            json!({
                "status": "warning", "cloud": "live", "version": env!("CARGO_PKG_VERSION"),
                "checks": [{
                    "id": "clock", "subject": "a host", "status": "warning", "message": "it is late",
                    "fix": "set it", "details": ["more"],
                }],
                "clients": [],
            })
        );
        assert_eq!(
            report.text(),
            "warning  clock (a host): it is late\n           more\n         fix: set it\n\n0 ok, 1 warnings, 0 failures, 0 skipped"
        );
    }
}
