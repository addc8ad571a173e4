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

/// What the hosts within the private network have behind their service's name.
const PRIVATE: &str = "-vpc";

/// What has an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Named {
    /// A service that tools call.
    Service(Cloud),
    /// Alibaba Cloud's security token service, which gives sessions.
    Sts,
    /// The metadata service of an ECS instance.
    Metadata,
}

/// What has an address. The name of each is the NAME of `--endpoint NAME=URL`.
const NAMED: [Named; 5] = [
    Named::Service(Cloud::Dlc),
    Named::Service(Cloud::AiWorkspace),
    Named::Service(Cloud::PyroMind),
    Named::Sts,
    Named::Metadata,
];

impl Named {
    const fn name(self) -> &'static str {
        match self {
            Self::Service(service) => service.product(),
            Self::Sts => "sts",
            Self::Metadata => "metadata",
        }
    }
}

/// Where every ECS instance has its metadata service: next door, in clear text, and nowhere else.
pub(in crate::cloud) const METADATA_HOST: &str = "100.100.100.200";

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
    #[error("an endpoint is given as NAME=URL, where NAME is one of {}", NAMED.map(Named::name).join(", "))]
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
    overrides: BTreeMap<Named, String>,
    private: bool,
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
            let named = NAMED.into_iter().find(|named| named.name() == name).ok_or(EndpointError::Name)?;
            let name = named.name();
            // Any region shows the faults of the rest.
            BaseUrl::parse(&url.replace(REGION, "cn-hangzhou"))
                .map_err(|fault| EndpointError::Url { name, fault })?;
            let url = match named {
                Named::Service(Cloud::Dlc | Cloud::AiWorkspace) | Named::Sts | Named::Metadata => url,
                Named::Service(Cloud::PyroMind) => {
                    let url = url.trim_end_matches('/');
                    url.strip_suffix(PYROMIND_PREFIX).unwrap_or(url)
                }
            };
            if endpoints.overrides.insert(named, url.to_owned()).is_some() {
                return Err(EndpointError::Repeated { name });
            }
        }
        Ok(endpoints)
    }

    /// The addresses that the simulator answers at.
    pub fn simulator() -> Self {
        let pyromind = (Named::Service(Cloud::PyroMind), PYROMIND_SIMULATED.to_owned());
        Self { overrides: BTreeMap::from([pyromind]), private: false }
    }

    /// The same addresses; of Alibaba Cloud's services those within its private network, if `private`.
    #[must_use]
    pub fn within_private_network(self, private: bool) -> Self {
        Self { private, ..self }
    }

    /// The address of STS: the override, else that of `region`, within the private network if `private` or if all
    /// addresses are, else the central one.
    ///
    /// # Errors
    /// [`EndpointError::Region`] for text that can't be part of a host name.
    pub fn sts(&self, region: Option<&str>, private: bool) -> Result<BaseUrl, EndpointError> {
        let name = Named::Sts.name();
        let url = match (self.overrides.get(&Named::Sts), region) {
            (Some(url), region) => url.replace(REGION, checked(region.unwrap_or("central"))?),
            (None, None) => format!("https://{name}.aliyuncs.com"),
            (None, Some(region)) => {
                let suffix = if private || self.private { PRIVATE } else { "" };
                format!("https://{name}{suffix}.{}.aliyuncs.com", checked(region)?)
            }
        };
        BaseUrl::parse(&url).map_err(|fault| EndpointError::Url { name, fault })
    }

    /// The address of the metadata service: the override, else the one that all instances share.
    pub fn metadata(&self) -> String {
        let url = self.overrides.get(&Named::Metadata);
        url.map_or_else(|| format!("http://{METADATA_HOST}"), |url| url.trim_end_matches('/').to_owned())
    }

    /// The address of `service`; of one of Alibaba Cloud's in `region`: the override, else
    /// `https://{service}.{region}.aliyuncs.com`, or `{service}-vpc` within the private network.
    /// Whether the region exists is for whoever asks to know.
    ///
    /// # Errors
    /// [`EndpointError::Region`] for text that can't be part of a host name, [`EndpointError::NoAddress`] for a
    /// service that has none.
    pub fn base(&self, service: Cloud, region: Option<&str>) -> Result<BaseUrl, EndpointError> {
        let name = service.product();
        let url = match (service.vendor(), self.overrides.get(&Named::Service(service))) {
            (Vendor::Alibaba, url) => {
                let region = checked(region.unwrap_or_default())?;
                match url {
                    Some(url) => url.replace(REGION, region),
                    None => {
                        let suffix = if self.private { PRIVATE } else { "" };
                        format!("https://{name}{suffix}.{region}.aliyuncs.com")
                    }
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
    fn within_the_private_network_services_have_other_hosts() {
        let endpoints = Endpoints::default().within_private_network(true);
        let base = |service| endpoints.base(service, Some("cn-hangzhou")).unwrap().to_string();
        assert_eq!(base(Cloud::Dlc), "https://pai-dlc-vpc.cn-hangzhou.aliyuncs.com");
        assert_eq!(base(Cloud::AiWorkspace), "https://aiworkspace-vpc.cn-hangzhou.aliyuncs.com");
        assert_eq!(endpoints.base(Cloud::PyroMind, None), Err(EndpointError::NoAddress));
    }

    #[test]
    fn sts_is_asked_where_the_region_and_the_network_say() {
        let public = Endpoints::default();
        let private = Endpoints::default().within_private_network(true);
        let central = "https://sts.aliyuncs.com";
        for (endpoints, region, within, expected) in [
            (&public, None, false, central),
            (&public, None, true, central),
            (&public, Some("cn-hangzhou"), false, "https://sts.cn-hangzhou.aliyuncs.com"),
            (&public, Some("cn-hangzhou"), true, "https://sts-vpc.cn-hangzhou.aliyuncs.com"),
            (&private, Some("cn-hangzhou"), false, "https://sts-vpc.cn-hangzhou.aliyuncs.com"),
        ] {
            assert_eq!(endpoints.sts(region, within).unwrap().as_str(), expected);
        }
        assert_eq!(public.sts(Some("evil.example/"), false), Err(EndpointError::Region));
        let own =
            Endpoints::parse(["sts=https://s.example/{RegionId}", "metadata=http://127.0.0.1:1/"]).unwrap();
        assert_eq!(own.sts(Some("cn-hangzhou"), false).unwrap().as_str(), "https://s.example/cn-hangzhou");
        assert_eq!(own.sts(None, false).unwrap().as_str(), "https://s.example/central");
        assert_eq!(own.metadata(), "http://127.0.0.1:1");
        assert_eq!(public.metadata(), "http://100.100.100.200");
    }

    #[test]
    fn a_wrong_override_is_named_without_its_address() {
        for (overrides, expected) in [
            (
                vec!["https://u:secret@h"],
                "an endpoint is given as NAME=URL, where NAME is one of pai-dlc, aiworkspace, pyromind, sts, metadata",
            ),
            (
                vec!["PAI-DLC=https://h"],
                "an endpoint is given as NAME=URL, where NAME is one of pai-dlc, aiworkspace, pyromind, sts, metadata",
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
