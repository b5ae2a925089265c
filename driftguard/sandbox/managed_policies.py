"""AWS's managed policies, read once for all accounts.

Moto reads its file of 1,400 policies again for every account and after every reset, which takes half a
second each time; copies of what was read once take milliseconds.
"""

from __future__ import annotations

import copy
import json
import os
from functools import cache
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend


@cache
def _read(region: str) -> tuple[Any, ...]:
    content = json.loads(aws_managed_policies_data)
    return tuple(AWSManagedPolicy.from_data(name, "aws", region, policy) for name, policy in content.items())


def _of_account(backend: IAMBackend) -> list[Any]:
    policies = [copy.copy(policy) for policy in _read(backend.region_name)]
    for policy in policies:
        policy.account_id = backend.account_id
    return policies


def install() -> None:
    """Give every account of this process AWS's managed policies."""
    os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
    IAMBackend._init_aws_policies = _of_account  # type: ignore[method-assign, assignment]  # no hook for it
