"""Which backup plans of AWS Backup select a resource, and how often a schedule runs.

https://docs.aws.amazon.com/aws-backup/latest/devguide/assigning-resources.html
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from driftguard.model import Unknown
from driftguard.rules.relations import Judged, resource_of, resources
from driftguard.rules.tags import tags
from driftguard.rules.values import HOLES, Maybe, Reference, every, negate, reason, same, some

SELECTION, PLAN = "AWS::Backup::BackupSelection", "AWS::Backup::BackupPlan"


def backup_plans(c: Judged) -> Any:
    """The backup plans whose selections hold this resource, as properties of `AWS::Backup::BackupPlan`.

    A plan that was not read is an empty object.  A selection that cannot be told is a `Maybe`.
    """
    selections = resources(c, SELECTION)
    if selections.__class__ is not list:
        return selections
    found: list[Any] = []
    for one in selections:
        if one.__class__ in HOLES:
            found.append(Maybe({}, Unknown(reason(one))))
            continue
        given = one.get("BackupSelection")
        if given.__class__ in HOLES:
            answer: Any = Unknown(reason(given))
        else:
            answer = _selects(c, given if given.__class__ is dict else {})
        if answer is False:
            continue
        plan = resource_of(c, PLAN, one.get("BackupPlanId"))
        plan = plan if plan.__class__ is dict else {}
        found.append(plan if answer is True else Maybe(plan, answer))
    return found


def _selects(c: Judged, selection: Mapping[str, Any]) -> Any:
    """Resources and tags widen a selection (any of them), NotResources and Conditions narrow it down."""
    own = tags(c)
    named = selection.get("Resources") or []
    conditions = selection.get("Conditions")
    tests = [_tagged(own, one) for one in selection.get("ListOfTags") or [] if one.__class__ is dict]
    wide: list[Any] = [_is_named(c, pattern) for pattern in named]
    if tests:
        wide.append(some(tests))
    if not wide:
        wide.append(bool(conditions))
    narrow = [_condition(own, conditions)] if conditions.__class__ is dict else []
    barred = [negate(_is_named(c, pattern)) for pattern in selection.get("NotResources") or []]
    return every((some(wide), *narrow, *barred))


def _is_named(c: Judged, pattern: Any) -> Any:
    resource = c.resource
    if pattern.__class__ is Reference:
        return pattern.target == resource.key.identifier
    if pattern.__class__ in HOLES:
        return Unknown(reason(pattern))
    if pattern == "*":
        return True
    if resource.arn is None:
        return Unknown("the ARN of the resource is not known")
    return fnmatch.fnmatchcase(resource.arn, str(pattern))


def _tagged(own: Any, condition: Mapping[str, Any]) -> Any:
    if own.__class__ in HOLES:
        return Unknown(reason(own))
    key = str(condition.get("ConditionKey", "")).removeprefix("aws:ResourceTag/")
    return same(own.get(key), condition.get("ConditionValue"))


def _condition(own: Any, conditions: Mapping[str, Any]) -> Any:
    if own.__class__ in HOLES:
        return Unknown(reason(own))
    answers: list[Any] = []
    for operator, tests in conditions.items():
        for test in tests or ():
            key = str(test.get("ConditionKey", "")).removeprefix("aws:ResourceTag/")
            wanted, value = test.get("ConditionValue"), own.get(key)
            if operator.endswith("Like"):
                answer: Any = value is not None and fnmatch.fnmatchcase(str(value), str(wanted))
            else:
                answer = same(value, wanted)
            answers.append(negate(answer) if "Not" in operator else answer)
    return every(answers)


_RATE = re.compile(r"rate\(\s*(\d+)\s+(minute|hour|day)s?\s*\)")
_DAYS_IN = {"minute": 1 / 1440, "hour": 1 / 24, "day": 1.0}
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


@lru_cache(maxsize=512)
def longest_gap_days(schedule: Any) -> float | None:
    """The longest time between two runs of ``cron(...)`` or ``rate(...)``, in days; None for no schedule.

    Special day marks (L, W, #) count as once a month.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
    """
    text = str(schedule or "").strip()
    rate = _RATE.fullmatch(text)
    if rate is not None:
        return int(rate[1]) * _DAYS_IN[rate[2]]
    fields = text[5:-1].split() if text.startswith("cron(") and text.endswith(")") else []
    if len(fields) != 6:
        return None
    _, hours, days, months, weekdays, _ = fields
    if months not in ("*", "?"):
        return 366.0 / max(1, len(_members(months, 1, 12, _MONTHS)))
    if days not in ("*", "?"):
        return float(_widest(_members(days, 1, 31), 31))
    if weekdays not in ("*", "?"):
        return float(_widest(_members(weekdays, 1, 7, _DAYS), 7))
    return _widest(_members(hours, 0, 23), 24) / 24


def days(number: Any, unit: str) -> float | None:
    """A number of minutes, hours, days or weeks in days; None for null."""
    return None if number is None else float(number) * {**_DAYS_IN, "week": 7.0}[unit.rstrip("s")]


def _members(field: str, first: int, last: int, names: tuple[str, ...] = ()) -> list[int]:
    for number, name in enumerate(names, start=first):
        field = field.upper().replace(name, str(number))
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        low, _, high = span.partition("-")
        if not (low.isdigit() or low == "*"):
            return [first]
        start = first if low == "*" else int(low)
        end = int(high) if high.isdigit() else (last if low == "*" or step else start)
        found.update(range(start, end + 1, int(step) if step.isdigit() else 1))
    return sorted(found)


def _widest(members: list[int], cycle: int) -> int:
    following: Iterable[int] = (*members[1:], members[0] + cycle)
    return max(after - before for before, after in zip(members, following, strict=True))
