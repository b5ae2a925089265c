"""The lives of findings: opened once, resolved on evidence alone, reopened when they return."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from driftguard.history.findings import Lives, live, name_shared
from driftguard.history.severity import of_property, of_unmanaged
from driftguard.model import (
    ChangedBy,
    ComplianceType,
    DifferenceType,
    Drift,
    DriftStatus,
    Evaluation,
    Finding,
    FindingKind,
    FindingStatus,
    Gap,
    GapReason,
    NotChecked,
    PolicySummary,
    PropertyDifference,
    Scope,
    Severity,
    UndeclaredValue,
    Waiver,
)
from tests.history_values import ACCOUNT, drift, evaluation, finding, key, night, resource, run, snapshot

POLICY = PolicySummary(
    id="VERSIONING",
    title="Buckets keep versions",
    severity=Severity.MEDIUM,
    resource_types=("AWS::S3::Bucket",),
)


def nightly(
    number: float,
    previous: Lives | Sequence[Finding] = (),
    drifts: Sequence[Drift] = (),
    evaluations: Sequence[Evaluation] = (),
    **more: Any,
) -> Lives:
    known = previous if not isinstance(previous, Lives) else (*previous.findings, *previous.resolved)
    which = more.pop("run", run(number))
    return live(known, drifts, evaluations, run=which, now=night(number), **more)


def only(lives: Lives) -> Finding:
    [found] = lives.findings
    return found


def test_a_difference_is_opened_once_and_updated_while_it_lasts() -> None:
    first = nightly(0, (), [drift("a")])
    assert first.new == {only(first).fingerprint}
    other = replace(drift("a").differences[0], actual="Off")
    second = nightly(1, first, [drift("a", differences=(other,))])
    kept = only(second)
    assert (second.new, second.reopened, second.resolved) == (frozenset(), frozenset(), ())
    assert (kept.first_seen, kept.last_seen, kept.last_run) == (night(0), night(1), "r1")
    assert "Off" in kept.detail and kept.fingerprint == only(first).fingerprint


def test_many_elements_of_one_list_are_one_finding() -> None:
    listed = tuple(
        PropertyDifference(
            path=f"/Rules/{n}/Status", expected="on", actual="off", type=DifferenceType.NOT_EQUAL
        )
        for n in range(3)
    )
    found = only(nightly(0, (), [drift("a", differences=listed)]))
    assert found.subject == "/Rules/*/Status"
    moved = tuple(replace(item, path=item.path.replace("/Rules/2", "/Rules/7")) for item in listed)
    assert only(nightly(1, [found], [drift("a", differences=moved)])).fingerprint == found.fingerprint


def test_it_is_resolved_when_its_resource_was_read_and_is_fine() -> None:
    first = nightly(0, (), [drift("a")])
    second = nightly(1, first, [drift("a", DriftStatus.IN_SYNC)])
    assert second.findings == ()
    [gone] = second.resolved
    assert (gone.status, gone.resolved_at, gone.last_run) == (FindingStatus.RESOLVED, night(1), "r1")


NO_EVIDENCE: dict[str, dict[str, Any]] = {
    "nothing was read": {"drifts": [], "run": run(1, scope=Scope(stacks=("other",)))},
    "its resource was not checked": {"drifts": [drift("a", DriftStatus.NOT_CHECKED)]},
    "its resource has an unknown state": {"drifts": [drift("a", DriftStatus.UNKNOWN)]},
    "its type is not supported any more": {"drifts": [drift("a", DriftStatus.UNSUPPORTED)]},
    "its property was not checked": {
        "drifts": [
            drift(
                "a",
                DriftStatus.IN_SYNC,
                not_checked=(NotChecked(path="/VersioningConfiguration", reason="NOT_IN_SOURCE"),),
            )
        ]
    },
    "a gap names its resource": {
        "drifts": [],
        "gaps": [
            Gap(reason=GapReason.UNREADABLE, account=ACCOUNT, region="us-east-1", detail="", identifier="a")
        ],
    },
    "a gap names its property": {
        "drifts": [drift("a", DriftStatus.IN_SYNC)],
        "gaps": [
            Gap(
                reason=GapReason.WRITE_ONLY,
                account=ACCOUNT,
                region="us-east-1",
                detail="",
                identifier="a",
                path="/VersioningConfiguration/Status",
            )
        ],
    },
    "its stack is being changed": {
        "drifts": [],
        "gaps": [
            Gap(reason=GapReason.IN_PROGRESS, account=ACCOUNT, region="us-east-1", detail="", stack="shop")
        ],
    },
    "its region could not be read": {
        "drifts": [drift("z", DriftStatus.IN_SYNC, stack="other", stack_id="arn:x:stack/other/1")],
        "gaps": [Gap(reason=GapReason.ACCESS_DENIED, account=ACCOUNT, region="us-east-1", detail="")],
    },
    "other types were asked for": {
        "drifts": [drift("z", DriftStatus.IN_SYNC, key=key("z", "AWS::SQS::Queue"))],
        "run": run(1, scope=Scope(types=("AWS::SQS::*",))),
    },
}


@pytest.mark.parametrize("case", NO_EVIDENCE.values(), ids=NO_EVIDENCE)
def test_without_evidence_it_stays_open(case: dict[str, Any]) -> None:
    first = nightly(0, (), [drift("a")])
    arguments = dict(case)
    second = nightly(1, first, arguments.pop("drifts"), **arguments)
    assert second.resolved == ()
    assert only(second) == only(first), "a finding that was not looked at keeps its last sighting"


def test_a_deletion_that_aws_reported_ends_a_policy_fault() -> None:
    first = nightly(
        0, (), (), [evaluation("a", ComplianceType.NON_COMPLIANT)], policies={"VERSIONING": POLICY}
    )
    assert only(first).title == "Buckets keep versions"
    seen = nightly(1, first, (), [], snapshot=snapshot(1), policies={"VERSIONING": POLICY})
    assert seen.resolved == ()
    over = nightly(
        1, first, (), [], snapshot=snapshot(1, deleted=(key("a"),)), policies={"VERSIONING": POLICY}
    )
    assert len(over.resolved) == 1 and over.findings == ()


@pytest.mark.parametrize(
    ("verdict", "resolved"),
    [
        (ComplianceType.COMPLIANT, 1),
        (ComplianceType.NOT_APPLICABLE, 1),
        (ComplianceType.INSUFFICIENT_DATA, 0),
    ],
)
def test_a_policy_fault_ends_with_a_verdict(verdict: ComplianceType, resolved: int) -> None:
    first = nightly(0, (), (), [evaluation("a", ComplianceType.NON_COMPLIANT)])
    assert len(nightly(1, first, (), [evaluation("a", verdict)]).resolved) == resolved


def test_two_judges_of_a_policy_make_one_finding_and_both_must_be_content() -> None:
    both = [
        evaluation("a", ComplianceType.NON_COMPLIANT),
        evaluation("a", ComplianceType.NON_COMPLIANT, judge="AWS Config"),
    ]
    first = nightly(0, (), (), both)
    assert len(first.findings) == 1
    split = [evaluation("a", ComplianceType.COMPLIANT), both[1]]
    assert len(nightly(1, first, (), split).findings) == 1


def test_a_returning_finding_is_reopened_not_duplicated_and_flapping_is_recognised() -> None:
    lives = nightly(0, (), [drift("a")])
    name = only(lives).fingerprint
    for turn in range(1, 3):
        lives = nightly(2 * turn - 1, lives, [drift("a", DriftStatus.IN_SYNC)])
        lives = nightly(2 * turn, lives, [drift("a")])
        assert (lives.new, lives.reopened) == (frozenset(), {name})
    back = only(lives)
    assert (back.occurrences, back.flapping, back.first_seen) == (3, True, night(0))
    calm = nightly(5, lives, [drift("a", DriftStatus.IN_SYNC)])
    late = only(nightly(90, calm, [drift("a")]))
    assert (late.occurrences, late.flapping) == (4, False)


def test_a_notified_finding_stays_notified() -> None:
    told = replace(only(nightly(0, (), [drift("a")])), status=FindingStatus.NOTIFIED)
    assert only(nightly(1, [told], [drift("a")])).status is FindingStatus.NOTIFIED


def _waiver(**more: Any) -> Waiver:
    values = {"id": "W", "reason": "r", "owner": "kim", "approver": "lee", "expires_at": night(10)} | more
    return Waiver(**values)


def test_a_waiver_suppresses_until_it_expires() -> None:
    waivers = [_waiver(resource="a", path="/Versioning*", type="AWS::S3::*")]
    first = nightly(0, (), [drift("a")], waivers=waivers)
    assert (only(first).status, only(first).waiver, first.new) == (FindingStatus.SUPPRESSED, "W", frozenset())
    later = nightly(11, first, [drift("a")], waivers=waivers)
    assert (only(later).status, only(later).waiver) == (FindingStatus.NEW, None)
    assert later.reopened == {only(later).fingerprint}


@pytest.mark.parametrize(
    "other",
    [{"resource": "b"}, {"account": "2*"}, {"path": "/Tags*"}, {"policy": "S3_*"}, {"tags": ("team=x",)}],
    ids=str,
)
def test_a_waiver_for_something_else_does_not_count(other: dict[str, Any]) -> None:
    lives = nightly(0, (), [drift("a")], waivers=[_waiver(**other)], snapshot=snapshot(0, resource("a")))
    assert only(lives).status is FindingStatus.NEW


def test_tags_tell_the_owner_and_select_waivers() -> None:
    tagged = snapshot(0, resource("a", None, tags={"Owner": "storage", "team": "x"}))
    lives = nightly(0, (), [drift("a")], waivers=[_waiver(tags=("team=x",))], snapshot=tagged)
    assert (only(lives).owner, only(lives).status) == ("storage", FindingStatus.SUPPRESSED)


def test_deleted_unmanaged_and_undeclared_are_findings_of_their_own() -> None:
    undeclared = (UndeclaredValue(path="/Acl", value="public", confirmed=True, was="private"),)
    lives = nightly(
        0,
        (),
        [
            drift("gone", DriftStatus.DELETED),
            drift("stray", DriftStatus.UNMANAGED, stack="", stack_id=""),
            drift("odd", DriftStatus.IN_SYNC, undeclared=undeclared),
            drift("note", DriftStatus.IN_SYNC, undeclared=(replace(undeclared[0], confirmed=False),)),
        ],
    )
    found = {f.key.identifier: (f.kind, f.severity) for f in lives.findings}
    assert found == {
        "gone": (FindingKind.DRIFT, Severity.HIGH),
        "stray": (FindingKind.UNMANAGED, Severity.LOW),
        "odd": (FindingKind.UNDECLARED, Severity.HIGH),
    }


@pytest.mark.parametrize("stack", ["app", None])
def test_what_is_unmanaged_stays_so_while_a_stack_was_not_read(stack: str | None) -> None:
    first = nightly(0, (), [drift("a"), drift("stray", DriftStatus.UNMANAGED, stack="", stack_id="")])
    gap = Gap(reason=GapReason.THROTTLED, account=ACCOUNT, region=key("a").region, detail="", stack=stack)
    disturbed = nightly(1, first, [drift("a")], gaps=[gap])
    assert disturbed.resolved == ()
    healed = nightly(2, disturbed, [drift("a")])
    assert [f.key.identifier for f in healed.resolved] == ["stray"]


def gap_of(reason: GapReason, region: str, **more: Any) -> Gap:
    return Gap(reason=reason, account=ACCOUNT, region=region, detail="", **more)


@pytest.mark.parametrize(
    ("gaps", "sibling", "resolved"),
    [
        ([], False, True),
        ([gap_of(GapReason.INTERRUPTED, "eu-west-1")], True, False),
        ([gap_of(GapReason.ACCESS_DENIED, "eu-west-1")], True, True),
        ([gap_of(GapReason.ACCESS_DENIED, "eu-west-1")], False, False),
        (
            [gap_of(GapReason.ACCESS_DENIED, "eu-west-1"), gap_of(GapReason.ACCESS_DENIED, "us-east-1")],
            True,
            False,
        ),
        ([gap_of(GapReason.ACCESS_DENIED, "us-east-1", type="AWS::IAM::User")], True, False),
        ([gap_of(GapReason.ACCESS_DENIED, "us-east-1", type="AWS::KMS::Key")], True, True),
    ],
)
def test_a_global_resource_is_gone_only_where_its_like_was_read(
    gaps: list[Gap], sibling: bool, resolved: bool
) -> None:
    """AWS Config records what is global in one region, and that one may be the one that was not read."""
    user = replace(key("temp-admin", "AWS::IAM::User"), region="global")
    role = replace(key("app", "AWS::IAM::Role"), region="global")
    stray = drift("stray", DriftStatus.UNMANAGED, stack="", stack_id="", key=user)
    known = drift("known", DriftStatus.UNMANAGED, stack="", stack_id="", key=role)
    first = nightly(0, (), [stray, known])
    left = [known] if sibling else []
    seen = snapshot(1, *([resource("app", key=role)] if sibling else []))
    pairs = frozenset({(ACCOUNT, "eu-west-1"), (ACCOUNT, "us-east-1"), (ACCOUNT, "global")})
    second = nightly(1, first, left, gaps=gaps, snapshot=seen, covered_pairs=pairs)
    assert ("temp-admin" in {f.key.identifier for f in second.resolved}) is resolved


def test_a_resource_that_is_no_longer_declared_does_not_drift() -> None:
    first = nightly(0, (), [drift("a"), drift("b")])
    second = nightly(1, first, [drift("b")])
    assert [f.key.identifier for f in second.resolved] == ["a"]


def test_whoever_made_a_value_what_it_was_is_not_named_for_what_it_is() -> None:
    def wrong(value: int, who: str | None) -> Drift:
        by = None if who is None else ChangedBy(principal=who, event="Set", time=night(0), source="CLI")
        one = PropertyDifference(path="/Timeout", expected=3, actual=value, type=DifferenceType.NOT_EQUAL)
        return drift("a", differences=(one,), changed_by=by)

    first = nightly(0, (), [wrong(99, "alice")])
    same = nightly(1, first, [wrong(99, None)])
    assert only(same).changed_by is not None
    other = nightly(2, same, [wrong(120, None)])
    assert only(other).changed_by is None


def test_time_alone_changes_nothing() -> None:
    first = nightly(0, (), [drift("a")])
    again = nightly(1, first, [drift("a")])
    assert replace(only(again), last_seen=night(0), last_run="r0") == only(first)
    assert only(again).last_seen - only(first).last_seen == timedelta(days=1)


@pytest.mark.parametrize(
    ("kind", "path", "severity"),
    [
        ("AWS::EC2::SecurityGroup", "/SecurityGroupIngress/*", Severity.HIGH),
        ("AWS::S3::Bucket", "/PublicAccessBlockConfiguration/BlockPublicAcls", Severity.HIGH),
        ("AWS::IAM::Role", "/AssumeRolePolicyDocument/Statement/*/Principal", Severity.HIGH),
        ("AWS::SQS::Queue", "/KmsMasterKeyId", Severity.HIGH),
        ("AWS::RDS::DBInstance", "/StorageEncrypted", Severity.HIGH),
        ("AWS::CloudTrail::Trail", "/IsLogging", Severity.HIGH),
        ("AWS::S3::Bucket", "/Tags/*/Value", Severity.LOW),
        ("AWS::EC2::SecurityGroup", "/GroupDescription", Severity.LOW),
        ("AWS::Lambda::Function", "/Timeout", Severity.MEDIUM),
        ("AWS::AutoScaling::AutoScalingGroup", "/DesiredCapacity", Severity.MEDIUM),
    ],
)
def test_severity_follows_the_property(kind: str, path: str, severity: Severity) -> None:
    assert of_property(kind, path) is severity


ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"


@pytest.mark.parametrize(
    ("kind", "properties", "severity"),
    [
        ("AWS::IAM::User", {"ManagedPolicyArns": [ADMIN]}, Severity.HIGH),
        (
            "AWS::IAM::User",
            {"ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]},
            Severity.MEDIUM,
        ),
        ("AWS::IAM::Role", {"ManagedPolicyArns": [ADMIN]}, Severity.MEDIUM),
        (
            "AWS::IAM::Role",
            {"ManagedPolicyArns": ["arn:aws:iam::1:policy/AdministratorAccess"]},
            Severity.LOW,
        ),
        ("AWS::RDS::DBInstance", {}, Severity.LOW),
        ("AWS::Logs::LogGroup", {}, Severity.INFORMATIONAL),
    ],
)
def test_what_no_template_declares_is_as_grave_as_what_it_opens(
    kind: str, properties: dict[str, Any], severity: Severity
) -> None:
    assert of_unmanaged(kind, properties) is severity


def test_a_policy_that_fails_by_a_known_change_names_the_same_person() -> None:
    by = ChangedBy(principal="role/Ops/kim", event="X", time=night(0), source="console")
    changed = finding("a", "/Rules/*/Port", changed_by=by)
    fails = [finding("a", policy, kind=FindingKind.COMPLIANCE) for policy in ("PORTS", "TAGS", "WHOLE")]
    other = finding("b", "PORTS", kind=FindingKind.COMPLIANCE)
    paths = dict(
        zip([f.fingerprint for f in (*fails, other)], ("/Rules/3", "/Tags", "", "/Rules/3"), strict=True)
    )
    named = name_shared([changed, *fails, other], paths)
    assert [f.changed_by for f in named] == [by, by, None, None, None]


def test_a_waiver_ends_though_its_finding_cannot_be_looked_at() -> None:
    waiver = Waiver(id="W1", reason="r", owner="o", approver="a", expires_at=night(3))
    denied = Gap(reason=GapReason.ACCESS_DENIED, account=ACCOUNT, region="us-east-1", detail="denied")
    waived = finding("a", status=FindingStatus.SUPPRESSED, waiver="W1")

    def under_gap(number: float, *waivers: Waiver) -> Lives:
        return nightly(number, [waived], waivers=waivers, gaps=(denied,))

    assert only(under_gap(2, waiver)).status is FindingStatus.SUPPRESSED
    over = under_gap(4, waiver)
    assert (only(over).status, only(over).waiver) == (FindingStatus.NEW, None)
    assert over.reopened == {waived.fingerprint}
    longer = replace(waiver, id="W2", expires_at=night(30))
    assert only(under_gap(4, waiver, longer)).waiver == "W2"
    # A waiver that nobody tells of stands perhaps in a template that could not be read either.
    assert only(under_gap(4)).status is FindingStatus.SUPPRESSED
