//! PyroMind as its reference documents it: sandboxes, instances, inference tasks and training jobs.
//!
//! A second cloud beside PAI, with nothing in common but the world: requests carry a bearer key instead of a
//! signature, and every answer is the envelope `{code, message, data}` whose code is the HTTP status
//! ([`envelope`]). [`route`] finds the operation, [`params`] reads query and body, and a file for each family
//! of operations does the work. A further family has its first word in `route::FAMILIES`, its operations in
//! [`route::Operation`], its arm in [`handle`] and its state in
//! [`PyroMind`](super::world::pyromind::PyroMind).

mod actions;
mod envelope;
mod inference;
mod instances;
mod params;
mod route;
mod sandboxes;
#[cfg(test)]
mod testkit;
mod training;

use http::HeaderMap;
use jiff::Timestamp;

use super::faults::Kind;
use super::params::Query;
use super::verify::authorization;
use super::world::pyromind::PyroMind;

pub(super) use envelope::{Answer, Failure, render};
pub(super) use route::{HOST, Operation, has_family};

/// The bearer key that the simulated PyroMind knows; it opens nothing but this simulator.
pub const PYROMIND_API_KEY: &str = "redline-sim";

/// A bucket of a name with this can't be written to.
const DENIED: &str = "denied";
/// What has this in its name isn't there: a script, a package, data.
const MISSING: &str = "missing";

/// Lets through only a request with the key that is known.
pub(super) fn authenticate(headers: &HeaderMap) -> Result<(), Failure> {
    match authorization(headers).and_then(|value| value.split_once(' ')) {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") && key.trim() == PYROMIND_API_KEY => {
            Ok(())
        }
        _ => Err(Failure::unauthorized()),
    }
}

/// Carries out an operation, after what `fault` has befall it.
pub(super) fn handle(
    cloud: &mut PyroMind,
    operation: &Operation,
    fault: Option<Kind>,
    query: &Query,
    body: &[u8],
    at: Timestamp,
) -> Answer {
    if let Some(Kind::NameRace { same }) = fault {
        win_name_race(cloud, operation, same, body, at);
    }
    match operation {
        Operation::ListSandboxes => sandboxes::list(cloud, query, at),
        Operation::CreateSandbox => sandboxes::create(cloud, body, at),
        Operation::GetSandbox(id) => sandboxes::get(cloud, id, at),
        Operation::DeleteSandbox(id) => sandboxes::delete(cloud, id, query, at),
        Operation::ExecuteSandboxAction(id) => actions::execute(cloud, id, body, at),
        Operation::GetSandboxVnc(id) => sandboxes::get_vnc(cloud, id, query, at),
        Operation::ExecuteSandboxBatchActions(id) => actions::execute_batch(cloud, id, body, at),
        Operation::ListInstances => instances::list(cloud, query, at),
        Operation::CreateInstance => instances::create(cloud, body, at),
        Operation::GetInstance(id) => instances::get(cloud, id, at),
        Operation::DeleteInstance(id) => instances::delete(cloud, id, query, at),
        Operation::EditInstance(id) => instances::edit(cloud, id, body, at),
        Operation::PauseInstance(id) => instances::pause(cloud, id, query, at),
        Operation::ResumeInstance(id) => instances::resume(cloud, id, query, body, at),
        Operation::GetInstanceAccessToken(id) => instances::get_access_token(cloud, id, query, at),
        Operation::CreateInferenceTask => inference::create(cloud, body, at),
        Operation::ListInferenceTasks => inference::list(cloud, query, at),
        Operation::GetInferenceTask(id) => inference::get(cloud, id, query, at),
        Operation::DeleteInferenceTask(id) => inference::delete(cloud, id, query, at),
        Operation::SubmitTrainingJob => training::submit(cloud, body, at),
        Operation::ListTrainingJobs => training::list(cloud, query, at),
        Operation::GetTrainingJob(id) => training::get(cloud, id, query, at),
        Operation::DeleteTrainingJob(id) => training::delete(cloud, id, query, at),
        Operation::PauseTrainingJob(id) => training::pause(cloud, id, query, at),
        Operation::ResumeTrainingJob(id) => training::resume(cloud, id, query, at),
    }
}

/// Somebody else creates what the call asks for; unless it is to be the `same`, with one CPU more, with other data or
/// with one epoch more, whichever shows. The rival gets the same errors as anyone else, and nobody is there to read
/// them.
fn win_name_race(cloud: &mut PyroMind, operation: &Operation, same: bool, body: &[u8], at: Timestamp) {
    let more_cpu = if same { 0 } else { 1 };
    match operation {
        Operation::CreateSandbox => drop(sandboxes::rival(cloud, body, more_cpu, at)),
        Operation::CreateInstance => drop(instances::rival(cloud, body, more_cpu, at)),
        Operation::CreateInferenceTask => drop(inference::rival(cloud, body, !same, at)),
        Operation::SubmitTrainingJob => drop(training::rival(cloud, body, !same, at)),
        Operation::ListSandboxes
        | Operation::GetSandbox(_)
        | Operation::DeleteSandbox(_)
        | Operation::ExecuteSandboxAction(_)
        | Operation::GetSandboxVnc(_)
        | Operation::ExecuteSandboxBatchActions(_)
        | Operation::ListInstances
        | Operation::GetInstance(_)
        | Operation::DeleteInstance(_)
        | Operation::EditInstance(_)
        | Operation::PauseInstance(_)
        | Operation::ResumeInstance(_)
        | Operation::GetInstanceAccessToken(_)
        | Operation::ListInferenceTasks
        | Operation::GetInferenceTask(_)
        | Operation::DeleteInferenceTask(_)
        | Operation::ListTrainingJobs
        | Operation::GetTrainingJob(_)
        | Operation::DeleteTrainingJob(_)
        | Operation::PauseTrainingJob(_)
        | Operation::ResumeTrainingJob(_) => {}
    }
}

#[cfg(test)]
mod tests;
