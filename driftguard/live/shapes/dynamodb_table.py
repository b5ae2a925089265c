"""AWS::DynamoDB::Table: DescribeTable with summaries where CloudFormation has settings."""

from collections.abc import Mapping

from driftguard.live.config_items import ConfigurationItem
from driftguard.live.folding import Shape, get, names, rows
from driftguard.model import Json

COVERAGE = names(
    """
    AttributeDefinitions BillingMode GlobalSecondaryIndexes KeySchema LocalSecondaryIndexes
    ProvisionedThroughput SSESpecification StreamSpecification TableClass TableName
    """
)
_THROUGHPUT = ("ReadCapacityUnits", "WriteCapacityUnits")


def _finish(item: ConfigurationItem, properties: dict[str, Json]) -> None:
    on_demand = properties.setdefault("BillingMode", "PROVISIONED") == "PAY_PER_REQUEST"
    _throughput(properties, on_demand)
    for index in rows(properties.get("GlobalSecondaryIndexes")):
        assert isinstance(index, dict)
        _throughput(index, on_demand)
    properties["SSESpecification"] = _encryption(item.configuration)
    stream = properties.get("StreamSpecification") or {}
    properties["StreamSpecification"] = {"StreamViewType": stream.get("StreamViewType")}
    if not stream.get("StreamViewType"):
        del properties["StreamSpecification"]
    recovery = get(item.supplementary, "ContinuousBackupsDescription", "pointInTimeRecoveryDescription")
    status = get(recovery, "pointInTimeRecoveryStatus")
    if status is not None:
        properties["PointInTimeRecoverySpecification"] = {"PointInTimeRecoveryEnabled": status == "ENABLED"}


def _throughput(holder: dict[str, Json], on_demand: bool) -> None:
    found = holder.pop("ProvisionedThroughput", None)
    if isinstance(found, Mapping) and not on_demand:
        holder["ProvisionedThroughput"] = {name: found[name] for name in _THROUGHPUT if name in found}


def _encryption(configuration: Mapping[str, Json]) -> Json:
    # AWS Config has spelt this one sSEDescription and ssedescription.
    found = get(configuration, "sSEDescription")
    if get(found, "status") not in ("ENABLED", "ENABLING", "UPDATING"):
        return None
    key = get(found, "kMSMasterKeyArn")
    return {"SSEEnabled": True, "SSEType": get(found, "sSEType"), "KMSMasterKeyId": key}


SHAPE = Shape(
    type="AWS::DynamoDB::Table",
    coverage=COVERAGE,
    blind=names(
        """
        GlobalSecondaryIndexes/*/ContributorInsightsSpecification
        GlobalSecondaryIndexes/*/OnDemandThroughput GlobalSecondaryIndexes/*/WarmThroughput
        StreamSpecification/ResourcePolicy
        """
    ),
    rename={"BillingMode": "billingModeSummary.billingMode", "TableClass": "tableClassSummary.tableClass"},
    finish=_finish,
)
