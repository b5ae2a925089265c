"""AWS::ApiGatewayV2::Api: what GetApi answers."""

from driftguard.live.folding import Shape, names

COVERAGE = names(
    """
    ApiKeySelectionExpression CorsConfiguration Description DisableExecuteApiEndpoint Name
    ProtocolType RouteSelectionExpression Version
    """
)

SHAPE = Shape(
    type="AWS::ApiGatewayV2::Api",
    coverage=COVERAGE,
)
