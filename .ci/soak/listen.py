"""Thousands of mixed calls from the official Python SDKs to `redline-mcp sim --listen`, while it misbehaves.

    listen.py BINARY [CALLS [SEED]]

Each call ends in an answer or an error. The state is what the clients were told of it, and memory stays flat. The calls
follow from the seed; which of those at the same time is served first, and so meets a fault, is up to the machine.
"""

import collections
import concurrent.futures
import json
import math
import multiprocessing
import os
import pathlib
import random
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "sdk"))

from alibabacloud_aiworkspace20210204 import models as aiworkspace_models
from alibabacloud_pai_dlc20201203 import models as dlc_models
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from darabonba.runtime import RuntimeOptions

import account
import cloud
from account import Surprise, expect

BINARY = sys.argv[1]
CALLS = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else 1
PROCESSES, THREADS = 2, 8
GROWTH = 8  # MiB in the second half.
RUNTIME = RuntimeOptions(autoretry=False, connect_timeout=10_000, read_timeout=3_000)
# Each thread signs in one of these ways.
KEYS = [cloud.KEY, cloud.SESSION]
SIGNATURES = [{}, {"signature_algorithm": "v2"}]

# docs/world.md names these.
WORKSPACE = "200025"
IMAGE = "registry-vpc.cn-hangzhou.aliyuncs.com/vision-team/detector:2025.11"
OLD_JOB = "dlcc96hka00mba3f"
LONG_AGO = "2025-01-01T00:00:00Z"


class Clouds:
    """A client of each service, with what is asked of it."""

    def __init__(self, address, thread):
        settings = SIGNATURES[thread // len(KEYS) % len(SIGNATURES)]
        key = KEYS[thread % len(KEYS)]
        self.aiworkspace = cloud.client("aiworkspace", address, key, **settings)
        self.dlc = cloud.client("dlc", address, key, **settings)
        self.stranger = cloud.client("dlc", address, ("nobody", "another-secret", None), **settings)

    def ask(self, service, action, *path, **wishes):
        """Calls an action of a service; its answer's body."""
        models = dlc_models if service != "aiworkspace" else aiworkspace_models
        name = "".join(part.capitalize() for part in action.split("_"))
        # Some take nothing but a path.
        request = [getattr(models, f"{name}Request")(**wishes)] if hasattr(models, f"{name}Request") else []
        call = getattr(getattr(self, service), f"{action}_with_options")
        return call(*path, *request, {}, RUNTIME).body


READS = [
    lambda clouds: clouds.ask("aiworkspace", "list_workspaces", page_size=20),
    lambda clouds: clouds.ask("aiworkspace", "get_workspace", WORKSPACE, verbose=True),
    lambda clouds: clouds.ask("aiworkspace", "list_images", workspace_id=WORKSPACE, verbose=True),
    lambda clouds: clouds.ask("aiworkspace", "list_datasets", workspace_id=WORKSPACE),
    lambda clouds: clouds.ask("aiworkspace", "list_products", product_codes="PAI_share"),
    lambda clouds: clouds.ask("dlc", "list_ecs_specs", page_size=20),
    lambda clouds: clouds.ask("dlc", "list_jobs", workspace_id=WORKSPACE, page_size=10),
    lambda clouds: clouds.ask("dlc", "get_job", OLD_JOB),
    lambda clouds: clouds.ask("dlc", "get_pod_logs", OLD_JOB, f"{OLD_JOB}-worker-0", max_lines=5, start_time=LONG_AGO),
]
WRONG = [
    lambda clouds: clouds.ask("dlc", "get_job", "dlc0000000000000"),
    lambda clouds: clouds.ask("dlc", "list_jobs", page_size=1_000_000),
    lambda clouds: clouds.ask("dlc", "create_job", workspace_id=WORKSPACE, display_name="nothing"),
    lambda clouds: clouds.ask("stranger", "list_jobs", page_size=10),
]


def outcome(error):
    """What an error says became of its call."""
    status = error.status_code if isinstance(error, AlibabaCloudException) else None
    return "not" if status is not None and 400 <= status < 500 else "may"


class Thread:
    """One client's calls, from a seed of its own."""

    def __init__(self, address, number, calls):
        self.clouds = Clouds(address, number)
        self.number, self.calls = number, calls
        self.dice = random.Random(SEED * 1_000 + number)
        self.told, self.jobs, self.errors = [], [], collections.Counter()

    def next(self, number):
        """What the call is about, if it changes something, and the call."""
        name = f"soak_{self.number}_{number}"
        kind = self.dice.choices(["read", "wrong", "job", "describe", "workspace"], [850, 40, 60, 45, 2])[0]
        if kind == "describe" and self.jobs:
            job = self.jobs.pop(0)
            return ("described", job, name), lambda: self.clouds.ask("dlc", "update_job", job, description=name)
        if kind == "job":
            spec = dlc_models.JobSpec(type="Worker", pod_count=1, image=IMAGE, ecs_spec="ecs.c6.large")
            wishes = {"workspace_id": WORKSPACE, "job_type": "PyTorchJob", "job_specs": [spec]}
            wishes |= {"display_name": name, "user_command": "sleep 100000"}
            return ("job", name), lambda: self.jobs.append(self.clouds.ask("dlc", "create_job", **wishes).job_id)
        if kind == "workspace":
            wishes = {"workspace_name": name, "description": "Made by a check", "env_types": ["prod"]}
            return ("workspace", name), lambda: self.clouds.ask("aiworkspace", "create_workspace", **wishes)
        call = self.dice.choice(WRONG if kind == "wrong" else READS)
        return None, lambda: call(self.clouds)

    def run(self):
        for number in range(self.calls):
            thing, call = self.next(number)
            try:
                call()
                what = "done"
            except cloud.Surprise:
                raise
            except Exception as error:  # The SDK has no type of its own for what isn't JSON.
                what = outcome(error)
                self.errors[type(error).__name__] += 1
            if thing:
                self.told.append((thing, what))
        return self.told, self.errors


def crowd(address, process, calls):
    """The threads of one process."""
    threads = [Thread(address, process * THREADS + number, calls) for number in range(THREADS)]
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(Thread.run, threads))


def changes(before, after):
    """What the state shows."""
    known = {row["id"] for kind in ("jobs", "workspaces") for row in before["regions"][cloud.REGION][kind]}
    found = collections.Counter()
    for row in after["regions"][cloud.REGION]["jobs"]:
        if row["id"] not in known:
            found["job", row["request"]["DisplayName"]] += 1
        if row["request"].get("Description", "").startswith("soak_"):
            found["described", row["id"], row["request"]["Description"]] += 1
    for row in after["regions"][cloud.REGION]["workspaces"]:
        if row["id"] not in known:
            found["workspace", row["name"]] += 1
    return found


def sampled(memory, stop):
    """Samples four times a second until `stop`."""
    while not stop.wait(0.25):
        memory.sample()


def main():
    with tempfile.TemporaryDirectory() as home:
        home = pathlib.Path(home)
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(home)}
        (home / "faults.json").write_text(json.dumps(account.faults(5)), encoding="utf-8")
        flags = ["--faults", str(home / "faults.json"), "--state-out", str(home / "state.json")]
        with cloud.simulator(BINARY, environment, *flags) as (address, process):
            before = account.state(home / "state.json")
            memory, stop = account.Memory(process), threading.Event()
            sampler = threading.Thread(target=sampled, args=(memory, stop))
            sampler.start()
            begun = time.monotonic()
            try:
                with multiprocessing.get_context("fork").Pool(PROCESSES) as pool:
                    each = math.ceil(CALLS / PROCESSES / THREADS)
                    ended = pool.starmap(crowd, [(address, number, each) for number in range(PROCESSES)])
            finally:
                stop.set()
                sampler.join()
            took = time.monotonic() - begun
        expect("exit code", 0, process.returncode)
        told, errors = account.Account(), collections.Counter()
        for what, failed in (thread for threads in ended for thread in threads):
            errors.update(failed)
            for thing, became in what:
                told.tell(thing, became)
        summary = told.compare(changes(before, account.state(home / "state.json")), CALLS // 20)
        calls = each * PROCESSES * THREADS
        print(
            f"soak over HTTP, seed {SEED}: {calls} calls, {PROCESSES * THREADS} at once, {took:.0f} s, "
            f"{calls / took:.0f} a second; errors: {dict(errors)}; {summary}; {memory.judge(GROWTH)}; "
            f"state {os.path.getsize(home / 'state.json') // 1024} KiB",
            flush=True,
        )


if __name__ == "__main__":
    main()
