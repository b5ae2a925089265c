"""Frameworks: controls, and the policies that answer them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from driftguard.errors import PolicyError, Where
from driftguard.rules.load import policy_files
from driftguard.rules.source import Document, read


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ControlFile(_Part):
    """One control.  One without policies is judged by people: ``manual``."""

    id: str = Field(min_length=1)
    title: str = ""
    title_ko: str = ""
    policies: tuple[str, ...] = ()
    manual: bool = False


class FrameworkFile(_Part):
    """One framework, as a file has it."""

    id: str = Field(min_length=2)
    title: str
    title_ko: str = ""
    version: str = ""
    source: str = Field(pattern=r"^https://")
    description: str = ""
    controls: tuple[ControlFile, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Framework:
    """A framework that was loaded."""

    id: str
    title: str
    controls: tuple[ControlFile, ...]
    where: Where
    title_ko: str = ""
    version: str = ""
    source: str = ""
    description: str = ""

    @property
    def policies(self) -> frozenset[str]:
        return frozenset(name for control in self.controls for name in control.policies)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frameworks:
    """All frameworks, and the errors of the files that could not be loaded."""

    frameworks: tuple[Framework, ...]
    errors: tuple[PolicyError, ...] = ()

    def get(self, name: str) -> Framework | None:
        """The framework with this id, in any case of letters."""
        return next((one for one in self.frameworks if one.id.lower() == name.lower()), None)

    def by_policy(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """policy id -> framework id -> control ids."""
        found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for framework in self.frameworks:
            for control in framework.controls:
                for name in control.policies:
                    found[name][framework.id].append(control.id)
        return {name: {key: tuple(ids) for key, ids in below.items()} for name, below in found.items()}


def load_frameworks(folders: Iterable[Path]) -> Frameworks:
    """Every framework below ``folders``; a wrong file is an error with file, line and fix."""
    found: dict[str, Framework] = {}
    errors: list[PolicyError] = []
    for path in policy_files(folders):
        try:
            framework = _framework(read(path))
            if framework.id in found:
                raise PolicyError(
                    f"the framework {framework.id} stands in {found[framework.id].where} already.",
                    where=framework.where,
                    fix="Give it another id.",
                )
            found[framework.id] = framework
        except PolicyError as error:
            errors.append(error)
    return Frameworks(frameworks=tuple(found.values()), errors=tuple(errors))


def _framework(document: Document) -> Framework:
    try:
        given = FrameworkFile.model_validate(document.data)
    except ValidationError as error:
        first = error.errors()[0]
        field_name = ".".join(str(step) for step in first["loc"]) or "the file"
        raise PolicyError(
            f"`{field_name}`: {first['msg'][0].lower()}{first['msg'][1:]}.",
            where=document.where(*first["loc"]),
            fix="docs/policies.md describes the fields.",
        ) from None
    seen: set[str] = set()
    for number, control in enumerate(given.controls):
        where = document.where("controls", number)
        if control.id in seen:
            raise PolicyError(
                f"the control {control.id} stands here twice.", where=where, fix="Join the two."
            )
        if bool(control.policies) is control.manual:
            raise PolicyError(
                f"the control {control.id} has {'both' if control.manual else 'neither'} policies and `manual`.",
                where=where,
                fix="A control is judged by policies or by people.",
            )
        seen.add(control.id)
    return Framework(
        id=given.id,
        title=given.title,
        title_ko=given.title_ko,
        version=given.version,
        source=given.source,
        description=given.description,
        controls=given.controls,
        where=document.where("id"),
    )
