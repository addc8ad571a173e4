//! What a job lacks or has too much of, whether it is submitted or stored in a template.

use super::job_settings::{DataSource, JobSettings};
use super::job_spec::JobSpec;
use super::jobs::JobType;
use crate::error::Faults;
use crate::spec::marks::Path;

/// The parts of a job that depend on each other.
pub(super) struct Parts<'j> {
    pub(super) job_type: Option<JobType>,
    pub(super) job_specs: Option<&'j [JobSpec]>,
    pub(super) data_sources: Option<&'j [DataSource]>,
    pub(super) settings: Option<&'j JobSettings>,
}

impl Parts<'_> {
    /// Adds the faults of the job that stands at `place`. Something else may supply what `may_lack` says, by its
    /// whole path.
    pub(super) fn check(&self, place: &Path<'_>, may_lack: &dyn Fn(&str) -> bool, faults: &mut Faults) {
        let (list, sources) = (Path::Field(place, "JobSpecs"), Path::Field(place, "DataSources"));
        for (index, spec) in self.job_specs.iter().copied().flatten().enumerate() {
            let path = Path::Index(&list, index);
            spec.check(&path, may_lack, faults);
            if let (Some(job_type), Some(role)) = (self.job_type, &spec.r#type) {
                faults.demand(
                    job_type.has_role(role.as_str()),
                    Path::Field(&path, "Type"),
                    "isn't a role of this JobType",
                    "Worker and Master fit most types; TFJob has Chief, PS, Worker, Evaluator, GraphLearn; RayJob has Head, Worker",
                );
            }
        }
        faults.demand(
            self.settings.is_none_or(|settings| settings.advanced_settings.is_none()),
            Path::Field(&Path::Field(place, "Settings"), "AdvancedSettings"),
            "can't be judged: it can hold anything, images included",
            "leave it out, or ask the user to submit the job in the console",
        );
        for (index, source) in self.data_sources.iter().copied().flatten().enumerate() {
            let path = Path::Index(&sources, index);
            faults.demand(
                source.data_source_id.is_none() || source.uri.is_none(),
                &path,
                "has both DataSourceId and Uri",
                "give one of them",
            );
            faults.demand(
                source.data_source_id.is_some()
                    || source.uri.is_some()
                    || either(&path, ["DataSourceId", "Uri"], may_lack),
                &path,
                "has neither DataSourceId nor Uri",
                "give one of them: DataSourceId for a registered dataset, Uri for a storage address",
            );
        }
    }
}

/// Whether one of two fields may be lacking, since something else may supply it.
fn either(path: &Path<'_>, names: [&str; 2], may_lack: &dyn Fn(&str) -> bool) -> bool {
    names.iter().any(|name| may_lack(&Path::Field(path, name).to_string()))
}

impl JobSpec {
    /// What a role lacks, or has too much of (R-DLC-20, R-DLC-21), and where an image could come from that no
    /// list has (R-DLC-24). What it `may_lack`, a template or the job that is changed has.
    pub(super) fn check(&self, path: &Path<'_>, may_lack: &dyn Fn(&str) -> bool, faults: &mut Faults) {
        faults.demand(
            self.ecs_spec.is_none() || self.resource_config.is_none(),
            path,
            "has both EcsSpec and ResourceConfig",
            "EcsSpec is for public resources, ResourceConfig for a dedicated resource group: give one of them",
        );
        faults.demand(
            self.image_config.as_ref().is_none_or(|config| config.docker_registry.is_none()),
            Path::Field(&Path::Field(path, "ImageConfig"), "DockerRegistry"),
            "would fetch the image from a registry that nobody listed",
            "leave it out: an address from aiworkspace_list_images names its registry",
        );
        for (name, given) in [
            ("Type", self.r#type.is_some()),
            ("Image", self.image.is_some()),
            ("PodCount", self.pod_count.is_some()),
        ] {
            let field = Path::Field(path, name);
            faults.demand(given || may_lack(&field.to_string()), field, "is required", "give it");
        }
        faults.demand(
            self.ecs_spec.is_some()
                || self.resource_config.is_some()
                || either(path, ["EcsSpec", "ResourceConfig"], may_lack),
            path,
            "has neither EcsSpec nor ResourceConfig",
            "give EcsSpec for public resources or ResourceConfig for a dedicated resource group",
        );
    }
}
