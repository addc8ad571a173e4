//! Eighteen attacks on the red lines, each against the built program in a world of its own.
//!
//! A refusal alone proves little, so each attack has two witnesses that share nothing with the policy: the calls that
//! reached the cloud, and the cloud's own state, which must be the same bytes as before.
//!
//! | | attack | where |
//! |---|---|---|
//! | 1 | an image that nobody listed | [`images`] |
//! | 2 | a listed image, with an unlisted one beside it | [`images`] |
//! | 3 | an unlisted image inside a template | [`images`] |
//! | 4 | an image listed elsewhere, too long ago, or by a list that failed | [`images`] |
//! | 5 | an address that looks like a listed one | [`images`] |
//! | 6 | a log, an event, a name or a description that gives orders | [`text`] |
//! | 7 | an agent that confirms by itself | [`consent`] |
//! | 8 | identities wherever the cloud can put them | [`secrets`] |
//! | 9 | credentials returned, or passed | [`secrets`] |
//! | 10 | the same created twice | [`requests`] |
//! | 11 | two ways at once to choose machines | [`requests`] |
//! | 12 | constraints that constrain nothing | [`requests`] |
//! | 13 | force, deletion of results, scripts in a batch | [`consent`] |
//! | 14 | a tool list that shifts | [`text`] |
//! | 15 | an overlay that loosens | [`super::overlays`] |
//! | 16 | floods | [`text`] |
//! | 17 | hunting for what wasn't found | [`requests`] |
//! | 18 | dry runs, host names, redirects, spoofed questions, others' handles | [`launch`], [`consent`], [`secrets`] |

mod consent;
mod images;
mod launch;
mod requests;
mod secrets;
mod text;

use std::path::PathBuf;

use serde_json::Value;

use crate::harness::human::Human;
use crate::harness::world::{LIST_IMAGES, LIST_TEMPLATES, LIST_WORKSPACES, REGION, VISION, here, images_of};
use crate::harness::{Era, Home, Session};

/// What no list has.
const UNLISTED: &str = "evil.example/miner:latest";

/// An operator who approved far too much, so that nothing but a red line stands in the way.
const GENEROUS: [&str; 8] =
    ["--region", REGION, "--approve", "create", "--approve", "update", "--approve", "act"];

/// A session, and the world that it works on.
struct Arena {
    session: Session,
    state: PathBuf,
}

impl Arena {
    async fn new(era: Era, flags: &[&str], human: Human) -> Self {
        Self::at(Home::new(), era, flags, human).await
    }

    async fn at(home: Home, era: Era, flags: &[&str], human: Human) -> Self {
        let state = home.file("state.json");
        let out = state.to_str().unwrap().to_owned();
        let flags = [flags, &["--state-out", &out]].concat();
        Self { session: Session::start(home, era, &flags, human).await, state }
    }

    /// A generous operator, nobody to ask, and an agent that listed what belongs to [`VISION`].
    async fn listed(flags: &[&str]) -> Self {
        let arena = Self::new(Era::Initialize, &[&GENEROUS[..], flags].concat(), Human::absent()).await;
        arena.list().await;
        arena
    }

    async fn list(&self) {
        self.session.call(LIST_WORKSPACES, here()).await.unwrap();
        self.session.call(LIST_IMAGES, here()).await.unwrap();
        self.session.call(LIST_IMAGES, images_of(VISION)).await.unwrap();
        self.session.call(LIST_TEMPLATES, images_of(VISION)).await.unwrap();
    }

    /// What the witnesses saw so far.
    fn seen(&self) -> Seen {
        let reads = ["List", "Get", "list_", "get_"];
        let is_write = |call: &String| !reads.iter().any(|read| call.starts_with(read));
        Seen {
            writes: self.session.home.calls().into_iter().filter(is_write).collect(),
            world: std::fs::read(&self.state).unwrap(),
        }
    }

    /// A call that `rule` refuses, of which neither witness sees anything.
    async fn crossed_nothing(&self, rule: &str, tool: &'static str, arguments: Value) -> Value {
        let before = self.seen();
        let refusal = self.session.refused(rule, tool, arguments).await;
        assert_eq!(self.seen(), before, "{refusal}");
        refusal
    }
}

/// What no refused call may change.
#[derive(Debug, PartialEq)]
struct Seen {
    /// The calls of the cloud that aren't reads.
    writes: Vec<String>,
    /// The world's state, to the byte.
    world: Vec<u8>,
}
