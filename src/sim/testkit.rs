//! A bare client for the simulator's own tests: it signs with the verifier's canonicalisation, which the
//! official vectors pin.

use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use data_encoding::HEXLOWER;
use http::{Request, Response};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::world::{CANARIES, Job, World};
use super::{ACCESS_KEY_ID, ACCESS_KEY_SECRET, Simulator, clock, faults::Faults, verify};
use crate::cloud::transport::Transport;

/// The instant at which tests live unless they say otherwise.
pub(super) const AT: Timestamp = clock::DEFAULT_START;

pub(super) const WORKSPACE: &str = "aiworkspace.cn-hangzhou.aliyuncs.com";
pub(super) const DLC: &str = "pai-dlc.cn-hangzhou.aliyuncs.com";

pub(super) struct Call {
    request: http::request::Builder,
    body: Bytes,
    at: Timestamp,
}

impl Call {
    pub(super) fn get(host: &str, path: &str, action: &str) -> Self {
        Self::new("GET", host, path, action, Bytes::new())
    }

    pub(super) fn post(host: &str, path: &str, action: &str, body: &Value) -> Self {
        Self::new("POST", host, path, action, body.to_string().into())
    }

    /// A PUT.
    pub(super) fn replace(host: &str, path: &str, action: &str, body: &Value) -> Self {
        Self::new("PUT", host, path, action, body.to_string().into())
    }

    /// A POST without a body.
    pub(super) fn act(host: &str, path: &str, action: &str) -> Self {
        Self::new("POST", host, path, action, Bytes::new())
    }

    /// A PUT without a body.
    pub(super) fn put(host: &str, path: &str, action: &str) -> Self {
        Self::new("PUT", host, path, action, Bytes::new())
    }

    fn new(method: &str, host: &str, path: &str, action: &str, body: Bytes) -> Self {
        static NONCE: AtomicU64 = AtomicU64::new(0);
        let version = if host.starts_with("pai-dlc") { "2020-12-03" } else { "2021-02-04" };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("https://{host}{path}"))
            .header("user-agent", "AlibabaCloud-Agent-Skills/alibabacloud-pai-dlc-job test")
            .header("x-acs-action", action)
            .header("x-acs-version", version)
            .header("x-acs-signature-nonce", NONCE.fetch_add(1, Ordering::Relaxed).to_string())
            .header("x-acs-content-sha256", HEXLOWER.encode(&Sha256::digest(&body)));
        if !body.is_empty() {
            request = request.header("content-type", "application/json; charset=utf-8");
        }
        Self { request, body, at: AT }
    }

    pub(super) fn at(mut self, at: Timestamp) -> Self {
        self.at = at;
        self
    }

    /// The request, dated and signed with the simulator's key.
    pub(super) fn signed(self) -> Request<Bytes> {
        let mut request = self.request.header("x-acs-date", self.at.to_string()).body(self.body).unwrap();
        verify::sign(&mut request, ACCESS_KEY_ID, ACCESS_KEY_SECRET);
        request
    }

    /// Sends it and takes the answer apart.
    pub(super) fn send(self, simulator: &Simulator) -> (u16, Value) {
        let at = self.at;
        exchange(simulator, self.signed(), at)
    }
}

/// Sends a request as it stands.
pub(super) fn transmit(simulator: &Simulator, request: Request<Bytes>, at: Timestamp) -> Response<Bytes> {
    let mut answer = pin!(simulator.send(request, at));
    let Poll::Ready(response) = answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("the simulator never waits");
    };
    response.unwrap()
}

pub(super) fn exchange(simulator: &Simulator, request: Request<Bytes>, at: Timestamp) -> (u16, Value) {
    let response = transmit(simulator, request, at);
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    let id = response.headers()["x-acs-request-id"].to_str().unwrap();
    // The answer with a dashboard is the one that doesn't name its request.
    let named = body.get("RequestID").or_else(|| body.get("RequestId"));
    assert!(named.map_or(body.get("url").is_some(), |named| named == id), "{body}");
    (response.status().as_u16(), body)
}

pub(super) fn simulator() -> Simulator {
    Simulator::new(World::seeded(1), Faults::default())
}

/// Submits a job of two workers in cn-hangzhou's `vision_train` at [`AT`].
pub(super) fn submit(simulator: &Simulator, command: &str) -> String {
    let image = "registry-vpc.cn-hangzhou.aliyuncs.com/vision-team/detector:2025.11";
    let body = json!({
        "DisplayName": "train",
        "JobType": "PyTorchJob",
        "WorkspaceId": workspace_id("vision_train"),
        "JobSpecs": [{"Type": "Worker", "Image": image, "PodCount": 2, "EcsSpec": "ecs.gn6i-c4g1.xlarge"}],
        "UserCommand": command,
    });
    let (_, reply) = Call::post(DLC, "/api/v1/jobs", "CreateJob", &body).send(simulator);
    reply["JobId"].as_str().unwrap().to_owned()
}

/// The id of the seeded job of cn-hangzhou whose name starts so.
pub(super) fn job_id(name: &str) -> String {
    let world = World::seeded(1);
    let named = |job: &&Job| job.request["DisplayName"].as_str().unwrap().starts_with(name);
    world.region("cn-hangzhou").jobs.iter().find(named).unwrap().id.clone()
}

/// Status and code of an error.
pub(super) fn code((status, body): (u16, Value)) -> (u16, String) {
    (status, body["Code"].as_str().unwrap_or_default().to_owned())
}

/// The id of a workspace of cn-hangzhou in the default world.
pub(super) fn workspace_id(name: &str) -> String {
    let world = World::seeded(1);
    let workspace = world.region("cn-hangzhou").workspaces.iter().find(|workspace| workspace.name == name);
    workspace.unwrap().id.clone()
}

pub(super) fn canaries_in(text: &str) -> Vec<&'static str> {
    CANARIES.iter().copied().filter(|canary| text.contains(canary)).collect()
}
