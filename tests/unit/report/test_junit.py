"""JUnit as a build server takes it: within the published schema, counted right, nothing passed that was not judged."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from xml.etree import ElementTree

from driftguard.model import (
    ComplianceType,
    CoverageCounts,
    DriftStatus,
    FindingKind,
    FindingStatus,
    Report,
)
from driftguard.report import render
from tests.history_values import drift, evaluation, finding, full_report, key, report
from tests.published_files import junit_faults


def every_status() -> Report:
    """A drift and an evaluation of every status, faults open and accepted, and texts that XML cannot hold."""
    base = full_report(1)
    accepted = (
        replace(finding("waived"), status=FindingStatus.SUPPRESSED, waiver="W-7"),
        replace(
            finding("waived-policy", "VERSIONING", kind=FindingKind.COMPLIANCE),
            status=FindingStatus.SUPPRESSED,
            waiver="W-8",
        ),
    )
    odd = drift("odd\x0b<&>\ud800", DriftStatus.DELETED, key=key("odd"))
    return replace(
        base,
        findings=(*base.findings, *accepted),
        drifts=(
            *base.drifts,
            *(drift(f"d-{status}", status) for status in DriftStatus),
            drift("waived"),
            odd,
        ),
        evaluations=(
            *base.evaluations,
            *(evaluation(f"e-{verdict}", verdict, message=verdict) for verdict in ComplianceType),
            evaluation("waived-policy", ComplianceType.NON_COMPLIANT),
        ),
    )


def test_every_status_is_within_the_published_schema() -> None:
    text = str(render(every_status(), "junit"))
    assert junit_faults(text) == []
    outcomes = Counter(
        next((child.tag for child in case), "passed")
        for case in ElementTree.fromstring(text).iter("testcase")
    )
    assert set(outcomes) == {"passed", "failure", "skipped"}


def test_an_empty_report_is_within_the_published_schema() -> None:
    text = str(render(report(1, coverage=CoverageCounts(checked=0)), "junit"))
    assert junit_faults(text) == []
    assert ElementTree.fromstring(text).attrib["tests"] == "0"


def test_the_published_schema_finds_faults() -> None:
    text = str(render(every_status(), "junit"))
    for broken in (
        text.replace("<testcase ", '<testcase line="1" ', 1),
        text.replace(' errors="0" time="0" skipped', ' time="0" skipped', 1),
        text.replace(' time="0" skipped', ' time="now" skipped', 1),
    ):
        assert broken != text and junit_faults(broken)


def test_junit_counts_and_never_passes_what_was_not_judged() -> None:
    root = ElementTree.fromstring(str(render(every_status(), "junit")))
    cases = list(root.iter("testcase"))
    assert int(root.attrib["tests"]) == len(cases)
    assert int(root.attrib["failures"]) == len(list(root.iter("failure"))) > 0
    assert sum(int(suite.attrib["skipped"]) for suite in root) == len(list(root.iter("skipped"))) > 0
    for suite in root:
        assert int(suite.attrib["tests"]) == len(suite)
    not_checked = next(case for case in cases if case.attrib["name"].startswith("D-Not_Checked "))
    assert not_checked.find("skipped") is not None
    assert any("not looked at" in suite.attrib["name"] for suite in root)
