//! How a call becomes the text of a request.
//!
//! The lowest layer is percent-encoding as RFC 3986 has it. A signature covers the encoded text, so the
//! text signed and the text sent must be the same bytes, and one function makes both.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::spec::marks::Place;
use crate::spec::{Payload, Tool};

/// All that RFC 3986 section 2.3 doesn't call unreserved. Form encoding differs (`+` for a space, `*` kept,
/// `~` encoded) and would break the signature.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Why a value can't be one segment of a path. It never holds the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SegmentError {
    /// Nothing between two slashes: the request would reach another operation.
    #[error("it is empty; give the id")]
    Empty,
    /// `.` or `..`: whoever resolves the path would leave it.
    #[error("it is a dot segment, which would lead to another path; give the id")]
    Dots,
}

/// One path segment, percent-encoded: a slash inside `text` stays inside the segment.
///
/// # Errors
/// [`SegmentError`] for an empty or a dot segment, which no encoding can make safe.
pub fn segment(text: &str) -> Result<String, SegmentError> {
    match text {
        "" => Err(SegmentError::Empty),
        "." | ".." => Err(SegmentError::Dots),
        _ => Ok(percent(text).to_string()),
    }
}

/// A query string without its question mark: sorted by the bytes of the names, then of the values, both
/// percent-encoded. An empty value is `name=`.
pub fn query<N: AsRef<str>, V: AsRef<str>>(pairs: &[(N, V)]) -> String {
    let mut pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
    pairs.sort_unstable();
    let pairs: Vec<_> =
        pairs.into_iter().map(|(name, value)| format!("{}={}", percent(name), percent(value))).collect();
    pairs.join("&")
}

/// A call as it travels, before it has an address and a signature.
#[derive(Debug, Clone, PartialEq)]
pub struct Wire {
    /// The path, its parameters encoded.
    pub path: String,
    /// Names and values of the query, not yet encoded, in the order of the arguments.
    pub query: Vec<(String, String)>,
    /// The JSON body, where the operation has one.
    pub body: Option<Value>,
}

/// Why a call can't travel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// A parameter of the path.
    #[error("{name}: {fault}")]
    Path {
        /// The argument's name.
        name: String,
        /// What is wrong with it.
        fault: SegmentError,
    },
}

/// Puts `arguments` where `tool`'s route has them: path, query or body. The server's own arguments and the
/// region, which is in the host name, go nowhere.
///
/// # Errors
/// [`EncodeError`] for a path parameter that is missing or can't be a segment.
pub fn wire(tool: &Tool, arguments: &Map<String, Value>) -> Result<Wire, EncodeError> {
    let route = tool.spec().route;
    let mut in_path = Vec::new();
    let mut path = String::new();
    for (index, part) in route.path.split(['{', '}']).enumerate() {
        if index % 2 == 0 {
            path.push_str(part);
            continue;
        }
        let value = arguments.get(part).map(text).unwrap_or_default();
        path.push_str(&segment(&value).map_err(|fault| EncodeError::Path { name: part.to_owned(), fault })?);
        in_path.push(part);
    }
    let mut wire = Wire { path, query: Vec::new(), body: None };
    let mut body = Map::new();
    for (name, value) in arguments.iter().filter(|(name, _)| !in_path.contains(&name.as_str())) {
        let shape = tool.request().field(name);
        let sent_as = shape.and_then(|shape| shape.wire.as_ref()).unwrap_or(name);
        match (shape.map_or(Place::Wire, |shape| shape.place), route.payload) {
            (Place::Host | Place::Local, _) => {}
            (Place::Query, _) | (Place::Wire, Payload::Query) => match value {
                Value::Object(fields) if shape.is_some_and(|shape| shape.dotted) => {
                    wire.query.extend(
                        fields.iter().map(|(field, value)| (format!("{sent_as}.{field}"), text(value))),
                    );
                }
                value => wire.query.push((sent_as.clone(), text(value))),
            },
            (Place::Wire, Payload::Body) => drop(body.insert(sent_as.clone(), value.clone())),
        }
    }
    if route.payload == Payload::Body {
        wire.body = Some(Value::Object(body));
    }
    Ok(wire)
}

/// A value as query and path have it: text as it is, anything else as compact JSON.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

fn percent(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, RESERVED)
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::*;

    fn decode(text: &str) -> String {
        percent_decode_str(text).decode_utf8().unwrap().into_owned()
    }

    /// Only unreserved characters and `%XX` in upper case.
    fn is_plain(text: &str) -> bool {
        let mut bytes = text.bytes();
        while let Some(byte) = bytes.next() {
            let fine = match byte {
                b'%' => [bytes.next(), bytes.next()]
                    .into_iter()
                    .all(|digit| matches!(digit, Some(b'0'..=b'9' | b'A'..=b'F'))),
                byte => byte.is_ascii_alphanumeric() || b"-._~".contains(&byte),
            };
            if !fine {
                return false;
            }
        }
        true
    }

    #[test]
    fn a_segment_keeps_unreserved_characters_and_encodes_the_rest() {
        assert_eq!(segment("a-b_c.d~e"), Ok("a-b_c.d~e".to_owned()));
        assert_eq!(segment("a b/c*d+%2e"), Ok("a%20b%2Fc%2Ad%2B%252e".to_owned()));
        assert_eq!(segment("训é"), Ok("%E8%AE%AD%C3%A9".to_owned()));
        assert_eq!(segment("..."), Ok("...".to_owned()));
    }

    /// An id can't lead to another path.
    #[test]
    fn a_segment_is_never_empty_or_dots() {
        assert_eq!(segment(""), Err(SegmentError::Empty));
        assert_eq!(segment("."), Err(SegmentError::Dots));
        assert_eq!(segment(".."), Err(SegmentError::Dots));
        assert_eq!(segment("../x"), Ok("..%2Fx".to_owned()));
    }

    #[test]
    fn a_query_is_sorted_by_byte_and_shows_empty_values() {
        assert_eq!(query::<&str, &str>(&[]), "");
        assert_eq!(query(&[("a1", "5"), ("a-b", "6"), ("a", "1"), ("B", "")]), "B=&a=1&a-b=6&a1=5");
        assert_eq!(query(&[("k", "b"), ("k", "a")]), "k=a&k=b");
        assert_eq!(query(&[("a b", "&=")]), "a%20b=%26%3D");
    }

    fn wired(tool: &str, arguments: Value) -> Wire {
        wire(crate::tools::find(tool).unwrap(), arguments.as_object().unwrap()).unwrap()
    }

    /// Lists are one text, joined by commas as they were given; a map is one text of compact JSON.
    #[test]
    fn lists_and_maps_are_one_value_each_in_a_query() {
        let wire = wired(
            "dlc_list_jobs",
            serde_json::json!({
                "RegionId": "cn-hangzhou",
                "JobIds": "dlc1,dlc2",
                "Tags": { "team": "vision", "stage": "a=b" },
                "ShowOwn": false,
                "PageSize": 50,
                "detail": "full",
            }),
        );
        let pairs = [
            ("JobIds", "dlc1,dlc2"),
            ("Tags", r#"{"team":"vision","stage":"a=b"}"#),
            ("ShowOwn", "false"),
            ("PageSize", "50"),
        ];
        let query = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        assert_eq!(wire, Wire { path: "/api/v1/jobs".to_owned(), query, body: None });
        assert_eq!(
            super::query(&wire.query),
            "JobIds=dlc1%2Cdlc2&PageSize=50&ShowOwn=false&Tags=%7B%22team%22%3A%22vision%22%2C%22stage%22%3A%22a%3Db%22%7D"
        );
        let wire = wired(
            "dlc_get_pod_logs",
            serde_json::json!({ "RegionId": "cn-hangzhou", "JobId": "a/b", "PodId": "p~0", "Containers": "a,b" }),
        );
        assert_eq!(wire.path, "/api/v1/jobs/a%2Fb/pods/p~0/logs");
        assert_eq!(wire.query, [("Containers".to_owned(), "a,b".to_owned())]);
    }

    #[test]
    fn a_stop_has_neither_query_nor_body() {
        let wire = wired("dlc_stop_job", serde_json::json!({ "RegionId": "cn-hangzhou", "JobId": "dlc1" }));
        assert_eq!(wire, Wire { path: "/api/v1/jobs/dlc1/stop".to_owned(), query: Vec::new(), body: None });
    }

    proptest! {
        #[test]
        fn any_segment_decodes_back_and_is_plain(text in "\\PC*|.*") {
            prop_assume!(!["", ".", ".."].contains(&text.as_str()));
            let encoded = segment(&text).unwrap();
            prop_assert!(is_plain(&encoded));
            prop_assert_eq!(decode(&encoded), text);
        }

        #[test]
        fn any_query_decodes_back_and_is_plain(pairs in prop::collection::vec((".+", ".*"), 0..6)) {
            let encoded = query(&pairs);
            let mut decoded = Vec::new();
            for pair in encoded.split('&').filter(|pair| !pair.is_empty()) {
                let (name, value) = pair.split_once('=').unwrap();
                prop_assert!(is_plain(name) && is_plain(value));
                decoded.push((decode(name), decode(value)));
            }
            let mut pairs = pairs;
            pairs.sort();
            prop_assert_eq!(decoded, pairs);
        }
    }
}
