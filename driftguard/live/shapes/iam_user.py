"""AWS::IAM::User: GetUser with its groups and policies."""

from driftguard.live.config_items import ConfigurationItem
from driftguard.live.folding import Shape, get, names
from driftguard.live.iam_documents import attached, inline_policies
from driftguard.model import Json

COVERAGE = names("Groups ManagedPolicyArns Path PermissionsBoundary Policies UserName")


def _finish(item: ConfigurationItem, properties: dict[str, Json]) -> None:
    found = item.configuration
    properties["ManagedPolicyArns"] = attached(get(found, "attachedManagedPolicies"))
    properties["Policies"] = inline_policies(get(found, "userPolicyList"))
    properties["PermissionsBoundary"] = get(found, "permissionsBoundary", "permissionsBoundaryArn")


SHAPE = Shape(type="AWS::IAM::User", coverage=COVERAGE, rename={"Groups": "groupList"}, finish=_finish)
