"""What a run comes to: whether the state is what was told of it, and whether memory stayed flat."""

import collections
import json
import pathlib
import re
import subprocess


class Surprise(Exception):
    """Something else came than was expected."""


def expect(what, expected, got):
    if expected != got:
        raise Surprise(f"{what}: expected {expected!r}, got {got!r}")


# Of each so many calls one. The numbers are prime, so that the faults fall on calls of every kind.
FAULTS = [
    (97, {"fault": "server-error", "status": 500}),
    (101, {"fault": "server-error", "status": 503, "committed": True}),
    (107, {"fault": "lost-reply"}),
    (109, {"fault": "truncated-body"}),
    (113, {"fault": "malformed-json"}),
    (127, {"fault": "wrong-content-type"}),
    (131, {"fault": "huge-body", "bytes": 100_000}),
]
# PyroMind counts a pause in whole seconds, and all calls to a host that asks for one wait.
PAUSES = (499, {"fault": "throttled", "retry_after_ms": 20})
# In process these are told at once; over HTTP somebody really waits.
SLOW_FAULTS = [
    (103, {"fault": "timeout"}),
    (137, {"fault": "timeout-after-commit"}),
    (139, {"fault": "slow", "seconds": 1}),
    (149, {"fault": "huge-body", "bytes": 33_554_432}),
]


def faults(slow_factor):
    """The faults of a run, as --faults takes them; what really waits comes so much more seldom."""
    entries = [{"tool": "*", "every": every, **fault} for every, fault in [*FAULTS, PAUSES]]
    return entries + [{"tool": "*", "every": every * slow_factor, **fault} for every, fault in SLOW_FAULTS]


class Account:
    """How often each thing was certainly done, and how often it may have been."""

    def __init__(self):
        self.done = collections.Counter()
        self.may = collections.Counter()
        self.never = set()

    def tell(self, thing, told):
        """`told` is "done", "may" or "not"."""
        if told == "not":
            self.never.add(thing)
        else:
            getattr(self, told)[thing] += 1

    def compare(self, found, least_changes):
        """`found` counts the things of the state that weren't there at the start."""
        if sum(self.done.values()) < least_changes or not self.may:
            raise Surprise(f"hardly anything happened: {sum(self.done.values())} changes, {sum(self.may.values())} perhaps")
        things = set(self.done) | set(self.may) | self.never
        expect("things that nobody told of", set(), set(found) - things)
        for thing in things:
            least, most = self.done[thing], self.done[thing] + self.may[thing]
            if not least <= found[thing] <= most:
                raise Surprise(f"{thing}: {least} to {most} times by the account, {found[thing]} times in the state")
        may = sum(self.may.values())
        never = len(self.never - set(self.done) - set(self.may))
        return f"{sum(self.done.values())} changes told as done, {may} as perhaps done, {never} as not done"


class Memory:
    """The resident memory of a process, in MiB; nothing where the system doesn't tell."""

    def __init__(self, process):
        self.status = pathlib.Path(f"/proc/{process.pid}/status")
        self.samples = []

    def sample(self):
        if self.status.exists():
            found = re.search(r"VmRSS:\s+(\d+) kB", self.status.read_text(encoding="ascii"))
            if found:
                self.samples.append(int(found.group(1)) / 1024)

    def judge(self, bound):
        """What the second half of the samples holds more than the middle must stay below `bound`."""
        if not self.samples:
            return "memory isn't told here"
        middle = len(self.samples) // 2
        first, second = max(self.samples[: middle + 1]), max(self.samples[middle:])
        if second - first > bound:
            raise Surprise(f"memory grew from {first:.1f} to {second:.1f} MiB in the second half of the calls")
        return f"resident {self.samples[0]:.1f} MiB at the start, at most {first:.1f} in the first half, {second:.1f} in the second"


def state(path):
    return json.loads(path.read_text(encoding="utf-8"))


def verified(binary, environment, record):
    """`audit verify` finds the record whole."""
    done = subprocess.run([binary, "audit", "verify", str(record)], env=environment, capture_output=True, text=True)
    expect(f"exit code of audit verify, which said {done.stdout + done.stderr}", 0, done.returncode)
