"""What in a template nobody can judge: unknown types and properties, and references to nothing.

CloudFormation refuses such a template, and a policy that looks for a property passes by the misspelt one.
Nothing is said where a macro that is not run here may still change the template.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from driftguard.cli.checking.references import dangling
from driftguard.declared.context import Resolved
from driftguard.declared.expand import LOOP
from driftguard.declared.positions import Path, join_pointer
from driftguard.declared.resolve import macros_of
from driftguard.declared.template import Template
from driftguard.model import DeclaredResource
from driftguard.schema import TypeSchema, registry, schemas_of

_NAME = re.compile(r"[A-Za-z0-9]{2,64}(::[A-Za-z0-9]{2,64}){2}")
_OWN = ("AWS::", "Alexa::", "AMZN::")
"""The namespaces of which the registry index knows every type."""
_CUSTOM = "Custom::"
_MODULE = "::MODULE"
_REFRESH = "If it is newer than this release, name the folder of `driftguard schema refresh` in scan.schemas."


class Kind(StrEnum):
    """What a remark is about."""

    UNKNOWN_TYPE = "UNKNOWN_TYPE"
    UNKNOWN_PROPERTY = "UNKNOWN_PROPERTY"
    DANGLING_REFERENCE = "DANGLING_REFERENCE"
    PRIVATE_TYPE = "PRIVATE_TYPE"

    @property
    def level(self) -> str:
        """``WARNING``, or ``NOTE`` for what may well be right."""
        return "NOTE" if self is Kind.PRIVATE_TYPE else "WARNING"

    @property
    def prevents(self) -> bool:
        """Whether something was left unjudged for it."""
        return self in (Kind.UNKNOWN_TYPE, Kind.DANGLING_REFERENCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One thing that could not be judged.  ``path`` is a JSON pointer into the template's document."""

    template: str
    logical_id: str
    resource_type: str
    kind: Kind
    message: str
    path: str
    line: int | None


def remarks(template: Template, resolved: Resolved) -> Iterator[Remark]:
    """The remarks on one resolved template."""
    if macros_of(template):
        return
    reader = _Reader(template, resolved)
    for resource in resolved.resources:
        schemas = schemas_of(resource.type)
        yield from reader.properties(resource, schemas) if schemas else reader.unknown(resource)
    for absent in dangling(template, resolved.document):
        yield reader.remark(Kind.DANGLING_REFERENCE, absent.path, absent.message)


class _Reader:
    """Remarks on one template, each with its place in the text."""

    def __init__(self, template: Template, resolved: Resolved) -> None:
        self._template = template
        self._resolved = resolved

    def properties(self, resource: DeclaredResource, schemas: Sequence[TypeSchema]) -> Iterator[Remark]:
        """The top-level properties that no schema of the type knows."""
        path = ("Resources", resource.logical_id, "Properties")
        written = self._resolved.document["Resources"][resource.logical_id].get("Properties")
        if isinstance(written, Mapping) and "Fn::Transform" in written:
            return
        for name in resource.properties:
            pointer = join_pointer((name,))
            if name.startswith(LOOP) or any(schema.known(pointer) for schema in schemas):
                continue
            near = next(filter(None, (schema.suggestion(pointer) for schema in schemas)), None)
            advice = f"Did you mean {near[1:]}?" if near else _REFRESH
            message = f"{resource.type} has no property {name}, so no policy looked at it. {advice}"
            # A condition may stand between the properties and this one.
            found = resource.locations[pointer].line if resource.locations else None
            yield self.remark(Kind.UNKNOWN_PROPERTY, (*path, name), message, found)

    def unknown(self, resource: DeclaredResource) -> Iterator[Remark]:
        """A type of which there is no schema."""
        name = resource.type
        if name.startswith(_CUSTOM) or name.endswith(_MODULE):
            return
        own = name.startswith(_OWN)
        near = difflib.get_close_matches(name, registry().types(), n=1, cutoff=0.7 if own else 0.9)
        if own or near or not _NAME.fullmatch(name):
            kind = Kind.UNKNOWN_TYPE
            advice = f"Did you mean {near[0]}?" if near else _REFRESH
            message = f"there is no resource type {name}, so its policies are not known. {advice}"
        else:
            kind = Kind.PRIVATE_TYPE
            message = f"no schema of the type {name} is here, so its properties were not checked. {_REFRESH}"
        yield self.remark(kind, ("Resources", resource.logical_id, "Type"), message)

    def remark(self, kind: Kind, path: Path, message: str, line: int | None = None) -> Remark:
        logical_id = str(path[1])
        body = self._resolved.document["Resources"].get(logical_id) if path[0] == "Resources" else None
        base = path[:2] if body is None else self._resolved.origins.get(logical_id, path[:2])
        place = self._template.locate((*base, *path[2:]))
        return Remark(
            template=self._template.file,
            logical_id=logical_id,
            resource_type=body["Type"] if body is not None else "",
            kind=kind,
            message=message,
            path=join_pointer(path),
            line=line or (place.line if place is not None else None),
        )
