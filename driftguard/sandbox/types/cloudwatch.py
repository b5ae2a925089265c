"""CloudWatch: alarms and dashboards."""

from __future__ import annotations

from driftguard.sandbox.types.base import (
    Adapter,
    Properties,
    changed,
    pick,
    tag_changes,
    tag_list,
)

_ALARM = (
    "AlarmDescription",
    "Namespace",
    "MetricName",
    "Statistic",
    "ExtendedStatistic",
    "Period",
    "EvaluationPeriods",
    "DatapointsToAlarm",
    "Threshold",
    "ComparisonOperator",
    "AlarmActions",
    "OKActions",
    "InsufficientDataActions",
    "Dimensions",
    "TreatMissingData",
    "Unit",
    "Metrics",
    "ActionsEnabled",
)


class Alarm(Adapter):
    type_name = "AWS::CloudWatch::Alarm"
    service = "cloudwatch"
    name_property = "AlarmName"
    name_limit = 255
    unordered = ("Tags", "Dimensions", "AlarmActions", "OKActions", "InsufficientDataActions")

    def create(self, name: str, properties: Properties) -> str:
        self.client.put_metric_alarm(AlarmName=name, **pick(properties, *_ALARM, "Tags"))
        return name

    def read(self, id: str) -> Properties | None:
        found = self.client.describe_alarms(AlarmNames=[id])["MetricAlarms"]
        if not found:
            return None
        arn = found[0]["AlarmArn"]
        tags = tag_list(self.client.list_tags_for_resource(ResourceARN=arn)["Tags"])
        shown = pick(found[0], *_ALARM)
        # The wire has every threshold as a double, templates mostly as an integer.
        threshold = shown.get("Threshold")
        if isinstance(threshold, float) and threshold.is_integer():
            shown["Threshold"] = int(threshold)
        return {"AlarmName": id, "Arn": arn, **shown, **({"Tags": tags} if tags else {})}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.client.put_metric_alarm(AlarmName=id, **pick(new, *_ALARM))
        added, removed = tag_changes(old, new)
        arn = self.arn(id)
        if added:
            self.client.tag_resource(ResourceARN=arn, Tags=tag_list(added))
        if removed:
            self.client.untag_resource(ResourceARN=arn, TagKeys=removed)

    def delete(self, id: str) -> None:
        self.client.delete_alarms(AlarmNames=[id])

    def list_ids(self) -> list[str]:
        pages = self.client.get_paginator("describe_alarms").paginate()
        return [alarm["AlarmName"] for page in pages for alarm in page["MetricAlarms"]]

    def arn(self, id: str) -> str | None:
        found = self.client.describe_alarms(AlarmNames=[id])["MetricAlarms"]
        return str(found[0]["AlarmArn"]) if found else None


class Dashboard(Adapter):
    type_name = "AWS::CloudWatch::Dashboard"
    service = "cloudwatch"
    name_property = "DashboardName"
    name_limit = 255
    tag_property = None

    def create(self, name: str, properties: Properties) -> str:
        self.client.put_dashboard(DashboardName=name, DashboardBody=properties["DashboardBody"])
        return name

    def read(self, id: str) -> Properties | None:
        found = self.client.get_dashboard(DashboardName=id)
        return {"DashboardName": id, "DashboardBody": found["DashboardBody"]}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "DashboardBody"):
            self.client.put_dashboard(DashboardName=id, DashboardBody=new["DashboardBody"])

    def delete(self, id: str) -> None:
        self.client.delete_dashboards(DashboardNames=[id])

    def list_ids(self) -> list[str]:
        pages = self.client.get_paginator("list_dashboards").paginate()
        return [entry["DashboardName"] for page in pages for entry in page.get("DashboardEntries", [])]
