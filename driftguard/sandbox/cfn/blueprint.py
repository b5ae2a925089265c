"""A template bound to a stack: parameters given, conditions decided, ready to be evaluated."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from driftguard.sandbox import schemas
from driftguard.sandbox.cfn import parameters, template
from driftguard.sandbox.cfn.functions import Evaluator, dependencies
from driftguard.sandbox.cfn.state import InStack, Stack, stacks
from driftguard.sandbox.cfn.template import Template, invalid
from driftguard.sandbox.core import ApiError, Context
from driftguard.sandbox.types.base import Adapter, Properties, adapter_for

UNKNOWN = "{{changeSet:KNOWN_AFTER_APPLY}}"
"""How a change set writes a value that exists only after it is executed (botocore's model)."""

_NAMED_IAM = {
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
}
_IAM = {*_NAMED_IAM, "AWS::IAM::Policy", "AWS::IAM::AccessKey", "AWS::IAM::UserToGroupAddition"}


class Blueprint:
    """What a stack is to become.  Raises ApiError for every fault that CloudFormation sees at once."""

    def __init__(
        self, context: Context, stack: Stack, body: str, given: Mapping[str, str], tags: Mapping[str, str]
    ) -> None:
        self._context = context
        self._stack = stack
        self.body = body
        self.tags = dict(tags)
        self.imports: set[str] = set()
        self.original = template.load(body)
        self._check_form(self.original)
        self.parameters = parameters.bind(self.original, given, self.secret)
        self._evaluator = self._make(self.original)
        self.template = self.original
        if template.transforms(self.original):
            self.template = template.process(
                self.original, self.parameters.values, self._evaluator, context.region
            )
            self.parameters = parameters.bind(self.template, given, self.secret)
            self._evaluator = self._make(self.template)
        self._check_form(self.template, processed=True)
        self.wanted = [lid for lid, r in self.template["Resources"].items() if self._exists(r)]
        self._check_references()

    def _make(self, content: Template) -> Evaluator:
        context = self._context
        suffix = "amazonaws.com.cn" if context.partition == "aws-cn" else "amazonaws.com"
        pseudo = {
            "AWS::AccountId": context.account,
            "AWS::NotificationARNs": self._stack.notification_arns,
            "AWS::Partition": context.partition,
            "AWS::Region": context.region,
            "AWS::StackId": self._stack.id,
            "AWS::StackName": self._stack.name,
            "AWS::URLSuffix": suffix,
        }
        return Evaluator(content, self.parameters.values, pseudo, self, self._zones)

    def _exists(self, resource: Mapping[str, Any]) -> bool:
        return "Condition" not in resource or self._evaluator.condition(resource["Condition"])

    def _check_form(self, content: Template, *, processed: bool = False) -> None:
        for name, resource in content["Resources"].items():
            if name.startswith("Fn::ForEach::") and not processed:
                continue
            if not isinstance(resource, dict):
                raise invalid("Template format error: Any Resources member must be an object.")
            if not re.fullmatch(r"[A-Za-z0-9]+", name):
                raise invalid(f"Template format error: Resource name {name} is non alphanumeric.")
            if not isinstance(resource.get("Type"), str):
                # Text: https://repost.aws/knowledge-center (template format errors)
                raise invalid(
                    f"Template format error: [/Resources/{name}] Every Resources object must contain a Type member."
                )
        if not processed:
            return
        types = {resource["Type"] for resource in content["Resources"].values()}
        unknown = sorted(t for t in types if not t.startswith("Custom::") and t.count("::") < 2)
        if unknown:
            raise invalid(f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]")

    def _check_references(self) -> None:
        known = {*self.template["Resources"], *self.parameters.values}
        missing = sorted(
            name
            for logical_id in self.wanted
            for name in self.needs(logical_id)
            if name not in known and not name.startswith("AWS::")
        )
        if missing:
            raise invalid(
                f"Template format error: Unresolved resource dependencies [{', '.join(missing)}] "
                "in the Resources block of the template"
            )

    def needs(self, logical_id: str) -> set[str]:
        """The names a resource refers to, DependsOn included."""
        resource = self.template["Resources"][logical_id]
        explicit = resource.get("DependsOn", [])
        return dependencies(resource.get("Properties", {})) | (
            {explicit} if isinstance(explicit, str) else set(explicit)
        )

    def order(self) -> list[str]:
        """Logical ids, each after those it needs.  Raises ApiError on a circle."""
        todo = dict.fromkeys(self.wanted)
        ordered: list[str] = []
        while todo:
            ready = [lid for lid in todo if not (self.needs(lid) & set(todo) - {lid})]
            if not ready:
                raise invalid(f"Circular dependency between resources: [{', '.join(sorted(todo))}]")
            for logical_id in ready:
                ordered.append(logical_id)
                del todo[logical_id]
        return ordered

    def type_of(self, logical_id: str) -> str:
        """The resource's type."""
        return str(self.template["Resources"][logical_id]["Type"])

    def option(self, logical_id: str, name: str) -> Any:
        """DeletionPolicy, UpdateReplacePolicy and the like, evaluated; None where it is not set."""
        return self._evaluator(self.template["Resources"].get(logical_id, {}).get(name))

    def properties(self, logical_id: str) -> Properties:
        """The properties, evaluated, typed and with the stack's tags."""
        resource = self.template["Resources"][logical_id]
        evaluated = self._evaluator(resource.get("Properties") or {})
        if not isinstance(evaluated, dict):
            raise invalid("Template format error: Properties must be an object.")
        type_name = self.type_of(logical_id)
        return self._with_tags(type_name, schemas.coerce(type_name, evaluated))

    def _with_tags(self, type_name: str, properties: Properties) -> Properties:
        adapter = adapter_for(type_name, self._context)
        if not self.tags or adapter is None or adapter.tag_property is None:
            return properties
        name = adapter.tag_property
        if adapter.tags_as_map:
            return {**properties, name: {**self.tags, **(properties.get(name) or {})}}
        own = list(properties.get(name) or [])
        taken = {tag.get("Key") for tag in own if isinstance(tag, dict)}
        own += [{"Key": k, "Value": v} for k, v in self.tags.items() if k not in taken]
        return {**properties, name: own}

    def outputs(self) -> list[dict[str, Any]]:
        """The outputs as DescribeStacks answers them."""
        found = []
        for name, output in (self.template.get("Outputs") or {}).items():
            if not self._exists(output):
                continue
            row = {"OutputKey": name, "OutputValue": schemas.as_text(self._evaluator(output["Value"]))}
            if "Description" in output:
                row["Description"] = str(output["Description"])
            if "Export" in output:
                row["ExportName"] = str(self._evaluator(output["Export"]["Name"]))
            found.append(row)
        return found

    def capabilities(self) -> list[str]:
        """What the caller has to acknowledge."""
        macros = ["CAPABILITY_AUTO_EXPAND"] if template.transforms(self.original) else []
        return self.capabilities_of(self.template) + macros

    @staticmethod
    def capabilities_of(content: Template) -> list[str]:
        """What a template's own resources make one acknowledge."""
        resources = [r for r in content["Resources"].values() if isinstance(r, dict)]
        if any((r.get("Properties") or {}).get(_NAMED_IAM.get(r["Type"], "")) for r in resources):
            return ["CAPABILITY_NAMED_IAM"]
        return ["CAPABILITY_IAM"] if any(r["Type"] in _IAM for r in resources) else []

    # What the evaluator asks for.

    def physical_id(self, logical_id: str) -> str:
        """Ref of a resource."""
        found = self._stack.resources.get(logical_id)
        return found.physical_id if found and found.physical_id else UNKNOWN

    def attribute(self, logical_id: str, name: str) -> Any:
        """Fn::GetAtt of a resource; raises ApiError for an attribute that the resource does not have."""
        found = self._stack.resources.get(logical_id)
        if found is None or not found.physical_id:
            return UNKNOWN
        adapter = adapter_in(self._context, self._stack, found.type_name)
        value = adapter.get_attribute(found.physical_id, name) if adapter else None
        if value is None:
            # Recorded form: "Template error: resource X does not support attribute type Y in Fn::GetAtt".
            raise invalid(
                f"Template error: resource {logical_id} does not support attribute type {name} in Fn::GetAtt"
            )
        return value

    def exported(self, name: str) -> str:
        """Fn::ImportValue."""
        for stack in stacks(self._context).values():
            for output in stack.outputs if stack.alive else ():
                if output.get("ExportName") == name:
                    self.imports.add(name)
                    return str(output["OutputValue"])
        raise invalid(f"No export named {name} found.")

    def secret(self, service: str, reference: str) -> str:
        """A dynamic reference or SSM parameter value."""
        if service == "secretsmanager":
            return self._secrets_manager(reference)
        name, _, version = reference.rpartition(":")
        if not (name and version.isdigit()):
            name = reference
        try:
            answer = self._context.client("ssm").get_parameter(Name=name, WithDecryption=True)
        except ClientError as error:
            # Recorded form of CloudFormation's check of SSM parameters.
            raise invalid(
                f"Unable to fetch parameters [{name}] from parameter store for this account."
            ) from error
        return str(answer["Parameter"]["Value"])

    def _secrets_manager(self, reference: str) -> str:
        head, _, rest = reference.partition(":SecretString")
        key = rest.split(":")[1] if rest.startswith(":") else ""
        try:
            answer = self._context.client("secretsmanager").get_secret_value(SecretId=head)
        except ClientError as error:
            raise invalid(
                f"Could not find a value associated with JSONKey in SecretString: {head}"
            ) from error
        text = str(answer["SecretString"])
        return str(json.loads(text)[key]) if key else text

    def _zones(self, region: str) -> list[str]:
        answer = self._context.client("ec2", region=region).describe_availability_zones()
        return [zone["ZoneName"] for zone in answer["AvailabilityZones"]]


def adapter_in(context: Context, stack: Stack, type_name: str) -> Adapter | None:
    """The adapter of a type for use inside ``stack``."""
    adapter = adapter_for(type_name, context)
    if isinstance(adapter, InStack):
        adapter.stack = stack
    return adapter


def require_capabilities(blueprint: Blueprint, given: list[str], *, change_set: bool = False) -> None:
    """Raise ApiError InsufficientCapabilitiesException unless all that is needed is acknowledged.

    A change set needs no CAPABILITY_AUTO_EXPAND: the transform shows its outcome before it is executed.
    """
    have = set(given)
    if "CAPABILITY_NAMED_IAM" in have:
        have.add("CAPABILITY_IAM")
    lacking = [c for c in blueprint.capabilities() if c not in have]
    if change_set:
        lacking = [c for c in lacking if c != "CAPABILITY_AUTO_EXPAND"]
    if lacking:
        raise ApiError("InsufficientCapabilitiesException", f"Requires capabilities : [{', '.join(lacking)}]")
