//! Calls of every kind, from a seed.

use serde_json::{Value, json};

use crate::harness::world::{
    CREATE_JOB, CREATE_WORKSPACE, DETECTOR, GET_JOB, GET_WORKSPACE, LIST_IMAGES, LIST_JOBS, LIST_WORKSPACES,
    PRETRAIN, UPDATE_JOB, VISION, here, images_of, job, job_id, workspace,
};

/// Numbers that look random and are the same each time (splitmix64).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`.
    pub(super) const fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// The calls of a run. What is changed or deleted was made before, and that only once.
pub(super) struct Calls {
    dice: Dice,
    number: usize,
    jobs: Vec<String>,
    sandboxes: Vec<String>,
}

impl Calls {
    pub(super) const fn new(seed: u64) -> Self {
        Self { dice: Dice::new(seed), number: 0, jobs: Vec::new(), sandboxes: Vec::new() }
    }

    /// A tool and its arguments.
    pub(super) fn next(&mut self) -> (&'static str, Value) {
        self.number += 1;
        let name = format!("soak-{}", self.number);
        match self.dice.below(100) {
            // Jobs need an image and a workspace that were listed.
            _ if self.number == 1 => (LIST_WORKSPACES, here()),
            _ if self.number == 2 => (LIST_IMAGES, images_of(VISION)),
            0..16 => {
                let size = json!({ "cpu": 2, "memory": 4, "gpu": 0 });
                let sandbox = json!({ "name": name, "sandbox_type": "cpu-sandbox", "resource_config": size });
                ("pyromind_create_sandbox", sandbox)
            }
            16..26 if !self.sandboxes.is_empty() => {
                let at = self.dice.below(self.sandboxes.len() as u64);
                let id = self.sandboxes.swap_remove(usize::try_from(at).unwrap());
                ("pyromind_delete_sandbox", json!({ "sandbox_id": id }))
            }
            26..38 => {
                let mut job = job(VISION, DETECTOR);
                job["DisplayName"] = json!(name);
                (CREATE_JOB, job)
            }
            38..44 if !self.jobs.is_empty() => {
                let mut change = job_id(&self.jobs.remove(0));
                change["Description"] = json!(name);
                (UPDATE_JOB, change)
            }
            44..46 => (CREATE_WORKSPACE, workspace(&format!("soak_{}", self.number))),
            46..48 => (CREATE_JOB, job(VISION, "registry.example.com/unlisted:1")),
            48..50 => (GET_JOB, json!({ "JobId": PRETRAIN })),
            50..60 => (LIST_WORKSPACES, here()),
            60..70 => (LIST_IMAGES, images_of(VISION)),
            70..80 => (LIST_JOBS, here()),
            80..85 => (GET_JOB, job_id(PRETRAIN)),
            85..90 => (GET_WORKSPACE, images_of(VISION)),
            _ => ("pyromind_list_sandboxes", json!({})),
        }
    }

    /// What a call made can be changed from now on.
    pub(super) fn learn(&mut self, (tool, _): &(&str, Value), answer: &Value) {
        let result = &answer["result"];
        if result["isError"] != false {
            return;
        }
        let text = |name: &str| result["structuredContent"][name].as_str().unwrap().to_owned();
        match *tool {
            CREATE_JOB => self.jobs.push(text("JobId")),
            "pyromind_create_sandbox" => self.sandboxes.push(text("sandbox_id")),
            _ => {}
        }
    }
}
