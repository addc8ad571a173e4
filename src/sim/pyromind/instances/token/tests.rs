use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;

use super::*;
use crate::sim::pyromind::testkit::{Cloud, failure, id, instant, path_of};

fn token(cloud: &Cloud, name: &str, query: &str, second: i64) -> Value {
    cloud.get(&format!("{}/access-token{query}", path_of(name)), second)
}

/// R-PM-063, R-PM-064, R-PM-066
#[test]
fn a_token_is_a_jwt_and_stands_in_the_address_too() {
    let answer = token(&Cloud::new(), "rl-notebook", "?token_ttl=7200", 10);
    let path = path_of("rl-notebook");
    let shown = answer["data"]["access_token"].as_str().unwrap();
    let expected = json!({
        "code": 200,
        "message": "access token generated successfully",
        "data": {
            "instance_id": id(&path),
            "access_token": shown,
            "token_ttl": 7200,
            "expire_time": instant(7210),
            "access_url": format!("https://instances.pyromind.ai/{}?token={shown}", id(&path)),
        },
    });
    assert_eq!(answer, expected);
    let parts: Vec<&str> = shown.split('.').collect();
    assert_eq!(parts[0], "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9");
    let claims: Value =
        serde_json::from_slice(&BASE64URL_NOPAD.decode(parts[1].as_bytes()).unwrap()).unwrap();
    let (iat, exp) = (instant(10).as_second(), instant(7210).as_second());
    assert_eq!(claims, json!({"sub": id(&path), "iat": iat, "exp": exp}));
    assert_eq!((parts.len(), parts[2].len()), (3, 43));
}

/// R-PM-065
#[test]
fn tokens_differ_by_instance_and_time() {
    let cloud = Cloud::new();
    let first = token(&cloud, "rl-notebook", "", 0);
    assert_eq!(first["data"]["token_ttl"], 3600);
    assert_eq!(first["data"]["expire_time"], json!(instant(3600)));
    for other in [
        token(&cloud, "rl-notebook", "", 1),
        token(&cloud, "rl-notebook", "?token_ttl=60", 0),
        token(&cloud, "cpu-notebook", "", 0),
    ] {
        assert_ne!(other["data"]["access_token"], first["data"]["access_token"]);
    }
}

/// R-PM-063, R-PM-064
#[test]
fn not_every_instance_has_a_token() {
    let cloud = Cloud::new();
    for name in ["paused-sweep", "archived-study", "corrupt-image"] {
        let refused = failure(400, "cannot generate token for non-running instance");
        assert_eq!(token(&cloud, name, "", 0), refused, "{name}");
    }
    let trouble = failure(500, "token generation failed: auth service error");
    assert_eq!(token(&cloud, "auth-trouble", "", 0), trouble);
    assert_eq!(cloud.get("/instances/jp_0/access-token", 0), failure(404, "instance not found"));
    for ttl in ["0", "-1", "1h"] {
        let refused = failure(400, "token_ttl must be positive integer");
        assert_eq!(token(&cloud, "rl-notebook", &format!("?token_ttl={ttl}"), 0), refused);
    }
    let endless = token(&cloud, "rl-notebook", "?token_ttl=18446744073709551615", 0);
    assert_eq!(endless["data"]["expire_time"], json!(Timestamp::MAX));
}
