"""Drives `redline-mcp sim` over real HTTP with the official Python SDKs, and with our own client.

    simulator.py BINARY
"""

import asyncio
import concurrent.futures
import datetime
import json
import os
import re
import pathlib
import sys
import tempfile
import time

from alibabacloud_aiworkspace20210204 import models as aiworkspace_models
from alibabacloud_pai_dlc20201203 import models as dlc_models
from alibabacloud_tea_openapi.exceptions import ClientException
from alibabacloud_tea_openapi.utils import Utils

import cloud
from cloud import Surprise, expect

BINARY = sys.argv[1]
WORKSPACE = "vision_train"
# A job of that workspace that runs, and one whose machines were checked.
OLD_JOB = "detector-pretrain"
CHECKED_JOB = "segmenter-finetune"
# An instant before their beginning: lists and logs cover seven days by default.
LONG_AGO = "2025-01-01T00:00:00Z"
PATIENCE = 60  # Seconds until a job can be stopped.
THREADS = 8
ROUNDS = 5  # Of four calls each.
# Our names for the signatures, and what the SDKs must be told.
SIGNATURES = {"acs3-hmac-sha256": {}, "roa-hmac-sha1": {"signature_algorithm": "v2"}}


class Clouds:
    """A client of each service."""

    def __init__(self, address, key=cloud.KEY, **settings):
        self.aiworkspace = cloud.client("aiworkspace", address, key, **settings)
        self.dlc = cloud.client("dlc", address, key, **settings)

    def workspace(self):
        request = aiworkspace_models.ListWorkspacesRequest(workspace_name=WORKSPACE)
        answer = self.aiworkspace.list_workspaces_with_options(request, {}, cloud.RUNTIME).body
        found = [row for row in answer.workspaces if row.workspace_name == WORKSPACE]
        expect(f"workspaces named {WORKSPACE}", 1, len(found))
        return found[0].workspace_id

    def image(self):
        request = aiworkspace_models.ListImagesRequest(labels="system.officialReleased=true", verbose=True, page_size=50)
        answer = self.aiworkspace.list_images_with_options(request, {}, cloud.RUNTIME).body
        expect("images listed", answer.total_count, len(answer.images))
        return answer.images[0].image_uri

    def submit(self, workspace, image, name):
        request = dlc_models.CreateJobRequest(
            workspace_id=workspace,
            display_name=name,
            job_type="PyTorchJob",
            job_specs=[dlc_models.JobSpec(type="Worker", pod_count=1, image=image, ecs_spec="ecs.c6.large")],
            user_command="sleep 100000",
        )
        return self.dlc.create_job_with_options(request, {}, cloud.RUNTIME).body.job_id

    def job(self, job):
        return self.dlc.get_job_with_options(job, dlc_models.GetJobRequest(), {}, cloud.RUNTIME).body

    def old(self, name):
        """Somebody else's job, of long ago."""
        (job,) = self.jobs(workspace_id=self.workspace(), display_name=name, show_own=False, start_time=LONG_AGO)
        return job

    def jobs(self, **filters):
        request = dlc_models.ListJobsRequest(page_size=100, **filters)
        answer = self.dlc.list_jobs_with_options(request, {}, cloud.RUNTIME).body
        return {row.job_id: row for row in answer.jobs}


def a_workspace(clouds, name):
    """A workspace is made and listed; a second of its name is refused."""
    request = aiworkspace_models.CreateWorkspaceRequest(
        workspace_name=name, description="Made by a check with the SDK", env_types=["prod"]
    )
    create = lambda: clouds.aiworkspace.create_workspace_with_options(request, {}, cloud.RUNTIME)
    made = create().body.workspace_id
    listing = aiworkspace_models.ListWorkspacesRequest(workspace_name=name)
    rows = clouds.aiworkspace.list_workspaces_with_options(listing, {}, cloud.RUNTIME).body.workspaces
    expect("ids of what was made", [made], [row.workspace_id for row in rows])
    refused("WorkspaceNameAlreadyExists", create)


def a_job(clouds):
    """A job's life, from the lists that it needs to its end."""
    workspace, image = clouds.workspace(), clouds.image()
    job = clouds.submit(workspace, image, "sdk_check")
    got = clouds.job(job)
    expect("the job got", (job, "sdk_check", workspace), (got.job_id, got.display_name, got.workspace_id))
    expect("its image", image, got.job_specs[0].image)
    listed = clouds.jobs(workspace_id=workspace, display_name="sdk_check")
    expect("the job is listed", True, job in listed)
    expect("its user command, listed", "sleep 100000", listed[job].user_command)
    change = dlc_models.UpdateJobRequest(description="changed", priority=9, accessibility="PUBLIC")
    expect("the job changed", job, clouds.dlc.update_job_with_options(job, change, {}, cloud.RUNTIME).body.job_id)
    got = clouds.job(job)
    # Without a quota the priority is dropped.
    expect("what changed", ("changed", 1, "PUBLIC"), (got.description, got.priority, got.accessibility))
    # At any other time a stop does nothing.
    deadline = time.monotonic() + PATIENCE
    while (status := clouds.job(job).status) not in ("Queuing", "Running"):
        if time.monotonic() > deadline:
            raise Surprise(f"after {PATIENCE} s the job is {status}, neither queued nor running")
        time.sleep(0.2)
    expect("the job stopped", job, clouds.dlc.stop_job_with_options(job, {}, cloud.RUNTIME).body.job_id)
    status = clouds.job(job).status
    if status not in ("Stopping", "Stopped"):
        raise Surprise(f"a stopped job is {status}")


def logs(clouds):
    """The logs of a pod of somebody else's old job."""
    job = clouds.old(OLD_JOB)
    pod = clouds.job(job).pods[0].pod_id
    request = dlc_models.GetPodLogsRequest(max_lines=5, start_time=LONG_AGO)
    answer = clouds.dlc.get_pod_logs_with_options(job, pod, request, {}, cloud.RUNTIME).body
    expect("the job and pod of the logs", (job, pod), (answer.job_id, answer.pod_id))
    expect("lines", 5, len(answer.logs))


def metrics(clouds):
    """A day's values of each pod of a job that runs."""
    job = clouds.old(OLD_JOB)
    end = datetime.datetime.now(datetime.timezone.utc)
    start = end - datetime.timedelta(hours=24)
    instant = "%Y-%m-%dT%H:%M:%SZ"
    request = dlc_models.GetJobMetricsRequest(
        metric_type="GpuCoreUsage", start_time=start.strftime(instant), end_time=end.strftime(instant), time_step="1h"
    )
    answer = clouds.dlc.get_job_metrics_with_options(job, request, {}, cloud.RUNTIME).body
    expect("values of each pod", [24] * 3, [len(pod.metrics) for pod in answer.pod_metrics])


def checks(clouds):
    """What the check of a job's machines found, by list and by number."""
    job = clouds.old(CHECKED_JOB)
    request = dlc_models.ListJobSanityCheckResultsRequest(order="asc")
    listed = clouds.dlc.list_job_sanity_check_results_with_options(job, request, {}, cloud.RUNTIME).body
    request = dlc_models.GetJobSanityCheckResultRequest(sanity_check_number=1)
    got = clouds.dlc.get_job_sanity_check_result_with_options(job, request, {}, cloud.RUNTIME).body
    maps = [[result.to_map() for result in results] for results in listed.sanity_check_results]
    expect("results by list and by number", maps, [[result.to_map() for result in got.sanity_check_result]])
    expect("parts of the check", 3, len(got.sanity_check_result))
    expect("request ids", (True, True), (bool(listed.request_id), bool(got.request_id)))


def machines(clouds):
    """The machine types that jobs can have."""
    request = dlc_models.ListEcsSpecsRequest(accelerator_type="CPU", resource_type="ECS", page_size=100)
    answer = clouds.dlc.list_ecs_specs_with_options(request, {}, cloud.RUNTIME).body
    expect("machine types listed", answer.total_count, len(answer.ecs_specs))
    expect("the type of our jobs is among them", True, "ecs.c6.large" in [row.instance_type for row in answer.ecs_specs])
    request = dlc_models.ListEcsSpecsRequest(sort_by="CPU")
    refused("InvalidParameter.SortBy", lambda: clouds.dlc.list_ecs_specs_with_options(request, {}, cloud.RUNTIME))


def a_whole_job(clouds):
    """A job with every parameter is got and listed in the SDK's own types."""
    cases = json.loads((pathlib.Path(__file__).parent / "cases.json").read_text(encoding="utf-8"))
    whole = max(cases["dlc_create_job"], key=lambda arguments: len(json.dumps(arguments)))
    request = dlc_models.CreateJobRequest().from_map(whole)
    job = clouds.dlc.create_job_with_options(request, {}, cloud.RUNTIME).body.job_id
    expect("the job's name", whole["DisplayName"], clouds.job(job).display_name)
    expect("the job is listed", True, job in clouds.jobs())


async def asynchronous(address):
    """The SDKs' asynchronous methods, all at once. Signed the older way they announce a body that they don't send."""
    clouds = Clouds(address)
    request = aiworkspace_models.ListWorkspacesRequest(workspace_name=WORKSPACE)
    calls = [clouds.aiworkspace.list_workspaces_with_options_async(request, {}, cloud.RUNTIME) for _ in range(20)]
    found = {answer.body.workspaces[0].workspace_id for answer in await asyncio.gather(*calls)}
    expect("workspaces found by twenty calls", {clouds.workspace()}, found)


def our_own(home, address, key, signature):
    """A call by our own client."""
    arguments = {"RegionId": cloud.REGION, "WorkspaceName": WORKSPACE}
    flags = ("--signature", signature)
    code, printed = cloud.call(BINARY, home, address, "aiworkspace_list_workspaces", arguments, *flags, key=key)
    expect(f"exit code of redline-mcp call, which printed {printed}", 0, code)


def refused(code, call):
    """`call` must fail as the SDK reports what the service refuses."""
    try:
        call()
    except ClientException as error:
        expect("code", code, error.code)
        expect("there is a request id", True, bool(error.request_id) and error.request_id != "None")
        return
    raise Surprise(f"{code} was expected, and the call succeeded")


def refusals(address, settings):
    """What a holder of the wrong key, or of the wrong time, is told."""
    access_key_id, _, _ = cloud.KEY
    session_id, session_secret, _ = cloud.SESSION
    wrong = {
        "SignatureDoesNotMatch": (access_key_id, "another-secret", None),
        "InvalidAccessKeyId.NotFound": ("nobody", "another-secret", None),
        "InvalidSecurityToken.MismatchWithAccessKey": (session_id, session_secret, "another-token"),
    }
    for code, key in wrong.items():
        refused(code, Clouds(address, key, **settings).workspace)


def skew(address, settings):
    """A clock that is a day off."""
    now = Utils.get_timestamp, Utils.get_date_utcstring
    other = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)
    Utils.get_timestamp = staticmethod(lambda: other.strftime("%Y-%m-%dT%H:%M:%SZ"))
    Utils.get_date_utcstring = staticmethod(lambda: other.strftime("%a, %d %b %Y %H:%M:%S GMT"))
    try:
        refused("InvalidTimeStamp.Expired", Clouds(address, **settings).workspace)
    finally:
        Utils.get_timestamp, Utils.get_date_utcstring = map(staticmethod, now)


def crowd(address):
    """Many at once: no call fails, and no job is lost or made twice."""

    def rounds(thread):
        clouds = Clouds(address)
        made = []
        for number in range(ROUNDS):
            name = f"crowd_{thread}_{number}"
            made.append(clouds.submit(clouds.workspace(), clouds.image(), name))
            expect("the job's name", name, clouds.job(made[-1]).display_name)
        return made

    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        made = [job for jobs in pool.map(rounds, range(THREADS)) for job in jobs]
    expect("jobs made", THREADS * ROUNDS, len(set(made)))
    listed = Clouds(address).jobs(display_name="crowd_")
    expect("jobs listed", set(made), set(listed))


def main():
    with tempfile.TemporaryDirectory() as home:
        with cloud.simulator(BINARY, {"PATH": os.environ.get("PATH", ""), "HOME": home}) as (address, _):
            for name, settings in SIGNATURES.items():
                for kind, key in {"a key": cloud.KEY, "a session": cloud.SESSION}.items():
                    clouds = Clouds(address, key, **settings)
                    a_workspace(clouds, re.sub("[^a-z0-9]", "_", f"sdk_{kind[-3:]}_{name}")[:23])
                    a_job(clouds)
                    a_whole_job(clouds)
                    logs(clouds)
                    metrics(clouds)
                    checks(clouds)
                    machines(clouds)
                    our_own(home, address, key, name)
                    print(f"simulator: {kind}, {name}: ok", flush=True)
                refusals(address, settings)
                skew(address, settings)
                print(f"simulator: refusals, {name}: ok", flush=True)
            asyncio.run(asynchronous(address))
            print("simulator: asynchronous methods: ok", flush=True)
            crowd(address)
            print(f"simulator: {THREADS} threads: ok", flush=True)


main()
