"""AWS::CloudFront::Distribution: GetDistribution, with every list wrapped."""

from driftguard.live.cloudfront import distribution
from driftguard.live.config_items import ConfigurationItem
from driftguard.live.folding import Shape, get, names
from driftguard.model import Json

COVERAGE = names("DistributionConfig")


def _finish(item: ConfigurationItem, properties: dict[str, Json]) -> None:
    properties["DistributionConfig"] = distribution(get(item.configuration, "distributionConfig"))


SHAPE = Shape(
    type="AWS::CloudFront::Distribution",
    coverage=COVERAGE,
    blind=names(
        """
        DistributionConfig/AnycastIpListId DistributionConfig/CNAMEs DistributionConfig/CacheTagConfig
        DistributionConfig/ConnectionFunctionAssociation DistributionConfig/ConnectionMode
        DistributionConfig/CustomOrigin DistributionConfig/S3Origin DistributionConfig/TenantConfig
        DistributionConfig/ViewerMtlsConfig DistributionConfig/OriginGroups
        DistributionConfig/Origins/*/ResponseCompletionTimeout
        DistributionConfig/Origins/*/VpcOriginConfig
        DistributionConfig/Origins/*/CustomOriginConfig/IpAddressType
        DistributionConfig/Origins/*/CustomOriginConfig/OriginMtlsConfig
        DistributionConfig/Origins/*/S3OriginConfig/OriginReadTimeout
        DistributionConfig/DefaultCacheBehavior/GrpcConfig
        DistributionConfig/CacheBehaviors/*/GrpcConfig
        """
    ),
    finish=_finish,
)
