"""How readers are made for the resource types whose configuration items are in the early dialect.

Each reader asks the type's own service through boto3 and returns a `Reading`. Which type has which keys, which
resource id and which supplementary parts follows awslabs/aws-config-resource-schema and recorded items.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore import xform_name

from driftguard.sandbox.config.dialect import Casing, lowered, plain
from driftguard.sandbox.core import Context


@dataclass(slots=True, kw_only=True)
class Reading:
    """What one look at a resource found; `resource_id` and the rest override what the adapter would say."""

    configuration: dict[str, Any]
    supplementary: dict[str, str] = field(default_factory=dict)
    resource_id: str | None = None
    resource_name: str | None = None
    arn: str | None = None
    zone: str | None = None


Reader = Callable[[Context, str], Reading]
READERS: dict[str, Reader] = {}


def reader(resource_type: str) -> Callable[[Reader], Reader]:
    """Register the reader of a type (its CloudFormation name)."""

    def register(function: Reader) -> Reader:
        READERS[resource_type] = function
        return function

    return register


def answer(
    client: Any, operation: str, *path: str | int, casing: Casing = "first", **arguments: Any
) -> dict[str, Any]:
    """The part of an answer at `path`, in the early dialect."""
    result = getattr(client, xform_name(operation))(**arguments)
    shape: Any = client.meta.service_model.operation_model(operation).output_shape
    for step in path:
        result = result[step]
        shape = shape.member if isinstance(step, int) else shape.members[step]
    found: dict[str, Any] = lowered(result, shape, casing)
    return found


def text(value: Any) -> str:
    """A supplementary part: JSON text."""
    return json.dumps(plain(value))
