"""The tables of facts: each row has its document, and names something that exists."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import driftguard.compare
from driftguard.schema import registry

DATA = Path(driftguard.compare.__file__).parent / "data"


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


def test_every_row_says_where_it_is_written() -> None:
    for row in [*rows("defaults.jsonl"), *rows("properties.jsonl")]:
        assert row["source"].startswith(
            ("https://docs.aws.amazon.com/", "https://github.com/aws-cloudformation/")
        ), row


def test_every_row_names_a_type_that_exists() -> None:
    types = registry().types()
    for row in [*rows("defaults.jsonl"), *rows("properties.jsonl")]:
        assert any(fnmatchcase(name, row["type"]) for name in types), row


def test_every_default_names_a_property_that_exists() -> None:
    wrong = []
    for row in rows("defaults.jsonl"):
        if row["type"] != "*" and not row["path"].startswith("**/"):
            schema = registry().get(row["type"])
            assert schema is not None
            if not schema.known("/" + row["path"]):
                wrong.append((row["type"], row["path"]))
    assert wrong == []


def test_a_fact_about_one_type_names_a_property_that_exists() -> None:
    beyond = {"managed-by-aws", "not-compared"}  # what AWS answers beyond its own schema
    wrong = []
    for row in rows("properties.jsonl"):
        if row["rule"] in beyond or row["path"] == "*":
            continue
        schema = registry().get(row["type"])
        if schema is not None and not row["path"].startswith("**") and not schema.known("/" + row["path"]):
            parts = row["path"].split("/")
            if all(part == "*" or "*" not in part for part in parts):
                wrong.append((row["rule"], row["type"], row["path"], schema.suggestion("/" + row["path"])))
    assert wrong == []
