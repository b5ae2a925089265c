"""SSM Automation documents: parsed, and their parameters checked before anything is started.

https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-schemas-features.html
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import yaml

from driftguard.errors import PolicyError, Where
from driftguard.model import Json
from driftguard.rules.source import Document as Source
from driftguard.rules.source import parse as parse_yaml

MAX_BYTES = 65_536
"""The size limit of an SSM document."""
ROLE = "AutomationAssumeRole"
_DELETING = re.compile(r"(?i)^(delete|terminate|remove|revoke|detach|release|deregister|purge|disassociate)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One declared parameter of a document."""

    name: str
    type: str = "String"
    required: bool = True
    allowed: tuple[str, ...] = ()
    pattern: str = ""
    description: str = ""

    def problem(self, values: Sequence[str]) -> str:
        """What is wrong with ``values``, as a sentence; empty when nothing is."""
        if not self.type.endswith("List") and not self.type.startswith("List<") and len(values) != 1:
            return f"{self.name} takes one value, not {len(values)}."
        for value in values:
            if self.type == "Boolean" and value.lower() not in ("true", "false"):
                return f"{self.name} must be true or false, not {value!r}."
            if self.type == "Integer" and not re.fullmatch(r"-?\d+", value):
                return f"{self.name} must be a whole number, not {value!r}."
            if self.allowed and value.lower() not in {one.lower() for one in self.allowed}:
                return f"{self.name} must be one of {', '.join(self.allowed)}, not {value!r}."
            if self.pattern and not re.search(self.pattern, value):
                return f"{self.name} does not fit the document's pattern {self.pattern}."
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AutomationDocument:
    """A document of schema 0.3, as far as its callers need it."""

    name: str
    text: str
    description: str = ""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    calls: tuple[str, ...] = ()
    """``service:Api`` of its aws:executeAwsApi steps; a script's calls are not known."""

    @property
    def digest(self) -> str:
        """SHA-256 of the text, as DescribeDocument answers it."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def deletes(self) -> bool:
        """Whether one of its API calls takes something away, by its name."""
        return any(_DELETING.match(call.split(":", 1)[1]) for call in self.calls)

    def problems(self, given: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
        """Everything that StartAutomationExecution would refuse about ``given``."""
        found = [
            f"{name} is no parameter of {self.name}; it has {', '.join(sorted(self.parameters))}."
            for name in given
            if name not in self.parameters
        ]
        found += [
            f"{name} is required by {self.name}."
            for name, parameter in self.parameters.items()
            if parameter.required and name not in given
        ]
        for name, values in given.items():
            parameter = self.parameters.get(name)
            if parameter is not None and (problem := parameter.problem(values)):
                found.append(problem)
        return tuple(found)


def load_document(path: Path) -> AutomationDocument:
    """Read a shipped document.  Raises `PolicyError` with file, line and fix."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"the document cannot be read: {error}.", where=Where(str(path))) from None
    source = parse_yaml(text, str(path))
    _check(source, text)
    return parse_document(path.stem, text, source.data)


def parse_document(name: str, text: str, data: Mapping[str, Any] | None = None) -> AutomationDocument:
    """A document from its JSON or YAML text.  Raises `PolicyError` when it is no automation document."""
    if data is None:
        try:
            data = orjson.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
        except (ValueError, yaml.YAMLError) as error:
            raise PolicyError(f"the document {name} does not parse: {error}.") from None
    if not isinstance(data, Mapping) or str(data.get("schemaVersion")) != "0.3":
        raise PolicyError(f"{name} is no automation document of schema 0.3.")
    return AutomationDocument(
        name=name,
        text=text,
        description=str(data.get("description") or "").strip(),
        parameters={key: _parameter(key, spec or {}) for key, spec in (data.get("parameters") or {}).items()},
        calls=tuple(_calls(data.get("mainSteps") or ())),
    )


def _check(source: Source, text: str) -> None:
    data = source.data
    if not isinstance(data, Mapping) or str(data.get("schemaVersion")) != "0.3":
        raise PolicyError(
            "an automation document has schemaVersion '0.3'.",
            where=source.where("schemaVersion"),
            fix="Write `schemaVersion: '0.3'`.",
        )
    if len(text.encode()) > MAX_BYTES:
        raise PolicyError("the document is larger than 64 KB.", where=Where(source.file), fix="Split it.")
    steps = data.get("mainSteps")
    if not isinstance(steps, list) or not steps:
        raise PolicyError("the document has no mainSteps.", where=source.where("mainSteps"))
    names: set[str] = set()
    for index, step in enumerate(steps):
        name = step.get("name") if isinstance(step, Mapping) else None
        if not name or name in names or not str(step.get("action", "")).startswith("aws:"):
            raise PolicyError(
                "each step needs a name of its own and an action such as aws:executeAwsApi.",
                where=source.where("mainSteps", index),
            )
        names.add(name)
    if ROLE not in (data.get("parameters") or {}):
        raise PolicyError(
            f"the document takes no {ROLE}, so it would run with the caller's own rights.",
            where=source.where("parameters"),
            fix=f"Add the parameter {ROLE} and `assumeRole: '{{{{ {ROLE} }}}}'`.",
        )


def _parameter(name: str, spec: Mapping[str, Json]) -> Parameter:
    return Parameter(
        name=name,
        type=str(spec.get("type") or "String"),
        required="default" not in spec,
        allowed=tuple(
            str(value).lower() if isinstance(value, bool) else str(value)
            for value in spec.get("allowedValues") or ()
        ),
        pattern=str(spec.get("allowedPattern") or ""),
        description=str(spec.get("description") or ""),
    )


def _calls(steps: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        f"{str(inputs['Service']).lower()}:{inputs['Api'][:1].upper()}{inputs['Api'][1:]}"
        for step in steps
        if step.get("action") in ("aws:executeAwsApi",)
        and isinstance(inputs := step.get("inputs"), Mapping)
        and inputs.get("Service")
        and inputs.get("Api")
    ]
