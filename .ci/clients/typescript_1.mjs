// Tells the story with the official TypeScript SDK 1.x, which speaks `initialize`.
//
//     typescript_1.mjs BINARY

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";

import { STORY, expect, tell } from "./story.mjs";

// This version keeps the protocol's version to its transport.
class Transport extends StdioClientTransport {
    setProtocolVersion(version) {
        this.version = version;
    }
}

async function connect(server, answer) {
    const transport = new Transport(server);
    const client = new Client({ name: "typescript-1", version: "1" }, { capabilities: { elicitation: {} } });
    client.setRequestHandler(ElicitRequestSchema, (request) => answer(request.params));
    await client.connect(transport);
    expect("protocol version", STORY.versions.legacy, transport.version);
    return {
        listTools: () => client.listTools(),
        callTool: (params, signal) => client.callTool(params, undefined, { signal }),
        close: () => client.close(),
    };
}

await tell("typescript sdk 1", connect, process.argv[2]);
