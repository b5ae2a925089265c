"""The estate built: an organization, its roles, recorders and stacks, by public API calls alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from driftguard.sandbox.estate.plan import Estate, estate, template
from driftguard.sandbox.facade import Sandbox

_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]


def deploy(sandbox: Sandbox) -> None:
    """Build the estate in an empty sandbox with its default accounts.

    Raises RuntimeError with CloudFormation's own reason if a stack does not come up.
    """
    builder = _Builder(sandbox, estate())
    builder.clear_defaults()
    for stack in builder.estate.stacks:
        builder.stack(stack)
    for stack_set in builder.estate.stack_sets:
        builder.stack_set(stack_set)
    for recorder in builder.estate.recorders:
        builder.recorder(recorder)


def prepare_remediation(sandbox: Sandbox, body: str) -> None:
    """Deploy the stack of `driftguard remediate setup` in every account and region that lets us in.

    Roles are made in the first region alone.  Raises RuntimeError if a stack does not come up.
    """
    wanted = estate()
    principal = f"arn:aws:iam::{wanted.account('management')}:root"
    for number in wanted.accounts.values():
        for region in wanted.regions:
            client: Any = sandbox.session(account=number, region=region, principal="admin").client(
                "cloudformation"
            )
            try:
                client.create_stack(
                    StackName="driftguard-remediation",
                    TemplateBody=body,
                    Parameters=_parameters(
                        {"DriftguardPrincipal": principal, "RoleRegion": wanted.regions[0]}
                    ),
                    Capabilities=_CAPABILITIES,
                )
            except ClientError as error:
                if "AccessDenied" not in error.response["Error"]["Code"]:
                    raise
                continue  # a region that was closed in the night
            _expect(client, "driftguard-remediation", "CREATE_COMPLETE")


def redeploy(sandbox: Sandbox, stack_id: str, body: str) -> str:
    """Deploy another template of one stack, as the team's pipeline does; answers the stack that was updated.

    A nested stack is never updated by itself, but by its root.
    Raises RuntimeError if the update does not come to its end.
    """
    builder, (_, _, _, region, number, _) = _Builder(sandbox, estate()), stack_id.split(":", 5)
    name = next(name for name, one in builder.estate.accounts.items() if one == number)
    cloudformation = builder.client("cloudformation", name, region)
    [stack] = cloudformation.describe_stacks(StackName=stack_id)["Stacks"]
    if root := stack.get("RootId"):
        # As `aws cloudformation package` does: the file goes up under a name of its own, and the parent names it.
        old, whole = (
            str(cloudformation.get_template(StackName=one, TemplateStage="Original")["TemplateBody"])
            for one in (stack_id, root)
        )
        file = next(one for one in builder.estate.nested_templates if template(one) == old)
        packaged = f"{hashlib.sha256(body.encode()).hexdigest()[:12]}-{file}"
        builder.client("s3", name, region).put_object(
            Bucket=f"templates-{number}-{region}", Key=packaged, Body=body.encode()
        )
        [stack] = cloudformation.describe_stacks(StackName=root)["Stacks"]
        body = whole.replace(file, packaged)
    cloudformation.update_stack(
        StackName=stack["StackId"],
        TemplateBody=body,
        Capabilities=_CAPABILITIES,
        Parameters=[
            {"ParameterKey": one["ParameterKey"], "UsePreviousValue": True}
            for one in stack.get("Parameters", ())
        ],
    )
    _expect(cloudformation, stack["StackId"], "UPDATE_COMPLETE")
    return str(stack["StackName"])


class _Builder:
    """The calls that build an estate, made as the pipeline's role."""

    def __init__(self, sandbox: Sandbox, wanted: Estate) -> None:
        self.estate = wanted
        self._sandbox = sandbox

    def client(self, service: str, account: str, region: str) -> Any:
        """A client of the deployment role in an account of the estate, called by name."""
        number = self.estate.account(account)
        who = f"arn:aws:sts::{number}:assumed-role/Deployment/pipeline"
        session: Any = self._sandbox.session(account=number, region=region, principal=who)
        return session.client(service)

    def clear_defaults(self) -> None:
        """Take away what AWS puts into every new account and no stack declares.

        Default networks, and the role with which Organizations lets the management account in: a platform
        team removes both before an account is handed over.
        """
        for account in self.estate.accounts:
            for region in self.estate.regions:
                ec2 = self.client("ec2", account, region)
                mine = [{"Name": "is-default", "Values": ["true"]}]
                for vpc in ec2.describe_vpcs(Filters=mine)["Vpcs"]:
                    here = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
                    for subnet in ec2.describe_subnets(Filters=here)["Subnets"]:
                        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
                    ec2.delete_vpc(VpcId=vpc["VpcId"])
            iam = self.client("iam", account, self.estate.regions[0])
            for role in iam.list_roles()["Roles"]:
                _delete_role(iam, role["RoleName"])

    def stack(self, wanted: Mapping[str, Any]) -> None:
        """Create one stack and wait for it."""
        account, region = wanted["account"], wanted["region"]
        if wanted.get("nested"):
            self._upload(account, region)
        cloudformation = self.client("cloudformation", account, region)
        cloudformation.create_stack(
            StackName=wanted["name"],
            TemplateBody=template(wanted["template"]),
            Parameters=_parameters(wanted.get("parameters", {})),
            Tags=[{"Key": key, "Value": value} for key, value in wanted.get("tags", {}).items()],
            Capabilities=_CAPABILITIES,
        )
        _expect(cloudformation, wanted["name"], "CREATE_COMPLETE")

    def stack_set(self, wanted: Mapping[str, Any]) -> None:
        """Create a stack set and its instances, each group with its own parameter overrides."""
        cloudformation = self.client("cloudformation", wanted["account"], wanted["region"])
        cloudformation.create_stack_set(
            StackSetName=wanted["name"],
            TemplateBody=template(wanted["template"]),
            Parameters=_parameters(wanted.get("parameters", {})),
            Capabilities=_CAPABILITIES,
            PermissionModel="SELF_MANAGED",
        )
        for instances in wanted["instances"]:
            cloudformation.create_stack_instances(
                StackSetName=wanted["name"],
                Accounts=[self.estate.account(name) for name in instances["accounts"]],
                Regions=instances["regions"],
                ParameterOverrides=_parameters(instances.get("overrides", {})),
            )
        summaries = cloudformation.list_stack_instances(StackSetName=wanted["name"])["Summaries"]
        for summary in summaries:
            if summary["Status"] != "CURRENT":
                raise RuntimeError(f"{wanted['name']} in {summary['Account']}: {summary.get('StatusReason')}")

    def recorder(self, wanted: Mapping[str, Any]) -> None:
        """Switch AWS Config on in one account and region."""
        number = self.estate.account(wanted["account"])
        config = self.client("config", wanted["account"], wanted["region"])
        group: dict[str, Any] = {
            "allSupported": True,
            "includeGlobalResourceTypes": bool(wanted.get("global")),
        }
        if excluded := wanted.get("excluded"):
            group = {
                "allSupported": False,
                "exclusionByResourceTypes": {"resourceTypes": excluded},
                "recordingStrategy": {"useOnly": "EXCLUSION_BY_RESOURCE_TYPES"},
            }
        role = "aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
        config.put_configuration_recorder(
            ConfigurationRecorder={
                "name": "default",
                "roleARN": f"arn:aws:iam::{number}:role/{role}",
                "recordingGroup": group,
            }
        )
        archive = f"log-archive-{self.estate.account('management')}"
        config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": archive})
        config.start_configuration_recorder(ConfigurationRecorderName="default")

    def _upload(self, account: str, region: str) -> None:
        bucket = f"templates-{self.estate.account(account)}-{region}"
        s3 = self.client("s3", account, region)
        for name in self.estate.nested_templates:
            s3.put_object(Bucket=bucket, Key=name, Body=template(name).encode())


def _parameters(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]


def _expect(cloudformation: Any, name: str, status: str) -> None:
    stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    if stack["StackStatus"] == status:
        return
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    failed = [e for e in events if e["ResourceStatus"].endswith("_FAILED")]
    reasons = "; ".join(f"{e['LogicalResourceId']}: {e.get('ResourceStatusReason', '')}" for e in failed)
    raise RuntimeError(f"stack {name} is {stack['StackStatus']}: {reasons}")


def _delete_role(iam: Any, name: str) -> None:
    for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
    for inline in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=inline)
    iam.delete_role(RoleName=name)
