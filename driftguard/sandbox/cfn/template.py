"""Templates read: YAML and JSON, the loops of the language extensions, and SAM."""

from __future__ import annotations

import copy
import json
import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from driftguard.sandbox.core import ApiError

Template = dict[str, Any]
LANGUAGE_EXTENSIONS = "AWS::LanguageExtensions"
SERVERLESS = "AWS::Serverless-2016-10-31"
_SUPPORTED = {LANGUAGE_EXTENSIONS, SERVERLESS}


def invalid(message: str) -> ApiError:
    """CloudFormation's one error for everything that is wrong with a request or a template."""
    return ApiError("ValidationError", message)


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms; dates stay text."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> Any:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    if suffix in ("Ref", "Condition"):
        return {suffix: value}
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)
_Loader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(text: str) -> Template:
    """Parse a template.  Raises ApiError in CloudFormation's words (knowledge: recorded answers)."""
    try:
        if text.lstrip().startswith("{"):
            template = json.loads(text)
        else:
            template = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
    except json.JSONDecodeError as error:
        # Recorded: "Template format error: JSON not well-formed. (line 1, column 2)".
        raise invalid(
            f"Template format error: JSON not well-formed. (line {error.lineno}, column {error.colno})"
        ) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise invalid(f"Template format error: YAML not well-formed.{where}") from error
    if not isinstance(template, dict):
        raise invalid("Template format error: unsupported structure.")
    if not template.get("Resources"):
        raise invalid("Template format error: At least one Resources member must be defined.")
    return template


def transforms(template: Mapping[str, Any]) -> list[str]:
    """The names of the transforms that a template declares."""
    declared = template.get("Transform") or []
    return [
        entry["Name"] if isinstance(entry, Mapping) else str(entry)
        for entry in (declared if isinstance(declared, list) else [declared])
    ]


def process(
    template: Template, parameters: Mapping[str, Any], evaluate: Callable[[Any], Any], region: str
) -> Template:
    """The template after its transforms: loops unrolled, SAM translated."""
    names = transforms(template)
    for name in names:
        if name not in _SUPPORTED:
            # Text: https://repost.aws/questions (macro not found); the sandbox has no macros.
            raise invalid(f"No transform named {name} found.")
    processed = copy.deepcopy(template)
    if LANGUAGE_EXTENSIONS in names:
        processed = _unroll(processed, evaluate, {})
    if SERVERLESS in names:
        processed = _translate_sam(processed, parameters, region)
    processed.pop("Transform", None)
    return processed


_MARK = re.compile(r"([$&])\{(\w+)\}")


def _unroll(value: Any, evaluate: Callable[[Any], Any], loop: Mapping[str, str]) -> Any:
    """``Fn::ForEach`` unrolled, everywhere it may stand."""
    if isinstance(value, list):
        return [_unroll(item, evaluate, loop) for item in value]
    if isinstance(value, str):
        return _fill(value, loop)
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and value.get("Ref") in loop:
        return loop[value["Ref"]]
    result: dict[str, Any] = {}
    for key, item in value.items():
        if not key.startswith("Fn::ForEach::"):
            result[_fill(key, loop)] = _unroll(item, evaluate, loop)
            continue
        if not isinstance(item, list) or len(item) != 3:
            raise invalid(f"Template error: {key} must be an array of three elements.")
        variable, collection, body = item
        for element in _elements(collection, evaluate, loop):
            result |= _unroll(body, evaluate, {**loop, variable: element})
    return result


def _elements(collection: Any, evaluate: Callable[[Any], Any], loop: Mapping[str, str]) -> list[str]:
    found: list[str] = []
    filled = _unroll(collection, evaluate, loop)
    for item in filled if isinstance(filled, list) else [filled]:
        value = evaluate(item)
        found += [str(v) for v in value] if isinstance(value, list) else [str(value)]
    return found


def _fill(text: str, loop: Mapping[str, str]) -> str:
    def one(match: re.Match[str]) -> str:
        if match[2] not in loop:
            return match[0]
        value = loop[match[2]]
        # "&{x}" leaves out what may not stand in a logical id.
        return re.sub(r"[^A-Za-z0-9]", "", value) if match[1] == "&" else value

    return _MARK.sub(one, text) if loop else text


def _translate_sam(template: Template, parameters: Mapping[str, Any], region: str) -> Template:
    import boto3
    from samtranslator.model.exceptions import InvalidDocumentException
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator

    # The translator complains about usage metrics and feature switches of AWS's own deployment.
    logging.getLogger("samtranslator").setLevel(logging.CRITICAL)
    session = boto3.Session(region_name=region)
    values = {k: ",".join(v) if isinstance(v, list) else v for k, v in parameters.items()}
    values["AWS::Region"] = region
    try:
        translated = Translator({}, Parser(), boto_session=session).translate(template, values)
    except InvalidDocumentException as error:
        causes = "; ".join(cause.message for cause in error.causes)
        # Recorded form: "Transform AWS::Serverless-2016-10-31 failed with: Invalid Serverless
        # Application Specification document. Number of errors found: 1. ..."
        raise invalid(
            f"Transform {SERVERLESS} failed with: Invalid Serverless Application Specification document. "
            f"Number of errors found: {len(error.causes)}. {causes}"
        ) from error
    assert isinstance(translated, dict)
    return translated
