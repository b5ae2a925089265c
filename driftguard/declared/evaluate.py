"""Three-valued evaluation: every function gives a concrete value, a `Partial`, or an `Unknown`.

Nothing is ever invented.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from driftguard.declared.conditions import LOGIC, Conditions
from driftguard.declared.context import ResolveContext, url_suffix
from driftguard.declared.expand import LOOP
from driftguard.declared.functions import EXTENSIONS, PURE, unknown_of
from driftguard.declared.parameters import parameter_value
from driftguard.declared.template import LANGUAGE_EXTENSIONS, Template
from driftguard.declared.text import (
    NO_VALUE,
    as_text,
    concat,
    document_in,
    dynamic_references,
    first_hole,
    known_items,
    masked_base64,
    unmask,
)
from driftguard.model import Json, Partial, Unknown

_SUB = re.compile(r"\$\{(!?)([^{}]*)\}")


class Evaluator:
    """The values of one template in one context.

    ``document`` is the template with includes and loops done and SAM translated.
    """

    def __init__(self, template: Template, document: Mapping[str, Json], context: ResolveContext) -> None:
        self.template = template
        self.context = context
        self.resources: Mapping[str, Json] = document.get("Resources") or {}
        self.parameters: Mapping[str, Json] = document.get("Parameters") or {}
        self._mappings = {**(document.get("Mappings") or {}), **context.mappings}
        self.conditions = Conditions(self, document.get("Conditions") or {})
        self._extended = LANGUAGE_EXTENSIONS in template.transforms
        self._values: dict[str, Json] = {}
        self._echoing: set[str] = set()
        self._functions: dict[str, Callable[[Json], Json]] = {
            "Ref": self._ref,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::FindInMap": self._find_in_map,
            "Fn::If": self._if,
            "Fn::GetAZs": self._availability_zones,
            "Fn::ImportValue": self._import_value,
            "Fn::Select": self._select,
        }

    # -- values ---------------------------------------------------------------------------------------

    def value(self, node: Json) -> Json:
        """The value of a node, with holes where it cannot be known; `NO_VALUE` for ``AWS::NoValue``."""
        if isinstance(node, Mapping):
            name = function_of(node)
            if name is not None:
                return self.call(name, node[name])
            opaque = self.opaque(node)
            if opaque is not None:
                return opaque
            pairs = ((key, self.value(item)) for key, item in node.items())
            return {key: item for key, item in pairs if item is not NO_VALUE}
        if isinstance(node, list):
            return [item for item in map(self.value, node) if item is not NO_VALUE]
        return node

    def opaque(self, node: Mapping[str, Json]) -> Unknown | None:
        """Why nothing in this map can be known: a macro or a loop is left in it."""
        if "Fn::Transform" in node:
            return Unknown(f"the macro {_macro_names(node['Fn::Transform'])} may change this")
        if any(key.startswith(LOOP) for key in node):
            return Unknown("the collection of a loop cannot be known")
        return None

    def final(self, value: Json) -> Json:
        """``value`` with its dynamic references looked up, which CloudFormation does last."""
        if isinstance(value, Partial) and value.base64:
            return value
        if isinstance(value, (str, Partial)):
            if isinstance(value, Partial) or "{{resolve:" in value:
                value = dynamic_references(value, self.context.ssm_values)
            return self._unmasked(value) if self.context.masked else value
        if isinstance(value, Mapping):
            return {key: self.final(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.final(item) for item in value]
        return value

    def _unmasked(self, value: str | Partial | Unknown) -> Json:
        """Holes for question marks; those of a document in a text stand in the document, whatever its form."""
        if isinstance(value, Unknown):
            return value
        document = document_in(value) if isinstance(value, str) and "?" in value else None
        return unmask(value) if document is None else self.final(document)

    def call(self, name: str, argument: Json) -> Json:
        """The value of one function.  A function that is not known gives `Unknown`."""
        own = self._functions.get(name)
        if own is not None:
            return own(argument)
        pure = PURE.get(name)
        if pure is not None:
            value = self.value(argument)
            return masked_base64(value) if self._hides(name, value) else pure(value)
        extension = EXTENSIONS.get(name)
        if extension is not None:
            if not self._extended:
                return Unknown(f"{name} needs the transform AWS::LanguageExtensions")
            return extension(self.value(argument))
        if name == "Fn::Transform":
            return Unknown(f"the macro {_macro_names(argument)} may change this")
        if name in LOGIC:
            return self.conditions.truth({name: argument})
        return Unknown(f"{name} is not a function that driftguard knows")

    def _hides(self, name: str, value: Json) -> bool:
        """Whether encoding would bury question marks that are not the ones that were deployed."""
        return self.context.masked and name == "Fn::Base64" and isinstance(value, str) and "?" in value

    # -- references -----------------------------------------------------------------------------------

    def _ref(self, argument: Json) -> Json:
        name = argument if isinstance(argument, str) else self.value(argument)
        if not isinstance(name, str):
            return unknown_of(name, "Ref takes a name")
        if name.startswith("AWS::"):
            return self._pseudo(name)
        if name in self.parameters:
            return self._parameter(name)
        if name in self.resources:
            physical = self.context.physical_ids.get(name)
            return Unknown(self._missing(name, "id")) if physical is None else physical
        return Unknown(f"there is no parameter or resource {name}")

    def _missing(self, logical_id: str, what: str) -> str:
        if self.context.deployed or self.context.physical_ids:
            return f"the {what} of {logical_id} is not given"
        return f"{what} of a resource that does not exist yet"

    def _parameter(self, name: str) -> Json:
        if self.conditions.deciding:
            return parameter_value(self.template, name, self.context, secret=True)
        if name not in self._values:
            self._values[name] = parameter_value(self.template, name, self.context)
        return self._values[name]

    def _pseudo(self, name: str) -> Json:
        context = self.context
        partition = context.effective_partition
        arns = context.notification_arns
        known: dict[str, Json] = {
            "AWS::Region": context.region,
            "AWS::AccountId": context.account_id,
            "AWS::Partition": partition,
            "AWS::StackName": context.stack_name,
            "AWS::StackId": context.stack_id,
            "AWS::URLSuffix": url_suffix(partition) if partition else None,
            "AWS::NotificationARNs": list(arns) if arns is not None else None,
            "AWS::NoValue": NO_VALUE,
        }
        value = known.get(name)
        return Unknown(f"{name} is not given") if value is None else value

    def _get_att(self, argument: Json) -> Json:
        parts = argument.split(".", 1) if isinstance(argument, str) else argument
        if not (isinstance(parts, list) and len(parts) >= 2):
            return Unknown("Fn::GetAtt takes a logical id and an attribute")
        names = [part if isinstance(part, str) else self.value(part) for part in parts]
        if not all(isinstance(name, str) for name in names):
            return unknown_of(names, "Fn::GetAtt takes a logical id and an attribute")
        return self._attribute(names[0], ".".join(names[1:]))

    def _attribute(self, logical_id: str, name: str) -> Json:
        context = self.context
        if logical_id not in self.resources:
            return Unknown(f"there is no resource {logical_id}")
        given = context.attributes.get(logical_id, {}).get(name)
        if given is None and name.startswith("Outputs."):
            given = context.children.get(logical_id, {}).get(name.removeprefix("Outputs."))
        if given is not None:
            return given
        asked = context.attribute(logical_id, name) if context.attribute is not None else None
        if asked is not None and not isinstance(asked, Unknown):
            return asked
        echoed = self._echo(logical_id, name)
        return asked if asked is not None and isinstance(echoed, Unknown) else echoed

    def _echo(self, logical_id: str, name: str) -> Json:
        """An attribute that is a declared property of the resource: what is declared is what it will be.

        A property that can be declared is not read-only, so CloudFormation answers with its value.
        """
        missing = Unknown(self._missing(logical_id, "attribute"))
        resource = self.resources[logical_id]
        properties = resource.get("Properties") if isinstance(resource, Mapping) else None
        if not isinstance(properties, Mapping) or name not in properties or logical_id in self._echoing:
            return missing
        self._echoing.add(logical_id)
        try:
            value = self.value(properties[name])
        finally:
            self._echoing.discard(logical_id)
        return value if isinstance(value, str) and "{{resolve:" not in value else missing

    def _import_value(self, argument: Json) -> Json:
        name = self.value(argument)
        if not isinstance(name, str):
            return unknown_of(name, "Fn::ImportValue takes a name")
        value = self.context.exports.get(name)
        return Unknown(f"the export {name} is not given") if value is None else value

    def _availability_zones(self, argument: Json) -> Json:
        region = self.value(argument)
        if isinstance(region, (Unknown, Partial)):
            return Unknown(region.reason)
        zones = self.context.availability_zones.get(str(region) if region else self.context.region or "")
        return Unknown("the availability zones are not given") if zones is None else list(zones)

    # -- functions with lazy arguments ----------------------------------------------------------------

    def _sub(self, argument: Json) -> Json:
        variables: Mapping[str, Json] = {}
        text = argument
        if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], Mapping):
            text, variables = argument
        if not isinstance(text, str):
            return Unknown("Fn::Sub takes a string, or a string and a map")
        parts: list[str | Partial | Unknown] = []
        end = 0
        for match in _SUB.finditer(text):
            parts.append(text[end : match.start()])
            end = match.end()
            parts.append("${" + match[2] + "}" if match[1] else self.variable(match[2], variables))
        return concat([*parts, text[end:]])

    def variable(self, name: str, variables: Mapping[str, Json]) -> str | Partial | Unknown:
        """The text that ``${name}`` stands for in a ``Fn::Sub``."""
        name = name.strip()
        if name in variables:
            return as_text(self.value(variables[name]))
        return as_text(self._get_att(name) if "." in name else self._ref(name))

    def _select(self, argument: Json) -> Json:
        """``Fn::Select``, which may take an item of a partly known string before its first hole."""
        if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], Mapping):
            inner = argument[1].get("Fn::Split")
            if function_of(argument[1]) == "Fn::Split" and isinstance(inner, list) and len(inner) == 2:
                delimiter, text = self.value(inner[0]), self.value(inner[1])
                index = as_text(self.value(argument[0]))
                if isinstance(text, Partial) and isinstance(delimiter, str) and isinstance(index, str):
                    known = known_items(delimiter, text) if delimiter else []
                    inside = index.isdecimal() and int(index) < len(known)
                    return known[int(index)] if inside else Unknown(text.reason)
        return PURE["Fn::Select"](self.value(argument))

    def _find_in_map(self, argument: Json) -> Json:
        if not (isinstance(argument, list) and len(argument) in (3, 4)):
            return Unknown("Fn::FindInMap takes a map and two keys")
        keys = [as_text(self.value(part)) for part in argument[:3]]
        if not all(isinstance(key, str) for key in keys):
            return unknown_of(keys, "")
        found: Json = self._mappings
        for key in keys:
            found = found.get(key) if isinstance(found, Mapping) else None
        if found is not None:
            return self.value(found)
        default = argument[3] if len(argument) == 4 else None
        if isinstance(default, Mapping) and "DefaultValue" in default:
            return self.value(default["DefaultValue"])
        return Unknown(f"the mapping {keys[0]} has no value for {keys[1]}, {keys[2]}")

    def _if(self, argument: Json) -> Json:
        chosen = self.branch(argument)
        if not isinstance(chosen, Unknown):
            return self.value(argument[chosen])
        if isinstance(argument, list) and len(argument) == 3:
            first, second = self.value(argument[1]), self.value(argument[2])
            if first is second or (first == second and first_hole(first) is None):
                return first
        return chosen

    def branch(self, argument: Json) -> int | Unknown:
        """Which item of a ``Fn::If`` holds: 1 or 2."""
        if not (isinstance(argument, list) and len(argument) == 3):
            return Unknown("Fn::If takes a condition and two values")
        named = isinstance(argument[0], str)
        truth = self.conditions.named(argument[0]) if named else self.conditions.truth(argument[0])
        return truth if isinstance(truth, Unknown) else 1 if truth else 2


def function_of(node: Mapping[str, Json]) -> str | None:
    """The name of the function that a map calls, if it is a call."""
    if len(node) != 1:
        return None
    name = next(iter(node))
    if name == "Ref" or name.startswith("Rain::"):
        return name
    return name if name.startswith("Fn::") and not name.startswith(LOOP) else None


def _macro_names(calls: Json) -> str:
    items = calls if isinstance(calls, list) else [calls]
    return ", ".join(str(item.get("Name") if isinstance(item, Mapping) else item) for item in items)
