"""Automation documents of schema 0.3: parsed, checked, and their parameters checked as StartAutomationExecution does.

Rules after the Systems Manager user guide ("Data elements and parameters"). Error codes are AWS's; texts are invented
unless a source stands beside them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from driftguard.sandbox.core import ApiError

PARAMETER_TYPES = frozenset({"String", "StringList", "Boolean", "Integer", "MapList", "StringMap"})
_SPECIAL_TYPES = re.compile(r"(?:List<)?AWS::[\w:<>]+>?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One declared parameter."""

    name: str
    kind: str
    has_default: bool
    default: Any = None
    allowed: tuple[str, ...] = ()
    pattern: str = ""
    min_items: int | None = None
    max_items: int | None = None
    min_chars: int | None = None
    max_chars: int | None = None

    @property
    def is_list(self) -> bool:
        """Whether several values make the parameter's value."""
        return self.kind in {"StringList", "MapList"} or self.kind.startswith("List<")


@dataclass(frozen=True, slots=True, kw_only=True)
class Runbook:
    """One parsed document."""

    description: str
    assume_role: str
    parameters: Mapping[str, Parameter]
    variables: Mapping[str, Any]
    steps: tuple[Mapping[str, Any], ...]
    outputs: tuple[str, ...] = field(default=())

    def position(self, name: str) -> int:
        """Where a step stands; LookupError if there is none of that name."""
        for position, step in enumerate(self.steps):
            if step["name"] == name:
                return position
        raise LookupError(f"There is no step {name}")


def _invalid(text: str) -> ApiError:
    return ApiError("InvalidDocumentContent", text)


def load(content: str) -> Any:
    """JSON or YAML text as data; raises InvalidDocumentContent."""
    try:
        return json.loads(content)
    except ValueError:
        pass
    try:
        found = yaml.safe_load(content)
    except yaml.YAMLError as error:
        raise _invalid(f"The content of the document is not valid: {error}") from error
    if not isinstance(found, Mapping):
        raise _invalid("The content of the document is not valid: it is no mapping.")
    return found


def parse(content: str) -> Runbook:
    """The runbook in a document's text; raises InvalidDocumentContent or InvalidDocumentSchemaVersion."""
    data = load(content)
    if str(data.get("schemaVersion")) != "0.3":
        raise ApiError(
            "InvalidDocumentSchemaVersion",
            "The version of the document schema isn't supported: Automation documents have schemaVersion 0.3.",
        )
    steps = data.get("mainSteps")
    if not isinstance(steps, list) or not steps:
        raise _invalid("The document has no mainSteps.")
    names = [step.get("name") for step in steps if isinstance(step, Mapping)]
    if len(set(names)) != len(steps) or None in names:
        raise _invalid("Every step needs a name of its own.")
    for step in steps:
        _check_step(step, names)
    parameters = {
        name: _parameter(name, declared or {}) for name, declared in (data.get("parameters") or {}).items()
    }
    return Runbook(
        description=str(data.get("description") or ""),
        assume_role=str(data.get("assumeRole") or ""),
        parameters=parameters,
        variables=data.get("variables") or {},
        steps=tuple(steps),
        outputs=tuple(_output_name(output) for output in data.get("outputs") or []),
    )


def _output_name(output: Any) -> str:
    return str(output["name"] if isinstance(output, Mapping) else output)


def _check_step(step: Mapping[str, Any], names: list[Any]) -> None:
    if not re.fullmatch(r"aws:[A-Za-z]+", str(step.get("action", ""))):
        raise _invalid(f"Step {step['name']} has no action.")
    targets = [step.get("nextStep")]
    for key in ("onFailure", "onCancel"):
        value = str(step.get(key) or "")
        if value.startswith("step:"):
            targets.append(value.removeprefix("step:"))
        elif value not in {"", "Abort", "Continue", "abort", "continue"}:
            raise _invalid(f"Step {step['name']} has {key} {value}.")
    for target in targets:
        if target is not None and target not in names:
            raise _invalid(f"Step {step['name']} goes to {target}, which does not exist.")
    inputs = step.get("inputs") or {}
    choices = inputs.get("Choices") if step["action"] == "aws:branch" else None
    for choice in choices if isinstance(choices, list) else []:
        if choice.get("NextStep") not in names:
            raise _invalid(f"Step {step['name']} branches to {choice.get('NextStep')}, which does not exist.")


def _parameter(name: str, declared: Mapping[str, Any]) -> Parameter:
    kind = str(declared.get("type") or "String")
    if kind not in PARAMETER_TYPES and not _SPECIAL_TYPES.match(kind):
        raise _invalid(f"Parameter {name} has the unknown type {kind}.")
    return Parameter(
        name=name,
        kind=kind,
        has_default="default" in declared,
        default=declared.get("default"),
        allowed=tuple(as_text(value) for value in declared.get("allowedValues") or ()),
        pattern=str(declared.get("allowedPattern") or ""),
        min_items=declared.get("minItems"),
        max_items=declared.get("maxItems"),
        min_chars=declared.get("minChars"),
        max_chars=declared.get("maxChars"),
    )


def as_text(value: Any) -> str:
    """A value as Automation writes it into lists of strings."""
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _refused(text: str) -> ApiError:
    return ApiError("InvalidAutomationExecutionParametersException", text)


def check_parameters(runbook: Runbook, given: Mapping[str, Any]) -> dict[str, list[str]]:
    """The parameters of an execution, defaults filled in; raises InvalidAutomationExecutionParametersException."""
    unknown = sorted(set(given) - set(runbook.parameters))
    if unknown:
        raise _refused(f"Parameter(s) {', '.join(unknown)} are not defined in the document.")
    out: dict[str, list[str]] = {}
    missing = [
        name for name, spec in runbook.parameters.items() if name not in given and not spec.has_default
    ]
    if missing:
        raise _refused(f"Missing required parameter(s): {', '.join(missing)}.")
    for name, spec in runbook.parameters.items():
        value = given.get(name, spec.default)
        values = [as_text(part) for part in value] if isinstance(value, list) else [as_text(value)]
        if name in given:
            _check_values(spec, values)
        out[name] = values
    return out


def _check_values(spec: Parameter, values: list[str]) -> None:
    if not spec.is_list and len(values) != 1:
        raise _refused(
            f"Parameter {spec.name} takes one value of type {spec.kind}, {len(values)} were given."
        )
    if spec.min_items is not None and len(values) < spec.min_items:
        raise _refused(f"Parameter {spec.name} needs at least {spec.min_items} values.")
    if spec.max_items is not None and len(values) > spec.max_items:
        raise _refused(f"Parameter {spec.name} takes at most {spec.max_items} values.")
    for value in values:
        if spec.allowed and value not in spec.allowed:
            raise _refused(f"Value {value} of parameter {spec.name} is not one of {', '.join(spec.allowed)}.")
        if spec.pattern and not re.search(f"(?:{_java(spec.pattern)})", value):
            raise _refused(f"Value {value} of parameter {spec.name} does not match {spec.pattern}.")
        if spec.min_chars is not None and len(value) < spec.min_chars:
            raise _refused(f"Parameter {spec.name} needs at least {spec.min_chars} characters.")
        if spec.max_chars is not None and len(value) > spec.max_chars:
            raise _refused(f"Parameter {spec.name} takes at most {spec.max_chars} characters.")
        _check_type(spec, value)


def _check_type(spec: Parameter, value: str) -> None:
    if spec.kind == "Boolean" and value.lower() not in {"true", "false"}:
        raise _refused(f"Parameter {spec.name} is a Boolean, {value} is none.")
    if spec.kind == "Integer" and not re.fullmatch(r"-?\d+", value):
        raise _refused(f"Parameter {spec.name} is an Integer, {value} is none.")
    if spec.kind in {"StringMap", "MapList"}:
        try:
            found = json.loads(value)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise _refused(f"Parameter {spec.name} is a {spec.kind}, {value} is no JSON object.")


def _java(pattern: str) -> str:
    """A Java regular expression for Python: possessive quantifiers and \\z are the difference that occurs."""
    return pattern.replace(r"\z", r"\Z")


def typed(spec: Parameter, values: list[str]) -> Any:
    """A parameter's value as steps see it."""
    if spec.kind == "MapList":
        return [json.loads(value) for value in values]
    if spec.is_list:
        if len(values) == 1 and values[0].startswith("["):
            return json.loads(values[0])
        return list(values)
    if spec.kind == "StringMap":
        return json.loads(values[0])
    if spec.kind == "Boolean":
        return values[0].lower() == "true"
    return int(values[0]) if spec.kind == "Integer" and values[0] else values[0]
