"""CloudFormation, the part that acts: change sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from driftguard.aws.actions import reads, writes
from driftguard.aws.gateway import Gateway

Answer = Mapping[str, Any]


class CloudFormationWrite(Gateway):
    SERVICE = "cloudformation"
    PREFIX = "cloudformation"

    @writes("cloudformation:CreateChangeSet", "iam:PassRole")
    def create_change_set(
        self,
        stack: str,
        name: str,
        *,
        deployment_mode: str | None = None,
        template: str | None = None,
        parameters: Sequence[Mapping[str, Any]] | None = None,
        capabilities: Sequence[str] = (),
        change_set_type: str = "UPDATE",
        description: str | None = None,
        client_token: str | None = None,
        resources_to_import: Sequence[Mapping[str, Any]] | None = None,
    ) -> str:
        """Prepare a change set, without running it; answers its id.

        ``deployment_mode="REVERT_DRIFT"`` puts drifted resources back to the template
        (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/drift-aware-change-sets.html).
        Without ``template`` the deployed one is used again.
        """
        answer = self.call(
            "CreateChangeSet",
            StackName=stack,
            ChangeSetName=name,
            DeploymentMode=deployment_mode,
            TemplateBody=template,
            UsePreviousTemplate=True if template is None else None,
            Parameters=[dict(row) for row in parameters] if parameters else None,
            Capabilities=list(capabilities) or None,
            ChangeSetType=change_set_type,
            Description=description,
            ClientToken=client_token,
            ResourcesToImport=[dict(row) for row in resources_to_import] if resources_to_import else None,
        )
        return str(answer["Id"])

    @reads("cloudformation:DescribeChangeSet")
    def describe_change_set(self, change_set: str, stack: str | None = None) -> Answer:
        """A change set with all of its changes, property values included."""
        answer = self.call(
            "DescribeChangeSet", ChangeSetName=change_set, StackName=stack, IncludePropertyValues=True
        )
        changes = list(answer.get("Changes", ()))
        seen: set[str] = set()
        while (token := answer.get("NextToken")) and token not in seen:
            seen.add(token)
            answer = self.call(
                "DescribeChangeSet",
                ChangeSetName=change_set,
                StackName=stack,
                IncludePropertyValues=True,
                NextToken=token,
            )
            changes.extend(answer.get("Changes", ()))
        return {**answer, "Changes": changes}

    @writes("cloudformation:ExecuteChangeSet")
    def execute_change_set(self, change_set: str, client_token: str | None = None) -> None:
        """Run a change set."""
        self.call("ExecuteChangeSet", ChangeSetName=change_set, ClientRequestToken=client_token)

    @writes("cloudformation:DeleteChangeSet")
    def delete_change_set(self, change_set: str) -> None:
        """Throw a change set away."""
        self.call("DeleteChangeSet", ChangeSetName=change_set)
