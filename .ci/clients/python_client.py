"""Drives redline-mcp over stdio with the official Python SDK, of either major version.

    python_client.py BINARY {v1|legacy|modern}

v1 is `mcp<2`, which speaks `initialize`. legacy and modern are the two eras of `mcp>=2`.
"""

import asyncio
import contextlib
import json
import os
import sys
import tempfile

from mcp import StdioServerParameters
from mcp.types import ElicitResult

BINARY, ERA = sys.argv[1:]
REGION = "cn-hangzhou"
WORKSPACE = {
    "RegionId": REGION,
    "WorkspaceName": "python_client_check",
    "Description": "Made by the check with the Python SDK",
    "EnvTypes": ["prod"],
}


class Human:
    """Answers every question, and keeps what it was shown."""

    def __init__(self, action):
        self.action = action
        self.asked = []

    async def __call__(self, context, params):
        schema = getattr(params, "requested_schema", None) or params.requestedSchema
        if not isinstance(schema, dict):
            schema = schema.model_dump(by_alias=True, exclude_none=True)
        (field,) = schema["required"]
        assert "default" not in schema["properties"][field], schema
        self.asked.append((field, params.message))
        if self.action != "accept":
            return ElicitResult(action=self.action)
        return ElicitResult(action="accept", content={"region": {"region": REGION}, "approve": {"approve": True}}[field])


class Result:
    """A tool's result, under one set of names."""

    def __init__(self, result):
        raw = result.model_dump(by_alias=True, mode="json")
        self.is_error = bool(raw.get("isError"))
        self.text = "\n".join(part["text"] for part in raw["content"] if part["type"] == "text")
        self.body = json.loads(self.text)


@contextlib.asynccontextmanager
async def connected(human, *flags):
    """A connection to a server of its own: `(list_tools, call)`."""
    with tempfile.TemporaryDirectory() as directory:
        audit = ["--audit", os.path.join(directory, "audit.jsonl")]
        environment = {"HOME": directory, "XDG_STATE_HOME": directory, "PATH": os.environ.get("PATH", "")}
        server = StdioServerParameters(command=BINARY, args=["serve", *audit, *flags], env=environment)
        if ERA == "v1":
            from mcp import ClientSession
            from mcp.client.stdio import stdio_client

            async with stdio_client(server) as (read, write):
                async with ClientSession(read, write, elicitation_callback=human) as session:
                    await session.initialize()
                    yield session.list_tools, lambda tool, arguments: session.call_tool(tool, arguments)
        else:
            from mcp import Client

            mode = {"legacy": "legacy", "modern": "2026-07-28"}[ERA]
            async with Client(server, mode=mode, elicitation_callback=human) as client:
                yield client.list_tools, client.call_tool


async def reads_and_refusals():
    """Tools are listed, a read answers, and a guessed image is refused in words."""
    human = Human("decline")
    async with connected(human, "--region", REGION) as (list_tools, call):
        names = [tool.name for tool in (await list_tools()).tools]
        assert names == sorted(names) and "dlc_create_job" in names, names

        products = Result(await call("aiworkspace_list_products", {"RegionId": REGION}))
        assert not products.is_error and products.body, products.text

        job = {
            "RegionId": REGION,
            "WorkspaceId": "12345",
            "DisplayName": "train",
            "JobType": "PyTorchJob",
            "JobSpecs": [
                {"Type": "Worker", "PodCount": 1, "Image": "registry.example.com/guessed:1", "EcsSpec": "ecs.c6.large"}
            ],
            "UserCommand": "python train.py",
        }
        refused = Result(await call("dlc_create_job", job))
        assert refused.is_error, refused.text
        assert set(refused.body) >= {"error", "rule", "violations", "retryable"}, refused.text
        fault = next(one for one in refused.body["violations"] if one["path"] == "JobSpecs[0].Image")
        assert "aiworkspace_list_images" in fault["fix"], refused.text
    assert human.asked == [], human.asked


async def a_yes_creates():
    """The region and then the arguments are put to the human; a yes to both creates, once."""
    human = Human("accept")
    async with connected(human) as (_, call):
        created = Result(await call("aiworkspace_create_workspace", WORKSPACE))
        assert not created.is_error and created.body["Workspace ID"], created.text
        assert [field for field, _ in human.asked] == ["region", "approve"], human.asked
        assert WORKSPACE["WorkspaceName"] in human.asked[1][1], human.asked[1]

        again = Result(await call("aiworkspace_create_workspace", WORKSPACE))
        assert not again.is_error, again.text
        assert again.body["Workspace ID"] == created.body["Workspace ID"], again.text
        assert again.body["Already Existed"] is True, again.text


async def a_no_creates_nothing():
    """A no is a refusal in words, and the name stays free."""
    human = Human("decline")
    async with connected(human, "--region", REGION) as (_, call):
        refused = Result(await call("aiworkspace_create_workspace", WORKSPACE))
        assert refused.is_error and "declined" in refused.body["error"], refused.text
        assert [field for field, _ in human.asked] == ["approve"], human.asked

        listed = Result(await call("aiworkspace_list_workspaces", {"RegionId": REGION}))
        assert not listed.is_error, listed.text
        assert WORKSPACE["WorkspaceName"] not in listed.text, listed.text


async def main():
    for check in (reads_and_refusals, a_yes_creates, a_no_creates_nothing):
        await asyncio.wait_for(check(), timeout=60)
        print(f"python sdk, {ERA}: {check.__name__}: ok", flush=True)


asyncio.run(main())
