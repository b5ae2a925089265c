"""Recorded answers of AWS: no false drift, every change noticed, CloudFormation's own differences found."""

from __future__ import annotations

import copy
import csv
import json
import time
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from driftguard.compare import CompareContext, Comparison, compare
from driftguard.model import DriftStatus
from driftguard.schema import registry
from tests.shared_data import shared


@lru_cache(maxsize=1)
def corpus() -> tuple[dict[str, Any], ...]:
    path = shared("data", "live-models", "dev.jsonl")
    return tuple(json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())


def run(case: dict[str, Any], live: dict[str, Any] | None = None) -> Comparison:
    name = case["resource_type"]
    context = CompareContext(
        **case["context"], logical_id=case["logical_id"], physical_id=case["physical_id"] or ""
    )
    live = case["live"] if live is None else live
    return compare(case["declared"], live, registry().get(name), context, resource_type=name)


def drifted(case: dict[str, Any]) -> bool:
    return any(one["kind"] == "modified" for one in case["expected"])


def test_no_clean_resource_is_called_drifted() -> None:
    false = {case["id"]: run(case).differences for case in corpus() if not drifted(case)}
    assert {name: found for name, found in false.items() if found} == {}


def test_every_drifted_resource_is_found() -> None:
    assert [case["id"] for case in corpus() if drifted(case) and not run(case).differences] == []


def test_live_only_values_are_few() -> None:
    noise = sum(len(run(case).undeclared) for case in corpus() if not drifted(case))
    assert noise < 800 / 2


def leaves(declared: Any, live: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of scalars that stand equal on both sides, objects only: nothing is aligned."""
    if isinstance(declared, dict) and isinstance(live, dict):
        for name, value in declared.items():
            if name in live:
                yield from leaves(value, live[name], (*path, name))
    elif type(declared) is not type(live) or declared != live or isinstance(declared, list | type(None)):
        return
    elif not (isinstance(declared, str) and "{{resolve:" in declared):
        yield path


def test_any_change_of_a_declared_leaf_is_noticed() -> None:
    missed, tried = [], 0
    for case in corpus():
        if drifted(case):
            continue
        for path in leaves(case["declared"], case["live"]):
            live = copy.deepcopy(case["live"])
            parent = live
            for part in path[:-1]:
                parent = parent[part]
            value = parent[path[-1]]
            parent[path[-1]] = (
                (not value)
                if isinstance(value, bool)
                else value + 7
                if isinstance(value, int | float)
                else f"{value}-x"
            )
            tried += 1
            if not run(case, live).differences:
                missed.append((case["id"], path))
    assert tried > 1000
    assert len(missed) <= tried * 0.005, missed


def test_nothing_that_vanishes_is_passed_over() -> None:
    silent = []
    for case in corpus():
        for name, value in case["declared"].items():
            if value in (None, "", [], {}, False) or case["live"].get(name) != value:
                continue
            found = run(case, {key: kept for key, kept in case["live"].items() if key != name})
            told = [one.path for one in (*found.differences, *found.not_checked)]
            if not any(path.startswith(f"/{name}") for path in told):
                silent.append((case["id"], name))
    assert silent == []


def test_the_corpus_takes_less_than_a_second() -> None:
    cases = corpus()
    start = time.process_time()
    for case in cases:
        run(case)
    assert time.process_time() - start < 1


def native() -> Iterator[dict[str, Any]]:
    """Every resource drift in recorded and documented answers of DescribeStackResourceDrifts."""

    def walk(value: Any) -> Iterator[dict[str, Any]]:
        if isinstance(value, dict):
            if "PropertyDifferences" in value and "ExpectedProperties" in value:
                yield value
            for child in value.values():
                yield from walk(child)
        elif isinstance(value, list):
            for child in value:
                yield from walk(child)

    for file in sorted(shared("data", "cfn-drift").rglob("*.json")):
        yield from walk(json.loads(file.read_text(encoding="utf-8")))


def test_cloudformation_and_we_agree() -> None:
    seen = 0
    for drift in native():
        if not drift.get("ActualProperties"):
            continue
        seen += 1
        declared, live = json.loads(drift["ExpectedProperties"]), json.loads(drift["ActualProperties"])
        found = compare(declared, live, registry().get(drift["ResourceType"]))
        theirs = {(one["PropertyPath"], one["DifferenceType"]) for one in drift["PropertyDifferences"]}
        assert {(one.path, str(one.type)) for one in found.differences} == theirs
        assert str(found.status) == drift["StackResourceDriftStatus"]
    assert seen >= 3


def quirks() -> list[dict[str, str]]:
    path = shared("data", "cfn-drift", "known-drift-quirks.dev.csv")
    with path.open(encoding="utf-8", newline="") as stream:
        return [row for row in csv.DictReader(stream) if row["kind"] == "false_positive"]


def set_at(path: str, value: Any) -> dict[str, Any]:
    """An object in which only ``path`` is set; ``*`` and digits are list members."""
    for part in reversed(path.strip("/").split("/")):
        value = [value] if part == "*" or part.isdigit() else {part: value}
    assert isinstance(value, dict)
    return value


def test_what_cloudformation_wrongly_calls_removed_is_not_drift() -> None:
    """Rows of the class "declared, not answered": never a difference, always said to be unchecked."""
    rows = [
        row
        for row in quirks()
        if row["difference_type"] == "REMOVE"
        and row["property_path"].startswith("/")
        and "sibling" not in row["cause_class"]
    ]
    assert rows
    wrong = []
    for row in rows:
        schema = registry().get(row["resource_type"])
        assert schema is not None
        path = row["property_path"]
        node = schema.node(path.strip("/").split("/"))
        assert node is not None, path
        value: Any = (
            {"Type": "ECS"}
            if path == "/DeploymentController"
            else []
            if "empty" in row["cause_class"]
            else False
        )
        if not node.is_a("boolean") and value is False:
            value = {"Name": "x"} if node.is_a("object") else ["x"] if node.is_a("array") else 5
        # The members around it are answered; only the property itself is missing.
        parent = path.rsplit("/", 1)[0]
        live = set_at(f"{parent}/Name", "n") if parent else {"Name": "n"}
        declared = set_at(path, value)
        found = compare(declared, live, schema)
        if any(
            one.path.startswith(path.split("/*")[0]) and "Name" not in one.path for one in found.differences
        ):
            wrong.append((row["url"], found.differences))
    assert wrong == []


def test_a_resource_unlike_its_template_in_everything_is_modified() -> None:
    found = compare(
        {"DelaySeconds": 1, "VisibilityTimeout": 2}, {"DelaySeconds": 3, "VisibilityTimeout": 4}, None
    )
    assert found.status is DriftStatus.MODIFIED
    assert len(found.differences) == 2
