//! Scenarios: a world described in a file, whole or as an addition to the default one.
//!
//! A scenario says what is there when the clock starts, in people's terms: names, ages, states. [`rows`] makes regions,
//! workspaces, images and jobs of it, [`clusters`] what PyroMind holds; both put them into the [`World`] that the
//! simulator keeps, and what comes out is checked as any state is. `docs/scenarios.md` is its manual.

mod clusters;
mod rows;

use std::collections::BTreeMap;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::pyromind::PyroMind;
use super::state::StateError;
use super::{Activation, REGIONS, Region, World};
use crate::sim::place::{self, Step};
use clusters::Clusters;
use rows::Rows;

/// Why a scenario can't be played.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScenarioError {
    /// It isn't JSON, or not of a scenario's form.
    #[error("line {line}, column {column}: {what}; docs/scenario.schema.json says what a scenario holds")]
    Form {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong there.
        what: String,
    },
    /// A value is of the right form, but no world holds it.
    #[error("line {line}, {path}: {what}")]
    Value {
        /// The line, from 1.
        line: usize,
        /// Where the value stands, such as `regions.cn-hangzhou.jobs[0].workspace`.
        path: String,
        /// What it must be, or what is wrong with it.
        what: String,
    },
    /// The parts are well, and what they make together isn't.
    #[error("the world that it makes isn't one: {0}")]
    World(#[from] StateError),
}

/// What is there when the clock starts.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Where the schema of this file is, for editors.
    #[serde(rename = "$schema", default)]
    pub schema: Option<String>,
    /// What it is about, for people.
    #[serde(default)]
    pub description: Option<String>,
    /// What the rest is added to.
    #[serde(default)]
    pub base: Base,
    /// What the account has in regions, by the region's id.
    #[serde(default)]
    regions: BTreeMap<String, Rows>,
    /// What PyroMind's namespace holds.
    #[serde(default)]
    pyromind: Clusters,
}

/// What a scenario is added to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Base {
    /// The default world of the seed.
    #[default]
    Default,
    /// Nothing: the scenario is the whole world.
    Empty,
}

/// A time such as `90s`, `2h 30m` or `PT3H`, not longer than a thousand years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
struct Lasting(SignedDuration);

impl TryFrom<String> for Lasting {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let wrong = "a time is written such as 90s, 2h 30m or PT3H, and is at most 8766000h";
        let lasting: SignedDuration = text.parse().map_err(|_| wrong)?;
        let possible = SignedDuration::ZERO..=SignedDuration::from_hours(8_766_000);
        if possible.contains(&lasting) { Ok(Self(lasting)) } else { Err(wrong) }
    }
}

/// Where in the file something stands, and what is wrong with it.
struct Wrong {
    /// From the whole to the value.
    path: Vec<Part>,
    what: String,
}

/// One part of a path.
enum Part {
    Field(String),
    Element(usize),
}

impl Wrong {
    fn new(what: impl Into<String>) -> Self {
        Self { path: Vec::new(), what: what.into() }
    }

    /// The same, within this field.
    fn within(mut self, field: &str) -> Self {
        self.path.insert(0, Part::Field(field.to_owned()));
        self
    }

    /// The same, within this element of that field.
    fn at(mut self, field: &str, index: usize) -> Self {
        self.path.insert(0, Part::Element(index));
        self.within(field)
    }

    fn told(self, text: &str) -> ScenarioError {
        let steps: Vec<Step<'_>> = self
            .path
            .iter()
            .map(|part| match part {
                Part::Field(name) => Step::Field(name),
                Part::Element(index) => Step::Element(*index),
            })
            .collect();
        let mut path = String::new();
        for part in &self.path {
            match part {
                Part::Field(name) if path.is_empty() => path.push_str(name),
                Part::Field(name) => {
                    path.push('.');
                    path.push_str(name);
                }
                Part::Element(index) => path.push_str(&format!("[{index}]")),
            }
        }
        ScenarioError::Value { line: place::line(text, &steps), path, what: self.what }
    }
}

/// The names of `count` things. `{n}` stands for the number of each, from 1; without it, more than one get `-1`, `-2` and so on.
fn names(name: &str, count: usize) -> impl Iterator<Item = String> {
    let pattern = match (name.contains("{n}"), count) {
        (false, 2..) => format!("{name}-{{n}}"),
        _ => name.to_owned(),
    };
    (1..=count).map(move |number| pattern.replace("{n}", &number.to_string()))
}

const fn one() -> usize {
    1
}

/// How many things a row may stand for.
fn counted(count: usize, most: usize) -> Result<usize, Wrong> {
    if (1..=most).contains(&count) {
        Ok(count)
    } else {
        Err(Wrong::new(format!("is out of range; write 1 to {most}")).within("count"))
    }
}

impl World {
    /// The world of a scenario file. Ids vary with `seed`, as everywhere.
    ///
    /// # Errors
    /// [`ScenarioError`]: the line, the path and what is wrong there.
    pub fn of_scenario(text: &str, seed: u64) -> Result<Self, ScenarioError> {
        let scenario: Scenario = serde_json::from_str(text).map_err(|error| {
            let what = error.to_string();
            let what = what.rsplit_once(" at line ").map_or(what.as_str(), |(what, _)| what).to_owned();
            ScenarioError::Form { line: error.line(), column: error.column(), what }
        })?;
        let mut world = match scenario.base {
            Base::Default => Self::seeded(seed),
            Base::Empty => {
                Self { seed, created: 0, regions: BTreeMap::new(), pyromind: PyroMind::empty(seed) }
            }
        };
        for (id, rows) in &scenario.regions {
            world.add(id, rows).map_err(|wrong| wrong.within(id).within("regions").told(text))?;
        }
        let pyromind = &mut world.pyromind;
        scenario.pyromind.add_to(pyromind).map_err(|wrong| wrong.within("pyromind").told(text))?;
        world.check()?;
        Ok(world)
    }

    fn add(&mut self, id: &str, rows: &Rows) -> Result<(), Wrong> {
        if !REGIONS.contains(&id) {
            return Err(Wrong::new("isn't a region of the cloud; docs/world.md lists them"));
        }
        let seed = self.seed;
        let taken: Vec<String> = self
            .regions
            .values()
            .flat_map(|region| {
                let workspaces = region.workspaces.iter().map(|workspace| &workspace.id);
                workspaces.chain(region.jobs.iter().map(|job| &job.id)).cloned()
            })
            .collect();
        let region = self.regions.entry(id.to_owned()).or_insert(Region::EMPTY);
        if let Some(activation) = rows.activation() {
            region.activation = activation;
        } else if !rows.is_empty() {
            region.activation = Activation::Active;
        }
        rows.add_to(region, id, seed, taken.into_iter().collect())
    }
}

/// The JSON schema of a scenario file.
pub fn schema() -> Value {
    let mut generator = schemars::generate::SchemaSettings::draft2020_12()
        .with(|it| it.inline_subschemas = true)
        .into_generator();
    generator.root_schema_for::<Scenario>().to_value()
}

#[cfg(test)]
mod tests;
