"""Compares our requests with the official SDKs', parameter by parameter.

    wire.py BINARY SCHEMAS

Every Alibaba operation of the catalogue has its cases in cases.json: a list of arguments for each tool, of which at least
one holds each parameter in SCHEMAS/TOOL.json. Each is sent by `redline-mcp call` and by the official SDK, whose request is
built from the same JSON, through a recording proxy to one simulator. The SDK must be able to read what the simulator answers,
for one case of each operation at least.
"""

import inspect
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from alibabacloud_tea_openapi.exceptions import AlibabaCloudException

import cloud
import recorder

BINARY, SCHEMAS = sys.argv[1:]
CASES = json.loads((pathlib.Path(__file__).parent / "cases.json").read_text(encoding="utf-8"))
POLICY = pathlib.Path(__file__).resolve().parent / "whole.toml"
LOCAL = {"RegionId", "detail"}  # Ours alone: one names the host, the other is never sent.

# Parameters without a case, and why. A path ends a parameter and all below it.
LEFT_OUT = {
    "dlc_create_job": {
        "JobSpecs[].ImageConfig.DockerRegistry": "refused: it would fetch images that nobody listed",
        "Settings.AdvancedSettings": "refused: it can hold anything, images included",
    },
    "dlc_update_job": {
        "JobSpecs[].ImageConfig.DockerRegistry": "refused: it would fetch images that nobody listed",
    },
}

# Arguments with another name on the wire than ours, which has a typo: {action: {argument: name}}.
WIRE_NAMES = {"GetTensorboard": {"JobId": "JodId"}}

# What the SDK gets no reply to here, and where it does.
ANSWERED_ELSEWHERE = {"CreateWorkspace": "our own client took the name first; simulator.py makes workspaces"}

ABSENT = type("Absent", (), {"__repr__": lambda self: "nothing"})()


def same_json(ours, theirs):
    """Whether two texts are JSON that differs in the order of keys only."""
    return sorted(ours) == sorted(theirs) and ours[:1] == "{" and json.loads(ours) == json.loads(theirs)


# Where the two may differ, and why. Each takes a difference and says whether it is this one.
ALLOWED = {
    # The Python SDK writes booleans in a query as Python does; the services take either case.
    "boolean in a query": lambda where, ours, theirs: where.startswith("query.")
    and (ours, theirs) in (("true", "True"), ("false", "False")),
    # The SDK's nested models write a list that nobody gave as an empty one.
    "empty list": lambda where, ours, theirs: where.startswith("body.") and ours is ABSENT and theirs == [],
    # Ours is sorted.
    "order of keys": lambda where, ours, theirs: where.startswith("query.")
    and isinstance(ours, str)
    and isinstance(theirs, str)
    and same_json(ours, theirs),
}


def snake(name):
    """`GetJobSanityCheckResult` as `get_job_sanity_check_result`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def differences(where, ours, theirs):
    """Where two JSON values differ, but for the order of keys: `(where, ours, theirs)`."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(ours.keys() | theirs.keys()):
            yield from differences(f"{where}.{key}", ours.get(key, ABSENT), theirs.get(key, ABSENT))
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, (our, their) in enumerate(zip(ours, theirs)):
            yield from differences(f"{where}[{index}]", our, their)
    elif type(ours) is not type(theirs) or ours != theirs:
        yield where, ours, theirs


def shown(request):
    """A request as it is compared."""
    query = {}
    for name, value in request.query:
        query.setdefault(name, []).append(value)
    return {
        "method": request.method,
        "path": request.path,
        "query": query,
        "body": ABSENT if request.body is None else request.body,
        "action": request.headers.get("x-acs-action"),
        "version": request.headers.get("x-acs-version"),
        "content-type": request.headers.get("content-type", "").partition(";")[0],
    }


def last(requests, action):
    """The last request for `action`, after the policy's own reads."""
    matching = [request for request in requests if request.headers.get("x-acs-action") == action]
    return matching[-1] if matching else None


class Ours:
    """`redline-mcp call`."""

    def __init__(self, proxy, home):
        self.proxy = proxy
        self.home = home

    def request(self, tool, action, arguments):
        flags = ("--provenance", "verify", "--approve", tool, "--policy", str(POLICY))
        _, printed = cloud.call(BINARY, self.home, self.proxy.address, tool, arguments, *flags)
        sent = last(self.proxy.taken(), action)
        if sent is None:
            raise cloud.Surprise(f"sent no {action}: {printed}")
        return sent


class Theirs:
    """The official SDKs."""

    def __init__(self, proxy):
        self.proxy = proxy
        self.clients = {name: cloud.client(name, proxy.address) for name in cloud.CLIENTS}
        self.answered = set()

    def request(self, service, action, arguments):
        names = WIRE_NAMES.get(action, {})
        sent = ((name, value) for name, value in arguments.items() if name not in LOCAL)
        given = {names.get(name, name): value for name, value in sent}
        method = getattr(self.clients[service], f"{snake(action)}_with_options")
        values = []
        for name in inspect.signature(method).parameters:
            if name in ("request", "tmp_req"):
                model = getattr(cloud.MODELS[service], f"{action}Request")
                values.append(model().from_map(given))
                given = {}
            elif name == "headers":
                values.append({})
            elif name == "runtime":
                values.append(cloud.RUNTIME)
            else:
                # In the path. Such arguments come first.
                (argument,) = [argument for argument in given if snake(argument) == name]
                values.append(given.pop(argument))
        if given:
            raise cloud.Surprise(f"the SDK's {action} doesn't take {', '.join(given)}")
        try:
            method(*values)
            self.answered.add(action)
        except AlibabaCloudException:
            pass  # The simulator's answer.
        sent = last(self.proxy.taken(), action)
        if sent is None:
            raise cloud.Surprise(f"the SDK sent no {action}")
        return sent


def parameters(schema, path=""):
    """The paths of all parameters of a schema: `JobSpecs[].Image`."""
    for name, value in schema.get("properties", {}).items():
        inner = f"{path}.{name}" if path else name
        yield inner
        yield from parameters(value, inner)
    if "items" in schema:
        yield from parameters(schema["items"], f"{path}[]")


def given(value, path=""):
    """The paths of all parameters that some arguments hold."""
    if isinstance(value, dict):
        for name, inner in value.items():
            here = f"{path}.{name}" if path else name
            yield here
            yield from given(inner, here)
    elif isinstance(value, list):
        for item in value:
            yield from given(item, f"{path}[]")


def gaps(tool, schema):
    """What cases.json and LEFT_OUT lack, or hold in vain."""
    known = set(parameters(schema))
    held = {path for arguments in CASES[tool] for path in given(arguments)}
    left_out = LEFT_OUT.get(tool, {}).keys()
    below = {path for path in known for out in left_out if path == out or path.startswith((f"{out}.", f"{out}["))}
    yield from (f"no case holds {path}" for path in sorted(known - held - below))
    yield from (f"{path} needn't be left out" for path in sorted(left_out - known | left_out & held))


def compared(tool, route, arguments, ours, theirs):
    """Compares one case; the names of the differences that were allowed."""
    service, action = route["cloud"], route["action"]
    our = shown(ours.request(tool, action, arguments))
    their = shown(theirs.request(service, action, arguments))
    cloud.expect("method of the catalogue", route["method"], our["method"])
    allowed, wrong = set(), []
    for difference in differences("", our, their):
        where, *sides = (difference[0].lstrip("."), *difference[1:])
        reasons = [name for name, is_this in ALLOWED.items() if is_this(where, *sides)]
        allowed.update(reasons)
        if not reasons:
            wrong.append(f"{where}: ours {sides[0]!r}, the SDK's {sides[1]!r}")
    if wrong:
        raise cloud.Surprise("\n  ".join(["differs from the SDK", *wrong]))
    return allowed


def main():
    schemas = {
        schema["name"]: schema
        for schema in (json.loads(path.read_text(encoding="utf-8")) for path in pathlib.Path(SCHEMAS).glob("*.json"))
    }
    listed = [tool["name"] for tool in json.loads(subprocess.check_output([BINARY, "tools", "--json"]))]
    tools = [name for name in listed if schemas[name]["route"]["cloud"] in cloud.CLIENTS]
    for tool in sorted(CASES.keys() - set(tools)):
        print(f"wire: {tool}: not in the catalogue")
    failures = []
    with tempfile.TemporaryDirectory() as home:
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": home}
        with cloud.simulator(BINARY, environment) as (address, _), recorder.recording(address) as proxy:
            ours, theirs = Ours(proxy, home), Theirs(proxy)
            for tool in tools:
                if not CASES.get(tool):
                    failures.append(f"{tool}: has no case in cases.json")
                    continue
                schema = schemas[tool]
                failures += [f"{tool}: {gap}" for gap in gaps(tool, schema["input"])]
                allowed = set()
                for number, arguments in enumerate(CASES[tool], 1):
                    try:
                        allowed |= compared(tool, schema["route"], arguments, ours, theirs)
                    except cloud.Surprise as surprise:
                        failures.append(f"{tool}, case {number}: {surprise}")
                if schema["route"]["action"] not in theirs.answered | ANSWERED_ELSEWHERE.keys():
                    failures.append(f"{tool}: no case got a reply that the SDK could read")
                note = f" (allowed: {', '.join(sorted(allowed))})" if allowed else ""
                print(f"wire: {tool}: {len(CASES[tool])} compared{note}", flush=True)
    if failures:
        raise SystemExit("\n".join(failures))


main()
