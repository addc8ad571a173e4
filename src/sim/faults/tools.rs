//! What a fault may befall: the operations of the simulated clouds, by the names of their tools.

/// Every tool, in the order of the alphabet.
pub(super) const TOOLS: &[&str] = &[
    "aiworkspace_create_workspace",
    "aiworkspace_get_code_source",
    "aiworkspace_get_dataset",
    "aiworkspace_get_image",
    "aiworkspace_get_workspace",
    "aiworkspace_list_code_sources",
    "aiworkspace_list_datasets",
    "aiworkspace_list_images",
    "aiworkspace_list_products",
    "aiworkspace_list_workspaces",
    "dlc_create_job",
    "dlc_create_job_template",
    "dlc_create_tensorboard",
    "dlc_get_dashboard",
    "dlc_get_job",
    "dlc_get_job_events",
    "dlc_get_job_metrics",
    "dlc_get_job_sanity_check_result",
    "dlc_get_job_template",
    "dlc_get_pod_events",
    "dlc_get_pod_logs",
    "dlc_get_ray_dashboard",
    "dlc_get_tensorboard",
    "dlc_get_tensorboard_shared_url",
    "dlc_get_token",
    "dlc_get_web_terminal",
    "dlc_list_ecs_specs",
    "dlc_list_job_sanity_check_results",
    "dlc_list_job_templates",
    "dlc_list_jobs",
    "dlc_list_tensorboards",
    "dlc_set_job_template_default_version",
    "dlc_start_tensorboard",
    "dlc_stop_job",
    "dlc_stop_tensorboard",
    "dlc_update_job",
    "dlc_update_job_template",
    "dlc_update_tensorboard",
    "pyromind_create_inference_task",
    "pyromind_create_instance",
    "pyromind_create_sandbox",
    "pyromind_delete_inference_task",
    "pyromind_delete_instance",
    "pyromind_delete_sandbox",
    "pyromind_delete_training_job",
    "pyromind_edit_instance",
    "pyromind_execute_sandbox_action",
    "pyromind_execute_sandbox_batch_actions",
    "pyromind_get_inference_task",
    "pyromind_get_instance",
    "pyromind_get_instance_access_token",
    "pyromind_get_sandbox",
    "pyromind_get_sandbox_vnc",
    "pyromind_get_training_job",
    "pyromind_list_inference_tasks",
    "pyromind_list_instances",
    "pyromind_list_sandboxes",
    "pyromind_list_training_jobs",
    "pyromind_pause_instance",
    "pyromind_pause_training_job",
    "pyromind_resume_instance",
    "pyromind_resume_training_job",
    "pyromind_submit_training_job",
];

/// The tools that create something of a unique name.
const RACERS: &[&str] = &[
    "aiworkspace_create_workspace",
    "pyromind_create_sandbox",
    "pyromind_create_instance",
    "pyromind_create_inference_task",
    "pyromind_submit_training_job",
];

/// Whether somebody can win a race for the name that a call of `tool` asks for.
pub(super) fn races(tool: &str) -> bool {
    RACERS.contains(&tool)
}

/// Whether `tool` answers pages of rows.
pub(super) fn lists(tool: &str) -> bool {
    action(tool).is_some_and(|action| action.starts_with("List") || action.starts_with("list_"))
}

/// The tool of this name, or of the action that the cloud itself names so: `CreateJob`, or `create_sandbox` of PyroMind.
pub(super) fn find(name: &str) -> Option<&'static str> {
    TOOLS.iter().copied().find(|tool| *tool == name)
}

/// The tool of an action, named as its cloud names it: `CreateJob`, or `create_sandbox` of PyroMind.
pub(super) fn of_action(name: &str) -> Option<&'static str> {
    TOOLS.iter().copied().find(|tool| action(tool).as_deref() == Some(name))
}

/// The one of `names` that is most like `name`, for who mistyped it.
pub(super) fn like(name: &str) -> Option<&'static str> {
    let likeness = |tool: &&str| strsim::jaro_winkler(tool, name);
    TOOLS.iter().copied().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
}

/// What the cloud calls the operation of `tool`.
pub(super) fn action(tool: &str) -> Option<String> {
    let (product, operation) = tool.split_once('_')?;
    if product == "pyromind" {
        return Some(operation.to_owned());
    }
    let capital = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    Some(operation.split('_').map(capital).collect())
}
