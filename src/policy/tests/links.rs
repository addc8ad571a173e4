//! Links and tokens: shown whole where they are meant to be opened, and nowhere else.

use super::*;
use crate::policy::mask::Shown;
use crate::tools::tests::arguments::least;

const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJ0YXJnZXRfaWQiOiJ0YjEifQ.canary6eT68JKMBwwfN2d";
const ADDRESS: &str = "https://pai-dlc-proxy-cn-hangzhou.aliyun.com/tensorboard/tb1/";

fn shown(tool: &str, reply: Value, seen: &mut Seen) -> Shown {
    let call = call(tool, &Value::Object(least(tool)));
    policy().mask_reply(&call, &Outcome::Reply(Raw::new(reply)), seen).unwrap()
}

fn body(tool: &str, reply: Value) -> Value {
    shown(tool, reply, &mut Seen::default()).masked.body().clone()
}

/// R-DLC-10, R-DLC-43: a link to open is in the result byte for byte, and the result says whom it is for.
#[test]
fn a_link_to_open_is_shown_whole() {
    let note =
        "Whoever has this link gets in while it is good: give it to the user, and write it nowhere else.";
    for (tool, field, link) in [
        ("dlc_get_tensorboard_shared_url", "TensorboardSharedUrl", format!("{ADDRESS}{JWT}/")),
        (
            "dlc_get_web_terminal",
            "WebTerminalUrl",
            "wss://proxy.example/dlc1?token=LTAI5tCanary7Hf2Kd9LqW3x".to_owned(),
        ),
        ("dlc_get_dashboard", "url", format!("https://proxy.example/dlc1?token={JWT}")),
        ("dlc_get_ray_dashboard", "url", "https://proxy.example/dlc1".to_owned()),
    ] {
        let mut seen = Seen::default();
        // Not even what was seen before takes a part of it away.
        seen.note("proxy.example");
        let Shown { masked, deposits } = shown(tool, json!({ field: link }), &mut seen);
        let mut expected = json!({ field: link, "for_the_user": note });
        if tool == "dlc_get_tensorboard_shared_url" {
            expected["expires"] = json!(
                "the link is good for a limited time; no ExpireTimeSeconds was given, so the service decides how long"
            );
        }
        assert_eq!(masked.body(), &expected, "{tool}");
        assert_eq!(masked.redactions().get("link"), Some(&1), "{tool}");
        assert!(deposits.is_empty());
    }
}

/// R-DLC-10: once shown, neither the link nor what grants in it stands in any other text.
#[test]
fn a_link_that_was_shown_is_swept_from_everything_else() {
    let mut seen = Seen::default();
    shown(
        "dlc_get_tensorboard_shared_url",
        json!({ "TensorboardSharedUrl": format!("{ADDRESS}{JWT}/") }),
        &mut seen,
    );
    shown("dlc_get_dashboard", json!({ "url": "https://proxy.example/dlc1?ticket=canary-9f31" }), &mut seen);
    let words = format!(
        "open {ADDRESS}{JWT}/ or {JWT} or https://proxy.example/dlc1?ticket=canary-9f31, canary-9f31"
    );
    let refusal = policy().mask_refusal(&Refusal::new("rule", words), &mut seen);
    assert_eq!(refusal.body()["error"], "open [masked] or [masked] or [masked], [masked]");
    let get = call(
        "dlc_get_job",
        &json!({ "RegionId": "cn-hangzhou", "JobId": "https://proxy.example/dlc1?ticket=canary-9f31" }),
    );
    let recorded = policy().mask_call(&get, &seen);
    assert_eq!(recorded.arguments()["JobId"], "[masked]");
}

/// R-DLC-45: an empty link is none, and it is said why.
#[test]
fn an_empty_link_is_left_out() {
    let why = "no link: only a RayJob has a dashboard; dlc_get_job shows the job's type and status";
    assert_eq!(body("dlc_get_dashboard", json!({ "url": "" })), json!({ "why_empty": why }));
    assert_eq!(
        body("dlc_get_ray_dashboard", json!({ "url": "", "metricsEnabled": "false" })),
        json!({ "metricsEnabled": "false", "why_empty": why })
    );
    assert_eq!(body("dlc_get_dashboard", json!({ "url": ["https://proxy.example"] })), json!({}));
}

/// R-DLC-09: a token goes to the vault, and a handle stands in its place.
#[test]
fn a_token_is_handed_over() {
    let Shown { masked, deposits } = shown("dlc_get_token", json!({ "Token": JWT }), &mut Seen::default());
    let handle = masked.body()["Token"].as_str().unwrap();
    assert_eq!(
        deposits.iter().map(|deposit| (deposit.handle().as_str(), deposit.expose())).collect::<Vec<_>>(),
        [(handle, JWT)]
    );
    assert!(!masked.body().to_string().contains("canary"), "{}", masked.body());
}

/// A read shows an address that lets nobody in by itself, and no other.
#[test]
fn a_read_shows_no_address_that_grants_access() {
    let board = |url: &str| {
        let reply = json!({ "TensorboardId": "tb1", "TensorboardUrl": url, "Token": JWT });
        let mut seen = Seen::default();
        let one = shown("dlc_get_tensorboard", reply.clone(), &mut seen);
        let call = call("dlc_list_tensorboards", &json!({ "RegionId": "cn-hangzhou", "detail": "full" }));
        let rows = Outcome::Reply(Raw::new(json!({ "Tensorboards": [reply] })));
        let many = policy().mask_reply(&call, &rows, &mut seen).unwrap();
        assert!(one.deposits.is_empty() && many.deposits.is_empty(), "a read hands nothing over");
        let shown = [one.masked.body(), &many.masked.body()["Tensorboards"][0]].map(|board| {
            assert_eq!(board.get("Token"), None);
            board.get("TensorboardUrl").cloned()
        });
        assert_eq!(shown[0], shown[1]);
        let swept = policy().mask_refusal(&Refusal::new("rule", url), &mut seen).body()["error"].clone();
        (shown[0].clone(), swept)
    };
    for plain in [ADDRESS, "http://pai-dlc-proxy.example/tensorboard-20210114104214-vf9lowjt3pso/"] {
        assert_eq!(board(plain), (Some(json!(plain)), json!(plain)));
    }
    for grants in [
        format!("{ADDRESS}?token=canary-9f31"),
        format!("{ADDRESS}{JWT}/"),
        format!("{ADDRESS}#canary-9f31"),
        "https://user:canary-9f31@proxy.example/tb1".to_owned(),
    ] {
        assert_eq!(board(&grants), (None, json!("[masked]")), "{grants}");
    }
    assert_eq!(board("").0, None);
}

/// A token that an agent gives is hidden wherever the call is shown; a handle is not.
#[test]
fn a_token_in_a_call_is_hidden() {
    let with = |token: &str| {
        let arguments =
            json!({ "RegionId": "cn-hangzhou", "JobId": "dlc1", "isShared": true, "token": token });
        let call = call("dlc_get_dashboard", &arguments);
        let recorded = policy().mask_call(&call, &Seen::default());
        let asked = question(judge(policy(), &call, &World::ready())).message().to_owned();
        (recorded.arguments()["token"].clone(), asked)
    };
    let (recorded, asked) = with(JWT);
    assert_eq!(recorded, "****");
    assert!(asked.contains("- token: \"****\"") && !asked.contains("canary"), "{asked}");
    let handle = "handle:aeaqcaibaeaqcaibaeaqcaibae";
    let (recorded, asked) = with(handle);
    assert_eq!(recorded, handle);
    assert!(asked.contains(handle), "{asked}");
}
