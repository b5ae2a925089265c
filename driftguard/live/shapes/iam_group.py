"""AWS::IAM::Group: GetGroup with its policies."""

from driftguard.live.config_items import ConfigurationItem
from driftguard.live.folding import Shape, get, names
from driftguard.live.iam_documents import attached, inline_policies
from driftguard.model import Json

COVERAGE = names("GroupName ManagedPolicyArns Path Policies")


def _finish(item: ConfigurationItem, properties: dict[str, Json]) -> None:
    properties["ManagedPolicyArns"] = attached(get(item.configuration, "attachedManagedPolicies"))
    properties["Policies"] = inline_policies(get(item.configuration, "groupPolicyList"))


SHAPE = Shape(type="AWS::IAM::Group", coverage=COVERAGE, finish=_finish)
