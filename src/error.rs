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

/// The most faults of a call that are told one by one.
const MOST: usize = 20;

/// Every fault of a call at once, in the order found. A call with very many is told the first of them and how
/// many there are beside, at little cost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    told: Vec<Fault>,
    more: usize,
}

impl Faults {
    /// Adds one more.
    pub fn push(&mut self, fault: Fault) {
        self.find(|| fault);
    }

    /// Adds one more, which is worded only if it is told.
    pub fn find(&mut self, fault: impl FnOnce() -> Fault) {
        if self.told.len() < MOST {
            self.told.push(fault());
        } else {
            self.more += 1;
        }
    }

    /// Adds a fault at `path` unless `holds`.
    pub fn demand(&mut self, holds: bool, path: impl fmt::Display, message: &str, fix: &str) {
        if !holds {
            self.find(|| Fault::new(path.to_string(), message, fix));
        }
    }

    /// Adds those of `others`.
    pub fn merge(&mut self, others: Self) {
        self.extend(others.told);
        self.more += others.more;
    }

    /// Whether nothing was found.
    pub const fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// Whether something at `path` is told of.
    pub fn are_at(&self, path: &str) -> bool {
        self.told.iter().any(|fault| fault.path == path)
    }

    /// `Ok` when nothing was found.
    ///
    /// # Errors
    /// The faults themselves.
    pub fn into_result(self) -> Result<(), Self> {
        if self.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl Extend<Fault> for Faults {
    fn extend<T: IntoIterator<Item = Fault>>(&mut self, faults: T) {
        faults.into_iter().for_each(|fault| self.push(fault));
    }
}

impl IntoIterator for Faults {
    type Item = Fault;
    type IntoIter = std::iter::Chain<std::vec::IntoIter<Fault>, std::option::IntoIter<Fault>>;

    fn into_iter(self) -> Self::IntoIter {
        let rest = (self.more > 0).then(|| {
            Fault::new(
                "",
                format!("further faults aren't listed: {}", self.more),
                "mend those listed, then call again",
            )
        });
        self.told.into_iter().chain(rest)
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self { told: vec![fault], more: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_faults_are_told_and_the_rest_counted_without_being_worded() {
        let mut faults = Faults::default();
        let mut worded = 0;
        for number in 0..60_000 {
            faults.find(|| {
                worded += 1;
                Fault::new(format!("p{number}"), "m", "f")
            });
        }
        let mut all = Faults::from(Fault::new("first", "m", "f"));
        all.merge(faults);
        let told: Vec<Fault> = all.into_iter().collect();
        assert_eq!((told.len(), worded), (21, 20));
        assert_eq!(
            (told[0].path.as_str(), told[1].path.as_str(), told[19].path.as_str()),
            ("first", "p0", "p18")
        );
        assert_eq!(
            told[20].to_string(),
            "further faults aren't listed: 59981; mend those listed, then call again"
        );
    }

    #[test]
    fn as_many_as_can_be_told_are_told_alone() {
        let mut faults = Faults::default();
        faults.extend((0..20).map(|number| Fault::new(number.to_string(), "m", "f")));
        assert_eq!(faults.clone().into_iter().count(), 20);
        faults.demand(false, "x", "m", "f");
        assert_eq!(
            faults.into_iter().last().map(|fault| fault.message),
            Some("further faults aren't listed: 1".to_owned())
        );
    }
}
