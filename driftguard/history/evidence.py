"""Evidence: one framework at one date, in one file that shows whether it was touched.

The bundle is a zip without compression, written so that the same contents are always the same bytes.
``manifest.json`` names every file with its SHA-256, ``seal.json`` the manifest's own (with an HMAC if the
installation's key is given).  The seal is also written to the store's audit log, and should be kept
somewhere else too: against somebody who rewrites the whole bundle only an anchor outside helps.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from driftguard import __version__
from driftguard.errors import InputError, StoreError
from driftguard.history.codec import encode, from_iso, iso
from driftguard.history.port import Attestation, AuditEntry, Query, Store
from driftguard.history.tables.audit import START, broken
from driftguard.model import ComplianceType, Evaluation, FindingKind, FindingStatus, Json, Report, ResourceKey
from driftguard.rules.frameworks import ControlFile, Framework

FORMAT = "driftguard-evidence/1"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_README = """Evidence bundle of driftguard.

controls.json      every control of the framework with its verdict, policies, attestations and waivers
evaluations.jsonl  every verdict that the controls rest on
resources.jsonl    the state of every judged resource, as AWS reported it (secrets replaced by keyed tags)
findings.jsonl     the open, accepted and resolved findings of the run
coverage.json      what the run looked at, and every gap
waivers.json       what was accepted: in the store, and in files and templates as the run found it (`source`
                   names the place; of one id, the waiver of a file counts and not the store's)
attestations.json, policies.json
audit.jsonl        the audit log up to the export, each entry chained to the one before
manifest.json      the SHA-256 of every file;  seal.json  the SHA-256 of the manifest

`driftguard evidence verify FILE` checks all of it without a network.
"""


def export(
    store: Store,
    framework: str,
    at: datetime,
    target: Path,
    *,
    actor: str,
    key: bytes | None = None,
    listed: Framework | None = None,
) -> str:
    """Write the bundle of ``framework`` as of ``at`` to ``target``; answers its seal (SHA-256, hex).

    ``listed`` is the framework itself: with it the bundle names every control, those too that people have to
    judge and those that no policy of the run answered.  Rests on the newest run that had succeeded by then.  Raises `StoreError` when there is none, `InputError`
    when no policy of that run belongs to the framework.
    """
    runs = store.runs(Query(at=at, statuses=("SUCCEEDED",), limit=1)).items
    report = store.report(runs[0].id) if runs else None
    if report is None:
        raise StoreError(
            f"no run had succeeded by {at:%Y-%m-%d %H:%M} UTC.",
            fix="`driftguard scan`, or name a later date.",
        )
    files = _files(store, report, framework, at, listed)
    manifest = _json(
        {
            "format": FORMAT,
            "framework": framework,
            "at": iso(at),
            "created_at": iso(datetime.now(UTC)),
            "created_by": actor,
            "run": report.run.id,
            "tool_version": __version__,
            "run_tool_version": report.run.tool_version,
            "policy_version": report.run.policy_version,
            "files": [
                {"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
                for name, data in sorted(files.items())
            ],
        }
    )
    seal = hashlib.sha256(manifest).hexdigest()
    sealed: dict[str, str] = {"manifest_sha256": seal}
    if key is not None:
        sealed["hmac"] = hmac.new(key, manifest, hashlib.sha256).hexdigest()
    bundle = _pack({**files, "manifest.json": manifest, "seal.json": _json(sealed)})
    target.write_bytes(bundle)
    store.audit(actor, "evidence.export", framework, {"at": iso(at), "run": report.run.id, "seal": seal})
    return seal


def verify(bundle: Path, *, seal: str | None = None, key: bytes | None = None) -> list[str]:
    """Every fault of a bundle, one sentence each; empty if it is whole.  Needs no network and no store.

    ``seal`` is the anchor kept elsewhere, ``key`` the installation's key for the HMAC.
    """
    try:
        data = bundle.read_bytes()
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
    except (OSError, zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, RuntimeError) as error:
        return [f"{bundle.name} is no whole bundle ({error}): it was cut or changed."]
    manifest_raw, seal_raw = files.get("manifest.json"), files.get("seal.json")
    if manifest_raw is None or seal_raw is None:
        return [f"{bundle.name} has no manifest or no seal."]
    try:
        manifest, sealed = orjson.loads(manifest_raw), orjson.loads(seal_raw)
    except orjson.JSONDecodeError:
        return ["the manifest or the seal was changed: it is not JSON."]
    faults = _seal_faults(manifest_raw, sealed, seal, key) + _file_faults(files, manifest)
    if not faults:
        faults += _audit_faults(files["audit.jsonl"])
    if not faults and _pack(files) != data:
        faults.append("the file around the contents was changed.")
    return faults


def _seal_faults(manifest: bytes, sealed: Json, seal: str | None, key: bytes | None) -> list[str]:
    faults = []
    found = hashlib.sha256(manifest).hexdigest()
    if not isinstance(sealed, dict) or sealed.get("manifest_sha256") != found:
        faults.append("the manifest does not match its seal.")
    if seal is not None and seal != found:
        faults.append("the bundle is not the one whose seal was kept.")
    if key is not None:
        wanted = hmac.new(key, manifest, hashlib.sha256).hexdigest()
        given = sealed.get("hmac", "") if isinstance(sealed, dict) else ""
        if not hmac.compare_digest(wanted, str(given)):
            faults.append("the bundle was not sealed with this key.")
    return faults


def _file_faults(files: Mapping[str, bytes], manifest: Json) -> list[str]:
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        return ["the manifest is of another format."]
    listed = {entry["name"]: entry for entry in manifest["files"]}
    faults = [f"{name} is missing." for name in listed if name not in files]
    for name, data in files.items():
        if name in ("manifest.json", "seal.json"):
            continue
        if name not in listed:
            faults.append(f"{name} is not in the manifest.")
        elif hashlib.sha256(data).hexdigest() != listed[name]["sha256"]:
            faults.append(f"{name} was changed.")
    return faults


def _audit_faults(raw: bytes) -> list[str]:
    entries = []
    for line in raw.splitlines():
        row = orjson.loads(line)
        entries.append(AuditEntry(**{**row, "at": from_iso(row["at"])}))
    fault = broken(entries, START)
    return [] if fault is None else [f"the audit log is broken at entry {fault}."]


def _pack(files: Mapping[str, bytes]) -> bytes:
    """The one zip file of ``files``: sorted, stored, without a clock."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system, info.external_attr = 3, 0o644 << 16
            archive.writestr(info, files[name])
    return out.getvalue()


def _json(value: Json) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"


def _lines(rows: Iterable[Json]) -> bytes:
    return b"".join(orjson.dumps(row, option=orjson.OPT_SORT_KEYS) + b"\n" for row in rows)


def _files(
    store: Store, report: Report, framework: str, at: datetime, listed: Framework | None
) -> dict[str, bytes]:
    policies = {
        policy.id: policy
        for policy in report.policies.values()
        if any(name.lower() == framework.lower() for name in policy.frameworks)
    }
    if not policies:
        known = sorted({name for policy in report.policies.values() for name in policy.frameworks})
        raise InputError(
            f"no policy of the run {report.run.id} belongs to `{framework}`.",
            fix=f"Known: {', '.join(known) or 'none'}.",
        )
    evaluations = [e for e in report.evaluations if e.policy in policies]
    taken = report.run.finished_at or at
    states = _states(store, {evaluation.key for evaluation in evaluations}, taken)
    attestations = [a for a in store.attestations(framework) if a.at <= at and a.holds(at)]
    findings = [*report.findings, *report.resolved]
    return {
        "README.txt": _README.encode(),
        "controls.json": _json(controls(report, framework, attestations, listed)),
        "evaluations.jsonl": _lines(encode(evaluation) for evaluation in evaluations),
        "resources.jsonl": _lines(states),
        "findings.jsonl": _lines(encode(finding) for finding in findings),
        "coverage.json": _json(
            {
                "run": encode(report.run),
                "outcome": report.outcome.value,
                "coverage": encode(report.coverage),
                "gaps": [encode(gap) for gap in report.gaps],
            }
        ),
        "waivers.json": _json(_waivers(store, report, at)),
        "attestations.json": _json([encode(attestation) for attestation in attestations]),
        "policies.json": _json([encode(policy) for policy in policies.values()]),
        "audit.jsonl": _lines(_audit(store)),
    }


def _waivers(store: Store, report: Report, at: datetime) -> Json:
    """Those of the store at ``at``, and those of files and templates that the run went by, which still hold."""
    stored = (replace(waiver, source="the store") for waiver in store.waivers(at))
    listed = sorted((*stored, *report.waivers), key=lambda waiver: (waiver.id, waiver.source))
    return [encode(waiver) for waiver in listed if waiver.expires_at > at]


def _states(store: Store, keys: set[ResourceKey], at: datetime) -> Iterable[Json]:
    for key in sorted(keys):
        resource = store.resource(key, at)  # and never its state of today: that is no evidence of then
        yield encode(resource) if resource is not None else {"key": encode(key), "state": "not in the store"}


def _audit(store: Store) -> Iterable[Json]:
    after = 0
    while entries := store.audit_entries(after):
        for entry in entries:
            yield encode(entry)
        after = entries[-1].sequence


def controls(
    report: Report,
    framework: str,
    attestations: Iterable[Attestation] = (),
    listed: Framework | None = None,
) -> list[Json]:
    """Every control of ``framework`` with its verdict and what it rests on."""
    known = {control.id: control for control in listed.controls} if listed is not None else {}
    of_control: dict[str, list[str]] = defaultdict(list)
    for policy in report.policies.values():
        for name, ids in policy.frameworks.items():
            if name.lower() == framework.lower():
                for control in ids:
                    of_control[control].append(policy.id)
    attested: dict[str, list[Attestation]] = defaultdict(list)
    for attestation in attestations:
        attested[attestation.control].append(attestation)
    verdicts: dict[str, list[Evaluation]] = defaultdict(list)
    for evaluation in report.evaluations:
        verdicts[evaluation.policy].append(evaluation)
    waived = {
        (finding.key, finding.subject): finding.waiver
        for finding in report.findings
        if finding.kind is FindingKind.COMPLIANCE and finding.status is FindingStatus.SUPPRESSED
    }
    result = []
    for control in sorted(of_control.keys() | attested.keys() | known.keys(), key=_natural):
        rows = [
            _policy_row(policy, verdicts[policy], waived, _unseen(report, policy))
            for policy in sorted(of_control[control])
        ]
        result.append(
            {
                "control": control,
                "title": known[control].title if control in known else "",
                "verdict": _verdict(
                    [row["verdict"] for row in rows], bool(attested[control]), known.get(control)
                ),
                "policies": rows,
                "attestations": [encode(attestation) for attestation in attested[control]],
            }
        )
    return result


def _unseen(report: Report, policy: str) -> int:
    """How many gaps may hide resources that ``policy`` judges."""
    types = report.policies[policy].resource_types
    return sum(gap.path is None and (gap.type is None or gap.type in types) for gap in report.gaps)


def _policy_row(
    policy: str,
    evaluations: list[Evaluation],
    waived: Mapping[tuple[ResourceKey, str], str | None],
    unseen: int,
) -> dict[str, Any]:
    failing = [e for e in evaluations if e.compliance is ComplianceType.NON_COMPLIANT]
    accepted = [e for e in failing if (e.key, policy) in waived]
    counts = {kind.value: sum(e.compliance is kind for e in evaluations) for kind in ComplianceType}
    if len(failing) > len(accepted):
        verdict = "NON_COMPLIANT"
    elif counts["INSUFFICIENT_DATA"]:
        verdict = "INSUFFICIENT_DATA"
    elif accepted:
        verdict = "WAIVED"
    else:
        # Nothing found where something could not be looked at is no verdict.
        empty = "INSUFFICIENT_DATA" if unseen else "NOT_APPLICABLE"
        verdict = "COMPLIANT" if counts["COMPLIANT"] else empty
    return {
        "policy": policy,
        "verdict": verdict,
        "counts": counts,
        "gaps": unseen,
        "failing": [str(e.key) for e in failing if (e.key, policy) not in waived],
        "waived": [{"resource": str(e.key), "waiver": waived[(e.key, policy)]} for e in accepted],
    }


def _verdict(verdicts: list[str], attested: bool, control: ControlFile | None = None) -> str:
    """The worst verdict of a control's policies; a person's word counts where no machine judges.

    NOT_ATTESTED: people have to judge it, and nobody did.
    """
    for word in ("NON_COMPLIANT", "INSUFFICIENT_DATA", "WAIVED", "COMPLIANT"):
        if word in verdicts:
            return word
    if attested:
        return "ATTESTED"
    if control is not None and not verdicts:
        return "INSUFFICIENT_DATA" if control.policies else "NOT_ATTESTED"
    return "NOT_APPLICABLE"


def _natural(control: str) -> tuple[Any, ...]:
    return tuple((int(part), "") if part.isdigit() else (10**9, part) for part in control.split("."))
