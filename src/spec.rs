//! What one operation of a cloud is: its [`Spec`], its request and reply types, the [`Tool`] made of
//! them, and a parsed [`Call`].
//!
//! An operation is one request struct, one `SPEC` and one reply type. Everything else derives from
//! those: both faces of the schema and the messages of a refused argument ([`schema`]), where a value
//! travels, how it is masked and what it proves ([`marks`]). The types that carry a rule with them,
//! such as [`value::ImageUri`], are in [`value`].

pub mod json_text;
pub mod marks;
mod route;
pub mod schema;
pub mod unique;
pub mod value;

use std::any::Any;
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Fault, Faults};
use marks::{Kind, Shape};
pub use route::{Method, Payload, Route};
use schema::{Schema, Validator};
use unique::Unique;

/// The service that an operation belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Cloud {
    /// Alibaba Cloud PAI-DLC, API version 2020-12-03.
    #[serde(rename = "dlc")]
    Dlc,
    /// Alibaba Cloud AIWorkSpace, API version 2021-02-04.
    #[serde(rename = "aiworkspace")]
    AiWorkspace,
    /// PyroMind, API version 1.0.0.
    #[serde(rename = "pyromind")]
    PyroMind,
}

/// Who runs a service. Its services share an account, and are spoken to in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Vendor {
    /// Signed requests, regions, errors as JSON objects.
    Alibaba,
    /// A bearer key, no regions, everything in an envelope.
    PyroMind,
}

/// What every request to a service of Alibaba Cloud says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acs {
    /// The version of the API.
    pub version: &'static str,
    /// The user agent that the sources demand of every call (R-DLC-19, R-WS-94).
    pub user_agent: &'static str,
}

impl Cloud {
    /// The prefix of its tools' names.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Dlc => "dlc",
            Self::AiWorkspace => "aiworkspace",
            Self::PyroMind => "pyromind",
        }
    }

    /// Its name in `--endpoint NAME=URL`; with Alibaba Cloud also the product's part of its host names.
    pub const fn product(self) -> &'static str {
        match self {
            Self::Dlc => "pai-dlc",
            Self::AiWorkspace => "aiworkspace",
            Self::PyroMind => "pyromind",
        }
    }

    /// Its name for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Dlc => "PAI-DLC",
            Self::AiWorkspace => "AIWorkSpace",
            Self::PyroMind => "PyroMind",
        }
    }

    /// Who runs it.
    pub const fn vendor(self) -> Vendor {
        match self {
            Self::Dlc | Self::AiWorkspace => Vendor::Alibaba,
            Self::PyroMind => Vendor::PyroMind,
        }
    }

    /// What its requests say of themselves, if it is one of Alibaba Cloud's.
    pub const fn acs(self) -> Option<Acs> {
        match self {
            Self::Dlc => Some(Acs {
                version: "2020-12-03",
                user_agent: "AlibabaCloud-Agent-Skills/alibabacloud-pai-dlc-job",
            }),
            Self::AiWorkspace => Some(Acs { version: "2021-02-04", user_agent: "AlibabaCloud-Agent-Skills" }),
            Self::PyroMind => None,
        }
    }
}

/// What a call does to the world. Annotations, confirmation and retries derive from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Changes nothing and returns nothing that grants access.
    Read,
    /// A read whose reply holds text that a stranger may have written.
    Untrusted,
    /// Returns a credential, or a link that grants access.
    Reveal,
    /// Makes something.
    Create,
    /// Changes something.
    Update,
    /// Makes something stop, pause, resume, start or run.
    Act,
    /// Removes something for good.
    Destroy,
}

impl Effect {
    /// The effect's name in policies and records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Untrusted => "untrusted",
            Self::Reveal => "reveal",
            Self::Create => "create",
            Self::Update => "update",
            Self::Act => "act",
            Self::Destroy => "destroy",
        }
    }

    /// Whether a call can change the world, so that it is recorded before it goes out and never sent twice.
    pub const fn changes(self) -> bool {
        match self {
            Self::Read | Self::Untrusted => false,
            Self::Reveal | Self::Create | Self::Update | Self::Act | Self::Destroy => true,
        }
    }
}

/// The facts of an operation that its types can't say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    /// The tool's name: the cloud's prefix and the API's action in snake case.
    pub name: &'static str,
    /// The tool's title for people.
    pub title: &'static str,
    /// The service.
    pub cloud: Cloud,
    /// The API's own name of the operation.
    pub action: &'static str,
    /// What it does to the world.
    pub effect: Effect,
    /// Method and path.
    pub route: Route,
    /// What it makes, where it makes something.
    pub makes: Option<Makes>,
}

impl Spec {
    /// How the name of what it makes is looked up, where the cloud takes each name once.
    pub const fn unique(&self) -> Option<&'static Unique> {
        match self.makes {
            Some(makes) => makes.unique,
            None => None,
        }
    }
}

/// What a call makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Makes {
    /// The reply's field with its id.
    pub id: &'static str,
    /// How its name is looked up, where the cloud takes each name once.
    pub unique: Option<&'static Unique>,
}

/// One documented operation: the request type implements it.
///
/// The request's doc comment is the tool's description, which the agent reads; a field's doc comment is
/// that parameter's. The reply type is an allow-list: a field that isn't named there never leaves.
pub trait Operation: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// The operation's facts.
    const SPEC: Spec;
    /// The documented reply.
    type Reply: JsonSchema;

    /// What JSON Schema can't say about one call alone.
    ///
    /// # Errors
    /// Every fault found.
    fn check(&self) -> Result<(), Faults> {
        Ok(())
    }
}

/// What became of arguments that were given to a request type.
enum Decoded {
    /// The typed request, and the same as it goes on the wire.
    Request(Arc<dyn Any + Send + Sync>, Map<String, Value>),
    /// They fit the type; [`Operation::check`] found faults.
    Faulty(Faults),
    /// They don't fit the type.
    Misfit,
}

/// An operation with its types erased: what the catalogue holds.
pub struct Tool {
    spec: Spec,
    generate_request: fn() -> Value,
    generate_reply: fn() -> Value,
    decode: fn(&Value) -> Decoded,
    request: OnceLock<Shape>,
    reply: OnceLock<Shape>,
    validator: OnceLock<Option<Validator>>,
}

impl Tool {
    /// The tool of operation `O`.
    pub const fn of<O: Operation>() -> Self {
        Self {
            spec: O::SPEC,
            generate_request: schema::generate::<O>,
            generate_reply: schema::generate::<O::Reply>,
            decode: decode::<O>,
            request: OnceLock::new(),
            reply: OnceLock::new(),
            validator: OnceLock::new(),
        }
    }

    /// The operation's facts.
    pub const fn spec(&self) -> &Spec {
        &self.spec
    }

    /// The tool's name.
    pub const fn name(&self) -> &'static str {
        self.spec.name
    }

    /// The tool's description and both faces of its schema. They are made anew each time: a client asks for them
    /// once, and kept they would take more room than all else.
    pub fn schema(&self) -> Schema {
        Schema::of(self.spec.name, &(self.generate_request)())
    }

    /// The marked structure of its arguments, made on first use.
    pub fn request(&self) -> &Shape {
        self.request.get_or_init(|| Shape::of(&(self.generate_request)()))
    }

    /// The marked structure of its reply, made on first use.
    pub fn reply(&self) -> &Shape {
        self.reply.get_or_init(|| Shape::of(&(self.generate_reply)()))
    }

    /// The argument that names the one thing that a call is about: the one marked so, else the last parameter of
    /// the path.
    pub fn subject(&self) -> Option<&str> {
        let marked = match &self.request().kind {
            Kind::Object(fields) => fields.iter().find(|(_, shape)| shape.subject),
            Kind::List(_)
            | Kind::Map(_)
            | Kind::Text
            | Kind::Integer
            | Kind::Number
            | Kind::Flag
            | Kind::Any => None,
        };
        marked.map(|(name, _)| name.as_str()).or_else(|| self.spec.route.parameters().last())
    }

    /// Parses `arguments`: their size, the schema, the path, the type, then [`Operation::check`].
    ///
    /// # Errors
    /// All faults at once; none holds a value.
    pub fn parse(&'static self, arguments: &Map<String, Value>) -> Result<Call, Faults> {
        schema::fits(arguments)?;
        let arguments = self.with_texts(arguments);
        let given = Value::Object(arguments.clone().into_owned());
        let mut faults = Faults::default();
        match self.validator.get_or_init(|| Validator::of(&(self.generate_request)())) {
            Some(validator) => faults.merge(validator.faults(&given)),
            None => faults.push(Fault::new("", "this tool's schema doesn't compile", "report this as a bug")),
        }
        self.spec.route.check(&arguments, &mut faults);
        match (self.decode)(&given) {
            Decoded::Request(request, arguments) => {
                faults.into_result()?;
                Ok(Call { tool: self, request, arguments, origin: Origin::Agent })
            }
            Decoded::Faulty(more) => {
                faults.merge(more);
                Err(faults)
            }
            Decoded::Misfit if faults.is_empty() => {
                Err(Fault::new("", "the arguments don't fit this tool", "compare them with its schema")
                    .into())
            }
            Decoded::Misfit => Err(faults),
        }
    }

    /// `arguments` with texts where the wire has texts of JSON and objects are given instead (R-DLC-83).
    fn with_texts<'a>(&self, arguments: &'a Map<String, Value>) -> Cow<'a, Map<String, Value>> {
        let mut written = Cow::Borrowed(arguments);
        for (name, value) in arguments.iter().filter(|(_, value)| value.is_object()) {
            if self.request().field(name).is_some_and(|shape| shape.json.is_some()) {
                written.to_mut().insert(name.clone(), value.to_string().into());
            }
        }
        written
    }

    /// A call with typed arguments, for the policy's own reads.
    pub fn call<O: Operation>(&'static self, request: O, origin: Origin) -> Option<Call> {
        match serde_json::to_value(&request) {
            Ok(Value::Object(arguments)) if self.spec == O::SPEC => {
                Some(Call { tool: self, request: Arc::new(request), arguments, origin })
            }
            Ok(_) | Err(_) => None,
        }
    }
}

impl std::fmt::Debug for Tool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Tool").field(&self.spec.name).finish()
    }
}

fn decode<O: Operation>(arguments: &Value) -> Decoded {
    let Ok(request) = O::deserialize(arguments) else { return Decoded::Misfit };
    if let Err(faults) = request.check() {
        return Decoded::Faulty(faults);
    }
    match serde_json::to_value(&request) {
        Ok(Value::Object(wire)) => Decoded::Request(Arc::new(request), wire),
        Ok(_) | Err(_) => Decoded::Misfit,
    }
}

/// Who wants a call made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// An agent, through a tool call.
    Agent,
    /// The policy, to know what it must before it judges.
    Policy,
}

/// One parsed call. Having one means that schema, type and [`Operation::check`] all agreed.
#[derive(Clone)]
pub struct Call {
    tool: &'static Tool,
    request: Arc<dyn Any + Send + Sync>,
    arguments: Map<String, Value>,
    origin: Origin,
}

impl Call {
    /// The tool called.
    pub const fn tool(&self) -> &'static Tool {
        self.tool
    }

    /// The operation's facts.
    pub const fn spec(&self) -> &'static Spec {
        &self.tool.spec
    }

    /// Who wants it made.
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// The same call, wanted by `origin`.
    #[must_use]
    pub const fn by(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// The arguments by their wire names, in the form that the wire takes.
    pub const fn arguments(&self) -> &Map<String, Value> {
        &self.arguments
    }

    /// Whether `other` asks for the same thing of the same tool, whoever wants it.
    pub fn is_same(&self, other: &Self) -> bool {
        self.tool.name() == other.tool.name() && self.arguments == other.arguments
    }

    /// The typed request, for whoever knows the operation.
    pub fn request<O: Operation>(&self) -> Option<&O> {
        self.request.downcast_ref()
    }

    /// A top-level text argument.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.arguments.get(name).and_then(Value::as_str)
    }

    /// The region that the call goes to.
    pub fn region(&self) -> Option<&str> {
        self.text("RegionId")
    }

    /// The workspace that the call names, if it names one.
    pub fn workspace(&self) -> Option<&str> {
        self.text("WorkspaceId")
    }
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call")
            .field("tool", &self.tool.spec.name)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}
