"""Lambda: what stands around a function."""

from __future__ import annotations

from typing import Any

from driftguard.sandbox.types.base import Adapter, Properties, changed, document, pick, unless


class Permission(Adapter):
    """The id is ``function|statement id``, the order of the schema's identifier.

    CloudFormation generates the statement id from stack and logical id.
    """

    type_name = "AWS::Lambda::Permission"
    service = "lambda"
    tag_property = None

    def create(self, name: str, properties: Properties) -> str:
        call = pick(
            properties,
            "FunctionName",
            "Action",
            "Principal",
            "SourceArn",
            "SourceAccount",
            "EventSourceToken",
            "PrincipalOrgID",
            "FunctionUrlAuthType",
        )
        statement = name[-100:].strip("-")
        self.client.add_permission(StatementId=statement, **_qualified(call))
        return f"{properties['FunctionName']}|{statement}"

    def read(self, id: str) -> Properties | None:
        function, _, statement_id = id.rpartition("|")
        answer = unless(
            lambda: self.client.get_policy(**_qualified({"FunctionName": function})),
            "ResourceNotFoundException",
        )
        statements = document(answer["Policy"])["Statement"] if answer else []
        for statement in statements:
            if statement["Sid"] == statement_id:
                return {"Id": statement_id, "FunctionName": function, **_conditions(statement)}
        return None

    def update(self, id: str, old: Properties, new: Properties) -> None:
        function, _, statement = id.rpartition("|")
        self.delete(id)
        call = pick(new, "Action", "Principal", "SourceArn", "SourceAccount")
        self.client.add_permission(StatementId=statement, **_qualified({"FunctionName": function}), **call)

    def delete(self, id: str) -> None:
        function, _, statement = id.rpartition("|")
        self.client.remove_permission(StatementId=statement, **_qualified({"FunctionName": function}))

    def identifier(self, id: str) -> str | None:
        return id


class Version(Adapter):
    """A published version never changes; the id is its ARN."""

    type_name = "AWS::Lambda::Version"
    service = "lambda"
    tag_property = None

    def create(self, name: str, properties: Properties) -> str:
        made = self.client.publish_version(**pick(properties, "FunctionName", "Description"))
        arn = str(made["FunctionArn"])
        # moto forgets a version's description.  No call can change it later, so that keeping it is exact.
        self.context.store("types.lambda.versions")[arn] = properties.get("Description")
        return arn

    def read(self, id: str) -> Properties | None:
        arn, _, version = id.rpartition(":")
        found = self.client.get_function_configuration(FunctionName=arn, Qualifier=version)
        about = self.context.store("types.lambda.versions").get(id) or found.get("Description")
        return {
            "FunctionArn": id,
            "FunctionName": found["FunctionName"],
            "Version": version,
            **({"Description": about} if about else {}),
        }

    def delete(self, id: str) -> None:
        arn, _, version = id.rpartition(":")
        self.client.delete_function(FunctionName=arn, Qualifier=version)

    def arn(self, id: str) -> str | None:
        return id


class Alias(Adapter):
    type_name = "AWS::Lambda::Alias"
    service = "lambda"
    tag_property = None

    def create(self, name: str, properties: Properties) -> str:
        call = pick(properties, "FunctionName", "FunctionVersion", "Description")
        made = self.client.create_alias(
            Name=properties["Name"], **call, **_routing(properties.get("RoutingConfig"))
        )
        return str(made["AliasArn"])

    def read(self, id: str) -> Properties | None:
        arn, _, alias = id.rpartition(":")
        found = self.client.get_alias(FunctionName=arn, Name=alias)
        shown: Properties = {"AliasArn": id, "FunctionName": arn.rpartition(":")[2]}
        shown.update(pick(found, "Name", "FunctionVersion", "Description"))
        weights = found.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
        if weights:
            additional = [{"FunctionVersion": v, "FunctionWeight": w} for v, w in weights.items()]
            shown["RoutingConfig"] = {"AdditionalVersionWeights": additional}
        return shown

    def update(self, id: str, old: Properties, new: Properties) -> None:
        arn, _, alias = id.rpartition(":")
        call = pick(new, "FunctionVersion", "Description")
        routing = _routing(new.get("RoutingConfig"))
        self.client.update_alias(FunctionName=arn, Name=alias, **call, **routing)

    def delete(self, id: str) -> None:
        arn, _, alias = id.rpartition(":")
        self.client.delete_alias(FunctionName=arn, Name=alias)

    def list_ids(self) -> list[str]:
        functions = self.client.list_functions()["Functions"]
        answers = [self.client.list_aliases(FunctionName=f["FunctionName"]) for f in functions]
        return [alias["AliasArn"] for answer in answers for alias in answer["Aliases"]]

    def arn(self, id: str) -> str | None:
        return id


class EventSourceMapping(Adapter):
    type_name = "AWS::Lambda::EventSourceMapping"
    service = "lambda"
    tag_property = None

    _NAMES = (
        "EventSourceArn",
        "BatchSize",
        "MaximumBatchingWindowInSeconds",
        "StartingPosition",
        "FunctionResponseTypes",
        "FilterCriteria",
    )

    def create(self, name: str, properties: Properties) -> str:
        call = pick(properties, "FunctionName", "Enabled", *self._NAMES)
        made = self.client.create_event_source_mapping(**call)
        # moto turns an alias into the version behind it.  What was asked for is kept beside what moto made
        # of it, and shown as long as the mapping still points there.
        kept = (made["FunctionArn"], properties["FunctionName"])
        self.context.store("types.lambda.mappings")[made["UUID"]] = kept
        return str(made["UUID"])

    def read(self, id: str) -> Properties | None:
        found = self.client.get_event_source_mapping(UUID=id)
        shown = pick(found, *self._NAMES)
        # Lambda answers the function's ARN; the registry handler shows the name that was given.
        made, asked = self.context.store("types.lambda.mappings").get(id, ("", ""))
        shown["FunctionName"] = (
            asked if made == found["FunctionArn"] else found["FunctionArn"].split(":function:")[1]
        )
        return {"Id": id, "Enabled": found["State"] not in ("Disabled", "Disabling"), **shown}

    def update(self, id: str, old: Properties, new: Properties) -> None:
        if changed(old, new, "FunctionName", "Enabled", "BatchSize", "MaximumBatchingWindowInSeconds"):
            call = pick(new, "FunctionName", "Enabled", "BatchSize", "MaximumBatchingWindowInSeconds")
            self.client.update_event_source_mapping(UUID=id, **call)

    def delete(self, id: str) -> None:
        self.client.delete_event_source_mapping(UUID=id)

    def list_ids(self) -> list[str]:
        return [m["UUID"] for m in self.client.list_event_source_mappings()["EventSourceMappings"]]


def _qualified(call: dict[str, Any]) -> dict[str, Any]:
    """``FunctionName`` with its qualifier apart, as AddPermission and GetPolicy want an alias."""
    name = call["FunctionName"]
    parts = name.split(":")
    if parts[0] == "arn" and len(parts) == 8:
        return {**call, "FunctionName": ":".join(parts[:7]), "Qualifier": parts[7]}
    if parts[0] != "arn" and len(parts) == 2:
        return {**call, "FunctionName": parts[0], "Qualifier": parts[1]}
    return call


def _conditions(statement: dict[str, Any]) -> Properties:
    principal = statement["Principal"]
    shown = {
        "Action": statement["Action"],
        "Principal": (principal.get("Service") or principal.get("AWS"))
        if isinstance(principal, dict)
        else principal,
    }
    conditions = statement.get("Condition", {})
    for test in ("ArnLike", "ArnEquals", "StringEquals"):
        for key, value in conditions.get(test, {}).items():
            if key.lower() == "aws:sourcearn":
                shown["SourceArn"] = value
            if key.lower() == "aws:sourceaccount":
                shown["SourceAccount"] = value
    return shown


def _routing(config: Properties | None) -> dict[str, Any]:
    weights = (config or {}).get("AdditionalVersionWeights", [])
    if not weights:
        return {}
    return {
        "RoutingConfig": {
            "AdditionalVersionWeights": {w["FunctionVersion"]: w["FunctionWeight"] for w in weights}
        }
    }
