"""Deployed stacks into declared resources.

`declare` is pure: it takes what `driftguard.declared.deployment.read` kept, and may be asked twice, first
without live state and then with the attributes that only live state shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from driftguard.declared.context import ResolveContext, Resolved
from driftguard.declared.deployment import COMPARABLE, DeployedStack, Deployment
from driftguard.declared.identifiers import cloud_control_identifier
from driftguard.declared.masks import recovered
from driftguard.declared.resolve import resolve
from driftguard.declared.template import (
    LANGUAGE_EXTENSIONS,
    Template,
    TemplateKind,
    holds_sam,
    parse_template,
    template_of,
)
from driftguard.errors import TemplateError
from driftguard.model import (
    DeclaredResource,
    Gap,
    GapReason,
    Json,
    Resource,
    ResourceKey,
    StackState,
    Unknown,
)
from driftguard.model.resource import DEPLOYED, key_region
from driftguard.schema.registry import registry
from driftguard.schema.types import TypeSchema

Attribute: TypeAlias = Callable[[str, str, str], Json]
"""(stack id, logical id, attribute name) -> the value of ``Fn::GetAtt``, or `Unknown`."""

_GONE = {"DELETE_COMPLETE", "DELETE_SKIPPED"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What the stacks of one account and region declare, what they are, and what could not be told.

    ``held`` are type and physical id of all that the stacks hold, also of those in no comparable state;
    ``unlisted`` says that a stack did not tell what it holds.
    """

    resources: tuple[DeclaredResource, ...] = ()
    stacks: tuple[StackState, ...] = ()
    gaps: tuple[Gap, ...] = ()
    held: frozenset[tuple[str, str]] = frozenset()
    unlisted: bool = False


def declare(
    deployment: Deployment,
    *,
    attribute: Attribute | None = None,
    sources: Mapping[str, Template] | None = None,
    schema: Callable[[str], TypeSchema | None] | None = None,
) -> Declared:
    """The declared resources of every stack in a comparable state; the other stacks are gaps.

    ``attribute`` answers ``Fn::GetAtt`` from live state (`live_attribute` makes one).  ``sources`` are
    templates out of a repository by stack id or name: their text recovers the characters that CloudFormation
    shows as ``?``.  ``schema`` looks types up (default: the packaged registry).
    """
    outputs = {stack.stack_id: _outputs(stack) for stack in deployment.stacks}
    resources: list[DeclaredResource] = []
    gaps = list(deployment.gaps)
    states = []
    for stack in deployment.stacks:
        states.append(_state(stack, deployment))
        if stack.status not in COMPARABLE:
            gaps.append(_state_gap(stack, deployment))
        elif stack.template is not None:
            one = _Stack(stack, deployment, outputs, schema or registry().get)
            try:
                given = sources or {}
                found, lost = one.declare(attribute, given.get(stack.stack_id) or given.get(stack.name))
            except TemplateError as error:
                gaps.append(one.gap(f"its template cannot be resolved: {error}"))
                continue
            resources += found
            gaps += lost
    return Declared(
        resources=tuple(resources),
        stacks=tuple(states),
        gaps=tuple(gaps),
        held=frozenset(
            (str(item.get("ResourceType")), str(item["PhysicalResourceId"]))
            for stack in deployment.stacks
            for item in stack.resources
            if item.get("PhysicalResourceId") and item.get("ResourceStatus") not in _GONE
        ),
        unlisted=any(not stack.listed for stack in deployment.stacks),
    )


def declare_source(
    deployment: Deployment,
    stack_name: str,
    source: Template,
    *,
    attribute: Attribute | None = None,
    schema: Callable[[str], TypeSchema | None] | None = None,
) -> tuple[DeclaredResource, ...]:
    """What a repository's template would declare in the place of a deployed stack (its name or id).

    It is resolved with the stack's own parameters and ids, for `driftguard.declared.three_way`.  Empty
    when there is no such stack.  Raises `TemplateError`.
    """
    outputs = {stack.stack_id: _outputs(stack) for stack in deployment.stacks}
    for stack in deployment.stacks:
        if stack_name in (stack.name, stack.stack_id):
            one = _Stack(stack, deployment, outputs, schema or registry().get)
            context = replace(one.context(attribute), deployed=False, masked=False)
            return one.placed(resolve(source, context).resources)
    return ()


def live_attribute(declared: Sequence[DeclaredResource], live: Mapping[ResourceKey, Resource]) -> Attribute:
    """``Fn::GetAtt`` answered by the live models of a first pass's resources.

    An attribute is a property of the registry schema, so ``Endpoint.Address`` is looked up in the model.
    """
    keys = {(item.stack_id, item.logical_id): item.key for item in declared}

    def attribute(stack_id: str, logical_id: str, name: str) -> Json:
        key = keys.get((stack_id, logical_id))
        found = live.get(key) if key is not None else None
        if found is None:
            return Unknown(f"the live state of {logical_id} is not known")
        value: Json = found.properties
        for step in (name,) if name in found.properties else name.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        return Unknown(f"the live state of {logical_id} does not show {name}") if value is None else value

    return attribute


class _Stack:
    def __init__(
        self,
        stack: DeployedStack,
        deployment: Deployment,
        outputs: Mapping[str, Mapping[str, str]],
        schema: Callable[[str], TypeSchema | None],
    ) -> None:
        self._stack = stack
        self._deployment = deployment
        self._outputs = outputs
        self._schema = schema
        self._summaries = {
            str(item["LogicalResourceId"]): item
            for item in stack.resources
            if item.get("ResourceStatus") not in _GONE
        }

    def declare(
        self, attribute: Attribute | None, source: Template | None
    ) -> tuple[list[DeclaredResource], list[Gap]]:
        template = self._template(source)
        resolved = resolve(template, self.context(attribute))
        found: list[DeclaredResource] = []
        gaps: list[Gap] = []
        for resource in resolved.resources:
            summary = self._summaries.get(resource.logical_id)
            if summary is None:
                if "Condition" not in resource.attributes:
                    gaps.append(
                        self.gap("CloudFormation does not list it", resource.logical_id, resource.type)
                    )
                continue
            found.append(self._complete(resource, summary))
        gaps += self._unlisted(resolved)
        return found, gaps

    def placed(self, resources: Sequence[DeclaredResource]) -> tuple[DeclaredResource, ...]:
        """The resources with what CloudFormation says of those that are deployed."""
        return tuple(self._complete(item, self._summaries.get(item.logical_id, {})) for item in resources)

    def context(self, attribute: Attribute | None) -> ResolveContext:
        """What CloudFormation says of this stack, for the resolver."""
        deployment, description = self._deployment, self._stack.description
        given = [item for item in description.get("Parameters") or () if "ParameterKey" in item]
        zones = deployment.availability_zones
        stack_id = self._stack.stack_id
        ids = {
            name: str(item["PhysicalResourceId"])
            for name, item in self._summaries.items()
            if item.get("PhysicalResourceId")
        }
        return ResolveContext(
            parameters={item["ParameterKey"]: item.get("ParameterValue") for item in given},
            resolved_parameters={
                item["ParameterKey"]: item["ResolvedValue"] for item in given if item.get("ResolvedValue")
            },
            account_id=deployment.account,
            region=deployment.region,
            partition=deployment.partition,
            stack_name=self._stack.name,
            stack_id=stack_id,
            physical_ids=ids,
            attribute=(lambda logical_id, name: attribute(stack_id, logical_id, name)) if attribute else None,
            children={name: self._outputs[child] for name, child in ids.items() if child in self._outputs},
            exports=deployment.exports,
            availability_zones={deployment.region: zones} if zones is not None else {},
            notification_arns=tuple(description.get("NotificationARNs") or ()),
            ssm_values=deployment.ssm_values,
            deployed=True,
            masked=True,
        )

    def _template(self, source: Template | None) -> Template:
        body = self._stack.template
        name = f"{self._stack.name}{DEPLOYED}"
        template = parse_template(body, name) if isinstance(body, str) else template_of(body, name)
        document = template.document
        kind, names = template.kind, template.transforms
        if not holds_sam(document):
            # The processed template has no macros left to run; a name that still stands there did its work.
            kind = TemplateKind.CLOUDFORMATION if kind is TemplateKind.SAM else kind
            names = tuple(name for name in names if name == LANGUAGE_EXTENSIONS)
        if source is not None:
            document = recovered(document, source.document)
        return replace(template, kind=kind, transforms=names, document=document)

    def _complete(self, resource: DeclaredResource, summary: Mapping[str, Json]) -> DeclaredResource:
        physical_id = str(summary.get("PhysicalResourceId") or "")
        deployment = self._deployment
        return replace(
            resource,
            region=key_region(resource.type, deployment.region),
            physical_id=physical_id or None,
            status=str(summary.get("ResourceStatus", "")),
            stack_tags={
                str(tag["Key"]): str(tag["Value"]) for tag in self._stack.description.get("Tags") or ()
            },
            identifier=cloud_control_identifier(
                self._schema(resource.type),
                physical_id,
                resource.properties,
                account=deployment.account,
                region=deployment.region,
                partition=deployment.partition,
            ),
        )

    def _unlisted(self, resolved: Resolved) -> list[Gap]:
        """Resources that CloudFormation lists and the template does not show."""
        known = {item.logical_id for item in resolved.resources} | set(resolved.absent)
        return [
            self.gap("the template does not show how it is declared", name, str(item.get("ResourceType")))
            for name, item in self._summaries.items()
            if name not in known
        ]

    def gap(self, detail: str, logical_id: str | None = None, type_name: str | None = None) -> Gap:
        return Gap(
            reason=GapReason.UNRESOLVED,
            account=self._deployment.account,
            region=self._deployment.region,
            detail=f"{logical_id}: {detail}" if logical_id else detail,
            type=type_name,
            stack=self._stack.name,
        )


def _outputs(stack: DeployedStack) -> dict[str, str]:
    return {
        str(item["OutputKey"]): str(item.get("OutputValue", ""))
        for item in stack.description.get("Outputs") or ()
    }


def _state_gap(stack: DeployedStack, deployment: Deployment) -> Gap:
    moving = stack.status.endswith("_IN_PROGRESS")
    return Gap(
        reason=GapReason.IN_PROGRESS if moving else GapReason.UNRESOLVED,
        account=deployment.account,
        region=deployment.region,
        detail=f"the stack is in {stack.status}, so what it declares is not what has to be there",
        stack=stack.name,
    )


def _state(stack: DeployedStack, deployment: Deployment) -> StackState:
    description = stack.description
    drift = description.get("DriftInformation") or {}
    return StackState(
        account=deployment.account,
        region=deployment.region,
        stack_id=stack.stack_id,
        name=stack.name,
        status=stack.status,
        tags={str(tag["Key"]): str(tag["Value"]) for tag in description.get("Tags") or ()},
        parent_id=description.get("ParentId"),
        resources=len(stack.resources),
        template_hash=template_hash(stack.template),
        updated_at=description.get("LastUpdatedTime") or description.get("CreationTime"),
        drift_status=str(drift.get("StackDriftStatus", "")),
        last_drift_check=drift.get("LastCheckTimestamp"),
        termination_protection=description.get("EnableTerminationProtection"),
    )


def template_hash(template: str | Mapping[str, Json] | None) -> str:
    """A short hash of a template as it is deployed; empty when it could not be read."""
    import hashlib

    import orjson

    if template is None:
        return ""
    text = (
        template.encode()
        if isinstance(template, str)
        else orjson.dumps(template, option=orjson.OPT_SORT_KEYS)
    )
    return hashlib.sha256(text).hexdigest()[:32]


def stack_set_parameters(
    stack_set: Mapping[str, Json], instance: Mapping[str, Json] | None = None
) -> dict[str, str]:
    """The parameters of one StackSet instance: the set's own, overridden by the instance's.

    ``stack_set`` is DescribeStackSet's answer, ``instance`` DescribeStackInstance's.
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stackinstances-override.html
    """
    values: dict[str, str] = {}
    overrides = (instance or {}).get("ParameterOverrides") or ()
    for item in (*(stack_set.get("Parameters") or ()), *overrides):
        if "ParameterValue" in item:
            values[str(item["ParameterKey"])] = str(item["ParameterValue"])
    return values
