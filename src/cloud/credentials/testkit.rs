//! A machine made of texts, and a cloud of canned answers, for tests of providers.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::chain::Chain;
use super::surroundings::Surroundings;
use crate::cloud::endpoint::Endpoints;
use crate::cloud::skew::Skew;
use crate::cloud::transport::{Exchange, Transport, TransportError};

/// Variables and files.
#[derive(Clone, Default)]
pub(super) struct Machine {
    variables: HashMap<String, String>,
    files: HashMap<PathBuf, String>,
}

impl Machine {
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// With a file below the home directory `/home`.
    pub(super) fn file(mut self, path: &str, text: &str) -> Self {
        self.files.insert(Path::new("/home").join(path), text.to_owned());
        self
    }

    /// A machine that isn't asked whether it is an instance.
    pub(super) fn elsewhere() -> Self {
        Self::default().with("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
    }
}

impl Surroundings for Machine {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn home(&self) -> Option<PathBuf> {
        Some("/home".into())
    }

    fn read(&self, path: &Path) -> io::Result<Option<Zeroizing<String>>> {
        match self.files.get(path) {
            Some(text) if text == "unreadable" => Err(io::ErrorKind::PermissionDenied.into()),
            text => Ok(text.cloned().map(Zeroizing::new)),
        }
    }
}

/// Answers in order, and what was asked.
#[derive(Clone, Default)]
pub(super) struct Fake {
    answers: Arc<Mutex<VecDeque<Option<Response<Bytes>>>>>,
    pub(super) asked: Arc<Mutex<Vec<Request<Bytes>>>>,
}

impl Fake {
    /// The next answer: a status and a body.
    pub(super) fn then(self, status: u16, body: impl Into<String>) -> Self {
        let response = Response::builder().status(status).body(Bytes::from(body.into())).unwrap();
        self.then_response(response)
    }

    pub(super) fn then_response(self, response: Response<Bytes>) -> Self {
        self.answers.lock().unwrap().push_back(Some(response));
        self
    }

    /// Next, nobody is there.
    pub(super) fn then_nobody(self) -> Self {
        self.answers.lock().unwrap().push_back(None);
        self
    }

    /// The lines of what was asked: method and address.
    pub(super) fn lines(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|request| format!("{} {}", request.method(), request.uri())).collect()
    }

    /// A header of one request.
    pub(super) fn header(&self, index: usize, name: &str) -> Option<String> {
        let asked = self.asked.lock().unwrap();
        asked[index].headers().get(name).map(|value| value.to_str().unwrap().to_owned())
    }

    /// The chain of `machine`, asking here.
    pub(super) fn chain(&self, machine: Machine) -> Chain {
        self.chain_with(machine, Arc::default())
    }

    pub(super) fn chain_with(&self, machine: Machine, skew: Arc<Skew>) -> Chain {
        Chain::machine(Arc::new(machine), Arc::new(self.clone()), Endpoints::default(), skew)
    }
}

impl Transport for Fake {
    fn send<'a>(&'a self, request: Request<Bytes>, _at: Timestamp) -> Exchange<'a> {
        Box::pin(async move {
            let host = request.uri().host().unwrap().to_owned();
            self.asked.lock().unwrap().push(request);
            let answer = self.answers.lock().unwrap().pop_front().expect("an answer for each request");
            answer.ok_or(TransportError::NotSent { host, reason: "nobody is there".to_owned() })
        })
    }
}

/// The instant at which tests ask.
pub(super) fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

/// What STS answers.
pub(super) fn sts_answer(id: &str) -> String {
    format!(
        r#"{{"RequestId": "r", "AssumedRoleUser": {{"Arn": "a"}}, "Credentials": {{"AccessKeyId": "{id}", "AccessKeySecret": "{id}-secret", "SecurityToken": "{id}-token", "Expiration": "2026-01-01T01:00:00Z"}}}}"#
    )
}

/// What an instance or an address answers.
pub(super) fn flat_answer(id: &str) -> String {
    format!(
        r#"{{"Code": "Success", "AccessKeyId": "{id}", "AccessKeySecret": "{id}-secret", "SecurityToken": "{id}-token", "Expiration": "2026-01-01T01:00:00Z"}}"#
    )
}

/// A pair, and what it acts as.
pub(super) fn pair(id: &str, token: Option<&str>, principal: Option<&str>) -> super::AccessKey {
    let token = token.map(str::to_owned);
    let pair = super::AccessKey::new(id.to_owned(), format!("{id}-secret"), token).unwrap();
    match principal {
        Some(principal) => pair.acting_as(principal),
        None => pair,
    }
}

/// The session that both answers above hold.
pub(super) fn session(id: &str, principal: &str) -> super::AccessKey {
    pair(id, Some(&format!("{id}-token")), Some(principal))
}
