"""How bad a drift is, by the property that differs: a table of regular expressions, first fit wins."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources

import yaml

from driftguard.model import Severity


@dataclass(frozen=True, slots=True)
class _Rule:
    severity: Severity
    path: re.Pattern[str]
    types: tuple[str, ...]


@cache
def _rules() -> tuple[_Rule, ...]:
    source = resources.files("driftguard.history") / "data" / "severity.yaml"
    data = yaml.load(source.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return tuple(
        _Rule(
            Severity(rule["severity"]),
            re.compile(rule["path"], re.IGNORECASE),
            tuple(rule.get("types", ("*",))),
        )
        for rule in data["rules"]
    )


@cache
def of_property(resource_type: str, path: str) -> Severity:
    """The severity of a difference at ``path`` (a JSON pointer) of a resource of ``resource_type``."""
    for rule in _rules():
        if rule.path.search(path) and any(fnmatchcase(resource_type, kind) for kind in rule.types):
            return rule.severity
    return Severity.MEDIUM


def worst(severities: Iterable[Severity], default: Severity = Severity.MEDIUM) -> Severity:
    """The worst of ``severities``."""
    return min(severities, key=lambda severity: severity.rank, default=default)
