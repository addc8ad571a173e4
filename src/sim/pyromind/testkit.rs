//! A bare PyroMind client for the simulator's own tests.

use bytes::Bytes;
use http::Request;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::sim::faults::Faults;
use crate::sim::testkit::{AT, transmit};
use crate::sim::world::World;
use crate::sim::{PYROMIND_API_KEY, Simulator};

/// A simulator, and requests to its PyroMind. Each is sent so many seconds after the clock's start.
pub(super) struct Cloud(pub(super) Simulator);

impl Cloud {
    pub(super) fn new() -> Self {
        Self::with_faults("[]")
    }

    pub(super) fn with_faults(faults: &str) -> Self {
        Self(Simulator::new(World::seeded(1), Faults::parse(faults).unwrap()))
    }

    pub(super) fn get(&self, path: &str, second: i64) -> Value {
        self.send(request("GET", path, &Value::Null), second)
    }

    pub(super) fn delete(&self, path: &str, second: i64) -> Value {
        self.send(request("DELETE", path, &Value::Null), second)
    }

    pub(super) fn post(&self, path: &str, body: &Value, second: i64) -> Value {
        self.send(request("POST", path, body), second)
    }

    pub(super) fn put(&self, path: &str, body: &Value, second: i64) -> Value {
        self.send(request("PUT", path, body), second)
    }

    /// Sends a request and checks what every answer has: the three fields, the status twice, a trace id.
    pub(super) fn send(&self, request: Request<Bytes>, second: i64) -> Value {
        let response = transmit(&self.0, request, instant(second));
        let envelope: Value = serde_json::from_slice(response.body()).unwrap();
        let names: Vec<&String> = envelope.as_object().unwrap().keys().collect();
        assert_eq!(names, ["code", "message", "data"]);
        assert_eq!(envelope["code"], response.status().as_u16());
        assert_eq!(response.headers()["x-trace-id"].len(), 36);
        envelope
    }

    /// The status that anything shows.
    pub(super) fn status(&self, path: &str, second: i64) -> Value {
        self.get(path, second)["data"]["status"].clone()
    }
}

/// A request with the key; no body for null.
pub(super) fn request(method: &str, path: &str, body: &Value) -> Request<Bytes> {
    let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
    Request::builder()
        .method(method)
        .uri(format!("https://api-portal.pyromind.ai/api/v1{path}"))
        .header("authorization", format!("Bearer {PYROMIND_API_KEY}"))
        .body(body)
        .unwrap()
}

/// The path of what is called so in the default world.
pub(super) fn path_of(name: &str) -> String {
    let world = World::seeded(1);
    let sandboxes = world.pyromind.sandboxes.iter().filter(|sandbox| sandbox.name == name);
    let instances = world.pyromind.instances.iter().filter(|instance| instance.name == name);
    let tasks = world.pyromind.tasks.iter().filter(|task| task.name == name);
    let jobs = world.pyromind.jobs.iter().filter(|job| job.name == name);
    let mut paths = sandboxes
        .map(|sandbox| format!("/sandboxes/{}", sandbox.id))
        .chain(instances.map(|instance| format!("/instances/{}", instance.id)))
        .chain(tasks.map(|task| format!("/inference/{}", task.id)))
        .chain(jobs.map(|job| format!("/training/jobs/{}", job.id)));
    paths.next().unwrap()
}

/// The last segment of a path.
pub(super) fn id(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

/// The envelope of a failure.
pub(super) fn failure(code: u16, message: &str) -> Value {
    json!({"code": code, "message": message, "data": null})
}

/// The instant so many seconds after the clock's start.
pub(super) fn instant(second: i64) -> Timestamp {
    AT + SignedDuration::from_secs(second)
}
