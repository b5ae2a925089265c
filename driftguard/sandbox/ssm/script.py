"""aws:executeScript: Python in a process of its own, which can reach the sandbox over loopback HTTP and no AWS."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from driftguard.sandbox.identity import directory
from driftguard.sandbox.server import Server
from driftguard.sandbox.ssm.execution import Execution, StepError, StoppedError

_HARNESS = """
import json, sys
job = json.load(sys.stdin)
space = {"__name__": "runbook"}
exec(compile(job["script"], "<script>", "exec"), space)
handler = space.get(job["handler"])
if handler is None:
    raise NameError("Handler " + job["handler"] + " is not defined")
result = handler(job["events"], job["context"])
with open(job["result"], "w") as out:
    json.dump(result, out, default=str)
"""


def run_script(run: Execution, *, runtime: str, script: str, handler: str, given: Any, timeout: int) -> Any:
    """What the handler returns; raises StepError with the script's own error, TimeoutError after `timeout` seconds."""
    if not runtime.lower().startswith("python3"):
        raise StepError(f"Runtime {runtime} is not simulated by the sandbox.")
    with tempfile.TemporaryDirectory(prefix="automation-") as folder:
        result = Path(folder) / "result.json"
        job = {
            "script": script,
            "handler": handler,
            "events": given,
            "context": {"global:ACCOUNT_ID": run.context.account, "global:REGION": run.context.region},
            "result": str(result),
        }
        errors = _process(run, job, folder, timeout)
        if not result.exists():
            raise StepError(_last_lines(errors))
        return json.loads(result.read_text("utf-8"))


def _process(run: Execution, job: dict[str, Any], folder: str, timeout: int) -> str:
    process = subprocess.Popen(  # noqa: S603 - a fixed command line; the script is what the sandbox is asked to run
        [sys.executable, "-c", _HARNESS],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=folder,
        env=_environment(run, folder),
        text=True,
    )
    given: str | None = json.dumps(job)
    left = float(timeout)
    try:
        while True:
            try:
                _, errors = process.communicate(given, timeout=0.2)
                return errors
            except subprocess.TimeoutExpired:
                given, left = None, left - 0.2
                if left <= 0:
                    raise TimeoutError from None
                run.pause(0)
    except (TimeoutError, StoppedError):
        process.kill()
        process.communicate()
        raise


def _environment(run: Execution, folder: str) -> dict[str, str]:
    issued = directory(run.context).issue(run.principal, lasts=dt.timedelta(hours=12))
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": folder,
        "PYTHONPATH": os.pathsep.join(
            path for path in sys.path if path and Path(path).name == "site-packages"
        ),
        "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_ENDPOINT_URL": endpoint(run),
        "AWS_ACCESS_KEY_ID": issued.access_key,
        "AWS_SECRET_ACCESS_KEY": issued.secret_key,
        "AWS_SESSION_TOKEN": issued.session_token or "",
        "AWS_DEFAULT_REGION": run.context.region,
        "AWS_REGION": run.context.region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
    }


def endpoint(run: Execution) -> str:
    """The loopback address of a server of this sandbox, started on first use."""
    kept = run.context.world.store("ssm.server", "", "")
    with run.context.world.lock:
        if "server" not in kept:
            gateway = getattr(run.context.world.clients, "__self__", None)
            if gateway is None:
                raise StepError("The sandbox has no gateway that a script could reach.")
            kept["server"] = Server(gateway)
    return str(kept["server"].url)


def _last_lines(errors: str) -> str:
    lines = [line for line in errors.strip().splitlines() if line.strip()]
    return "\n".join(lines[-6:]) or "The script ended without a result"
