"""YAML as CloudFormation writes it: short forms, no dates, no duplicate keys, nothing that explodes.

libyaml composes the nodes; what is built from them is ours, so that every value keeps its mark.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
"""

from __future__ import annotations

import yaml

from driftguard.errors import TemplateError, Where
from driftguard.model import Json
from driftguard.settings.nesting import too_deep

_STANDARD = "tag:yaml.org,2002:"
_PLAIN = {"str", "int", "float", "bool", "null", "map", "seq", "value", "merge"}
_BARE = {"Ref", "Condition"}
_MAX_VALUES = 1_000_000
"""How many values a template may hold once its aliases are written out: a guard against alias bombs."""
_MAX_DEPTH = 200


class _Loader(yaml.CSafeLoader):
    """CSafeLoader without the date type: ``2010-09-09`` is a string."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _STANDARD + "timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
_SCALARS = yaml.constructor.SafeConstructor()


def read_yaml(text: str, file: str) -> tuple[Json, yaml.Node | None]:
    """The plain value of a YAML document, and its root node for the positions.

    Raises `TemplateError` with file, line and column for anything that is not a bounded document.
    """
    try:
        _refuse_depth(text, file)
        root: yaml.Node | None = _Loader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = Where(file, mark.line + 1, mark.column + 1) if mark else Where(file)
        problem = " ".join(part for part in (error.context, error.problem) if part)
        raise TemplateError(f"this is not YAML: {problem}.", where=where) from None
    except yaml.YAMLError as error:
        line = _line_of_reader_error(error, text)
        reason = str(error).split("\n", 1)[0]
        raise TemplateError(f"this is not YAML: {reason}.", where=Where(file, line)) from None
    if root is None:
        return None, None
    return _Builder(file).build(root, 0), root


def _refuse_depth(text: str, file: str) -> None:
    mark = too_deep(text, _MAX_DEPTH)
    if mark is not None:
        raise TemplateError(
            f"values are nested more than {_MAX_DEPTH} deep.",
            where=Where(file, mark.line + 1, mark.column + 1),
            fix="Write it flatter.",
        )


def _line_of_reader_error(error: yaml.YAMLError, text: str) -> int | None:
    position = getattr(error, "position", None)
    return text.count("\n", 0, position) + 1 if isinstance(position, int) else None


def function_name(tag: str) -> str:
    """``!Sub`` -> ``Fn::Sub``, ``!Ref`` -> ``Ref``; a tool's own directive (``!Rain::Embed``) keeps its name."""
    name = tag[1:]
    return name if name in _BARE or "::" in name else f"Fn::{name}"


class _Builder:
    def __init__(self, file: str) -> None:
        self._file = file
        self._values = 0

    def build(self, node: yaml.Node, depth: int) -> Json:
        self._values += 1
        if self._values > _MAX_VALUES:
            raise self._error(node, f"aliases expand to more than {_MAX_VALUES:,} values.")
        if depth > _MAX_DEPTH:
            raise self._error(node, f"values are nested more than {_MAX_DEPTH} deep.")
        tag = node.tag
        if tag.startswith(_STANDARD):
            if tag[len(_STANDARD) :] not in _PLAIN:
                raise self._error(
                    node, f"CloudFormation does not support the YAML tag !!{tag[len(_STANDARD) :]}."
                )
            return self._plain(node, depth)
        if not tag.startswith("!") or len(tag) < 2:
            raise self._error(node, f"the tag {tag} is not one of CloudFormation's.")
        name = function_name(tag)
        value = self._plain(node, depth)
        if name == "Fn::GetAtt" and isinstance(value, str) and "." in value:
            value = value.split(".", 1)
        return {name: value}

    def _plain(self, node: yaml.Node, depth: int) -> Json:
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, depth + 1) for item in node.value]
        assert isinstance(node, yaml.MappingNode)
        return self._mapping(node, depth)

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[str, Json]:
        merged: dict[str, Json] = {}
        own: dict[str, Json] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self._error(key, "a key has to be a string.")
            if key.tag == _STANDARD + "merge":
                merged = {**self._merge(value, depth), **merged}
                continue
            if key.value in own:
                raise self._error(key, f"the key {key.value!r} stands here twice.")
            own[key.value] = self.build(value, depth + 1)
        return {**merged, **own}

    def _merge(self, node: yaml.Node, depth: int) -> dict[str, Json]:
        value = self.build(node, depth + 1)
        parts = value if isinstance(value, list) else [value]
        result: dict[str, Json] = {}
        for part in reversed(parts):
            if not isinstance(part, dict):
                raise self._error(node, "only a map can be merged with <<.")
            result.update(part)
        return result

    def _scalar(self, node: yaml.ScalarNode) -> Json:
        tag, text = node.tag, node.value
        try:
            if tag == _STANDARD + "int":
                return _SCALARS.construct_yaml_int(node)
            if tag == _STANDARD + "float":
                number = _SCALARS.construct_yaml_float(node)
                finite = number == number and number not in (float("inf"), float("-inf"))
                return number if finite else text
            if tag == _STANDARD + "bool":
                return _SCALARS.construct_yaml_bool(node)
        except (ValueError, KeyError):
            raise self._error(node, f"{text!r} is not a value of the type {tag}.") from None
        return None if tag == _STANDARD + "null" else text

    def _error(self, node: yaml.Node, message: str) -> TemplateError:
        mark = node.start_mark
        return TemplateError(message, where=Where(self._file, mark.line + 1, mark.column + 1))
