//! PyroMind 1.0.0: sandboxes and instances.
//!
//! Parameters, reply fields and messages come from its API document. Where that gives no bound, the one here is the
//! least that makes sense; what it leaves open, such as the kinds of sandboxes, stays open here.

pub mod instances;
pub mod sandboxes;

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::spec::Tool;

/// Sandboxes.
pub static SANDBOXES: [Tool; 7] = [
    Tool::of::<sandboxes::CreateSandbox>(),
    Tool::of::<sandboxes::DeleteSandbox>(),
    Tool::of::<sandboxes::ExecuteSandboxAction>(),
    Tool::of::<sandboxes::ExecuteSandboxBatchActions>(),
    Tool::of::<sandboxes::GetSandbox>(),
    Tool::of::<sandboxes::GetSandboxVnc>(),
    Tool::of::<sandboxes::ListSandboxes>(),
];

/// Instances.
pub static INSTANCES: [Tool; 4] = [
    Tool::of::<instances::CreateInstance>(),
    Tool::of::<instances::GetInstance>(),
    Tool::of::<instances::GetInstanceAccessToken>(),
    Tool::of::<instances::ListInstances>(),
];

/// An id that PyroMind made up. It is opaque, but a slash or a blank is in none of them (R-PM-017).
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub struct Id(String);

impl JsonSchema for Id {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Id".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": r"^[^/\s]+$", "x-exact": true })
    }
}

/// The machine that is asked for, or was given (R-PM-010, R-PM-042). The document doesn't say which of the three
/// are needed: a machine without processors or memory makes no sense, one without GPUs does.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(description = "")]
pub struct ResourceConfig {
    #[schemars(range(min = 1))]
    pub(crate) cpu: i64,
    /// Presumably in GiB.
    #[schemars(range(min = 1))]
    pub(crate) memory: i64,
    #[schemars(range(min = 0))]
    pub(crate) gpu: Option<i64>,
}
