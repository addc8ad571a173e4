//! PAI-DLC 2020-12-03: training jobs.

pub mod insight;
pub mod job_detail;
pub mod job_list;
pub mod job_settings;
pub mod job_spec;
pub mod jobs;
pub mod pod_spec;

use crate::spec::Tool;

/// The tools of PAI-DLC.
pub static TOOLS: [Tool; 7] = [
    Tool::of::<jobs::CreateJob>(),
    Tool::of::<jobs::GetJob>(),
    Tool::of::<insight::GetJobEvents>(),
    Tool::of::<insight::GetPodEvents>(),
    Tool::of::<insight::GetPodLogs>(),
    Tool::of::<job_list::ListJobs>(),
    Tool::of::<jobs::StopJob>(),
];
