"""Everything that CloudFormation knows of one account and region, read once and kept as data.

`read` is the only function here that looks outside; what it could not read is a `Gap`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import orjson

from driftguard.aws.gaps import gap_of
from driftguard.errors import AwsError, GoneError
from driftguard.model import Gap, GapReason, Json

Answer = Mapping[str, Json]


class StackGateway(Protocol):
    """CloudFormation as far as declared state needs it; answers are boto3's own dicts."""

    def stacks(self, name: str | None = None) -> Iterator[Answer]:
        """DescribeStacks: every stack, or the named one."""

    def resources(self, stack_id: str) -> Iterator[Answer]:
        """ListStackResources: the summaries."""

    def template(self, stack_id: str, stage: str = "Processed") -> str | dict[str, Json]:
        """GetTemplate: text for YAML, a dict for JSON."""

    def exports(self) -> Iterator[Answer]:
        """ListExports."""


class ZoneGateway(Protocol):
    def availability_zones(self) -> tuple[str, ...]:
        """The names of the region's zones, sorted."""


class ParameterGateway(Protocol):
    def parameter(self, name: str, version: int | None = None) -> str | None:
        """A plain SSM parameter; ``None`` for a missing one and for a SecureString."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedStack:
    """One stack as AWS describes it.

    ``template`` is ``None`` when it could not be read, ``listed`` false when ``resources`` could not.
    """

    description: Answer
    resources: tuple[Answer, ...] = ()
    template: str | Answer | None = None
    listed: bool = True

    @property
    def stack_id(self) -> str:
        return str(self.description["StackId"])

    @property
    def name(self) -> str:
        return str(self.description["StackName"])

    @property
    def status(self) -> str:
        return str(self.description.get("StackStatus", ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """All stacks of one account and region, parents before their nested stacks."""

    account: str
    region: str
    partition: str = "aws"
    stacks: tuple[DeployedStack, ...] = ()
    exports: Mapping[str, str] = field(default_factory=dict)
    availability_zones: tuple[str, ...] | None = None
    ssm_values: Mapping[str, str] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()


COMPARABLE = {
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
}
"""The states in which what is declared is what should be there.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
"""
EMPTY = {"DELETE_COMPLETE", "ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"}
"""The states in which a stack holds nothing."""


def read(
    gateway: StackGateway,
    *,
    account: str,
    region: str,
    partition: str = "aws",
    names: Sequence[str] = (),
    zones: ZoneGateway | None = None,
    parameters: ParameterGateway | None = None,
) -> Deployment:
    """The deployment of one account and region.

    ``names`` narrows it to stacks (name, id, or a name with ``*``) and the stacks nested in them.  Every
    stack has its resources listed, and those in a comparable state their template read.  What AWS refuses is a `Gap`;
    `CredentialsError` is raised when our own credentials are no good (any more).
    """
    reading = _Reading(gateway, account, region)
    stacks = reading.stacks(names)
    texts = [_text(stack.template) for stack in stacks]
    exports: Mapping[str, str] = {}
    if any("Fn::ImportValue" in text or "!ImportValue" in text for text in texts):
        exports = reading.exports()
    found_zones = None
    if zones is not None and any("GetAZs" in text for text in texts):
        found_zones = reading.zones(zones)
    return Deployment(
        account=account,
        region=region,
        partition=partition,
        stacks=stacks,
        exports=exports,
        availability_zones=found_zones,
        ssm_values=reading.ssm_values(parameters, texts) if parameters is not None else {},
        gaps=tuple(reading.gaps),
    )


class _Reading:
    def __init__(self, gateway: StackGateway, account: str, region: str) -> None:
        self._gateway = gateway
        self._account = account
        self._region = region
        self.gaps: list[Gap] = []

    def stacks(self, names: Sequence[str]) -> tuple[DeployedStack, ...]:
        try:
            described = [dict(item) for item in self._gateway.stacks()]
        except AwsError as error:
            self.gaps.append(self._gap(error, "the stacks could not be listed"))
            return ()
        chosen = _chosen(described, names)
        return tuple(self._stack(item) for item in in_order_of_parents(chosen) if not _is_empty(item))

    def _stack(self, description: Answer) -> DeployedStack:
        stack = DeployedStack(description=description, listed=False)
        try:
            # What a stack holds is known in any state, and keeps it from being called unmanaged.
            resources = tuple(dict(item) for item in self._gateway.resources(stack.stack_id))
            stack = replace(stack, resources=resources, listed=True)
            if stack.status in COMPARABLE:
                stack = replace(stack, template=self._gateway.template(stack.stack_id, "Processed"))
        except GoneError:
            reason = "the stack was deleted while it was read"
            self.gaps.append(self._of_stack(GapReason.IN_PROGRESS, reason, stack.name))
        except AwsError as error:
            what = "its template" if stack.listed else "its resources"
            self.gaps.append(self._gap(error, f"{what} could not be read", stack.name))
        return stack

    def exports(self) -> Mapping[str, str]:
        try:
            return {str(item["Name"]): str(item["Value"]) for item in self._gateway.exports()}
        except AwsError as error:
            self.gaps.append(self._gap(error, "exports could not be listed, so imported values are unknown"))
            return {}

    def zones(self, gateway: ZoneGateway) -> tuple[str, ...] | None:
        try:
            return gateway.availability_zones()
        except AwsError as error:
            self.gaps.append(self._gap(error, "availability zones could not be listed"))
            return None

    def ssm_values(self, gateway: ParameterGateway, texts: Iterable[str]) -> dict[str, str]:
        """The plain SSM parameters that templates name in dynamic references, each read once."""
        values: dict[str, str] = {}
        for reference in sorted({match for text in texts for match in _SSM.findall(text)}):
            name, _, version = reference.partition(":")
            try:
                value = gateway.parameter(name, int(version) if version.isdecimal() else None)
            except AwsError as error:
                self.gaps.append(self._gap(error, f"the SSM parameter {name} could not be read"))
                continue
            if value is not None:
                values[reference] = value
        return values

    def _gap(self, error: AwsError, detail: str, stack: str | None = None) -> Gap:
        return gap_of(error, self._account, self._region, stack=stack, saying=detail)

    def _of_stack(self, reason: GapReason, detail: str, stack: str) -> Gap:
        return Gap(reason=reason, account=self._account, region=self._region, detail=detail, stack=stack)


_SSM = re.compile(r"\{\{resolve:ssm:([A-Za-z0-9_.\-/]+(?::\d+)?)\}\}")


def _text(template: str | Answer | None) -> str:
    if template is None or isinstance(template, str):
        return template or ""
    return orjson.dumps(template, default=str).decode()


def _is_empty(description: Answer) -> bool:
    return description.get("StackStatus") in EMPTY


def _chosen(described: Sequence[Answer], names: Sequence[str]) -> list[Answer]:
    """The named stacks and all that are nested in them."""
    if not names:
        return list(described)
    from fnmatch import fnmatchcase

    chosen = {
        item["StackId"]
        for item in described
        if any(fnmatchcase(item["StackName"], name) or item["StackId"] == name for name in names)
    }
    return [
        item for item in described if chosen & {item["StackId"], item.get("ParentId"), item.get("RootId")}
    ]


def in_order_of_parents(described: Iterable[Answer]) -> list[Answer]:
    """Parents before the stacks nested in them, otherwise by name."""
    items = {str(item["StackId"]): item for item in described}

    def depth(item: Answer) -> int:
        steps, parent = 0, item.get("ParentId")
        while parent in items and steps < len(items):
            steps, parent = steps + 1, items[parent].get("ParentId")
        return steps

    return sorted(items.values(), key=lambda item: (depth(item), str(item["StackName"])))
