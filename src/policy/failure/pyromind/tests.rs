use serde_json::{Map, json};

use super::*;
use crate::policy::failure::explain;
use crate::policy::refusal::Refusal;
use crate::policy::verdict::Raw;
use crate::tools::tests::arguments::least;

const CREATE_INSTANCE: &str = "pyromind_create_instance";
const CREATE_SANDBOX: &str = "pyromind_create_sandbox";
const CREATE_INFERENCE: &str = "pyromind_create_inference_task";
const DELETE: &str = "pyromind_delete_sandbox";
const DELETE_INFERENCE: &str = "pyromind_delete_inference_task";
const DELETE_INSTANCE: &str = "pyromind_delete_instance";
const DELETE_TRAINING: &str = "pyromind_delete_training_job";
const EDIT: &str = "pyromind_edit_instance";
const PAUSE: &str = "pyromind_pause_instance";
const PAUSE_TRAINING: &str = "pyromind_pause_training_job";
const RESUME: &str = "pyromind_resume_instance";
const RESUME_TRAINING: &str = "pyromind_resume_training_job";
const SUBMIT: &str = "pyromind_submit_training_job";
const ACTION: &str = "pyromind_execute_sandbox_action";
const GET: &str = "pyromind_get_sandbox";
const GET_INSTANCE: &str = "pyromind_get_instance";
const LIST: &str = "pyromind_list_sandboxes";
const TOKEN: &str = "pyromind_get_instance_access_token";
const VNC: &str = "pyromind_get_sandbox_vnc";

fn made(tool: &str, arguments: &Map<String, Value>) -> Call {
    tools::find(tool).unwrap().parse(arguments).unwrap()
}

fn explained(call: &Call, status: u16, code: &str, message: &str) -> Refusal {
    let error = CloudError {
        status,
        code: code.to_owned(),
        message: Raw::new(json!(message)),
        request_id: Some("trace-1".to_owned()),
        recommend: None,
        denial: None,
    };
    explain(&error, call)
}

fn said(tool: &str, code: u16, message: &str) -> Refusal {
    explained(&made(tool, &least(tool)), code, &code.to_string(), message)
}

/// The sentence and the fix.
fn words(refusal: &Refusal) -> (&str, &str) {
    assert_eq!(refusal.violations.len(), 1);
    assert_eq!(refusal.violations[0].message, refusal.error);
    (&refusal.error, &refusal.violations[0].fix)
}

/// R-PM-016, R-PM-029, R-PM-055, R-PM-058, R-PM-059, R-PM-076, R-PM-097, R-PM-100: each documented error, and those that aren't documented, has its class; no
/// write is ever to be repeated as it is but one that was throttled, which wasn't carried out.
#[test]
fn each_error_has_its_class() {
    for (tool, code, message, rule, retryable) in [
        (LIST, 400, "invalid status value (allowed: running/stopped/error)", "cloud-refused", false),
        (CREATE_SANDBOX, 400, "resource config cpu must be positive integer", "cloud-refused", false),
        (CREATE_SANDBOX, 422, "field required", "cloud-refused", false),
        (CREATE_SANDBOX, 409, "sandbox name already exists in your namespace", "cloud-conflict", false),
        (CREATE_SANDBOX, 500, "failed to create sandbox due to resource shortage", "cloud-capacity", false),
        (CREATE_SANDBOX, 403, "quota exceeded", "cloud-permission", false),
        (CREATE_SANDBOX, 400, "GPU quota exceeded", "cloud-capacity", false),
        (CREATE_SANDBOX, 500, "", "cloud-failure", false),
        (CREATE_SANDBOX, 502, "bad gateway", "cloud-failure", false),
        (CREATE_INSTANCE, 400, "resource_config.gpu must be non-negative integer", "cloud-refused", false),
        (CREATE_INSTANCE, 409, "instance name already exists", "cloud-conflict", false),
        (
            CREATE_INSTANCE,
            500,
            "failed to create instance: insufficient GPU resources",
            "cloud-capacity",
            false,
        ),
        (CREATE_INSTANCE, 500, "insufficient permission on storage", "cloud-storage-permission", false),
        (GET, 404, "sandbox not found (check sandbox_id or expired)", "cloud-not-found", false),
        (GET, 500, "internal error", "cloud-failure", true),
        (LIST, 404, "not found", "cloud-not-found", false),
        (DELETE, 404, "sandbox not found", "cloud-not-found", false),
        (DELETE, 409, "sandbox has running tasks, use force=true to delete", "cloud-conflict", false),
        (DELETE, 409, "sandbox is being created", "cloud-conflict", false),
        (DELETE, 500, "failed to backup workspace: bucket access denied", "cloud-storage-permission", false),
        (ACTION, 400, "invalid action type", "cloud-refused", false),
        (ACTION, 500, "failed to execute action: sandbox unresponsive", "cloud-unresponsive", false),
        (ACTION, 500, "failed to save checkpoints: storage error", "cloud-checkpoint", false),
        (VNC, 404, "sandbox not found or vnc not enabled", "cloud-not-found", false),
        (VNC, 500, "failed to retrieve vnc info", "cloud-failure", false),
        (TOKEN, 400, "cannot generate token for non-running instance", "cloud-state", false),
        (TOKEN, 404, "instance not found", "cloud-not-found", false),
        (TOKEN, 500, "token generation failed: auth service error", "cloud-token-service", false),
        (
            DELETE_INSTANCE,
            409,
            "instance has running tasks, stop first or use force=true",
            "cloud-conflict",
            false,
        ),
        (
            DELETE_INSTANCE,
            500,
            "failed to backup workspace: bucket access denied",
            "cloud-storage-permission",
            false,
        ),
        (DELETE_INSTANCE, 500, "failed to backup workspace: timeout", "cloud-backup", false),
        (EDIT, 400, "resource_config.cpu must be greater than current 16", "cloud-refused", false),
        (EDIT, 409, "new instance name already exists", "cloud-conflict", false),
        (EDIT, 500, "failed to update resource config: insufficient resources", "cloud-capacity", false),
        (PAUSE, 400, "cannot pause instance in 'paused' or 'stopped' status", "cloud-state", false),
        (PAUSE, 500, "failed to save checkpoints: storage error", "cloud-checkpoint", false),
        (RESUME, 400, "cannot resume instance in 'running' or 'stopped' status", "cloud-state", false),
        (RESUME, 500, "failed to resume: insufficient GPU resources", "cloud-capacity", false),
        (CREATE_INFERENCE, 400, "input_config.data_source is required", "cloud-refused", false),
        (CREATE_INFERENCE, 404, "model ppo-traffic-control-v3 (v3.2) not found", "cloud-not-found", false),
        (CREATE_INFERENCE, 409, "inference task name already exists", "cloud-conflict", false),
        (
            CREATE_INFERENCE,
            500,
            "failed to create task: invalid output bucket permission",
            "cloud-storage-permission",
            false,
        ),
        (DELETE_INFERENCE, 404, "inference task not found", "cloud-not-found", false),
        (
            DELETE_INFERENCE,
            409,
            "inference task is running, use force=true to delete",
            "cloud-conflict",
            false,
        ),
        (
            DELETE_INFERENCE,
            500,
            "failed to delete output: bucket access denied",
            "cloud-storage-permission",
            false,
        ),
        (SUBMIT, 400, "hyperparameters.learning_rate must be positive", "cloud-refused", false),
        (SUBMIT, 409, "training job name already exists", "cloud-conflict", false),
        (SUBMIT, 500, "failed to submit job: insufficient GPU resources", "cloud-capacity", false),
        (DELETE_TRAINING, 409, "training job is running, use force=true to delete", "cloud-conflict", false),
        (
            DELETE_TRAINING,
            500,
            "failed to delete logs: bucket access denied",
            "cloud-storage-permission",
            false,
        ),
        (PAUSE_TRAINING, 400, "cannot pause job in 'completed' status", "cloud-state", false),
        (PAUSE_TRAINING, 500, "failed to save checkpoint: storage write error", "cloud-checkpoint", false),
        (
            RESUME_TRAINING,
            400,
            "cannot resume running job / new_learning_rate must be positive",
            "cloud-state",
            false,
        ),
        (RESUME_TRAINING, 400, "new_learning_rate must be positive", "cloud-refused", false),
        (RESUME_TRAINING, 404, "training job or checkpoint not found", "cloud-not-found", false),
        (RESUME_TRAINING, 500, "failed to load checkpoint: corrupted file", "cloud-checkpoint", false),
        (GET, 401, "invalid api key", "cloud-credentials", false),
        (GET, 403, "forbidden", "cloud-permission", false),
        (GET, 429, "slow down", "cloud-throttled", true),
        (CREATE_SANDBOX, 429, "slow down", "cloud-throttled", true),
    ] {
        let refusal = said(tool, code, message);
        assert_eq!((&*refusal.rule, refusal.retryable), (rule, retryable), "{tool} {code} {message}");
        let cloud = refusal.cloud.unwrap();
        assert_eq!((cloud.message.as_str(), cloud.request_id.as_deref()), (message, Some("trace-1")));
    }
}

/// R-PM-003: the envelope's code counts where the status is a success.
#[test]
fn the_envelopes_code_counts() {
    let call = made(GET, &least(GET));
    assert_eq!(explained(&call, 200, "404", "sandbox not found").rule, "cloud-not-found");
    assert_eq!(explained(&call, 401, "unauthorized", "no").rule, "cloud-credentials");
}

/// R-PM-001: a key that isn't taken is the user's to check, and is never asked for.
#[test]
fn the_key_is_never_asked_for() {
    for code in [401, 403] {
        let refusal = said(GET, code, "no");
        assert!(words(&refusal).1.ends_with("; never ask for its value"), "{refusal:?}");
    }
}

/// R-PM-014: a sandbox that isn't found may have expired; R-PM-018, R-PM-034: one without VNC isn't called gone.
#[test]
fn what_is_not_found_has_several_causes() {
    assert_eq!(
        words(&said(GET, 404, "sandbox not found")),
        (
            "sandbox sbx_987654321 wasn't found: the id is wrong, or it has expired or been deleted",
            "compare the id with pyromind_list_sandboxes and ask the user; don't take another",
        )
    );
    assert_eq!(
        words(&said(GET_INSTANCE, 404, "instance not found")),
        (
            "instance jp_100003 wasn't found: the id is wrong, or it has expired or been deleted",
            "compare the id with pyromind_list_instances and ask the user; don't take another",
        )
    );
    assert_eq!(
        words(&said(VNC, 404, "sandbox not found or vnc not enabled")),
        (
            "sandbox sbx_987654321 wasn't found, or has no VNC: it isn't enabled, or the sandbox doesn't run; the cloud \
             doesn't say which",
            "call pyromind_get_sandbox to tell the two apart; VNC is there only while the status is running",
        )
    );
    assert_eq!(said(VNC, 404, "sandbox not found").violations[0].path, "sandbox_id");
    assert_eq!(
        words(&said(LIST, 404, "not found")),
        (
            "there is nothing at this address",
            "ask the user to check the endpoint that the server was started with",
        )
    );
}

/// R-PM-011, R-PM-047: a name that is taken is the user's to change; no name is made up.
#[test]
fn a_taken_name_is_the_users_to_change() {
    let refusal = said(CREATE_INSTANCE, 409, "instance name already exists");
    assert_eq!(refusal.violations[0].path, "name");
    assert_eq!(
        words(&refusal),
        (
            "the name is taken by another instance; nothing was created",
            "ask the user for another name; never make one up",
        )
    );
}

/// R-PM-021: force is explained and stays the user's decision. R-PM-050: where force isn't a parameter, that is said.
#[test]
fn running_tasks_are_told_with_the_way_out() {
    assert_eq!(
        words(&said(DELETE, 409, "sandbox has running tasks, use force=true to delete")),
        (
            "tasks run in sandbox sbx_987654321, so it wasn't deleted",
            "tell the user: wait until they have ended, or delete with force true, which kills them for good; that is the \
             user's decision",
        )
    );
    assert_eq!(
        busy(&made(DELETE_INSTANCE, &least(DELETE_INSTANCE))),
        "tell the user: pause it, then delete it; force, which the cloud's message may name, is no documented parameter \
         here"
    );
}

/// R-PM-016, R-PM-106, R-PM-107: what is short, and where to look before another try.
#[test]
fn a_shortage_says_what_to_do_about_it() {
    assert_eq!(
        words(&said(CREATE_SANDBOX, 500, "failed to create sandbox due to resource shortage")),
        (
            "PyroMind doesn't have, or doesn't grant, the resources for it",
            "tell the user: less in resource_config, or another time; GPUs are shared, and no call shows the quota; look with \
             pyromind_list_sandboxes whether it was made after all, before trying again",
        )
    );
}

/// R-PM-076, R-PM-051: the bucket is named where the call has one, and the state left is unknown.
#[test]
fn a_bucket_that_may_not_be_used_is_named() {
    let denied = "failed to mount workspace: bucket access denied";
    let mut arguments = least(CREATE_INSTANCE);
    arguments.insert("workspace_mount".to_owned(), json!({ "bucket_name": "acme", "mount_path": "/work" }));
    let refusal = explained(&made(CREATE_INSTANCE, &arguments), 500, "500", denied);
    assert_eq!(refusal.violations[0].path, "workspace_mount.bucket_name");
    assert_eq!(
        words(&refusal),
        (
            "PyroMind may not use the bucket acme; what state it left isn't known",
            "ask the user to grant PyroMind access to it; look with pyromind_list_instances whether it was made after \
             all, before trying again",
        )
    );
    let refusal = said(DELETE, 500, denied);
    assert_eq!(refusal.violations[0].path, "");
    assert_eq!(
        words(&refusal),
        (
            "PyroMind may not use a bucket that this needs; what state it left isn't known",
            "ask the user to grant PyroMind access to it; look at its state with pyromind_get_sandbox before trying again",
        )
    );
}

/// R-PM-029: an action isn't repeated; R-PM-063: only running instances give tokens.
#[test]
fn what_failed_is_looked_at_before_it_is_tried_again() {
    assert_eq!(
        words(&said(ACTION, 500, "failed to execute action: sandbox unresponsive")),
        (
            "the sandbox doesn't respond; it may have been carried out in part",
            "look at its state with pyromind_get_sandbox before trying again; a restart is the user's decision",
        )
    );
    assert_eq!(
        words(&said(TOKEN, 400, "cannot generate token for non-running instance")),
        (
            "it can't be done in the state that instance jp_100003 is in",
            "look at its state with pyromind_get_instance before trying again; the cloud's message says which state it \
             would have to be in",
        )
    );
    assert_eq!(
        words(&said(VNC, 500, "failed to retrieve vnc info")),
        (
            "the cloud failed on its side (500)",
            "look at its state with pyromind_get_sandbox before trying again",
        )
    );
    assert_eq!(words(&said(LIST, 503, "")).1, "call again in a moment");
}

/// R-PM-050, R-PM-082, R-PM-095: what runs isn't deleted, and force stays the user's decision, with what it does.
#[test]
fn what_runs_is_told_with_the_way_out() {
    assert_eq!(
        words(&said(DELETE_INSTANCE, 409, "instance has running tasks, stop first or use force=true")).0,
        "tasks run in instance jp_100003, so it wasn't deleted"
    );
    assert_eq!(
        words(&said(DELETE_INFERENCE, 409, "inference task is running, use force=true to delete")),
        (
            "inference task inf_200003 runs, so it wasn't deleted",
            "tell the user: wait until it has ended, or delete with force true, which ends it at once and keeps what it has \
             processed; that is the user's decision",
        )
    );
    assert_eq!(
        words(&said(DELETE_TRAINING, 409, "training job is running, use force=true to delete")),
        (
            "training job train_300001 runs, so it wasn't deleted",
            "tell the user: pause it first, wait until it has ended, or delete with force true, which ends it at once and may \
             corrupt partial checkpoints; that is the user's decision",
        )
    );
}

/// R-PM-051, R-PM-076: a backup that failed leaves the instance in a state that nobody knows, and none is left out
/// instead.
#[test]
fn a_failed_backup_leads_to_a_look() {
    let mut arguments = least(DELETE_INSTANCE);
    arguments.insert("backup_workspace".to_owned(), json!(true));
    arguments.insert("backup_bucket".to_owned(), json!("acme-backup"));
    let call = made(DELETE_INSTANCE, &arguments);
    let refusal = explained(&call, 500, "500", "failed to backup workspace: bucket access denied");
    assert_eq!(refusal.violations[0].path, "backup_bucket");
    assert_eq!(
        words(&refusal),
        (
            "PyroMind may not use the bucket acme-backup; what state it left isn't known",
            "ask the user to grant PyroMind access to it; look at its state with pyromind_get_instance before trying \
             again; deleting without a backup is the user's decision",
        )
    );
    let refusal = explained(&call, 500, "500", "failed to backup workspace: timeout");
    assert_eq!(
        words(&refusal),
        (
            "the backup failed; whether instance jp_100003 is still there isn't known",
            "look at its state with pyromind_get_instance before trying again; deleting without a backup is the user's \
             decision",
        )
    );
    let refusal = said(CREATE_INFERENCE, 500, "failed to create task: invalid output bucket permission");
    assert_eq!(refusal.violations[0].path, "output_config.output_bucket");
}

/// R-PM-054, R-PM-074, R-PM-090: a name that is taken is the user's to change.
#[test]
fn a_new_name_that_is_taken_changes_nothing() {
    let refusal = said(EDIT, 409, "new instance name already exists");
    assert_eq!(refusal.violations[0].path, "name");
    assert_eq!(
        words(&refusal),
        (
            "the new name is taken by another instance; nothing was changed",
            "ask the user for another name; never make one up",
        )
    );
    for (tool, message, noun) in [
        (CREATE_INFERENCE, "inference task name already exists", "inference task"),
        (SUBMIT, "training job name already exists", "training job"),
    ] {
        let refusal = said(tool, 409, message);
        assert_eq!(words(&refusal).0, format!("the name is taken by another {noun}; nothing was created"));
    }
}

/// R-PM-069: the model is named, and no other is taken; R-PM-103: a job or a checkpoint that isn't found.
#[test]
fn a_model_or_a_checkpoint_that_is_not_found_is_the_users_to_name() {
    let mut arguments = least(CREATE_INFERENCE);
    arguments.insert("model_version".to_owned(), json!("v3.2"));
    let message = "model ppo-traffic-control-v3 (v3.2) not found";
    let refusal = explained(&made(CREATE_INFERENCE, &arguments), 404, "404", message);
    assert_eq!(refusal.violations[0].path, "model_name");
    assert_eq!(
        words(&refusal),
        (
            "PyroMind has no model ppo-traffic-control-v3 of version v3.2; nothing was created",
            "ask the user for a model that was uploaded to the platform; don't take another",
        )
    );
    assert_eq!(words(&said(SUBMIT, 404, "endpoint not found")).0, "there is nothing at this address");
    let refusal = said(RESUME_TRAINING, 404, "training job or checkpoint not found");
    assert_eq!(refusal.violations[0].path, "job_id");
    assert_eq!(
        words(&refusal),
        (
            "training job train_300001 wasn't found, or the checkpoint wasn't; the cloud doesn't say which",
            "compare the id with pyromind_list_training_jobs; a checkpoint's name comes from the user or from the result of a \
             pause: don't make one up or take another",
        )
    );
    assert_eq!(
        words(&said(DELETE_INFERENCE, 404, "inference task not found")),
        (
            "inference task inf_200003 wasn't found: the id is wrong, or it has expired or been deleted",
            "compare the id with pyromind_list_inference_tasks and ask the user; don't take another",
        )
    );
}

/// R-PM-055, R-PM-059, R-PM-097, R-PM-100: the state that is needed; R-PM-058, R-PM-104: no other way is taken where a
/// checkpoint fails.
#[test]
fn states_and_checkpoints_are_told_with_what_to_do() {
    let look = |tool: &str| format!("look at its state with pyromind_get_{tool} before trying again; ");
    for (tool, get, message, needed) in [
        (
            PAUSE,
            "instance",
            "cannot pause instance in 'paused' or 'stopped' status",
            "only a running instance can be paused",
        ),
        (
            RESUME,
            "instance",
            "cannot resume instance in 'running' or 'stopped' status",
            "only a paused instance can be resumed; no call brings a stopped one back",
        ),
        (
            PAUSE_TRAINING,
            "training_job",
            "cannot pause job in 'completed' status",
            "only a running job can be paused; one in success, completed, failed or canceled has ended for good",
        ),
        (
            RESUME_TRAINING,
            "training_job",
            "cannot resume running job",
            "only a paused job can be resumed; one that has ended can be submitted anew",
        ),
    ] {
        assert_eq!(words(&said(tool, 400, message)).1, look(get) + needed);
    }
    assert_eq!(
        words(&said(PAUSE_TRAINING, 500, "failed to save checkpoint: storage write error")),
        (
            "PyroMind couldn't save or load the checkpoint; what state it left isn't known",
            &*(look("training_job")
                + "going on without a checkpoint, or from another, is the user's decision"),
        )
    );
    assert_eq!(
        words(&said(RESUME_TRAINING, 500, "failed to load checkpoint: corrupted file")),
        (
            "the checkpoint can't be loaded: its file is corrupted",
            &*(look("training_job") + "tell the user: only they choose another checkpoint"),
        )
    );
}

/// R-PM-016: where nothing can be asked for less, only time helps.
#[test]
fn a_shortage_at_a_resume_is_the_users_to_wait_out() {
    let refusal = said(RESUME_TRAINING, 500, "failed to resume job: insufficient GPU resources");
    assert!(
        words(&refusal).1.starts_with("tell the user: another time, or less in use elsewhere; "),
        "{refusal:?}"
    );
}
