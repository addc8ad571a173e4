//! PAI-DLC 2020-12-03: training jobs.

pub mod insight;
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

use crate::spec::Tool;

/// The tools of PAI-DLC.
pub static TOOLS: [Tool; 12] = [
    Tool::of::<jobs::CreateJob>(),
    Tool::of::<jobs::GetJob>(),
    Tool::of::<insight::GetJobEvents>(),
    Tool::of::<metrics::GetJobMetrics>(),
    Tool::of::<sanity::GetJobSanityCheckResult>(),
    Tool::of::<insight::GetPodEvents>(),
    Tool::of::<insight::GetPodLogs>(),
    Tool::of::<machines::ListEcsSpecs>(),
    Tool::of::<sanity::ListJobSanityCheckResults>(),
    Tool::of::<job_list::ListJobs>(),
    Tool::of::<jobs::StopJob>(),
    Tool::of::<job_update::UpdateJob>(),
];
