"""The KMS key of a log group, which moto takes only when the group is made."""

from __future__ import annotations

from typing import Any

from driftguard.sandbox.core import ApiError, Context, Request, Response, operation


def _group(context: Context, request: Request) -> Any:
    from moto.logs.models import logs_backends

    name = request["logGroupName"]
    groups = logs_backends[context.account][context.region].groups
    if name not in groups:
        raise ApiError("ResourceNotFoundException", "The specified log group does not exist.")
    return groups[name]


@operation("logs", "AssociateKmsKey")
def associate(context: Context, request: Request) -> Response:
    """Encrypt what is written from now on."""
    _group(context, request).kms_key_id = request["kmsKeyId"]
    return {}


@operation("logs", "DisassociateKmsKey")
def disassociate(context: Context, request: Request) -> Response:
    """Use the key of the service again."""
    _group(context, request).kms_key_id = None
    return {}
