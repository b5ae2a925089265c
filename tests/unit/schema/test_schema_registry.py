"""The registry index: what it knows, how it says no, and that it unpacks only what is asked for."""

from __future__ import annotations

import json
from importlib.util import find_spec

import pytest

from driftguard.errors import InputError
from driftguard.schema import Registry, TypeSchema, registry
from driftguard.schema.registry import INDEX


def schema(name: str) -> TypeSchema:
    found = registry().get(name)
    assert found is not None
    return found


def test_every_public_type_is_there_and_the_file_stays_small() -> None:
    assert len(registry().types()) > 1800
    assert INDEX.stat().st_size < 1_000_000
    assert registry().get("AWS::S3::Buckett") is None
    assert registry().get("Custom::Thing") is None


def test_every_type_has_a_property_tree_and_an_identifier() -> None:
    for name in registry().types():
        one = schema(name)
        assert one.root.names, name
        assert one.primary_identifier, name
        assert all(one.node(path) is not None for path in one.primary_identifier), name


def test_pointers_of_a_bucket() -> None:
    bucket = schema("AWS::S3::Bucket")
    assert bucket.is_read_only(("Arn",))
    assert bucket.is_create_only(("BucketName",))
    assert not bucket.is_create_only(("Tags", 0, "Value"))
    assert bucket.tag_property == "Tags"
    assert bucket.readable
    assert "s3:GetBucketTagging" in bucket.handlers["read"]


def test_a_pointer_covers_what_is_below_it() -> None:
    function = schema("AWS::Lambda::Function")
    assert function.is_write_only(("Code", "S3Bucket"))
    assert not function.is_write_only(("Handler",))


def test_nodes_know_types_order_defaults_and_enumerations() -> None:
    group = schema("AWS::EC2::SecurityGroup")
    rules = group.node(("SecurityGroupIngress",))
    assert rules is not None and rules.insertion_order is False
    port = group.node(("SecurityGroupIngress", 3, "FromPort"))
    assert port is not None and port.types == {"integer"}
    status = schema("AWS::S3::Bucket").node(("VersioningConfiguration", "Status"))
    assert status is not None and set(status.enum) == {"Enabled", "Suspended"}
    attributes = schema("AWS::ElasticLoadBalancingV2::LoadBalancer").node(("LoadBalancerAttributes",))
    assert attributes is not None and attributes.attribute_list


def test_recursive_types_end() -> None:
    acl = schema("AWS::WAFv2::WebACL")
    deep = acl.node(("Rules", 0, "Statement", *("NotStatement", "Statement") * 30, "GeoMatchStatement"))
    assert deep is not None and "CountryCodes" in deep.names


@pytest.mark.parametrize(
    ("pointer", "known", "suggestion"),
    [
        ("/VersioningConfiguration/Status", True, None),
        ("/VersioningConfigration/Status", False, "/VersioningConfiguration/Status"),
        ("/versioningconfiguration", False, "/VersioningConfiguration"),
        ("/Tags/*/Key", True, None),
        ("/Tags/0/Keey", False, "/Tags/0/Key"),
        ("/Nonsense", False, None),
    ],
)
def test_misspelt_properties_are_named(pointer: str, known: bool, suggestion: str | None) -> None:
    bucket = schema("AWS::S3::Bucket")
    assert bucket.known(pointer) is known
    assert bucket.suggestion(pointer) == suggestion


def test_keys_of_the_user_are_known() -> None:
    assert schema("AWS::Lambda::Function").known("/Environment/Variables/ANY_NAME")
    assert schema("AWS::S3::BucketPolicy").known("/PolicyDocument/Statement/0/Effect")


def test_identifiers() -> None:
    assert schema("AWS::S3::Bucket").identifier_of({"BucketName": "b"}) == "b"
    method = schema("AWS::ApiGateway::Method")
    values = {"RestApiId": "r", "ResourceId": "s", "HttpMethod": "GET"}
    assert method.identifier_of(values) == "r|s|GET"
    assert method.identifier_of({"RestApiId": "r"}) is None


def test_refresh_replaces_one_type_in_one_registry_only() -> None:
    mine = Registry.packaged()
    document = {
        "typeName": "Acme::Thing::One",
        "properties": {"Name": {"type": "string"}, "Id": {"type": "string"}},
        "readOnlyProperties": ["/properties/Id"],
        "primaryIdentifier": ["/properties/Id"],
        "additionalProperties": False,
    }
    refreshed = mine.refresh("Acme::Thing::One", json.dumps(document))
    assert refreshed.is_read_only(("Id",))
    assert mine.get("Acme::Thing::One") is refreshed
    assert "Acme::Thing::One" in mine.types()
    assert registry().get("Acme::Thing::One") is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"typeName": "AWS::S3::Bucket"}'])
def test_refresh_refuses_what_is_no_schema_of_the_type(text: str) -> None:
    mine = Registry.packaged()
    with pytest.raises(InputError):
        mine.refresh("AWS::SQS::Queue", text)
    assert mine.get("AWS::SQS::Queue") is not None


def test_a_type_is_unpacked_when_it_is_asked_for_and_once() -> None:
    mine = Registry.packaged()
    unpacked: list[str] = []
    small = mine.small

    def counted(name: str) -> dict[str, object] | None:
        unpacked.append(name)
        return small(name)

    mine.small = counted  # type: ignore[method-assign]
    assert mine.types() and not unpacked
    assert mine.get("AWS::EC2::Instance") is mine.get("AWS::EC2::Instance")
    assert unpacked == ["AWS::EC2::Instance"]


@pytest.mark.skipif(find_spec("cfnlint") is None, reason="cfn-lint is not installed")
def test_the_packaged_index_is_what_cfn_lint_gives() -> None:
    from driftguard.schema.build import find_schemas, read_schemas, stale

    assert stale(*read_schemas(find_schemas())) == []
