"""One record, many dialects."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from driftguard.errors import InputError
from driftguard.live import ConfigurationItem, distinct, parse_item
from driftguard.live.config_items import decoded, instant, tag_map

BASE: dict[str, Any] = {
    "resourceType": "AWS::SQS::Queue",
    "resourceId": "q",
    "awsRegion": "eu-west-1",
    "accountId": "111111111111",
}


def test_configuration_is_read_from_text_and_from_an_object() -> None:
    as_text = parse_item({**BASE, "configuration": '{"VisibilityTimeout": 30.0, "Unset": null}'})
    as_object = parse_item({**BASE, "configuration": {"VisibilityTimeout": 30, "Unset": None}})
    assert as_text.configuration == as_object.configuration == {"VisibilityTimeout": 30}


def test_supplementary_values_are_decoded_however_often_they_were_encoded() -> None:
    item = parse_item({**BASE, "supplementaryConfiguration": {"Acl": '"{\\"owner\\": 1}"', "Plain": "x"}})
    assert item.supplementary == {"Acl": {"owner": 1}, "Plain": "x"}
    assert decoded("null") is None
    assert decoded("{broken") == "{broken"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024-05-06T07:08:09.123Z", datetime(2024, 5, 6, 7, 8, 9, 123000, UTC)),
        ("2024-05-06T09:08:09+02:00", datetime(2024, 5, 6, 7, 8, 9, 0, UTC)),
        (datetime(2024, 5, 6, 9, tzinfo=timezone(timedelta(hours=2))), datetime(2024, 5, 6, 7, tzinfo=UTC)),
        (1714979289, datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)),
        (1714979289000, datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)),
        ("Feb 21, 2022 6:37:48 PM", None),
        (None, None),
    ],
)
def test_instants_are_utc_from_every_form(value: Any, expected: datetime | None) -> None:
    assert instant(value) == expected


@pytest.mark.parametrize(
    "tags",
    [
        {"team": "sre"},
        [{"key": "team", "value": "sre"}],
        [{"Key": "team", "Value": "sre"}],
        [{"tagKey": "team", "tagValue": "sre"}],
        [{"tagName": "team", "tagValue": "sre"}],
        [{"tag": "team=sre", "key": "team", "value": "sre"}],
    ],
)
def test_tags_are_a_map_whatever_their_form(tags: Any) -> None:
    assert tag_map(tags) == {"team": "sre"}
    assert parse_item({**BASE, "tags": tags}).tags == {"team": "sre"}
    assert parse_item({**BASE, "tags": {}, "configuration": {"tags": tags}}).tags == {"team": "sre"}
    assert parse_item({**BASE, "supplementaryConfiguration": {"Tags": tags}}).tags == {"team": "sre"}


def test_an_item_without_any_place_for_tags_does_not_claim_that_there_are_none() -> None:
    assert parse_item(BASE).tags is None
    assert parse_item({**BASE, "tags": {}}).tags == {}


def test_old_and_new_names_of_the_same_member() -> None:
    old = {"resourceType": "AWS::SQS::Queue", "resourceId": "q", "awsAccountId": "1", "ARN": "arn:aws-cn:x:y"}
    item = parse_item({**old, "configurationStateID": 7})
    assert (item.account, item.arn, item.state_id, item.partition) == ("1", "arn:aws-cn:x:y", "7", "aws-cn")


@pytest.mark.parametrize(
    ("status", "deleted", "recorded"),
    [
        ("OK", False, True),
        ("ResourceDiscovered", False, True),
        ("ResourceNotRecorded", False, False),
        ("ResourceDeleted", True, True),
        ("ResourceDeletedNotRecorded", True, False),
    ],
)
def test_status(status: str, deleted: bool, recorded: bool) -> None:
    item = parse_item({**BASE, "configurationItemStatus": status})
    assert (item.deleted, item.recorded) == (deleted, recorded)


@pytest.mark.parametrize(
    "raw",
    [{}, {"resourceType": "AWS::SQS::Queue"}, {**BASE, "resourceId": 7}, {**BASE, "configuration": "[1]"}],
)
def test_a_record_that_is_no_item_is_an_input_error(raw: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        parse_item(raw)


def test_the_same_state_with_other_content_is_no_change() -> None:
    stamp = {"configurationStateId": "9", "configurationItemCaptureTime": "2024-05-06T07:08:09Z"}
    first = parse_item({**BASE, **stamp, "configuration": {"VisibilityTimeout": 30}})
    again = parse_item({**BASE, **stamp, "configuration": {"VisibilityTimeout": 31}})
    later = parse_item({**BASE, **stamp, "configurationItemCaptureTime": "2024-05-07T07:08:09Z"})
    assert again.same_state(first)
    assert not later.same_state(first)
    assert list(distinct([first, again, later])) == [first, later]


def test_without_a_state_id_nothing_is_dropped() -> None:
    item = parse_item(BASE)
    assert isinstance(item, ConfigurationItem)
    assert list(distinct([item, item])) == [item, item]
