//! Text that can't drive a terminal: no control, direction or invisible character goes out as itself.

use std::borrow::Cow;
use std::fmt::Write;

/// `text` with every such character as `\u{…}`.
pub(super) fn for_terminal(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if acts(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

/// The same JSON with every such character as `\uXXXX`. In valid JSON they stand in strings only, but for
/// white space between tokens, which becomes a space.
pub(super) fn in_json(json: &str) -> Cow<'_, str> {
    if !json.contains(acts) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if !acts(c) {
            out.push(c);
        } else if c < ' ' {
            out.push(' ');
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String can't fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    Cow::Owned(out)
}

/// Whether Rust's own tables wouldn't print it as itself: controls, formats (bidirectional marks, zero-width
/// characters), line separators, private and unassigned ones.
fn acts(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_control() } else { c.escape_debug().len() > 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_escaped_and_the_rest_kept() {
        assert_eq!(for_terminal("a \"b\" c:\\d é 训练"), "a \"b\" c:\\d é 训练");
        assert_eq!(
            for_terminal("\u{1b}[2J\u{7f}\u{9b}1m\u{202e}\u{200b}\r\n"),
            "\\u{1b}[2J\\u{7f}\\u{9b}1m\\u{202e}\\u{200b}\\u{d}\\u{a}"
        );
    }

    #[test]
    fn escaped_json_means_the_same() {
        let value = serde_json::json!({"\u{9b}k": "\u{1b}\u{7f}\u{202e}\u{e0041} \\ \" 训练"});
        let json = serde_json::to_string(&value).unwrap();
        let escaped = in_json(&json);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), value);
        assert_eq!(escaped, "{\"\\u009bk\":\"\\u001b\\u007f\\u202e\\udb40\\udc41 \\\\ \\\" 训练\"}");
        assert_eq!(in_json("{\t\"a\":\r1}"), "{ \"a\": 1}");
    }
}
