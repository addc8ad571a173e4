//! The same content for people: what commands print on a terminal when nobody asked for JSON.

use serde_json::Value;

use crate::policy::consent::Quoted;

/// JSON for people: indented.
pub(super) fn pretty(value: &Value) -> String {
    format!("{value:#}")
}

/// A text field, or nothing.
pub(super) fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A list field, or nothing.
pub(super) fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// A refusal: what happened, what is wrong where, and the fix of each.
pub(super) fn refusal(refusal: &Value) -> Vec<String> {
    let mut lines = vec![format!("refused by {}: {}", text(refusal, "rule"), text(refusal, "error"))];
    lines.extend(violations(refusal));
    lines.extend(cloud(refusal).map(|words| format!("  {words}")));
    lines
}

/// What the cloud itself said, if it was asked.
pub(super) fn cloud(refusal: &Value) -> Option<String> {
    let cloud = refusal.get("cloud")?;
    let status = cloud.get("status").and_then(Value::as_u64).unwrap_or_default();
    Some(format!(
        "the cloud's words: {status} {} {} (request {})",
        Quoted(text(cloud, "code")),
        Quoted(text(cloud, "message")),
        Quoted(text(cloud, "request_id")),
    ))
}

/// What is wrong where, and the fix of each.
pub(super) fn violations(holder: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for violation in list(holder, "violations") {
        let path = text(violation, "path");
        let place = if path.is_empty() { String::new() } else { format!("{path}: ") };
        lines.push(format!("  - {place}{}", text(violation, "message")));
        lines.push(format!("    fix: {}", text(violation, "fix")));
    }
    lines
}

/// A rehearsed call: the verdict, what it waits for, and the request.
pub(super) fn rehearsal(result: &Value) -> Vec<String> {
    let mut lines = vec![format!("verdict: {}", text(result, "verdict"))];
    lines.extend(violations(result));
    for need in list(result, "needs") {
        let arguments = need.get("arguments").cloned().unwrap_or_default();
        lines.push(format!("  would read first: {} {arguments}", text(need, "tool")));
    }
    for confirm in list(result, "confirm") {
        lines.push("  would ask:".to_owned());
        lines.extend(
            text(confirm, "question").lines().map(|line| format!("    | {line}").trim_end().to_owned()),
        );
    }
    if let Some(request) = result.get("request").filter(|request| !request.is_null()) {
        lines.push(format!("request: {} {}", text(request, "method"), text(request, "url")));
        for (name, value) in request.get("headers").and_then(Value::as_object).into_iter().flatten() {
            lines.push(format!("  {name}: {}", value.as_str().unwrap_or_default()));
        }
        if let Some(body) = request.get("body").filter(|body| !body.is_null()) {
            lines.push(pretty(body));
        }
    }
    lines
}

/// An explained call: the verdict, and what each rule said.
pub(super) fn explanation(result: &Value) -> Vec<String> {
    let mut lines = vec![format!("verdict: {}", text(result, "verdict"))];
    for rule in list(result, "rules") {
        let path = text(rule, "path");
        let about = if path.is_empty() { String::new() } else { format!(", about {path}") };
        lines.push(format!(
            "  {:<9} {} ({}{about})",
            text(rule, "result"),
            text(rule, "id"),
            text(rule, "kind")
        ));
        let sources: Vec<&str> = list(rule, "sources").iter().filter_map(Value::as_str).collect();
        lines.push(format!("            {} [{}]", text(rule, "why"), sources.join(", ")));
    }
    lines.extend(violations(result));
    lines
}

/// The rules: id, kind, whether an overlay may loosen them, and what each protects.
pub(super) fn rules(result: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    for file in list(result, "files") {
        lines.push(format!("{} (sha256 {})", Quoted(text(file, "file")), text(file, "sha256")));
    }
    for rule in list(result, "rules") {
        let tunable: Vec<&str> = list(rule, "tunable").iter().filter_map(Value::as_str).collect();
        let changed: Vec<String> = list(rule, "changed_by")
            .iter()
            .filter_map(Value::as_str)
            .map(|file| Quoted(file).to_string())
            .collect();
        let mut state = match tunable.as_slice() {
            [] => "locked".to_owned(),
            names => format!("tunable: {}", names.join(", ")),
        };
        if rule.get("off") == Some(&Value::Bool(true)) {
            state += "; OFF";
        }
        if !changed.is_empty() {
            state += &format!("; changed by {}", changed.join(", "));
        }
        lines.push(format!("{} ({}, {state})", text(rule, "id"), text(rule, "kind")));
        let sources: Vec<&str> = list(rule, "sources").iter().filter_map(Value::as_str).collect();
        let sources = if sources.is_empty() { String::new() } else { format!(" [{}]", sources.join(", ")) };
        lines.push(format!("    {}{sources}", text(rule, "why")));
    }
    lines
}

/// A checked overlay: whether it loads, and what each of its examples came to.
pub(super) fn checked(result: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(error) = result.get("error").and_then(Value::as_str) {
        lines.push(error.to_owned());
    }
    for example in list(result, "examples") {
        let number = example.get("example").and_then(Value::as_u64).unwrap_or_default();
        lines.push(match example.get("problem").and_then(Value::as_str) {
            None => format!(
                "ok      {}, example {number}: {} is {}",
                text(example, "rule"),
                text(example, "tool"),
                text(example, "says")
            ),
            Some(problem) => format!("FAILED  {problem}"),
        });
    }
    let verdict = if result.get("ok") == Some(&Value::Bool(true)) { "sound" } else { "not usable" };
    lines.push(format!("{}: {verdict}", Quoted(text(result, "file"))));
    lines
}
