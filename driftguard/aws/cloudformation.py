"""CloudFormation: stacks, templates, StackSets and its own drift detection.

Drift detection changes nothing but CloudFormation's record of its last check, so it counts as reading;
AWS's policy ``ReadOnlyAccess`` sees it the same way and contains the Detect actions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from driftguard.aws.actions import reads
from driftguard.aws.gateway import Gateway
from driftguard.errors import GoneError

Answer = Mapping[str, Any]


class CloudFormation(Gateway):
    SERVICE = "cloudformation"
    PREFIX = "cloudformation"

    @reads("cloudformation:DescribeStacks")
    def stacks(self, name: str | None = None) -> Iterator[Answer]:
        """Every stack (or the named one) as DescribeStacks gives it; deleted ones only by id."""
        return self.items("DescribeStacks", "Stacks", StackName=name)

    @reads("cloudformation:ListStackResources")
    def resources(self, stack_id: str) -> Iterator[Answer]:
        """The resource summaries of a stack: logical id, physical id, type, status."""
        return self.items("ListStackResources", "StackResourceSummaries", StackName=stack_id)

    @reads("cloudformation:GetTemplate")
    def template(self, stack_id: str, stage: str = "Processed") -> str | dict[str, Any]:
        """The template: ``Original`` as it was sent, or ``Processed`` with all macros expanded.

        JSON templates come back as a map, YAML as text.
        """
        answer = self.call("GetTemplate", StackName=stack_id, TemplateStage=stage)
        body: str | dict[str, Any] = answer["TemplateBody"]
        return body if isinstance(body, str) else dict(body)

    @reads("cloudformation:ListExports")
    def exports(self) -> Iterator[Answer]:
        """Every export of this account and region: Name, Value, ExportingStackId."""
        return self.items("ListExports", "Exports")

    @reads("cloudformation:GetStackPolicy")
    def stack_policy(self, stack_id: str) -> str | None:
        """The stack policy as JSON text; ``None`` when the stack has none."""
        body = self.call("GetStackPolicy", StackName=stack_id).get("StackPolicyBody")
        return str(body) if body else None

    @reads("cloudformation:DetectStackDrift")
    def detect_drift(self, stack_id: str, logical_ids: Sequence[str] | None = None) -> str:
        """Start CloudFormation's drift detection of a stack; answers its id."""
        answer = self.call(
            "DetectStackDrift",
            StackName=stack_id,
            LogicalResourceIds=list(logical_ids) if logical_ids else None,
        )
        return str(answer["StackDriftDetectionId"])

    @reads("cloudformation:DescribeStackDriftDetectionStatus")
    def drift_status(self, detection_id: str) -> Answer:
        """How far a detection is: DetectionStatus, DetectionStatusReason, StackDriftStatus."""
        return self.call("DescribeStackDriftDetectionStatus", StackDriftDetectionId=detection_id)

    @reads("cloudformation:DescribeStackResourceDrifts")
    def resource_drifts(self, stack_id: str, statuses: Sequence[str] | None = None) -> Iterator[Answer]:
        """CloudFormation's own drift results of the last detection."""
        return self.items(
            "DescribeStackResourceDrifts",
            "StackResourceDrifts",
            StackName=stack_id,
            StackResourceDriftStatusFilters=list(statuses) if statuses else None,
            MaxResults=100,
        )

    @reads("cloudformation:DetectStackResourceDrift")
    def detect_resource_drift(self, stack_id: str, logical_id: str) -> Answer:
        """Detect the drift of one resource now, and answer the result."""
        answer = self.call("DetectStackResourceDrift", StackName=stack_id, LogicalResourceId=logical_id)
        result: Answer = answer["StackResourceDrift"]
        return result

    @reads("cloudformation:ListStackSets")
    def stack_sets(self, call_as: str | None = None) -> Iterator[Answer]:
        """Summaries of the active StackSets; ``call_as`` is SELF or DELEGATED_ADMIN."""
        return self.items("ListStackSets", "Summaries", Status="ACTIVE", CallAs=call_as)

    @reads("cloudformation:DescribeStackSet")
    def stack_set(self, name: str, call_as: str | None = None) -> Answer:
        """One StackSet with its template, parameters and tags."""
        found: Answer = self.call("DescribeStackSet", StackSetName=name, CallAs=call_as)["StackSet"]
        return found

    @reads("cloudformation:ListStackInstances")
    def stack_instances(self, name: str, call_as: str | None = None) -> Iterator[Answer]:
        """Summaries of the instances of a StackSet: Account, Region, StackId, StackInstanceStatus."""
        return self.items("ListStackInstances", "Summaries", StackSetName=name, CallAs=call_as)

    @reads("cloudformation:DescribeStackInstance")
    def stack_instance(self, name: str, account: str, region: str, call_as: str | None = None) -> Answer:
        """One instance, with its parameter overrides."""
        answer = self.call(
            "DescribeStackInstance",
            StackSetName=name,
            StackInstanceAccount=account,
            StackInstanceRegion=region,
            CallAs=call_as,
        )
        found: Answer = answer["StackInstance"]
        return found

    @reads("cloudformation:DescribeType")
    def describe_type(self, type_name: str) -> Answer | None:
        """The registry's answer about a resource type (``Schema`` is JSON text); ``None`` if unknown here."""
        try:
            return self.call("DescribeType", Type="RESOURCE", TypeName=type_name)
        except GoneError:
            return None

    @reads("cloudformation:ListTypes")
    def private_types(self) -> Iterator[str]:
        """The names of the resource types that are registered in this account and region alone."""
        for row in self.items("ListTypes", "TypeSummaries", Visibility="PRIVATE", Type="RESOURCE"):
            yield str(row["TypeName"])

    @reads("cloudformation:DescribeStackEvents")
    def events(self, stack_id: str) -> Iterator[Answer]:
        """The events of a stack, newest first."""
        return self.items("DescribeStackEvents", "StackEvents", StackName=stack_id)
