"""The one way in which the sandbox handles a resource of any CloudFormation type.

One adapter serves CloudFormation, drift detection, Cloud Control, AWS Config and the resource scanner,
as one registry handler does in AWS.  An adapter talks to public AWS APIs through boto3 clients and
nothing else; to add a type, put a subclass of :class:`Adapter` into a module of this package.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, ClassVar, TypeVar
from urllib.parse import unquote

from botocore.exceptions import ClientError

from driftguard.sandbox.core import Context

Properties = dict[str, Any]
T = TypeVar("T")

ADAPTERS: dict[str, type[Adapter]] = {}

# Parts of error codes with which AWS says "there is no such thing", over all services.
_GONE = (
    "NotFound",
    "NoSuch",
    "NonExistent",
    "DoesNotExist",
    "404",
    "DoesNotExists",
    "NotExist",
    "NotFoundFault",
)


class Adapter:
    """Create, read, update, delete and list resources of one CloudFormation type.

    Properties are in CloudFormation shape, with every intrinsic resolved.  ``id`` is always what ``Ref``
    returns for the type (the physical id).  Methods may let botocore's ``ClientError`` escape: callers
    turn it into what the service at hand says.
    """

    type_name: ClassVar[str] = ""
    service: ClassVar[str] = ""
    """boto3 name of the service that :attr:`client` speaks to."""
    name_property: ClassVar[str] = ""
    """The property that gives the resource its name; CloudFormation generates one if it is absent."""
    name_limit: ClassVar[int] = 64
    """The longest name the service takes."""
    lower_case_name: ClassVar[bool] = False
    """Whether generated names must be in lower case (S3, RDS)."""
    tag_property: ClassVar[str | None] = "Tags"
    """The property that takes stack tags; None where the type has no tags."""
    tags_as_map: ClassVar[bool] = False
    """Whether tags are written {"key": "value"} instead of [{"Key":..., "Value":...}]."""
    unordered: ClassVar[tuple[str, ...]] = ("Tags",)
    """List properties (JSON pointers without indexes, leading slash omitted) whose order has no meaning,
    in addition to those that the registry schema names."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "type_name" in cls.__dict__ and cls.type_name:
            assert cls.type_name not in ADAPTERS, f"two adapters for {cls.type_name}"
            ADAPTERS[cls.type_name] = cls

    def __init__(self, context: Context) -> None:
        self.context = context

    @property
    def client(self) -> Any:
        """A boto3 client of the type's own service."""
        return self.context.client(self.service)

    def create(self, name: str, properties: Properties) -> str:
        """Create a resource and return its id.

        ``name`` is what the resource is called: the value of :attr:`name_property` or, without one, a
        name that CloudFormation generated.
        """
        raise NotImplementedError(f"{self.type_name} cannot be created")

    def read(self, id: str) -> Properties | None:
        """All properties that AWS shows, read-only ones included; None (or a not-found error) if gone."""
        raise NotImplementedError(f"{self.type_name} cannot be read")

    def update(self, id: str, old: Properties, new: Properties) -> None:
        """Move the resource from ``old`` to ``new``; what is equal in both may be left alone."""
        raise NotImplementedError(f"{self.type_name} cannot be updated")

    def delete(self, id: str) -> None:
        """Delete the resource; a not-found error is taken for success."""
        raise NotImplementedError(f"{self.type_name} cannot be deleted")

    def list_ids(self) -> list[str]:
        """The ids of all resources of this type in the account and region; [] where AWS cannot list."""
        return []

    def arn(self, id: str) -> str | None:
        """The resource's ARN, or None where the type has none."""
        return None

    def get_attribute(self, id: str, name: str) -> Any:
        """``Fn::GetAtt``: by default the property of that name (dots descend), or the ARN for "Arn"."""
        value: Any = self.read_or_none(id) or {}
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return self.arn(id) if value is None and name == "Arn" else value

    def identifier(self, id: str) -> str | None:
        """Cloud Control's identifier where the schema's primaryIdentifier does not give it; else None."""
        return None

    def read_or_none(self, id: str) -> Properties | None:
        """:meth:`read`, with every not-found error turned into None."""
        try:
            return self.read(id)
        except ClientError as error:
            if is_gone(error):
                return None
            raise


def adapter_for(type_name: str, context: Context) -> Adapter | None:
    """The adapter of a type, bound to the account and region of ``context``; None where there is none."""
    load_adapters()
    found = ADAPTERS.get(type_name)
    return found(context) if found else None


@cache
def load_adapters() -> tuple[str, ...]:
    """Import all modules of this package; the names of all types that have an adapter."""
    package = importlib.import_module("driftguard.sandbox.types")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return tuple(sorted(ADAPTERS))


def is_gone(error: ClientError) -> bool:
    """Whether AWS says that the thing asked for does not exist."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    return any(part in code for part in _GONE)


def unless(call: Callable[[], T], *codes: str) -> T | None:
    """The result of ``call``, or None if AWS answers with one of ``codes``."""
    try:
        return call()
    except ClientError as error:
        if error.response["Error"]["Code"] in codes:
            return None
        raise


def pick(source: Mapping[str, Any], *names: str) -> Properties:
    """The named members of ``source`` that are there and not empty (False and 0 are kept)."""
    return {n: source[n] for n in names if source.get(n) is not None and source[n] not in ("", [], {})}


def tag_map(tags: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    """[{"Key":..., "Value":...}] as a mapping; without AWS's own tags."""
    return {t["Key"]: t["Value"] for t in tags or () if not t["Key"].startswith("aws:")}


def tag_list(tags: Mapping[str, str] | Iterable[Mapping[str, str]] | None) -> list[dict[str, str]]:
    """A mapping, or any tag list (key/value in either case), as [{"Key":..., "Value":...}]."""
    if isinstance(tags, Mapping):
        pairs = list(tags.items())
    else:
        pairs = [(t.get("Key", t.get("key", "")), t.get("Value", t.get("value", ""))) for t in tags or ()]
    return [{"Key": k, "Value": v} for k, v in pairs if not k.startswith("aws:")]


def tag_changes(old: Properties, new: Properties, name: str = "Tags") -> tuple[dict[str, str], list[str]]:
    """The tags to set and the keys to remove in going from ``old`` to ``new``."""
    before, after = (_as_map(p.get(name)) for p in (old, new))
    return (
        {k: v for k, v in after.items() if before.get(k) != v},
        [k for k in before if k not in after],
    )


def _as_map(tags: Any) -> dict[str, str]:
    return dict(tags) if isinstance(tags, Mapping) else tag_map(tags)


def document(value: Any) -> Any:
    """A policy or other document as data, however the service wrote it (JSON text, URL-encoded or not)."""
    if not isinstance(value, str):
        return value
    for text in (value, unquote(value)):
        try:
            return json.loads(text)
        except ValueError:
            continue
    return value


def as_text(value: Any) -> str:
    """A document as the JSON text that APIs want."""
    return value if isinstance(value, str) else json.dumps(value)


def changed(old: Properties, new: Properties, *names: str) -> bool:
    """Whether any of the named properties differs."""
    return any(old.get(n) != new.get(n) for n in names)


def upper_first(value: Any) -> Any:
    """All keys with their first letter in upper case, deeply: JSON services to CloudFormation shape."""
    if isinstance(value, Mapping):
        return {k[:1].upper() + k[1:]: upper_first(v) for k, v in value.items()}
    return [upper_first(v) for v in value] if isinstance(value, list) else value


def lower_first(value: Any) -> Any:
    """All keys with their first letter in lower case, deeply: CloudFormation shape to JSON services."""
    if isinstance(value, Mapping):
        return {k[:1].lower() + k[1:]: lower_first(v) for k, v in value.items()}
    return [lower_first(v) for v in value] if isinstance(value, list) else value
