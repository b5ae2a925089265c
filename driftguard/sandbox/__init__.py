"""A local AWS to try and to test everything against; no account needed.

::

    sandbox = Sandbox(accounts=("111111111111", "222222222222"))
    s3 = sandbox.session(account="222222222222", region="us-east-1").client("s3")   # in process
    url = sandbox.serve(port=4599)                                                  # or AWS_ENDPOINT_URL

The sandbox shares nothing with the product but the registry schemas, so that one cannot excuse the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from driftguard.sandbox.facade import Sandbox

__all__ = ["Sandbox"]


def __getattr__(name: str) -> Any:
    # Moto takes half a second to import: it is loaded when the sandbox is used, not when it is named.
    if name == "Sandbox":
        from driftguard.sandbox.facade import Sandbox

        return Sandbox
    raise AttributeError(name)
