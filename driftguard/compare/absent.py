"""A declared value that the live state does not show: removed, or never shown?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from driftguard.compare.equalities import Place
from driftguard.compare.equalities.networks import ports_mean_nothing
from driftguard.compare.equalities.transforms import gives_nothing
from driftguard.compare.forms import has_hole, is_empty, key, says_nothing
from driftguard.compare.tables import defaults, listed, row
from driftguard.model import GapReason, Json
from driftguard.schema import Node

NOT_RETURNED = "NOT_RETURNED"
"""AWS's read does not answer this property, or not in the state that is declared."""
_SECRET = re.compile(
    r"(Password|AuthToken|SecretString|PrivateKey|ClientSecret|SharedSecret|Passphrase|PreSharedKey)$"
)
_FORM = re.compile(r"(Id|Arn|ARN|Name|Identifier|String|S3Location|Base64|Response|InDays)$")
_MANY = 2
# What cannot be unset: AWS puts a value of its own where nobody gives one.
_ALWAYS = re.compile(
    r"(^Port|DBPort|Engine|EngineVersion|NodeType|InstanceType|InstanceClass|AllocatedStorage|VolumeSize"
    r"|SubnetGroupName|ParameterGroupName|MasterUsername|AvailabilityZone|VpcId|NetworkType|IpAddressType"
    r"|LicenseModel|StorageType|CidrBlock|MaintenanceWindow|BackupWindow|SnapshotWindow|CACertificateIdentifier)$"
)
_OFF = frozenset({"disabled", "none", "off", "disable", "not_configured", "inactive"})


@dataclass(frozen=True, slots=True)
class Absence:
    """``fold`` names the rule by which absent means the same; ``gap`` why nobody can tell; else: removed."""

    fold: str = ""
    gap: str = ""
    detail: str = ""


REMOVED = Absence()


def judge(value: Json, place: Place, parent: Node | None, live: Mapping[str, Json]) -> Absence:
    """What it means that ``value``, declared at ``place``, is not there.

    ``parent`` is the node of the object that lacks it, ``live`` that object.
    """
    path = place.general
    schema = place.schema
    if schema is not None and schema.is_write_only(path):
        return Absence(gap=GapReason.WRITE_ONLY)
    coverage = place.context.coverage
    if coverage is not None and str(place.path[0]) not in coverage:
        return Absence(gap=GapReason.NOT_IN_SOURCE)
    if has_hole(value) and not isinstance(value, Mapping | list | tuple):
        return Absence(gap=GapReason.UNRESOLVED)
    if value in (None, "", [], {}):
        return Absence(fold="declared-empty")
    if says_nothing(value):
        return Absence(gap=NOT_RETURNED, detail="AWS does not answer what holds nothing")
    if is_empty(value) and isinstance(value, Mapping):
        return Absence(gap=NOT_RETURNED, detail="AWS does not answer an empty choice")
    if _SECRET.search(place.name) and isinstance(value, str):
        return Absence(gap=GapReason.WRITE_ONLY, detail="AWS never answers a secret")
    same = _means_nothing(value, place)
    if same is not None:
        return same
    never = _never_returned(value, place, parent, live)
    if never is not None:
        return never
    if isinstance(value, Mapping | list | tuple):
        return _container(value, place)
    if gives_nothing(value, place):
        return Absence(gap=NOT_RETURNED, detail="the registry says that it reads back as nothing")
    return REMOVED


def _means_nothing(value: Json, place: Place) -> Absence | None:
    """A value that says what AWS does anyway, and so need not be answered."""
    if ports_mean_nothing(place):
        return Absence(gap=NOT_RETURNED, detail="a rule for all protocols has no ports")
    if value is False or (value == "false" and place.node is not None and place.node.is_a("boolean")):
        return Absence(fold="declared-false")
    if value == "false":
        return Absence(gap=NOT_RETURNED, detail="the value that switches it off is not answered")
    if isinstance(value, Mapping | list | tuple):
        # A whole setting that is gone was deleted, whatever new resources start with: a bucket's public
        # access block vanishes so.
        return None
    node = place.node
    if node is not None and node.has_default and key(node.default) == key(value):
        return Absence(gap=NOT_RETURNED, detail="what the schema calls the default is not answered")
    if any(key(known) == key(value) for known in defaults(place.type_name, place.general)):
        return Absence(gap=NOT_RETURNED, detail="the documented default is not answered")
    if value == 0 or (isinstance(value, str) and value.lower() in _OFF):
        return Absence(gap=NOT_RETURNED, detail="the value that switches it off is not answered")
    return None


def _never_returned(
    value: Json, place: Place, parent: Node | None, live: Mapping[str, Json]
) -> Absence | None:
    """A value that cannot have been removed, because AWS does not let anybody remove it."""
    schema = place.schema
    path = place.general
    if schema is not None and place.in_schema:
        if schema.is_create_only(path) or path in schema.conditional_create_only:
            return Absence(gap=NOT_RETURNED, detail="the property cannot change after creation")
        if path in schema.primary_identifier:
            return Absence(gap=NOT_RETURNED, detail="the property identifies the resource")
        if parent is not None and path[-1] in parent.required:
            return Absence(gap=NOT_RETURNED, detail="a resource cannot be without this property")
        if parent is not None and _ALWAYS.search(path[-1]) and isinstance(value, str | int):
            return Absence(gap=NOT_RETURNED, detail="such a resource always has one")
        if path in schema.deprecated:
            return Absence(gap=NOT_RETURNED, detail="the property is deprecated")
        other = _other_name(path[-1], place, parent, live)
        if other:
            return Absence(gap=NOT_RETURNED, detail=f"AWS answers {other} instead")
        if _read_is_bare(place):
            return Absence(gap=NOT_RETURNED, detail="AWS's read answers identifiers alone")
    if listed("not-returned", place.type_name, path):
        return Absence(gap=NOT_RETURNED, detail="AWS's read does not answer this property")
    return None


def _other_name(name: str, place: Place, parent: Node | None, live: Mapping[str, Json]) -> str:
    """The undeclared live property beside it that holds the same thing in another form, if there is one.

    ``SourceSecurityGroupName`` is answered as ``SourceSecurityGroupId``, ``S3DestinationConfiguration`` as
    ``ExtendedS3DestinationConfiguration``.
    """
    if parent is None or not isinstance(place.declared, Mapping):
        return ""
    stem = _FORM.sub("", name)
    known = row("answered-as", place.type_name, place.general)
    if known is not None and not is_empty(live.get(known["name"])):
        return "" if known["name"] in place.declared else str(known["name"])
    for other in live:
        if other in place.declared or other not in parent.names or is_empty(live[other]):
            continue
        if (
            (stem != name and _FORM.sub("", other) == stem)
            or other == f"Extended{name}"
            or (other != name and _FORM.sub("", other) == name)
        ):
            return str(other)
    return ""


def _read_is_bare(place: Place) -> bool:
    """Whether the live state shows nothing but what identifies the resource: the read handler is a stub."""
    schema, live = place.schema, place.live_root
    if schema is None or len(place.root) < _MANY or any(name in live for name in place.root):
        return False
    return all(schema.is_read_only((name,)) or (name,) in schema.primary_identifier for name in live)


def _container(value: Json, place: Place) -> Absence:
    """An object or list is missing: it was removed, unless nothing in it could have been shown."""
    children = value.items() if isinstance(value, Mapping) else enumerate(value)
    verdicts = []
    for name, child in children:
        below = Place(
            path=(*place.path, name),
            node=_child(place.node, name),
            schema=place.schema,
            type_name=place.type_name,
            context=place.context,
            declared=value,
            root=place.root,
            live_root=place.live_root,
        )
        # What is required inside an object that is gone has gone with it: no parent is given.
        verdicts.append(judge(child, below, None, {}))
    if REMOVED in verdicts:
        return REMOVED
    gaps = [verdict for verdict in verdicts if verdict.gap]
    if not gaps and any(verdict.fold != "declared-empty" for verdict in verdicts):
        return Absence(gap=NOT_RETURNED, detail="AWS does not answer what is switched off")
    return gaps[0] if gaps else Absence(gap=NOT_RETURNED, detail="AWS does not answer what holds nothing")


def _child(node: Node | None, name: str | int) -> Node | None:
    if node is None:
        return None
    return node.items if isinstance(name, int) else node.child(name)
