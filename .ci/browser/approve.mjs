// Answers questions in a real browser with JavaScript off, for a client that can't ask anybody.
//
//     approve.mjs BINARY CHROMIUM BROWSER_COMMAND DIRECTORY
//
// BROWSER_COMMAND is a program that writes its argument into $HOME/links. The pages are kept as images in DIRECTORY.

import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { chromium } from "playwright-core";

const [binary, executablePath, command, directory] = process.argv.slice(2);
const PATIENCE = 60_000;
const FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
];
const IMAGE = "registry-vpc.cn-hangzhou.aliyuncs.com/vision-team/detector:2025.11";
const REGION = "cn-hangzhou";

function expect(what, truth, detail) {
    if (!truth) throw new Error(`${what}: ${detail}`);
}

const home = await mkdtemp(join(tmpdir(), "approval-"));
let seen = 0;

// The next page that the server has opened.
async function opened(context) {
    const end = Date.now() + PATIENCE;
    while (Date.now() < end) {
        const links = (await readFile(join(home, "links"), "utf8").catch(() => "")).split("\n").filter(Boolean);
        if (links.length > seen) {
            const page = await context.newPage();
            const answer = await page.goto(links[seen++]);
            expect("the page", answer.status() === 200, answer.status());
            return page;
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error("no page was opened");
}

const transport = new StdioClientTransport({
    command: resolve(binary),
    args: ["serve", "--audit", join(home, "audit.jsonl"), "--browser", resolve(command), "--approval-wait", "300"],
    env: { HOME: home, XDG_STATE_HOME: home, PATH: process.env.PATH ?? "" },
});
const client = new Client({ name: "approval-check", version: "1" }, { capabilities: {} });
await client.connect(transport);
const browser = await chromium.launch({ executablePath, headless: true, chromiumSandbox: false, args: FLAGS });

async function call(name, args) {
    const result = await client.callTool({ name, arguments: { ...args } }, undefined, { timeout: 5 * PATIENCE });
    return { refused: result.isError === true, body: JSON.parse(result.content[0].text) };
}

// Makes a call while a human answers what it asks.
async function answered(context, name, args, human) {
    const [result] = await Promise.all([call(name, args), opened(context).then(human)]);
    return result;
}

const job = (command) => ({
    RegionId: REGION, WorkspaceId: "200025", DisplayName: "detector-finetune", JobType: "PyTorchJob",
    JobSpecs: [{ Type: "Worker", PodCount: 2, Image: IMAGE, EcsSpec: "ecs.gn6i-c4g1.xlarge" }],
    UserCommand: command, JobMaxRunningTimeMinutes: 240,
    Envs: { NCCL_DEBUG: "INFO", LD_PRELOAD: "/opt/lib/trace.so" },
});

try {
    const context = await browser.newContext({
        javaScriptEnabled: false, colorScheme: "light", viewport: { width: 900, height: 700 }, deviceScaleFactor: 1.5,
    });

    const listed = await answered(context, "aiworkspace_list_workspaces", { RegionId: REGION }, async (page) => {
        expect("the heading", await page.getByRole("heading", { name: "Choose a region" }).isVisible());
        for (const radio of await page.getByRole("radio").all()) {
            expect("no region is chosen", !(await radio.isChecked()));
        }
        await page.screenshot({ path: join(directory, "region.png"), fullPage: true });
        // The browser itself doesn't send a form in which nothing is chosen.
        await page.getByRole("button", { name: "Use this region" }).click();
        expect("the page stays", await page.getByRole("heading", { name: "Choose a region" }).isVisible());
        await page.getByRole("radio", { name: REGION }).check();
        await page.getByRole("button", { name: "Use this region" }).click();
        await page.getByRole("heading", { name: "Answered" }).waitFor();
    });
    expect("workspaces", !listed.refused, JSON.stringify(listed.body));
    const images = await call("aiworkspace_list_images", { RegionId: REGION, WorkspaceId: "200025" });
    expect("images", !images.refused, JSON.stringify(images.body));

    const command = "torchrun --nnodes=2 /mnt/code/train.py --data /mnt/data/scenes --note '</pre><script>alert(1)</script>'";
    const made = await answered(context, "dlc_create_job", job(command), async (page) => {
        expect("the heading", await page.getByRole("heading", { name: "Approve this call?" }).isVisible());
        await page.screenshot({ path: join(directory, "approval-page.png"), fullPage: true });
        await page.emulateMedia({ colorScheme: "dark" });
        await page.screenshot({ path: join(directory, "approval-page-dark.png"), fullPage: true });
        await page.setViewportSize({ width: 380, height: 700 });
        await page.screenshot({ path: join(directory, "approval-page-narrow.png"), fullPage: true });
        const wide = await page.locator("main").evaluate((main) => main.ownerDocument.documentElement.scrollWidth);
        expect("nothing sticks out", wide <= 380, wide);
        await page.getByRole("button", { name: "Approve exactly this call" }).click();
        await page.getByRole("heading", { name: "Answered" }).waitFor();
        await page.screenshot({ path: join(directory, "answered.png") });
        // Reloading a page that was answered sends its form again, which counts for nothing.
        await page.reload();
        await page.getByText(/answered before|No question is open/).waitFor();
    });
    expect("the job", !made.refused, JSON.stringify(made.body));

    const declined = await answered(context, "dlc_create_job", job("rm -rf /mnt/data"), async (page) => {
        await page.getByRole("button", { name: "Decline" }).click();
        await page.getByRole("heading", { name: "Declined" }).waitFor();
    });
    expect("the job that was declined", declined.refused, JSON.stringify(declined.body));

    // By keyboard alone: the first stop is the field, and Enter sends it.
    const sandbox = "sbx_676771626";
    const deleted = await answered(context, "pyromind_delete_sandbox", { sandbox_id: sandbox }, async (page) => {
        await page.keyboard.press("Tab");
        await page.keyboard.type("sbx_1");
        await page.keyboard.press("Enter");
        await page.getByText("That isn't the id in the question.").waitFor();
        await page.screenshot({ path: join(directory, "typed.png"), fullPage: true });
        const field = page.getByRole("textbox", { name: "Type the sandbox_id to approve exactly this call" });
        await field.focus();
        await page.keyboard.type(sandbox);
        await page.keyboard.press("Enter");
        await page.getByRole("heading", { name: "Answered" }).waitFor();
    });
    expect("the sandbox", !deleted.refused, JSON.stringify(deleted.body));
    console.log("a human answered in a browser without JavaScript");
} finally {
    await browser.close();
    await client.close();
}
