"""AWS::CloudFormation::Stack: DescribeStacks, with drift, policy and members beside it."""

from collections.abc import Mapping

from driftguard.live.config_items import ConfigurationItem
from driftguard.live.folding import Shape, get, names, rows
from driftguard.model import Json

COVERAGE = names("NotificationARNs Parameters TimeoutInMinutes")


def _finish(item: ConfigurationItem, properties: dict[str, Json]) -> None:
    found = get(item.configuration, "parameters")
    if isinstance(found, list):
        properties["Parameters"] = {row.get("parameterKey"): row.get("parameterValue") for row in rows(found)}
    elif isinstance(found, Mapping):
        properties["Parameters"] = dict(found)


SHAPE = Shape(type="AWS::CloudFormation::Stack", coverage=COVERAGE, finish=_finish)
