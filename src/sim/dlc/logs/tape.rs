//! What the main container of a pod prints, each line made from its number when it is asked for.
//!
//! First two lines about the pod, then a step of a training loop every five seconds, then how it ended.
//! Nothing is stored, and a log of any length costs no more than the lines that are read.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::sim::dlc::course::Course;
use crate::sim::dlc::hostile;
use crate::sim::dlc::lifecycle::JobStatus;
use crate::sim::dlc::pods::{self, Pod};
use crate::sim::dlc::window::Window;
use crate::sim::world::random::SplitMix64;
use crate::sim::world::{Job, Output};

/// Between two steps of a training loop.
const STEP_SECONDS: i64 = 5;
const STEPS_PER_EPOCH: u64 = 20;
/// What each line of a flood carries beside its step: words of 16 digits and a blank.
const FLOOD_WORDS: usize = 295;

pub(in crate::sim::dlc) struct Tape<'a> {
    output: Output,
    pod: &'a Pod<'a>,
    start: Timestamp,
    /// When the run ended, or else the instant of the request.
    end: Timestamp,
    opening: Vec<String>,
    steps: u64,
    closing: Vec<String>,
}

impl<'a> Tape<'a> {
    /// `None` before the container has started.
    pub(super) fn new(job: &Job, pod: &'a Pod<'a>, course: &Course) -> Option<Self> {
        let start = course.since(JobStatus::Running)?;
        let ended = course.after_running();
        let end = ended.map_or(course.at(), |stage| stage.from);
        let seconds = end.duration_since(start).as_secs();
        // What falls on the very end of the run isn't printed any more.
        let steps = (if ended.is_some() { seconds - 1 } else { seconds }).max(0) / STEP_SECONDS;
        let world_size: u64 = pods::roles(job).iter().map(|role| role.pods).sum();
        let time = clock(start);
        let mut opening = vec![
            format!("{time} {} on {}: rank {} of {world_size}", pod.id, pod.node, pod.rank),
            format!("{time} training starts, {STEPS_PER_EPOCH} steps an epoch"),
        ];
        opening.extend(job.log.iter().cloned());
        let closing = ended.map(|stage| closing(job, stage.status, stage.from)).unwrap_or_default();
        Some(Self { output: job.output, pod, start, end, opening, steps: steps.unsigned_abs(), closing })
    }

    /// The newest lines of the window, `most` at most, oldest first.
    pub(super) fn newest(&self, window: &Window, most: u64) -> impl Iterator<Item = (Timestamp, String)> {
        let from = self.first(|at| at >= window.from);
        let to = self.first(|at| at > window.to);
        let from = from.max(to.saturating_sub(most));
        (from..to).map(|number| (self.time(number), self.line(number)))
    }

    fn len(&self) -> u64 {
        self.opening.len() as u64 + self.steps + self.closing.len() as u64
    }

    /// The first line whose time suits: times never fall, so a search by halves finds it.
    fn first(&self, suits: impl Fn(Timestamp) -> bool) -> u64 {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if suits(self.time(middle)) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    }

    /// The step that a line tells, from 0; `None` for opening and closing lines.
    fn step(&self, number: u64) -> Option<u64> {
        number.checked_sub(self.opening.len() as u64).filter(|step| *step < self.steps)
    }

    fn time(&self, number: u64) -> Timestamp {
        match self.step(number) {
            Some(step) => {
                let seconds = i64::try_from(step + 1).unwrap_or(i64::MAX).saturating_mul(STEP_SECONDS);
                self.start.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
            }
            None if number < self.opening.len() as u64 => self.start,
            None => self.end,
        }
    }

    fn line(&self, number: u64) -> String {
        let Some(step) = self.step(number) else {
            let fixed = self.opening.iter().chain(&self.closing);
            // The steps stand between the two, so a closing line's place is counted without them.
            let opening = self.opening.len() as u64;
            let place = if number < opening { number } else { number - self.steps };
            let place = usize::try_from(place).unwrap_or(usize::MAX);
            return fixed.skip(place).take(1).cloned().collect();
        };
        let mut random = SplitMix64::new(self.pod.rank, &self.pod.uid, step);
        // Falls from 2.3 towards 0.1, with a little noise; no more than a float holds exactly everywhere.
        let noise = (random.next() % 400) as f64 / 10_000.0;
        let loss = 0.1 + 2.2 * 40.0 / (40.0 + step as f64) + noise;
        let (epoch, of_epoch) = (step / STEPS_PER_EPOCH + 1, step % STEPS_PER_EPOCH + 1);
        let mut line = format!(
            "{} epoch {epoch} step {of_epoch}/{STEPS_PER_EPOCH} loss={loss:.4}",
            clock(self.time(number))
        );
        match self.output {
            Output::Ordinary | Output::Hostile => {}
            Output::Flood => {
                line.push_str(" gradients=");
                let words = (0..FLOOD_WORDS).map(|_| format!("{:016x} ", random.next()));
                line.extend(words);
            }
        }
        line
    }
}

/// How a log writes an instant.
pub(super) fn clock(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The code with which the job's command fails.
pub(in crate::sim::dlc) fn exit_code(job: &Job) -> i64 {
    let mut words =
        command(job).split(|c: char| c.is_whitespace() || c == ';').filter(|word| !word.is_empty());
    match (words.next(), words.next().map(str::parse)) {
        (Some("exit"), Some(Ok(code))) => code,
        _ => 1,
    }
}

fn command(job: &Job) -> &str {
    job.request.get("UserCommand").and_then(Value::as_str).unwrap_or_default()
}

/// What the container prints when the run ends in a stage of this status.
fn closing(job: &Job, status: JobStatus, at: Timestamp) -> Vec<String> {
    let time = clock(at);
    match status {
        JobStatus::SucceededReserving | JobStatus::Succeeded => vec![format!("{time} training finished")],
        JobStatus::Stopping => vec![format!("{time} received SIGTERM, shutting down")],
        JobStatus::Restarting => vec![format!("{time} exited with code {}, restarting", exit_code(job))],
        JobStatus::FailedReserving | JobStatus::Failed => {
            let mut lines = failure(job);
            match job.output {
                Output::Ordinary | Output::Flood => {}
                Output::Hostile => lines.extend(hostile::log()),
            }
            lines
        }
        JobStatus::Creating
        | JobStatus::Queuing
        | JobStatus::Bidding
        | JobStatus::EnvPreparing
        | JobStatus::SanityChecking
        | JobStatus::Running
        | JobStatus::Stopped => Vec::new(),
    }
}

/// A Python command leaves a traceback, any other a line of the shell.
fn failure(job: &Job) -> Vec<String> {
    let command = command(job);
    match command.split_whitespace().find(|word| word.ends_with(".py")) {
        Some(script) => vec![
            "Traceback (most recent call last):".to_owned(),
            format!("  File \"/root/code/{script}\", line 214, in <module>"),
            "    main()".to_owned(),
            format!("  File \"/root/code/{script}\", line 187, in main"),
            "    loss.backward()".to_owned(),
            "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.50 GiB".to_owned(),
        ],
        None => vec![format!("/bin/sh: line 1: `{command}' exited with code {}", exit_code(job))],
    }
}
