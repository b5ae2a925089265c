"""JUnit XML, for build servers: a suite per stack, a case per resource, and a suite per policy.

The form is the one that Jenkins and GitLab read (https://github.com/testmoapp/junitxml), within what
Jenkins' published schema allows (junit-10.xsd of its xUnit plugin).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from driftguard.model import ComplianceType, Drift, DriftStatus, Evaluation, Finding, Report, ResourceKey
from driftguard.report.options import Options
from driftguard.report.plain import described

MEDIA_TYPE = "application/xml"
SUFFIX = ".xml"
# What XML 1.0 cannot hold.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UNCHECKED = (DriftStatus.NOT_CHECKED, DriftStatus.UNKNOWN, DriftStatus.UNSUPPORTED)


@dataclass(frozen=True, slots=True)
class _Case:
    suite: str
    name: str
    failure: str = ""
    kind: str = ""
    skipped: str = ""


def render(report: Report, options: Options) -> str:
    """``report`` as JUnit XML; gaps and what is not judged are skipped cases, never passed ones."""
    by_key: dict[tuple[ResourceKey, str], list[Finding]] = defaultdict(list)
    for finding in report.findings:
        by_key[(finding.key, finding.kind.value)].append(finding)
    suites: dict[str, list[_Case]] = defaultdict(list)
    for case in (*_drifts(report.drifts, by_key), *_verdicts(report, by_key), *_gaps(report)):
        suites[case.suite].append(case)
    root = ElementTree.Element("testsuites", name="driftguard")
    _count(root, [case for cases in suites.values() for case in cases])
    for name, cases in suites.items():
        suite = ElementTree.SubElement(root, "testsuite", name=_clean(name))
        suite.set("timestamp", f"{report.run.started_at:%Y-%m-%dT%H:%M:%S}")
        _count(suite, cases)
        # The schema knows this number of a suite, and not of all suites.
        suite.set("skipped", str(sum(bool(case.skipped) for case in cases)))
        for case in cases:
            _write(suite, case)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _count(element: ElementTree.Element, cases: Sequence[_Case]) -> None:
    element.set("tests", str(len(cases)))
    element.set("failures", str(sum(bool(case.failure) for case in cases)))
    element.set("errors", "0")
    element.set("time", "0")


def _write(suite: ElementTree.Element, case: _Case) -> None:
    element = ElementTree.SubElement(
        suite, "testcase", name=_clean(case.name), classname=_clean(case.suite), time="0"
    )
    if case.failure:
        first = _clean(case.failure.split("\n", 1)[0])
        failure = ElementTree.SubElement(element, "failure", message=first, type=case.kind)
        failure.text = _clean(case.failure)
    elif case.skipped:
        ElementTree.SubElement(element, "skipped", message=_clean(case.skipped))


def _clean(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", text)


def _drifts(
    drifts: Iterable[Drift], findings: dict[tuple[ResourceKey, str], list[Finding]]
) -> Iterable[_Case]:
    for drift in drifts:
        suite = f"drift {drift.key.account} {drift.key.region} {drift.stack or '(no stack)'}"
        name = f"{drift.logical_id or drift.key.identifier} ({drift.key.type})"
        own = [
            finding
            for kind in ("DRIFT", "UNDECLARED", "UNMANAGED")
            for finding in findings.get((drift.key, kind), ())
        ]
        opened = [finding for finding in own if finding.open]
        accepted = [finding.waiver or "" for finding in own if not finding.open]
        if opened:
            yield _Case(suite, name, "\n".join(map(described, opened)), opened[0].severity.value)
        elif drift.drifted and not accepted:
            text = "\n".join(f"{d.path} differs" for d in drift.differences) or drift.status.value
            yield _Case(suite, name, text, drift.status.value)
        elif accepted:
            yield _Case(suite, name, skipped=f"accepted: waiver {', '.join(accepted)}")
        elif drift.status in _UNCHECKED:
            reasons = sorted({item.reason for item in drift.not_checked})
            yield _Case(suite, name, skipped=f"{drift.status.value} {', '.join(reasons)}".strip())
        else:
            yield _Case(suite, name)


def _verdicts(report: Report, findings: dict[tuple[ResourceKey, str], list[Finding]]) -> Iterable[_Case]:
    def accepted(evaluation: Evaluation) -> str:
        listed = findings.get((evaluation.key, "COMPLIANCE"), ())
        found = next((f for f in listed if f.subject == evaluation.policy), None)
        return found.waiver or "" if found is not None and not found.open else ""

    for evaluation in report.evaluations:
        suite = f"policy {evaluation.policy}"
        name = f"{evaluation.key} [{evaluation.judge}]"
        if evaluation.compliance is ComplianceType.NON_COMPLIANT:
            waiver = accepted(evaluation)
            if waiver:
                yield _Case(suite, name, skipped=f"accepted: waiver {waiver}")
            else:
                yield _Case(suite, name, evaluation.message or "not compliant", evaluation.severity.value)
        elif evaluation.compliance is ComplianceType.COMPLIANT:
            yield _Case(suite, name)
        else:
            yield _Case(suite, name, skipped=f"{evaluation.compliance.value} {evaluation.message}".strip())


def _gaps(report: Report) -> Iterable[_Case]:
    for gap in report.gaps:
        parts = (gap.account, gap.region, gap.stack, gap.type, gap.identifier, gap.path)
        name = " ".join(part for part in parts if part)
        yield _Case("not looked at", name, skipped=f"{gap.reason.value}: {gap.detail}")
