"""Waivers of a run: what the report keeps of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from driftguard.model import DeclaredResource, FindingStatus, Waiver
from driftguard.rules.shipped import load_all
from driftguard.scan.acceptances import Told, gathered, in_force
from tests.history_values import ACCOUNT, finding, key, night

FILED = Waiver(id="F", reason="r", owner="o", approver="a", expires_at=night(9), source="w.yaml:2")
STORED = replace(FILED, id="S", source="")


def test_the_report_keeps_the_waivers_that_the_store_does_not() -> None:
    metadata = {"driftguard": {"waive": [{"policy": "S3_BUCKET_*", "reason": "a bucket of logs"}]}}
    bucket = DeclaredResource(
        type="AWS::S3::Bucket",
        logical_id="Logs",
        properties={},
        account=ACCOUNT,
        region="us-east-1",
        stack_name="shop",
        identifier="logs",
        metadata=metadata,
    )
    accepted = gathered([STORED], [FILED], [bucket], load_all())
    of_template = [one for one in accepted.waivers if one.source.startswith("Metadata of ")]
    assert len(of_template) > 5, "one line accepts every policy that it fits"
    used = of_template[3]
    fault = finding("logs", used.policy, key=key("logs"), status=FindingStatus.SUPPRESSED, waiver=used.id)

    kept = in_force(accepted.waivers, accepted.filed, [fault], night(0))
    assert kept == (FILED, used)
    assert in_force(accepted.waivers, accepted.filed, [fault], night(9) + timedelta(hours=1)) == (used,)
    assert in_force(accepted.waivers, accepted.filed, [], night(0)) == (FILED,)


def test_a_finding_says_once_that_its_waiver_is_over() -> None:
    older = replace(STORED, id="W1", expires_at=night(1))
    fault = finding("logs", message="The template says 1, AWS has 2.")
    for number in (2, 3, 4):
        fault = Told([older], (), {}, night(number)).finding(fault)
    assert fault.message == "The template says 1, AWS has 2. The waiver W1 expired on 2026-11-02."
    later = replace(older, id="W2", expires_at=night(5))
    fault = Told([older, later], (), {}, night(6)).finding(fault)
    assert fault.message == "The template says 1, AWS has 2. The waiver W2 expired on 2026-11-06."
