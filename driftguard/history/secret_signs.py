"""What tells that a value is a secret: where it stands, what it is called, what it looks like.

The tables are in ``data/secrets.yaml``.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from itertools import pairwise
from typing import Any

import yaml

STRONG, WEAK, PLAIN, UNTOLD = "strong", "weak", "plain", ""
"""What a name tells: all under it is secret; what looks drawn at random is; nothing is; nothing is told."""
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_WEAK_LENGTH, _WEAK_BITS = 20, 3.4


@dataclass(frozen=True, slots=True)
class Tables:
    paths: Mapping[str, tuple[tuple[str, ...], ...]]
    words: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    unless_last: frozenset[str]
    unless_first: frozenset[str]
    unless_name: frozenset[str]
    unless_below: frozenset[str]
    numbers_stay: frozenset[str]
    weak_words: frozenset[str]
    weak_patterns: tuple[re.Pattern[str], ...]
    program_flags: Mapping[str, frozenset[str]]
    program_prefixes: Mapping[str, str]
    fields: tuple[tuple[str, str], ...]
    name_fields: frozenset[str]
    patterns: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]
    harmless: re.Pattern[str]
    harmless_if_weak: re.Pattern[str]


@cache
def tables() -> Tables:
    """The tables, read once."""
    source = resources.files("driftguard.history") / "data" / "secrets.yaml"
    data = yaml.load(source.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    sets = (
        "words",
        "unless_last",
        "unless_first",
        "unless_name",
        "unless_below",
        "numbers_stay",
        "weak_words",
    )
    listed: dict[str, Any] = {name: frozenset(data[name]) for name in sets}
    return Tables(
        **listed,
        paths={kind: tuple(steps(path) for path in paths) for kind, paths in data["paths"].items()},
        pairs=frozenset((one, two) for one, two in data["pairs"]),
        weak_patterns=tuple(re.compile(pattern) for pattern in data["weak_patterns"]),
        program_flags={name: frozenset(flags) for name, flags in data["program_flags"].items()},
        program_prefixes=data["program_prefixes"],
        fields=tuple((name, value) for name, value in data["pairs_of_fields"]),
        name_fields=frozenset(name for name, _ in data["pairs_of_fields"]),
        patterns=tuple((tuple(row["hints"]), re.compile(row["find"])) for row in data["patterns"]),
        harmless=re.compile("|".join(f"(?:{_inline(p)})" for p in data["harmless"])),
        harmless_if_weak=re.compile("|".join(f"(?:{p})" for p in data["harmless_if_weak"])),
    )


def _inline(pattern: str) -> str:
    """A leading ``(?i)`` as a group of its own, for patterns that are joined."""
    return f"(?i:{pattern[4:]})" if pattern.startswith("(?i)") else pattern


def steps(pointer: str) -> tuple[str, ...]:
    """The steps of a JSON pointer."""
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])


def _matches(pattern: tuple[str, ...], path: tuple[str, ...]) -> bool:
    if not pattern:
        return not path
    if pattern[0] == "**":
        return any(_matches(pattern[1:], path[start:]) for start in range(len(path) + 1)) or len(pattern) == 1
    return bool(path) and pattern[0] in ("*", path[0]) and _matches(pattern[1:], path[1:])


@lru_cache(maxsize=65536)
def secret_path(resource_type: str, path: tuple[str, ...]) -> bool:
    """Whether the table calls what stands at ``path`` of ``resource_type`` a secret."""
    paths = tables().paths
    return any(_matches(pattern, path) for kind in (resource_type, "*") for pattern in paths.get(kind, ()))


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name) if not word.isdigit()]


@lru_cache(maxsize=65536)
def secret_name(name: str) -> str:
    """What a name tells of the value under it: `STRONG`, `WEAK`, `PLAIN` or `UNTOLD`."""
    known = tables()
    words = _words(name)
    if not words:
        return UNTOLD
    if words[-1] in known.unless_last or words[0] in known.unless_first or name in known.unless_name:
        return PLAIN
    pairs = set(pairwise(words))
    if known.words.intersection(words) or pairs & known.pairs or "".join(words) in known.words:
        return STRONG
    return WEAK if known.weak_words.intersection(words) else UNTOLD


@lru_cache(maxsize=65536)
def told(name: str, above: str) -> str:
    """What is told of the value at ``name`` below something of which ``above`` is told.

    The members of a list are what the list is.  Below a name that makes a secret only a few names say that
    there is none: the others may be those that a user gave to secrets.
    """
    if name.isdigit():
        return above
    own = secret_name(name)
    if above == STRONG and own != STRONG:
        words = _words(name)
        if not words:
            return STRONG
        told_of = not tables().weak_words.isdisjoint(words) or not tables().words.isdisjoint(words)
        return PLAIN if words[-1] in tables().unless_below or (own == PLAIN and told_of) else STRONG
    return own


@lru_cache(maxsize=65536)
def number_stays(name: str) -> bool:
    """Whether a number under ``name`` counts something, whatever else the name tells."""
    words = _words(name)
    return bool(words) and words[-1] in tables().numbers_stay


def random(value: str) -> bool:
    """Whether a text looks drawn at random: long, one word, letters and digits, many different ones."""
    if len(value) < _WEAK_LENGTH or any(char.isspace() for char in value):
        return False
    if tables().harmless_if_weak.fullmatch(value) or not any(char.isdigit() for char in value):
        return False
    counts = Counter(value)
    bits = -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())
    return bits >= _WEAK_BITS


def harmless(value: str) -> bool:
    """Whether a text is no secret even where secrets live: a reference, or a word that says nothing."""
    return tables().harmless.fullmatch(value.strip()) is not None


def arguments(command: list[Any] | tuple[Any, ...]) -> frozenset[int]:
    """The places in a list of arguments at which secrets stand, as the flags before them tell."""
    if not any(isinstance(one, str) and one.startswith("-") for one in command):
        return frozenset()
    known = tables()
    program = _base(command[0])
    flags, prefix = known.program_flags.get(program, frozenset()), known.program_prefixes.get(program)
    found = {
        place + 1
        for place, (one, after) in enumerate(pairwise(command))
        if isinstance(one, str)
        and one.startswith("-")
        and isinstance(after, str | int)
        and not (isinstance(after, str) and after.startswith("-"))
        and (one in flags or ("=" not in one and secret_name(one) == STRONG))
    }
    if prefix is not None:
        found |= {i for i, one in enumerate(command) if isinstance(one, str) and _joined(one, prefix)}
    return frozenset(found)


def _base(program: Any) -> str:
    return program.rpartition("/")[2] if isinstance(program, str) else ""


def _joined(argument: str, prefix: str) -> bool:
    return argument.startswith(prefix) and len(argument) > len(prefix)
