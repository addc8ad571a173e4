//! PAI-DLC 2020-12-03: training jobs, their templates, ways into them, and TensorBoards.

pub mod access;
pub mod constraints;
pub mod insight;
mod job_check;
pub mod job_detail;
pub mod job_list;
pub mod job_settings;
pub mod job_spec;
pub mod job_update;
pub mod jobs;
pub mod machines;
pub mod metrics;
pub mod pod_spec;
pub mod sanity;
mod span;
pub mod template_content;
pub mod templates;
pub mod tensorboard_spec;
pub mod tensorboards;

use crate::spec::Tool;

/// Training jobs, and the machine types that they can have.
pub static JOBS: [Tool; 6] = [
    Tool::of::<jobs::CreateJob>(),
    Tool::of::<jobs::GetJob>(),
    Tool::of::<machines::ListEcsSpecs>(),
    Tool::of::<job_list::ListJobs>(),
    Tool::of::<jobs::StopJob>(),
    Tool::of::<job_update::UpdateJob>(),
];

/// Templates of jobs.
pub static TEMPLATES: [Tool; 5] = [
    Tool::of::<templates::CreateJobTemplate>(),
    Tool::of::<templates::GetJobTemplate>(),
    Tool::of::<templates::ListJobTemplates>(),
    Tool::of::<templates::SetJobTemplateDefaultVersion>(),
    Tool::of::<templates::UpdateJobTemplate>(),
];

/// What goes on inside a job.
pub static OBSERVE: [Tool; 6] = [
    Tool::of::<insight::GetJobEvents>(),
    Tool::of::<metrics::GetJobMetrics>(),
    Tool::of::<sanity::GetJobSanityCheckResult>(),
    Tool::of::<insight::GetPodEvents>(),
    Tool::of::<insight::GetPodLogs>(),
    Tool::of::<sanity::ListJobSanityCheckResults>(),
];

/// Ways into a job, and tokens to share one.
pub static ACCESS: [Tool; 4] = [
    Tool::of::<access::GetDashboard>(),
    Tool::of::<access::GetRayDashboard>(),
    Tool::of::<access::GetToken>(),
    Tool::of::<access::GetWebTerminal>(),
];

/// TensorBoards.
pub static TENSORBOARDS: [Tool; 7] = [
    Tool::of::<tensorboards::CreateTensorboard>(),
    Tool::of::<tensorboards::GetTensorboard>(),
    Tool::of::<tensorboards::GetTensorboardSharedUrl>(),
    Tool::of::<tensorboards::ListTensorboards>(),
    Tool::of::<tensorboards::StartTensorboard>(),
    Tool::of::<tensorboards::StopTensorboard>(),
    Tool::of::<tensorboards::UpdateTensorboard>(),
];
