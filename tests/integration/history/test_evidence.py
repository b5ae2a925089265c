"""Evidence that holds: every changed byte and every cut tail is found, offline."""

from __future__ import annotations

import json
import random
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from driftguard.errors import InputError, StoreError
from driftguard.history.evidence import controls, export, verify
from driftguard.history.port import Attestation
from driftguard.history.store import SqlStore
from driftguard.model import (
    ComplianceType,
    FindingKind,
    FindingStatus,
    Gap,
    GapReason,
    PolicySummary,
    Report,
    Severity,
)
from tests.history_values import ACCOUNT, evaluation, finding, full_report, night, report, resource, snapshot


@pytest.fixture
def bundle(store: SqlStore, tmp_path: Path) -> tuple[Path, str]:
    store.audit("kim", "start", "x", {"n": 1})
    store.record(full_report(0), snapshot(0, resource("archive", {"Secretless": True}), resource("plain")))
    store.put_attestation(
        Attestation(
            id="a", framework="K-ISMS", control="1.1.1", actor="lee", at=night(0), statement="reviewed"
        )
    )
    target = tmp_path / "e.zip"
    return target, export(store, "K-ISMS", night(1), target, actor="kim", key=b"k" * 32)


def test_a_bundle_holds_what_an_auditor_asks_for(bundle: tuple[Path, str], store: SqlStore) -> None:
    path, seal = bundle
    assert verify(path) == verify(path, seal=seal, key=b"k" * 32) == []
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        found = {
            control["control"]: control["verdict"] for control in json.loads(archive.read("controls.json"))
        }
        states = [json.loads(line) for line in archive.read("resources.jsonl").splitlines()]
        coverage = json.loads(archive.read("coverage.json"))
    assert found == {"1.1.1": "ATTESTED", "2.9.3": "NON_COMPLIANT"}
    assert {state["key"]["identifier"] for state in states} == {"archive", "plain"}
    assert coverage["outcome"] == "PARTIAL" and coverage["gaps"][0]["action"] == "s3:ListAllMyBuckets"
    assert names >= {
        "waivers.json",
        "attestations.json",
        "policies.json",
        "audit.jsonl",
        "findings.jsonl",
        "seal.json",
    }
    last = store.audit_entries()[-1]
    assert (last.action, last.detail["seal"]) == ("evidence.export", seal)


def test_any_changed_byte_is_found(bundle: tuple[Path, str]) -> None:
    path, _ = bundle
    data = path.read_bytes()
    rng = random.Random(7)
    for position in {0, len(data) - 1, *(rng.randrange(len(data)) for _ in range(300))}:
        changed = bytearray(data)
        changed[position] ^= 1 << rng.randrange(8)
        path.write_bytes(bytes(changed))
        assert verify(path), f"byte {position}"
    path.write_bytes(data)
    assert verify(path) == []


def test_a_cut_tail_and_an_added_one_are_found(bundle: tuple[Path, str]) -> None:
    path, _ = bundle
    data = path.read_bytes()
    for cut in (1, 22, 100, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:-cut])
        assert verify(path), f"{cut} bytes"
    path.write_bytes(data + b"x")
    assert verify(path)


def test_a_rewritten_bundle_fails_against_the_seal_kept_elsewhere(
    bundle: tuple[Path, str], store: SqlStore, tmp_path: Path
) -> None:
    path, seal = bundle
    forged = tmp_path / "forged.zip"
    export(store, "K-ISMS", night(1), forged, actor="mallory", key=b"z" * 32)
    assert verify(forged) == []
    assert verify(forged, seal=seal) == ["the bundle is not the one whose seal was kept."]
    assert verify(forged, key=b"k" * 32) == ["the bundle was not sealed with this key."]
    assert verify(tmp_path / "none.zip")
    assert path.exists()


def test_without_a_run_or_a_framework_there_is_no_bundle(store: SqlStore, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no run"):
        export(store, "K-ISMS", night(1), tmp_path / "e.zip", actor="kim")
    store.record(full_report(0), snapshot(0))
    with pytest.raises(InputError, match="K-ISMS"):
        export(store, "PCI", night(1), tmp_path / "e.zip", actor="kim")
    assert not (tmp_path / "e.zip").exists()


def _report(*verdicts: ComplianceType) -> Report:
    policy = PolicySummary(
        id="VERSIONING",
        title="t",
        severity=Severity.LOW,
        resource_types=("AWS::S3::Bucket",),
        frameworks={"F": ("1.2", "1.10")},
    )
    listed = tuple(evaluation(f"b{n}", verdict) for n, verdict in enumerate(verdicts))
    return report(0, policies={"VERSIONING": policy}, evaluations=listed)


GAP = Gap(
    reason=GapReason.ACCESS_DENIED, account=ACCOUNT, region="us-east-1", detail="", type="AWS::S3::Bucket"
)
WAIVED = finding("b0", "VERSIONING", kind=FindingKind.COMPLIANCE, status=FindingStatus.SUPPRESSED, waiver="W")
C = ComplianceType


@pytest.mark.parametrize(
    ("value", "verdict"),
    [
        (_report(C.COMPLIANT, C.NOT_APPLICABLE), "COMPLIANT"),
        (_report(C.COMPLIANT, C.NON_COMPLIANT), "NON_COMPLIANT"),
        (_report(C.COMPLIANT, C.INSUFFICIENT_DATA), "INSUFFICIENT_DATA"),
        (_report(), "NOT_APPLICABLE"),
        (replace(_report(), gaps=(GAP,)), "INSUFFICIENT_DATA"),
        (replace(_report(C.NON_COMPLIANT, C.COMPLIANT), findings=(WAIVED,)), "WAIVED"),
        (replace(_report(C.NON_COMPLIANT, C.NON_COMPLIANT), findings=(WAIVED,)), "NON_COMPLIANT"),
    ],
)
def test_the_verdict_of_a_control(value: Report, verdict: str) -> None:
    found = controls(value, "f")
    assert [row["control"] for row in found] == ["1.2", "1.10"], "2 comes before 10"
    assert {row["verdict"] for row in found} == {verdict}
