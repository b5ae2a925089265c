"""Templates as resources to judge."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from driftguard.errors import TemplateError, Where
from driftguard.model import DeclaredResource, Resource
from driftguard.rules import as_resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One resource of a template: to judge, with its Metadata and the lines of its properties."""

    resource: Resource
    metadata: Mapping[str, Any]
    attributes: Mapping[str, Any]
    line: Callable[[str], int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateFile:
    """A template: what it declares, and the names of its resources and parameters."""

    file: str
    resources: tuple[Checked, ...]


def read_template(path: Path, parameters: Mapping[str, Any]) -> TemplateFile | None:
    """One file; None when it is no template.  Raises `TemplateError`."""
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise TemplateError(f"the template does not parse: {error}.", where=Where(str(path))) from None
    resources = document.get("Resources") if isinstance(document, dict) else None
    if not isinstance(resources, dict):
        return None
    names: dict[str, Any] = dict(document.get("Parameters") or {})
    names.update(dict.fromkeys(resources))
    return TemplateFile(file=str(path), resources=tuple(_resources(resources, names)))


def _resources(resources: Mapping[str, Any], names: Mapping[str, Any]) -> Iterator[Checked]:
    for logical_id, body in resources.items():
        if not isinstance(body, dict) or not isinstance(body.get("Type"), str):
            continue
        raw = body.get("Properties") or {}
        declared = DeclaredResource(type=body["Type"], logical_id=logical_id, properties=raw)
        yield Checked(
            resource=as_resource(declared, raw=raw, names=names),
            metadata=body.get("Metadata") or {},
            attributes={key: value for key, value in body.items() if key not in ("Type", "Properties")},
            line=lambda _pointer: None,
        )


def find_files(paths: tuple[str, ...]) -> Iterator[Path]:
    """The files that may be templates: those named, and those below the folders named."""
    for name in paths:
        path = Path(name)
        if path.is_dir():
            yield from sorted(
                one
                for one in path.rglob("*")
                if one.suffix in (".json", ".yaml", ".yml", ".template") and one.is_file()
            )
        else:
            yield path


def read_parameters(path: Path) -> dict[str, Any]:
    """Parameter values of one environment.

    Three forms are understood: a plain map, CodePipeline's ``{"Parameters": {...}}``, and the list of
    ``ParameterKey``/``ParameterValue`` pairs of the AWS command line.  Raises `InputError`.
    """
    from driftguard.errors import InputError

    fix = "Give a map, CodePipeline's {Parameters: {...}} or a list of ParameterKey and ParameterValue."
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (OSError, ValueError, yaml.YAMLError) as error:
        said = " ".join(str(error).split())[:200]
        raise InputError(f"the parameters cannot be read: {said}.", where=Where(str(path)), fix=fix) from None
    if isinstance(data, dict) and isinstance(data.get("Parameters"), dict | list):
        data = data["Parameters"]
    if isinstance(data, list) and all(isinstance(one, dict) and "ParameterKey" in one for one in data):
        return {str(one["ParameterKey"]): one.get("ParameterValue", "") for one in data}
    if not isinstance(data, dict):
        raise InputError("the file holds no parameters.", where=Where(str(path)), fix=fix)
    return {str(key): value for key, value in data.items()}
