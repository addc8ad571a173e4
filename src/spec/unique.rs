//! How it is found out whether what a call would make exists already, where a cloud takes each name once.
//!
//! No create of these clouds has a client token, so the name is what keeps a create from being made twice. An
//! operation says in its [`super::Spec`] how its name is looked up; looking is the policy's.

/// How a name is looked up, and what must be equal for the thing that has it to be the one that is wanted.
///
/// Every field here names an argument or a reply's field as the wire has it, at the top level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unique {
    /// What is made, in a word: `workspace`.
    pub noun: &'static str,
    /// The argument with the name.
    pub name: &'static str,
    /// A read that says how many have a name, where the cloud has one.
    pub check: Option<Check>,
    /// The list in which a name is searched.
    pub list: List,
    /// The tool that shows one of them whole.
    pub get: &'static str,
    /// The arguments that the reply of `get` shows too, and that must be equal where they are given.
    pub compared: &'static [&'static str],
    /// The cloud's error code of a name that is in use.
    pub taken: &'static str,
}

/// A read that says how many have a name. Its reply counts where, and how, the list's does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    /// The tool.
    pub tool: &'static str,
    /// An argument that makes the read such a check, and its value.
    pub with: (&'static str, &'static str),
}

/// A list, page by page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct List {
    /// The tool.
    pub tool: &'static str,
    /// Whether it can be filtered by name: it takes the name's argument and finds parts of names too.
    pub by_name: bool,
    /// The arguments for a page's number, from 1, and for its size.
    pub page: (&'static str, &'static str),
    /// How many rows a page is asked to hold.
    pub size: u64,
    /// The reply's list of rows.
    pub rows: &'static str,
    /// The reply's count of all rows.
    pub total: &'static str,
    /// A row's name.
    pub name: &'static str,
    /// A row's id, which is also the argument of the tool that shows one.
    pub id: &'static str,
}
