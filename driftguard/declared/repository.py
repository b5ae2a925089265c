"""The templates of a repository, and which deployed stack each of them is meant for.

A template belongs to a stack because the settings say so, because a CDK manifest names the stack, because
another template names its file as that of a nested stack, or because the file is called like the stack; in
that order.  What belongs to no stack is named, never guessed at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from driftguard.declared.cdk import CdkStack, cdk_stacks, is_cdk_output
from driftguard.declared.deployment import DeployedStack, Deployment
from driftguard.declared.template import Template, find_templates, load_template
from driftguard.errors import ConfigError, TemplateError
from driftguard.model import Json

_NESTED = "AWS::CloudFormation::Stack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """``templates`` by their path below the folder; ``mapping`` is stack name (wildcards) to such a path.

    ``broken`` are the errors of files that look like templates and cannot be read.
    """

    templates: Mapping[str, Template] = field(default_factory=dict)
    cdk: tuple[CdkStack, ...] = ()
    mapping: Mapping[str, str] = field(default_factory=dict)
    broken: tuple[TemplateError, ...] = ()

    def matched(self, deployment: Deployment) -> Mapping[str, Template]:
        """The template of each deployed stack of one account and region that has one, by stack id."""
        found: dict[str, Template] = {}
        by_id = {stack.stack_id: stack for stack in deployment.stacks}
        for stack in deployment.stacks:  # parents come before their nested stacks
            template = self._told(stack, deployment)
            parent = by_id.get(str(stack.description.get("ParentId", "")))
            if template is None and parent is not None:
                template = self._nested(stack, parent, found.get(parent.stack_id))
            if template is None:
                template = self._called(stack)
            if template is not None:
                found[stack.stack_id] = template
        return found

    def unmatched(self, used: Iterable[Template]) -> tuple[str, ...]:
        """The files of the templates that are not among ``used``."""
        files = {template.file for template in used}
        mine = (*self.templates.values(), *(one.template for one in self.cdk))
        return tuple(sorted({one.file for one in mine} - files))

    def for_stack(self, name: str, account: str, region: str) -> Template | None:
        """The template of a stack that is known by name alone (a nested stack's generated name tells nothing)."""
        return self._named(name, account, region) or self._by_stem(name)

    def _told(self, stack: DeployedStack, deployment: Deployment) -> Template | None:
        """What the settings or a CDK manifest say."""
        return self._named(stack.name, deployment.account, deployment.region)

    def _named(self, name: str, account: str, region: str) -> Template | None:
        for pattern, file in self.mapping.items():
            if fnmatchcase(name, pattern):
                return self.templates[file]
        for one in self.cdk:
            if one.stack_name == name and one.account in (None, account) and one.region in (None, region):
                return one.template
        return None

    def _nested(
        self, stack: DeployedStack, parent: DeployedStack, template: Template | None
    ) -> Template | None:
        """The template that the parent's template names for this nested stack."""
        if template is None:
            return None
        logical_id = next(
            (
                str(item["LogicalResourceId"])
                for item in parent.resources
                if item.get("PhysicalResourceId") == stack.stack_id
            ),
            "",
        )
        for one in self.cdk:
            if one.template is template and logical_id in one.nested:
                return one.nested[logical_id]
        resource = template.document.get("Resources", {}).get(logical_id)
        properties = resource.get("Properties") if isinstance(resource, Mapping) else None
        url = properties.get("TemplateURL") if isinstance(properties, Mapping) else None
        return self._by_url(url, template)

    def _by_url(self, url: Json, parent: Template) -> Template | None:
        """The one file that a TemplateURL names: relative to the parent, or by the end of its path."""
        text = _last_text(url)
        if not text:
            return None
        folder = PurePosixPath(_key_of(parent, self.templates)).parent
        for path in (str(folder / text), text):
            if path in self.templates:
                return self.templates[path]
        name = PurePosixPath(text.split("?", 1)[0]).name
        alike = [one for path, one in self.templates.items() if PurePosixPath(path).name == name]
        return alike[0] if name and len(alike) == 1 else None

    def _called(self, stack: DeployedStack) -> Template | None:
        return self._by_stem(stack.name)

    def _by_stem(self, name: str) -> Template | None:
        alike = [one for path, one in self.templates.items() if _stem(path) == name]
        return alike[0] if len(alike) == 1 else None


def load_repository(folder: Path, stacks: Mapping[str, str] | None = None) -> Repository:
    """Everything below ``folder`` that is a template, CDK output by its manifest.

    A file that cannot be read is kept as its error.  Raises `ConfigError` when the folder is none, or when
    ``stacks`` names a file that is not there.
    """
    if not folder.is_dir():
        raise ConfigError(f"there is no folder {folder} with templates.", fix="Correct `scan.declared`.")
    outputs = [
        one for one in (folder, *sorted(p.parent for p in folder.rglob("cdk.out"))) if is_cdk_output(one)
    ]
    broken: list[TemplateError] = []
    cdk = tuple(one for output in outputs for one in _synthesized(output, broken))
    templates: dict[str, Template] = {}
    for path in find_templates([folder]):
        if any(path.is_relative_to(output) for output in outputs):
            continue
        try:
            templates[path.relative_to(folder).as_posix()] = load_template(path)
        except TemplateError as error:
            broken.append(error)
    return Repository(
        templates=templates, cdk=cdk, mapping=_checked(stacks or {}, templates, folder), broken=tuple(broken)
    )


def _synthesized(output: Path, broken: list[TemplateError]) -> Iterator[CdkStack]:
    try:
        yield from cdk_stacks(output)
    except TemplateError as error:
        broken.append(error)


def _checked(stacks: Mapping[str, str], templates: Mapping[str, Template], folder: Path) -> Mapping[str, str]:
    paths = {name: PurePosixPath(file).as_posix() for name, file in stacks.items()}
    for name, file in paths.items():
        if file not in templates:
            raise ConfigError(
                f"`scan.stacks` names {file} for the stack {name}, but {folder} has no such template.",
                fix="Give the path below that folder.",
            )
    return paths


def _key_of(template: Template, templates: Mapping[str, Template]) -> str:
    return next((path for path, one in templates.items() if one is template), "")


def _stem(path: str) -> str:
    """``stacks/web.template.yaml`` -> ``web``."""
    return PurePosixPath(path).stem.removesuffix(".template")


def _last_text(value: Json) -> str:
    """The text at the end of a URL, literal or put together by ``Fn::Sub`` or ``Fn::Join``."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        value = next(iter(value.values()), None)
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        # Sub: [text, variables]; Join: [delimiter, [parts]].
        return _last_text(value[0] if isinstance(value[-1], Mapping) and len(value) == 2 else value[-1])
    return value if isinstance(value, str) else ""
