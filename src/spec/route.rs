//! Method and path of an operation.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::Faults;

/// An HTTP method that the clouds' operations use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `DELETE`
    Delete,
}

impl Method {
    /// The method's name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// Where the arguments that are not in the path travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Payload {
    /// In the query string.
    Query,
    /// In a JSON body.
    Body,
}

/// Method and path of an operation. `{Name}` in the path is the argument of that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Route {
    /// The HTTP method.
    pub method: Method,
    /// The path template.
    pub path: &'static str,
    /// Where all other arguments go.
    pub payload: Payload,
}

impl Route {
    /// A `GET` with its arguments in the query.
    pub const fn get(path: &'static str) -> Self {
        Self { method: Method::Get, path, payload: Payload::Query }
    }

    /// A `POST` with its arguments in a JSON body.
    pub const fn post(path: &'static str) -> Self {
        Self { method: Method::Post, path, payload: Payload::Body }
    }

    /// A `POST` with its arguments, if it has any beside those of the path, in the query.
    pub const fn post_query(path: &'static str) -> Self {
        Self { method: Method::Post, path, payload: Payload::Query }
    }

    /// A `PUT` with its arguments in a JSON body.
    pub const fn put(path: &'static str) -> Self {
        Self { method: Method::Put, path, payload: Payload::Body }
    }

    /// A `PUT` with its arguments, if it has any beside those of the path, in the query.
    pub const fn put_query(path: &'static str) -> Self {
        Self { method: Method::Put, path, payload: Payload::Query }
    }

    /// A `DELETE` with its arguments in the query.
    pub const fn delete(path: &'static str) -> Self {
        Self { method: Method::Delete, path, payload: Payload::Query }
    }

    /// The arguments that are segments of the path.
    pub fn parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path.split(['{', '}']).skip(1).step_by(2)
    }

    /// Finds the arguments that can't be segments of the path: it would lead to another operation.
    pub(super) fn check(&self, arguments: &Map<String, Value>, faults: &mut Faults) {
        for name in self.parameters().filter(|name| !faults.are_at(name)).collect::<Vec<_>>() {
            let given = arguments.get(name).and_then(Value::as_str).unwrap_or_default();
            faults.demand(!given.is_empty(), name, "is empty", "give the id");
            let dots = matches!(given, "." | "..");
            faults.demand(!dots, name, "is a dot segment, which would lead to another path", "give the id");
        }
    }
}
