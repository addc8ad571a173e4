//! The embedded simulator: two small clouds behind the client's own transport, PAI and PyroMind.
//!
//! It isn't a mock. It receives the same signed HTTP requests as the real hosts, shares no request type
//! with the client, and believes nothing: `route` finds the product, region and operation, `verify`
//! checks the signature by its own canonicalisation, `params` reads query and body strictly, and only then
//! a handler (`aiworkspace`, `dlc`) touches the [`world`]. What goes wrong is answered as the cloud's
//! gateway answers it (`reply`). PyroMind speaks another dialect and has a room of its own (`pyromind`).
//!
//! Nothing here is random and nothing reads a clock: the world comes from a seed, ids from the seed and the
//! order of creation, and time from the `at` of each request (a [`clock::LogicalClock`] hands it out). The
//! state holds instants, never statuses, so it looks the same however far the clock has moved.
//! [`faults`] scripts what a real cloud does at the wrong moment, `delivery` what then reaches the client. [`listen`] serves the same cloud over real HTTP,
//! to clients that aren't ours.

mod aiworkspace;
pub mod clock;
mod delivery;
mod dlc;
pub mod faults;
pub mod listen;
mod params;
mod place;
mod pyromind;
mod reply;
mod route;
#[cfg(test)]
mod testkit;
mod verify;
pub mod world;

use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use serde_json::Value;

use crate::cloud::transport::http::Limits;
use crate::cloud::transport::{Exchange, Transport, TransportError};
use delivery::Delivery;
use faults::{Faults, Instead, Kind};
use params::Query;
use reply::{Answer, CloudError};
use route::{Endpoint, Route};
use world::World;
use world::file::StateFile;

pub use pyromind::PYROMIND_API_KEY;
pub use verify::{
    ACCESS_KEY_ID, ACCESS_KEY_SECRET, STS_ACCESS_KEY_ID, STS_ACCESS_KEY_SECRET, STS_SECURITY_TOKEN,
};

/// How many requests the journal holds; the oldest go first.
const JOURNAL: usize = 1_000;

/// Two clouds in this process: PAI, that is PAI-DLC 2020-12-03 and AIWorkSpace 2021-02-04, and PyroMind.
///
/// Requests are handled one at a time, in arrival order.
pub struct Simulator {
    inner: Mutex<Inner>,
}

struct Inner {
    world: World,
    faults: Faults,
    nonces: verify::Nonces,
    file: Option<StateFile>,
    /// How many requests came so far.
    requests: usize,
    journal: VecDeque<Entry>,
}

/// How a request reached the simulator.
#[derive(Clone, Copy)]
enum Via<'a> {
    /// Through [`Transport`], from this project's own client.
    Process,
    /// Over HTTP, from whatever client speaks it.
    Http {
        /// The region of a host that names none.
        region: &'a str,
    },
}

/// One request as the simulator saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The tool that the operation belongs to, such as `dlc_create_job`; `None` when no operation was found.
    pub tool: Option<String>,
    /// The region that the host named; `None` for a host that names none.
    pub region: Option<String>,
    /// The cluster that a PyroMind request chose by `X-Cluster`, which changes nothing here.
    pub cluster: Option<String>,
    /// HTTP method.
    pub method: String,
    /// Path as sent, percent-encoded.
    pub path: String,
    /// Query parameters, decoded, in the order sent.
    pub query: Vec<(String, String)>,
    /// Whether the signature or key held; `false` also when the request was refused before that check.
    pub verified: bool,
    /// HTTP status of the answer that the cloud made, whether or not it arrived.
    pub status: u16,
    /// What a scripted fault did to the request or its answer.
    pub fault: Option<Kind>,
}

impl Simulator {
    /// A cloud that holds `world` and misbehaves as `faults` say.
    pub fn new(world: World, faults: Faults) -> Self {
        Self {
            inner: Mutex::new(Inner {
                world,
                faults,
                nonces: verify::Nonces::default(),
                file: None,
                requests: 0,
                journal: VecDeque::new(),
            }),
        }
    }

    /// The last 1,000 requests of this process, in arrival order, refused ones too. Those over HTTP aren't kept.
    pub fn journal(&self) -> Vec<Entry> {
        self.lock().journal.iter().cloned().collect()
    }

    /// The domain state as JSON: instants, no derived statuses, no clock, nothing that a read changes.
    ///
    /// # Errors
    /// When a value of the world has no JSON form.
    pub fn state(&self) -> Result<Value, serde_json::Error> {
        serde_json::to_value(&self.lock().world)
    }

    /// Keeps the state in `path`: now, and after every change from now on, whole or not at all. A file that holds
    /// this very state isn't written. When a later write fails, the change stays and is answered, the failure is
    /// logged once, and each next request tries again.
    ///
    /// # Errors
    /// When the file can't be written now.
    pub fn save_to(&self, path: PathBuf) -> io::Result<()> {
        let mut inner = self.lock();
        inner.file = Some(StateFile::open(path, &inner.world)?);
        Ok(())
    }

    fn answer(&self, request: &Request<Bytes>, via: Via<'_>, now: impl FnOnce() -> Timestamp) -> Delivery {
        let mut inner = self.lock();
        // Taken under the lock, so that time doesn't run backwards from one request to the next.
        let at = now();
        inner.answer(request, via, at)
    }

    /// A panic elsewhere leaves the world as it was after some whole step, so a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport for Simulator {
    fn send<'a>(&'a self, request: Request<Bytes>, at: Timestamp) -> Exchange<'a> {
        Box::pin(async move {
            let delivery = self.answer(&request, Via::Process, || at);
            let default = Limits::default();
            let patience = request.extensions().get().copied().unwrap_or(default.patience);
            delivery
                .received(&Limits { patience, ..default })
                .map_err(|reason| TransportError::Lost { host: route::host(&request), reason })
        })
    }
}

impl Inner {
    fn answer(&mut self, request: &Request<Bytes>, via: Via<'_>, at: Timestamp) -> Delivery {
        let host = route::host(request);
        let query = Query::parse(request.uri().query().unwrap_or_default());
        let mut entry = Entry {
            tool: None,
            region: None,
            cluster: None,
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            query: query.pairs().to_vec(),
            verified: false,
            status: 0,
            fault: None,
        };
        let response = if Endpoint::is_pyromind(request, &host) {
            let answer = self.handle_pyromind(request, &query, at, &mut entry);
            let instead = entry.fault.and_then(|fault| fault.instead());
            self.reply_pyromind(match instead {
                Some(Instead { status, message, .. }) => Err(pyromind::Failure::new(status, message)),
                None => answer,
            })
        } else {
            let result = self.handle(request, &host, &query, via, at, &mut entry);
            let instead = entry.fault.and_then(|fault| fault.instead());
            let result = instead.map_or(result, |instead| Err(instead.into()));
            self.reply(result, &host)
        };
        if let Some(file) = &mut self.file {
            file.keep(&self.world);
        }
        entry.status = response.status().as_u16();
        let delivery = Delivery::of(response, entry.fault);
        match via {
            Via::Process => {
                if self.journal.len() == JOURNAL {
                    self.journal.pop_front();
                }
                self.journal.push_back(entry);
            }
            Via::Http { .. } => {}
        }
        delivery
    }

    /// The answer to the next request.
    fn reply(&mut self, result: Result<Answer, CloudError>, host: &str) -> Response<Bytes> {
        let request_id = self.next_request_id();
        reply::render(result, &request_id, host)
    }

    /// The same in PyroMind's envelope.
    fn reply_pyromind(&mut self, answer: pyromind::Answer) -> Response<Bytes> {
        let trace_id = self.next_request_id().to_lowercase();
        pyromind::render(answer, &trace_id)
    }

    fn next_request_id(&mut self) -> String {
        let request_id = self.world.request_id(self.requests);
        self.requests += 1;
        request_id
    }

    /// Refuses what never became a request that could be read.
    fn refuse(&mut self, error: CloudError, head: &Request<()>) -> Response<Bytes> {
        let host = route::host(head);
        if Endpoint::is_pyromind(head, &host) {
            self.reply_pyromind(Err(pyromind::Failure::new(error.status, error.message)))
        } else {
            self.reply(Err(error), &host)
        }
    }

    fn handle_pyromind(
        &mut self,
        request: &Request<Bytes>,
        query: &Query,
        at: Timestamp,
        entry: &mut Entry,
    ) -> pyromind::Answer {
        let cluster = request.headers().get("x-cluster").and_then(|value| value.to_str().ok());
        entry.cluster = cluster.map(str::to_owned);
        let operation = pyromind::Operation::find(request.method(), request.uri().path());
        entry.tool = operation.as_ref().map(|operation| operation.tool().to_owned());
        pyromind::authenticate(request.headers())?;
        entry.verified = true;
        let operation = operation.ok_or_else(pyromind::Failure::no_endpoint)?;
        let fault = self.faults.strike(operation.tool());
        entry.fault = fault;
        if let Some(Instead { status, message, .. }) = spared(fault) {
            return Err(pyromind::Failure::new(status, message));
        }
        pyromind::handle(&mut self.world.pyromind, &operation, fault, query, request.body(), at)
    }

    fn handle(
        &mut self,
        request: &Request<Bytes>,
        host: &str,
        query: &Query,
        via: Via<'_>,
        at: Timestamp,
        entry: &mut Entry,
    ) -> Result<Answer, CloudError> {
        let Endpoint { product, region } = match via {
            Via::Process => Endpoint::parse(host)?,
            Via::Http { region } => Endpoint::served(host, request.headers(), region)?,
        };
        entry.region = Some(region.to_owned());
        let route = Route::find(product, request.method(), request.uri().path())?;
        let tool = route.tool();
        entry.tool = Some(tool.clone());
        route.check_headers(request.headers())?;
        verify::verify(request, host, query, at, &mut self.nonces)?;
        entry.verified = true;
        match via {
            Via::Process => product.check_user_agent(request.headers())?,
            // A real gateway takes any client's.
            Via::Http { .. } => {}
        }

        entry.fault = self.faults.strike(&tool);
        if let Some(instead) = spared(entry.fault) {
            return Err(instead.into());
        }
        let world = &mut self.world;
        if let Some(Kind::NameRace { same }) = entry.fault {
            aiworkspace::win_name_race(world, region, request.body(), same, at);
        }
        let names_request = route.names_request();
        let body = match route {
            Route::ListProducts => aiworkspace::list_products(world, region, query),
            Route::ListWorkspaces => aiworkspace::list_workspaces(world, region, query, at),
            Route::GetWorkspace(id) => aiworkspace::get_workspace(world, region, &id, query, at),
            Route::CreateWorkspace => aiworkspace::create_workspace(world, region, request.body(), at),
            Route::ListImages => aiworkspace::list_images(world, region, query),
            Route::GetImage(id) => aiworkspace::get_image(world, region, &id, query),
            Route::ListDatasets => aiworkspace::list_datasets(world, region, query),
            Route::GetDataset(id) => aiworkspace::get_dataset(world, region, &id),
            Route::ListCodeSources => aiworkspace::list_code_sources(world, region, query),
            Route::GetCodeSource(id) => aiworkspace::get_code_source(world, region, &id),
            Route::CreateJob => dlc::create_job(world, region, request.body(), at),
            Route::ListJobs => dlc::list_jobs(world, region, query, at),
            Route::GetJob(id) => dlc::get_job(world, region, &id, query, at),
            Route::UpdateJob(id) => dlc::update_job(world, region, &id, request.body(), at),
            Route::StopJob(id) => dlc::stop_job(world, region, &id, at),
            Route::GetJobMetrics(id) => dlc::get_job_metrics(world, region, &id, query, at),
            Route::GetJobSanityCheckResult(id) => {
                dlc::get_job_sanity_check_result(world, region, &id, query, at)
            }
            Route::ListJobSanityCheckResults(id) => {
                dlc::list_job_sanity_check_results(world, region, &id, query, at)
            }
            Route::ListEcsSpecs => dlc::list_ecs_specs(query),
            Route::GetJobEvents(id) => dlc::get_job_events(world, region, &id, query, at),
            Route::GetPodEvents(id, pod) => dlc::get_pod_events(world, region, (&id, &pod), query, at),
            Route::GetPodLogs(id, pod) => dlc::get_pod_logs(world, region, (&id, &pod), query, at),
            Route::GetWebTerminal(id, pod) => dlc::get_web_terminal(world, region, (&id, &pod), query, at),
            Route::GetDashboard(id) => dlc::get_dashboard(world, region, &id, query, at),
            Route::GetRayDashboard(id) => dlc::get_ray_dashboard(world, region, &id, query, at),
            Route::GetToken => dlc::get_token(world, region, query, at),
            Route::CreateTensorboard => dlc::create_tensorboard(world, region, request.body(), at),
            Route::ListTensorboards => dlc::list_tensorboards(world, region, query, at),
            Route::GetTensorboard(id) => dlc::get_tensorboard(world, region, &id, query, at),
            Route::UpdateTensorboard(id) => dlc::update_tensorboard(world, region, &id, query, at),
            Route::StartTensorboard(id) => dlc::start_tensorboard(world, region, &id, query, at),
            Route::StopTensorboard(id) => dlc::stop_tensorboard(world, region, &id, query, at),
            Route::GetTensorboardSharedUrl(id) => dlc::get_shared_url(world, region, &id, query, at),
            Route::CreateJobTemplate => dlc::create_job_template(world, region, request.body(), at),
            Route::ListJobTemplates => dlc::list_job_templates(world, region, query),
            Route::GetJobTemplate(id) => dlc::get_job_template(world, region, &id, query),
            Route::UpdateJobTemplate(id) => dlc::update_job_template(world, region, &id, request.body(), at),
            Route::SetJobTemplateDefaultVersion(id) => {
                dlc::set_job_template_default_version(world, region, &id, request.body(), at)
            }
        }?;
        Ok(Answer { body, names_request })
    }
}

/// The error of a fault that keeps a request from being carried out.
fn spared(fault: Option<Kind>) -> Option<Instead> {
    fault.filter(|fault| !fault.is_carried_out()).and_then(|fault| fault.instead())
}

impl From<Instead> for CloudError {
    fn from(Instead { status, code, message }: Instead) -> Self {
        Self::new(status, code, message.to_owned())
    }
}

#[cfg(test)]
mod tests;
