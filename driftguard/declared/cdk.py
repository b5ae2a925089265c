"""CDK's ``cdk.out``: which template is deployed as which stack, where.

https://docs.aws.amazon.com/cdk/v2/guide/configure-synth.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from driftguard.declared.template import Template, load_template, parse_document, read_text
from driftguard.errors import TemplateError, Where
from driftguard.model import Json

_ENVIRONMENT = re.compile(r"aws://([^/]+)/(.+)")
_MAX_DEPTH = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CdkStack:
    """One stack of a CDK app.  ``account`` and ``region`` are ``None`` for an environment-agnostic stack.

    ``nested`` maps the logical id of a nested stack to its template, which CDK ships as an asset.
    """

    artifact: str
    stack_name: str
    template: Template
    account: str | None = None
    region: str | None = None
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    nested: Mapping[str, Template]


def is_cdk_output(folder: Path) -> bool:
    """Whether a folder is the output of ``cdk synth``."""
    return folder.is_dir() and (folder / "manifest.json").is_file() and (folder / "cdk.out").is_file()


def cdk_stacks(folder: Path) -> Iterator[CdkStack]:
    """The stacks of a ``cdk.out`` folder, those of nested assemblies (stages) included.

    Raises `TemplateError` when the manifest or a template cannot be read.
    """
    yield from _assembly(folder, 0)


def _assembly(folder: Path, depth: int) -> Iterator[CdkStack]:
    file = folder / "manifest.json"
    manifest, _ = parse_document(read_text(file), str(file))
    artifacts = manifest.get("artifacts") if isinstance(manifest, Mapping) else None
    if not isinstance(artifacts, Mapping):
        raise TemplateError("this is not a CDK manifest.", where=Where(str(file), 1))
    for name, artifact in artifacts.items():
        kind = artifact.get("type") if isinstance(artifact, Mapping) else None
        properties = (artifact.get("properties") if isinstance(artifact, Mapping) else None) or {}
        if kind == "aws:cloudformation:stack":
            yield _stack(folder, name, artifact, properties)
        elif kind == "cdk:cloud-assembly" and depth < _MAX_DEPTH:
            yield from _assembly(folder / str(properties.get("directoryName", "")), depth + 1)


def _stack(folder: Path, name: str, artifact: Mapping[str, Json], properties: Mapping[str, Json]) -> CdkStack:
    template = load_template(folder / str(properties.get("templateFile", f"{name}.template.json")))
    place = _ENVIRONMENT.fullmatch(str(artifact.get("environment", "")))
    account, region = (place[1], place[2]) if place else (None, None)
    return CdkStack(
        artifact=name,
        stack_name=str(properties.get("stackName", name)),
        template=template,
        account=account if account != "unknown-account" else None,
        region=region if region != "unknown-region" else None,
        parameters={str(key): str(value) for key, value in (properties.get("parameters") or {}).items()},
        tags={str(key): str(value) for key, value in (properties.get("tags") or {}).items()},
        nested=dict(_nested(folder, template)),
    )


def _nested(folder: Path, template: Template) -> Iterator[tuple[str, Template]]:
    """Nested stacks name their template in ``aws:asset:path`` of the stack resource's metadata."""
    for logical_id, resource in template.document.get("Resources", {}).items():
        metadata = resource.get("Metadata") if isinstance(resource, Mapping) else None
        path = metadata.get("aws:asset:path") if isinstance(metadata, Mapping) else None
        if resource.get("Type") == "AWS::CloudFormation::Stack" and isinstance(path, str):
            file = folder / path
            if file.is_file():
                yield logical_id, load_template(file)
