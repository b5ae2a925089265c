"""AWS::ElasticLoadBalancing::LoadBalancer: the classic load balancer, without its attributes."""

from driftguard.live.config_items import ConfigurationItem
from driftguard.live.folding import Shape, get, names, rows
from driftguard.model import Json

COVERAGE = names(
    "AvailabilityZones HealthCheck Instances Listeners LoadBalancerName Scheme SecurityGroups Subnets"
)


def _finish(item: ConfigurationItem, properties: dict[str, Json]) -> None:
    properties["Instances"] = [get(row, "instanceId") for row in rows(get(item.configuration, "instances"))]
    properties["Listeners"] = [
        {
            **(row.get("listener") or {}),
            "SSLCertificateId": get(row, "listener", "sSLCertificateId"),
            "PolicyNames": row.get("policyNames"),
        }
        for row in rows(get(item.configuration, "listenerDescriptions"))
    ]


SHAPE = Shape(type="AWS::ElasticLoadBalancing::LoadBalancer", coverage=COVERAGE, finish=_finish)
