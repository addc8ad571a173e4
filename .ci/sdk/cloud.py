"""The simulator as a process, and the official SDKs' clients for it."""

import contextlib
import json
import os
import re
import subprocess

from alibabacloud_aiworkspace20210204 import client as aiworkspace_client
from alibabacloud_aiworkspace20210204 import models as aiworkspace_models
from alibabacloud_pai_dlc20201203 import client as dlc_client
from alibabacloud_pai_dlc20201203 import models as dlc_models
from alibabacloud_tea_openapi.utils_models import Config
from darabonba.runtime import RuntimeOptions

import replies

REGION = "cn-hangzhou"
# docs/world.md names these.
KEY = ("redline-sim", "redline-sim-secret", None)
SESSION = ("STS.redline-sim", "redline-sim-sts-secret", "redline-sim-token")
MODELS = {"dlc": dlc_models, "aiworkspace": aiworkspace_models}
CLIENTS = {"dlc": dlc_client.Client, "aiworkspace": aiworkspace_client.Client}
AGENTS = {
    "dlc": "AlibabaCloud-Agent-Skills/alibabacloud-pai-dlc-job",
    "aiworkspace": "AlibabaCloud-Agent-Skills",
}
RUNTIME = RuntimeOptions(autoretry=False, connect_timeout=10_000, read_timeout=30_000)


class Surprise(Exception):
    """Something else came than was expected."""


def expect(what, expected, got):
    if expected != got:
        raise Surprise(f"{what}: expected {expected!r}, got {got!r}")


@contextlib.contextmanager
def simulator(binary, environment, *flags):
    """A simulator that listens on loopback until the block ends: its address as `host:port`, and its process."""
    command = [binary, "sim", "--listen", "127.0.0.1:0", "--region", REGION, *flags]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
    try:
        line = process.stdout.readline()
        listening = re.fullmatch(r"listening on http://(127\.0\.0\.1:\d+)\n", line)
        if not listening:
            raise Surprise(f"the simulator said {line!r}")
        yield listening.group(1), process
    finally:
        process.terminate()
        process.wait(timeout=20)


def client(cloud, address, key=KEY, **settings):
    """The official client of `dlc` or `aiworkspace`, sending to `address`. It looks at each reply."""

    class Client(CLIENTS[cloud]):
        def call_api(self, params, request, runtime):
            answer = super().call_api(params, request, runtime)
            faults = sorted(set(replies.faults(MODELS[cloud], params.action, answer["body"])))
            expect(f"what is wrong with the reply to {params.action}", [], faults)
            return answer

    access_key_id, access_key_secret, security_token = key
    config = Config(
        access_key_id=access_key_id,
        access_key_secret=access_key_secret,
        security_token=security_token,
        endpoint=address,
        protocol="http",
        region_id=REGION,
        user_agent=AGENTS[cloud],
        **settings,
    )
    return Client(config)


def call(binary, home, address, tool, arguments, *flags, key=KEY):
    """`redline-mcp call`, sending to `address`: its exit code and what it printed."""
    access_key_id, access_key_secret, security_token = key
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": home,
        "XDG_STATE_HOME": home,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": access_key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": access_key_secret,
    }
    if security_token:
        environment["ALIBABA_CLOUD_SECURITY_TOKEN"] = security_token
    command = [binary, "call", tool, "-", "--json", "--cloud", "live", "--region", REGION, *flags]
    for name in ("pai-dlc", "aiworkspace"):
        command += ["--endpoint", f"{name}=http://{address}"]
    done = subprocess.run(
        command, input=json.dumps(arguments), env=environment, capture_output=True, text=True, timeout=120
    )
    return done.returncode, done.stdout + done.stderr
