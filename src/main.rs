//! The `redline-mcp` command.

fn main() {}
