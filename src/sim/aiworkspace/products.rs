//! ListProducts: what is activated in a region.

use serde_json::{Map, Value, json};

use crate::sim::params::Query;
use crate::sim::reply::{CloudError, object};
use crate::sim::world::{Activation, World};

/// Product codes and ids. PAI's activation differs by region; the others came with the account.
const PRODUCTS: [(&str, &str); 5] = [
    ("PAI_share", "learn"),
    ("MaxCompute_share", "odps"),
    ("DataWorks_share", "dide"),
    ("OSS_share", "oss"),
    ("Hologres_share", "hologram"),
];

const SERVICES: [&str; 3] = ["AliyunOSS", "AliyunNAS", "AliyunSLS"];

/// Without `Verbose`, a row says only whether a product is purchased, not how to purchase it.
pub(in crate::sim) fn list_products(
    world: &World,
    region: &str,
    query: &Query,
) -> Result<Map<String, Value>, CloudError> {
    let verbose = query.flag("Verbose", false)?;
    let (products, services) = (query.list("ProductCodes"), query.list("ServiceCodes"));
    let all = products.is_none() && services.is_none();
    let wanted = |codes: &Option<Vec<&str>>, code: &str| {
        all || codes.as_ref().is_some_and(|codes| codes.iter().any(|wanted| wanted.trim() == code))
    };
    let activation = world.region(region).activation;
    let products = PRODUCTS.iter().filter(|(code, _)| wanted(&products, code)).map(|(code, id)| {
        let purchased = *code != "PAI_share" || activation == Activation::Active;
        let url = format!("https://common-buy.aliyun.com/?commodityCode={id}&regionId={region}");
        object([
            ("ProductCode", Some(json!(code))),
            ("IsPurchased", Some(json!(purchased))),
            ("ProductId", verbose.then(|| json!(id))),
            ("HasPermissionToPurchase", verbose.then(|| json!(activation != Activation::Forbidden))),
            ("PurchaseUrl", verbose.then(|| json!(url))),
        ])
    });
    let services = SERVICES.iter().filter(|code| wanted(&services, code)).map(|code| {
        let url = format!("https://common-buy.aliyun.com/?serviceCode={code}&regionId={region}");
        object([
            ("ServiceCode", Some(json!(code))),
            ("IsOpen", Some(json!(true))),
            ("OpenUrl", verbose.then(|| json!(url))),
        ])
    });
    Ok(object([
        ("Products", Some(products.map(Value::Object).collect())),
        ("Services", Some(services.map(Value::Object).collect())),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::testkit::{Call, simulator};

    fn products(region: &str, query: &str) -> (u16, Value) {
        let host = format!("aiworkspace.{region}.aliyuncs.com");
        let (status, mut body) =
            Call::get(&host, &format!("/api/v1/products{query}"), "ListProducts").send(&simulator());
        body.as_object_mut().unwrap().remove("RequestId");
        (status, body)
    }

    /// R-WS-47, R-WS-48, R-WS-49, R-WS-50: what each kind of region answers to the activation check.
    #[test]
    fn activation_differs_by_region() {
        for (region, purchased, permitted) in [
            ("cn-hangzhou", true, true),
            ("cn-shanghai", true, true),
            ("cn-beijing", false, true),
            ("ap-southeast-1", false, false),
            ("us-west-1", false, false),
        ] {
            let found = products(region, "?ProductCodes=PAI_share&Verbose=true");
            let row = json!({
                "ProductCode": "PAI_share",
                "IsPurchased": purchased,
                "ProductId": "learn",
                "HasPermissionToPurchase": permitted,
                "PurchaseUrl": format!("https://common-buy.aliyun.com/?commodityCode=learn&regionId={region}"),
            });
            assert_eq!(found, (200, json!({"Products": [row], "Services": []})));
        }
    }

    #[test]
    fn codes_choose_products_and_services() {
        let found =
            products("cn-beijing", "?ProductCodes=OSS_share,PAI_share,no_such&ServiceCodes=AliyunNAS");
        let expected = json!({
            "Products": [
                {"ProductCode": "PAI_share", "IsPurchased": false},
                {"ProductCode": "OSS_share", "IsPurchased": true},
            ],
            "Services": [{"ServiceCode": "AliyunNAS", "IsOpen": true}],
        });
        assert_eq!(found, (200, expected));
        let (_, everything) = products("cn-beijing", "");
        assert_eq!(everything["Products"].as_array().unwrap().len(), 5);
        assert_eq!(everything["Services"].as_array().unwrap().len(), 3);
    }
}
