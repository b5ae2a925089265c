"""Systems Manager, the part that acts: start, signal and stop automations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from driftguard.aws.actions import writes
from driftguard.aws.gateway import Gateway


class SsmWrite(Gateway):
    SERVICE = "ssm"
    PREFIX = "ssm"

    @writes("ssm:StartAutomationExecution", "iam:PassRole")
    def start(
        self,
        document: str,
        parameters: Mapping[str, Sequence[str]],
        *,
        version: str | None = None,
        client_token: str | None = None,
        target_parameter: str | None = None,
        target_maps: Sequence[Mapping[str, Sequence[str]]] | None = None,
        max_concurrency: str | None = None,
        max_errors: str | None = None,
        alarms: Sequence[str] = (),
        tags: Mapping[str, str] | None = None,
    ) -> str:
        """Start an automation; answers the execution's id.  The same ``client_token`` never starts twice."""
        answer = self.call(
            "StartAutomationExecution",
            DocumentName=document,
            DocumentVersion=version,
            Parameters={name: list(values) for name, values in parameters.items()},
            ClientToken=client_token,
            TargetParameterName=target_parameter,
            TargetMaps=[{k: list(v) for k, v in row.items()} for row in target_maps] if target_maps else None,
            MaxConcurrency=max_concurrency,
            MaxErrors=max_errors,
            AlarmConfiguration={"Alarms": [{"Name": name} for name in alarms]} if alarms else None,
            Tags=[{"Key": key, "Value": value} for key, value in (tags or {}).items()] or None,
        )
        return str(answer["AutomationExecutionId"])

    @writes("ssm:StopAutomationExecution")
    def stop(self, execution_id: str, *, cancel: bool = True) -> None:
        """Stop an automation: cancel the running step, or let it complete first."""
        self.call(
            "StopAutomationExecution",
            AutomationExecutionId=execution_id,
            Type="Cancel" if cancel else "Complete",
        )

    @writes("ssm:SendAutomationSignal")
    def signal(
        self, execution_id: str, signal: str, payload: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        """Approve, Reject, StartStep, StopStep, Resume or Revoke."""
        self.call(
            "SendAutomationSignal",
            AutomationExecutionId=execution_id,
            SignalType=signal,
            Payload={name: list(values) for name, values in payload.items()} if payload else None,
        )

    @writes("ssm:CreateOpsItem")
    def create_ops_item(self, title: str, description: str, source: str, **fields: Any) -> str:
        """Open an OpsItem; answers its id.  ``fields`` are further members of CreateOpsItem."""
        answer = self.call("CreateOpsItem", Title=title, Description=description, Source=source, **fields)
        return str(answer["OpsItemId"])

    @writes("ssm:UpdateOpsItem")
    def update_ops_item(self, ops_item_id: str, status: str) -> None:
        """Set the status of an OpsItem: Open, InProgress, Resolved, Closed."""
        self.call("UpdateOpsItem", OpsItemId=ops_item_id, Status=status)
