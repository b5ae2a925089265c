"""AWS Config: rules and recorders as resources."""

from __future__ import annotations

from driftguard.sandbox.types.base import (
    Adapter,
    Properties,
    as_text,
    document,
    lower_first,
    pick,
    upper_first,
)

_RULE = ("Description", "Scope", "Source", "MaximumExecutionFrequency", "EvaluationModes")


class ConfigRule(Adapter):
    type_name = "AWS::Config::ConfigRule"
    service = "config"
    name_property = "ConfigRuleName"
    name_limit = 128
    tag_property = None

    def create(self, name: str, properties: Properties) -> str:
        rule = {"ConfigRuleName": name, **pick(properties, *_RULE)}
        if "InputParameters" in properties:
            rule["InputParameters"] = as_text(properties["InputParameters"])
        self.client.put_config_rule(ConfigRule=rule)
        return name

    def read(self, id: str) -> Properties | None:
        found = self.client.describe_config_rules(ConfigRuleNames=[id])["ConfigRules"][0]
        shown = {"ConfigRuleName": id, **pick(found, "ConfigRuleId", *_RULE)}
        shown.update(pick({"Arn": found.get("ConfigRuleArn")}, "Arn"))
        if found.get("InputParameters"):
            shown["InputParameters"] = document(found["InputParameters"])
        return shown

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.create(id, new)

    def delete(self, id: str) -> None:
        self.client.delete_config_rule(ConfigRuleName=id)

    def list_ids(self) -> list[str]:
        pages = self.client.get_paginator("describe_config_rules").paginate()
        return [rule["ConfigRuleName"] for page in pages for rule in page["ConfigRules"]]


class ConfigurationRecorder(Adapter):
    """``RoleARN`` has its own capitals; the rest of the shape is the API's with first letters raised."""

    type_name = "AWS::Config::ConfigurationRecorder"
    service = "config"
    name_property = "Name"
    name_limit = 256
    tag_property = None

    def create(self, name: str, properties: Properties) -> str:
        recorder = {"name": name, "roleARN": properties["RoleARN"]}
        for key in ("RecordingGroup", "RecordingMode"):
            if key in properties:
                recorder[key[0].lower() + key[1:]] = lower_first(properties[key])
        self.client.put_configuration_recorder(ConfigurationRecorder=recorder)
        return name

    def read(self, id: str) -> Properties | None:
        answer = self.client.describe_configuration_recorders(ConfigurationRecorderNames=[id])
        found = answer["ConfigurationRecorders"][0]
        shown = {"Name": id, "RoleARN": found["roleARN"]}
        for key in ("RecordingGroup", "RecordingMode"):
            value = found.get(key[0].lower() + key[1:])
            shown.update({key: _lean(upper_first(value))} if value else {})
        return shown

    def update(self, id: str, old: Properties, new: Properties) -> None:
        self.create(id, new)

    def delete(self, id: str) -> None:
        self.client.delete_configuration_recorder(ConfigurationRecorderName=id)

    def list_ids(self) -> list[str]:
        return [r["name"] for r in self.client.describe_configuration_recorders()["ConfigurationRecorders"]]


def _lean(value: Properties) -> Properties:
    """Without the empty lists that Config answers for what a recording group leaves out."""
    kept = {k: _lean(v) if isinstance(v, dict) else v for k, v in value.items()}
    return {k: v for k, v in kept.items() if v not in ([], {}, None)}
