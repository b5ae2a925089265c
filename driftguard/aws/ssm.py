"""Systems Manager, the part that reads: parameters, documents, automation executions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from driftguard.aws.actions import reads
from driftguard.aws.gateway import Gateway
from driftguard.errors import GoneError

Answer = Mapping[str, Any]


class Ssm(Gateway):
    SERVICE = "ssm"
    PREFIX = "ssm"

    @reads("ssm:GetParameter")
    def parameter(self, name: str, version: int | None = None) -> str | None:
        """The value of a plain parameter; ``None`` when it does not exist.

        A SecureString comes back encrypted: decryption is never asked for.
        """
        try:
            answer = self.call("GetParameter", Name=f"{name}:{version}" if version else name)
        except GoneError:
            return None
        parameter = answer["Parameter"]
        return None if parameter.get("Type") == "SecureString" else str(parameter["Value"])

    @reads("ssm:DescribeDocument")
    def describe_document(self, name: str, version: str | None = None) -> Answer:
        """A document's parameters, owner, type and default version."""
        answer: Answer = self.call("DescribeDocument", Name=name, DocumentVersion=version)["Document"]
        return answer

    @reads("ssm:GetDocument")
    def document(self, name: str, version: str | None = None) -> str:
        """A document's content as JSON text."""
        answer = self.call("GetDocument", Name=name, DocumentVersion=version, DocumentFormat="JSON")
        return str(answer["Content"])

    @reads("ssm:GetAutomationExecution")
    def execution(self, execution_id: str) -> Answer:
        """One automation execution with its steps and outputs."""
        answer = self.call("GetAutomationExecution", AutomationExecutionId=execution_id)
        found: Answer = answer["AutomationExecution"]
        return found

    @reads("ssm:DescribeAutomationExecutions")
    def executions(self, filters: Mapping[str, str] | None = None) -> Iterator[Answer]:
        """Metadata of automation executions, newest first."""
        wanted = [{"Key": key, "Values": [value]} for key, value in (filters or {}).items()]
        return self.items(
            "DescribeAutomationExecutions",
            "AutomationExecutionMetadataList",
            Filters=wanted or None,
            MaxResults=50,
        )

    @reads("ssm:DescribeAutomationStepExecutions")
    def step_executions(self, execution_id: str) -> Iterator[Answer]:
        """The steps of an automation execution."""
        return self.items(
            "DescribeAutomationStepExecutions", "StepExecutions", AutomationExecutionId=execution_id
        )

    @reads("ssm:GetCalendarState")
    def calendar_state(self, names: tuple[str, ...]) -> Answer:
        """Whether change calendars are OPEN or CLOSED now, and until when."""
        return self.call("GetCalendarState", CalendarNames=list(names))

    @reads("ssm:DescribeOpsItems")
    def ops_items(self, key: str, value: str) -> Iterator[Answer]:
        """Summaries of the OpsItems whose operational data hold ``key`` with ``value``."""
        wanted = json.dumps({"key": key, "value": value})
        return self.items(
            "DescribeOpsItems",
            "OpsItemSummaries",
            OpsItemFilters=[{"Key": "OperationalData", "Values": [wanted], "Operator": "Equal"}],
            MaxResults=50,
        )
