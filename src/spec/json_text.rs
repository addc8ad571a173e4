//! JSON in a text: an argument that is one string on the wire and holds an object.
//!
//! Two readers of such a text must never see two things: what is judged here is what the cloud runs. So an object
//! that has a name twice is refused, for one reader takes the first and another the last; and what is sent is
//! written anew from what was read.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The most objects and lists that may stand within each other. The deepest documented model needs 10.
const DEEPEST: usize = 32;

/// Why a text isn't taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// It isn't JSON, or has something after it.
    #[error("isn't JSON (line {line}, column {column})")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// An object in it has a name twice.
    #[error("has an object that names something twice (line {line}, column {column})")]
    Repeated {
        /// The line of the second, from 1.
        line: usize,
        /// Its column, from 1.
        column: usize,
    },
    /// It nests deeper than any documented model.
    #[error("nests deeper than {DEEPEST} levels")]
    Deep,
    /// It is JSON, and no object.
    #[error("isn't a JSON object")]
    NoObject,
}

/// The object that `text` holds.
///
/// # Errors
/// [`TextError`], without anything that stands in the text.
pub fn read(text: &str) -> Result<Map<String, Value>, TextError> {
    let fault = std::cell::Cell::new(None);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = Once { depth: 0, fault: &fault }
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value));
    match read {
        Ok(Value::Object(object)) => Ok(object),
        Ok(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            Err(TextError::NoObject)
        }
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            Err(match fault.get() {
                Some(Fault::Repeated) => TextError::Repeated { line, column },
                Some(Fault::Deep) => TextError::Deep,
                None => TextError::Syntax { line, column },
            })
        }
    }
}

/// What serde can't say.
#[derive(Clone, Copy)]
enum Fault {
    Repeated,
    Deep,
}

/// Reads a value in whose objects each name stands once.
#[derive(Clone, Copy)]
struct Once<'f> {
    depth: usize,
    fault: &'f std::cell::Cell<Option<Fault>>,
}

impl Once<'_> {
    fn inner<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth == DEEPEST {
            Err(self.fails(Fault::Deep))
        } else {
            Ok(Self { depth: self.depth + 1, ..self })
        }
    }

    fn fails<E: serde::de::Error>(self, fault: Fault) -> E {
        self.fault.set(Some(fault));
        E::custom("a fault of its own")
    }
}

impl<'de> DeserializeSeed<'de> for Once<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Once<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(flag.into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut object = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(self.fails(Fault::Repeated));
            }
            object.insert(name, entries.next_value_seed(inner)?);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// R-DLC-83
    #[test]
    fn an_object_is_read_and_nothing_else() {
        let text = r#" {"a": [1, -2, 2.5, "x", null, true], "b": {"c": {}}} "#;
        let expected = json!({ "a": [1, -2, 2.5, "x", null, true], "b": { "c": {} } });
        assert_eq!(read(text).map(Value::Object), Ok(expected));
        for (text, error) in [
            ("{bad", TextError::Syntax { line: 1, column: 2 }),
            ("", TextError::Syntax { line: 1, column: 0 }),
            ("{}{}", TextError::Syntax { line: 1, column: 3 }),
            ("{\n\"a\": 1,}", TextError::Syntax { line: 2, column: 8 }),
            ("\u{feff}{}", TextError::Syntax { line: 1, column: 1 }),
            ("{'a': 1}", TextError::Syntax { line: 1, column: 2 }),
            (r#"{\"a\":1}"#, TextError::Syntax { line: 1, column: 2 }),
            ("[]", TextError::NoObject),
            (r#""{}""#, TextError::NoObject),
            ("null", TextError::NoObject),
            (r#"{"a":1,"a":1}"#, TextError::Repeated { line: 1, column: 10 }),
            (r#"{"x":[{"Image":"a","\u0049mage":"b"}]}"#, TextError::Repeated { line: 1, column: 31 }),
        ] {
            assert_eq!(read(text), Err(error), "{text}");
        }
    }

    #[test]
    fn what_nests_too_deep_is_refused() {
        let nested = |levels: usize| {
            let lists = levels - 1;
            format!("{{\"a\":{}{}}}", "[".repeat(lists), "]".repeat(lists))
        };
        assert!(read(&nested(DEEPEST)).is_ok());
        for levels in [DEEPEST + 1, 100_000] {
            assert_eq!(read(&nested(levels)), Err(TextError::Deep));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_breaks_the_reader_and_what_is_read_is_what_serde_reads(text in "\\PC*|[\\[\\]{}\",:a0 .\\\\-]*") {
            if let Ok(object) = read(&text) {
                prop_assert_eq!(serde_json::from_str::<Value>(&text).ok(), Some(Value::Object(object)));
            }
        }
    }
}
