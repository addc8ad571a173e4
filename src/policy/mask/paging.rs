//! What a list doesn't show: that there is another page, and how to ask for it (R-PM-005); what of a page is too long to
//! be shown; why there is nothing in it.

use serde_json::{Map, Value};

use crate::spec::Call;
use crate::spec::marks::{Kind, Shape};

/// How the lists of the clouds are paged: the argument for a page's number, the one for its size, and the reply's
/// count of all rows.
const FORMS: [(&str, &str, &str); 2] =
    [("PageNumber", "PageSize", "TotalCount"), ("page", "page_size", "total")];

/// What a reply to `call` says of further pages; `None` where it shows the last one, or isn't paged.
pub(super) fn next_page(call: &Call, reply: &Value) -> Option<String> {
    let request = call.tool().request();
    let (number, size, total) = FORMS.into_iter().find(|(number, ..)| request.field(number).is_some())?;
    let total = count(reply.get(total)?)?;
    let shown = rows(call.tool().reply(), reply.as_object()?)?;
    let page = call.arguments().get(number).and_then(count).unwrap_or(1);
    let size = call.arguments().get(size).and_then(count).unwrap_or(shown);
    let before = page.checked_sub(1)?.checked_mul(size)?;
    let last = before.checked_add(shown)?;
    (shown > 0 && last < total).then(|| {
        format!(
            "rows {first} to {last} of {total} are shown; call again with {number} {next} for more",
            first = before + 1,
            next = page + 1
        )
    })
}

/// The most bytes that a reply takes when it is a list; then rows are left out.
const LONGEST: usize = 64 * 1024;

/// Rows that always fit.
const FEW: usize = 10;

/// Leaves out the last rows of a list that is too long to be read at once, and says how to ask for them; `None` where
/// all of it fits.
pub(super) fn fit(call: &Call, body: &mut Map<String, Value>) -> Option<String> {
    let size = |value: &Value| value.to_string().len() + 1;
    let lists = body.iter().filter_map(|(name, value)| Some((name, value.as_array()?)));
    let (name, rows) = lists.max_by_key(|(_, rows)| rows.len()).filter(|(_, rows)| rows.len() > FEW)?;
    let rest: usize = body.iter().filter(|(other, _)| *other != name).map(|(_, value)| size(value)).sum();
    let all = rows.len();
    let mut room = LONGEST.saturating_sub(rest);
    let fitting = rows
        .iter()
        .take_while(|row| match room.checked_sub(size(row)) {
            Some(left) => {
                room = left;
                true
            }
            None => false,
        })
        .count()
        .max(1);
    if fitting == all {
        return None;
    }
    let name = name.clone();
    if let Some(Value::Array(rows)) = body.get_mut(&name) {
        rows.truncate(fitting);
    }
    let request = call.tool().request();
    let less = match FORMS.into_iter().find(|(_, size, _)| request.field(size).is_some()) {
        Some((number, size, _)) => format!("call again with {size} {fitting}, from {number} 1"),
        None => "ask for less".to_owned(),
    };
    Some(format!("only the first {fitting} of the {all} rows of this page fit: {less}"))
}

/// How many rows a reply has: the length of its one list of objects.
fn rows(shape: &Shape, reply: &Map<String, Value>) -> Option<u64> {
    let Kind::Object(fields) = &shape.kind else { return None };
    let is_list = |shape: &Shape| match &shape.kind {
        Kind::List(item) => matches!(item.kind, Kind::Object(_)),
        Kind::Object(_)
        | Kind::Map(_)
        | Kind::Text
        | Kind::Integer
        | Kind::Number
        | Kind::Flag
        | Kind::Any => false,
    };
    let (name, _) = fields.iter().find(|(_, shape)| is_list(shape))?;
    u64::try_from(reply.get(name)?.as_array()?.len()).ok()
}

/// What explains that a reply to `call` has nothing to show, where its type says so of a field that is empty (R-DLC-52).
pub(super) fn why_empty(call: &Call, reply: &Value) -> Option<&'static str> {
    let Kind::Object(fields) = &call.tool().reply().kind else { return None };
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    };
    fields
        .iter()
        .filter(|(name, _)| reply.get(name).is_none_or(is_empty))
        .find_map(|(_, shape)| shape.if_empty.as_deref())
}

/// A count, also where it comes as text: replies are taken leniently.
fn count(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tools::find;

    fn told(tool: &str, arguments: Value, reply: &Value) -> Option<String> {
        let call = find(tool).unwrap().parse(arguments.as_object().unwrap()).unwrap();
        next_page(&call, reply)
    }

    #[test]
    fn a_list_too_long_to_be_read_is_cut_and_says_so() {
        let call = find("dlc_list_jobs").unwrap();
        let call = call.parse(json!({ "RegionId": "cn-hangzhou" }).as_object().unwrap()).unwrap();
        let body = |rows: usize, length: usize| json!({ "Jobs": vec![json!({ "UserCommand": "x".repeat(length) }); rows], "TotalCount": 5000 });
        let cut = |mut body: Value| {
            let told = fit(&call, body.as_object_mut().unwrap());
            (told, body["Jobs"].as_array().unwrap().len(), body.to_string().len())
        };
        assert_eq!(cut(body(64, 1000)), (None, 64, body(64, 1000).to_string().len()));
        assert_eq!(
            cut(body(2, 100_000)).1,
            2,
            "few rows aren't a long list: their texts are bounded elsewhere"
        );
        let (told, kept, bytes) = cut(body(100, 1000));
        let text = "only the first 64 of the 100 rows of this page fit: call again with PageSize 64, from PageNumber 1";
        assert_eq!((told.as_deref(), kept), (Some(text), 64));
        assert!(bytes <= LONGEST, "{bytes}");
        assert_eq!(cut(body(11, 100_000)).1, 1);
        let unpaged = find("dlc_get_job_events").unwrap();
        let arguments = json!({ "RegionId": "cn-hangzhou", "JobId": "dlc1" });
        let call = unpaged.parse(arguments.as_object().unwrap()).unwrap();
        let mut body = json!({ "Events": vec!["x".repeat(1000); 100] });
        let told = fit(&call, body.as_object_mut().unwrap());
        assert_eq!(told.as_deref(), Some("only the first 65 of the 100 rows of this page fit: ask for less"));
    }

    /// R-PM-005
    #[test]
    fn a_list_says_that_there_is_more_and_how_to_get_it() {
        let sandboxes =
            |rows: usize, total: Value| json!({ "total": total, "sandboxes": vec![json!({}); rows] });
        let list = |arguments, reply| told("pyromind_list_sandboxes", arguments, &reply);
        let more = |text: &str| Some(text.to_owned());
        assert_eq!(
            list(json!({}), sandboxes(20, json!(128))),
            more("rows 1 to 20 of 128 are shown; call again with page 2 for more")
        );
        assert_eq!(
            list(json!({ "page": 2, "page_size": 50 }), sandboxes(50, json!("128"))),
            more("rows 51 to 100 of 128 are shown; call again with page 3 for more")
        );
        assert_eq!(list(json!({ "page": 3, "page_size": 50 }), sandboxes(28, json!(128))), None);
        assert_eq!(list(json!({}), sandboxes(3, json!(3))), None);
        // A page beyond the last shows nothing, and leads nowhere.
        assert_eq!(list(json!({ "page": 9 }), sandboxes(0, json!(128))), None);
        assert_eq!(list(json!({}), json!({ "sandboxes": [{}] })), None);
        assert_eq!(list(json!({}), json!([])), None);
    }

    /// R-DLC-52
    #[test]
    fn an_empty_list_is_explained_where_its_type_knows_why() {
        let explained = |tool: &str, arguments: Value, reply: Value| {
            let call = find(tool).unwrap().parse(arguments.as_object().unwrap()).unwrap();
            why_empty(&call, &reply).map(|text| text.split(':').next().unwrap())
        };
        let job = json!({ "RegionId": "cn-hangzhou", "JobId": "dlc1" });
        let results = |reply| explained("dlc_list_job_sanity_check_results", job.clone(), reply);
        for empty in [json!({ "SanityCheckResults": [] }), json!({ "SanityCheckResults": null }), json!({})] {
            assert_eq!(results(empty.clone()), Some("no results"), "{empty}");
        }
        assert_eq!(results(json!({ "SanityCheckResults": [[]] })), None);
        assert_eq!(explained("dlc_get_job_events", job.clone(), json!({ "Events": [] })), None);
        // R-DLC-45
        for tool in ["dlc_get_dashboard", "dlc_get_ray_dashboard"] {
            assert_eq!(explained(tool, job.clone(), json!({ "url": "" })), Some("no link"));
            assert_eq!(explained(tool, job.clone(), json!({ "url": "https://x.example" })), None);
        }
    }

    #[test]
    fn each_cloud_has_its_own_words_for_a_page() {
        let reply = json!({ "TotalCount": 3, "Workspaces": [{}, {}] });
        let arguments = json!({ "RegionId": "cn-hangzhou", "PageSize": 2 });
        assert_eq!(
            told("aiworkspace_list_workspaces", arguments, &reply).as_deref(),
            Some("rows 1 to 2 of 3 are shown; call again with PageNumber 2 for more")
        );
        let one = json!({ "sandbox_id": "sbx_1", "total": 7 });
        assert_eq!(told("pyromind_get_sandbox", json!({ "sandbox_id": "sbx_1" }), &one), None);
    }
}
