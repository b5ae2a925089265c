"""Every policy on the live resources of the demo estate, and AWS Config's own verdicts beside ours."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from driftguard.history.evidence import export, verify
from driftguard.history.port import Store
from driftguard.model import ComplianceType, FindingStatus, Report, Waiver
from driftguard.rules import ACCOUNT
from driftguard.rules.shipped import load_all
from driftguard.sandbox import Sandbox
from driftguard.sandbox.estate import deploy
from driftguard.sandbox.estate.plan import estate, read
from driftguard.sandbox.types.base import load_adapters
from driftguard.scan import scan
from driftguard.settings import load_settings
from driftguard.wiring import Wiring

SEOUL = "ap-northeast-2"
WAIVERS = """\
waivers:
- {id: W-holds, policy: own-rule, reason: "it is a drill", owner: kim, approver: lee, expires_at: 2999-01-01}
- {id: W-nothing, policy: S3_BUCKET_VERSIONING_ENABLED, resource: no-such-bucket, reason: "long gone", owner: kim,
   approver: lee, expires_at: 2999-01-01}
- {id: W-over, policy: other-rule, reason: "was a drill", owner: kim, approver: lee, expires_at: 2020-01-01}
- {id: W-wrong, policy: x}
"""


@dataclass(frozen=True)
class Scanned:
    report: Report
    bucket: str
    store: Store


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scanned]:
    """One scan with every policy, waiver files, and three rules of AWS Config's own."""
    folder: Path = tmp_path_factory.mktemp("policies")
    (folder / "waivers.yaml").write_text(WAIVERS, encoding="utf-8")
    (folder / "config.yaml").write_text(read("config.yaml"), encoding="utf-8")
    given = {
        "DRIFTGUARD_STORE": f"sqlite:///{folder / 'driftguard.db'}",
        "DRIFTGUARD_POLICIES__FRAMEWORKS": '["*"]',
        "DRIFTGUARD_POLICIES__WAIVERS": f"[{folder / 'waivers.yaml'}]",
        "DRIFTGUARD_SCAN__NATIVE_DRIFT": "false",
    }
    settings = load_settings(str(folder / "config.yaml"), given)
    with Sandbox() as sandbox:
        deploy(sandbox)
        bucket = rules(sandbox)
        home = estate().account("management")
        with Wiring(
            settings,
            session_factory=lambda: sandbox.session(account=home, principal="driftguard"),
            clock=sandbox.clock.now,
        ) as wiring:
            yield Scanned(scan(wiring.job(trigger="test")), bucket, wiring.store)


def rules(sandbox: Sandbox) -> str:
    """Two custom rules that fail on a bucket and on a role, and a managed rule that driftguard judges itself."""
    session: Any = sandbox.session(account=estate().account("production"), region=SEOUL)
    config, iam = session.client("config"), session.client("iam")
    bucket = session.client("s3").list_buckets()["Buckets"][0]["Name"]
    role = iam.list_roles()["Roles"][0]
    source = {"Owner": "CUSTOM_LAMBDA", "SourceIdentifier": f"arn:aws:lambda:{SEOUL}:1:function:f"}
    for name, kind, identifier in (
        ("own-rule", "AWS::S3::Bucket", bucket),
        ("other-rule", "AWS::IAM::Role", role["RoleId"]),
    ):
        config.put_config_rule(ConfigRule={"ConfigRuleName": name, "Source": source})
        evaluation = {
            "ComplianceResourceType": kind,
            "ComplianceResourceId": identifier,
            "ComplianceType": "NON_COMPLIANT",
            "Annotation": "The drill says so.",
            "OrderingTimestamp": dt.datetime.now(dt.UTC),
        }
        config.put_evaluations(ResultToken=name, Evaluations=[evaluation])
    managed = {"Owner": "AWS", "SourceIdentifier": "S3_BUCKET_VERSIONING_ENABLED"}
    config.put_config_rule(ConfigRule={"ConfigRuleName": "managed", "Source": managed})
    return str(bucket)


def test_no_policy_fails_on_a_live_resource(scanned: Scanned) -> None:
    broken = {
        (one.policy, one.key.type, one.message)
        for one in scanned.report.evaluations
        if "could not be evaluated" in one.message
    }
    assert broken == set()


def test_each_policy_ran_where_its_type_lives(scanned: Scanned) -> None:
    ran: dict[str, set[str]] = defaultdict(set)
    for one in scanned.report.evaluations:
        if one.judge == "driftguard":
            ran[one.key.type].add(one.policy)
    catalogue = load_all()
    asleep = {policy.id for policy in catalogue.dormant}
    for type_name, seen in sorted(ran.items()):
        wanted = {p.id for p in catalogue.of_type(type_name) if p.judges != "template"} - asleep
        print(f"{type_name}: {', '.join(sorted(seen))}")
        assert seen == wanted, type_name
    assert len(ran) >= 40
    living = {key.type for key in (one.key for one in scanned.report.evaluations)}
    assert living <= set(load_adapters()) | {ACCOUNT, "AWS::KMS::Key", "AWS::CloudFormation::Stack"}


def test_a_fact_of_the_account_is_judged_once(scanned: Scanned) -> None:
    on_account = [one for one in scanned.report.evaluations if one.key.type == ACCOUNT]
    counts = Counter((one.policy, one.key.account) for one in on_account if one.key.region == "global")
    assert counts and set(counts.values()) == {1}
    everywhere = {one.policy for one in on_account if one.key.region == "global"}
    assert "IAM_PASSWORD_POLICY" in everywhere
    assert not everywhere & {one.policy for one in on_account if one.key.region != "global"}


def test_verdicts_of_aws_config_are_read_mapped_and_marked(scanned: Scanned) -> None:
    theirs = {one.policy: one for one in scanned.report.evaluations if one.judge == "AWS Config"}
    assert set(theirs) == {"own-rule", "other-rule"}, "what driftguard judges is not taken from AWS Config"
    assert theirs["own-rule"].key.identifier == scanned.bucket
    role = theirs["other-rule"].key
    assert (role.region, role.type) == ("global", "AWS::IAM::Role")
    assert not role.identifier.startswith("AROA"), "AWS Config's id of a role is not its name"
    assert theirs["own-rule"].message == "AWS Config rule own-rule: The drill says so."
    assert scanned.report.policies["own-rule"].title == "AWS Config: own-rule"


def test_waiver_files_hold_end_and_are_told_of(scanned: Scanned) -> None:
    findings = {one.subject: one for one in scanned.report.findings}
    own, other = findings["own-rule"], findings["other-rule"]
    assert (own.status, own.waiver) == (FindingStatus.SUPPRESSED, "W-holds")
    assert other.open
    assert other.message.endswith("The waiver W-over expired on 2020-01-01.")
    notes = " ".join(scanned.report.notes)
    assert "The waiver W-nothing matches nothing" in notes
    assert "The waiver W-over expired on 2020-01-01: 1 finding open again." in notes
    assert "waivers.yaml:6: waiver `reason`" in notes
    assert "W-holds" not in notes


def test_evidence_lists_the_waivers_of_files_beside_those_of_the_store(
    scanned: Scanned, tmp_path: Path
) -> None:
    at = scanned.report.run.finished_at
    assert at is not None
    stored = Waiver(
        id="W-store", reason="a drill", owner="kim", approver="lee", expires_at=at + dt.timedelta(days=9)
    )
    scanned.store.put_waiver(stored, actor="kim")
    bundle = tmp_path / "evidence.zip"
    export(scanned.store, "K-ISMS", at, bundle, actor="kim")
    assert verify(bundle) == []
    with zipfile.ZipFile(bundle) as archive:
        listed = {one["id"]: one for one in json.loads(archive.read("waivers.json"))}
        entries = {one["name"]: one for one in json.loads(archive.read("manifest.json"))["files"]}
        assert hashlib.sha256(archive.read("waivers.json")).hexdigest() == entries["waivers.json"]["sha256"]
    assert listed.keys() == {"W-holds", "W-nothing", "W-store"}, "and none that is over or wrong"
    assert listed["W-holds"]["source"].endswith("waivers.yaml:2")
    assert (listed["W-holds"]["approver"], listed["W-holds"]["reason"]) == ("lee", "it is a drill")
    assert listed["W-store"]["source"] == "the store"
    with zipfile.ZipFile(bundle) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(bundle, "w") as archive:
        for name, data in held.items():
            archive.writestr(name, data.replace(b"it is a drill", b"it is allowed"))
    assert "waivers.json was changed." in verify(bundle)


def test_what_was_not_read_as_a_whole_is_no_evidence_of_absence(scanned: Scanned) -> None:
    verdicts = {
        one.compliance for one in scanned.report.evaluations if one.policy == "NACL_NO_UNRESTRICTED_SSH_RDP"
    }
    assert ComplianceType.COMPLIANT not in verdicts, "AWS Config does not record entries of network ACLs"
    flow_logs = {
        one.compliance for one in scanned.report.evaluations if one.policy == "VPC_FLOW_LOGS_ENABLED"
    }
    assert ComplianceType.NON_COMPLIANT in flow_logs, "AWS Config records flow logs: there is none"
