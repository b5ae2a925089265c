"""AWS Config through an aggregator: many accounts and regions behind one endpoint."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from driftguard.aws.actions import reads
from driftguard.aws.gateway import Gateway

Answer = Mapping[str, Any]
PAGE = 100


class ConfigAggregate(Gateway):
    """The aggregate forms of `driftguard.aws.config.Config`; every method takes the aggregator's name."""

    SERVICE = "config"
    PREFIX = "config"

    @reads("config:SelectAggregateResourceConfig")
    def select(self, aggregator: str, expression: str, limit: int = PAGE) -> Iterator[tuple[Answer, ...]]:
        """Rows of an advanced query over all source accounts, page by page, each row decoded."""
        pages = self.pages(
            "SelectAggregateResourceConfig",
            "Results",
            ConfigurationAggregatorName=aggregator,
            Expression=expression,
            Limit=limit,
        )
        for page in pages:
            yield tuple(json.loads(row) for row in page)

    @reads("config:ListAggregateDiscoveredResources")
    def discovered(
        self, aggregator: str, resource_type: str, *, account: str | None = None, region: str | None = None
    ) -> Iterator[Answer]:
        """Identifiers of a type over all source accounts, or of one account and region."""
        filters = {name: value for name, value in (("AccountId", account), ("Region", region)) if value}
        return self.items(
            "ListAggregateDiscoveredResources",
            "ResourceIdentifiers",
            ConfigurationAggregatorName=aggregator,
            ResourceType=resource_type,
            Filters=filters or None,
            Limit=PAGE,
        )

    @reads("config:BatchGetAggregateResourceConfig")
    def batch_get(
        self, aggregator: str, identifiers: Iterable[Mapping[str, str]]
    ) -> Iterator[tuple[tuple[Answer, ...], tuple[Answer, ...]]]:
        """Items without tags and relationships, and what AWS did not process.

        ``identifiers`` are rows of `discovered`.
        """
        rest = iter(identifiers)
        while chunk := [dict(identifier) for identifier in islice(rest, PAGE)]:
            answer = self.call(
                "BatchGetAggregateResourceConfig",
                ConfigurationAggregatorName=aggregator,
                ResourceIdentifiers=chunk,
            )
            yield (
                tuple(answer.get("BaseConfigurationItems", ())),
                tuple(answer.get("UnprocessedResourceIdentifiers", ())),
            )

    @reads("config:DescribeConfigurationAggregatorSourcesStatus")
    def sources(self, aggregator: str) -> Iterator[Answer]:
        """The source accounts and regions, and whether their last update succeeded."""
        return self.items(
            "DescribeConfigurationAggregatorSourcesStatus",
            "AggregatedSourceStatusList",
            ConfigurationAggregatorName=aggregator,
        )

    @reads("config:GetAggregateComplianceDetailsByConfigRule")
    def compliance_of_rule(self, aggregator: str, rule: str, account: str, region: str) -> Iterator[Answer]:
        """Every evaluation result of a rule in one source account and region."""
        return self.items(
            "GetAggregateComplianceDetailsByConfigRule",
            "AggregateEvaluationResults",
            ConfigurationAggregatorName=aggregator,
            ConfigRuleName=rule,
            AccountId=account,
            AwsRegion=region,
            Limit=PAGE,
        )
