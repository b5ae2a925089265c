"""From a place in a stack to the resource that stands there."""

from __future__ import annotations

import fnmatch
from typing import Any

from driftguard.sandbox.estate.plan import estate
from driftguard.sandbox.facade import Sandbox

_NESTED = "AWS::CloudFormation::Stack"


class Lookup:
    """Physical ids in one account, asked of CloudFormation by an administrator."""

    def __init__(self, sandbox: Sandbox, account: str) -> None:
        self._sandbox = sandbox
        self._account = account

    def physical_id(self, place: str, region: str) -> str:
        """The id of ``stack/LogicalId`` or ``stack/Nested/LogicalId``; ``*`` is any text in a stack's name.

        The stack may stand in any region of the estate, ``region`` is looked at first: who changes an IAM
        role calls another region than the stack's.  Raises LookupError if there is no such resource.
        """
        root, *rest = place.split("/")
        for candidate in (region, *(r for r in estate().regions if r != region)):
            client = self._client(candidate)
            stack = self._stack(client, root)
            if stack is not None:
                return _descend(client, stack, rest)
        raise LookupError(f"no stack {root} in account {self._account}")

    def stack_name(self, path: str, region: str) -> str:
        """The name of the stack at ``root/Nested/...``."""
        root, *rest = path.split("/")
        client = self._client(region)
        stack = self._stack(client, root)
        if stack is None:
            raise LookupError(f"no stack {root} in account {self._account}, {region}")
        id = _descend(client, stack, rest) if rest else stack
        return id.split("/")[1] if id.startswith("arn:") else id

    def _client(self, region: str) -> Any:
        session = self._sandbox.session(account=self._account, region=region, principal="administrator")
        return session.client("cloudformation")

    @staticmethod
    def _stack(client: Any, name: str) -> str | None:
        pages = client.get_paginator("describe_stacks").paginate()
        names = [stack["StackName"] for page in pages for stack in page["Stacks"]]
        return next((found for found in sorted(names) if fnmatch.fnmatchcase(found, name)), None)


def _descend(client: Any, stack: str, path: list[str]) -> str:
    for name in path:
        found = client.describe_stack_resource(StackName=stack, LogicalResourceId=name)
        stack = str(found["StackResourceDetail"]["PhysicalResourceId"])
    return stack
