"""The queue that EventBridge fills: receiving hides a message, deleting ends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from driftguard.aws.actions import writes
from driftguard.aws.gateway import Gateway

Answer = Mapping[str, Any]


class QueueWrite(Gateway):
    SERVICE = "sqs"
    PREFIX = "sqs"

    @writes("sqs:ReceiveMessage")
    def receive(self, queue_url: str, wait_seconds: int) -> tuple[Answer, ...]:
        """Up to ten messages, after waiting at most ``wait_seconds`` (20 at most) for the first."""
        answer = self.call(
            "ReceiveMessage", QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=wait_seconds
        )
        return tuple(answer.get("Messages") or ())

    @writes("sqs:DeleteMessage")
    def delete(self, queue_url: str, messages: Sequence[Answer]) -> None:
        """End messages that were dealt with (at most ten)."""
        entries = [
            {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
            for number, message in enumerate(messages)
        ]
        if entries:
            # One that is not deleted comes again, and is then known by its slot.
            self.call("DeleteMessageBatch", QueueUrl=queue_url, Entries=entries)
