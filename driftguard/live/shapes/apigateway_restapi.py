"""AWS::ApiGateway::RestApi: what GetRestApi answers, without policy and body."""

from driftguard.live.folding import Shape, names

COVERAGE = names(
    "ApiKeySourceType BinaryMediaTypes Description EndpointConfiguration MinimumCompressionSize Name"
)

SHAPE = Shape(
    type="AWS::ApiGateway::RestApi",
    coverage=COVERAGE,
    blind=names("EndpointConfiguration/VpcEndpointIds EndpointConfiguration/IpAddressType"),
    rename={
        "RestApiId": "id",
        "ApiKeySourceType": "apiKeySource",
    },
)
