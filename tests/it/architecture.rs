//! What the source must look like for the design to hold, read with `syn`.
//!
//! The compiler keeps a private field private. What it can't see is a second maker of a door, an import that
//! points the wrong way, or a clock read where time should have been handed in. Code under `#[cfg(test)]` is
//! free of all this.
//!
//! | room | what is in it |
//! |---|---|
//! | [`source`] | reads `src/` into what the tests ask about |
//! | `imports` | modules import only from those before them |
//! | `doors` | who makes, opens, returns and holds the door types |
//! | `bans` | environment, clock, output and the size of files |
//! | `rules` | every rule is held, shown by a test, and told in docs/rules.md |

mod bans;
mod doors;
mod imports;
mod rules;
mod source;
