"""AWS::CloudFront::StreamingDistribution: GetStreamingDistribution, with every list wrapped."""

from driftguard.live.cloudfront import unwrap
from driftguard.live.config_items import ConfigurationItem
from driftguard.live.folding import Shape, get, names
from driftguard.model import Json

COVERAGE = names("StreamingDistributionConfig")


def _finish(item: ConfigurationItem, properties: dict[str, Json]) -> None:
    found = get(item.configuration, "streamingDistributionConfig")
    signers = get(found, "trustedSigners") or {}
    plain = unwrap(found) or {}
    plain["TrustedSigners"] = {
        "Enabled": get(signers, "enabled"),
        "AwsAccountNumbers": get(signers, "items"),
    }
    plain.pop("trustedSigners", None)
    properties["StreamingDistributionConfig"] = plain


SHAPE = Shape(type="AWS::CloudFront::StreamingDistribution", coverage=COVERAGE, finish=_finish)
