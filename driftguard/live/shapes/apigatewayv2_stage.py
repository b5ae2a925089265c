"""AWS::ApiGatewayV2::Stage: the API is named in the ARN only."""

from driftguard.live.config_items import ConfigurationItem
from driftguard.live.folding import Shape, names
from driftguard.model import Json

COVERAGE = names(
    """
    AccessLogSettings ApiId AutoDeploy ClientCertificateId DefaultRouteSettings DeploymentId Description
    StageName
    """
)


def _finish(item: ConfigurationItem, properties: dict[str, Json]) -> None:
    # arn:aws:apigateway:REGION::/apis/API/stages/STAGE
    parts = item.id.split("/")
    if "apis" in parts:
        properties["ApiId"] = parts[parts.index("apis") + 1]


SHAPE = Shape(type="AWS::ApiGatewayV2::Stage", coverage=COVERAGE, finish=_finish)
