//! Redline MCP: training clouds behind red lines that an agent can't cross.

pub mod audit;
pub mod cloud;
pub mod config;
pub mod error;
pub mod gateway;
pub mod policy;
pub mod server;
pub mod sim;
pub mod spec;
pub mod tools;
