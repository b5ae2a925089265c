"""A scan of one region, stack or type never calls a thing over that it did not look at."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from driftguard.history.port import Query
from driftguard.model import Outcome, Report
from driftguard.model.schedule import EVENTS, Slot, UnitState
from driftguard.sandbox import Sandbox
from driftguard.scan import scan
from driftguard.service.scheduler import run_slot
from driftguard.settings import Settings
from driftguard.wiring import Wiring

REGION = "ap-northeast-2"
OTHER = "us-east-1"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
TEMPLATE = {
    "Resources": {
        "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "door"}},
        "Files": {"Type": "AWS::S3::Bucket"},
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST}},
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "orders"}},
    }
}
ALL = {"Group", "Files", "Role", "Topic"}
SSH = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"


class Shop:
    """One stack in one of two regions, which are said to be all of them; and what a person does to it by hand."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self._url = f"sqlite:///{folder}/s.db"
        session: Any = sandbox.session(region=REGION)
        cloudformation = session.client("cloudformation")
        cloudformation.create_stack(
            StackName="shop", TemplateBody=json.dumps(TEMPLATE), Capabilities=["CAPABILITY_IAM"]
        )
        listed = cloudformation.list_stack_resources(StackName="shop")["StackResourceSummaries"]
        self.names = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in listed}
        self.account = session.client("sts").get_caller_identity()["Account"]
        self.by_hand: Any = sandbox.session(region=REGION, principal="mallory")
        with self.wiring() as wiring:  # so that there are witnesses
            scan(wiring.job(trigger="cli"))

    def wiring(self, **scope: Any) -> Wiring:
        settings = {
            "scope": {"regions": [REGION, OTHER], "complete": True, **scope},
            "store": {"url": self._url},
            "scan": {"native_drift": False},
        }
        return Wiring(
            Settings.model_validate(settings),
            session_factory=lambda: self.sandbox.session(region=REGION),
            clock=self.sandbox.clock.now,
        )

    def scan(self, regions: tuple[str, ...] = (), **scope: Any) -> Report:
        self.sandbox.clock.advance(60)
        with self.wiring(**scope) as wiring:
            return scan(wiring.job(trigger="cli", regions=regions))

    def happens(self, kind: str) -> None:
        """An event on a resource of a type was heard, and the service looks."""
        self.sandbox.clock.advance(60)
        with self.wiring() as wiring:
            at = self.sandbox.clock.now()
            task = {"source": "cloudtrail", "account": self.account, "region": REGION, "type": kind}
            slot = Slot(schedule=EVENTS, key=f"{kind} {at}", due_at=at, task=task)
            units = run_slot(wiring, slot, lambda: False)
            assert [one.state for one in units] == [UnitState.DONE]

    def drifting(self) -> set[str]:
        """The logical ids of which a difference from the declaration is an open finding."""
        with self.wiring() as wiring:
            found = wiring.store.findings(Query(kinds=("DRIFT",), statuses=("OPEN",)))
        return {one.logical_id for one in found.items}

    def modified(self) -> set[str]:
        """The logical ids that the list of drifts shows as modified."""
        with self.wiring() as wiring:
            return {one.logical_id for one in wiring.store.drifts(Query(statuses=("MODIFIED",))).items}

    def open_the_group(self) -> None:
        self.by_hand.client("ec2").authorize_security_group_ingress(
            GroupId=self.names["Group"], IpPermissions=SSH
        )

    def close_the_group(self) -> None:
        self.by_hand.client("ec2").revoke_security_group_ingress(
            GroupId=self.names["Group"], IpPermissions=SSH
        )

    def break_in(self) -> None:
        """A rule, a managed policy, a bucket policy and a subscription that no stack declares."""
        self.open_the_group()
        bucket = self.names["Files"]
        policy = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
        policy["Resource"] = f"arn:aws:s3:::{bucket}/*"
        document = {"Version": "2012-10-17", "Statement": [policy]}
        self.by_hand.client("s3").put_bucket_policy(Bucket=bucket, Policy=json.dumps(document))
        self.by_hand.client("sns").subscribe(
            TopicArn=self.names["Topic"], Protocol="email", Endpoint="m@example.com"
        )
        self.by_hand.client("iam").attach_role_policy(RoleName=self.names["Role"], PolicyArn=ADMIN)


@pytest.fixture
def shop(sandbox: Sandbox, tmp_path: Path) -> Iterator[Shop]:
    yield Shop(sandbox, tmp_path)


def test_what_a_narrow_scan_does_not_see_stays_open(shop: Shop) -> None:
    shop.break_in()
    shop.scan()
    assert shop.drifting() == shop.modified() == ALL
    for regions, scope in (
        ((REGION,), {}),
        ((), {"stacks": ["shop"]}),
        ((REGION,), {"types": ["AWS::EC2::SecurityGroup"]}),
        ((), {"types": ["AWS::S3::Bucket"]}),
    ):
        told = shop.scan(regions, **scope)
        assert told.resolved == () and not told.new, (regions, scope)
        assert told.outcome is Outcome.COMPLETE
        assert shop.drifting() == shop.modified() == ALL
    whole = shop.scan()
    assert not whole.new and not whole.reopened and whole.resolved == ()


def test_what_a_narrow_scan_sees_put_right_is_over(shop: Shop) -> None:
    shop.break_in()
    shop.scan()
    shop.close_the_group()
    shop.by_hand.client("s3").delete_bucket_policy(Bucket=shop.names["Files"])
    shop.by_hand.client("iam").detach_role_policy(RoleName=shop.names["Role"], PolicyArn=ADMIN)
    told = shop.scan((REGION,))
    # A role's policies may be declared in the other region as well, and so may a subscription.
    assert {one.logical_id for one in told.resolved} == {"Group", "Files"}
    assert shop.drifting() == shop.modified() == {"Role", "Topic"}
    assert {one.logical_id for one in shop.scan().resolved} == {"Role"}
    assert shop.drifting() == shop.modified() == {"Topic"}


def test_an_event_opens_and_closes_what_it_tells_of(shop: Shop) -> None:
    shop.break_in()
    shop.happens("AWS::EC2::SecurityGroup")
    assert shop.drifting() == shop.modified() == {"Group"}
    shop.happens("AWS::IAM::Role")
    shop.happens("AWS::S3::Bucket")
    assert shop.drifting() == shop.modified() == {"Group", "Role", "Files"}
    shop.close_the_group()
    shop.happens("AWS::IAM::Role")
    assert shop.drifting() == {"Group", "Role", "Files"}
    shop.happens("AWS::EC2::SecurityGroup")
    assert shop.drifting() == shop.modified() == {"Role", "Files"}
    assert {one.logical_id for one in shop.scan().resolved} == set()


def test_a_narrow_scan_says_nothing_of_what_it_was_not_asked_for(shop: Shop) -> None:
    told = shop.scan(types=["AWS::EC2::SecurityGroup"])
    assert [(one.logical_id, one.not_checked) for one in told.drifts if one.stack] == [("Group", ())]
    assert (told.coverage.checked, told.coverage.not_checked) == (1, 0)
    told = shop.scan(stacks=["shop"])
    assert [one.logical_id for one in told.drifts if one.not_checked] == []
