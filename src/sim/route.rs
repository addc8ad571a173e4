//! Which product, region and operation a request is for.

use http::header::{HOST, USER_AGENT};
use http::{HeaderMap, Method, Request, StatusCode};
use percent_encoding::percent_decode_str;

use super::pyromind;
use super::reply::CloudError;
use super::world::REGIONS;

/// A product of the cloud.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Product {
    AiWorkSpace,
    Dlc,
}

impl Product {
    fn of_host(label: &str) -> Option<Self> {
        match label.strip_suffix("-vpc").unwrap_or(label) {
            "aiworkspace" => Some(Self::AiWorkSpace),
            "pai-dlc" => Some(Self::Dlc),
            _ => None,
        }
    }

    fn version(self) -> &'static str {
        match self {
            Self::AiWorkSpace => "2021-02-04",
            Self::Dlc => "2020-12-03",
        }
    }

    /// Told by the version that the request claims, for a host that names no product.
    fn of_headers(headers: &HeaderMap) -> Result<Self, CloudError> {
        // Requests of Alibaba Cloud always carry such headers; those of other clouds never do.
        if !headers.keys().any(|name| name.as_str().starts_with("x-acs-")) {
            return Err(no_product());
        }
        let version = headers.get("x-acs-version").and_then(|version| version.to_str().ok());
        let products = [Self::AiWorkSpace, Self::Dlc];
        products.into_iter().find(|product| version == Some(product.version())).ok_or_else(invalid_version)
    }

    fn tool_prefix(self) -> &'static str {
        match self {
            Self::AiWorkSpace => "aiworkspace",
            Self::Dlc => "dlc",
        }
    }

    /// Agents must say that they are agents: the product token leads the user agent, others may follow it.
    pub(super) fn check_user_agent(self, headers: &HeaderMap) -> Result<(), CloudError> {
        let token = match self {
            Self::AiWorkSpace => "AlibabaCloud-Agent-Skills",
            Self::Dlc => "AlibabaCloud-Agent-Skills/alibabacloud-pai-dlc-job",
        };
        let agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        match agent.strip_prefix(token) {
            Some(rest) if rest.is_empty() || rest.starts_with([' ', '/']) => Ok(()),
            _ => Err(CloudError::bad_request(
                "InvalidUserAgent",
                format!("The user agent must start with {token}."),
            )),
        }
    }
}

/// The host that the client addressed: what a server behind real HTTP would see.
pub(super) fn host<T>(request: &Request<T>) -> String {
    let header = request.headers().get(HOST).and_then(|value| value.to_str().ok());
    let authority = request.uri().authority().map(|authority| authority.as_str());
    header.or(authority).unwrap_or_default().trim().to_owned()
}

/// How the public host names end.
const ALIYUN: &str = ".aliyuncs.com";

/// What a host name says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Endpoint<'a> {
    pub(super) product: Product,
    pub(super) region: &'a str,
}

impl<'a> Endpoint<'a> {
    /// Whether a request is for PyroMind: by its host or, where one host serves every cloud, by its path, unless
    /// it shows a header that only PAI's requests have.
    pub(super) fn is_pyromind<T>(request: &Request<T>, host: &str) -> bool {
        let name = host.split_once(':').map_or(host, |(name, _port)| name);
        let is_pai = request.headers().keys().any(|name| name.as_str().starts_with("x-acs-"));
        name.eq_ignore_ascii_case(pyromind::HOST) || (!is_pai && pyromind::has_family(request.uri().path()))
    }

    /// Reads `{product}.{region}.aliyuncs.com`, the VPC form too.
    pub(super) fn parse(host: &'a str) -> Result<Self, CloudError> {
        let (label, region) =
            host.strip_suffix(ALIYUN).and_then(|name| name.split_once('.')).ok_or_else(no_product)?;
        Self::checked(Product::of_host(label).ok_or_else(no_product)?, region)
    }

    /// The same for a request over HTTP, where `host` may be any: `{product}.{region}.…` names both too. For
    /// another host the headers tell the product, and the region is `default`.
    pub(super) fn served(host: &'a str, headers: &HeaderMap, default: &'a str) -> Result<Self, CloudError> {
        let name = host.rsplit_once(':').map_or(host, |(name, _port)| name);
        if name.ends_with(ALIYUN) {
            return Self::parse(name);
        }
        let mut labels = name.split('.');
        match (labels.next().and_then(Product::of_host), labels.next(), labels.next()) {
            (Some(product), Some(region), Some(_)) => Self::checked(product, region),
            _ => Ok(Self { product: Product::of_headers(headers)?, region: default }),
        }
    }

    fn checked(product: Product, region: &'a str) -> Result<Self, CloudError> {
        if REGIONS.contains(&region) {
            Ok(Self { product, region })
        } else {
            Err(CloudError::new(
                StatusCode::NOT_FOUND,
                "InvalidRegionId.NotFound",
                "The specified region does not exist.".to_owned(),
            ))
        }
    }
}

/// An operation and the id in its path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Route {
    ListProducts,
    ListWorkspaces,
    GetWorkspace(String),
    CreateWorkspace,
    ListImages,
    GetImage(String),
    ListDatasets,
    GetDataset(String),
    ListCodeSources,
    GetCodeSource(String),
    CreateJob,
    ListJobs,
    GetJob(String),
    UpdateJob(String),
    StopJob(String),
    GetJobMetrics(String),
    GetJobSanityCheckResult(String),
    ListJobSanityCheckResults(String),
    ListEcsSpecs,
    GetJobEvents(String),
    /// Of a job and a pod.
    GetPodEvents(String, String),
    /// Of a job and a pod.
    GetPodLogs(String, String),
    CreateJobTemplate,
    ListJobTemplates,
    GetJobTemplate(String),
    UpdateJobTemplate(String),
    SetJobTemplateDefaultVersion(String),
    /// Of a job and a pod.
    GetWebTerminal(String, String),
    GetDashboard(String),
    GetRayDashboard(String),
    GetToken,
    CreateTensorboard,
    ListTensorboards,
    GetTensorboard(String),
    UpdateTensorboard(String),
    StartTensorboard(String),
    StopTensorboard(String),
    GetTensorboardSharedUrl(String),
}

impl Route {
    /// Finds the operation for a method and a path as sent.
    pub(super) fn find(product: Product, method: &Method, path: &str) -> Result<Self, CloudError> {
        let segments: Vec<&str> =
            path.strip_prefix("/api/v1/").map(|rest| rest.split('/').collect()).unwrap_or_default();
        let id = |segment: &str| percent_decode_str(segment).decode_utf8_lossy().into_owned();
        let route = match (product, method.as_str(), segments.as_slice()) {
            (Product::AiWorkSpace, "GET", ["products"]) => Self::ListProducts,
            (Product::AiWorkSpace, "GET", ["workspaces"]) => Self::ListWorkspaces,
            (Product::AiWorkSpace, "POST", ["workspaces"]) => Self::CreateWorkspace,
            (Product::AiWorkSpace, "GET", ["workspaces", segment]) if !segment.is_empty() => {
                Self::GetWorkspace(id(segment))
            }
            (Product::AiWorkSpace, "GET", ["images"]) => Self::ListImages,
            (Product::AiWorkSpace, "GET", ["images", segment]) if !segment.is_empty() => {
                Self::GetImage(id(segment))
            }
            (Product::AiWorkSpace, "GET", ["datasets"]) => Self::ListDatasets,
            (Product::AiWorkSpace, "GET", ["datasets", segment]) if !segment.is_empty() => {
                Self::GetDataset(id(segment))
            }
            (Product::AiWorkSpace, "GET", ["codesources"]) => Self::ListCodeSources,
            (Product::AiWorkSpace, "GET", ["codesources", segment]) if !segment.is_empty() => {
                Self::GetCodeSource(id(segment))
            }
            (Product::Dlc, "POST", ["jobs"]) => Self::CreateJob,
            (Product::Dlc, "GET", ["jobs"]) => Self::ListJobs,
            (Product::Dlc, "GET", ["ecsspecs"]) => Self::ListEcsSpecs,
            (Product::Dlc, method, ["jobs", job, rest @ ..]) if !job.is_empty() => match (method, rest) {
                ("GET", []) => Self::GetJob(id(job)),
                ("PUT", []) => Self::UpdateJob(id(job)),
                ("POST", ["stop"]) => Self::StopJob(id(job)),
                ("GET", ["metrics"]) => Self::GetJobMetrics(id(job)),
                ("GET", ["sanitycheckresult"]) => Self::GetJobSanityCheckResult(id(job)),
                ("GET", ["sanitycheckresults"]) => Self::ListJobSanityCheckResults(id(job)),
                ("GET", ["events"]) => Self::GetJobEvents(id(job)),
                ("GET", ["pods", pod, "events"]) if !pod.is_empty() => Self::GetPodEvents(id(job), id(pod)),
                ("GET", ["pods", pod, "logs"]) if !pod.is_empty() => Self::GetPodLogs(id(job), id(pod)),
                ("GET", ["pods", pod, "webterminal"]) if !pod.is_empty() => {
                    Self::GetWebTerminal(id(job), id(pod))
                }
                ("GET", ["dashboard"]) => Self::GetDashboard(id(job)),
                ("GET", ["rayDashboard"]) => Self::GetRayDashboard(id(job)),
                _ => return Err(not_found()),
            },
            (Product::Dlc, "POST", ["jobtemplates"]) => Self::CreateJobTemplate,
            (Product::Dlc, "GET", ["jobtemplates"]) => Self::ListJobTemplates,
            (Product::Dlc, method, ["jobtemplates", template, rest @ ..]) if !template.is_empty() => {
                match (method, rest) {
                    ("GET", []) => Self::GetJobTemplate(id(template)),
                    ("PUT", []) => Self::UpdateJobTemplate(id(template)),
                    ("PUT", ["defaultversion"]) => Self::SetJobTemplateDefaultVersion(id(template)),
                    _ => return Err(not_found()),
                }
            }
            (Product::Dlc, "GET", ["tokens"]) => Self::GetToken,
            (Product::Dlc, "POST", ["tensorboards"]) => Self::CreateTensorboard,
            (Product::Dlc, "GET", ["tensorboards"]) => Self::ListTensorboards,
            (Product::Dlc, method, ["tensorboards", board, rest @ ..]) if !board.is_empty() => {
                match (method, rest) {
                    ("GET", []) => Self::GetTensorboard(id(board)),
                    ("PUT", []) => Self::UpdateTensorboard(id(board)),
                    ("PUT", ["start"]) => Self::StartTensorboard(id(board)),
                    ("PUT", ["stop"]) => Self::StopTensorboard(id(board)),
                    ("GET", ["sharedurl"]) => Self::GetTensorboardSharedUrl(id(board)),
                    _ => return Err(not_found()),
                }
            }
            _ => return Err(not_found()),
        };
        Ok(route)
    }

    fn product(&self) -> Product {
        match self {
            Self::ListProducts
            | Self::ListWorkspaces
            | Self::GetWorkspace(_)
            | Self::CreateWorkspace
            | Self::ListImages
            | Self::GetImage(_)
            | Self::ListDatasets
            | Self::GetDataset(_)
            | Self::ListCodeSources
            | Self::GetCodeSource(_) => Product::AiWorkSpace,
            Self::CreateJob
            | Self::ListJobs
            | Self::GetJob(_)
            | Self::UpdateJob(_)
            | Self::StopJob(_)
            | Self::GetJobMetrics(_)
            | Self::GetJobSanityCheckResult(_)
            | Self::ListJobSanityCheckResults(_)
            | Self::ListEcsSpecs
            | Self::GetJobEvents(_)
            | Self::GetPodEvents(..)
            | Self::GetPodLogs(..)
            | Self::CreateJobTemplate
            | Self::ListJobTemplates
            | Self::GetJobTemplate(_)
            | Self::UpdateJobTemplate(_)
            | Self::SetJobTemplateDefaultVersion(_)
            | Self::GetWebTerminal(..)
            | Self::GetDashboard(_)
            | Self::GetRayDashboard(_)
            | Self::GetToken
            | Self::CreateTensorboard
            | Self::ListTensorboards
            | Self::GetTensorboard(_)
            | Self::UpdateTensorboard(_)
            | Self::StartTensorboard(_)
            | Self::StopTensorboard(_)
            | Self::GetTensorboardSharedUrl(_) => Product::Dlc,
        }
    }

    fn action(&self) -> &'static str {
        match self {
            Self::ListProducts => "ListProducts",
            Self::ListWorkspaces => "ListWorkspaces",
            Self::GetWorkspace(_) => "GetWorkspace",
            Self::CreateWorkspace => "CreateWorkspace",
            Self::ListImages => "ListImages",
            Self::GetImage(_) => "GetImage",
            Self::ListDatasets => "ListDatasets",
            Self::GetDataset(_) => "GetDataset",
            Self::ListCodeSources => "ListCodeSources",
            Self::GetCodeSource(_) => "GetCodeSource",
            Self::CreateJob => "CreateJob",
            Self::ListJobs => "ListJobs",
            Self::GetJob(_) => "GetJob",
            Self::UpdateJob(_) => "UpdateJob",
            Self::StopJob(_) => "StopJob",
            Self::GetJobMetrics(_) => "GetJobMetrics",
            Self::GetJobSanityCheckResult(_) => "GetJobSanityCheckResult",
            Self::ListJobSanityCheckResults(_) => "ListJobSanityCheckResults",
            Self::ListEcsSpecs => "ListEcsSpecs",
            Self::GetJobEvents(_) => "GetJobEvents",
            Self::GetPodEvents(..) => "GetPodEvents",
            Self::GetPodLogs(..) => "GetPodLogs",
            Self::CreateJobTemplate => "CreateJobTemplate",
            Self::ListJobTemplates => "ListJobTemplates",
            Self::GetJobTemplate(_) => "GetJobTemplate",
            Self::UpdateJobTemplate(_) => "UpdateJobTemplate",
            Self::SetJobTemplateDefaultVersion(_) => "SetJobTemplateDefaultVersion",
            Self::GetWebTerminal(..) => "GetWebTerminal",
            Self::GetDashboard(_) => "GetDashboard",
            Self::GetRayDashboard(_) => "GetRayDashboard",
            Self::GetToken => "GetToken",
            Self::CreateTensorboard => "CreateTensorboard",
            Self::ListTensorboards => "ListTensorboards",
            Self::GetTensorboard(_) => "GetTensorboard",
            Self::UpdateTensorboard(_) => "UpdateTensorboard",
            Self::StartTensorboard(_) => "StartTensorboard",
            Self::StopTensorboard(_) => "StopTensorboard",
            Self::GetTensorboardSharedUrl(_) => "GetTensorboardSharedUrl",
        }
    }

    /// Whether the answer's body names the request: all but those of dashboards do.
    pub(super) fn names_request(&self) -> bool {
        !matches!(self, Self::GetDashboard(_) | Self::GetRayDashboard(_))
    }

    /// The tool of this operation: the product's prefix and the action in snake case.
    pub(super) fn tool(&self) -> String {
        let mut tool = self.product().tool_prefix().to_owned();
        for letter in self.action().chars() {
            if letter.is_ascii_uppercase() {
                tool.push('_');
            }
            tool.push(letter.to_ascii_lowercase());
        }
        tool
    }

    /// The action and version that the request claims must be those of its path.
    pub(super) fn check_headers(&self, headers: &HeaderMap) -> Result<(), CloudError> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        if header("x-acs-version") != Some(self.product().version()) {
            return Err(invalid_version());
        }
        if header("x-acs-action") != Some(self.action()) {
            return Err(not_found());
        }
        Ok(())
    }
}

fn invalid_version() -> CloudError {
    CloudError::bad_request("InvalidVersion", "The specified parameter Version is not valid.".to_owned())
}

fn no_product() -> CloudError {
    CloudError::new(
        StatusCode::NOT_FOUND,
        "InvalidProduct.NotFound",
        "No product is served at this host.".to_owned(),
    )
}

fn not_found() -> CloudError {
    CloudError::new(
        StatusCode::NOT_FOUND,
        "InvalidAction.NotFound",
        "Specified api is not found, please check your url and method.".to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_names_product_and_region() {
        assert_eq!(
            Endpoint::parse("pai-dlc-vpc.cn-shanghai.aliyuncs.com"),
            Ok(Endpoint { product: Product::Dlc, region: "cn-shanghai" })
        );
        let code = |host: &str| Endpoint::parse(host).unwrap_err().code;
        assert_eq!(code("ecs.cn-shanghai.aliyuncs.com"), "InvalidProduct.NotFound");
        assert_eq!(code("aiworkspace.cn-hangzhou.aliyuncs.com.evil.example"), "InvalidProduct.NotFound");
        assert_eq!(code("aiworkspace.moon-1.aliyuncs.com"), "InvalidRegionId.NotFound");
    }

    #[test]
    fn over_http_any_host_may_be_named_and_headers_tell_the_rest() {
        let served = |host, header: Option<(&'static str, &'static str)>| {
            let mut headers = HeaderMap::new();
            if let Some((name, value)) = header {
                headers.insert(name, value.parse().unwrap());
            }
            match Endpoint::served(host, &headers, "cn-beijing") {
                Ok(Endpoint { product, region }) => Ok((product, region.to_owned())),
                Err(error) => Err(error.code),
            }
        };
        let found = |product, region: &str| Ok((product, region.to_owned()));
        let version = |version| Some(("x-acs-version", version));
        for (host, header, expected) in [
            ("pai-dlc.cn-shanghai.aliyuncs.com:8080", None, found(Product::Dlc, "cn-shanghai")),
            ("aiworkspace-vpc.cn-shanghai.localhost", None, found(Product::AiWorkSpace, "cn-shanghai")),
            ("pai-dlc.cn-shanghai.sim.example:80", version("2021-02-04"), found(Product::Dlc, "cn-shanghai")),
            ("127.0.0.1:8080", version("2020-12-03"), found(Product::Dlc, "cn-beijing")),
            ("[::1]:8080", version("2021-02-04"), found(Product::AiWorkSpace, "cn-beijing")),
            ("pai-dlc.localhost", version("2021-02-04"), found(Product::AiWorkSpace, "cn-beijing")),
            ("", version("2020-12-03"), found(Product::Dlc, "cn-beijing")),
            ("pai-dlc.moon-1.localhost", version("2020-12-03"), Err("InvalidRegionId.NotFound".to_owned())),
            (
                "ecs.cn-shanghai.aliyuncs.com",
                version("2020-12-03"),
                Err("InvalidProduct.NotFound".to_owned()),
            ),
            ("localhost", version("2014-05-26"), Err("InvalidVersion".to_owned())),
            ("localhost", Some(("x-acs-action", "GetJob")), Err("InvalidVersion".to_owned())),
            ("localhost", Some(("authorization", "Bearer a")), Err("InvalidProduct.NotFound".to_owned())),
        ] {
            assert_eq!(served(host, header), expected, "{host} {header:?}");
        }
    }

    #[test]
    fn a_tool_is_named_after_its_action() {
        assert_eq!(Route::CreateWorkspace.tool(), "aiworkspace_create_workspace");
        assert_eq!(Route::ListCodeSources.tool(), "aiworkspace_list_code_sources");
        assert_eq!(Route::GetJob("dlc1".to_owned()).tool(), "dlc_get_job");
        assert_eq!(Route::GetPodLogs("dlc1".to_owned(), "p".to_owned()).tool(), "dlc_get_pod_logs");
    }

    #[test]
    fn a_path_id_is_decoded_and_never_empty() {
        let find = |path| Route::find(Product::AiWorkSpace, &Method::GET, path);
        assert_eq!(find("/api/v1/workspaces/a%2Fb"), Ok(Route::GetWorkspace("a/b".to_owned())));
        assert_eq!(find("/api/v1/codesources/a"), Ok(Route::GetCodeSource("a".to_owned())));
        for path in [
            "/api/v1/workspaces/",
            "/api/v1/images/",
            "/api/v1/datasets/",
            "/api/v1/codesources/",
            "/api/v1/workspaces/1/x",
            "/api/v1/jobs",
            "/",
        ] {
            assert_eq!(find(path), Err(not_found()), "{path}");
        }
        let find = |path| Route::find(Product::Dlc, &Method::GET, path);
        let pod = Route::GetPodLogs("a".to_owned(), "a-worker-0/".to_owned());
        assert_eq!(find("/api/v1/jobs/a/pods/a-worker-0%2F/logs"), Ok(pod));
        for path in
            ["/api/v1/jobs//stop", "/api/v1/jobs/a/stop", "/api/v1/jobs/a/pods//logs", "/api/v1/jobs/a/"]
        {
            assert_eq!(find(path), Err(not_found()), "{path}");
        }
    }
}
