"""Of several people who did the same, the one is named who made it stay so."""

from __future__ import annotations

from typing import Any

from tests.told import by_hand, call, changed, gone, who

QUEUE = changed("AWS::SQS::Queue", "q", "/VisibilityTimeout", 30, 99)


def timeout(value: int, hour: float, name: str, **more: Any) -> dict[str, Any]:
    request = {"queueUrl": "q", "attributes": {"VisibilityTimeout": str(value)}}
    return call("sqs:SetQueueAttributes", request, hour, name, **more)


def test_who_set_it_before_it_was_put_right_did_not_set_it_now() -> None:
    told = [timeout(99, 1, "alice"), timeout(30, 5, "bob"), timeout(99, 9, "carol")]
    assert who(QUEUE, *told) == "carol SetQueueAttributes HIGH"
    assert who(QUEUE, *reversed(told)) == "carol SetQueueAttributes HIGH"


def test_nobody_is_named_for_what_came_after_it_was_put_right_untold() -> None:
    assert who(QUEUE, timeout(99, 1, "alice"), timeout(30, 5, "bob")) is None
    assert who(QUEUE, timeout(40, 5, "bob")) is None, "somebody set it to something else"


def test_a_deployment_puts_right_as_a_person_does() -> None:
    deployed = timeout(30, 5, "release", userAgent="cloudformation.amazonaws.com")
    assert who(QUEUE, timeout(99, 1, "alice"), deployed) is None
    assert who(QUEUE, deployed, timeout(99, 9, "carol")) == "carol SetQueueAttributes HIGH"


def test_who_repeats_it_is_not_its_author() -> None:
    told = [timeout(99, 1, "alice"), timeout(99, 9, "carol")]
    assert who(QUEUE, *told) == "alice SetQueueAttributes HIGH"


def test_a_truth_is_the_same_however_it_is_written() -> None:
    drift = changed("AWS::RDS::DBInstance", "db", "/MultiAZ", True, False)

    def modified(value: Any, hour: float, name: str) -> dict[str, Any]:
        return call("rds:ModifyDBInstance", {"dBInstanceIdentifier": "db", "multiAZ": value}, hour, name)

    told = [modified("False", 1, "alice"), modified(True, 2, "bob"), modified(False, 3, "carol")]
    assert who(drift, *told) == "carol ModifyDBInstance HIGH"
    assert who(drift, told[0]) == "alice ModifyDBInstance HIGH"


def test_the_same_key_of_another_property_puts_nothing_right() -> None:
    drift = changed("AWS::S3::Bucket", "logs", "/VersioningConfiguration/Status", "Enabled", "Suspended")
    off = {"bucketName": "logs", "VersioningConfiguration": {"Status": "Suspended"}}
    fast = {"bucketName": "logs", "AccelerateConfiguration": {"Status": "Enabled"}}
    told = [call("s3:PutBucketVersioning", off, 1, "alice"), call("s3:PutAccelerateConfiguration", fast, 2)]
    assert who(drift, *told) == "alice PutBucketVersioning HIGH"


def test_what_was_made_again_was_not_ended_by_the_end_before() -> None:
    deleted = call("sqs:DeleteQueue", {"queueUrl": "q"}, 1, "alice")
    made = call("sqs:CreateQueue", {"queueName": "q"}, 2, "bob")
    again = call("sqs:DeleteQueue", {"queueUrl": "q"}, 3, "carol")
    queue = gone("AWS::SQS::Queue", "q")
    assert who(queue, deleted, made) is None
    assert who(queue, deleted, made, again) == "carol DeleteQueue HIGH"
    assert who(by_hand("AWS::SQS::Queue", "q"), made, again) is None


def test_who_sets_a_thing_anew_did_not_make_it() -> None:
    rule = by_hand("AWS::Events::Rule", "nightly")
    told = [
        call("events:PutRule", {"name": "nightly"}, 1, "alice"),
        call("events:PutRule", {"name": "nightly"}, 2),
    ]
    assert who(rule, *told) == "alice PutRule HIGH"


def test_what_changed_a_resource_of_the_name_before_it_was_made_anew_is_past() -> None:
    told = [timeout(99, 1, "alice"), call("sqs:CreateQueue", {"queueName": "q", "attributes": {}}, 2, "bob")]
    assert who(QUEUE, *told) is None
