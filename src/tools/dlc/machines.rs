//! The machine types that a job can ask for.
//!
//! Parameters, reply fields and enums: the official SDK of PAI-DLC 2020-12-03, version 1.11.6, and its public metadata,
//! which name no permission. That the service refuses `SortBy` is what others' logs of it show.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Number;
use serde_with::skip_serializing_none;

use super::job_list::JobOrder;
use crate::spec::marks::{Exact, Fact};
use crate::spec::value::{Detail, RegionId, choices};
use crate::spec::{Cloud, Effect, Operation, Route, Spec};

choices! {
    /// What a machine computes with.
    AcceleratorType { Cpu = "CPU", Gpu = "GPU" }
    /// The kind of machines.
    ResourceType { Ecs = "ECS", Lingjun = "Lingjun" }
    /// What machine types are said to be sorted by.
    MachineSortKey { Cpu = "CPU", Gpu = "GPU", Memory = "Memory", Created = "GmtCreateTime" }
}

/// List the public machine types that EcsSpec of dlc_create_job takes.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ListEcsSpecs {
    pub(crate) region_id: RegionId,
    pub(crate) accelerator_type: Option<AcceleratorType>,
    pub(crate) resource_type: Option<ResourceType>,
    /// Comma-separated.
    pub(crate) instance_types: Option<Exact>,
    /// Leave it out: the service refuses it, though it is documented.
    pub(crate) sort_by: Option<MachineSortKey>,
    pub(crate) order: Option<JobOrder>,
    #[schemars(range(min = 1))]
    pub(crate) page_number: Option<i64>,
    #[schemars(range(min = 1))]
    pub(crate) page_size: Option<i64>,
    #[serde(rename = "detail")]
    pub(crate) detail: Option<Detail>,
}

impl Operation for ListEcsSpecs {
    const SPEC: Spec = Spec {
        name: "dlc_list_ecs_specs",
        title: "List machine types",
        cloud: Cloud::Dlc,
        action: "ListEcsSpecs",
        effect: Effect::Read,
        route: Route::get("/api/v1/ecsspecs"),
        makes: None,
    };
    type Reply = EcsSpecs;
}

/// Machine types.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct EcsSpecs {
    pub(crate) total_count: i64,
    pub(crate) ecs_specs: Vec<EcsSpec>,
    pub(crate) request_id: Exact,
}

/// A machine type.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct EcsSpec {
    #[schemars(extend("x-fact" = Fact::MachineType.name()))]
    pub(crate) instance_type: Exact,
    pub(crate) accelerator_type: Exact,
    pub(crate) resource_type: Exact,
    pub(crate) cpu: i64,
    pub(crate) memory: i64,
    pub(crate) gpu: i64,
    pub(crate) gpu_type: Exact,
    pub(crate) gpu_memory: i64,
    pub(crate) is_available: bool,
    pub(crate) payment_types: Vec<Exact>,
    pub(crate) spot_stock_status: Exact,
    #[schemars(extend("x-full-only" = true))]
    pub(crate) non_protect_spot_discount: Number,
    #[serde(rename = "DefaultGPUDriver")]
    #[schemars(extend("x-full-only" = true))]
    pub(crate) default_gpu_driver: Exact,
    #[serde(rename = "SupportedGPUDrivers")]
    #[schemars(extend("x-full-only" = true))]
    pub(crate) supported_gpu_drivers: Vec<Exact>,
}
