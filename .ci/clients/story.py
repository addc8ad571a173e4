"""Tells story.json to a server; README.md says what its words mean."""

import asyncio
import json
import os
import pathlib
import tempfile

STORY = json.loads((pathlib.Path(__file__).parent / "story.json").read_text(encoding="utf-8"))
PATIENCE = 60


class Surprise(Exception):
    """Something else came than was expected."""


def expect(what, expected, got):
    if expected != got:
        raise Surprise(f"{what}: expected {expected!r}, got {got!r}")


class Human:
    """Answers every question in one way, and keeps what it was shown."""

    def __init__(self, manner):
        self.manner = manner
        self.asked = []
        self.wrong = None
        self.reached = asyncio.Event()
        self.given_up = asyncio.Event()
        self.resource_id = None

    async def answer(self, schema, message):
        """The action and the content."""
        try:
            field, content = self.read(schema)
        except Exception as error:
            self.wrong = error
            raise
        self.asked.append((field, message))
        self.reached.set()
        if self.manner == "late":
            await self.given_up.wait()
        yes = self.manner in ("accept", "late")
        return ("accept", content) if yes else (self.manner, None)

    def read(self, schema):
        fields = set(schema["properties"]) - {"further_calls"}
        if fields != set(schema["required"]) or len(fields) != 1:
            raise Surprise(f"a question requires one field, and may offer further calls: {schema}")
        (field,) = schema["required"]
        form = schema["properties"][field]
        if any("default" in form for form in schema["properties"].values()):
            raise Surprise(f"a question preselects nothing: {schema}")
        if field == "region":
            offered = form.get("enum") or [option["const"] for option in form.get("oneOf", [])]
            if STORY["region"] not in offered:
                raise Surprise(f"{STORY['region']} isn't offered: {schema}")
            return field, {field: STORY["region"]}
        if field == "approve":
            expect("the type of approve", "boolean", form["type"])
            return field, {field: True}
        if field == "resource_id":
            expect("the type of resource_id", "string", form["type"])
            if self.resource_id is None:
                raise Surprise("asked for a resource_id in a step without an id")
            return field, {field: self.resource_id}
        raise Surprise(f"a question in an unknown form: {schema}")


def at(body, path):
    for key in path.split("."):
        try:
            body = body[int(key)] if isinstance(body, list) else body[key]
        except (KeyError, IndexError, TypeError, ValueError):
            raise Surprise(f"there is no {path} in {json.dumps(body, ensure_ascii=False)}") from None
    return body


def fill(value, kept):
    if isinstance(value, str) and value.startswith("$"):
        return kept[value[1:]]
    if isinstance(value, list):
        return [fill(item, kept) for item in value]
    if isinstance(value, dict):
        return {key: fill(item, kept) for key, item in value.items()}
    return value


def judge(step, result, kept):
    """Compares a result, `{"text", "isError", "structured"}`, with what the step expects."""
    text = result["text"]
    body = json.loads(text)
    expect("isError", "refused" in step, result["isError"])
    if result["isError"]:
        expect("rule", step["refused"], body.get("rule"))
        expect("keys of a refusal", {"error", "rule", "violations", "retryable"}, set(body) - {"reason"})
        expect("structuredContent of a refusal", None, result["structured"])
    elif result["structured"] is not None:
        expect("structuredContent", body, result["structured"])
    for path, value in step.get("has", {}).items():
        expect(path, fill(value, kept), at(body, path))
    for part in step.get("text", []):
        expect(f"{part!r} is shown", True, part in text)
    for part in step.get("lacks", []):
        expect(f"{part!r} is shown", False, part in text)
    for name, path in step.get("keep", {}).items():
        kept[name] = at(body, path)


async def told(step, client, human, kept):
    """One step."""
    if "list" in step:
        names = await client.names()
        expect("order of the tools", sorted(names), names)
        expect("tools that aren't listed", [], [name for name in step["list"] if name not in names])
        return
    arguments = fill(step.get("arguments", {}), kept)
    human.asked.clear()
    human.reached.clear()
    human.resource_id = arguments[step["id"]] if "id" in step else None
    call = asyncio.ensure_future(client.call(step["call"], arguments))
    if step.get("given_up"):
        reached = asyncio.ensure_future(human.reached.wait())
        await asyncio.wait([call, reached], return_when=asyncio.FIRST_COMPLETED)
        reached.cancel()
        expect("the call waits for the human", False, call.done())
        call.cancel()
        human.given_up.set()
        await asyncio.wait([call])
        result = {}
    else:
        try:
            result = await call
        except Exception:
            if human.wrong:
                raise human.wrong from None
            raise
    if human.wrong:
        raise human.wrong
    asked = step.get("asked", {})
    try:
        expect("questions", list(asked), [field for field, _ in human.asked])
        for (field, message), parts in zip(human.asked, asked.values()):
            for part in fill(parts, kept):
                if part not in message:
                    raise Surprise(f"the question for {field} doesn't show {part!r}: {message}")
        if not step.get("given_up"):
            expect("code", step.get("code"), result.get("code"))
            if "code" not in step:
                judge(step, result, kept)
    except Surprise as surprise:
        raise Surprise(f"{surprise}\n  the result was {json.dumps(result, ensure_ascii=False)}") from None


async def scene_told(scene, connect, binary):
    human = Human(scene["human"])
    kept = {}
    with tempfile.TemporaryDirectory() as directory:
        arguments = ["serve", "--audit", os.path.join(directory, "audit.jsonl"), *scene.get("flags", [])]
        environment = {"HOME": directory, "XDG_STATE_HOME": directory, "PATH": os.environ.get("PATH", "")}
        async with connect(binary, arguments, environment, human.answer) as client:
            for number, step in enumerate(scene["steps"], 1):
                try:
                    await told(step, client, human, kept)
                except Exception as error:
                    kind = "" if isinstance(error, Surprise) else f"{type(error).__name__}: "
                    return f"step {number}, {step.get('call', 'list')}: {kind}{error}"
    return None


async def tell(teller, connect, binary, gives_up=True):
    """Tells all scenes. `connect(binary, arguments, environment, answer)` is an async context manager of a
    client with `names()` and `call(tool, arguments)`. One that can't give a call up while a question is open
    leaves out the scenes about that."""
    for scene in STORY["scenes"]:
        if scene["human"] == "late" and not gives_up:
            continue
        wrong = await asyncio.wait_for(scene_told(scene, connect, binary), timeout=PATIENCE)
        if wrong:
            raise SystemExit(f"{teller}: {scene['name']}: {wrong}")
        print(f"{teller}: {scene['name']}: ok", flush=True)
