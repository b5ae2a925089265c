"""Intrinsic functions and conditions evaluated."""

from __future__ import annotations

import base64
import ipaddress
import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from driftguard.sandbox.cfn.template import Template, invalid
from driftguard.sandbox.schemas import as_text

NO_VALUE = object()
"""What AWS::NoValue evaluates to: the member that holds it disappears."""

_PLACEHOLDER = re.compile(r"\$\{(!?)([^}]*)\}")
_DYNAMIC = re.compile(r"\{\{resolve:(ssm-secure|ssm|secretsmanager):([^}]+)\}\}")


class Surroundings(Protocol):
    """What a template is evaluated in."""

    def physical_id(self, logical_id: str) -> str:
        """What Ref of a resource gives."""

    def attribute(self, logical_id: str, name: str) -> Any:
        """What Fn::GetAtt gives."""

    def exported(self, name: str) -> str:
        """What Fn::ImportValue gives."""

    def secret(self, service: str, reference: str) -> str:
        """What a dynamic reference gives."""


class Evaluator:
    """Evaluates parts of one template.  Called with any value, it returns it with all functions done."""

    def __init__(
        self,
        template: Template,
        parameters: Mapping[str, Any],
        pseudo: Mapping[str, Any],
        around: Surroundings,
        zones: Callable[[str], list[str]],
    ) -> None:
        self.template = template
        self.parameters = parameters
        self.pseudo = pseudo
        self._around = around
        self._zones = zones
        self._conditions: dict[str, bool] = {}

    def __call__(self, value: Any) -> Any:
        if isinstance(value, list):
            return [item for item in (self(v) for v in value) if item is not NO_VALUE]
        if isinstance(value, str):
            return self._dynamic(value)
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref":
                return self._ref(argument)
            if isinstance(name, str) and name.startswith("Fn::"):
                return self._call(name, argument)
            if name == "Condition" and argument in self.template.get("Conditions", {}):
                return self.condition(argument)
        pairs = ((key, self(item)) for key, item in value.items())
        return {key: item for key, item in pairs if item is not NO_VALUE}

    def condition(self, name: str) -> bool:
        """The value of a condition.  Raises ApiError if there is none of that name."""
        if name not in self._conditions:
            declared = self.template.get("Conditions", {})
            if name not in declared:
                raise invalid(f"Template format error: Unresolved condition dependency {name}")
            self._conditions[name] = self._test(declared[name])
        return self._conditions[name]

    def _test(self, test: Any) -> bool:
        if isinstance(test, dict) and len(test) == 1:
            ((name, argument),) = test.items()
            if name == "Condition":
                return self.condition(argument)
            if name == "Fn::Equals":
                left, right = (self(item) for item in argument)
                return _equal(left, right)
            if name == "Fn::Not":
                return not self._test(argument[0])
            if name == "Fn::And":
                return all(self._test(item) for item in argument)
            if name == "Fn::Or":
                return any(self._test(item) for item in argument)
        return str(self(test)).lower() == "true"

    def _call(self, name: str, argument: Any) -> Any:
        if name in ("Fn::Equals", "Fn::Not", "Fn::And", "Fn::Or"):
            return self._test({name: argument})
        function = getattr(self, "_fn_" + name[4:].lower(), None)
        if function is None:
            raise invalid(f"Template error: {name} is not a supported function.")
        return function(argument)

    def _ref(self, name: Any) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        for known in (self.pseudo, self.parameters):
            if name in known:
                return known[name]
        if name in self.template["Resources"]:
            return self._around.physical_id(name)
        raise invalid(
            f"Template format error: Unresolved resource dependencies [{name}] in the Resources block of the template"
        )

    def _dynamic(self, text: str) -> str:
        if "{{resolve:" not in text:
            return text
        return _DYNAMIC.sub(lambda match: self._around.secret(match[1], match[2]), text)

    def _fn_getatt(self, argument: Any) -> Any:
        logical_id, name = argument if isinstance(argument, list) else argument.split(".", 1)
        if logical_id not in self.template["Resources"]:
            raise invalid(
                f"Template error: instance of Fn::GetAtt references undefined resource {logical_id}"
            )
        return self._around.attribute(logical_id, str(self(name)))

    def _fn_sub(self, argument: Any) -> str:
        text, own = (argument, {}) if isinstance(argument, str) else (argument[0], argument[1])
        values = {key: self(item) for key, item in own.items()}

        def one(match: re.Match[str]) -> str:
            if match[1]:
                return "${" + match[2] + "}"
            name = match[2].strip()
            if name in values:
                return _plain(values[name])
            head, _, rest = name.partition(".")
            if rest and head in self.template["Resources"]:
                return _plain(self._fn_getatt([head, rest]))
            return _plain(self._ref(name))

        return self._dynamic(_PLACEHOLDER.sub(one, text))

    def _fn_join(self, argument: Any) -> str:
        parts = self(argument[1])
        return str(argument[0]).join(_plain(part) for part in (parts if isinstance(parts, list) else [parts]))

    def _fn_select(self, argument: Any) -> Any:
        items = self(argument[1])
        index = int(self(argument[0]))
        if not 0 <= index < len(items):
            raise invalid(f"Template error: Fn::Select cannot select nonexistent value at index {index}")
        return items[index]

    def _fn_split(self, argument: Any) -> list[str]:
        return str(self(argument[1])).split(argument[0])

    def _fn_if(self, argument: Any) -> Any:
        return self(argument[1] if self.condition(argument[0]) else argument[2])

    def _fn_base64(self, argument: Any) -> str:
        return base64.b64encode(str(self(argument)).encode()).decode()

    def _fn_getazs(self, argument: Any) -> list[str]:
        return self._zones(str(self(argument) or self.pseudo["AWS::Region"]))

    def _fn_importvalue(self, argument: Any) -> str:
        return self._around.exported(str(self(argument)))

    def _fn_tojsonstring(self, argument: Any) -> str:
        return json.dumps(self(argument), separators=(",", ":"))

    def _fn_length(self, argument: Any) -> int:
        return len(self(argument))

    def _fn_findinmap(self, argument: Any) -> Any:
        names = [str(self(part)) for part in argument[:3]]
        value: Any = self.template.get("Mappings", {})
        for name in names:
            if not isinstance(value, Mapping) or name not in value:
                if len(argument) > 3:
                    return self(argument[3]["DefaultValue"])
                # Recorded form: "Template error: Unable to get mapping for A::b::c".
                raise invalid(f"Template error: Unable to get mapping for {'::'.join(names)}")
            value = value[name]
        return value

    def _fn_cidr(self, argument: Any) -> list[str]:
        network = ipaddress.ip_network(self(argument[0]))
        count = int(self(argument[1]))
        bits = int(self(argument[2])) if len(argument) > 2 else 8
        subnets = network.subnets(new_prefix=network.max_prefixlen - bits)
        return [str(subnet) for subnet in itertools.islice(subnets, count)]


def _plain(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict | list) else as_text(value)


def _equal(left: Any, right: Any) -> bool:
    if isinstance(left, dict | list) or isinstance(right, dict | list):
        return bool(left == right)
    return as_text(left) == as_text(right)


def dependencies(value: Any) -> set[str]:
    """The names that Ref, Fn::GetAtt and Fn::Sub mention in ``value``."""
    return set(_mentions(value))


def _mentions(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _mentions(item)
    elif isinstance(value, dict):
        if isinstance(value.get("Ref"), str) and len(value) == 1:
            yield value["Ref"]
            return
        if "Fn::GetAtt" in value:
            target = value["Fn::GetAtt"]
            yield target[0] if isinstance(target, list) else target.split(".")[0]
        if "Fn::Sub" in value:
            argument = value["Fn::Sub"]
            text, own = (argument, {}) if isinstance(argument, str) else (argument[0], argument[1])
            for match in _PLACEHOLDER.finditer(text):
                if not match[1] and match[2].strip() not in own:
                    yield match[2].strip().split(".")[0]
            yield from _mentions(own)
            return
        for item in value.values():
            yield from _mentions(item)
