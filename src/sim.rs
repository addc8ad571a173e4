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
//! [`faults`] scripts what a real cloud does at the wrong moment. [`listen`] serves the same cloud over real HTTP,
//! to clients that aren't ours.

mod aiworkspace;
pub mod clock;
mod dlc;
pub mod faults;
pub mod listen;
mod params;
mod pyromind;
mod reply;
mod route;
#[cfg(test)]
mod testkit;
mod verify;
pub mod world;

use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::cloud::transport::{Exchange, Transport};
use faults::{Faults, Kind};
use params::Query;
use reply::CloudError;
use route::{Endpoint, Route};
use world::World;
use world::file::StateFile;

pub use pyromind::PYROMIND_API_KEY;
pub use verify::{
    ACCESS_KEY_ID, ACCESS_KEY_SECRET, STS_ACCESS_KEY_ID, STS_ACCESS_KEY_SECRET, STS_SECURITY_TOKEN,
};

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
    journal: Vec<Entry>,
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
    /// HTTP status of the answer.
    pub status: u16,
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
                journal: Vec::new(),
            }),
        }
    }

    /// Every request of this process so far, in arrival order, refused ones too. Those over HTTP aren't kept: a server
    /// that runs for weeks would only grow.
    pub fn journal(&self) -> Vec<Entry> {
        self.lock().journal.clone()
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

    fn answer(
        &self,
        request: &Request<Bytes>,
        via: Via<'_>,
        now: impl FnOnce() -> Timestamp,
    ) -> Response<Bytes> {
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
        Box::pin(async move { Ok(self.answer(&request, Via::Process, || at)) })
    }
}

impl Inner {
    fn answer(&mut self, request: &Request<Bytes>, via: Via<'_>, at: Timestamp) -> Response<Bytes> {
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
        };
        let response = if Endpoint::is_pyromind(request, &host) {
            let answer = self.handle_pyromind(request, &query, at, &mut entry);
            self.reply_pyromind(answer)
        } else {
            let result = self.handle(request, &host, &query, via, at, &mut entry);
            self.reply(result, &host)
        };
        if let Some(file) = &mut self.file {
            file.keep(&self.world);
        }
        entry.status = response.status().as_u16();
        match via {
            Via::Process => self.journal.push(entry),
            Via::Http { .. } => {}
        }
        response
    }

    /// The answer to the next request.
    fn reply(&mut self, result: Result<Map<String, Value>, CloudError>, host: &str) -> Response<Bytes> {
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
    ) -> Result<Map<String, Value>, CloudError> {
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

        let world = &mut self.world;
        if let Some(Kind::NameRace { same }) = self.faults.strike(&tool) {
            aiworkspace::win_name_race(world, region, request.body(), same, at);
        }
        match route {
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
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;
    use jiff::SignedDuration;
    use testkit::{AT, Call, DLC, WORKSPACE, code, exchange, job_id, simulator};

    const JOB: &str = "/api/v1/jobs/dlc0";

    /// Sends a request whose headers were changed, then signs it if `signed`.
    fn altered(
        simulator: &Simulator,
        host: &str,
        change: impl FnOnce(&mut HeaderMap),
        signed: bool,
    ) -> (u16, String) {
        let call = if host == DLC {
            Call::get(host, JOB, "GetJob")
        } else {
            Call::get(host, "/api/v1/products", "ListProducts")
        };
        let mut request = call.signed();
        change(request.headers_mut());
        if signed {
            verify::sign(&mut request, ACCESS_KEY_ID, ACCESS_KEY_SECRET);
        }
        code(exchange(simulator, request, AT))
    }

    fn set(name: &'static str, value: &'static str) -> impl FnOnce(&mut HeaderMap) {
        move |headers| {
            headers.insert(name, value.parse().unwrap());
        }
    }

    /// R-DLC-19, R-WS-94
    #[test]
    fn a_request_without_the_agents_user_agent_fails() {
        let simulator = simulator();
        let agent = |host, value| altered(&simulator, host, set("user-agent", value), true);
        let refused = (400, "InvalidUserAgent".to_owned());
        assert_eq!(agent(DLC, "AlibabaCloud-Agent-Skills"), refused);
        assert_eq!(agent(DLC, "redline AlibabaCloud-Agent-Skills/alibabacloud-pai-dlc-job"), refused);
        assert_eq!(agent(DLC, "AlibabaCloud-Agent-Skills/alibabacloud-pai-dlc-jobs"), refused);
        assert_eq!(
            agent(DLC, "AlibabaCloud-Agent-Skills/alibabacloud-pai-dlc-job redline/1").1,
            "NotFound.Job"
        );
        assert_eq!(agent(WORKSPACE, "curl/8"), refused);
        assert_eq!(agent(WORKSPACE, "AlibabaCloud-Agent-Skills redline/1"), (200, String::new()));
        assert_eq!(
            altered(&simulator, WORKSPACE, |headers| drop(headers.remove("user-agent")), true),
            refused
        );
    }

    #[test]
    fn action_and_version_must_be_those_of_the_path() {
        let simulator = simulator();
        let with = |name, value| altered(&simulator, WORKSPACE, set(name, value), true);
        assert_eq!(with("x-acs-version", "2020-12-03"), (400, "InvalidVersion".to_owned()));
        assert_eq!(with("x-acs-action", "ListWorkspaces"), (404, "InvalidAction.NotFound".to_owned()));
        let unknown = Call::get(WORKSPACE, "/api/v1/quotas", "ListQuotas").send(&simulator);
        assert_eq!(code(unknown), (404, "InvalidAction.NotFound".to_owned()));
        let elsewhere = Call::get("ecs.cn-hangzhou.aliyuncs.com", "/", "RunInstances").send(&simulator);
        assert_eq!(code(elsewhere), (404, "InvalidProduct.NotFound".to_owned()));
    }

    #[test]
    fn an_error_says_what_the_gateways_do() {
        let (status, mut body) = Call::get(DLC, JOB, "GetJob").send(&simulator());
        let id = body.as_object_mut().unwrap().remove("RequestId").unwrap();
        let id = id.as_str().unwrap();
        let expected = serde_json::json!({
            "Code": "NotFound.Job",
            "Message": "The job does not exist.",
            "HostId": DLC,
            "Recommend": format!("https://api.aliyun.com/troubleshoot?q=NotFound.Job&requestId={id}"),
        });
        assert_eq!((status, body), (404, expected));
    }

    #[test]
    fn the_journal_holds_refused_requests_too() {
        let simulator = simulator();
        let path = "/api/v1/workspaces?Option=CheckWorkspaceExists&WorkspaceName=nlp%5Flab";
        Call::get(WORKSPACE, path, "ListWorkspaces").send(&simulator);
        altered(&simulator, DLC, |headers| drop(headers.remove("authorization")), false);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let expected = [
            Entry {
                tool: Some("aiworkspace_list_workspaces".to_owned()),
                region: Some("cn-hangzhou".to_owned()),
                cluster: None,
                method: "GET".to_owned(),
                path: "/api/v1/workspaces".to_owned(),
                query: vec![pair("Option", "CheckWorkspaceExists"), pair("WorkspaceName", "nlp_lab")],
                verified: true,
                status: 200,
            },
            Entry {
                tool: Some("dlc_get_job".to_owned()),
                region: Some("cn-hangzhou".to_owned()),
                cluster: None,
                method: "GET".to_owned(),
                path: JOB.to_owned(),
                query: Vec::new(),
                verified: false,
                status: 400,
            },
        ];
        assert_eq!(simulator.journal(), expected);
    }

    #[test]
    fn a_fault_counts_only_requests_that_were_signed() {
        let faults = r#"[{"tool": "aiworkspace_create_workspace", "nth": 1, "fault": "name-race"}]"#;
        let simulator = Simulator::new(World::seeded(1), Faults::parse(faults).unwrap());
        let wish = serde_json::json!({"WorkspaceName": "new_team", "Description": "d", "EnvTypes": ["prod"]});
        let call = || Call::post(WORKSPACE, "/api/v1/workspaces", "CreateWorkspace", &wish);
        let mut unsigned = call().signed();
        unsigned.headers_mut().remove("authorization");
        assert_eq!(code(exchange(&simulator, unsigned, AT)), (400, "IncompleteSignature".to_owned()));
        assert_eq!(code(call().send(&simulator)), (409, "WorkspaceNameAlreadyExists".to_owned()));
    }

    #[test]
    fn reads_and_time_leave_the_state_alone() {
        let simulator = simulator();
        let before = simulator.state().unwrap();
        let later = AT + SignedDuration::from_hours(48);
        for at in [AT, later] {
            Call::get(WORKSPACE, "/api/v1/workspaces", "ListWorkspaces").at(at).send(&simulator);
            let id = before["regions"]["cn-hangzhou"]["jobs"][0]["id"].as_str().unwrap();
            for (path, action) in [
                ("", "GetJob"),
                ("/events", "GetJobEvents"),
                (&format!("/pods/{id}-master-0/events"), "GetPodEvents"),
                (&format!("/pods/{id}-master-0/logs"), "GetPodLogs"),
            ] {
                let read = Call::get(DLC, &format!("/api/v1/jobs/{id}{path}"), action).at(at);
                assert_eq!(read.send(&simulator).0, 200, "{action}");
            }
            Call::get(DLC, "/api/v1/jobs?ShowOwn=false", "ListJobs").at(at).send(&simulator);
        }
        assert_eq!(simulator.state().unwrap(), before);
    }

    #[test]
    fn a_run_repeats_to_the_byte() {
        let run = || {
            let simulator = simulator();
            let wish =
                serde_json::json!({"WorkspaceName": "new_team", "Description": "d", "EnvTypes": ["prod"]});
            let created =
                Call::post(WORKSPACE, "/api/v1/workspaces", "CreateWorkspace", &wish).send(&simulator);
            let job = job_id("detector-pretrain");
            let get = |host, path: &str, action| Call::get(host, path, action).send(&simulator);
            let stop = format!("/api/v1/jobs/{job}/stop");
            let logs = format!("/api/v1/jobs/{job}/pods/{job}-worker-1/logs");
            [
                created,
                get(WORKSPACE, "/api/v1/workspaces", "ListWorkspaces"),
                Call::act(DLC, &stop, "StopJob").send(&simulator),
                get(DLC, "/api/v1/jobs?ShowOwn=false", "ListJobs"),
                get(DLC, &logs, "GetPodLogs"),
            ]
        };
        assert_eq!(run(), run());
    }

    #[test]
    fn a_poisoned_lock_still_serves() {
        let simulator = simulator();
        std::thread::scope(|scope| {
            let poisoner = scope.spawn(|| {
                let _held = simulator.lock();
                panic!("poison the lock");
            });
            assert!(poisoner.join().is_err());
        });
        assert!(simulator.inner.is_poisoned());
        assert_eq!(Call::get(WORKSPACE, "/api/v1/products", "ListProducts").send(&simulator).0, 200);
    }
}
