//! Values that carry a rule with them: a field's type says what must be true of it.
//!
//! A provenance rule finds every [`ImageUri`], [`WorkspaceId`], … wherever it nests, in requests as in
//! replies, because the type puts a mark into the schema ([`super::marks`]). Nothing lists paths by hand.

use std::borrow::Cow;
use std::sync::OnceLock;

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::marks::{Fact, Place};

/// The regions that both products document, with the public name of each (public API metadata of both
/// products, 2025-12 and 2026-04).
pub const REGIONS: &[(&str, &str)] = &[
    ("cn-hangzhou", "China (Hangzhou)"),
    ("cn-shanghai", "China (Shanghai)"),
    ("cn-beijing", "China (Beijing)"),
    ("cn-shenzhen", "China (Shenzhen)"),
    ("ap-southeast-1", "Singapore"),
    ("cn-wulanchabu", "China (Ulanqab)"),
    ("cn-heyuan", "China (Heyuan)"),
    ("cn-guangzhou", "China (Guangzhou)"),
    ("cn-hongkong", "China (Hong Kong)"),
    ("cn-shanghai-finance-1", "China East 2 Finance"),
    ("ap-northeast-1", "Japan (Tokyo)"),
    ("ap-northeast-2", "South Korea (Seoul)"),
    ("ap-south-1", "India (Mumbai)"),
    ("ap-southeast-3", "Malaysia (Kuala Lumpur)"),
    ("ap-southeast-5", "Indonesia (Jakarta)"),
    ("ap-southeast-7", "Thailand (Bangkok)"),
    ("ap-southeast-8", "Philippines (Manila)"),
    ("us-east-1", "US (Virginia)"),
    ("us-west-1", "US (Silicon Valley)"),
    ("us-southeast-1", "US (Atlanta)"),
    ("na-south-1", "Mexico"),
    ("eu-central-1", "Germany (Frankfurt)"),
];

/// How many of [`REGIONS`] are the common ones that a person is offered first (R-WS-45).
pub const COMMON_REGIONS: usize = 5;

/// The regions that the operator allowed beside the documented ones. They are the process's, for schemas that are
/// checked against them are.
static ALLOWED: OnceLock<Vec<String>> = OnceLock::new();

/// Makes `ids` regions of this process beside the documented ones, once: false when others were before.
pub fn allow_regions(ids: &[String]) -> bool {
    ALLOWED.get_or_init(|| ids.to_vec()) == ids
}

/// Whether `id` is a documented region, or one that the operator allowed.
pub fn is_region(id: &str) -> bool {
    REGIONS.iter().any(|(known, _)| *known == id) || is_allowed_region(id)
}

/// Whether `id` is a region that the operator allowed beside the documented ones.
pub fn is_allowed_region(id: &str) -> bool {
    ALLOWED.get().is_some_and(|allowed| allowed.iter().any(|known| known == id))
}

/// Whether `id` could be a region's: part of a host name, of the form that all have.
pub fn has_form_of_region(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut parts = id.split('-');
    id.len() <= 40
        && parts.clone().count() >= 2
        && parts.all(|part| !part.is_empty() && part.bytes().all(plain))
}

/// The format's name that [`RegionId`] puts into its schema, so that a wrong region is found with every
/// other fault of a call.
pub const REGION_FORMAT: &str = "region-id";

/// The format's name that [`Ahead`] puts into its schema, so that a wrong instant is found with every other
/// fault of a call.
pub const INSTANT_FORMAT: &str = "instant";

/// Whether `text` is an instant: RFC 3339 with a zone.
pub fn is_instant(text: &str) -> bool {
    text.parse::<Timestamp>().is_ok()
}

/// A newtype over text whose schema carries a mark.
macro_rules! marked_text {
    ($($(#[$doc:meta])* $name:ident: $($key:literal = $mark:expr),+ ;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text, byte for byte as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "minLength": 1, $($key: $mark),+ })
            }
        }
    )+};
}

marked_text! {
    /// A region of Alibaba Cloud. It becomes part of a host name, so only a documented one passes.
    RegionId: "description" = "From the user; never assumed.", "format" = REGION_FORMAT, "x-fact" = Fact::Region.name(), "x-place" = Place::Host.name();
    /// A workspace's id, from `aiworkspace_list_workspaces`.
    WorkspaceId: "x-fact" = Fact::Workspace.name();
    /// A container image, from `aiworkspace_list_images`.
    ImageUri: "x-fact" = Fact::Image.name();
    /// A dataset's id, from `aiworkspace_list_datasets`.
    DatasetId: "x-fact" = Fact::Dataset.name();
    /// A code source's id, from `aiworkspace_list_code_sources`.
    CodeSourceId: "x-fact" = Fact::CodeSource.name();
    /// A job template's id, from `dlc_list_job_templates`.
    TemplateId: "x-fact" = Fact::Template.name();
}

/// An instant that must lie ahead when the call is made: RFC 3339 with a zone, for a time without one means
/// different instants to different people (R-PM-013).
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Ahead(String);

impl<'de> Deserialize<'de> for Ahead {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if is_instant(&text) { Ok(Self(text)) } else { Err(serde::de::Error::custom("not an instant")) }
    }
}

impl JsonSchema for Ahead {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Ahead".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": INSTANT_FORMAT, "x-ahead": true, "x-exact": true })
    }
}

/// How much of each row a list returns. The server's own argument: it is never sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Detail {
    /// The fields that most calls need.
    Summary,
    /// Every documented field.
    Full,
}

impl JsonSchema for Detail {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Detail".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": ["summary", "full"], "x-place": Place::Local.name() })
    }
}

/// An enum of the texts that the documentation closes a parameter to, in their exact case.
macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $(
                #[doc = concat!("`", $text, "`")]
                #[serde(rename = $text)]
                $variant,
            )+
        }

        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "enum": [$($text),+] })
            }
        }
    )+};
}
pub(crate) use choices;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// R-WS-45: the five common regions come first.
    #[test]
    fn common_regions_come_first_and_none_twice() {
        let common: Vec<&str> = REGIONS.iter().take(COMMON_REGIONS).map(|(id, _)| *id).collect();
        assert_eq!(common, ["cn-hangzhou", "cn-shanghai", "cn-beijing", "cn-shenzhen", "ap-southeast-1"]);
        let ids: BTreeSet<&str> = REGIONS.iter().map(|(id, _)| *id).collect();
        let names: BTreeSet<&str> = REGIONS.iter().map(|(_, name)| *name).collect();
        assert_eq!((ids.len(), names.len()), (REGIONS.len(), REGIONS.len()));
    }

    #[test]
    fn a_region_can_only_be_part_of_a_host_name() {
        for (id, _) in REGIONS {
            assert!(is_region(id) && has_form_of_region(id));
            assert!(
                id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            );
        }
        for other in
            ["", "cn-hangzhou.evil.example", "CN-HANGZHOU", " cn-hangzhou", "cn-hangzhou\0", "@", "cn"]
        {
            assert!(!is_region(other) && !has_form_of_region(other), "{other:?}");
        }
    }

    /// No test of this process allows a region, so that each may rely on the documented ones.
    #[test]
    fn only_the_form_of_an_undocumented_region_counts_without_the_operator() {
        assert!(has_form_of_region("cn-nowhere-1") && !is_region("cn-nowhere-1"));
        assert!(
            !has_form_of_region(&format!("cn-{}", "a".repeat(40))) && !has_form_of_region("cn--hangzhou")
        );
    }

    #[test]
    fn marked_texts_keep_every_byte() {
        let image: ImageUri = serde_json::from_str(r#"" Registry/p:1 ""#).unwrap();
        assert_eq!(image.as_str(), " Registry/p:1 ");
        assert_eq!(serde_json::to_string(&image).unwrap(), r#"" Registry/p:1 ""#);
    }
}
