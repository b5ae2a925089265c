"""The catalogue judges, and says when it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from driftguard.errors import PolicyError
from driftguard.model import ComplianceType, Resource, ResourceKey, Severity, Source
from driftguard.rules import Catalogue, JudgeContext, Neighbours, load_catalogue
from driftguard.settings.policies import Override

POLICY = """\
id: {id}
title: A policy
severity: LOW
resource_types: [{type}]
parameters: {parameters}
assert: "{expression}"
message: "It is not {{word}}."
source: https://example.com
cases: [{{name: a, expect: COMPLIANT}}]
"""


def make(
    folder: Path, name: str, expression: str, type: str = "AWS::S3::Bucket", parameters: str = "{}"
) -> Catalogue:
    text = POLICY.format(id=name, type=type, expression=expression, parameters=parameters)
    (folder / f"{name.lower()}.yaml").write_text(text, encoding="utf-8")
    catalogue = load_catalogue([folder])
    assert catalogue.errors == ()
    return catalogue


def bucket(properties: dict[str, Any] | None = None, **more: Any) -> Resource:
    key = ResourceKey(
        account=more.pop("account", "111111111111"),
        region="eu-west-1",
        type=more.pop("type", "AWS::S3::Bucket"),
        identifier="b",
    )
    return Resource(
        key=key, properties=properties or {}, source=more.pop("source", Source.CLOUD_CONTROL), **more
    )


def verdict(catalogue: Catalogue, resource: Resource, context: JudgeContext | None = None) -> tuple[str, str]:
    (one,) = catalogue.evaluate(resource, context)
    return one.compliance.value, one.message


def test_a_property_outside_the_coverage_is_insufficient_data(tmp_path: Path) -> None:
    catalogue = make(tmp_path, "LOGS", "present(LoggingConfiguration)")
    seen = bucket(coverage=frozenset({"BucketName"}))
    assert verdict(catalogue, seen) == (
        "INSUFFICIENT_DATA",
        "Cannot be told: LoggingConfiguration is not shown by CLOUD_CONTROL.",
    )
    assert verdict(catalogue, bucket())[0] == "NON_COMPLIANT"
    assert (
        verdict(catalogue, bucket({"LoggingConfiguration": {"LogFilePrefix": "a"}}, coverage=frozenset()))[0]
        == "COMPLIANT"
    )


def test_a_write_only_property_is_not_absent_when_live(tmp_path: Path) -> None:
    catalogue = make(tmp_path, "ACL", "AccessControl == 'Private'")
    said, message = verdict(catalogue, bucket())
    assert said == "INSUFFICIENT_DATA"
    assert "write-only" in message
    assert verdict(catalogue, bucket(source=Source.TEMPLATE))[0] == "NON_COMPLIANT"


def test_an_exception_is_insufficient_data_and_the_others_still_run(tmp_path: Path) -> None:
    make(tmp_path, "RAISES", "length(BucketName) > `3`")
    catalogue = make(tmp_path, "WORKS", "absent(BucketName)")
    found = {one.policy: one.compliance for one in catalogue.evaluate(bucket())}
    assert found == {"RAISES": ComplianceType.INSUFFICIENT_DATA, "WORKS": ComplianceType.COMPLIANT}


def test_a_runaway_regular_expression_is_stopped(tmp_path: Path) -> None:
    catalogue = make(tmp_path, "SLOW", "matches(BucketName, '^(a|a)*$')")
    said, message = verdict(catalogue, bucket({"BucketName": "a" * 60 + "!"}))
    assert (said, "Timeout" in message) in (("INSUFFICIENT_DATA", True), ("NON_COMPLIANT", False))


def test_relations_need_the_other_type_to_have_been_read(tmp_path: Path) -> None:
    catalogue = make(
        tmp_path, "POLICY", "any(related('AWS::S3::BucketPolicy', 'Bucket'), &present(PolicyDocument))"
    )
    one = bucket()
    other = bucket({"Bucket": "b", "PolicyDocument": {"Statement": []}}, type="AWS::S3::BucketPolicy")
    assert verdict(catalogue, one)[0] == "INSUFFICIENT_DATA"
    unread = JudgeContext(neighbours=Neighbours([one], complete=lambda kind, _: kind == "AWS::S3::Bucket"))
    assert verdict(catalogue, one, unread)[0] == "INSUFFICIENT_DATA"
    assert verdict(catalogue, one, JudgeContext(neighbours=Neighbours([one])))[0] == "NON_COMPLIANT"
    assert verdict(catalogue, one, JudgeContext(neighbours=Neighbours([one, other])))[0] == "COMPLIANT"
    foreign = bucket(
        {"Bucket": "b", "PolicyDocument": {}}, type="AWS::S3::BucketPolicy", account="222222222222"
    )
    assert verdict(catalogue, one, JudgeContext(neighbours=Neighbours([one, foreign])))[0] == "NON_COMPLIANT"


def test_account_facts_that_were_not_read_decide_nothing(tmp_path: Path) -> None:
    catalogue = make(tmp_path, "FACT", "account('PasswordPolicy').MinimumPasswordLength >= `14`")
    assert verdict(catalogue, bucket())[0] == "INSUFFICIENT_DATA"
    strong = JudgeContext(account_facts={"PasswordPolicy": {"MinimumPasswordLength": 14}})
    assert verdict(catalogue, bucket(), strong)[0] == "COMPLIANT"
    assert (
        verdict(catalogue, bucket(), JudgeContext(account_facts={"PasswordPolicy": None}))[0]
        == "NON_COMPLIANT"
    )


def test_overrides_change_parameters_severity_and_scope(tmp_path: Path) -> None:
    parameters = "{word: {type: string, default: a}}"
    catalogue = make(tmp_path, "WORD", "BucketName == param('word')", parameters=parameters)
    tuned = catalogue.select(
        overrides=(
            Override(policy="WO*", accounts=("222222222222",), parameters={"word": "b"}, severity="high"),
            Override(policy="WORD", environments=("dev",), enabled=False),
            Override(policy="WORD", tags=("tier=gold",), severity="critical"),
        )
    )
    assert verdict(tuned, bucket({"BucketName": "a"}))[0] == "COMPLIANT"
    (other,) = tuned.evaluate(bucket({"BucketName": "a"}, account="222222222222"))
    assert (other.compliance, other.severity, other.message) == (
        ComplianceType.NON_COMPLIANT,
        Severity.HIGH,
        "It is not b.",
    )
    assert tuned.evaluate(bucket(), JudgeContext(environment="dev")) == []
    assert tuned.evaluate(bucket(tags={"tier": "gold"}))[0].severity is Severity.CRITICAL


@pytest.mark.parametrize(
    ("override", "says"),
    [
        (Override(policy="NOPE"), "no policy is called NOPE"),
        (Override(policy="WORD", parameters={"wrd": "b"}), "WORD has no parameter `wrd`"),
        (Override(policy="WORD", parameters={"number": "x"}), "must be of type integer"),
    ],
)
def test_a_wrong_override_is_an_error(override: Override, says: str, tmp_path: Path) -> None:
    parameters = "{word: {default: a}, number: {type: integer, default: 1}}"
    catalogue = make(tmp_path, "WORD", "BucketName == param('word')", parameters=parameters)
    with pytest.raises(PolicyError, match=says):
        catalogue.select(overrides=(override,))


def test_a_policy_without_its_required_parameter_is_dormant_and_said_so(tmp_path: Path) -> None:
    catalogue = make(tmp_path, "TAG", "present(tag(param('tagKey')))", parameters="{tagKey: {type: string}}")
    assert [policy.id for policy in catalogue.dormant] == ["TAG"]
    assert catalogue.evaluate(bucket()) == []
    awake = catalogue.select(overrides=(Override(policy="TAG", parameters={"tagKey": "owner"}),))
    assert awake.dormant == ()
    assert verdict(awake, bucket(tags={"owner": "me"}))[0] == "COMPLIANT"


def test_select_includes_and_excludes(tmp_path: Path) -> None:
    make(tmp_path, "ONE", "present(BucketName)")
    catalogue = make(tmp_path, "TWO", "absent(BucketName)")
    assert [one.id for one in catalogue.select(exclude=("T*",)).policies] == ["ONE"]
    assert [one.id for one in catalogue.select(only=set(), include=("TWO",)).policies] == ["TWO"]
    with pytest.raises(PolicyError, match="no policy is called THREE"):
        catalogue.select(include=("THREE",))
