"""Amazon SQS queues."""

from __future__ import annotations

from typing import Any

from driftguard.sandbox.types.base import (
    Adapter,
    Properties,
    as_text,
    document,
    tag_changes,
    tag_list,
    tag_map,
)

_NUMBERS = (
    "DelaySeconds",
    "KmsDataKeyReusePeriodSeconds",
    "MaximumMessageSize",
    "MessageRetentionPeriod",
    "ReceiveMessageWaitTimeSeconds",
    "VisibilityTimeout",
)
_FLAGS = ("ContentBasedDeduplication", "FifoQueue", "SqsManagedSseEnabled")
_TEXTS = ("DeduplicationScope", "FifoThroughputLimit", "KmsMasterKeyId")
_DOCUMENTS = ("RedriveAllowPolicy", "RedrivePolicy")
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
_DEFAULTS: dict[str, Any] = {
    "DelaySeconds": 0,
    "KmsDataKeyReusePeriodSeconds": 300,
    "MaximumMessageSize": 1048576,
    "MessageRetentionPeriod": 345600,
    "ReceiveMessageWaitTimeSeconds": 0,
    "VisibilityTimeout": 30,
}


class Queue(Adapter):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queue.html"""

    type_name = "AWS::SQS::Queue"
    service = "sqs"
    name_property = "QueueName"
    name_limit = 80

    def create(self, name: str, properties: Properties) -> str:
        if properties.get("FifoQueue") and not name.endswith(".fifo"):
            name = f"{name[:75]}.fifo"
        answer = self.client.create_queue(
            QueueName=name, Attributes=_attributes(properties), tags=tag_map(properties.get("Tags"))
        )
        return str(answer["QueueUrl"])

    def read(self, id: str) -> Properties:
        found = self.client.get_queue_attributes(QueueUrl=id, AttributeNames=["All"])["Attributes"]
        tags = tag_list(self.client.list_queue_tags(QueueUrl=id).get("Tags", {}))
        return {
            "QueueUrl": id,
            "Arn": found["QueueArn"],
            "QueueName": found["QueueArn"].rsplit(":", 1)[1],
            **{name: int(found[name]) for name in _NUMBERS if found.get(name)},
            **{name: found[name] == "true" for name in _FLAGS if name in found},
            **{name: found[name] for name in _TEXTS if found.get(name)},
            **{name: document(found[name]) for name in _DOCUMENTS if found.get(name)},
            **({"Tags": tags} if tags else {}),
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        wanted = {**_DEFAULTS, **{name: "" for name in (*_TEXTS, *_DOCUMENTS) if name in old}, **new}
        wanted.pop("FifoQueue", None)
        attributes = _attributes({k: v for k, v in wanted.items() if k in new or k in old})
        if attributes:
            self.client.set_queue_attributes(QueueUrl=id, Attributes=attributes)
        set_tags, remove = tag_changes(old, new)
        if set_tags:
            self.client.tag_queue(QueueUrl=id, Tags=set_tags)
        if remove:
            self.client.untag_queue(QueueUrl=id, TagKeys=remove)

    def delete(self, id: str) -> None:
        self.client.delete_queue(QueueUrl=id)

    def list_ids(self) -> list[str]:
        return [str(url) for url in self.client.list_queues().get("QueueUrls", [])]

    def arn(self, id: str) -> str:
        answer = self.client.get_queue_attributes(QueueUrl=id, AttributeNames=["QueueArn"])
        return str(answer["Attributes"]["QueueArn"])


def _attributes(properties: Properties) -> dict[str, str]:
    attributes = {}
    for name in (*_NUMBERS, *_FLAGS, *_TEXTS):
        if name in properties:
            value = properties[name]
            attributes[name] = str(value).lower() if isinstance(value, bool) else str(value)
    for name in _DOCUMENTS:
        if name in properties:
            attributes[name] = as_text(properties[name])
    return attributes
