//! What is looked up before a call.

use jiff::Timestamp;
use serde_json::Value;

use super::Ruling;
use crate::error::Fault;
use crate::policy::Knowledge;
use crate::policy::evidence::Evidence;
use crate::policy::load::{Precheck, hours};
use crate::policy::refusal::Refusal;
use crate::policy::review::{Read, look, read};
use crate::policy::unique::{NameState, conflict, name_state};
use crate::spec::Call;
use crate::tools::aiworkspace::workspaces::ListProducts;

/// The product code whose purchase activates PAI (R-WS-47).
const PAI: &str = "PAI_share";

/// Whether PAI is activated in the region (R-WS-46 to R-WS-51).
pub(super) fn activated(rule: &Precheck, call: &Call, knowledge: &Knowledge<'_>, now: Timestamp) -> Ruling {
    let Some(region) = call.region() else { return Ruling::Pass };
    if knowledge.facts.activated(region, now, hours(rule.lifetime_hours.unwrap_or_default())).is_some() {
        return Ruling::Pass;
    }
    let request = ListProducts {
        region_id: region.into(),
        product_codes: Some(PAI.to_owned()),
        service_codes: None,
        verbose: Some(true),
    };
    match look(read(request), knowledge.evidence) {
        Read::Needed(call) => Ruling::Need(vec![call]),
        Read::Failed(refusal) => Ruling::Refuse(refusal),
        Read::Reply(reply) if is_activated(reply) => Ruling::Pass,
        Read::Reply(reply) => Ruling::Refuse(not_activated(&rule.id, region, reply)),
    }
}

fn pai(reply: &Value) -> Option<&Value> {
    reply
        .get("Products")?
        .as_array()?
        .iter()
        .find(|product| product.get("ProductCode").is_some_and(|code| code == PAI))
}

/// Whether a reply of ListProducts says that PAI is activated. A missing entry doesn't (R-WS-48).
pub(in crate::policy) fn is_activated(reply: &Value) -> bool {
    pai(reply).and_then(|product| product.get("IsPurchased")) == Some(&Value::Bool(true))
}

fn not_activated(rule: &str, region: &str, reply: &Value) -> Refusal {
    let product = pai(reply);
    let may_buy =
        product.and_then(|product| product.get("HasPermissionToPurchase")) == Some(&Value::Bool(true));
    let link = product.and_then(|product| product.get("PurchaseUrl")).and_then(Value::as_str);
    let fix = match link.filter(|_| may_buy) {
        Some(link) => format!("show the user this link, wait until they say that PAI is activated, then call again: {link}"),
        None if may_buy => "ask the user to activate PAI in the console, then call again".to_owned(),
        None => "the account may not activate it: tell the user to contact the administrator of the primary account, or \
                 somebody with the permission pai:CreateOrder"
            .to_owned(),
    };
    Refusal::new(rule, format!("PAI is not activated in {region}"))
        .with(Fault::new("RegionId", "PAI is not activated in this region", fix))
        .retryable()
}

/// Whether the name is free, or taken by what is wanted (R-WS-57).
pub(super) fn name_free(rule: &Precheck, call: &Call, evidence: &Evidence) -> Ruling {
    match name_state(&rule.id, call, evidence) {
        Some(NameState::Unknown(calls)) => Ruling::Need(calls),
        Some(NameState::Free) | None => Ruling::Pass,
        Some(NameState::Same(same)) => match same.found() {
            Some(existing) => Ruling::Exists(existing),
            None => Ruling::Refuse(Refusal::new("internal", "there is no tool to describe what exists")),
        },
        Some(NameState::Other(differences)) => Ruling::Refuse(conflict(&rule.id, call, differences)),
        Some(NameState::Refused(refusal)) => Ruling::Refuse(refusal),
    }
}
