"""Evidence that holds: every changed byte and every cut tail is found, offline."""

from __future__ import annotations

import hashlib
import json
import random
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from driftguard.errors import InputError, StoreError
from driftguard.history.codec import from_iso
from driftguard.history.controls import controls
from driftguard.history.evidence import FILES, _json, _pack, export, verify
from driftguard.history.kept import AuditEntry
from driftguard.history.port import Attestation
from driftguard.history.store import SqlStore
from driftguard.history.tables.audit import START, chain
from driftguard.model import (
    ComplianceType,
    FindingKind,
    FindingStatus,
    Gap,
    GapReason,
    PolicySummary,
    Report,
    Severity,
    Waiver,
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


def _forged(path: Path, target: Path, files: dict[str, bytes]) -> Path:
    """The bundle ``path`` with other ``files``, manifest and seal made anew as anybody could."""
    with zipfile.ZipFile(path) as archive:
        held = {name: archive.read(name) for name in archive.namelist()} | files
    manifest = json.loads(held["manifest.json"])
    for entry in manifest["files"]:
        data = held[entry["name"]]
        entry |= {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    held["manifest.json"] = _json(manifest)
    held["seal.json"] = _json({"manifest_sha256": hashlib.sha256(held["manifest.json"]).hexdigest()})
    target.write_bytes(_pack(held))
    return target


def test_a_swapped_file_is_found(bundle: tuple[Path, str], tmp_path: Path) -> None:
    path, seal = bundle
    with zipfile.ZipFile(path) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    swapped = tmp_path / "swapped.zip"
    swapped.write_bytes(_pack(held | {"resources.jsonl": held["findings.jsonl"]}))
    assert verify(swapped) == ["resources.jsonl was changed."]
    resealed = _forged(path, tmp_path / "resealed.zip", {"resources.jsonl": held["findings.jsonl"]})
    assert verify(resealed, seal=seal) and verify(resealed, key=b"k" * 32)


def test_whatever_is_wrong_is_named(bundle: tuple[Path, str], tmp_path: Path) -> None:
    """However a bundle was made or damaged, there is a sentence about it, and never a traceback."""
    path, _ = bundle
    with zipfile.ZipFile(path) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
        listed = json.loads(held["manifest.json"])["files"]
    assert FILES | {"manifest.json", "seal.json"} == held.keys()
    target = tmp_path / "forged.zip"
    for nonsense in (b"nonsense\n", b"[1]\n", b'{"at": 1}\n', b"\xff\n"):
        assert verify(_forged(path, target, {"audit.jsonl": nonsense})) == [
            "line 1 of the audit log is no entry."
        ]
    for wrong in ({"files": None}, {"files": [{}]}, {"files": ["x"]}, {"files": {"a": 1}}, {"files": 5}):
        bad = held | {"manifest.json": _json(json.loads(held["manifest.json"]) | wrong)}
        bad["seal.json"] = _json({"manifest_sha256": hashlib.sha256(bad["manifest.json"]).hexdigest()})
        target.write_bytes(_pack(bad))
        assert verify(target) == ["the manifest does not say which files there are."]
    for name in sorted(FILES):
        fewer = {file: data for file, data in held.items() if file != name}
        manifest = json.loads(held["manifest.json"])
        manifest["files"] = [entry for entry in listed if entry["name"] != name]
        fewer["manifest.json"] = _json(manifest)
        fewer["seal.json"] = _json({"manifest_sha256": hashlib.sha256(fewer["manifest.json"]).hexdigest()})
        target.write_bytes(_pack(fewer))
        assert verify(target) == [f"{name} is missing."]
    for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with zipfile.ZipFile(target, "w", method) as archive:
            for name, data in held.items():
                archive.writestr(name, data)
        packed = target.read_bytes()
        assert verify(target) == ["the file around the contents was changed."]
        for position in range(60, len(packed), 97):
            damaged = bytearray(packed)
            damaged[position] ^= 0xFF
            target.write_bytes(bytes(damaged))
            assert verify(target), f"byte {position}"


def test_an_audit_log_that_was_chained_anew_is_found(
    bundle: tuple[Path, str], store: SqlStore, tmp_path: Path
) -> None:
    path, seal = bundle
    with zipfile.ZipFile(path) as archive:
        entries = [json.loads(line) for line in archive.read("audit.jsonl").splitlines()]
    entries[0]["actor"] = "mallory"
    changed = b"".join(json.dumps(entry).encode() + b"\n" for entry in entries)
    assert any(
        "audit log" in fault for fault in verify(_forged(path, tmp_path / "a", {"audit.jsonl": changed}))
    )
    before = START
    for entry in entries:
        body = {name: value for name, value in entry.items() if name != "digest"}
        moment = from_iso(body.pop("at"))
        entry["digest"] = before = chain(before, AuditEntry(**body, at=moment, digest=""))
    chained = b"".join(json.dumps(entry).encode() + b"\n" for entry in entries)
    forged = _forged(path, tmp_path / "b", {"audit.jsonl": chained})
    assert verify(forged) == [], "nothing inside can tell: that is what the seal and the key are for"
    assert verify(forged, seal=seal) and verify(forged, key=b"k" * 32)


def test_evidence_of_the_past_is_the_state_of_then(store: SqlStore, tmp_path: Path) -> None:
    waiver = Waiver(id="W-1", reason="r", owner="o", approver="a", created_at=night(0), expires_at=night(99))
    later = replace(waiver, id="W-2", created_at=night(4))
    store.put_waiver(waiver, actor="kim")
    store.record(full_report(0), snapshot(0, resource("archive", {"A": "then"}), resource("plain")))
    fine = replace(
        full_report(5), evaluations=(evaluation("archive", ComplianceType.COMPLIANT),), findings=()
    )
    store.record(fine, snapshot(5, resource("archive", {"A": "now"}), resource("plain")))
    store.remove_waiver("W-1", actor="kim")  # today, which is after both moments
    store.put_waiver(later, actor="kim")

    def exported(at: float) -> tuple[str, dict[str, Any], set[tuple[str, str]]]:
        target = tmp_path / f"{at}.zip"
        export(store, "K-ISMS", night(at), target, actor="kim")
        with zipfile.ZipFile(target) as archive:
            [control] = [
                row for row in json.loads(archive.read("controls.json")) if row["control"] == "2.9.3"
            ]
            states = [json.loads(line) for line in archive.read("resources.jsonl").splitlines()]
            waivers = {(row["id"], row["source"]) for row in json.loads(archive.read("waivers.json"))}
        held = next(row for row in states if row["key"]["identifier"] == "archive")
        return control["verdict"], held["properties"], waivers

    file, first, second = ("W-file", "waivers.yaml:2"), ("W-1", "the store"), ("W-2", "the store")
    assert exported(2) == ("NON_COMPLIANT", {"A": "then"}, {file, first})
    assert exported(6) == ("COMPLIANT", {"A": "now"}, {file, first, second}), "what the run of then went by"
    assert exported(99)[2] == {file}, "what is over is not listed"
    assert [one.id for one in store.waivers()] == ["W-2"]


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
