"""AWS::ElasticBeanstalk::Environment: DescribeEnvironments; option settings are keyed by namespace and name."""

from collections.abc import Mapping

from driftguard.live.config_items import ConfigurationItem
from driftguard.live.folding import Shape, get, names
from driftguard.model import Json

COVERAGE = names(
    "ApplicationName Description EnvironmentName OptionSettings PlatformArn SolutionStackName Tier VersionLabel"
)


def _finish(item: ConfigurationItem, properties: dict[str, Json]) -> None:
    settings = get(item.configuration, "optionSettings")
    if isinstance(settings, Mapping):
        properties["OptionSettings"] = [
            {"Namespace": namespace, "OptionName": name, "Value": get(setting, "value")}
            for namespace, options in sorted(settings.items())
            if isinstance(options, Mapping)
            for name, setting in sorted(options.items())
        ]


SHAPE = Shape(
    type="AWS::ElasticBeanstalk::Environment",
    coverage=COVERAGE,
    blind=names("OptionSettings/*/ResourceName"),
    finish=_finish,
)
