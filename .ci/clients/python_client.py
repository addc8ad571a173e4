"""Tells the story with the official Python SDK, of either major version.

    python_client.py BINARY {v1|legacy|modern}

v1 is `mcp<2`, which speaks `initialize`. legacy and modern are the two eras of `mcp>=2`.
"""

import asyncio
import contextlib
import sys

from mcp import StdioServerParameters
from mcp.types import ElicitResult

import story

BINARY, ERA = sys.argv[1:]


class Client:
    """The SDK's client, under one set of names."""

    def __init__(self, sdk):
        self.sdk = sdk

    async def names(self):
        return [tool.name for tool in (await self.sdk.list_tools()).tools]

    async def call(self, tool, arguments):
        try:
            result = await self.sdk.call_tool(tool, arguments)
        except Exception as error:
            if not hasattr(error, "error"):
                raise
            return {"code": error.error.code, "message": error.error.message}
        raw = result.model_dump(by_alias=True, mode="json")
        return {
            "isError": bool(raw.get("isError")),
            "text": "\n".join(part["text"] for part in raw["content"] if part["type"] == "text"),
            "structured": raw.get("structuredContent"),
        }


@contextlib.asynccontextmanager
async def connect(binary, arguments, environment, answer):
    async def elicited(context, params):
        schema = getattr(params, "requested_schema", None) or params.requestedSchema
        if not isinstance(schema, dict):
            schema = schema.model_dump(by_alias=True, exclude_none=True)
        action, content = await answer(schema, params.message)
        return ElicitResult(action=action, content=content)

    server = StdioServerParameters(command=binary, args=arguments, env=environment)
    if ERA == "v1":
        from mcp import ClientSession
        from mcp.client.stdio import stdio_client

        async with stdio_client(server) as (read, write):
            async with ClientSession(read, write, elicitation_callback=elicited) as session:
                greeting = await session.initialize()
                story.expect("protocol version", story.STORY["versions"]["legacy"], greeting.protocolVersion)
                yield Client(session)
    else:
        from mcp import Client as Sdk

        version = story.STORY["versions"][ERA]
        mode = "legacy" if ERA == "legacy" else version
        async with Sdk(server, mode=mode, elicitation_callback=elicited) as client:
            story.expect("protocol version", version, client.protocol_version)
            yield Client(client)


# The older client reads nothing while a question is open, and never tells the server that a call was given up.
asyncio.run(story.tell(f"python sdk, {ERA}", connect, BINARY, gives_up=ERA != "v1"))
