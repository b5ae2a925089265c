"""What only a person can decide is answered on the command line: deleted, taken out of a template, or accepted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from driftguard.errors import InputError
from driftguard.history.port import Query
from driftguard.model import Finding, FindingKind
from driftguard.model.remediation import Cure
from driftguard.remediation import Material, plan
from driftguard.remediation.away import UNMANAGED
from driftguard.remediation.seal import seal
from driftguard.sandbox import Sandbox
from driftguard.scan import scan
from driftguard.scan.again import Again
from driftguard.settings.remediation import CureRule
from driftguard.wiring import Wiring
from tests.remediation_shop import Shop
from tests.remediation_world import ACCOUNT, World, approve, wishes

TOPICS = """\
Resources:
  Orders:
    Type: AWS::SNS::Topic
    Properties: {TopicName: sales}
  # Who is told of orders.
  ByMail:
    Type: AWS::SNS::Subscription  # the shop's inbox
    Properties: {TopicArn: !Ref Orders, Protocol: email, Endpoint: shop@example.com}
  ByQueue:  # stays
    Type: AWS::SNS::Subscription
    Properties: {TopicArn: !Ref Orders, Protocol: sqs, Endpoint: 'arn:aws:sqs:ap-northeast-2:111111111111:orders'}
"""


class Handmade:
    """A user that somebody made by hand, with everything that a user can carry; scanned."""

    def __init__(self, world: World, wiring: Wiring) -> None:
        self.world = world
        self.wiring = wiring
        iam = world.client("iam")
        scan(wiring.job(trigger="test"))
        iam.create_user(UserName="temp")
        iam.create_access_key(UserName="temp")
        iam.create_login_profile(UserName="temp", Password="not-a-secret-1A!")
        iam.create_service_specific_credential(UserName="temp", ServiceName="codecommit.amazonaws.com")
        serial = iam.create_virtual_mfa_device(VirtualMFADeviceName="temp")["VirtualMFADevice"][
            "SerialNumber"
        ]
        iam.enable_mfa_device(
            UserName="temp", SerialNumber=serial, AuthenticationCode1="123456", AuthenticationCode2="654321"
        )
        iam.attach_user_policy(UserName="temp", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
        anything = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
        }
        iam.put_user_policy(UserName="temp", PolicyName="all", PolicyDocument=json.dumps(anything))
        iam.create_group(GroupName="admins")
        iam.add_user_to_group(UserName="temp", GroupName="admins")
        world.sleep(60)
        found = {one.key.identifier: one for one in scan(wiring.job(trigger="test")).findings if one.open}
        self.finding: Finding = found["temp"]

    def material(self) -> Material:
        return Again(self.wiring.job(trigger="plan"), {ACCOUNT}).material([self.finding])


@pytest.fixture
def handmade(sandbox: Sandbox, tmp_path: Path) -> Iterator[Handmade]:
    world = World(sandbox, tmp_path, policies=("SNS_ENCRYPTED_KMS",))
    world.set_up()
    world.record()
    with world.wiring() as wiring:
        yield Handmade(world, wiring)


def test_a_user_that_no_stack_declares_is_deleted_with_all_that_hangs_on_it(handmade: Handmade) -> None:
    [case] = [
        one
        for one in yaml.safe_load(
            (Path(__file__).parents[2] / "cases/remediation/iam.yaml").read_text("utf-8")
        )
        if one["policy"] == UNMANAGED
    ]
    wiring, finding = handmade.wiring, handmade.finding
    assert finding.kind is FindingKind.UNMANAGED and finding.key.type == case["type"]
    made = wiring.plan([finding], wishes(cures={finding.fingerprint: Cure.REVERT}, allow_deletes=True))
    [step] = made.steps
    remedy = next(one for one in wiring.remedies.remedies if one.id == case["remedy"])
    assert step.target == remedy.document and step.deletes and step.rollback is None
    [row] = handmade.world.runner(wiring, approve(wiring, made)).run().executions
    assert (row.status, row.detail) == ("VERIFIED", "The resource does not exist any more, as planned.")
    iam = handmade.world.client("iam")
    assert iam.list_users()["Users"] == [] and iam.list_virtual_mfa_devices()["VirtualMFADevices"] == []
    assert iam.get_group(GroupName="admins")["Users"] == []
    handmade.world.sleep(60)
    after = {one.fingerprint: one for one in scan(wiring.job(trigger="test")).findings}
    assert finding.fingerprint not in after or after[finding.fingerprint].status == "RESOLVED"


def test_deleting_needs_the_finding_and_the_word(handmade: Handmade) -> None:
    """Neither a rule of the settings nor the word alone deletes what nobody named."""
    finding, material = handmade.finding, handmade.material()
    remedies, settings = handmade.wiring.remedies, handmade.wiring.settings.remediation
    rule = settings.model_copy(update={"allow_deletes": True, "cures": (CureRule(cure="REVERT"),)})
    named = {finding.fingerprint: Cure.REVERT}
    by_rule = plan(material, remedies, rule, wishes(allow_deletes=True))
    without_word = plan(material, remedies, settings, wishes(cures=named))
    assert by_rule.steps == without_word.steps == ()
    assert [one.guard for one in without_word.left] == ["deletes"]
    for made in (by_rule, without_word):
        flags = {answer.flag for one in made.left for answer in one.answers}
        assert f"--revert {finding.fingerprint[:12]} --allow-deletes" in flags
    assert plan(material, remedies, settings, wishes(cures=named, allow_deletes=True)).steps


def test_what_hinders_every_step_offers_no_flag_that_would_be_refused(handmade: Handmade) -> None:
    settings = handmade.wiring.settings.remediation.model_copy(update={"protected_accounts": (ACCOUNT,)})
    [left] = plan(handmade.material(), handmade.wiring.remedies, settings, wishes(allow_deletes=True)).left
    assert [answer.flag.split()[0] for answer in left.answers] == ["--accept"]


# -- a deletion that is put back, or taken into the template


class Topics:
    """A stack whose subscription somebody deleted, and the command line on it."""

    def __init__(self, world: World, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        self.shop = Shop(world, monkeypatch)
        world.client("cloudformation").create_stack(StackName="topics", TemplateBody=text)
        with world.wiring() as wiring:
            scan(wiring.job(trigger="test"))
            sns = world.client("sns")
            for row in sns.list_subscriptions()["Subscriptions"]:
                if row["Protocol"] == "email":
                    sns.unsubscribe(SubscriptionArn=row["SubscriptionArn"])
            found = scan(wiring.job(trigger="test")).findings
        self.finding = next(one for one in found if one.logical_id == "ByMail")

    def plan(self, *flags: str) -> Any:
        said = self.shop.run("remediate", "plan", *flags, "--out", "plan.json", "--output", "json")
        return json.loads(said.stdout)


@pytest.fixture
def world(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(tmp_path)
    made = World(sandbox, tmp_path, policies=("SNS_ENCRYPTED_KMS",))
    made.set_up()
    return made


def test_a_deletion_that_nothing_hinders_is_put_back_under_its_new_name(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CloudFormation makes it with another ARN: it is the stack's resource that has to be in sync."""
    topics = Topics(world, TOPICS, monkeypatch)
    with world.wiring() as wiring:
        made = wiring.plan([topics.finding], wishes())
        assert [(step.cure, step.action) for step in made.steps] == [("REVERT", "REVERT_DRIFT")]
        [row] = world.runner(wiring, approve(wiring, made)).run().executions
        assert row.status == "VERIFIED", row.detail
        after = scan(wiring.job(trigger="test"))
    told = world.client("sns").list_subscriptions()["Subscriptions"]
    assert sorted(one["Protocol"] for one in told) == ["email", "sqs"]
    assert [
        one.title for one in after.findings if one.open and one.stack == "topics" and one.kind == "DRIFT"
    ] == []


def test_an_adopted_deletion_goes_through_the_template(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    topics = Topics(world, TOPICS, monkeypatch)
    short = topics.finding.fingerprint[:12]
    made = topics.plan("--stack", "topics", "--no-compliance", "--adopt", short)
    [step] = made["steps"]
    assert step["cure"] == "ADOPT" and step["action"] == "TEMPLATE_PATCH"
    topics.shop.run("remediate", "approve", "plan.json", "--reason", "nobody reads it", who="kim")
    topics.shop.run("remediate", "apply", "plan.json")
    patched = next(Path("driftguard-patches").glob("*.yaml")).read_text("utf-8")
    assert "ByMail" not in patched
    assert "# Who is told of orders." in patched and "ByQueue:  # stays" in patched
    world.client("cloudformation").update_stack(StackName="topics", TemplateBody=patched)
    with world.wiring() as wiring:
        after = scan(wiring.job(trigger="test"))
    assert [
        one.title for one in after.findings if one.open and one.stack == "topics" and one.kind == "DRIFT"
    ] == []


def test_apply_names_every_action_that_is_missing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One step each by an automation, by a change set and by a patch: the last needs no action at all."""
    topics = Topics(world, TOPICS, monkeypatch)
    with world.wiring() as wiring:
        drift = wiring.store.findings(Query(kinds=("DRIFT",))).items
        assert topics.finding.fingerprint in {one.fingerprint for one in drift}
        made = replace(wiring.plan(drift, wishes()), max_errors=9)
        made = approve(wiring, seal(made))
        assert {step.action for step in made.steps} == {"SSM_AUTOMATION", "REVERT_DRIFT", "TEMPLATE_PATCH"}
        for service, operation in (
            ("ssm", "StartAutomationExecution"),
            ("cloudformation", "CreateChangeSet"),
        ):
            world.sandbox.faults.add("deny", service=service, operation=operation)
        try:
            rows = {one.step: one for one in world.runner(wiring, made).run().executions}
        finally:
            world.sandbox.faults.clear()
    said = {step.action.value: rows[step.id].detail for step in made.steps}
    named = {kind: re.findall(r"Missing action: (\S+)\.", detail) for kind, detail in said.items()}
    assert named == {
        "SSM_AUTOMATION": ["ssm:StartAutomationExecution"],
        "REVERT_DRIFT": ["cloudformation:CreateChangeSet"],
        "TEMPLATE_PATCH": [],
    }


def test_what_the_template_refers_to_is_not_taken_out_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    topics = Topics(world, f"{TOPICS}Outputs:\n  Mail: {{Value: !Ref ByMail}}\n", monkeypatch)
    made = topics.plan("--stack", "topics", "--no-compliance", "--adopt", topics.finding.fingerprint)
    assert made["steps"] == []
    [left] = [row for row in made["left"] if row["finding"] == topics.finding.fingerprint]
    assert "Outputs/Mail in it refer to ByMail" in left["why"]


# -- the flags


def test_a_flag_says_the_cure_of_one_finding_and_the_plan_stays_whole(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    topics = Topics(world, TOPICS, monkeypatch)
    alarm = topics.shop.findings["Alarm"].fingerprint
    until = (world.sandbox.clock.now() + timedelta(days=29, hours=1)).date().isoformat()
    whole = topics.plan("--no-compliance")
    made = topics.plan("--no-compliance", "--accept", f"{alarm[:8]}=it is being tuned", "--expires", until)
    findings = {name for step in made["steps"] for name in step["findings"]} | {
        row["finding"] for row in made["left"]
    }
    assert findings == {name for step in whole["steps"] for name in step["findings"]} | {
        row["finding"] for row in whole["left"]
    }
    [step] = [one for one in made["steps"] if alarm in one["findings"]]
    assert step["cure"] == "ACCEPT" and "it is being tuned" in step["why_this_cure"]
    assert step["parameters"]["ExpiresInDays"] == 29
    topics.shop.run("remediate", "approve", "plan.json", "--reason", "as agreed", who="kim")
    topics.shop.run("remediate", "apply", "plan.json", check=False)
    with world.wiring() as wiring:
        [waiver] = [one for one in wiring.store.waivers() if one.resource.endswith("late")]
        assert waiver.reason == "it is being tuned" and waiver.approver == "kim"
        assert waiver.expires_at.date().isoformat() == until


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--accept", "0123456789ab"), "there is no finding 0123456789ab"),
        (("--accept", "0123"), "there is no finding 0123"),
        (("--revert", "{alarm}", "--adopt", "{alarm}"), "two cures are asked"),
    ],
)
def test_a_flag_that_names_nothing_or_two_things_is_an_error(
    world: World, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...], said: str
) -> None:
    shop = Shop(world, monkeypatch)
    alarm = shop.findings["Alarm"].fingerprint
    with pytest.raises(InputError, match=said):
        shop.run("remediate", "plan", *(flag.format(alarm=alarm) for flag in flags))
