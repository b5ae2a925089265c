"""AWS::Elasticsearch::Domain: what DescribeElasticsearchDomain answers."""

from driftguard.live.folding import Shape, names

COVERAGE = names(
    """
    AdvancedSecurityOptions CognitoOptions DomainEndpointOptions DomainName EBSOptions
    ElasticsearchClusterConfig ElasticsearchVersion EncryptionAtRestOptions LogPublishingOptions
    NodeToNodeEncryptionOptions SnapshotOptions VPCOptions
    """
)

SHAPE = Shape(
    type="AWS::Elasticsearch::Domain",
    coverage=COVERAGE,
    blind=names("AdvancedSecurityOptions/MasterUserOptions"),
)
