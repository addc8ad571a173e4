//! What values claim to be known from.

use super::{Fact, Path};

/// A text that claims to be known from somewhere.
pub struct Claim<'c> {
    /// What it claims to be.
    pub fact: Fact,
    /// The text, byte for byte.
    pub text: &'c str,
    /// The workspace named by the nearest object around it.
    pub workspace: Home<'c>,
    /// Where it stands.
    pub path: &'c Path<'c>,
}

/// The workspace that a value belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home<'c> {
    /// No object around it names one.
    Unnamed,
    /// This one.
    Named(&'c str),
    /// One is named, but neither by a text nor by a number: it can't be told which, so nothing may be concluded.
    Unreadable,
}
