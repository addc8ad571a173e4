//! PAI-DLC 2020-12-03: training jobs, ways into them, and TensorBoards.

pub mod access;
pub mod insight;
pub mod job_detail;
pub mod job_list;
pub mod job_settings;
pub mod job_spec;
pub mod jobs;
pub mod pod_spec;
pub mod tensorboard_spec;
pub mod tensorboards;

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
