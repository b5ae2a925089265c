"""AWS::EC2::FlowLog: what DescribeFlowLogs answers; the kind of resource follows from its id."""

from driftguard.live.config_items import ConfigurationItem
from driftguard.live.folding import Shape, names
from driftguard.model import Json

COVERAGE = names(
    """
    DeliverLogsPermissionArn DestinationOptions LogDestination LogDestinationType LogFormat LogGroupName
    MaxAggregationInterval ResourceId ResourceType TrafficType
    """
)
_KINDS = {
    "vpc": "VPC",
    "subnet": "Subnet",
    "eni": "NetworkInterface",
    "tgw": "TransitGateway",
}


def _finish(item: ConfigurationItem, properties: dict[str, Json]) -> None:
    prefix = str(properties.get("ResourceId", "")).split("-", 1)[0]
    properties["ResourceType"] = _KINDS.get(prefix)


SHAPE = Shape(type="AWS::EC2::FlowLog", coverage=COVERAGE, rename={"Id": "flowLogId"}, finish=_finish)
