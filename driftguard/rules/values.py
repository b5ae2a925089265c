"""Values that are not there yet: what an expression makes of them.

A declared property may hold `Unknown` (no guess is possible), `Partial` (a string with holes) or
`Reference` (the identifier of another resource: not known before it is deployed, but certainly there, and
certainly no literal).  The functions here decide with three answers: True, False, or the hole itself,
which makes the verdict INSUFFICIENT_DATA.  A live resource holds none of them, and its compiled
expressions never come here.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from driftguard.model import Json, Partial, Unknown


@dataclass(frozen=True, slots=True)
class Unseen:
    """Something that may or may not be there: not shown by the source, not read, or inside a hole.

    An `Unknown` is a value that is declared and not known; of this one not even that much is certain.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Reference:
    """The identifier or an attribute of a resource, unknown until it is deployed.

    A fragment of a template may name what it does not declare; that is a reference as well.
    """

    target: str
    attribute: str = ""

    @property
    def reason(self) -> str:
        name = f"{self.target}.{self.attribute}" if self.attribute else self.target
        return f"{name} is known only once it is deployed"


@dataclass(frozen=True, slots=True)
class Supplied:
    """The value of a template parameter that is given at the deployment."""

    name: str
    no_echo: bool = False
    default: bool = False

    @property
    def reason(self) -> str:
        return f"parameter {self.name} is given at the deployment"


@dataclass(frozen=True, slots=True)
class Secret:
    """A dynamic reference to a secret: CloudFormation reads it at the deployment, nobody else sees it."""

    service: str

    @property
    def reason(self) -> str:
        return f"the value is read from {self.service} at the deployment"


@dataclass(frozen=True, slots=True)
class Maybe:
    """An element of a filtered list that may or may not have passed the filter."""

    value: Json
    why: Unknown


HOLES = frozenset({Unknown, Unseen, Partial, Reference, Supplied, Secret, Maybe})
OPAQUE = frozenset({Unknown, Unseen, Supplied, Secret})
"""Holes of which nothing is known at all."""
Hole = Unknown | Unseen | Partial | Reference | Supplied | Secret | Maybe


def reason(hole: Any) -> str:
    """Why a hole cannot be known, for people."""
    return reason(hole.why) if isinstance(hole, Maybe) else str(hole.reason)


def truth(value: Any) -> Any:
    """JMESPath truth of ``value``: True, False, or an `Unknown` that decides nothing."""
    kind = value.__class__
    if kind is bool:
        return value
    if kind is Unknown:
        return value
    if kind in OPAQUE:
        return Unknown(value.reason)
    if kind is list:
        if not value:
            return False
        maybe = next((item for item in value if item.__class__ is Maybe), None)
        if maybe is not None and all(item.__class__ is Maybe for item in value):
            return maybe.why
        return True
    if kind is Maybe:
        return value.why
    return not (value is None or value == "" or value == {})


def negate(value: Any) -> Any:
    """JMESPath ``!``."""
    answer = truth(value)
    return answer if answer.__class__ is Unknown else not answer


def equal(left: Any, right: Any) -> bool:
    """JMESPath ``==`` on whole values: numbers never equal booleans."""
    if left.__class__ is bool or right.__class__ is bool:
        return left is right
    return bool(left == right)


def same(left: Any, right: Any) -> Any:
    """``==`` on values that may hold holes: True, False, or an `Unknown`."""
    if left.__class__ in HOLES or right.__class__ in HOLES:
        return _same_holes(left, right)
    if left.__class__ is list and right.__class__ is list:
        if len(left) != len(right):
            return False
        return every(same(a, b) for a, b in zip(left, right, strict=True))
    if left.__class__ is dict and right.__class__ is dict:
        if left.keys() != right.keys():
            return False
        return every(same(left[key], right[key]) for key in left)
    return equal(left, right)


def _same_holes(left: Any, right: Any) -> Any:
    if left.__class__ not in HOLES:
        left, right = right, left
    for side in (left, right):
        if side.__class__ in OPAQUE or side.__class__ is Maybe:
            return Unknown(reason(side))
    if Reference in (left.__class__, right.__class__):
        # What AWS names is never a literal that somebody wrote down, and never absent.
        one, other = (left, right) if left.__class__ is Reference else (right, left)
        if one.target.startswith("AWS::") and other.__class__ is str and "*" not in other:
            return Unknown(one.reason)
        return left == right
    if right.__class__ is str:
        return Unknown(left.reason) if left.matches(right) else False
    return Unknown(left.reason) if right.__class__ in HOLES else False


def differ(left: Any, right: Any) -> Any:
    """``!=`` on values that may hold holes."""
    answer = same(left, right)
    return answer if answer.__class__ is Unknown else not answer


_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}


def comparable(value: Any) -> bool:
    """Whether JMESPath orders it: numbers and strings, never booleans."""
    return value.__class__ in (int, float, str)


def ordered(how: str, left: Any, right: Any) -> Any:
    """``<`` and its kin: a boolean, null where JMESPath says null, or an `Unknown`."""
    for side in (left, right):
        if side.__class__ in HOLES:
            return Unknown(reason(side))
    if not (comparable(left) and comparable(right)):
        return None
    return _ORDER[how](left, right)


def every(answers: Iterable[Any]) -> Any:
    """Three-valued *and*: False wins, then an `Unknown`, then True."""
    hole: Any = True
    for answer in answers:
        if answer is False:
            return False
        if answer is not True:
            hole = answer
    return hole


def some(answers: Iterable[Any]) -> Any:
    """Three-valued *or*: True wins, then an `Unknown`, then False."""
    hole: Any = False
    for answer in answers:
        if answer is True:
            return True
        if answer is not False:
            hole = answer
    return hole


def first_hole(value: Any) -> Hole | None:
    """The first hole anywhere inside ``value``, or None."""
    kind = value.__class__
    if kind in HOLES:
        found: Hole = value
        return found
    if kind is dict:
        value = value.values()
    elif kind is not list:
        return None
    for item in value:
        hole = first_hole(item)
        if hole is not None:
            return hole
    return None


_SCALARS = frozenset({str, int, float, bool, type(None)})


def survey(value: Any, *, deep: bool) -> tuple[bool, bool]:
    """Whether ``value`` holds a hole, and whether it holds a container that is neither dict nor list.

    A live resource is decoded JSON, all dicts and lists, and no hole: its first level is looked at
    (``deep`` false) to notice one that was put together by hand.
    """
    holes = odd = False
    todo = [value]
    while todo:
        node = todo.pop()
        kind = node.__class__
        if kind is dict:
            below = [item for item in node.values() if item.__class__ not in _SCALARS]
        elif kind is list:
            below = [item for item in node if item.__class__ not in _SCALARS]
        elif kind in HOLES:
            holes, below = True, []
        elif kind is tuple or isinstance(node, Mapping):
            odd, deep = True, True
            below = list(node.values() if isinstance(node, Mapping) else node)
        else:
            below = []
        if not deep and not any(item.__class__ not in (dict, list) for item in below):
            return holes, odd
        deep = True
        todo.extend(below)
    return holes, odd


def plain(value: Any) -> Any:
    """``value`` with every mapping as a dict and every sequence as a list, as compiled code expects them."""
    kind = value.__class__
    if kind is dict:
        return {key: plain(item) for key, item in value.items()}
    if kind is list or kind is tuple:
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return value


def intrinsic(value: Any) -> tuple[str, Any] | None:
    """Name and argument of the intrinsic function that ``value`` is, or None."""
    if value.__class__ is dict and len(value) == 1:
        name, argument = next(iter(value.items()))
        if isinstance(name, str) and (name == "Ref" or name.startswith("Fn::")):
            return name, argument
    return None


Names = Mapping[str, Mapping[str, Any] | None]
"""The logical ids of a template: a resource is None, a parameter its declaration."""


def with_holes(value: Any, names: Names, left: Mapping[str, Any], pointer: str = "") -> Any:
    """``value`` with every `Unknown` told apart: `Reference`, `Supplied`, `Secret` or really unknown.

    ``left`` maps pointers to the expressions that could not be resolved, everything known put in.
    """
    if pointer in left:
        expression = left[pointer]
        secret = _secret(expression)
        if secret is not None:
            return secret
        call = intrinsic(expression)
        if call is not None and value.__class__ is Unknown:
            return _hole(*call, names, value)
    if value.__class__ is str:
        return _secret(value) or value
    if value.__class__ is dict:
        return {key: with_holes(item, names, left, f"{pointer}/{_step(key)}") for key, item in value.items()}
    if value.__class__ is list:
        return [with_holes(item, names, left, f"{pointer}/{index}") for index, item in enumerate(value)]
    return value


def _step(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1") if "~" in key or "/" in key else key


def without_intrinsics(value: Any, names: Names) -> Any:
    """Properties as they were written, each intrinsic as a hole; ``AWS::NoValue`` is dropped."""
    secret = _secret(value)
    if secret is not None:
        return secret
    call = intrinsic(value)
    if call is not None:
        return _hole(*call, names, value)
    if value.__class__ is dict:
        pairs = ((key, without_intrinsics(item, names)) for key, item in value.items())
        return {key: item for key, item in pairs if item is not _NOTHING}
    if value.__class__ in (list, tuple):
        found = [without_intrinsics(item, names) for item in value]
        return [item for item in found if item is not _NOTHING]
    return value


_NOTHING = object()
_DYNAMIC = re.compile(r"\{\{resolve:(secretsmanager|ssm-secure):")


def _secret(raw: Any) -> Secret | None:
    """The dynamic reference in a text, or in the pieces that Fn::Join or Fn::Sub put together."""
    if raw.__class__ is str:
        found = _DYNAMIC.search(raw) if "{{" in raw else None
        return None if found is None else Secret(found[1])
    call = intrinsic(raw)
    if call is None or call[0] not in ("Fn::Sub", "Fn::Join"):
        return None
    pieces = call[1] if call[1].__class__ is list else [call[1]]
    for piece in (*pieces, *(pieces[-1] if pieces and pieces[-1].__class__ is list else ())):
        found = _DYNAMIC.search(piece) if piece.__class__ is str else None
        if found is not None:
            return Secret(found[1])
    return None


def _hole(name: str, argument: Any, names: Names, value: Any) -> Any:
    if name == "Ref" and argument == "AWS::NoValue":
        return _NOTHING
    if name == "Ref" and isinstance(argument, str):
        parameter = names.get(argument)
        if parameter is None:
            return Reference(argument)
        no_echo = str(parameter.get("NoEcho", "")).lower() == "true"
        return Supplied(argument, no_echo, "Default" in parameter)
    if name == "Fn::GetAtt":
        parts = argument.split(".", 1) if isinstance(argument, str) else argument
        if isinstance(parts, list) and parts and isinstance(parts[0], str):
            return Reference(parts[0], ".".join(str(part) for part in parts[1:]))
    if value.__class__ is Unknown:
        return value
    said = argument if isinstance(argument, str) else ""
    return Unknown(f"{name} {said}".strip() + " is not known before the deployment")
