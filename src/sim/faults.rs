//! Scripted misfortune: what happens at the nth call of a tool.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{pyromind, route};

/// What a scripted fault does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Just before the call is handled, somebody else creates a thing of the name that it asks for.
    NameRace {
        /// Whether the other's is configured as the call asks; if not, a workspace's description differs, or a
        /// sandbox or an instance has one CPU more, an inference task other data, a training job one epoch more.
        same: bool,
    },
}

/// The faults of a run and how many calls of each tool have come so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    scripted: BTreeMap<(String, u64), Kind>,
    calls: BTreeMap<String, u64>,
}

/// Why a faults file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum FaultsError {
    /// The file as a whole isn't a JSON array.
    #[error(
        "the faults file isn't a JSON array of objects: {0}; write [{{\"tool\": …, \"nth\": 1, \"fault\": …}}]"
    )]
    NotAnArray(#[source] serde_json::Error),
    /// One entry is malformed.
    #[error("faults[{index}]: {source}; an entry has tool, nth, fault and, for name-race, same")]
    Entry {
        /// Position in the array, from 0.
        index: usize,
        /// What the parser found.
        source: serde_json::Error,
    },
    /// Calls are counted from 1.
    #[error("faults[{index}].nth: is 0, but calls are counted from 1; write 1 for the first call")]
    NthIsZero {
        /// Position in the array, from 0.
        index: usize,
    },
    /// The fault can't happen to that tool.
    #[error("faults[{index}].tool: {fault} can't happen to this tool; it happens to {only}")]
    WrongTool {
        /// Position in the array, from 0.
        index: usize,
        /// The fault.
        fault: &'static str,
        /// The tools it belongs to, joined by commas.
        only: String,
    },
    /// Two entries want the same call.
    #[error("faults[{index}]: an earlier entry has the same tool and nth; give each call one fault")]
    Twice {
        /// Position in the array, from 0.
        index: usize,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    tool: String,
    nth: u64,
    fault: Name,
    #[serde(default)]
    same: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Name {
    NameRace,
}

/// The tools that create something of a unique name.
fn racers() -> [String; 5] {
    [
        route::Route::CreateWorkspace.tool(),
        pyromind::Operation::CreateSandbox.tool().to_owned(),
        pyromind::Operation::CreateInstance.tool().to_owned(),
        pyromind::Operation::CreateInferenceTask.tool().to_owned(),
        pyromind::Operation::SubmitTrainingJob.tool().to_owned(),
    ]
}

impl Faults {
    /// Reads a faults file: a JSON array such as
    /// `[{"tool": "aiworkspace_create_workspace", "nth": 1, "fault": "name-race", "same": true}]`.
    ///
    /// # Errors
    /// [`FaultsError`] names the entry and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, FaultsError> {
        let rows: Vec<Value> = serde_json::from_str(text).map_err(FaultsError::NotAnArray)?;
        let mut scripted = BTreeMap::new();
        for (index, row) in rows.into_iter().enumerate() {
            let row: Row =
                serde_json::from_value(row).map_err(|source| FaultsError::Entry { index, source })?;
            if row.nth == 0 {
                return Err(FaultsError::NthIsZero { index });
            }
            let (fault, tools, kind) = match row.fault {
                Name::NameRace => ("name-race", racers(), Kind::NameRace { same: row.same }),
            };
            if !tools.contains(&row.tool) {
                return Err(FaultsError::WrongTool { index, fault, only: tools.join(", ") });
            }
            if scripted.insert((row.tool, row.nth), kind).is_some() {
                return Err(FaultsError::Twice { index });
            }
        }
        Ok(Self { scripted, calls: BTreeMap::new() })
    }

    /// Counts one more call of `tool` and says what befalls it.
    pub(super) fn strike(&mut self, tool: &str) -> Option<Kind> {
        let calls = self.calls.entry(tool.to_owned()).or_default();
        *calls += 1;
        self.scripted.get(&(tool.to_owned(), *calls)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREATE: &str = "aiworkspace_create_workspace";

    fn error(text: &str) -> String {
        Faults::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_fault_befalls_its_call_only() {
        let mut faults = Faults::parse(
            r#"[{"tool": "aiworkspace_create_workspace", "nth": 2, "fault": "name-race", "same": true}]"#,
        )
        .unwrap();
        assert_eq!(faults.strike(CREATE), None);
        assert_eq!(faults.strike("dlc_create_job"), None);
        assert_eq!(faults.strike(CREATE), Some(Kind::NameRace { same: true }));
        assert_eq!(faults.strike(CREATE), None);
    }

    #[test]
    fn a_wrong_entry_is_named() {
        let cases = [
            (
                r#"[{"tool": "x", "nth": 1, "fault": "name-race", "nht": 1}]"#,
                "faults[0]: unknown field `nht`",
            ),
            (r#"[{"tool": "x", "nth": 1, "fault": "flood"}]"#, "faults[0]: unknown variant `flood`"),
            (r#"[{"nth": 1, "fault": "name-race"}]"#, "faults[0]: missing field `tool`"),
            (
                r#"[{"tool": "x", "nth": 0, "fault": "name-race"}]"#,
                "faults[0].nth: is 0, but calls are counted from 1",
            ),
            (
                r#"[{"tool": "dlc_get_job", "nth": 1, "fault": "name-race"}]"#,
                "faults[0].tool: name-race can't happen to this tool; it happens to aiworkspace_create_workspace, \
                 pyromind_create_sandbox, pyromind_create_instance, pyromind_create_inference_task, \
                 pyromind_submit_training_job",
            ),
            (
                r#"[{"tool": "aiworkspace_create_workspace", "nth": 1, "fault": "name-race"},
                    {"tool": "aiworkspace_create_workspace", "nth": 1, "fault": "name-race"}]"#,
                "faults[1]: an earlier entry has the same tool and nth",
            ),
            (r#"{"tool": "x"}"#, "the faults file isn't a JSON array of objects"),
        ];
        for (text, start) in cases {
            let message = error(text);
            assert!(message.starts_with(start), "{message}");
        }
    }
}
