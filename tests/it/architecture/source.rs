//! The crate's own source as lists of what it says, each with its place.
//!
//! The module tree is walked from `lib.rs` and `main.rs` as the compiler walks it, so a file that only tests
//! declare isn't read. Macro bodies are read as expressions where they are some, else token by token.

mod walk;

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Where something stands in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, from the repository's root.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The module, such as `policy::rules`; empty for the crate's root.
    pub module: String,
    /// The function, such as `Client::send`; empty outside of any.
    pub function: String,
}

impl Place {
    /// The top module: `policy` of `policy::rules`.
    pub fn top(&self) -> &str {
        self.module.split("::").next().unwrap()
    }

    /// Module and function: `cloud::Client::send`.
    pub fn within(&self) -> String {
        format!("{}::{}", self.module, self.function)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Something found, and where.
#[derive(Debug)]
pub struct Found<T> {
    /// What.
    pub what: T,
    /// Where.
    pub place: Place,
}

/// A struct or an enum.
#[derive(Debug)]
pub struct Declared {
    /// Its name.
    pub name: String,
    /// What it derives, sorted.
    pub derives: BTreeSet<String>,
    /// Whether every field is private; variants' fields are as public as their enum.
    pub sealed: bool,
    /// Every type that a field names.
    pub holds: BTreeSet<String>,
}

/// A function or a method.
pub struct Function {
    /// The types of its parameters, its receiver aside; anything but a plain name is written `&`.
    pub takes: Vec<String>,
    /// How far it can be seen: empty, `pub`, `pub(super)`, ….
    pub visibility: String,
    /// Every type that it returns, `Self` by its name.
    pub returns: BTreeSet<String>,
}

/// All of it that isn't test code.
#[derive(Default)]
pub struct Source {
    /// Files read.
    pub files: BTreeSet<PathBuf>,
    /// Modules that only tests have: their files without the extension.
    pub tests: BTreeSet<PathBuf>,
    /// Every path, `self`, `super` and this crate's name resolved to `crate::…`.
    pub paths: Vec<Found<Vec<String>>>,
    /// Imports under another name, and type aliases: what they stand for.
    pub aliases: Vec<Found<BTreeSet<String>>>,
    /// Calls of methods: the name, and how many arguments.
    pub methods: Vec<Found<(String, usize)>>,
    /// Calls of paths, tuple structs made included; `Self` by its name.
    pub calls: Vec<Found<Vec<String>>>,
    /// Struct literals, by the struct's name.
    pub literals: Vec<Found<String>>,
    /// Macros called.
    pub macros: Vec<Found<String>>,
    /// Structs and enums.
    pub types: Vec<Found<Declared>>,
    /// Trait implementations written out: the trait and the type.
    pub impls: Vec<Found<(String, String)>>,
    /// Functions.
    pub functions: Vec<Found<Function>>,
}

/// The repository's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file under `directory` with one of these extensions, sorted.
pub fn files(directory: &str, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root().join(directory)];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|one| extensions.iter().any(|other| one == *other)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A file's name from the repository's root.
pub fn name(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

impl Source {
    /// What is in `src/`, read once.
    pub fn read() -> &'static Self {
        static SOURCE: LazyLock<Source> = LazyLock::new(|| {
            let mut source = Source::default();
            source.module(&root().join("src/lib.rs"), &[]);
            source.module(&root().join("src/main.rs"), &["main".to_owned()]);
            source
        });
        &SOURCE
    }

    /// Reads `text` as the module `module`, for tests of the tests.
    pub fn of(module: &str, text: &str) -> Self {
        let mut source = Self::default();
        let module: Vec<String> = module.split("::").map(str::to_owned).collect();
        source.text(text, Path::new("planted.rs"), &module);
        source
    }

    fn module(&mut self, file: &Path, module: &[String]) {
        let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", name(file)));
        self.files.insert(file.to_owned());
        for child in self.text(&text, file, module) {
            self.module(&place(&child).with_extension("rs"), &child);
        }
    }

    /// Reads one file and answers which modules are files of their own.
    fn text(&mut self, text: &str, file: &Path, module: &[String]) -> Vec<Vec<String>> {
        let parsed = syn::parse_file(text).unwrap_or_else(|error| panic!("{}: {error}", name(file)));
        walk::walk(self, &parsed, name(file), module.to_vec())
    }
}

/// The file of a module, without its extension.
fn place(module: &[String]) -> PathBuf {
    module.iter().fold(root().join("src"), |path, step| path.join(step))
}
