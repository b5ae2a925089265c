"""Sentences of the code in a reader's language."""

from __future__ import annotations

import re

import pytest

from driftguard.report.sentences import catalogue, translated
from tests.unit.report.said import sentences


@pytest.mark.parametrize(
    ("text", "korean"),
    [
        ("What runs when.", "실행 일정"),
        ("/A: only the order differs.", "/A: 순서만 다릅니다."),
        (
            "The resource is as its template declares it. INCOMING_SSH_DISABLED is COMPLIANT.",
            "리소스가 템플릿과 같습니다. INCOMING_SSH_DISABLED 정책을 준수합니다.",
        ),
        ("a sentence that nobody has translated.", "a sentence that nobody has translated."),
        ("kept {as} it is", "kept {as} it is"),
    ],
)
def test_a_sentence_is_translated_whole_in_parts_or_not_at_all(text: str, korean: str) -> None:
    assert translated(text, "ko") == korean
    assert translated(text, "en") == text


def test_nothing_that_varies_is_lost() -> None:
    for english, korean in catalogue("ko").items():
        assert _holes(english) == _holes(korean), english


def _holes(text: str) -> set[str]:
    return {part.split("}")[0] for part in text.split("{")[1:]}


_HANGUL = re.compile("[가-힣]")
_ENGLISH = re.compile("[a-z]{2,} [a-z]{2,} [a-z]{2,}")


def test_what_a_report_can_say_of_gaps_and_waivers_is_told_in_korean() -> None:
    """A sentence that is new in one of those rooms needs its Korean in the catalogue."""
    found = dict(sentences())
    assert len(found) > 40
    missing = [
        (place, text)
        for place, text in found.items()
        if not _HANGUL.search(told := translated(text, "ko")) or _ENGLISH.search(told)
    ]
    assert missing == []
