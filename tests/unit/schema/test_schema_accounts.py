"""Schemas that an account has and the packaged index has not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from driftguard.errors import InputError
from driftguard.schema import registry, registry_of, use_folder
from driftguard.schema.accounts import save

PRIVATE = json.dumps(
    {
        "typeName": "Acme::Tool::Thing",
        "description": "ours",
        "properties": {"Name": {"type": "string"}, "Arn": {"type": "string"}},
        "readOnlyProperties": ["/properties/Arn"],
        "primaryIdentifier": ["/properties/Name"],
        "handlers": {"read": {"permissions": ["acme:Get"]}},
        "additionalProperties": False,
    }
)


@pytest.fixture(autouse=True)
def packaged_again() -> Iterator[None]:
    yield
    use_folder(None)


def test_a_private_type_is_known_where_it_was_fetched_and_nowhere_else(tmp_path: Path) -> None:
    save(tmp_path, "111111111111", "eu-west-1", {"Acme::Tool::Thing": PRIVATE})
    assert registry_of("111111111111", "eu-west-1") is registry()
    use_folder(tmp_path)
    found = registry_of("111111111111", "eu-west-1").get("Acme::Tool::Thing")
    assert found is not None and found.readable and found.is_read_only(("Arn",))
    assert registry_of("111111111111", "us-east-1").get("Acme::Tool::Thing") is None
    assert registry_of("222222222222", "eu-west-1").get("AWS::S3::Bucket") is not None


def test_what_was_fetched_before_is_kept(tmp_path: Path) -> None:
    other = PRIVATE.replace("Acme::Tool::Thing", "Acme::Tool::Other")
    for name, schema in (("Acme::Tool::Thing", PRIVATE), ("Acme::Tool::Other", other)):
        save(tmp_path, "111111111111", "eu-west-1", {name: schema})
    use_folder(tmp_path)
    types = registry_of("111111111111", "eu-west-1").types()
    assert {"Acme::Tool::Thing", "Acme::Tool::Other"} <= set(types)


def test_what_is_no_schema_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="that of Acme::Tool::Thing"):
        save(tmp_path, "111111111111", "eu-west-1", {"Acme::Else": PRIVATE})
    file = tmp_path / "111111111111" / "eu-west-1.json"
    file.parent.mkdir()
    file.write_text("[]")
    use_folder(tmp_path)
    with pytest.raises(InputError, match="holds no schemas"):
        registry_of("111111111111", "eu-west-1")
