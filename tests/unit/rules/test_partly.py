"""Texts of which only parts are known are judged as far as the known parts decide, and no further."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

from driftguard.model import Partial, Unknown
from driftguard.rules.partly import ends_with, keys, matches, starts_with, values

HOLE = Unknown("AWS::Region is not given")
CERTIFICATE = Partial(("arn:aws:acm:", HOLE, ":certificate/x"))


def open_answer(value: Any) -> bool:
    return isinstance(value, Unknown)


@pytest.mark.parametrize(
    ("pattern", "answer"),
    [
        ("^arn:aws[a-z-]*:acm:", True),
        ("^arn:aws[a-z-]*:iam:", False),
        ("certificate/", True),
        ("(?i)CERTIFICATE", True),
        ("^certificate", False),
        ("certificate/x$", None),
        ("us-east-1", None),
        ("^arn:aws:acm:us-east-1", None),
        ("^arn:aws:iam|certificate", None),
        ("^(arn:aws:iam|arn:aws:kms):", False),
        ("acm:(?!us)", None),
    ],
)
def test_a_pattern_is_decided_by_what_is_known(pattern: str, answer: bool | None) -> None:
    found = matches(CERTIFICATE, pattern)
    assert open_answer(found) if answer is None else found is answer


def test_no_answer_is_ever_contradicted_by_what_comes_into_the_hole() -> None:
    chance = random.Random(7)
    letters = "arn:cm/x-"
    for _ in range(3000):
        parts = ["".join(chance.choices(letters, k=chance.randrange(0, 5))) for _ in range(2)]
        text = Partial((parts[0], HOLE, parts[1]))
        pattern = "".join(
            chance.choice(["a", "r", ":", ".", "^", "$", "a*", "(r|c)", "|", "[^m]", "x?"]) for _ in range(4)
        )
        filling = "".join(chance.choices(letters, k=chance.randrange(0, 4)))
        told = matches(text, pattern)
        if not open_answer(told):
            assert told is bool(re.search(pattern, parts[0] + filling + parts[1])), (parts, pattern, filling)


def test_the_edges_are_decided_by_the_known_edge() -> None:
    assert starts_with(CERTIFICATE, "arn:aws:") is True
    assert starts_with(CERTIFICATE, "arn:aws:iam") is False
    assert open_answer(starts_with(CERTIFICATE, "arn:aws:acm:eu"))
    assert ends_with(CERTIFICATE, "/x") is True
    assert ends_with(CERTIFICATE, "/y") is False
    assert open_answer(ends_with(CERTIFICATE, "1:certificate/x"))
    assert open_answer(starts_with(HOLE, "a"))


def test_names_are_known_where_values_are_not() -> None:
    assert keys({"A": HOLE, "B": 1}) == ["A", "B"]
    assert values({"A": HOLE, "B": 1}) == [HOLE, 1]
    assert open_answer(keys(HOLE))
