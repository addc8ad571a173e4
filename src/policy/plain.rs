//! Text as it reads, with nothing in it that acts on a terminal or that nobody sees.
//!
//! What a program prints can move a cursor, hide what stands before it, reverse a line or carry words that only a
//! model reads. Here all of that goes, in one pass, and what can be read stays: a terminal's sequence goes whole
//! if it is whole, and else loses only what begins it, so that nobody hides a text by never ending one.

use std::borrow::Cow;

use super::consent::is_deceptive;

/// Whether a character ends a line, or begins it anew.
pub(super) const fn is_break(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// `text` without terminal sequences, controls and deceptive characters, and how many characters went. Line breaks
/// of every kind become `\n`, so that what a carriage return would overwrite stays; tabs stay; spaces of unusual
/// width become plain.
pub(super) fn plain(text: &str) -> (Cow<'_, str>, u64) {
    if !text.contains(|character| is_deceptive(character) && !matches!(character, '\t' | '\n')) {
        return (Cow::Borrowed(text), 0);
    }
    let mut shown = String::with_capacity(text.len());
    let mut stripped = 0;
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        if let Some(after) = sequence(character, rest.as_str()) {
            let gone = rest.as_str().len().saturating_sub(after.len());
            stripped += 1 + length(rest.as_str().get(..gone).unwrap_or_default());
            rest = after.chars();
            continue;
        }
        match character {
            '\t' | '\n' => shown.push(character),
            '\r' if rest.as_str().starts_with('\n') => {}
            character if is_break(character) => shown.push('\n'),
            character if !is_deceptive(character) => shown.push(character),
            character if character.is_whitespace() => shown.push(' '),
            _ => stripped += 1,
        }
    }
    (Cow::Owned(shown), stripped)
}

fn length(text: &str) -> u64 {
    u64::try_from(text.chars().count()).unwrap_or(u64::MAX)
}

/// What follows the terminal sequence that `introducer` begins, if it begins one (ECMA-48, in seven bits and in
/// eight). No character is looked at more than twice: what carries a sequence's content holds no introducer.
fn sequence(introducer: char, rest: &str) -> Option<&str> {
    match introducer {
        '\u{1b}' => {
            let mut after = rest.chars();
            match after.next()? {
                '[' => Some(control(after.as_str())),
                ']' | 'P' | 'X' | '^' | '_' => Some(string(after.as_str())),
                // The intermediate and final bytes of all others: a character set, a reset, a saved cursor.
                ' '..='/' | '0'..='~' => {
                    let rest = rest.trim_start_matches(|byte| matches!(byte, ' '..='/'));
                    rest.strip_prefix(|byte| matches!(byte, '0'..='~'))
                }
                _ => None,
            }
        }
        '\u{9b}' => Some(control(rest)),
        '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => Some(string(rest)),
        _ => None,
    }
}

/// What follows a control sequence: parameters, intermediates, one final byte.
fn control(rest: &str) -> &str {
    let body = rest.trim_start_matches(|byte| matches!(byte, '0'..='?'));
    let body = body.trim_start_matches(|byte| matches!(byte, ' '..='/'));
    body.strip_prefix(|byte| matches!(byte, '@'..='~')).unwrap_or(rest)
}

/// What follows a control string: up to its terminator, if it has one before the next control.
fn string(rest: &str) -> &str {
    let body = rest.trim_start_matches(|character: char| !character.is_control());
    body.strip_prefix("\u{1b}\\").or_else(|| body.strip_prefix(['\u{7}', '\u{9c}'])).unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_acts_on_a_terminal_goes_and_what_reads_stays() {
        for (text, expected, gone) in [
            ("plain \ttext\n", "plain \ttext\n", 0),
            ("", "", 0),
            ("\u{1b}[2J\u{1b}[3J\u{1b}[Hhello", "hello", 11),
            ("\u{1b}[1;31mred\u{1b}[0m", "red", 11),
            ("\u{1b}[8mhidden\u{1b}[0m", "hidden", 8),
            ("\u{9b}31mone byte\u{9b}0m", "one byte", 7),
            ("\u{1b}]0;title\u{7}after", "after", 10),
            (
                "\u{1b}]8;;https://a.example\u{1b}\\https://b.example\u{1b}]8;;\u{1b}\\",
                "https://b.example",
                31,
            ),
            ("\u{1b}P$q\u{1b}\\x \u{90}q\u{9c}y \u{1b}_apc\u{1b}\\z", "x y z", 16),
            ("\u{1b}(Ba\u{1b}7b\u{1b}cc", "abc", 7),
            // What never ends hides nothing.
            ("\u{1b}]0;no end", "0;no end", 2),
            ("\u{9d}no end\u{9d}nor here", "no endnor here", 2),
            ("\u{1b}[31", "31", 2),
            ("\u{1b}[训", "训", 2),
            ("\u{1b}训", "训", 1),
            ("\u{1b}", "", 1),
            // Nor does what was broken up become one.
            ("\u{1b}\u{200b}[2Jx", "[2Jx", 2),
            ("\u{1b}\u{1b}[2Jx", "x", 5),
            ("out of memory\rfine", "out of memory\nfine", 0),
            ("a\r\nb\u{85}c\u{2028}d\u{b}e\u{c}f", "a\nb\nc\nd\ne\nf", 0),
            ("stop\u{8}\u{8}keep\u{7f}\u{0}", "stopkeep", 4),
            ("con\u{200b}firm\u{200c}ed\u{feff}\u{ad}\u{2060}", "confirmed", 5),
            ("is \u{2066}it\u{2069}\u{202e}\u{200f}", "is it", 4),
            ("100%\u{e0061}\u{e0070}", "100%", 2),
            ("a\u{a0}b\u{3000}c\u{2009}d", "a b c d", 0),
        ] {
            let (shown, stripped) = plain(text);
            assert_eq!((shown.as_ref(), stripped), (expected, gone), "{text:?}");
        }
    }

    /// Time grows with length, whatever is begun and never ended.
    #[test]
    fn no_text_is_read_again_and_again() {
        for begun in ["\u{1b}]", "\u{9d}", "\u{1b}[", "\u{9b}1", "\u{1b}]a", "\u{1b}(", "\u{1b}\u{1b}", "\r"]
        {
            let text = begun.repeat(1_000_000);
            let (shown, _) = plain(&text);
            assert!(shown.len() <= text.len(), "{begun:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn nothing_deceptive_is_left(text in "(\\PC|.|\u{1b}|\u{9b}|\u{9d}|\\]|\\[|\r|\u{200b}){0,60}") {
            let (shown, stripped) = plain(&text);
            let left = |c: char| is_deceptive(c) && !matches!(c, '\t' | '\n');
            prop_assert!(!shown.contains(left), "{:?}", shown);
            prop_assert_eq!(plain(&shown), (Cow::Borrowed(shown.as_ref()), 0));
            prop_assert!(length(&shown) + stripped <= length(&text));
        }

        #[test]
        fn what_is_plain_stays_as_it_is(text in "[ -~\t\n训é]{0,60}") {
            prop_assert_eq!(plain(&text), (Cow::Borrowed(text.as_str()), 0));
        }
    }
}
