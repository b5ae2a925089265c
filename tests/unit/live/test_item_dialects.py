"""Items of every type that AWS Config records, in every dialect: nothing breaks, nothing unknown comes out."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from driftguard.live import parse_item, resource_of
from driftguard.schema import Node, registry
from tests.shared_data import shared

ODD = (None, -1, "", [], {}, '{"a":1}', "null", [None], "%7B%22Statement%22%3A%5B%5D%7D")
PLAIN = {"integer": 5, "float": 1.0, "boolean": True, "date": "2020-01-01T00:00:00Z"}


def leaf(kind: str, chance: random.Random) -> Any:
    return chance.choice(ODD) if chance.random() < 0.4 else PLAIN.get(kind, "text")


def spelt(name: str, chance: random.Random) -> str:
    return chance.choice((name, name, name, name.lower(), name[:1].upper() + name[1:]))


def item(paths: dict[str, str], chance: random.Random) -> dict[str, Any]:
    """A record with most of ``paths``; lists are written as lists, as their only member, or as a map of one."""
    root: dict[str, Any] = {}
    for path, kind in paths.items():
        steps = path.split(".")
        if chance.random() < 0.2 or not steps[0].lower().endswith("configuration"):
            continue
        place = root
        for step in steps[:-1]:
            name = step if step is steps[0] else spelt(step, chance)
            if not isinstance(place.get(name), dict):
                place[name] = {}
            place = place[name]
        place[spelt(steps[-1], chance)] = leaf(kind, chance)
    extra = root.get("supplementaryConfiguration")
    if isinstance(extra, dict):
        root["supplementaryConfiguration"] = {
            name: chance.choice((value, json.dumps(value), json.dumps(json.dumps(value))))
            for name, value in extra.items()
        }
    if chance.random() < 0.3:
        root["configuration"] = json.dumps(root.get("configuration") or {})
    return root


def unknown(node: Node | None, value: Any, path: str = "") -> list[str]:
    """The property paths in ``value`` that the schema does not know."""
    if node is None or (node.free_form and not node.names):
        return []
    if isinstance(value, dict):
        found = []
        for name, part in value.items():
            below = node.child(name)
            if below is None and not node.free_form:
                found.append(f"{path}/{name}")
            found += unknown(below, part, f"{path}/{name}")
        return found
    if isinstance(value, list):
        return [one for part in value for one in unknown(node.items, part, f"{path}/*")]
    return []


def files() -> list[Path]:
    folder = shared("data", "config-items", "aws-config-resource-schema", "config", "properties")
    return sorted((folder / "resource-types").glob("*.json"))


@pytest.mark.parametrize("status", ["OK", "ResourceDiscovered", "ResourceDeleted", "ResourceNotRecorded"])
def test_any_dialect_gives_only_known_properties(status: str) -> None:
    chance = random.Random(status)
    for file in files():
        kind = file.name.removesuffix(".properties.json")
        raw = {
            "resourceType": kind,
            "resourceId": chance.choice(("id-1", "arn:aws:x:eu-west-1:123456789012:y/z")),
            "awsRegion": "eu-west-1",
            "accountId": "123456789012",
            "configurationItemStatus": status,
            "configurationItemCaptureTime": chance.choice((None, "2020-01-01T00:00:00Z", 1577836800000)),
            "tags": chance.choice((None, {}, {"a": "b"}, [{"key": "a", "value": None}], "[]")),
            **item(json.loads(file.read_text(encoding="utf-8")), chance),
        }
        found = resource_of(parse_item(raw))
        schema = registry().get(found.key.type)
        if schema is not None:
            assert unknown(schema.root, found.properties) == [], kind
            assert found.coverage is not None
            assert found.coverage <= set(schema.root.names), kind
            assert set(found.properties) <= found.coverage, kind
            if status == "ResourceDeleted":
                assert found.properties == {}
