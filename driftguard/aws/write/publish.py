"""Where results are sent inside AWS: Security Hub, SNS, EventBridge, AWS Config rules, S3, SES."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from driftguard.aws.actions import writes
from driftguard.aws.gateway import Gateway

Answer = Mapping[str, Any]


class SecurityHubWrite(Gateway):
    SERVICE = "securityhub"
    PREFIX = "securityhub"

    @writes("securityhub:BatchImportFindings")
    def import_findings(self, findings: Iterable[Answer]) -> Iterator[Answer]:
        """Send ASFF findings, 100 at a time; yields the ones that Security Hub refused, with the reason."""
        rest = iter(findings)
        while chunk := [dict(finding) for finding in islice(rest, 100)]:
            yield from self.call("BatchImportFindings", Findings=chunk).get("FailedFindings", ())

    @writes("securityhub:BatchUpdateFindings")
    def update_workflow(
        self, findings: Iterable[Answer], status: str, note: str, author: str
    ) -> Iterator[Answer]:
        """Set the workflow status of findings (Id and ProductArn), 100 at a time; yields the refused ones.

        https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchUpdateFindings.html
        """
        rest = iter(findings)
        while chunk := [dict(finding) for finding in islice(rest, 100)]:
            answer = self.call(
                "BatchUpdateFindings",
                FindingIdentifiers=chunk,
                Workflow={"Status": status},
                Note={"Text": note[:512], "UpdatedBy": author},
            )
            yield from answer.get("UnprocessedFindings", ())


class SnsWrite(Gateway):
    SERVICE = "sns"
    PREFIX = "sns"

    @writes("sns:Publish")
    def publish(
        self, topic_arn: str, subject: str, message: str, attributes: Mapping[str, str] | None = None
    ) -> str:
        """Publish a message (at most 256 KB, subject at most 100 characters); answers its id."""
        rows = {
            name: {"DataType": "String", "StringValue": value} for name, value in (attributes or {}).items()
        }
        answer = self.call(
            "Publish",
            TopicArn=topic_arn,
            Subject=subject[:100],
            Message=message,
            MessageAttributes=rows or None,
        )
        return str(answer["MessageId"])


class EventsWrite(Gateway):
    SERVICE = "events"
    PREFIX = "events"

    @writes("events:PutEvents")
    def put(self, entries: Iterable[Answer]) -> Iterator[Answer]:
        """Put events, 10 at a time; yields the entries that EventBridge refused, with code and message."""
        rest = iter(entries)
        while chunk := [dict(entry) for entry in islice(rest, 10)]:
            for entry, answer in zip(chunk, self.call("PutEvents", Entries=chunk)["Entries"], strict=True):
                if answer.get("ErrorCode"):
                    yield {**entry, **answer}


class ConfigWrite(Gateway):
    SERVICE = "config"
    PREFIX = "config"

    @writes("config:PutEvaluations")
    def put_evaluations(self, evaluations: Sequence[Answer], result_token: str) -> tuple[Answer, ...]:
        """Report verdicts of a custom rule, 100 at a time; answers the ones that AWS Config refused."""
        failed: list[Answer] = []
        for start in range(0, len(evaluations), 100):
            chunk = [dict(row) for row in evaluations[start : start + 100]]
            answer = self.call("PutEvaluations", Evaluations=chunk, ResultToken=result_token)
            failed.extend(answer.get("FailedEvaluations", ()))
        return tuple(failed)


class S3Write(Gateway):
    SERVICE = "s3"
    PREFIX = "s3"

    @writes("s3:PutObject")
    def put(self, bucket: str, key: str, body: bytes, **fields: Any) -> str:
        """Write an object; answers its ETag.  ``fields`` are members of PutObject (ObjectLockMode, ...)."""
        return str(self.call("PutObject", Bucket=bucket, Key=key, Body=body, **fields)["ETag"])


class SesWrite(Gateway):
    SERVICE = "sesv2"
    PREFIX = "ses"

    @writes("ses:SendEmail")
    def send(self, sender: str, recipients: Sequence[str], raw: bytes) -> str:
        """Send a raw MIME message; answers its id."""
        answer = self.call(
            "SendEmail",
            FromEmailAddress=sender,
            Destination={"ToAddresses": list(recipients)},
            Content={"Raw": {"Data": raw}},
        )
        return str(answer["MessageId"])
