"""Patches for real templates: every comment stays, and the text parses to exactly the live value."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from driftguard.declared.template import parse_document
from driftguard.errors import TemplateError
from driftguard.remediation.adopt import Edit, patch_template
from driftguard.remediation.spots import comments
from driftguard.remediation.values import ABSENT
from tests.shared_data import shared

ENOUGH = 40
LIVE: tuple[Any, ...] = (
    "changed by hand", "yes", "0123", "a: b # c", "한글 값", 4711, True, ["one", {"Two": 3}], {"Key": "k", "Value": "v: w"},
)  # fmt: skip


def templates() -> Iterator[Path]:
    folder = shared("data", "cfn-templates")
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".yaml", ".yml", ".json", ".template") and path.stat().st_size < 40_000:
            yield path


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Places of plain values inside properties; what a function makes is left alone."""
    if isinstance(value, dict):
        if len(value) == 1 and (next(iter(value)) == "Ref" or str(next(iter(value))).startswith("Fn::")):
            yield path
            return
        for name, child in value.items():
            yield from leaves(child, (*path, name))
    elif isinstance(value, list):
        for number, child in enumerate(value):
            yield from leaves(child, (*path, number))
    else:
        yield path


def places(document: Any) -> list[tuple[str | int, ...]]:
    found = []
    for name, resource in (document.get("Resources") or {}).items():
        if isinstance(resource, dict) and isinstance(resource.get("Properties"), dict):
            base = ("Resources", name, "Properties")
            found += [place for place in leaves(resource["Properties"], base) if len(place) > 3]
    return found


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def put(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    """A copy of ``value`` with ``new`` at ``path``."""
    if not path:
        return new
    if isinstance(value, list):
        return [put(child, path[1:], new) if n == path[0] else child for n, child in enumerate(value)]
    return {name: put(child, path[1:], new) if name == path[0] else child for name, child in value.items()}


def full_line_comments(text: str) -> Counter[str]:
    return Counter(line.strip() for line in text.splitlines() if line.strip().startswith("#"))


def check_comments(before: str, after: str, path: Path, old: Any) -> None:
    if path.suffix == ".json" or before.lstrip().startswith("{"):
        return
    assert Counter(said for _, said in comments(before)) == Counter(said for _, said in comments(after)), path
    if "#" not in str(old):  # a script that is replaced takes its own comments along
        assert not full_line_comments(before) - full_line_comments(after), path


def test_forty_templates_keep_their_comments_and_say_exactly_the_live_value() -> None:
    chance = random.Random(7)
    done = commented = 0
    for path in templates():
        text = path.read_text(encoding="utf-8", errors="strict")
        try:
            document, _ = parse_document(text, path.name)
        except TemplateError:
            continue
        spots = places(document) if isinstance(document, dict) else []
        if len(spots) < 3 or "&" in text:
            continue
        has_comments = "{" not in text[:5] and bool(full_line_comments(text))
        if not has_comments and done - commented >= ENOUGH // 2:
            continue
        place = chance.choice(spots)
        value = chance.choice(LIVE)
        after = patch_template(text, [Edit(path=place, value=value)])
        # The live value stands there, and nothing else of the whole document is another.
        assert parse_document(after, path.name)[0] == put(document, place, value), (path, place)
        check_comments(text, after, path, at(document, place))

        parent = chance.choice(spots)[:3]
        more = patch_template(text, [Edit(path=(*parent, "AddedByHand", "Inner"), value=value)])
        assert at(parse_document(more, path.name)[0], (*parent, "AddedByHand", "Inner")) == value, path
        check_comments(text, more, path, None)

        gone = chance.choice(spots)
        less = patch_template(text, [Edit(path=gone, value=ABSENT)])
        check_comments(text, less, path, at(document, gone))
        done += 1
        commented += has_comments
        if done >= ENOUGH and commented >= ENOUGH // 2:
            break
    assert done >= ENOUGH
    assert commented >= ENOUGH // 2


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_line_ends_stay(newline: str) -> None:
    text = newline.join(
        ["Resources:", "  B:", "    Type: AWS::S3::Bucket", "    Properties:", "      A: 1 # one", ""]
    )
    after = patch_template(text, [Edit(path=("Resources", "B", "Properties", "C"), value={"D": 1})])
    assert after.count(newline) == text.count(newline) + 2
    assert "\r" not in after.replace("\r\n", "")
