"""Root causes: one act, one row."""

from __future__ import annotations

from dataclasses import replace

from driftguard.history.causes import assign, group
from driftguard.model import ChangedBy, Finding, FindingStatus, ResourceKey, Severity
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
    listed = [_at(finding("a", detail='{"differences":[1]}'), f"{n}" * 12) for n in range(3)]
    other = _at(finding("a", detail='{"differences":[2]}', stack="else"), "9" * 12)
    [cause] = group([*listed, other])
    assert (cause.kind, cause.accounts, len(cause.fingerprints)) == ("TEMPLATE", 3, 3)


def test_causes_are_ranked_by_severity_then_reach() -> None:
    grave = [finding(n, "/Policy", stack="x", severity=Severity.CRITICAL) for n in ("a", "b")]
    wide = [finding(n, "/Tags", stack="y", severity=Severity.LOW) for n in ("c", "d", "e")]
    assert [cause.resources for cause in group([*wide, *grave])] == [2, 3]


def test_what_is_closed_has_no_cause() -> None:
    assert group([replace(finding("a"), status=FindingStatus.RESOLVED), finding("b")]) == ()
