//! Where a call goes: the base address of a service in a region.
//!
//! There is no default region. The SDKs' own region tables are not used: they send regions without the
//! service to a central host, one entry ends with a tab, and one names a private-network host where the
//! public one exists. The pattern is right for every region that has the service, and an override covers
//! the rest (private networks, gateways, a simulator on loopback).

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use http::Uri;
use http::uri::Scheme;

use super::encode;
use crate::spec::{Cloud, Vendor};

/// What stands for the region in an override.
const REGION: &str = "{RegionId}";

/// The services. A service's name is the NAME of `--endpoint NAME=URL`.
const SERVICES: [Cloud; 3] = [Cloud::Dlc, Cloud::AiWorkspace, Cloud::PyroMind];

/// The prefix that every path of PyroMind's has; its base address is given with or without it.
const PYROMIND_PREFIX: &str = "/api/v1";

/// Where the simulator expects PyroMind: at its public address of 2026.
const PYROMIND_SIMULATED: &str = "https://api-portal.pyromind.ai";

/// Why an address isn't used. It never holds the address, which may carry a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlFault {
    /// Not `scheme://host[:port][/path]`.
    #[error("it is not of the form https://host[:port][/path]")]
    Form,
    /// Clear text to another machine.
    #[error("it must use https; plain http is only for a loopback host")]
    Insecure,
    /// `user:password@`.
    #[error("it must not hold a user name or a password; credentials come from the environment")]
    UserInfo,
    /// `?…`.
    #[error("it must not hold a query")]
    Query,
    /// `#…`.
    #[error("it must not hold a fragment")]
    Fragment,
}

/// Why there is no address to call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// An override without `=`, or for a name that no service has.
    #[error("an endpoint is given as NAME=URL, where NAME is one of {}", SERVICES.map(Cloud::product).join(", "))]
    Name,
    /// Two overrides of one service.
    #[error("the endpoint {name} is given twice; give it once, with {REGION} where the region stands")]
    Repeated {
        /// The name of the service.
        name: &'static str,
    },
    /// An override whose address isn't used.
    #[error("the endpoint {name} can't be used: {fault}")]
    Url {
        /// The name of the service.
        name: &'static str,
        /// What is wrong with the address.
        fault: UrlFault,
    },
    /// The sources document no address for PyroMind.
    #[error(
        "PyroMind's address isn't set; the operator sets PYROMIND_BASE_URL, or --endpoint pyromind=URL, to the \
         address that PyroMind gives them"
    )]
    NoAddress,
    /// Text that can't be part of a host name.
    #[error("the region is not a region id; give one such as cn-hangzhou")]
    Region,
}

/// `scheme://host[:port][/path]` without a slash at the end; an encoded path follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(String);

impl BaseUrl {
    /// Reads an address as strictly as a signed request needs it.
    ///
    /// # Errors
    /// [`UrlFault`]: see its variants.
    pub fn parse(text: &str) -> Result<Self, UrlFault> {
        // `Uri` drops a fragment without a word.
        if text.contains('#') {
            return Err(UrlFault::Fragment);
        }
        let uri: Uri = text.parse().map_err(|_| UrlFault::Form)?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else {
            return Err(UrlFault::Form);
        };
        if uri.query().is_some() {
            return Err(UrlFault::Query);
        }
        if authority.as_str().contains('@') {
            return Err(UrlFault::UserInfo);
        }
        let host = authority.host().to_ascii_lowercase();
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") => None,
            Some(_) => Some(authority.port_u16().filter(|port| *port > 0).ok_or(UrlFault::Form)?),
            None => return Err(UrlFault::Form),
        };
        let path = uri.path().trim_end_matches('/');
        let plain = |segment: &str| encode::segment(segment).is_ok_and(|encoded| encoded == segment);
        if !is_host(&host) || !path.split('/').skip(1).all(plain) {
            return Err(UrlFault::Form);
        }
        if scheme != &Scheme::HTTPS && !(scheme == &Scheme::HTTP && is_loopback(&host)) {
            return Err(UrlFault::Insecure);
        }
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        Ok(Self(format!("{scheme}://{host}{port}{path}")))
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The services' addresses, with the operator's overrides.
#[derive(Debug, Clone, Default)]
pub struct Endpoints {
    overrides: BTreeMap<Cloud, String>,
}

impl Endpoints {
    /// Reads overrides of the form `NAME=URL`. `{RegionId}` in the URL stands for the region of each call:
    /// `pai-dlc=https://pai-dlc-vpc.{RegionId}.aliyuncs.com`.
    ///
    /// # Errors
    /// [`EndpointError`] on the first override that can't be used as it stands.
    pub fn parse<'a>(overrides: impl IntoIterator<Item = &'a str>) -> Result<Self, EndpointError> {
        let mut endpoints = Self::default();
        for text in overrides {
            let (name, url) = text.split_once('=').ok_or(EndpointError::Name)?;
            let service =
                SERVICES.into_iter().find(|service| service.product() == name).ok_or(EndpointError::Name)?;
            let name = service.product();
            // Any region shows the faults of the rest.
            BaseUrl::parse(&url.replace(REGION, "cn-hangzhou"))
                .map_err(|fault| EndpointError::Url { name, fault })?;
            let url = match service.vendor() {
                Vendor::Alibaba => url,
                Vendor::PyroMind => {
                    let url = url.trim_end_matches('/');
                    url.strip_suffix(PYROMIND_PREFIX).unwrap_or(url)
                }
            };
            if endpoints.overrides.insert(service, url.to_owned()).is_some() {
                return Err(EndpointError::Repeated { name });
            }
        }
        Ok(endpoints)
    }

    /// The addresses that the simulator answers at.
    pub fn simulator() -> Self {
        Self { overrides: BTreeMap::from([(Cloud::PyroMind, PYROMIND_SIMULATED.to_owned())]) }
    }

    /// The address of `service`; of one of Alibaba Cloud's in `region`: the override, else `https://{service}.{region}.aliyuncs.com`.
    /// Whether the region exists is for whoever asks to know.
    ///
    /// # Errors
    /// [`EndpointError::Region`] for text that can't be part of a host name, [`EndpointError::NoAddress`] for a
    /// service that has none.
    pub fn base(&self, service: Cloud, region: Option<&str>) -> Result<BaseUrl, EndpointError> {
        let name = service.product();
        let url = match (service.vendor(), self.overrides.get(&service)) {
            (Vendor::Alibaba, url) => {
                let region = checked(region.unwrap_or_default())?;
                match url {
                    Some(url) => url.replace(REGION, region),
                    None => format!("https://{name}.{region}.aliyuncs.com"),
                }
            }
            (Vendor::PyroMind, Some(url)) => url.clone(),
            (Vendor::PyroMind, None) => return Err(EndpointError::NoAddress),
        };
        BaseUrl::parse(&url).map_err(|fault| EndpointError::Url { name, fault })
    }
}

/// `region`, if it can be part of a host name.
fn checked(region: &str) -> Result<&str, EndpointError> {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let sound = !region.is_empty()
        && !region.starts_with('-')
        && !region.ends_with('-')
        && region.bytes().all(inside);
    if sound { Ok(region) } else { Err(EndpointError::Region) }
}

/// Whether `host`, with or without the brackets of IPv6, is this machine itself.
pub(in crate::cloud) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || unbracketed(host).parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

fn is_host(host: &str) -> bool {
    let name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    (!host.is_empty() && host.bytes().all(name)) || unbracketed(host).parse::<IpAddr>().is_ok()
}

fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_and_a_region_name_the_public_host() {
        let endpoints = Endpoints::default();
        for (service, region, expected) in [
            (Cloud::Dlc, "cn-hangzhou", "https://pai-dlc.cn-hangzhou.aliyuncs.com"),
            // The SDK's table ends this host with a tab.
            (Cloud::AiWorkspace, "cn-guangzhou", "https://aiworkspace.cn-guangzhou.aliyuncs.com"),
            // The SDK's table names the private-network host.
            (Cloud::AiWorkspace, "ap-southeast-5", "https://aiworkspace.ap-southeast-5.aliyuncs.com"),
        ] {
            assert_eq!(endpoints.base(service, Some(region)).unwrap().as_str(), expected);
        }
    }

    #[test]
    fn a_region_can_not_bend_the_host_name() {
        let endpoints = Endpoints::parse(["pai-dlc=https://dlc-{RegionId}.example"]).unwrap();
        for region in
            ["", "cn-hangzhou.evil.example/", "a/b", "a@b", "a.b", "CN", "-a", "a-", "cn-hangzhou\t", "训"]
        {
            for service in [Cloud::Dlc, Cloud::AiWorkspace] {
                assert_eq!(endpoints.base(service, Some(region)), Err(EndpointError::Region), "{region:?}");
            }
        }
    }

    #[test]
    fn an_override_replaces_one_service_and_may_keep_the_region() {
        let endpoints = Endpoints::parse([
            "pai-dlc=https://pai-dlc-vpc.{RegionId}.aliyuncs.com/",
            "aiworkspace=http://127.0.0.1:8080",
        ])
        .unwrap();
        let base = |service, region| endpoints.base(service, Some(region)).unwrap().to_string();
        assert_eq!(base(Cloud::Dlc, "cn-beijing"), "https://pai-dlc-vpc.cn-beijing.aliyuncs.com");
        assert_eq!(base(Cloud::Dlc, "cn-shanghai"), "https://pai-dlc-vpc.cn-shanghai.aliyuncs.com");
        assert_eq!(base(Cloud::AiWorkspace, "cn-shanghai"), "http://127.0.0.1:8080");
    }

    /// R-PM-002: the base address is the operator's to set, with or without the prefix of the paths.
    #[test]
    fn pyromind_is_where_the_operator_says() {
        for (url, expected) in [
            ("https://api.pyromind.ai", "https://api.pyromind.ai"),
            ("https://api.pyromind.ai/api/v1", "https://api.pyromind.ai"),
            ("https://api.pyromind.ai/api/v1/", "https://api.pyromind.ai"),
            ("https://gate.example/pyromind/api/v1", "https://gate.example/pyromind"),
        ] {
            let endpoints = Endpoints::parse([format!("pyromind={url}").as_str()]).unwrap();
            assert_eq!(endpoints.base(Cloud::PyroMind, None).unwrap().as_str(), expected);
        }
        assert_eq!(Endpoints::default().base(Cloud::PyroMind, None), Err(EndpointError::NoAddress));
        assert!(Endpoints::simulator().base(Cloud::PyroMind, None).is_ok());
    }

    #[test]
    fn an_address_is_read_strictly() {
        for (text, expected) in [
            ("https://Example.COM", Ok("https://example.com")),
            ("https://example.com:8443/gate/way/", Ok("https://example.com:8443/gate/way")),
            ("http://localhost:1", Ok("http://localhost:1")),
            ("http://127.0.0.9", Ok("http://127.0.0.9")),
            ("http://[::1]:9000/", Ok("http://[::1]:9000")),
            ("https://[2001:db8::1]", Ok("https://[2001:db8::1]")),
            ("http://example.com", Err(UrlFault::Insecure)),
            ("http://127.1", Err(UrlFault::Insecure)),
            ("http://localhost.example", Err(UrlFault::Insecure)),
            ("http://10.0.0.1", Err(UrlFault::Insecure)),
            ("ftp://localhost", Err(UrlFault::Insecure)),
            ("https://user:password@example.com", Err(UrlFault::UserInfo)),
            ("http://127.0.0.1@example.com", Err(UrlFault::UserInfo)),
            ("https://example.com?a=b", Err(UrlFault::Query)),
            ("https://example.com/?", Err(UrlFault::Query)),
            ("https://example.com/#a", Err(UrlFault::Fragment)),
            ("https://example.com/a/../b", Err(UrlFault::Form)),
            ("https://example.com//b", Err(UrlFault::Form)),
            ("https://example.com:0", Err(UrlFault::Form)),
            ("https://example.com:", Err(UrlFault::Form)),
            ("https://example.com:99999", Err(UrlFault::Form)),
            ("https://exa$mple.com", Err(UrlFault::Form)),
            ("https://example.com\t", Err(UrlFault::Form)),
            ("example.com", Err(UrlFault::Form)),
            ("/path", Err(UrlFault::Form)),
            ("", Err(UrlFault::Form)),
        ] {
            assert_eq!(BaseUrl::parse(text), expected.map(|url| BaseUrl(url.to_owned())), "{text}");
        }
    }

    #[test]
    fn a_wrong_override_is_named_without_its_address() {
        for (overrides, expected) in [
            (
                vec!["https://u:secret@h"],
                "an endpoint is given as NAME=URL, where NAME is one of pai-dlc, aiworkspace, pyromind",
            ),
            (
                vec!["PAI-DLC=https://h"],
                "an endpoint is given as NAME=URL, where NAME is one of pai-dlc, aiworkspace, pyromind",
            ),
            (
                vec!["pai-dlc=https://u:secret@h"],
                "the endpoint pai-dlc can't be used: it must not hold a user name or a password; credentials come from the environment",
            ),
            (
                vec!["pai-dlc=http://{RegionId}"],
                "the endpoint pai-dlc can't be used: it must use https; plain http is only for a loopback host",
            ),
            (
                vec!["pai-dlc=https://a", "pai-dlc=https://b"],
                "the endpoint pai-dlc is given twice; give it once, with {RegionId} where the region stands",
            ),
        ] {
            assert_eq!(Endpoints::parse(overrides).unwrap_err().to_string(), expected);
        }
    }
}
