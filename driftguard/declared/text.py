"""Strings of which only parts are known, and how values become text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from driftguard.model import Json, Partial, Unknown


class NoValue:
    """The type of `NO_VALUE`: what ``AWS::NoValue`` stands for, a value that is taken out."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "NO_VALUE"


NO_VALUE: Final = NoValue()


def has_hole(value: Json) -> bool:
    """Whether anything in ``value`` is unknown."""
    return first_hole(value) is not None


def first_hole(value: Json) -> Unknown | Partial | None:
    """The first unknown or partly known value, depth first."""
    if isinstance(value, (Unknown, Partial)):
        return value
    if isinstance(value, Mapping):
        return next((hole for item in value.values() if (hole := first_hole(item))), None)
    if isinstance(value, (list, tuple)):
        return next((hole for item in value if (hole := first_hole(item))), None)
    return None


def as_text(value: Json) -> str | Partial | Unknown:
    """``value`` as CloudFormation writes it into a string: ``true``, ``5``.  Lists and maps have no such form."""
    if isinstance(value, (str, Partial, Unknown)):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, (int, float)):
        return str(value)
    if value is NO_VALUE or value is None:
        return ""
    return Unknown("a list or a map cannot be part of a string")


def pieces_of(value: str | Partial | Unknown) -> tuple[str | Unknown, ...]:
    """The pieces that are put into a longer text; of encoded text none is known."""
    if not isinstance(value, Partial):
        return (value,)
    return (Unknown("text with characters that CloudFormation shows as ?"),) if value.base64 else value.parts


def concat(parts: Iterable[str | Partial | Unknown]) -> str | Partial | Unknown:
    """The parts one after the other: a string, a `Partial`, or an `Unknown` where nothing is known."""
    flat: list[str | Unknown] = []
    for part in parts:
        for piece in pieces_of(part):
            if isinstance(piece, str) and flat and isinstance(flat[-1], str):
                flat[-1] += piece
            elif isinstance(piece, Unknown) and flat and flat[-1] == piece and not piece.masked:
                continue
            elif piece != "":
                flat.append(piece)
    if not flat:
        return ""
    if all(isinstance(piece, Unknown) and not piece.masked for piece in flat):
        return flat[0]
    return flat[0] if len(flat) == 1 and isinstance(flat[0], str) else Partial(tuple(flat))


def join(delimiter: str, parts: Iterable[str | Partial | Unknown]) -> str | Partial | Unknown:
    """`concat` with a delimiter between the parts."""
    pieces: list[str | Partial | Unknown] = []
    for index, part in enumerate(parts):
        if index:
            pieces.append(delimiter)
        pieces.append(part)
    return concat(pieces)


def known_items(delimiter: str, value: Partial) -> list[str]:
    """The items of a partly known string, split, whose place no hole can move: those before the first."""
    head = value.parts[0]
    return head.split(delimiter)[:-1] if isinstance(head, str) else []


_DYNAMIC = re.compile(r"\{\{resolve:([a-z-]+):([^{}]+)\}\}")


_PLACES = {
    "package": "the place to which an artifact is uploaded when the template is packaged",
    "serverlessrepo": "the template of an application in the Serverless Application Repository",
}
"""References of our own making, put where SAM wants the address of something that only AWS knows."""


def dynamic_references(value: str | Partial, ssm_values: Mapping[str, str]) -> str | Partial | Unknown:
    """``{{resolve:...}}`` replaced: plain SSM values where they are given, secrets never.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
    """
    parts = pieces_of(value)
    pieces: list[str | Partial | Unknown] = []
    for part in parts:
        if isinstance(part, Unknown):
            pieces.append(part)
            continue
        end = 0
        for match in _DYNAMIC.finditer(part):
            pieces.append(part[end : match.start()])
            pieces.append(_dynamic(match[1], match[2], ssm_values))
            end = match.end()
        rest = part[end:]
        if isinstance(value, Partial) and "{{resolve:" in rest:
            return Unknown("a dynamic reference with an unknown name")
        pieces.append(rest)
    return concat(pieces)


def _dynamic(service: str, reference: str, ssm_values: Mapping[str, str]) -> str | Unknown:
    if service == "ssm":
        given = ssm_values.get(reference)
        return Unknown(f"the SSM parameter {reference} is not given") if given is None else given
    if service in ("secretsmanager", "ssm-secure"):
        return Unknown(f"a secret of {service}, which is never read")
    return Unknown(_PLACES.get(service, f"a dynamic reference to {service}"))


def to_json_string(value: Json) -> str | Partial | Unknown:
    """What ``Fn::ToJsonString`` makes of ``value``, with a hole for each unknown value in it."""
    return concat(_json_parts(value))


def _json_parts(value: Json) -> list[str | Partial | Unknown]:
    if isinstance(value, Unknown):
        return [value]
    if isinstance(value, Partial):
        inner = [part if isinstance(part, Unknown) else _dump(part)[1:-1] for part in pieces_of(value)]
        return ['"', *inner, '"']
    if isinstance(value, Mapping):
        fields = [concat([_dump(key), ":", *_json_parts(item)]) for key, item in value.items()]
        return ["{", join(",", fields), "}"]
    if isinstance(value, list):
        return ["[", join(",", [concat(_json_parts(item)) for item in value]), "]"]
    return [_dump(value)]


def _dump(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def unmask(value: str | Partial) -> str | Partial:
    """``value`` with each run of ``?`` a hole.

    GetTemplate and DescribeStacks show every character outside ASCII as a question mark:
    https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1220
    """
    parts = pieces_of(value)
    pieces: list[str | Unknown] = []
    for part in parts:
        if isinstance(part, Unknown):
            pieces.append(part)
            continue
        for text in re.split(r"(\?+)", part):
            if text.startswith("?"):
                pieces.append(Unknown("characters that CloudFormation shows as ?", len(text)))
            elif text:
                pieces.append(text)
    return Partial(tuple(pieces)) if any(isinstance(piece, Unknown) for piece in pieces) else value


def may_be_equal(one: Json, other: Json) -> bool:
    """Whether two values that GetTemplate may have masked could be the same, or could be different."""
    if not (isinstance(one, str) and isinstance(other, str)) or "?" not in one + other:
        return False
    return any(
        isinstance(pattern, Partial) and pattern.matches(value)
        for pattern, value in ((unmask(one), other), (unmask(other), one))
    )


def masked_base64(text: str) -> Partial:
    """The Base64 of a masked text, by the text itself."""
    masked = unmask(text)
    assert isinstance(masked, Partial)
    return replace(masked, base64=True)


def document_in(text: str) -> Json:
    """The JSON object or array that a text holds, or ``None``."""
    if text[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
