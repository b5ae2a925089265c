"""Step Functions: state machines."""

from __future__ import annotations

import json
import re
from typing import Any

from driftguard.sandbox.types.base import (
    Adapter,
    Properties,
    changed,
    lower_first,
    pick,
    tag_changes,
    tag_list,
    upper_first,
)


class StateMachine(Adapter):
    """``Definition`` and its substitutions are write-only; AWS reads ``DefinitionString`` back."""

    type_name = "AWS::StepFunctions::StateMachine"
    service = "stepfunctions"
    name_property = "StateMachineName"
    name_limit = 80

    def create(self, name: str, properties: Properties) -> str:
        call: dict[str, Any] = {
            "definition": _definition(properties),
            "roleArn": properties["RoleArn"],
            "type": properties.get("StateMachineType", "STANDARD"),
            "tags": _tags(properties.get("Tags", [])),
        }
        if "LoggingConfiguration" in properties:
            call["loggingConfiguration"] = lower_first(properties["LoggingConfiguration"])
        if "TracingConfiguration" in properties:
            call["tracingConfiguration"] = lower_first(properties["TracingConfiguration"])
        return str(self.client.create_state_machine(name=name, **call)["stateMachineArn"])

    def read(self, id: str) -> Properties | None:
        found = self.client.describe_state_machine(stateMachineArn=id)
        if found.get("status") == "DELETING":
            return None
        tags = tag_list(self.client.list_tags_for_resource(resourceArn=id)["tags"])
        shown = {
            "Arn": id,
            "Name": found["name"],
            "StateMachineName": found["name"],
            "StateMachineType": found["type"],
            "RoleArn": found["roleArn"],
            "DefinitionString": found["definition"],
            "LoggingConfiguration": upper_first(found.get("loggingConfiguration")),
            "TracingConfiguration": upper_first(found.get("tracingConfiguration")),
            "Tags": tags,
        }
        return pick(shown, *shown)

    def update(self, id: str, old: Properties, new: Properties) -> None:
        call: dict[str, Any] = {}
        if changed(old, new, "Definition", "DefinitionString", "DefinitionSubstitutions"):
            call["definition"] = _definition(new)
        if changed(old, new, "RoleArn"):
            call["roleArn"] = new["RoleArn"]
        for name in ("LoggingConfiguration", "TracingConfiguration"):
            if changed(old, new, name) and name in new:
                call[name[0].lower() + name[1:]] = lower_first(new[name])
        if call:
            self.client.update_state_machine(stateMachineArn=id, **call)
        added, removed = tag_changes(old, new)
        if added:
            self.client.tag_resource(resourceArn=id, tags=_tags(tag_list(added)))
        if removed:
            self.client.untag_resource(resourceArn=id, tagKeys=removed)

    def delete(self, id: str) -> None:
        self.client.delete_state_machine(stateMachineArn=id)

    def list_ids(self) -> list[str]:
        pages = self.client.get_paginator("list_state_machines").paginate()
        return [m["stateMachineArn"] for page in pages for m in page["stateMachines"]]

    def arn(self, id: str) -> str | None:
        return id


def _definition(properties: Properties) -> str:
    text = properties.get("DefinitionString") or json.dumps(properties["Definition"])
    substitutions = properties.get("DefinitionSubstitutions", {})
    return re.sub(r"\$\{([^}]+)\}", lambda m: str(substitutions.get(m[1], m[0])), text)


def _tags(tags: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{"key": tag["Key"], "value": tag["Value"]} for tag in tags]
