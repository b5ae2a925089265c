"""Templates as resources to judge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from driftguard.cli.checking.soundness import Remark, remarks
from driftguard.declared.cdk import cdk_stacks, is_cdk_output
from driftguard.declared.context import ResolveContext, Resolved
from driftguard.declared.resolve import resolve
from driftguard.declared.template import Template, find_templates, load_template, parse_document, read_text
from driftguard.errors import InputError, TemplateError, Where
from driftguard.model import DeclaredResource, Resource
from driftguard.rules import as_resource


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One resource of a template: to judge, and as it is declared, with Metadata and lines."""

    resource: Resource
    declared: DeclaredResource

    def line(self, pointer: str) -> int | None:
        """The line of the property, or of what is nearest to it."""
        try:
            return self.declared.locations[pointer].line
        except KeyError:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateFile:
    """One template, resolved."""

    file: str
    resources: tuple[Checked, ...]
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One template to judge, and what is known of the stack that it becomes."""

    template: Template
    stack_name: str | None = None
    account_id: str | None = None
    region: str | None = None
    parameters: Mapping[str, Any]


class Sources:
    """The templates of files, folders and CDK output.  ``errors`` are files that could not be read."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = tuple(paths)
        self.errors: list[str] = []
        self.skipped = 0

    def __iter__(self) -> Iterator[Source]:
        plain: list[str] = []
        for name in self._paths:
            if is_cdk_output(Path(name)):
                yield from self._cdk(Path(name))
            else:
                plain.append(name)
        found = find_templates(plain)
        for path in found:
            try:
                yield Source(template=load_template(path), parameters={})
            except TemplateError as error:
                self.errors.append(str(error))
        self.skipped = found.skipped

    def _cdk(self, folder: Path) -> Iterator[Source]:
        try:
            for stack in cdk_stacks(folder):
                yield Source(
                    template=stack.template,
                    stack_name=stack.stack_name,
                    account_id=stack.account,
                    region=stack.region,
                    parameters=stack.parameters,
                )
                for nested in stack.nested.values():
                    yield Source(
                        template=nested, account_id=stack.account, region=stack.region, parameters={}
                    )
        except TemplateError as error:
            self.errors.append(str(error))


def judged_template(source: Source, parameters: Mapping[str, Any]) -> TemplateFile:
    """``source`` resolved with the parameters of one environment.  Raises `TemplateError`.

    Parameters that the template does not declare are left out: one file serves many templates.
    """
    template = source.template
    declared = template.document.get("Parameters") or {}
    given = {name: value for name, value in parameters.items() if name in declared}
    context = ResolveContext(
        parameters={**source.parameters, **given},
        account_id=source.account_id,
        region=source.region,
        # Every ARN of an AWS managed policy names the partition; without a region it is the one of most accounts.
        partition=None if source.region else "aws",
        stack_name=source.stack_name,
    )
    resolved = resolve(template, context)
    left = _left(resolved)
    names: dict[str, Any] = {**declared, **{one.logical_id: None for one in resolved.resources}}
    return TemplateFile(
        file=template.file,
        resources=tuple(
            Checked(
                resource=as_resource(one, left=left.get(one.logical_id, {}), names=names),
                declared=one,
            )
            for one in resolved.resources
        ),
        remarks=tuple(remarks(template, resolved)),
    )


def _left(resolved: Resolved) -> dict[str, dict[str, Any]]:
    """By logical id: the expressions that are left, by pointer into the properties."""
    found: dict[str, dict[str, Any]] = {}
    for entry in resolved.unknown:
        _, logical_id, *rest = entry.path.split("/", 3)
        if rest and rest[0] == "Properties":
            pointer = f"/{rest[1]}" if len(rest) > 1 else ""
            found.setdefault(logical_id, {})[pointer] = entry.expression
    return found


def read_parameters(path: Path) -> dict[str, Any]:
    """Parameter values of one environment.

    Three forms are understood: a plain map, CodePipeline's ``{"Parameters": {...}}``, and the list of
    ``ParameterKey``/``ParameterValue`` pairs of the AWS command line.  Raises `InputError`.
    """
    fix = "Give a map, CodePipeline's {Parameters: {...}} or a list of ParameterKey and ParameterValue."
    try:
        data, _ = parse_document(read_text(path), str(path))
    except TemplateError as error:
        raise InputError(
            f"the parameters cannot be read: {error.message}", where=error.where, fix=fix
        ) from None
    if isinstance(data, dict) and isinstance(data.get("Parameters"), dict | list):
        data = data["Parameters"]
    if isinstance(data, list) and all(isinstance(one, dict) and "ParameterKey" in one for one in data):
        return {str(one["ParameterKey"]): one.get("ParameterValue", "") for one in data}
    if not isinstance(data, dict):
        raise InputError("the file holds no parameters.", where=Where(str(path)), fix=fix)
    return {str(key): value for key, value in data.items()}
