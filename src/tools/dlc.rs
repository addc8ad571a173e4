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

/// The tools of PAI-DLC.
pub static TOOLS: [Tool; 18] = [
    Tool::of::<jobs::CreateJob>(),
    Tool::of::<tensorboards::CreateTensorboard>(),
    Tool::of::<access::GetDashboard>(),
    Tool::of::<jobs::GetJob>(),
    Tool::of::<insight::GetJobEvents>(),
    Tool::of::<insight::GetPodEvents>(),
    Tool::of::<insight::GetPodLogs>(),
    Tool::of::<access::GetRayDashboard>(),
    Tool::of::<tensorboards::GetTensorboard>(),
    Tool::of::<tensorboards::GetTensorboardSharedUrl>(),
    Tool::of::<access::GetToken>(),
    Tool::of::<access::GetWebTerminal>(),
    Tool::of::<job_list::ListJobs>(),
    Tool::of::<tensorboards::ListTensorboards>(),
    Tool::of::<tensorboards::StartTensorboard>(),
    Tool::of::<jobs::StopJob>(),
    Tool::of::<tensorboards::StopTensorboard>(),
    Tool::of::<tensorboards::UpdateTensorboard>(),
];
