// Tells the story with the official TypeScript SDK 2.x, in either era of the protocol.
//
//     typescript_2.mjs BINARY {legacy|modern}

import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

import { STORY, expect, tell } from "./story.mjs";

const [binary, era] = process.argv.slice(2);
const options = { legacy: {}, modern: { versionNegotiation: { mode: "auto" } } }[era];

async function connect(server, answer) {
    const client = new Client({ name: "typescript-2", version: "1" }, { capabilities: { elicitation: {} }, ...options });
    client.setRequestHandler("elicitation/create", (request) => answer(request.params));
    await client.connect(new StdioClientTransport(server));
    expect("protocol version", STORY.versions[era], client.getNegotiatedProtocolVersion());
    return {
        listTools: () => client.listTools(),
        callTool: (params, signal) => client.callTool(params, { signal }),
        close: () => client.close(),
    };
}

await tell(`typescript sdk 2, ${era}`, connect, binary);
