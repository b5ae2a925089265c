"""Service-specific credentials of IAM users, which moto does not know: made, listed, deleted.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateServiceSpecificCredential.html ; ids and passwords are
random.  Nothing can be done with such a credential.
"""

from __future__ import annotations

import secrets
from typing import Any

from driftguard.sandbox.core import ApiError, Context, Request, Response, operation


def _kept(context: Context) -> dict[str, Any]:
    return context.world.store("iam.service_credentials", context.account, "")


@operation("iam", "CreateServiceSpecificCredential")
def create(context: Context, request: Request) -> Response:
    """A new credential; its password is answered this once."""
    name = f"ACCA{secrets.token_hex(8).upper()}"
    row = {
        "CreateDate": context.clock.now(),
        "ServiceName": request["ServiceName"],
        "ServiceUserName": f"{request['UserName']}-at-{context.account}",
        "ServiceSpecificCredentialId": name,
        "UserName": request["UserName"],
        "Status": "Active",
    }
    _kept(context)[name] = row
    return {"ServiceSpecificCredential": {**row, "ServicePassword": secrets.token_urlsafe(32)}}


@operation("iam", "ListServiceSpecificCredentials")
def list_all(context: Context, request: Request) -> Response:
    """The credentials of a user."""
    rows = [row for row in _kept(context).values() if row["UserName"] == request.get("UserName")]
    return {"ServiceSpecificCredentials": rows}


@operation("iam", "DeleteServiceSpecificCredential")
def delete(context: Context, request: Request) -> Response:
    """Take a credential away."""
    name = request["ServiceSpecificCredentialId"]
    if _kept(context).pop(name, None) is None:
        # Text invented; the code is the modelled one.
        raise ApiError("NoSuchEntity", f"No such credential {name} exists")
    return {}
