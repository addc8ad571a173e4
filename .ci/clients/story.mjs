// Tells story.json to a server; README.md says what its words mean.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";

export const STORY = JSON.parse(await readFile(new URL("story.json", import.meta.url), "utf8"));
const PATIENCE_MS = 60_000;

class Surprise extends Error {}

export function expect(what, expected, got) {
    if (!isDeepStrictEqual(expected, got)) {
        throw new Surprise(`${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`);
    }
}

// Answers every question in one way, and keeps what it was shown.
class Human {
    constructor(manner) {
        this.manner = manner;
        this.begin();
    }

    begin(resourceId) {
        this.asked = [];
        this.wrong = undefined;
        this.resourceId = resourceId;
        this.reached = new Promise((resolve) => (this.reach = resolve));
        this.givenUp = new Promise((resolve) => (this.giveUp = resolve));
    }

    // The result of an elicitation.
    answer = async ({ requestedSchema, message }) => {
        let field, content;
        try {
            [field, content] = this.read(requestedSchema);
        } catch (error) {
            this.wrong = error;
            throw error;
        }
        this.asked.push([field, message]);
        this.reach();
        if (this.manner === "late") {
            await this.givenUp;
        }
        return ["accept", "late"].includes(this.manner) ? { action: "accept", content } : { action: this.manner };
    };

    read(schema) {
        const shown = JSON.stringify(schema);
        const fields = Object.keys(schema.properties).filter((name) => name !== "further_calls");
        if (fields.length !== 1 || !isDeepStrictEqual(fields, schema.required)) {
            throw new Surprise(`a question requires one field, and may offer further calls: ${shown}`);
        }
        const field = fields[0];
        const form = schema.properties[field];
        if (Object.values(schema.properties).some((form) => "default" in form)) {
            throw new Surprise(`a question preselects nothing: ${shown}`);
        }
        switch (field) {
            case "region": {
                const offered = form.enum ?? (form.oneOf ?? []).map((option) => option.const);
                if (!offered.includes(STORY.region)) {
                    throw new Surprise(`${STORY.region} isn't offered: ${shown}`);
                }
                return [field, { [field]: STORY.region }];
            }
            case "approve":
                expect("the type of approve", "boolean", form.type);
                return [field, { [field]: true }];
            case "resource_id":
                expect("the type of resource_id", "string", form.type);
                if (this.resourceId === undefined) {
                    throw new Surprise("asked for a resource_id in a step without an id");
                }
                return [field, { [field]: this.resourceId }];
            default:
                throw new Surprise(`a question in an unknown form: ${shown}`);
        }
    }
}

function at(body, path) {
    let value = body;
    for (const key of path.split(".")) {
        if (value === null || typeof value !== "object" || !(key in value)) {
            throw new Surprise(`there is no ${path} in ${JSON.stringify(body)}`);
        }
        value = value[key];
    }
    return value;
}

function fill(value, kept) {
    if (typeof value === "string" && value.startsWith("$")) {
        return at(kept, value.slice(1));
    }
    if (Array.isArray(value)) {
        return value.map((item) => fill(item, kept));
    }
    if (value !== null && typeof value === "object") {
        return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item, kept)]));
    }
    return value;
}

// Compares a tool's result with what the step expects.
function judge(step, result, kept) {
    const text = result.content.filter((part) => part.type === "text").map((part) => part.text).join("\n");
    const body = JSON.parse(text);
    const failed = Boolean(result.isError);
    expect("isError", "refused" in step, failed);
    if (failed) {
        expect("rule", step.refused, body.rule);
        expect("keys of a refusal", ["error", "retryable", "rule", "violations"], Object.keys(body).filter((key) => key !== "reason").sort());
        expect("structuredContent of a refusal", undefined, result.structuredContent);
    } else if (result.structuredContent !== undefined) {
        expect("structuredContent", body, result.structuredContent);
    }
    for (const [path, value] of Object.entries(step.has ?? {})) {
        expect(path, fill(value, kept), at(body, path));
    }
    for (const part of step.text ?? []) {
        expect(`${JSON.stringify(part)} is shown`, true, text.includes(part));
    }
    for (const part of step.lacks ?? []) {
        expect(`${JSON.stringify(part)} is shown`, false, text.includes(part));
    }
    for (const [name, path] of Object.entries(step.keep ?? {})) {
        kept[name] = at(body, path);
    }
}

// A tool's result, or the code and message of a protocol error.
async function called(client, tool, args, signal) {
    try {
        return { result: await client.callTool({ name: tool, arguments: args }, signal) };
    } catch (error) {
        if (typeof error.code !== "number") {
            throw error;
        }
        return { code: error.code, message: error.message };
    }
}

async function tellStep(step, client, human, kept) {
    if ("list" in step) {
        const names = (await client.listTools()).tools.map((tool) => tool.name);
        expect("order of the tools", names.toSorted(), names);
        expect("tools that aren't listed", [], step.list.filter((name) => !names.includes(name)));
        return;
    }
    const args = fill(step.arguments ?? {}, kept);
    human.begin("id" in step ? args[step.id] : undefined);
    const giveUp = new AbortController();
    const call = called(client, step.call, args, giveUp.signal);
    let got = {};
    if (step.given_up) {
        const first = await Promise.race([human.reached.then(() => "asked"), call.catch((error) => error)]);
        expect("the call waits for the human", "asked", first);
        giveUp.abort();
        human.giveUp();
        await call.catch(() => {});
    } else {
        try {
            got = await call;
        } catch (error) {
            throw human.wrong ?? error;
        }
    }
    if (human.wrong) {
        throw human.wrong;
    }
    const asked = step.asked ?? {};
    try {
        expect("questions", Object.keys(asked), human.asked.map(([field]) => field));
        for (const [field, message] of human.asked) {
            for (const part of fill(asked[field], kept)) {
                if (!message.includes(part)) {
                    throw new Surprise(`the question for ${field} doesn't show ${JSON.stringify(part)}: ${message}`);
                }
            }
        }
        if (!step.given_up) {
            expect("code", step.code, got.code);
            if (!("code" in step)) {
                judge(step, got.result, kept);
            }
        }
    } catch (error) {
        error.message += `\n  the result was ${JSON.stringify(got)}`;
        throw error;
    }
}

async function tellScene(scene, connect, binary) {
    const human = new Human(scene.human);
    const kept = {};
    const directory = await mkdtemp(join(tmpdir(), "story-"));
    const server = {
        command: binary,
        args: ["serve", "--audit", join(directory, "audit.jsonl"), ...(scene.flags ?? [])],
        env: { HOME: directory, XDG_STATE_HOME: directory, PATH: process.env.PATH ?? "" },
    };
    const client = await connect(server, human.answer);
    try {
        for (const [index, step] of scene.steps.entries()) {
            try {
                await tellStep(step, client, human, kept);
            } catch (error) {
                const kind = error instanceof Surprise ? "" : `${error.name}: `;
                throw new Surprise(`step ${index + 1}, ${step.call ?? "list"}: ${kind}${error.message}`);
            }
        }
    } finally {
        await client.close();
        await rm(directory, { recursive: true, force: true });
    }
}

// Tells all scenes. `connect(server, answer)` makes a client with `listTools()`, `callTool(params, signal)` and `close()`.
export async function tell(teller, connect, binary) {
    for (const scene of STORY.scenes) {
        const late = new Promise((_, reject) => {
            setTimeout(() => reject(new Surprise(`took more than ${PATIENCE_MS} ms`)), PATIENCE_MS).unref();
        });
        try {
            await Promise.race([tellScene(scene, connect, binary), late]);
        } catch (error) {
            console.error(`${teller}: ${scene.name}: ${error instanceof Surprise ? error.message : error.stack}`);
            process.exit(1);
        }
        console.log(`${teller}: ${scene.name}: ok`);
    }
    process.exit(0);
}
