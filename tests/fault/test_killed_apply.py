"""`driftguard remediate apply` killed with -9 and typed again: nothing is started twice, everything is accounted for."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from driftguard.sandbox import Sandbox
from tests.remediation_shop import Shop
from tests.remediation_world import World

ROOT = Path(__file__).parents[2]


def test_the_command_is_killed_and_typed_again(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    world = World(sandbox, tmp_path, policies=("SNS_ENCRYPTED_KMS",), verify_minutes=0)
    world.set_up()
    shop = Shop(world, monkeypatch)
    plan = shop.plan()
    shop.run("remediate", "approve", "plan.json", "--reason", "agreed", who="kim")
    sandbox.serve(0)

    def apply(module: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", module, "--config", shop.config, "remediate", "apply", "plan.json",
             "--output", "json"],
            env={**os.environ, **sandbox.environment(account="111111111111"), "PYTHONPATH": str(ROOT)},
            cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    try:
        killed = apply("tests.fault.killed_apply")
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        with world.wiring() as wiring:
            known = Counter(one.status.value for one in wiring.store.executions(plan["id"]))
        assert known["PENDING"] == 1  # it runs in SSM, and nobody has written so
        again = apply("driftguard")
    finally:
        sandbox.close()
    assert again.returncode == 0, again.stderr
    rows = json.loads(again.stdout)["executions"]
    assert [row["step"] for row in rows] == [step["id"] for step in plan["steps"]]
    assert {row["status"] for row in rows} == {"VERIFIED"}
    started = [name for _, name in shop.mutations() if name == "StartAutomationExecution"]
    ran = world.client("ssm").describe_automation_executions()["AutomationExecutionMetadataList"]
    assert len(ran) == len(started) == 1
    assert len(plan["steps"]) == 2
