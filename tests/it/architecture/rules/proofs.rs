//! Which tests name which rules: in the doc comment of a test, or among the `rules` of a case in `policies/tests`.

use std::collections::BTreeMap;
use std::fs;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::super::source::{files, name};
use super::ids;

/// The tests that name a rule, by their file: functions of Rust files, cases of tables.
pub type Tests = BTreeMap<String, Vec<String>>;

/// Every proof there is.
#[derive(Default)]
pub struct Proofs {
    /// By rule.
    pub of: BTreeMap<String, Tests>,
    /// Tests that say `R-X-1 to R-X-9`.
    pub ranges: Vec<String>,
}

impl Proofs {
    /// Those of this repository. Tests of the simulator are none: a cloud that refuses shows nothing about the server
    /// that speaks to it.
    pub fn read() -> &'static Self {
        static PROOFS: LazyLock<Proofs> = LazyLock::new(|| {
            let mut proofs = Proofs::default();
            for directory in ["src", "tests/it"] {
                for file in files(directory, &["rs"]) {
                    let name = name(&file);
                    if !name.starts_with("src/sim/") && !name.starts_with("tests/it/architecture/rules") {
                        proofs.rust(&name, &fs::read_to_string(&file).unwrap());
                    }
                }
            }
            for file in files("policies/tests", &["jsonl"]) {
                proofs.cases(&name(&file), &fs::read_to_string(&file).unwrap());
            }
            proofs
        });
        &PROOFS
    }

    fn add(&mut self, id: String, file: &str, test: &str) {
        let tests = self.of.entry(id).or_default().entry(file.to_owned()).or_default();
        if tests.last().is_none_or(|last| last != test) {
            tests.push(test.to_owned());
        }
    }

    /// The tests of a Rust file, those in macros included.
    fn rust(&mut self, file: &str, text: &str) {
        let function = Regex::new(r"^(?:pub )?(?:async )?fn (\w+)").unwrap();
        let range = Regex::new(r"R-[A-Z]+-[0-9]+ to R-[A-Z]+-[0-9]+").unwrap();
        let (mut comment, mut is_test, mut in_attribute) = (String::new(), false, false);
        for line in text.lines().map(str::trim) {
            if in_attribute || line.starts_with("#[") {
                is_test |= line == "#[test]" || line.starts_with("#[tokio::test");
                in_attribute = !line.ends_with(']');
            } else if let Some(words) = line.strip_prefix("///") {
                comment.push_str(words);
                comment.push(' ');
            } else {
                if let Some(test) =
                    function.captures(line).map(|found| found[1].to_owned()).filter(|_| is_test)
                {
                    ids(&comment).into_iter().for_each(|(_, id)| self.add(id, file, &test));
                    if range.is_match(&comment) {
                        self.ranges.push(format!("{file}: {test}"));
                    }
                }
                (comment, is_test) = (String::new(), false);
            }
        }
    }

    /// The cases of a table.
    fn cases(&mut self, file: &str, text: &str) {
        for case in text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
            for id in case["rules"].as_array().unwrap() {
                self.add(id.as_str().unwrap().to_owned(), file, case["name"].as_str().unwrap());
            }
        }
    }
}

#[test]
fn only_tests_prove() {
    let text = "
/// R-A-1
fn no_test() {}

/// R-A-2: one thing,
/// R-A-3 another.
#[tokio::test(flavor = \"current_thread\")]
#[expect(
    clippy::panic,
    reason = \"so\"
)]
async fn a_test() {}

/// R-A-2
const NONE: u8 = 0;
#[test]
fn another() {}
proptest! {
    /// R-A-2 to R-A-4
    #[test]
    fn third(any in \".*\") {}
}";
    let mut proofs = Proofs::default();
    proofs.rust("a.rs", text);
    proofs.cases("b.jsonl", r#"{"name": "a case", "rules": ["R-A-3"]}"#);
    let of = |id: &str| -> Vec<String> {
        let files = proofs.of.get(id).into_iter().flatten();
        files.flat_map(|(file, tests)| tests.iter().map(move |test| format!("{file} {test}"))).collect()
    };
    assert_eq!(of("R-A-1"), Vec::<String>::new());
    assert_eq!(of("R-A-2"), ["a.rs a_test", "a.rs third"]);
    assert_eq!(of("R-A-3"), ["a.rs a_test", "b.jsonl a case"]);
    assert_eq!(proofs.ranges, ["a.rs: third"]);
}
