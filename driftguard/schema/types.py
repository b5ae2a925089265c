"""What the registry says of one resource type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

_TYPES: Final = {
    "s": "string",
    "i": "integer",
    "n": "number",
    "b": "boolean",
    "a": "array",
    "o": "object",
    "z": "null",
}
Path = Sequence[str | int]
"""Property names, list indices and ``*``."""


class Node:
    """One place in a type's property tree.  Nodes are made on demand and carry no path of their own."""

    __slots__ = ("_children", "_data", "_table")

    def __init__(self, table: Sequence[Mapping[str, Any]], number: int) -> None:
        self._table = table
        self._data = table[number]
        self._children: dict[str, Node | None] = {}

    def child(self, name: str) -> Node | None:
        """The property ``name``, or the value of a map; `None` when the schema does not know it."""
        if name not in self._children:
            number = self._data.get("p", {}).get(name, self._data.get("v"))
            self._children[name] = None if number is None else Node(self._table, number)
        return self._children[name]

    @property
    def items(self) -> Node | None:
        """The members of the list."""
        if "[]" not in self._children:
            number = self._data.get("i")
            self._children["[]"] = None if number is None else Node(self._table, number)
        return self._children["[]"]

    @property
    def values(self) -> Node | None:
        """The values of a map whose keys are the user's."""
        number = self._data.get("v")
        return None if number is None else Node(self._table, number)

    @property
    def names(self) -> tuple[str, ...]:
        """The property names, sorted."""
        return tuple(self._data.get("p", ()))

    @property
    def types(self) -> frozenset[str]:
        """JSON schema types: ``string``, ``integer``, ``number``, ``boolean``, ``array``, ``object``."""
        return frozenset(_TYPES[letter] for letter in self._data.get("t", ""))

    def is_a(self, name: str) -> bool:
        """Whether ``name`` (``string``, ...) is among the types."""
        return _LETTERS[name] in self._data.get("t", "")

    @property
    def free_form(self) -> bool:
        """Whether keys are the user's: maps, and objects whose properties the schema does not list."""
        return "f" in self._data

    @property
    def insertion_order(self) -> bool | None:
        """The registry's ``insertionOrder``; `None` when it says nothing."""
        value = self._data.get("o")
        return None if value is None else bool(value)

    @property
    def unique_items(self) -> bool:
        return bool(self._data.get("u"))

    @property
    def attribute_list(self) -> bool:
        """``arrayType: AttributeList``: the service fills the list with keys that nobody declared."""
        return "l" in self._data

    @property
    def has_default(self) -> bool:
        return "d" in self._data

    @property
    def default(self) -> Any:
        return self._data.get("d")

    @property
    def is_enum(self) -> bool:
        return "e" in self._data

    @property
    def enum(self) -> tuple[Any, ...]:
        """The allowed values; empty when there is no enumeration, or one too long to keep."""
        values = self._data.get("e")
        return tuple(values) if isinstance(values, list) else ()

    @property
    def enum_case_insensitive(self) -> bool:
        return "c" in self._data

    @property
    def pattern(self) -> str | None:
        """The registry's pattern: a Java regular expression."""
        return self._data.get("m")

    @property
    def format(self) -> str | None:
        return self._data.get("h")

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(self._data.get("q", ()))

    @property
    def references(self) -> tuple[str, ...]:
        """What the value names, as ``AWS::EC2::Subnet#SubnetId`` (the registry's relationshipRef)."""
        return tuple(self._data.get("r", ()))


_LETTERS: Final = {name: letter for letter, name in _TYPES.items()}


def normalised(path: Path) -> tuple[str, ...]:
    """The path with ``*`` for list indices."""
    return tuple("*" if isinstance(part, int) or part.isdigit() else part for part in path)


def split_pointer(pointer: str) -> tuple[str, ...]:
    """``/A/0/B`` -> ``("A", "0", "B")``, with ``~1`` and ``~0`` undone (RFC 6901)."""
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])


class TypeSchema:
    """One resource type.  Paths are sequences of names and indices; pointers in the sets hold ``*``."""

    def __init__(self, small: Mapping[str, Any]) -> None:
        self._small = small
        self.name: str = small["t"]
        self.root = Node(small["n"], 0)

    @cached_property
    def read_only(self) -> frozenset[tuple[str, ...]]:
        return self._pointers("ro")

    @cached_property
    def write_only(self) -> frozenset[tuple[str, ...]]:
        return self._pointers("wo")

    @cached_property
    def create_only(self) -> frozenset[tuple[str, ...]]:
        return self._pointers("co")

    @cached_property
    def conditional_create_only(self) -> frozenset[tuple[str, ...]]:
        return self._pointers("cc")

    @cached_property
    def deprecated(self) -> frozenset[tuple[str, ...]]:
        return self._pointers("dp")

    @cached_property
    def primary_identifier(self) -> tuple[tuple[str, ...], ...]:
        return tuple(tuple(pointer.split("/")) for pointer in self._small.get("pi", ()))

    @cached_property
    def additional_identifiers(self) -> tuple[tuple[tuple[str, ...], ...], ...]:
        return tuple(tuple(tuple(p.split("/")) for p in names) for names in self._small.get("ai", ()))

    @cached_property
    def transforms(self) -> Mapping[tuple[str, ...], tuple[str, ...]]:
        """propertyTransform: pointer -> JSONata expressions, each an alternative."""
        return {tuple(k.split("/")): tuple(v) for k, v in self._small.get("pt", {}).items()}

    @property
    def tag_property(self) -> str | None:
        """The top-level property that holds the tags; `None` when the type has none."""
        name = self._small.get("tp")
        return name.split("/")[0] if isinstance(name, str) else None

    @property
    def handlers(self) -> Mapping[str, tuple[str, ...]]:
        """create, read, update, delete, list -> the IAM actions that the handler calls."""
        return {name: tuple(actions) for name, actions in self._small.get("h", {}).items()}

    @property
    def readable(self) -> bool:
        """Whether Cloud Control can read it."""
        return "read" in self._small.get("h", {})

    def node(self, path: Path) -> Node | None:
        """The place at ``path``; list indices may be numbers, digits or ``*``."""
        node: Node | None = self.root
        for part in path:
            if node is None:
                return None
            is_member = isinstance(part, int) or part == "*" or part.isdigit()
            if is_member and node.items is not None:
                node = node.items
            else:
                node = node.child(str(part))
        return node

    def is_read_only(self, path: Path) -> bool:
        """Whether the registry lists the place, or one above it, as read-only."""
        return _under(path, self.read_only)

    def is_write_only(self, path: Path) -> bool:
        return _under(path, self.write_only)

    def is_create_only(self, path: Path) -> bool:
        """Whether a change replaces the resource (createOnly; conditionalCreateOnly is not asked here)."""
        return _under(path, self.create_only)

    def identifier_of(self, properties: Mapping[str, Any]) -> str | None:
        """The Cloud Control identifier, composite parts joined by ``|``; `None` if a part is missing."""
        parts = []
        for pointer in self.primary_identifier:
            value: Any = properties
            for name in pointer:
                value = value.get(name) if isinstance(value, Mapping) else None
            if value is None or isinstance(value, dict | list) or value == "":
                return None
            parts.append(str(value).lower() if isinstance(value, bool) else str(value))
        return "|".join(parts) if parts else None

    def known(self, pointer: str) -> bool:
        """Whether the schema has the place that the JSON pointer names (``*`` for any list member)."""
        return self._unknown_part(pointer) is None

    def suggestion(self, pointer: str) -> str | None:
        """For a pointer that is not `known`: the nearest that is, or `None`."""
        import difflib

        found = self._unknown_part(pointer)
        if found is None:
            return None
        parts, position, node = found
        folded = {name.lower(): name for name in node.names}
        near = difflib.get_close_matches(parts[position].lower(), folded, n=1, cutoff=0.6)
        if not near:
            return None
        return "/" + "/".join([*parts[:position], folded[near[0]], *parts[position + 1 :]])

    def _unknown_part(self, pointer: str) -> tuple[tuple[str, ...], int, Node] | None:
        parts = split_pointer(pointer)
        node = self.root
        for position, part in enumerate(parts):
            is_member = part == "*" or part.isdigit()
            below = node.items if is_member and node.items is not None else node.child(part)
            if below is None:
                return None if node.free_form else (parts, position, node)
            node = below
        return None

    def _pointers(self, short: str) -> frozenset[tuple[str, ...]]:
        return frozenset(tuple(pointer.split("/")) for pointer in self._small.get(short, ()))


def _under(path: Path, pointers: Iterable[tuple[str, ...]]) -> bool:
    if not pointers:
        return False
    plain = normalised(path)
    return any(plain[:length] in pointers for length in range(1, len(plain) + 1))
