"""EventBridge: rules, event buses and schedules."""

from __future__ import annotations

from typing import Any

from driftguard.sandbox.types.base import (
    Adapter,
    Properties,
    as_text,
    changed,
    document,
    pick,
    tag_changes,
    tag_list,
)

_DEFAULT_BUS = "default"


class _Events(Adapter):
    service = "events"

    def tags(self, arn: str) -> Properties:
        tags = tag_list(self.client.list_tags_for_resource(ResourceARN=arn)["Tags"])
        return {"Tags": tags} if tags else {}

    def retag(self, arn: str, old: Properties, new: Properties) -> None:
        added, removed = tag_changes(old, new)
        if added:
            self.client.tag_resource(ResourceARN=arn, Tags=tag_list(added))
        if removed:
            self.client.untag_resource(ResourceARN=arn, TagKeys=removed)


class Rule(_Events):
    """``Ref`` is the name, with ``bus|`` in front of it on a bus of one's own."""

    type_name = "AWS::Events::Rule"
    name_property = "Name"
    unordered = ("Tags", "Targets")

    def create(self, name: str, properties: Properties) -> str:
        bus = properties.get("EventBusName", _DEFAULT_BUS)
        id = name if bus == _DEFAULT_BUS else f"{bus}|{name}"
        self._put(id, properties, Tags=properties.get("Tags", []))
        self._targets(id, {}, properties)
        return id

    def read(self, id: str) -> Properties | None:
        where = _where(id)
        found = self.client.describe_rule(Name=where["Rule"], EventBusName=where["EventBusName"])
        pages = self.client.get_paginator("list_targets_by_rule").paginate(**where)
        targets = [target for page in pages for target in page["Targets"]]
        shown = {
            **pick(found, "Name", "Arn", "Description", "ScheduleExpression", "State", "RoleArn"),
            "RuleName": found["Name"],
            "EventBusName": found.get("EventBusName", _DEFAULT_BUS),
            "EventPattern": document(found.get("EventPattern")),
            "Targets": targets,
        }
        return {**pick(shown, *shown), **self.tags(found["Arn"])}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "Description", "ScheduleExpression", "State", "EventPattern", "RoleArn"):
            self._put(id, new)
        self._targets(id, old, new)
        self.retag(str(self.get_attribute(id, "Arn")), old, new)

    def delete(self, id: str) -> None:
        self._targets(id, self.read(id) or {}, {})
        where = _where(id)
        self.client.delete_rule(Name=where["Rule"], EventBusName=where["EventBusName"])

    def list_ids(self) -> list[str]:
        ids = []
        for bus in self.client.list_event_buses()["EventBuses"]:
            rules = self.client.list_rules(EventBusName=bus["Name"])["Rules"]
            prefix = "" if bus["Name"] == _DEFAULT_BUS else f"{bus['Name']}|"
            ids += [prefix + rule["Name"] for rule in rules]
        return ids

    def arn(self, id: str) -> str | None:
        found = self.read_or_none(id)
        return found["Arn"] if found else None

    def _put(self, id: str, properties: Properties, **more: Any) -> None:
        where = _where(id)
        call = pick(properties, "Description", "ScheduleExpression", "State", "RoleArn")
        if "EventPattern" in properties:
            call["EventPattern"] = as_text(properties["EventPattern"])
        self.client.put_rule(
            Name=where["Rule"], EventBusName=where["EventBusName"], **call, **pick(more, "Tags")
        )

    def _targets(self, id: str, old: Properties, new: Properties) -> None:
        where = _where(id)
        kept = {target["Id"] for target in new.get("Targets", [])}
        gone = [target["Id"] for target in old.get("Targets", []) if target["Id"] not in kept]
        if gone:
            self.client.remove_targets(**where, Ids=gone)
        if new.get("Targets") and changed(old, new, "Targets"):
            self.client.put_targets(**where, Targets=new["Targets"])


class EventBus(_Events):
    type_name = "AWS::Events::EventBus"
    name_property = "Name"
    name_limit = 256

    def create(self, name: str, properties: Properties) -> str:
        tags = {"Tags": properties["Tags"]} if properties.get("Tags") else {}
        self.client.create_event_bus(Name=name, **pick(properties, "Description"), **tags)
        return name

    def read(self, id: str) -> Properties | None:
        found = self.client.describe_event_bus(Name=id)
        return {**pick(found, "Name", "Arn", "Description"), **self.tags(found["Arn"])}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.retag(str(self.get_attribute(id, "Arn")), old, new)

    def delete(self, id: str) -> None:
        self.client.delete_event_bus(Name=id)

    def list_ids(self) -> list[str]:
        names = [bus["Name"] for bus in self.client.list_event_buses()["EventBuses"]]
        return [name for name in names if name != _DEFAULT_BUS]


class Schedule(Adapter):
    type_name = "AWS::Scheduler::Schedule"
    service = "scheduler"
    name_property = "Name"
    tag_property = None

    _NAMES = (
        "ScheduleExpression",
        "ScheduleExpressionTimezone",
        "FlexibleTimeWindow",
        "Target",
        "State",
        "Description",
        "GroupName",
    )

    def create(self, name: str, properties: Properties) -> str:
        self.client.create_schedule(Name=name, **pick(properties, *self._NAMES))
        return name

    def read(self, id: str) -> Properties | None:
        found = self.client.get_schedule(Name=id)
        return {"Name": id, **pick(found, "Arn", *self._NAMES)}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.client.update_schedule(Name=id, **pick(new, *self._NAMES))

    def delete(self, id: str) -> None:
        self.client.delete_schedule(Name=id)

    def list_ids(self) -> list[str]:
        pages = self.client.get_paginator("list_schedules").paginate()
        return [schedule["Name"] for page in pages for schedule in page["Schedules"]]


def _where(id: str) -> dict[str, str]:
    bus, _, name = id.rpartition("|")
    return {"Rule": name, "EventBusName": bus or _DEFAULT_BUS}
