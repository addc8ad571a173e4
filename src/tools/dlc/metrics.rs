//! How hard a job's pods work.
//!
//! Parameters, reply fields, enums and defaults: the official SDK of PAI-DLC 2020-12-03, version 1.11.6, and its public
//! metadata, which name no permission.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Number;
use serde_with::skip_serializing_none;

use super::span::in_order;
use crate::error::Faults;
use crate::spec::marks::{Exact, Secret};
use crate::spec::value::{RegionId, choices};
use crate::spec::{Cloud, Effect, Operation, Route, Spec};

choices! {
    /// What is measured.
    MetricType {
        GpuCoreUsage = "GpuCoreUsage",
        GpuMemoryUsage = "GpuMemoryUsage",
        CpuCoreUsage = "CpuCoreUsage",
        MemoryUsage = "MemoryUsage",
        NetworkInputRate = "NetworkInputRate",
        NetworkOutputRate = "NetworkOutputRate",
        DiskReadRate = "DiskReadRate",
        DiskWriteRate = "DiskWriteRate",
    }
}

/// Get one metric of each of a job's pods over time. The service keeps it only for pay-as-you-go jobs on general
/// computing resources; others' metrics are in CloudMonitor.
#[skip_serializing_none]
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct GetJobMetrics {
    pub(crate) region_id: RegionId,
    #[schemars(length(min = 1))]
    pub(crate) job_id: Exact,
    pub(crate) metric_type: MetricType,
    /// UTC, such as 2026-01-02T03:04:05Z; without it an hour ago.
    pub(crate) start_time: Option<Exact>,
    pub(crate) end_time: Option<Exact>,
    /// Between two values, such as 5m, the default.
    pub(crate) time_step: Option<Exact>,
    /// A sharing token's handle, to see what others shared.
    pub(crate) token: Option<Secret>,
}

impl Operation for GetJobMetrics {
    const SPEC: Spec = Spec {
        name: "dlc_get_job_metrics",
        title: "Get a training job's metrics",
        cloud: Cloud::Dlc,
        action: "GetJobMetrics",
        effect: Effect::Read,
        route: Route::get("/api/v1/jobs/{JobId}/metrics"),
        makes: None,
    };
    type Reply = JobMetrics;

    fn check(&self) -> Result<(), Faults> {
        in_order(self.start_time.as_ref(), self.end_time.as_ref())
    }
}

/// One metric of a job.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct JobMetrics {
    pub(crate) job_id: Exact,
    #[schemars(extend(
        "x-if-empty" = "no values in this stretch of time: there are some only from when a pod runs, and only for \
                        pay-as-you-go jobs on general computing resources; others' metrics are in CloudMonitor"
    ))]
    pub(crate) pod_metrics: Vec<PodMetrics>,
    pub(crate) request_id: Exact,
}

/// One metric of a pod.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct PodMetrics {
    pub(crate) pod_id: Exact,
    pub(crate) metrics: Vec<Metric>,
}

/// A value and its instant.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Metric {
    pub(crate) time: i64,
    pub(crate) value: Number,
}
