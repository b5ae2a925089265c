"""AWS::AutoScaling::AutoScalingGroup: DescribeAutoScalingGroups; some lists are wrapped, one is joined by commas."""

from driftguard.live.config_items import ConfigurationItem
from driftguard.live.folding import Shape, get, names, rows
from driftguard.model import Json

COVERAGE = names(
    """
    AutoScalingGroupName AvailabilityZones CapacityRebalance Cooldown DefaultInstanceWarmup DesiredCapacity
    DesiredCapacityType HealthCheckGracePeriod HealthCheckType LaunchConfigurationName LaunchTemplate
    LoadBalancerNames MaxInstanceLifetime MaxSize MinSize NewInstancesProtectedFromScaleIn PlacementGroup
    ServiceLinkedRoleARN TargetGroupARNs TerminationPolicies VPCZoneIdentifier
    """
)


def _finish(item: ConfigurationItem, properties: dict[str, Json]) -> None:
    zones = get(item.configuration, "availabilityZones") or []
    properties["AvailabilityZones"] = [
        zone if isinstance(zone, str) else get(zone, "value") for zone in zones
    ]
    subnets = get(item.configuration, "vPCZoneIdentifier")
    if isinstance(subnets, str):
        properties["VPCZoneIdentifier"] = [part for part in subnets.split(",") if part]
    properties["MetricsCollection"] = _metrics(item)
    if not properties["MetricsCollection"]:
        del properties["MetricsCollection"]


def _metrics(item: ConfigurationItem) -> list[Json]:
    by_granularity: dict[str, list[Json]] = {}
    for row in rows(get(item.configuration, "enabledMetrics")):
        by_granularity.setdefault(str(row.get("granularity")), []).append(row.get("metric"))
    return [{"Granularity": key, "Metrics": sorted(found)} for key, found in by_granularity.items()]


SHAPE = Shape(
    type="AWS::AutoScaling::AutoScalingGroup",
    coverage=COVERAGE,
    rename={"Cooldown": "defaultCooldown"},
    finish=_finish,
)
