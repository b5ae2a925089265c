"""AWS Config: inventory, history and compliance of one account and region."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any

from botocore.session import Session

from driftguard.aws.actions import reads
from driftguard.aws.gateway import Gateway

Answer = Mapping[str, Any]
PAGE = 100
"""The most that SelectResourceConfig, ListDiscoveredResources and BatchGetResourceConfig take at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    """What AWS Config records here.  No recorder, or a stopped one, means that its inventory is stale."""

    name: str = ""
    recording: bool = False
    all_supported: bool = False
    include_global: bool = False
    types: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()
    last_status: str = ""
    channel: Mapping[str, Any] = field(default_factory=dict)

    def records(self, resource_type: str) -> bool:
        """Whether items of ``resource_type`` (AWS Config's name) are being recorded."""
        if not self.recording:
            return False
        if self.excluded:
            return resource_type not in self.excluded
        return self.all_supported or resource_type in self.types


@cache
def recordable_types() -> frozenset[str]:
    """Every resource type that AWS Config records, by its own names, as botocore's model of the API lists them."""
    model = Session().get_service_model("config")
    return frozenset(model.shape_for("ResourceType").metadata["enum"])


class Config(Gateway):
    """AWS Config without an aggregator.  See `driftguard.aws.config_aggregate` for the other one."""

    SERVICE = "config"
    PREFIX = "config"

    @reads("config:SelectResourceConfig")
    def select(self, expression: str, limit: int = PAGE) -> Iterator[tuple[Answer, ...]]:
        """Rows of an advanced query, page by page, each row decoded."""
        for page in self.pages("SelectResourceConfig", "Results", Expression=expression, Limit=limit):
            yield tuple(json.loads(row) for row in page)

    @reads("config:BatchGetResourceConfig")
    def batch_get(
        self, keys: Iterable[tuple[str, str]]
    ) -> Iterator[tuple[tuple[Answer, ...], tuple[tuple[str, str], ...]]]:
        """Current items for (type, id) pairs: what was found, and the keys that AWS did not process.

        The items carry no tags, and a deleted or unknown resource is in neither list
        (https://docs.aws.amazon.com/config/latest/APIReference/API_BatchGetResourceConfig.html).
        """
        rest = iter(keys)
        while chunk := [{"resourceType": kind, "resourceId": name} for kind, name in islice(rest, PAGE)]:
            found: list[Answer] = []
            for _ in range(3):
                answer = self.call("BatchGetResourceConfig", resourceKeys=chunk)
                found.extend(answer.get("baseConfigurationItems", ()))
                chunk = list(answer.get("unprocessedResourceKeys", ()))
                if not chunk:
                    break
            yield tuple(found), tuple((key["resourceType"], key["resourceId"]) for key in chunk)

    @reads("config:GetResourceConfigHistory")
    def history(
        self,
        resource_type: str,
        resource_id: str,
        *,
        earlier: datetime | None = None,
        later: datetime | None = None,
        newest_first: bool = True,
    ) -> Iterator[Answer]:
        """Configuration items of one resource between two instants, deletions included."""
        return self.items(
            "GetResourceConfigHistory",
            "configurationItems",
            token="nextToken",
            resourceType=resource_type,
            resourceId=resource_id,
            earlierTime=earlier,
            laterTime=later,
            chronologicalOrder="Reverse" if newest_first else "Forward",
            limit=PAGE,
        )

    @reads("config:ListDiscoveredResources")
    def discovered(self, resource_type: str, *, deleted: bool = False) -> Iterator[Answer]:
        """Identifiers of all resources of a type that AWS Config knows, deleted ones only if asked."""
        return self.items(
            "ListDiscoveredResources",
            "resourceIdentifiers",
            token="nextToken",
            resourceType=resource_type,
            includeDeletedResources=deleted,
            limit=PAGE,
        )

    @reads("config:GetDiscoveredResourceCounts")
    def counts(self) -> dict[str, int]:
        """How many resources of each type AWS Config knows."""
        rows = self.items(
            "GetDiscoveredResourceCounts",
            "resourceCounts",
            token="nextToken",
        )
        return {row["resourceType"]: row["count"] for row in rows}

    @reads(
        "config:DescribeConfigurationRecorders",
        "config:DescribeConfigurationRecorderStatus",
        "config:DescribeDeliveryChannels",
    )
    def recorder_status(self) -> Recorder:
        """What is recorded, and where it is delivered."""
        recorders = self.call("DescribeConfigurationRecorders").get("ConfigurationRecorders", ())
        if not recorders:
            return Recorder()
        found = recorders[0]
        states = self.call("DescribeConfigurationRecorderStatus").get("ConfigurationRecordersStatus", ())
        state: Answer = next((s for s in states if s.get("name") == found.get("name")), {})
        channels = self.call("DescribeDeliveryChannels").get("DeliveryChannels", ())
        group = found.get("recordingGroup") or {"allSupported": True}
        excluded = (group.get("exclusionByResourceTypes") or {}).get("resourceTypes") or ()
        return Recorder(
            name=found.get("name", ""),
            recording=bool(state.get("recording")),
            all_supported=bool(group.get("allSupported")),
            include_global=bool(group.get("includeGlobalResourceTypes")),
            types=frozenset(group.get("resourceTypes") or ()),
            excluded=frozenset(excluded),
            last_status=state.get("lastStatus", ""),
            channel=channels[0] if channels else {},
        )

    @reads("config:DescribeConfigRules")
    def rules(self) -> Iterator[Answer]:
        """The Config rules of this account and region."""
        return self.items("DescribeConfigRules", "ConfigRules")

    @reads("config:DescribeComplianceByConfigRule")
    def compliance_by_rule(self) -> Iterator[Answer]:
        """One summary for each rule."""
        return self.items("DescribeComplianceByConfigRule", "ComplianceByConfigRules")

    @reads("config:GetComplianceDetailsByConfigRule")
    def compliance_of_rule(self, rule: str, *, limit: int = PAGE) -> Iterator[Answer]:
        """Every evaluation result of a rule."""
        return self.items(
            "GetComplianceDetailsByConfigRule", "EvaluationResults", ConfigRuleName=rule, Limit=limit
        )

    @reads("config:GetComplianceDetailsByResource")
    def compliance_of_resource(self, resource_type: str, resource_id: str) -> Iterator[Answer]:
        """Every evaluation result of a resource."""
        return self.items(
            "GetComplianceDetailsByResource",
            "EvaluationResults",
            ResourceType=resource_type,
            ResourceId=resource_id,
        )

    @reads("config:DescribeRemediationConfigurations")
    def remediations(self, rules: Iterable[str]) -> Iterator[Answer]:
        """Remediation configurations of the named rules."""
        rest = iter(rules)
        while chunk := list(islice(rest, 25)):
            answer = self.call("DescribeRemediationConfigurations", ConfigRuleNames=chunk)
            yield from answer.get("RemediationConfigurations", ())

    @reads("config:DescribeRemediationExceptions")
    def remediation_exceptions(self, rule: str) -> Iterator[Answer]:
        """The resources that are exempt from the remediation of a rule."""
        return self.items(
            "DescribeRemediationExceptions", "RemediationExceptions", ConfigRuleName=rule, Limit=100
        )
