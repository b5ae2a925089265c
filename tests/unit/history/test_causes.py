"""Root causes: one act, one row."""

from __future__ import annotations

import json
from dataclasses import replace

from driftguard.history.causes import assign, group
from driftguard.model import ChangedBy, Finding, FindingKind, FindingStatus, ResourceKey, Severity
from tests.history_values import finding, night

BY = ChangedBy(principal="role/Ops/kim", event="X", time=night(0), source="console", session="s1")


def _at(found: Finding, account: str) -> Finding:
    moved = ResourceKey(
        account=account, region="us-east-1", type=found.key.type, identifier=found.key.identifier
    )
    return replace(found, key=moved, fingerprint=found.fingerprint + account)


def test_one_session_is_one_cause_across_accounts() -> None:
    listed = [replace(_at(finding("a"), account), changed_by=BY) for account in ("1" * 12, "2" * 12)]
    alone = replace(finding("z", "/Tags"), stack="lonely")
    [cause] = group([*listed, alone])
    assert (cause.kind, cause.resources, cause.accounts) == ("SESSION", 2, 2)
    assert {f.cause for f in assign([*listed, alone], [cause])} == {cause.id, None}


def test_one_template_in_many_accounts_is_one_cause() -> None:
    listed = [_at(finding("a", detail=_differs(1, line=12)), f"{n}" * 12) for n in range(3)]
    other = _at(finding("a", detail=_differs(2, line=12), stack="else"), "9" * 12)
    [cause] = group([*listed, other])
    assert (cause.kind, cause.accounts, len(cause.fingerprints)) == ("TEMPLATE", 3, 3)


def _differs(actual: int, **more: object) -> str:
    part = {"path": "/Size", "expected": 0, "actual": actual, "type": "NOT_EQUAL", **more}
    return json.dumps({"differences": [part]})


def test_one_line_of_a_template_is_one_cause_over_the_stacks_of_a_stack_set() -> None:
    stacks = [f"StackSet-base-{n}afa33d3-bce1-4cb0-90bc-2988a8b33200" for n in range(3)]
    listed = [
        replace(_at(finding("a", "/Size", detail=_differs(1, line=7)), f"{n}" * 12), stack=stack)
        for n, stack in enumerate(stacks)
    ]
    elsewhere = replace(_at(finding("a", "/Size", detail=_differs(1, line=8)), "9" * 12), stack="x")
    [cause] = group([*listed, elsewhere])
    assert (cause.kind, cause.title) == ("TEMPLATE", "StackSet-base, line 7: A/Size")


def test_one_parameter_is_one_cause_of_drift_and_of_failed_policies() -> None:
    drifted = [finding(n, "/Size", detail=_differs(1, parameter="Size")) for n in ("a", "b")]
    failed = finding(
        "c", "MUST_BE_LARGE", kind=FindingKind.COMPLIANCE, detail='{"path":"/Size","parameter":"Size"}'
    )
    nested = replace(failed, stack="shop-14UCljGnM96p", fingerprint="n")
    literal = finding("d", "/Size", detail=_differs(3), stack="other")
    [cause] = group([*drifted, failed, nested, literal])
    assert (cause.kind, cause.title, len(cause.fingerprints)) == ("PARAMETER", "Size of shop", 4)


def test_causes_are_ranked_by_severity_then_reach() -> None:
    grave = [finding(n, "/Policy", stack="x", severity=Severity.CRITICAL) for n in ("a", "b")]
    wide = [finding(n, "/Tags", stack="y", severity=Severity.LOW) for n in ("c", "d", "e")]
    assert [cause.resources for cause in group([*wide, *grave])] == [2, 3]


def test_what_is_closed_has_no_cause() -> None:
    assert group([replace(finding("a"), status=FindingStatus.RESOLVED), finding("b")]) == ()


def _by(hours: float) -> ChangedBy:
    return replace(BY, time=night(hours / 24))


def test_a_persons_session_name_comes_back_and_is_another_session() -> None:
    """IAM Identity Center names every session of a person alike."""
    acts = {"a": 0, "b": 3, "c": 11.5, "d": 24 * 80, "e": 24 * 80 + 1}
    listed = [
        finding(name, stack=name, logical_id=name, changed_by=_by(hours)) for name, hours in acts.items()
    ]
    causes = {
        frozenset(by.key.identifier for by in listed if by.fingerprint in one.fingerprints): one
        for one in group(listed)
    }
    assert set(causes) == {frozenset("abc"), frozenset("de")}
    assert {one.kind for one in causes.values()} == {"SESSION"}
    late = causes[frozenset("de")]
    assert late.changed_by is not None and late.changed_by.time == night(80)
    # What else is open does not change the name of a cause.
    assert late.id in {one.id for one in group([one for one in listed if one.key.identifier in "de"])}


def test_the_same_line_of_two_files_is_no_common_cause() -> None:
    def at(name: str, stack: str, file: str) -> Finding:
        return finding(
            name, "/Size", logical_id="Bucket", stack=stack, detail=_differs(1, line=12, file=file)
        )

    assert group([at("a", "billing", "billing.yaml"), at("b", "shop", "shop.yaml")]) == ()
    [cause] = group([at("a", "shop-dev", "shop.yaml"), at("b", "shop-prod", "shop.yaml")])
    assert cause.kind == "TEMPLATE"
    # Without a repository a template is known by its stack alone.
    deployed = [at("a", "shop-dev", "shop-dev (deployed)"), at("b", "shop-prod", "shop-prod (deployed)")]
    assert [one.kind for one in group(deployed)] == ["TEMPLATE"]
