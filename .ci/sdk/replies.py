"""Whether a reply is one that the official SDKs know: no field they would drop, no value of another type."""

import inspect
import re

from darabonba.model import DaraModel

TYPES = {"str": str, "int": int, "bool": bool, "float": (int, float), "Any": object}
LIST = re.compile(r"List\[(.+)\]")
DICT = re.compile(r"Dict\[str, (.+)\]")


def faults(models, action, body):
    """What is wrong with the body of the reply to `action`, a sentence each."""
    # Most bodies have a model of their own; some are one of the shared models.
    declared = inspect.signature(getattr(models, f"{action}Response").__init__).parameters["body"].annotation
    model = getattr(models, declared.rpartition(".")[2])().from_map(body)
    yield from dropped(action, body, model.to_map())
    yield from mistyped(action, model)


def dropped(where, sent, kept):
    """What the SDK's models have no place for."""
    if isinstance(sent, dict) and isinstance(kept, dict):
        for name, value in sent.items():
            if name in kept:
                yield from dropped(f"{where}.{name}", value, kept[name])
            else:
                yield f"{where}.{name} is unknown to the SDK"
    elif isinstance(sent, list) and isinstance(kept, list) and len(sent) == len(kept):
        for value, copy in zip(sent, kept):
            yield from dropped(f"{where}[]", value, copy)
    elif sent != kept:
        yield f"{where} is {sent!r}, of which the SDK makes {kept!r}"


def mistyped(where, model):
    """What has another type than the SDK declares."""
    for name, parameter in inspect.signature(type(model).__init__).parameters.items():
        value = getattr(model, name, None)
        if name != "self" and value is not None:
            yield from unlike(f"{where}.{name}", parameter.annotation, value)


def unlike(where, declared, value):
    listed, mapped = LIST.fullmatch(declared), DICT.fullmatch(declared)
    if listed and isinstance(value, list):
        for item in value:
            yield from unlike(f"{where}[]", listed[1], item)
    elif mapped and isinstance(value, dict):
        for item in value.values():
            yield from unlike(f"{where}{{}}", mapped[1], item)
    elif isinstance(value, DaraModel):
        yield from mistyped(where, value)
    elif not isinstance(value, TYPES.get(declared, ())) or (isinstance(value, bool) and declared in ("int", "float")):
        yield f"{where} is {type(value).__name__}, and the SDK declares {declared}"
