use serde_json::{Value, json};

use super::*;
use crate::sim::Simulator;
use crate::sim::testkit::{AT, Call, DLC, code, job_id, simulator};
use crate::sim::world::SECRET_MARK;

fn token(simulator: &Simulator, query: &str) -> (u16, Value) {
    Call::get(DLC, &format!("/api/v1/tokens{query}"), "GetToken").send(simulator)
}

fn dashboards(simulator: &Simulator, job: &str, query: &str) -> [(u16, Value); 2] {
    [("dashboard", "GetDashboard"), ("rayDashboard", "GetRayDashboard")].map(|(path, action)| {
        Call::get(DLC, &format!("/api/v1/jobs/{job}/{path}{query}"), action).send(simulator)
    })
}

/// R-DLC-07, R-DLC-08
#[test]
fn a_token_is_for_a_job_or_a_tensorboard_that_the_caller_may_see() {
    let simulator = simulator();
    let before = simulator.state().unwrap();
    let board = before["regions"]["cn-hangzhou"]["tensorboards"][1]["id"].as_str().unwrap();
    let job = job_id("detector-tune");
    let first = token(&simulator, &format!("?TargetType=job&TargetId={job}")).1["Token"].clone();
    let settings = "TokenSettings.EnableLogDownloadJob=true&TokenSettings.EnableCrossAccountAccess=false";
    let other = token(&simulator, &format!("?TargetType=job&TargetId={job}&{settings}")).1["Token"].clone();
    let shared = token(&simulator, &format!("?TargetType=tensorboard&TargetId={board}")).1["Token"].clone();
    let tokens = [&first, &other, &shared].map(|token| token.as_str().unwrap());
    assert!(tokens.iter().all(|token| token.starts_with("eyJ") && token.contains(SECRET_MARK)));
    assert!(tokens[0] != tokens[1] && tokens[1] != tokens[2]);
    let payroll = job_id("payroll-fit");
    for (query, expected) in [
        (String::new(), (400, "MissingParameter.TargetType")),
        ("?TargetType=job".to_owned(), (400, "MissingParameter.TargetId")),
        ("?TargetType=pod&TargetId=a".to_owned(), (400, "InvalidParameter.TargetType")),
        ("?TargetType=job&TargetId=dlc0".to_owned(), (404, "NotFound.Job")),
        (format!("?TargetType=job&TargetId={board}"), (404, "NotFound.Job")),
        (format!("?TargetType=tensorboard&TargetId={job}"), (404, "NotFound.Tensorboard")),
        (format!("?TargetType=job&TargetId={payroll}"), (403, "Forbidden.RAM")),
        (format!("?TargetType=job&TargetId={job}&ExpireTime=-1"), (400, "InvalidParameter.ExpireTime")),
        (
            format!("?TargetType=job&TargetId={job}&TokenSettings.EnableLogDownloadJob=1"),
            (400, "InvalidParameter.EnableLogDownloadJob"),
        ),
    ] {
        assert_eq!(code(token(&simulator, &query)), (expected.0, expected.1.to_owned()), "{query}");
    }
    assert_eq!(simulator.state().unwrap(), before);
}

#[test]
fn a_terminal_is_in_a_running_pod() {
    let simulator = simulator();
    let before = simulator.state().unwrap();
    let terminal = |job: &str, pod: &str, query: &str, at| {
        let path = format!("/api/v1/jobs/{job}/pods/{pod}/webterminal{query}");
        Call::get(DLC, &path, "GetWebTerminal").at(at).send(&simulator)
    };
    let job = job_id("detector-tune");
    let pod = format!("{job}-head-0");
    let urls =
        [("", AT), ("?IsShared=false", AT), ("?IsShared=true", AT), ("", AT + SignedDuration::from_secs(1))]
            .map(|(query, at)| {
                terminal(&job, &pod, query, at).1["WebTerminalUrl"].as_str().unwrap().to_owned()
            });
    let start = format!("wss://pai-dlc-proxy-cn-hangzhou.aliyun.com/terminal/{job}/{pod}?");
    assert!(urls.iter().all(|url| url.starts_with(&start) && url.contains(SECRET_MARK)), "{urls:?}");
    assert_eq!(urls[0], urls[1]);
    assert!(urls[0] != urls[2] && urls[0] != urls[3]);
    let finished = job_id("detector-eval");
    let over = terminal(&finished, &format!("{finished}-worker-0"), "", AT);
    assert_eq!(code(over), (400, "PodNotRunning".to_owned()));
    assert_eq!(code(terminal(&job, "none", "", AT)), (404, "NotFound.Pod".to_owned()));
    assert_eq!(code(terminal(&job, &pod, "?PodUid=none", AT)), (404, "NotFound.Pod".to_owned()));
    assert_eq!(code(terminal("dlc0", &pod, "", AT)), (404, "NotFound.Job".to_owned()));
    let payroll = job_id("payroll-fit");
    let denied = terminal(&payroll, &format!("{payroll}-worker-0"), "", AT);
    assert_eq!(code(denied), (403, "Forbidden.RAM".to_owned()));
    assert_eq!(simulator.state().unwrap(), before);
}

/// R-DLC-45
#[test]
fn only_a_ray_job_has_a_dashboard() {
    let simulator = simulator();
    let before = simulator.state().unwrap();
    let ray = job_id("detector-tune");
    let proxy = "https://pai-dlc-proxy-cn-hangzhou.aliyun.com";
    let [plain, with_metrics] = dashboards(&simulator, &ray, "");
    let url = |reply: &Value| reply["url"].as_str().unwrap().to_owned();
    assert!(url(&plain.1).starts_with(&format!("{proxy}/dashboard/{ray}?ticket={SECRET_MARK}-")));
    assert!(url(&with_metrics.1).starts_with(&format!("{proxy}/ray/dashboard/{ray}?ticket={SECRET_MARK}-")));
    assert_eq!(with_metrics.1["metricsEnabled"], "true");
    assert_eq!(plain.1.as_object().unwrap().len(), 1, "no request id");
    for other in ["detector-pretrain", "detector-eval"] {
        let [(plain_status, plain), (ray_status, ray)] = dashboards(&simulator, &job_id(other), "");
        assert_eq!((plain_status, ray_status), (200, 200));
        assert_eq!(
            (&plain["url"], &ray["url"], &ray["metricsEnabled"]),
            (&json!(""), &json!(""), &json!("false"))
        );
    }
    for (job, expected) in
        [("dlc0".to_owned(), (404, "NotFound.Job")), (job_id("payroll-fit"), (403, "Forbidden.RAM"))]
    {
        for answer in dashboards(&simulator, &job, "") {
            assert_eq!(code(answer), (expected.0, expected.1.to_owned()));
        }
    }
    assert_eq!(simulator.state().unwrap(), before);
}

#[test]
fn a_shared_dashboard_needs_a_token_of_its_job() {
    let simulator = simulator();
    let ray = job_id("detector-tune");
    let of = |job: &str| {
        let reply = token(&simulator, &format!("?TargetType=job&TargetId={job}&ExpireTime=60")).1;
        reply["Token"].as_str().unwrap().to_owned()
    };
    let good = of(&ray);
    for (answer, path) in dashboards(&simulator, &ray, &format!("?isShared=true&token={good}"))
        .into_iter()
        .zip(["dashboard", "ray/dashboard"])
    {
        let expected = format!("https://pai-dlc-proxy-cn-hangzhou.aliyun.com/{path}/{ray}?token={good}");
        assert_eq!((answer.0, &answer.1["url"]), (200, &json!(expected)));
    }
    for (query, expected) in [
        ("?isShared=true".to_owned(), "MissingParameter.token"),
        ("?isShared=yes".to_owned(), "InvalidParameter.isShared"),
        ("?isShared=true&token=a".to_owned(), "InvalidParameter.token"),
        (format!("?isShared=true&token={}", of(&job_id("detector-pretrain"))), "InvalidParameter.token"),
    ] {
        for answer in dashboards(&simulator, &ray, &query) {
            assert_eq!(code(answer), (400, expected.to_owned()), "{query}");
        }
    }
    let later = AT + SignedDuration::from_secs(60);
    let path = format!("/api/v1/jobs/{ray}/dashboard?isShared=true&token={good}");
    let expired = Call::get(DLC, &path, "GetDashboard").at(later).send(&simulator);
    assert_eq!(code(expired), (400, "InvalidParameter.token".to_owned()));
}
