"""AWS::ApiGateway::Stage: the API is named in the ARN only; variables and method settings are not shown."""

from driftguard.live.config_items import ConfigurationItem
from driftguard.live.folding import Shape, names
from driftguard.model import Json

COVERAGE = names(
    """
    AccessLogSetting CacheClusterEnabled CacheClusterSize ClientCertificateId DeploymentId Description
    DocumentationVersion RestApiId StageName TracingEnabled
    """
)


def _finish(item: ConfigurationItem, properties: dict[str, Json]) -> None:
    # arn:aws:apigateway:REGION::/restapis/API/stages/STAGE
    parts = item.id.split("/")
    if "restapis" in parts:
        properties["RestApiId"] = parts[parts.index("restapis") + 1]


SHAPE = Shape(
    type="AWS::ApiGateway::Stage",
    coverage=COVERAGE,
    rename={"AccessLogSetting": "accessLogSettings"},
    finish=_finish,
)
