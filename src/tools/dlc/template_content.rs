//! The job that a template stores: an object on our side, one string of JSON on the wire.
//!
//! The type carries the shape of what is inside, so that whatever walks arguments or replies by their types looks
//! into it: an image in a template is guarded as an image in a job is (R-DLC-64, R-DLC-76).

use std::borrow::Cow;
use std::sync::LazyLock;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_with::skip_serializing_none;

use super::constraints::Constraints;
use super::job_check::Parts;
use super::job_settings::{
    CodeSource, CredentialConfig, CustomEnv, DataSource, ElasticSpec, JobSettings, UserVpc,
};
use super::job_spec::JobSpec;
use super::jobs::{JobType, SuccessPolicy};
use crate::error::Faults;
use crate::spec::json_text;
use crate::spec::marks::{EnvValues, Exact, Path, Shape};
use crate::spec::schema::generate;
use crate::spec::value::WorkspaceId;
use crate::tools::aiworkspace::assets::Accessibility;

/// What a template makes jobs from: the arguments of CreateJob that can be stored. A template stores no other
/// template: what that one brings, nobody would have judged.
#[skip_serializing_none]
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[schemars(extend("x-elsewhere" = {
    "RegionId": "leave it out: the template belongs to the region that RegionId beside Content names",
    "TemplateId": "leave it out: a template can't rest on another one",
    "TemplateVersion": "leave it out: a template can't rest on another one",
}))]
pub struct TemplateJob {
    pub(crate) workspace_id: Option<WorkspaceId>,
    #[schemars(length(min = 1, max = 1024))]
    pub(crate) display_name: Option<String>,
    pub(crate) job_type: Option<JobType>,
    #[schemars(length(min = 1))]
    pub(crate) job_specs: Option<Vec<JobSpec>>,
    #[schemars(length(min = 1))]
    pub(crate) user_command: Option<String>,
    pub(crate) resource_id: Option<Exact>,
    #[schemars(range(min = 1, max = 9))]
    pub(crate) priority: Option<i64>,
    #[schemars(range(min = 1))]
    pub(crate) job_max_running_time_minutes: Option<i64>,
    pub(crate) data_sources: Option<Vec<DataSource>>,
    pub(crate) code_source: Option<CodeSource>,
    pub(crate) envs: Option<EnvValues>,
    pub(crate) custom_envs: Option<Vec<CustomEnv>>,
    pub(crate) description: Option<String>,
    pub(crate) accessibility: Option<Accessibility>,
    pub(crate) success_policy: Option<SuccessPolicy>,
    pub(crate) scheduling_strategy: Option<Exact>,
    pub(crate) settings: Option<JobSettings>,
    pub(crate) user_vpc: Option<UserVpc>,
    pub(crate) credential_config: Option<CredentialConfig>,
    pub(crate) elastic_spec: Option<ElasticSpec>,
    pub(crate) debugger_config_content: Option<String>,
    pub(crate) options: Option<String>,
    pub(crate) thirdparty_lib_dir: Option<String>,
    pub(crate) thirdparty_libs: Option<Vec<String>>,
}

/// The fields that can be constrained.
static SHAPE: LazyLock<Shape> = LazyLock::new(|| Shape::of(&generate::<TemplateJob>()));

/// A template's job as the wire has it: a text that holds a JSON object. It is written anew from what was read,
/// so that nobody reads in it what wasn't judged.
#[derive(Clone)]
pub struct TemplateContent(TemplateJob);

impl Serialize for TemplateContent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = serde_json::to_string(&self.0).map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for TemplateContent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let object = json_text::read(&text).map_err(serde::de::Error::custom)?;
        // The faults are worded where the schema is checked; a value mustn't get into an error's text here.
        let job = TemplateJob::deserialize(Value::Object(object));
        job.map(Self).map_err(|_| serde::de::Error::custom("not a job"))
    }
}

impl JsonSchema for TemplateContent {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "TemplateContent".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let inner = generator.subschema_for::<TemplateJob>();
        json_schema!({ "type": "string", "x-json": inner })
    }
}

impl TemplateContent {
    /// Adds what the job lacks, or has too much of, as CreateJob would be told; what a job must give by
    /// `constraints` may be lacking (R-DLC-21, R-DLC-83). Then what is wrong with those.
    pub(super) fn check(&self, constraints: Option<&Constraints>, faults: &mut Faults) {
        let job = &self.0;
        let place = Path::Field(&Path::Root, "Content");
        let may_lack = |path: &str| {
            let path = path.strip_prefix("Content.").unwrap_or(path);
            constraints.is_some_and(|constraints| constraints.requires(path))
        };
        for (name, given) in [("JobType", job.job_type.is_some()), ("JobSpecs", job.job_specs.is_some())] {
            let path = Path::Field(&place, name);
            let fix = "give it in Content, or say in Constraints that a job must give it";
            faults.demand(given || may_lack(name), path, "is required", fix);
        }
        let parts = Parts {
            job_type: job.job_type,
            job_specs: job.job_specs.as_deref(),
            data_sources: job.data_sources.as_deref(),
            settings: job.settings.as_ref(),
        };
        parts.check(&place, &may_lack, faults);
        if let (Some(constraints), Ok(content)) = (constraints, serde_json::to_value(job)) {
            constraints.check(&SHAPE, &content, faults);
        }
    }
}
