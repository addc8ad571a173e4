//! The client of both clouds: encode, sign, send, decode.

pub mod credentials;
pub mod encode;
pub mod endpoint;
pub mod retry;
pub mod sign;
pub mod transport;
