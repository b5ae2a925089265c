"""The comparison of one resource, and what people are shown of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from driftguard.compare.context import CompareContext, Comparison, Trail
from driftguard.compare.describe import describe
from driftguard.compare.forms import plain
from driftguard.compare.masked import settled
from driftguard.compare.walk import Walk
from driftguard.model import DifferenceType, DriftStatus, Json, PropertyDifference
from driftguard.schema import TypeSchema


def compare(
    declared: Mapping[str, Json],
    live: Mapping[str, Json],
    schema: TypeSchema | None,
    context: CompareContext | None = None,
    *,
    resource_type: str = "",
) -> Comparison:
    """Compare declared properties with live ones, both in CloudFormation shape.

    ``declared`` may hold `Unknown`, `Partial` and intrinsics; they are never guessed at.  Without a
    ``schema`` (custom and private types) the same rules run with nothing to guide them; ``resource_type`` then
    names the type.  Only what is declared is drift; live-only values come back as undeclared.
    """
    context = context or CompareContext()
    declared, masked = settled(declared, live)
    trail = Walk(declared, live, schema, schema.name if schema else resource_type, context).run()
    return Comparison(
        status=_status(declared, trail),
        differences=tuple(trail.differences),
        undeclared=tuple(trail.undeclared),
        reordered=tuple(dict.fromkeys(trail.reordered)),
        not_checked=tuple(trail.not_checked),
        folded=tuple(dict.fromkeys((*masked, *trail.folded))),
    )


def _status(declared: Mapping[str, Json], trail: Trail) -> DriftStatus:
    if trail.differences:
        return DriftStatus.MODIFIED
    unchecked = {entry.path for entry in trail.not_checked}
    names = [name for name, value in declared.items() if value is not None]
    if names and all("/" + name.replace("~", "~0").replace("/", "~1") in unchecked for name in names):
        return DriftStatus.NOT_CHECKED
    return DriftStatus.IN_SYNC


_DECIDED = {
    DifferenceType.ADD: "there, but not declared",
    DifferenceType.REMOVE: "declared, but not there",
    DifferenceType.NOT_EQUAL: "not equal by any rule",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One row of ``driftguard explain``: what was expected at ``path``, what is there, and who decided."""

    path: str
    expected: Json
    actual: Json
    verdict: str
    """DIFFERENT, EQUAL, NOT_CHECKED, UNDECLARED, REORDERED."""
    rule: str = ""
    detail: tuple[str, ...] = ()
    """For a difference inside a structure or a long text: what differs, line by line."""


def explain(
    comparison: Comparison, declared: Mapping[str, Json], live: Mapping[str, Json]
) -> tuple[Explanation, ...]:
    """Every decision of a comparison, one row a property, in the order of the paths."""
    rows = [_difference(one) for one in comparison.differences]
    for gap in comparison.not_checked:
        rule = f"{gap.reason}: {gap.detail}" if gap.detail else gap.reason
        rows.append(_row(gap.path, declared, live, "NOT_CHECKED", rule))
    rows += [_row(fold.path, declared, live, "EQUAL", fold.rule) for fold in comparison.folded]
    rows += [_row(path, declared, live, "REORDERED", "order alone") for path in comparison.reordered]
    rows += [
        Explanation(
            path=one.path,
            expected=one.was,
            actual=one.value,
            verdict="UNDECLARED",
            rule="changed since it was accepted" if one.confirmed else "not declared, and not seen to change",
        )
        for one in comparison.undeclared
    ]
    told = {row.path.split("/")[1] for row in rows if row.path.count("/")}
    rows += [_row("/" + name, declared, live, "EQUAL", "same value") for name in declared if name not in told]
    return tuple(sorted(rows, key=lambda row: (row.path, row.verdict)))


def _difference(one: PropertyDifference) -> Explanation:
    nested = any(
        isinstance(value, Mapping | list) or "\n" in str(value) for value in (one.expected, one.actual)
    )
    return Explanation(
        path=one.path,
        expected=one.expected,
        actual=one.actual,
        verdict="DIFFERENT",
        rule=one.rule or _DECIDED[one.type],
        detail=describe(one.expected, one.actual) if nested and one.type is DifferenceType.NOT_EQUAL else (),
    )


def _row(
    path: str, declared: Mapping[str, Json], live: Mapping[str, Json], verdict: str, rule: str
) -> Explanation:
    return Explanation(
        path=path, expected=plain(_at(declared, path)), actual=_at(live, path), verdict=verdict, rule=rule
    )


def _at(value: Json, path: str) -> Json:
    for part in path.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, Mapping):
            value = value.get(name)
        elif isinstance(value, list | tuple) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value
