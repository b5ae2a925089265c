"""What the adapters of EC2 have in common: one describe call, and tags by resource id."""

from __future__ import annotations

from typing import Any, ClassVar

from driftguard.sandbox.types.base import Adapter, Properties, tag_changes, tag_list


class Ec2Adapter(Adapter):
    """A resource that EC2 describes by its id and tags with CreateTags."""

    service = "ec2"
    kind: ClassVar[str] = ""
    """The ResourceType of TagSpecifications."""
    describe: ClassVar[tuple[str, str, str, str]] = ("", "", "", "")
    """Client method, its ids argument, the list in the answer, and the id in each element."""

    def found(self, id: str) -> dict[str, Any] | None:
        """The description of one resource, or None."""
        method, argument, answer, _ = self.describe
        items = getattr(self.client, method)(**{argument: [id]})[answer]
        return dict(items[0]) if items else None

    def list_ids(self) -> list[str]:
        method, _, answer, key = self.describe
        pages = self.client.get_paginator(method).paginate() if self.client.can_paginate(method) else None
        answers = pages if pages is not None else [getattr(self.client, method)()]
        return [item[key] for page in answers for item in page[answer]]

    def tagged(self, properties: Properties) -> dict[str, Any]:
        """The TagSpecifications argument of a create call, if there are tags."""
        tags = properties.get("Tags")
        return {"TagSpecifications": [{"ResourceType": self.kind, "Tags": tags}]} if tags else {}

    def retag(self, id: str, old: Properties, new: Properties) -> None:
        """Bring the tags from ``old`` to ``new``."""
        added, removed = tag_changes(old, new)
        if added:
            self.client.create_tags(Resources=[id], Tags=tag_list(added))
        if removed:
            self.client.delete_tags(Resources=[id], Tags=[{"Key": key} for key in removed])


def tags_of(description: dict[str, Any]) -> Properties:
    """``{"Tags": [...]}`` of a described resource, or nothing where it has none of its own."""
    tags = tag_list(description.get("Tags"))
    return {"Tags": tags} if tags else {}
