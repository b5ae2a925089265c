"""What an account has of services that moto knows in part or not at all.

Nothing is backed up, and no agent of Systems Manager runs: those lists are empty, as in a new account.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceImageMetadata.html
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstanceInformation.html
https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListProtectedResources.html
https://docs.aws.amazon.com/waf/latest/DDOSAPIReference/API_DescribeDRTAccess.html
https://docs.aws.amazon.com/macie/latest/APIReference/automated-discovery-configuration.html
"""

from __future__ import annotations

from botocore.exceptions import ClientError

from driftguard.sandbox.core import ApiError, Context, Request, Response, operation, paginate


@operation("ec2", "DescribeInstanceImageMetadata")
def instance_images(context: Context, request: Request) -> Response:
    """Every instance that is not terminated, with the image that it was started from."""
    ec2 = context.client("ec2")
    instances = [
        instance
        for page in ec2.get_paginator("describe_instances").paginate()
        for reservation in page["Reservations"]
        for instance in reservation["Instances"]
        if instance["State"]["Name"] != "terminated"
    ]
    wanted = sorted({instance["ImageId"] for instance in instances})
    images = {}
    if wanted:
        named = [{"Name": "image-id", "Values": wanted}]
        images = {image["ImageId"]: image for image in ec2.describe_images(Filters=named)["Images"]}
    rows = [
        {
            "InstanceId": instance["InstanceId"],
            "InstanceType": instance["InstanceType"],
            "LaunchTime": instance["LaunchTime"],
            "AvailabilityZone": instance["Placement"]["AvailabilityZone"],
            "State": instance["State"],
            "OwnerId": context.account,
            "Tags": instance.get("Tags", []),
            "ImageMetadata": _image(instance["ImageId"], images.get(instance["ImageId"], {})),
        }
        for instance in instances
    ]
    page, more = paginate(rows, request, limit="MaxResults", default=1000)
    return {"InstanceImageMetadata": page, **more}


def _image(image_id: str, image: dict[str, object]) -> dict[str, object]:
    shown = {"ImageId": image_id, "IsPublic": bool(image.get("Public")), "ImageAllowed": True}
    names = {"Name": "Name", "OwnerId": "OwnerId", "State": "State", "CreationDate": "CreationDate"}
    return shown | {ours: image[theirs] for ours, theirs in names.items() if image.get(theirs) is not None}


@operation("ssm", "DescribeInstanceInformation")
def managed_instances(context: Context, request: Request) -> Response:
    """No agent runs in the sandbox."""
    return {"InstanceInformationList": []}


@operation("ssm", "ListResourceComplianceSummaries")
def managed_compliance(context: Context, request: Request) -> Response:
    """Without agents there is nothing that is patched or associated."""
    return {"ResourceComplianceSummaryItems": []}


@operation("backup", "ListProtectedResources")
def protected_resources(context: Context, request: Request) -> Response:
    """No backup was ever made."""
    return {"Results": []}


@operation("backup", "ListRestoreJobs")
def restore_jobs(context: Context, request: Request) -> Response:
    """Nothing was ever restored."""
    return {"RestoreJobs": []}


@operation("shield", "DescribeDRTAccess")
def response_team(context: Context, request: Request) -> Response:
    """Nobody has let the response team in."""
    raise ApiError("ResourceNotFoundException", "The subscription does not exist.")


@operation("macie2", "GetAutomatedDiscoveryConfiguration")
def automated_discovery(context: Context, request: Request) -> Response:
    """Automated discovery is off until it is asked for; without Macie there is none."""
    try:
        context.client("macie2").get_macie_session()
    except ClientError as error:
        raise ApiError("AccessDeniedException", "Macie is not enabled.", status=403) from error
    return {"status": "DISABLED", "autoEnableOrganizationMembers": "NONE"}
