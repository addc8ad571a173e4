//! Where a value stands in a JSON text: the line that an error names.

/// A step from a value to one inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// To a field of an object.
    Field(&'a str),
    /// To an element of an array, from 0.
    Element(usize),
}

/// The line, from 1, on which the value at `path` begins, or the last value on the way that is there. `text` must be
/// JSON; of anything else the answer means nothing.
pub(super) fn line(text: &str, path: &[Step<'_>]) -> usize {
    let mut scanner = Scanner { rest: text.as_bytes(), line: 1 };
    scanner.blanks();
    for step in path {
        let Some(there) = scanner.enter(step) else { break };
        scanner = there;
    }
    scanner.line
}

#[derive(Clone, Copy)]
struct Scanner<'t> {
    rest: &'t [u8],
    line: usize,
}

impl Scanner<'_> {
    fn bump(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        if *first == b'\n' {
            self.line += 1;
        }
        Some(*first)
    }

    /// Passes over what stands between tokens, commas and colons included.
    fn blanks(&mut self) {
        while self.rest.first().is_some_and(|byte| byte.is_ascii_whitespace() || matches!(byte, b',' | b':'))
        {
            self.bump();
        }
    }

    /// Passes over one whole value, or a closing bracket.
    fn value(&mut self) {
        let mut depth = 0_usize;
        loop {
            match self.bump() {
                None => return,
                Some(b'"') => self.rest_of_string(),
                Some(b'{' | b'[') => depth += 1,
                Some(b'}' | b']') => depth = depth.saturating_sub(1),
                Some(_) => {
                    let ends = |byte: &u8| byte.is_ascii_whitespace() || b",:]}[{\"".contains(byte);
                    while self.rest.first().is_some_and(|byte| !ends(byte)) {
                        self.bump();
                    }
                }
            }
            if depth == 0 {
                return;
            }
            self.blanks();
        }
    }

    fn rest_of_string(&mut self) {
        while let Some(byte) = self.bump() {
            match byte {
                b'"' => return,
                b'\\' => drop(self.bump()),
                _ => {}
            }
        }
    }

    /// The value that `step` leads to from the one that begins here.
    fn enter(mut self, step: &Step<'_>) -> Option<Self> {
        let opened = self.bump()?;
        for index in 0.. {
            self.blanks();
            if self.rest.first().is_none_or(|byte| matches!(byte, b'}' | b']')) {
                return None;
            }
            let found = match (opened, step) {
                (b'{', _) => {
                    let before = self.rest;
                    self.value();
                    let read = before.len().saturating_sub(self.rest.len());
                    let key = before.get(..read).unwrap_or_default();
                    self.blanks();
                    let key: Option<String> = serde_json::from_slice(key).ok();
                    matches!(step, Step::Field(name) if key.as_deref() == Some(*name))
                }
                (b'[', Step::Element(wanted)) => index == *wanted,
                _ => return None,
            };
            if found {
                return Some(self);
            }
            self.value();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\n{\n  \"a\": [1, \"x\\\"]\",\n    {\"b\": null,\n \"c\\u0064\": {\n\"e\": true}}],\n  \"f\": \"\"\n}";

    #[test]
    fn a_path_leads_to_its_line() {
        use Step::{Element, Field};
        for (path, expected) in [
            (vec![], 2),
            (vec![Field("a")], 3),
            (vec![Field("a"), Element(1)], 3),
            (vec![Field("a"), Element(2)], 4),
            (vec![Field("a"), Element(2), Field("cd")], 5),
            (vec![Field("a"), Element(2), Field("cd"), Field("e")], 6),
            (vec![Field("f")], 7),
        ] {
            assert_eq!(line(TEXT, &path), expected, "{path:?}");
        }
    }

    #[test]
    fn what_is_not_there_has_the_line_of_what_it_is_missing_from() {
        use Step::{Element, Field};
        assert_eq!(line(TEXT, &[Field("a"), Element(7)]), 3);
        assert_eq!(line(TEXT, &[Field("a"), Element(2), Field("z")]), 4);
        assert_eq!(line(TEXT, &[Field("f"), Field("z")]), 7);
        assert_eq!(line(TEXT, &[Element(0)]), 2);
        for broken in ["", "{", "[1", "\"", "{\"a\"", "]"] {
            assert_eq!(line(broken, &[Field("a"), Element(0)]), 1, "{broken}");
        }
    }
}
