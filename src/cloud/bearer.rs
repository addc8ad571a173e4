//! How PyroMind is told who calls: a key in a header.
//!
//! The sources document neither; this is what PyroMind's public clients do, and every part of it can be set.

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Request};

use super::credentials::ApiKey;

/// The header that chooses one of PyroMind's clusters.
const CLUSTER: HeaderName = HeaderName::from_static("x-cluster");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The header of the key, and those beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    header: HeaderName,
    scheme: String,
    cluster: Option<HeaderValue>,
}

/// A setting that can't be part of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BearerError {
    /// Not a header's name.
    #[error("the header's name is none; give one such as Authorization")]
    Header,
    /// Not a word.
    #[error("the scheme must be a word such as Bearer, or empty for the bare key")]
    Scheme,
    /// Not a header's value.
    #[error("the cluster must be a name such as us-west-2")]
    Cluster,
    /// The key has characters that no header can carry.
    #[error("PyroMind's key has characters that no header can carry; set it again, without line breaks")]
    Key,
}

impl Default for Bearer {
    /// `Authorization: Bearer`, and the account's own cluster.
    fn default() -> Self {
        Self { header: AUTHORIZATION, scheme: "Bearer".to_owned(), cluster: None }
    }
}

impl Bearer {
    /// What the operator set; what wasn't set is as by default.
    ///
    /// # Errors
    /// [`BearerError`] for what can't be part of a request.
    pub fn parse(
        header: Option<&str>,
        scheme: Option<&str>,
        cluster: Option<&str>,
    ) -> Result<Self, BearerError> {
        let default = Self::default();
        let scheme = scheme.unwrap_or(&default.scheme).to_owned();
        if !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(BearerError::Scheme);
        }
        Ok(Self {
            header: header
                .map_or(Ok(default.header), |name| name.parse())
                .map_err(|_| BearerError::Header)?,
            scheme,
            cluster: cluster
                .filter(|name| !name.is_empty())
                .map(str::parse)
                .transpose()
                .map_err(|_| BearerError::Cluster)?,
        })
    }

    /// Adds the headers that every request has, but for the key.
    pub(super) fn prepare<B>(&self, request: &mut Request<B>, has_body: bool) {
        let headers = request.headers_mut();
        if let Some(cluster) = &self.cluster {
            headers.insert(CLUSTER, cluster.clone());
        }
        if has_body {
            headers.insert(CONTENT_TYPE, JSON);
        }
    }

    /// Adds the key.
    pub(super) fn authorize<B>(&self, key: &ApiKey, request: &mut Request<B>) -> Result<(), BearerError> {
        let text = match self.scheme.as_str() {
            "" => key.as_str().to_owned(),
            scheme => format!("{scheme} {}", key.as_str()),
        };
        let mut value: HeaderValue = text.parse().map_err(|_| BearerError::Key)?;
        value.set_sensitive(true);
        request.headers_mut().insert(self.header.clone(), value);
        Ok(())
    }

    /// The header that will hold the key.
    pub(super) fn header(&self) -> &str {
        self.header.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(bearer: &Bearer, has_body: bool) -> Vec<(String, String)> {
        let mut request = Request::new(());
        bearer.prepare(&mut request, has_body);
        bearer.authorize(&ApiKey::new("a-key".to_owned()).unwrap(), &mut request).unwrap();
        let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        request.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    /// R-PM-001: header and scheme can be set.
    #[test]
    fn the_key_stands_where_the_operator_says() {
        assert_eq!(headers(&Bearer::default(), false), pairs(&[("authorization", "Bearer a-key")]));
        let other = Bearer::parse(Some("X-Api-Key"), Some(""), Some("us-west-2")).unwrap();
        assert_eq!(
            headers(&other, true),
            pairs(&[
                ("x-cluster", "us-west-2"),
                ("content-type", "application/json"),
                ("x-api-key", "a-key")
            ])
        );
    }

    #[test]
    fn what_no_header_can_carry_is_refused() {
        assert_eq!(Bearer::parse(Some("a header"), None, None), Err(BearerError::Header));
        assert_eq!(Bearer::parse(None, Some("Bearer\r\nX: y"), None), Err(BearerError::Scheme));
        assert_eq!(Bearer::parse(None, None, Some("a\nb")), Err(BearerError::Cluster));
        let key = ApiKey::new("a\nkey".to_owned()).unwrap();
        let refused = Bearer::default().authorize(&key, &mut Request::new(()));
        assert_eq!(refused, Err(BearerError::Key));
    }

    #[test]
    fn the_key_is_marked_so_that_printing_the_request_hides_it() {
        let mut request = Request::new(());
        Bearer::default().authorize(&ApiKey::new("a-key".to_owned()).unwrap(), &mut request).unwrap();
        assert!(!format!("{request:?}").contains("a-key"));
    }
}
