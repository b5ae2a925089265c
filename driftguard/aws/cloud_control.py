"""Cloud Control: one shape for every resource type that has a read handler.

A read calls the service itself with the caller's permissions, so a denial names the service's action
(``s3:GetBucketTagging``), not Cloud Control's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from driftguard.aws.actions import reads
from driftguard.aws.gateway import Gateway

PAGE = 100


class CloudControl(Gateway):
    """Cloud Control's IAM actions carry CloudFormation's prefix.

    https://docs.aws.amazon.com/cloudcontrolapi/latest/userguide/security-iam.html
    """

    SERVICE = "cloudcontrol"
    PREFIX = "cloudformation"

    @reads("cloudformation:GetResource")
    def get(self, type_name: str, identifier: str) -> dict[str, Any]:
        """The model of one resource.  Raises `GoneError` when AWS says that it does not exist."""
        answer = self.call("GetResource", TypeName=type_name, Identifier=identifier)
        model: dict[str, Any] = json.loads(answer["ResourceDescription"]["Properties"])
        return model

    @reads("cloudformation:ListResources")
    def list(
        self, type_name: str, parents: Mapping[str, Any] | None = None
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """Identifier and (often abridged) model of every resource of a type.

        ``parents`` are the properties that a type needs to be listed at all, such as the load balancer of
        a listener.
        """
        rows = self.items(
            "ListResources",
            "ResourceDescriptions",
            TypeName=type_name,
            ResourceModel=json.dumps(parents, sort_keys=True) if parents else None,
            MaxResults=PAGE,
        )
        for row in rows:
            yield row["Identifier"], json.loads(row.get("Properties") or "{}")
