from __future__ import annotations

import pytest

from driftguard.aws.pacing import Pacing, TokenBucket


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_burst_is_free_and_then_the_rate_holds() -> None:
    time = Time()
    bucket = TokenBucket(10, 5, clock=time.clock, sleep=time.sleep)
    for _ in range(25):
        bucket.take()
    assert time.now == pytest.approx(2.0)


def test_a_rest_fills_the_bucket_no_higher_than_the_burst() -> None:
    time = Time()
    bucket = TokenBucket(10, 5, clock=time.clock, sleep=time.sleep)
    time.now = 100.0
    assert [bucket.take() for _ in range(5)] == [0.0] * 5
    assert bucket.take() > 0


def test_each_account_region_and_service_has_its_own_budget() -> None:
    pacing = Pacing(20)
    bucket = pacing.bucket("1", "eu-west-1", "config")
    assert pacing.bucket("1", "eu-west-1", "config") is bucket
    assert pacing.bucket("2", "eu-west-1", "config") is not bucket
    assert pacing.bucket("1", "us-east-1", "config") is not bucket


def test_cloudtrail_is_never_asked_more_than_twice_a_second() -> None:
    bucket = Pacing(500).bucket("1", "eu-west-1", "cloudtrail")
    assert bucket.rate == 2.0


def test_a_quota_of_ones_own_counts_instead_of_the_published_one() -> None:
    pacing = Pacing(20, {"cloudtrail": 50})
    assert pacing.bucket("1", "eu-west-1", "cloudtrail").rate == 50
    assert pacing.bucket("1", "eu-west-1", "cloudcontrol").rate == 20
