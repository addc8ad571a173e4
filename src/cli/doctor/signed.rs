//! What only a real call can tell: whether the credentials work, and whether PAI is activated.
//!
//! The calls are reads, and go the way of every call: judged, recorded, masked.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::report::Check;
use crate::cli::human;
use crate::gateway::{Gateway, Peer, Request, Step, StepError};

/// The product code of PAI.
const PAI: &str = "PAI_share";

/// Whether PAI is activated in a region, which its credentials must be good enough to ask.
pub(super) async fn activation(gateway: Arc<Gateway>, region: String) -> Check {
    let id = "activation";
    let arguments = json!({ "RegionId": region, "ProductCodes": PAI, "Verbose": true });
    let check = match read(&gateway, "aiworkspace_list_products", arguments).await {
        Ok(reply) => activated(id, &reply),
        Err(told) => failed(id, told),
    };
    check.about(region)
}

/// What the list of products says (R-WS-48, R-WS-49).
fn activated(id: &'static str, reply: &Value) -> Check {
    let is_pai = |row: &&Value| human::text(row, "ProductCode") == PAI;
    let Some(row) = human::list(reply, "Products").iter().find(is_pai) else {
        let message = "the cloud lists no PAI here, which is no activation; the credentials are accepted";
        return Check::failure(id, message, "look at the PAI console of this region");
    };
    if row.get("IsPurchased").and_then(Value::as_bool) == Some(true) {
        return Check::ok(id, "PAI is activated, and the credentials are accepted");
    }
    let fix = match human::text(row, "PurchaseUrl") {
        "" => "ask who administers the account to activate PAI in this region".to_owned(),
        address => format!("activate it at {address}"),
    };
    Check::failure(id, "PAI isn't activated here; the credentials are accepted", fix)
}

/// Whether PyroMind takes the key, asked by a list of at most one row.
pub(super) async fn pyromind(gateway: Arc<Gateway>) -> Check {
    let id = "pyromind.key";
    match read(&gateway, "pyromind_list_sandboxes", json!({ "page": 1, "page_size": 1 })).await {
        Ok(_) => Check::ok(id, "PyroMind accepts the key"),
        Err(told) => failed(id, told),
    }
}

/// Why there is no reply.
enum Told {
    /// What a refusal says.
    Refusal(Value),
    /// What else stands in the way.
    Words(String),
}

async fn read(gateway: &Arc<Gateway>, tool: &str, arguments: Value) -> Result<Value, Told> {
    let request = Request {
        tool: tool.to_owned(),
        arguments: arguments.as_object().cloned().unwrap_or_else(Map::new),
        scope: gateway.new_scope(),
        answer: None,
        peer: Peer { client: "redline-mcp doctor".to_owned(), ..Peer::default() },
    };
    match gateway.step(request).await {
        Ok(Step::Done(masked)) if masked.is_error() => Err(Told::Refusal(masked.body().clone())),
        Ok(Step::Done(masked)) => Ok(masked.body().clone()),
        Ok(Step::Ask(question)) => Err(Told::Words(format!("the policy asks first: {}", question.message()))),
        Err(StepError::UnknownTool(tool)) => Err(Told::Words(format!("{tool} isn't offered"))),
    }
}

fn failed(id: &'static str, told: Told) -> Check {
    let body = match told {
        Told::Refusal(body) => body,
        Told::Words(words) => {
            return Check::warning(id, words, "look at the rules with `redline-mcp policy explain`");
        }
    };
    let faults = human::list(&body, "violations");
    // To an agent a refusal says that the user is to be told; here it is the user who reads.
    let fix = match human::text(&body, "rule") {
        "cloud-credentials" => "set the right key where the credentials come from".to_owned(),
        "credentials" => "set up what the credentials check says".to_owned(),
        _ => faults.iter().map(|fault| human::text(fault, "fix")).collect::<Vec<_>>().join("; "),
    };
    let error = human::text(&body, "error");
    let causes = faults.iter().map(|fault| human::text(fault, "message")).filter(|cause| *cause != error);
    let details = causes.map(str::to_owned).chain(human::cloud(&body)).collect();
    Check::failure(id, error, fix).with(details)
}

#[cfg(test)]
mod tests {
    use super::super::report::Status;
    use super::*;

    /// R-WS-48, R-WS-49: a missing entry is no activation, and who may purchase is shown where.
    #[test]
    fn only_a_purchased_pai_is_activated() {
        let found = |rows: Value| {
            let check = activated("activation", &json!({ "Products": rows }));
            (check.status, check.fix)
        };
        let console = "look at the PAI console of this region";
        let other = json!({ "ProductCode": "OSS_share", "IsPurchased": true });
        let pai = |is_purchased| json!({ "ProductCode": PAI, "IsPurchased": is_purchased });
        let mut purchasable = pai(false);
        purchasable["PurchaseUrl"] = json!("https://buy.example/");
        for (rows, expected) in [
            (json!([other, pai(true)]), (Status::Ok, "")),
            (json!([other, purchasable]), (Status::Failure, "activate it at https://buy.example/")),
            (
                json!([other, pai(false)]),
                (Status::Failure, "ask who administers the account to activate PAI in this region"),
            ),
            (json!([other]), (Status::Failure, console)),
            (Value::Null, (Status::Failure, console)),
        ] {
            assert_eq!(found(rows), (expected.0, expected.1.to_owned()));
        }
    }

    #[test]
    fn a_refusal_is_told_to_the_user_whose_it_is_to_mend() {
        let refusal = |rule: &str| {
            Told::Refusal(json!({
                "rule": rule, "error": "it is refused",
                "violations": [
                    { "path": "", "message": "it is refused", "fix": "tell the user" },
                    { "path": "a", "message": "RAM denies it", "fix": "attach the policy" },
                ],
                "cloud": { "status": 403, "code": "Denied", "message": "no", "request_id": "1" },
            }))
        };
        let check = failed("activation", refusal("cloud-permission"));
        assert_eq!(check.message, "it is refused");
        assert_eq!(check.fix, "tell the user; attach the policy");
        assert_eq!(
            check.details,
            ["RAM denies it", "the cloud's words: 403 \"Denied\" \"no\" (request \"1\")"]
        );
        let check = failed("activation", refusal("cloud-credentials"));
        assert_eq!(check.fix, "set the right key where the credentials come from");
    }
}
