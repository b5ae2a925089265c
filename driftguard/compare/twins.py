"""One fact that AWS answers at another place, or at two: under a plural name, in Base64, beside itself."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass

from driftguard.compare.forms import is_empty, scalar
from driftguard.model import Json
from driftguard.schema import Node

_TELLING = 8
"""So long is a text that hardly stands twice by chance: an id, an ARN, a name of the user's."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The live property ``name`` holds what was declared under another name; ``declared`` is it in that shape."""

    name: str
    declared: Json
    node: Node | None
    rule: str


def elsewhere(
    name: str, value: Json, declared: Mapping[str, Json], live: Mapping[str, Json], node: Node | None
) -> Elsewhere | None:
    """Where the live object holds the declared property ``name``, which it does not have, if it does.

    ``Transition`` is answered as ``Transitions`` with one member, ``SearchStringBase64`` as ``SearchString``.
    """
    if node is None:
        return None
    plural = f"{name}s"
    many = node.child(plural) if plural in node.names else None
    if (
        many is not None
        and plural in live
        and plural not in declared
        and _alike(node.child(name), many.items)
    ):
        return Elsewhere(plural, [value], many, "plural-name")
    plain = name.removesuffix("Base64")
    if plain != name and plain in live and plain not in declared and isinstance(value, str):
        decoded = _decoded(value)
        if decoded is not None:
            return Elsewhere(plain, decoded, node.child(plain), "base64-twin")
    return None


def _alike(one: Node | None, member: Node | None) -> bool:
    """Whether the members of a list are what the other property holds."""
    return one is not None and member is not None and (one.types, one.names) == (member.types, member.names)


def is_twin(name: str, value: Json, around: Mapping[str, Json]) -> bool:
    """Whether ``value`` stands in ``around`` a second time, in Base64 or out of it, as WAF answers it."""
    plain = name.removesuffix("Base64")
    one, other = (plain, name) if plain != name else (name, f"{name}Base64")
    text, encoded = around.get(one), around.get(other)
    if not (isinstance(text, str) and isinstance(encoded, str)):
        return False
    return base64.b64encode(text.encode()).decode() == encoded


def echoes(value: Json, siblings: Iterable[Json], resource: Mapping[str, Json]) -> bool:
    """Whether ``value`` says nothing that is not declared anyway.

    Its texts all stand in the declared ``siblings``, or are long enough to be known again anywhere in the
    declared ``resource``; what is empty, off or a number decides nothing.  ``ForwardConfig`` repeats
    ``TargetGroupArn`` so, ``Subnets`` the subnets of ``SubnetMappings``.
    """
    texts = [text for text in _leaves(value) if isinstance(text, str)]
    others = [one for one in _leaves(value) if not isinstance(one, str)]
    if not texts or any(one is True for one in others):
        return False
    beside = {scalar(one) for sibling in siblings for one in _leaves(sibling)}
    if all(text in beside for text in texts):
        return True
    everywhere = {scalar(one) for one in _leaves(resource)}
    return all(text in beside or _known_again(text, everywhere) for text in texts)


def _known_again(text: str, known: Set[str]) -> bool:
    """Whether ``text`` is one of ``known``, or such joined to an identifier (``tgw-rtb-0123_10.0.0.0/16``)."""
    if len(text) < _TELLING or not any(sign.isdigit() or sign in ":/" for sign in text):
        return False
    return text in known or all(part in known for part in re.split(r"[_|]", text))


def _leaves(value: Json) -> Iterator[Json]:
    if isinstance(value, Mapping):
        for child in value.values():
            yield from _leaves(child)
    elif isinstance(value, list | tuple):
        for child in value:
            yield from _leaves(child)
    elif not is_empty(value):
        yield value


def _decoded(text: str) -> str | None:
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        return None
