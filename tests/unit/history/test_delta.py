"""Patches between two nights' texts."""

from __future__ import annotations

import random

import orjson
import pytest

from driftguard.history import delta

CASES = {
    "same": (b'{"a":1}', b'{"a":1}'),
    "value": (b'{"a":1,"b":{"c":"x"}}', b'{"a":1,"b":{"c":"yy"}}'),
    "two places": (b'{"a":1,"b":[1,2,3],"c":"z"}', b'{"a":2,"b":[1,2,3],"c":"zz"}'),
    "longer": (b"[1,1,1]", b"[1,1,1,1]"),
    "shorter": (b"[1,1,1,1]", b"[1,1]"),
    "from nothing": (b"", b'{"a":1}'),
    "to nothing": (b'{"a":1}', b""),
    "nothing alike": (b"abc", b"{}"),
    "not ASCII": ('{"a":"가나"}'.encode(), '{"a":"가다"}'.encode()),
    "very long": (b"[" + b"1," * 9000 + b"1]", b"[2," + b"1," * 9000 + b"2]"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_patch_makes_the_new_text_of_the_old(name: str) -> None:
    old, new = CASES[name]
    assert delta.apply(old, delta.make(old, new)) == new


def test_random_edits_come_back_and_stay_small() -> None:
    rng = random.Random(7)
    for _ in range(300):
        value = {f"k{n}": [rng.randrange(100) for _ in range(5)] for n in range(40)}
        old = orjson.dumps(value)
        for _ in range(rng.randrange(1, 4)):
            value[f"k{rng.randrange(40)}"] = [rng.randrange(100) for _ in range(rng.randrange(8))]
        new = orjson.dumps(value)
        patch = delta.make(old, new)
        assert delta.apply(old, patch) == new
        assert len(patch) < 150


def test_a_damaged_patch_is_refused() -> None:
    old, new = CASES["two places"]
    patch = delta.make(old, new)
    for wrong in (patch[:-1], patch + b"\x80", b"\xff\x7f\x00\x00"):
        with pytest.raises(ValueError, match="patch"):
            delta.apply(old, wrong)
