"""Templates: JSON, YAML and SAM text into one plain document whose values know where they stand.

`load_template` reads one, `find_templates` looks for them in folders.  What a function in a template
means is not decided here but in `driftguard.declared.resolve`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import orjson

from driftguard.declared.json_reader import read_json
from driftguard.declared.positions import Positions
from driftguard.declared.yaml_reader import read_yaml
from driftguard.errors import TemplateError, Where
from driftguard.model import Json, Location

SAM = "AWS::Serverless-2016-10-31"
LANGUAGE_EXTENSIONS = "AWS::LanguageExtensions"
INCLUDE = "AWS::Include"
MAX_BYTES = 20_000_000
"""CloudFormation takes 1 MB; SAM and CDK sources with inlined definitions are larger before packaging."""
_SUFFIXES = {".json", ".yaml", ".yml", ".template"}
_SKIPPED_FOLDERS = {"node_modules", ".git", ".venv", "__pycache__", ".aws-sam"}


class TemplateKind(StrEnum):
    CLOUDFORMATION = "CLOUDFORMATION"
    SAM = "SAM"
    CDK = "CDK"


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A template as it was written: short forms are long, nothing is resolved.

    ``transforms`` are the names of the template-wide macros in order.  ``positions`` is ``None`` for a
    template that came as data (a processed template from CloudFormation).
    """

    file: str
    document: Mapping[str, Json]
    kind: TemplateKind
    transforms: tuple[str, ...] = ()
    positions: Positions | None = field(default=None, repr=False, compare=False)

    def locate(self, path: Sequence[str | int]) -> Location | None:
        """The place of the value at ``path`` (steps from the root), or of the nearest thing around it."""
        return self.positions.find(path) if self.positions is not None else None

    def where(self, path: Sequence[str | int]) -> Where:
        """The same for an error message."""
        place = self.locate(path)
        return Where(place.file, place.line, place.column) if place else Where(self.file)


def load_template(source: Path | str, *, file: str | None = None) -> Template:
    """The template in a file, or in a text (a `str` of more than one line, or one that begins with ``{``).

    ``file`` is the name that locations show.  Raises `TemplateError` with file, line, column and reason.
    """
    if isinstance(source, str) and ("\n" in source or source.lstrip()[:1] == "{"):
        return parse_template(source, file or "<text>")
    path = Path(source)
    return parse_template(read_text(path), file or str(path))


def read_text(path: Path) -> str:
    """The text of a template file.  Raises `TemplateError` when it is missing, too large or not UTF-8."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise TemplateError(
                f"this is larger than a template can be ({MAX_BYTES // 1_000_000} MB).",
                where=Where(str(path)),
            )
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise TemplateError(f"this cannot be read: {reason}.", where=Where(str(path))) from None
    except UnicodeDecodeError as error:
        raise TemplateError(
            f"this is not UTF-8 text (byte {error.start}).", where=Where(str(path), 1)
        ) from None


def parse_template(text: str, file: str) -> Template:
    """The template in ``text``.  Raises `TemplateError`."""
    document, positions = parse_document(text.removeprefix("\ufeff"), file)
    template = template_of(document, file, positions)
    _check_resources(template)
    return template


def parse_document(text: str, file: str) -> tuple[Json, Positions]:
    """Any JSON or YAML document in CloudFormation's dialect, and the positions of its values."""
    if len(text) > MAX_BYTES:
        raise TemplateError("this is larger than a template can be.", where=Where(file))
    if text.lstrip()[:1] == "{":
        try:
            return read_json(text, file), Positions(file, text, None)
        except TemplateError as not_json:
            if "twice" in not_json.message:
                raise
            try:  # YAML's flow style begins with a brace as well
                value, root = read_yaml(text, file)
            except TemplateError:
                raise not_json from None
            return value, Positions(file, text, root)
    value, root = read_yaml(text, file)
    return value, Positions(file, text, root)


def template_of(document: Json, file: str, positions: Positions | None = None) -> Template:
    """A template from a document that is data already.  Raises `TemplateError` when it is not a map."""
    if not isinstance(document, Mapping):
        raise TemplateError("a template is a map with a Resources section.", where=Where(file, 1))
    transforms = _transforms(document)
    kind = TemplateKind.CLOUDFORMATION
    if SAM in transforms or holds_sam(document):
        kind = TemplateKind.SAM
    elif _from_cdk(document):
        kind = TemplateKind.CDK
    return Template(file=file, document=document, kind=kind, transforms=transforms, positions=positions)


def _transforms(document: Mapping[str, Json]) -> tuple[str, ...]:
    value = document.get("Transform")
    names = []
    for item in value if isinstance(value, list) else [value]:
        name = item.get("Name") if isinstance(item, Mapping) else item
        if isinstance(name, str):
            names.append(name)
    return tuple(names)


def holds_sam(document: Mapping[str, Json]) -> bool:
    """Whether a resource has one of SAM's own types."""
    resources = document.get("Resources")
    return isinstance(resources, Mapping) and any(
        isinstance(resource, Mapping) and str(resource.get("Type")).startswith("AWS::Serverless::")
        for resource in resources.values()
    )


def _from_cdk(document: Mapping[str, Json]) -> bool:
    parameters = document.get("Parameters")
    if isinstance(parameters, Mapping) and "BootstrapVersion" in parameters:
        return True
    resources = document.get("Resources")
    return isinstance(resources, Mapping) and any(
        isinstance(resource, Mapping)
        and isinstance(resource.get("Metadata"), Mapping)
        and "aws:cdk:path" in resource["Metadata"]
        for resource in resources.values()
    )


def _check_resources(template: Template) -> None:
    resources = template.document.get("Resources")
    if not isinstance(resources, Mapping):
        raise TemplateError(
            "a template needs a Resources section that is a map."
            if resources is None
            else "Resources has to be a map of logical ids.",
            where=template.where(("Resources",)),
        )
    for section in ("Parameters", "Mappings", "Conditions", "Outputs"):
        value = template.document.get(section)
        if value is not None and not isinstance(value, Mapping):
            raise TemplateError(f"{section} has to be a map.", where=template.where((section,)))
    for logical_id, resource in resources.items():
        if logical_id.startswith("Fn::"):
            continue
        if not isinstance(resource, Mapping):
            raise TemplateError(
                f"the resource {logical_id} has to be a map.", where=template.where(("Resources", logical_id))
            )
        if not isinstance(resource.get("Type"), str):
            raise TemplateError(
                f"the resource {logical_id} has no Type that is a string.",
                where=template.where(("Resources", logical_id)),
            )


class TemplateFiles(Iterator[Path]):
    """The template files under some paths.  ``skipped`` counts the files seen so far that are none.

    A file that is named outright is always answered, template or not: its error is worth seeing.
    """

    def __init__(self, paths: Iterable[Path | str]) -> None:
        self.skipped = 0
        self._walk = self._search([Path(path) for path in paths])

    def __iter__(self) -> TemplateFiles:
        return self

    def __next__(self) -> Path:
        return next(self._walk)

    def _search(self, paths: list[Path]) -> Iterator[Path]:
        for path in paths:
            if not path.is_dir():
                yield path
                continue
            for folder, names, files in os.walk(path):
                names[:] = sorted(name for name in names if name not in _SKIPPED_FOLDERS)
                for file in sorted(files):
                    found = Path(folder, file)
                    if found.suffix.lower() in _SUFFIXES and _looks_like_template(found):
                        yield found
                    else:
                        self.skipped += 1


def find_templates(paths: Iterable[Path | str]) -> TemplateFiles:
    """The template files at ``paths``, folders searched all the way down, in a stable order."""
    return TemplateFiles(paths)


def _looks_like_template(path: Path) -> bool:
    """Whether a file has a Resources section with a type in it, judged by its bytes alone."""
    try:
        if path.stat().st_size > MAX_BYTES:
            return False
        data = path.read_bytes()
    except OSError:
        return False
    if b"Resources" not in data or not (b"::" in data or b"AWSTemplateFormatVersion" in data):
        return False
    if path.suffix == ".json" or data.lstrip()[:1] == b"{":
        try:
            value = orjson.loads(data)
        except orjson.JSONDecodeError:
            return b'"Resources"' in data
        return isinstance(value, dict) and isinstance(value.get("Resources"), dict)
    return any(line.startswith((b"Resources:", b'"Resources"', b"'Resources'")) for line in data.splitlines())
