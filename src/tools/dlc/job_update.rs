//! Changing a job that was submitted.
//!
//! Parameters, reply fields and enums: the official SDK of PAI-DLC 2020-12-03, version 1.11.6, which names no
//! permission. What the service does with a priority, and with a job that is public: its public agent skill.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::job_spec::JobSpec;
use crate::error::Faults;
use crate::spec::marks::{Exact, Path};
use crate::spec::value::RegionId;
use crate::spec::{Cloud, Effect, Operation, Route, Spec};
use crate::tools::aiworkspace::assets::Accessibility;

/// Change a job, by at least one of the arguments below JobId; its name can't be changed. Priority counts only with a
/// quota, and only until the job runs. Who sees a job can only be widened. An Image must come from aiworkspace_list_images
/// of the job's own workspace, or be official. The job is read again afterwards: applied says whether all of it shows,
/// differs what doesn't.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct UpdateJob {
    pub(crate) region_id: RegionId,
    #[schemars(length(min = 1))]
    pub(crate) job_id: Exact,
    #[schemars(range(min = 1, max = 9))]
    pub(crate) priority: Option<i64>,
    pub(crate) accessibility: Option<Accessibility>,
    pub(crate) description: Option<String>,
    #[schemars(length(min = 1))]
    pub(crate) user_command: Option<String>,
    /// As in dlc_create_job.
    #[schemars(length(min = 1), extend("x-folded" = true))]
    pub(crate) job_specs: Option<Vec<JobSpec>>,
}

impl Operation for UpdateJob {
    const SPEC: Spec = Spec {
        name: "dlc_update_job",
        title: "Change a training job",
        cloud: Cloud::Dlc,
        action: "UpdateJob",
        effect: Effect::Update,
        route: Route::put("/api/v1/jobs/{JobId}"),
        makes: None,
    };
    type Reply = JobUpdated;

    fn check(&self) -> Result<(), Faults> {
        let mut faults = Faults::default();
        faults.demand(
            self.priority.is_some()
                || self.accessibility.is_some()
                || self.description.is_some()
                || self.user_command.is_some()
                || self.job_specs.is_some(),
            "JobId",
            "is all that is given, so nothing would change",
            "give Priority, Accessibility, Description, UserCommand or JobSpecs too",
        );
        let list = Path::Field(&Path::Root, "JobSpecs");
        for (index, spec) in self.job_specs.iter().flatten().enumerate() {
            // Whether a role must be whole here isn't documented, nor is the type known that its roles belong to.
            spec.check(&Path::Index(&list, index), &|_| true, &mut faults);
        }
        faults.into_result()
    }
}

/// The job that was asked to change.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct JobUpdated {
    pub(crate) job_id: Exact,
    pub(crate) request_id: Exact,
}
