"""The registry's face: DescribeType, ListTypes, and the account's limits."""

from __future__ import annotations

from driftguard.sandbox import schemas
from driftguard.sandbox.core import ApiError, Context, Request, Response, operation, paginate
from driftguard.sandbox.types.base import load_adapters
from driftguard.schema import registry


@operation("cloudformation", "DescribeAccountLimits")
def describe_account_limits(context: Context, request: Request) -> Response:
    """Default quotas: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"""
    limits = {"StackLimit": 2000, "StackOutputsLimit": 200, "ConcurrentResourcesLimit": 2500}
    return {"AccountLimits": [{"Name": name, "Value": value} for name, value in limits.items()]}


@operation("cloudformation", "DescribeType")
def describe_type(context: Context, request: Request) -> Response:
    """What is known of a public type; without its schema's text, which the index does not keep."""
    name = request.get("TypeName") or str(request.get("Arn", "")).rsplit("/", 1)[-1].replace("-", "::")
    schema = schemas.schema_of(name)
    if schema is None:
        # Recorded by users of the command line.
        raise ApiError("TypeNotFoundException", f"The type '{name}' cannot be found.")
    mutable = bool({"update"} & set(schema.handlers)) or name in load_adapters()
    return {
        "Arn": f"arn:{context.partition}:cloudformation:{context.region}::type/resource/{name.replace('::', '-')}",
        "Type": "RESOURCE",
        "TypeName": name,
        "IsDefaultVersion": True,
        "ProvisioningType": "FULLY_MUTABLE" if mutable else "IMMUTABLE",
        "DeprecatedStatus": "LIVE",
        "Visibility": "PUBLIC",
        "IsActivated": True,
    }


@operation("cloudformation", "ListTypes")
def list_types(context: Context, request: Request) -> Response:
    """Public AWS types, or with Visibility PRIVATE none."""
    names = () if request.get("Visibility") == "PRIVATE" else registry().types()
    prefix = (request.get("Filters") or {}).get("TypeNamePrefix") or ""
    rows = [
        {
            "Type": "RESOURCE",
            "TypeName": name,
            "TypeArn": f"arn:{context.partition}:cloudformation:{context.region}::type/resource/{name.replace('::', '-')}",
        }
        for name in names
        if name.startswith(prefix)
    ]
    page, more = paginate(rows, request, limit="MaxResults", default=100)
    return {"TypeSummaries": page, **more}
