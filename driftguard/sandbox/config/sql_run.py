"""Evaluates a parsed advanced query over configuration items.

Rows are plain dictionaries: `configuration` decoded, `tags` a list of `{"key", "value", "tag"}` (the developer guide's
form, `tag` being `key=value`). A path that crosses an array matches when any element matches, each condition for
itself ("Multiple properties within an array"). An address column compared with `=` to a CIDR block matches inside it.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from driftguard.sandbox.config.sql_parse import Column, Condition, Logic, Predicate, Query

# "The shorthand SELECT * selects only the top-level, scalar properties of a CI" (developer guide, Limitations).
SCALARS = (
    "accountId",
    "awsRegion",
    "arn",
    "availabilityZone",
    "configurationItemCaptureTime",
    "resourceCreationTime",
    "resourceId",
    "resourceName",
    "resourceType",
    "version",
)

Row = Mapping[str, Any]


def run(query: Query, rows: Iterable[Row]) -> list[dict[str, Any]]:
    """The result rows, filtered, grouped, ordered and projected."""
    chosen = [row for row in rows if query.where is None or holds(query.where, row)]
    if query.aggregates:
        return _grouped(query, chosen)
    for column, descending in reversed(query.order_by):
        chosen.sort(key=_by(column), reverse=descending)
    return [_project(query.columns, row) for row in chosen]


def values(row: Any, path: str) -> list[Any]:
    """Every value at a dotted path, arrays flattened."""
    found: list[Any] = [row]
    for step in _steps(path):
        found = [inner for value in found for inner in _children(value, step)]
    return [leaf for value in found for leaf in _leaves(value)]


def holds(condition: Condition, row: Row) -> bool:
    """Whether a row satisfies a condition."""
    if isinstance(condition, Logic):
        if condition.operator == "NOT":
            return not holds(condition.parts[0], row)
        test = any if condition.operator == "OR" else all
        return test(holds(part, row) for part in condition.parts)
    return any(_matches(condition, value) for value in values(row, condition.path)) != condition.negated


def _steps(path: str) -> list[str]:
    return [step.strip("\"'") for step in re.findall(r"\"[^\"]*\"|'[^']*'|[^.]+", path)]


def _decoded(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in {"{", "["}:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _children(value: Any, step: str) -> Iterator[Any]:
    value = _decoded(value)
    if isinstance(value, list):
        for element in value:
            yield from _children(element, step)
    elif isinstance(value, Mapping):
        if step == "*":
            yield from value.values()
        elif step in value:
            yield value[step]


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for element in value:
            yield from _leaves(element)
    else:
        yield value


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _equal(value: Any, wanted: Any) -> bool:
    if value is None:
        return False
    if isinstance(value, bool) or isinstance(wanted, bool):
        return str(value).lower() == str(wanted).lower()
    if isinstance(wanted, int | float):
        return _number(value) == float(wanted)
    if str(value) == str(wanted):
        return True
    return _inside(str(value), str(wanted))


def _inside(value: str, block: str) -> bool:
    if not re.fullmatch(r"[0-9a-fA-F.:]+/\d{1,3}", block):
        return False
    try:
        inner = ipaddress.ip_network(value, strict=False)
        outer = ipaddress.ip_network(block, strict=False)
    except ValueError:
        return False
    return inner.version == outer.version and bool(inner.subnet_of(outer))  # type: ignore[arg-type]  # same version


def _compare(value: Any, wanted: Any) -> int | None:
    if value is None or isinstance(value, Mapping):
        return None
    left, right = _number(value), _number(wanted)
    if left is not None and right is not None:
        return (left > right) - (left < right)
    return (str(value) > str(wanted)) - (str(value) < str(wanted))


def _matches(predicate: Predicate, value: Any) -> bool:
    operator, operands = predicate.operator, predicate.operands
    if operator == "LIKE":
        pattern = "".join({"%": ".*", "_": "."}.get(char, re.escape(char)) for char in operands[0])
        return value is not None and re.fullmatch(pattern, str(value), re.DOTALL) is not None
    if operator == "IN":
        return any(_equal(value, wanted) for wanted in operands)
    if operator == "=":
        return _equal(value, operands[0])
    if operator == "!=":
        return not _equal(value, operands[0])
    low = _compare(value, operands[0])
    if low is None:
        return False
    if operator == "BETWEEN":
        high = _compare(value, operands[1])
        return low >= 0 and high is not None and high <= 0
    return {"<": low < 0, ">": low > 0, "<=": low <= 0, ">=": low >= 0}[operator]


def _first(row: Any, path: str) -> Any:
    found = values(row, path)
    return found[0] if found else None


def _sort_key(value: Any) -> tuple[int, float, str]:
    if value is None:
        return (2, 0.0, "")
    number = _number(value)
    return (0, number, "") if number is not None else (1, 0.0, str(value))


def _by(column: Column) -> Callable[[Row], tuple[int, float, str]]:
    def key(row: Row) -> tuple[int, float, str]:
        return _sort_key(row.get(column.name) if column.function else _first(row, column.path))

    return key


def _grouped(query: Query, rows: Sequence[Row]) -> list[dict[str, Any]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        label = json.dumps([_first(row, path) for path in query.group_by], default=str)
        groups.setdefault(label, []).append(row)
    if not query.group_by:
        groups = {"": list(rows)}
    out: list[dict[str, Any]] = []
    for members in groups.values():
        result: dict[str, Any] = {}
        for column in query.columns:
            if column.function:
                result[column.name] = _fold(column, members)
            else:
                _put(result, _steps(column.path), _first(members[0], column.path))
        out.append(result)
    for column, descending in reversed(query.order_by):
        out.sort(key=_by(column), reverse=descending)
    return out


def _fold(column: Column, rows: Sequence[Row]) -> float | int | str | None:
    if column.function == "COUNT" and column.path == "*":
        return len(rows)
    found = [value for row in rows for value in values(row, column.path) if value is not None]
    if column.function == "COUNT":
        return len(found)
    numbers = [number for value in found if (number := _number(value)) is not None]
    if not found:
        return None
    if column.function in {"MIN", "MAX"}:
        choose = min if column.function == "MIN" else max
        return choose(numbers) if len(numbers) == len(found) else choose(str(value) for value in found)
    total = sum(numbers)
    return total if column.function == "SUM" else total / max(len(numbers), 1)


def _put(target: dict[str, Any], steps: Sequence[str], value: Any) -> None:
    for step in steps[:-1]:
        target = target.setdefault(step, {})
    target[steps[-1]] = value


def _project(columns: Sequence[Column], row: Row) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for column in columns:
        if column.path == "*":
            out.update({name: row[name] for name in SCALARS if name in row})
        else:
            _merge(out, _pick(row, _steps(column.path)))
    return out


def _pick(value: Any, steps: Sequence[str]) -> Any:
    """The part of `value` along `steps`, its nesting kept; None where there is nothing."""
    value = _decoded(value)
    if not steps or steps == ["*"]:
        return value
    if isinstance(value, list):
        picked = [_pick(element, steps) for element in value]
        return [element for element in picked if element is not None]
    if not isinstance(value, Mapping) or steps[0] not in value:
        return None
    inner = _pick(value[steps[0]], steps[1:])
    return None if inner is None else {steps[0]: inner}


def _merge(target: dict[str, Any], extra: Any) -> None:
    if not isinstance(extra, Mapping):
        return
    for name, value in extra.items():
        mine = target.get(name)
        if isinstance(mine, dict) and isinstance(value, Mapping):
            copy = dict(mine)
            _merge(copy, value)
            target[name] = copy
        elif isinstance(mine, list) and isinstance(value, list) and len(mine) == len(value):
            target[name] = [_joined(left, right) for left, right in zip(mine, value, strict=True)]
        else:
            target[name] = value


def _joined(left: Any, right: Any) -> Any:
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        out = dict(left)
        _merge(out, right)
        return out
    return right
