//! The client of both clouds: encode, sign, send, decode.

pub mod transport;
