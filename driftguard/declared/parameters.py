"""Parameter values: defaults, types, and the checks CloudFormation makes before anything else.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

from __future__ import annotations

from collections.abc import Mapping

from driftguard.declared.context import ResolveContext
from driftguard.declared.template import Template
from driftguard.declared.text import as_text
from driftguard.errors import TemplateError
from driftguard.model import Json, Unknown

_MASK = "****"


def parameter_value(template: Template, name: str, context: ResolveContext, *, secret: bool = False) -> Json:
    """What ``Ref`` answers for the parameter: a string, a list of strings, or `Unknown`.

    A NoEcho value is `Unknown` even when it is given, unless ``secret`` asks for it (a condition may
    look at it, a property never shows it).  Raises `TemplateError` for a value that breaks the
    parameter's own rules.
    """
    definition = template.document["Parameters"][name]
    if not isinstance(definition, Mapping):
        raise TemplateError(
            f"the parameter {name} has to be a map.", where=template.where(("Parameters", name))
        )
    kind = str(definition.get("Type", "String"))
    given = context.parameters.get(name)
    if _is_true(definition.get("NoEcho")):
        known = secret and isinstance(given, str) and given != _MASK
        return given if known else Unknown(f"the parameter {name} is NoEcho")
    if given == _MASK:
        return Unknown(f"the value of the parameter {name} is masked")
    if kind.startswith("AWS::SSM::Parameter::Value<"):
        return _from_ssm(name, kind, given if given is not None else definition.get("Default"), context)
    origin = "value" if given is not None else "default"
    value = given if given is not None else definition.get("Default")
    if value is None:
        return Unknown(f"the parameter {name} has no value")
    if isinstance(value, (list, tuple)) and _is_list(kind):
        value = ",".join(str(item) for item in value)
    text = as_text(value)
    if not isinstance(text, str):
        raise TemplateError(
            f"the {origin} of the parameter {name} has to be a string.",
            where=template.where(("Parameters", name, "Default")),
        )
    result: Json = _list(text) if _is_list(kind) else text
    if not context.deployed:
        # What is deployed CloudFormation has checked itself, before it masked what it shows of it.
        _check(template, name, definition, kind, result, origin)
    return result


def _from_ssm(name: str, kind: str, key: Json, context: ResolveContext) -> Json:
    inner = kind[len("AWS::SSM::Parameter::Value<") : -1]
    value = context.resolved_parameters.get(name)
    if value is None and isinstance(key, str):
        value = context.ssm_values.get(key)
    if value is None:
        return Unknown(f"the parameter {name} is the SSM parameter {key}, whose value is not given")
    return _list(value) if _is_list(inner) else value


def _is_list(kind: str) -> bool:
    return kind == "CommaDelimitedList" or kind.startswith("List<")


def _list(text: str) -> list[str]:
    """The items of a comma-delimited text; a blank text is one empty item.

    https://github.com/aws-cloudformation/cfn-language-discussion/issues/102
    """
    return [item.strip() for item in text.split(",")]


def _is_true(value: Json) -> bool:
    return value is True or (isinstance(value, str) and value.lower() == "true")


def _check(
    template: Template, name: str, definition: Mapping[str, Json], kind: str, value: Json, origin: str
) -> None:
    for item in value if isinstance(value, list) else [value]:
        reason = _fault(definition, kind, item)
        if reason:
            field = "Default" if origin == "default" else "Type"
            raise TemplateError(
                f"the {origin} {item!r} of the parameter {name} {reason}.",
                where=template.where(("Parameters", name, field)),
                fix=str(definition.get("ConstraintDescription") or ""),
            )


def _fault(definition: Mapping[str, Json], kind: str, item: str) -> str:
    """Why CloudFormation would refuse the value, or nothing."""
    allowed = definition.get("AllowedValues")
    if isinstance(allowed, list) and item not in [as_text(choice) for choice in allowed]:
        return "is not one of its AllowedValues"
    if kind in ("Number", "List<Number>"):
        number = _number(item)
        if number is None:
            return "is not a number"
        low, high = _number(definition.get("MinValue")), _number(definition.get("MaxValue"))
        if low is not None and number < low:
            return f"is less than its MinValue {definition['MinValue']}"
        if high is not None and number > high:
            return f"is more than its MaxValue {definition['MaxValue']}"
        return ""
    shortest, longest = _number(definition.get("MinLength")), _number(definition.get("MaxLength"))
    if shortest is not None and len(item) < shortest:
        return f"is shorter than its MinLength {definition['MinLength']}"
    if longest is not None and len(item) > longest:
        return f"is longer than its MaxLength {definition['MaxLength']}"
    pattern = definition.get("AllowedPattern")
    if isinstance(pattern, str) and not _matches(pattern, item):
        return f"does not match its AllowedPattern {pattern}"
    return ""


def _number(value: Json) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _matches(pattern: str, value: str) -> bool:
    """Whether the whole value matches a Java pattern.

    A pattern that `regex` cannot read is no ground to refuse a value that CloudFormation took.
    """
    import regex

    try:
        return (
            regex.fullmatch(pattern, value, flags=regex.V1 if "&&" in pattern else 0, timeout=1.0) is not None
        )
    except (regex.error, TimeoutError):
        return True
