"""Live values that nobody declared: which of them are worth a word?

Not mentioned are values that are read-only, empty, fixed for the life of the resource, made by AWS (names, ids,
ARNs, times), or what the schema or the documentation says AWS fills in.  What is left is reported, unconfirmed:
without a witness nobody knows whether it ever was different.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from driftguard.compare.context import CompareContext
from driftguard.compare.forms import Path, general, is_empty, key
from driftguard.compare.tables import defaults, listed
from driftguard.compare.tags import holds_tags, without_foreign
from driftguard.compare.twins import is_twin
from driftguard.model import Json
from driftguard.schema import Node, TypeSchema

NOTHING: Any = object()
_STAMP = re.compile(
    r"(Creat|Updat|Modif|Chang|Register|Start|Last|Launch|Attach)[A-Za-z]*(Date|Time|At|On|Timestamp|By|Status)$"
    r"|^(OwnerId|OwnerAccountId|OwnerAccount|RequesterId|AccountId|AwsAccountId|CatalogId|RegistryId|RevisionId"
    r"|VersionId|ETag|Revision|State|Status|StatusReason|LifecycleState|Arn|ARN)$"
)
_SERVICE_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/aws-service-role/.+")
_RANDOM = re.compile(r"(?P<stem>.+)-[A-Za-z0-9]{8,16}")
_NAMES = frozenset(
    {"Key", "Name", "OptionName", "Namespace", "ResourceName", "ParameterName", "ResourceType"}
)
_UNSET = -1
"""What services answer for a number that nobody gave."""
_OFF = frozenset({"disabled", "none", "off"})
_DEFAULT_NAME = re.compile(r"(default|default[.:].+|aws/[a-z0-9-]+|alias/aws/[a-z0-9-]+)")


class Residue:
    """Takes from live-only values all that explains itself."""

    def __init__(
        self,
        schema: TypeSchema | None,
        type_name: str,
        context: CompareContext,
        live: Mapping[str, Json],
    ) -> None:
        self._schema = schema
        self._type = type_name
        self._context = context
        self._own = _own_names(schema, context, live)
        self._managed_keys = {
            name.rsplit("/", 1)[-1]
            for alias, name in context.kms_aliases.items()
            if alias.startswith("alias/aws/")
        }

    def of(self, value: Json, path: Path, node: Node | None, around: Mapping[str, Json]) -> Json:
        """What of ``value`` is worth reporting; `NOTHING` when it explains itself.  ``around`` holds it."""
        if self._explained(value, path, node, around):
            return NOTHING
        if holds_tags(path, self._schema):
            value, _ = without_foreign(value, None, self._context)
            return NOTHING if is_empty(value) else value
        if isinstance(value, Mapping):
            return self._of_object(value, path, node)
        if isinstance(value, list | tuple):
            items = node.items if node else None
            rests = [self.of(child, (*path, place), items, around) for place, child in enumerate(value)]
            rests = [rest for rest in rests if rest is not NOTHING]
            return value if rests else NOTHING
        return value

    def is_default(self, value: Json, path: Path, node: Node | None) -> bool:
        """Whether ``value`` is what schema or documentation call the default of ``path``."""
        return _is_default(value, node, defaults(self._type, general(path)))

    def _of_object(self, value: Mapping[str, Json], path: Path, node: Node | None) -> Json:
        left = {}
        for name, child in value.items():
            rest = self.of(child, (*path, name), node.child(name) if node else None, value)
            if rest is not NOTHING:
                left[name] = rest
        is_member = bool(path) and isinstance(path[-1], int)
        # A member of an attribute list of which only the name is left has no value worth a word.
        if is_member and left and len(left) < len(value) and all(name in _NAMES for name in left):
            return NOTHING
        return left or NOTHING

    def _explained(self, value: Json, path: Path, node: Node | None, around: Mapping[str, Json]) -> bool:
        place = general(path)
        schema = self._schema
        if listed("meaningful-when-off", self._type, place):
            return value is True or _is_default(value, node, defaults(self._type, place))
        if is_empty(value) or value in (False, "false", "0"):
            return True
        if value == _UNSET and node is not None and node.is_a("integer"):
            return True
        if schema is not None and (
            schema.is_read_only(place)
            # What cannot change after creation cannot drift: another value is another resource.
            or schema.is_create_only(place)
            or place in schema.primary_identifier
        ):
            return True
        if _is_default(value, node, defaults(self._type, place)):
            return True
        if listed("managed-by-aws", self._type, place):
            return True
        return self._generated(value, path, node, around)

    def _generated(self, value: Json, path: Path, node: Node | None, around: Mapping[str, Json]) -> bool:
        """A value that AWS made up or copied from what is known."""
        name = next((part for part in reversed(path) if isinstance(part, str)), "")
        is_known = node is not None
        if is_known and _STAMP.search(name) and not isinstance(value, Mapping):
            return True
        if not isinstance(value, str):
            return False
        if is_known and value.lower() in _OFF:
            return True
        context = self._context
        if value in self._own or value in (context.account_id, context.region, context.partition):
            return True
        if _DEFAULT_NAME.fullmatch(value) or _SERVICE_ROLE.fullmatch(value):
            return True
        if ":kms:" in value and value.rsplit("/", 1)[-1] in self._managed_keys:
            return True
        return self._named_by_stack(value) or is_twin(name, value, around)

    def _named_by_stack(self, value: str) -> bool:
        """``stack-logicalid-random``, in any case and cut to length."""
        logical = self._context.logical_id.lower()
        found = _RANDOM.fullmatch(value.rsplit("/", 1)[-1])
        if not found or not logical:
            return False
        stem = found.group("stem").lower().rsplit("-", 1)[-1]
        stack = self._context.stack_name.lower()
        if stack and not found.group("stem").lower().startswith(stack[: len(found.group("stem")) // 2]):
            return False
        return len(stem) >= 3 and logical.startswith(stem)


def _own_names(
    schema: TypeSchema | None, context: CompareContext, live: Mapping[str, Json]
) -> frozenset[str]:
    """The resource's own names: its physical id, its identifiers, the last words of its ARN."""
    names = {context.physical_id, *context.physical_id.split("|")}
    if schema is not None:
        pointers = [*schema.primary_identifier, *(p for one in schema.additional_identifiers for p in one)]
        for pointer in pointers:
            value: Json = live
            for part in pointer:
                value = value.get(part) if isinstance(value, Mapping) else None
            if isinstance(value, str):
                names.add(value)
    for name in tuple(names):
        if name.startswith("arn:") or "://" in name:
            names |= {re.split(r"[:/]", name)[-1], name.split(":", 5)[-1], name.rsplit("/", 1)[-1]}
    return frozenset(name for name in names if len(name) > 1)


def _is_default(value: Json, node: Node | None, documented: Any) -> bool:
    if node is not None and node.has_default and key(node.default) == key(value):
        return True
    return any(_covers(known, value) for known in documented)


def _covers(known: Json, value: Json) -> bool:
    """Whether ``value`` is the default ``known``; empty members beside it do not matter."""
    if isinstance(known, Mapping) and isinstance(value, Mapping):
        return all(
            _covers(known[name], child) if name in known else (is_empty(child) or child is False)
            for name, child in value.items()
        )
    if isinstance(known, list) and isinstance(value, list):
        # Lists of defaults are sets; nobody could have given them an order.
        free = list(known)
        for child in value:
            partner = next((one for one in free if _covers(one, child)), NOTHING)
            if partner is NOTHING:
                return False
            free.remove(partner)
        return not free
    return bool(key(known) == key(value))
