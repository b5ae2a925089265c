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
import lzma
import struct
import zipfile
import zlib
from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import orjson

from driftguard import __version__
from driftguard.errors import InputError, StoreError
from driftguard.history.codec import encode, from_iso, iso
from driftguard.history.controls import controls
from driftguard.history.kept import AuditEntry
from driftguard.history.port import Store
from driftguard.history.standing import Standing, standing, subject
from driftguard.history.tables.audit import START, broken
from driftguard.model import (
    FindingStatus,
    Gap,
    GapReason,
    Json,
    Outcome,
    PolicySummary,
    Report,
    ResourceKey,
    Waiver,
)
from driftguard.rules.frameworks import Framework

FORMAT = "driftguard-evidence/1"
FILES = frozenset(
    {
        "README.txt",
        "attestations.json",
        "audit.jsonl",
        "controls.json",
        "coverage.json",
        "evaluations.jsonl",
        "findings.jsonl",
        "policies.json",
        "resources.jsonl",
        "waivers.json",
    }
)
"""What every bundle holds, beside the manifest and the seal."""
_UNREADABLE = (
    OSError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    ValueError,
    EOFError,
    NotImplementedError,
    RuntimeError,
)
"""What reading a damaged zip file raises."""
_EPOCH = (1980, 1, 1, 0, 0, 0)
_README = """Evidence bundle of driftguard.

controls.json      every control of the framework with its verdict, policies, attestations and waivers
evaluations.jsonl  every verdict that the controls rest on
resources.jsonl    the state of every judged resource, as AWS reported it (secrets replaced by keyed tags)
findings.jsonl     the open, accepted and resolved findings
coverage.json      the runs that all of this rests on and what each looked at (`over_everything`: the one that the
                   others add to, null if there never was one), and every gap that they leave
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
    judge and those that no policy answered.  Rests on what was known by then (`standing`): the newest run over
    everything that had succeeded, and those over parts since.  From now on retention keeps all of it.  Raises
    `StoreError` when there is none or retention has been there before, `InputError` when no policy of those runs
    belongs to the framework.
    """
    known = standing(store, at)
    if known is None:
        raise StoreError(
            f"no run had succeeded by {at:%Y-%m-%d %H:%M} UTC.",
            fix="`driftguard scan`, or name a later date.",
        )
    _refuse_forgotten(known, at)
    files = _files(store, known, framework, at, listed)
    manifest = _manifest(known, framework, at, actor, files)
    seal = hashlib.sha256(manifest).hexdigest()
    sealed: dict[str, str] = {"manifest_sha256": seal}
    if key is not None:
        sealed["hmac"] = hmac.new(key, manifest, hashlib.sha256).hexdigest()
    bundle = _pack({**files, "manifest.json": manifest, "seal.json": _json(sealed)})
    target.write_bytes(bundle)
    _pin(store, known, framework, at)
    rests = {"run": known.report.run.id, "runs": [run.id for run in known.runs]}
    store.audit(actor, "evidence.export", framework, {"at": iso(at), **rests, "seal": seal})
    return seal


def _refuse_forgotten(known: Standing, at: datetime) -> None:
    """A verdict that is gone looks like one that never was: rather no evidence than that."""
    lost = [run for run in known.runs if run.forgotten is not None and run.forgotten > at]
    if lost:
        raise StoreError(
            f"what was known at {at:%Y-%m-%d %H:%M} UTC is forgotten: retention took verdicts of the run "
            f"{lost[-1].id}, and no evidence had been exported of it before.",
            fix="Name a later date, or take it from a backup of the store (`store restore`).",
        )


def _pin(store: Store, known: Standing, framework: str, at: datetime) -> None:
    """Keep from retention what the bundle was made of, so that it can be made again."""
    store.pin(at, (), [run.id for run in known.runs])
    policies = _policies(known.report, framework)
    moments: dict[datetime, list[ResourceKey]] = {}
    for key, moment in _judged(known, policies, at).items():
        moments.setdefault(moment, []).append(key)
    for moment, keys in moments.items():
        store.pin(moment, keys)


def _manifest(known: Standing, framework: str, at: datetime, actor: str, files: Mapping[str, bytes]) -> bytes:
    run = known.report.run
    return _json(
        {
            "format": FORMAT,
            "framework": framework,
            "at": iso(at),
            "created_at": iso(datetime.now(UTC)),
            "created_by": actor,
            "run": run.id,
            "runs": [one.id for one in known.runs],
            "tool_version": __version__,
            "run_tool_version": run.tool_version,
            "policy_version": run.policy_version,
            "files": [
                {"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
                for name, data in sorted(files.items())
            ],
        }
    )


def verify(bundle: Path, *, seal: str | None = None, key: bytes | None = None) -> list[str]:
    """Every fault of a bundle, one sentence each; empty if it is whole.  Needs no network and no store.

    ``seal`` is the anchor kept elsewhere, ``key`` the installation's key for the HMAC.
    """
    try:
        data = bundle.read_bytes()
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
    except _UNREADABLE as error:
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
    try:
        listed = {str(entry["name"]): entry["sha256"] for entry in manifest["files"]}
    except (KeyError, TypeError):
        return ["the manifest does not say which files there are."]
    faults = [f"{name} is missing." for name in sorted(FILES | listed.keys()) if name not in files]
    for name, data in files.items():
        if name in ("manifest.json", "seal.json"):
            continue
        if name not in listed:
            faults.append(f"{name} is not in the manifest.")
        elif hashlib.sha256(data).hexdigest() != listed[name]:
            faults.append(f"{name} was changed.")
    return faults


def _audit_faults(raw: bytes) -> list[str]:
    entries = []
    for number, line in enumerate(raw.splitlines(), 1):
        try:
            row = orjson.loads(line)
            entries.append(AuditEntry(**{**row, "at": from_iso(row["at"])}))
        except (AttributeError, KeyError, TypeError, ValueError):
            return [f"line {number} of the audit log is no entry."]
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
    store: Store, known: Standing, framework: str, at: datetime, listed: Framework | None
) -> dict[str, bytes]:
    report = _with_the_unseen(known)
    policies = _policies(report, framework)
    if not policies:
        names = sorted({name for policy in report.policies.values() for name in policy.frameworks})
        raise InputError(
            f"no policy of the run {report.run.id} belongs to `{framework}`.",
            fix=f"Known: {', '.join(names) or 'none'}.",
        )
    evaluations = [e for e in report.evaluations if e.policy in policies]
    states = _states(store, _judged(known, policies, at))
    attestations = [a for a in store.attestations(framework) if a.at <= at and a.holds(at)]
    waivers = _waivers(store, report, at)
    findings = [*report.findings, *report.resolved]
    return {
        "README.txt": _README.encode(),
        "controls.json": _json(controls(_accepted(report, waivers), framework, attestations, listed)),
        "evaluations.jsonl": _lines(encode(evaluation) for evaluation in evaluations),
        "resources.jsonl": _lines(states),
        "findings.jsonl": _lines(encode(finding) for finding in findings),
        "coverage.json": _json(_coverage(known, report)),
        "waivers.json": _json([encode(waiver) for waiver in waivers]),
        "attestations.json": _json([encode(attestation) for attestation in attestations]),
        "policies.json": _json([encode(policy) for policy in policies.values()]),
        "audit.jsonl": _lines(_audit(store)),
    }


def _accepted(report: Report, waivers: Iterable[Waiver]) -> Report:
    """``report`` without the acceptances that nothing in force stands for: what had ended since the run counts no more."""
    held = {waiver.id for waiver in waivers}
    listed = (f for f in report.findings if f.status is not FindingStatus.SUPPRESSED or f.waiver in held)
    return replace(report, findings=tuple(listed))


def _waivers(store: Store, report: Report, at: datetime) -> list[Waiver]:
    """Those of the store at ``at``, and those of files and templates that the run went by, which still hold."""
    stored = (replace(waiver, source="the store") for waiver in store.waivers(at))
    listed = sorted((*stored, *report.waivers), key=lambda waiver: (waiver.id, waiver.source))
    return [waiver for waiver in listed if waiver.expires_at > at]


def _with_the_unseen(known: Standing) -> Report:
    """The report of what is known, with a gap where nobody ever looked."""
    if known.over_everything is not None:
        return known.report
    unseen = Gap(
        reason=GapReason.NOT_RECORDED,
        account="*",
        region="*",
        detail="No run looked at everything: what lies outside the scopes of the runs named here was never seen.",
    )
    return replace(known.report, gaps=(*known.report.gaps, unseen), outcome=Outcome.PARTIAL)


def _coverage(known: Standing, report: Report) -> Json:
    base = known.over_everything
    return {
        "run": encode(report.run),
        "runs": [
            {
                "run": encode(one.run),
                "outcome": one.outcome.value,
                "coverage": encode(one.coverage),
                "gaps": len(one.gaps),
            }
            for one in known.reports
        ],
        "over_everything": None if base is None else base.id,
        "outcome": report.outcome.value,
        "coverage": encode(report.coverage),
        "gaps": [encode(gap) for gap in report.gaps],
    }


def _policies(report: Report, framework: str) -> dict[str, PolicySummary]:
    return {
        policy.id: policy
        for policy in report.policies.values()
        if any(name.lower() == framework.lower() for name in policy.frameworks)
    }


def _judged(known: Standing, policies: Container[str], at: datetime) -> dict[ResourceKey, datetime]:
    """The resources that ``policies`` judged, and when the run was over that judged each of them last."""
    judges = known.judges()
    moments: dict[ResourceKey, datetime] = {}
    for evaluation in known.report.evaluations:
        if evaluation.policy in policies:
            seen = judges[subject(evaluation)].finished_at or at
            moments[evaluation.key] = max(seen, moments.get(evaluation.key, seen))
    return moments


def _states(store: Store, moments: Mapping[ResourceKey, datetime]) -> Iterable[Json]:
    for key, moment in sorted(moments.items()):
        resource = store.resource(key, moment)  # and never its state of today: that is no evidence of then
        yield encode(resource) if resource is not None else {"key": encode(key), "state": "not in the store"}


def _audit(store: Store) -> Iterable[Json]:
    after = 0
    while entries := store.audit_entries(after):
        for entry in entries:
            yield encode(entry)
        after = entries[-1].sequence
