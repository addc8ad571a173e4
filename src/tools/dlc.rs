//! PAI-DLC 2020-12-03: training jobs.

pub mod job_detail;
pub mod job_settings;
pub mod job_spec;
pub mod jobs;
pub mod pod_spec;

use crate::spec::Tool;

/// The tools of PAI-DLC.
pub static TOOLS: [Tool; 2] = [Tool::of::<jobs::CreateJob>(), Tool::of::<jobs::GetJob>()];
