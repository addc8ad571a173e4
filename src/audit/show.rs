//! The record for people, and for `jq`.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Value, json};

use super::AuditError;
use super::escape;
use super::lines::Lines;
use super::record::{Entry, Record};

/// How much of a line that is no record is shown, in characters.
const EXCERPT: usize = 80;

/// How to show a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Aligned columns under [`header`].
    Table,
    /// Each line as it stands, and `{"torn": text, "line": number}` for what isn't JSON.
    Json,
}

/// The columns' names, aligned as the lines are.
pub fn header() -> String {
    row(["seq", "time", "phase", "tool", "verdict", "region", "confirmed by", "cloud calls", "error"])
}

/// The lines of the record at `path`, in order, each for one line of a terminal: control, direction and
/// invisible characters are escaped. Nothing is verified.
///
/// # Errors
/// [`AuditError::Open`] at once, [`AuditError::Read`] from the iterator, which then ends.
pub fn show(
    path: &Path,
    style: Style,
) -> Result<impl Iterator<Item = Result<String, AuditError>> + use<>, AuditError> {
    let path: PathBuf = path.to_owned();
    let file = File::open(&path).map_err(|source| AuditError::Open { path: path.clone(), source })?;
    let mut lines = Lines::new(BufReader::new(file));
    let mut failed = false;
    Ok(std::iter::from_fn(move || {
        if failed {
            return None;
        }
        match lines.next() {
            Ok(piece) => piece.map(|piece| Ok(line(piece.number, piece.bytes, style))),
            Err(source) => {
                failed = true;
                Some(Err(AuditError::Read { path: path.clone(), source }))
            }
        }
    }))
}

fn line(number: u64, bytes: &[u8], style: Style) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_suffix('\n').unwrap_or(&text);
    match style {
        Style::Json if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() => {
            escape::in_json(text).into_owned()
        }
        Style::Json => escape::in_json(&json!({ "torn": text, "line": number }).to_string()).into_owned(),
        Style::Table => match serde_json::from_str::<Record>(text) {
            Ok(record) => table_row(&record),
            Err(_) => {
                let excerpt: String = text.chars().take(EXCERPT).collect();
                format!("line {number} is no record: {}", escape::for_terminal(&excerpt))
            }
        },
    }
}

fn table_row(record: &Record) -> String {
    let Entry { ts, phase, tool, verdict, region, confirmation, cloud_calls, error, is_error, .. } =
        &record.entry;
    let confirmed = confirmation.as_ref().map(|given| match &given.grant {
        Some(grant) => format!("{} {} {}", word(given.channel), word(given.answer), grant.id),
        None => format!("{} {}", word(given.channel), word(given.answer)),
    });
    let calls: Vec<String> = cloud_calls
        .iter()
        .map(|call| {
            let status = call.status.map_or("no answer".to_owned(), |status| status.to_string());
            format!("{} {status}", call.action)
        })
        .collect();
    let error = error.as_deref().or(is_error.unwrap_or(false).then_some("error"));
    let seq = record.seq.to_string();
    // To the second.
    let time = format!("{ts:.0}");
    row([
        &seq,
        &time,
        &word(phase),
        tool,
        &verdict.map(word).unwrap_or_default(),
        region.as_deref().unwrap_or_default(),
        &confirmed.unwrap_or_default(),
        &calls.join(", "),
        error.unwrap_or_default(),
    ])
}

/// A closed choice as the record writes it.
fn word(choice: impl Serialize) -> String {
    match serde_json::to_value(choice) {
        Ok(Value::String(word)) => word,
        Ok(_) | Err(_) => String::new(),
    }
}

fn row([seq, time, phase, tool, verdict, region, confirmed, calls, error]: [&str; 9]) -> String {
    let cell = |text| match escape::for_terminal(text) {
        text if text.is_empty() => "-".into(),
        text => text,
    };
    format!(
        "{seq:>6}  {time:<20}  {phase:<8}  {:<36}  {:<8}  {:<14}  {:<22}  {:<28}  {}",
        cell(tool),
        cell(verdict),
        cell(region),
        cell(confirmed),
        cell(calls),
        cell(error),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::tests::{Place, entry};
    use crate::audit::{Answer, CloudCall, Confirmation, Verdict};

    fn shown(path: &Path, style: Style) -> Vec<String> {
        show(path, style).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn show_aligns_one_line_a_record() {
        let place = Place::new();
        let audit = place.audit();
        let call = |status, attempt| CloudCall {
            action: "CreateJob".into(),
            status,
            request_id: None,
            ms: 1,
            attempt,
        };
        audit
            .append(&Entry {
                verdict: Some(Verdict::Cleared),
                region: Some("cn-hangzhou".into()),
                confirmation: Some(Confirmation {
                    channel: crate::policy::consent::Channel::Elicitation,
                    answer: Answer::Accept,
                    digest: String::new(),
                    reason: None,
                    grant: None,
                }),
                cloud_calls: vec![call(None, 1), call(Some(200), 2)],
                ..entry("dlc_create_job")
            })
            .unwrap();
        audit
            .append(&Entry {
                verdict: Some(Verdict::Refused),
                error: Some("red_line".into()),
                ..entry("\u{1b}[2J")
            })
            .unwrap();
        place.tear(b"{\"v\":1\x1b]0;x\x07");
        let lines = shown(&place.path, Style::Table);
        assert_eq!(
            [vec![header()], lines].concat(),
            [
                "   seq  time                  phase     tool                                  verdict   region          confirmed by            cloud calls                   error",
                "     1  2026-03-01T12:00:00Z  outcome   dlc_create_job                        cleared   cn-hangzhou     elicitation accept      CreateJob no answer, CreateJob 200  -",
                "     2  2026-03-01T12:00:00Z  outcome   \\u{1b}[2J                             refused   -               -                       -                             red_line",
                "line 3 is no record: {\"v\":1\\u{1b}]0;x\\u{7}",
            ]
        );
    }

    #[test]
    fn show_json_passes_lines_through_and_wraps_what_is_not_json() {
        let place = Place::new();
        place.append(&["a\u{9b}b"]);
        place.tear(b"{\"v\":\x1b");
        let lines = shown(&place.path, Style::Json);
        assert_eq!(lines[0].as_bytes(), place.lines()[0].strip_suffix(b"\n").unwrap());
        assert_eq!(lines[1..], [r#"{"torn":"{\"v\":\u001b","line":2}"#]);
    }
}
