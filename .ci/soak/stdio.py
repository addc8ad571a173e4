"""Thousands of mixed calls over stdio, many in flight, while the cloud misbehaves.

    stdio.py BINARY [CALLS [SEED]]

Each request is answered once. The state is what the audit record says of it, and memory stays flat. The calls follow
from the seed; which of those in flight is served first, and so meets a fault, is up to the machine.
"""

import collections
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time

import account
from account import Surprise, expect

BINARY = sys.argv[1]
CALLS = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else 1
IN_FLIGHT = 32
PATIENCE = 120  # Seconds for the next answer of all.
GROWTH = 8  # MiB in the second half.

REGION = "cn-hangzhou"
# docs/world.md names these.
WORKSPACE = "200025"
IMAGE = "registry-vpc.cn-hangzhou.aliyuncs.com/vision-team/detector:2025.11"
OLD_JOB = "dlcc96hka00mba3f"
NOTEBOOK = "jp_30145559"

# Says no to some, types a wrong id for others, and yes to the rest.
HUMAN = """
[[answer]]
shows = "declined"
say = "decline"

[[answer]]
form = "type-id"
say = "accept"
type = "sbx_1"
times = 5

[[answer]]
say = "accept"
"""

HERE = {"RegionId": REGION}
READS = [
    ("aiworkspace_list_products", {**HERE, "ProductCodes": "PAI_share"}),
    ("aiworkspace_list_workspaces", HERE),
    ("aiworkspace_get_workspace", {**HERE, "WorkspaceId": WORKSPACE}),
    ("aiworkspace_list_images", {**HERE, "WorkspaceId": WORKSPACE}),
    ("aiworkspace_list_datasets", {**HERE, "WorkspaceId": WORKSPACE}),
    ("dlc_list_ecs_specs", HERE),
    ("dlc_list_jobs", HERE),
    ("dlc_get_job", {**HERE, "JobId": OLD_JOB}),
    ("dlc_get_job_events", {**HERE, "JobId": OLD_JOB, "MaxEventsNum": 5}),
    ("dlc_get_pod_logs", {**HERE, "JobId": OLD_JOB, "PodId": f"{OLD_JOB}-worker-0", "MaxLines": 5}),
    ("pyromind_list_sandboxes", {}),
    ("pyromind_list_instances", {}),
    ("pyromind_get_instance", {"instance_id": NOTEBOOK}),
]
WRONG = [
    ("no_such_tool", {}),
    ("dlc_get_job", {"JobId": OLD_JOB}),
    ("dlc_get_job", {**HERE, "JobId": "dlc0000000000000"}),
    ("dlc_create_job", {**HERE, "WorkspaceId": WORKSPACE}),
    ("pyromind_delete_sandbox", {"sandbox_id": "sbx_000000000"}),
    ("pyromind_create_sandbox", {"name": "declined", "sandbox_type": "cpu-sandbox"}),
]


def job(name, image=IMAGE):
    worker = {"Type": "Worker", "PodCount": 1, "Image": image, "EcsSpec": "ecs.c6.large"}
    return ("dlc_create_job", {
        **HERE, "WorkspaceId": WORKSPACE, "DisplayName": name, "JobType": "PyTorchJob", "JobSpecs": [worker],
        "UserCommand": "sleep 1000000",
    })  # fmt: skip


class Calls:
    """The calls of a run, from a seed and from what came of those before."""

    def __init__(self):
        self.dice = random.Random(SEED)
        self.boxes, self.jobs, self.running = [], [], collections.deque()
        self.made = 0

    def next(self, number):
        """A tool and its arguments."""
        kind = self.dice.choices(
            ["read", "wrong", "job", "box", "unbox", "describe", "stop", "rename", "workspace", "strange"],
            [600, 40, 60, 110, 110, 30, 30, 15, 4, 10],
        )[0]
        self.made += 1
        name = f"soak-{number}"
        if kind == "unbox" and self.boxes:
            return "pyromind_delete_sandbox", {"sandbox_id": self.boxes.pop(self.dice.randrange(len(self.boxes)))}
        if kind == "describe" and self.jobs:
            chosen = self.jobs.pop(0)
            self.running.append((number, chosen))
            return "dlc_update_job", {**HERE, "JobId": chosen, "Description": name}
        # Time passes by a second a step, so by then it runs: a queued one might start before the stop arrives.
        if kind == "stop" and self.running and self.running[0][0] + 300 < number:
            return "dlc_stop_job", {**HERE, "JobId": self.running.popleft()[1]}
        if kind == "job":
            return job("declined" if self.dice.random() < 0.1 else name)
        if kind == "strange":
            return job(name, "registry.example.com/unlisted:1")
        if kind == "box":
            size = {"cpu": 2, "memory": 4, "gpu": 0}
            return "pyromind_create_sandbox", {"name": name, "sandbox_type": "cpu-sandbox", "resource_config": size}
        if kind == "rename":
            return "pyromind_edit_instance", {"instance_id": NOTEBOOK, "name": name}
        if kind == "workspace":
            return "aiworkspace_create_workspace", {
                **HERE, "WorkspaceName": f"soak_{number}", "Description": "Made by a check", "EnvTypes": ["prod"],
            }  # fmt: skip
        return self.dice.choice(WRONG if kind == "wrong" else READS)

    def learn(self, tool, content):
        if tool == "dlc_create_job":
            self.jobs.append(content["JobId"])
        elif tool == "pyromind_create_sandbox":
            self.boxes.append(content["sandbox_id"])


class Server:
    """A server past its handshake, whose answers a thread reads."""

    def __init__(self, home, environment):
        (home / "faults.json").write_text(json.dumps(account.faults(1)), encoding="utf-8")
        (home / "human.toml").write_text(HUMAN, encoding="utf-8")
        command = [BINARY, "serve", "--region", REGION, "--approve", "update", "--approve", "act", "--log", "off"]
        command += ["--approval-page", "never"]
        for flag, name in {"audit": "audit.jsonl", "state-out": "state.json", "faults": "faults.json", "human": "human.toml"}.items():
            command += [f"--{flag}", str(home / name)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "soak", "version": "1"}}
        self.send({"id": "hello", "method": "initialize", "params": hello})
        expect("id of the first answer", "hello", json.loads(self.process.stdout.readline())["id"])
        self.send({"method": "notifications/initialized"})
        self.memory = account.Memory(self.process)

    def send(self, message):
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self.process.stdin.flush()


def drive(server):
    """Makes the calls: tool, arguments and answer of each, or None for those that were given up."""
    calls, log, open_calls, given_up = Calls(), {}, {}, set()
    changed = threading.Condition()
    ended = []

    def read():
        try:
            for line in server.process.stdout:
                answer = json.loads(line)
                with changed:
                    number = answer["id"]
                    if number not in log or log[number][2] is not None:
                        raise Surprise(f"an answer to nothing: {answer}")
                    tool, arguments, _ = log[number]
                    log[number] = (tool, arguments, answer)
                    open_calls.pop(number, None)
                    result = answer.get("result", {"isError": True})
                    if not result["isError"]:
                        calls.learn(tool, result["structuredContent"])
                    changed.notify()
        except Exception as error:  # Told by the thread that waits.
            ended.append(error)
        finally:
            with changed:
                ended.append(None)
                changed.notify()

    reader = threading.Thread(target=read)
    reader.start()
    instance = {}
    for number in range(CALLS):
        with changed:
            ready = lambda: ended or len(open_calls) < IN_FLIGHT
            if not changed.wait_for(ready, PATIENCE):
                raise Surprise(f"no answer for {PATIENCE} s; open: {open_calls}")
            if ended:
                raise Surprise(f"the server ended: {ended}")
            tool, arguments = calls.next(number)
            while tool == "pyromind_edit_instance" and tool in open_calls.values():
                # Whose name counts is known only where one follows the other.
                tool, arguments = calls.next(number)
            log[number] = (tool, arguments, None)
            open_calls[number] = tool
        server.send({"id": number, "method": "tools/call", "params": {"name": tool, "arguments": arguments}})
        if tool != "pyromind_edit_instance" and calls.dice.random() < 0.01:
            server.send({"method": "notifications/cancelled", "params": {"requestId": number}})
            with changed:
                open_calls.pop(number, None)
                given_up.add(number)
        if number % max(1, CALLS // 100) == 0:
            server.memory.sample()
    with changed:
        if not changed.wait_for(lambda: ended or not open_calls, PATIENCE):
            raise Surprise(f"no answer for {PATIENCE} s; open: {open_calls}")
    server.memory.sample()
    server.process.stdin.close()
    expect("exit code", 0, server.process.wait(timeout=PATIENCE))
    reader.join()
    expect("what ended the reader", [None], ended)
    unanswered = [number for number, (_, _, answer) in log.items() if answer is None and number not in given_up]
    expect("calls without an answer", [], unanswered)
    return log, given_up


def thing(line):
    """What a line of the record is about, if it changes something that the state shows."""
    tool, arguments = line["tool"], line.get("arguments", {})
    match tool:
        case "dlc_create_job":
            return ("job", arguments.get("DisplayName"))
        case "pyromind_create_sandbox":
            return ("box", arguments.get("name"))
        case "aiworkspace_create_workspace":
            return ("workspace", arguments.get("WorkspaceName"))
        case "pyromind_delete_sandbox":
            return ("deleted", arguments.get("sandbox_id"))
        case "dlc_update_job":
            return ("described", arguments.get("JobId"), arguments.get("Description"))
        case "dlc_stop_job":
            return ("stopped", arguments.get("JobId"))
        case "pyromind_edit_instance":
            return ("renamed", arguments.get("name"))
    return None


def told(outcome):
    """What an outcome says became of its call."""
    statuses = [call.get("status") for call in outcome.get("cloud_calls", [])]
    if outcome["is_error"] is False or any(status is not None and status < 300 for status in statuses):
        return "done"
    return "not" if all(status is not None and status < 500 for status in statuses) else "may"


def read_record(path):
    """The account that the record gives, and the renames in their order."""
    account_of, renames, decided = account.Account(), [], {}
    requests = collections.Counter()
    for line in path.read_text(encoding="utf-8").splitlines():
        line = json.loads(line)
        requests[line.get("request_id")] += 1
        about = thing(line)
        if line["phase"] == "decision":
            expect(f"calls before the decision {line['seq']}", [], line.get("cloud_calls", []))
            decided[line["span_id"]] = about
            continue
        decision = decided.pop(line["span_id"], None)
        if about is None:
            continue
        if decision is None:
            expect(f"changes sent without a decision, by {line['seq']}", [], line.get("cloud_calls", []))
            account_of.tell(about, "not")
            continue
        expect(f"what was decided before {line['seq']}", about, decision)
        if about[0] == "renamed":
            renames.append((about[1], told(line)))
        else:
            account_of.tell(about, told(line))
    expect("decisions without an outcome", {}, decided)
    return account_of, renames, requests


def changes(before, after, log):
    """What the state shows of it."""
    def rows(state, kind):
        return state["regions"][REGION][kind]

    found = collections.Counter()
    known = {row["id"] for row in rows(before, "jobs")}
    for row in rows(after, "jobs"):
        if row["id"] not in known:
            found["job", row["request"]["DisplayName"]] += 1
        if row["request"].get("Description", "").startswith("soak-"):
            found["described", row["id"], row["request"]["Description"]] += 1
        if row["stopped"]:
            found["stopped", row["id"]] += 1
    known = {row["id"] for row in rows(before, "workspaces")}
    found.update(("workspace", row["name"]) for row in rows(after, "workspaces") if row["id"] not in known)
    known = {row["id"] for row in before["pyromind"]["sandboxes"]}
    boxes = {row["id"]: row["name"] for row in after["pyromind"]["sandboxes"] if row["id"] not in known}
    found.update(("box", name) for name in boxes.values())
    # What is gone was there: its maker was told its id.
    for tool, arguments, answer in log.values():
        result = (answer or {}).get("result", {"isError": True})
        if tool == "pyromind_create_sandbox" and not result["isError"]:
            made = result["structuredContent"]["sandbox_id"]
            if made not in boxes:
                found["box", arguments["name"]] += 1
                found["deleted", made] += 1
    return found


def check_renames(renames, name):
    """The name is the last that was certainly given, or one that may have been since."""
    possible = []
    for new, what in renames:
        if what == "done":
            possible = [new]
        elif what == "may":
            possible.append(new)
    if possible and name not in possible:
        raise Surprise(f"the instance is called {name}, by the record one of {possible}")


def main():
    with tempfile.TemporaryDirectory() as home:
        home = pathlib.Path(home)
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(home), "XDG_STATE_HOME": str(home / "state")}
        server = Server(home, environment)
        before = account.state(home / "state.json")
        begun = time.monotonic()
        try:
            log, given_up = drive(server)
        finally:
            server.process.kill()
        took = time.monotonic() - begun
        account.verified(BINARY, environment, home / "audit.jsonl")
        told_of, renames, requests = read_record(home / "audit.jsonl")
        after = account.state(home / "state.json")
        summary = told_of.compare(changes(before, after, log), CALLS // 20)
        (notebook,) = [row for row in after["pyromind"]["instances"] if row["id"] == NOTEBOOK]
        check_renames(renames, notebook["name"])
        errors = sum("error" in answer for _, _, answer in log.values() if answer)
        refused = sum(answer["result"]["isError"] for _, _, answer in log.values() if answer and "result" in answer)
        for number, (tool, _, _) in log.items():
            if tool != "no_such_tool" and number not in given_up:
                expect(f"whether the record tells of call {number}, {tool}", True, requests[str(number)] > 0)
        print(
            f"soak over stdio, seed {SEED}: {CALLS} calls, {IN_FLIGHT} in flight, {took:.0f} s, {CALLS / took:.0f} a second; "
            f"{refused} refused or failed, {errors} protocol errors, {len(given_up)} given up; {summary}; "
            f"{server.memory.judge(GROWTH)}; state {os.path.getsize(home / 'state.json') // 1024} KiB",
            flush=True,
        )


main()
