"""Stacks in stacks: the type AWS::CloudFormation::Stack."""

from __future__ import annotations

from typing import Any, ClassVar

from driftguard.sandbox.cfn.blueprint import Blueprint
from driftguard.sandbox.cfn.engine import Engine
from driftguard.sandbox.cfn.requests import fetch
from driftguard.sandbox.cfn.stacks import differs
from driftguard.sandbox.cfn.state import STACK_TYPE, InStack, Stack, new_stack, stacks
from driftguard.sandbox.core import ApiError
from driftguard.sandbox.types.base import Properties


class NestedStack(InStack):
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-stack.html"""

    type_name = STACK_TYPE
    name_limit = 128
    tag_property: ClassVar[str | None] = "Tags"

    def create(self, name: str, properties: Properties) -> str:
        stack = new_stack(self.context, name, parent=self.stack)
        stack.capabilities = list(self.stack.capabilities)
        stack.role_arn = self.stack.role_arn
        Engine(self.context, stack).create(self._blueprint(stack, properties))
        if stack.status != "CREATE_COMPLETE":
            # Recorded: "Embedded stack arn:... was not successfully created: The following ...".
            reason = next(
                (
                    e["ResourceStatusReason"]
                    for e in stack.events
                    if "failed" in str(e["ResourceStatusReason"])
                ),
                "",
            )
            raise ApiError("NestedStack", f"Embedded stack {stack.id} was not successfully created: {reason}")
        return stack.id

    def read(self, id: str) -> Properties | None:
        stack = stacks(self.context).get(id)
        if stack is None or not stack.alive:
            return None
        return {
            "StackId": id,
            "StackName": stack.name,
            "Parameters": dict(stack.parameters.texts),
            "Tags": [{"Key": k, "Value": v} for k, v in stack.tags.items()],
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        stack = stacks(self.context)[id]
        blueprint = self._blueprint(stack, new)
        if not differs(stack, blueprint):
            return
        Engine(self.context, stack).update(blueprint)
        if stack.status != "UPDATE_COMPLETE":
            raise ApiError("NestedStack", f"Embedded stack {id} was not successfully updated.")

    def delete(self, id: str) -> None:
        stack = stacks(self.context).get(id)
        if stack is None or not stack.alive:
            return
        Engine(self.context, stack).delete()
        if stack.alive:
            raise ApiError("NestedStack", f"Embedded stack {id} was not successfully deleted.")

    def list_ids(self) -> list[str]:
        return [s.id for s in stacks(self.context).values() if s.alive]

    def arn(self, id: str) -> str:
        return id

    def get_attribute(self, id: str, name: str) -> Any:
        wanted = name.removeprefix("Outputs.")
        outputs = stacks(self.context)[id].outputs
        return next((o["OutputValue"] for o in outputs if o["OutputKey"] == wanted), None)

    def _blueprint(self, stack: Stack, properties: Properties) -> Blueprint:
        body = fetch(self.context, str(properties["TemplateURL"]))
        given = {k: _text(v) for k, v in (properties.get("Parameters") or {}).items()}
        tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags") or []}
        return Blueprint(self.context, stack, body, given, tags)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(str(v) for v in value) if isinstance(value, list) else str(value)
