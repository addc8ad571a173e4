//! PAI-DLC 2020-12-03: training jobs.

pub mod insight;
pub mod job_detail;
pub mod job_list;
pub mod job_settings;
pub mod job_spec;
pub mod jobs;
pub mod pod_spec;

use crate::spec::Tool;

/// Training jobs.
pub static JOBS: [Tool; 4] = [
    Tool::of::<jobs::CreateJob>(),
    Tool::of::<jobs::GetJob>(),
    Tool::of::<job_list::ListJobs>(),
    Tool::of::<jobs::StopJob>(),
];

/// What goes on inside a job.
pub static OBSERVE: [Tool; 3] = [
    Tool::of::<insight::GetJobEvents>(),
    Tool::of::<insight::GetPodEvents>(),
    Tool::of::<insight::GetPodLogs>(),
];
