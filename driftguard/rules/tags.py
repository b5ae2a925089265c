"""The tags of the judged resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from driftguard.model import Source
from driftguard.rules.relations import Judged
from driftguard.rules.values import HOLES, Unseen, every, reason, same


def tags(c: Judged) -> Any:
    """The resource's tags as an object, without those of AWS (``aws:``); an `Unseen` when not shown."""
    resource = c.resource
    given = resource.properties.get("Tags")
    if given.__class__ in HOLES:
        return Unseen(reason(given))
    found = {key: value for key, value in resource.tags.items() if not key.startswith("aws:")}
    if not resource.tags and resource.source is not Source.TEMPLATE and resource.coverage is not None:
        shown = resource.coverage & {"Tags", "TagSet", "HostedZoneTags", "FileSystemTags"}
        if not shown:
            return Unseen(f"tags are not shown by {resource.source.value}")
    return found


def tagged(c: Judged, wanted: Any) -> Any:
    """Whether the resource has every tag of the object ``wanted``; true for null."""
    own = tags(c)
    if own.__class__ in HOLES or not isinstance(wanted, Mapping):
        return own if own.__class__ in HOLES and wanted else True
    return every(same(own.get(key), value) for key, value in wanted.items())
