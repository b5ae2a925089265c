"""AWS::Redshift::ClusterParameterGroup: only parameters that a person set are CloudFormation's."""

from driftguard.live.config_items import ConfigurationItem
from driftguard.live.folding import Shape, get, names, rows
from driftguard.model import Json

COVERAGE = names("Description ParameterGroupFamily ParameterGroupName Parameters")


def _finish(item: ConfigurationItem, properties: dict[str, Json]) -> None:
    properties["Parameters"] = [
        {"ParameterName": row.get("parameterName"), "ParameterValue": row.get("parameterValue")}
        for row in rows(get(item.supplementary, "Parameters"))
        if row.get("source") == "user"
    ]


SHAPE = Shape(type="AWS::Redshift::ClusterParameterGroup", coverage=COVERAGE, finish=_finish)
