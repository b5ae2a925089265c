"""Every resource type of the sandbox: what is created is what is read, and a change is seen.

A case is data (tests/cases/sandbox_types/*.yaml): the resources it needs, its properties, what AWS adds to
them, a change through the service's public API and an update through the adapter.  Names in ``${...}`` stand
for ids and attributes of what was made before, ``${id}`` for the resource itself.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from driftguard.sandbox import Sandbox
from driftguard.sandbox.cfn.opaque import OPAQUE
from driftguard.sandbox.cfn.state import STACK_TYPE
from driftguard.sandbox.core import Context
from driftguard.sandbox.identity import user
from driftguard.sandbox.types.base import Adapter, adapter_for, load_adapters
from driftguard.schema import registry

FOLDER = Path(__file__).parents[2] / "cases" / "sandbox_types"
REGION = "ap-northeast-2"
_NUMBERS = itertools.count(400000000000)
CASES = [case for file in sorted(FOLDER.glob("*.yaml")) for case in yaml.safe_load(file.read_text("utf-8"))]
_HOLE = re.compile(r"\$\{([^}]+)\}")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as made:
        yield made


@pytest.fixture
def context(sandbox: Sandbox) -> Context:
    """An account of its own for every case: nothing to clean up, nothing in the way."""
    account = f"{next(_NUMBERS):012d}"
    return Context(
        world=sandbox.world,
        account=account,
        region=REGION,
        service="cloudformation",
        operation="CreateStack",
        principal=user(account, "tester"),
    )


def bound(type_name: str, context: Context) -> Adapter:
    adapter = adapter_for(type_name, context)
    assert adapter is not None, f"no adapter for {type_name}"
    return adapter


def fill(value: Any, known: Mapping[str, Any]) -> Any:
    """``value`` with every ``${name}`` replaced; a string that is nothing else takes the value's own type."""
    if isinstance(value, dict):
        return {key: fill(inner, known) for key, inner in value.items()}
    if isinstance(value, list):
        return [fill(inner, known) for inner in value]
    if isinstance(value, str):
        whole = _HOLE.fullmatch(value)
        if whole and whole[1] in known:
            return known[whole[1]]
        return _HOLE.sub(lambda hole: str(known.get(hole[1], hole[0])), value)
    return value


def make(case: Mapping[str, Any], name: str, known: dict[str, Any], context: Context) -> str:
    """Create one resource and put its id and the attributes that are asked for into ``known``."""
    adapter = bound(case["type"], context)
    properties = fill(case.get("properties", {}), known)
    given = properties.get(adapter.name_property) if adapter.name_property else None
    generated = f"case-{name}".lower() if adapter.lower_case_name else f"Case-{name}"
    id = adapter.create(given or generated[: adapter.name_limit], properties)
    known[name] = id
    for attribute in case.get("attributes", ()):
        known[f"{name}.{attribute}"] = adapter.get_attribute(id, attribute)
    return id


def prepared(case: Mapping[str, Any], context: Context) -> dict[str, Any]:
    known: dict[str, Any] = {"account": context.account, "region": REGION}
    for name, needed in case.get("needs", {}).items():
        make(needed, name, known, context)
    return known


def comparable(adapter: Adapter, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Lists whose order has no meaning in one order."""
    return {
        name: sorted(value, key=repr) if isinstance(value, list) and name in adapter.unordered else value
        for name, value in properties.items()
    }


def hidden(type_name: str, pointers: str) -> set[str]:
    """The top-level properties that the registry calls read-only or write-only."""
    schema = registry().get(type_name)
    assert schema is not None, f"{type_name} is not in the registry"
    return {path[0] for path in getattr(schema, pointers) if len(path) == 1}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.get("name") or case["type"])
def test_type(case: Mapping[str, Any], context: Context) -> None:
    type_name = case["type"]
    adapter = bound(type_name, context)
    known = prepared(case, context)
    declared = fill(case.get("properties", {}), known)
    read_only, write_only = hidden(type_name, "read_only"), hidden(type_name, "write_only")

    # Code and the like are write-only as a whole, though the registry names only their parts.
    write_only |= set(case.get("write_only", ()))
    id = make({**case, "properties": case.get("properties", {})}, "id", known, context)
    shown = adapter.read(id)

    assert shown is not None
    schema = registry().get(type_name)
    assert schema is not None and set(shown) <= set(schema.root.names), "a property that the registry lacks"
    assert not set(shown) & write_only, "a write-only property is read back"
    expected = {k: v for k, v in declared.items() if k not in write_only}
    expected |= fill(case.get("defaults", {}), known)
    # ``ignored`` names what AWS fills in with a value of its own that no case should pin.
    generated = set(case.get("ignored", ()))
    generated |= {adapter.name_property} - set(declared) if adapter.name_property else set()
    visible = {k: v for k, v in shown.items() if k not in read_only - set(expected) and k not in generated}
    assert comparable(adapter, visible) == comparable(adapter, expected)
    if case.get("listed", True):
        assert id in adapter.list_ids()

    if change := case.get("change"):
        service, operation = change["call"].split(":")
        client = context.client(service)
        getattr(client, operation)(**fill(change.get("with", {}), known))
        after = adapter.read(id)
        assert after is not None
        wanted = fill(change["shows"], known)
        assert comparable(adapter, {k: after.get(k) for k in wanted}) == comparable(adapter, wanted)
        for name, members in change.get("contains", {}).items():
            assert all(member in after[name] for member in members)

    if "update" in case:
        new = {**declared, **fill(case["update"], known)}
        adapter.update(id, after if case.get("change") else declared, new)
        again = adapter.read(id)
        assert again is not None
        wanted = {k: v for k, v in new.items() if k not in write_only} | fill(case.get("updated", {}), known)
        assert comparable(adapter, {k: again.get(k) for k in wanted}) == comparable(adapter, wanted)

    if case.get("deletes", True):
        adapter.delete(id)
        assert adapter.read_or_none(id) is None
        assert id not in adapter.list_ids()


def test_there_are_cases_for_every_type() -> None:
    covered = {case["type"] for case in CASES}
    # Kept as they are, without an API behind them.
    assert set(load_adapters()) - covered - set(OPAQUE) - {STACK_TYPE} == set()


def test_at_least_sixty_types() -> None:
    assert len(load_adapters()) >= 60
