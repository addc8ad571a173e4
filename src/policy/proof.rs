//! Trying what overlays give to prove their rules.

use super::evidence::Evidence;
use super::facts::{Facts, Known};
use super::history::History;
use super::load::{Example, LoadError, NOON, Proof, Says};
use super::rules;
use super::verdict::{Outcome, Raw};
use super::{Knowledge, Policy};
use crate::error::Faults;
use crate::policy::consent::Consents;
use crate::spec::{Call, Origin};
use crate::tools;

/// An example, and what came of it.
#[derive(Debug)]
pub struct Tried {
    /// The example.
    pub proof: Proof,
    /// What the rule says; what is wrong where the call can't be made.
    pub said: Result<Says, String>,
}

impl Tried {
    /// Whether the rule says what the example expects.
    pub fn is_true(&self) -> bool {
        self.said == Ok(self.proof.example.says)
    }

    /// What is wrong where it doesn't.
    pub fn fault(&self) -> Option<LoadError> {
        let Proof { file, line, rule, number, example } = &self.proof;
        let reason = match &self.said {
            Ok(said) if *said == example.says => return None,
            Ok(said) => format!(
                "example {number}, {}, expects {}, and the rule says {said}; mend the one or the other",
                example.tool, example.says
            ),
            Err(reason) => format!("example {number}, {}: {reason}", example.tool),
        };
        Some(LoadError::Rule { file: file.clone(), line: *line, rule: rule.clone(), reason })
    }
}

impl Policy {
    /// Tries every example that the overlays give.
    pub fn prove(&self) -> Vec<Tried> {
        let tried =
            |proof: &Proof| Tried { proof: proof.clone(), said: self.try_out(&proof.rule, &proof.example) };
        self.proofs.iter().map(tried).collect()
    }

    fn try_out(&self, rule: &str, example: &Example) -> Result<Says, String> {
        let call = made(&example.tool, &example.arguments)?;
        let known = Known { at: NOON, learned_at: 0 };
        let (mut facts, mut evidence, mut history) =
            (Facts::default(), Evidence::default(), History::default());
        for listed in &example.listed {
            let place = rules::place_of(listed.fact, listed.workspace.as_deref());
            facts.learn(listed.fact, &listed.region, place, &listed.value, known);
        }
        for answer in &example.answers {
            let read = made(&answer.tool, &answer.arguments)?.by(Origin::Policy);
            self.witness(read, Outcome::Reply(Raw::new(answer.reply.clone())), &mut evidence, known);
        }
        // The reads of the example's own step are left out of what was sent before.
        let sent = example.sent.saturating_add(u64::try_from(evidence.len()).unwrap_or(u64::MAX));
        for _ in 0..sent.min(Self::MOST_SENT) {
            history.count(NOON);
        }
        let knowledge = Knowledge {
            facts: &facts,
            evidence: &evidence,
            consents: &Consents::default(),
            history: &history,
            approval: None,
            account: "",
        };
        let judgement = self.judge(&call, &knowledge, NOON);
        let findings = judgement.findings.iter().filter(|finding| finding.id == rule);
        Ok(Says::of(findings.map(|finding| finding.result)))
    }

    /// The most calls before an example: what is remembered of them.
    const MOST_SENT: u64 = 20_000;
}

fn made(tool: &str, arguments: &serde_json::Map<String, serde_json::Value>) -> Result<Call, String> {
    let found =
        tools::find(tool).ok_or_else(|| format!("there is no tool {tool}; see `redline-mcp tools`"))?;
    found.parse(arguments).map_err(|faults| format!("the arguments don't fit {tool}: {}", told(faults)))
}

fn told(faults: Faults) -> String {
    let told: Vec<String> =
        faults.into_iter().map(|fault| format!("{} {}", fault.path, fault.message)).collect();
    told.join("; ")
}
