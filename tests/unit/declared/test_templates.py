"""Reading: positions, short forms, bombs, folders."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from driftguard.declared.context import ResolveContext
from driftguard.declared.resolve import resolve
from driftguard.declared.template import TemplateKind, find_templates, load_template
from driftguard.declared.yaml_reader import read_yaml
from driftguard.errors import TemplateError

YAML = """\
AWSTemplateFormatVersion: 2010-09-09
Conditions:
  Yes1: !Equals [a, a]
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties:
      TopicName: !Sub
        - "${a}-b"
        - a: !Ref AWS::Region
      Tags:
        - !If [Yes1, !Ref AWS::NoValue, x]
        - Key: k
          Value: !GetAtt Nested.Outputs.A.B
"""


def test_every_value_of_yaml_knows_its_line_and_column() -> None:
    template = load_template(YAML, file="t.yaml")
    assert template.document["AWSTemplateFormatVersion"] == "2010-09-09"
    value = template.document["Resources"]["Topic"]["Properties"]["Tags"][1]["Value"]
    assert value == {"Fn::GetAtt": ["Nested", "Outputs.A.B"]}
    base = ("Resources", "Topic", "Properties")
    for path, line, column in (
        ((*base, "TopicName"), 8, 7),
        ((*base, "TopicName", "Fn::Sub", 1, "a"), 10, 11),
        ((*base, "Tags", 1), 13, 11),
        ((*base, "Tags", 1, "Value"), 14, 11),
        ((*base, "Tags", 1, "NotThere", "Deeper"), 13, 11),
    ):
        place = template.locate(path)
        assert place is not None
        assert (place.file, place.line, place.column) == ("t.yaml", line, column), path


def test_a_resolved_value_is_found_where_it_was_written_though_its_index_moved() -> None:
    resource = resolve(load_template(YAML, file="t.yaml")).resources[0]
    assert resource.locations[""].line == 5
    assert resource.locations["/Tags/0/Value"].line == 14
    assert resource.locations["/KmsMasterKeyId"].line == 7, "what is missing belongs under Properties"
    assert set(resource.locations) == {"", "/TopicName", "/Tags", "/Tags/0", "/Tags/0/Key", "/Tags/0/Value"}


def test_every_value_of_json_knows_its_line_and_column() -> None:
    text = json.dumps(
        {"Resources": {'A"b': {"Type": "X", "Properties": {"L": [{"k": 1}, {"k": [True, "x:{"]}]}}}}, indent=2
    )
    template = load_template(text, file="t.json")
    lines = text.split("\n")
    for path, wanted in (
        (("Resources", 'A"b'), '"A\\"b"'),
        (("Resources", 'A"b', "Properties", "L"), '"L"'),
        (("Resources", 'A"b', "Properties", "L", 1, "k"), '"k"'),
        (("Resources", 'A"b', "Properties", "L", 1, "k", 1), '"x:{"'),
    ):
        place = template.locate(path)
        assert place is not None
        assert lines[place.line - 1][place.column - 1 :].startswith(wanted), path


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "{a: " * 60_000, "- " * 60_000, '{"a":' * 60_000, "? " * 50_000]
)
def test_a_document_too_deep_is_refused_and_does_not_crash(text: str) -> None:
    with pytest.raises(TemplateError):
        load_template(text + "\n")


@pytest.mark.parametrize("unit", ["[", "{a: ", "- ", "? ", "a: {b: [", "!Sub ["])
def test_a_text_that_is_nested_too_deeply_is_refused_and_ends_nothing(unit: str) -> None:
    with pytest.raises(TemplateError, match=r"nested more than|not YAML"):
        read_yaml("Resources: {}\nMetadata:\n  " + unit * 60_000, "deep.yaml")


def test_an_alias_bomb_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(TemplateError, match="aliases expand"):
        load_template("\n".join(lines) + "\n")


def test_anchors_and_merges_work_as_in_yaml() -> None:
    text = """\
Base: &base {TopicName: a, DisplayName: d}
Resources:
  T:
    Type: AWS::SNS::Topic
    Properties:
      <<: *base
      TopicName: b
"""
    resource = resolve(load_template(text)).resources[0]
    assert resource.properties == {"TopicName": "b", "DisplayName": "d"}
    assert resource.locations["/DisplayName"].line == 1


def test_yaml_text_that_looks_like_something_else_stays_what_cloudformation_makes_of_it() -> None:
    text = "Resources:\n  T: {Type: X, Properties: {A: 2020-01-01, B: 012, C: 1e3, D: 'yes', E: ~, F: 1.0, G: =, H: yes}}\n"
    assert resolve(load_template(text)).resources[0].properties == {
        "A": "2020-01-01", "B": 10, "C": "1e3", "D": "yes", "E": None, "F": 1.0, "G": "=", "H": True,
    }  # fmt: skip


def test_folders_are_searched_and_what_is_no_template_is_counted(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "deep" / "er" / "a.yaml").write_text(YAML)
    (tmp_path / "b.template").write_text('{"Resources": {"A": {"Type": "AWS::S3::Bucket"}}}')
    (tmp_path / "node_modules" / "c.yaml").write_text(YAML)
    (tmp_path / "package.json").write_text('{"name": "Resources::x"}')
    (tmp_path / "compose.yaml").write_text("services: {}\n")
    (tmp_path / "broken.yaml").write_text("Resources:\n  A: {Type: AWS::S3::Bucket\n")
    found = find_templates([tmp_path])
    assert [path.name for path in found] == ["b.template", "broken.yaml", "a.yaml"]
    assert found.skipped == 2


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"Resources: \x07\n", None])
def test_a_file_that_cannot_be_read_is_a_template_error(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(TemplateError) as caught:
        load_template(file)
    assert caught.value.where is not None
    assert caught.value.where.file == str(file)


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_bytes(b"\xef\xbb\xbf" + YAML.encode())
    assert load_template(file).document["AWSTemplateFormatVersion"] == "2010-09-09"


def test_includes_beside_the_template_are_read_and_others_left_unknown(tmp_path: Path) -> None:
    (tmp_path / "part.yaml").write_text("DisplayName: !Ref AWS::Region\nTopicName: from-file\n")
    file = tmp_path / "t.yaml"
    file.write_text("""\
Resources:
  A:
    Type: AWS::SNS::Topic
    Properties:
      TopicName: own
      Fn::Transform: {Name: AWS::Include, Parameters: {Location: part.yaml}}
  B:
    Type: AWS::SNS::Topic
    Properties:
      Fn::Transform: {Name: AWS::Include, Parameters: {Location: s3://bucket/part.yaml}}
      TopicName: own
""")
    resolved = resolve(load_template(file), ResolveContext(region="eu-west-1"))
    assert resolved.resources[0].properties == {"TopicName": "own", "DisplayName": "eu-west-1"}
    assert [entry.path for entry in resolved.unknown] == ["/B/Properties"]


def test_sam_is_translated_and_keeps_the_place_of_its_source() -> None:
    text = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: ./src
      Handler: app.handler
      Runtime: python3.12
"""
    template = load_template(text, file="t.yaml")
    assert template.kind is TemplateKind.SAM
    resolved = resolve(template, ResolveContext(region="cn-north-1"))
    role = resolved.resource("HelloRole")
    assert role is not None
    assert role.type == "AWS::IAM::Role"
    assert role.properties["ManagedPolicyArns"] == [
        "arn:aws-cn:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
    ]
    assert role.locations[""].line == 3
    reasons = {entry.path: entry.reason for entry in resolved.unknown}
    assert reasons["/Hello/Properties/Code/S3Key"].startswith("the place to which an artifact is uploaded")
