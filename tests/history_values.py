"""Values that tests of memory share: a small estate over some nights."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from driftguard.history.database import Database
from driftguard.history.postgres.database import PostgresDatabase
from driftguard.history.sqlite.database import SqliteDatabase
from driftguard.model import (
    ChangedBy,
    ComplianceType,
    CoverageCounts,
    DifferenceType,
    Drift,
    DriftStatus,
    Evaluation,
    Finding,
    FindingKind,
    FindingStatus,
    Gap,
    GapReason,
    Location,
    NotChecked,
    Outcome,
    PolicySummary,
    PropertyDifference,
    Report,
    Resource,
    ResourceKey,
    Run,
    Scope,
    Severity,
    Snapshot,
    Source,
    StackState,
    UndeclaredValue,
    Waiver,
    fingerprint,
)

START = datetime(2026, 11, 1, 2, tzinfo=UTC)
ACCOUNT = "111111111111"
STACK_ID = f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/shop/1"


def night(number: float) -> datetime:
    return START + timedelta(days=number)


def key(name: str, kind: str = "AWS::S3::Bucket", account: str = ACCOUNT) -> ResourceKey:
    return ResourceKey(account=account, region="us-east-1", type=kind, identifier=name)


def resource(name: str, properties: dict[str, Any] | None = None, /, **more: Any) -> Resource:
    which = more.pop("key", key(name))
    return Resource(key=which, properties=properties or {"BucketName": name}, source=Source.CONFIG, **more)


def snapshot(number: float, *resources: Resource, deleted: tuple[ResourceKey, ...] = ()) -> Snapshot:
    return Snapshot(
        taken_at=night(number), resources={r.key: r for r in resources}, deleted=frozenset(deleted)
    )


def difference(path: str = "/VersioningConfiguration/Status") -> PropertyDifference:
    return PropertyDifference(
        path=path, expected="Enabled", actual="Suspended", type=DifferenceType.NOT_EQUAL
    )


def drift(name: str, status: DriftStatus = DriftStatus.MODIFIED, **more: Any) -> Drift:
    if status is DriftStatus.MODIFIED and "differences" not in more:
        more["differences"] = (difference(),)
    values = {"stack": "shop", "stack_id": STACK_ID, "logical_id": name.title(), "physical_id": name} | more
    return Drift(key=values.pop("key", key(name)), status=status, **values)


def evaluation(name: str, verdict: ComplianceType, policy: str = "VERSIONING", **more: Any) -> Evaluation:
    return Evaluation(policy=policy, key=key(name), compliance=verdict, severity=Severity.MEDIUM, **more)


def finding(name: str, subject: str = "/VersioningConfiguration/Status", **more: Any) -> Finding:
    kind = more.pop("kind", FindingKind.DRIFT)
    values: dict[str, Any] = {
        "fingerprint": fingerprint(kind, key(name), subject),
        "kind": kind,
        "key": key(name),
        "subject": subject,
        "severity": Severity.HIGH,
        "title": f"{name} differs",
        "status": FindingStatus.NEW,
        "first_seen": night(0),
        "last_seen": night(0),
        "stack": "shop",
        "logical_id": name.title(),
        "last_run": "r0",
        "opened_run": "r0",
    }
    return Finding(**values | more)


def run(number: float = 0, **more: Any) -> Run:
    return Run(
        id=more.pop("id", f"r{number:g}"), started_at=night(number), scope=more.pop("scope", Scope()), **more
    )


def report(number: float = 0, **more: Any) -> Report:
    which = more.pop("run", run(number, finished_at=night(number) + timedelta(minutes=3)))
    values: dict[str, Any] = {"outcome": Outcome.COMPLETE, "coverage": CoverageCounts(checked=2)}
    return Report(run=which, **values | more)


def full_report(number: float = 0) -> Report:
    """A report in which every field of every value is set."""
    by = ChangedBy(
        principal="arn:aws:iam::111111111111:user/kim",
        event="PutBucketVersioning",
        time=night(number) - timedelta(hours=3),
        source="console",
        session="s-1",
        event_id="e-1",
        confidence="MEDIUM",
    )
    drifts = (
        drift(
            "archive",
            construct_path="App/Archive",
            location=Location("shop.yaml", 12, 3),
            undeclared=(
                UndeclaredValue(path="/A", value={"x": [1, 2.5, None, True]}, confirmed=True, was="b"),
                UndeclaredValue(path="/B", value=1, was_absent=True),
            ),
            reordered=("/Rules",),
            not_checked=(NotChecked(path="/Secret", reason="WRITE_ONLY", detail="never returned"),),
            native_status="IN_SYNC",
            disagreement="CloudFormation does not look at it",
            changed_by=by,
            first_seen=night(number),
            last_seen=night(number),
        ),
        drift("plain", DriftStatus.IN_SYNC),
    )
    evaluations = (
        evaluation(
            "archive",
            ComplianceType.NON_COMPLIANT,
            message="Versioning is off",
            path="/VersioningConfiguration/Status",
            parameters={"days": 3},
            aliases=("s3-versioning",),
            logical_id="Archive",
            stack="shop",
            location=Location("shop.yaml", 14),
        ),
        evaluation("archive", ComplianceType.COMPLIANT, judge="AWS Config"),
        evaluation("plain", ComplianceType.COMPLIANT),
    )
    policy = PolicySummary(
        id="VERSIONING",
        title="Buckets keep versions",
        severity=Severity.MEDIUM,
        resource_types=("AWS::S3::Bucket",),
        description="why",
        source="https://docs.aws.amazon.com/config/latest/developerguide/s3-bucket-versioning-enabled.html",
        frameworks={"K-ISMS": ("2.9.3",)},
        remedy="AWS-ConfigureS3BucketVersioning",
    )
    opened = finding(
        "archive", changed_by=by, last_run=f"r{number:g}", last_seen=night(number) + timedelta(minutes=3)
    )
    return report(
        number,
        outcome=Outcome.PARTIAL,
        drifts=drifts,
        evaluations=evaluations,
        findings=(opened,),
        resolved=(
            finding(
                "gone", status=FindingStatus.RESOLVED, resolved_at=night(number), last_run=f"r{number:g}"
            ),
        ),
        new=frozenset({opened.fingerprint}),
        waivers=(
            Waiver(
                id="W-file",
                reason="holds logs",
                owner="team",
                approver="ciso",
                expires_at=night(400),
                policy="VERSIONING",
                source="waivers.yaml:2",
            ),
        ),
        gaps=(
            Gap(
                reason=GapReason.ACCESS_DENIED,
                account="222222222222",
                region="us-east-1",
                detail="not allowed",
                action="s3:ListAllMyBuckets",
            ),
        ),
        stacks=(
            StackState(
                account=ACCOUNT,
                region="us-east-1",
                stack_id=STACK_ID,
                name="shop",
                status="UPDATE_COMPLETE",
                tags={"team": "shop"},
                resources=2,
                updated_at=night(-3),
                native={"Archive": {"status": "IN_SYNC"}},
            ),
        ),
        policies={"VERSIONING": policy},
        managed=2,
        unmanaged=1,
        notes=("The waiver W-9 matches nothing.",),
    )


def open_database(url: str) -> Database:
    """The database at ``url``, its schema as it is."""
    if url.startswith("sqlite:///"):
        return SqliteDatabase(Path(url.removeprefix("sqlite:///")))
    return PostgresDatabase(url)
