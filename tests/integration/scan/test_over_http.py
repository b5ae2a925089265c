"""A scan in another process, over HTTP, with nothing but the standard AWS variables set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3

from driftguard.report.document import scan_document
from driftguard.sandbox import Sandbox
from driftguard.sandbox.estate import deploy, play
from driftguard.scan import scan
from driftguard.settings import load_settings
from driftguard.wiring import Wiring
from tests.scanning import REGION, run, start, variables


def verdict(document: Any) -> dict[str, Any]:
    """What a scan says, without who ran it and when."""
    kept = {name: document[name] for name in ("coverage", "outcome")}
    kept["drifts"] = sorted(
        json.dumps(
            [
                drift[name]
                for name in (
                    "account",
                    "region",
                    "stack",
                    "logical_id",
                    "physical_id",
                    "resource_type",
                    "status",
                    "differences",
                )
            ],
            sort_keys=True,
        )
        for drift in document["drifts"]
    )
    kept["findings"] = sorted(finding["fingerprint"] for finding in document["findings"])
    kept["gaps"] = sorted(json.dumps(gap, sort_keys=True, default=str) for gap in document["gaps"])
    return kept


def test_another_process_finds_the_same(sandbox_http: Sandbox, tmp_path: Path) -> None:
    deploy(sandbox_http)
    play(sandbox_http)
    code, out, err = run(tmp_path, variables(sandbox_http), "scan", "--output", "json")
    assert code == 1, err
    store = f"sqlite:///{tmp_path / 'here.db'}"
    settings = load_settings(None, {"DRIFTGUARD_STORE": store})
    here = sandbox_http.session(region=REGION)
    with Wiring(settings, session_factory=lambda: here) as wiring:
        inside = scan(wiring.job(trigger="test"))
    there = json.loads(out)
    assert any(drift["status"] == "MODIFIED" for drift in there["drifts"])
    assert verdict(there) == verdict(json.loads(json.dumps(scan_document(inside), default=str)))


def test_the_command_serves_the_estate(tmp_path: Path) -> None:
    with start(tmp_path, {}, "sandbox", "--port", "0") as process:
        try:
            assert process.stdout is not None
            address = next(line for line in process.stdout if "AWS_ENDPOINT_URL=" in line).partition("=")[2]
            client = boto3.client(
                "cloudformation",
                endpoint_url=address.strip(),
                region_name=REGION,
                aws_access_key_id="111111111111",
                aws_secret_access_key="sandbox",
            )
            stacks = client.describe_stacks()["Stacks"]
            assert stacks and {stack["StackStatus"] for stack in stacks} == {"CREATE_COMPLETE"}
        finally:
            process.terminate()
