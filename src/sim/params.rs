//! What a request asks, read strictly: its query and its JSON body.

use std::fmt::Display;
use std::str::FromStr;

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::reply::CloudError;

/// Query parameters, decoded.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Decodes a query as sent. A plus is a space, because one official SDK encodes forms.
    pub(super) fn parse(raw: &str) -> Self {
        let decode =
            |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
        let pairs = raw.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        });
        Self(pairs.collect())
    }

    pub(super) fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// A parameter's value; an empty one counts as absent.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).filter(|v| !v.is_empty())
    }

    /// The parts of a comma-joined value.
    pub(super) fn list(&self, name: &str) -> Option<Vec<&str>> {
        self.text(name).map(|value| value.split(',').collect())
    }

    /// `true` or `false`; the capitals of the Python SDK are understood too.
    pub(super) fn flag(&self, name: &str, default: bool) -> Result<bool, CloudError> {
        match self.text(name) {
            None => Ok(default),
            Some("true" | "True") => Ok(true),
            Some("false" | "False") => Ok(false),
            Some(_) => Err(CloudError::invalid(name, "must be true or false")),
        }
    }

    /// One of `allowed`, case-sensitive; the first is the default.
    pub(super) fn choice(
        &self,
        name: &str,
        allowed: &'static [&'static str],
    ) -> Result<Option<&'static str>, CloudError> {
        self.text(name).map(|value| one_of(name, value, allowed)).transpose()
    }

    /// Comma-joined values, each one of `allowed`, case-sensitive.
    pub(super) fn choices(
        &self,
        name: &str,
        allowed: &'static [&'static str],
    ) -> Result<Option<Vec<&'static str>>, CloudError> {
        self.list(name)
            .map(|values| values.into_iter().map(|value| one_of(name, value, allowed)).collect())
            .transpose()
    }

    /// An integer between `least` and `most`.
    pub(super) fn integer<T>(&self, name: &str, least: T, most: T) -> Result<Option<T>, CloudError>
    where
        T: FromStr + PartialOrd + Display,
    {
        let read = |value: &str| match value.parse::<T>() {
            Ok(number) if (&least..=&most).contains(&&number) => Ok(number),
            _ => Err(CloudError::invalid(name, &format!("must be an integer from {least} to {most}"))),
        };
        self.text(name).map(read).transpose()
    }

    /// An instant in ISO 8601, with `Z` or an offset.
    pub(super) fn instant(&self, name: &str) -> Result<Option<Timestamp>, CloudError> {
        let read = |value: &str| {
            let demand = "must be a time such as 2020-11-08T16:00:00Z";
            value.parse().map_err(|_| CloudError::invalid(name, demand))
        };
        self.text(name).map(read).transpose()
    }

    /// The part of `rows` that `PageNumber` (from 1) and `PageSize` (20 by default) ask for.
    pub(super) fn page<T>(&self, rows: Vec<T>) -> Result<Vec<T>, CloudError> {
        self.page_of(rows, 20)
    }

    /// The same, where pages have `size` rows by default.
    pub(super) fn page_of<T>(&self, rows: Vec<T>, size: usize) -> Result<Vec<T>, CloudError> {
        let number = self.at_least_one("PageNumber", 1)?;
        let size = self.at_least_one("PageSize", size)?;
        Ok(rows.into_iter().skip((number - 1).saturating_mul(size)).take(size).collect())
    }

    fn at_least_one(&self, name: &str, default: usize) -> Result<usize, CloudError> {
        match self.text(name) {
            None => Ok(default),
            Some(value) => match value.parse::<usize>() {
                Ok(number) if number >= 1 => Ok(number),
                _ => Err(CloudError::invalid(name, "must be a positive integer")),
            },
        }
    }
}

fn one_of(path: &str, value: &str, allowed: &'static [&'static str]) -> Result<&'static str, CloudError> {
    allowed
        .iter()
        .copied()
        .find(|candidate| *candidate == value)
        .ok_or_else(|| CloudError::invalid(path, &format!("must be one of {}", allowed.join(", "))))
}

/// Parses a body as a JSON object.
pub(super) fn parse_body(body: &[u8]) -> Result<Map<String, Value>, CloudError> {
    serde_json::from_slice(body).map_err(|_| {
        CloudError::bad_request("InvalidParameter.Body", "The body must be a JSON object.".to_owned())
    })
}

/// The fields of a JSON object in a body, and where that object stands. `null` counts as absent.
pub(super) struct Fields<'a> {
    map: &'a Map<String, Value>,
    prefix: String,
}

impl<'a> Fields<'a> {
    /// The fields of the whole body.
    pub(super) fn of_body(map: &'a Map<String, Value>) -> Self {
        Self { map, prefix: String::new() }
    }

    /// The path of a field, such as `JobSpecs[0].Image`.
    pub(super) fn path(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn value(&self, name: &str) -> Option<&'a Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    /// Reads a field by `read`, or says what it must be.
    fn typed<T>(
        &self,
        name: &str,
        demand: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, CloudError> {
        self.value(name)
            .map(|value| read(value).ok_or_else(|| CloudError::invalid(&self.path(name), demand)))
            .transpose()
    }

    /// A string; an empty one counts as absent.
    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, CloudError> {
        Ok(self.typed(name, "must be a string", Value::as_str)?.filter(|text| !text.is_empty()))
    }

    /// A string that must be there.
    pub(super) fn required_text(&self, name: &str) -> Result<&'a str, CloudError> {
        self.text(name)?.ok_or_else(|| CloudError::missing(&self.path(name)))
    }

    /// One of `allowed`, case-sensitive.
    pub(super) fn choice(
        &self,
        name: &str,
        allowed: &'static [&'static str],
    ) -> Result<Option<&'static str>, CloudError> {
        self.text(name)?.map(|value| one_of(&self.path(name), value, allowed)).transpose()
    }

    /// An integer between `least` and `most`.
    pub(super) fn integer(&self, name: &str, least: i64, most: i64) -> Result<Option<i64>, CloudError> {
        let demand = if most == i64::MAX {
            format!("must be an integer of at least {least}")
        } else {
            format!("must be an integer from {least} to {most}")
        };
        self.typed(name, &demand, |value| value.as_i64().filter(|number| (least..=most).contains(number)))
    }

    /// A boolean, `false` when absent.
    pub(super) fn flag(&self, name: &str) -> Result<bool, CloudError> {
        Ok(self.typed(name, "must be a boolean", Value::as_bool)?.unwrap_or(false))
    }

    /// An array; absent is empty.
    pub(super) fn array(&self, name: &str) -> Result<&'a [Value], CloudError> {
        let values = self.typed(name, "must be an array", Value::as_array)?;
        Ok(values.map(Vec::as_slice).unwrap_or_default())
    }

    /// An object inside this one.
    pub(super) fn object(&self, name: &str) -> Result<Option<Fields<'a>>, CloudError> {
        let map = self.typed(name, "must be an object", Value::as_object)?;
        Ok(map.map(|map| Fields { map, prefix: format!("{}.", self.path(name)) }))
    }

    /// The objects of an array.
    pub(super) fn objects(&self, name: &str) -> Result<Vec<Fields<'a>>, CloudError> {
        let path = self.path(name);
        let each = self.array(name)?.iter().enumerate().map(|(index, value)| {
            let map = value
                .as_object()
                .ok_or_else(|| CloudError::invalid(&format!("{path}[{index}]"), "must be an object"))?;
            Ok(Fields { map, prefix: format!("{path}[{index}].") })
        });
        each.collect()
    }

    /// A map of strings.
    pub(super) fn text_map(&self, name: &str) -> Result<(), CloudError> {
        self.typed(name, "must be a map of strings", |value| {
            value.as_object().filter(|map| map.values().all(Value::is_string)).map(|_| ())
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_query_is_decoded_once() {
        let query = Query::parse("Name=a%20b%2Bc&Form=a+b&Empty=&Twice=%2525");
        let texts = ["Name", "Form", "Empty", "Twice"].map(|name| query.text(name));
        assert_eq!(texts, [Some("a b+c"), Some("a b"), None, Some("%25")]);
    }

    #[test]
    fn pages_count_from_one() {
        let page = |raw: &str| Query::parse(raw).page((1..=5).collect());
        assert_eq!(page("PageSize=2&PageNumber=3"), Ok(vec![5]));
        assert_eq!(page("PageSize=2&PageNumber=4"), Ok(vec![]));
        assert_eq!(page("PageNumber=18446744073709551615&PageSize=9"), Ok(vec![]));
        assert_eq!(
            page("PageNumber=0"),
            Err(CloudError::invalid("PageNumber", "must be a positive integer"))
        );
    }

    #[test]
    fn a_body_field_is_named_by_its_path() {
        let body = json!({"JobSpecs": [{"Image": 3}, 4], "Priority": 10, "Empty": ""});
        let fields = Fields::of_body(body.as_object().unwrap());
        assert_eq!(
            fields.objects("JobSpecs").err(),
            Some(CloudError::invalid("JobSpecs[1]", "must be an object"))
        );
        assert_eq!(
            fields.integer("Priority", 1, 9),
            Err(CloudError::invalid("Priority", "must be an integer from 1 to 9"))
        );
        assert_eq!(fields.required_text("Empty"), Err(CloudError::missing("Empty")));
    }
}
