"""The words of names, and the parts of ARNs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_LOWERED = re.compile(r"^[a-z](?=[A-Z]([A-Z]|$))")
"""CloudTrail writes ``TTL`` as ``tTL``."""
_BREAK = re.compile(r"[:/]")


def words(text: str) -> Iterator[str]:
    """The lower-case words of a camel-case name or a pointer, plural ``s`` dropped."""
    for word in _WORDS.findall(_LOWERED.sub(lambda first: first[0].upper(), text)):
        lower = word.lower()
        yield lower[:-1] if len(lower) > 3 and lower.endswith("s") and not lower.endswith("ss") else lower


class Arn(NamedTuple):
    """What an ARN says: ``head`` is the kind that it gives itself (``role``), ``rest`` the name below it."""

    service: str
    region: str
    account: str
    head: str
    rest: str

    @property
    def parts(self) -> list[str]:
        """The pieces of the name: ``web`` of cluster ``shop`` is ``shop/web``."""
        return [part for part in _BREAK.split(self.rest) if part]


def arn_of(text: str) -> Arn | None:
    """``text`` taken apart, if it is an ARN."""
    pieces = text.split(":", 5)
    if len(pieces) < 6 or pieces[0] != "arn":
        return None
    _, _, service, region, account, tail = pieces
    tail = tail.removesuffix(":*")  # what CloudWatch Logs adds to a log group
    found = _BREAK.search(tail)
    if found is None:
        return Arn(service, region, account, "", tail)
    return Arn(service, region, account, tail[: found.start()], tail[found.end() :])


def plain(text: str) -> str:
    """A name without what is written or left away at will."""
    text = text.removeprefix("/hostedzone/").removesuffix(":*").replace("\\052", "*")
    return text.rstrip(".") if len(text) > 1 else text


def forms(text: str) -> Iterator[str]:
    """All that ``text`` may be the name of: itself, what it ends in as a URL, and the pieces of an ARN."""
    yield plain(text)
    found = arn_of(text)
    if found is not None:
        yield from (found.rest, f"{found.head}/{found.rest}", f"/{found.rest}", *found.parts)
    elif text.startswith("https://"):
        yield text.rsplit("/", 1)[-1]
