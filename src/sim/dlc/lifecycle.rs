//! A job's way through its states, laid out from the instant of its submission.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::sim::world::{Job, Outcome};

const CREATING: SignedDuration = SignedDuration::from_secs(2);
const QUEUING: SignedDuration = SignedDuration::from_secs(5);
/// Spot jobs only.
const BIDDING: SignedDuration = SignedDuration::from_secs(10);
const ENV_PREPARING: SignedDuration = SignedDuration::from_secs(20);
/// Only with `Settings.EnableSanityCheck`.
pub(super) const SANITY_CHECKING: SignedDuration = SignedDuration::from_secs(15);
const STOPPING: SignedDuration = SignedDuration::from_secs(5);
/// Before a job whose pods are to be restarted runs again.
const RESTARTING: SignedDuration = SignedDuration::from_secs(10);
/// A command that says nothing else runs this long.
const RUNNING: SignedDuration = SignedDuration::from_secs(60);
/// A command that fails runs this long before it does.
const FAILING: SignedDuration = SignedDuration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JobStatus {
    Creating,
    Queuing,
    Bidding,
    EnvPreparing,
    SanityChecking,
    Running,
    Restarting,
    Stopping,
    SucceededReserving,
    FailedReserving,
    Succeeded,
    Failed,
    Stopped,
}

impl JobStatus {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "Creating",
            Self::Queuing => "Queuing",
            Self::Bidding => "Bidding",
            Self::EnvPreparing => "EnvPreparing",
            Self::SanityChecking => "SanityChecking",
            Self::Running => "Running",
            Self::Restarting => "Restarting",
            Self::Stopping => "Stopping",
            Self::SucceededReserving => "SucceededReserving",
            Self::FailedReserving => "FailedReserving",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Stopped => "Stopped",
        }
    }

    pub(super) fn is_final(self) -> bool {
        match self {
            Self::Succeeded | Self::Failed | Self::Stopped => true,
            Self::Creating
            | Self::Queuing
            | Self::Bidding
            | Self::EnvPreparing
            | Self::SanityChecking
            | Self::Running
            | Self::Restarting
            | Self::Stopping
            | Self::SucceededReserving
            | Self::FailedReserving => false,
        }
    }
}

/// A state and the instant at which it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stage<'a> {
    pub(super) status: JobStatus,
    pub(super) from: Timestamp,
    pub(super) code: &'a str,
    pub(super) message: &'a str,
}

/// How a command goes: how long it runs and how it ends. A fixed reading of its first words, no shell:
/// `false` and `exit N` (N not 0) fail, `sleep N` runs N seconds, anything else runs a minute.
pub(super) fn rehearse(command: &str) -> (SignedDuration, Outcome) {
    let mut words = command.split(|c: char| c.is_whitespace() || c == ';').filter(|word| !word.is_empty());
    match (words.next(), words.next().map(str::parse::<i64>)) {
        (Some("false"), _) => (FAILING, Outcome::CommandFails),
        (Some("exit"), Some(Ok(code))) if code != 0 => (FAILING, Outcome::CommandFails),
        (Some("sleep"), Some(Ok(seconds))) if seconds >= 0 => {
            (SignedDuration::from_secs(seconds), Outcome::Succeeds)
        }
        _ => (RUNNING, Outcome::Succeeds),
    }
}

/// Every stage of the job, in order, future ones too.
fn plan(job: &Job) -> Vec<Stage<'_>> {
    let mut stages = undisturbed(job);
    if let Some(stop) = job.stopped {
        stages.retain(|stage| stage.from <= stop);
        let (code, message) = ("JobStoppedByUser", "The job was stopped by a user.");
        let stopped = stop.checked_add(STOPPING).unwrap_or(Timestamp::MAX);
        stages.push(Stage { status: JobStatus::Stopping, from: stop, code, message });
        stages.push(Stage { status: JobStatus::Stopped, from: stopped, code, message });
    }
    stages
}

/// Every stage of the job if nobody stops it.
fn undisturbed<'a>(job: &'a Job) -> Vec<Stage<'a>> {
    let mut stages = Vec::new();
    let mut from = job.submitted;
    let mut stage = |status, code: &'a str, message: &'a str, lasts: SignedDuration| {
        stages.push(Stage { status, from, code, message });
        from = from.checked_add(lasts).unwrap_or(Timestamp::MAX);
    };
    let end = SignedDuration::ZERO;
    stage(JobStatus::Creating, "JobCreating", "The job is being created.", CREATING);
    stage(JobStatus::Queuing, "JobEnqueued", "The job waits for resources.", QUEUING);
    if is_spot(job) {
        stage(JobStatus::Bidding, "JobBidding", "The job bids for spot instances.", BIDDING);
    }
    stage(JobStatus::EnvPreparing, "JobDequeued", "The environment is being prepared.", ENV_PREPARING);
    if job.outcome == Outcome::ImageMissing {
        let usual = ("ImagePullFailed", "An image of the job could not be pulled.");
        let (code, message) = why(job, usual);
        stage(JobStatus::Failed, code, message, end);
        return stages;
    }
    if wants_sanity_check(job) {
        stage(
            JobStatus::SanityChecking,
            "JobSanityChecking",
            "The nodes are being checked.",
            SANITY_CHECKING,
        );
    }
    let limit = job.request.get("JobMaxRunningTimeMinutes").and_then(Value::as_i64);
    let limit = limit.map(|minutes| SignedDuration::from_secs(minutes.saturating_mul(60)));
    let cut = limit.filter(|limit| *limit < job.run);
    stage(JobStatus::Running, "JobRunning", "The job is running.", cut.unwrap_or(job.run));
    if cut.is_some() {
        let code = "JobMaxRunningTimeExceeded";
        stage(JobStatus::Stopping, code, "The job reached its maximum running time.", STOPPING);
        stage(JobStatus::Stopped, code, "The job reached its maximum running time.", end);
    } else {
        match job.outcome {
            Outcome::Succeeds => {
                let (code, message) = ("JobSucceeded", "The job has succeeded.");
                if let Some(reserved) = reserved(job, "OnSucceed") {
                    stage(JobStatus::SucceededReserving, code, message, reserved);
                }
                stage(JobStatus::Succeeded, code, message, end);
            }
            Outcome::CommandFails | Outcome::ImageMissing => {
                let usual = ("JobFailed", "A pod of the job exited with a code other than 0.");
                let (code, message) = why(job, usual);
                if restarts(job) {
                    stage(JobStatus::Restarting, code, message, RESTARTING);
                    stage(JobStatus::Running, "JobRunning", "The job is running.", job.run);
                }
                if let Some(reserved) = reserved(job, "OnFailure") {
                    stage(JobStatus::FailedReserving, code, message, reserved);
                }
                stage(JobStatus::Failed, code, message, end);
            }
        }
    }
    stages
}

/// Why the job fails: its own reason, or else the `usual` one.
fn why<'a>(job: &'a Job, usual: (&'a str, &'a str)) -> (&'a str, &'a str) {
    job.reason.as_ref().map_or(usual, |reason| (&reason.code, &reason.message))
}

/// Whether a failure of its command restarts the job: once, as one of its roles wants it. `ExitCode` is for what a
/// signal has ended.
fn restarts(job: &Job) -> bool {
    specs(job).any(|spec| match spec.get("RestartPolicy").and_then(Value::as_str) {
        Some("Always" | "OnFailure") => true,
        Some("ExitCode") => super::logs::exit_code(job) >= 128,
        Some(_) | None => false,
    })
}

/// For how long the job's machines are kept after an end that `policy` is about.
fn reserved(job: &Job, policy: &str) -> Option<SignedDuration> {
    let settings = job.request.get("Settings")?;
    let minutes = settings.get("JobReservedMinutes")?.as_i64().filter(|minutes| *minutes > 0)?;
    let wanted = settings.get("JobReservedPolicy").and_then(Value::as_str).unwrap_or("Always");
    (wanted == "Always" || wanted == policy).then(|| SignedDuration::from_secs(minutes.saturating_mul(60)))
}

/// The stages that have begun by `at`; never empty, because a job exists only once it is being created.
pub(super) fn stages(job: &Job, at: Timestamp) -> Vec<Stage<'_>> {
    let planned = plan(job);
    let begun = planned.iter().filter(|stage| stage.from <= at).count().max(1);
    planned.into_iter().take(begun).collect()
}

pub(super) fn specs(job: &Job) -> impl Iterator<Item = &Value> {
    job.request.get("JobSpecs").and_then(Value::as_array).into_iter().flatten()
}

pub(super) fn is_spot(job: &Job) -> bool {
    specs(job).any(|spec| {
        let elastic = spec.get("ElasticSpotSpecs").and_then(Value::as_array);
        spec.get("SpotSpec").is_some_and(Value::is_object)
            || elastic.is_some_and(|specs| !specs.is_empty())
            || spec.get("UseSpotInstance").and_then(Value::as_bool).unwrap_or(false)
    })
}

fn wants_sanity_check(job: &Job) -> bool {
    let settings = job.request.get("Settings");
    settings.and_then(|settings| settings.get("EnableSanityCheck")).and_then(Value::as_bool).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::testkit::AT;
    use crate::sim::world::Output;
    use serde_json::json;

    fn job(command: &str, request: Value) -> Job {
        let (run, outcome) = rehearse(command);
        Job {
            id: "dlc1".to_owned(),
            workspace_id: "1".to_owned(),
            user_id: "1".to_owned(),
            submitted: AT,
            updated: None,
            run,
            outcome,
            stopped: None,
            output: Output::Ordinary,
            reason: None,
            log: Vec::new(),
            events: Vec::new(),
            request: request.as_object().unwrap().clone(),
        }
    }

    /// Each stage and the second after submission at which it begins.
    fn course(job: &Job) -> Vec<(&'static str, i64)> {
        plan(job)
            .iter()
            .map(|stage| (stage.status.as_str(), stage.from.duration_since(AT).as_secs()))
            .collect()
    }

    /// R-DLC-34
    #[test]
    fn a_plain_job_walks_to_success() {
        let expected =
            [("Creating", 0), ("Queuing", 2), ("EnvPreparing", 7), ("Running", 27), ("Succeeded", 87)];
        assert_eq!(course(&job("python train.py", json!({}))), expected);
    }

    /// R-DLC-35, R-DLC-36
    #[test]
    fn spot_jobs_bid_and_checked_jobs_are_checked() {
        let request = json!({
            "JobSpecs": [{"SpotSpec": {"SpotStrategy": "SpotWithPriceLimit"}}],
            "Settings": {"EnableSanityCheck": true},
        });
        let expected = [
            ("Creating", 0),
            ("Queuing", 2),
            ("Bidding", 7),
            ("EnvPreparing", 17),
            ("SanityChecking", 37),
            ("Running", 52),
            ("Succeeded", 112),
        ];
        assert_eq!(course(&job("python train.py", request)), expected);
    }

    /// R-DLC-34: all states that are documented can be seen.
    #[test]
    fn a_failing_command_restarts_once_where_a_role_wants_it() {
        let with = |policy| json!({"UserCommand": "exit 137", "JobSpecs": [{"RestartPolicy": policy}]});
        let again = [
            ("Creating", 0),
            ("Queuing", 2),
            ("EnvPreparing", 7),
            ("Running", 27),
            ("Restarting", 32),
            ("Running", 42),
            ("Failed", 47),
        ];
        for (policy, restarts) in
            [("Always", true), ("OnFailure", true), ("ExitCode", true), ("Never", false)]
        {
            let found = course(&job("exit 137", with(policy)));
            assert_eq!(found == again, restarts, "{policy}: {found:?}");
        }
        let plain = json!({"UserCommand": "exit 1", "JobSpecs": [{"RestartPolicy": "ExitCode"}]});
        assert_eq!(course(&job("exit 1", plain)).last(), Some(&("Failed", 32)));
    }

    #[test]
    fn machines_are_kept_after_the_end_that_is_asked_for() {
        let end = |command, policy: Value| {
            let mut settings = json!({"JobReservedMinutes": 2, "JobReservedPolicy": policy});
            if policy.is_null() {
                settings.as_object_mut().unwrap().remove("JobReservedPolicy");
            }
            let course = course(&job(command, json!({"Settings": settings})));
            course[4..].to_vec()
        };
        let kept = vec![("SucceededReserving", 87), ("Succeeded", 207)];
        assert_eq!(end("true", json!("Always")), kept);
        assert_eq!(end("true", json!("OnSucceed")), kept);
        assert_eq!(end("true", Value::Null), kept);
        assert_eq!(end("true", json!("OnFailure")), [("Succeeded", 87)]);
        assert_eq!(end("false", json!("OnFailure")), [("FailedReserving", 32), ("Failed", 152)]);
        assert_eq!(end("false", json!("OnSucceed")), [("Failed", 32)]);
    }

    #[test]
    fn a_failure_has_its_own_reason_if_it_is_given_one() {
        let reason =
            Some(crate::sim::world::Reason { code: "OOMKilled".to_owned(), message: "Out.".to_owned() });
        let failed = Job { reason, ..job("false", json!({})) };
        let last = plan(&failed).last().map(|stage| (stage.code.to_owned(), stage.message.to_owned()));
        assert_eq!(last, Some(("OOMKilled".to_owned(), "Out.".to_owned())));
    }

    #[test]
    fn the_longest_running_time_cuts_a_run_short() {
        let limited = |command| course(&job(command, json!({"JobMaxRunningTimeMinutes": 1})));
        let cut = [
            ("Creating", 0),
            ("Queuing", 2),
            ("EnvPreparing", 7),
            ("Running", 27),
            ("Stopping", 87),
            ("Stopped", 92),
        ];
        assert_eq!(limited("sleep 61"), cut);
        assert_eq!(limited("sleep 60").last(), Some(&("Succeeded", 87)));
    }

    #[test]
    fn a_command_is_read_by_its_first_words() {
        let minute = (RUNNING, Outcome::Succeeds);
        let fails = (FAILING, Outcome::CommandFails);
        for (command, expected) in [
            ("false", fails),
            ("  exit 1; true", fails),
            ("exit 137", fails),
            ("exit 0", minute),
            ("exit", minute),
            ("falsetto", minute),
            ("sleep 3600", (SignedDuration::from_secs(3600), Outcome::Succeeds)),
            ("sleep -1", minute),
            ("", minute),
        ] {
            assert_eq!(rehearse(command), expected, "{command}");
        }
    }

    #[test]
    fn a_stop_takes_the_place_of_what_would_follow() {
        let stopped = |seconds| {
            let stopped = Some(AT + SignedDuration::from_secs(seconds));
            course(&Job { stopped, ..job("sleep 60", json!({})) })
        };
        assert_eq!(stopped(4), [("Creating", 0), ("Queuing", 2), ("Stopping", 4), ("Stopped", 9)]);
        let run = [
            ("Creating", 0),
            ("Queuing", 2),
            ("EnvPreparing", 7),
            ("Running", 27),
            ("Stopping", 86),
            ("Stopped", 91),
        ];
        assert_eq!(stopped(86), run);
    }

    #[test]
    fn a_run_without_end_ends_with_time() {
        let endless = job(&format!("sleep {}", i64::MAX), json!({}));
        assert_eq!(plan(&endless).last().unwrap().from, Timestamp::MAX);
    }

    #[test]
    fn docs_world_md_states_the_durations() {
        let docs = include_str!("../../../docs/world.md");
        let lasting = [
            (JobStatus::Creating, CREATING),
            (JobStatus::Queuing, QUEUING),
            (JobStatus::Bidding, BIDDING),
            (JobStatus::EnvPreparing, ENV_PREPARING),
            (JobStatus::SanityChecking, SANITY_CHECKING),
            (JobStatus::Restarting, RESTARTING),
            (JobStatus::Stopping, STOPPING),
        ];
        for (status, lasts) in lasting {
            let row = format!("| {} | {} s |", status.as_str(), lasts.as_secs());
            assert!(docs.contains(&row), "{row}");
        }
        for (command, lasts) in [("| anything else |", RUNNING), ("other than 0 |", FAILING)] {
            let row = format!("{command} {} s |", lasts.as_secs());
            assert!(docs.contains(&row), "{row}");
        }
    }

    #[test]
    fn only_stages_that_have_begun_are_seen() {
        let job = job("true", json!({}));
        let seen = |seconds| stages(&job, AT + SignedDuration::from_secs(seconds)).len();
        assert_eq!([seen(-1), seen(0), seen(1), seen(2), seen(86), seen(87)], [1, 1, 1, 2, 4, 5]);
    }
}
