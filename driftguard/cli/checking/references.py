"""The names that a template refers to, and those that stand for nothing in it.

CloudFormation refuses a template with such a name; a value that hangs on one is never known.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from driftguard.declared.evaluate import function_of
from driftguard.declared.expand import LOOP
from driftguard.declared.positions import Path
from driftguard.declared.resolve import makes_resources
from driftguard.declared.template import Template
from driftguard.model import Json
from driftguard.schema import schemas_of

_SECTIONS = ("Parameters", "Mappings", "Conditions", "Resources")
"""The sections whose keys others refer to."""
_VARIABLE = re.compile(r"\$\{(?!!)([^{}]*)\}")
_PSEUDO = frozenset(
    f"AWS::{name}"
    for name in (
        [
            "AccountId",
            "NotificationARNs",
            "NoValue",
            "Partition",
            "Region",
            "StackId",
            "StackName",
            "URLSuffix",
        ]
    )
)
_MODULES = ("Modules", "Rain")
"""Sections of `aws cloudformation package` and of Rain, which make resources before the template is deployed."""
_SERVERLESS = "AWS::Serverless::"
_READ = ("Properties", "Metadata", "DependsOn", "Condition")
_HOLDERS = ("AWS::CloudFormation::Stack", "AWS::ServiceCatalog::CloudFormationProvisionedProduct")
"""Types that answer with the outputs of another template."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dangling:
    """A reference to what is not there: its path in the document, and what it names."""

    path: Path
    message: str


def dangling(template: Template, document: Mapping[str, Json]) -> Iterator[Dangling]:
    """The references of a template that name nothing; none where it cannot be known what will be there."""
    if _may_grow(template, document):
        return
    written = _map(template.document.get("Resources"))
    makers = [name for name, body in written.items() if _type_of(body).startswith(_SERVERLESS)]
    yield from _Names(document, makers).wrong()


def _may_grow(template: Template, document: Mapping[str, Json]) -> bool:
    """Whether something that is not done here may add a name: a macro in a section, an open loop, Rain."""
    if makes_resources(template) or any(name in document for name in _MODULES) or _calls_rain(document):
        return True
    included = document.get("Transform")
    if any(isinstance(item, Mapping) for item in (included if isinstance(included, list) else [included])):
        return True
    sections = [document.get(name) for name in _SECTIONS]
    return "Fn::Transform" in document or any(
        key == "Fn::Transform" or key.startswith(LOOP)
        for section in sections
        if isinstance(section, Mapping)
        for key in section
    )


def _calls_rain(value: Json) -> bool:
    """Whether Rain still has work to do: it puts resources in the place of parameters."""
    if isinstance(value, Mapping):
        return any(key.startswith("Rain::") or _calls_rain(item) for key, item in value.items())
    return isinstance(value, list) and any(_calls_rain(item) for item in value)


class _Names:
    """What there is to refer to in one document."""

    def __init__(self, document: Mapping[str, Json], makers: Iterable[str]) -> None:
        self._document = document
        self._resources = _map(document.get("Resources"))
        self._conditions = _map(document.get("Conditions"))
        self._names = {*self._resources, *_map(document.get("Parameters"))}
        modules = (name for name, body in self._resources.items() if _type_of(body).endswith("::MODULE"))
        self._makers = (*modules, *makers)

    def wrong(self) -> Iterator[Dangling]:
        for name, body in self._resources.items():
            for part in _READ:
                if isinstance(body, Mapping) and part in body:
                    yield from self._part(body[part], part, ("Resources", name, part))
        for name, body in _map(self._document.get("Outputs")).items():
            if isinstance(body, Mapping) and not name.startswith(LOOP):
                yield from self._part(body.get("Condition"), "Condition", ("Outputs", name, "Condition"))
                for part in ("Value", "Export"):
                    yield from self._value(body.get(part), ("Outputs", name, part))
        for name, body in self._conditions.items():
            yield from self._condition(body, ("Conditions", name))

    def _part(self, value: Json, part: str, path: Path) -> Iterator[Dangling]:
        if part == "Condition":
            yield from self._named_condition(value, path)
        elif part == "DependsOn":
            for index, name in enumerate(value if isinstance(value, list) else [value]):
                place = (*path, index) if isinstance(value, list) else path
                if isinstance(name, str) and name not in self._resources and not self._made(name):
                    yield _dangling(
                        place,
                        f"DependsOn names {name}, and there is no such resource.",
                        name,
                        self._resources,
                    )
        else:
            yield from self._value(value, path)

    def _value(self, node: Json, path: Path) -> Iterator[Dangling]:
        if isinstance(node, list):
            for index, item in enumerate(node):
                yield from self._value(item, (*path, index))
        if not isinstance(node, Mapping):
            return
        name = function_of(node)
        inner = node[name] if name is not None else None
        place = (*path, name) if name is not None else path
        if name == "Ref":
            yield from self._ref(inner, place, "Ref")
        elif name == "Fn::GetAtt":
            yield from self._get_att(inner, place)
        elif name == "Fn::Sub":
            yield from self._sub(inner, place)
        elif name is None or name != "Fn::Transform":
            if name == "Fn::If" and isinstance(inner, list) and inner:
                yield from self._named_condition(inner[0], (*place, 0))
            for key, item in node.items():
                # What a loop holds is written in the loop's own names.
                if not key.startswith((LOOP, "Fn::Transform")):
                    yield from self._value(item, (*path, key))

    def _ref(self, name: Json, path: Path, function: str) -> Iterator[Dangling]:
        if not isinstance(name, str):
            return
        if name.startswith("AWS::"):
            if name not in _PSEUDO:
                yield _dangling(path, f"there is no pseudo parameter {name}.", name, _PSEUDO)
        elif name not in self._names and not self._made(name):
            yield _dangling(
                path,
                f"{function} names {name}, and there is no such parameter or resource.",
                name,
                self._names,
            )

    def _get_att(self, argument: Json, path: Path, function: str = "Fn::GetAtt") -> Iterator[Dangling]:
        parts = argument.split(".", 1) if isinstance(argument, str) else argument
        if not isinstance(parts, list) or len(parts) < 2 or not all(isinstance(part, str) for part in parts):
            return
        name, attribute = parts[0], ".".join(parts[1:])
        if name not in self._resources:
            if self._made(name):
                return
            yield _dangling(
                path, f"{function} names {name}, and there is no such resource.", name, self._resources
            )
            return
        kind = _type_of(self._resources[name])
        if not _has(kind, attribute):
            message = f"{function} asks {name} for {attribute}, and {kind} has no such attribute."
            known = [name for schema in schemas_of(kind) for name in schema.root.names]
            yield _dangling(path, message, attribute, known)

    def _sub(self, argument: Json, path: Path) -> Iterator[Dangling]:
        text, variables = argument, {}
        if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], Mapping):
            text, variables = argument
            yield from self._value(variables, (*path, 1))
        if not isinstance(text, str):
            return
        for match in _VARIABLE.finditer(text):
            name = match[1].strip()
            if name and name not in variables:
                found = (
                    self._get_att(name, path, "Fn::Sub") if "." in name else self._ref(name, path, "Fn::Sub")
                )
                yield from found

    def _condition(self, node: Json, path: Path) -> Iterator[Dangling]:
        """A condition's expression: conditions by name in its logic, parameters in its values."""
        if isinstance(node, list):
            for index, item in enumerate(node):
                yield from self._condition(item, (*path, index))
        elif isinstance(node, Mapping) and set(node) == {"Condition"}:
            yield from self._named_condition(node["Condition"], (*path, "Condition"))
        elif isinstance(node, Mapping) and function_of(node) in ("Fn::And", "Fn::Or", "Fn::Not"):
            for key, item in node.items():
                yield from self._condition(item, (*path, key))
        else:
            yield from self._value(node, path)

    def _named_condition(self, name: Json, path: Path) -> Iterator[Dangling]:
        if isinstance(name, str) and name not in self._conditions:
            yield _dangling(path, f"there is no condition {name}.", name, self._conditions)

    def _made(self, name: str) -> bool:
        """Whether a module, or SAM with other parameter values, may make a resource of this name.

        Both put the logical id of what they are given before a name of their own.
        """
        return name.startswith(self._makers)


def _has(kind: str, attribute: str) -> bool:
    """Whether Fn::GetAtt may ask a resource of this type for the attribute, as far as anybody can say."""
    schemas = schemas_of(kind)
    if not schemas or (kind in _HOLDERS and attribute.startswith("Outputs.")):
        return True
    return any(schema.known("/" + attribute.replace(".", "/")) for schema in schemas)


def _dangling(path: Path, message: str, name: str, known: Iterable[str]) -> Dangling:
    near = difflib.get_close_matches(name, sorted(known), n=1)
    return Dangling(path=path, message=f"{message} Did you mean {near[0]}?" if near else message)


def _type_of(body: Json) -> str:
    kind = body.get("Type") if isinstance(body, Mapping) else None
    return kind if isinstance(kind, str) else ""


def _map(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}
