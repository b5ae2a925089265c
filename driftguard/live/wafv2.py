"""What the four WAFv2 types share: the scope stands in the ARN."""

from __future__ import annotations

from driftguard.live.config_items import ConfigurationItem
from driftguard.model import Json


def set_scope(item: ConfigurationItem, properties: dict[str, Json]) -> None:
    """``arn:aws:wafv2:us-east-1:ACCOUNT:global/webacl/NAME/ID`` is a CloudFront one."""
    path = (item.arn or item.id).split(":", 5)[-1]
    if path.startswith("global/"):
        properties["Scope"] = "CLOUDFRONT"
    elif path.startswith("regional/"):
        properties["Scope"] = "REGIONAL"
