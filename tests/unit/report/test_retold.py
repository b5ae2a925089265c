"""What is kept in English is told in Korean: messages of policies with their values, and sentences of our own."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from driftguard.history.faults import of_evaluations
from driftguard.history.redact import Redactor
from driftguard.model import ComplianceType, Evaluation, FindingKind, PolicySummary, Severity, Waiver
from driftguard.report import render
from driftguard.report.messages import messages
from driftguard.report.retold import message_of, refilled, retold, worded
from driftguard.report.view import heading
from driftguard.rules.policy import Policy, Variant
from driftguard.rules.shipped import load_all
from driftguard.scan.acceptances import Told
from tests.history_values import finding, full_report, key, night

CATALOGUE = load_all()
KOREAN, ENGLISH = messages("ko"), messages("en")
OLD = PolicySummary(
    id="OLD",
    title="Versions are new",
    title_ko="최신 버전",
    severity=Severity.LOW,
    resource_types=("AWS::EKS::Cluster",),
    message="The version is older than {oldest}.",
    message_ko="버전이 최저 버전({oldest})보다 낮습니다.",
)
"""A policy as a user's own folder may hold it."""


@pytest.mark.parametrize("policy", CATALOGUE.policies, ids=lambda policy: policy.id)
def test_a_stored_fault_of_every_policy_is_told_in_korean_with_its_values(policy: Policy) -> None:
    given = {name: spec.default or f"a.b {name}" for name, spec in policy.parameters.items()}
    said = Variant(policy, given, policy.severity).message
    evaluation = Evaluation(
        policy=policy.id,
        key=key("archive"),
        compliance=ComplianceType.NON_COMPLIANT,
        severity=policy.severity,
        message=said,
        parameters=given,
    )
    kept = Redactor("ab" * 32).evaluation(evaluation)
    summary = policy.summary()
    fault = of_evaluations([kept], {policy.id: summary}, {}, night(0), "r0")
    assert fault is not None
    told = message_of(fault.finding, {policy.id: summary}, KOREAN)
    assert re.search("[가-힣]", told) and "{" not in told
    assert said not in told
    for name in re.findall(r"\{(\w+)\}", policy.message):
        value = given[name]
        assert (", ".join(map(str, value)) if isinstance(value, list) else str(value)) in told
    assert message_of(fault.finding, {policy.id: summary}, ENGLISH) == kept.message


def test_a_value_may_hold_what_ends_the_sentence() -> None:
    assert retold("The version is older than 1.30.", OLD, KOREAN) == "버전이 최저 버전(1.30)보다 낮습니다."


def test_a_form_that_does_not_fit_is_no_match() -> None:
    assert refilled("Versions are off.", "The version is older than {oldest}.", "x") is None
    assert refilled("anything", "", "x") is None
    assert refilled("1 and 1.", "{a} and {a}.", "{a}개") == ("1개", "")
    assert refilled("1 and 2.", "{a} and {a}.", "{a}개") is None


def test_what_has_no_korean_stays_as_it_is() -> None:
    plain = replace(OLD, title_ko="", message_ko="")
    text = "The version is older than 1.30."
    assert retold(text, plain, KOREAN) == text
    assert retold(text, None, KOREAN) == text
    assert retold("Another wording.", OLD, KOREAN) == "Another wording."


def test_a_waiver_that_is_over_is_told_behind_the_message() -> None:
    fault = finding("archive", "OLD", kind=FindingKind.COMPLIANCE, message="The version is older than 1.30.")
    waiver = Waiver(id="w-1", reason="why", owner="kim", approver="lee", expires_at=night(0))
    said = Told([waiver], [], {}, night(0) + timedelta(days=1)).finding(fault)
    assert "expired on" in said.message
    told = message_of(said, {"OLD": OLD}, KOREAN)
    assert (
        told
        == f"버전이 최저 버전(1.30)보다 낮습니다. 예외 승인 w-1의 유효 기간이 {night(0):%Y-%m-%d}에 만료되었습니다."
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("AWS Config rule my-rule: The rule gives no reason.", "AWS Config 규칙 my-rule: 규칙이 사유를 제공하지 않습니다."),
        ("AWS Config rule my-rule: Port 22 is open.", "AWS Config 규칙 my-rule: Port 22 is open."),
        ("Cannot be told: Name is not shown.", "판단할 수 없습니다: Name is not shown."),
    ],
)  # fmt: skip
def test_our_own_sentences_are_told_too(text: str, told: str) -> None:
    assert retold(text, OLD, KOREAN) == told


@pytest.mark.parametrize("name", ["md", "html", "text"])
def test_a_report_of_a_run_that_kept_no_korean_is_told_in_todays_words(name: str) -> None:
    text = "The version is older than 1.30."
    fault = finding("archive", "OLD", kind=FindingKind.COMPLIANCE, title=OLD.title, message=text)
    bare = replace(OLD, title_ko="", message="", message_ko="")
    stored = replace(full_report(0), findings=(fault,), policies={"OLD": bare}, new=frozenset())

    def page(lang: str) -> str:
        return " ".join(str(render(worded(stored, {"OLD": OLD}), name, lang, verbose=True)).split())

    assert "(1.30)보다 낮습니다" in page("ko") and "최신 버전" in page("ko")
    assert text not in page("ko") and OLD.title not in page("ko")
    assert text in page("en") and "낮습니다" not in page("en")


def test_machines_read_the_same_in_every_language() -> None:
    fault = finding("archive", "OLD", kind=FindingKind.COMPLIANCE, title=OLD.title, message="It is old.")
    value = replace(full_report(0), findings=(fault,), policies={"OLD": OLD}, new=frozenset())
    for name in ("json", "csv", "sarif", "junit", "asff", "ocsf"):
        assert render(value, name, "ko") == render(value, name, "en")


def test_a_heading_names_the_resource_only_where_the_title_needs_it() -> None:
    fault = finding("archive", "OLD", kind=FindingKind.COMPLIANCE, title=OLD.title)
    assert heading(fault, {"OLD": OLD}, "ko") == "최신 버전"
    assert "Archive" in heading(finding("archive"), {}, "ko")
    assert re.search("[가-힣]", heading(finding("archive"), {}, "ko"))
