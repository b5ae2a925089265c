"""Waivers match what they name, end when they say, and are told of when they match nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from driftguard.model import ComplianceType, Evaluation, FindingKind, ResourceKey, Severity, Waiver
from driftguard.rules.suppressions import suppressions
from driftguard.rules.waivers import apply_waivers, load_waivers

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def fault(
    policy: str = "P", identifier: str = "logs-1", compliance: ComplianceType = ComplianceType.NON_COMPLIANT
) -> Evaluation:
    key = ResourceKey(
        account="111111111111", region="eu-west-1", type="AWS::S3::Bucket", identifier=identifier
    )
    return Evaluation(
        policy=policy,
        key=key,
        compliance=compliance,
        severity=Severity.LOW,
        path="/Versioning",
        aliases=("OLD",),
    )


def waiver(id: str = "W1", until: datetime = datetime(2027, 1, 1, tzinfo=UTC), **selectors: object) -> Waiver:
    return Waiver(id=id, reason="because", owner="me", approver="you", expires_at=until, **selectors)  # type: ignore[arg-type] # selectors are plain fields


@pytest.mark.parametrize(
    ("selectors", "matches"),
    [
        ({}, True),
        ({"policy": "P"}, True),
        ({"policy": "OLD"}, True),
        ({"policy": "Q*"}, False),
        ({"resource": "logs-*"}, True),
        ({"resource": "logs-?"}, True),
        ({"resource": "docs-*"}, False),
        ({"account": "222222222222"}, False),
        ({"region": "eu-*", "type": "AWS::S3::*"}, True),
        ({"path": "/Versioning"}, True),
        ({"path": "/Logging"}, False),
        ({"tags": ("tier=log*",)}, True),
        ({"tags": ("tier",)}, True),
        ({"tags": ("tier=web",)}, False),
        ({"tags": ("owner=me",)}, False),
        ({"resource": "logs-*", "account": "2*"}, False),
        ({"kinds": (FindingKind.DRIFT,)}, False),
        ({"kinds": (FindingKind.DRIFT, FindingKind.COMPLIANCE)}, True),
    ],
)
def test_every_selector_that_is_set_has_to_match(selectors: dict[str, object], matches: bool) -> None:
    one = fault()
    said = apply_waivers([one], [waiver(**selectors)], now=NOW, tags={one.key: {"tier": "logging"}})
    assert bool(said.holding) is matches
    assert bool(said.unmatched) is not matches


def test_an_expired_waiver_lets_the_fault_back_and_says_so() -> None:
    said = apply_waivers([fault()], [waiver(until=datetime(2026, 11, 20, tzinfo=UTC))], now=NOW)
    assert said.holding == {}
    assert said.note(0) == "The waiver W1 expired on 2026-11-20."
    assert said.unmatched == ()


def test_of_two_waivers_the_one_that_ends_last_counts() -> None:
    old, new = waiver("OLD-ONE", datetime(2026, 1, 1, tzinfo=UTC)), waiver("NEW")
    said = apply_waivers([fault()], [old, new], now=NOW)
    assert said.holding[0].id == "NEW"
    assert said.note(0) == "Accepted until 2027-01-01 by you (NEW): because"


def test_what_is_no_fault_is_not_waived_and_its_waiver_matches_nothing() -> None:
    said = apply_waivers([fault(compliance=ComplianceType.COMPLIANT)], [waiver()], now=NOW)
    assert said.holding == {}
    assert [one.id for one in said.unmatched] == ["W1"]


def test_one_that_ends_soon_is_told_of() -> None:
    said = apply_waivers(
        [fault()], [waiver(until=datetime(2026, 11, 30, tzinfo=UTC)), waiver("LATER")], now=NOW
    )
    assert [one.id for one in said.ending] == ["W1"]


def test_a_waiver_file_keeps_the_good_entries_and_names_the_bad_ones(tmp_path: Path) -> None:
    file = tmp_path / "waivers.yaml"
    file.write_text(
        """\
waivers:
- {id: A, reason: holds logs, owner: me, approver: you, expires_at: 2027-06-30, resource: logs-*}
- {id: B, reason: holds logs, owner: me, expires_at: 2027-06-30}
- {id: A, reason: holds logs, owner: me, approver: you, expires_at: 2027-06-30}
- {id: C, reason: holds logs, owner: me, approver: you, expires_at: soon}
""",
        encoding="utf-8",
    )
    waivers, errors = load_waivers([file])
    (one,) = waivers
    assert one.expires_at == datetime(2027, 6, 30, 23, 59, 59, tzinfo=UTC)
    said = [str(error) for error in errors]
    assert f"{file}:3: waiver `approver`: field required." in said[0]
    assert "waiver A stands here twice" in said[1]
    assert f"{file}:5" in said[2]


def test_metadata_conventions() -> None:
    found = suppressions(
        {
            "guard": {"SuppressedRules": ["A", {"B": "why"}]},
            "cfn-nag": {"rules_to_suppress": [{"id": "W1", "reason": "x"}]},
            "driftguard": {
                "waive": [
                    {"policy": "C*", "reason": "accepted", "expires": "2026-11-21"},
                    {"policy": "D"},
                    {"policy": "E", "reason": "x", "expires": "one day"},
                ]
            },
        }
    )
    assert found.suppressed == {"A", "B", "W1"}
    accepted = found.waiver_of(("C1",))
    assert accepted is not None
    assert accepted.holds(NOW)
    assert not accepted.holds(datetime(2026, 11, 22, tzinfo=UTC))
    assert found.waiver_of(("D",)) is None
    assert [
        "D gives no reason" in problem or "expires is no date" in problem for problem in found.problems
    ] == [True, True]


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        {},
        [],
        "x",
        {"guard": None},
        {"guard": {"SuppressedRules": 3}},
        {"driftguard": []},
        {"cfn_nag": {"rules_to_suppress": ["W1"]}},
    ],
)
def test_odd_metadata_suppresses_nothing(metadata: object) -> None:
    found = suppressions(metadata)  # type: ignore[arg-type] # that is the point
    assert not found.suppressed
    assert not found.accepted
