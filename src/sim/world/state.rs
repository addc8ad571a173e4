//! A world as text, and back: the file that `--state-out` writes and `--state-in` reads.

use std::collections::BTreeSet;
use std::fmt::Display;

use jiff::Timestamp;
use serde_json::error::Category;

use super::{Activation, Job, REGIONS, Region, Template, Tensorboard, World};
use crate::sim::dlc;
use crate::sim::params::Fields;

/// More than any run creates, and few enough that counting on never ends.
pub(super) const MOST_CREATED: u64 = 1 << 53;

/// Why a text isn't the state of a world. It names places, never values: jobs hold secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// It isn't JSON, or not of a world's form.
    #[error("line {line}, column {column}: {what}")]
    Form {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong there.
        what: String,
    },
    /// A value is of the right form, but no world holds it.
    #[error("{path}: {what}")]
    Value {
        /// Where the value stands, such as `regions.cn-hangzhou.jobs[0].id`.
        path: String,
        /// What it must be.
        what: String,
    },
}

impl World {
    /// Reads a world from its state, such as [`Simulator::state`](crate::sim::Simulator::state) shows it.
    ///
    /// # Errors
    /// [`StateError`]: the place and what is wrong there.
    pub fn parse(text: &str) -> Result<Self, StateError> {
        let world: Self = serde_json::from_str(text).map_err(|error| form(&error))?;
        world.check()?;
        Ok(world)
    }

    /// The state as the text of a file: its fields in a fixed order, a line each, and a newline at the end.
    pub(super) fn text(&self) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(text)
    }

    /// The last instant at which something of the state came about. A clock that goes on from the state starts
    /// after it.
    pub fn latest(&self) -> Timestamp {
        let each = self.regions.values().flat_map(|region| {
            let workspaces =
                region.workspaces.iter().flat_map(|workspace| [workspace.created, workspace.modified]);
            let images = region.images.iter().map(|image| image.created);
            let datasets = region.datasets.iter().flat_map(|dataset| {
                let shared =
                    dataset.shared_from.iter().chain(&dataset.shared_to).map(|sharing| sharing.shared);
                shared.chain([dataset.created, dataset.modified])
            });
            let code = region.code_sources.iter().flat_map(|source| [source.created, source.modified]);
            let assets = images.chain(datasets).chain(code);
            let jobs = region.jobs.iter();
            let jobs = jobs.flat_map(|job| [Some(job.submitted), job.updated, job.stopped]).flatten();
            let tensorboards = region.tensorboards.iter().flat_map(Tensorboard::instants);
            let templates = region.templates.iter().flat_map(Template::instants);
            workspaces.chain(assets).chain(jobs).chain(templates).chain(tensorboards)
        });
        each.chain([self.pyromind.latest()]).max().unwrap_or(Timestamp::MIN)
    }

    pub(super) fn check(&self) -> Result<(), StateError> {
        if self.created > MOST_CREATED {
            return Err(value("created", format!("must be at most {MOST_CREATED}")));
        }
        let seen = &mut Seen::default();
        self.pyromind.check()?;
        self.regions.iter().try_for_each(|(id, region)| {
            let path = format!("regions.{id}");
            if !REGIONS.contains(&id.as_str()) {
                return Err(value(path, "must be named after a region of the cloud"));
            }
            region.check(&path, seen)
        })
    }
}

/// What occurs once in the whole world.
#[derive(Default)]
struct Seen<'a> {
    workspaces: BTreeSet<&'a str>,
    images: BTreeSet<&'a str>,
    datasets: BTreeSet<&'a str>,
    code_sources: BTreeSet<&'a str>,
    jobs: BTreeSet<&'a str>,
    templates: BTreeSet<&'a str>,
    tensorboards: BTreeSet<&'a str>,
}

impl Region {
    fn check<'a>(&'a self, path: &str, seen: &mut Seen<'a>) -> Result<(), StateError> {
        let empty = self.workspaces.is_empty()
            && self.images.is_empty()
            && self.datasets.is_empty()
            && self.code_sources.is_empty()
            && self.jobs.is_empty()
            && self.templates.is_empty()
            && self.tensorboards.is_empty();
        if self.activation != Activation::Active && !empty {
            return Err(value(path, "must hold nothing, since PAI isn't activated there"));
        }
        let mut names = BTreeSet::new();
        let mut default = false;
        for (index, workspace) in self.workspaces.iter().enumerate() {
            let path = format!("{path}.workspaces[{index}]");
            once(&mut seen.workspaces, &workspace.id, format!("{path}.id"))?;
            once(&mut names, &workspace.name, format!("{path}.name"))?;
            if workspace.is_default && std::mem::replace(&mut default, true) {
                return Err(value(format!("{path}.is_default"), "must be true only once in a region"));
            }
        }
        for (index, image) in self.images.iter().enumerate() {
            let path = format!("{path}.images[{index}]");
            once(&mut seen.images, &image.id, format!("{path}.id"))?;
            one_of(&image.accessibility, &["PUBLIC", "PRIVATE"], format!("{path}.accessibility"))?;
            if image.belongs.as_ref().is_none_or(|belongs| self.workspace(&belongs.workspace_id).is_none()) {
                return Err(value(format!("{path}.belongs"), "must name a workspace of the region"));
            }
        }
        for (index, dataset) in self.datasets.iter().enumerate() {
            let path = format!("{path}.datasets[{index}]");
            once(&mut seen.datasets, &dataset.id, format!("{path}.id"))?;
            dataset.check(&path, self)?;
        }
        for (index, source) in self.code_sources.iter().enumerate() {
            let path = format!("{path}.code_sources[{index}]");
            once(&mut seen.code_sources, &source.id, format!("{path}.id"))?;
            source.check(&path, self)?;
        }
        for (index, job) in self.jobs.iter().enumerate() {
            let path = format!("{path}.jobs[{index}]");
            once(&mut seen.jobs, &job.id, format!("{path}.id"))?;
            self.check_home(&job.workspace_id, &path)?;
            if job.run.is_negative() {
                return Err(value(format!("{path}.run"), "must not be negative"));
            }
            if let Some(at) = job.stopped
                && !dlc::stops(&Job { stopped: None, ..job.clone() }, at)
            {
                return Err(value(format!("{path}.stopped"), "must be an instant at which it waited or ran"));
            }
            dlc::check(&Fields::of_body(&job.request))
                .map_err(|error| value(format!("{path}.request"), error.message))?;
        }
        for (index, template) in self.templates.iter().enumerate() {
            let path = format!("{path}.templates[{index}]");
            once(&mut seen.templates, &template.id, format!("{path}.id"))?;
            self.check_home(&template.workspace_id, &path)?;
            template.check(&path)?;
        }
        for (index, board) in self.tensorboards.iter().enumerate() {
            let path = format!("{path}.tensorboards[{index}]");
            once(&mut seen.tensorboards, &board.id, format!("{path}.id"))?;
            self.check_home(&board.workspace_id, &path)?;
            if board.started < board.created || board.modified < board.started {
                return Err(value(path, "must be created, started and modified in this order"));
            }
            if board.ended.is_some_and(|end| end.at() < board.started) {
                return Err(value(format!("{path}.ended"), "must not be before it was started"));
            }
            dlc::check_tensorboard(&Fields::of_body(&board.request))
                .map_err(|error| value(format!("{path}.request"), error.message))?;
        }
        Ok(())
    }

    /// Whether what stands at `path` belongs to a workspace of this region.
    pub(super) fn check_home(&self, workspace_id: &str, path: &str) -> Result<(), StateError> {
        match self.workspace(workspace_id) {
            Some(_) => Ok(()),
            None => Err(value(format!("{path}.workspace_id"), "must name a workspace of the region")),
        }
    }
}

pub(super) fn one_of(text: &str, allowed: &[&str], path: String) -> Result<(), StateError> {
    match allowed.split_last() {
        Some((last, rest)) if !allowed.contains(&text) => {
            Err(value(path, format!("must be {} or {last}", rest.join(", "))))
        }
        Some(_) | None => Ok(()),
    }
}

pub(super) fn once<'a>(seen: &mut BTreeSet<&'a str>, text: &'a str, path: String) -> Result<(), StateError> {
    if text.is_empty() || !seen.insert(text) {
        return Err(value(path, "must be there, and only once"));
    }
    Ok(())
}

pub(super) fn value(path: impl Into<String>, what: impl Display) -> StateError {
    StateError::Value { path: path.into(), what: what.to_string() }
}

/// What the parser found, without any value that it quotes.
fn form(error: &serde_json::Error) -> StateError {
    let text = error.to_string();
    let found = text.rsplit_once(" at line ").map_or(text.as_str(), |(found, _)| found);
    let starts = |starts: &[&str]| starts.iter().any(|start| found.starts_with(start));
    // Other texts come from the types of values, which quote them anywhere.
    let expected = match starts(&["invalid ", "unknown "]) {
        true => found.rsplit_once(", expected ").map(|(_, expected)| expected),
        false => None,
    };
    let what = match (error.classify(), expected) {
        (Category::Data, Some(expected)) => format!("expected {expected}"),
        (Category::Data, None) if !starts(&["missing field", "duplicate field"]) => {
            "a value that doesn't belong here".to_owned()
        }
        (Category::Data | Category::Syntax | Category::Eof | Category::Io, _) => found.to_owned(),
    };
    StateError::Form { line: error.line(), column: error.column(), what }
}

#[cfg(test)]
mod tests;
