"""From a file and the environment to `Settings`, with errors that name file, line and fix."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from driftguard.errors import ConfigError, Where
from driftguard.settings.model import Settings
from driftguard.settings.nesting import too_deep

_DEFAULT_FILE = "config.yaml"
_PREFIX = "DRIFTGUARD_"
_SHORT = {"DRIFTGUARD_STORE": ("store", "url")}
_NOT_SETTINGS = {"DRIFTGUARD_ACTOR", "DRIFTGUARD_DEBUG", "DRIFTGUARD_SHARED"}
"""For a developer: show the traceback of a bug; where the tests find recorded data."""
_PLAIN = {"a valid tuple": "a list", "a valid dictionary": "a map", "a valid string": "a text"}
"""What pydantic says, and how whoever writes YAML calls it."""
_MAX_BYTES = 1_000_000
_MAX_DEPTH = 50


def load_settings(path: str | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """The effective settings: the file, then every ``DRIFTGUARD_SECTION__FIELD`` variable.

    ``path`` defaults to ``./config.yaml`` if that exists.  Raises `ConfigError` with file and line.
    """
    environ = os.environ if environ is None else environ
    file = Path(path) if path else Path(_DEFAULT_FILE)
    if path and not file.is_file():
        raise ConfigError(f"there is no configuration file {path}.", fix="`driftguard init` writes one.")
    node = _parse(file) if file.is_file() else None
    data = _plain(node) if node is not None else {}
    if not isinstance(data, dict):
        raise ConfigError("a configuration is a map of sections.", where=Where(str(file), 1))
    origin = _overlay(data, environ)
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        raise _explain(error, file, node, origin) from None


def _parse(file: Path) -> yaml.Node | None:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}.", where=Where(str(file))) from None
    if len(text) > _MAX_BYTES:
        raise ConfigError("is larger than a configuration can be (1 MB).", where=Where(str(file)))
    if "&" in text and _has_alias(text):
        raise ConfigError(
            "YAML anchors are not allowed here.", where=Where(str(file)), fix="Write the value out."
        )
    try:
        deep = too_deep(text, _MAX_DEPTH)
        if deep is not None:
            where = Where(str(file), deep.line + 1, deep.column + 1)
            raise ConfigError("is nested too deeply.", where=where, fix="Write it flatter.")
        node: yaml.Node | None = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = Where(str(file), mark.line + 1, mark.column + 1) if mark else Where(str(file))
        raise ConfigError(f"is not YAML: {error.problem}.", where=where) from None
    except yaml.YAMLError as error:
        raise ConfigError(f"is not YAML: {str(error).splitlines()[0]}.", where=Where(str(file))) from None
    return node


def _has_alias(text: str) -> bool:
    try:
        return any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, Loader=yaml.CSafeLoader))
    except yaml.YAMLError:
        return False


def _plain(node: yaml.Node) -> Any:
    loader = yaml.CSafeLoader("")
    try:
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _overlay(data: dict[str, Any], environ: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    """Put the environment's values into ``data``; answers which variable set which path."""
    origin: dict[tuple[str, ...], str] = {}
    for name, text in sorted(environ.items()):
        if not name.startswith(_PREFIX) or name in _NOT_SETTINGS:
            continue
        path = _SHORT.get(name) or tuple(name[len(_PREFIX) :].lower().split("__"))
        target = data
        for step in path[:-1]:
            below = target.setdefault(step, {})
            if not isinstance(below, dict):
                raise ConfigError(f"{name} is set, but {step} is not a section.", where=Where("environment"))
            target = below
        try:
            target[path[-1]] = text if path[-1] in ("url",) else yaml.safe_load(text)
        except (yaml.YAMLError, RecursionError):
            target[path[-1]] = text
        origin[path] = name
    return origin


def _explain(
    error: ValidationError, file: Path, node: yaml.Node | None, origin: dict[tuple[str, ...], str]
) -> ConfigError:
    first = error.errors()[0]
    path = tuple(first["loc"])
    names = tuple(str(step) for step in path)
    variable = origin.get(names)
    where = Where(f"environment variable {variable}") if variable else Where(str(file), _line(node, path))
    field = ".".join(names)
    if first["type"] == "extra_forbidden":
        known = list(_fields_at(path[:-1]))
        near = difflib.get_close_matches(names[-1], known, n=1)
        fix = f"Did you mean `{near[0]}`?" if near else f"Known here: {', '.join(known)}."
        return ConfigError(f"there is no setting `{field}`.", where=where, fix=fix)
    message = first["msg"][0].lower() + first["msg"][1:]
    for python, plain in _PLAIN.items():
        message = message.replace(python, plain)
    more = f" ({len(error.errors()) - 1} more)" if len(error.errors()) > 1 else ""
    fix = "docs/reference/settings.md lists every setting."
    if first["type"] == "literal_error":
        known = re.findall("'([^']*)'", str(first.get("ctx", {}).get("expected", "")))
        near = difflib.get_close_matches(str(first["input"]), known, n=1)
        fix = f"Did you mean `{near[0]}`? {fix}" if near else fix
    return ConfigError(f"`{field}`: {message}{more}.", where=where, fix=fix)


def _fields_at(path: tuple[int | str, ...]) -> list[str]:
    model: Any = Settings
    for step in path:
        if isinstance(step, int):
            continue
        field = model.model_fields.get(step)
        model = next(iter(_models_in(field.annotation)), None) if field else None
        if model is None:
            return []
    return list(model.model_fields)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _models_in(part)]


def _line(node: yaml.Node | None, path: tuple[int | str, ...]) -> int | None:
    """The line of the value at ``path``, or of the nearest thing above it that exists."""
    line = node.start_mark.line + 1 if node is not None else None
    for step in path:
        if isinstance(node, yaml.MappingNode):
            pair = next((p for p in node.value if p[0].value == str(step)), None)
            if pair is None:
                return line
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = node.start_mark.line + 1
        else:
            return line
    return line
