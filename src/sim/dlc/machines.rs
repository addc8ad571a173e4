//! The public machine types that a job can ask for, and ListEcsSpecs, which lists them.

use serde_json::{Map, Value, json};

use crate::sim::params::Query;
use crate::sim::reply::{CloudError, object};

pub(super) const ECS: &str = "ECS";
const LINGJUN: &str = "Lingjun";

/// The drivers that machines with GPUs may have; the first is the default.
const DRIVERS: [&str; 2] = ["535.161.08", "550.127.08"];

/// What one machine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Machine {
    pub(super) name: &'static str,
    pub(super) cpu: u64,
    /// GiB.
    pub(super) memory: u64,
    pub(super) gpu: u64,
    gpu_type: &'static str,
    /// GiB of each GPU.
    gpu_memory: u64,
    market: Market,
}

/// How a machine can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Market {
    /// On demand, and as a spot instance of which there is a stock.
    Spot,
    /// On demand, and as a spot instance of which there is none left.
    SpotSoldOut,
    /// On demand, and of Lingjun's.
    Lingjun,
}

/// In the order of their names.
const MACHINES: [Machine; 12] = [
    cpu("ecs.c6.large", 2, 4),
    cpu("ecs.c6.xlarge", 4, 8),
    cpu("ecs.g6.2xlarge", 8, 32),
    cpu("ecs.g6.large", 2, 8),
    cpu("ecs.g6.xlarge", 4, 16),
    gpu("ecs.gn6i-c4g1.xlarge", (4, 15), (1, "T4", 16), Market::Spot),
    gpu("ecs.gn6v-c8g1.2xlarge", (8, 32), (1, "V100", 16), Market::Spot),
    gpu("ecs.gn7-c13g1.26xlarge", (104, 768), (8, "A100-40G", 40), Market::SpotSoldOut),
    gpu("ecs.gn7e-c16g1.4xlarge", (16, 125), (1, "A100-80G", 80), Market::SpotSoldOut),
    gpu("ecs.gn7i-c8g1.2xlarge", (8, 30), (1, "A10", 24), Market::Spot),
    gpu("ml.gu7ef.8xlarge-gu100", (128, 1024), (8, "GU100", 80), Market::Lingjun),
    gpu("ml.gu7xf.8xlarge-gu108", (192, 2048), (8, "GU108", 96), Market::Lingjun),
];

const fn cpu(name: &'static str, cpu: u64, memory: u64) -> Machine {
    Machine { name, cpu, memory, gpu: 0, gpu_type: "", gpu_memory: 0, market: Market::Spot }
}

const fn gpu(
    name: &'static str,
    (cpu, memory): (u64, u64),
    (gpu, gpu_type, gpu_memory): (u64, &'static str, u64),
    market: Market,
) -> Machine {
    Machine { name, cpu, memory, gpu, gpu_type, gpu_memory, market }
}

pub(super) fn find(name: &str) -> Option<&'static Machine> {
    MACHINES.iter().find(|machine| machine.name == name)
}

impl Machine {
    pub(super) fn resource_type(&self) -> &'static str {
        match self.market {
            Market::Spot | Market::SpotSoldOut => ECS,
            Market::Lingjun => LINGJUN,
        }
    }

    fn accelerator_type(&self) -> &'static str {
        if self.gpu > 0 { "GPU" } else { "CPU" }
    }

    fn row(&self) -> Map<String, Value> {
        let spot = match self.market {
            Market::Spot => Some("WithStock"),
            Market::SpotSoldOut => Some("NoStock"),
            Market::Lingjun => None,
        };
        let payment = if spot.is_some() { json!(["PostPaid", "Spot"]) } else { json!(["PostPaid"]) };
        let has_gpu = self.gpu > 0;
        object([
            ("InstanceType", Some(json!(self.name))),
            ("AcceleratorType", Some(json!(self.accelerator_type()))),
            ("ResourceType", Some(json!(self.resource_type()))),
            ("Cpu", Some(json!(self.cpu))),
            ("Memory", Some(json!(self.memory))),
            ("Gpu", Some(json!(self.gpu))),
            ("GpuType", has_gpu.then(|| json!(self.gpu_type))),
            ("GpuMemory", has_gpu.then(|| json!(self.gpu_memory))),
            ("IsAvailable", Some(json!(true))),
            ("PaymentTypes", Some(payment)),
            ("SpotStockStatus", spot.map(|status| json!(status))),
            ("NonProtectSpotDiscount", spot.map(|_| json!(0.25))),
            ("DefaultGPUDriver", has_gpu.then(|| json!(DRIVERS.first()))),
            ("SupportedGPUDrivers", has_gpu.then(|| json!(DRIVERS))),
        ])
    }
}

/// The same in every region. `SortBy` is documented, and refused.
pub(in crate::sim) fn list_ecs_specs(query: &Query) -> Result<Map<String, Value>, CloudError> {
    if query.text("SortBy").is_some() {
        return Err(CloudError::invalid("SortBy", "is not supported"));
    }
    let accelerator = query.choice("AcceleratorType", &["CPU", "GPU"])?;
    let resource = query.choice("ResourceType", &[ECS, LINGJUN])?;
    let names = query.list("InstanceTypes");
    let descending = query.choice("Order", &["asc", "desc"])? == Some("desc");
    let mut found: Vec<&Machine> = MACHINES
        .iter()
        .filter(|machine| accelerator.is_none_or(|wanted| machine.accelerator_type() == wanted))
        .filter(|machine| resource.is_none_or(|wanted| machine.resource_type() == wanted))
        .filter(|machine| names.as_ref().is_none_or(|names| names.contains(&machine.name)))
        .collect();
    if descending {
        found.reverse();
    }
    let total = found.len();
    let rows = query.page(found)?.into_iter().map(|machine| Value::Object(machine.row())).collect();
    Ok(object([("EcsSpecs", Some(rows)), ("TotalCount", Some(json!(total)))]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::testkit::{Call, DLC, code, simulator};

    fn specs(query: &str) -> (u16, Value) {
        Call::get(DLC, &format!("/api/v1/ecsspecs{query}"), "ListEcsSpecs").send(&simulator())
    }

    fn names(query: &str) -> Vec<String> {
        let (status, body) = specs(query);
        assert_eq!(status, 200, "{body}");
        let rows = body["EcsSpecs"].as_array().unwrap();
        rows.iter().map(|row| row["InstanceType"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn docs_world_md_names_every_machine() {
        let docs = include_str!("../../../docs/world.md");
        for machine in MACHINES {
            let Machine { name, cpu, memory, gpu, gpu_type, gpu_memory, .. } = machine;
            let gpus = if gpu > 0 { format!("{gpu} x {gpu_type}, {gpu_memory} GiB") } else { String::new() };
            let row = format!("| `{name}` | {} | {cpu} | {memory} GiB | {gpus}", machine.resource_type());
            assert!(docs.contains(row.trim_end()), "{row}");
        }
    }

    /// R-DLC-40
    #[test]
    fn what_is_listed_can_be_asked_for() {
        let listed = names("?PageSize=50");
        assert_eq!(listed.len(), MACHINES.len());
        assert!(listed.is_sorted());
        assert!(listed.iter().all(|name| find(name).is_some()));
    }

    #[test]
    fn a_row_tells_what_a_machine_has() {
        let (_, mut body) = specs("?InstanceTypes=ecs.gn7e-c16g1.4xlarge,ecs.c6.large,ecs.none");
        body.as_object_mut().unwrap().remove("RequestId");
        let expected = json!({
            "TotalCount": 2,
            "EcsSpecs": [{
                "InstanceType": "ecs.c6.large",
                "AcceleratorType": "CPU",
                "ResourceType": "ECS",
                "Cpu": 2,
                "Memory": 4,
                "Gpu": 0,
                "IsAvailable": true,
                "PaymentTypes": ["PostPaid", "Spot"],
                "SpotStockStatus": "WithStock",
                "NonProtectSpotDiscount": 0.25,
            }, {
                "InstanceType": "ecs.gn7e-c16g1.4xlarge",
                "AcceleratorType": "GPU",
                "ResourceType": "ECS",
                "Cpu": 16,
                "Memory": 125,
                "Gpu": 1,
                "GpuType": "A100-80G",
                "GpuMemory": 80,
                "IsAvailable": true,
                "PaymentTypes": ["PostPaid", "Spot"],
                "SpotStockStatus": "NoStock",
                "NonProtectSpotDiscount": 0.25,
                "DefaultGPUDriver": "535.161.08",
                "SupportedGPUDrivers": ["535.161.08", "550.127.08"],
            }],
        });
        assert_eq!(body, expected);
    }

    /// R-DLC-37, R-DLC-38, R-DLC-39
    #[test]
    fn filters_narrow_the_list() {
        assert_eq!(names("?ResourceType=Lingjun"), ["ml.gu7ef.8xlarge-gu100", "ml.gu7xf.8xlarge-gu108"]);
        assert_eq!(names("?ResourceType=Lingjun&AcceleratorType=CPU"), Vec::<String>::new());
        assert_eq!(names("?AcceleratorType=CPU").len(), 5);
        assert_eq!(
            names("?AcceleratorType=GPU&Order=desc&PageSize=2&PageNumber=2"),
            ["ecs.gn7i-c8g1.2xlarge", "ecs.gn7e-c16g1.4xlarge"]
        );
        assert_eq!(specs("?AcceleratorType=GPU&PageSize=2").1["TotalCount"], 7);
    }

    #[test]
    fn wrong_questions_are_refused() {
        for (query, parameter) in [
            ("?SortBy=CPU", "SortBy"),
            ("?AcceleratorType=gpu", "AcceleratorType"),
            ("?ResourceType=lingjun", "ResourceType"),
            ("?Order=DESC", "Order"),
            ("?PageNumber=0", "PageNumber"),
        ] {
            assert_eq!(code(specs(query)), (400, format!("InvalidParameter.{parameter}")), "{query}");
        }
    }
}
