"""Terraform as declared state: the drift that Terraform found, and the inventory of what it manages.

Drift is read from ``resource_drift`` of a plan (``terraform plan -refresh-only``, ``terraform show -json``):
the provider compared, so no mapping of ours can be wrong.  States are an inventory only.
https://developer.hashicorp.com/terraform/internals/json-format
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from driftguard.declared.positions import join_pointer
from driftguard.declared.secrets import REDACTED, blanked, is_secret_name
from driftguard.declared.terraform_types import cloudformation_type
from driftguard.errors import InputError, Where
from driftguard.model import (
    DifferenceType,
    Drift,
    DriftStatus,
    Json,
    PropertyDifference,
    ResourceKey,
)
from driftguard.model.resource import key_region

_MAX_BYTES = 500_000_000
_EMPTY: tuple[Json, ...] = (None, "", [], {})


class TerraformKind(StrEnum):
    STATE = "STATE"
    PLAN = "PLAN"


@dataclass(frozen=True, slots=True, kw_only=True)
class TerraformResource:
    """One managed resource.  ``type`` is Terraform's; ``cloudformation_type`` is ``None`` if none matches.

    ``attributes`` are blanked: no secret gets this far.
    """

    address: str
    type: str
    cloudformation_type: str | None
    id: str | None
    arn: str | None
    attributes: Mapping[str, Json]
    provider: str = ""

    @property
    def account(self) -> str:
        """The account in the ARN, if there is one."""
        return _arn_part(self.arn, 4)

    @property
    def region(self) -> str:
        """The region in the ARN, if there is one."""
        return _arn_part(self.arn, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class TerraformDocument:
    """A state or a plan.  ``drifts`` is empty for a state, which has nothing to compare."""

    file: str
    kind: TerraformKind
    resources: tuple[TerraformResource, ...] = ()
    drifts: tuple[Drift, ...] = ()
    terraform_version: str = ""


def load_terraform(path: Path, *, account: str = "", region: str = "") -> TerraformDocument:
    """A state (version 4, or ``terraform show -json``) or a plan (``terraform show -json PLAN``).

    ``account`` and ``region`` stand in for resources without an ARN.  Raises `InputError`.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise InputError("this is larger than a Terraform state can be.", where=Where(str(path)))
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"this cannot be read: {error.strerror}.", where=Where(str(path))) from None
    return parse_terraform(_decoded(data, str(path)), str(path), account=account, region=region)


def _decoded(data: bytes, file: str) -> str:
    """PowerShell writes ``>`` redirections in UTF-16."""
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"", "utf-8-sig")):
        if data.startswith(mark):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError:
                break
    raise InputError("this is not UTF-8 or UTF-16 text.", where=Where(file, 1))


def parse_terraform(text: str, file: str, *, account: str = "", region: str = "") -> TerraformDocument:
    """The same from a text."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        raise InputError("this is not JSON.", where=Where(file, line)) from None
    if not isinstance(document, dict):
        raise _not_terraform(file)
    if "format_version" in document:
        return _shown(document, file, account, region)
    if document.get("version") == 4 and "serial" in document:
        resources = tuple(_version_4(document))
        version = str(document.get("terraform_version", ""))
        return TerraformDocument(
            file=file, kind=TerraformKind.STATE, resources=resources, terraform_version=version
        )
    if isinstance(document.get("version"), int) and "modules" in document:
        raise InputError(
            f"states of version {document['version']} are not read.",
            where=Where(file, 1),
            fix="`terraform show -json` of Terraform 0.12 or later gives a form that is.",
        )
    raise _not_terraform(file)


def _not_terraform(file: str) -> InputError:
    return InputError(
        "this is neither a Terraform state nor the output of `terraform show -json`.", where=Where(file, 1)
    )


def _shown(document: Mapping[str, Json], file: str, account: str, region: str) -> TerraformDocument:
    version = str(document["format_version"])
    if version.split(".")[0] not in ("0", "1"):
        raise InputError(
            f"the format version {version} is newer than what driftguard knows (1).", where=Where(file, 1)
        )
    is_plan = any(name in document for name in ("resource_changes", "planned_values", "resource_drift"))
    values = document.get("values")
    if is_plan:
        prior = document.get("prior_state")
        values = prior.get("values") if isinstance(prior, Mapping) else None
    root = values.get("root_module") if isinstance(values, Mapping) else None
    try:
        return TerraformDocument(
            file=file,
            kind=TerraformKind.PLAN if is_plan else TerraformKind.STATE,
            resources=tuple(_module(root, 0)) if isinstance(root, Mapping) else (),
            drifts=tuple(_drifts(document.get("resource_drift") or (), account, region)),
            terraform_version=str(document.get("terraform_version", "")),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"a resource in it has no {error}.", where=Where(file, 1)) from None


# -- states -------------------------------------------------------------------------------------------------


def _module(module: Mapping[str, Json], depth: int) -> Iterator[TerraformResource]:
    for item in module.get("resources") or ():
        if item.get("mode") == "managed":
            values = _blank(item.get("values") or {}, item.get("sensitive_values"))
            yield _resource(
                str(item["address"]), str(item["type"]), values, str(item.get("provider_name", ""))
            )
    for child in module.get("child_modules") or () if depth < 100 else ():
        yield from _module(child, depth + 1)


def _version_4(document: Mapping[str, Json]) -> Iterator[TerraformResource]:
    for item in document.get("resources") or ():
        if not isinstance(item, Mapping) or item.get("mode") != "managed":
            continue
        base = ".".join(str(item[name]) for name in ("module", "type", "name") if item.get(name))
        for instance in item.get("instances") or ():
            if instance.get("deposed"):
                continue
            attributes = instance.get("attributes") or instance.get("attributes_flat") or {}
            for path in instance.get("sensitive_attributes") or ():
                if isinstance(path, list):
                    attributes = _without(attributes, [_step(step) for step in path])
            key = instance.get("index_key")
            address = base if key is None else f"{base}[{json.dumps(key)}]"
            yield _resource(address, str(item.get("type", "")), attributes, str(item.get("provider", "")))


def _step(step: Json) -> Json:
    value = step.get("value") if isinstance(step, Mapping) else step
    return value.get("value") if isinstance(value, Mapping) else value


def _without(value: Json, path: Sequence[Json]) -> Json:
    """``value`` with what stands at ``path`` blanked."""
    if not path:
        return REDACTED
    if isinstance(value, Mapping) and path[0] in value:
        return {**value, path[0]: _without(value[path[0]], path[1:])}
    if isinstance(value, list) and isinstance(path[0], int) and path[0] < len(value):
        return [_without(item, path[1:]) if index == path[0] else item for index, item in enumerate(value)]
    return value


def _resource(
    address: str, type_name: str, attributes: Mapping[str, Json], provider: str
) -> TerraformResource:
    safe = blanked(attributes)
    own = safe.get("id")
    arn = next(
        (item for item in (safe.get("arn"), own) if isinstance(item, str) and item.startswith("arn:")), None
    )
    return TerraformResource(
        address=address,
        type=type_name,
        cloudformation_type=cloudformation_type(type_name),
        id=str(own) if own is not None else None,
        arn=arn,
        attributes=safe,
        provider=provider,
    )


def _blank(value: Json, sensitive: Json) -> Json:
    """``value`` without what the parallel structure ``sensitive`` marks with ``true``."""
    if sensitive is True:
        return REDACTED
    if isinstance(value, Mapping) and isinstance(sensitive, Mapping):
        return {key: _blank(item, sensitive.get(key)) for key, item in value.items()}
    if isinstance(value, list) and isinstance(sensitive, list):
        marks = [*sensitive, *([None] * (len(value) - len(sensitive)))]
        return [_blank(item, mark) for item, mark in zip(value, marks, strict=False)]
    return value


def _arn_part(arn: str | None, index: int) -> str:
    parts = (arn or "").split(":", 5)
    return parts[index] if len(parts) == 6 else ""


# -- plans --------------------------------------------------------------------------------------------------


def _drifts(rows: Sequence[Mapping[str, Json]], account: str, region: str) -> Iterator[Drift]:
    for row in rows:
        change = row["change"]
        actions = change.get("actions") or ["no-op"]
        if row.get("mode") == "data" or actions == ["no-op"]:
            continue
        before, after = change.get("before") or {}, change.get("after") or {}
        marks = (change.get("before_sensitive"), change.get("after_sensitive"))
        resource = _resource(str(row["address"]), str(row["type"]), _blank(before or after, marks[0]), "")
        gone = actions == ["delete"] or not after
        found: list[PropertyDifference] = []
        if not gone:
            _compare(before, after, marks, (), found)
            if not found:
                continue
        type_name = resource.cloudformation_type or resource.type
        yield Drift(
            key=ResourceKey(
                account=resource.account or account,
                region=key_region(type_name, resource.region or region),
                partition=_arn_part(resource.arn, 1) or "aws",
                type=type_name,
                identifier=resource.id or resource.address,
            ),
            status=DriftStatus.DELETED if gone else DriftStatus.MODIFIED,
            logical_id=resource.address,
            physical_id=resource.id or "",
            stack="terraform",
            differences=tuple(found),
        )


def _compare(
    before: Json,
    after: Json,
    marks: tuple[Json, Json],
    path: tuple[str | int, ...],
    found: list[PropertyDifference],
) -> None:
    """Every leaf that differs; values that are sensitive on either side are named, never shown."""
    if before == after:
        return
    secret = True in marks or (bool(path) and is_secret_name(str(path[-1])))
    if isinstance(before, Mapping) and isinstance(after, Mapping) and not secret:
        for key in sorted({*before, *after}):
            _compare(before.get(key), after.get(key), _inner(marks, key), (*path, key), found)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after) and not secret:
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            _compare(one, other, _inner(marks, index), (*path, index), found)
    elif before not in _EMPTY or after not in _EMPTY:
        found.append(
            PropertyDifference(
                path=join_pointer(path),
                expected=REDACTED if secret else blanked(_blank(before, marks[0])),
                actual=REDACTED if secret else blanked(_blank(after, marks[1])),
                type=_kind(before, after),
                rule="terraform",
            )
        )


def _inner(marks: tuple[Json, Json], key: str | int) -> tuple[Json, Json]:
    def one(mark: Json) -> Json:
        if isinstance(mark, Mapping):
            return mark.get(key)
        inside = isinstance(mark, list) and isinstance(key, int) and key < len(mark)
        return mark[key] if inside else None

    return one(marks[0]), one(marks[1])


def _kind(before: Json, after: Json) -> DifferenceType:
    if before in _EMPTY:
        return DifferenceType.ADD
    return DifferenceType.REMOVE if after in _EMPTY else DifferenceType.NOT_EQUAL
