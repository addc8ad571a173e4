//! What one line says. The caller fills an [`Entry`]; a [`Record`] is what the writer made of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::policy::consent::Channel;
use crate::policy::verdict::Finding;

/// The version of the line format, in every record's `v`.
pub const VERSION: u32 = 1;

/// One line as read back. Only the writer makes one: `v`, `seq`, `prev_hmac` and `hmac` aren't the caller's to set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// [`VERSION`].
    pub v: u32,
    /// The record's number in its file, from 1, without gaps.
    pub seq: u64,
    /// What the caller wrote.
    #[serde(flatten)]
    pub entry: Entry,
    /// Keyed hash, in hex, of the file's exact bytes from the start of the record before up to this line; of a
    /// fixed label for the first.
    pub prev_hmac: String,
    /// Keyed hash, in hex, of this line's bytes before this field. It isn't implied by `prev_hmac`: without it,
    /// nothing in the file would cover the last line.
    pub hmac: String,
}

/// What happened, in the caller's words. Values are masked before they come here: the record never masks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The wall instant of the step that wrote this.
    pub ts: Timestamp,
    /// The simulator's logical instant; present exactly when the cloud is simulated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock: Option<Timestamp>,
    /// Before or after.
    pub phase: Phase,
    /// Whose knowledge and consents were used: the process over stdio, the principal and session over HTTP.
    pub scope: String,
    /// W3C trace id, from the client's `traceparent` if it sent one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// W3C span id of this call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span_id: Option<String>,
    /// The JSON-RPC request's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The negotiated protocol version, such as `2025-11-25`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// Who called, as the client names itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<Client>,
    /// This server's name and version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The tool called, as the client named it.
    pub tool: String,
    /// The tool's effect class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<String>,
    /// The cloud that the tool belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cloud: Option<String>,
    /// The region of the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The workspace of the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// The arguments, masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Value>,
    /// Keyed hash of the arguments as they came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arguments_hmac: Option<String>,
    /// SHA-256 of the policy in force, in hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_sha256: Option<String>,
    /// What the policy said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// The rules that spoke.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Finding>,
    /// The knowledge that the verdict stands on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts_used: Vec<FactUsed>,
    /// What a human answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Confirmation>,
    /// How many values were masked in what left the process, by label.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub redactions: BTreeMap<String, u64>,
    /// How a repeated create was recognised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency: Option<Idempotency>,
    /// The requests that reached the cloud, retries included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cloud_calls: Vec<CloudCall>,
    /// Whether the tool's result was an error; of outcomes only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_error: Option<bool>,
    /// The error's identifier; never its message, which may quote somebody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// From the request to this record, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_us: Option<u64>,
    /// Paths in the result that hold text which strangers may have written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub untrusted: Vec<String>,
}

impl Entry {
    /// An entry with nothing but what every entry has.
    pub fn new(ts: Timestamp, phase: Phase, scope: impl Into<String>, tool: impl Into<String>) -> Self {
        Self {
            ts,
            clock: None,
            phase,
            scope: scope.into(),
            trace_id: None,
            span_id: None,
            request_id: None,
            protocol: None,
            client: None,
            server: None,
            tool: tool.into(),
            effect: None,
            cloud: None,
            region: None,
            workspace: None,
            arguments: None,
            arguments_hmac: None,
            policy_sha256: None,
            verdict: None,
            rules: Vec::new(),
            facts_used: Vec::new(),
            confirmation: None,
            redactions: BTreeMap::new(),
            idempotency: None,
            cloud_calls: Vec::new(),
            is_error: None,
            error: None,
            latency_us: None,
            untrusted: Vec::new(),
        }
    }
}

/// When an entry is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Before a call that changes anything is sent.
    Decision,
    /// After the call, or instead of it.
    Outcome,
}

/// What the policy said to the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It may be sent.
    Cleared,
    /// It may not.
    Refused,
    /// A human must be asked first.
    Asked,
    /// What it asks for exists already; nothing is sent.
    Answered,
}

/// The caller's program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A fact that a verdict stands on. `learned_at_seq` makes provenance checkable from the file alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactUsed {
    /// The fact's name in the policy.
    pub fact: String,
    /// Keyed hash of its value.
    pub value_hmac: String,
    /// The record whose call taught it.
    pub learned_at_seq: u64,
}

/// A human's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// How it was asked.
    pub channel: Channel,
    /// What came back.
    pub answer: Answer,
    /// Digest of the question, account and policy that the answer is bound to, in hex.
    pub digest: String,
}

/// What came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Yes, with everything that a yes needs.
    Accept,
    /// A yes without what makes it count: the box unticked, another id typed.
    Incomplete,
    /// No.
    Decline,
    /// The question was closed.
    Cancel,
    /// Nothing came.
    Never,
    /// Nothing came yet; the question stays open.
    Pending,
    /// Nobody could be asked.
    NoChannel,
    /// Something that was no answer to this question: replayed, changed, too old.
    Invalid,
}

/// How a repeated create was recognised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Idempotency {
    /// Keyed hash of what makes two creates the same.
    pub key: String,
    /// Whether the resource existed.
    pub found: bool,
    /// What came of it, if it did: `same`, `conflict`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
}

/// One request that reached the cloud.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloudCall {
    /// The API's action.
    pub action: String,
    /// The HTTP status; absent when no answer came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The cloud's id of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// Which try it was, from 1.
    pub attempt: u32,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::policy::verdict::Said;

    use super::*;
    use crate::audit::tests::{Place, entry};

    #[test]
    fn a_line_has_the_documented_fields_in_their_order() {
        let full = Entry {
            clock: Some("2026-01-01T00:00:00Z".parse().unwrap()),
            trace_id: Some("t".into()),
            span_id: Some("s".into()),
            request_id: Some("7".into()),
            protocol: Some("2025-11-25".into()),
            client: Some(Client { name: "c".into(), version: "1".into() }),
            server: Some("redline-mcp 0.1.0".into()),
            effect: Some("create".into()),
            cloud: Some("pai-dlc".into()),
            region: Some("cn-hangzhou".into()),
            workspace: Some("12".into()),
            arguments: Some(json!({"Z": 1, "A": [null]})),
            arguments_hmac: Some("ah".into()),
            policy_sha256: Some("ps".into()),
            verdict: Some(Verdict::Cleared),
            rules: vec![Finding {
                id: "image-listed".into(),
                kind: "provenance".into(),
                result: Said::Passed,
                path: Some("JobSpecs[0].Image".into()),
            }],
            facts_used: vec![FactUsed { fact: "image".into(), value_hmac: "vh".into(), learned_at_seq: 3 }],
            confirmation: Some(Confirmation {
                channel: Channel::InputRequired,
                answer: Answer::Accept,
                digest: "d".into(),
            }),
            redactions: [("User id".to_owned(), 2)].into(),
            idempotency: Some(Idempotency { key: "k".into(), found: true, result: Some("same".into()) }),
            cloud_calls: vec![CloudCall {
                action: "CreateJob".into(),
                status: Some(200),
                request_id: Some("r".into()),
                ms: 12,
                attempt: 1,
            }],
            is_error: Some(false),
            error: Some("e".into()),
            latency_us: Some(99),
            untrusted: vec!["Logs".into()],
            ..entry("dlc_create_job")
        };
        let place = Place::new();
        let audit = place.audit();
        assert_eq!((audit.append(&full).unwrap(), audit.append(&entry("x")).unwrap()), (1, 2));
        let [first, second] = <[Record; 2]>::try_from(place.records()).unwrap();
        assert_eq!((&first.entry, &second.entry), (&full, &entry("x")));
        let lines = place.lines();
        assert_eq!(
            String::from_utf8(lines[0].clone()).unwrap(),
            [
                r#"{"v":1,"seq":1,"ts":"2026-03-01T12:00:00.5Z","clock":"2026-01-01T00:00:00Z","phase":"outcome","scope":"stdio","#,
                r#""trace_id":"t","span_id":"s","request_id":"7","protocol":"2025-11-25","client":{"name":"c","version":"1"},"#,
                r#""server":"redline-mcp 0.1.0","tool":"dlc_create_job","effect":"create","cloud":"pai-dlc","region":"cn-hangzhou","#,
                r#""workspace":"12","arguments":{"Z":1,"A":[null]},"arguments_hmac":"ah","policy_sha256":"ps","verdict":"cleared","#,
                r#""rules":[{"id":"image-listed","kind":"provenance","result":"passed","path":"JobSpecs[0].Image"}],"#,
                r#""facts_used":[{"fact":"image","value_hmac":"vh","learned_at_seq":3}],"#,
                r#""confirmation":{"channel":"input_required","answer":"accept","digest":"d"},"redactions":{"User id":2},"#,
                r#""idempotency":{"key":"k","found":true,"result":"same"},"#,
                r#""cloud_calls":[{"action":"CreateJob","status":200,"request_id":"r","ms":12,"attempt":1}],"#,
                r#""is_error":false,"error":"e","latency_us":99,"untrusted":["Logs"],"#,
                &format!("\"prev_hmac\":\"{}\",\"hmac\":\"{}\"}}\n", first.prev_hmac, first.hmac),
            ]
            .concat()
        );
        assert_eq!(
            String::from_utf8(lines[1].clone()).unwrap(),
            format!(
                "{{\"v\":1,\"seq\":2,\"ts\":\"2026-03-01T12:00:00.5Z\",\"phase\":\"outcome\",\"scope\":\"stdio\",\"tool\":\"x\",\"prev_hmac\":\"{}\",\"hmac\":\"{}\"}}\n",
                second.prev_hmac, second.hmac
            )
        );
    }
}
