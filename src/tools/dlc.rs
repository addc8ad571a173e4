//! PAI-DLC 2020-12-03: training jobs and their templates.

pub mod constraints;
pub mod insight;
mod job_check;
pub mod job_detail;
pub mod job_list;
pub mod job_settings;
pub mod job_spec;
pub mod jobs;
pub mod pod_spec;
pub mod template_content;
pub mod templates;

use crate::spec::Tool;

/// The tools of PAI-DLC.
pub static TOOLS: [Tool; 12] = [
    Tool::of::<jobs::CreateJob>(),
    Tool::of::<templates::CreateJobTemplate>(),
    Tool::of::<jobs::GetJob>(),
    Tool::of::<insight::GetJobEvents>(),
    Tool::of::<templates::GetJobTemplate>(),
    Tool::of::<insight::GetPodEvents>(),
    Tool::of::<insight::GetPodLogs>(),
    Tool::of::<templates::ListJobTemplates>(),
    Tool::of::<job_list::ListJobs>(),
    Tool::of::<templates::SetJobTemplateDefaultVersion>(),
    Tool::of::<jobs::StopJob>(),
    Tool::of::<templates::UpdateJobTemplate>(),
];
