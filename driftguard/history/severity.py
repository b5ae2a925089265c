"""How bad a drift is, by the property that differs or by what is in no template: tables, first fit wins."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources

import yaml

from driftguard.model import Json, Severity


@dataclass(frozen=True, slots=True)
class _Rule:
    severity: Severity
    pattern: re.Pattern[str]
    types: tuple[str, ...]

    def fits(self, resource_type: str) -> bool:
        return any(fnmatchcase(resource_type, kind) for kind in self.types)


@cache
def _rules(table: str, pattern: str) -> tuple[_Rule, ...]:
    """The rules of a table of severity.yaml, whose regular expression is called ``pattern`` there."""
    source = resources.files("driftguard.history") / "data" / "severity.yaml"
    data = yaml.load(source.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return tuple(
        _Rule(
            Severity(rule["severity"]),
            re.compile(rule.get(pattern, ""), re.IGNORECASE),
            tuple(rule.get("types", ("*",))),
        )
        for rule in data[table]
    )


@cache
def of_property(resource_type: str, path: str) -> Severity:
    """The severity of a difference at ``path`` (a JSON pointer) of a resource of ``resource_type``."""
    for rule in _rules("rules", "path"):
        if rule.fits(resource_type) and rule.pattern.search(path):
            return rule.severity
    return Severity.MEDIUM


def of_unmanaged(resource_type: str, properties: Mapping[str, Json]) -> Severity:
    """The severity of a resource that no template declares, by its type and what it holds."""
    for rule in _rules("unmanaged", "holds"):
        if rule.fits(resource_type) and (
            not rule.pattern.pattern or any(rule.pattern.search(text) for text in _texts(properties))
        ):
            return rule.severity
    return Severity.INFORMATIONAL


def _texts(value: Json) -> Iterator[str]:
    """Every text in ``value``, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(part)


def worst(severities: Iterable[Severity], default: Severity = Severity.MEDIUM) -> Severity:
    """The worst of ``severities``."""
    return min(severities, key=lambda severity: severity.rank, default=default)
