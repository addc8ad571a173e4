//! The way to the live clouds.

use super::{ConfigError, Launch};
use crate::cloud::transport::http::{HttpTransport, Limits, Patience};

impl Launch {
    /// What bounds every exchange: what the flags say, else the defaults.
    pub fn limits(&self) -> Limits {
        let default = Limits::default();
        let read = self.live.read_timeout.unwrap_or(default.patience.read);
        Limits {
            connect: self.live.connect_timeout.unwrap_or(default.connect),
            patience: Patience {
                read,
                // A longer read isn't cut off by the whole, unless the operator says so.
                whole: self.live.timeout.unwrap_or(read.max(default.patience.whole)),
            },
            ..default
        }
    }

    /// Real HTTP within [`Self::limits`], trusting what `--ca-file` holds.
    ///
    /// # Errors
    /// When `--ca-file` can't be read, or holds no certificates.
    pub(super) fn transport(&self) -> Result<HttpTransport, ConfigError> {
        let transport = HttpTransport::new(self.limits());
        let Some(path) = &self.live.ca_file else { return Ok(transport) };
        let pem = std::fs::read(path);
        let pem = pem.map_err(|source| ConfigError::ReadCertificates { path: path.clone(), source })?;
        Ok(transport.trusting(&pem)?)
    }
}
