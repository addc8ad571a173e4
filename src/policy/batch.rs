//! Several ids asked for in one call: about which of them the answer is final (R-WS-87, R-WS-88).
//!
//! An id that isn't among the rows doesn't exist only if every row was shown and nothing but the ids chose them.

use serde_json::{Value, json};

use super::review::id;
use super::verdict::Outcome;
use crate::spec::Call;
use crate::tools::aiworkspace::workspaces::{ListOption, ListWorkspaces};

/// The argument with the ids.
pub(super) const IDS: &str = "WorkspaceIds";

/// What a batch answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Batch<'c> {
    /// The ids of its rows.
    pub(super) found: Vec<&'c str>,
    /// The ids that have no row.
    pub(super) missing: Vec<&'c str>,
    /// Why what has no row may exist all the same, if so.
    pub(super) open: Option<Open>,
}

/// Why an id may exist that has no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Open {
    /// Other pages have rows too.
    Pages,
    /// Other arguments left rows out.
    Filtered,
}

/// What `reply` answered, if `call` asked for several ids and it shows what each is like.
pub(super) fn of<'c>(call: &'c Call, reply: &Value) -> Option<Batch<'c>> {
    let list = call.request::<ListWorkspaces>()?;
    let shows = match list.option {
        None | Some(ListOption::GetWorkspaces) => list.fields.is_none(),
        Some(ListOption::GetResourceLimits | ListOption::CheckWorkspaceExists) => false,
    };
    let asked = call.text(IDS).filter(|_| shows)?.split(',');
    let rows = reply.get("Workspaces").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let shown: Vec<String> = rows.iter().filter_map(|row| id(row, "WorkspaceId")).collect();
    let (found, missing): (Vec<&str>, Vec<&str>) =
        asked.partition(|id| shown.iter().any(|known| known == id));
    let total = reply.get("TotalCount").and_then(Value::as_u64);
    let whole = list.page_number.is_none_or(|page| page == 1)
        && total.is_some_and(|total| usize::try_from(total).is_ok_and(|total| total <= rows.len()));
    let filtered = list.workspace_name.is_some()
        || list.status.is_some()
        || list.resource_group_id.is_some()
        || list.module_list.is_some()
        || list.user_id.is_some();
    let open = match (missing.is_empty(), whole, filtered) {
        (true, ..) | (false, true, false) => None,
        (false, false, _) => Some(Open::Pages),
        (false, true, true) => Some(Open::Filtered),
    };
    Some(Batch { found, missing, open })
}

/// The ids about which the outcome of `call` is final; none where it isn't a batch.
pub(super) fn settled<'c>(call: &'c Call, outcome: &Outcome) -> Vec<&'c str> {
    let batch = match outcome {
        Outcome::Reply(raw) => of(call, raw.open()),
        Outcome::Failed(_) | Outcome::Partial(..) | Outcome::NotSent(_) | Outcome::Lost(_) => None,
    };
    batch.map_or_else(Vec::new, |batch| match batch.open {
        None => [batch.found, batch.missing].concat(),
        Some(Open::Pages | Open::Filtered) => batch.found,
    })
}

/// What is told of the ids that have no row, under the name that it is told by.
pub(super) fn told(call: &Call, reply: &Value) -> Option<(&'static str, Value)> {
    let batch = of(call, reply)?;
    match batch.open {
        _ if batch.missing.is_empty() => None,
        None => Some(("Not Found", json!(batch.missing))),
        Some(Open::Pages) => Some((
            "Not On This Page",
            json!({
                "Workspace IDs": batch.missing,
                "Note": "nothing is said of these yet: see the other pages before telling that one doesn't exist",
            }),
        )),
        Some(Open::Filtered) => Some((
            "Not Listed",
            json!({
                "Workspace IDs": batch.missing,
                "Note": "they don't exist, or don't fit the other arguments: WorkspaceIds alone tells which",
            }),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::verdict::Raw;
    use crate::tools::find;

    fn list(more: Value) -> Call {
        let mut arguments = json!({ "RegionId": "cn-hangzhou", "WorkspaceIds": "123,456,789" });
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        find("aiworkspace_list_workspaces").unwrap().parse(arguments.as_object().unwrap()).unwrap()
    }

    fn rows(ids: &[Value], total: i64) -> Value {
        let rows: Vec<Value> = ids.iter().map(|id| json!({ "WorkspaceId": id })).collect();
        json!({ "TotalCount": total, "Workspaces": rows })
    }

    /// R-WS-88: what has no row doesn't exist, once every row was shown and only the ids chose them.
    #[test]
    fn an_id_without_a_row_does_not_exist() {
        let some = rows(&[json!("123"), json!(789)], 2);
        assert_eq!(told(&list(json!({})), &some), Some(("Not Found", json!(["456"]))));
        assert_eq!(told(&list(json!({ "PageNumber": 1, "PageSize": 50 })), &some).unwrap().0, "Not Found");
        let none = json!({ "TotalCount": 0 });
        assert_eq!(told(&list(json!({})), &none), Some(("Not Found", json!(["123", "456", "789"]))));
        let all = rows(&[json!("123"), json!("456"), json!("789")], 3);
        assert_eq!(told(&list(json!({})), &all), None);
    }

    /// R-WS-88: a page smaller than the ids says nothing of the rest, nor does a reply without a count.
    #[test]
    fn a_page_says_nothing_of_what_is_on_another() {
        for (more, reply) in [
            (json!({ "PageSize": 1 }), rows(&[json!("123")], 3)),
            (json!({ "PageSize": 2, "PageNumber": 2 }), rows(&[json!("789")], 3)),
            (json!({ "PageSize": 2, "PageNumber": 2 }), rows(&[json!("789")], 1)),
            (json!({}), json!({ "Workspaces": [{ "WorkspaceId": "123" }] })),
            (json!({}), json!({ "Workspaces": [], "TotalCount": -1 })),
        ] {
            let (name, told) = told(&list(more.clone()), &reply).unwrap();
            assert_eq!(name, "Not On This Page", "{more}");
            assert!(told["Workspace IDs"].as_array().unwrap().contains(&json!("456")), "{told}");
        }
    }

    /// R-WS-88: what other arguments leave out may exist.
    #[test]
    fn what_other_arguments_leave_out_may_exist() {
        let some = rows(&[json!("123")], 1);
        for more in [
            json!({ "Status": "ENABLED" }),
            json!({ "WorkspaceName": "vision" }),
            json!({ "ResourceGroupId": "rg" }),
        ] {
            assert_eq!(told(&list(more), &some).unwrap().0, "Not Listed");
        }
    }

    /// R-WS-87: a batch is final about what it shows, and about what it shows not to exist.
    #[test]
    fn a_batch_is_final_about_what_it_shows() {
        let settled = |more: Value, reply: Value| {
            let call = list(more);
            settled(&call, &Outcome::Reply(Raw::new(reply))).join(",")
        };
        let some = rows(&[json!("123")], 1);
        assert_eq!(settled(json!({}), some.clone()), "123,456,789");
        assert_eq!(settled(json!({ "Status": "ENABLED" }), some.clone()), "123");
        assert_eq!(settled(json!({ "PageSize": 1 }), rows(&[json!("456")], 3)), "456");
        assert_eq!(settled(json!({ "Fields": "Id" }), some), "");
        let lost = Outcome::Lost("gone".to_owned());
        assert_eq!(super::settled(&list(json!({})), &lost), [""; 0]);
    }
}
