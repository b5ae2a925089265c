"""The night of the demo estate: the report says exactly what the script says happened, and nothing else."""

from __future__ import annotations

import fnmatch
import re

from driftguard.model import Drift, DriftStatus, FindingKind, GapReason, ResourceKey, Severity
from driftguard.sandbox.estate import expected_report
from driftguard.sandbox.estate.night import Expected, script
from tests.synthetic.conftest import Night


def named(drift: Drift) -> str:
    return f"{drift.key.account}/{drift.key.region}/{drift.stack}/{drift.logical_id or drift.key.identifier}"


def fits(expected: Expected, drift: Drift) -> bool:
    stack = expected.stack.replace("/", "-")
    return (
        (expected.account, expected.region, expected.logical_id)
        == (drift.key.account, drift.key.region, drift.logical_id)
        and drift.key.type == expected.type
        and (
            drift.stack == stack
            or fnmatch.fnmatchcase(drift.stack, f"{stack}-*" if "*" not in stack else stack)
        )
    )


def general(path: str) -> str:
    return re.sub(r"/\d+(?=/|$)", "/*", path)


def test_nothing_drifts_right_after_the_deployment(night: Night) -> None:
    wrong = [
        (named(d), [(x.path, x.expected, x.actual) for x in d.differences])
        for d in night.before.drifts
        if d.drifted
    ]
    assert wrong == []


def test_every_planted_drift_is_found_and_nothing_else(night: Night) -> None:
    expected = expected_report().drifts
    found = [
        drift for drift in night.after.drifts if drift.status in (DriftStatus.MODIFIED, DriftStatus.DELETED)
    ]
    missed = [e for e in expected if not any(fits(e, drift) for drift in found)]
    invented = [
        (named(drift), [(d.path, d.expected, d.actual) for d in drift.differences])
        for drift in found
        if not any(fits(e, drift) for e in expected)
    ]
    assert missed == []
    assert invented == []
    for one in expected:
        drift = next(d for d in found if fits(one, d))
        paths = {(general(d.path), d.type.value) for d in drift.differences}
        assert drift.status == one.status, named(drift)
        assert {path for path, _ in paths} == {path for path, _ in one.differences}, named(drift)


def test_each_fault_is_as_grave_as_the_script_says(night: Night) -> None:
    kinds = (FindingKind.DRIFT, FindingKind.UNDECLARED, FindingKind.UNMANAGED)
    worst: dict[ResourceKey, Severity] = {}
    for finding in night.after.findings:
        if finding.kind in kinds and finding.open:
            before = worst.get(finding.key, finding.severity)
            worst[finding.key] = min(before, finding.severity, key=lambda one: one.rank)
    named_keys = {drift.key: drift for drift in night.after.drifts}
    expected = expected_report()
    told = {
        key: one.severity for one in expected.drifts for key, drift in named_keys.items() if fits(one, drift)
    } | {key: one.severity for one in expected.unmanaged for key in worst if key.identifier == one.identifier}
    assert len(told) == len(expected.drifts) + len(expected.unmanaged)
    assert {key: worst[key].value for key in told} == told


def test_whoever_made_a_change_is_named(night: Night) -> None:
    for one in expected_report().drifts:
        drift = next(d for d in night.after.drifts if fits(one, d))
        assert drift.changed_by is not None, f"nobody is named for {named(drift)}"
        assert drift.changed_by.principal == one.principal, named(drift)


def test_whoever_made_a_resource_out_of_band_is_named(night: Night) -> None:
    found = {f.key.identifier: f.changed_by for f in night.after.findings if f.kind is FindingKind.UNMANAGED}
    made = {e.identifier: e.principal for e in expected_report().unmanaged}
    assert made == {name: by.principal if by else "nobody" for name, by in found.items()}


def test_the_way_of_a_change_is_told(night: Night) -> None:
    people = script()["people"].values()
    ways = {person["arn"]: {"console": "console", "cli": "CLI"}.get(person["via"], "") for person in people}
    named_acts = [f.changed_by for f in night.after.findings if f.changed_by is not None]
    assert {by.source for by in named_acts} >= {"console", "CLI"}
    assert [by for by in named_acts if by.source != ways[by.principal]] == []


def test_undeclared_changes_are_confirmed_against_the_witness(night: Night) -> None:
    found = {(named(d), u.path) for d in night.after.drifts for u in d.undeclared if u.confirmed}
    expected = expected_report().undeclared
    assert len(found) == sum(len(e.differences) for e in expected), found
    for one in expected:
        drift = next(d for d in night.after.drifts if fits(one, d))
        confirmed = [u.path for u in drift.undeclared if u.confirmed]
        assert all(
            any(p == path or path.startswith(p + "/") for p in confirmed) for path, _ in one.differences
        ), (
            named(drift),
            confirmed,
        )


def test_only_what_was_made_by_hand_is_newly_unmanaged(night: Night) -> None:
    new = {
        (f.key.account, f.key.type, f.key.identifier)
        for f in night.after.findings
        if f.kind is FindingKind.UNMANAGED
    }
    assert new == {(e.account, e.type, e.identifier) for e in expected_report().unmanaged}


def test_every_gap_of_the_night_is_named(night: Night) -> None:
    for one in expected_report().gaps:
        if one.logical_id:
            drift = next(d for d in night.after.drifts if fits(one, d))
            assert one.path in {entry.path for entry in drift.not_checked if entry.reason == one.reason}
        else:
            assert any(
                (gap.account, gap.region, gap.reason) == (one.account, one.region, one.reason) and gap.action
                for gap in night.after.gaps
            )


def test_no_other_gap_is_told(night: Night) -> None:
    expected = {(e.account, e.region, e.reason) for e in expected_report().gaps if not e.logical_id}
    left_out = {(gap.account, gap.region, gap.reason) for gap in night.after.gaps if gap.path is None}
    recorder = {(gap.account, gap.region, gap.reason) for gap in night.before.gaps if gap.path is None}
    assert left_out <= expected | recorder, left_out
    assert {reason for _, _, reason in recorder} == {GapReason.NOT_RECORDED}, night.before.gaps


def test_findings_of_a_closed_region_stay_open(night: Night) -> None:
    closed = {(e.account, e.region) for e in expected_report().gaps if not e.logical_id}
    resolved = [f for f in night.after.resolved if (f.key.account, f.key.region) in closed]
    assert closed and resolved == []


def test_the_sandbox_answered_every_call(night: Night) -> None:
    assert night.unknown == ()


def test_what_cloudformation_says_of_a_stack_is_what_it_said_in_this_scan(night: Night) -> None:
    theirs = {
        drift.stack_id
        for drift in night.after.drifts
        if drift.stack_id and drift.native_status in ("MODIFIED", "DELETED")
    }
    assert theirs
    assert {one.stack_id for one in night.after.stacks if one.drift_status == "DRIFTED"} == theirs
