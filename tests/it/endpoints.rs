//! Where live calls go: the flags that choose addresses, regions, authorities and times. Nothing is sent here.

use serde_json::{Value, json};

use crate::harness::world::LIST_WORKSPACES;
use crate::harness::{Home, Ran};

fn rehearse(flags: &[&str], tool: &str, region: &str) -> Ran {
    let arguments = json!({ "RegionId": region }).to_string();
    let call = ["call", "--dry-run", "--json", "--cloud", "live"];
    Home::new().run(&[&call[..], flags, &[tool, &arguments]].concat())
}

fn url(ran: &Ran) -> String {
    let url = ran.json()["request"]["url"].as_str().map(str::to_owned);
    url.unwrap_or_else(|| panic!("{ran:?}")).split('?').next().unwrap().to_owned()
}

#[test]
fn the_address_follows_the_region_the_network_and_the_override() {
    for (flags, expected) in [
        (&[][..], "https://aiworkspace.cn-hangzhou.aliyuncs.com/api/v1/workspaces"),
        (&["--vpc"], "https://aiworkspace-vpc.cn-hangzhou.aliyuncs.com/api/v1/workspaces"),
        (
            &["--vpc", "--endpoint", "aiworkspace=https://gate.example/{RegionId}/"],
            "https://gate.example/cn-hangzhou/api/v1/workspaces",
        ),
    ] {
        assert_eq!(url(&rehearse(flags, LIST_WORKSPACES, "cn-hangzhou")), expected);
    }
}

/// R-WS-44: a region that isn't documented takes the operator's word; the question says what it is.
#[test]
fn an_undocumented_region_needs_the_operators_flag() {
    let refused = rehearse(&[], LIST_WORKSPACES, "cn-nowhere-1");
    assert_eq!((refused.code, &refused.json()["violations"][0]["path"]), (Some(1), &json!("RegionId")));

    let allowed = rehearse(&["--allow-region", "cn-nowhere-1"], LIST_WORKSPACES, "cn-nowhere-1");
    assert_eq!(url(&allowed), "https://aiworkspace.cn-nowhere-1.aliyuncs.com/api/v1/workspaces");
    let regions: Vec<Value> = allowed.json()["confirm"][0]["form"]["region"].as_array().unwrap().clone();
    assert_eq!(regions.last(), Some(&json!("cn-nowhere-1")), "allowed is not yet confirmed");
    let other = rehearse(&["--allow-region", "cn-nowhere-1"], LIST_WORKSPACES, "cn-nowhere-2");
    assert_eq!(other.code, Some(1));

    let both = ["--allow-region", "cn-nowhere-1", "--region", "cn-nowhere-1"];
    assert_eq!(rehearse(&both, LIST_WORKSPACES, "cn-nowhere-1").json()["confirm"], json!([]));
}

#[test]
fn what_makes_no_sense_is_a_wrong_command_line() {
    let home = Home::new();
    let junk = home.write("junk.pem", "no certificate");
    let call = |flags: &[&str]| {
        let ran = home.run(&[&["call", LIST_WORKSPACES, r#"{"RegionId": "cn-hangzhou"}"#], flags].concat());
        (ran.code, ran.stderr)
    };
    for (flags, words) in [
        (&["--vpc"][..], "--vpc is for --cloud live"),
        (&["--allow-region", "cn-nowhere-1"], "--allow-region is for --cloud live"),
        (&["--timeout", "5"], "--timeout is for --cloud live"),
        (&["--ca-file", &junk], "--ca-file is for --cloud live"),
        (&["--cloud", "live", "--ca-file", &junk], "--ca-file: it holds no certificates in PEM form"),
        (&["--cloud", "live", "--region", "cn-nowhere-1"], "--allow-region NAME allows another"),
        (&["--cloud", "live", "--allow-region", "evil.example"], "isn't a region id"),
        (
            &["--cloud", "live", "--endpoint", "sts=http://sts.example"],
            "the endpoint sts can't be used: it must use https",
        ),
        (&["--cloud", "live", "--timeout", "0"], "a timeout is a whole number of seconds"),
    ] {
        let (code, stderr) = call(flags);
        assert_eq!(code, Some(2), "{flags:?} {stderr}");
        assert!(stderr.contains(words), "{flags:?} {stderr}");
    }
    let (code, stderr) = call(&["--cloud", "live", "--ca-file", "no/such/file"]);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(!home.file("state").exists(), "a wrong command line leaves nothing behind");
}
