"""AWS::IAM::Role: GetRole with its inline and attached policies; documents are URL-encoded."""

from driftguard.live.config_items import ConfigurationItem
from driftguard.live.folding import Shape, get, names
from driftguard.live.iam_documents import attached, document, inline_policies
from driftguard.model import Json

# Description and MaxSessionDuration are in GetRole, but not in the item.
COVERAGE = names("AssumeRolePolicyDocument ManagedPolicyArns Path PermissionsBoundary Policies RoleName")


def _finish(item: ConfigurationItem, properties: dict[str, Json]) -> None:
    found = item.configuration
    properties["AssumeRolePolicyDocument"] = document(get(found, "assumeRolePolicyDocument"))
    properties["ManagedPolicyArns"] = attached(get(found, "attachedManagedPolicies"))
    properties["Policies"] = inline_policies(get(found, "rolePolicyList"))
    properties["PermissionsBoundary"] = get(found, "permissionsBoundary", "permissionsBoundaryArn")
    for name in ("Description", "MaxSessionDuration"):
        if get(found, name) is not None:
            properties[name] = get(found, name)


SHAPE = Shape(type="AWS::IAM::Role", coverage=COVERAGE, finish=_finish)
