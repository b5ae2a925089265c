"""Parameters of a template: values, constraints, and how CloudFormation shows them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from driftguard.sandbox.cfn.template import Template, invalid

Lookup = Callable[[str, str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """``texts`` as given or by default, ``values`` typed, ``shown`` as DescribeStacks answers."""

    texts: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    shown: list[dict[str, str]] = field(default_factory=list)


def bind(template: Template, given: Mapping[str, str], lookup: Lookup) -> Parameters:
    """Values of all parameters.  Raises ApiError where one is missing, unknown or breaks a constraint.

    Error texts as recorded from AWS by users and by localstack's snapshots; ``lookup(service, reference)``
    reads an SSM parameter.
    """
    declared: Mapping[str, Mapping[str, Any]] = template.get("Parameters") or {}
    if unknown := sorted(set(given) - set(declared)):
        raise invalid(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    missing = [name for name, spec in declared.items() if name not in given and "Default" not in spec]
    if missing:
        raise invalid(f"Parameters: [{', '.join(missing)}] must have values")
    bound = Parameters()
    for name, spec in declared.items():
        text = _as_text(given[name] if name in given else spec["Default"])
        _check(name, spec, text)
        kind = str(spec.get("Type", "String"))
        resolved = lookup("ssm", text) if kind.startswith("AWS::SSM::Parameter::Value") else text
        bound.texts[name] = text
        bound.values[name] = _typed(name, kind, resolved)
        hidden = str(spec.get("NoEcho", False)).lower() == "true"
        shown = {"ParameterKey": name, "ParameterValue": "****" if hidden else text}
        if resolved != text:
            shown["ResolvedValue"] = resolved
        bound.shown.append(shown)
    return bound


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(str(v) for v in value) if isinstance(value, list) else str(value)


def _typed(name: str, kind: str, text: str) -> Any:
    if kind == "CommaDelimitedList" or "List<" in kind:
        return [part.strip() for part in text.split(",")] if text else []
    if kind == "Number":
        try:
            return int(text) if re.fullmatch(r"[+-]?\d+", text) else float(text)
        except ValueError as error:
            raise invalid(f"Parameter '{name}' must be a number.") from error
    return text


def _check(name: str, spec: Mapping[str, Any], text: str) -> None:
    def broken(usual: str) -> Exception:
        if described := spec.get("ConstraintDescription"):
            return invalid(f"Parameter {name} failed to satisfy constraint: {described}")
        return invalid(usual)

    items = text.split(",") if "List" in str(spec.get("Type", "")) and text else [text]
    allowed = [_as_text(value) for value in spec.get("AllowedValues", [])]
    if allowed and any(item.strip() not in allowed for item in items):
        raise broken(f"Parameter '{name}' must be one of AllowedValues")
    pattern = spec.get("AllowedPattern")
    if pattern and any(not re.fullmatch(str(pattern), item) for item in items):
        raise broken(f"Parameter '{name}' must match pattern {pattern}")
    if "MinLength" in spec and len(text) < int(spec["MinLength"]):
        raise broken(f"Parameter '{name}' must contain at least {spec['MinLength']} characters")
    if "MaxLength" in spec and len(text) > int(spec["MaxLength"]):
        raise broken(f"Parameter '{name}' must contain at most {spec['MaxLength']} characters")
    if spec.get("Type") == "Number":
        number = float(_typed(name, "Number", text))
        if "MinValue" in spec and number < float(spec["MinValue"]):
            raise broken(f"Parameter '{name}' must be a number not less than {spec['MinValue']}")
        if "MaxValue" in spec and number > float(spec["MaxValue"]):
            raise broken(f"Parameter '{name}' must be a number not greater than {spec['MaxValue']}")
