"""A score says how it was counted; conformance packs import."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from driftguard.errors import PolicyError
from driftguard.history.port import Attestation
from driftguard.rules import Catalogue
from driftguard.rules.frameworks import Framework, load_frameworks
from driftguard.rules.packs import Judge, read_pack
from driftguard.rules.scores import ControlStatus, control_rows, method, tallies, whole
from driftguard.rules.shipped import load_all
from tests.shared_data import shared

NOW = datetime(2026, 11, 21, tzinfo=UTC)
FILE = """\
id: TEST
title: A framework
source: https://example.com
controls:
- {id: '1', policies: [A, B]}
- {id: '2', policies: [B]}
- {id: '3', policies: [C]}
- {id: '4', policies: [D]}
- {id: '5', manual: true}
- {id: '6', manual: true}
"""


def framework_of(folder: Path) -> Framework:
    (folder / "f.yaml").write_text(FILE, encoding="utf-8")
    (framework,) = load_frameworks([folder]).frameworks
    return framework


def test_the_score_counts_each_pair_once(tmp_path: Path) -> None:
    framework = framework_of(tmp_path)
    counts = [
        ("A", "COMPLIANT", 1),
        ("B", "COMPLIANT", 1),
        ("B", "NON_COMPLIANT", 1),
        ("C", "INSUFFICIENT_DATA", 1),
        ("D", "NOT_APPLICABLE", 1),
        ("Z", "NON_COMPLIANT", 1),
    ]
    by_policy = tallies(counts, Catalogue(policies=()))
    pairs = whole(framework, by_policy)
    assert (pairs.compliant, pairs.judged, pairs.untold, pairs.percent) == (2, 3, 1, 66.67)
    rows = control_rows(framework, by_policy, attested={"5"})
    assert [row.status for row in rows] == [
        ControlStatus.NON_COMPLIANT,
        ControlStatus.NON_COMPLIANT,
        ControlStatus.INSUFFICIENT_DATA,
        ControlStatus.NOT_JUDGED,
        ControlStatus.ATTESTED,
        ControlStatus.MANUAL,
    ]
    told = method(rows, pairs)
    assert "2 compliant of 3 judged pairs" in told
    assert "2 are judged by people (1 attested)" in told


def test_nothing_judged_is_no_score(tmp_path: Path) -> None:
    assert whole(framework_of(tmp_path), {}).percent is None


def test_a_word_holds_until_it_expires() -> None:
    word = Attestation(
        id="1",
        framework="T",
        control="5",
        actor="me",
        at=NOW,
        statement="s",
        expires_at=NOW + timedelta(days=1),
    )
    assert word.holds(NOW) and not word.holds(NOW + timedelta(days=1))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (FILE.replace("id: '2'", "id: '1'"), "the control 1 stands here twice"),
        (FILE.replace("{id: '5', manual: true}", "{id: '5'}"), "neither policies and `manual`"),
        (FILE.replace("title:", "titel:"), "`title`: field required"),
        ("id: XY\n", "field required"),
    ],
)
def test_a_wrong_framework_is_an_error_with_its_line(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text(text, encoding="utf-8")
    found = load_frameworks([tmp_path])
    assert found.frameworks == ()
    assert says in str(found.errors[0])
    assert str(found.errors[0]).startswith(f"{tmp_path / 'f.yaml'}:")


PACK = """\
Parameters:
  Age: {Type: String, Default: '60'}
  Off: {Type: String, Default: ''}
Conditions:
  hasAge: !Not [!Equals ['', !Ref Age]]
  isOff: {'Fn::Not': [{'Fn::Equals': ['', {Ref: Off}]}]}
Resources:
  Retention:
    Type: AWS::Config::ConfigRule
    Properties:
      ConfigRuleName: retention
      InputParameters: {MinRetentionTime: !If [hasAge, !Ref Age, !Ref 'AWS::NoValue']}
      Source: {Owner: AWS, SourceIdentifier: CW_LOGGROUP_RETENTION_PERIOD_CHECK}
  Left:
    Type: AWS::Config::ConfigRule
    Condition: isOff
    Properties:
      Source: {Owner: AWS, SourceIdentifier: EBS_OPTIMIZED_INSTANCE}
  Other:
    Type: AWS::Config::ConfigRule
    Properties:
      Source: {Owner: AWS, SourceIdentifier: S3_BUCKET_POLICY_NOT_MORE_PERMISSIVE}
  Paper:
    Type: AWS::Config::ConfigRule
    Properties:
      Source: {Owner: AWS, SourceIdentifier: AWS_CONFIG_PROCESS_CHECK}
  Own:
    Type: AWS::Config::ConfigRule
    Properties:
      Source: {Owner: CUSTOM_LAMBDA, SourceIdentifier: 'arn:aws:lambda:eu-west-1:111111111111:function:x'}
  Odd:
    Type: AWS::Config::ConfigRule
    Properties:
      Source: {Owner: AWS, SourceIdentifier: NO_SUCH_RULE}
"""


def test_a_pack_is_sorted_by_who_judges(tmp_path: Path) -> None:
    (tmp_path / "pack.yaml").write_text(PACK, encoding="utf-8")
    pack = read_pack(tmp_path / "pack.yaml", load_all())
    assert [(rule.name, rule.judge) for rule in pack.rules] == [
        ("retention", Judge.DRIFTGUARD),
        ("Other", Judge.AWS_CONFIG),
        ("Paper", Judge.MANUAL),
        ("Own", Judge.AWS_CONFIG),
        ("Odd", Judge.UNKNOWN),
    ]
    assert pack.skipped == ("Left",)
    assert pack.rules[0].parameters == {"MinRetentionTime": "60"}
    (override,) = pack.overrides()
    assert override.policy == "CW_LOGGROUP_RETENTION_PERIOD_CHECK"
    without = read_pack(tmp_path / "pack.yaml", load_all(), {"Age": ""})
    assert without.rules[0].parameters == {}


@pytest.mark.parametrize("text", ["a: [", "- 1", "x: 1"])
def test_what_is_no_pack_is_an_error(text: str, tmp_path: Path) -> None:
    (tmp_path / "pack.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError, match=r"pack\.yaml"):
        read_pack(tmp_path / "pack.yaml", load_all())


def test_every_public_conformance_pack_imports() -> None:
    folder = shared("data", "rules", "aws-config-rules", "aws-config-conformance-packs")
    catalogue = load_all()
    packs = [read_pack(path, catalogue) for path in sorted(folder.iterdir())]
    assert len(packs) >= 60
    for pack in packs:
        assert pack.rules, pack.name
        counts = pack.counts()
        assert counts["unknown"] == 0, pack.name
        assert counts["driftguard"] + counts["AWS Config"] + counts["manual"] == len(pack.rules)
        problems = [rule.problem for rule in pack.rules if rule.problem and "sets no" not in rule.problem]
        assert problems == [], pack.name
