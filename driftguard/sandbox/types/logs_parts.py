"""CloudWatch Logs: metric filters."""

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


def _lower(transformation: Properties) -> dict[str, Any]:
    return {k[0].lower() + k[1:]: v for k, v in transformation.items()}


def _upper(transformation: dict[str, Any]) -> Properties:
    return {k[0].upper() + k[1:]: v for k, v in transformation.items() if v not in (None, [], {})}
