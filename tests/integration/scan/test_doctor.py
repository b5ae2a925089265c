"""The doctor names each fault once, with its fix, and is short where all is well."""

from __future__ import annotations

import json
from pathlib import Path

from driftguard.sandbox import Sandbox
from tests.scanning import run, small_stack, variables


def lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line]


def test_a_place_where_all_is_well_is_one_line(sandbox_http: Sandbox, tmp_path: Path) -> None:
    small_stack(sandbox_http)
    code, out, err = run(tmp_path, variables(sandbox_http), "doctor")
    assert code == 0, err
    place = [line for line in lines(out) if "111111111111/" in line]
    assert place == [
        "OK 111111111111/ap-northeast-2 access, recorder, stacks, native drift, models, attribution"
    ]
    assert lines(out)[-1] == "Everything a scan needs is there."


def test_what_is_denied_is_one_line_with_every_missing_action(sandbox_http: Sandbox, tmp_path: Path) -> None:
    small_stack(sandbox_http)
    for service in ("cloudtrail", "cloudformation"):
        sandbox_http.faults.add("deny", service=service)
    code, out, _ = run(tmp_path, variables(sandbox_http), "doctor")
    assert code == 2
    [line] = [line for line in lines(out) if "111111111111/" in line]
    assert line.startswith("FAULT 111111111111/ap-northeast-2 permissions: not allowed: ")
    assert "cloudtrail:LookupEvents" in line and "cloudformation:DescribeStacks" in line
    assert "driftguard iam-policy" in line
    _, out, _ = run(tmp_path, variables(sandbox_http), "doctor", "--output", "json")
    told = json.loads(out)
    assert told["faults"] == 3
    assert {check["action"] for check in told["checks"] if check["health"] == "FAULT"} == {
        "cloudformation:DescribeStacks",
        "cloudformation:DescribeStackDriftDetectionStatus",
        "cloudtrail:LookupEvents",
    }


def test_what_the_recorder_leaves_out_is_a_warning(sandbox_http: Sandbox, tmp_path: Path) -> None:
    code, out, _ = run(tmp_path, variables(sandbox_http), "doctor")
    assert code == 0
    [line] = [line for line in lines(out) if "111111111111/" in line]
    assert line.startswith("WARNING") and "AWS Config is not set up here" in line


def test_what_the_settings_name_and_is_not_there_is_a_fault(sandbox_http: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("waivers: [{id: 1}]", encoding="utf-8")
    (tmp_path / "c.yaml").write_text(
        "policies: {folders: [nodir], waivers: [w.yaml, bad.yaml], frameworks: [K-ISMSS]}\n"
        "scan: {baselines: [b.yaml]}\n",
        encoding="utf-8",
    )
    given = variables(sandbox_http)
    code, out, err = run(tmp_path, given, "--config", "c.yaml", "doctor")
    assert code == 2, err
    told = [line for line in lines(out) if line.startswith("FAULT")]
    for says in (
        "`policies.folders` names nodir, and there is no such file or folder. Correct `policies.folders`.",
        "`policies.waivers` names w.yaml",
        "`scan.baselines` names b.yaml",
        "no policy belongs to a framework K-ISMSS. Frameworks: ",
        "bad.yaml:1",
    ):
        assert [line for line in told if says in line], out
    code, _, err = run(tmp_path, given, "--config", "c.yaml", "scan")
    assert code == 2 and "`policies.folders` names nodir" in err, err
