//! What each tool does to the world, and what follows for its reply.

use super::catalogue::each_field;
use crate::spec::Effect;
use crate::spec::marks::{Kind, Mark};
use crate::tools::{all, find};

/// What strangers may have written comes from reads that say so, and from what runs something; no field hides what is
/// said of it.
#[test]
fn untrusted_text_is_where_the_effect_says() {
    let mut found = Vec::new();
    for tool in all() {
        let mut untrusted = Vec::new();
        each_field("", tool.reply(), &mut |path, shape, _| {
            let mut item = shape;
            while let Kind::List(inner) = &item.kind {
                item = inner;
            }
            if item.untrusted {
                untrusted.push(format!("{}{path}", tool.name()));
            }
        });
        let says_so = match tool.spec().effect {
            Effect::Untrusted => !untrusted.is_empty(),
            Effect::Act => true,
            Effect::Read | Effect::Reveal | Effect::Create | Effect::Update | Effect::Destroy => {
                untrusted.is_empty()
            }
        };
        assert!(says_so, "{}: {untrusted:?}", tool.name());
        assert_eq!(tool.reply().field("untrusted"), None, "{}", tool.name());
        found.extend(untrusted);
    }
    let expected = [
        "dlc_get_job_events.Events",
        "dlc_get_job_sanity_check_result.SanityCheckResult.Message",
        "dlc_get_pod_events.Events",
        "dlc_get_pod_logs.Logs",
        "dlc_list_job_sanity_check_results.SanityCheckResults.Message",
        "pyromind_execute_sandbox_batch_actions.results.message",
        "pyromind_get_inference_task.logs",
        "pyromind_get_instance.logs",
        "pyromind_get_training_job.logs",
    ];
    assert_eq!(found, expected);
}

/// R-WS-93: a workspace can't be deleted, R-DLC-33: a quota can't be looked up; R-PM-019, R-PM-033, R-PM-066: what
/// hands out a secret isn't a read.
#[test]
fn what_is_no_read_is_known() {
    let effects: Vec<_> = all()
        .map(|tool| (tool.name(), tool.spec().effect))
        .filter(|(_, effect)| *effect != Effect::Read)
        .collect();
    assert_eq!(
        effects,
        [
            ("aiworkspace_create_workspace", Effect::Create),
            ("dlc_create_job", Effect::Create),
            ("dlc_create_job_template", Effect::Create),
            ("dlc_create_tensorboard", Effect::Create),
            ("dlc_get_dashboard", Effect::Reveal),
            ("dlc_get_job_events", Effect::Untrusted),
            ("dlc_get_job_sanity_check_result", Effect::Untrusted),
            ("dlc_get_pod_events", Effect::Untrusted),
            ("dlc_get_pod_logs", Effect::Untrusted),
            ("dlc_get_ray_dashboard", Effect::Reveal),
            ("dlc_get_tensorboard_shared_url", Effect::Reveal),
            ("dlc_get_token", Effect::Reveal),
            ("dlc_get_web_terminal", Effect::Reveal),
            ("dlc_list_job_sanity_check_results", Effect::Untrusted),
            ("dlc_set_job_template_default_version", Effect::Update),
            ("dlc_start_tensorboard", Effect::Act),
            ("dlc_stop_job", Effect::Act),
            ("dlc_stop_tensorboard", Effect::Act),
            ("dlc_update_job", Effect::Update),
            ("dlc_update_job_template", Effect::Update),
            ("dlc_update_tensorboard", Effect::Update),
            ("pyromind_create_inference_task", Effect::Create),
            ("pyromind_create_instance", Effect::Create),
            ("pyromind_create_sandbox", Effect::Create),
            ("pyromind_delete_inference_task", Effect::Destroy),
            ("pyromind_delete_instance", Effect::Destroy),
            ("pyromind_delete_sandbox", Effect::Destroy),
            ("pyromind_delete_training_job", Effect::Destroy),
            ("pyromind_edit_instance", Effect::Update),
            ("pyromind_execute_sandbox_action", Effect::Act),
            ("pyromind_execute_sandbox_batch_actions", Effect::Act),
            ("pyromind_get_inference_task", Effect::Untrusted),
            ("pyromind_get_instance", Effect::Untrusted),
            ("pyromind_get_instance_access_token", Effect::Reveal),
            ("pyromind_get_sandbox_vnc", Effect::Reveal),
            ("pyromind_get_training_job", Effect::Untrusted),
            ("pyromind_pause_instance", Effect::Act),
            ("pyromind_pause_training_job", Effect::Act),
            ("pyromind_resume_instance", Effect::Act),
            ("pyromind_resume_training_job", Effect::Act),
            ("pyromind_submit_training_job", Effect::Create),
        ]
    );
    for tool in all() {
        each_field(tool.name(), tool.reply(), &mut |path, _, mark| {
            if matches!(mark, Some(Mark::HandOver | Mark::UrlToken | Mark::Link)) {
                assert!(tool.spec().effect.changes(), "{path}");
            }
        });
    }
}

/// R-DLC-09, R-DLC-10: what reveals says whose id is typed, be it the last of the path or no part of it.
#[test]
fn what_reveals_is_about_one_thing() {
    let reveals = all().filter(|tool| tool.spec().effect == Effect::Reveal);
    let subjects: Vec<_> = reveals.map(|tool| (tool.name(), tool.subject().unwrap())).collect();
    assert_eq!(
        subjects,
        [
            ("dlc_get_dashboard", "JobId"),
            ("dlc_get_ray_dashboard", "JobId"),
            ("dlc_get_tensorboard_shared_url", "TensorboardId"),
            ("dlc_get_token", "TargetId"),
            ("dlc_get_web_terminal", "PodId"),
            ("pyromind_get_instance_access_token", "instance_id"),
            ("pyromind_get_sandbox_vnc", "sandbox_id"),
        ]
    );
    assert_eq!(find("dlc_list_tensorboards").unwrap().subject(), None);
}
