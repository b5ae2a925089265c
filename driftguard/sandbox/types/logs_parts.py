"""CloudWatch Logs: metric filters and subscription filters."""

from __future__ import annotations

from typing import Any

from driftguard.sandbox.types.base import Adapter, Properties, pick, upper_first


class MetricFilter(Adapter):
    """``Ref`` is the filter's name; which log group it belongs to is kept beside it."""

    type_name = "AWS::Logs::MetricFilter"
    service = "logs"
    name_property = "FilterName"
    name_limit = 512
    tag_property = None

    def create(self, name: str, properties: Properties) -> str:
        self.client.put_metric_filter(
            logGroupName=properties["LogGroupName"],
            filterName=name,
            filterPattern=properties["FilterPattern"],
            metricTransformations=[_lower(t) for t in properties["MetricTransformations"]],
        )
        self.context.store("types.logs.filters")[name] = properties["LogGroupName"]
        return name

    def read(self, id: str) -> Properties | None:
        group = self.context.store("types.logs.filters").get(id)
        scope = {"logGroupName": group} if group else {}
        answer = self.client.describe_metric_filters(filterNamePrefix=id, **scope)
        for found in reversed(answer["metricFilters"]):  # moto appends where AWS overwrites
            if found["filterName"] == id:
                transformations = [_upper(t) for t in found["metricTransformations"]]
                shown = pick(upper_first(found), "FilterName", "LogGroupName", "FilterPattern")
                return {"FilterPattern": "", **shown, "MetricTransformations": transformations}
        return None

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.create(id, new)

    def delete(self, id: str) -> None:
        while (found := self.read(id)) is not None:  # see read(): there may be several
            self.client.delete_metric_filter(logGroupName=found["LogGroupName"], filterName=id)

    def list_ids(self) -> list[str]:
        pages = self.client.get_paginator("describe_metric_filters").paginate()
        return sorted({found["filterName"] for page in pages for found in page["metricFilters"]})

    def identifier(self, id: str) -> str | None:
        found = self.read(id)
        return f"{found['LogGroupName']}|{id}" if found else None


class SubscriptionFilter(Adapter):
    """``Ref`` is the filter's name; its group is kept beside it, or follows a bar where nothing was kept."""

    type_name = "AWS::Logs::SubscriptionFilter"
    service = "logs"
    name_property = "FilterName"
    name_limit = 512
    tag_property = None

    _MEMBERS = ("FilterName", "LogGroupName", "FilterPattern", "DestinationArn", "RoleArn", "Distribution")

    def create(self, name: str, properties: Properties) -> str:
        given = {**properties, "FilterName": name}
        self.client.put_subscription_filter(**_lower(pick(given, *self._MEMBERS)))
        self._groups()[name] = properties["LogGroupName"]
        return name

    def read(self, id: str) -> Properties | None:
        name, _, group = id.partition("|")
        group = group or self._groups().get(name, "")
        for found in self._of_group(group) if group else ():
            if found["filterName"] == name:
                return pick(upper_first(found), *self._MEMBERS)
        return None

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.create(id.partition("|")[0], new)

    def delete(self, id: str) -> None:
        if (found := self.read(id)) is not None:
            group, name = found["LogGroupName"], found["FilterName"]
            self.client.delete_subscription_filter(logGroupName=group, filterName=name)

    def list_ids(self) -> list[str]:
        kept = self._groups()
        ids = []
        for page in self.client.get_paginator("describe_log_groups").paginate():
            for group in (found["logGroupName"] for found in page["logGroups"]):
                names = [found["filterName"] for found in self._of_group(group)]
                ids += [name if kept.get(name) == group else f"{name}|{group}" for name in names]
        return sorted(ids)

    def _groups(self) -> dict[str, str]:
        return self.context.store("types.logs.subscriptions")

    def _of_group(self, group: str) -> list[Properties]:
        pages = self.client.get_paginator("describe_subscription_filters").paginate(logGroupName=group)
        return [found for page in pages for found in page["subscriptionFilters"]]


def _lower(transformation: Properties) -> dict[str, Any]:
    return {k[0].lower() + k[1:]: v for k, v in transformation.items()}


def _upper(transformation: dict[str, Any]) -> Properties:
    return {k[0].upper() + k[1:]: v for k, v in transformation.items() if v not in (None, [], {})}
