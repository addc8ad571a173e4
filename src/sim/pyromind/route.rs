//! Which operation a method and a path name.

use http::Method;
use percent_encoding::percent_decode_str;

/// The host that clients address.
pub(in crate::sim) const HOST: &str = "api-portal.pyromind.ai";

/// What stands in front of every path.
const BASE: &str = "/api/v1/";

/// The first words of PyroMind's paths; PAI has no such paths.
const FAMILIES: [&str; 4] = ["sandboxes", "instances", "inference", "training"];

/// Whether a path is of a family of operations, known or not.
pub(in crate::sim) fn has_family(path: &str) -> bool {
    let family = path.strip_prefix(BASE).and_then(|rest| rest.split('/').next());
    family.is_some_and(|family| FAMILIES.contains(&family))
}

/// An operation and the id in its path.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::sim) enum Operation {
    ListSandboxes,
    CreateSandbox,
    GetSandbox(String),
    DeleteSandbox(String),
    ExecuteSandboxAction(String),
    GetSandboxVnc(String),
    ExecuteSandboxBatchActions(String),
    ListInstances,
    CreateInstance,
    GetInstance(String),
    DeleteInstance(String),
    EditInstance(String),
    PauseInstance(String),
    ResumeInstance(String),
    GetInstanceAccessToken(String),
    CreateInferenceTask,
    ListInferenceTasks,
    GetInferenceTask(String),
    DeleteInferenceTask(String),
    SubmitTrainingJob,
    ListTrainingJobs,
    GetTrainingJob(String),
    DeleteTrainingJob(String),
    PauseTrainingJob(String),
    ResumeTrainingJob(String),
}

impl Operation {
    /// Finds the operation for a method and a path as sent.
    pub(in crate::sim) fn find(method: &Method, path: &str) -> Option<Self> {
        let segments: Vec<&str> = path.strip_prefix(BASE)?.split('/').collect();
        let id = |segment: &str| percent_decode_str(segment).decode_utf8_lossy().into_owned();
        if segments.contains(&"") {
            return None;
        }
        Some(match (method.as_str(), segments.as_slice()) {
            ("GET", ["sandboxes"]) => Self::ListSandboxes,
            ("POST", ["sandboxes"]) => Self::CreateSandbox,
            ("GET", ["sandboxes", sandbox]) => Self::GetSandbox(id(sandbox)),
            ("DELETE", ["sandboxes", sandbox]) => Self::DeleteSandbox(id(sandbox)),
            ("POST", ["sandboxes", sandbox, "actions"]) => Self::ExecuteSandboxAction(id(sandbox)),
            ("GET", ["sandboxes", sandbox, "vnc"]) => Self::GetSandboxVnc(id(sandbox)),
            ("POST", ["sandboxes", sandbox, "actions", "batch"]) => {
                Self::ExecuteSandboxBatchActions(id(sandbox))
            }
            ("GET", ["instances"]) => Self::ListInstances,
            ("POST", ["instances"]) => Self::CreateInstance,
            ("GET", ["instances", instance]) => Self::GetInstance(id(instance)),
            ("DELETE", ["instances", instance]) => Self::DeleteInstance(id(instance)),
            ("PUT", ["instances", instance]) => Self::EditInstance(id(instance)),
            ("POST", ["instances", instance, "pause"]) => Self::PauseInstance(id(instance)),
            ("POST", ["instances", instance, "resume"]) => Self::ResumeInstance(id(instance)),
            ("GET", ["instances", instance, "access-token"]) => Self::GetInstanceAccessToken(id(instance)),
            ("POST", ["inference"]) => Self::CreateInferenceTask,
            ("GET", ["inference"]) => Self::ListInferenceTasks,
            ("GET", ["inference", task]) => Self::GetInferenceTask(id(task)),
            ("DELETE", ["inference", task]) => Self::DeleteInferenceTask(id(task)),
            ("POST", ["training", "jobs"]) => Self::SubmitTrainingJob,
            ("GET", ["training", "jobs"]) => Self::ListTrainingJobs,
            ("GET", ["training", "jobs", job]) => Self::GetTrainingJob(id(job)),
            ("DELETE", ["training", "jobs", job]) => Self::DeleteTrainingJob(id(job)),
            ("POST", ["training", "jobs", job, "pause"]) => Self::PauseTrainingJob(id(job)),
            ("POST", ["training", "jobs", job, "resume"]) => Self::ResumeTrainingJob(id(job)),
            _ => return None,
        })
    }

    /// The tool of this operation.
    pub(in crate::sim) fn tool(&self) -> &'static str {
        match self {
            Self::ListSandboxes => "pyromind_list_sandboxes",
            Self::CreateSandbox => "pyromind_create_sandbox",
            Self::GetSandbox(_) => "pyromind_get_sandbox",
            Self::DeleteSandbox(_) => "pyromind_delete_sandbox",
            Self::ExecuteSandboxAction(_) => "pyromind_execute_sandbox_action",
            Self::GetSandboxVnc(_) => "pyromind_get_sandbox_vnc",
            Self::ExecuteSandboxBatchActions(_) => "pyromind_execute_sandbox_batch_actions",
            Self::ListInstances => "pyromind_list_instances",
            Self::CreateInstance => "pyromind_create_instance",
            Self::GetInstance(_) => "pyromind_get_instance",
            Self::DeleteInstance(_) => "pyromind_delete_instance",
            Self::EditInstance(_) => "pyromind_edit_instance",
            Self::PauseInstance(_) => "pyromind_pause_instance",
            Self::ResumeInstance(_) => "pyromind_resume_instance",
            Self::GetInstanceAccessToken(_) => "pyromind_get_instance_access_token",
            Self::CreateInferenceTask => "pyromind_create_inference_task",
            Self::ListInferenceTasks => "pyromind_list_inference_tasks",
            Self::GetInferenceTask(_) => "pyromind_get_inference_task",
            Self::DeleteInferenceTask(_) => "pyromind_delete_inference_task",
            Self::SubmitTrainingJob => "pyromind_submit_training_job",
            Self::ListTrainingJobs => "pyromind_list_training_jobs",
            Self::GetTrainingJob(_) => "pyromind_get_training_job",
            Self::DeleteTrainingJob(_) => "pyromind_delete_training_job",
            Self::PauseTrainingJob(_) => "pyromind_pause_training_job",
            Self::ResumeTrainingJob(_) => "pyromind_resume_training_job",
        }
    }
}
