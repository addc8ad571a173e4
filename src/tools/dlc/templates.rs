//! Templates of jobs: a whole CreateJob stored under a name, in versions, with what a job may change of it.
//!
//! Parameters and reply fields: the official SDK of PAI-DLC 2020-12-03, version 1.11.6, in which `Version` is what the
//! command line calls `--biz-version`, and the lower-case `version` of UpdateJobTemplate is called invalid. What is
//! narrower than the SDK comes from the PAI-DLC skill; its rule stands beside it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use serde_with::skip_serializing_none;

use super::constraints::Constraints;
use super::template_content::TemplateContent;
use crate::error::Faults;
use crate::spec::marks::{Exact, Last4};
use crate::spec::value::{Detail, RegionId, TemplateId, WorkspaceId};
use crate::spec::{Cloud, Effect, Makes, Operation, Route, Spec};

/// Save a job as a template. Its images, datasets and code sources must come from lists, as in dlc_create_job.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateJobTemplate {
    pub(crate) region_id: RegionId,
    pub(crate) workspace_id: WorkspaceId,
    #[schemars(length(min = 1, max = 1024))]
    pub(crate) template_name: String,
    /// One JSON object as text: dlc_create_job's arguments without RegionId and TemplateId; JobType and JobSpecs at
    /// least.
    pub(crate) content: TemplateContent,
    /// By path in Content, such as JobSpecs[0].Image or UserCommand: locked (a job can't change it), overridable, or
    /// required (a job must give it; Content may lack it).
    pub(crate) constraints: Option<Constraints>,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Option<Map<String, Value>>,
}

impl Operation for CreateJobTemplate {
    const SPEC: Spec = Spec {
        name: "dlc_create_job_template",
        title: "Save a job as a template",
        cloud: Cloud::Dlc,
        action: "CreateJobTemplate",
        effect: Effect::Create,
        route: Route::post("/api/v1/jobtemplates"),
        makes: Some(Makes { id: "TemplateId", unique: None }),
    };
    type Reply = JobTemplateCreated;

    fn check(&self) -> Result<(), Faults> {
        let mut faults = Faults::default();
        self.content.check(self.constraints.as_ref(), &mut faults);
        faults.into_result()
    }
}

/// The template made.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct JobTemplateCreated {
    pub(crate) template_id: TemplateId,
    pub(crate) template_name: String,
    pub(crate) version: i64,
    pub(crate) default_version: i64,
    pub(crate) workspace_id: Exact,
    pub(crate) description: String,
    pub(crate) metadata: Map<String, Value>,
    pub(crate) gmt_create_time: Exact,
    pub(crate) gmt_modify_time: Exact,
    pub(crate) last_used_time: Exact,
    pub(crate) request_id: Exact,
    #[schemars(title = "Tenant ID")]
    pub(crate) tenant_id: Last4,
    #[schemars(title = "User ID")]
    pub(crate) user_id: Last4,
}

/// Get a job template with its content: the default version, unless Version says otherwise. Hidden values in it show
/// as ****: they can't be copied into an update.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetJobTemplate {
    pub(crate) region_id: RegionId,
    pub(crate) template_id: TemplateId,
    /// A number, or all.
    pub(crate) version: Option<Version>,
}

impl Operation for GetJobTemplate {
    const SPEC: Spec = Spec {
        name: "dlc_get_job_template",
        title: "Get a job template",
        cloud: Cloud::Dlc,
        action: "GetJobTemplate",
        effect: Effect::Read,
        route: Route::get("/api/v1/jobtemplates/{TemplateId}"),
        makes: None,
    };
    type Reply = JobTemplate;
}

/// Which versions of a template are wanted: a number from 1, or `all` (R-DLC-77).
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(String);

impl Version {
    /// The one of this number.
    pub fn number(number: i64) -> Self {
        Self(number.to_string())
    }
}

impl JsonSchema for Version {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Version".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^(?:all|[1-9][0-9]{0,17})$", "x-exact": true })
    }
}

/// A template with what its versions hold.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct JobTemplate {
    pub(crate) template_id: TemplateId,
    pub(crate) template_name: String,
    pub(crate) default_version: i64,
    pub(crate) versions: Vec<JobTemplateVersion>,
    pub(crate) total_count: i64,
    pub(crate) workspace_id: Exact,
    pub(crate) description: String,
    pub(crate) metadata: Map<String, Value>,
    pub(crate) gmt_create_time: Exact,
    pub(crate) gmt_modify_time: Exact,
    pub(crate) last_used_time: Exact,
    pub(crate) request_id: Exact,
    #[schemars(title = "Modified By")]
    pub(crate) modified_by: Last4,
    #[schemars(title = "Tenant ID")]
    pub(crate) tenant_id: Last4,
    #[schemars(title = "User ID")]
    pub(crate) user_id: Last4,
}

/// One version of a template.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct JobTemplateVersion {
    pub(crate) version: i64,
    pub(crate) content: TemplateContent,
    pub(crate) constraints: BTreeMap<String, String>,
    pub(crate) gmt_create_time: Exact,
    #[schemars(title = "Created By")]
    pub(crate) created_by: Last4,
}

/// List the job templates of a workspace; their content is in dlc_get_job_template.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListJobTemplates {
    pub(crate) region_id: RegionId,
    pub(crate) workspace_id: WorkspaceId,
    pub(crate) template_id: Option<Exact>,
    pub(crate) template_name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) user_id: Option<Last4>,
    pub(crate) sort_by: Option<Exact>,
    /// desc or asc.
    pub(crate) order: Option<Exact>,
    #[schemars(range(min = 1))]
    pub(crate) page_number: Option<i64>,
    #[schemars(range(min = 1))]
    pub(crate) page_size: Option<i64>,
    #[serde(rename = "detail")]
    pub(crate) detail: Option<Detail>,
}

impl Operation for ListJobTemplates {
    const SPEC: Spec = Spec {
        name: "dlc_list_job_templates",
        title: "List job templates",
        cloud: Cloud::Dlc,
        action: "ListJobTemplates",
        effect: Effect::Read,
        route: Route::get("/api/v1/jobtemplates"),
        makes: None,
    };
    type Reply = JobTemplates;
}

/// Templates.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct JobTemplates {
    pub(crate) total_count: i64,
    pub(crate) job_templates: Vec<JobTemplateRow>,
    pub(crate) page_number: i64,
    pub(crate) page_size: i64,
    pub(crate) request_id: Exact,
}

/// A template as a list shows it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct JobTemplateRow {
    pub(crate) template_id: TemplateId,
    pub(crate) template_name: String,
    pub(crate) default_version: i64,
    pub(crate) description: String,
    pub(crate) gmt_modify_time: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) workspace_id: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) metadata: Map<String, Value>,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) gmt_create_time: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) last_used_time: Exact,
    #[schemars(title = "Modified By", extend("x-full-only" = true))]
    pub(crate) modified_by: Last4,
    #[schemars(title = "Tenant ID", extend("x-full-only" = true))]
    pub(crate) tenant_id: Last4,
    #[schemars(title = "User ID", extend("x-full-only" = true))]
    pub(crate) user_id: Last4,
}

/// Change a job template. Content, with Constraints, makes a new version (VersionCreated says so); name, description
/// and metadata alone make none.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
#[schemars(extend("x-elsewhere" = {
    "Version": "leave it out: dlc_set_job_template_default_version switches to another version",
    "BizVersion": "leave it out: dlc_set_job_template_default_version switches to another version",
}))]
pub struct UpdateJobTemplate {
    pub(crate) region_id: RegionId,
    pub(crate) template_id: TemplateId,
    #[schemars(length(min = 1, max = 1024))]
    pub(crate) template_name: Option<String>,
    pub(crate) description: Option<String>,
    /// One JSON object as text, as in dlc_create_job_template; together with Constraints.
    pub(crate) content: Option<TemplateContent>,
    /// By path in Content: locked, overridable or required; {} for none. Together with Content.
    pub(crate) constraints: Option<Constraints>,
    /// Makes the new version the default.
    pub(crate) set_as_default: Option<bool>,
    pub(crate) metadata: Option<Map<String, Value>>,
}

impl Operation for UpdateJobTemplate {
    const SPEC: Spec = Spec {
        name: "dlc_update_job_template",
        title: "Change a job template",
        cloud: Cloud::Dlc,
        action: "UpdateJobTemplate",
        effect: Effect::Update,
        route: Route::put("/api/v1/jobtemplates/{TemplateId}"),
        makes: None,
    };
    type Reply = JobTemplateUpdated;

    fn check(&self) -> Result<(), Faults> {
        let mut faults = Faults::default();
        faults.demand(
            self.content.is_none() || self.constraints.is_some(),
            "Constraints",
            "is required with Content",
            "give it too, as {} where nothing is constrained",
        );
        faults.demand(
            self.constraints.is_none() || self.content.is_some(),
            "Content",
            "is required with Constraints",
            "give the whole job too: constraints alone can't be changed",
        );
        faults.demand(
            self.set_as_default.is_none() || self.content.is_some(),
            "SetAsDefault",
            "is about a new version, and without Content there is none",
            "leave it out; dlc_set_job_template_default_version switches to a version that exists",
        );
        if let Some(content) = &self.content {
            content.check(self.constraints.as_ref(), &mut faults);
        }
        faults.into_result()
    }
}

/// What became of the template.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct JobTemplateUpdated {
    pub(crate) version_created: bool,
    pub(crate) version: i64,
    pub(crate) default_version: i64,
    pub(crate) gmt_modify_time: Exact,
    pub(crate) request_id: Exact,
}

/// Choose the version of a job template that jobs take which name none.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct SetJobTemplateDefaultVersion {
    pub(crate) region_id: RegionId,
    pub(crate) template_id: TemplateId,
    #[schemars(range(min = 1))]
    pub(crate) version: i64,
}

impl Operation for SetJobTemplateDefaultVersion {
    const SPEC: Spec = Spec {
        name: "dlc_set_job_template_default_version",
        title: "Choose a job template's default version",
        cloud: Cloud::Dlc,
        action: "SetJobTemplateDefaultVersion",
        effect: Effect::Update,
        route: Route::put("/api/v1/jobtemplates/{TemplateId}/defaultversion"),
        makes: None,
    };
    type Reply = DefaultVersionSet;
}

/// The version chosen.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct DefaultVersionSet {
    pub(crate) default_version: i64,
    pub(crate) gmt_modify_time: Exact,
    pub(crate) request_id: Exact,
}
