"""How fast resources are compared, and how the time grows with the length of a list.

Run ``python -m benchmarks.compare``.  deepdiff with ``ignore_order`` runs on the same rules in the same process,
each run ended after a while, so that what is printed are ratios of one machine at one moment.
"""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Callable
from typing import Any

from driftguard.compare import compare
from driftguard.schema import registry

LENGTHS = (100, 1_000, 5_000)
CHANGED = 0.05
DEEPDIFF_SECONDS = 20.0
RESOURCES = 3_000


def rules(count: int) -> list[dict[str, Any]]:
    """Distinct security group rules."""
    return [
        {
            "IpProtocol": "tcp" if number % 3 else "udp",
            "FromPort": number % 60_000,
            "ToPort": number % 60_000,
            "CidrIp": f"10.{number // 250 % 250}.{number % 250}.0/24",
            "Description": f"rule {number}",
        }
        for number in range(count)
    ]


def pair(count: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A list, and the same in another order with one rule in twenty changed."""
    chance = random.Random(7)
    declared = rules(count)
    live = [dict(rule) for rule in declared]
    for rule in chance.sample(live, max(1, int(count * CHANGED))):
        rule["CidrIp"] = "0.0.0.0/0"
    chance.shuffle(live)
    return declared, live


def timed(work: Callable[[], object], at_least: float = 0.2) -> float:
    """Seconds of one run, the best of as many as fit."""
    best, start = float("inf"), time.perf_counter()
    while time.perf_counter() - start < at_least or best == float("inf"):
        before = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - before)
    return best


def deepdiff_run(count: int, answer: Any) -> None:
    from deepdiff import DeepDiff

    declared, live = pair(count)
    start = time.perf_counter()
    found = DeepDiff(declared, live, ignore_order=True, report_repetition=True)
    answer.put((time.perf_counter() - start, len(found)))


def deepdiff_seconds(count: int) -> float | None:
    """Seconds that deepdiff takes, or `None` when it did not end in time."""
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    process = context.Process(target=deepdiff_run, args=(count, answer))
    process.start()
    try:
        seconds: float = answer.get(timeout=DEEPDIFF_SECONDS)[0]
    except Exception:  # noqa: BLE001 - an empty queue: it is still at it
        return None
    finally:
        process.terminate()
        process.join()
    return seconds


def throughput() -> float:
    """Resources of a mixed kind compared in a second, one core."""
    bucket: dict[str, Any] = {
        "BucketName": "b",
        "Tags": [{"Key": f"k{n}", "Value": str(n)} for n in range(5)],
        "VersioningConfiguration": {"Status": "Enabled"},
        "LifecycleConfiguration": {"Rules": [{"Id": "a", "Status": "Enabled", "ExpirationInDays": 30}]},
    }
    live = {
        **bucket,
        "Arn": "arn:aws:s3:::b",
        "Tags": bucket["Tags"][::-1],
        "DomainName": "b.s3.amazonaws.com",
    }
    group, other = pair(10)
    cases: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
        ("AWS::S3::Bucket", bucket, live),
        ("AWS::EC2::SecurityGroup", {"SecurityGroupIngress": group}, {"SecurityGroupIngress": other}),
        ("AWS::SQS::Queue", {"DelaySeconds": "5"}, {"DelaySeconds": 5, "VisibilityTimeout": 30}),
    ]
    start = time.perf_counter()
    for number in range(RESOURCES):
        name, declared, actual = cases[number % len(cases)]
        compare(declared, actual, registry().get(name))
    return RESOURCES / (time.perf_counter() - start)


def main() -> None:
    schema = registry().get("AWS::EC2::SecurityGroup")
    print(f"{throughput():10.0f} resources per second, one core")
    print(f"{'rules':>8} {'seconds':>10} {'growth':>8} {'deepdiff':>10} {'ratio':>8}")
    before: float | None = None
    for count in LENGTHS:
        declared, live = pair(count)
        found = compare({"SecurityGroupIngress": declared}, {"SecurityGroupIngress": live}, schema)
        changed = max(1, int(count * CHANGED))
        assert len(found.differences) == changed, (len(found.differences), changed)
        seconds = timed(
            lambda: compare({"SecurityGroupIngress": declared}, {"SecurityGroupIngress": live}, schema)  # noqa: B023
        )
        theirs = deepdiff_seconds(count)
        growth = f"{seconds / before:8.1f}" if before else f"{'':8}"
        shown = (
            f"{theirs:10.2f} {theirs / seconds:8.0f}"
            if theirs
            else f"{f'> {DEEPDIFF_SECONDS:.0f}':>10} {f'> {DEEPDIFF_SECONDS / seconds:.0f}':>8}"
        )
        print(f"{count:8} {seconds:10.4f} {growth} {shown}")
        before = seconds


if __name__ == "__main__":
    main()
