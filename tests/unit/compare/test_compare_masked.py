"""Texts of deployed templates, in which CloudFormation shows characters outside ASCII as question marks."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from driftguard.compare import compare
from driftguard.declared.text import masked_base64, unmask
from driftguard.model import DriftStatus, Json, Partial, Unknown
from driftguard.schema import registry

QUEUE = "AWS::SQS::Queue"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def tags(*pairs: tuple[str, Json]) -> list[dict[str, Json]]:
    return [{"Key": key, "Value": value} for key, value in pairs]


@pytest.mark.parametrize(
    ("type_name", "declared", "live", "status", "folds"),
    [
        (QUEUE, {"Tags": tags(("team", "??? x"))}, {"Tags": tags(("team", "플랫폼 x"))}, "IN_SYNC", 1),
        (QUEUE, {"Tags": tags(("team", "why?"))}, {"Tags": tags(("team", "why?"))}, "IN_SYNC", 0),
        (QUEUE, {"Tags": tags(("team", "why?"))}, {"Tags": tags(("team", "why!"))}, "MODIFIED", 0),
        (QUEUE, {"Tags": tags(("team", "??"))}, {"Tags": tags(("team", "플랫폼"))}, "MODIFIED", 0),
        (QUEUE, {"Tags": tags(("team", "???"))}, {"Tags": tags(("team", "팀"), ("x", "y"))}, "MODIFIED", 1),
        (
            QUEUE,
            {"Tags": tags(("a", "??"), ("b", "??"))},
            {"Tags": tags(("b", "나무"), ("a", "바다"))},
            "IN_SYNC",
            2,
        ),
    ],
)
def test_a_masked_text_is_what_it_is_shown_as(
    type_name: str, declared: dict[str, Any], live: dict[str, Any], status: str, folds: int
) -> None:
    masked = {"Tags": [{**tag, "Value": unmask(tag["Value"])} for tag in declared["Tags"]]}
    found = compare(masked, live, registry().get(type_name))
    assert (found.status, found.not_checked) == (DriftStatus(status), ())
    assert sum(fold.rule == "masked-non-ascii" for fold in found.folded) == folds


@pytest.mark.parametrize(
    ("template", "script", "status"),
    [
        ("#!/bin/sh\n[ $? = 0 ] || exit", "#!/bin/sh\n[ $? = 0 ] || exit", "IN_SYNC"),
        ("#!/bin/sh\n# ?? ??\nrun", "#!/bin/sh\n# 서버 준비\nrun", "IN_SYNC"),
        ("#!/bin/sh\n# ?? ??\nrun", "#!/bin/sh\n# 서버 준비\nrun --all", "MODIFIED"),
    ],
)
def test_user_data_is_compared_by_its_text(template: str, script: str, status: str) -> None:
    found = compare(
        {"UserData": masked_base64(template)},
        {"UserData": encoded(script)},
        registry().get("AWS::AutoScaling::LaunchConfiguration"),
    )
    assert (found.status, found.not_checked) == (DriftStatus(status), ())


def test_what_is_unknown_beside_a_mask_stays_a_pattern() -> None:
    half = Partial((Unknown("masked", 2), "-", Unknown("an export")))
    fits = compare({"QueueName": half}, {"QueueName": "한글-x"}, registry().get(QUEUE))
    assert (fits.status, [one.path for one in fits.not_checked]) == (DriftStatus.NOT_CHECKED, ["/QueueName"])
    differs = compare({"QueueName": half}, {"QueueName": "plain"}, registry().get(QUEUE))
    assert differs.status is DriftStatus.MODIFIED
