"""AWS::IAM::ManagedPolicy: AWS Config calls a customer managed policy ``AWS::IAM::Policy``."""

from driftguard.live.config_items import ConfigurationItem
from driftguard.live.folding import Shape, get, names, rows
from driftguard.live.iam_documents import document
from driftguard.model import Json

COVERAGE = names("Description ManagedPolicyName Path PolicyDocument")


def _finish(item: ConfigurationItem, properties: dict[str, Json]) -> None:
    for version in rows(get(item.configuration, "policyVersionList")):
        if version.get("isDefaultVersion"):
            properties["PolicyDocument"] = document(version.get("document"))


SHAPE = Shape(
    type="AWS::IAM::ManagedPolicy",
    config_type="AWS::IAM::Policy",
    coverage=COVERAGE,
    rename={"ManagedPolicyName": "policyName", "PolicyArn": "arn"},
    finish=_finish,
)
