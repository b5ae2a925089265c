"""Settings of an account or bucket that moto does not keep.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetSnapshotBlockPublicAccessState.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketRequestPayment.html
"""

from __future__ import annotations

from driftguard.sandbox.core import Context, Request, Response, operation

_STORE = "account.settings"
_SNAPSHOTS = "snapshot-block-public-access"


@operation("ec2", "GetSnapshotBlockPublicAccessState")
def snapshot_state(context: Context, request: Request) -> Response:
    """Accounts begin without the block."""
    return {"State": context.store(_STORE).get(_SNAPSHOTS, "unblocked"), "ManagedBy": "account"}


@operation("ec2", "EnableSnapshotBlockPublicAccess")
def block_snapshots(context: Context, request: Request) -> Response:
    """Block all sharing, or only new sharing."""
    context.store(_STORE)[_SNAPSHOTS] = request["State"]
    return {"State": request["State"]}


@operation("ec2", "DisableSnapshotBlockPublicAccess")
def unblock_snapshots(context: Context, request: Request) -> Response:
    """Lift the block."""
    context.store(_STORE)[_SNAPSHOTS] = "unblocked"
    return {"State": "unblocked"}


@operation("s3", "GetBucketRequestPayment")
def request_payment(context: Context, request: Request) -> Response:
    """The bucket's owner pays unless it was told otherwise."""
    return {"Payer": context.store(_STORE).get(f"payer/{request['Bucket']}", "BucketOwner")}


@operation("s3", "PutBucketRequestPayment")
def put_request_payment(context: Context, request: Request) -> Response:
    """Who pays for requests."""
    context.store(_STORE)[f"payer/{request['Bucket']}"] = request["RequestPaymentConfiguration"]["Payer"]
    return {}
