"""What memory costs: bytes per resource and night, and how fast a moment of the past is answered.

A synthetic year: resources of fifteen shapes with random ids (so compression is not flattered), a share of
them changed by one realistic edit a night, each by somebody CloudTrail names.  Every night of it is really recorded, in SQLite and in PostgreSQL
(a private server, or the one of ``--postgres``); some minutes each for 50,000 resources.  Beside it stands what
a full copy a night would take.  Times are wall (and processor) milliseconds, the median of several moments.

    python -m benchmarks.history [--resources 50000] [--nights 365] [--changed 0.01] [--store sqlite]
"""

from __future__ import annotations

import argparse
import gc
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from driftguard.history import open_store
from driftguard.history.codec import digest
from driftguard.history.port import Query
from driftguard.history.store import SqlStore
from driftguard.model import (
    Act,
    ChangedBy,
    CoverageCounts,
    Outcome,
    Report,
    Resource,
    ResourceKey,
    Run,
    Scope,
    Snapshot,
    Source,
)

_START = datetime(2025, 11, 1, 2, tzinfo=UTC)
_TYPES = (
    "AWS::EC2::Instance",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::Subnet",
    "AWS::EC2::Volume",
    "AWS::S3::Bucket",
    "AWS::IAM::Role",
    "AWS::Lambda::Function",
    "AWS::RDS::DBInstance",
    "AWS::DynamoDB::Table",
    "AWS::SQS::Queue",
    "AWS::SNS::Topic",
    "AWS::ECS::Service",
    "AWS::Logs::LogGroup",
    "AWS::KMS::Key",
    "AWS::CloudWatch::Alarm",
)
_ACCOUNTS = 50


def _hex(rng: random.Random, length: int) -> str:
    return f"{rng.getrandbits(4 * length):0{length}x}"


def _rules(rng: random.Random) -> list[dict[str, Any]]:
    return [
        {
            "IpProtocol": "tcp",
            "FromPort": port,
            "ToPort": port,
            "CidrIp": f"10.{rng.randrange(256)}.{rng.randrange(256)}.0/24",
            "Description": f"from team-{rng.randrange(40)}",
        }
        for port in rng.sample((22, 80, 443, 3306, 5432, 6379, 8080, 9092), 4)
    ]


def make(rng: random.Random, number: int) -> tuple[ResourceKey, dict[str, Any]]:
    """A resource of 3 to 6 KB as JSON, like a full AWS Config item's configuration."""
    kind = _TYPES[number % len(_TYPES)]
    account = f"{100000000000 + number % _ACCOUNTS}"
    key = ResourceKey(account=account, region="ap-northeast-2", type=kind, identifier=f"r-{_hex(rng, 17)}")
    arn = f"arn:aws:{kind.split('::')[1].lower()}:ap-northeast-2:{account}:{key.identifier}"
    statement = [
        {
            "Sid": f"Allow{_hex(rng, 4)}",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{account}:role/app-{_hex(rng, 8)}"},
            "Action": [f"s3:{verb}Object" for verb in ("Get", "Put", "Delete")],
            "Resource": f"{arn}/{_hex(rng, 12)}/*",
            "Condition": {"StringEquals": {"aws:SourceVpce": f"vpce-{_hex(rng, 17)}"}},
        }
        for _ in range(1 + number % 5)
    ]
    properties: dict[str, Any] = {
        "Arn": arn,
        "Name": f"{kind.split('::')[2].lower()}-{_hex(rng, 8)}",
        "VpcId": f"vpc-{_hex(rng, 17)}",
        "SubnetIds": [f"subnet-{_hex(rng, 17)}" for _ in range(3)],
        "SecurityGroupIds": [f"sg-{_hex(rng, 17)}" for _ in range(2)],
        "KmsKeyId": f"arn:aws:kms:ap-northeast-2:{account}:key/{_hex(rng, 32)}",
        "PolicyDocument": {"Version": "2012-10-17", "Statement": statement},
        "Rules": _rules(rng),
        "Settings": {
            f"Setting{i}": rng.choice(("enabled", "disabled", 0, 1, 30, 90, True)) for i in range(30)
        },
        "Description": "Created by the platform team for the shared services of the estate",
        "Tags": [
            {"Key": "Name", "Value": f"svc-{_hex(rng, 6)}"},
            {"Key": "Environment", "Value": rng.choice(("prod", "stage", "dev"))},
            {"Key": "CostCenter", "Value": str(rng.randrange(1000, 9999))},
            {
                "Key": "aws:cloudformation:stack-id",
                "Value": f"arn:aws:cloudformation:ap-northeast-2:{account}:stack/s/{_hex(rng, 32)}",
            },
        ],
    }
    return key, properties


def change(rng: random.Random, properties: Mapping[str, Any]) -> dict[str, Any]:
    """One realistic edit."""
    edited: dict[str, Any] = orjson.loads(orjson.dumps(properties))
    match rng.randrange(4):
        case 0:
            edited["Rules"].append(
                {"IpProtocol": "tcp", "FromPort": rng.randrange(65536), "ToPort": 443, "CidrIp": "0.0.0.0/0"}
            )
            edited["Rules"] = edited["Rules"][-8:]
        case 1:
            edited["Settings"][f"Setting{rng.randrange(30)}"] = rng.randrange(1000)
        case 2:
            edited["SecurityGroupIds"] = [f"sg-{_hex(rng, 17)}", *edited["SecurityGroupIds"][:1]]
        case _:
            edited["Tags"][2]["Value"] = str(rng.randrange(1000, 9999))
    return edited


def _acts(rng: random.Random, changed: Sequence[ResourceKey], at: datetime) -> Iterator[Act]:
    """Who changed what during the day before ``at``: deployments of some resources each, and people."""
    left = list(changed)
    while left:
        together = [left.pop() for _ in range(min(len(left), rng.randrange(1, 8)))]
        name, account = UUID(int=rng.getrandbits(128)), together[0].account
        deployed = rng.random() < 0.6
        for key in together:
            by = ChangedBy(
                principal=f"arn:aws:iam::{account}:role/{'deploy' if deployed else 'admin'}-{name.int % 16}",
                session=f"AWSCodeBuild-{name}" if deployed else f"user-{name.int % 200}@example.com",
                source="CloudFormation" if deployed else ("console", "CLI")[name.int % 2],
                event=f"Modify{key.type.rpartition('::')[2]}{rng.choice(('Attribute', 'Tags', 'Policy'))}",
                event_id=str(UUID(int=rng.getrandbits(128))),
                time=at - timedelta(seconds=rng.randrange(86_400)),
                confidence=rng.choice(("HIGH", "MEDIUM")),
            )
            subject = rng.choice(
                ("/Rules", "/SecurityGroupIds", "/Tags", f"/Settings/Setting{rng.randrange(30)}")
            )
            yield Act(key=key, at=at, subject=subject, by=by)


def _resource(key: ResourceKey, properties: Mapping[str, Any]) -> Resource:
    return Resource(
        key=key,
        properties=properties,
        source=Source.CONFIG,
        arn=str(properties["Arn"]),
        name=str(properties["Name"]),
        tags={tag["Key"]: tag["Value"] for tag in properties["Tags"]},
        state_hash=digest(properties),
    )


def fill(store: SqlStore, count: int, nights: int, share: float) -> tuple[int, float]:
    """Record a year of nights; answers (bytes of full copies, seconds of an ordinary night)."""
    rng = random.Random(20261121)
    estate = {key: _resource(key, body) for key, body in (make(rng, number) for number in range(count))}
    keys = list(estate)
    gc.freeze()  # or the collector walks the estate over and over, which is none of the store's doing
    full = sum(len(orjson.dumps(dict(resource.properties))) for resource in estate.values()) * nights
    times = []
    for number in range(nights):
        changed = rng.sample(keys, max(1, int(count * share))) if number else []
        for key in changed:
            estate[key] = _resource(key, change(rng, estate[key].properties))
        at = _START + timedelta(days=number)
        run = Run(id=f"night-{number}", started_at=at, finished_at=at, scope=Scope())
        report = Report(run=run, outcome=Outcome.COMPLETE, coverage=CoverageCounts(checked=count))
        acts = list(_acts(rng, changed, at))
        began = time.perf_counter()
        store.record(report, Snapshot(taken_at=at, resources=estate))
        store.put_acts(acts)
        times.append(time.perf_counter() - began)
        if number % 30 == 29:
            store.compact()  # what autovacuum does between real nights
        if number % 30 == 0:
            print(f"  night {number:3}: {times[-1]:.2f} s", flush=True)
    return full, statistics.median(times[1:] or times)


def measure(name: str, store: SqlStore, count: int, nights: int, share: float) -> None:
    print(f"{name}: {count} resources, {nights} nights, {share:.1%} changed a night", flush=True)
    full, night = fill(store, count, nights, share)
    store.compact()
    size = store.size()
    each = size / count / nights
    print(
        f"  {size / 1e6:.1f} MB on disk, {each:.2f} bytes per resource and night, an ordinary night in {night:.2f} s"
    )
    print(
        f"  full copies: {full / 1e6:.0f} MB ({full / count / nights:.0f} bytes): {full / size:.0f} times as much"
    )
    ask(store, nights)


def ask(store: SqlStore, nights: int) -> None:
    """Moments of the past, for an account and for the estate: found, and every property of it looked at."""
    moments = [_START + timedelta(days=nights * part) for part in (0.1, 0.3, 0.5, 0.7, 0.9)]
    for label, accounts in (("one account", (f"{100000000000}",)), ("the estate", ())):
        found: list[tuple[float, float]] = []
        read: list[tuple[float, float]] = []
        for moment in moments:
            began, busy = time.perf_counter(), time.process_time()
            page = store.resources(Query(accounts=accounts, limit=10**6, at=moment))
            found.append((time.perf_counter() - began, time.process_time() - busy))
            looked_at = sum(len(resource.properties) for resource in page.items)
            read.append((time.perf_counter() - began, time.process_time() - busy))
            assert looked_at >= len(page.items) > 0
        print(
            f"  as of a night, {label} ({len(page.items)} states): {_median(found)}, "
            f"every property read: {_median(read)}",
            flush=True,
        )


def _median(times: list[tuple[float, float]]) -> str:
    wall, busy = (statistics.median(column) * 1000 for column in zip(*times, strict=True))
    return f"{wall:.0f} ms ({busy:.0f} ms of the processor)"


@contextmanager
def _sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/history.db"


@contextmanager
def _postgres(url: str | None) -> Iterator[str]:
    if url is not None:
        yield url
        return
    from tests.postgres_server import running

    with running() as server:
        yield server.database()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("--resources", type=int, default=50_000)
    parser.add_argument("--nights", type=int, default=365)
    parser.add_argument("--changed", type=float, default=0.01)
    parser.add_argument("--store", choices=("sqlite", "postgres"), help="measure this one only")
    parser.add_argument("--postgres", metavar="URL", help="an empty database to measure in")
    arguments = parser.parse_args()
    size = (arguments.resources, arguments.nights, arguments.changed)
    stores = {"sqlite": ("SQLite", _sqlite()), "postgres": ("PostgreSQL", _postgres(arguments.postgres))}
    for name, (title, place) in stores.items():
        if arguments.store in (None, name):
            with place as url:
                store = open_store(url)
                measure(title, store, *size)
                store.close()


if __name__ == "__main__":
    main()
