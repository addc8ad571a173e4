//! What is wrong with a call, in the words of whoever must mend it.
//!
//! A [`Fault`] names the place, the fault and the fix; it never holds the offending value, because the
//! value may be a secret or somebody's name. Errors of one stage only (loading a policy, reaching a
//! cloud, writing the record) are declared where that stage lives.

use std::fmt;

use serde::Serialize;

/// One thing wrong with a call's arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Where, as the cloud's own documentation writes paths: `JobSpecs[0].Image`. Empty for the whole call.
    pub path: String,
    /// What is wrong there, in lower case, without the value.
    pub message: String,
    /// What to do about it.
    pub fix: String,
}

impl Fault {
    /// A fault at `path`.
    pub fn new(path: impl Into<String>, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into(), fix: fix.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            write!(f, "{}; {}", self.message, self.fix)
        } else {
            write!(f, "{}: {}; {}", self.path, self.message, self.fix)
        }
    }
}

/// Every fault of a call at once, in the order found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Adds one more.
    pub fn push(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// Adds a fault at `path` unless `holds`.
    pub fn demand(&mut self, holds: bool, path: &str, message: &str, fix: &str) {
        if !holds {
            self.push(Fault::new(path, message, fix));
        }
    }

    /// `Ok` when nothing was found.
    pub fn into_result(self) -> Result<(), Self> {
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }

    /// The faults found.
    pub fn as_slice(&self) -> &[Fault] {
        &self.0
    }
}

impl Extend<Fault> for Faults {
    fn extend<T: IntoIterator<Item = Fault>>(&mut self, faults: T) {
        self.0.extend(faults);
    }
}

impl IntoIterator for Faults {
    type Item = Fault;
    type IntoIter = std::vec::IntoIter<Fault>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}
